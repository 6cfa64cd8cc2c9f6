use super::*;

fn hits<'t>(text: &'t str, context: &Context<'_>) -> Vec<&'t str> {
    let mut found = Vec::new();
    scan(text.as_bytes(), context, &mut |hit| {
        assert!(hit.kind == Kind::MacAddress && hit.bits >= Hit::ENOUGH);
        found.push(&text[hit.start..hit.end]);
    });
    found
}

fn found(text: &str) -> Vec<&str> {
    hits(text, &Context::default())
}

#[test]
fn blanks_part_an_address_that_begins_with_zeros() {
    for text in ["00 50 54 87 98 f1", "vmxnet3 00 50 58 33 ca 26"] {
        assert_eq!(hits(text, &Context::default()).len(), 1, "{text}");
    }
    for text in ["10 50 54 87 98 f1", "00 50 54 87 98 11", "00 50 54 87 98 f1 22"] {
        assert!(hits(text, &Context::default()).is_empty(), "{text}");
    }
}

#[test]
fn addresses_are_found() {
    for (text, expected) in [
        ("00:1B:21:AA:BB:CC", "00:1B:21:AA:BB:CC"),
        ("00-1b-21-aa-bb-cc", "00-1b-21-aa-bb-cc"),
        ("mac:00:1b:21:aa:bb:cc", "00:1b:21:aa:bb:cc"),
        ("HWaddr 00:1b:21:aa:bb:cc.", "00:1b:21:aa:bb:cc"),
        ("(00:1b:21:aa:bb:cc)", "00:1b:21:aa:bb:cc"),
        ("{\"m\":\"00-1B-21-AA-BB-CC\"}", "00-1B-21-AA-BB-CC"),
        ("00:1b:21:aa:bb:cc: timeout", "00:1b:21:aa:bb:cc"),
        ("10:20:30:40:50:60", "10:20:30:40:50:60"),
        ("01-23-45-67-89-10", "01-23-45-67-89-10"),
        ("001b.21aa.bbcc", "001b.21aa.bbcc"),
        ("0011.2233.4455", "0011.2233.4455"),
        ("ARP 10.0.0.1 001B.21AA.BBCC ARPA", "001B.21AA.BBCC"),
        ("eth0_00:1b:21:aa:bb:cc", "00:1b:21:aa:bb:cc"),
        ("f4:5c:89:ab:cd:ef,", "f4:5c:89:ab:cd:ef"),
        ("=f4:5c:89:ab:cd:ef;", "f4:5c:89:ab:cd:ef"),
        ("00:1b-21:aa:bb:cc", "00:1b-21:aa:bb:cc"),
        ("00 1B 21 AA BB CC", "00 1B 21 AA BB CC"),
        ("00_1B_21_AA_BB_CC", "00_1B_21_AA_BB_CC"),
        ("10_20_30_40_50_60", "10_20_30_40_50_60"),
        ("nic_00_1b_21_aa_bb_cc_eth0", "00_1b_21_aa_bb_cc"),
        ("_00:1b:21:aa:bb:cc_", "00:1b:21:aa:bb:cc"),
        ("2026_00:1b:21:aa:bb:cc", "00:1b:21:aa:bb:cc"),
        ("00:1b:21:aa:bb:cc.cap", "00:1b:21:aa:bb:cc"),
        ("20260101-00-1b-21-aa-bb-cc_20260101.cap", "00-1b-21-aa-bb-cc"),
        ("00-1b-21-aa-bb-cc-eth0", "00-1b-21-aa-bb-cc"),
        ("on 00 1b 21 aa bb cc.", "00 1b 21 aa bb cc"),
        ("0:1b:21:a:bb:cc", "0:1b:21:a:bb:cc"),
        ("00.1B.21.AA.BB.CC", "00.1B.21.AA.BB.CC"),
        ("1a:1b:21:a:bb:cc", "1a:1b:21:a:bb:cc"),
        ("MAC 001B21AABBCC", "001B21AABBCC"),
        ("Mac-Address: 001b21aabbcc", "001b21aabbcc"),
        ("link/ether f4:5c:89:ab:cd:ef brd ff:ff:ff:ff:ff:ff", "f4:5c:89:ab:cd:ef"),
    ] {
        assert_eq!(found(text), [expected], "{text}");
    }
    assert_eq!(found("00:1b:21:aa:bb:cc 00:1b:21:aa:bb:cd").len(), 2);
}

