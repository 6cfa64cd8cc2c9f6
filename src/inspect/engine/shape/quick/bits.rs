//! Where the letters and digits of a short text are, a bit for each byte: how long runs are is a matter of a few steps then.

const ONES: u64 = u64::MAX / 255;
const HIGH: u64 = ONES * 0x80;
/// Bytes that have a bit.
const MOST: usize = 64;

/// One bit a byte, the first byte the lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bits {
    /// Letters and digits of ASCII.
    alphanumeric: u64,
    /// Those, hyphens and underscores.
    run: u64,
}

impl Bits {
    /// Of a text of eight to 64 bytes; `None` for another.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        let last = text.last_chunk::<8>().filter(|_| text.len() <= MOST)?;
        let mut bits = Self { alphanumeric: 0, run: 0 };
        for (at, word) in (0..).step_by(8).zip(text.as_chunks::<8>().0) {
            bits.add(*word, at);
        }
        // Some of it for a second time.
        bits.add(*last, text.len() - 8);
        Some(bits)
    }

    fn add(&mut self, bytes: [u8; 8], at: usize) {
        let word = u64::from_le_bytes(bytes);
        let alphanumeric = alphanumeric(word);
        self.alphanumeric |= gather(alphanumeric) << at;
        self.run |= gather(alphanumeric | equal(word, b'-') | equal(word, b'_')) << at;
    }

    /// Whether a run is as long: nine or sixteen bytes.
    pub(super) const fn has_run(self, length: usize) -> bool {
        let two = self.run & self.run >> 1;
        let four = two & two >> 2;
        let eight = four & four >> 4;
        if length < 16 { eight & self.run >> 8 != 0 } else { eight & eight >> 8 != 0 }
    }

    /// How many groups of letters and digits are two bytes long, and how many four.
    pub(super) const fn groups(self) -> (u32, u32) {
        let all = self.alphanumeric;
        let two = all & !(all << 1) & all >> 1;
        let pairs = two & !(all >> 2);
        let quads = two & all >> 2 & all >> 3 & !(all >> 4);
        (pairs.count_ones(), quads.count_ones())
    }
}

/// The high bit of each byte that is a letter or a digit.
const fn alphanumeric(word: u64) -> u64 {
    let low = word & !HIGH;
    let small = low | (ONES * 0x20);
    // No byte is above 0x7f, so no sum runs into the next one.
    let letter = (small + ONES * (0x80 - b'a' as u64)) & !(small + ONES * (0x7f - b'z' as u64));
    let digit = (low + ONES * (0x80 - b'0' as u64)) & !(low + ONES * (0x7f - b'9' as u64));
    (letter | digit) & !word & HIGH
}

/// The high bit of each byte that is this one.
const fn equal(word: u64, byte: u8) -> u64 {
    let other = word ^ (ONES * byte as u64);
    !(((other & !HIGH) + (ONES * 0x7f)) | other) & HIGH
}

/// High bits of bytes, side by side.
const fn gather(high: u64) -> u64 {
    (high >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_byte_is_told_at_each_place() {
        for byte in 0..=255_u8 {
            for place in 0..8 {
                let mut text = [b' '; 8];
                text[place] = byte;
                let bits = Bits::of(&text).expect("it is short");
                let bit = |is: bool| u64::from(is) << place;
                assert_eq!(bits.alphanumeric, bit(byte.is_ascii_alphanumeric()), "{byte} at {place}");
                assert_eq!(bits.run, bit(byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'), "{byte} at {place}");
            }
        }
        assert_eq!((Bits::of(&[b'a'; 7]), Bits::of(&[b'a'; 65])), (None, None));
    }

    proptest! {
        #[test]
        fn runs_and_groups_are_those_of_the_text(pieces in prop::collection::vec("[a-zA-Z0-9]{0,18}[-_ .:é]?", 1..12)) {
            let text: String = pieces.concat();
            let Some(bits) = Bits::of(text.as_bytes()) else { return Ok(()) };
            let is_group = |byte: &u8| !byte.is_ascii_alphanumeric();
            let groups = |length| text.as_bytes().split(is_group).filter(|group| group.len() == length).count();
            prop_assert_eq!(bits.groups(), (u32::try_from(groups(2)).unwrap(), u32::try_from(groups(4)).unwrap()));
            let runs = || text.as_bytes().split(|byte| is_group(byte) && !matches!(byte, b'-' | b'_')).map(<[u8]>::len);
            let longest = runs().max().unwrap_or_default();
            prop_assert_eq!((bits.has_run(9), bits.has_run(16)), (longest >= 9, longest >= 16));
        }
    }
}
