//! Where there may be text in bytes that are not all text, found without looking at every byte.
//!
//! As in [`super::search`], but with the rules of UTF-8 for what may follow what.

use std::ops::Range;

/// Shortest text inside other bytes. So many bytes are printable by chance in one of 150,000 places.
pub(super) const STRETCH: usize = 12;

/// A place where there may be text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) range: Range<usize>,
    /// ASCII in UTF-16 of either byte order.
    pub(super) wide: bool,
}

/// What a byte is in UTF-8.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Printable, or white space.
    Ascii,
    /// The first of a character of more bytes: how many follow.
    Lead(usize),
    Behind,
    None,
}

const fn class(byte: u8) -> Class {
    match byte {
        b'\t' | b'\n' | b'\r' | b' '..=b'~' => Class::Ascii,
        0x80..=0xbf => Class::Behind,
        0xc2..=0xdf => Class::Lead(1),
        0xe0..=0xef => Class::Lead(2),
        0xf0..=0xf4 => Class::Lead(3),
        _ => Class::None,
    }
}

/// Bytes that are decoded one by one.
struct Bytes<F> {
    byte: F,
    len: usize,
    looks: usize,
}

/// All places, in their order, among `len` bytes; and how often a byte was looked at.
pub(super) fn places(len: usize, byte: impl Fn(usize) -> u8) -> (Vec<Place>, usize) {
    let mut bytes = Bytes { byte, len, looks: 0 };
    let mut places = Vec::new();
    let (mut from, mut known) = (0, 0);
    while from + STRETCH <= len {
        let end = from + STRETCH;
        let place = match bytes.back(from, known, end) {
            None => Place { range: from..bytes.forth(end), wide: false },
            Some(bad) => {
                (from, known) = (bad + 1, end);
                let Some(range) = bytes.wide(bad) else { continue };
                Place { range, wide: true }
            }
        };
        // The last byte may be the first of a text in UTF-16; one that was looked around already is not, and would be found for ever.
        from = from.max(place.range.end - 1);
        known = from;
        places.push(place);
    }
    (places, bytes.looks)
}

impl<F: Fn(usize) -> u8> Bytes<F> {
    fn at(&mut self, at: usize) -> u8 {
        self.looks += 1;
        (self.byte)(at)
    }

    /// The last byte before `end` that cannot be in one text with the next. Those between `from` and `known` can.
    fn back(&mut self, from: usize, known: usize, end: usize) -> Option<usize> {
        // How many bytes of a character were seen so far, and whether they may be all.
        let (mut behind, mut is_cut) = (0, true);
        for at in (known.saturating_sub(1).max(from)..end).rev() {
            let fits = match class(self.at(at)) {
                Class::Ascii => behind == 0,
                Class::Lead(count) => behind == count || is_cut && behind < count,
                Class::Behind => {
                    behind += 1;
                    if behind > 3 {
                        return Some(at);
                    }
                    continue;
                }
                Class::None => false,
            };
            if !fits {
                return Some(at);
            }
            (behind, is_cut) = (0, false);
        }
        None
    }

    /// Where a text ends of which everything before `from` is known.
    fn forth(&mut self, from: usize) -> usize {
        let mut left = self.left(from);
        let mut at = from;
        while at < self.len {
            left = match (class(self.at(at)), left) {
                (Class::Ascii, 0) => 0,
                (Class::Lead(count), 0) => count,
                (Class::Behind, 1..) => left - 1,
                _ => break,
            };
            at += 1;
        }
        at
    }

    /// How many bytes of the character before this place are behind it.
    fn left(&mut self, at: usize) -> usize {
        for before in 1..=3_usize.min(at) {
            match class(self.at(at - before)) {
                Class::Behind => {}
                Class::Lead(count) => return (count + 1).saturating_sub(before),
                Class::Ascii | Class::None => return 0,
            }
        }
        0
    }

    /// The text in UTF-16 around a byte, if that is NUL and there is one.
    fn wide(&mut self, nul: usize) -> Option<Range<usize>> {
        if (self.byte)(nul) != 0 {
            return None;
        }
        let fits = |byte: u8, at: usize| if at % 2 == nul % 2 { byte == 0 } else { class(byte) == Class::Ascii };
        let (mut start, mut end) = (nul, nul + 1);
        while start > 0 && fits(self.at(start - 1), start - 1) {
            start -= 1;
        }
        while end < self.len && fits(self.at(end), end) {
            end += 1;
        }
        (end - start >= STRETCH).then_some(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(bytes: &[u8]) -> Vec<Place> {
        places(bytes.len(), |at| bytes[at]).0
    }

    #[test]
    fn noise_is_skipped() {
        let noise: Vec<u8> = (0..4000_u32).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
        let (places, looks) = places(noise.len(), |at| noise[at]);
        assert!(looks * 3 < noise.len(), "{looks}: {places:?}");
    }

    #[test]
    fn both_kinds_are_found_side_by_side() {
        let bytes = [b"\x01twelve bytes\x02".as_slice(), b"e\0l\0e\0v\0e\0n\0", b"\x03\x03", b"\0b\0e\0h\0i\0n\0d"].concat();
        assert_eq!(
            found(&bytes),
            [Place { range: 1..13, wide: false }, Place { range: 14..26, wide: true }, Place { range: 28..40, wide: true }]
        );
    }

    /// A text in UTF-16 that ends where another text begins: every look is at something new.
    #[test]
    fn a_text_behind_a_wide_one_is_reached() {
        let behind = "àààààà".as_bytes();
        for (before, wide) in [(&b""[..], &b"e\0l\0e\0v\0e\0n\0"[..]), (b"\xff", b"\0e\0l\0e\0v\0e\0n\0")] {
            let bytes = [before, wide, behind].concat();
            let places = found(&bytes);
            assert!(places.len() <= 3 && places.iter().any(|place| place.range.end == bytes.len()), "{places:?}");
        }
    }

    proptest! {
        #[test]
        fn every_text_is_in_a_place(before in prop::collection::vec(any::<u8>(), 0..40), text in "[ -~àあ]{12,30}", behind in prop::collection::vec(any::<u8>(), 0..40)) {
            let bytes = [&*before, text.as_bytes(), &behind].concat();
            let whole = before.len()..before.len() + text.len();
            let found = found(&bytes);
            prop_assert!(found.iter().any(|place| !place.wide && place.range.start <= whole.start && whole.end <= place.range.end), "{:?}", found);
        }

        #[test]
        fn every_wide_text_is_in_a_place(before in prop::collection::vec(any::<u8>(), 0..40), text in "[ -~]{6,30}", behind in prop::collection::vec(any::<u8>(), 0..40)) {
            let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let bytes = [&*before, &*wide, &behind].concat();
            let whole = before.len()..before.len() + wide.len();
            let found = found(&bytes);
            prop_assert!(found.iter().any(|place| place.wide && place.range.start <= whole.start && whole.end <= place.range.end), "{:?}", found);
        }

        #[test]
        fn a_byte_is_looked_at_a_fixed_number_of_times(bytes in prop::collection::vec(prop::sample::select(b"\0\0aa\x80\xc3\xe4\xff".to_vec()), 0..600)) {
            let (_, looks) = places(bytes.len(), |at| bytes[at]);
            prop_assert!(looks <= 2 * bytes.len() + 2 * STRETCH, "{looks} for {}", bytes.len());
        }
    }
}
