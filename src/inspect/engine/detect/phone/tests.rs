use super::*;

fn hits<'t>(text: &'t str, context: &Context<'_>) -> Vec<&'t str> {
    let mut found = Vec::new();
    scan(text.as_bytes(), context, &mut |hit| {
        assert!(hit.kind == Kind::Phone && hit.bits >= Hit::ENOUGH);
        found.push(&text[hit.start..hit.end]);
    });
    found
}

fn found(text: &str) -> Vec<&str> {
    hits(text, &Context::default())
}

fn below<'t>(key: &[&str], text: &'t str) -> Vec<&'t str> {
    hits(text, &Context { key, ..Context::default() })
}

fn of(text: TextKind) -> Context<'static> {
    Context { text, ..Context::default() }
}

#[test]
fn international_numbers_are_found() {
    for (text, expected) in [
        ("+393331234567", "+393331234567"),
        ("+39 333 1234567", "+39 333 1234567"),
        ("+39 02 1234 5678", "+39 02 1234 5678"),
        ("+39 (0)2 1234 5678", "+39 (0)2 1234 5678"),
        ("+39.0212345678", "+39.0212345678"),
        ("call +44 (0)20 7946 0958 now", "+44 (0)20 7946 0958"),
        ("+44 20 7946 0958", "+44 20 7946 0958"),
        ("+1 (212) 555-0123", "+1 (212) 555-0123"),
        ("+1-212-555-0123", "+1-212-555-0123"),
        ("+1 212 555 0123 x12", "+1 212 555 0123"),
        ("+33 1 23 45 67 89", "+33 1 23 45 67 89"),
        ("+49 30 12345678", "+49 30 12345678"),
        ("+34 612 345 678", "+34 612 345 678"),
        ("+971 50 123 4567", "+971 50 123 4567"),
        ("+966 50 123 4567", "+966 50 123 4567"),
        ("+41 44 123 45 67", "+41 44 123 45 67"),
        ("+43 1 5123456", "+43 1 5123456"),
        ("+49 0171 1234567", "+49 0171 1234567"),
        ("+48 601 234 567", "+48 601 234 567"),
        ("+(39) 333 1234567", "+(39) 333 1234567"),
        ("tel=+8613912345678;", "+8613912345678"),
        ("C:\\rec\\+393331234567.wav", "+393331234567"),
        ("+393331234567-20240101-1200.wav", "+393331234567"),
        ("fax_+393331234567_20260101.tif", "+393331234567"),
        ("2026-01-01_+39 333 1234567_4312", "+39 333 1234567"),
        ("00393331234567", "00393331234567"),
        ("0039 333 1234567", "0039 333 1234567"),
        ("00 39 333 1234567", "00 39 333 1234567"),
        ("0044-20-7946-0958", "0044-20-7946-0958"),
        ("+44 20 7946 0958 12 users", "+44 20 7946 0958"),
    ] {
        assert_eq!(found(text), [expected], "{text}");
    }
    assert_eq!(found("+393331234567,+393331234568").len(), 2);
}

#[test]
fn national_numbers_are_found_as_people_group_them() {
    for text in [
        "02 1234 5678",
        "(02) 12345678",
        "02/12345678",
        "06 1234567",
        "011 1234567",
        "0584 123456",
        "0584/123456",
        "055.123.4567",
        "347.123.4567",
        "333 1234567",
        "333 123 4567",
        "333-1234567",
        "01 23 45 67 89",
        "01.23.45.67.89",
        "06-12-34-56-78",
        "030 12345678",
        "030/12345678",
        "(030) 12345678",
        "0171 1234567",
        "0171/1234567",
        "0221 123456",
        "08151/123456",
        "04893 143165",
        "081 541 61 37",
        "612 34 56 78",
        "91 234 56 78",
        "612-345-678",
        "020 7946 0958",
        "(020) 7946 0958",
        "0161 496 0123",
        "01632 960123",
        "07911 123456",
        "07911 123 456",
        "555-123-4567",
        "(555) 123-4567",
        "1-555-123-4567",
        "212.555.0123",
        "04 123 4567",
        "050 123 4567",
        "011 123 4567",
        "044 123 45 67",
        "079 123 45 67",
        "01 1234567",
        "0664 1234567",
        "0662/123456",
    ] {
        assert_eq!(found(text).len(), 1, "{text}");
        assert_eq!(found(&format!("Ring {text}, or write.")).len(), 1, "{text}");
        assert_eq!(found(&format!("Ring:{text}")).len(), 1, "{text}");
        for kind in [TextKind::Number, TextKind::Version, TextKind::Path] {
            assert!(hits(text, &of(kind)).is_empty(), "{text} {kind:?}");
        }
    }
}

#[test]
fn digits_behind_a_word_are_a_number() {
    for text in [
        "Tel. 0212345678",
        "chiamare 347/9602527",
        "Contattare 3331234567",
        "anrufen: 03012345678",
        "appelez 0612345678",
        "tel: 3331234567",
        "cell 3331234567",
        "Fax 0212345678",
        "phone=2125550123",
        "Mobile: 07911123456",
        "msisdn 3331234567",
        "caller 0612345678",
        "Tel. no. 0212345678",
        "Telefon 03012345678",
        "\"phone\":\"3331234567\"",
        "handy 01711234567",
    ] {
        assert_eq!(found(text).len(), 1, "{text}");
    }
}

