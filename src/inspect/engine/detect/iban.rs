//! International bank account numbers.
//!
//! Source: ISO 13616 and the IBAN registry of SWIFT (release 101): lengths and structures; ISO 7064 MOD 97-10.

use super::lexis::{at, before, part, visit};
use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::finding::{Hit, Kind};

#[cfg(test)]
mod tests;

/// Length, structure and remainder leave no need of context.
const BITS: u8 = 24;
/// No registered number is longer.
const LONGEST: usize = 34;

/// Country and structure of the national part: `n` digits, `a` letters, `c` both, each with its length.
const REGISTRY: &str = "\
    AD:n8.c12 AE:n19 AL:n8.c16 AT:n16 AZ:a4.c20 BA:n16 BE:n12 BG:a4.n6.c8 BH:a4.c14 BI:n23 BR:n23.a1.c1 BY:c4.n4.c16 CH:n5.c12 CR:n18 \
    CY:n8.c16 CZ:n20 DE:n18 DJ:n23 DK:n14 DO:c4.n20 EE:n16 EG:n25 ES:n20 FI:n14 FK:a2.n12 FO:n14 FR:n10.c11.n2 GB:a4.n14 GE:a2.n16 \
    GI:a4.c15 GL:n14 GR:n7.c16 GT:c24 HN:a4.n20 HR:n17 HU:n24 IE:a4.n14 IL:n19 IQ:a4.n15 IS:n22 IT:a1.n10.c12 JO:a4.n4.c18 KW:a4.c22 \
    KZ:n3.c13 LB:n4.c20 LC:a4.c24 LI:n5.c12 LT:n16 LU:n3.c13 LV:a4.c13 LY:n21 MC:n10.c11.n2 MD:c20 ME:n18 MK:n3.c10.n2 MN:n16 MR:n23 \
    MT:a4.n5.c18 MU:a4.n19.a3 NI:a4.n20 NL:a4.n10 NO:n11 OM:n3.c16 PK:a4.c16 PL:n24 PS:a4.c21 PT:n21 QA:a4.c21 RO:a4.c16 RS:n18 \
    RU:n14.c15 SA:n2.c18 SC:a4.n20.a3 SD:n14 SE:n20 SI:n15 SK:n20 SM:a1.n10.c12 SO:n19 ST:n21 SV:a4.n20 TL:n19 TN:n20 TR:n6.c16 \
    UA:n6.c19 VA:n18 VG:a4.n16 XK:n16 YE:a4.n4.c18";

/// Finds account numbers, compact or in groups of four. They are proven, so that every sign but a letter or a digit may stand beside one.
pub fn scan(text: &[u8], context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    if matches!(context.text, TextKind::Version | TextKind::Number) {
        return;
    }
    let mut free = 0;
    for (start, window) in text.windows(4).enumerate() {
        if start < free || !is_head(window) || before(text, start).is_ascii_alphanumeric() {
            continue;
        }
        if let Some(end) = account(text, start) {
            report(Hit { kind: Kind::Iban, start, end, bits: BITS });
            free = end;
        }
    }
}

/// Whether letters and digits are an account number, as a whole and without gaps.
#[must_use]
pub fn is_number(signs: &[u8]) -> bool {
    signs.get(..4).is_some_and(is_head) && account(signs, 0) == Some(signs.len())
}

/// Two letters of one case and two check digits.
fn is_head(window: &[u8]) -> bool {
    let &[first, second, third, fourth] = window else { return false };
    let case = first.is_ascii_uppercase() && second.is_ascii_uppercase() || first.is_ascii_lowercase() && second.is_ascii_lowercase();
    case && third.is_ascii_digit() && fourth.is_ascii_digit()
}

/// The end of an account number that starts here.
fn account(text: &[u8], start: usize) -> Option<usize> {
    let structure = structure(part(text, start, start + 2))?;
    let length = 4 + parts(structure).map(|(_, length)| length).sum::<usize>();
    let (number, end) = read(text, start, length)?;
    let number = part(&number, 0, length);
    (fits(number, structure) && one_case(number) && remainder(number) == 1).then_some(end)
}

/// The structure of a country's numbers.
fn structure(country: &[u8]) -> Option<&'static str> {
    visit(16);
    let &[first, second] = country else { return None };
    let place = memchr::memmem::find(REGISTRY.as_bytes(), &[first.to_ascii_uppercase(), second.to_ascii_uppercase(), b':'])?;
    REGISTRY.get(place + 3..)?.split(' ').next()
}

/// The parts of a structure: class and length.
fn parts(structure: &str) -> impl Iterator<Item = (u8, usize)> {
    structure.split('.').filter_map(|piece| {
        let (class, length) = piece.split_at_checked(1)?;
        Some((class.bytes().next()?, length.parse().ok()?))
    })
}

/// Reads a number of this length: compact, or with the same separator behind every four.
fn read(text: &[u8], start: usize, length: usize) -> Option<([u8; LONGEST], usize)> {
    let separator = Some(at(text, start + 4)).filter(|byte| matches!(byte, b' ' | b'-' | b'.' | b'_'));
    let mut number = [0; LONGEST];
    let mut place = start;
    for (index, slot) in number.iter_mut().take(length).enumerate() {
        if let Some(separator) = separator
            && index > 0
            && index % 4 == 0
        {
            if at(text, place) != separator {
                return None;
            }
            place += 1;
        }
        *slot = at(text, place);
        place += 1;
        if !slot.is_ascii_alphanumeric() {
            return None;
        }
    }
    (!at(text, place).is_ascii_alphanumeric()).then_some((number, place))
}

/// Whether the national part has the classes of its country.
fn fits(number: &[u8], structure: &str) -> bool {
    let mut place = 4;
    parts(structure).all(|(class, length)| {
        let piece = part(number, place, place + length);
        place += length;
        visit(length);
        piece.iter().all(|byte| match class {
            b'n' => byte.is_ascii_digit(),
            b'a' => byte.is_ascii_alphabetic(),
            _ => byte.is_ascii_alphanumeric(),
        })
    })
}

/// Mixed case is base64, not an account.
fn one_case(number: &[u8]) -> bool {
    !(number.iter().any(u8::is_ascii_uppercase) && number.iter().any(u8::is_ascii_lowercase))
}

/// The number with its head moved behind, letters as 10 to 35, modulo 97.
fn remainder(number: &[u8]) -> u32 {
    let (head, tail) = number.split_at_checked(4).unwrap_or((number, &[]));
    tail.iter().chain(head).fold(0, |sum, &byte| match byte {
        b'0'..=b'9' => (sum * 10 + u32::from(byte - b'0')) % 97,
        _ => (sum * 100 + u32::from(byte.to_ascii_uppercase().saturating_sub(b'A')) + 10) % 97,
    })
}
