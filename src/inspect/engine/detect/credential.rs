//! Passwords, tokens and keys.
//!
//! Source: RFC 7468 (PEM), RFC 7617 (Basic), RFC 6750 (Bearer), RFC 7519 (JWT), and the prefixes that issuers publish for secret scanning.

use super::lexis::{at, before, ends, find, is_any, is_word, part, run, run_back, stands, visit};
use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::digits::{BASE64, Shifter};
use crate::inspect::engine::finding::{Hit, Kind};

mod assignment;
#[cfg(test)]
mod tests;
mod token;

/// The shape needs no context.
const BITS: u8 = 24;
/// A certificate without its key.
const CERTIFICATE: u8 = 8;

/// Finds keys, tokens and passwords. The range of a JWT is that of the token, so that [`claims`] of it can be read.
pub fn scan(text: &[u8], context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    if matches!(context.text, TextKind::Version | TextKind::Number) {
        return;
    }
    if assignment::is_secret_value(text, context) {
        report(hit(0, text.len(), BITS));
        return;
    }
    let mut next = 0;
    while let Some(place) = text.get(next..).and_then(|rest| rest.iter().position(|&byte| is_anchor(byte))).map(|place| next + place) {
        next = place + 1;
        if let Some((start, end, bits)) = at_anchor(text, place, context) {
            report(hit(start, end, bits));
            next = end.max(next);
        }
    }
}

/// Whether the key asks for a secret, whatever its value is.
pub(super) fn is_asked(context: &Context<'_>) -> bool {
    assignment::is_secret_key(context.key)
}

fn hit(start: usize, end: usize, bits: u8) -> Hit {
    Hit { kind: Kind::Credential, start, end, bits }
}

/// Bytes at which a secret, or what introduces it, starts.
const fn is_anchor(byte: u8) -> bool {
    matches!(byte, b'-' | b'=' | b':' | b'A' | b'B' | b'b' | b'P' | b'S' | b'e' | b'g' | b'h' | b'n' | b'r' | b's' | b'x' | b'y')
}

/// What stands at an anchor: its range and weight.
fn at_anchor(text: &[u8], place: usize, context: &Context<'_>) -> Option<(usize, usize, u8)> {
    match at(text, place) {
        b'=' | b':' => assignment::find(text, place).map(|(start, end)| (start, end, BITS)),
        // Both begin with two.
        b'-' if at(text, place + 1) != b'-' => None,
        b'-' => pem(text, place, context).or_else(|| option(text, place)),
        _ if is_word(before(text, place)) => None,
        b'B' | b'b' => basic(text, place).or_else(|| bearer(text, place)).map(|(start, end)| (start, end, BITS)),
        // Licences are signed tokens, too, unless they claim to be somebody's.
        b'e' if context.text == TextKind::Token && context.says(&["token", "license", "key", "signature", "activation", "code"]) => {
            jwt(text, place).filter(|end| names_a_person(part(text, place, *end))).map(|end| (place, end, BITS))
        }
        b'e' => jwt(text, place).map(|end| (place, end, BITS)),
        b'P' if stands(text, place, "putty-user-key-file-") => Some((place, place + 20, BITS)),
        _ => token::find(text, place).map(|end| (place, end, BITS)),
    }
}

/// `-----BEGIN … PRIVATE KEY-----`; a certificate counts where the key says that it is somebody's.
fn pem(text: &[u8], place: usize, context: &Context<'_>) -> Option<(usize, usize, u8)> {
    if before(text, place) == b'-' || !stands(text, place, "-----begin ") {
        return None;
    }
    let label = place + 11;
    let end = run(text, label, 64, |byte| byte.is_ascii_alphanumeric() || byte == b' ');
    if !stands(text, end, "-----") {
        return None;
    }
    let name = part(text, label, end);
    let key = ends(name, name.len(), "private key") || ends(name, name.len(), "private key block");
    let own = context.says(&["client", "user", "personal", "private", "key", "pem", "secret"]);
    let certificate = ends(name, name.len(), "certificate").then_some(if own { Hit::ENOUGH } else { CERTIFICATE });
    let bits = if key { Some(BITS) } else { certificate };
    bits.map(|bits| (place, end + 5, bits))
}

/// `--password value`.
fn option(text: &[u8], place: usize) -> Option<(usize, usize, u8)> {
    let name = ["--password ", "--passwd ", "--token ", "--api-key "].iter().find(|name| stands(text, place, name))?;
    let start = place + name.len();
    let end = run(text, start, 128, |byte| byte > b' ' && byte < 0x7f);
    let value = part(text, start, end);
    (value.len() >= 4 && at(value, 0) != b'-' && !assignment::is_placeholder(value)).then_some((start, end, BITS))
}

