//! References (section 4.1): numeric ones and the five predefined entities.

use super::cursor::{Cursor, is_char};
use std::borrow::Cow;

/// The longest name or number that means anything.
const MAX_LENGTH: usize = 10;

/// What the reference stands for that comes next.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Option<char> {
    if !cursor.take("&") {
        return None;
    }
    match cursor.run(|byte| byte.is_ascii_alphanumeric() || byte == b'#') {
        _ if !cursor.take(";") => None,
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        name if name.len() <= MAX_LENGTH => numeric(name.strip_prefix('#')?),
        _ => None,
    }
}

/// A text with its references resolved.
pub(super) fn resolve(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('&') {
        return Some(Cow::Borrowed(text));
    }
    let mut cursor = Cursor::new(text);
    let mut resolved = String::with_capacity(text.len());
    while !cursor.is_over() {
        resolved.push_str(cursor.run(|byte| byte != b'&'));
        if !cursor.is_over() {
            resolved.push(read(&mut cursor)?);
        }
    }
    Some(Cow::Owned(resolved))
}

fn numeric(digits: &str) -> Option<char> {
    let (digits, radix) = digits.strip_prefix('x').map_or((digits, 10), |digits| (digits, 16));
    // `from_str_radix` would take a sign, which is no digit here.
    let scalar = digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, radix).ok())?;
    char::from_u32(scalar?).filter(|character| is_char(*character))
}
