use super::*;
use crate::inspect::engine::context::TextKind;
use crate::inspect::engine::shape::grammar;
use crate::inspect::engine::shape::slot::{Checked, Declared};
use proptest::prelude::*;

fn check(text: &str) {
    let marks = Marks::of(text.as_bytes());
    for (name, slot) in Slot::ALL {
        if proves(*slot, text.as_bytes()) {
            assert_eq!(slot.text(text, &Declared::default()), Checked::Harmless, "{name}: {text:?}");
        }
        for marks in [marks, Marks::counted(text.as_bytes())] {
            if is_plausible_name(*slot, text.as_bytes(), &marks) {
                assert_eq!(slot.text(text, &Declared::default()), Checked::Plausible(TextKind::Name), "{name}: {text:?}");
            }
        }
    }
    assert!(may_be_inert(&marks) || !grammar::is_inert(text), "{text:?}");
}

#[test]
fn most_values_are_proven_at_once() {
    for (slot, text) in [
        (Slot::Name, "svchost.exe"),
        (Slot::Name, "Microsoft Corporation"),
        (Slot::Name, "ContosoBackupAgent3.exe"),
        (Slot::Version, "10.0.20348.2113"),
        (Slot::Hotfix, "KB5031364"),
        (Slot::Count, "1250"),
        (Slot::Bytes, "0017179869184"),
        (Slot::Path, r"C:\Program Files (x86)\Imagicle\UCX"),
        (Slot::Path, r"C:\Windows\system32\svchost.exe -k netsvcs"),
    ] {
        assert!(proves(slot, text.as_bytes()), "{slot:?} {text}");
    }
    for (slot, text) in [
        (Slot::Path, r"C:\Users\mrossi\x"),
        (Slot::Path, r"D:\OneDrive\x"),
        (Slot::Path, r"\\server\x"),
        (Slot::Path, r"CORP\mullerj"),
        (Slot::Path, r"C:\x -to 62.30.244.247"),
        (Slot::Path, r"C:\x 41.597,14.351"),
        (Slot::Path, r"C:\x 2001:db9::5"),
        (Slot::Path, r"C:/home/x"),
        (Slot::Name, "+39 02 1234"),
        (Slot::Name, "a@b"),
        (Slot::Count, "3351234567"),
        (Slot::Id, "12 "),
        (Slot::Name, "02 1234 5678"),
        (Slot::Name, "00:15:5d:01:02:03"),
        (Slot::Version, "0039021234567"),
        (Slot::Name, "8.8.8.8"),
        (Slot::Name, "AB123456C"),
        (Slot::Name, "Sep0123 Sepxyzuv12"),
        (Slot::Name, "TWFyaWFSb3NzaVZh"),
        (Slot::Name, "bWFyaWFYcmVzc2lB"),
        (Slot::Name, "QUNNRVxtcm9zc2k"),
        (Slot::Name, "m r o s s i x y z"),
    ] {
        assert!(!proves(slot, text.as_bytes()), "{slot:?} {text}");
    }
}

/// Texts that were told apart by the quick question and the slow one.
#[test]
fn both_ways_say_the_same_of_what_once_differed() {
    for text in [r"\$B", "/$G", r"C:\$GPGGA,123519,4807.038,N,01131.000,E"] {
        check(text);
    }
    assert!(proves(Slot::Path, br"\$B"));
}

/// What grammars tell apart, to be put together in any order.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "a", "Z", "é", "0", "7", "39", "2024", "1234567", ".", "-", ":", "/", "\\", " ", "_", "(", ")", "$", "'", "#", "!", "*", "]", "[", "{", ",", ";", "|", "\"", "\t",
    "\n", "+", "@", "%", "=", "&", "~", "KB", "Users", "users", "home", "OneDrive", "onedr", "Documents and Settings", "usuarios", "Program Files", "C:\\", "c:\\windows\\",
    "QWxhZGRpbjpvcGVu", "QWxh", "QUNNRVxtcm9zc2k", "r.o.s.s", "m a r i ", "SEP00", "aa:bb:cc:", "deadbeef", "abcdefghijklmnop", "00", "v", "running", "NT AUTHORITY\\", "://", "\u{0}",
];

#[test]
fn names_in_camel_case_with_numbers_are_plausible_at_once() {
    for text in ["ContosoBackup3Agent.exe", "FabrikamNTMonitor3.exe", "TWFyaWFSb3NzaVZh"] {
        assert!(is_plausible_name(Slot::Name, text.as_bytes(), &Marks::of(text.as_bytes())), "{text}");
        check(text);
    }
    for text in ["abcdefab-abcd-abcd-abcd-abcdefabcdef", "svchost.exe", "AbCdEfGhIjKlMnOpQrStUvWxYz", "a@AbCdEfGhIjKlMnOpQ"] {
        assert!(!is_plausible_name(Slot::Name, text.as_bytes(), &Marks::of(text.as_bytes())), "{text}");
        check(text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn nothing_is_proven_that_the_grammar_does_not_prove(pieces in prop::collection::vec(0..PIECES.len(), 0..14)) {
        check(&pieces.iter().map(|piece| PIECES[*piece]).collect::<String>());
    }

    #[test]
    fn nor_in_names_with_runs(text in "([A-Z][a-z]{0,4}|[0-9]{1,3}|sep|[.]|-| ){1,24}") {
        check(&text);
    }

    #[test]
    fn nor_in_numbers(text in "[0-9]{1,20}") {
        check(&text);
    }

    #[test]
    fn nor_in_any_text(text in "[ -~]{0,140}") {
        check(&text);
    }
}
