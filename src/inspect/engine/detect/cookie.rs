//! Cookies and session identifiers.
//!
//! Source: RFC 6265 (`Cookie`, `Set-Cookie`), and the names that common web servers give to their session cookies.

use super::lexis::{at, before, find, is_word, part, run, stands};
use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::finding::{Hit, Kind};

#[cfg(test)]
mod tests;

/// The shape needs no context.
const BITS: u8 = 24;
/// The longest value that is looked at.
const LONGEST: usize = 128;

/// No known name is shorter, its `=` included.
const SHORTEST: usize = 7;

/// Names of session cookies (lower case) and the fewest characters of their values.
const NAMES: &[(&str, usize)] = &[
    ("jsessionid=", 8),
    ("phpsessid=", 8),
    ("asp.net_sessionid=", 8),
    ("aspsessionid", 16),
    (".aspxauth=", 8),
    (".aspnetcore.", 16),
    ("connect.sid=", 8),
    ("__secure-", 8),
    ("__host-", 8),
    ("awsalb=", 16),
    ("awsalbcors=", 16),
    ("sessionid=", 16),
    ("session_id=", 16),
    ("session-id=", 16),
    ("sessid=", 16),
    ("laravel_session=", 16),
];

/// Finds cookie lines, assignments to session cookies, and values under a key that names a cookie.
pub fn scan(text: &[u8], context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    if matches!(context.text, TextKind::Version | TextKind::Number) {
        return;
    }
    if context.says(&["cookie", "cookies"]) && is_pair(text, 0) {
        report(Hit { kind: Kind::Cookie, start: 0, end: text.len(), bits: BITS });
        return;
    }
    let mut next = lines(text, report);
    while let Some(place) = memchr::memchr(b'=', text.get(next..).unwrap_or_default()).map(|place| next + place) {
        next = place + 1;
        if let Some((start, end)) = session(text, place) {
            report(Hit { kind: Kind::Cookie, start, end, bits: BITS });
            next = end;
        }
    }
}

/// Reports `Cookie:` and `Set-Cookie:` with a pair behind; returns the end of the last one.
fn lines(text: &[u8], report: &mut dyn FnMut(Hit)) -> usize {
    let mut next = 0;
    let mut last = 0;
    while let Some(place) = find(text, next, "cookie:") {
        let value = run(text, place + 7, 8, |byte| matches!(byte, b' ' | b'\t' | b'"'));
        next = place + 7;
        let front = before(text, place);
        if is_word(front) || (front == b'-' && !stands(text, place.saturating_sub(4), "set-")) || !is_pair(text, value) {
            continue;
        }
        next = run(text, value, text.len(), |byte| !matches!(byte, b'\r' | b'\n'));
        last = next;
        report(Hit { kind: Kind::Cookie, start: place, end: next, bits: BITS });
    }
    last
}

/// Whether `name=value` stands here.
fn is_pair(text: &[u8], start: usize) -> bool {
    let name = run(text, start, 64, is_token);
    let value = run(text, name + 1, LONGEST, is_value);
    name > start && at(text, name) == b'=' && value > name + 1
}

/// RFC 9110, 5.6.2.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
}

const fn is_value(byte: u8) -> bool {
    byte > b' ' && byte < 0x7f && !matches!(byte, b'"' | b',' | b';' | b'\\' | b'&' | b'<')
}

/// The range of a session cookie whose `=` stands at `place`.
fn session(text: &[u8], place: usize) -> Option<(usize, usize)> {
    let start = super::lexis::run_back(text, place, 64, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    let name = part(text, start, place + 1);
    if name.len() < SHORTEST {
        return None;
    }
    let least = NAMES.iter().find(|(known, _)| stands(name, 0, known)).map(|&(_, least)| least)?;
    let end = run(text, place + 1, LONGEST, is_value);
    let value = part(text, place + 1, end);
    (value.len() >= least && is_random(value)).then_some((start, end))
}

/// Whether a value has digits: identifiers do, words and numbers of a terminal session (`1`) do not.
fn is_random(value: &[u8]) -> bool {
    value.iter().any(u8::is_ascii_digit)
}
