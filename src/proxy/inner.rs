//! The head of a request inside an intercepted connection: for whom it is, and the form it goes on in.

use super::context::Context;
use super::hop;
use crate::audit::Record;
use crate::destination::{Destination, Malformed};
use crate::error::{Reason, Refusal, RuleName};
use http::header::{EXPECT, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::uri::{PathAndQuery, Scheme};
use http::{Extensions, HeaderMap, HeaderValue, Method, Uri, Version};

/// A Host field without a port means this one (RFC 9110 section 4.2.2).
pub const HTTPS: u16 = 443;

/// Host field and `:authority` must be the destination that was decided on; so must both, if a request has both.
///
/// # Errors
/// `authority_mismatch`; `bad_request` for none, for two Host fields, or for what is no authority.
pub fn check_authority(context: &Context, record: &mut Record, destination: &Destination, parts: &Parts) -> Result<(), Refusal> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let host = hosts.next().map(HeaderValue::as_bytes);
    if hosts.next().is_some() {
        return Err(Refusal::bad_request("the request has more than one Host field"));
    }
    if parts.uri.scheme().is_some_and(|scheme| *scheme != Scheme::HTTPS) {
        return Err(Refusal::bad_request("inside TLS the scheme is https"));
    }
    let authority = parts.uri.authority().map(|authority| authority.as_str().as_bytes());
    if host.is_none() && authority.is_none() && parts.version != Version::HTTP_10 {
        return Err(Refusal::bad_request("a request needs a Host field or an :authority"));
    }
    // Nearly always it is written as it was decided on, and need not be read.
    let is_written_so = |named: &&[u8]| destination.port == HTTPS && destination.host.name().is_some_and(|name| *named == name.as_bytes());
    for named in host.into_iter().chain(authority).filter(|named| !is_written_so(named)) {
        let named = Destination::with_default_port(named, HTTPS).map_err(|Malformed(detail)| Refusal::bad_request(detail))?;
        if named != *destination {
            let detail = "the request names another host than the connection it came over";
            context.enforce(record, Refusal::new(Reason::AuthorityMismatch, detail, RuleName::WELL_FORMED))?;
        }
    }
    Ok(())
}

/// What cannot be inspected is not begun: upgrades (WebSocket, h2c), tunnels inside the connection.
///
/// # Errors
/// `upgrade_not_allowed`, `method_not_allowed`.
pub fn check_upgrade(parts: &Parts) -> Result<(), Refusal> {
    if parts.method == Method::CONNECT {
        let detail = "there is no CONNECT inside a tunnel";
        return Err(Refusal::new(Reason::MethodNotAllowed, detail, RuleName::Builtin("known-methods")));
    }
    if parts.headers.contains_key(UPGRADE) {
        let detail = "the connection is inspected, so it is not upgraded to another protocol (WebSocket, h2c)";
        return Err(Refusal::new(Reason::UpgradeNotAllowed, detail, RuleName::Builtin("inspection")));
    }
    Ok(())
}

/// Takes out of the head what belongs to one hop, what would tell of the inside of the customer's network, and what would make the
/// decided path and method mean others: what is left is what leaves.
pub fn clean(headers: &mut HeaderMap) {
    let (is_chunked, reads_trailers) = (headers.contains_key(TRANSFER_ENCODING), hop::reads_trailers(headers));
    hop::strip(headers);
    // Answered here, because the body is held here.
    headers.remove(EXPECT);
    if is_chunked {
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    if reads_trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    hop::hide_inside(headers);
    hop::remove_overrides(headers);
}

/// Writes on a clean head where it goes, and adds `Via`.
pub fn address(context: &Context, host: &HeaderValue, parts: &mut Parts) {
    context.pseudonym.add(&mut parts.headers, parts.version);
    parts.headers.insert(HOST, host.clone());
    let path = parts.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    parts.uri = Uri::from(path);
    // What hyper left for its own server is nobody else's.
    parts.extensions = Extensions::new();
}

/// Fields that frame, route, authorise or describe a message (RFC 9110 section 6.5.1): behind it they come too late, and a server that
/// merges trailers into the head would read another message.
const NO_TRAILERS: &[&str] = &[
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "max-forwards",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Refuses trailers that belong in front of a message.
///
/// # Errors
/// `bad_request`.
pub fn check_trailers(trailers: &HeaderMap) -> Result<(), Refusal> {
    if NO_TRAILERS.iter().any(|name| trailers.contains_key(*name)) {
        return Err(Refusal::bad_request("a trailer frames, routes or describes the message in front of it (RFC 9110 section 6.5.1)"));
    }
    Ok(())
}

/// Announces the trailers that were held (RFC 9110 section 6.6.2): without that, HTTP/1.1 would drop them.
pub fn announce_trailers(headers: &mut HeaderMap, trailers: &HeaderMap) {
    let names: Vec<&str> = trailers.keys().map(http::HeaderName::as_str).collect();
    if let Ok(value) = HeaderValue::from_str(&names.join(", ")) {
        headers.insert(TRAILER, value);
    }
}
