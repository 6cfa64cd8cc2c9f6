//! Security identifiers of accounts of persons.
//!
//! Source: Microsoft, [MS-DTYP] 2.4.2 (string and binary forms) and "Well-known SIDs": relative identifiers below 1000 are built in.

use super::lexis::{at, before, is_word, part, run};
use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::finding::{Hit, Kind};

#[cfg(test)]
mod tests;

/// The shape needs no context.
const BITS: u8 = 24;
/// Relative identifiers from here on were given to accounts that somebody made.
const FIRST_RID: u32 = 1000;
/// Binary form in hexadecimal: revision 1, five sub-authorities, authority 5, 21.
const BINARY: &[u8] = b"010500000000000515000000";

/// Finds `S-1-5-21-…-RID` with a relative identifier of an account, `S-1-12-1-…` (Entra ID), and the binary form as hexadecimal text.
pub fn scan(text: &[u8], context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    if matches!(context.text, TextKind::Version | TextKind::Number) {
        return;
    }
    for dash in memchr::memmem::find_iter(text, b"-1-") {
        if let Some((start, end)) = written(text, dash) {
            report(Hit { kind: Kind::Sid, start, end, bits: BITS });
        }
    }
    for start in memchr::memmem::find_iter(text, BINARY) {
        if let Some(end) = binary(text, start) {
            report(Hit { kind: Kind::Sid, start, end, bits: BITS });
        }
    }
}

/// The range of an account's identifier whose `-1-` stands at `dash`.
fn written(text: &[u8], dash: usize) -> Option<(usize, usize)> {
    let start = dash.checked_sub(1)?;
    if at(text, start) | 0x20 != b's' || is_word(before(text, start)) {
        return None;
    }
    let (authority, next) = number(text, dash + 3)?;
    let (first, next) = sub_authority(text, next)?;
    match (authority, first) {
        (5, 21) => account(text, next).filter(|&(rid, _)| rid >= FIRST_RID),
        (12, 1) => account(text, next),
        _ => None,
    }
    .map(|(_, end)| (start, end))
}

/// Three sub-authorities of the domain, then the relative identifier.
fn account(text: &[u8], next: usize) -> Option<(u32, usize)> {
    let next = (0..3).try_fold(next, |next, _| sub_authority(text, next).map(|(_, next)| next))?;
    sub_authority(text, next)
}

fn sub_authority(text: &[u8], next: usize) -> Option<(u32, usize)> {
    (at(text, next) == b'-').then(|| number(text, next + 1))?
}

/// A 32-bit number and where it ends.
fn number(text: &[u8], start: usize) -> Option<(u32, usize)> {
    let end = run(text, start, 11, |byte| byte.is_ascii_digit());
    let value = std::str::from_utf8(part(text, start, end)).ok()?.parse().ok()?;
    Some((value, end))
}

/// The end of a binary identifier, if its relative identifier is an account's.
fn binary(text: &[u8], start: usize) -> Option<usize> {
    let rid = start + BINARY.len() + 24;
    let end = rid + 8;
    let digits = part(text, rid, end);
    let hex = part(text, start, end).iter().all(u8::is_ascii_hexdigit);
    if digits.len() != 8 || !hex {
        return None;
    }
    let value = u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?.swap_bytes();
    (value >= FIRST_RID).then_some(end)
}
