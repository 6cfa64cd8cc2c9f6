//! Addresses of machines and names of hosts.

use super::{SHORT_RUN, is_missing, is_switch, longest_run};
use crate::inspect::engine::detect::mac;
use std::net::{IpAddr, Ipv6Addr};

/// A host name without a domain of persons: letters, digits and hyphens in labels.
#[must_use]
pub fn is_host_name(text: &str) -> bool {
    text.len() <= 253
        && text.parse::<IpAddr>().is_err()
        && text.split('.').all(|label| {
            !label.is_empty() && label.len() <= 63 && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        })
        && longest_run(text) <= SHORT_RUN
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// An address in one of the declared networks, or one that names nobody: loopback, unspecified, a mask, one of the link alone.
///
/// An address made of that of a network card tells the card, whatever network it is in: only it itself can be declared.
#[must_use]
pub fn is_declared(text: &str, networks: &[(IpAddr, u8)]) -> bool {
    let address = text.split('/').next().unwrap_or_default();
    let address = address.split('%').next().unwrap_or_default();
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let address = address.to_canonical();
    if is_of_a_card(address) {
        return networks.contains(&(address, 128));
    }
    is_nobodys(address) || networks.iter().any(|(network, prefix)| contains(*network, *prefix, address))
}

/// Every Windows lists addresses of the link (RFC 4291 section 2.5.6, RFC 3927) and, without other servers, three of sites.
fn is_nobodys(address: IpAddr) -> bool {
    let is_of_link = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local() || is_default_server(address),
    };
    address.is_loopback() || address.is_unspecified() || is_mask(address) || is_of_link
}

/// `fec0:0:0:ffff::1` to `::3`: the DNS servers of a Windows that has none.
fn is_default_server(address: Ipv6Addr) -> bool {
    matches!(address.segments(), [0xfec0, 0, 0, 0xffff, 0, 0, 0, 1..=3])
}

/// Modified EUI-64 (RFC 4291 appendix A).
fn is_of_a_card(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if matches!(address.octets(), [.., 0xff, 0xfe, _, _, _]))
}

/// A hardware address that no network card has.
#[must_use]
pub fn is_no_card(text: &str) -> bool {
    mac::is_nobodys(text)
}

/// What stands where there is no address, or where one is given by a server.
#[must_use]
pub fn is_no_address(text: &str) -> bool {
    is_missing(text)
        || is_switch(text)
        || is_no_card(text)
        || ["dynamic", "preferred", "tentative", "duplicate"].iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// `255.255.255.0` and the like.
fn is_mask(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.octets()[0] == 255 && address.to_bits().leading_ones() + address.to_bits().trailing_zeros() >= 32,
        IpAddr::V6(_) => false,
    }
}

fn contains(network: IpAddr, prefix: u8, address: IpAddr) -> bool {
    match (network.to_canonical(), address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let shift = 32_u32.saturating_sub(u32::from(prefix));
            network.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let shift = 128_u32.saturating_sub(u32::from(prefix));
            network.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_link_name_nobody_and_those_of_a_card_do() {
        let networks = [("10.20.0.0".parse().expect("an address"), 24), ("fe80::".parse().expect("an address"), 10)];
        for text in [
            "10.20.0.11",
            "10.20.0.11/24",
            "::1",
            "fe80::1%12",
            "fe80::9c2a:77b2:c1d0:51e4%7",
            "169.254.12.7",
            "fec0:0:0:ffff::1",
            "0.0.0.0",
            "255.255.255.0",
        ] {
            assert!(is_declared(text, &networks), "{text}");
        }
        for text in [
            "10.20.1.11",
            "8.8.8.8",
            "fe80::21a:2bff:fe3c:4d5e%7",
            "fec0::1",
            "2a00:1450::1",
            "0xC0A80001",
            "3232235521",
            "0300.0250.0.1",
            "10.20.0.0x0b",
            "10.20.11",
            "mrossi",
        ] {
            assert!(!is_declared(text, &networks), "{text}");
        }
        let card = [("fe80::21a:2bff:fe3c:4d5e".parse().expect("an address"), 128)];
        assert!(is_declared("fe80::21a:2bff:fe3c:4d5e", &card));
    }
}
