//! Answers of the grammars that need no second look at a text: most values are proven, or cannot be, by what occurs in them.
//!
//! Nothing is proven here that its grammar does not prove, and nothing excluded that it would; the tests hold that.

use super::slot::Slot;
use crate::inspect::engine::marks::{BACKSLASH, BLANK, COLON, DASH, DIGIT, DOT, LETTER, Marks, PERCENT, SIGN, SLASH, UNDERSCORE};

/// Signs of names that begin nothing.
const NAME: u32 = LETTER | DIGIT | BLANK | DOT | DASH | UNDERSCORE | SIGN;
/// Fewest groups of two hexadecimal digits that may be a hardware address, less one.
const SEPARATORS: usize = 5;
/// Longest value that is harmless by its form under a key that nobody documents, but for a path.
const LONGEST_INERT: usize = 128;
/// Shortest text of six groups of two hexadecimal digits.
const SEPARATED: usize = 17;
/// Shortest run that may be encoded.
const ENCODED: usize = 16;
/// Longest path.
const LONGEST_PATH: usize = 1_024;

/// Whether a text is certainly harmless in a slot.
#[must_use]
pub fn proves(slot: Slot, text: &str, marks: &Marks) -> bool {
    match slot {
        Slot::Name => is_plain_name(text, marks),
        Slot::Version => is_plain_version(text, marks),
        Slot::Hotfix => is_plain_hotfix(text, marks),
        Slot::Path => is_plain_path(text, marks),
        _ => false,
    }
}

/// A short text of letters, few digits and signs that begin nothing. Without a long run it holds nothing encoded.
fn is_plain_name(text: &str, marks: &Marks) -> bool {
    marks.is_only(NAME)
        && marks.len <= 128
        && marks.digits <= 4
        && marks.colons < SEPARATORS
        && marks.token < ENCODED
        && !(marks.digits >= 2 && has_telephone(text.as_bytes()))
}

/// Two to six numbers between dots, not many digits.
fn is_plain_version(text: &str, marks: &Marks) -> bool {
    marks.is_only(DIGIT | DOT)
        && matches!(marks.first, b'1'..=b'9')
        && text.ends_with(|last: char| last.is_ascii_digit())
        && matches!(marks.len - marks.digits, 1..=5)
        && text.split('.').all(|number| matches!(number.len(), 1..=9))
}

fn is_plain_hotfix(text: &str, marks: &Marks) -> bool {
    let is_long_enough = matches!(marks.len, 8 | 9);
    is_long_enough && marks.digits + 2 == marks.len && text.starts_with("KB")
}

/// A path on a drive without escapes or variables, none of whose folders begins as those of persons do, nor holds a run that may be
/// encoded or a telephone's name.
fn is_plain_path(text: &str, marks: &Marks) -> bool {
    let is_on_drive = matches!(text.as_bytes(), [drive, b':', b'\\', ..] if drive.is_ascii_alphabetic());
    is_on_drive
        && marks.is_only(NAME | BACKSLASH | SLASH | COLON)
        && marks.len <= 512
        && marks.digits <= 4
        && marks.hex < SEPARATED
        && marks.token < ENCODED
        && !text.get(2..).is_some_and(|rest| rest.contains(':'))
        && !(marks.digits >= 2 && has_telephone(text.as_bytes()))
        && !has_home(text.as_bytes())
}

/// Whether `SEP` is anywhere in it.
fn has_telephone(text: &[u8]) -> bool {
    text.windows(3).any(|three| three.eq_ignore_ascii_case(b"sep"))
}

/// Whether a folder begins as one of those whose next segment is somebody's does, or a share is named.
fn has_home(text: &[u8]) -> bool {
    const FOLDERS: &[&[u8]] = &[b"use", b"ute", b"ben", b"uti", b"usu", b"doc", b"hom"];
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'\\' | b'/' | b'o' | b'O' | b'|' | b'\t')) {
        let Some((first, after)) = rest.get(at..).and_then(<[u8]>::split_first) else { return false };
        let found = match first {
            b'o' | b'O' => after.get(..4).is_some_and(|next| next.eq_ignore_ascii_case(b"nedr")),
            b'\\' | b'/' => {
                let next = after.get(..3).unwrap_or(after);
                matches!(after.first(), Some(b'\\' | b'/')) || FOLDERS.iter().any(|folder| next.eq_ignore_ascii_case(folder))
            }
            _ => true,
        };
        if found {
            return true;
        }
        rest = after;
    }
    false
}

/// Whether a text under a key that nobody documents may be harmless by its form: all that are, are short, but for paths.
#[must_use]
pub fn may_be_inert(marks: &Marks) -> bool {
    marks.len <= LONGEST_INERT || (marks.len <= LONGEST_PATH && marks.has(BACKSLASH | PERCENT))
}

#[cfg(test)]
mod tests;
