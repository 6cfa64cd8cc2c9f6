//! Spain: documento nacional de identidad (DNI) and número de identidad de extranjero (NIE).
//!
//! Source: Real Decreto 1553/2005 and the Ministerio del Interior: the letter is the number modulo 23.

use super::shape::{Number, read, value};
use super::{Found, Spot};

const KEYS: &[&str] = &["dni", "nie", "nif", "identidad", "documento nacional", "d.n.i"];
const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

/// A DNI or NIE under a key or in free text.
pub(super) fn find(spot: Spot<'_>) -> Found {
    const GROUPS: &[(&[usize], &[u8])] = &[(&[8, 1], b"- "), (&[1, 7, 1], b"- "), (&[2, 3, 3, 1], b"- ")];
    if !spot.text.get(spot.start).is_some_and(|byte| byte.is_ascii_digit() || matches!(byte | 0x20, b'x'..=b'z')) {
        return None;
    }
    let number = GROUPS.iter().find_map(|(groups, separators)| read::<9>(spot, groups, separators)).or_else(|| dotted(spot))?;
    is_number(&number.bytes).then(|| spot.weigh(number.end, KEYS))?.map(|bits| (number.end, bits))
}

/// `12.345.678-Z`: two separators, which the common reader does not know.
fn dotted(spot: Spot<'_>) -> Option<Number<9>> {
    let window = spot.text.get(spot.start..spot.start + 12)?;
    if !matches!(window, [_, _, b'.', _, _, _, b'.', _, _, _, b'-', _]) {
        return None;
    }
    let mut bytes = [0; 9];
    bytes
        .iter_mut()
        .zip(window.iter().filter(|byte| byte.is_ascii_alphanumeric()))
        .for_each(|(slot, byte)| *slot = byte.to_ascii_uppercase());
    let last = spot.text.get(spot.start + 12).is_none_or(|byte| !byte.is_ascii_alphanumeric());
    last.then_some(Number { bytes, end: spot.start + 12, grouped: true })
}

fn is_number(number: &[u8; 9]) -> bool {
    let mut digits = *number;
    if let Some(first) = digits.first_mut() {
        *first = match *first {
            b'X' => b'0',
            b'Y' => b'1',
            b'Z' => b'2',
            other => other,
        };
    }
    let body = digits.get(..8).and_then(value);
    let letter = body.and_then(|body| LETTERS.get(usize::try_from(body % 23).ok()?));
    letter.is_some() && letter == digits.last() && body != Some(0)
}
