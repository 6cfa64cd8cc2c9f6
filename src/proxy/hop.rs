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
    for name in HOP_BY_HOP {
        headers.remove(*name);
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
    for name in OVERRIDES {
        headers.remove(*name);
    }
}

/// Removes what would tell the cloud about the inside of the customer's network.
pub fn hide_inside(headers: &mut HeaderMap) {
    for name in INSIDE_ADDRESSES {
        headers.remove(*name);
    }
}

/// Adds this proxy to `Via` (RFC 9110 section 7.6.3).
pub fn add_via(headers: &mut HeaderMap, version: Version, pseudonym: &str) {
    let protocol = match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2.0",
        _ => "1.1",
    };
    if let Ok(value) = HeaderValue::from_str(&format!("{protocol} {pseudonym}")) {
        headers.append(VIA, value);
    }
}

/// Whether the message came through this proxy before.
#[must_use]
pub fn came_through(headers: &HeaderMap, pseudonym: &str) -> bool {
    let entries = headers.get_all(VIA).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    entries.into_iter().any(|entry| entry.split_whitespace().nth(1) == Some(pseudonym))
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
        assert!(!came_through(&headers, "ucx-egress-abcdef"));
        add_via(&mut headers, Version::HTTP_11, "ucx-egress-abcdef");
        assert!(came_through(&headers, "ucx-egress-abcdef"));
    }
}
