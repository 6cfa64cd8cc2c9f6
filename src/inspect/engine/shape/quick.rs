//! Answers of the grammars that need no second look at a text: most values are proven, or cannot be, by what occurs in them.
//!
//! Nothing is proven here that its grammar does not prove, and nothing excluded that it would; the tests hold that.

mod bits;

use super::grammar;
use super::slot::Slot;
use crate::inspect::engine::canonical::nested::is_grouped;
use crate::inspect::engine::canonical::spacing::{FEWEST, stand_alone};
use crate::inspect::engine::marks::{BACKSLASH, BLANK, COLON, COMMA, DASH, DIGIT, DOT, LETTER, Marks, PERCENT, SIGN, SLASH, UNDERSCORE};
use bits::Bits;

/// Signs of names that begin nothing.
const NAME: u32 = LETTER | DIGIT | BLANK | DOT | DASH | UNDERSCORE | SIGN | COMMA;
/// Fewest groups of two hexadecimal digits that may be a hardware address, less one.
const SEPARATORS: u32 = 5;
/// Most digits of a name.
const MOST_DIGITS: u32 = 7;
/// Shortest run that may be a code, or encoded, and shortest one of a text with less than two digits.
const SHORT_CODE: usize = 9;
const LONG_CODE: usize = 12;
/// Longest value that is harmless by its form under a key that nobody documents, but for a path.
const LONGEST_INERT: usize = 128;
/// Longest path.
const LONGEST_PATH: usize = 1_024;

/// Whether a text is certainly harmless in a slot.
#[must_use]
#[inline]
pub fn proves(slot: Slot, text: &[u8]) -> bool {
    match slot {
        Slot::Name => is_plain_name(text),
        Slot::Version => is_plain_version(text),
        Slot::Hotfix => is_plain_hotfix(text),
        Slot::Path => is_plain_path(text, &Marks::counted(text)),
        Slot::Id | Slot::Handles | Slot::Users | Slot::Count | Slot::Percent | Slot::Rate | Slot::Bytes | Slot::Retention => {
            text.iter().all(u8::is_ascii_digit) && whole(text).is_some_and(|value| slot.holds(value))
        }
        _ => false,
    }
}

fn is_plain_name(text: &[u8]) -> bool {
    if let Some(bits) = Bits::of(text) {
        return proves_name(text, bits);
    }
    let marks = &Marks::counted(text);
    is_plain(marks) && !has_quad(text, marks) && !may_hide(text, marks) && !may_lead_to_somebody(text, marks)
}

/// The same as of a longer text, by bits.
#[inline]
fn proves_name(text: &[u8], bits: Bits) -> bool {
    let digits = bits.digit.count_ones();
    let is_plain = bits.name == bits.text && digits <= MOST_DIGITS && bits.dash.count_ones() < SEPARATORS;
    if !is_plain || (digits >= 4 && bits.dot.count_ones() >= 3) {
        return false;
    }
    if hides(text, bits, if digits < 2 { LONG_CODE } else { SHORT_CODE }) {
        return false;
    }
    if digits < 2 {
        return true;
    }
    let may_lead = || grammar::may_lead_to_somebody(text);
    !(bits.words_before_numbers(text).any(grammar::is_extension) || (digits >= 6 || bits.dollar != 0) && may_lead())
}

/// Whether a text certainly has the form of a name and no more: something may be hidden in a run of it.
#[must_use]
pub fn is_plausible_name(slot: Slot, text: &[u8], marks: &Marks) -> bool {
    // What has four hyphens may be a GUID; longer runs may be opaque.
    slot == Slot::Name && is_plain(marks) && marks.colons < 4 && marks.token < 24 && has_code(text, marks)
}

/// A short text of letters, few digits and signs that begin nothing.
const fn is_plain(marks: &Marks) -> bool {
    marks.is_only(NAME) && marks.len <= 128 && marks.digits <= MOST_DIGITS as usize && marks.colons < SEPARATORS as usize
}

/// Whether there may be an address in it.
fn has_quad(text: &[u8], marks: &Marks) -> bool {
    marks.digits >= 4 && marks.has(DOT) && memchr::memchr_iter(b'.', text).nth(2).is_some()
}

const fn shortest_code(marks: &Marks) -> usize {
    if marks.digits < 2 { LONG_CODE } else { SHORT_CODE }
}

/// Whether one of the runs of a plain text may be a code, or encoded.
fn has_code(text: &[u8], marks: &Marks) -> bool {
    let shortest = shortest_code(marks);
    marks.token >= shortest && has_code_of(text, shortest)
}

fn has_code_of(text: &[u8], shortest: usize) -> bool {
    let parts = |byte: &u8| !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    text.split(parts).any(|run| run.len() >= shortest && grammar::is_code(run))
}

/// Whether a plain text has such a run, or groups of hexadecimal digits.
fn may_hide(text: &[u8], marks: &Marks) -> bool {
    let has_groups = marks.len >= 14 && (marks.parts >= 5 || (marks.parts >= 2 && marks.has(DOT)));
    match Bits::of(text) {
        Some(bits) => hides(text, bits, shortest_code(marks)),
        None => is_drawn_out(text) || has_code(text, marks) || has_groups && has_hexadecimal_groups(text, marks.has(DOT)),
    }
}

/// Whether letters stand alone, or groups of one length are in a row.
fn is_drawn_out(text: &[u8]) -> bool {
    stand_alone(text.iter().map(u8::is_ascii_alphanumeric)) >= FEWEST || is_grouped(text)
}

