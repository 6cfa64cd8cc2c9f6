//! Whether decoded bytes are text.

use super::stretch::STRETCH;
use crate::inspect::engine::canonical::charset;
use std::borrow::Cow;

/// The text that the bytes are: UTF-8, or UTF-16 and UTF-32 with a BOM or mostly ASCII; at least 90 % printable.
/// And how often a byte was looked at.
pub(super) fn text(bytes: &[u8]) -> (Option<Cow<'_, str>>, usize) {
    let (text, looks) = usual(bytes);
    if text.is_some() {
        return (text, looks);
    }
    let (text, more) = scripted(bytes);
    (text.map(Cow::Owned), looks + more)
}

/// The text in few bytes that were filled up with control characters to the length of a digest or of a block. And how often a byte was
/// looked at.
pub(super) fn unpadded(bytes: &[u8]) -> (Option<&str>, usize) {
    let is_padding = |byte: &u8| *byte < b' ' || *byte == 0x7f;
    let start = bytes.iter().take_while(|byte| is_padding(byte)).count();
    let rest = bytes.get(start..).unwrap_or_default();
    let end = rest.iter().rev().take_while(|byte| is_padding(byte)).count();
    let rest = rest.get(..rest.len() - end).unwrap_or_default();
    // Nothing was filled up, or it is no block.
    if start + end == 0 || bytes.len() > MOST_PADDED || rest.len() < SHORTEST_PADDED {
        return (None, start + end);
    }
    // Most bytes that are no text show it at once.
    if let Some(place) = rest.iter().position(is_padding) {
        return (None, start + end + place + 1);
    }
    match std::str::from_utf8(rest) {
        Ok(text) => (Some(text).filter(|text| text.chars().all(is_printable)), start + end + 3 * rest.len()),
        Err(error) => (None, start + end + rest.len() + error.valid_up_to()),
    }
}

/// Most bytes with padding around a text.
const MOST_PADDED: usize = 64;
/// Shortest text in padding.
const SHORTEST_PADDED: usize = 8;

fn usual(bytes: &[u8]) -> (Option<Cow<'_, str>>, usize) {
    let len = bytes.len();
    if is_marked(bytes) {
        return (charset::plain(bytes).filter(|text| is_plausible(bytes, text, matches!(text, Cow::Owned(_)))), 3 * len);
    }
    let kinds = Kinds::of(bytes);
    if kinds.nul > 0 {
        let text = if kinds.may_be_wide(len) { charset::plain(bytes) } else { return (None, len) };
        return (text.filter(|text| is_plausible(bytes, text, matches!(text, Cow::Owned(_)))), 4 * len);
    }
    if kinds.high == 0 && kinds.printable * 10 < len * 9 {
        return (None, len);
    }
    match std::str::from_utf8(bytes) {
        Err(error) => (None, len + error.valid_up_to()),
        Ok(text) if kinds.high == 0 => (Some(Cow::Borrowed(text)).filter(|text| !text.is_empty()), 2 * len),
        Ok(text) => (Some(Cow::Borrowed(text)).filter(|text| is_plausible(bytes, text, matches!(text, Cow::Owned(_)))), 3 * len),
    }
}

/// Whether bytes that begin so may be text, told by very few: no text in UTF-8 or UTF-16 begins so if not.
pub(super) fn may_begin(first: &[u8]) -> bool {
    is_marked(first) || first.contains(&0) || is_start_of_utf8(first) || script(first).is_some()
}

fn is_start_of_utf8(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// Whether bytes that begin so may be text: what [`text`] asks for, but less of it, since more text may follow.
pub(super) fn may_be_text(head: &[u8]) -> bool {
    if is_marked(head) {
        return true;
    }
    if script(head).is_some() {
        return true;
    }
    let kinds = Kinds::of(head);
    if kinds.nul > 0 {
        return kinds.may_be_wide(head.len());
    }
    is_start_of_utf8(head) && (kinds.printable + kinds.high) * 2 >= head.len()
}

/// Whether there is a BOM: of UTF-8, UTF-16 or, in base64 itself, UTF-7, which hides text in other text.
fn is_marked(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 0, 0xfe, 0xff, ..] | [0xef, 0xbb, 0xbf, ..] | [b'+', b'/', b'v', ..])
}

