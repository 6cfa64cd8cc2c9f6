use super::*;
use crate::inspect::engine::format::testing::{Nesting, Recorder};
use proptest::prelude::*;

const SMALL: Limits = Limits { depth: 3, nodes: 8, key: 6, string: 10 };

fn events(pieces: &[&[u8]], limits: Limits) -> (String, Result<(), Malformed>) {
    let mut recorder = Recorder::default();
    let mut tokenizer = Tokenizer::new(limits);
    let outcome = pieces.iter().try_for_each(|piece| tokenizer.push(piece, &mut recorder)).and_then(|()| tokenizer.finish(&mut recorder));
    assert_eq!(tokenizer.finish(&mut recorder).is_err(), outcome.is_err(), "a failure stays");
    (recorder.text(), outcome)
}

fn read_text(text: &str) -> (String, Result<(), Malformed>) {
    events(&[text.as_bytes()], Limits::default())
}

#[test]
fn leaves_come_with_their_places() {
    for (text, expected) in [
        ("{}", "{ }"),
        (" [ ] ", ""),
        (r#""x""#, "s:x"),
        ("-0.10e+2", "n:-0.10e+2"),
        (r#"{"a":1,"b":[true,null,"x"],"c":{"d":false}}"#, "{ k:a n:1 . k:b [0 l:true ] [1 l:null ] [2 s:x ] . k:c { k:d l:false . } . }"),
        (r#"[[1],{"":""}]"#, "[0 [0 n:1 ] ] [1 { k: s: . } ]"),
        (r#"{"\u006da\/il":"m\u0040\ud83d\ude00\n"}"#, "{ k:ma/il s:m@\u{1f600}\n . }"),
        ("[123456789012345678901234567890,1E400e]", ""),
    ] {
        let (found, outcome) = read_text(text);
        if expected.is_empty() && text.len() > 10 {
            assert!(outcome.is_err());
            continue;
        }
        assert_eq!((found.as_str(), outcome), (expected, Ok(())), "{text}");
    }
}

#[test]
fn faults_name_the_rule_and_the_byte() {
    for (text, fault) in [
        ("\u{feff}{}", Fault::ByteOrderMark.at(0)),
        (" \u{feff}{}", Fault::Unexpected.at(1)),
        ("", Fault::Unfinished.at(0)),
        (r#"{"a":1,"A":2}"#, Fault::Duplicate.at(12)),
        (r#"{"a":1,"\u0061":2}"#, Fault::Duplicate.at(17)),
        (r#"["\ud800"]"#, Fault::Surrogate.at(8)),
        (r#"["\ud800\n"]"#, Fault::Surrogate.at(9)),
        (r#"["\ud800\ud800"]"#, Fault::Surrogate.at(13)),
        (r#"["\udc00"]"#, Fault::Surrogate.at(7)),
        (r#"["\x"]"#, Fault::Escape.at(3)),
        ("[\"a\u{1}\"]", Fault::Control.at(3)),
        ("[01]", Fault::Number.at(1)),
        ("[1e999]", Fault::Number.at(1)),
        ("[tru]", Fault::Unexpected.at(1)),
        ("{} {}", Fault::Trailing.at(3)),
        ("[1", Fault::Unfinished.at(2)),
    ] {
        assert_eq!(read_text(text).1, Err(fault), "{text}");
    }
    assert_eq!(events(&[b"[\"\xff\"]"], SMALL).1, Err(Fault::Utf8.at(2)));
    assert_eq!(events(&[b"[\"\xe2\x82"], SMALL).1, Err(Fault::Utf8.at(2)));
    assert!(Fault::Utf8.at(2).to_string().contains("byte 2"));
}

#[test]
fn limits_hold() {
    let limit = |text: &str| events(&[text.as_bytes()], SMALL).1;
    assert_eq!(limit("[[[]]]"), Ok(()));
    assert_eq!(limit("[[{}]]"), Ok(()));
    assert_eq!(limit("[[[[]]]]"), Err(Fault::Depth.at(3)));
    assert_eq!(limit("[1,2,3,4,5,6,7]"), Ok(()));
    assert_eq!(limit("[1,2,3,4,5,6,7,8]"), Err(Fault::Nodes.at(15)));
    assert_eq!(limit(r#"{"123456":1}"#), Ok(()));
    assert_eq!(limit(r#"{"1234567":1}"#), Err(Fault::Key.at(1)));
    assert_eq!(limit(r#"{"12345\u0036\u0037":1}"#), Err(Fault::Key.at(1)));
    assert_eq!(limit(r#""1234567890""#), Ok(()));
    assert_eq!(limit(r#""12345678901""#), Err(Fault::String.at(0)));
    assert_eq!(limit(r#""1234567890\n""#), Err(Fault::String.at(0)));
    assert_eq!(limit(&"1".repeat(257)), Err(Fault::String.at(0)));
    assert_eq!(limit(&"1".repeat(256)), Ok(()));
    assert_eq!(limit(&"[".repeat(1_000_000)), Err(Fault::Depth.at(3)));
    let members: Vec<String> = (0..60_000).map(|number| format!("\"k{number}\":0")).collect();
    assert_eq!(read_text(&format!("{{{}}}", members.join(","))).1, Ok(()));
    assert_eq!(read_text(&format!("{{{},\"K7\":1}}", members.join(","))).1.map_err(|malformed| malformed.fault), Err(Fault::Duplicate));
}

#[test]
fn a_tokenizer_is_blank_until_something_comes() {
    let mut tokenizer = Tokenizer::new(SMALL);
    assert!(tokenizer.is_blank());
    tokenizer.push(b" \r\t", &mut Recorder::default()).expect("white space");
    assert!(tokenizer.is_blank());
    tokenizer.push(b"[", &mut Recorder::default()).expect("an array");
    assert!(!tokenizer.is_blank());
}

#[test]
fn every_cut_in_two_says_the_same() {
    for text in suite::WELL_FORMED.iter().chain(suite::MALFORMED) {
        for limits in [Limits::default(), SMALL] {
            let whole = events(&[text.as_bytes()], limits);
            for at in 0..=text.len() {
                let (left, right) = text.as_bytes().split_at(at);
                assert_eq!(events(&[left, right], limits), whole, "{text} at {at}");
            }
            let singles: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(events(&singles, limits), whole, "{text} byte by byte");
        }
    }
    for bytes in suite::MALFORMED_BYTES {
        let whole = events(&[bytes], Limits::default());
        for at in 0..=bytes.len() {
            let (left, right) = bytes.split_at(at);
            assert_eq!(events(&[left, right], Limits::default()), whole, "{bytes:?} at {at}");
        }
    }
}

/// Text that is often nearly a document.
fn fragments() -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "\"A\"",
        "\"b\\n\"",
        "\"",
        "\\",
        "\\u",
        "d83d",
        "\\ud83d\\ude00",
        "é",
        "😀",
        "1",
        "-",
        "0.5",
        "e9",
        "true",
        "null",
        " ",
        "\n",
        "\u{1}",
        "{\"a\":",
        "\"k\":1",
        "[1,2]",
    ]);
    prop::collection::vec(fragment, 0..24).prop_map(|parts| parts.concat().into_bytes())
}

proptest! {
    #[test]
    fn random_cuts_say_the_same(bytes in fragments(), noise in any::<Option<(prop::sample::Index, u8)>>(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8)) {
        let mut bytes = bytes;
        if let (Some((index, byte)), false) = (noise, bytes.is_empty()) {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        places.extend([0, bytes.len()]);
        places.sort_unstable();
        let pieces: Vec<&[u8]> = places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        prop_assert_eq!(events(&pieces, Limits::default()), events(&[&bytes], Limits::default()));
        prop_assert_eq!(events(&pieces, SMALL), events(&[&bytes], SMALL));
    }

    #[test]
    fn calls_nest(bytes in fragments()) {
        let mut nesting = Nesting::default();
        if read(&bytes, Limits::default(), &mut nesting).is_ok() {
            nesting.assert_closed();
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _outcome = read(&bytes, Limits::default(), &mut Recorder::default());
    }
}
