//! United Kingdom: National Insurance number and NHS number.
//!
//! Source: HMRC National Insurance Manual NIM39110 (prefixes), NHS Data Dictionary (modulus 11).

use super::shape::{read, value};
use super::{Found, PROVEN, Spot};

const INSURANCE_KEYS: &[&str] = &["nino", "national insurance", "insurance", "ni number", "ni no"];
const HEALTH_KEYS: &[&str] = &["nhs", "nhsnumber"];

/// A National Insurance number under a key or in free text, an NHS number under a key only.
pub(super) fn find(spot: Spot<'_>) -> Found {
    let first = spot.text.get(spot.start)?;
    if first.is_ascii_digit() { health(spot) } else { insurance(spot) }
}

fn insurance(spot: Spot<'_>) -> Found {
    const GROUPS: &[&[usize]] = &[&[2, 2, 2, 2, 1], &[2, 6, 1]];
    // In lower case it is a word of some other alphabet: `ab123456c` is a part of a hash.
    if !spot.text.get(spot.start..spot.start + 2)?.iter().all(u8::is_ascii_uppercase) {
        return None;
    }
    let number = GROUPS.iter().find_map(|groups| read::<9>(spot, groups, b" -"))?;
    is_insurance(&number.bytes).then(|| spot.weigh(number.end, INSURANCE_KEYS))?.map(|bits| (number.end, bits))
}

fn is_insurance(number: &[u8; 9]) -> bool {
    let &[first, second, .., suffix] = number;
    let banned = matches!(&[first, second], b"BG" | b"GB" | b"NK" | b"KN" | b"TN" | b"NT" | b"ZZ");
    let letters = !b"DFIQUV".contains(&first) && !b"DFIOQUV".contains(&second) && first.is_ascii_uppercase() && second.is_ascii_uppercase();
    !banned && letters && matches!(suffix, b'A'..=b'D') && number.get(2..8).and_then(value).is_some_and(|number| number > 0)
}

/// One number in eleven passes the check digit: only a key makes it one.
fn health(spot: Spot<'_>) -> Found {
    let number = read::<10>(spot, &[3, 3, 4], b" -")?;
    (is_health(&number.bytes) && spot.keyed(HEALTH_KEYS)).then_some((number.end, PROVEN))
}

fn is_health(number: &[u8; 10]) -> bool {
    if !number.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let sum: u32 = number.iter().take(9).zip((2..=10_u32).rev()).map(|(byte, weight)| u32::from(byte - b'0') * weight).sum();
    let check = (11 - sum % 11) % 11;
    sum > 0 && number.last().is_some_and(|byte| u32::from(byte - b'0') == check)
}
