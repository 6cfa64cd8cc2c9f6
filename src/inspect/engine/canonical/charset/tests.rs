use super::*;
use proptest::prelude::*;

fn utf16le(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn utf16be(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

fn utf32le(text: &str) -> Vec<u8> {
    text.chars().flat_map(|character| u32::from(character).to_le_bytes()).collect()
}

fn utf32be(text: &str) -> Vec<u8> {
    text.chars().flat_map(|character| u32::from(character).to_be_bytes()).collect()
}

#[test]
fn utf8_is_borrowed() {
    for declared in [None, Some("utf-8"), Some("UTF8"), Some("\"utf-8\"")] {
        let readings = readings(declared, "Zoë".as_bytes()).unwrap();
        assert!(matches!(readings.as_slice(), [Cow::Borrowed("Zoë")]), "{declared:?}");
    }
    assert!(matches!(readings(Some("us-ascii"), b"abc").unwrap().as_slice(), [Cow::Borrowed("abc")]));
    assert!(matches!(readings(Some("iso-8859-15"), b"abc").unwrap().as_slice(), [Cow::Borrowed("abc")]));
    assert!(matches!(readings(None, b"\xef\xbb\xbfabc").unwrap().as_slice(), [Cow::Borrowed("abc")]));
}

#[test]
fn wide_text_is_told_by_mark_or_pattern() {
    let text = "mario.rossi@example.test, Zoë, Компания";
    for encode in [utf16le, utf16be, utf32le, utf32be] {
        assert_eq!(readings(None, &encode(text)).unwrap(), [text]);
        assert_eq!(readings(None, &encode(&format!("\u{FEFF}{text}"))).unwrap(), [text]);
    }
    assert_eq!(readings(Some("utf-16le"), &utf16le(text)).unwrap(), [text]);
    assert_eq!(readings(Some("utf-16"), &utf16le(&format!("\u{FEFF}{text}"))).unwrap(), [text]);
}

#[test]
fn contradictions_give_both_readings() {
    let bytes = utf16le("a@b.test");
    let wide = readings(Some("utf-8"), &bytes).unwrap();
    assert!(wide.contains(&"a@b.test".into()) && wide.len() == 2);
    let narrow = readings(Some("utf-16le"), b"a@b.test").unwrap();
    assert!(narrow.contains(&"a@b.test".into()) && narrow.len() == 2);
    let either = readings(Some("utf-16"), b"a@b.test").unwrap();
    assert!(either.contains(&"a@b.test".into()) && either.len() == 3);
    let marked = readings(Some("iso-8859-1"), b"\xef\xbb\xbfabc").unwrap();
    assert_eq!(marked, ["abc", "ï»¿abc"]);
    let latin = readings(Some("iso-8859-1"), "é".as_bytes()).unwrap();
    assert_eq!(latin, ["Ã©", "é"]);
    let ascii = readings(Some("us-ascii"), "é".as_bytes()).unwrap();
    assert_eq!(ascii, ["Ã©", "é"]);
    let mixed = readings(None, b"a\0\0a\0b").unwrap();
    assert_eq!(mixed.len(), 3);
}

#[test]
fn western_text_needs_to_be_plausible() {
    assert_eq!(readings(None, b"Universit\xe9 \x93caf\xe9\x94").unwrap(), ["Université “café”"]);
    assert_eq!(readings(Some("windows-1252"), b"\x80 5").unwrap(), ["€ 5"]);
    assert_eq!(readings(Some("ISO-8859-15"), b"\xa4 5").unwrap(), ["€ 5"]);
    for bytes in [b"\xca\xee\xec\xef\xe0\xed\xe8\xff".as_slice(), b"ab\x01\xe9", b"ab\x81", b"\xe9\xe9\xe9"] {
        assert_eq!(readings(None, bytes), Err(Unreadable::Text));
    }
    assert_eq!(readings(Some("utf-8"), b"caf\xe9 is fine"), Err(Unreadable::Text));
}

#[test]
fn other_charsets_are_refused() {
    for name in ["utf-7", "ibm037", "ebcdic-us", "gbk", "iso-2022-jp", "iso-8859-12", "iso-8859-1 x", "", "x-user-defined", "utf-8-sig"] {
        assert_eq!(readings(Some(name), b"abc"), Err(Unreadable::Charset), "{name}");
    }
    assert_eq!(readings(None, b"+/v8-abc"), Err(Unreadable::Charset));
}

#[test]
fn broken_wide_text_is_refused() {
    assert_eq!(readings(None, b"\xff\xfea\0\x00\xd8"), Err(Unreadable::Text));
    assert_eq!(readings(None, b"\xff\xfea"), Err(Unreadable::Text));
    assert_eq!(readings(Some("utf-16le"), b"a@b"), Err(Unreadable::Text));
}

proptest! {
    #[test]
    fn wide_encodings_are_read(text in "[ -~]{2,40}[à-ü]{0,5}") {
        for encode in [utf16le, utf16be, utf32le, utf32be] {
            let bytes = encode(&text);
            let readings = readings(None, &bytes).unwrap();
            prop_assert!(readings.contains(&Cow::Borrowed(text.as_str())));
        }
    }

    #[test]
    fn survives_anything(name in "utf-(8|16|16le|16be|32|32le|32be)|us-ascii|iso-8859-[0-9]{1,2}|[ -~]{0,12}|[à-ü]{0,9}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = readings(Some(&name), &bytes);
        let _ = readings(None, &bytes);
        for mark in [b"\xff\xfe".as_slice(), b"\xfe\xff", b"\xef\xbb\xbf", b"\xff\xfe\0\0", b"\0\0\xfe\xff"] {
            let _ = readings(Some(&name), &[mark, &bytes].concat());
        }
    }
}

#[test]
fn formats_that_are_unicode_have_no_other_charset() {
    assert_eq!(unicode("caff\u{e8}".as_bytes()), Ok(vec![Cow::Borrowed("caff\u{e8}")]));
    for wide in [&b"[\0]\0"[..], b"\xff\xfe[\0]\0", b"\0[\0]", b"\xef\xbb\xbf[]"] {
        assert_eq!(unicode(wide), Ok(vec![Cow::Borrowed("[]")]), "{wide:?}");
    }
    assert_eq!(readings(None, b"caff\xe8"), Ok(vec![Cow::Borrowed("caff\u{e8}")]), "a guess");
    assert_eq!(unicode(b"caff\xe8"), Err(Unreadable::Text));
}
