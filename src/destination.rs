//! Where an exchange wants to go: a host in normal form and a port.
//!
//! A host is read once, strictly, and compared only as [`Host`]. Nothing on the wire is decoded or mapped into a valid name:
//! percent-encoding, IDNA mapping (UTS #46), userinfo and brackets around names are the tricks by which one parser sees
//! another host than the next, so they are refused. Only what all parsers agree on is folded: case and one trailing dot.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Longest name without its trailing dot (RFC 1035 section 2.3.4 counts 255 octets on the wire).
const MAX_NAME: usize = 253;
/// Longest label (RFC 1035 section 2.3.4).
const MAX_LABEL: usize = 63;

/// A host in normal form.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Host {
    /// A DNS name: lower-case ASCII, no trailing dot.
    Name(Arc<str>),
    /// An address written instead of a name, in whatever textual form.
    Address(IpAddr),
}

/// A host and a port.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Destination {
    /// The host in normal form.
    pub host: Host,
    /// The TCP port, never 0.
    pub port: u16,
}

/// Why a text is no destination. The sentence names the form expected and never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Malformed {}

impl Host {
    /// Reads a host: a name, an IPv4 address in any form a resolver would take, or an IPv6 address in brackets.
    ///
    /// # Errors
    /// For everything that two parsers could read differently.
    pub fn parse(text: &[u8]) -> Result<Self, Malformed> {
        if text.first() == Some(&b'[') {
            return bracketed(text).map(Self::Address);
        }
        let name = text.strip_suffix(b".").unwrap_or(text);
        check_name(name)?;
        let lower = lower_case(name);
        match numeric(&lower)? {
            Some(address) => Ok(Self::Address(IpAddr::V4(address))),
            None => Ok(Self::Name(Arc::from(&*lower))),
        }
    }

