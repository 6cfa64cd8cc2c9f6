//! Quoted-printable (RFC 2045 6.7) and encoded words (RFC 2047).

use super::run::{decode_base64, hex};
use super::{Finder, Unreadable, Via};
use crate::inspect::engine::canonical::charset;

pub(super) fn find(text: &[u8], finder: &mut Finder<'_, '_>) -> Result<(), Unreadable> {
    finder.budget.count(text.len());
    if memchr::memchr(b'=', text).is_none() {
        return Ok(());
    }
    let (bytes, changed) = decode(text);
    finder.budget.count(text.len());
    if changed { finder.text(Via::Mail, &String::from_utf8_lossy(&bytes)) } else { Ok(()) }
}

/// The text with what is encoded decoded, and whether that was anything.
fn decode(text: &[u8]) -> (Vec<u8>, bool) {
    let mut bytes = Vec::with_capacity(text.len());
    let mut changed = false;
    // Where the last escape ended.
    let mut end = None;
    let mut at = 0;
    while let Some(next) = memchr::memchr(b'=', text.get(at..).unwrap_or_default()).map(|found| at + found) {
        bytes.extend_from_slice(text.get(at..next).unwrap_or_default());
        let from = text.get(next + 1..).unwrap_or_default();
        at = next + 1;
        if let Some((word, len)) = word(from) {
            bytes.extend_from_slice(word.as_bytes());
            at += len + gap_before_word(from.get(len..).unwrap_or_default());
            changed = true;
            continue;
        }
        match printable(from, end == Some(next)) {
            Some((byte, len)) => {
                bytes.extend(byte);
                at += len;
                end = Some(at);
                changed = true;
            }
            None => bytes.push(b'='),
        }
    }
    bytes.extend_from_slice(text.get(at..).unwrap_or_default());
    (bytes, changed)
}

/// Behind an equals sign: two digits of a printable or high byte, or the end of a line, which stands for nothing.
fn printable(from: &[u8], follows: bool) -> Option<(Option<u8>, usize)> {
    match from {
        [b'\r', b'\n', ..] => Some((None, 2)),
        [b'\n', ..] => Some((None, 1)),
        [high, low, rest @ ..] => {
            let byte = hex(*high)? << 4 | hex(*low)?;
            // A high byte alone is rather the value of a parameter.
            let paired = rest.first() == Some(&b'=');
            let is_text = matches!(byte, b'\t' | b'\r' | b'\n' | 0x20..=0x7e) || byte >= 0x80 && (paired || follows);
            is_text.then_some((Some(byte), 2))
        }
        _ => None,
    }
}

/// An encoded word behind its first character: the text, and the length.
///
/// None of its parts has a question mark in it, so that no byte is looked at for two words.
fn word(from: &[u8]) -> Option<(String, usize)> {
    let mut parts = from.strip_prefix(b"?")?.splitn(4, |&byte| byte == b'?');
    let (label, form, encoded, rest) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let behind = rest.strip_prefix(b"=")?;
    let bytes = match form {
        b"B" | b"b" => decode_base64(encoded),
        b"Q" | b"q" => decode_q(encoded),
        _ => return None,
    };
    let label = std::str::from_utf8(label).ok()?;
    // RFC 2231 adds a language.
    let label = label.split_once('*').map_or(label, |(label, _)| label);
    let text = charset::readings(Some(label), &bytes).unwrap_or_else(|_| vec![String::from_utf8_lossy(&bytes)]);
    Some((text.join(" "), from.len() - behind.len()))
}

fn decode_q(encoded: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        let escaped = match (first, behind) {
            (b'=', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        if escaped.is_some() {
            rest = behind.get(2..).unwrap_or_default();
        }
        bytes.push(escaped.unwrap_or(if first == b'_' { b' ' } else { first }));
    }
    bytes
}

/// White space between two encoded words is not part of the text.
fn gap_before_word(from: &[u8]) -> usize {
    let gap = from.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let next = from.get(gap..).unwrap_or_default();
    if next.starts_with(b"=?") { gap } else { 0 }
}
