//! Destinations as clients write them: what is taken is one host in normal form, the same for whoever reads it again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ucx_egress::destination::{Destination, Host};

/// A name as DNS knows it (RFC 1035 section 2.3.4, RFC 1123 section 2.1; underscores are in use).
fn assert_is_name(name: &str) {
    assert!((1..=253).contains(&name.len()), "{name:?}");
    for label in name.split('.') {
        assert!((1..=63).contains(&label.len()), "{name:?}");
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
        assert!(label.bytes().all(is_plain), "{name:?}");
    }
    let last = name.rsplit('.').next().unwrap_or_default();
    assert!(!last.bytes().all(|byte| byte.is_ascii_digit()), "a name that a resolver takes for an address: {name:?}");
}

fn check(destination: &Destination, text: &[u8]) {
    if let Host::Name(name) = &destination.host {
        assert_is_name(name);
        // What names a host stands in the text itself: nothing was decoded, mapped or left out.
        let lower = text.to_ascii_lowercase();
        assert!(lower.windows(name.len()).any(|window| window == name.as_bytes()), "{name:?} is not in what was written");
    }
    let written = destination.to_string();
    assert_eq!(Destination::from_authority(written.as_bytes()).as_ref(), Ok(destination), "read again: {written}");
}

fuzz_target!(|text: &[u8]| {
    if let Ok(destination) = Destination::from_authority(text) {
        check(&destination, text);
        assert!(!text.contains(&b'@'), "a user before a host");
        assert_eq!(Destination::with_default_port(text, 1), Ok(destination), "a default that replaces a port");
    }
    if let Ok(destination) = Destination::with_default_port(text, 443) {
        check(&destination, text);
    }
    if let Ok((destination, path)) = Destination::from_absolute_form(text) {
        check(&destination, text);
        assert!(path.starts_with(b"/") && !path.contains(&b'#'));
        assert!(text.ends_with(path.strip_prefix(b"/").unwrap_or_default()), "a path that was rewritten");
    }
    if let Ok(host) = Host::parse(text) {
        assert_eq!(Host::parse(host.to_string().as_bytes()), Ok(host));
    }
});
