//! Numbers as documents and people write them.
//!
//! The digits that count are those in front of the point once sign and exponent are worked in: `3.351234567e9` is 3351234567. What
//! stands behind the point is the rest of a measurement.

use crate::inspect::engine::detect::payment_card;

/// Most bytes of a number: those of a .NET decimal or of a double, with sign, point and exponent.
const MAX_BYTES: usize = 40;
/// Most digits of an amount with separators.
const MAX_AMOUNT: usize = 20;

/// A whole number without sign, leading zeros or exponent.
#[must_use]
pub fn whole(raw: &str) -> Option<u64> {
    if raw.is_empty() || raw.len() > 20 {
        return None;
    }
    let digit = |byte: u8| Some(byte.wrapping_sub(b'0')).filter(|digit| *digit <= 9);
    raw.bytes().try_fold(0_u64, |value, byte| value.checked_mul(10)?.checked_add(u64::from(digit(byte)?)))
}

/// Seven digits and more that are no time: longer than what systems number their own things by.
#[must_use]
pub fn is_long_number(text: &str) -> bool {
    text.len() > super::SHORT_RUN && text.bytes().all(|byte| byte.is_ascii_digit()) && !super::is_near_epoch(text)
}

/// What a number is, however it is written.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Decimal {
    /// What stands in front of the point.
    whole: u128,
    is_negative: bool,
    /// Whether a digit other than zero stands behind the point.
    has_fraction: bool,
}

impl Decimal {
    fn read(raw: &str) -> Option<Self> {
        let unsigned = raw.strip_prefix('-').unwrap_or(raw);
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_exponent = (1..=4).contains(&exponent.len()) && is_digits(exponent.trim_start_matches(['+', '-']));
        if raw.len() > MAX_BYTES || !is_exponent || !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let exponent: i32 = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?;
        let point = usize::try_from(i32::try_from(whole.len()).ok()? + exponent).unwrap_or_default();
        let digits = || whole.bytes().chain(fraction.bytes());
        let mut value = digits().take(point).try_fold(0_u128, |value, byte| shifted(value)?.checked_add(u128::from(byte - b'0')))?;
        for _ in whole.len() + fraction.len()..point {
            if value == 0 {
                break;
            }
            value = shifted(value)?;
        }
        let has_fraction = digits().skip(point).any(|byte| byte != b'0');
        Some(Self { whole: value, is_negative: unsigned.len() < raw.len(), has_fraction })
    }
}

fn shifted(value: u128) -> Option<u128> {
    value.checked_mul(10)
}

/// A whole number of at least zero, however it is written: `12.0`, `4.294967296e9`.
#[must_use]
pub fn whole_in_any_form(raw: &str) -> Option<u64> {
    let other = || Decimal::read(raw).filter(|number| !number.is_negative && !number.has_fraction);
    whole(raw).or_else(|| other().and_then(|number| u64::try_from(number.whole).ok()))
}

