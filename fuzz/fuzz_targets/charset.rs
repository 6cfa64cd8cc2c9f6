//! Charsets and folding: every reading is bounded text, and one of plain UTF-8 is the text itself.
//!
//! The first byte chooses the declared charset, the rest is the text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::borrow::Cow;
use ucx_egress::inspect::engine::canonical::charset::readings;
use ucx_egress::inspect::engine::canonical::fold::{fold, skeleton};
use ucx_egress_fuzz::choice;

const CHARSETS: [Option<&str>; 16] = [
    None,
    Some("utf-8"),
    Some("us-ascii"),
    Some("utf-16"),
    Some("utf-16le"),
    Some("utf-16be"),
    Some("utf-32"),
    Some("utf-32le"),
    Some("utf-32be"),
    Some("windows-1252"),
    Some("iso-8859-1"),
    Some("iso-8859-5"),
    Some("iso-8859-6"),
    Some("iso-8859-15"),
    Some("utf-7"),
    Some("shift_jis"),
];

fuzz_target!(|input: &[u8]| {
    let Some((chosen, bytes)) = choice(input, CHARSETS.len()) else { return };
    let declared = CHARSETS[chosen];
    let outcome = readings(declared, bytes);
    assert_eq!(readings(declared, bytes), outcome, "another outcome when asked again");
    if matches!(declared, Some("utf-7" | "shift_jis")) {
        assert!(outcome.is_err(), "a charset that is not read");
    }
    let utf8 = std::str::from_utf8(bytes).ok().filter(|text| is_plain(text));
    let Ok(found) = outcome else {
        assert!(utf8.is_none() || !matches!(declared, None | Some("utf-8")), "plain UTF-8 was refused");
        return;
    };
    assert!((1..=4).contains(&found.len()), "{} readings", found.len());
    if let (None | Some("utf-8"), Some(text)) = (declared, utf8) {
        assert!(matches!(&found[..], [Cow::Borrowed(own)] if *own == text), "plain UTF-8 has one reading");
    }
    // Whatever else a receiver may take it for, bytes of plain ASCII are that too.
    if let Some(text) = utf8.filter(|text| text.is_ascii()) {
        assert!(found.iter().any(|own| own == text), "the plain reading is missing");
    }
    for text in &found {
        assert_text(text, bytes.len());
    }
});

/// Without NUL and marks, by which other charsets are told.
fn is_plain(text: &str) -> bool {
    !text.contains('\0') && !text.starts_with('\u{feff}') && !text.starts_with("+/v")
}

fn assert_text(text: &str, bytes: usize) {
    // A single byte may become three, or a replacement character of three.
    assert!(text.len() <= 3 * bytes, "{} of {bytes}", text.len());
    let folded = fold(text);
    assert!(folded.len() <= 3 * text.len(), "folding grows to {} of {}", folded.len(), text.len());
    assert_eq!(fold(&folded), folded, "folding twice changes more");
    let latin = skeleton(&folded);
    assert!(latin.len() <= folded.len());
    if text.is_ascii() {
        assert!(folded == text && latin == text, "ASCII is as it is");
    }
}
