//! Quoted-printable (RFC 2045 6.7) and encoded words (RFC 2047).

use super::{Finder, Unreadable, Via};
use crate::inspect::engine::canonical::charset;
use crate::inspect::engine::digits::{BASE64, hex_pair};

pub(super) fn find(text: &[u8], finder: &mut Finder<'_, '_>) -> Result<(), Unreadable> {
    finder.budget.count(text.len());
    let Some((via, bytes)) = decode(text) else { return Ok(()) };
    finder.budget.count(bytes.len());
    finder.text(via, &String::from_utf8_lossy(&bytes))
}

/// The text with what is encoded decoded; `None` if nothing is.
fn decode(text: &[u8]) -> Option<(Via, Vec<u8>)> {
    let mut bytes = Vec::new();
    let (mut is_changed, mut via) = (false, Via::Quoted);
    // Where the last escape ended, up to where the text is taken over, and where to look on.
    let (mut end, mut plain, mut at) = (None, 0, 0);
    while let Some(next) = memchr::memchr(b'=', text.get(at..)?).map(|found| at + found) {
        let from = text.get(next + 1..)?;
        at = next + 1;
        let word = word(from);
        let escape = if word.is_none() { printable(from, end == Some(next)) } else { None };
        let Some(len) = word.as_ref().map(|&(_, len)| len).or(escape.map(|(_, len)| len)) else { continue };
        if !is_changed {
            bytes.reserve_exact(text.len());
            is_changed = true;
        }
        bytes.extend_from_slice(text.get(plain..next)?);
        at += len;
        if let Some((word, _)) = word {
            via = Via::Mail;
            bytes.extend_from_slice(word.as_bytes());
            at += gap_before_word(text.get(at..)?);
        }
        if let Some((byte, _)) = escape {
            bytes.extend(byte);
            end = Some(at);
        }
        plain = at;
    }
    bytes.extend_from_slice(text.get(plain..)?);
    is_changed.then_some((via, bytes))
}

/// Behind an equals sign: two digits of a printable or high byte, or the end of a line, which stands for nothing.
fn printable(from: &[u8], follows: bool) -> Option<(Option<u8>, usize)> {
    match from {
        [b'\r', b'\n', ..] => Some((None, 2)),
        [b'\n', ..] => Some((None, 1)),
        [high, low, rest @ ..] => {
            let byte = hex_pair(*high, *low)?;
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
/// None of its parts has a question mark in it, and only the last an equals sign, so that no byte is looked at for many words.
fn word(from: &[u8]) -> Option<(String, usize)> {
    let after = from.strip_prefix(b"?")?;
    let label_end = after.iter().position(|byte| matches!(byte, b'?' | b'=' | b' '))?;
    let (label, [b'?', form @ (b'B' | b'b' | b'Q' | b'q'), b'?', after @ ..]) = after.split_at(label_end) else { return None };
    let (encoded, behind) = after.split_at(memchr::memchr(b'?', after)?);
    let behind = behind.strip_prefix(b"?=")?;
    let bytes = match form {
        b'B' | b'b' => BASE64.decode(encoded),
        _ => decode_q(encoded),
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
            (b'=', [high, low, ..]) => hex_pair(*high, *low),
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
