//! Germany: steuerliche Identifikationsnummer.
//!
//! Source: § 139b AO and the Bundeszentralamt für Steuern: eleven digits, exactly one of the first ten occurs more than once,
//! check digit ISO 7064 MOD 11,10.

use super::shape::read;
use super::{Found, PROVEN, Spot};

const KEYS: &[&str] = &[
    "steuer",
    "steuerid",
    "idnr",
    "tin",
    "tax",
    "taxid",
    "steuer-id",
    "steuer-idnr",
    "steueridentifikationsnummer",
    "identifikationsnummer",
    "steuernummer",
];

/// A tax number under a key only: one number in ten passes its check digit.
pub(super) fn find(spot: Spot<'_>) -> Found {
    if !spot.text.get(spot.start).is_some_and(|byte| matches!(byte, b'1'..=b'9')) {
        return None;
    }
    let number = read::<11>(spot, &[2, 3, 3, 3], b" /")?;
    (is_number(&number.bytes) && spot.keyed(KEYS)).then_some((number.end, PROVEN))
}

fn is_number(number: &[u8; 11]) -> bool {
    number.iter().all(u8::is_ascii_digit) && repeats(number) && check(number)
}

/// Exactly one of the first ten digits occurs twice or thrice.
fn repeats(number: &[u8; 11]) -> bool {
    let count = |digit: u8| number.iter().take(10).filter(|&&byte| byte == digit).count();
    let often = (b'0'..=b'9').filter(|&digit| count(digit) > 1).count();
    often == 1 && (b'0'..=b'9').all(|digit| count(digit) <= 3)
}

fn check(number: &[u8; 11]) -> bool {
    let product = number.iter().take(10).fold(10_u32, |product, byte| {
        let sum = (u32::from(byte - b'0') + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    number.last().is_some_and(|byte| (product + u32::from(byte - b'0')) % 10 == 1)
}