    /// The DNS name, if it is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Address(_) => None,
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Destination {
    /// Reads the authority-form of CONNECT, `host:port` (RFC 9110 section 9.3.6): the port is mandatory.
    ///
    /// # Errors
    /// When the host is malformed, or the port missing, empty, signed, zero, above 65,535 or not a number.
    pub fn from_authority(text: &[u8]) -> Result<Self, Malformed> {
        let (host, port) = split_port(text)?;
        let port = port.ok_or(Malformed("the port is missing; write host:port"))?;
        Ok(Self { host: Host::parse(host)?, port: parse_port(port)? })
    }

    /// Reads the authority of an absolute `http` URI or a Host header; without a port it is `default_port`.
    ///
    /// # Errors
    /// As [`Destination::from_authority`].
    pub fn with_default_port(text: &[u8], default_port: u16) -> Result<Self, Malformed> {
        let (host, port) = split_port(text)?;
        let port = port.map_or(Ok(default_port), parse_port)?;
        Ok(Self { host: Host::parse(host)?, port })
    }

    /// Reads the absolute-form of a request target (RFC 9112 section 3.2.2) and gives the origin-form that goes upstream.
    ///
    /// # Errors
    /// When the scheme is not `http`, or the authority is malformed.
    pub fn from_absolute_form(target: &[u8]) -> Result<(Self, Cow<'_, [u8]>), Malformed> {
        let scheme = target.get(..7).ok_or(Malformed(ABSOLUTE_FORM))?;
        if !scheme.eq_ignore_ascii_case(b"http://") {
            return Err(Malformed(ABSOLUTE_FORM));
        }
        let rest = target.get(7..).unwrap_or_default();
        let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if path.contains(&b'#') {
            return Err(Malformed("a request target has no fragment; leave out what follows #"));
        }
        let destination = Self::with_default_port(authority, 80)?;
        let path = match path.first() {
            None => Cow::Borrowed(&b"/"[..]),
            Some(b'/') => Cow::Borrowed(path),
            Some(_) => Cow::Owned([b"/", path].concat()),
        };
        Ok((destination, path))
    }
}

const ABSOLUTE_FORM: &str = "the request target must be http://host/path, or CONNECT host:port for TLS";

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn split_port(text: &[u8]) -> Result<(&[u8], Option<&[u8]>), Malformed> {
    if text.contains(&b'@') {
        return Err(Malformed("user information is not accepted in a destination (RFC 9110 section 4.2.4)"));
    }
    let after_brackets = match text.first() {
        Some(b'[') => text.iter().position(|byte| *byte == b']').ok_or(Malformed("the closing bracket of the address is missing"))? + 1,
        _ => 0,
    };
    let tail = text.get(after_brackets..).unwrap_or_default();
    match tail.iter().position(|byte| *byte == b':') {
        None if after_brackets > 0 && !tail.is_empty() => Err(Malformed("only a port may follow the brackets")),
        None => Ok((text, None)),
        Some(colon) if after_brackets > 0 && colon > 0 => Err(Malformed("only a port may follow the brackets")),
        Some(colon) => {
            let (host, port) = text.split_at(after_brackets + colon);
            Ok((host, port.get(1..)))
        }
    }
}

fn parse_port(text: &[u8]) -> Result<u16, Malformed> {
    const FORM: Malformed = Malformed("the port must be a number from 1 to 65535, digits only");
    if text.is_empty() || text.len() > 5 || text.first() == Some(&b'0') || !text.iter().all(u8::is_ascii_digit) {
        return Err(FORM);
    }
    text.iter().try_fold(0_u16, |port, digit| port.checked_mul(10)?.checked_add(u16::from(digit - b'0'))).ok_or(FORM)
}

fn bracketed(text: &[u8]) -> Result<IpAddr, Malformed> {
    let inner =
        text.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")).ok_or(Malformed("brackets must enclose the whole address"))?;
    let address: Ipv6Addr = std::str::from_utf8(inner)
        .ok()
        .and_then(|inner| inner.parse().ok())
        .ok_or(Malformed("brackets are for an IPv6 address without a zone"))?;
    Ok(IpAddr::V6(address))
}

/// Letters, digits, hyphen and underscore in labels of 1 to 63 octets (RFC 1123 section 2.1; underscore names exist in DNS).
fn check_name(name: &[u8]) -> Result<(), Malformed> {
    if name.is_empty() {
        return Err(Malformed("the host is empty"));
    }
    if name.len() > MAX_NAME {
        return Err(Malformed("the host is longer than 253 octets"));
    }
    if !name.is_ascii() {
        return Err(Malformed("the host must be ASCII; write an internationalised name in its xn-- form"));
    }
    name.split(|byte| *byte == b'.').try_for_each(check_label)
}

fn check_label(label: &[u8]) -> Result<(), Malformed> {
    let (Some(first), Some(last)) = (label.first(), label.last()) else {
        return Err(Malformed("the host has an empty label"));
    };
    if label.len() > MAX_LABEL {
        return Err(Malformed("a label of the host is longer than 63 octets"));
    }
    if !label.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        return Err(Malformed("the host may hold letters, digits, hyphens and dots only; nothing in it is decoded"));
    }
    // A trailing hyphen is left to punycode-looking labels: no name of the policy ends so, and such labels match nothing.
    if *first == b'-' || (*last == b'-' && !label.starts_with(b"xn--")) {
        return Err(Malformed("a label of the host starts or ends with a hyphen"));
    }
    Ok(())
}

fn lower_case(name: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(name);
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) { Cow::Owned(text.to_ascii_lowercase()) } else { text }
}

/// The IPv4 address a resolver would see in the name: decimal, octal, hexadecimal, one to four parts (WHATWG URL section 3.5,
/// "ends in a number", and `inet_aton`). A name whose last label is a number but which is no address is refused.
fn numeric(name: &str) -> Result<Option<Ipv4Addr>, Malformed> {
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit()) || ipv4_part(last).is_some();
    if !is_number {
        return Ok(None);
    }
    ipv4(name).map(Some).ok_or(Malformed("the host ends in a number but is no address"))
}

fn ipv4(name: &str) -> Option<Ipv4Addr> {
    let parts = name.split('.').map(ipv4_part).collect::<Option<Vec<u64>>>()?;
    let (last, front) = parts.split_last()?;
    if front.len() > 3 || front.iter().any(|part| *part > 255) {
        return None;
    }
    let tail_bits = 8 * (4 - u32::try_from(front.len()).ok()?);
    if *last >= 1_u64 << tail_bits {
        return None;
    }
    let head = front.iter().fold(0_u64, |sum, part| (sum << 8) | part) << tail_bits;
    u32::try_from(head | last).ok().map(Ipv4Addr::from)
}