#[test]
fn digits_below_a_key_are_a_number() {
    for (key, text) in [
        (&["phone"][..], "3331234567"),
        (&["phone", "number"], "0212345678"),
        (&["telefono"], "333 1234567"),
        (&["mobile"], "601234567"),
        (&["cell"], "(555) 123-4567"),
        (&["msisdn"], "393331234567"),
        (&["fax"], "02-12345678"),
        (&["caller", "id"], "4312"),
        (&["extension"], "4312"),
        (&["extension"], "204"),
        (&["calling", "number"], "2001"),
        (&["called", "party", "number"], "200100"),
        (&["directory", "number"], "4312"),
        (&["work", "phone"], " \"12345678\" "),
        (&["phone"], "call 3331234567 or write"),
        (&["home", "telephone"], "601 234 567"),
    ] {
        assert_eq!(below(key, text).len(), 1, "{key:?} {text}");
    }
}

#[test]
fn other_keys_and_kinds_give_nothing() {
    for (key, text) in [
        (&["phone", "count"][..], "12345678"),
        (&["faxes", "sent"], "1234567"),
        (&["fax", "sent"], "1234567"),
        (&["phone", "lock", "request", "rate"], "1234567"),
        (&["number", "of", "phones"], "12345678"),
        (&["extension"], ".docx"),
        (&["extension"], "1.2.3"),
        (&["extension", "version"], "4312"),
        (&["mobile"], "Mobile Intel(R) 4500 Express"),
        (&["cell"], "12"),
        (&["mobile"], "4312"),
        (&["last", "called", "time"], "1548138160707"),
        (&["called"], "2012-01-02"),
        (&["caller"], "10.0.17.1"),
        (&["phone"], "true"),
        (&["name"], "3331234567"),
        (&["size"], "3331234567"),
        (&["serial"], "00393331234567"),
    ] {
        assert!(below(key, text).is_empty(), "{key:?} {text}");
    }
    for kind in [TextKind::Number, TextKind::Version] {
        let context = Context { key: &["phone"], text: kind, ..Context::default() };
        assert!(hits("3331234567", &context).is_empty());
    }
}

#[test]
fn other_digits_are_no_numbers() {
    for text in [
        "",
        "+",
        "++",
        "00",
        "+39",
        "+1",
        "+0200",
        "+02:00",
        "2024-01-01T10:00:00+02:00",
        "C++ 20150123456",
        "1.0.0+20210305123456",
        "3331234567",
        "0212345678",
        "2125550123",
        "+1234567890",
        "+999123456789",
        "+3933312345678901",
        "a+393331234567",
        "+393331234567a",
        "+39333123abc",
        "12 02 1234 5678",
        "02 1234 5678 90",
        "1,234,567,890",
        "612 345 678",
        "612.345.678",
        "1-2-3",
        "100-200-3000",
        "192.168.100.100",
        "10.0.17763.1",
        "0x0212345678",
        "e3b0c44298fc1c149afbf4c8996fb924",
        "+49 123 456 789 bytes",
        "+393331234567%",
        "123-45-6789",
        "00000393331234567",
        "x00393331234567",
        "-00393331234567",
        "S-1-5-21-1234567890-123456789-1234567890-1001",
        "333/1234567",
        "02-1234-5678-90",
        "333.1234567",
        "1.5e+300",
        "555-123-45678",
        "0.212345678",
        "5551234567",
        "12345-123456",
        "010101 101010",
        "+35236450.6",
        "252.227-7014",
        "202.227-7015",
    ] {
        assert!(found(text).is_empty(), "{text}: {:?}", found(text));
    }
}

#[test]
fn the_tail_of_a_guid_is_no_number() {
    for text in [
        "046-1297901",
        "{6b29fc40-ca47-1067-b31d-046012979010}",
        "12345678-1234-1234-1234-021234567890",
        "90120000-0030-0000-0000-0000000FF1CE",
    ] {
        assert!(found(text).is_empty(), "{text}");
    }
}

#[test]
fn a_byte_counter_is_no_number() {
    for text in ["3405123456", "3 405 123 456", "3.405.123.456", "3,405,123,456", "3405123456 bytes", "512110190592"] {
        assert!(found(text).is_empty(), "{text}: {:?}", found(text));
        assert!(hits(text, &of(TextKind::Number)).is_empty());
    }
}

#[test]
fn a_part_number_is_no_number() {
    assert!(found("07TYC2").is_empty());
    assert!(found("P/N 07TYC2 A00").is_empty());
}

#[test]
fn a_date_is_no_number() {
    for text in
        ["2012-01-02 08:00", "3/10/1984", "20120102 080000", "01.02.2024 10:20:30", "2024-01-02 03-04-05", "20240102030405.000000+060"]
    {
        assert!(found(text).is_empty(), "{text}");
    }
}

