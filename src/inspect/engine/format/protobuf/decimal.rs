//! Numbers in decimal, without an allocation.

/// Room for the longest.
pub(super) type Buffer = [u8; 20];

/// An unsigned number.
#[inline]
pub(super) fn unsigned(value: u64, buffer: &mut Buffer) -> &str {
    // Field numbers and small counts are most of what is written.
    let digit = usize::try_from(value).unwrap_or(usize::MAX);
    if let Some(text) = "0123456789".get(digit..digit.saturating_add(1)) {
        return text;
    }
    let start = digits(value, buffer);
    text(buffer, start)
}

/// A signed number.
pub(super) fn signed(value: i64, buffer: &mut Buffer) -> &str {
    let mut start = digits(value.unsigned_abs(), buffer);
    if value < 0 {
        start -= 1;
        if let Some(sign) = buffer.get_mut(start) {
            *sign = b'-';
        }
    }
    text(buffer, start)
}

fn digits(mut value: u64, buffer: &mut Buffer) -> usize {
    let mut start = buffer.len();
    for place in buffer.iter_mut().rev() {
        *place = b'0' + u8::try_from(value % 10).unwrap_or_default();
        value /= 10;
        start -= 1;
        if value == 0 {
            break;
        }
    }
    start
}

fn text(buffer: &Buffer, start: usize) -> &str {
    buffer.get(start..).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_standard_library_does() {
        for value in [0, 1, 9, 10, 99, 4_111_111_111_111_111, u64::MAX - 1, u64::MAX] {
            assert_eq!(unsigned(value, &mut Buffer::default()), value.to_string());
        }
        for value in [0, -1, 10, -4_111, i64::MIN, i64::MAX] {
            assert_eq!(signed(value, &mut Buffer::default()), value.to_string());
        }
    }
}
