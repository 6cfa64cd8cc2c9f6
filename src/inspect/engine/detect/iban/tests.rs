use super::{REGISTRY, scan};
use crate::inspect::engine::context::TextKind;
use crate::inspect::engine::detect::probe::{all_block, hits, linear, none_hit, survives};
use crate::inspect::engine::finding::Kind;

const HITS: &[(&str, &str)] = &[
    ("", "GB82WEST12345698765432"),
    ("", "GB82 WEST 1234 5698 7654 32"),
    ("", "DE89370400440532013000"),
    ("", "de89370400440532013000"),
    ("", "DE89 3704 0044 0532 0130 00"),
    ("", "DE89-3704-0044-0532-0130-00"),
    ("", "FR1420041010050500013M02606"),
    ("", "IBAN: IT60X0542811101000000123456."),
    ("", "IBAN=IT60 X054 2811 1010 0000 0123 456;"),
    ("", "ES9121000418450200051332"),
    ("", "NL91ABNA0417164300"),
    ("", "CH9300762011623852957"),
    ("", "SA0380000000608010167519"),
    ("", "AE070331234567890123456"),
    ("", "MT84MALT011000012345MTLCAST001S"),
    ("", "NO9386011117947"),
    ("", "BR1800360305000010009795493C1"),
    ("", "AT611904300234573201"),
    ("", "SE4550000000058398257466"),
    ("", "(paid to GB82WEST12345698765432)"),
    ("", "SRV_GB82WEST12345698765432_1"),
    ("", "n\u{b0}GB82WEST12345698765432"),
    ("", "GB82.WEST.1234.5698.7654.32"),
    ("", "GB82_WEST_1234_5698_7654_32"),
];

const MISSES: &[(&str, &str)] = &[
    ("", "GB82WEST12345698765433"),
    ("", "GB82WEST1234569876543"),
    ("", "GB82WEST123456987654321"),
    ("", "GB82 WEST 12345698765432"),
    ("", "GB82.WEST_1234.5698_7654.32"),
    ("", "SRV_GB82WEST12345698765433"),
    ("", "GB82WEST 1234 5698 7654 32"),
    ("", "DE8937040044053201300X"),
    ("", "XX89370400440532013000"),
    ("", "LC62HEMM000100010012001200023015"),
    ("", "BE68539007547035"),
    ("", "De89370400440532013000"),
    ("", "ADE89370400440532013000"),
    ("", "KB5006672"),
    ("", "VEN_8086&DEV_1533"),
    ("", "de89b1c27f0d4c53a9e0ffb2aa11c0de"),
    ("", "ST1000LM035-1RK172"),
    ("", "BE68"),
    ("", ""),
    ("", "IT60"),
];

#[test]
fn account_numbers_block() {
    all_block(scan, Kind::Iban, TextKind::Free, HITS);
    all_block(scan, Kind::Iban, TextKind::Name, HITS);
}

#[test]
fn other_codes_pass() {
    none_hit(scan, TextKind::Free, MISSES);
}

#[test]
fn the_registry_is_whole() {
    let lengths: Vec<usize> =
        REGISTRY.split(' ').map(|entry| 4 + super::parts(&entry[3..]).map(|(_, length)| length).sum::<usize>()).collect();
    assert_eq!(lengths.len(), 89);
    assert!(lengths.iter().all(|length| (15..=super::LONGEST).contains(length)), "{lengths:?}");
}

#[test]
fn the_range_is_the_number() {
    let text = b"to GB82 WEST 1234 5698 7654 32 today";
    let found = hits(scan, text, &crate::inspect::engine::context::Context::default());
    assert_eq!(found.first().map(|hit| &text[hit.start..hit.end]), Some(&b"GB82 WEST 1234 5698 7654 32"[..]));
}

#[test]
fn work_is_linear() {
    linear(scan, &["GB82", "GB82 ", "GB82 WEST 1234 5698 7654 33 ", "AA00", "0"]);
}

#[test]
fn cuts_are_harmless() {
    survives(scan, &["GB82 WEST 1234 5698 7654 32", "FR1420041010050500013M02606"]);
}