#[test]
fn digits_parted_by_a_letter_are_no_number() {
    assert!(found("650x2531234").is_empty());
}

#[test]
fn a_support_line_in_a_vendor_passes() {
    for text in ["1-800-555-0199", "Acme Support 1-800-555-0199", "+1-800-555-0199", "https://example.com/call/1-800-555-0199"] {
        assert!(hits(text, &of(TextKind::Name)).is_empty(), "{text}");
    }
    assert!(found("https://example.com/1-800-555-0199").is_empty());
    assert_eq!(hits("Acme +39 333 1234567", &of(TextKind::Name)).len(), 1);
}

#[test]
fn an_isbn_is_no_number() {
    for text in ["978-3-16-148410-0", "9783161484100", "0-306-40615-2", "3-16-148410-0", "ISBN 978 3 16 148410 0"] {
        assert!(found(text).is_empty(), "{text}");
    }
}

#[test]
fn a_product_key_is_no_number() {
    for text in [
        "00330-80000-00000-AA123",
        "00371-177-0000061-85314",
        "00392-20000-00001-AA123",
        "00326-10000-00000-AAOEM",
        "00331-10000-00001-AA123",
    ] {
        assert!(found(text).is_empty(), "{text}: {:?}", found(text));
    }
}

#[test]
fn identifiers_of_other_kinds_are_no_numbers() {
    for text in [
        "1548138160707",
        "132223105616070000",
        "9223372036853013087",
        "8933150319050352521",
        "KB5034441",
        "E3 06 04 00 FF FB EB BF",
        "01 23 45 67 89 AB",
        "FE 01 23 45 67 89",
        "01 23 45 67 89 10",
        "PCI\\VEN_8086&DEV_15F3",
        "45.4642, 9.1900",
        "12.3456 45.4642",
        "1.3.6.1.4.1",
        "0000.001d.0000.001.004.000.000.000.000",
        "22.10.23.01-220622a-380677C",
        "-1234567 890",
        "1.234567e+09",
    ] {
        assert!(found(text).is_empty(), "{text}: {:?}", found(text));
    }
}

#[test]
fn hostile_text_costs_linear_time() {
    for text in [
        "+".repeat(1 << 19),
        "1".repeat(1 << 19),
        "+1".repeat(1 << 18),
        "1 ".repeat(1 << 18),
        "(0)".repeat(1 << 17),
        "00861234567,".repeat(1 << 14),
    ] {
        let _ = found(&text);
    }
}

/// In groups it was written by a person; in one piece it may be a product key.
#[test]
fn a_grouped_number_behind_zeros_counts_in_names_and_versions() {
    for context in [of(TextKind::Name), keyed_version()] {
        assert_eq!(hits("sihost.exe - 0044 20 7938 1163", &context), ["0044 20 7938 1163"]);
        assert_eq!(hits("10.20.0.145 0044 20 7301 7085", &context), ["0044 20 7301 7085"]);
        assert_eq!(hits("0044207938116", &context), [""; 0]);
    }
}

fn keyed_version() -> Context<'static> {
    Context { key: &["version"], ..Context::default() }
}

#[test]
fn an_address_is_no_number_though_it_is_grouped_like_one() {
    assert_eq!(found("79.178.40.90"), [""; 0]);
    assert_eq!(found("912.34.56.78"), ["912.34.56.78"]);
}

#[test]
fn in_a_name_a_number_counts_as_people_write_it() {
    for text in [
        "Service desk 02 1234 5678",
        "(335) 123-4567",
        "335 12 34 567",
        "02-1234-5678",
        "call 06 12 34 56 78",
        "01.46.64.96.05",
        "0151-04031629",
    ] {
        assert_eq!(hits(text, &of(TextKind::Name)).len(), 1, "{text}");
    }
    for text in ["WDC 046-1297901", "333-1234567", "11.46.64.96.05", "212.555.0123", "Office 2016 1234", "Visual C++ 2015-2022"] {
        assert!(hits(text, &of(TextKind::Name)).is_empty(), "{text}");
    }
}

#[test]
fn numbers_inside_a_company_count_behind_their_word() {
    for text in [
        "ext. 4312",
        "Mario ext 4312",
        "interno 4312",
        "int. 4312",
        "Durchwahl 12",
        "Extension: 204",
        "\"Mario Rossi\" <4312>",
        "poste 4312",
    ] {
        for kind in [TextKind::Free, TextKind::Name] {
            assert_eq!(hits(text, &of(kind)).len(), 1, "{kind:?} {text}");
        }
    }
    for text in [
        "ext4 driver",
        "Ext 2 IFS",
        "Visual Studio Extension 2019",
        "int 21",
        "extension 12",
        "ext-4312",
        "interno 4312.5.1",
        "<4312>",
        "a <12>",
    ] {
        for kind in [TextKind::Free, TextKind::Name] {
            assert!(hits(text, &of(kind)).is_empty(), "{kind:?} {text}");
        }
    }
}
