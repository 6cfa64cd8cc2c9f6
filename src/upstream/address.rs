//! Which addresses a public cloud may not have: private, local, special. A name that resolves to one of them is refused.
//!
//! Sources: the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and updates), and the metadata addresses
//! that cloud providers publish.

use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The class of a special IPv4 network.
type V4Block = (Ipv4Addr, u32, &'static str);
/// The class of a special IPv6 network.
type V6Block = (Ipv6Addr, u32, &'static str);

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u32, class: &'static str) -> V4Block {
    (Ipv4Addr::new(a, b, c, d), prefix, class)
}

const V4: &[V4Block] = &[
    v4(0, 0, 0, 0, 8, "this network"),
    v4(10, 0, 0, 0, 8, "private"),
    v4(100, 64, 0, 0, 10, "shared by carriers"),
    v4(127, 0, 0, 0, 8, "loopback"),
    v4(168, 63, 129, 16, 32, "cloud metadata"),
    v4(169, 254, 0, 0, 16, "link-local or cloud metadata"),
    v4(172, 16, 0, 0, 12, "private"),
    v4(192, 0, 0, 0, 24, "protocol assignments"),
    v4(192, 0, 2, 0, 24, "documentation"),
    v4(192, 31, 196, 0, 24, "AS112"),
    v4(192, 52, 193, 0, 24, "AMT"),
    v4(192, 88, 99, 0, 24, "6to4 relay"),
    v4(192, 168, 0, 0, 16, "private"),
    v4(192, 175, 48, 0, 24, "AS112"),
    v4(198, 18, 0, 0, 15, "benchmarking"),
    v4(198, 51, 100, 0, 24, "documentation"),
    v4(203, 0, 113, 0, 24, "documentation"),
    v4(224, 0, 0, 0, 4, "multicast"),
    v4(240, 0, 0, 0, 4, "reserved or broadcast"),
];

const fn v6(a: u16, b: u16, c: u16, d: u16, prefix: u32, class: &'static str) -> V6Block {
    (Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), prefix, class)
}

const V6: &[V6Block] = &[
    // Unspecified, loopback and the deprecated IPv4-compatible addresses.
    (Ipv6Addr::UNSPECIFIED, 96, "loopback, unspecified or IPv4-compatible"),
    // IPv4-translated (RFC 2765): reaches any IPv4 address where a translator runs.
    (Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96, "IPv4-translated"),
    // NAT64 reaches any IPv4 address, private ones included (RFC 6052, RFC 8215).
    v6(0x64, 0xff9b, 0, 0, 96, "NAT64"),
    v6(0x64, 0xff9b, 1, 0, 48, "NAT64"),
    v6(0x100, 0, 0, 0, 64, "discard"),
    v6(0x100, 0, 0, 1, 64, "dummy prefix"),
    // Protocol assignments: Teredo, ORCHID, benchmarking and more.
    v6(0x2001, 0, 0, 0, 23, "protocol assignments"),
    v6(0x2001, 0xdb8, 0, 0, 32, "documentation"),
    v6(0x2002, 0, 0, 0, 16, "6to4"),
    v6(0x2620, 0x4f, 0x8000, 0, 48, "AS112"),
    v6(0x3fff, 0, 0, 0, 20, "documentation"),
    v6(0x5f00, 0, 0, 0, 16, "segment routing"),
    v6(0xfc00, 0, 0, 0, 7, "unique local"),
    v6(0xfe80, 0, 0, 0, 10, "link-local"),
    v6(0xfec0, 0, 0, 0, 10, "site-local"),
    v6(0xff00, 0, 0, 0, 8, "multicast"),
];

/// Says why the address may not be connected to; `None` when it may.
///
/// An IPv4-mapped address is judged as the IPv4 address that a connection to it would reach.
#[must_use]
pub fn special_class(address: IpAddr) -> Option<&'static str> {
    match address.to_canonical() {
        IpAddr::V4(address) => V4.iter().find(|(network, prefix, _)| same_prefix_v4(address, *network, *prefix)).map(|block| block.2),
        IpAddr::V6(address) => V6.iter().find(|(network, prefix, _)| same_prefix_v6(address, *network, *prefix)).map(|block| block.2),
    }
}

/// Says why the address is refused, unless one of the exceptions covers it.
#[must_use]
pub fn refused_class(address: IpAddr, exceptions: &[IpNet]) -> Option<&'static str> {
    let class = special_class(address)?;
    let canonical = address.to_canonical();
    (!exceptions.iter().any(|network| network.contains(&canonical))).then_some(class)
}

fn same_prefix_v4(address: Ipv4Addr, network: Ipv4Addr, prefix: u32) -> bool {
    (address.to_bits() ^ network.to_bits()).leading_zeros() >= prefix
}

fn same_prefix_v6(address: Ipv6Addr, network: Ipv6Addr, prefix: u32) -> bool {
    (address.to_bits() ^ network.to_bits()).leading_zeros() >= prefix
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECIAL: &[&str] = &[
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.254",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.0.1",
        "169.254.169.254",
        "169.254.170.2",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.31.196.1",
        "192.52.193.1",
        "192.88.99.1",
        "192.168.0.1",
        "192.168.255.255",
        "192.175.48.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "64:ff9b:1:ffff::1",
        "100::1",
        "100:0:0:1::1",
        "2001::1",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:1ff::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:808:808::1",
        "2620:4f:8000::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fdff::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
    ];

    const PUBLIC: &[&str] = &[
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.1",
        "168.63.129.15",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "64:ff9c::1",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2003::1",
        "2606:4700::1111",
        "2a05:d018::1",
    ];

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn special_addresses_are_refused_and_their_neighbours_are_not() {
        for text in SPECIAL {
            assert!(special_class(address(text)).is_some(), "{text} must be refused");
        }
        for text in PUBLIC {
            assert_eq!(special_class(address(text)), None, "{text} is public");
        }
    }

    #[test]
    fn an_exception_covers_its_network_only() {
        let exceptions = ["10.1.0.0/16".parse().expect("a network")];
        assert_eq!(refused_class(address("10.1.2.3"), &exceptions), None);
        assert_eq!(refused_class(address("::ffff:10.1.2.3"), &exceptions), None);
        assert_eq!(refused_class(address("10.2.0.1"), &exceptions), Some("private"));
    }
}
