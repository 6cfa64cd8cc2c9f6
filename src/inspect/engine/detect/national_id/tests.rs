use super::scan;
use crate::inspect::engine::context::TextKind;
use crate::inspect::engine::detect::probe::{all_block, linear, none_hit, survives};
use crate::inspect::engine::finding::Kind;

/// Their structure needs no key.
const ALONE: &[(&str, &str)] = &[
    ("", "RSSMRA85T10A562S"),
    ("", "rssmra85t10a562s"),
    ("", "VRDLGI90A41F205N"),
    ("", "BNCGNN70D15H501L"),
    ("", "RSSMRA85T10A56NH"),
    ("", "RSSMRAURTMLARSNL"),
    ("", "FRRFNC60L65Z404Q"),
    ("", "CF: RSS MRA 85T10 A562S"),
    ("", "RSSMRA 85T10 A562S"),
    ("", "cliente RSSMRA85T10A562S, Milano"),
    ("", "RSSMRA85T10A562S.pdf"),
    ("", "CF-RSSMRA85T10A562S"),
    ("", "x_RSSMRA85T10A562S_2026"),
    ("", "RSS_MRA_85T10_A562S"),
    ("", "x_RSSMRA.85T10.A562S-1"),
    ("", "784-1980-1234567-8"),
    ("", "EID 784-1975-1234567-5."),
];

const FREE: &[(&str, &str)] = &[
    ("", "1 85 05 78 006 084 91"),
    ("", "185057800608491"),
    ("nir", "185052A00608435"),
    ("", "NIR 1890 x, 189022B033123 36"),
    ("", "54362315K"),
    ("", "54362315-K"),
    ("", "54.362.315-K"),
    ("", "X2482300W"),
    ("", "Z-8078221-M"),
    ("dni", "12345678z"),
    ("", "AB123456C"),
    ("", "AB 12 34 56 C"),
    ("", "NI number JG103759A"),
];

const KEYED: &[(&str, &str)] = &[
    ("nhs number", "943 476 5870"),
    ("nhs number", "9434765919"),
    ("", "NHS: 4010232137"),
    ("steuer id", "36574261809"),
    ("tax id", "86 095 742 719"),
    ("", "Steuer-ID 65929970489"),
    ("ssn", "123-45-6789"),
    ("ssn", "219 09 9998"),
    ("social security number", "219099998"),
    ("", "SSN: 123-45-6789"),
    ("emirates id", "784198012345678"),
    ("eid", "784200100000122"),
    ("iqama number", "2345678904"),
    ("national id", "1023456781"),
];

const MISSES: &[(&str, &str)] = &[
    ("", "RSSMRA85T10A562T"),
    ("", "RSSMRA85F10A562S"),
    ("", "RSSMRA85T99A562S"),
    ("", "ARSSMRA85T10A562S"),
    ("", "RSSMRA85T10A562SX"),
    ("", "x_RSSMRA85T10A562T_2026"),
    ("", "ARSSMRA85T10A562S_x"),
    ("", "ABCDEFGHIJKLMNOP"),
    ("", "784-1980-1234567-9"),
    ("", "784-1780-1234567-8"),
    ("", "784198012345678"),
    ("", "185057800608492"),
    ("", "1850578006084910"),
    ("", "131926542607070000"),
    ("", "1548138160707"),
    ("", "54362315L"),
    ("", "154362315K"),
    ("", "X2482300Z"),
    ("", "ZZ123456C"),
    ("", "AB123456E"),
    ("", "DB123456C"),
    ("", "ab123456c"),
    ("", "9434765919"),
    ("", "36574261809"),
    ("", "123-45-6789"),
    ("", "2345678904"),
    ("", "046-1297901"),
    ("serial number", "AB123456C"),
    ("part", "54362315K"),
    ("", "{12345678-1234-1234-1234-AB123456C000}"),
    ("", "2012-01-02 08:00"),
    ("", "07TYC2"),
    ("nhs number", "9434765871"),
    ("tax id", "12345678912"),
    ("", ""),
];

