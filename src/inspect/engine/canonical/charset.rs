//! Charsets: every way in which a receiver may read the bytes.

use super::Unreadable;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::borrow::Cow;

/// A charset that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Charset {
    Ascii,
    Utf8,
    /// Without byte order: told by a BOM, else receivers differ.
    Utf16,
    Utf16Le,
    Utf16Be,
    Utf32,
    Utf32Le,
    Utf32Be,
    Single(&'static Encoding),
}

/// What the bytes themselves say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Evidence {
    /// A byte order mark of so many bytes.
    Mark(Charset, usize),
    /// NUL bytes where this charset has them in text.
    Pattern(Charset),
    /// NUL bytes without order.
    Mixed,
    /// No NUL byte: a charset of bytes.
    Bytes,
}

/// All readings of a text: one, or several where receivers may differ, each of them to be inspected.
///
/// `declared` is the charset parameter of Content-Type. Without it, valid UTF-8 is read as such (and borrowed),
/// a BOM or a pattern of NUL bytes tells UTF-16 and UTF-32, and anything else is windows-1252 if that gives plausible text.
/// If the declared charset and the bytes contradict each other, both readings are returned, the declared one
/// with replacement characters where it is not valid. A BOM is not part of the text.
///
/// # Errors
/// [`Unreadable::Charset`]: not known, or UTF-7. [`Unreadable::Text`]: not valid in the charset, or not plausible.
pub fn readings<'a>(declared: Option<&str>, bytes: &'a [u8]) -> Result<Vec<Cow<'a, str>>, Unreadable> {
    let declared = declared.map(named).transpose()?;
    let mut readings = Vec::with_capacity(1);
    match (declared, evidence(bytes)?) {
        (None | Some(Charset::Utf8), Evidence::Bytes) => readings.push(of_bytes(declared, bytes)?),
        (Some(declared), Evidence::Bytes) => declared_bytes(declared, bytes, &mut readings)?,
        (_, Evidence::Mark(found, len)) => {
            readings.push(strict(found, bytes.get(len..).unwrap_or_default())?);
            add_declared(declared, found, bytes, &mut readings);
        }
        (_, Evidence::Pattern(found)) => {
            readings.push(strict(found, bytes)?);
            add_declared(declared, found, bytes, &mut readings);
        }
        (_, Evidence::Mixed) => mixed(declared, bytes, &mut readings)?,
    }
    Ok(readings)
}

/// As [`readings`] of a text that declares nothing, in a format that is Unicode by its own rules: no other charset is guessed.
///
/// # Errors
/// As [`readings`]; [`Unreadable::Text`] for anything else than Unicode.
pub fn unicode(bytes: &[u8]) -> Result<Vec<Cow<'_, str>>, Unreadable> {
    match evidence(bytes)? {
        Evidence::Bytes => Ok(vec![of_bytes(Some(Charset::Utf8), bytes)?]),
        _ => readings(None, bytes),
    }
}

/// Text of a nested value: UTF-8, or UTF-16 and UTF-32 if the bytes say so; no other charset is guessed.
pub(super) fn plain(bytes: &[u8]) -> Option<Cow<'_, str>> {
    match evidence(bytes).ok()? {
        Evidence::Bytes => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Evidence::Mark(found, len) => strict(found, bytes.get(len..)?).ok(),
        Evidence::Pattern(found) => strict(found, bytes).ok(),
        Evidence::Mixed => None,
    }
}

fn named(label: &str) -> Result<Charset, Unreadable> {
    const NAMES: [(&str, Charset); 13] = [
        ("utf-8", Charset::Utf8),
        ("utf8", Charset::Utf8),
        ("us-ascii", Charset::Ascii),
        ("ascii", Charset::Ascii),
        ("utf-16", Charset::Utf16),
        ("utf-16le", Charset::Utf16Le),
        ("utf-16be", Charset::Utf16Be),
        ("utf-32", Charset::Utf32),
        ("utf-32le", Charset::Utf32Le),
        ("utf-32be", Charset::Utf32Be),
        ("windows-1252", Charset::Single(WINDOWS_1252)),
        ("cp1252", Charset::Single(WINDOWS_1252)),
        ("latin1", Charset::Single(WINDOWS_1252)),
    ];
    let label = label.trim_matches([' ', '\t', '"']);
    if let Some(&(_, charset)) = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(label)) {
        return Ok(charset);
    }
    let is_latin = label.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("iso-8859-"));
    let known = if is_latin { Encoding::for_label(label.as_bytes()) } else { None };
    known.filter(|encoding| encoding.is_single_byte()).map(Charset::Single).ok_or(Unreadable::Charset)
}

