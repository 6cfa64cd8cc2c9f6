use super::*;
use crate::inspect::engine::canonical::coding::{Coding, inflate};
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use std::fmt::Write as _;
use std::io::Write as _;

const SECRET: &str = "mario.rossi@example.test";
/// How often a byte, derived ones included, may be looked at.
const VISITS: u64 = 48;

fn packed(bytes: &[u8], alphabet: &[u8], bits: u32) -> String {
    let mut text = String::new();
    let (mut held, mut sum) = (0, 0_u32);
    for &byte in bytes {
        sum = sum << 8 | u32::from(byte);
        held += 8;
        while held >= bits {
            held -= bits;
            text.push(char::from(alphabet[(sum >> held) as usize & ((1 << bits) - 1)]));
        }
    }
    if held > 0 {
        text.push(char::from(alphabet[(sum << (bits - held)) as usize & ((1 << bits) - 1)]));
    }
    text
}

const STANDARD: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn base64(bytes: &[u8]) -> String {
    let mut text = packed(bytes, STANDARD, 6);
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

fn mime(bytes: &[u8], line: usize, end: &str) -> String {
    let text = base64(bytes);
    let lines: Vec<&str> = text.as_bytes().chunks(line).map(|line| std::str::from_utf8(line).unwrap()).collect();
    lines.join(end)
}

fn base32(bytes: &[u8]) -> String {
    packed(bytes, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 5)
}

fn each(bytes: &[u8], form: impl Fn(u8) -> String, gap: &str) -> String {
    bytes.iter().map(|&byte| form(byte)).collect::<Vec<_>>().join(gap)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

type Encode = fn(&str) -> String;
const ENCODINGS: &[(&str, Encode)] = &[
    ("base64", |text| base64(text.as_bytes())),
    ("base64 without padding", |text| packed(text.as_bytes(), STANDARD, 6)),
    ("base64url", |text| packed(text.as_bytes(), URL, 6)),
    ("mime", |text| mime(text.as_bytes(), 20, "\r\n")),
    ("mime of odd lines", |text| mime(text.as_bytes(), 17, "\n  ")),
    ("base64 of UTF-16", |text| base64(&utf16(text))),
    ("base64 in a path", |text| format!("/api/v2/{}", packed(text.as_bytes(), URL, 6))),
    ("base64 of gzip", |text| base64(&gzip(text.as_bytes()))),
    ("base32", |text| base32(text.as_bytes())),
    ("base32 lower", |text| base32(text.as_bytes()).to_lowercase()),
    ("hex", |text| each(text.as_bytes(), |byte| format!("{byte:02x}"), "")),
    ("hex with 0x", |text| format!("0x{}", each(text.as_bytes(), |byte| format!("{byte:02X}"), ""))),
    ("hex of UTF-16", |text| each(&utf16(text), |byte| format!("{byte:02x}"), "")),
    ("hex, odd prefix", |text| format!("f{}", each(text.as_bytes(), |byte| format!("{byte:02x}"), ""))),
    ("hex in groups", |text| each(text.as_bytes(), |byte| format!("{byte:02x}"), " ")),
    ("hex with colons", |text| each(text.as_bytes(), |byte| format!("{byte:02X}"), ":")),
    ("hex as C", |text| each(text.as_bytes(), |byte| format!("0x{byte:02x}"), ", ")),
    ("hex as string", |text| each(text.as_bytes(), |byte| format!("\\x{byte:02x}"), "")),
    ("percent", |text| each(text.as_bytes(), |byte| format!("%{byte:02x}"), "")),
    ("percent of some", |text| text.replace('@', "%40").replace('.', "%2E")),
    ("percent u", |text| text.encode_utf16().fold(String::new(), |sum, unit| sum + &format!("%u{unit:04x}"))),
    ("HTML decimal", |text| text.chars().fold(String::new(), |sum, from| sum + &format!("&#{};", u32::from(from)))),
    ("HTML number, open", |text| text.replace('@', "&#000064")),
    ("HTML names", |text| text.replace('&', "&amp;").replace('@', "&commat;").replace('.', "&period;")),
    ("quoted-printable", |text| each(text.as_bytes(), |byte| format!("={byte:02X}"), "")),
    ("quoted-printable lines", |text| text.replace('=', "=3D").replace('@', "=\r\n@")),
    ("encoded word B", |text| format!("=?utf-8?B?{}?=", base64(text.as_bytes()))),
    ("encoded words Q", |text| {
        format!("=?x?=?iso-8859-1*en?q?{}?= =?utf-8?Q??=", each(text.as_bytes(), |byte| format!("={byte:02x}"), ""))
    }),
    ("JSON escapes", |text| text.encode_utf16().fold(String::new(), |sum, unit| sum + &format!("\\u{unit:04x}"))),
    ("ES escapes", |text| text.chars().fold(String::new(), |sum, from| sum + &format!("\\u{{{:x}}}", u32::from(from)))),
    ("JSON in JSON", |text| format!("{{\"a\":\"{}\"}}", text.replace('\\', "\\\\").replace('"', "\\\"")).replace('"', "\\\"")),
];

/// All texts that are found.
fn seen(text: &str) -> Result<Vec<String>, Unreadable> {
    let mut texts = Vec::new();
    walk(text.as_bytes(), 0, &mut Budget::new(text.len()), &mut |found, _| {
        if let Derived::Text { text, .. } | Derived::Json { text } = found {
            texts.push(text.to_owned());
        }
    })?;
    Ok(texts)
}

fn sees(encoded: &str, what: &str) -> bool {
    seen(encoded).is_ok_and(|texts| texts.iter().any(|text| text.contains(what)))
}

fn first(text: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    derived(text, 0, &mut Budget::new(text.len()), &mut |derived, _| {
        found.push(match derived {
            Derived::Text { via, text } => format!("Text {via:?} {text}"),
            Derived::Json { text } => format!("Json {text}"),
            Derived::Bytes { via, magic, .. } => format!("Bytes {via:?} {magic:?}"),
            Derived::Opaque { via, len } => format!("Opaque {via:?} {len}"),
        });
        Ok(())
    })
    .unwrap();
    found
}

#[test]
fn every_encoding_is_seen_through() {
    for (name, encode) in ENCODINGS {
        let encoded = encode(SECRET);
        assert!(!encoded.contains(SECRET) || *name == "JSON in JSON", "{name}");
        assert!(sees(&encoded, SECRET), "{name}: {encoded}");
        assert!(sees(&format!("value: {encoded} end"), SECRET), "{name}: {encoded}");
    }
}

#[test]
fn every_pair_of_encodings_is_seen_through() {
    for (outer, encode_again) in ENCODINGS {
        for (inner, encode) in ENCODINGS {
            let encoded = encode_again(&encode(SECRET));
            match seen(&encoded) {
                Ok(texts) => assert!(texts.iter().any(|text| text.contains(SECRET)), "{outer} of {inner}: {encoded}"),
                Err(error) => assert!(matches!(error, Unreadable::Depth | Unreadable::Budget), "{outer} of {inner}: {error:?}"),
            }
        }
    }
}

#[test]
fn depth_is_bounded() {
    let mut text = SECRET.to_owned();
    for _ in 0..4 {
        text = base64(text.as_bytes());
        assert!(sees(&text, SECRET));
    }
    assert_eq!(seen(&base64(text.as_bytes())), Err(Unreadable::Depth));
    let mut percent = "a%40b".to_owned();
    for _ in 0..10 {
        percent = percent.replace('%', "%25");
    }
    assert_eq!(seen(&percent), Err(Unreadable::Depth));
}

#[test]
fn harmless_values_are_passed_over() {
    let values = [
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "d41d8cd98f00b204e9800998ecf8427e",
        "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
        "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
        "{B6B5DFD0-5F9B-4D0C-9D6E-5A8E0F1B2C3D}",
        "3F:2B:8A:11:C0:FF:EE:01:23:45:67:89:AB:CD:EF:00:11:22:33:44",
        "E3 06 04 00 FF FB EB BF",
        r"C:\Program Files (x86)\Imagicle\UCX\Applications\new_tables\users.exe",
        r"C:\Windows\system32\config\systemprofile\AppData\Local",
        "%SystemRoot%\\System32\\drivers\\usbhub.sys",
        "/usr/lib/x86_64-linux-gnu/gstreamer-1.0/libgstvideoparsersbad.so",
        "Microsoft-Windows-TerminalServices-RemoteConnectionManager",
        "AntidisestablishmentarianismAndOtherVeryLongWordsInCamelCase",
        "Windows\nServer\nDatacenter\nEvaluation\nStandard\nEnterprise\n",
        "1548138160707 9223372036853013087 132489123456789012",
        "10.0.17763.1 20.70.10.2 a=10&b=1f&c=ab",
        "R&D 50% off; Johnson & Johnson, 100%",
        "12,34,56,78,90,11,22,33,44,55,66,77",
        "00330-80000-00000-AA123",
        "To Be Filled By O.E.M.",
    ];
    for value in values {
        assert!(first(value.as_bytes()).is_empty(), "{value}: {:?}", first(value.as_bytes()));
    }
}

#[test]
fn binary_is_reported() {
    let png = [b"\x89PNG\r\n\x1a\n".as_slice(), &[0xff; 40]].concat();
    for encoded in [base64(&png), each(&png, |byte| format!("{byte:02x}"), ""), each(&png, |byte| format!("{byte:02x}"), " ")] {
        assert!(first(encoded.as_bytes()).iter().any(|found| found.contains("Image")), "{encoded}");
    }
    assert!(first(&png).iter().any(|found| found.contains("Image")));
    let edid = [b"\x00\xff\xff\xff\xff\xff\xff\x00".as_slice(), &[0x9c; 120]].concat();
    let found = first(each(&edid, |byte| format!("{byte:02X}"), "").as_bytes());
    assert!(found.len() == 1 && found[0].contains("Edid"), "{found:?}");
}

#[test]
fn what_decodes_to_nothing_is_opaque() {
    let noise: Vec<u8> = (0..400_u32).map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()[2] | 0x80).collect();
    let is_opaque = |text: &str| first(text.as_bytes()).iter().any(|found| found.starts_with("Opaque"));
    assert!(is_opaque(&base64(&noise)));
    assert!(is_opaque(&mime(&noise, 76, "\r\n")));
    assert!(is_opaque(&format!("-----BEGIN KEY-----\n{}", mime(&noise, 64, "\n"))));
    assert!(is_opaque(&each(&noise, |byte| format!("{byte:02x}"), "")));
    assert!(is_opaque(&each(&noise, |byte| format!("{byte:02x}"), " ")));
    assert!(is_opaque(&"A".repeat(256)));
    assert!(!is_opaque(&"A".repeat(255)));
    assert!(!is_opaque(&"Datacenter\nEvaluation\nStandard\n".repeat(20)));
    assert!(first(&noise).iter().any(|found| found.starts_with("Opaque")));
}

#[test]
fn text_is_found_beside_binary() {
    let noise = [0x91; 30];
    for inner in [SECRET.as_bytes().to_vec(), utf16(SECRET)] {
        let bytes = [&noise, &*inner, &noise].concat();
        assert!(sees(&base64(&bytes), SECRET));
        assert!(sees(&each(&bytes, |byte| format!("{byte:02x}"), ""), SECRET));
    }
}

#[test]
fn budgets_are_kept() {
    let one = base64(b"some text that is printable");
    let many = format!("{one} ").repeat(257);
    assert_eq!(seen(&many), Err(Unreadable::Blobs));
    let bomb = base64(&gzip(&vec![b'a'; 60_000]));
    assert_eq!(seen(&bomb), Err(Unreadable::TooLarge));
    let mut budget = Budget::new(10_000);
    assert_eq!(budget.left(), 40_000);
    assert!(budget.charge(40_000).is_ok());
    assert_eq!(budget.charge(1), Err(Unreadable::Budget));
    assert!(inflate(Coding::Gzip, b"\x1f\x8b\x08", &Limits::default()).is_err());
}

fn visits(text: &[u8]) -> u64 {
    let mut budget = Budget::new(text.len());
    let before = budget.left();
    let _ = walk(text, 0, &mut budget, &mut |_, _| {});
    let all = text.len() as u64 + (before - budget.left()) as u64;
    assert!(budget.visited() <= VISITS * all, "{} visits for {all} bytes", budget.visited());
    budget.visited()
}

#[test]
fn work_is_linear_on_hostile_text() {
    let nested = (0..4).fold(SECRET.repeat(300), |text, _| base64(text.as_bytes()));
    let lines = (1..200).rev().fold(String::new(), |mut sum, len| {
        let _ = writeln!(sum, "{}", "QUJD".repeat(len));
        sum
    });
    let patterns = [
        "A",
        "%",
        "%2",
        "%25",
        "=",
        "=?",
        "=?a?B?",
        "=?a?B?QUJD",
        "&",
        "&#",
        "&#1",
        "&amp;",
        "\\",
        "\\u",
        "\\u00",
        "\\\"",
        "\n",
        "A\n",
        "A\n ",
        "0x",
        "00 ",
        "ff:",
        "deadbeef",
        "QUJD",
        "QUJDREVGR0hJSktM\n",
        "{",
        "[\"",
        "=\n",
        "1",
        "\0",
        "a\0",
    ];
    for text in patterns.iter().map(|pattern| pattern.repeat(30_000 / pattern.len())).chain([nested, lines]) {
        let half = visits(&text.as_bytes()[..text.len() / 2]);
        let whole = visits(text.as_bytes());
        assert!(whole <= 3 * half + 1000, "{:?}: {half}, then {whole}", &text[..8]);
    }
}

proptest! {
    #[test]
    fn what_holds_nothing_need_not_be_walked(text in "([a-f0-9]{2}[ :.,;-]?){0,24}|([%&\\\\=?#;xu{\\[0-9a-fA-F\n \":,.]|[A-Za-z0-9+/_-]{1,20}|é){0,30}") {
        if !may_hold(&text, &crate::inspect::engine::marks::Marks::of(text.as_bytes())) {
            prop_assert_eq!(seen(&text), Ok(Vec::new()), "{}", text);
        }
    }

    #[test]
    fn text_in_any_nesting_is_seen(secret in "[a-z]{3,8}\\.[a-z]{4,9}@[a-z]{4,9}\\.(test|example)", which in prop::collection::vec(0..ENCODINGS.len(), 1..4)) {
        let encoded = which.iter().fold(secret.clone(), |text, &which| ENCODINGS[which].1(&text));
        match seen(&encoded) {
            Ok(texts) => prop_assert!(texts.iter().any(|text| text.contains(&secret)), "{}", encoded),
            Err(error) => prop_assert!(matches!(error, Unreadable::Depth | Unreadable::Budget)),
        }
    }

    #[test]
    fn bytes_survive_each_alphabet(text in "[ -~]{16,90}") {
        let packed: [String; 4] = [base64(text.as_bytes()), mime(text.as_bytes(), 19, "\r\n"), base32(text.as_bytes()), each(text.as_bytes(), |byte| format!("{byte:02x}"), "")];
        for encoded in packed {
            let mut found = false;
            derived(encoded.as_bytes(), 0, &mut Budget::new(encoded.len()), &mut |derived, _| {
                found |= matches!(derived, Derived::Text { text: seen, .. } if seen == text);
                Ok(())
            }).unwrap();
            let digits_only = encoded.len() < 40 && encoded.bytes().all(|byte| byte.is_ascii_digit());
            prop_assert!(found || digits_only, "{}", encoded);
        }
    }

    #[test]
    fn survives_anything(bytes in prop::collection::vec(any::<u8>(), 0..600), depth in 0..6_u8) {
        let _ = derived(&bytes, depth, &mut Budget::new(bytes.len()), &mut |_, _| Ok(()));
        visits(&bytes);
    }

    #[test]
    fn survives_anything_of_escapes(text in "([%&\\\\=?#;xuUB\\{\\}0-9a-fA-F\\n \\[\":,]|&#x|=\\?|[A-Za-z]{16,20}|\\\\u[dD][89a-f]00){0,80}") {
        visits(text.as_bytes());
    }
}
