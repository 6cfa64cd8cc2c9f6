//! Characters that stand for bits: base64 (RFC 4648 4 and 5), base32 (6) and base16 (8).
//!
//! One table for each alphabet and one way to put bits together. What counts as padding, how strict the form is and what ends it
//! is up to each caller.

/// No digit.
const NONE: u8 = 0xff;

/// Characters, each of which stands for the same number of bits.
#[derive(Debug, Clone, Copy)]
pub struct Alphabet {
    bits: u32,
    /// Of each byte; [`NONE`] if it is no digit.
    values: &'static [u8; 256],
}

static BASE64_VALUES: [u8; 256] = values([(b'A', 26), (b'a', 26), (b'0', 10), (b'+', 1), (b'/', 1)], [(b'-', 62), (b'_', 63)]);
static STANDARD_VALUES: [u8; 256] = values([(b'A', 26), (b'a', 26), (b'0', 10), (b'+', 1), (b'/', 1)], []);
static UPPER32_VALUES: [u8; 256] = values([(b'A', 26), (b'2', 6)], []);
static LOWER32_VALUES: [u8; 256] = values([(b'a', 26), (b'2', 6)], []);
static HEX_VALUES: [u8; 256] = values([(b'0', 10), (b'a', 6)], [(b'A', 10), (b'B', 11), (b'C', 12), (b'D', 13), (b'E', 14), (b'F', 15)]);

/// Both alphabets of base64, the standard one and that for addresses and file names.
pub const BASE64: Alphabet = Alphabet { bits: 6, values: &BASE64_VALUES };
/// The standard alphabet of base64.
pub const STANDARD: Alphabet = Alphabet { bits: 6, values: &STANDARD_VALUES };
/// base32.
pub const UPPER32: Alphabet = Alphabet { bits: 5, values: &UPPER32_VALUES };
/// base32 in small letters.
pub const LOWER32: Alphabet = Alphabet { bits: 5, values: &LOWER32_VALUES };
/// Hexadecimal digits in either case.
pub const HEX: Alphabet = Alphabet { bits: 4, values: &HEX_VALUES };

/// Values of an alphabet: of ranges (first, count) in their order, and of single characters.
const fn values<const R: usize, const S: usize>(ranges: [(u8, u8); R], singles: [(u8, u8); S]) -> [u8; 256] {
    let mut values = [NONE; 256];
    let mut rest = values.as_mut_slice();
    let mut byte = 0_u8;
    while let Some((value, more)) = rest.split_first_mut() {
        *value = value_of(byte, &ranges, &singles);
        byte = byte.wrapping_add(1);
        rest = more;
    }
    values
}

const fn value_of(byte: u8, mut ranges: &[(u8, u8)], mut singles: &[(u8, u8)]) -> u8 {
    let mut base = 0;
    while let Some((&(first, count), more)) = ranges.split_first() {
        if byte >= first && byte - first < count {
            return base + byte - first;
        }
        base += count;
        ranges = more;
    }
    while let Some((&(single, value), more)) = singles.split_first() {
        if byte == single {
            return value;
        }
        singles = more;
    }
    NONE
}

impl Alphabet {
    /// Bits that a digit stands for.
    #[must_use]
    pub const fn bits(self) -> usize {
        self.bits as usize
    }

    /// What a byte stands for, if it is a digit.
    #[must_use]
    pub fn value(self, byte: u8) -> Option<u8> {
        self.values.get(usize::from(byte)).copied().filter(|&value| value != NONE)
    }

    /// Whether a byte is a digit.
    #[must_use]
    pub fn has(self, byte: u8) -> bool {
        self.value(byte).is_some()
    }

    /// Decodes the digits of a text, whatever else is in it. Whole bytes only: bits that are left over are padding.
    #[must_use]
    pub fn decode(self, text: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.decoded_len(text.len()) + 1);
        let mut shifter = Shifter::default();
        bytes.extend(text.iter().filter_map(|&byte| self.value(byte)).filter_map(|value| shifter.push(self, value)));
        bytes
    }

    /// Decodes the digits at the start of a text into `head`, as many as there is room for. Returns how many bytes that gave.
    #[must_use]
    pub fn decode_head(self, text: &[u8], head: &mut [u8]) -> usize {
        let mut shifter = Shifter::default();
        let mut decoded = text.iter().map_while(|&byte| self.value(byte)).filter_map(|value| shifter.push(self, value));
        let mut len = 0;
        for slot in head {
            let Some(byte) = decoded.next() else { break };
            *slot = byte;
            len += 1;
        }
        len
    }

    /// Whole bytes that so many digits stand for.
    #[must_use]
    pub const fn decoded_len(self, digits: usize) -> usize {
        digits / 8 * self.bits() + digits % 8 * self.bits() / 8
    }

    /// The eight bits from this bit on, of a text that has nothing but digits; bits behind its end are zero.
    #[must_use]
    pub fn byte_at(self, text: &[u8], bit: usize) -> u8 {
        // Numbers that the compiler knows are divided by much faster.
        match self.bits {
            4 => self.byte_of::<4>(text, bit),
            5 => self.byte_of::<5>(text, bit),
            _ => self.byte_of::<6>(text, bit),
        }
    }

    fn byte_of<const BITS: usize>(self, text: &[u8], bit: usize) -> u8 {
        let digit = |at: usize| {
            let value = text.get(at).and_then(|&byte| self.values.get(usize::from(byte))).copied().unwrap_or(0);
            u32::from(value) & ((1 << BITS) - 1)
        };
        let first = bit / BITS;
        // Eight bits are in at most three digits.
        let held = digit(first) << (2 * BITS) | digit(first + 1) << BITS | digit(first + 2);
        (held >> (3 * BITS - 8 - bit % BITS) & 0xff) as u8
    }
}

