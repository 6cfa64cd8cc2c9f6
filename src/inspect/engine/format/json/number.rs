//! Numbers (RFC 8259 section 6).

/// Bytes that belong to a number or a word, and to nothing else.
#[inline]
pub(super) fn run(bytes: &[u8]) -> usize {
    let belongs = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'+' | b'-' | b'.');
    bytes.iter().position(|byte| !belongs(byte)).unwrap_or(bytes.len())
}

/// A whole number of at most eighteen digits, which begins with no zero unless it is one.
pub(super) fn whole(text: &str) -> Option<u64> {
    if text.len() > 18 {
        return None;
    }
    let digit = |byte: u8| Some(byte.wrapping_sub(b'0')).filter(|digit| *digit <= 9);
    // Eighteen digits cannot overflow.
    text.bytes().try_fold(0_u64, |value, byte| Some(value.wrapping_mul(10).wrapping_add(digit(byte)?.into())))
}

/// Whether a text is a number, and one that a double can hold (RFC 7493 section 2.2).
pub(super) fn is_valid(text: &str) -> bool {
    let unsigned = text.as_bytes().strip_prefix(b"-").unwrap_or(text.as_bytes());
    let integer = digits(unsigned);
    if integer.is_empty() || (integer.len() > 1 && integer.starts_with(b"0")) {
        return false;
    }
    let rest = unsigned.get(integer.len()..).unwrap_or_default();
    match rest {
        [] => true,
        [b'.', rest @ ..] => {
            let fraction = digits(rest);
            !fraction.is_empty() && is_exponent(rest.get(fraction.len()..).unwrap_or_default(), text)
        }
        rest => is_exponent(rest, text),
    }
}

fn is_exponent(rest: &[u8], text: &str) -> bool {
    match rest {
        [] => true,
        [b'e' | b'E', b'+' | b'-', digits @ ..] | [b'e' | b'E', digits @ ..] => {
            // Without an exponent the longest number stays far below the largest double.
            !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) && text.parse::<f64>().is_ok_and(f64::is_finite)
        }
        _ => false,
    }
}

fn digits(bytes: &[u8]) -> &[u8] {
    let length = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    bytes.get(..length).unwrap_or_default()
}