/// A text in UTF-16 without a mark whose letters are all of one script beyond Latin, and ASCII. And how often a byte was looked at.
fn scripted(bytes: &[u8]) -> (Option<String>, usize) {
    let head = bytes.get(..STRETCH).unwrap_or_default();
    if script(head).is_none() {
        return (None, head.len());
    }
    let Some(is_little) = script(bytes) else { return (None, bytes.len()) };
    let unit = |pair: &[u8; 2]| if is_little { u16::from_le_bytes(*pair) } else { u16::from_be_bytes(*pair) };
    let text: Result<String, _> = char::decode_utf16(bytes.as_chunks::<2>().0.iter().map(unit)).collect();
    (text.ok().filter(|text| text.chars().all(is_printable)), 3 * bytes.len())
}

/// Whether the upper bytes of letters in UTF-16 are those of one alphabet from Greek to Arabic, or zero: `true` for little endian.
fn script(bytes: &[u8]) -> Option<bool> {
    let (pairs, _) = bytes.as_chunks::<2>();
    let is_one = |upper: usize| {
        let mut uppers = pairs.iter().filter_map(|pair| pair.get(upper)).copied();
        let first = uppers.clone().find(|&byte| byte != 0)?;
        ((3..=6).contains(&first) && uppers.all(|byte| byte == first || byte == 0)).then_some(upper == 1)
    };
    is_one(1).or_else(|| is_one(0)).filter(|_| pairs.len() > 1)
}

/// How many bytes of each kind there are.
#[derive(Default)]
struct Kinds {
    printable: usize,
    high: usize,
    nul: usize,
    /// NUL bytes at even places.
    even: usize,
}

impl Kinds {
    fn of(bytes: &[u8]) -> Self {
        bytes.iter().zip(0_usize..).fold(Self::default(), |sum, (&byte, at)| Self {
            printable: sum.printable + usize::from(matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~')),
            high: sum.high + usize::from(byte >= 0x80),
            nul: sum.nul + usize::from(byte == 0),
            even: sum.even + usize::from(byte == 0 && at & 1 == 0),
        })
    }

    /// Whether so many bytes may be UTF-16 or UTF-32 that is half ASCII.
    fn may_be_wide(&self, len: usize) -> bool {
        let (most, least) = (self.even.max(self.nul - self.even), self.even.min(self.nul - self.even));
        let is_utf16 = most * 5 >= len && most >= 2 * least;
        let is_utf32 = self.nul * 2 >= len;
        self.printable * 5 >= len && (is_utf16 || is_utf32)
    }
}

/// `is_wide`: it was not UTF-8.
fn is_plausible(bytes: &[u8], text: &str, is_wide: bool) -> bool {
    let (mut all, mut printable, mut ascii) = (0_usize, 0_usize, 0_usize);
    for character in text.chars() {
        all += 1;
        printable += usize::from(is_printable(character));
        ascii += usize::from(character.is_ascii());
    }
    let marked = matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
    // Random bytes are often valid UTF-16: letters of many scripts.
    all > 0 && printable * 10 >= all * 9 && (!is_wide || marked || ascii * 2 >= all)
}

/// Texts in UTF-8 inside other bytes.
pub(super) fn stretches(bytes: &[u8]) -> impl Iterator<Item = &str> {
    let valid = bytes.utf8_chunks().map(|chunk| chunk.valid()).filter(|text| text.len() >= STRETCH);
    valid.flat_map(|text| text.split(|character| !is_printable(character))).filter(|text| text.len() >= STRETCH)
}

fn is_printable(character: char) -> bool {
    let is_sign = matches!(
        character,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{A0}'..='\u{BF}' | '\u{D7}' | '\u{F7}' | '\u{300}'..='\u{36F}'
            | '\u{2000}'..='\u{2BFF}' | '\u{3000}'..='\u{303F}' | '\u{FE00}'..='\u{FE6F}' | '\u{FEFF}'
            | '\u{FF00}'..='\u{FF65}' | '\u{1F000}'..='\u{1FAFF}' | '\u{E0020}'..='\u{E007F}'
    );
    is_sign || character.is_alphanumeric()
}
