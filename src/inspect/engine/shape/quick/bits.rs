//! What each byte of a short text is, a bit for each: most questions about it are a matter of a few steps then.

use wide::u8x16;

/// Bytes that are looked at together.
const LANE: usize = 16;
/// Bytes that have a bit.
const MOST: usize = 64;

/// One bit a byte, the first byte the lowest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Bits {
    /// Bytes of the text.
    pub(super) text: u64,
    /// Letters, digits and signs of names that begin nothing.
    pub(super) name: u64,
    /// Digits of ASCII.
    pub(super) digit: u64,
    /// Letters and digits of ASCII.
    pub(super) alphanumeric: u64,
    pub(super) blank: u64,
    pub(super) dot: u64,
    pub(super) dash: u64,
    pub(super) dollar: u64,
    /// Letters, digits, hyphens and underscores.
    run: u64,
}

impl Bits {
    /// Of a text of one to 64 bytes; `None` for another.
    #[inline]
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        let text_bits = u64::MAX >> MOST.checked_sub(text.len()).filter(|rest| *rest < MOST)?;
        let mut bits = Self { text: text_bits, ..Self::default() };
        let Some(last) = text.last_chunk::<LANE>() else {
            bits.add(padded(text), 0);
            return Some(bits);
        };
        for (at, lane) in (0..).step_by(LANE).zip(text.as_chunks::<LANE>().0) {
            bits.add(*lane, at);
        }
        if !text.len().is_multiple_of(LANE) {
            // Some of it for a second time.
            bits.add(*last, text.len() - LANE);
        }
        Some(bits)
    }

    #[inline]
    fn add(&mut self, lane: [u8; LANE], at: usize) {
        let bytes = u8x16::new(lane);
        let equal = |byte: u8| bytes.simd_eq(u8x16::splat(byte));
        let between = |bytes: u8x16, first: u8, last: u8| {
            let above = bytes - u8x16::splat(first);
            above.min(u8x16::splat(last - first)).simd_eq(above)
        };
        let digit = between(bytes, b'0', b'9');
        let alphanumeric = digit | between(bytes | u8x16::splat(0x20), b'a', b'z');
        let (dash, dot, underscore) = (equal(b'-'), equal(b'.'), equal(b'_'));
        // `!`, `#`, `$`, `'`, `(`, `)`, `*`, `,`, `-`, `.` and the blank stand together, but for four.
        let begins = equal(b'"') | equal(b'%') | equal(b'&') | equal(b'+');
        let sign = (between(bytes, b' ', b'.') ^ begins) | underscore | equal(b']');
        let mask = |of: u8x16| u64::from(of.to_bitmask()) << at;
        self.name |= mask(alphanumeric | sign);
        self.digit |= mask(digit);
        self.alphanumeric |= mask(alphanumeric);
        self.blank |= mask(equal(b' '));
        self.dot |= mask(dot);
        self.dash |= mask(dash);
        self.dollar |= mask(equal(b'$'));
        self.run |= mask(alphanumeric | dash | underscore);
    }

    /// How many letters and digits stand alone.
    pub(super) const fn alone(self) -> usize {
        let all = self.alphanumeric;
        (all & !(all << 1) & !(all >> 1)).count_ones() as usize
    }

    /// Whether a run of letters, digits, hyphens and underscores is as long: nine or twelve bytes.
    pub(super) const fn has_run(self, length: usize) -> bool {
        let run = self.run;
        let two = run & run >> 1;
        let four = two & two >> 2;
        let eight = four & four >> 4;
        if length < 12 { eight & run >> 8 != 0 } else { eight & four >> 8 != 0 }
    }

    /// The runs of letters, digits, hyphens and underscores.
    pub(super) fn runs(self, text: &[u8]) -> impl Iterator<Item = &[u8]> {
        let mut starts = self.run & !(self.run << 1);
        std::iter::from_fn(move || {
            let start = (starts != 0).then(|| starts.trailing_zeros())?;
            starts &= starts - 1;
            Some((start, start + (self.run >> start).trailing_ones()))
        })
        .filter_map(|(from, to)| piece(text, from, to))
    }

    /// How many groups of letters and digits are two bytes long, and how many four.
    pub(super) const fn groups(self) -> (u32, u32) {
        let all = self.alphanumeric;
        let two = all & !(all << 1) & all >> 1;
        let pairs = two & !(all >> 2);
        let quads = two & all >> 2 & all >> 3 & !(all >> 4);
        (pairs.count_ones(), quads.count_ones())
    }

    /// The words that stand before a number, with blanks and dots between, as pieces of the text.
    pub(super) fn words_before_numbers(self, text: &[u8]) -> impl Iterator<Item = &[u8]> {
        let (gap, letter) = (self.blank | self.dot, self.alphanumeric & !self.digit);
        let mut starts = self.digit & gap << 1;
        std::iter::from_fn(move || {
            let start = (starts != 0).then(|| starts.trailing_zeros())?;
            starts &= starts - 1;
            // A bit is at least at 1, so it is shifted by 63 at most.
            let end = start - (gap << (u64::BITS - start)).leading_ones();
            let word = letter.checked_shl(u64::BITS - end).unwrap_or_default().leading_ones();
            Some((end - word, end))
        })
        .filter_map(|(from, to)| piece(text, from, to))
    }
}