fn evidence(bytes: &[u8]) -> Result<Evidence, Unreadable> {
    match bytes {
        [0xef, 0xbb, 0xbf, ..] => Ok(Evidence::Mark(Charset::Utf8, 3)),
        // Also how UTF-16 may begin with a NUL character: then it is not valid UTF-32.
        [0xff, 0xfe, 0, 0, rest @ ..] if is_utf32(rest, u32::from_le_bytes) => Ok(Evidence::Mark(Charset::Utf32Le, 4)),
        [0, 0, 0xfe, 0xff, ..] => Ok(Evidence::Mark(Charset::Utf32Be, 4)),
        [0xff, 0xfe, ..] => Ok(Evidence::Mark(Charset::Utf16Le, 2)),
        [0xfe, 0xff, ..] => Ok(Evidence::Mark(Charset::Utf16Be, 2)),
        // The BOM of UTF-7, which hides text in other text.
        [b'+', b'/', b'v', b'8' | b'9' | b'+' | b'/', ..] => Err(Unreadable::Charset),
        _ if memchr::memchr(0, bytes).is_none() => Ok(Evidence::Bytes),
        _ => Ok(nul_pattern(bytes)),
    }
}

/// Where the NUL bytes are: the high bytes of Latin letters in UTF-16 and of nearly all letters in UTF-32.
fn nul_pattern(bytes: &[u8]) -> Evidence {
    let mut nuls = [0_usize; 4];
    for group in bytes.chunks(4) {
        for (nul, byte) in nuls.iter_mut().zip(group) {
            *nul += usize::from(*byte == 0);
        }
    }
    let [first, second, third, fourth] = nuls;
    let units = bytes.len() / 4;
    let (even, odd) = (first + third, second + fourth);
    if bytes.len().is_multiple_of(4) && fourth == units && third * 2 >= units && first * 2 < units {
        return Evidence::Pattern(Charset::Utf32Le);
    }
    if bytes.len().is_multiple_of(4) && first == units && second * 2 >= units && fourth * 2 < units {
        return Evidence::Pattern(Charset::Utf32Be);
    }
    match bytes.len() % 2 {
        // A single NUL is no pattern in a long text.
        0 if odd > 4 * even && odd * 16 >= units => Evidence::Pattern(Charset::Utf16Le),
        0 if even > 4 * odd && even * 16 >= units => Evidence::Pattern(Charset::Utf16Be),
        _ => Evidence::Mixed,
    }
}

/// UTF-8, or undeclared windows-1252.
fn of_bytes(declared: Option<Charset>, bytes: &[u8]) -> Result<Cow<'_, str>, Unreadable> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(Cow::Borrowed(text));
    }
    if declared.is_some() || !is_plausible_western(bytes) {
        return Err(Unreadable::Text);
    }
    strict(Charset::Single(WINDOWS_1252), bytes)
}

/// A charset other than UTF-8 is declared and there is no NUL byte.
fn declared_bytes<'a>(declared: Charset, bytes: &'a [u8], readings: &mut Vec<Cow<'a, str>>) -> Result<(), Unreadable> {
    let utf8 = std::str::from_utf8(bytes).ok();
    match declared {
        // What receivers do with high bytes in "ASCII" differs; windows-1252 is what browsers do.
        Charset::Ascii => add(readings, strict(Charset::Single(WINDOWS_1252), bytes)?),
        // RFC 2781 says big endian, WHATWG little.
        Charset::Utf16 => add_both(Charset::Utf16Be, Charset::Utf16Le, bytes, readings)?,
        Charset::Utf32 => add_both(Charset::Utf32Be, Charset::Utf32Le, bytes, readings)?,
        _ => add(readings, strict(declared, bytes)?),
    }
    if let Some(text) = utf8 {
        add(readings, Cow::Borrowed(text));
    }
    Ok(())
}

fn add_both<'a>(first: Charset, second: Charset, bytes: &'a [u8], readings: &mut Vec<Cow<'a, str>>) -> Result<(), Unreadable> {
    let valid = strict(first, bytes).is_ok() || strict(second, bytes).is_ok();
    if !valid {
        return Err(Unreadable::Text);
    }
    add(readings, decoded(first, bytes).0);
    add(readings, decoded(second, bytes).0);
    Ok(())
}

