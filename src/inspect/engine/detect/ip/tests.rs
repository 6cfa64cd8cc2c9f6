use super::*;
use core::net::{Ipv4Addr, Ipv6Addr};

fn hits(text: &str, context: &Context<'_>) -> Vec<(Kind, String)> {
    let mut found = Vec::new();
    scan(text.as_bytes(), context, &mut |hit| {
        assert!(hit.bits >= Hit::ENOUGH);
        found.push((hit.kind, text[hit.start..hit.end].to_owned()));
    });
    found
}

fn keyed<'a>(key: &'a [&'a str]) -> Context<'a> {
    Context { key, ..Context::default() }
}

fn of(text: TextKind) -> Context<'static> {
    Context { text, ..Context::default() }
}

#[test]
fn addresses_are_found() {
    for (text, expected) in [
        ("10.0.0.5", "10.0.0.5"),
        ("192.168.1.20", "192.168.1.20"),
        ("8.8.8.8", "8.8.8.8"),
        ("the gateway is 172.16.0.1.", "172.16.0.1"),
        ("http://10.0.0.5:8080/x", "10.0.0.5"),
        ("10.0.0.0/24", "10.0.0.0"),
        ("ip=10.0.0.5;", "10.0.0.5"),
        ("ip:10.0.0.5", "10.0.0.5"),
        ("\\\\10.0.0.5\\share", "10.0.0.5"),
        ("[10.0.0.5]", "10.0.0.5"),
        ("sip:1001@10.0.0.5", "10.0.0.5"),
        ("5.1.0.10.in-addr.arpa", "5.1.0.10"),
        ("169.254.1.1", "169.254.1.1"),
        ("2a00:1450:4001:81b::200e", "2a00:1450:4001:81b::200e"),
        ("2a00::1%eth0", "2a00::1%eth0"),
        ("[2a00::1%25eth0]:5060", "2a00::1%25eth0"),
        ("fd00::1234", "fd00::1234"),
        ("host:2a00:1450::1", "2a00:1450::1"),
        ("2a00::1: unreachable", "2a00::1"),
        ("from 2a00::1.", "2a00::1"),
        ("::ffff:10.0.0.5", "::ffff:10.0.0.5"),
        ("::ffff:a00:5", "::ffff:a00:5"),
        ("64:ff9b::a00:5", "64:ff9b::a00:5"),
        ("2A00:1450:4001:081B:0000:0000:0000:200E", "2A00:1450:4001:081B:0000:0000:0000:200E"),
        ("2a00::/32", "2a00::"),
    ] {
        assert_eq!(hits(text, &Context::default()), [(Kind::IpAddress, expected.to_owned())], "{text}");
    }
    assert_eq!(hits("10.0.0.1-10.0.0.9, 10.0.1.1", &Context::default()).len(), 3);
}

/// `fe80::1` is the same on every network.
#[test]
fn a_link_local_address_counts_only_where_an_address_belongs() {
    for text in ["fe80::1%eth0", "from fe80::1."] {
        assert_eq!(hits(text, &Context::default()), [], "{text}");
        assert_eq!(hits(text, &Context { key: &["ip", "address"], ..Context::default() }).len(), 1, "{text}");
    }
}

#[test]
fn what_is_no_address_or_nobodys_passes() {
    for text in [
        "",
        ".",
        ":",
        "::",
        "...",
        "1.2.3",
        "1.2.3.4.5",
        "256.1.1.1",
        "01.2.3.4",
        "1.2.3.04",
        "1.2.3.4a",
        "a1.2.3.4",
        "1.2.3.4_x",
        "x_1.2.3.4",
        "127.0.0.1",
        "0.0.0.0",
        "0.0.0.0/0",
        "0.9.8.1",
        "224.0.0.251",
        "239.255.255.250",
        "255.255.255.255",
        "255.255.255.0",
        "255.255.252.0",
        "192.0.2.1",
        "198.51.100.7",
        "203.0.113.9",
        "::1",
        "ff02::1",
        "2001:db8::1",
        "3fff::1",
        "::ffff:127.0.0.1",
        "::ffff:192.0.2.1",
        "10.0.0.5.example.com",
        "product-5.1.2.30.jar",
        "std::vector",
        "dead::beef",
        "a::b",
        "Foo::Bar",
        "12:34:56",
        "1::2",
        "10:20",
        "2012-01-02 08:00:00",
        "aa:bb:cc:dd:ee:ff",
        "00:11:22:33:44:55:66:77",
        "1:2:3:4:5:6:7:8:9",
        "e3:b0:c4:42:98:fc:1c:14:9a:fb:f4:c8",
        "{6b29fc40-ca47-1067-b31d-00dd010662da}",
        "fe80::1x",
        "x2001::1",
        "12::",
        ":::",
        "2001:::1",
        "Edge/18.1.2.3",
    ] {
        assert!(hits(text, &Context::default()).is_empty(), "{text}: {:?}", hits(text, &Context::default()));
    }
}