fn ipv4_part(part: &str) -> Option<u64> {
    let (digits, radix) = match part.strip_prefix("0x") {
        Some(hex) => (hex, 16),
        None if part.len() > 1 && part.starts_with('0') => (part.trim_start_matches('0'), 8),
        None if part.is_empty() => return None,
        None => (part, 10),
    };
    if digits.is_empty() {
        return Some(0);
    }
    if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Result<String, Malformed> {
        Host::parse(text.as_bytes()).map(|host| host.to_string())
    }

    #[test]
    fn names_are_folded_in_case_and_one_trailing_dot() {
        for text in ["api.imagicle.com", "API.Imagicle.COM", "api.imagicle.com."] {
            assert_eq!(host(text).as_deref(), Ok("api.imagicle.com"), "{text}");
        }
    }

    #[test]
    fn what_two_parsers_could_read_differently_is_refused() {
        for text in [
            "",
            ".",
            "..",
            ".imagicle.com",
            "a..imagicle.com",
            "a.imagicle.com..",
            "*.imagicle.com",
            "a%2eimagicle.com",
            "a b.com",
            "a\t.com",
            "a\0.com",
            "a/b.com",
            "-a.com",
            "a-.com",
            "ｉmagicle.com",
            "t.imagicle。com",
            "a\\b.com",
            "[a.com]",
            "[::1",
            "[]",
            "[fe80::1%lo]",
            "[fe80::1%25lo]",
            "::1",
            "1.2.3.4.5",
            "256.1.1.1",
            "a.1",
            "1.2.3.08",
            "4294967296",
            "a.com:443",
            "u@a.com",
        ] {
            assert!(host(text).is_err(), "{text:?} was read as {:?}", host(text));
        }
        assert!(Host::parse(&[b'a'; 64]).is_err());
        assert!(Host::parse("a.".repeat(127).as_bytes()).is_ok(), "253 octets and the trailing dot");
        assert!(Host::parse("a.".repeat(128).as_bytes()).is_err());
    }

    #[test]
    fn every_textual_form_of_an_address_is_an_address() {
        for text in [
            "127.0.0.1",
            "127.0.0.1.",
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f000001",
            "0X7F.1",
            "0177.0.0.1",
            "0x7f.0.0.0x1",
            "00000177.1",
        ] {
            assert_eq!(host(text).as_deref(), Ok("127.0.0.1"), "{text}");
        }
        assert_eq!(host("0").as_deref(), Ok("0.0.0.0"));
        assert_eq!(host("1.0x").as_deref(), Ok("1.0.0.0"));
        assert_eq!(host("[::ffff:7f00:1]").as_deref(), Ok("[::ffff:127.0.0.1]"));
        assert_eq!(host("1e100.net").as_deref(), Ok("1e100.net"), "a name that only starts like a number");
    }

    #[test]
    fn ports_are_digits_from_1_to_65535() {
        for port in ["", "0", "00", "0443", "65536", "4294967739", "-1", "+443", "https", "443x", "44 3"] {
            assert!(Destination::from_authority(format!("a.com:{port}").as_bytes()).is_err(), "{port:?}");
        }
        assert_eq!(Destination::from_authority(b"a.com:65535").map(|d| d.port), Ok(65_535));
        assert!(Destination::from_authority(b"a.com").is_err());
        assert!(Destination::from_authority(b"a.com:443@evil.test:443").is_err());
        assert!(Destination::from_authority(b"[::1]x:443").is_err());
        assert_eq!(Destination::from_authority(b"[::1]:443").map(|d| d.to_string()).as_deref(), Ok("[::1]:443"));
    }

    #[test]
    fn absolute_form_gives_the_origin_form() {
        let read = |text: &str| {
            Destination::from_absolute_form(text.as_bytes()).map(|(d, path)| format!("{d} {}", String::from_utf8_lossy(&path)))
        };
        assert_eq!(read("http://A.com/x?y").as_deref(), Ok("a.com:80 /x?y"));
        assert_eq!(read("HTTP://a.com:8080").as_deref(), Ok("a.com:8080 /"));
        assert_eq!(read("http://a.com?q").as_deref(), Ok("a.com:80 /?q"));
        assert_eq!(read("http://evil.test/t.imagicle.com").as_deref(), Ok("evil.test:80 /t.imagicle.com"));
        for text in [
            "https://a.com/",
            "ftp://a.com/",
            "/x",
            "a.com:80",
            "http:///x",
            "http:a.com",
            "http:////a.com",
            "http://:80/",
            "http://a.com#f",
            "*",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
