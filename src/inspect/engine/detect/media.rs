//! Images, recordings, documents and faxes: `data:` addresses, base64 or hexadecimal text, raw bytes.
//!
//! Source: the heads the formats define (PNG: ISO/IEC 15948, JPEG: ITU-T T.81, TIFF 6.0, RIFF, ISO/IEC 14496-12, RFC 3533 Ogg,
//! RFC 9639 FLAC, RFC 4867 AMR, RFC 2397 for `data:`).

use super::lexis::{at, before, is_word, part, run, stands, visit};
use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::digits;
use crate::inspect::engine::finding::{Hit, Kind};

#[cfg(test)]
mod tests;

/// A head of four bytes or more needs no context.
const BITS: u8 = 24;
/// Bytes of a head that are decoded.
const HEAD: usize = 48;
/// The shortest base64 text that can hold a file.
const SHORTEST_BASE64: usize = 24;
/// The shortest hexadecimal text that can hold a file.
const SHORTEST_HEX: usize = 48;

/// Finds `data:` addresses of media, and base64 or hexadecimal text with the head of a media file.
pub fn scan(text: &[u8], context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    if matches!(context.text, TextKind::Version | TextKind::Number) {
        return;
    }
    if magic(text).is_some() {
        report(Hit { kind: Kind::Media, start: 0, end: text.len(), bits: BITS });
        return;
    }
    let mut next = 0;
    while let Some(start) = text.get(next..).and_then(|rest| rest.iter().position(|&byte| is_base64(byte))).map(|place| next + place) {
        let end = run(text, start, text.len(), is_base64);
        next = end;
        let found = data_address(text, start, end).or_else(|| encoded(part(text, start, end)).then_some(end));
        if let Some(end) = found {
            report(Hit { kind: Kind::Media, start, end, bits: BITS });
            next = end;
        }
    }
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// `data:image/png;base64,…`: the end of the address.
fn data_address(text: &[u8], start: usize, end: usize) -> Option<usize> {
    const TYPES: &[&str] = &[
        "image/",
        "audio/",
        "video/",
        "application/pdf",
        "application/zip",
        "application/msword",
        "application/vnd.",
        "application/rtf",
        "application/octet-stream",
        "text/vcard",
        "text/calendar",
    ];
    let colon = end;
    if at(text, colon) != b':' || !stands(text, colon.saturating_sub(4), "data") || colon.saturating_sub(4) < start {
        return None;
    }
    let media = colon + 1;
    if is_word(before(text, colon - 4)) || !TYPES.iter().any(|kind| stands(text, media, kind)) {
        return None;
    }
    let comma = run(text, media, 160, |byte| byte != b',' && byte > b' ' && byte != b'"');
    let data = comma + 1;
    let finish = run(text, data, text.len(), |byte| is_base64(byte) || matches!(byte, b'=' | b'%'));
    (at(text, comma) == b',' && finish > data).then_some(finish)
}

/// Whether base64 or hexadecimal text has the head of a media file.
fn encoded(word: &[u8]) -> bool {
    if word.len() >= SHORTEST_BASE64 && is_promising(word) {
        let (head, length) = base64_head(word);
        if magic(part(&head, 0, length)).is_some() {
            return true;
        }
    }
    word.len() >= SHORTEST_HEX && {
        let (head, length) = hex_head(word.strip_prefix(b"0x").unwrap_or(word));
        magic(part(&head, 0, length)).is_some()
    }
}

/// Whether the first characters are those of a head: most words end here.
fn is_promising(word: &[u8]) -> bool {
    const HEADS: &[&[u8]] = &[
        b"iVBO", b"/9j/", b"_9j_", b"R0lG", b"UklG", b"Qk", b"SUkq", b"SUkr", b"TU0A", b"JVBE", b"UEsD", b"UEsF", b"T2dn", b"ZkxhQ",
        b"SUQz", b"//", b"__", b"IyFB", b"LnNu", b"AAAA", b"GkXf", b"0M8R", b"e1xy",
    ];
    visit(HEADS.len());
    HEADS.iter().any(|head| word.starts_with(head))
}

/// The first bytes of base64 text, standard or for addresses, and how many there are.
fn base64_head(word: &[u8]) -> ([u8; HEAD], usize) {
    let mut head = [0; HEAD];
    let length = digits::BASE64.decode_head(word, &mut head);
    visit(length);
    (head, length)
}

/// The first bytes of hexadecimal text, and how many there are.
fn hex_head(word: &[u8]) -> ([u8; HEAD], usize) {
    let mut head = [0; HEAD];
    let length = digits::HEX.decode_head(word, &mut head);
    visit(length);
    // A word that stops being hexadecimal was none.
    if length < HEAD.min(word.len() / 2) { (head, 0) } else { (head, length) }
}

/// The media format whose head these bytes have. Compressed data as such (gzip, zstd) is a coding, not a medium.
#[must_use]
pub fn magic(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("png"),
        [0xff, 0xd8, 0xff, 0xc0..=0xfe, ..] => Some("jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', rest @ ..] => is_binary(rest, 7).then_some("gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, form @ ..] => riff(form),
        [b'B', b'M', ..] => is_bitmap(bytes).then_some("bmp"),
        [b'I', b'I', 0x2a | 0x2b, 0, ..] | [b'M', b'M', 0, 0x2a | 0x2b, ..] => Some("tiff"),
        [b'%', b'P', b'D', b'F', b'-', b'0'..=b'9', b'.', ..] => Some("pdf"),
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some("zip"),
        [b'O', b'g', b'g', b'S', 0, ..] => Some("ogg"),
        [b'f', b'L', b'a', b'C', 0 | 0x80, ..] => Some("flac"),
        [b'I', b'D', b'3', 2..=4, ..] => Some("mp3"),
        [0xff, 0xe0..=0xff, ..] => is_mpeg(bytes).then_some("mp3"),
        [b'#', b'!', b'A', b'M', b'R', b'\n' | b'-', ..] => Some("amr"),
        [b'.', b's', b'n', b'd', 0, 0, ..] => Some("au"),
        [0, 0, 0, _, b'f', b't', b'y', b'p', brand @ ..] => Some(iso_media(brand)),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Some("matroska"),
        [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, ..] => Some("ole"),
        [b'{', b'\\', b'r', b't', b'f', b'1', ..] => Some("rtf"),
        _ => None,
    }
}

