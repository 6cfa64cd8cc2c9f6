//! Answers of the grammars that need no second look at a text: most values are proven, or cannot be, by what occurs in them.
//!
//! Nothing is proven here that its grammar does not prove, and nothing excluded that it would; the tests hold that.

mod bits;

use super::grammar;
use super::slot::Slot;
use crate::inspect::engine::marks::{BACKSLASH, BLANK, COLON, COMMA, DASH, DIGIT, DOT, LETTER, Marks, PERCENT, SIGN, SLASH, UNDERSCORE};
use bits::Bits;

/// Signs of names that begin nothing.
const NAME: u32 = LETTER | DIGIT | BLANK | DOT | DASH | UNDERSCORE | SIGN | COMMA;
/// Fewest groups of two hexadecimal digits that may be a hardware address, less one.
const SEPARATORS: usize = 5;
/// Longest value that is harmless by its form under a key that nobody documents, but for a path.
const LONGEST_INERT: usize = 128;
/// Longest path.
const LONGEST_PATH: usize = 1_024;

/// Whether a text is certainly harmless in a slot.
#[must_use]
pub fn proves(slot: Slot, text: &[u8], marks: &Marks) -> bool {
    match slot {
        Slot::Name => is_plain(marks) && !has_quad(text, marks) && !may_hide(text, marks) && !may_lead_to_somebody(text, marks),
        Slot::Version => is_plain_version(text, marks),
        Slot::Hotfix => is_plain_hotfix(text, marks),
        Slot::Path => is_plain_path(text, marks),
        Slot::Id | Slot::Handles | Slot::Users | Slot::Count | Slot::Percent | Slot::Rate | Slot::Bytes | Slot::Retention => {
            marks.is_only(DIGIT) && whole(text).is_some_and(|value| slot.holds(value))
        }
        _ => false,
    }
}

/// Whether a text certainly has the form of a name and no more: something may be hidden in a run of it.
#[must_use]
pub fn is_plausible_name(slot: Slot, text: &[u8], marks: &Marks) -> bool {
    // What has four hyphens may be a GUID; longer runs may be opaque.
    slot == Slot::Name && is_plain(marks) && marks.colons < 4 && marks.token < 24 && has_code(text, marks)
}

/// A short text of letters, few digits and signs that begin nothing.
const fn is_plain(marks: &Marks) -> bool {
    marks.is_only(NAME) && marks.len <= 128 && marks.digits <= 7 && marks.colons < SEPARATORS
}

/// Whether there may be an address in it.
fn has_quad(text: &[u8], marks: &Marks) -> bool {
    marks.digits >= 4 && marks.has(DOT) && memchr::memchr_iter(b'.', text).nth(2).is_some()
}

/// Shortest run that may be a code, or encoded: one of less than sixteen has two digits at least.
const fn shortest_code(marks: &Marks) -> usize {
    if marks.digits < 2 { 16 } else { 9 }
}

/// Whether one of the runs of a plain text may be a code, or encoded.
fn has_code(text: &[u8], marks: &Marks) -> bool {
    let shortest = shortest_code(marks);
    let parts = |byte: &u8| !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    marks.token >= shortest && text.split(parts).any(|run| run.len() >= shortest && grammar::is_code(run))
}

/// Whether a plain text has such a run, or groups of hexadecimal digits as hardware addresses have: six of two with five signs between
/// them at least, or three of four with two, one of which is a dot.
fn may_hide(text: &[u8], marks: &Marks) -> bool {
    let shortest = shortest_code(marks);
    let has_groups = marks.len >= 14 && (marks.parts >= 5 || (marks.parts >= 2 && marks.has(DOT)));
    if marks.token < shortest && !has_groups {
        return false;
    }
    if let Some(bits) = Bits::of(text) {
        let (pairs, quads) = bits.groups();
        if !bits.has_run(shortest) && pairs < 6 && quads < 3 {
            return false;
        }
    }
    let is_hexadecimal = |from: usize, to: usize| text.get(from..to).is_some_and(|group| group.iter().all(u8::is_ascii_hexdigit));
    let (mut run, mut group, mut pairs, mut quads) = (0, 0, 0, 0);
    for (at, byte) in text.iter().chain(b" ").enumerate() {
        if byte.is_ascii_alphanumeric() {
            continue;
        }
        match at - group {
            2 => pairs += usize::from(is_hexadecimal(group, at)),
            4 => quads += usize::from(is_hexadecimal(group, at)),
            _ => {}
        }
        group = at + 1;
        if matches!(byte, b'-' | b'_') {
            continue;
        }
        if at - run >= shortest && text.get(run..at).is_some_and(grammar::is_code) {
            return true;
        }
        run = at + 1;
    }
    pairs >= 6 || (quads >= 3 && marks.has(DOT))
}

/// Whether a plain text has an extension, a position, or the number of a person in groups.
fn may_lead_to_somebody(text: &[u8], marks: &Marks) -> bool {
    // Positions and numbers have six digits, and receivers a dollar sign.
    let may_lead = || grammar::may_lead_to_somebody(text);
    marks.digits >= 2 && (grammar::has_extension(text) || (marks.digits >= 6 || marks.has(SIGN) && text.contains(&b'$')) && may_lead())
}

/// Two to six short numbers with dots. What begins with a zero and another digit may be a telephone number.
fn is_plain_version(text: &[u8], marks: &Marks) -> bool {
    let is_version = marks.is_only(DIGIT | DOT) && marks.has(DOT) && marks.len <= 59 && marks.len != 19;
    if !is_version || matches!(text, [b'0', b'0'..=b'9', ..]) {
        return false;
    }
    let (mut dots, mut digits) = (0, 0);
    for byte in text {
        if *byte != b'.' {
            digits += 1;
            continue;
        }
        if !(1..=9).contains(&digits) {
            return false;
        }
        (dots, digits) = (dots + 1, 0);
    }
    dots < 6 && (1..=9).contains(&digits)
}

/// Digits and nothing else, so many that they cannot overflow.
fn whole(digits: &[u8]) -> Option<u64> {
    let value = || digits.iter().fold(0_u64, |value, digit| value.wrapping_mul(10).wrapping_add(u64::from(digit & 0xf)));
    (1..=18).contains(&digits.len()).then(value)
}

fn is_plain_hotfix(text: &[u8], marks: &Marks) -> bool {
    let is_long_enough = matches!(marks.len, 8 | 9);
    is_long_enough && marks.digits + 2 == marks.len && text.starts_with(b"KB")
}

/// A path without escapes or variables, none of whose folders begins as those of persons do.
fn is_plain_path(text: &[u8], marks: &Marks) -> bool {
    marks.is_only(NAME | BACKSLASH | SLASH | COLON)
        && marks.len <= 512
        && marks.digits < 8
        && marks.colons < SEPARATORS
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
        b"use" | b"ute" | b"ben" | b"uti" | b"usu" | b"doc" | b"dok" | b"hom" => true,
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
