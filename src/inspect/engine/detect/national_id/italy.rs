//! Italy: codice fiscale.
//!
//! Source: D.M. 23 December 1976 and the Agenzia delle Entrate: 16 characters, seven of which may be replaced by letters where
//! two persons would have the same code (omocodia).

use super::{Spot, shape};

/// The letters of the months, January first.
const MONTHS: &[u8] = b"ABCDEHLMPRST";
/// The letters that stand for 0 to 9 in omocodia.
const DIGITS: &[u8] = b"LMNPQRSTUV";
/// Values of `A` to `Z` in odd places; digits have those of `A` to `J`.
const ODD: &[u8; 26] = &[1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

/// Where a codice fiscale begins and ends in a word, which may have underscores and letters beyond ASCII beside it.
pub(super) fn find(word: Spot<'_>) -> Option<(usize, usize)> {
    let end = word.start + word.length;
    let mut start = word.start;
    while start < end {
        let rest = word.text.get(start..end)?;
        let length = rest.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(rest.len());
        if let Some(end) = code(Spot { start, length, ..word }) {
            return Some((start, end));
        }
        start += length + 1;
    }
    None
}

/// Where the codice fiscale ends that begins at a place, compact or in its groups: its structure needs no key.
fn code(spot: Spot<'_>) -> Option<usize> {
    const GROUPS: &[&[usize]] = &[&[3, 3, 5, 5], &[6, 5, 5], &[6, 2, 3, 5], &[3, 3, 2, 3, 5], &[6, 2, 3, 4, 1]];
    if !matches!(spot.length, 3 | 6 | 16) || !spot.text.get(spot.start..spot.start + 3)?.iter().all(u8::is_ascii_alphabetic) {
        return None;
    }
    GROUPS.iter().find_map(|groups| {
        let code = shape::read_anywhere::<16>(spot, groups, b" -._")?;
        is_code(&code.bytes).then_some(code.end)
    })
}

/// Whether the code is all there is, in either case.
pub(super) fn is_whole(signs: &[u8]) -> bool {
    <[u8; 16]>::try_from(signs).is_ok_and(|code| is_code(&code.map(|byte| byte.to_ascii_uppercase())))
}

fn is_code(code: &[u8; 16]) -> bool {
    let &[.., year1, year2, month, day1, day2, town, town1, town2, town3, check] = code;
    let letters = code.iter().take(6).chain([&town, &check]).all(u8::is_ascii_alphabetic);
    let digits = [year1, year2, town1, town2, town3].iter().all(|&byte| digit(byte).is_some());
    let day = digit(day1).zip(digit(day2)).map(|(tens, ones)| tens * 10 + ones);
    letters && digits && MONTHS.contains(&month) && matches!(day, Some(1..=31 | 41..=71)) && Some(check) == check_letter(code)
}

/// A digit, or the letter that replaces it.
fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        _ => u8::try_from(DIGITS.iter().position(|&letter| letter == byte)?).ok(),
    }
}

fn check_letter(code: &[u8; 16]) -> Option<u8> {
    let sum = code.iter().take(15).enumerate().try_fold(0_u32, |sum, (index, &byte)| {
        let rank = if byte.is_ascii_digit() { byte - b'0' } else { byte.checked_sub(b'A')? };
        // Places are counted from one: an even index is an odd place.
        let value = if index % 2 == 0 { *ODD.get(usize::from(rank))? } else { rank };
        Some(sum + u32::from(value))
    })?;
    Some(b'A' + u8::try_from(sum % 26).ok()?)
}
