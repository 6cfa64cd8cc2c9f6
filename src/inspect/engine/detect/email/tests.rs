use super::*;
use crate::inspect::engine::context::TextKind;

fn found(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    scan(text.as_bytes(), &Context::default(), &mut |hit| {
        assert!(hit.kind == Kind::Email && hit.bits >= Hit::ENOUGH);
        found.push(&text[hit.start..hit.end]);
    });
    found
}

#[test]
fn addresses_are_found_where_they_stand() {
    for (text, expected) in [
        ("mario.rossi@example.com", vec!["mario.rossi@example.com"]),
        ("to: <m+tag@mail.example.co.uk>.", vec!["m+tag@mail.example.co.uk"]),
        ("write to m@example.com.", vec!["m@example.com"]),
        ("a@b.it, c@d.fr", vec!["a@b.it", "c@d.fr"]),
        ("é.müller@bücher.example", vec!["é.müller@bücher.example"]),
        ("x@xn--bcher-kva.xn--p1ai", vec!["x@xn--bcher-kva.xn--p1ai"]),
        ("пётр@почта.рф", vec!["пётр@почта.рф"]),
        ("M@EXAMPLE.COM", vec!["M@EXAMPLE.COM"]),
        ("jsmith@acme.local", vec!["jsmith@acme.local"]),
        ("jsmith@acme.lan", vec!["jsmith@acme.lan"]),
        ("j.smith@AD.ACME.INTERNAL", vec!["j.smith@AD.ACME.INTERNAL"]),
        ("jsmith@acme.corp", vec!["jsmith@acme.corp"]),
        ("h.schmidt@firma.intern", vec!["h.schmidt@firma.intern"]),
        ("h.schmidt@firma.lokal", vec!["h.schmidt@firma.lokal"]),
        ("user='mario@x.it'", vec!["mario@x.it"]),
        ("...mario@x.it", vec!["mario@x.it"]),
        ("«mario@x.it»", vec!["«mario@x.it»"]),
        ("\"john smith\"@example.com", vec!["\"john smith\"@example.com"]),
        ("mario@[192.0.2.1]", vec!["mario@[192.0.2.1]"]),
        ("mario@[IPv6:2001:db8::1]", vec!["mario@[IPv6:2001:db8::1]"]),
        ("C:\\logs\\mario@example.com.log", vec!["mario@example.com.log"]),
        ("https://portal/?mail=m@x.museum&b=1", vec!["m@x.museum"]),
        ("o'brien@example.ie", vec!["o'brien@example.ie"]),
        ("mailto:mario@x.photography", vec!["mario@x.photography"]),
        ("m@x.it:443", vec!["m@x.it"]),
    ] {
        assert_eq!(found(text), expected, "{text}");
    }
}

#[test]
fn what_only_looks_like_an_address_is_not_one() {
    for text in [
        "",
        "@",
        "@@@",
        "a@",
        "@b.com",
        "a@b",
        "a@b.c",
        "a@b..com",
        "a@.com",
        "a @b.com",
        "a@ b.com",
        "root@localhost",
        "git@10.0.0.1",
        "lodash@4.17.21",
        "react@18.2.0-beta.next",
        "actions/checkout@v4",
        "icon@2x.png",
        "a@b.zz",
        "a@-b.com",
        "a@b-.com",
        "Object@1b2c3d4e",
        "Microsoft.VC90.CRT@x86",
        "sha@e3b0c44298fc1c149afbf4c8996fb924",
        "user@1000.service",
        "-@x.com",
        "!@#$%.com",
        "buildd@lcy02-amd64-059",
        "mockbuild@kbuilder.bsys.centos.org",
        "a@b.123",
        "a@[1.2.3]",
        "\"\"@x.com",
        "a@x.com1",
    ] {
        assert!(found(text).is_empty(), "{text}: {:?}", found(text));
    }
}

#[test]
fn a_systemd_unit_is_no_address() {
    assert!(found("getty@tty1.service").is_empty());
    for unit in ["socket", "target", "timer", "mount", "device", "slice", "scope", "path", "swap", "automount"] {
        assert!(found(&format!("name@instance.{unit}")).is_empty(), "{unit}");
    }
}

#[test]
fn a_kernel_build_host_is_no_address() {
    assert!(found("root@releng2.nyi.freebsd").is_empty());
    assert!(found("FreeBSD 12.1-RELEASE GENERIC root@releng2.nyi.freebsd.org:/usr/obj/usr/src/amd64.amd64/sys/GENERIC").is_empty());
}

#[test]
fn an_npm_scope_is_no_address() {
    assert!(found("@scope/pkg@1.2.3").is_empty());
}

#[test]
fn a_git_remote_is_no_address() {
    assert!(found("git@host").is_empty());
    assert!(found("git@github.com:acme/product.git").is_empty());
}

#[test]
fn an_ipv6_zone_is_no_address() {
    assert!(found("fe80::1%eth0").is_empty());
    assert!(found("fe80::1%25eth0@1").is_empty());
}

#[test]
fn a_systemd_specifier_is_no_address() {
    assert!(found("user@%h").is_empty());
}

#[test]
fn addresses_count_in_any_text() {
    for text in [TextKind::Version, TextKind::Path, TextKind::Name, TextKind::Identity] {
        let mut count = 0;
        scan(b"m@x.it", &Context { text, ..Context::default() }, &mut |_| count += 1);
        assert_eq!(count, 1, "{text:?}");
    }
}

#[test]
fn bytes_that_are_no_text_are_no_address() {
    let mut count = 0;
    for bytes in [&b"a@\xff\xfe.com"[..], b"\xd8\x12@\x81.\x90\x91\x92\x93", b"E@\xd8\xc1.pFb\xf0"] {
        scan(bytes, &Context::default(), &mut |_| count += 1);
    }
    assert_eq!(count, 0);
}

#[test]
fn hostile_text_costs_linear_time() {
    // Each would be quadratic if candidates were not bounded; this ends at once.
    for text in ["@".repeat(1 << 20), "a".repeat(1 << 20), "a@".repeat(1 << 19), "\"@".repeat(1 << 19), "a@[".repeat(1 << 18)] {
        let _ = found(&text);
    }
    let long = format!("{}@b.com", "a".repeat(1 << 20));
    assert_eq!(found(&long), [&long[long.len() - MAX_LOCAL - 6..]]);
}

#[test]
fn an_account_of_a_service_may_have_the_form_of_an_address_where_accounts_belong() {
    let hits = |text: &str, kind: TextKind| {
        let mut count = 0;
        scan(text.as_bytes(), &Context { text: kind, ..Context::default() }, &mut |_| count += 1);
        count
    };
    assert_eq!(hits("svc_ucx@acme.example", TextKind::Identity), 0);
    assert_eq!(hits("svc_ucx@acme.example", TextKind::Free), 1);
    assert_eq!(hits("m.rossi@acme.example", TextKind::Identity), 1);
    assert_eq!(hits("svc_ucx@acme.example m.rossi@acme.example", TextKind::Identity), 2);
}
