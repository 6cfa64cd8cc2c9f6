//! IPv6 addresses.

use super::{Key, before, hit, is_declared, v4};
use crate::inspect::engine::context::Context;
use crate::inspect::engine::finding::{Hit, Kind};
use core::net::{IpAddr, Ipv6Addr};
use core::ops::Range;

/// Longest address: eight groups, or six and a dotted quad (RFC 4291 section 2.2).
const MAX_ADDRESS: usize = 45;
/// Longest zone that is looked at (RFC 4007 section 11).
const MAX_ZONE: usize = 32;

/// Reports the address that a run of hexadecimal digits, dots and colons is; whether it is one.
pub(super) fn read(text: &[u8], run: Range<usize>, key: Key, context: &Context<'_>, report: &mut dyn FnMut(Hit)) -> bool {
    let Some((start, written)) = trim(text, run) else { return false };
    let Some(address) = core::str::from_utf8(written).ok().and_then(|written| written.parse::<Ipv6Addr>().ok()) else {
        return false;
    };
    let end = start + written.len();
    if !stands_alone(text, start, end) || !is_address(address, written, key) {
        return false;
    }
    if let Some(kind) = kind(address, key, context) {
        report(hit(kind, start, end + zone(text, end), key.bits()));
    }
    true
}

/// The run without the punctuation around it: `host:fe80::1` `fe80::1: unreachable`, `fe80::1.`
fn trim(text: &[u8], run: Range<usize>) -> Option<(usize, &[u8])> {
    // Fingerprints are longer; so is what nobody wrote as an address.
    if run.len() > MAX_ADDRESS + 2 {
        return None;
    }
    let mut start = run.start;
    let mut written = text.get(run)?;
    if let [b':', second, ..] = written
        && *second != b':'
    {
        start += 1;
        written = written.get(1..)?;
    }
    written = written.strip_suffix(b".").unwrap_or(written);
    if let [.., last, b':'] = written
        && *last != b':'
    {
        written = written.get(..written.len() - 1)?;
    }
    Some((start, written))
}

fn stands_alone(text: &[u8], start: usize, end: usize) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !before(text, start).is_some_and(is_word) && !text.get(end).is_some_and(|byte| is_word(*byte))
}

/// Whether what parses is meant as an address: `a::b` is a path in a program, eight pairs are a world wide name.
fn is_address(address: Ipv6Addr, written: &[u8], key: Key) -> bool {
    let has_digit = written.iter().any(u8::is_ascii_digit);
    let is_pairs = written.len() == 23 && written.split(|byte| *byte == b':').all(|group| group.len() == 2);
    !is_pairs && (key == Key::Address || (has_digit && is_allocated(address)))
}

/// Global unicast, NAT64, unique local, link-local and embedded IPv4 addresses (RFC 4291 section 2.4, RFC 6052, RFC 4193).
fn is_allocated(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let is_nat64 = first == 0x64 && second == 0xff9b;
    is_nat64 || matches!(first, 0x2000..=0x3fff | 0xfc00..=0xfdff | 0xfe80..=0xfeff) || address.to_ipv4().is_some()
}

/// What the address tells, if anything.
fn kind(address: Ipv6Addr, key: Key, context: &Context<'_>) -> Option<Kind> {
    if address.is_unspecified() || address.is_loopback() || address.is_multicast() || is_documentation(address) {
        return None;
    }
    if let Some(embedded) = address.to_ipv4() {
        let is_declared = is_declared(IpAddr::V4(embedded), context) || is_declared(IpAddr::V6(address), context);
        return (v4::is_personal(embedded, key) && !is_declared).then_some(Kind::IpAddress);
    }
    // A declared network does not declare the network card; a declared address does.
    if is_from_mac(address) {
        let named = context.declared.contains(&(IpAddr::V6(address), 128));
        return (!named).then_some(Kind::MacAddress);
    }
    // `fe80::1%eth0` is the same on every network; only a field for addresses makes it one.
    let is_nobodys = address.is_unicast_link_local() && key != Key::Address;
    (!is_nobodys && !is_declared(IpAddr::V6(address), context)).then_some(Kind::IpAddress)
}

/// Modified EUI-64 (RFC 4291 appendix A): the interface identifier is a MAC address with `ff:fe` in its middle.
fn is_from_mac(address: Ipv6Addr) -> bool {
    matches!(address.octets(), [.., 0xff, 0xfe, _, _, _])
}

/// RFC 3849 and RFC 9637.
fn is_documentation(address: Ipv6Addr) -> bool {
    matches!(address.segments(), [0x2001, 0xdb8, ..] | [0x3fff, 0..=0x0fff, ..])
}

/// The length of `%eth0` (RFC 4007) or `%25eth0` (RFC 6874) behind the address.
fn zone(text: &[u8], end: usize) -> usize {
    let rest = text.get(end..).unwrap_or_default();
    if !matches!(rest, [b'%', next, ..] if next.is_ascii_alphanumeric()) {
        return 0;
    }
    1 + rest.iter().skip(1).take(MAX_ZONE).take_while(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(byte)).count()
}