fn piece(text: &[u8], from: u32, to: u32) -> Option<&[u8]> {
    text.get(usize::try_from(from).ok()?..usize::try_from(to).ok()?)
}

/// A text of less than sixteen bytes, and NUL behind it.
#[inline]
fn padded(text: &[u8]) -> [u8; LANE] {
    let at = |place: usize| u128::from(text.get(place).copied().unwrap_or_default()) << (8 * place);
    let word = if let (Some(head), Some(tail)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        u128::from(u64::from_le_bytes(*head)) | u128::from(u64::from_le_bytes(*tail)) << (8 * (text.len() - 8))
    } else if let (Some(head), Some(tail)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        u128::from(u32::from_le_bytes(*head)) | u128::from(u32::from_le_bytes(*tail)) << (8 * (text.len() - 4))
    } else {
        at(0) | at(1) | at(2)
    };
    word.to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The bits of the bytes that are such.
    fn bits_of(text: &[u8], is: impl Fn(u8) -> bool) -> u64 {
        text.iter().zip(0..).map(|(byte, place)| u64::from(is(*byte)) << place).sum()
    }

    fn is_run(byte: u8) -> bool {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
    }

    fn check(text: &[u8]) {
        let is_sign = |byte| b" .-_()]$'#!*,".contains(&byte);
        let expected = Bits {
            text: bits_of(text, |_| true),
            name: bits_of(text, |byte| byte.is_ascii_alphanumeric() || is_sign(byte)),
            digit: bits_of(text, |byte| byte.is_ascii_digit()),
            alphanumeric: bits_of(text, |byte| byte.is_ascii_alphanumeric()),
            blank: bits_of(text, |byte| byte == b' '),
            dot: bits_of(text, |byte| byte == b'.'),
            dash: bits_of(text, |byte| byte == b'-'),
            dollar: bits_of(text, |byte| byte == b'$'),
            run: bits_of(text, is_run),
        };
        assert_eq!(Bits::of(text), Some(expected), "{text:?}");
    }

    #[test]
    fn each_byte_is_told_at_each_place() {
        for (byte, length) in (0..=255).flat_map(|byte| [1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 64].map(|length| (byte, length))) {
            for place in 0..length {
                let mut text = vec![b'"'; length];
                text[place] = byte;
                check(&text);
            }
        }
        assert_eq!((Bits::of(b""), Bits::of(&[b'a'; 65])), (None, None));
    }

    proptest! {
        #[test]
        fn bits_are_those_of_the_text(text in prop::collection::vec(any::<u8>(), 1..=64)) {
            check(&text);
        }

        #[test]
        fn runs_and_groups_are_those_of_the_text(pieces in prop::collection::vec("[a-zA-Z0-9]{0,18}[-_ .:é]?", 1..12)) {
            let text: String = pieces.concat();
            let Some(bits) = Bits::of(text.as_bytes()) else { return Ok(()) };
            let is_group = |byte: &u8| !byte.is_ascii_alphanumeric();
            let groups = |length| text.as_bytes().split(is_group).filter(|group| group.len() == length).count();
            prop_assert_eq!(bits.groups(), (u32::try_from(groups(2)).unwrap(), u32::try_from(groups(4)).unwrap()));
            prop_assert_eq!(bits.alone(), groups(1));
            let runs: Vec<&[u8]> = text.as_bytes().split(|byte| !is_run(*byte)).filter(|run| !run.is_empty()).collect();
            let longest = runs.iter().map(|run| run.len()).max().unwrap_or_default();
            prop_assert_eq!((bits.has_run(9), bits.has_run(12)), (longest >= 9, longest >= 12));
            prop_assert_eq!(bits.runs(text.as_bytes()).collect::<Vec<_>>(), runs);
        }

        #[test]
        fn words_stand_before_numbers(pieces in prop::collection::vec("(int|Ext|x|A1| |[.]|-|7|12){1,6}", 1..6)) {
            let text = pieces.concat();
            let Some(bits) = Bits::of(text.as_bytes()) else { return Ok(()) };
            let is_word = |byte: &u8| !byte.is_ascii_alphabetic();
            let expected: Vec<&[u8]> = text
                .as_bytes()
                .windows(2)
                .zip(1..)
                .filter(|(pair, _)| matches!(pair, [b' ' | b'.', b'0'..=b'9']))
                .map(|(_, at)| text[..at].trim_end_matches([' ', '.']).as_bytes().rsplit(is_word).next().unwrap_or_default())
                .collect();
            prop_assert_eq!(bits.words_before_numbers(text.as_bytes()).collect::<Vec<_>>(), expected);
        }
    }
}
