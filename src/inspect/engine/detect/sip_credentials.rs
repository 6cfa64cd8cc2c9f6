//! Digest credentials of SIP and HTTP (RFC 3261 section 22.4, RFC 7616 section 3.4).
//!
//! One parameter alone is a word anybody uses; two near each other are credentials, or the challenge they answer.

use crate::inspect::engine::context::Context;
use crate::inspect::engine::finding::{Hit, Kind};
use memchr::memchr_iter;

/// Parameters that count.
const PARAMETERS: [&[u8]; 5] = [b"username", b"response", b"nonce", b"cnonce", b"realm"];
/// How far apart two of them may begin.
const WINDOW: usize = 320;
/// Longest value that is looked at.
const MAX_VALUE: usize = 128;
/// Bits of two parameters.
const BITS: u8 = 24;

/// Reports each pair of parameters. An `=` costs at most 144 bytes of looking around.
pub fn scan(text: &[u8], _context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    let mut last: [Option<usize>; PARAMETERS.len()] = [None; PARAMETERS.len()];
    for equals in memchr_iter(b'=', text) {
        let (before, after) = text.split_at(equals);
        let Some((which, start)) = parameter(before) else { continue };
        let Some(length) = value(after.get(1..).unwrap_or_default()) else { continue };
        let near = |(other, seen): (usize, &Option<usize>)| seen.filter(|seen| other != which && start - seen <= WINDOW);
        if let Some(first) = last.iter().enumerate().filter_map(near).min() {
            report(Hit { kind: Kind::SipCredentials, start: first, end: equals + 1 + length, bits: BITS });
            last = [None; PARAMETERS.len()];
        } else if let Some(slot) = last.get_mut(which) {
            *slot = Some(start);
        }
    }
}

/// Which parameter ends before the `=`, and where it begins.
fn parameter(before: &[u8]) -> Option<(usize, usize)> {
    let spaces = before.iter().rev().take(4).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let before = before.get(..before.len() - spaces)?;
    let length = before.iter().rev().take(9).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let (rest, name) = before.split_at(before.len() - length);
    let is_whole = !rest.last().is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    let which = PARAMETERS.iter().position(|parameter| name.eq_ignore_ascii_case(parameter))?;
    is_whole.then_some((which, rest.len()))
}

/// A quoted string or a token that is not empty: its length, with what stands before it. The quote itself may be escaped.
fn value(after: &[u8]) -> Option<usize> {
    let lead = after.iter().take(8).take_while(|byte| matches!(byte, b' ' | b'\t' | b'\\')).count();
    let quote = after.get(lead).copied().filter(|byte| matches!(byte, b'"' | b'\''));
    let lead = lead + usize::from(quote.is_some());
    let is_end = |byte: u8| match quote {
        Some(quote) => byte == quote || matches!(byte, b'\\' | b'\r' | b'\n'),
        None => matches!(byte, b' ' | b'\t' | b',' | b';' | b'&' | b'=' | b'\r' | b'\n'),
    };
    let length = after.get(lead..)?.iter().take(MAX_VALUE).take_while(|byte| !is_end(**byte)).count();
    (length > 0).then_some(lead + length)
}

#[cfg(test)]
mod tests;
