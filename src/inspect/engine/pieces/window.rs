//! Pieces put together.

use super::{MOST_SIGNS, Piece, is_gap};

/// The last so many letters and digits, and what they stand in.
#[derive(Clone, Copy)]
pub(super) struct Window<'t> {
    pub(super) text: &'t [u8],
    pub(super) signs: usize,
}

/// Letters and digits without what stands between them.
pub(super) type Signs = [u8; MOST_SIGNS];

/// Behind how many digits a gap or a new piece is, a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Breaks(u64);

impl Breaks {
    const fn add(&mut self, behind: usize) {
        self.0 |= 1 << (behind as u64 & 63);
    }

    /// Whether they are between groups that are printed on cards with so many digits: four each, or four, six and the rest.
    pub(super) const fn are_of_a_card(self, digits: usize) -> bool {
        const FOURS: u64 = 1 << 4 | 1 << 8 | 1 << 12 | 1 << 16;
        const SIX: u64 = 1 << 4 | 1 << 10;
        let groups = if digits < 16 { SIX } else { FOURS };
        self.0 & !groups == 0
    }
}

impl Window<'_> {
    fn bytes(&self) -> impl Iterator<Item = u8> {
        self.text.iter().copied().filter(u8::is_ascii_alphanumeric)
    }

    pub(super) fn signs(&self) -> Signs {
        let mut signs = [0; MOST_SIGNS];
        signs.iter_mut().zip(self.bytes()).for_each(|(slot, byte)| *slot = byte);
        signs
    }

    /// What there is, and where it is broken.
    pub(super) fn signs_and_breaks(&self, pieces: &[Piece]) -> (Signs, Breaks) {
        let mut breaks = Breaks::default();
        let mut behind = 0;
        for piece in pieces {
            let start = pieces.first().map_or(0, |first| first.start);
            let text = self.text.get(piece.start - start..piece.end - start).unwrap_or_default();
            if behind > 0 {
                breaks.add(behind);
            }
            for byte in text {
                match byte {
                    gap if is_gap(*gap) => breaks.add(behind),
                    _ => behind += 1,
                }
            }
        }
        (self.signs(), breaks)
    }

    /// Two letters and two digits, or six letters.
    pub(super) fn begins_with_letters(&self) -> bool {
        let mut bytes = self.bytes();
        let mut is_next = |is: fn(&u8) -> bool| bytes.next().as_ref().is_some_and(is);
        if !(is_next(u8::is_ascii_alphabetic) && is_next(u8::is_ascii_alphabetic)) {
            return false;
        }
        if is_next(u8::is_ascii_digit) {
            return is_next(u8::is_ascii_digit);
        }
        self.bytes().take(6).all(|byte| byte.is_ascii_alphabetic()) && matches!(self.signs, 16)
    }
}
