//! Addresses of persons in URI form: `sip:` `sips:` (RFC 3261 section 19.1), `tel:` (RFC 3966), `im:` `pres:` (RFC 3860, RFC 3859), `xmpp:`
//! (RFC 5122) and `callto:` (provisional, IANA URI schemes).
//!
//! `sip:host` without a user names a server and passes.

use crate::inspect::engine::context::Context;
use crate::inspect::engine::finding::{Hit, Kind};
use memchr::{memchr_iter, memchr2_iter};

/// Longest user, and longest host, behind the scheme that is looked at.
const WINDOW: usize = 128;
/// Bits of an address with its scheme.
const BITS: u8 = 24;

/// What stands behind a scheme.
#[derive(Clone, Copy)]
enum Form {
    /// `user@host`; a number alone counts too.
    Account,
    /// A number.
    Number,
    /// A number, or the name of an account.
    Either,
}

const SCHEMES: &[(&[u8], Form)] = &[
    (b"sip", Form::Account),
    (b"sips", Form::Account),
    (b"im", Form::Account),
    (b"pres", Form::Account),
    (b"xmpp", Form::Account),
    (b"tel", Form::Number),
    (b"callto", Form::Either),
];

/// Reports each address. A `:` costs at most 264 bytes of looking around.
pub fn scan(text: &[u8], _context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    let mut behind = 0;
    for at in memchr_iter(b':', text) {
        let (before, after) = text.split_at(at);
        let after = after.get(1..).unwrap_or_default();
        // A password inside an address (`sip:user:secret@host`) is no second address.
        if at < behind {
            continue;
        }
        let Some((scheme, form)) = scheme(before) else { continue };
        let slashes = if after.starts_with(b"//") { 2 } else { 0 };
        let Some(length) = address(after.get(slashes..).unwrap_or_default(), form) else { continue };
        behind = at + 1 + slashes + length;
        report(Hit { kind: Kind::SipUri, start: at - scheme, end: behind, bits: BITS });
    }
}

/// The scheme at the end of `before` (its length and form), as a whole word: `hotel:` is not `tel:`.
fn scheme(before: &[u8]) -> Option<(usize, Form)> {
    let length = before.iter().rev().take(7).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (rest, name) = before.split_at(before.len() - length);
    let is_whole = !rest.last().is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_'));
    let (_, form) = SCHEMES.iter().find(|(scheme, _)| name.eq_ignore_ascii_case(scheme))?;
    is_whole.then_some((length, *form))
}

fn address(after: &[u8], form: Form) -> Option<usize> {
    match form {
        Form::Account => account(after).or_else(|| global_number(after)),
        Form::Number => number(after, 3),
        Form::Either => account(after).or_else(|| number(after, 3)).or_else(|| name(after)),
    }
}

/// `user@host`: its length. The `@` of a URI within a URI may be escaped.
fn account(after: &[u8]) -> Option<usize> {
    let window = after.get(..WINDOW).unwrap_or(after);
    let user = memchr2_iter(b'@', b'%', window).find(|at| window.get(*at) == Some(&b'@') || window.get(*at..*at + 3) == Some(b"%40"))?;
    if !window.iter().take(user).all(|byte| is_uri(*byte)) {
        return None;
    }
    let width = if window.get(user) == Some(&b'@') { 1 } else { 3 };
    let host = after.get(user + width..)?;
    let length = host.iter().take(WINDOW).take_while(|byte| is_host(**byte)).count();
    let is_host = host.first().is_some_and(|byte| is_word(*byte) || *byte == b'[');
    let is_user = window.iter().take(user).any(|byte| is_word(*byte) || matches!(byte, b'*' | b'#'));
    (is_user && is_host).then_some(user + width + length)
}

/// Unreserved, reserved and escaped characters (RFC 3986 section 2), and what lies beyond ASCII.
fn is_uri(byte: u8) -> bool {
    is_word(byte) || b"-._~%!$&'()*+,;=:@/?#[]".contains(&byte)
}

fn is_host(byte: u8) -> bool {
    is_word(byte) || matches!(byte, b'-' | b'.' | b':' | b'[' | b']')
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// `sip:+390212345678` and `sip:0212345678`: no host is all digits, so it is a user; a port has fewer.
fn global_number(after: &[u8]) -> Option<usize> {
    number(after, 7).filter(|length| !after.get(*length).is_some_and(|byte| matches!(byte, b'.' | b'-')))
}

/// A number with at least `least` and at most 15 digits (ITU-T E.164) and visual separators (RFC 3966 section 5.1.1): its length.
fn number(after: &[u8], least: usize) -> Option<usize> {
    let run = after.iter().take(32).take_while(|byte| byte.is_ascii_digit() || b"+-.()*#".contains(byte)).count();
    let run = after.get(..run)?;
    let length = run.iter().rposition(u8::is_ascii_digit)? + 1;
    let digits = run.iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_whole = !after.get(length).is_some_and(|byte| is_word(*byte));
    (is_whole && (least..=15).contains(&digits)).then_some(length)
}

/// The name of an account: `callto:mario.rossi`.
fn name(after: &[u8]) -> Option<usize> {
    let length = after.iter().take(64).take_while(|byte| is_word(**byte) || matches!(byte, b'.' | b'-' | b'_')).count();
    let name = after.get(..length)?;
    (length >= 6 && name.first()?.is_ascii_alphabetic()).then_some(length)
}

#[cfg(test)]
mod tests;
