//! Whether decoded bytes are text.

use crate::inspect::engine::canonical::charset;
use std::borrow::Cow;

/// Shortest text inside other bytes. So many bytes are printable by chance in one of 150,000 places.
const STRETCH: usize = 12;
/// Shortest UTF-16 text inside other bytes, in characters.
const WIDE_STRETCH: usize = 6;

/// The text that the bytes are: UTF-8, or UTF-16 and UTF-32 with a BOM or mostly ASCII; at least 90 % printable.
pub(super) fn text(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let text = charset::plain(bytes).filter(|text| !text.is_empty())?;
    let (mut all, mut printable, mut ascii) = (0_usize, 0_usize, 0_usize);
    for character in text.chars() {
        all += 1;
        printable += usize::from(is_printable(character));
        ascii += usize::from(character.is_ascii());
    }
    let marked = matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
    let wide = matches!(text, Cow::Owned(_)) && !marked;
    // Random bytes are often valid UTF-16: letters of many scripts.
    let plausible = printable * 10 >= all * 9 && (!wide || ascii * 2 >= all);
    plausible.then_some(text)
}

/// Texts in UTF-8 inside other bytes.
pub(super) fn stretches(bytes: &[u8]) -> impl Iterator<Item = &str> {
    // Controls first: they are cheap to see, and leave little of random bytes.
    let parts = bytes.split(|&byte| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r') || byte == 0x7f);
    let valid = parts.filter(|part| part.len() >= STRETCH).flat_map(<[u8]>::utf8_chunks).map(|chunk| chunk.valid());
    let valid = valid.filter(|text| text.len() >= STRETCH);
    valid.flat_map(|text| text.split(|character| !is_printable(character))).filter(|text| text.len() >= STRETCH)
}

/// ASCII texts in UTF-16 of either byte order inside other bytes.
pub(super) fn wide_stretches(bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    if memchr::memchr(0, bytes).is_none() {
        return found;
    }
    for start in 0..2 {
        let mut text = String::new();
        let (pairs, _) = bytes.get(start..).unwrap_or_default().as_chunks::<2>();
        for pair in pairs.iter().chain([&[0, 0]]) {
            match pair {
                [low @ (b'\t' | b'\n' | b'\r' | 0x20..=0x7e), 0] => text.push(char::from(*low)),
                _ if text.len() >= WIDE_STRETCH => found.push(std::mem::take(&mut text)),
                _ => text.clear(),
            }
        }
    }
    found
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
