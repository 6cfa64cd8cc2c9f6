//! Bytes in hexadecimal, in groups: `48 65 6c`, `48:65`, `0x48, 0x65`, `4865 6c6c`.

use super::search::Search;
use super::{Finder, OPAQUE, Unreadable, Via};
use crate::inspect::engine::digits::hex_pair;

/// Fewest groups.
const FEWEST: usize = 4;
/// Fewest bytes.
const SHORTEST: usize = 8;
/// Shortest text with so many of them.
pub(super) const SHORTEST_TEXT: usize = SHORTEST * 2 + FEWEST - 1;
/// Longest group in digits.
const LONGEST_GROUP: usize = 8;

/// The groups of one value so far.
#[derive(Default)]
struct Groups {
    bytes: Vec<u8>,
    count: usize,
    /// Whether a group had not two digits.
    uneven: bool,
    /// Whether a digit was a letter: without, it is a list of numbers.
    letters: bool,
}

pub(super) fn find(text: &[u8], finder: &mut Finder<'_, '_>) -> Result<(), Unreadable> {
    let mut search = Search::new(text, SHORTEST_TEXT);
    while let Some(start) = search.start(is_digit_or_gap) {
        let mut rest = text.get(start..).unwrap_or_default();
        let mut groups = Groups::default();
        while rest.first().is_some_and(|&byte| is_digit_or_gap(byte)) {
            let gap = rest.iter().position(|&byte| !is_gap(byte)).unwrap_or(rest.len());
            let from = rest.get(gap..).unwrap_or_default();
            let len = from.iter().position(|&byte| is_gap(byte) || !is_digit_or_gap(byte)).unwrap_or(from.len());
            let (group, behind) = from.split_at(len);
            if !group.is_empty() && !groups.add(group) {
                std::mem::take(&mut groups).judge(finder)?;
            }
            rest = behind;
        }
        let end = text.len() - rest.len();
        finder.budget.count(end - start);
        search.resume(end);
        groups.judge(finder)?;
    }
    finder.budget.count(search.looks());
    Ok(())
}

const fn is_gap(byte: u8) -> bool {
    matches!(byte, b' ' | b':' | b',' | b';' | b'-' | b'.' | b'\t' | b'\r' | b'\n')
}

const fn is_digit_or_gap(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || is_gap(byte) || matches!(byte, b'x' | b'X')
}

impl Groups {
    /// Takes a group; false if it is none.
    fn add(&mut self, group: &[u8]) -> bool {
        let digits = group.strip_prefix(b"0x").or_else(|| group.strip_prefix(b"0X")).unwrap_or(group);
        let fits = !digits.is_empty() && digits.len() <= LONGEST_GROUP && digits.iter().all(u8::is_ascii_hexdigit);
        let (pairs, odd) = digits.as_chunks::<2>();
        if !fits || !odd.is_empty() {
            return false;
        }
        self.bytes.extend(pairs.iter().filter_map(|&[high, low]| hex_pair(high, low)));
        self.count += 1;
        self.uneven |= pairs.len() != 1;
        self.letters |= digits.iter().any(u8::is_ascii_alphabetic);
        true
    }

    fn judge(self, finder: &mut Finder<'_, '_>) -> Result<(), Unreadable> {
        if self.count < FEWEST || self.bytes.len() < SHORTEST || finder.decoded(Via::Hex, &self.bytes)? {
            return Ok(());
        }
        let covered = finder.stretches(Via::Hex, self.bytes.len(), |at| self.bytes.get(at).copied().unwrap_or(0))?;
        let rest = self.bytes.len().saturating_sub(covered) * 3;
        if self.letters && !self.uneven && rest >= OPAQUE { finder.opaque(Via::Hex, rest) } else { Ok(()) }
    }
}