/// Under `ssn` an inventory has the serial number of the system, as its BIOS tells it.
const SERIALS: &[(&str, &str)] = &[
    ("ssn", "VMware-56 4d 9f 1c 2b 7e 3a 11-8d 5c 0e 9b 44 21 7a 6f"),
    ("ssn", "5CG7301XYZ"),
    ("ssn", "6LGGRS1"),
    ("ssn", "0123456789"),
    ("ssn", "To Be Filled By O.E.M."),
    ("ssn", "123456789"),
    ("ssn", "000-12-3456"),
    ("ssn", "666-12-3456"),
    ("ssn", "123-00-4567"),
    ("ssn", "123-45-0000"),
    ("ssn", "912-45-6789"),
    ("ssid", "123-45-6789"),
    ("ssn", "123-45-6789-00"),
];

#[test]
fn proven_numbers_block_anywhere() {
    for kind in [TextKind::Free, TextKind::Name, TextKind::Path, TextKind::Identity] {
        all_block(scan, Kind::NationalId, kind, ALONE);
    }
}

#[test]
fn likely_numbers_block_in_free_text() {
    all_block(scan, Kind::NationalId, TextKind::Free, FREE);
}

#[test]
fn keys_make_numbers_block() {
    all_block(scan, Kind::NationalId, TextKind::Free, KEYED);
    all_block(scan, Kind::NationalId, TextKind::Number, &[("nhs number", "9434765919"), ("national id", "1023456781")]);
}

#[test]
fn other_numbers_pass() {
    none_hit(scan, TextKind::Free, MISSES);
}

#[test]
fn serial_numbers_of_a_bios_pass() {
    none_hit(scan, TextKind::Free, SERIALS);
}

#[test]
fn slots_of_things_hold_no_likely_numbers() {
    for kind in [TextKind::Number, TextKind::Version] {
        none_hit(scan, kind, &[("", "54362315K"), ("", "AB123456C"), ("", "185057800608491")]);
    }
    for kind in [TextKind::Name, TextKind::Path] {
        // A wrong letter, a part of something, a prefix nobody has.
        none_hit(scan, kind, &[("", "54362315A"), ("", r"D:\54362315K\x"), ("", "KINGSTON-54362315K"), ("", "GB123456C")]);
    }
    none_hit(scan, TextKind::Version, &[("", "784-1980-1234567-8")]);
}

#[test]
fn work_is_linear() {
    linear(scan, &["1", "A", "1 ", "AB 12 34 56 C ", "RSS MRA 85T10 A562T ", "784-1980-1234567-9-", "123456789 ", "1.", "12.345.678-"]);
}

#[test]
fn cuts_are_harmless() {
    survives(scan, &["RSS MRA 85T10 A562S", "784-1980-1234567-8", "54.362.315-K", "1 85 05 78 006 084 91"]);
}

#[test]
fn in_the_name_of_a_product_a_number_stands_apart() {
    use crate::inspect::engine::detect::probe::blocks;
    for text in ["NINO AB 12 34 56 C", "x AB 12 34 56 C", "12345678 Z", "12 345 678 Z", "X 1234567 L", "RSS MRA 85T10 A562S"] {
        assert!(blocks(scan, text, "", TextKind::Name), "{text}");
    }
    for text in ["AB123456C", "WDC 12345678Z", "12345678-Z", "disk AB-12-34-56-C.", "185057800608491", "205-93-5548"] {
        assert!(blocks(scan, text, "version", TextKind::Free), "{text}");
        assert!(blocks(scan, text, "", TextKind::Name), "{text}");
    }
    for text in ["KINGSTON SA400S37480G", "07TYC2", "ST2000NM0008-2F3100", "X-12345678Z", "12345678Z.exe", "205-93-5548-1", "123-45-6789"] {
        assert!(!blocks(scan, text, "", TextKind::Name), "{text}");
    }
}
