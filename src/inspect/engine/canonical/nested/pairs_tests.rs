//! Every two encodings, one in the other.

use super::*;
use crate::inspect::engine::canonical::coding::{Coding, inflate};
use crate::inspect::engine::format::base64::tests::encode as base64;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;
use std::io::Write as _;

fn each(text: &str, form: impl Fn(u8) -> String, gap: &str) -> String {
    text.bytes().map(form).collect::<Vec<_>>().join(gap)
}

fn characters(text: &str, form: impl Fn(char) -> String) -> String {
    text.chars().map(form).collect()
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

fn base32(text: &str) -> String {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: Vec<u8> = text.bytes().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let mut encoded: String = bits
        .chunks(5)
        .map(|bits| char::from(DIGITS[(0..5).fold(0, |sum, at| sum << 1 | usize::from(*bits.get(at).unwrap_or(&0)))]))
        .collect();
    while !encoded.len().is_multiple_of(8) {
        encoded.push('=');
    }
    encoded
}

fn lines(text: &str) -> String {
    text.as_bytes().chunks(76).filter_map(|line| std::str::from_utf8(line).ok()).collect::<Vec<_>>().join("\r\n")
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zlib(text: &str) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn deflate(text: &str) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &str) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest)
}

fn brotli(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let params = ::brotli::enc::BrotliEncoderParams { quality: 5, lgwin: 20, ..Default::default() };
    ::brotli::BrotliCompress(&mut text.as_bytes(), &mut out, &params).unwrap();
    out
}

fn quoted_printable(text: &str) -> String {
    let escaped = text
        .bytes()
        .map(|byte| if byte == b'=' || !(b' '..=b'~').contains(&byte) { format!("={byte:02X}") } else { char::from(byte).to_string() });
    escaped.collect::<Vec<_>>().chunks(70).map(<[String]>::concat).collect::<Vec<_>>().join("=\r\n")
}

