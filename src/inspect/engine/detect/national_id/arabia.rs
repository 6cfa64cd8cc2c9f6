//! United Arab Emirates: Emirates ID; Saudi Arabia: national ID and iqama.
//!
//! Source: ICP of the UAE (784, year of birth, seven digits, Luhn), the Saudi National Information Center (1 or 2, Luhn).

use super::shape::{read, value};
use super::{Found, PROVEN, Spot};
use crate::inspect::engine::detect::payment_card::luhn;

const EMIRATES_KEYS: &[&str] = &["emirates", "emiratesid", "eid", "emirates id", "uae id", "uae", "identity card", "id card"];
const SAUDI_KEYS: &[&str] = &["iqama", "saudi", "nationalid", "national id", "national", "absher", "muqeem", "civil"];

/// An Emirates ID with its hyphens, or bare under a key; a Saudi number under a key only: one counter in ten has its shape.
pub(super) fn find(spot: Spot<'_>) -> Found {
    match spot.text.get(spot.start)? {
        b'7' => emirates(spot),
        b'1' | b'2' => saudi(spot),
        _ => None,
    }
}

fn emirates(spot: Spot<'_>) -> Found {
    let number = read::<15>(spot, &[3, 4, 7, 1], b"- ")?;
    let year = number.bytes.get(3..7).and_then(value);
    let valid =
        number.bytes.starts_with(b"784") && matches!(year, Some(1900..=2049)) && value(&number.bytes).is_some() && luhn(&number.bytes);
    (valid && (number.grouped || spot.keyed(EMIRATES_KEYS))).then_some((number.end, PROVEN))
}

fn saudi(spot: Spot<'_>) -> Found {
    let number = read::<10>(spot, &[10], b"")?;
    (value(&number.bytes).is_some() && luhn(&number.bytes) && spot.keyed(SAUDI_KEYS)).then_some((number.end, PROVEN))
}