/// Puts the bits of digits together to bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shifter {
    held: u32,
    count: u32,
}

impl Shifter {
    /// Takes a digit; gives a byte whenever there are eight bits.
    pub const fn push(&mut self, alphabet: Alphabet, value: u8) -> Option<u8> {
        self.held = self.held << alphabet.bits | value as u32;
        self.count += alphabet.bits;
        if self.count < 8 {
            return None;
        }
        self.count -= 8;
        let byte = (self.held >> self.count & 0xff) as u8;
        self.held &= (1 << self.count) - 1;
        Some(byte)
    }

    /// The bits that have not become a byte, as a number.
    #[must_use]
    pub const fn rest(self) -> u32 {
        self.held
    }
}

/// The value of a hexadecimal digit.
#[must_use]
pub fn hex(byte: u8) -> Option<u8> {
    HEX.value(byte)
}

/// The byte of two hexadecimal digits.
#[must_use]
pub fn hex_pair(high: u8, low: u8) -> Option<u8> {
    Some(hex(high)? << 4 | hex(low)?)
}

/// Decodes base64 in its widest reading: both alphabets, any padding, or none. `None` if anything else is in it.
#[must_use]
pub fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let is_base64 = text.iter().all(|&byte| BASE64.has(byte) || byte == b'=');
    is_base64.then(|| BASE64.decode(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn vectors_of_rfc_4648() {
        let vectors =
            [("", "", ""), ("f", "Zg==", "MY"), ("fo", "Zm8=", "MZXQ"), ("foo", "Zm9v", "MZXW6"), ("foobar", "Zm9vYmFy", "MZXW6YTBOI")];
        for (plain, base_64, base_32) in vectors {
            assert_eq!(base64(base_64.as_bytes()).as_deref(), Some(plain.as_bytes()));
            assert_eq!(UPPER32.decode(base_32.as_bytes()), plain.as_bytes());
            assert_eq!(LOWER32.decode(base_32.to_lowercase().as_bytes()), plain.as_bytes());
        }
        assert_eq!(HEX.decode(b"666F6f62"), b"foob");
    }

    #[test]
    fn the_wide_reading_takes_both_alphabets_and_nothing_else() {
        assert_eq!(base64(b"-_+/").as_deref(), Some(&[0xfb, 0xff, 0xbf][..]));
        assert_eq!(base64(b"Zg").as_deref(), Some(&b"f"[..]));
        for text in ["Zg =", "Zg\n", "Zg.", "\u{e9}"] {
            assert_eq!(base64(text.as_bytes()), None, "{text}");
        }
        assert_eq!((STANDARD.value(b'-'), STANDARD.value(b'+'), BASE64.value(b'=')), (None, Some(62), None));
        assert_eq!((hex_pair(b'4', b'f'), hex_pair(b'g', b'0'), hex_pair(b'0', b' ')), (Some(0x4f), None, None));
    }

    proptest! {
        #[test]
        fn a_byte_anywhere_is_the_one_that_decoding_gives(digits in "[A-F2-7]{0,40}", which in 0..4_usize, shift in 0..8_usize) {
            let alphabet = [BASE64, UPPER32, HEX, STANDARD][which];
            let text = digits.as_bytes();
            let from = text.get(shift..).unwrap_or_default();
            let whole = alphabet.decode(from);
            prop_assert_eq!(whole.len(), alphabet.decoded_len(from.len()));
            for (at, &byte) in whole.iter().enumerate() {
                prop_assert_eq!(alphabet.byte_at(text, shift * alphabet.bits() + at * 8), byte);
            }
            let mut head = [0; 7];
            let len = alphabet.decode_head(from, &mut head);
            prop_assert_eq!(&head[..len], &whole[..whole.len().min(7)]);
        }
    }
}