/// The part in front of the point of a short number of digits, or of two parts of them: most have no more.
fn plain(raw: &str) -> Option<u64> {
    if raw.len() > 18 {
        return None;
    }
    let bytes = raw.as_bytes();
    let (mut whole, mut at) = (0_u64, 0);
    while let Some(digit @ b'0'..=b'9') = bytes.get(at) {
        // Eighteen digits cannot overflow.
        whole = whole.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        at += 1;
    }
    let is_plain = match bytes.get(at..) {
        Some([]) => at > 0,
        Some([b'.', rest @ ..]) => at > 0 && !rest.is_empty() && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    is_plain.then_some(whole)
}

/// A number whose part in front of the point is at most a limit, whatever its sign.
#[must_use]
pub fn decimal_below(raw: &str, most: u64) -> bool {
    if let Some(whole) = plain(raw) {
        return whole <= most;
    }
    Decimal::read(raw).is_some_and(|number| number.whole <= u128::from(most))
}

/// A number under a key that nobody documents. Counters, sizes and times have as many digits as telephone numbers: only a number
/// that a card could have says something about a person, and one that no counter reaches could say anything.
#[must_use]
pub fn is_inert_number(raw: &str) -> bool {
    if raw.len() <= 12 && whole(raw).is_some() {
        return true;
    }
    let value = Decimal::read(raw).and_then(|number| u64::try_from(number.whole).ok());
    value.is_some_and(|value| super::is_near_epoch(raw) || !payment_card::is_number(value))
}

/// The whole part of an amount as people write it, with separators between thousands and either sign in front of decimals: `1.024,5`,
/// `1,024.5`, `1 024`, `1'024`, `3,412`.
#[must_use]
pub fn amount(text: &str) -> Option<u64> {
    let text = text.strip_prefix('-').unwrap_or(text);
    let mut groups = [""; 8];
    let mut separators = ['\0'; 8];
    let mut count = 0;
    let is_separator = |letter: char| matches!(letter, '.' | ',' | '\'' | '’' | ' ' | '\u{a0}' | '\u{202f}');
    for group in text.split(is_separator) {
        *groups.get_mut(count)? = group;
        count += 1;
    }
    text.chars().filter(|letter| is_separator(*letter)).zip(&mut separators).for_each(|(letter, slot)| *slot = letter);
    let (groups, separators) = (groups.get(..count)?, separators.get(..count - 1)?);
    if text.len() > MAX_AMOUNT + 8 || groups.iter().any(|group| group.is_empty() || !group.bytes().all(|byte| byte.is_ascii_digit())) {
        return None;
    }
    let (first, rest) = groups.split_first()?;
    let is_thousands = |groups: &[&str]| first.len() <= 3 && groups.iter().all(|group| group.len() == 3);
    let is_one_kind = separators.iter().all(|separator| separators.first() == Some(separator));
    let last = separators.last().copied().unwrap_or_default();
    let behind = groups.len() - 1;
    // Of two kinds, the last is in front of the decimals, as is one alone that parts no thousands.
    let is_decimal =
        matches!(last, '.' | ',') && (separators.len() == 1 || !is_one_kind && separators.iter().filter(|one| **one == last).count() == 1);
    let whole_groups = if is_decimal && (separators.len() > 1 || !is_thousands(rest)) { groups.get(..behind)? } else { groups };
    let is_grouped = whole_groups.len() == 1 || is_thousands(whole_groups.get(1..)?);
    is_grouped.then(|| {
        whole_groups.iter().try_fold(0_u64, |value, group| {
            value.checked_mul(10_u64.checked_pow(u32::try_from(group.len()).ok()?)?)?.checked_add(whole(group)?)
        })
    })?
}

/// Units of memory and of time, in the languages of the suite.
const UNITS: &[&str] = &[
    "",
    "b",
    "kb",
    "mb",
    "gb",
    "tb",
    "kib",
    "mib",
    "gib",
    "tib",
    "byte",
    "bytes",
    "ko",
    "mo",
    "go",
    "to",
    "octets",
    "k",
    "m",
    "g",
    "day",
    "days",
    "day(s)",
    "giorni",
    "giorno",
    "gg",
    "tage",
    "tag",
    "jours",
    "jour",
    "días",
    "día",
    "dias",
    "dia",
    "hour",
    "hours",
    "ore",
    "ora",
    "stunden",
    "heures",
    "horas",
    "week",
    "weeks",
    "settimane",
    "wochen",
    "semaines",
    "semanas",
    "month",
    "months",
    "mesi",
    "monate",
    "mois",
    "meses",
    "year",
    "years",
    "anni",
    "jahre",
    "d",
    "h",
];

/// An amount with its unit, or without.
#[must_use]
pub fn is_quantity(text: &str) -> bool {
    if !text.starts_with(|first: char| first.is_ascii_digit() || first == '-') {
        return false;
    }
    let digits = text.trim_end_matches(|letter: char| letter.is_alphabetic() || matches!(letter, ' ' | '\u{a0}' | '\u{202f}' | '(' | ')'));
    let unit = text.get(digits.len()..).unwrap_or_default().trim().to_lowercase();
    UNITS.contains(&unit.as_str()) && (decimal_below(digits, 1 << 46) || amount(digits).is_some_and(|amount| amount <= 1 << 46))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_does_not_change_a_number() {
        for (raw, expected) in [
            ("3351234567", Some(3_351_234_567)),
            ("3.351234567e9", Some(3_351_234_567)),
            ("3.351234567E+9", Some(3_351_234_567)),
            ("33512345670e-1", Some(3_351_234_567)),
            ("0.3351234567e10", Some(3_351_234_567)),
            ("12.0", Some(12)),
            ("0e99", Some(0)),
            ("12.5", None),
            ("-12", None),
            ("1e20", None),
            ("1e999", None),
            ("1e99999", None),
            ("12.", None),
            ("1e+-5", None),
            (".5", None),
            ("", None),
        ] {
            assert_eq!(whole_in_any_form(raw), expected, "{raw}");
        }
        for raw in ["102400", "-12.5", "1.25e-7", "4.9406564584124654e-324", "33.333333333333333333333333333", "1.024e5"] {
            assert!(decimal_below(raw, 102_400), "{raw}");
        }
        for raw in ["102401", "3.351234567e9", "9e99", "1.7976931348623157e308", "x", "1e", "1_000"] {
            assert!(!decimal_below(raw, 102_400), "{raw}");
        }
    }

    #[test]
    fn only_the_number_of_a_card_says_something_of_a_person() {
        for raw in
            ["3351234567", "17179869184", "18446744073709551615", "1763172000123", "-4096", "1.5e10", "4000787030016", "131926542607070000"]
        {
            assert!(is_inert_number(raw), "{raw}");
        }
        for raw in [
            "4111111111111111",
            "-4111111111111111",
            "4.111111111111111e15",
            "41111111111111110e-1",
            "4111111111111111.5",
            "5555555555554444.0",
        ] {
            assert!(!is_inert_number(raw), "{raw}");
        }
        // No counter has so many digits.
        assert!(!is_inert_number("3351234567335123456733512345673351234567") && !is_inert_number("18446744073709551616"));
    }

    #[test]
    fn amounts_are_read_with_the_separators_of_any_country() {
        for (text, expected) in [
            ("12,5", Some(12)),
            ("3,412", Some(3_412)),
            ("1.024,5", Some(1_024)),
            ("1,024.5", Some(1_024)),
            ("1 024", Some(1_024)),
            ("1'024'000", Some(1_024_000)),
            ("1.048.576", Some(1_048_576)),
            ("1\u{a0}024,25", Some(1_024)),
            ("12", Some(12)),
            ("1.02.3", None),
            ("335 1234", None),
            ("1,024,5", None),
            (",5", None),
            ("1..2", None),
            ("12a", None),
        ] {
            assert_eq!(amount(text), expected, "{text}");
        }
        for text in ["12.5 GB", "12,5 GB", "1.024,5 MB", "1 024 Mo", "30 giorni", "30 day(s)", "140 KB", "3,412"] {
            assert!(is_quantity(text), "{text}");
        }
        for text in ["Mario", "335 1234567", "12 Mario", "99999999999999999", "335 12 34 567"] {
            assert!(!is_quantity(text), "{text}");
        }
    }
}