/// The reading of a receiver that believes the header more than the bytes.
fn add_declared<'a>(declared: Option<Charset>, found: Charset, bytes: &'a [u8], readings: &mut Vec<Cow<'a, str>>) {
    let Some(declared) = declared else { return };
    let agrees = match found {
        Charset::Utf16Le | Charset::Utf16Be => declared == found || declared == Charset::Utf16,
        Charset::Utf32Le | Charset::Utf32Be => declared == found || declared == Charset::Utf32,
        _ => declared == found,
    };
    if !agrees {
        add(readings, decoded(declared, bytes).0);
    }
}

/// NUL bytes that no charset explains: the declared reading, and both of UTF-16.
fn mixed<'a>(declared: Option<Charset>, bytes: &'a [u8], readings: &mut Vec<Cow<'a, str>>) -> Result<(), Unreadable> {
    let all = [declared.unwrap_or(Charset::Utf8), Charset::Utf16Le, Charset::Utf16Be];
    let needed = if declared.is_some() { all.get(..1) } else { all.get(..) };
    if !needed.unwrap_or_default().iter().any(|&charset| strict(charset, bytes).is_ok()) {
        return Err(Unreadable::Text);
    }
    for charset in all {
        add(readings, decoded(charset, bytes).0);
    }
    Ok(())
}

fn add<'a>(readings: &mut Vec<Cow<'a, str>>, reading: Cow<'a, str>) {
    if !readings.contains(&reading) {
        readings.push(reading);
    }
}

fn strict(charset: Charset, bytes: &[u8]) -> Result<Cow<'_, str>, Unreadable> {
    let (text, broken) = decoded(charset, bytes);
    if broken { Err(Unreadable::Text) } else { Ok(text) }
}

/// The text, and whether something in it had to be replaced.
fn decoded(charset: Charset, bytes: &[u8]) -> (Cow<'_, str>, bool) {
    match charset {
        Charset::Utf8 => UTF_8.decode_without_bom_handling(bytes),
        Charset::Utf16Le => UTF_16LE.decode_without_bom_handling(bytes),
        Charset::Utf16 | Charset::Utf16Be => UTF_16BE.decode_without_bom_handling(bytes),
        Charset::Utf32Le => utf32(bytes, u32::from_le_bytes),
        Charset::Utf32 | Charset::Utf32Be => utf32(bytes, u32::from_be_bytes),
        Charset::Ascii => WINDOWS_1252.decode_without_bom_handling(bytes),
        Charset::Single(encoding) => encoding.decode_without_bom_handling(bytes),
    }
}

fn utf32(bytes: &[u8], number: fn([u8; 4]) -> u32) -> (Cow<'_, str>, bool) {
    let (units, rest) = bytes.as_chunks::<4>();
    let mut broken = !rest.is_empty();
    let character = |unit: &[u8; 4]| {
        char::from_u32(number(*unit)).unwrap_or_else(|| {
            broken = true;
            char::REPLACEMENT_CHARACTER
        })
    };
    let text: String = units.iter().map(character).collect();
    (Cow::Owned(text), broken)
}

fn is_utf32(bytes: &[u8], number: fn([u8; 4]) -> u32) -> bool {
    let (units, rest) = bytes.as_chunks::<4>();
    rest.is_empty() && units.iter().all(|unit| char::from_u32(number(*unit)).is_some())
}

/// Whether bytes that are not UTF-8 look like western text: no controls, and single accented letters and signs among ASCII.
fn is_plausible_western(bytes: &[u8]) -> bool {
    /// High bytes in a row: no word of a western language has more.
    const MAX_RUN: usize = 4;
    let (mut high, mut run) = (0_usize, 0_usize);
    for &byte in bytes {
        match byte {
            b'\t' | b'\r' | b'\n' | 0x20..=0x7e => run = 0,
            0..=0x1f | 0x7f | 0x81 | 0x8d | 0x8f | 0x90 | 0x9d => return false,
            _ => {
                high += 1;
                run += 1;
            }
        }
        if run > MAX_RUN {
            return false;
        }
    }
    high * 3 <= bytes.len()
}

#[cfg(test)]
mod tests;
