//! Decimal numbers as positions have them.

use crate::inspect::engine::detect::lexis::{at, before, is_word, part, run};

/// A number as it was read.
#[derive(Clone, Copy)]
pub(super) struct Number {
    pub(super) value: f64,
    pub(super) decimals: usize,
    pub(super) end: usize,
}

/// Reads a decimal number with at most eight digits and sixteen decimals; not one that is part of a version or a word.
pub(super) fn read(text: &[u8], start: usize) -> Option<Number> {
    let digits = start + usize::from(matches!(at(text, start), b'+' | b'-'));
    let point = run(text, digits, 8, |byte| byte.is_ascii_digit());
    let behind = point + usize::from(at(text, point) == b'.');
    let fraction = run(text, behind, 16, |byte| byte.is_ascii_digit());
    let (end, decimals) = if behind > point && fraction > behind { (fraction, fraction - behind) } else { (point, 0) };
    let version = at(text, end) == b'.' && at(text, end + 1).is_ascii_digit();
    if point == digits || version || before(text, start) == b'.' || is_word(before(text, start)) {
        return None;
    }
    let value = std::str::from_utf8(part(text, start, end)).ok()?.parse().ok()?;
    Some(Number { value, decimals, end })
}
