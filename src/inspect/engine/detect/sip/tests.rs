use super::*;

fn found(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    scan(text.as_bytes(), &Context::default(), &mut |hit| {
        assert!(hit.kind == Kind::SipUri && hit.bits >= Hit::ENOUGH);
        found.push(&text[hit.start..hit.end]);
    });
    found
}

#[test]
fn addresses_of_persons_are_found() {
    for (text, expected) in [
        ("sip:mario@example.com", "sip:mario@example.com"),
        ("SIP:MARIO@EXAMPLE.COM", "SIP:MARIO@EXAMPLE.COM"),
        ("<sips:1001@10.0.0.1:5061;transport=tls>", "sips:1001@10.0.0.1:5061"),
        ("From: \"Mario\" <sip:+390212345678@pbx>;tag=1", "sip:+390212345678@pbx"),
        ("sip:mario:secret@host", "sip:mario:secret@host"),
        ("sip:mario@[2001:db8::1]", "sip:mario@[2001:db8::1]"),
        ("sip:mario%40example.com", "sip:mario%40example.com"),
        ("sip:+390212345678", "sip:+390212345678"),
        ("sip:*98@pbx", "sip:*98@pbx"),
        ("tel:+39-02-1234-5678", "tel:+39-02-1234-5678"),
        ("tel:7042;phone-context=example.com", "tel:7042"),
        ("href=\"tel:0212345678\"", "tel:0212345678"),
        ("tel:112.", "tel:112"),
        ("im:mario@example.com", "im:mario@example.com"),
        ("pres:mario@example.com", "pres:mario@example.com"),
        ("xmpp:mario@example.com/desk", "xmpp:mario@example.com"),
        ("xmpp://mario@example.com", "xmpp://mario@example.com"),
        ("callto:+390212345678", "callto:+390212345678"),
        ("callto:mario.rossi", "callto:mario.rossi"),
        ("sip:müller@example.de", "sip:müller@example.de"),
    ] {
        assert_eq!(found(text), [expected], "{text}");
    }
    assert_eq!(found("sip:a@b, sip:c@d").len(), 2);
}

#[test]
fn hosts_and_other_words_pass() {
    for text in [
        "",
        ":",
        "sip:",
        "sip:host",
        "sip:host.example.com",
        "sip:host:5060",
        "sip:10.0.0.1",
        "sips:pbx.acme.local;transport=tls",
        "sip:@host",
        "sip:mario@",
        "sip:mario@ host",
        "sip: mario@host",
        "hotel:12345",
        "intel:12345",
        "im:",
        "trim:mario@host",
        "xmpp:example.com",
        "tel:12",
        "tel:1234567890123456",
        "tel: unknown",
        "tel:12ab",
        "callto:",
        "callto:5",
        "gossip:a@b",
        "zip:20121",
        "sip:5060",
        "sips:5061",
        "pre.sip:a@b",
        "my-sip:a@b",
        "a::b",
        "sip:--@host",
        "sip:[2001:db8::1]",
        "https://user@host/",
        "tel",
    ] {
        assert!(found(text).is_empty(), "{text}: {:?}", found(text));
    }
}

#[test]
fn hostile_text_costs_linear_time() {
    for text in [":".repeat(1 << 20), "sip:".repeat(1 << 18), "tel:1".repeat(1 << 18), "callto://".repeat(1 << 17)] {
        let _ = found(&text);
    }
}
