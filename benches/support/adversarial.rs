//! Messages made to cost time. Each is of about the size asked for.

use std::fmt::Write as _;

/// Makes a message of about so many bytes.
pub type Generator = fn(usize) -> Vec<u8>;

/// All of them that are JSON, by name.
pub const JSON: &[(&str, Generator)] = &[
    ("all-A", |size| value("A", size)),
    ("all-at", |size| value("@", size)),
    ("a-at-b", |size| value("a@b.", size)),
    ("dotted-ones", |size| value("1.1.1.1.", size)),
    ("plus-39", |size| value("+39", size)),
    ("plus-39-blank", |size| value("+39 ", size)),
    ("backslashes", |size| value("\\\\", size)),
    ("paths", |size| value("\\\\Users\\\\", size)),
    ("domain-user", |size| value("AB\\\\cd ", size)),
    ("colons", |size| value(":", size)),
    ("hex-colons", |size| value("0a:", size)),
    ("dots", |size| value(".", size)),
    ("digits", |size| value("7", size)),
    ("digit-groups", |size| value("02 1234 5678 ", size)),
    ("zeros", |size| value("00", size)),
    ("slashes", |size| value("/home/", size)),
    ("percent", |size| value("%25", size)),
    ("ampersands", |size| value("&#6", size)),
    ("equals", |size| value("a=", size)),
    ("json-web-token", |size| value("eyJ.", size)),
    ("sids", |size| value("S-1-5-21-", size)),
    ("commas", |size| value("1,", size)),
    ("words", |size| value("Mario Rossi ", size)),
    ("umlauts", |size| value("é", size)),
    ("full-width", |size| value("＠", size)),
    ("iban", |size| value("IT60X054 ", size)),
    ("hex", |size| value("deadbeef", size)),
    ("card-groups", |size| value("4111 1111 ", size)),
    ("small-values", |size| array("\"a@b\",", size)),
    ("small-numbers", |size| array("1234567890123,", size)),
    ("small-names", |size| array("\"Rossi\",", size)),
    ("other-values", |size| numbered(size, |number| format!("\"{number:x}@b\""))),
    ("other-names", |size| numbered(size, |number| format!("\"Ros{number:x}\""))),
    ("nested-base64", nested_base64),
    ("many-keys", many_keys),
    ("deep-keys", deep_keys),
    ("deep", deep),
];

/// One value of one key that nobody documents.
fn value(piece: &str, size: usize) -> Vec<u8> {
    format!("{{\"note\":\"{}\"}}", piece.repeat(size.saturating_sub(11) / piece.len())).into_bytes()
}

/// An array of the same value.
fn array(piece: &str, size: usize) -> Vec<u8> {
    let elements = piece.repeat(size.saturating_sub(12) / piece.len());
    format!("{{\"note\":[{}]}}", elements.trim_end_matches(',')).into_bytes()
}

/// An array of values that are all different.
fn numbered(size: usize, element: impl Fn(u32) -> String) -> Vec<u8> {
    let mut text = String::from("{\"note\":[");
    let mut number = 0;
    while text.len() < size {
        text.push_str(&element(number));
        text.push(',');
        number += 1;
    }
    text.pop();
    text.push_str("]}");
    text.into_bytes()
}

/// Base64 of base64 of base64 of a text.
fn nested_base64(size: usize) -> Vec<u8> {
    let mut text = "The quick brown fox jumps over it. ".repeat(1 + size * 27 / 64 / 35);
    for _ in 0..3 {
        text = base64(text.as_bytes());
    }
    format!("{{\"note\":\"{text}\"}}").into_bytes()
}

/// RFC 4648 section 4, with padding.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let index = usize::try_from(bits >> (18 - 6 * at) & 63).unwrap_or_default();
            out.push(if at <= chunk.len() { char::from(*ALPHABET.get(index).expect("six bits")) } else { '=' });
        }
    }
    out
}

/// Keys that nobody has seen, each once.
fn many_keys(size: usize) -> Vec<u8> {
    let mut text = String::from("{");
    let mut number = 0_u32;
    while text.len() < size {
        let _ = write!(text, "\"k{number:x}\":1,");
        number += 1;
    }
    text.pop();
    text.push('}');
    text.into_bytes()
}

/// Keys that nobody has seen, each once, inside as many containers as there may be.
fn deep_keys(size: usize) -> Vec<u8> {
    let depth = 30;
    let keys = many_keys(size.saturating_sub(depth * 5));
    let mut text = "{\"a\":".repeat(depth).into_bytes();
    text.extend_from_slice(&keys);
    text.extend(std::iter::repeat_n(b'}', depth));
    text
}

/// Containers inside one another, again and again.
fn deep(size: usize) -> Vec<u8> {
    let one = format!("{}\"a@b\"{}", "{\"a\":[".repeat(14), "]}".repeat(14));
    let mut text = String::from("[");
    while text.len() < size {
        text.push_str(&one);
        text.push(',');
    }
    text.pop();
    text.push(']');
    text.into_bytes()
}