/// The same of a text of which each byte has bits.
#[inline]
fn hides(text: &[u8], bits: Bits, shortest: usize) -> bool {
    let (pairs, quads) = bits.groups();
    bits.alone() >= FEWEST
        || bits.blank.count_ones() >= BLANKS && is_grouped(text)
        || bits.has_run(shortest) && bits.runs(text).any(|run| run.len() >= shortest && grammar::is_code(run))
        || (pairs >= PAIRS || quads >= QUADS) && has_hexadecimal_groups(text, bits.dot != 0)
}

/// Blanks between the groups of what is encoded, at least.
const BLANKS: u32 = 3;
/// Groups of two that a hardware address has.
const PAIRS: u32 = 6;
/// Groups of four that it has, between which one sign at least is a dot.
const QUADS: u32 = 3;

/// Whether a text has groups of hexadecimal digits as hardware addresses have.
fn has_hexadecimal_groups(text: &[u8], has_dot: bool) -> bool {
    let (mut pairs, mut quads) = (0, 0);
    let groups = text.split(|byte| !byte.is_ascii_alphanumeric());
    for group in groups.filter(|group| matches!(group.len(), 2 | 4) && group.iter().all(u8::is_ascii_hexdigit)) {
        if group.len() == 2 { pairs += 1 } else { quads += 1 }
    }
    pairs >= PAIRS || (quads >= QUADS && has_dot)
}

/// Whether a plain text has an extension, a position, or the number of a person in groups.
fn may_lead_to_somebody(text: &[u8], marks: &Marks) -> bool {
    // Positions and numbers have six digits, and receivers a dollar sign.
    let may_lead = || grammar::may_lead_to_somebody(text);
    marks.digits >= 2 && (grammar::has_extension(text) || (marks.digits >= 6 || marks.has(SIGN) && text.contains(&b'$')) && may_lead())
}

/// Two to six short numbers with dots. What begins with a zero and another digit may be a telephone number.
fn is_plain_version(text: &[u8]) -> bool {
    if text.len() > 59 || text.len() == 19 || matches!(text, [b'0', b'0'..=b'9', ..]) {
        return false;
    }
    let (mut dots, mut digits) = (0, 0);
    for byte in text {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'.' if (1..=9).contains(&digits) => (dots, digits) = (dots + 1, 0),
            _ => return false,
        }
    }
    (1..6).contains(&dots) && (1..=9).contains(&digits)
}

/// Digits and nothing else, so many that they cannot overflow.
fn whole(digits: &[u8]) -> Option<u64> {
    let value = || digits.iter().fold(0_u64, |value, digit| value.wrapping_mul(10).wrapping_add(u64::from(digit & 0xf)));
    (1..=18).contains(&digits.len()).then(value)
}

fn is_plain_hotfix(text: &[u8]) -> bool {
    text.strip_prefix(b"KB").is_some_and(|number| matches!(number.len(), 6 | 7) && number.iter().all(u8::is_ascii_digit))
}

/// A path without escapes or variables, none of whose folders begins as those of persons do.
fn is_plain_path(text: &[u8], marks: &Marks) -> bool {
    marks.is_only(NAME | BACKSLASH | SLASH | COLON)
        && marks.len <= 512
        && marks.digits < 8
        && marks.colons < SEPARATORS as usize
        && begins_like_a_path(text)
        && !(marks.has(BLANK | SIGN | COMMA) && has_quad(text, marks))
        && !(marks.digits >= 6 && grammar::has_number(text))
        && !(marks.colons >= 2 && grammar::has_colons(text))
        && !has_home(text)
        && !grammar::has_escape(text)
        && !may_hide(text, marks)
        && !(marks.has(BLANK) && grammar::names_an_account(text))
}

/// A separator in front, or a drive.
fn begins_like_a_path(text: &[u8]) -> bool {
    matches!(text, [b'\\' | b'/', ..] | [b'A'..=b'Z' | b'a'..=b'z', b':', b'\\' | b'/', ..])
}

/// Whether a folder begins as one of those whose next segment is somebody's does, or a share is named.
fn has_home(text: &[u8]) -> bool {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'\\' | b'/' | b'o' | b'O' | b'|' | b'\t')) {
        let Some((first, after)) = rest.get(at..).and_then(<[u8]>::split_first) else { return false };
        let found = match first {
            b'o' | b'O' => after.get(..4).is_some_and(|next| next.eq_ignore_ascii_case(b"nedr")),
            b'\\' | b'/' => begins_like_a_home(after),
            _ => true,
        };
        if found {
            return true;
        }
        rest = after;
    }
    false
}

/// Whether a folder begins as those in which persons have theirs do, or has no name.
fn begins_like_a_home(folder: &[u8]) -> bool {
    if matches!(folder, [b'\\' | b'/', ..]) {
        return true;
    }
    let Some(first) = folder.first_chunk::<3>() else { return false };
    // Nothing but a capital letter becomes a small one by this.
    match &first.map(|byte| byte | 0x20) {
        b"use" | b"ute" | b"ben" | b"uti" | b"usu" | b"doc" | b"dok" | b"hom" | b"geb" | b"bru" | b"anv" | b"uzy" => true,
        b"pro" | b"per" => folder.get(3).is_some_and(|byte| byte | 0x20 == b'f'),
        _ => false,
    }
}

/// Whether a text under a key that nobody documents may be harmless by its form: all that are, are short, but for paths.
#[must_use]
pub fn may_be_inert(marks: &Marks) -> bool {
    marks.len <= LONGEST_INERT || (marks.len <= LONGEST_PATH && marks.has(BACKSLASH | PERCENT))
}

#[cfg(test)]
mod tests;
