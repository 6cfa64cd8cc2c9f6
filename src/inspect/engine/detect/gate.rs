//! What must occur in a text for a detector to find anything in it. A detector that is held back by mistake is a leak, so a need is
//! stated only where the form of what is looked for has it; the tests hold every need against every detector.

use super::credential;
use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::marks::{
    AT, BACKSLASH, BEYOND, BLANK, BREAK, CAPITAL, COLON, COMMA, CONTROL, DASH, DIGIT, DOT, EQUALS, LETTER, Marks, OPENING, PERCENT, PLUS,
    QUOTE, SEPARATOR, SIGN, SLASH, UNDERSCORE,
};

/// Whether a detector can find anything in a text with these marks.
pub(super) type Need = fn(&Marks, &Context<'_>) -> bool;

/// The names of columns stand beside one another; one alone counts as a key.
pub(super) fn call_record(marks: &Marks, context: &Context<'_>) -> bool {
    context.key.len() > 1 || marks.has(SEPARATOR | BREAK | QUOTE)
}

/// `BEGIN:VCARD`, `mail: …`, columns.
pub(super) fn contact_list(marks: &Marks, _: &Context<'_>) -> bool {
    marks.has(COLON | SEPARATOR) && marks.has(LETTER)
}

/// A name and a value.
pub(super) fn assigned(marks: &Marks, _: &Context<'_>) -> bool {
    marks.has(EQUALS) && marks.has(LETTER)
}

/// A key that asks for it, an assignment, an option, a long token, or `Basic` and `Bearer` in front of one.
pub(super) fn credential(marks: &Marks, context: &Context<'_>) -> bool {
    let is_token = marks.token >= 12 || (marks.has(BLANK | DOT) && marks.len >= 12);
    (marks.has(LETTER | BEYOND | AT) && (is_token || marks.has(DASH | EQUALS | COLON))) || credential::is_asked(context)
}

/// `SEP` and twelve hexadecimal digits, themselves in hexadecimal digits at times, or a short text that begins as names of other devices do, perhaps in quotes.
pub(super) fn device_name(marks: &Marks, _: &Context<'_>) -> bool {
    let begins = matches!(marks.first, b'C' | b'T' | b'B' | b' ' | b'\t' | b'"' | b'\'');
    (begins && marks.has(CAPITAL) && marks.len <= 23) || (marks.token >= 15 && marks.hex >= 12)
}

pub(super) fn email(marks: &Marks, _: &Context<'_>) -> bool {
    marks.has(AT) && marks.has(LETTER | BEYOND | OPENING)
}

pub(super) fn geo(marks: &Marks, context: &Context<'_>) -> bool {
    marks.digits >= 2 && (!context.key.is_empty() || marks.has(LETTER | PLUS | DASH | AT | SIGN | BEYOND | COMMA))
}

/// Two check digits, and no number is shorter.
pub(super) fn iban(marks: &Marks, _: &Context<'_>) -> bool {
    marks.digits >= 2 && marks.len >= 15 && marks.has(LETTER)
}

/// `DOMAIN\\user`, `user=…`, ` -u …`.
pub(super) fn identity(marks: &Marks, context: &Context<'_>) -> bool {
    let is_option = marks.has(BLANK) && marks.has(DASH | SLASH);
    context.text == TextKind::Identity || marks.has(BACKSLASH | EQUALS | COLON) || is_option
}

pub(super) fn ip(marks: &Marks, _: &Context<'_>) -> bool {
    (marks.has(COLON) && marks.has(DIGIT | LETTER)) || (marks.has(DOT) && marks.digits >= 4)
}

/// Hexadecimal digits, twelve of them or six with five signs, and what stands between them.
pub(super) fn mac(marks: &Marks, _: &Context<'_>) -> bool {
    let is_spaced = marks.hex >= 17 && marks.has(BLANK);
    let is_underscored = marks.token >= 17 && marks.parts >= 5 && marks.has(UNDERSCORE);
    is_underscored || marks.hex >= 11 && (marks.token >= 12 || marks.colons >= 5 || marks.has(DOT) || is_spaced)
}

/// A `data:` address, a long run, bytes that are no text, or a head that is: `RIFF` and `#!AMR`.
pub(super) fn media(marks: &Marks, _: &Context<'_>) -> bool {
    let is_address = marks.has(COLON) && marks.has(LETTER);
    marks.token >= 24 || is_address || marks.has(CONTROL | OPENING | PERCENT | BEYOND) || matches!(marks.first, b'R' | b'#')
}

/// The Italian one may have no digits; it has sixteen letters then.
pub(super) fn national_id(marks: &Marks, _: &Context<'_>) -> bool {
    marks.digits >= 5 || (marks.len >= 16 && marks.has(LETTER))
}

pub(super) fn payment_card(marks: &Marks, _: &Context<'_>) -> bool {
    marks.digits >= 12
}

/// Nothing but the letters and signs of a name, or capitals enough for three of them.
pub(super) fn person_name(marks: &Marks, _: &Context<'_>) -> bool {
    let is_name = marks.is_only(LETTER | BEYOND | SIGN | DASH | DOT | BLANK | SEPARATOR | BREAK | CONTROL);
    is_name || (marks.has(CAPITAL) && marks.has(BLANK) && marks.len >= 16)
}

/// Extensions have three digits, or two behind a word.
pub(super) fn phone(marks: &Marks, _: &Context<'_>) -> bool {
    marks.digits >= 3 || (marks.digits == 2 && marks.has(LETTER | BEYOND) && marks.has(BLANK | COLON | DOT))
}

/// `S-1-5-21-…`, or 24 hexadecimal digits.
pub(super) fn sid(marks: &Marks, _: &Context<'_>) -> bool {
    marks.digits >= 4 && ((marks.has(DASH) && marks.has(LETTER)) || marks.token >= 24)
}

pub(super) fn sip(marks: &Marks, _: &Context<'_>) -> bool {
    marks.has(COLON) && marks.has(LETTER)
}

pub(super) fn user_path(marks: &Marks, _: &Context<'_>) -> bool {
    marks.has(BACKSLASH | SLASH) && marks.has(LETTER)
}

#[cfg(test)]
mod tests;