/// `Basic` and base64 of `user:password`.
fn basic(text: &[u8], place: usize) -> Option<(usize, usize)> {
    if !stands(text, place, "basic ") {
        return None;
    }
    let start = place + 6;
    let end = run(text, start, 320, |byte| BASE64.has(byte) || byte == b'=');
    is_user_and_password(part(text, start, end)).then_some((place, end))
}

/// Whether base64 text holds printable text with a colon behind its first byte.
fn is_user_and_password(word: &[u8]) -> bool {
    let digits = word.trim_ascii_end();
    let length = digits.iter().position(|&byte| byte == b'=').unwrap_or(digits.len());
    if length < 6 || length % 4 == 1 {
        return false;
    }
    let mut colon = false;
    let printable = decode(part(digits, 0, length), |byte| {
        colon |= byte == b':';
        byte >= 0x20 && byte != 0x7f
    });
    printable && colon
}

/// Decodes base64, standard or for addresses, byte by byte until one is not accepted.
fn decode(word: &[u8], mut accept: impl FnMut(u8) -> bool) -> bool {
    visit(word.len());
    let mut shifter = Shifter::default();
    word.iter().all(|&byte| BASE64.value(byte).is_some_and(|value| shifter.push(BASE64, value).is_none_or(&mut accept)))
}

/// `Bearer` and a token that is no word: it has letters and digits.
fn bearer(text: &[u8], place: usize) -> Option<(usize, usize)> {
    if !stands(text, place, "bearer ") {
        return None;
    }
    let start = place + 7;
    if let Some(end) = jwt(text, start) {
        return Some((start, end));
    }
    let end = run(text, start, 320, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'='));
    let value = part(text, start, end);
    let mixed = value.iter().any(u8::is_ascii_digit) && value.iter().any(u8::is_ascii_alphabetic);
    (value.len() >= 16 && mixed).then_some((start, end))
}

const fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// The end of a JSON web token that starts here: three or five parts, the first of which is a header in JSON.
fn jwt(text: &[u8], start: usize) -> Option<usize> {
    if is_base64url(before(text, start)) || !text.get(start..)?.starts_with(b"eyJ") {
        return None;
    }
    let header = run(text, start, 320, is_base64url);
    // The rest is only read behind a header: it is not bounded.
    if at(text, header) != b'.' || !is_header(part(text, start, header)) {
        return None;
    }
    let claims = run(text, header + 1, text.len(), is_base64url);
    if claims < header + 3 {
        return None;
    }
    let end = run(text, claims, text.len(), |byte| is_base64url(byte) || byte == b'.');
    Some(end)
}

/// Whether base64 text starts as `{"` and names `alg`, `typ`, `enc` or `kid`.
fn is_header(word: &[u8]) -> bool {
    let mut last = [0_u8; 5];
    let mut named = false;
    let printable = decode(word, |byte| {
        last.rotate_left(1);
        if let Some(slot) = last.last_mut() {
            *slot = byte;
        }
        named |= matches!(&last, b"\"alg\"" | b"\"typ\"" | b"\"enc\"" | b"\"kid\"");
        byte >= 0x20 || byte.is_ascii_whitespace()
    });
    // A header that goes on behind its last byte was cut.
    printable && named && last.last() == Some(&b'}')
}

/// Claims that name a person (`OpenID` Connect Core 5.1, Microsoft identity platform).
const CLAIMS: &[&str] = &[
    "\"name\"",
    "\"given_name\"",
    "\"family_name\"",
    "\"nickname\"",
    "\"preferred_username\"",
    "\"unique_name\"",
    "\"upn\"",
    "\"email\"",
    "\"emails\"",
    "\"phone_number\"",
    "\"winaccountname\"",
    "\"samaccountname\"",
    "\"birthdate\"",
];

/// Whether a token claims a name, an account, an address or a number of a person.
fn names_a_person(token: &[u8]) -> bool {
    let Some((start, end)) = claims(token) else { return false };
    let claims = BASE64.decode(part(token, start, end));
    visit(claims.len() * CLAIMS.len());
    CLAIMS.iter().any(|claim| find(&claims, 0, claim).is_some())
}

/// The range of the claims within a JSON web token, as base64url text; nothing if it has none that can be read.
#[must_use]
pub fn claims(token: &[u8]) -> Option<(usize, usize)> {
    let header = memchr::memchr(b'.', token)?;
    let start = header + 1;
    let end = start + memchr::memchr(b'.', token.get(start..)?).unwrap_or(token.len() - start);
    // Encrypted tokens have five parts, and their second is a key.
    let parts = memchr::memchr_iter(b'.', token).count() + 1;
    (parts <= 3 && end > start).then_some((start, end))
}
