//! Reading a number of a fixed length, written in one piece or in its customary groups.

use super::Spot;
use crate::inspect::engine::detect::lexis::{at, before, goes_on, visit};

/// A number as it was read: upper case, without separators.
pub(super) struct Number<const N: usize> {
    pub(super) bytes: [u8; N],
    pub(super) end: usize,
    pub(super) grouped: bool,
}

/// Reads `N` letters and digits, compact or with the same separator behind every group.
///
/// It must not be part of something longer: a word, a GUID, a version.
pub(super) fn read<const N: usize>(spot: Spot<'_>, groups: &[usize], separators: &[u8]) -> Option<Number<N>> {
    if matches!(before(spot.text, spot.start), b'-' | b'.') {
        return None;
    }
    read_beside(spot, groups, separators).filter(|number| !goes_on(spot.text, number.end))
}

/// The same of a number that proves itself, whatever sign stands beside it: it is part of a longer one only if a letter or a digit does.
pub(super) fn read_anywhere<const N: usize>(spot: Spot<'_>, groups: &[usize], separators: &[u8]) -> Option<Number<N>> {
    if before(spot.text, spot.start).is_ascii_alphanumeric() {
        return None;
    }
    read_beside(spot, groups, separators).filter(|number| !at(spot.text, number.end).is_ascii_alphanumeric())
}

/// Reads the number that begins at a place, whatever is around it.
fn read_beside<const N: usize>(spot: Spot<'_>, groups: &[usize], separators: &[u8]) -> Option<Number<N>> {
    let Spot { text, start, length, .. } = spot;
    let first = groups.first().copied().unwrap_or(N);
    if (length != N && length != first) || !at(text, start).is_ascii_alphanumeric() {
        return None;
    }
    let separator = Some(at(text, start + first)).filter(|byte| separators.contains(byte));
    let mut number = Number { bytes: [0; N], end: start, grouped: separator.is_some() };
    let (mut group, mut left) = (groups.iter().copied(), 0);
    for slot in &mut number.bytes {
        if left == 0 {
            left = group.next()?;
            if let Some(separator) = separator
                && number.end > start
            {
                (at(text, number.end) == separator).then_some(())?;
                number.end += 1;
            }
        }
        let byte = at(text, number.end).to_ascii_uppercase();
        byte.is_ascii_alphanumeric().then_some(())?;
        *slot = byte;
        number.end += 1;
        left -= 1;
    }
    visit(N);
    Some(number)
}

/// The value of decimal digits; nothing if one of them is none.
pub(super) fn value(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0')))
}

/// The value of two digits at a place.
pub(super) fn two(digits: &[u8], place: usize) -> Option<u64> {
    value(digits.get(place..place + 2)?)
}
