//! E-mail addresses (RFC 5321 section 4.1.2, without quoted local parts and address literals).

use memchr::memchr_iter;

/// Longest local part (RFC 5321 section 4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// Longest domain (RFC 5321 section 4.5.3.1.2).
const MAX_DOMAIN: usize = 255;
/// Last labels that look like a top-level domain and are kinds of systemd units: `getty@tty1.service` is no address.
const UNITS: &[&[u8]] =
    &[b"automount", b"device", b"mount", b"path", b"scope", b"service", b"slice", b"socket", b"swap", b"target", b"timer"];

/// Reports where each address begins. Each `@` costs at most 320 bytes of looking around, so the whole costs linear time.
pub fn scan(text: &[u8], report: &mut dyn FnMut(usize)) {
    for at in memchr_iter(b'@', text) {
        let (before, after) = text.split_at(at);
        let local = before.iter().rev().take(MAX_LOCAL).take_while(|byte| is_local(**byte)).count();
        let domain = after.get(1..).unwrap_or_default();
        let length = domain.iter().take(MAX_DOMAIN).take_while(|byte| is_domain(**byte)).count();
        if local > 0 && is_host(domain.get(..length).unwrap_or_default()) {
            report(at - local);
        }
    }
}

/// `atext` and the dot (RFC 5322 section 3.2.3); letters beyond ASCII too (RFC 6531).
fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".!#$%&'*+-/=?^_`{|}~".contains(&byte) || byte >= 0x80
}

fn is_domain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-' || byte >= 0x80
}

/// At least two labels, the last one a top-level domain: letters, or a name in punycode.
fn is_host(domain: &[u8]) -> bool {
    // What ends a sentence is not part of the address.
    let domain = domain.strip_suffix(b".").unwrap_or(domain);
    let mut labels = domain.split(|byte| *byte == b'.');
    let Some(last) = labels.next_back() else { return false };
    let is_letters = last.len() >= 2 && last.iter().all(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80);
    let is_punycode = last.len() > 4 && last.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"xn--"));
    let is_unit = UNITS.iter().any(|unit| last.eq_ignore_ascii_case(unit));
    let mut others = labels.peekable();
    (is_letters || is_punycode) && !is_unit && others.peek().is_some() && others.all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<usize> {
        let mut found = Vec::new();
        scan(text.as_bytes(), &mut |offset| found.push(offset));
        found
    }

    #[test]
    fn addresses_are_found_where_they_begin() {
        for (text, offsets) in [
            ("mario.rossi@example.com", vec![0]),
            ("to: <m+tag@mail.example.co.uk>.", vec![5]),
            ("write to m@example.com.", vec![9]),
            ("a@b.it, c@d.fr", vec![0, 8]),
            ("é.müller@bücher.example", vec![0]),
            ("x@xn--bcher-kva.xn--p1ai", vec![0]),
            ("M@EXAMPLE.COM", vec![0]),
        ] {
            assert_eq!(found(text), offsets, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_an_address_is_not_one() {
        for text in [
            "@",
            "@@@",
            "a@",
            "@b.com",
            "a@b",
            "a@b.c",
            "a@b..com",
            "a@.com",
            "getty@tty1.service",
            "@scope/pkg@1.2.3",
            "fe80::1%eth0",
            "user@%h",
            "root@localhost",
            "git@10.0.0.1",
            "a @b.com",
            "a@ b.com",
        ] {
            assert!(found(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn hostile_text_costs_linear_time() {
        // Each would be quadratic if candidates were not bounded; this ends at once.
        for text in ["@".repeat(1 << 20), "a".repeat(1 << 20), "a@".repeat(1 << 19), format!("{}@b.com", "a".repeat(1 << 20))] {
            let _ = found(&text);
        }
        assert_eq!(found(&format!("{}@b.com", "a".repeat(100))), [100 - MAX_LOCAL]);
    }
}
