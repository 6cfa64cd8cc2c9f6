//! `password=…`, connection strings, `scheme://user:password@host`, values under a key that says what they are.

use super::{at, before, ends, is_any, is_word, part, run, run_back};
use crate::inspect::engine::context::Context;
use crate::inspect::engine::detect::lexis::stands;

/// The longest value that is looked at.
const LONGEST: usize = 128;

/// Names of secrets, as they end.
const NAMES: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "passwort",
    "kennwort",
    "contraseña",
    "mot de passe",
    "secret",
    "apikey",
    "api_key",
    "api-key",
    "accountkey",
    "sharedaccesskey",
    "access_token",
    "accesstoken",
    "refresh_token",
    "auth_token",
    "authtoken",
    "secret_key",
    "secretkey",
    "access_key",
    "x-api-key",
];

/// The range of the value of a secret assigned by the `=` or `:` at `place`.
pub(super) fn find(text: &[u8], place: usize) -> Option<(usize, usize)> {
    if stands(text, place, "://") {
        return address(text, place);
    }
    let name_end = run_back(text, place, 4, |byte| matches!(byte, b' ' | b'"' | b'\''));
    let last = before(text, name_end).to_ascii_lowercase();
    // Most names end in another letter: nothing else of them is compared.
    let is_name = |name: &&str| name.bytes().next_back() == Some(last) && ends(text, name_end, name);
    if !is_name_letter(last) || !NAMES.iter().any(is_name) {
        return None;
    }
    let start = run(text, place + 1, 4, |byte| matches!(byte, b' ' | b'"' | b'\''));
    let end = run(text, start, LONGEST, |byte| byte > b' ' && !matches!(byte, b';' | b'"' | b'\'' | b',' | b'&' | b'<' | b'}' | b')'));
    let value = part(text, start, end);
    let folder = ends(text, name_end, "pwd") && (at(value, 0) == b'/' || at(value, 1) == b':');
    let loose = at(text, place) == b':' && !is_password_like(value);
    (!folder && !loose && !is_placeholder(value)).then_some((start, end))
}

/// The last letter of any of the names: most assignments end here.
const fn is_name_letter(byte: u8) -> bool {
    matches!(byte | 0x20, b'd' | b'e' | b't' | b'y' | b'n' | b'a')
}

/// `scheme://user:password@host`.
fn address(text: &[u8], place: usize) -> Option<(usize, usize)> {
    let user = place + 3;
    let end = run(text, user, LONGEST, |byte| byte > b' ' && !matches!(byte, b'/' | b'?' | b'#' | b'"' | b'<' | b'>'));
    let authority = part(text, user, end);
    let sign = memchr::memrchr(b'@', authority)?;
    let colon = memchr::memchr(b':', part(authority, 0, sign))?;
    let password = part(authority, colon + 1, sign);
    (colon > 0 && !is_placeholder(password) && is_word(before(text, place))).then_some((user, user + sign))
}

/// Behind a colon may stand prose (`password: required`): a password there is no word.
fn is_password_like(value: &[u8]) -> bool {
    let letters = value.iter().any(u8::is_ascii_alphabetic);
    let others = value.iter().any(|byte| !byte.is_ascii_alphabetic() && !matches!(byte, b'.' | b'!' | b'?' | b'-' | b'_' | b'(' | b':'));
    let mixed = value.iter().skip(1).any(u8::is_ascii_uppercase) && value.iter().any(u8::is_ascii_lowercase);
    value.len() >= 4 && ((letters && others) || mixed)
}

/// What stands for a secret, and is none.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    const WORDS: &[&str] = &[
        "true",
        "false",
        "yes",
        "no",
        "null",
        "none",
        "nil",
        "required",
        "optional",
        "changed",
        "hidden",
        "redacted",
        "removed",
        "masked",
        "empty",
        "unknown",
        "undefined",
        "n/a",
        "enabled",
        "disabled",
        "never",
        "expired",
        "not",
        "(null)",
        "string",
        "password",
        "sql",
        "windows",
    ];
    let masked = value.iter().all(|byte| matches!(byte, b'*' | b'.' | b'x' | b'X' | b'-' | b'#' | b'_' | b'?'));
    masked || is_any(value, WORDS) || matches!(at(value, 0), b'<' | b'{' | b'%' | b'$' | b'[' | b'(')
}

/// Whether a text is a secret because its key ends as one: `password`, `client secret`, `api key`.
pub(super) fn is_secret_value(text: &[u8], context: &Context<'_>) -> bool {
    if !is_secret_key(context.key) {
        return false;
    }
    let value = text.trim_ascii();
    let dated = value.len() >= 8
        && value.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'T' | b'Z' | b'.' | b'/' | b' '));
    let sentence = memchr::memchr_iter(b' ', value).count() > 3;
    !value.is_empty() && !dated && !sentence && !is_placeholder(value)
}

/// Whether the words of a key name a secret.
pub(super) fn is_secret_key(key: &[&str]) -> bool {
    matches!(
        key,
        [.., "password" | "passwd" | "pwd" | "passphrase" | "passwort" | "kennwort" | "contraseña" | "apikey"]
            | [.., "client" | "shared" | "app" | "user" | "sip" | "digest", "secret"]
            | [.., "api" | "access" | "private" | "secret" | "account", "key"]
            | [.., "access" | "refresh" | "bearer" | "auth" | "session", "token"]
    )
}
