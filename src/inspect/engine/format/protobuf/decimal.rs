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

/// A double with at most four decimals and fifteen digits, as the standard library writes it; `None` for any other.
///
/// Fifteen digits are told apart by a double, so if these give the value back, no shorter ones do.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the number is whole, positive and below 1e14")]
pub(super) fn short(value: f64, buffer: &mut Buffer) -> Option<&str> {
    const LARGEST: f64 = 1e10;
    // Zero may have a sign.
    if !value.is_finite() || value == 0.0 || value.abs() >= LARGEST {
        return None;
    }
    let (decimals, scaled) = [1.0, 10.0, 100.0, 1_000.0, 10_000.0].iter().enumerate().find_map(|(decimals, scale)| {
        let scaled = (value.abs() * scale).round();
        ((scaled / scale).to_bits() == value.abs().to_bits()).then_some((decimals, scaled))
    })?;
    let mut start = digits(scaled as u64, buffer);
    let whole = buffer.len() - decimals;
    // A zero stands before the point, and zeros behind it.
    while decimals > 0 && start >= whole {
        start -= 1;
        *buffer.get_mut(start)? = b'0';
    }
    if decimals > 0 {
        buffer.copy_within(start..whole, start - 1);
        *buffer.get_mut(whole - 1)? = b'.';
        start -= 1;
    }
    if value < 0.0 {
        start -= 1;
        *buffer.get_mut(start)? = b'-';
    }
    Some(text(buffer, start))
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
    fn doubles_are_written_as_the_standard_library_does() {
        let mut written = 0;
        for whole in [0_i32, 1, 3, 9, 10, 99, 100, 12_345, i32::MAX, -1, -7, -12_345] {
            for (part, scale) in (0..10_000_i32).step_by(7).map(|part| (part, 10_000.0)).chain([(1, 3.0), (1, 1e6), (5, 10.0), (25, 100.0)])
            {
                let value = f64::from(whole) + f64::from(part) / scale;
                if let Some(text) = short(value, &mut Buffer::default()) {
                    assert_eq!(text, value.to_string());
                    written += 1;
                }
            }
        }
        assert!(written > 12_000, "{written}");
        for value in [0.0, -0.0, f64::NAN, f64::INFINITY, 1e10, 1e300, 1e-7, 0.1 + 0.2] {
            assert_eq!(short(value, &mut Buffer::default()), None, "{value}");
        }
    }

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
