//! Values of persons, in all encodings, in a documented field of each kind.

use super::{headers, inspector};
use crate::inspect::Verdict;
use crate::inspect::engine::format::base64::tests::encode as base64;
use crate::inspect::engine::walk::Unknown;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What must be found, by name.
const VALUES: &[(&str, &str)] = &[
    ("address", "mario.rossi@example.com"),
    ("account", "ACME\\mrossi"),
    ("number", "+39 333 123 4567"),
    ("payment card", "4111 1111 1111 1111"),
    ("bank account", "IT60X0542811101000000123456"),
    ("tax code", "RSSMRA85T10A562S"),
    ("path", "C:\\Users\\mrossi\\x.exe"),
    ("network card", "00:1B:21:AA:BB:CC"),
    ("address of a call", "sip:mario@example.com"),
];

type Encode = fn(&str) -> String;

/// How it may be written, by name.
const ENCODINGS: &[(&str, Encode)] = &[
    ("plain", str::to_owned),
    ("base64", |text| base64(text.as_bytes())),
    ("base64 without padding", |text| bare64(text.as_bytes())),
    ("base64 for addresses", |text| bare64(text.as_bytes()).replace('+', "-").replace('/', "_")),
    ("base64 of UTF-16", |text| base64(&text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>())),
    ("base64 behind a folder", |text| format!("App/{}", base64(text.as_bytes()))),
    ("base64 in groups", |text| base64(text.as_bytes()).as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ")),
    ("base64 twice", |text| base64(base64(text.as_bytes()).as_bytes())),
    ("base64 of hexadecimal", |text| base64(bytes(text, |byte| format!("{byte:02x}")).as_bytes())),
    ("base32", base32),
    ("base32 in small letters", |text| base32(text).to_lowercase()),
    ("hexadecimal", |text| bytes(text, |byte| format!("{byte:02x}"))),
    ("hexadecimal in capitals", |text| bytes(text, |byte| format!("{byte:02X}"))),
    ("hexadecimal with blanks", |text| bytes(text, |byte| format!("{byte:02x} "))),
    ("hexadecimal with colons", |text| bytes(text, |byte| format!("{byte:02x}:"))),
    ("percent", |text| bytes(text, |byte| format!("%{byte:02x}"))),
    ("percent twice", |text| bytes(text, |byte| format!("%25{byte:02x}"))),
    ("percent of signs", |text| signs(text, |sign| format!("%{:02x}", u32::from(sign)))),
    ("percent of UTF-16", |text| bytes(text, |byte| format!("%u{byte:04x}"))),
    ("HTML", |text| bytes(text, |byte| format!("&#{byte};"))),
    ("HTML of signs", |text| signs(text, |sign| format!("&#x{:x};", u32::from(sign)))),
    ("backslash x", |text| bytes(text, |byte| format!("\\x{byte:02x}"))),
    ("backslash u", |text| bytes(text, |byte| format!("\\u{byte:04x}"))),
    ("octal", |text| bytes(text, |byte| format!("\\{byte:03o}"))),
    ("UTF-7 of the plus sign", |text| text.replace('+', "+-")),
    ("UTF-7", |text| format!("+{}-", bare64(&text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>()))),
    ("UTF-7 of signs", |text| signs(text, |sign| format!("+{}-", bare64(&(sign as u16).to_be_bytes())))),
    ("quoted-printable", |text| signs(text, |sign| format!("={:02X}", u32::from(sign)))),
    ("encoded word", |text| format!("=?utf-8?B?{}?=", base64(text.as_bytes()))),
    ("codes", |text| format!("{:?}", text.as_bytes())),
    ("codes with commas", |text| bytes(text, |byte| format!("{byte},"))),
    ("codes with blanks", |text| bytes(text, |byte| format!("{byte} "))),
    ("codes with semicolons", |text| bytes(text, |byte| format!("{byte};"))),
    ("codes of UTF-16", |text| bytes(text, |byte| format!("{byte} 0 "))),
    ("base64 of codes", |text| base64(bytes(text, |byte| format!("{byte} ")).as_bytes())),
    ("hexadecimal codes", |text| bytes(text, |byte| format!("0x{byte:02x}, "))),
    ("octal codes", |text| bytes(text, |byte| format!("{byte:03o} "))),
    ("bits", |text| bytes(text, |byte| format!("{byte:08b} "))),
    ("bits in a row", |text| bytes(text, |byte| format!("{byte:08b}"))),
    ("JSON", |text| json!({ "x": text }).to_string()),
    ("full width", |text| letters(text, |letter| if letter.is_ascii_graphic() { wide(letter) } else { letter.to_string() })),
    ("joined by nothing", |text| letters(text, |letter| format!("{letter}\u{200b}"))),
    ("spaced", |text| letters(text, |letter| format!("{letter} "))),
    ("spaced widely", |text| letters(text, |letter| format!("{letter}  "))),
    ("spaced behind a drive", |text| format!("C: {}", letters(text, |letter| format!("{letter} ")))),
    ("with commas", |text| letters(text, |letter| format!("{letter}, "))),
    ("with spaces and nothing", |text| letters(text, |letter| format!("{letter}\u{200b} "))),
    ("spaced behind a word", |text| format!("Agent {}", letters(text, |letter| format!("{letter} ")))),
    ("with dots", |text| text.chars().map(String::from).collect::<Vec<_>>().join(".")),
    ("with marks", |text| letters(text, |letter| if letter.is_alphabetic() { format!("{letter}\u{301}") } else { letter.to_string() })),
    ("Cyrillic", |text| text.replace('a', "\u{430}").replace('o', "\u{43e}").replace('e', "\u{435}")),
    ("behind a word", |text| format!("Agent {text}")),
    ("behind a hyphen", |text| format!("Agent-{text}")),
    ("behind an underscore", |text| format!("Agent_{text}")),
    ("before a version", |text| format!("{text} 1.2")),
    ("with a control", |text| format!("{}\u{1}{}", &text[..4], &text[4..])),
];

fn bytes(text: &str, each: impl Fn(u8) -> String) -> String {
    text.bytes().map(each).collect()
}

fn letters(text: &str, each: impl Fn(char) -> String) -> String {
    text.chars().map(each).collect()
}

fn signs(text: &str, each: impl Fn(char) -> String) -> String {
    letters(text, |letter| if letter.is_alphanumeric() { letter.to_string() } else { each(letter) })
}

fn wide(letter: char) -> String {
    char::from_u32(u32::from(letter) + 0xfee0).map(String::from).expect("a letter of full width")
}

fn bare64(bytes: &[u8]) -> String {
    base64(bytes).trim_end_matches('=').to_owned()
}

fn base32(text: &str) -> String {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: Vec<u8> = text.bytes().flat_map(|byte| (0..8).rev().map(move |place| byte >> place & 1)).collect();
    let digit = |group: &[u8]| (0..5).fold(0, |sum, place| sum << 1 | usize::from(group.get(place).copied().unwrap_or_default()));
    bits.chunks(5).map(|group| char::from(DIGITS[digit(group)])).collect()
}

/// The first documented field of each slot, as the keys that lead to it.
fn fields() -> BTreeMap<String, Vec<String>> {
    let shape: toml::Table = toml::from_str(include_str!("../../../config/policy/shape.toml")).expect("the shape is TOML");
    let mut fields = BTreeMap::new();
    for field in shape["field"].as_array().expect("a list of fields") {
        let keys = field["keys"][0].as_str().expect("a key");
        let slot = field["slot"].as_str().expect("a slot").to_owned();
        fields.entry(slot).or_insert_with(|| keys.split(':').map(camel).collect());
    }
    fields
}

fn camel(words: &str) -> String {
    let mut words = words.split_whitespace();
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |sum, word| sum + &word[..1].to_uppercase() + &word[1..])
}

fn message(keys: &[String], text: &str) -> Value {
    keys.iter().rev().fold(json!(text), |value, key| json!({ key: value }))
}

/// An instance of a database is named `HOST\INSTANCE`, which looks as accounts do; a token is opaque. Three groups and a piece of one
/// may be words.
fn may_pass(slot: &str, value: &str, encoding: &str) -> bool {
    value == "account" && (matches!(slot, "identifier" | "token") || encoding == "base64 in groups")
}

#[test]
fn no_field_takes_what_is_somebodys_in_any_encoding() {
    let inspector = inspector(Unknown::Observe);
    let json = headers(&[("content-type", "application/json")]);
    let fields = fields();
    assert!(fields.len() >= 24, "{fields:?}");
    let mut through = Vec::new();
    for (slot, keys) in &fields {
        for (value, text) in VALUES {
            for (encoding, encode) in ENCODINGS.iter().filter(|(encoding, _)| !may_pass(slot, value, encoding)) {
                let message = message(keys, &encode(text)).to_string();
                if inspector.body(&json, message.as_bytes()) == Verdict::Clean {
                    through.push(format!("{slot}, {value}, {encoding}: {message}"));
                }
            }
        }
    }
    assert!(through.is_empty(), "{through:#?}");
}
