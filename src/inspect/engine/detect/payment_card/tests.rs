use super::scan;
use crate::inspect::engine::context::TextKind;
use crate::inspect::engine::detect::probe::{all_block, blocks, linear, none_hit, survives};
use crate::inspect::engine::finding::Kind;

const HITS: &[(&str, &str)] = &[
    ("", "4111 1111 1111 1111"),
    ("", "4111-1111-1111-1111"),
    ("", "4111.1111.1111.1111"),
    ("", "4111/1111/1111/1111"),
    ("", "4111_1111_1111_1111"),
    ("", "4111  1111  1111  1111"),
    ("", "4111111111111111"),
    ("", "5555555555554444"),
    ("", "3782 822463 10005"),
    ("", "378282246310005"),
    ("", "3056 930902 5904"),
    ("", "6011111111111117"),
    ("", "3530 1113 3330 0000"),
    ("", "2223003122003222"),
    ("", "6200 0000 0000 0005"),
    ("pan", "4222222222222"),
    ("credit card", "4111111111111111"),
    ("", "paid with card 4111 1111 1111 1111 12/28"),
    ("", "PAN=4111111111111111;"),
    ("", "4111 1111 1111 1111."),
    ("video card", "4111 1111 1111 1111"),
    ("card number", "6769649826438485"),
];

/// Each one stands in real inventories.
const MISSES: &[(&str, &str)] = &[
    ("", "1548138160707"),
    ("", "131926542607070000"),
    ("", "9223372036853013087"),
    ("", "8933150319050352521"),
    ("", "512110190592"),
    ("", "00330-80000-00000-AA123"),
    ("", "4111 1111 1111 1112"),
    ("", "4111111111111112"),
    ("", "4111 1111 1111 111"),
    ("", "4111-1111-1111-1111-1111"),
    ("", "12345678-4111-1111-1111-111111111111"),
    ("", "a4111111111111111"),
    ("", "4111111111111111f"),
    ("", "0x4111111111111111"),
    ("", "1.4111111111111111"),
    ("", "4111111111111111.5"),
    ("", "4222222222222"),
    ("video card", "NVIDIA GeForce GT 710 (4294967296)"),
    ("video card", "1073741824000"),
    ("serial number", "4111111111111111"),
    ("", "20240101123456"),
    ("", "1548138160707000"),
    ("", "4000000000000000000006"),
    ("", "0000 4111 1111 1111 1111"),
    ("", "dc4111111111111111aa9e"),
    ("", ""),
];

#[test]
fn cards_block() {
    all_block(scan, Kind::PaymentCard, TextKind::Free, HITS);
}

#[test]
fn other_numbers_pass() {
    none_hit(scan, TextKind::Free, MISSES);
}

#[test]
fn numbers_and_versions_are_no_cards() {
    for kind in [TextKind::Number, TextKind::Version] {
        none_hit(scan, kind, &[("", "4111111111111111"), ("used memory", "4111111111111111"), ("", "4111.1111.1111.1111")]);
    }
}

#[test]
fn a_key_makes_a_number_a_card() {
    assert!(blocks(scan, "4111111111111111", "card number", TextKind::Number));
    assert!(!blocks(scan, "4111111111111111", "sim card", TextKind::Number));
}

#[test]
fn bare_digits_stand_apart_in_a_name_or_a_path() {
    for kind in [TextKind::Name, TextKind::Path] {
        assert!(blocks(scan, "4111111111111111", "", kind));
        assert!(blocks(scan, "x 375287171200371", "", kind));
        none_hit(
            scan,
            kind,
            &[("", r"D:\4111111111111111"), ("", "4111111111111111.log"), ("", "4222222222222"), ("", "8933150319050352521")],
        );
    }
    assert!(blocks(scan, "2023 6011 6041 5614 8820", "", TextKind::Free));
    assert!(!blocks(scan, "1023 6011 6041 5614 8820", "", TextKind::Free));
    assert!(blocks(scan, "4111 1111 1111 1111", "", TextKind::Name));
}

/// The groups, the range of an issuer and the check digit: whatever a field is for.
#[test]
fn a_grouped_number_counts_whatever_the_key_says() {
    for key in ["serial number", "disk model", "hotfix id", "activation token", "version"] {
        for kind in [TextKind::Free, TextKind::Name, TextKind::Version, TextKind::Token, TextKind::Identity] {
            assert!(blocks(scan, "4111-1111-1111-1111", key, kind), "{key} {kind:?}");
            assert!(blocks(scan, "4111 1111 1111 1111", key, kind), "{key} {kind:?}");
        }
    }
}

#[test]
fn a_whole_number_may_be_a_card() {
    use super::is_number;
    assert!(is_number(4_111_111_111_111_111) && is_number(378_282_246_310_005));
    for value in [4_111_111_111_111_112, 4_000_787_030_016, 17_179_869_184, 0, u64::MAX, 4_111_111_111_000_000] {
        assert!(!is_number(value), "{value}");
    }
}

#[test]
fn work_is_linear() {
    linear(scan, &["4", "4111 ", "4111-", "4111 1111 1111 1112 ", "4111111111111111 ", "card 4"]);
}

#[test]
fn cuts_are_harmless() {
    survives(scan, &["4111 1111 1111 1111", "378282246310005", "3782-822463-10005"]);
}