#[test]
fn a_version_by_its_word_is_no_address() {
    for text in [
        "DriverVersionString=20.70.10.2",
        "version 3.3.16.1",
        "Version: 1.4.4.10",
        "ver. 1.2.3.4",
        "v1.2.3.4",
        "v 1.2.3.4",
        "release 1.2.3.4",
        "build 10.0.1.7",
        "firmware 1.2.3.4",
        "\"FileVersion\":\"4.0.0.1\"",
        "Foo, Version=4.0.0.1, Culture=neutral",
        "driver 20.70.10.2",
        "OID 1.3.6.1",
        "1.2.3.4-beta",
        "1.2.3.4-1",
        "1.2.3.4+build",
    ] {
        assert!(hits(text, &Context::default()).is_empty(), "{text}");
    }
}

#[test]
fn a_version_by_its_key_is_no_address() {
    for value in ["20.70.10.2", "3.3.16.1", "1.4.4.10"] {
        for key in [&["driver", "version", "string"][..], &["version"], &["ver"], &["release"], &["build"], &["firmware"], &["oid"]] {
            assert!(hits(value, &keyed(key)).is_empty(), "{key:?}");
        }
        assert!(hits(value, &of(TextKind::Version)).is_empty());
    }
}

#[test]
fn a_long_version_is_no_address() {
    for text in ["11.0.2100.60", "10.53.6000.34", "10.0.17763.1", "4.8.04084", "10.0.19041.1.256"] {
        assert!(hits(text, &Context::default()).is_empty(), "{text}");
    }
}

#[test]
fn a_driver_package_version_is_no_address() {
    assert!(hits("22.10.23.01-220622a-380677C", &Context::default()).is_empty());
}

#[test]
fn a_usb_location_is_no_address() {
    assert!(hits("0000.001d.0000.001.004.000.000.000.000", &Context::default()).is_empty());
}

#[test]
fn a_registry_key_with_dots_is_no_address() {
    let text = "HKLM\\SOFTWARE\\Policies\\IntranetAuth\\3.3.999.99.9.99";
    assert!(hits(text, &Context::default()).is_empty());
    assert!(hits("HKLM\\SOFTWARE\\Product\\3.3.16.1", &Context::default()).is_empty());
}

#[test]
fn an_object_identifier_is_no_address() {
    for text in ["1.3.6.1.4.1", "1.3.6.1", "2.5.29.15", "1.2.840.113549.1.1.11", "OID.2.5.4.3"] {
        assert!(hits(text, &Context::default()).is_empty(), "{text}");
    }
}

#[test]
fn a_folder_named_by_a_version_is_no_address() {
    let text = "C:\\Program Files\\Product\\1.4.4.10\\bin";
    assert!(hits(text, &Context::default()).is_empty());
    assert!(hits(text, &of(TextKind::Path)).is_empty());
    assert!(hits("/opt/product/1.4.4.10/lib", &of(TextKind::Path)).is_empty());
    assert_eq!(hits("\\\\10.0.0.5\\share", &of(TextKind::Path)).len(), 1);
}

#[test]
fn behind_a_version_stands_no_other_one() {
    let context = Context { key: &["version"], ..Context::default() };
    assert_eq!(hits("10.0 62.30.244.247", &context).len(), 1);
    for text in ["connected from 199.184.183.13", "via 62.30.244.247", "IP: 62.30.244.247"] {
        assert_eq!(hits(text, &context).len(), 1, "{text}");
    }
    for text in ["62.30.244.247", "10.0 2.4.1.3", "build 62.30.244.247", "updated from 10.0.3.4", "Server 62.30.244.247"] {
        assert!(hits(text, &context).is_empty(), "{text}");
    }
}

#[test]
fn an_argument_may_be_an_address() {
    for text in ["C:\\x\\svc.exe -server 4.2.1.30", "151.41.87.170", "C: 93.237.177.89", "user=52.1.2.3", "C:\\x.exe --to=\"4.2.1.30\""]
        .into_iter()
        .chain(ARGUMENTS.iter().copied())
    {
        assert_eq!(hits(text, &of(TextKind::Path)).len(), 1, "{text}");
    }
    for text in ["C:\\Program Files\\X 4.2.1.3", "C:\\x\\setup 62.30.244.247\\x.exe", "C:\\Agent 22.3.4.612"]
        .into_iter()
        .chain(VERSIONS_IN_PATHS.iter().copied())
    {
        assert!(hits(text, &of(TextKind::Path)).is_empty(), "{text}");
    }
}

