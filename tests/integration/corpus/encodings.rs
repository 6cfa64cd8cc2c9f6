//! How a value may be wrapped on its way.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::fmt::Write as _;
use std::io::Write as _;

/// An encoding of a text.
pub(crate) type Encoding = (&'static str, fn(&str) -> String);

/// Encodings of a value; those of a whole message are in the test itself.
pub(crate) const ENCODINGS: &[Encoding] = &[
    ("plain", str::to_owned),
    ("base64", |text| base64(text.as_bytes())),
    ("base64url", |text| base64_url(text.as_bytes())),
    ("base64 without padding", |text| base64(text.as_bytes()).trim_end_matches('=').to_owned()),
    ("base64 in lines", |text| lines(&base64(format!("{BEFORE}{text}{BEHIND}").as_bytes()))),
    ("base32", |text| base32(text.as_bytes())),
    ("hex", |text| hex(text.as_bytes())),
    ("spaced hex", |text| each(text.as_bytes(), |byte| format!("{byte:02X} ")).trim_end().to_owned()),
    ("percent", |text| percent(text)),
    ("percent twice", |text| percent(text).replace('%', "%25")),
    ("HTML entities", entities),
    ("HTML entities in hex", |text| {
        text.chars()
            .map(|letter| if letter.is_alphanumeric() { letter.to_string() } else { format!("&#x{:x};", u32::from(letter)) })
            .collect()
    }),
    ("backslash u", |text| {
        text.encode_utf16().fold(String::new(), |mut all, unit| {
            let _ = write!(all, "\\u{unit:04x}");
            all
        })
    }),
    ("quoted-printable", quoted_printable),
    ("fullwidth", |text| text.chars().map(fullwidth).collect()),
    ("zero width", |text| text.chars().flat_map(|letter| [letter, '\u{200b}']).collect()),
    ("Arabic-Indic digits", |text| text.chars().map(arabic).collect()),
    ("JSON in a string", |text| serde_json::json!({ "text": text }).to_string()),
    ("gzip in base64", |text| base64(&gzip(format!("{BEFORE}{text}{BEHIND}").as_bytes()))),
    ("base64 twice", |text| base64(base64(text.as_bytes()).as_bytes())),
];

const BEFORE: &str = "This is the log of the last night, everything went as it should:\n";
const BEHIND: &str = "\nand so it was closed without further action, see the report.";

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 4648 section 4.
pub(crate) fn base64(bytes: &[u8]) -> String {
    let mut all = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_usize, |word, byte| word << 8 | usize::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let letter = char::from(STANDARD[word >> (18 - 6 * at) & 63]);
            all.push(if at <= chunk.len() { letter } else { '=' });
        }
    }
    all
}

/// RFC 4648 section 5, without padding.
pub(crate) fn base64_url(bytes: &[u8]) -> String {
    base64(bytes).replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned()
}

/// RFC 2045 section 6.8: lines of 76.
fn lines(text: &str) -> String {
    text.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).expect("ASCII")).collect::<Vec<_>>().join("\r\n")
}

/// RFC 4648 section 6.
fn base32(bytes: &[u8]) -> String {
    let mut all = String::new();
    for chunk in bytes.chunks(5) {
        let word = chunk.iter().fold(0_u64, |word, byte| word << 8 | u64::from(*byte)) << (8 * (5 - chunk.len()));
        let letters = (chunk.len() * 8).div_ceil(5);
        for at in 0..8 {
            let value = usize::try_from(word >> (35 - 5 * at) & 31).expect("five bits");
            all.push(if at < letters { char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[value]) } else { '=' });
        }
    }
    all
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    each(bytes, |byte| format!("{byte:02x}"))
}

fn each(bytes: &[u8], write: impl Fn(u8) -> String) -> String {
    bytes.iter().map(|byte| write(*byte)).collect()
}

fn percent(text: &str) -> String {
    each(text.as_bytes(), |byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
}

/// RFC 2045 section 6.7, with a soft line break every 60 bytes.
fn quoted_printable(text: &str) -> String {
    let written: Vec<String> =
        text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("={byte:02X}") }).collect();
    written.chunks(24).map(<[String]>::concat).collect::<Vec<_>>().join("=\r\n")
}

/// HTML's decimal references (HTML Standard, 13.1.4).
fn entities(text: &str) -> String {
    text.chars().fold(String::new(), |mut all, letter| {
        let _ = write!(all, "&#{};", u32::from(letter));
        all
    })
}

fn fullwidth(letter: char) -> char {
    if ('!'..='~').contains(&letter) { char::from_u32(u32::from(letter) + 0xfee0).expect("a character") } else { letter }
}

fn arabic(letter: char) -> char {
    letter.to_digit(10).map_or(letter, |digit| char::from_u32(0x660 + digit).expect("a digit"))
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}
