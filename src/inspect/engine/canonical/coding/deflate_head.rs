//! Whether bytes begin like a deflate stream of text (RFC 1951), told without a decoder: it takes 40 KiB, and most bytes are none.

/// Symbols of the fixed code that are read.
const SYMBOLS: usize = 12;

/// Bits from the lowest of each byte on.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn bit(&mut self) -> Option<u32> {
        let bit = self.bytes.get(self.at / 8)? >> (self.at % 8) & 1;
        self.at += 1;
        Some(u32::from(bit))
    }

    /// A number, its lowest bit first.
    fn number(&mut self, bits: u32) -> Option<u32> {
        (0..bits).try_fold(0, |sum, place| Some(sum | self.bit()? << place))
    }

    /// A piece of a Huffman code, its highest bit first.
    fn code(&mut self, bits: u32) -> Option<u32> {
        (0..bits).try_fold(0, |sum, _| Some(sum << 1 | self.bit()?))
    }
}

/// Whether the first block can be one, as far as a few bytes tell.
pub(super) fn may_begin(head: &[u8]) -> bool {
    let mut bits = Bits { bytes: head, at: 1 };
    match bits.number(2) {
        Some(0) => matches!(head, [_, a, b, c, d, ..] if a ^ c == 0xff && b ^ d == 0xff),
        Some(1) => fixed(&mut bits),
        Some(2) => dynamic(&mut bits).unwrap_or(false),
        _ => false,
    }
}

/// A block with the fixed code: text, and what it refers back to is there.
fn fixed(bits: &mut Bits<'_>) -> bool {
    for produced in 0..SYMBOLS {
        match symbol(bits) {
            // It is cut off here, not broken.
            None => return true,
            Some(literal @ 0..256) => {
                if !matches!(literal, 0 | 9 | 10 | 13 | 32..=126 | 128..) {
                    return false;
                }
            }
            Some(256) => return produced > 0,
            Some(length) => return distance(bits, length).is_none_or(|distance| distance as usize <= produced),
        }
    }
    true
}

/// A symbol of the fixed code (3.2.6).
fn symbol(bits: &mut Bits<'_>) -> Option<u32> {
    let seven = bits.code(7)?;
    if seven < 24 {
        return Some(256 + seven);
    }
    let eight = seven << 1 | bits.bit()?;
    match eight {
        48..192 => Some(eight - 48),
        192..200 => Some(280 + eight - 192),
        _ => Some(144 + (eight << 1 | bits.bit()?) - 400),
    }
}

/// The least distance behind a length in the fixed code (3.2.5); more than any if there is no such code.
fn distance(bits: &mut Bits<'_>, length: u32) -> Option<u32> {
    let extra = if (265..285).contains(&length) { (length - 261) / 4 } else { 0 };
    bits.number(extra)?;
    Some(match bits.code(5)? {
        code @ 0..4 => code + 1,
        code @ 4..30 => ((2 + (code & 1)) << (code / 2 - 1)) + 1,
        _ => u32::MAX,
    })
}

/// A block with its own code (3.2.7): the code of the code lengths must be complete.
fn dynamic(bits: &mut Bits<'_>) -> Option<bool> {
    let (literals, distances, lengths) = (bits.number(5)?, bits.number(5)?, bits.number(4)?);
    let mut sum = 0;
    for _ in 0..lengths + 4 {
        let length = bits.number(3)?;
        sum += if length > 0 { 128 >> length } else { 0 };
    }
    Some(literals <= 29 && distances <= 29 && sum == 128)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::engine::noise::noise_bytes;
    use flate2::Compression;
    use flate2::write::DeflateEncoder;
    use proptest::prelude::*;
    use std::io::Write as _;

    #[test]
    fn noise_is_none() {
        let mut bytes = noise_bytes();
        let passed = (0..2000).filter(|_| may_begin(&bytes.by_ref().take(48).collect::<Vec<u8>>())).count();
        assert!(passed < 60, "{passed} of 2000");
    }

    proptest! {
        #[test]
        fn text_is_one(text in "[ -~àéß]{1,80}([a-z ]{0,60})", level in 0..10_u32, cut in 6..60_usize) {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(level));
            encoder.write_all(text.as_bytes()).unwrap();
            let stream = encoder.finish().unwrap();
            let head = if cut >= 48 { stream.get(..cut).unwrap_or(&stream) } else { &stream };
            prop_assert!(may_begin(head), "{stream:x?}");
        }
    }
}
