//! UTF-7 (RFC 2152): `+AEA-` is `@`.

use crate::inspect::engine::digits::STANDARD;

/// Bits of a character of UTF-16.
const UNIT: usize = 16;
/// Bits of a digit.
const DIGIT: usize = 6;

/// What stands behind a plus sign: the text, and its length with the hyphen that ends it.
///
/// A plus sign is no digit here, though it may be one: no sign of ASCII needs it, and so no byte is looked at for two of them.
pub(super) fn read(from: &[u8]) -> Option<(String, usize)> {
    if from.first() == Some(&b'-') {
        return Some(("+".to_owned(), 1));
    }
    let len = from.iter().take_while(|&&byte| byte != b'+' && STANDARD.has(byte)).count();
    let digits = from.get(..len)?;
    let padding = len * DIGIT % UNIT;
    // What is left over are fewer bits than a digit has, and zero.
    let is_whole = padding < DIGIT && STANDARD.value(*digits.last()?)? & ((1_u8 << padding) - 1) == 0;
    // Without the hyphen at its end, a letter could not follow; base64 of another kind has none.
    if len < 3 || !is_whole || from.get(len) != Some(&b'-') {
        return None;
    }
    let bytes = STANDARD.decode(digits);
    let (pairs, _) = bytes.as_chunks::<2>();
    let text: String = char::decode_utf16(pairs.iter().map(|pair| u16::from_be_bytes(*pair))).collect::<Result<_, _>>().ok()?;
    // By chance, digits are mostly ideographs.
    let is_text = text.chars().all(|letter| letter.is_alphanumeric() && letter < '\u{600}' || letter.is_ascii_graphic() || letter == ' ');
    is_text.then_some((text, len + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_and_words_are_read() {
        assert_eq!(read(b"AEA-acme"), Some(("@".to_owned(), 4)));
        assert_eq!(read(b"-39"), Some(("+".to_owned(), 1)));
        assert_eq!(read(b"AG0AYQByAGkAbwBA-"), Some(("mario@".to_owned(), 17)));
        for text in [&b"AEA+"[..], b"AEA", b"AE-", b"AEB-", b"AAA-", b"39 02", b""] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
