//! Header fields that belong to one hop only (RFC 9110 section 7.6.1), `Via`, and what must not leave.

use http::header::{CONNECTION, HeaderName, HeaderValue, TE, VIA};
use http::{HeaderMap, Version};

/// Fields of one hop, whether or not Connection names them.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

/// Fields that would tell the cloud addresses of the customer's network.
const INSIDE_ADDRESSES: &[&str] = &["forwarded", "x-forwarded-for", "x-real-ip"];

/// Fields by which a server behind may act on another path or method than the one that was decided on.
const OVERRIDES: &[&str] = &["x-original-url", "x-rewrite-url", "x-http-method-override", "x-http-method", "x-method-override"];

/// Fields that Connection cannot take away: they say where a message goes, where it ends, and on whose behalf.
const NEVER_NAMED: &[&str] = &["host", "content-length", "authorization"];

/// Removes what belongs to the hop the message came over.
pub fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|name| !NEVER_NAMED.iter().any(|kept| name.eq_ignore_ascii_case(kept)))
        .filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    remove_all(headers, HOP_BY_HOP);
}

/// Removes fields by name. Nearly always none is there, and reading the few names that are is faster than looking each of these up.
fn remove_all(headers: &mut HeaderMap, names: &[&str]) {
    if headers.keys().any(|name| names.contains(&name.as_str())) {
        for name in names {
            headers.remove(*name);
        }
    }
}

/// Whether the sender reads trailers (RFC 9110 section 10.1.4).
#[must_use]
pub fn reads_trailers(headers: &HeaderMap) -> bool {
    let values = headers.get_all(TE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    values.into_iter().any(|value| value.trim().eq_ignore_ascii_case("trailers"))
}

/// Removes what would make the decided path and method mean others.
pub fn remove_overrides(headers: &mut HeaderMap) {
    remove_all(headers, OVERRIDES);
}

/// Removes what would tell the cloud about the inside of the customer's network.
pub fn hide_inside(headers: &mut HeaderMap) {
    remove_all(headers, INSIDE_ADDRESSES);
}

/// How this proxy calls itself in `Via` (RFC 9110 section 7.6.3), with the values that it adds.
#[derive(Debug)]
pub struct Pseudonym {
    name: String,
    http_10: Option<HeaderValue>,
    http_11: Option<HeaderValue>,
    http_2: Option<HeaderValue>,
}

impl Pseudonym {
    /// The pseudonym of a process; what cannot stand in a field is never added.
    #[must_use]
    pub fn new(name: String) -> Self {
        let value = |protocol: &str| HeaderValue::try_from(format!("{protocol} {name}")).ok();
        Self { http_10: value("1.0"), http_11: value("1.1"), http_2: value("2.0"), name }
    }

    /// Adds this proxy to a message that came in such a version.
    pub fn add(&self, headers: &mut HeaderMap, version: Version) {
        let value = match version {
            Version::HTTP_10 => &self.http_10,
            Version::HTTP_2 => &self.http_2,
            _ => &self.http_11,
        };
        if let Some(value) = value {
            headers.append(VIA, value.clone());
        }
    }

    /// Whether the message came through this proxy before.
    #[must_use]
    pub fn is_in(&self, headers: &HeaderMap) -> bool {
        let entries = headers.get_all(VIA).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        entries.into_iter().any(|entry| entry.split_whitespace().nth(1) == Some(&self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_hop_fields_go_and_the_rest_stays() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-A, Host"),
            ("connection", "x-b"),
            ("x-a", "1"),
            ("x-b", "2"),
            ("keep-alive", "t=5"),
            ("proxy-connection", "x"),
            ("te", "gzip"),
            ("trailer", "x"),
            ("upgrade", "y"),
            ("proxy-authorization", "Basic dTpw"),
            ("host", "a.com"),
            ("authorization", "Bearer t"),
            ("x-c", "3"),
        ] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        strip(&mut headers);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["authorization", "host", "x-c"]);
    }

    #[test]
    fn via_finds_its_own_entry_only() {
        let mut headers = HeaderMap::new();
        headers.append(VIA, HeaderValue::from_static("1.1 other, 1.0 ucx-egress-000001"));
        let pseudonym = Pseudonym::new("ucx-egress-abcdef".to_owned());
        assert!(!pseudonym.is_in(&headers));
        pseudonym.add(&mut headers, Version::HTTP_2);
        assert!(pseudonym.is_in(&headers));
        assert_eq!(headers.get_all(VIA).iter().next_back().map(HeaderValue::as_bytes), Some(&b"2.0 ucx-egress-abcdef"[..]));
    }
}