#[test]
fn what_only_looks_like_an_address_is_not_one() {
    for text in [
        "",
        ":",
        "00:1b:21:aa:bb",
        "00:1b:21:aa:bb:cc:dd",
        "00:1b:21:aa:bb:c",
        "00:1b:21:aa:bb:ccd",
        "a00:1b:21:aa:bb:cc",
        "00:1g:21:aa:bb:cc",
        "00:00:00:00:00:00",
        "ff:ff:ff:ff:ff:ff",
        "01:00:5e:00:00:fb",
        "33:33:00:00:00:01",
        "01:80:c2:00:00:00",
        "fe80:1b:21:aa:bb:cc:dd:ee",
        "1:1b:21:aa:bb:cc:dd",
        "001b21aabbcc",
        "24-01-31-23-59-58",
        "12:34:56",
        "2024-01-02 10:20:30",
        "2019.1130.1204",
        "1.001b.21aa.bbcc",
        "001b.21aa.bbcc.dd",
        "001b.21aa.bbccd",
        "001b.21aa.bbcg",
        "6b29fc40-ca47-1067-b31d-00dd010662da",
        "00 1b 21 aa bb cc dd",
        "00_1b_21_aa_bb_cc_dd",
        "x_10_20_30_40_50_60",
        "24_01_31_23_59_58",
        "20260101-10-20-30-40-50-60",
        "de_00_1b_21_aa_bb_cc",
        "00-1b-21-aa-bb-cc-dd.cap",
        "be ad de fa ce ad",
        "10.20.30.40.50.60",
        "00.1B.21.AA.BB.CC.DD",
        "01 1b 21 aa bb cc",
        "0:1:2:3:4:5",
        "0:1b:21:a:bb:cc:dd",
        "2024-01-02:10:20:30",
        "24-01-31:23:59:58",
        "Office for Mac 201612345678",
        "aa-bb",
        "aa:bb:cc:dd",
        "xx:yy:zz:aa:bb:cc",
        "0000.0000.0000",
        "ffff.ffff.ffff",
    ] {
        assert!(found(text).is_empty(), "{text}: {:?}", found(text));
    }
}

#[test]
fn the_pseudo_addresses_of_wan_miniports_pass() {
    for text in ["50:50:54:50:30:30", "33:50:6F:45:30:30", "45:00:00:00:FF:14"] {
        assert!(found(text).is_empty(), "{text}");
        assert!(found(&text.replace(':', "-")).is_empty(), "{text}");
    }
}

#[test]
fn a_fingerprint_is_no_address() {
    let sha1 = "da:39:a3:ee:5e:6b:4b:0d:32:55:bf:ef:95:60:18:90:af:d8:07:09";
    assert!(found(sha1).is_empty());
    assert!(found(&format!("SHA1:{}", sha1.to_uppercase())).is_empty());
    assert!(found(&sha1.replace(':', "-")).is_empty());
}

#[test]
fn a_processor_identification_is_no_address() {
    assert!(found("E3 06 04 00 FF FB EB BF").is_empty());
}

#[test]
fn a_mask_is_no_address() {
    assert!(found("FF:FF:FF:FF:FF:FF").is_empty());
}

#[test]
fn a_plug_and_play_identifier_is_no_address() {
    assert!(found("PCI\\VEN_8086&DEV_15F3&SUBSYS_00008086&REV_03\\3&11583659&0&FE").is_empty());
    assert!(found("0000:00:1f.6").is_empty());
}

#[test]
fn a_usb_location_is_no_address() {
    assert!(found("0000.001d.0000.001.004.000.000.000.000").is_empty());
}

#[test]
fn twelve_digits_count_below_a_key_of_an_address() {
    let context = Context { key: &["mac", "address"], ..Context::default() };
    assert_eq!(hits("001B21AABBCC", &context), ["001B21AABBCC"]);
    assert_eq!(hits("24-01-31-23-59-58", &context).len(), 1);
    assert_eq!(hits("2019.1130.1204", &context).len(), 1);
    assert!(hits("001B21AABBCCD", &context).is_empty());
    assert!(hits("000000000000", &context).is_empty());
    assert!(hits("2019.1130.1204", &Context { text: TextKind::Version, ..context }).is_empty());
}

#[test]
fn hostile_text_costs_linear_time() {
    for text in [":".repeat(1 << 20), "aa:".repeat(1 << 18), "a".repeat(1 << 20), "aaaa.".repeat(1 << 18), "-".repeat(1 << 20)] {
        let _ = found(&text);
    }
}

#[test]
fn the_tail_of_a_guid_is_no_address() {
    let key = &["mac", "address"];
    let context = Context { key, ..Context::default() };
    assert_eq!(hits("8bdfe669-9705-4184-9368-db9ce581e0e7", &context), [""; 0]);
    assert_eq!(hits("db9ce581e0e7", &context), ["db9ce581e0e7"]);
}
