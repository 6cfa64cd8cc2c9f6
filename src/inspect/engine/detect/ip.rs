//! IP addresses that are not declared: IPv4 in dotted form, IPv6 (RFC 4291 section 2.2, RFC 5952) with IPv4-mapped ones and zones (RFC 4007).
//!
//! Most dotted quads in telemetry are versions, so the key, the word before and what sticks to the quad decide first. Addresses that name no
//! machine (RFC 6890: unspecified, loopback, multicast, masks, documentation) pass.

mod v4;
mod v6;

use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::finding::{Hit, Kind};
use core::net::IpAddr;

/// Key words of an address.
const ADDRESS_WORDS: &[&str] = &[
    "ip",
    "ips",
    "ipv4",
    "ipv6",
    "ipaddress",
    "ipaddresses",
    "ipv4address",
    "ipv6address",
    "address",
    "addresses",
    "addr",
    "gateway",
    "gateways",
    "dns",
    "dhcp",
    "host",
    "hosts",
    "node",
    "nodes",
    "peer",
    "remote",
    "client",
];
/// Key words of a version.
const VERSION_WORDS: &[&str] = &["version", "versions", "ver", "release", "build", "firmware", "driver", "oid", "oids", "revision", "bios"];
/// Bits where the key says address.
const KEYED_BITS: u8 = 28;
/// Bits elsewhere.
const BITS: u8 = Hit::ENOUGH;

/// What the key says of a dotted quad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Address,
    Version,
    Other,
}

impl Key {
    /// The last word wins: `["driver", "version"]` is a version, `["driver", "ip"]` an address.
    fn of(context: &Context<'_>) -> Self {
        let mut words = context.key.iter().rev();
        words
            .find_map(|word| match word {
                word if VERSION_WORDS.contains(word) => Some(Self::Version),
                word if ADDRESS_WORDS.contains(word) => Some(Self::Address),
                _ => None,
            })
            .unwrap_or(Self::Other)
    }

    fn bits(self) -> u8 {
        if self == Self::Address { KEYED_BITS } else { BITS }
    }
}

/// Reports each address, and as a MAC address each IPv6 address made from one. Every run of digits, dots and colons is read once or twice.
pub fn scan(text: &[u8], context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    if context.text == TextKind::Number {
        return;
    }
    let key = Key::of(context);
    let mut at = 0;
    while let Some(start) = next_run(text, at) {
        let end = start + text.get(start..).unwrap_or_default().iter().take_while(|byte| is_run(**byte)).count();
        let run = text.get(start..end).unwrap_or_default();
        // A dotted quad inside an IPv6 address has been judged with it.
        let is_read = run.contains(&b':') && v6::read(text, start..end, key, context, report);
        if !is_read && run.contains(&b'.') {
            v4::read(text, start..end, key, context, report);
        }
        at = end;
    }
}

/// Where the next run begins that holds a digit or a colon.
fn next_run(text: &[u8], from: usize) -> Option<usize> {
    text.get(from..)?.iter().position(|byte| is_run(*byte)).map(|offset| from + offset)
}

/// Bytes that an address is made of.
fn is_run(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':')
}

/// Whether the administrator named the address or a network it is in.
fn is_declared(address: IpAddr, context: &Context<'_>) -> bool {
    context.declared.iter().any(|(network, length)| match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => shared(address.to_bits() ^ network.to_bits()) >= u32::from(*length),
        (IpAddr::V6(address), IpAddr::V6(network)) => (address.to_bits() ^ network.to_bits()).leading_zeros() >= u32::from(*length),
        _ => false,
    })
}

/// How many first bits are the same.
fn shared(difference: u32) -> u32 {
    difference.leading_zeros()
}

/// The byte before `at`.
fn before(text: &[u8], at: usize) -> Option<u8> {
    text.get(..at)?.last().copied()
}

fn hit(kind: Kind, start: usize, end: usize, bits: u8) -> Hit {
    Hit { kind, start, end, bits }
}

#[cfg(test)]
mod tests;
