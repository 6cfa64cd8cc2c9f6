//! France: numéro d'inscription au répertoire (NIR), the social security number.
//!
//! Source: décret n° 82-103 and INSEE: sex, year, month, department, commune, order, key = 97 − (number mod 97).

use super::shape::{read, two, value};
use super::{Found, Spot};

const KEYS: &[&str] = &["nir", "insee", "secu", "sécurité sociale", "securite sociale", "sociale", "numéro de sécu", "carte vitale"];

/// A NIR under a key or in free text.
pub(super) fn find(spot: Spot<'_>) -> Found {
    const GROUPS: &[&[usize]] = &[&[1, 2, 2, 2, 3, 3, 2], &[13, 2]];
    if !spot.text.get(spot.start).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    GROUPS.iter().find_map(|groups| {
        let number = read::<15>(spot, groups, b" .-")?;
        let keyed = is_number(&number.bytes).then(|| spot.weigh(number.end, KEYS))??;
        Some((number.end, keyed))
    })
}

/// Whether the number is all there is.
pub(super) fn is_whole(signs: &[u8]) -> bool {
    <[u8; 15]>::try_from(signs).is_ok_and(|number| is_number(&number))
}

fn is_number(number: &[u8; 15]) -> bool {
    let sex = matches!(number.first(), Some(b'1' | b'2' | b'7' | b'8'));
    // 20, 30 to 42 and above 50 stand for an unknown month.
    let month = matches!(two(number, 3), Some(1..=12 | 20 | 30..=42 | 50..=99));
    sex && month && keyed_number(number).is_some_and(|(body, key)| (1..=97).contains(&key) && 97 - body % 97 == key)
}

/// The number without its key, and the key. Corsica is 19 and 18: `2A` and `2B` count so.
fn keyed_number(number: &[u8; 15]) -> Option<(u64, u64)> {
    let mut body = *number;
    match number.get(5..7)? {
        b"2A" => body.get_mut(5..7)?.copy_from_slice(b"19"),
        b"2B" => body.get_mut(5..7)?.copy_from_slice(b"18"),
        department => {
            value(department).filter(|&department| department > 0)?;
        }
    }
    value(body.get(7..10)?).filter(|&commune| commune > 0)?;
    Some((value(body.get(..13)?)?, two(&body, 13)?))
}
