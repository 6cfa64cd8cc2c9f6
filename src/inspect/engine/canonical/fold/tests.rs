use super::*;
use proptest::prelude::*;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

#[test]
fn plain_text_is_borrowed() {
    for text in ["", "ASCII only 123", "Zoë", "Компания КриптоПро", "日本"] {
        assert!(matches!(fold(text), Cow::Borrowed(_)), "{text}");
    }
    assert!(matches!(skeleton("mario"), Cow::Borrowed(_)));
    assert!(matches!(skeleton("日本"), Cow::Borrowed(_)));
}

#[test]
fn disguises_are_taken_off() {
    let cases = [
        ("４１１１　１１１１", "4111 1111"),
        ("٤١١١", "4111"),
        ("²³", "23"),
        ("ma\u{200B}rio\u{AD}@\u{2060}ex\u{FE0F}ample", "mario@example"),
        ("a＠b．test", "a@b.test"),
        ("a﹫b。test", "a@b.test"),
        ("a@b\u{2024}test", "a@b.test"),
        ("06–1234—5678−90", "06-1234-5678-90"),
        ("4\u{336}1\u{336}1\u{20E3}1", "4111"),
        ("\u{202E}abc\u{202C}", "abc"),
        ("\u{1D7D9}\u{1D7DA}", "12"),
        ("a\u{A0}b\u{3000}c", "a b c"),
        ("x\u{E0041}\u{E007F}y", "xy"),
        ("e\u{200B}\u{301}", "é"),
        ("\u{FDFA}", "\u{FFFD}"),
    ];
    for (from, to) in cases {
        assert_eq!(fold(from), to, "{from:?}");
    }
}

#[test]
fn look_alikes_become_latin() {
    assert_eq!(skeleton("еmаіl"), "email");
    assert_eq!(skeleton("ΙΒΑΝ"), "IBAN");
    assert_eq!(skeleton("рhоnе"), "phone");
}

#[test]
fn what_is_seen_of_marked_letters_are_the_letters() {
    for (from, to) in [
        ("m\u{301}a\u{301}rio", "mario"),
        ("R\u{301}S\u{301}S\u{327}M\u{301}", "RSSM"),
        ("Z\u{fc}rich \u{1e08}", "Zurich C"),
        ("\u{403}\u{410}", "\u{413}A"),
        ("\u{d55c}\u{ad6d}", "\u{d55c}\u{ad6d}"),
        ("45\u{b0}", "45\u{b0}"),
    ] {
        assert_eq!(bare(&fold(from)), to, "{from:?}");
    }
}

#[test]
fn what_is_not_seen_is_read() {
    let tags: String = "a@b".chars().map(|letter| char::from_u32(u32::from(letter) + 0xE_0000).expect("a tag")).collect();
    assert_eq!(written_in_tags(&format!("x{tags}y")), Some(["xa@by".to_owned(), "a@b".to_owned()]));
    assert_eq!(written_in_tags("x\u{10FFFD}"), None);
    for (from, to) in
        [("a\0b\u{1}c", Some("abc")), ("a\tb\r\nc", Some("abc")), ("a\u{85}b\u{9f}", Some("ab")), ("\ta b\n", None), ("a\u{a0}b", None)]
    {
        assert_eq!(without_controls(from).as_deref(), to, "{from:?}");
    }
}

#[test]
fn look_alikes_are_sorted_and_like_those_of_the_standard() {
    let mut last = '\0';
    for from in '\u{80}'..='\u{FFFF}' {
        let Some(to) = confusable::latin(from) else { continue };
        assert!(from > last && to.is_ascii_alphanumeric());
        last = from;
    }
    let prototype = |text: &str| unicode_security::skeleton(text).collect::<String>();
    for from in ('\u{370}'..='\u{3FF}').chain('\u{400}'..='\u{4FF}') {
        let to = prototype(&from.to_string());
        let is_letter = to.len() == 1 && to.chars().all(|to| to.is_ascii_alphabetic());
        let is_normal = fold(&from.to_string()).chars().eq([from]);
        // Letters whose likeness is only that of a font.
        let differs = "σϨϬϭϸЬбгшѡҽϼ".contains(from);
        assert!(!is_letter || !is_normal || differs || confusable::latin(from).is_some(), "{from} {to}");
    }
}

#[test]
fn tables_are_those_of_unicode() {
    for from in '\u{80}'..=char::MAX {
        let category = from.general_category();
        assert_eq!(digit(from).is_some(), category == GeneralCategory::DecimalNumber, "{from:?}");
        assert!(category != GeneralCategory::DashPunctuation || is_dash(from), "{from:?}");
    }
}

#[test]
fn every_character_is_bounded_and_stable() {
    for from in '\0'..=char::MAX {
        let text = from.to_string();
        let once = fold(&text);
        assert!(once.len() <= MAX_GROWTH * text.len(), "{from:?}");
        assert_eq!(fold(&once), once, "{from:?}");
        assert!(from >= '\u{2000}' || !once.contains('\u{FFFD}'), "{from:?}");
        assert!(skeleton(&text).len() <= text.len() && bare(&once).len() <= once.len(), "{from:?}");
    }
}

proptest! {
    #[test]
    fn folding_is_idempotent_and_bounded(text in any::<String>()) {
        let once = fold(&text).into_owned();
        prop_assert_eq!(fold(&once), &*once);
        prop_assert!(once.len() <= MAX_GROWTH * text.len());
        let bones = skeleton(&once).into_owned();
        prop_assert_eq!(skeleton(&bones), &*bones);
        prop_assert!(bare(&once).len() <= once.len());
    }

    #[test]
    fn marks_are_stable(text in "[a1é\u{300}-\u{360}\u{200B}\u{1161}\u{1100}\u{11A8}\u{FFA0}\u{E0041}\u{9BE}\u{9C7}\u{F77}=<-]{0,90}") {
        let once = fold(&text).into_owned();
        prop_assert_eq!(fold(&once), &*once);
        prop_assert!(once.len() <= MAX_GROWTH * text.len());
    }
}
