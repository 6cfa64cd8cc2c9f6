//! United States: social security number.
//!
//! Source: Social Security Administration, POMS RM 10201: areas 000, 666 and 9xx, group 00 and serial 0000 are never given.

use super::shape::{read, value};
use super::{Found, IN_TEXT, PROVEN, Spot};
use crate::inspect::engine::context::TextKind;
use crate::inspect::engine::detect::lexis::{stands_apart, technical};

const KEYS: &[&str] = &["ssn", "social security", "social security number", "socialsecurity", "social"];

/// A social security number under a key, or apart and with its hyphens. `ssn` is also the system serial number of a BIOS: the value has to fit.
pub(super) fn find(spot: Spot<'_>) -> Found {
    if !spot.text.get(spot.start).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let number = read::<9>(spot, &[3, 2, 4], b"- ")?;
    // Nine digits in a row are how serial numbers are filled in where there is none.
    let filler = !number.grouped && &number.bytes == b"123456789";
    if filler || !is_number(&number.bytes) || !is_alone(spot, number.end) {
        return None;
    }
    if spot.keyed(KEYS) {
        return Some((number.end, PROVEN));
    }
    // Only a key makes a number of an example one.
    let is_example = &number.bytes == b"123456789";
    let is_written = !is_example && spot.text.get(spot.start + 3) == Some(&b'-') && stands_apart(spot.text, spot.start, number.end);
    let is_expected = match spot.context.text {
        TextKind::Name | TextKind::Path => true,
        TextKind::Number => false,
        _ => !technical(spot.context),
    };
    (is_written && is_expected).then_some((number.end, IN_TEXT))
}

fn is_number(number: &[u8; 9]) -> bool {
    let part = |start, end| number.get(start..end).and_then(value).unwrap_or(0);
    let area = part(0, 3);
    area != 0 && area != 666 && area < 900 && part(3, 5) != 0 && part(5, 9) != 0
}

/// A serial number that goes on behind a blank (`564 12 3456 78 90`) is none.
fn is_alone(spot: Spot<'_>, end: usize) -> bool {
    let after = spot.text.get(end..end + 2).unwrap_or_default();
    !matches!(after, [b' ', b'0'..=b'9'])
}