/// Whether the next bytes cannot be text: `GIF89a` may also be a word of a sentence.
fn is_binary(rest: &[u8], length: usize) -> bool {
    rest.get(..length).is_some_and(|head| head.iter().any(|byte| *byte < 0x20 || *byte >= 0x7f))
}

fn riff(form: &[u8]) -> Option<&'static str> {
    match form.get(..4)? {
        b"WAVE" => Some("wav"),
        b"WEBP" => Some("webp"),
        b"AVI " => Some("avi"),
        _ => None,
    }
}

/// Reserved fields are zero, and the size of the second header is one of those that exist.
fn is_bitmap(bytes: &[u8]) -> bool {
    matches!(bytes.get(6..10), Some([0, 0, 0, 0])) && matches!(bytes.get(14..18), Some([12 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0]))
}

fn iso_media(brand: &[u8]) -> &'static str {
    match brand.get(..4) {
        Some(b"heic" | b"heix" | b"hevc" | b"mif1" | b"msf1") => "heic",
        Some(b"avif" | b"avis") => "avif",
        Some(b"M4A " | b"M4B ") => "m4a",
        _ => "mp4",
    }
}

/// Two frames of layer III, the second where the first says: the eleven bits of synchronisation alone prove nothing.
fn is_mpeg(bytes: &[u8]) -> bool {
    frame_length(bytes).and_then(|length| frame_length(bytes.get(length..)?)).is_some()
}

/// The length of a frame of MPEG audio, layer III.
fn frame_length(bytes: &[u8]) -> Option<usize> {
    const FIRST: [usize; 16] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0];
    const SECOND: [usize; 16] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0];
    let &[0xff, version, rate, ..] = bytes else { return None };
    let (first, layer) = (version & 0x18 == 0x18, version & 0xe6 == 0xe2);
    let table = if first { FIRST } else { SECOND };
    let kilobits = table.get(usize::from(rate >> 4)).copied().filter(|&kilobits| kilobits > 0)?;
    let hertz = [44_100, 48_000, 32_000].get(usize::from(rate >> 2 & 3)).copied()?;
    let hertz = match version & 0x18 {
        0x18 => hertz,
        0x10 => hertz / 2,
        0x00 => hertz / 4,
        _ => return None,
    };
    let samples = if first { 144 } else { 72 };
    layer.then_some(samples * kilobits * 1000 / hertz + usize::from(rate >> 1 & 1))
}