/// What programs are given.
const ARGUMENTS: &[&str] = &[
    "C:\\x.exe /s:151.41.87.170",
    "C:\\x.exe --server:79.9.12.14",
    "C:\\x.exe host:79.9.12.14",
    "C:\\x.exe -h79.9.12.14",
    "C:\\x.exe -c79.9.12.14",
    "C:\\x.exe u@79.9.12.14:5060",
    "C:\\x.exe (79.9.12.14)",
    "C:\\x.exe 8.8.8.8",
    "\"C:\\Program Files\\X\\x.exe\" 172.16.4.9",
    "C:\\x.EXE 10.99.1.20",
    "C:\\x.exe connect 151.5.87.170",
];
/// What is no address there.
const VERSIONS_IN_PATHS: &[&str] = &[
    "C:\\Program Files\\x\\10.0.3.4\\y.exe",
    "C:\\x.exe --version 10.2.3.4",
    "C:\\x.exe --version:10.2.3.4",
    "C:\\x.exe driver 20.70.10.2",
    "C:\\x.exe -v4.2.1.3",
    "C:\\x.exe --lib C:\\Program Files\\Y 4.2.1.3",
    "C:\\x.exe.d\\Y 4.2.1.3",
    "C:\\Program Files\\Setup.executive 4.2.1.3",
];

#[test]
fn a_product_name_may_end_with_a_version() {
    for text in [
        "Intel(R) Network Connections 20.7.67.0",
        "Chipset Device Software 81.2.69.142",
        "curl 7.55.1.0",
        "driver package 10.1.1.44",
        "USB Connect 4.38.19.0",
        "QLogic Drivers 36.86.43.0",
        "VNC Server 2.8.81.0",
        "Gateway 5.1.2.30",
        "Brave 120.1.61.109",
    ] {
        assert!(hits(text, &of(TextKind::Name)).is_empty(), "{text}");
    }
    for text in [
        "Connects to 81.2.69.142",
        "Connects via 8.8.8.8",
        "Relay for calls using 81.2.69.142",
        "si collega a 81.2.69.142",
        "10.0.0.5",
        "Server 10.0.0.5",
        "proxy (http://10.0.0.5)",
        "node [10.0.0.5]",
        "x 10.0.0.5:5060",
        "App 62.30.244.247",
        "svchost.exe 8.248.194.39",
    ] {
        assert_eq!(hits(text, &of(TextKind::Name)).len(), 1, "{text}");
    }
}

#[test]
fn small_numbers_behind_a_name_are_its_version() {
    for text in ["Git 1.7.12.1", "Section 3.1.1.1", "section 3.1.1.1", "Runtime 1.3.36.11", "since 1.5.4.7"] {
        assert!(hits(text, &Context::default()).is_empty(), "{text}");
    }
    for text in ["Host 1.7.12.1", "IP 1.7.12.1", "from 1.7.12.1", "Blocked 45.212.33.7", "Ping 10.0.0.5"] {
        assert_eq!(hits(text, &Context::default()).len(), 1, "{text}");
    }
}

#[test]
fn a_raw_number_is_no_address() {
    assert!(hits("1.2", &of(TextKind::Number)).is_empty());
}

#[test]
fn declared_networks_pass() {
    let declared = [(Ipv4Addr::new(10, 1, 0, 0).into(), 16), ("2a00:1450::".parse::<Ipv6Addr>().unwrap().into(), 32)];
    let context = Context { declared: &declared, ..Context::default() };
    for text in ["10.1.2.3", "2a00:1450:4001::1", "::ffff:10.1.2.3"] {
        assert!(hits(text, &context).is_empty(), "{text}");
    }
    for text in ["10.2.2.3", "2a00:1451::1", "::ffff:10.2.2.3"] {
        assert_eq!(hits(text, &context).len(), 1, "{text}");
    }
    let everything = [(Ipv4Addr::UNSPECIFIED.into(), 0)];
    assert!(hits("8.8.8.8", &Context { declared: &everything, ..Context::default() }).is_empty());
}

#[test]
fn an_address_made_from_a_mac_address_tells_it() {
    let text = "fe80::21b:21ff:feaa:bbcc";
    assert_eq!(hits(text, &Context::default()), [(Kind::MacAddress, text.to_owned())]);
    let network = [("fe80::".parse::<Ipv6Addr>().unwrap().into(), 10)];
    assert_eq!(hits(text, &Context { declared: &network, ..Context::default() }).len(), 1);
    let address = [(text.parse::<Ipv6Addr>().unwrap().into(), 128)];
    assert!(hits(text, &Context { declared: &address, ..Context::default() }).is_empty());
}

#[test]
fn a_key_of_an_address_says_more() {
    for (text, key) in [("1.3.6.1", &["ip"][..]), ("dead::beef", &["ipv6", "address"]), ("20.70.10.2", &["driver", "ip", "address"])] {
        assert_eq!(hits(text, &keyed(key)).len(), 1, "{text}");
    }
}

#[test]
fn hostile_text_costs_linear_time() {
    for text in ["1.".repeat(1 << 19), "1".repeat(1 << 20), ":".repeat(1 << 20), "1:".repeat(1 << 19), "a.:".repeat(1 << 18)] {
        let _ = hits(&text, &Context::default());
    }
}
