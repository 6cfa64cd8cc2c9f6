use super::*;

fn bits(text: &str, context: &Context<'_>) -> Option<u8> {
    let mut found = None;
    scan(text.as_bytes(), context, &mut |hit| {
        assert!(hit.kind == Kind::DeviceName && hit.start < hit.end && hit.end <= text.len());
        found = found.max(Some(hit.bits));
    });
    found
}

fn keyed<'a>(key: &'a [&'a str]) -> Context<'a> {
    Context { key, ..Context::default() }
}

#[test]
fn a_desk_phone_is_found_anywhere() {
    for text in [
        "SEP001B21AABBCC",
        "ATA349D4A68D5FA",
        "sep001b21aabbcc",
        "device SEP001B21AABBCC registered",
        "\"SEP001B21AABBCC\"",
        "SEP001B21AABBCC_log.txt",
        "x=SEP001B21AABBCC;",
        "SEP123456789012",
        "C:\\logs\\SEP001B21AABBCC.cnf.xml",
        "(SEP001B21AABBCC)",
        "SEPAABBCCDDEEFF,SEP001B21AABBCC",
    ] {
        assert_eq!(bits(text, &Context::default()), Some(PHONE_BITS), "{text}");
    }
}

#[test]
fn another_device_is_found_below_its_key() {
    for key in [&["device", "name"][..], &["phone"], &["device"], &["endpoint", "id"]] {
        for text in ["CSFJSMITH", "TCTJSMITH", "BOTJSMITH", "TABJSMITH", "CSF_JSMITH", "CSFJ.SMITH", "\"CSFJSMITH\"", "CSFJSMITH01"] {
            assert_eq!(bits(text, &keyed(key)), Some(DEVICE_BITS), "{text}");
        }
    }
    assert_eq!(bits("CSFJSMITH", &keyed(&["name"])), Some(Hit::ENOUGH));
    assert_eq!(bits("BOTJSMITH", &keyed(&["name"])), Some(NAME_BITS));
}

#[test]
fn what_only_looks_like_a_device_passes() {
    for text in [
        "",
        "SEP",
        "SEP001B21AABBC",
        "SEP001B21AABBCCD",
        "SEP001B21AABBCG",
        "XSEP001B21AABBCC",
        "SEP000000000000",
        "SEP-001B21AABBCC",
        "SEPTEMBER2024",
        "SEP 001B21AABBCC",
        "001B21AABBCC",
        "Separator",
        "CSFJSMITH",
        "TCTJSMITH",
        "BOTJSMITH",
        "TABJSMITH",
        "step",
        "6b29fc40-ca47-1067-b31d-00dd010662da",
        "e3b0c44298fc1c149afbf4c8996fb924",
        "Sep 2024",
        "SEP01",
    ] {
        assert_eq!(bits(text, &Context::default()), None, "{text}");
    }
    for text in [
        "CSF",
        "TABLE1",
        "TABLETINPUT",
        "BOTTOM",
        "BOTH",
        "TabTip.exe",
        "Tabs",
        "CSF-",
        "CSFABCDEFGHIJKLMN",
        "csfjsmith",
        "BOTNET",
        "TABCAL.EXE",
        "CSF JSMITH",
    ] {
        assert_eq!(bits(text, &keyed(&["device", "name"])), None, "{text}");
    }
    let process = Context { key: &["name"], text: TextKind::Name, ..Context::default() };
    assert_eq!(bits("CSFJSMITH", &process), None);
    assert_eq!(bits("SEP001B21AABBCC", &process), Some(PHONE_BITS));
}

#[test]
fn hostile_text_costs_linear_time() {
    for text in ["SEP".repeat(1 << 18), "SEP0,".repeat(1 << 18), "-".repeat(1 << 20)] {
        assert_eq!(bits(&text, &Context::default()), None);
    }
}

#[test]
fn a_desk_phone_in_hexadecimal_is_found() {
    for text in ["534550303031423231414142424343", "x 534550303031423231616162626363 y"] {
        assert_eq!(bits(text, &Context::default()), Some(PHONE_BITS), "{text}");
    }
    for text in ["534550", "53455030303142323141414242434300", "534550999999999999999999999999"] {
        assert_eq!(bits(text, &Context::default()), None, "{text}");
    }
}
