//! Where the plain part of a string ends, eight bytes at a time. Strings of telemetry are short, so a call into a vector
//! routine costs more than it saves.

const ONES: u64 = u64::MAX / 255;
const HIGH: u64 = ONES * 0x80;

/// Bytes before the first quotation mark, backslash or control character (RFC 8259 section 7), or all.
#[inline]
pub(super) fn plain(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let special = special(u64::from_le_bytes(*word));
        if special != 0 {
            return index * 8 + (special.trailing_zeros() / 8) as usize;
        }
    }
    let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | ..0x20);
    words.len() * 8 + rest.iter().position(ends).unwrap_or(rest.len())
}

/// The high bit of the first such byte is set; bits above it may be wrong, bits below are not.
#[inline]
const fn special(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let found = (quote.wrapping_sub(ONES) & !quote) | (backslash.wrapping_sub(ONES) & !backslash) | control;
    found & HIGH
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn every_byte_ends_a_run_or_not_at_every_place() {
        for byte in 0..=255_u8 {
            for place in 0..20 {
                for filler in [b' ', b'a', 0x7f, 0x80, 0xff, b'!', b'#', b'[', b']'] {
                    let mut bytes = [filler; 20];
                    bytes[place] = byte;
                    let ends = byte < 0x20 || byte == b'"' || byte == b'\\';
                    assert_eq!(plain(&bytes), if ends { place } else { 20 }, "{byte} at {place} in {filler}");
                }
            }
        }
        assert_eq!(plain(b""), 0);
    }
}