/// Name, how many encodings it is, and how it is made.
type Encoding = (&'static str, u8, fn(&str) -> String);
const ENCODINGS: &[Encoding] = &[
    ("base64", 1, |text| base64(text.as_bytes())),
    ("base64url", 1, |text| base64(text.as_bytes()).replace('+', "-").replace('/', "_")),
    ("base64 without padding", 1, |text| base64(text.as_bytes()).replace('=', "")),
    ("base64 in lines", 1, |text| lines(&base64(text.as_bytes()))),
    ("base32", 1, base32),
    ("base32 in small letters", 1, |text| base32(text).to_lowercase()),
    ("hex", 1, |text| each(text, |byte| format!("{byte:02x}"), "")),
    ("HEX", 1, |text| each(text, |byte| format!("{byte:02X}"), "")),
    ("spaced hex", 1, |text| each(text, |byte| format!("{byte:02x}"), " ")),
    ("hex with 0x", 1, |text| format!("0x{}", each(text, |byte| format!("{byte:02x}"), ""))),
    ("hex with \\x", 1, |text| each(text, |byte| format!("\\x{byte:02x}"), "")),
    ("percent", 1, |text| each(text, |byte| format!("%{byte:02X}"), "")),
    ("percent where it must be", 1, |text| {
        characters(text, |from| {
            if from.is_ascii_alphanumeric() { from.to_string() } else { each(&from.to_string(), |byte| format!("%{byte:02X}"), "") }
        })
    }),
    ("double percent", 2, |text| each(text, |byte| format!("%25{byte:02X}"), "")),
    ("HTML decimal", 1, |text| characters(text, |from| format!("&#{};", u32::from(from)))),
    ("HTML hex", 1, |text| characters(text, |from| format!("&#x{:x};", u32::from(from)))),
    ("HTML names", 1, |text| text.replace('&', "&amp;").replace('@', "&commat;").replace('.', "&period;").replace('"', "&quot;")),
    ("escapes of JSON", 1, |text| text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat()),
    ("JSON in a string", 1, |text| {
        format!("{{\"a\":\"{}\"}}", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\r', "\\r").replace('\n', "\\n"))
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
    }),
    ("quoted-printable", 1, |text| quoted_printable(text).replace('@', "=40")),
    ("base64 of UTF-16LE", 1, |text| base64(&utf16(text, u16::to_le_bytes))),
    ("base64 of UTF-16BE", 1, |text| base64(&utf16(text, u16::to_be_bytes))),
    ("hex of UTF-16LE", 1, |text| utf16(text, u16::to_le_bytes).iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().concat()),
    ("base64 of gzip", 2, |text| base64(&gzip(text))),
    ("base64 of zlib", 2, |text| base64(&zlib(text))),
    ("base64 of deflate", 1, |text| base64(&deflate(text))),
    ("base64 of zstd", 2, |text| base64(&zstd(text))),
];

/// Whether the text is handed over as it was; or that the message was refused.
fn sees(encoded: &[u8], what: &str) -> Result<bool, Unreadable> {
    let mut is_seen = false;
    let outcome = walk(encoded, 0, &mut Budget::new(encoded.len()), &mut |found, _| {
        is_seen |= matches!(found, Derived::Text { text, .. } | Derived::Json { text } if text.contains(what));
    });
    if is_seen { Ok(true) } else { outcome.map(|()| false) }
}

/// Pairs in which the text is not seen, and is not refused for being too deep either.
fn unseen(sentence: &str, mail: &str) -> Vec<String> {
    let mut unseen = Vec::new();
    for (outer, outer_depth, encode_again) in ENCODINGS {
        for (inner, inner_depth, encode) in ENCODINGS {
            let encoded = encode_again(&encode(sentence));
            let is_deep = outer_depth + inner_depth >= MAX_DEPTH;
            match sees(encoded.as_bytes(), mail) {
                Ok(true) => {}
                Err(Unreadable::Depth) if is_deep => {}
                other => unseen.push(format!("{outer} of {inner}: {other:?}")),
            }
        }
    }
    unseen
}

#[test]
fn one_encoding_is_seen_through() {
    let sentence = "Please call mario.rossi@example.test back before noon, or write to \"the office\" in Milan & Rome.";
    for (name, _, encode) in ENCODINGS {
        assert_eq!(sees(encode(sentence).as_bytes(), "mario.rossi@example.test"), Ok(true), "{name}");
    }
}

#[test]
fn two_encodings_are_seen_through() {
    let sentence = "Please call mario.rossi@example.test back before noon, or write to \"the office\" in Milan & Rome.";
    let unseen = unseen(sentence, "mario.rossi@example.test");
    assert!(unseen.is_empty(), "{} of {}: {unseen:#?}", unseen.len(), ENCODINGS.len().pow(2));
}

#[test]
fn every_encoding_is_seen_through_in_a_compressed_body() {
    let sentence = "Please call mario.rossi@example.test back before noon.";
    for (name, _, encode) in ENCODINGS {
        let text = encode(sentence);
        let bodies =
            [(Coding::Brotli, brotli(&text)), (Coding::Zstd, zstd(&text)), (Coding::Gzip, gzip(&text)), (Coding::Deflate, zlib(&text))];
        for (coding, body) in bodies {
            let body = inflate(coding, &body, &Limits::default()).unwrap();
            assert_eq!(sees(&body, "mario.rossi@example.test"), Ok(true), "{coding:?} of {name}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn any_sentence_is_seen_through_two(
        before in "[A-Z][a-z ]{30,60}", mail in "[a-z]{2,9}[._-][a-z0-9]{3,9}@[a-z]{4,9}\\.(test|example)", behind in "[ !#$()*+,./0-9:;>?@A-Z^_a-z~àéß]{0,60}",
        outer in 0..ENCODINGS.len(), inner in 0..ENCODINGS.len(),
    ) {
        let sentence = format!("{before} {mail} {behind}");
        let ((_, outer_depth, encode_again), (_, inner_depth, encode)) = (ENCODINGS[outer], ENCODINGS[inner]);
        let encoded = encode_again(&encode(&sentence));
        match sees(encoded.as_bytes(), &mail) {
            Ok(is_seen) => prop_assert!(is_seen, "{} of {}: {encoded}", ENCODINGS[outer].0, ENCODINGS[inner].0),
            Err(error) => prop_assert!(error == Unreadable::Depth && outer_depth + inner_depth >= MAX_DEPTH, "{error:?}: {encoded}"),
        }
    }
}
