//! Inspection: a message in, a verdict out. Pure: no async, clock, I/O or logging.
//!
//! This version reads JSON, text and gRPC messages and knows one detector, e-mail addresses. What it cannot read is
//! [`Verdict::Uninspectable`], never clean.

pub mod detect;
pub mod engine;
pub mod finding;
pub mod format;
pub mod grpc;

use detect::Detected;
pub use finding::{Finding, Kind, Place};
use format::Format;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Findings of one message that are kept; more say nothing more.
const MAX_FINDINGS: usize = 16;
/// Layers of percent-encoding that are taken off a request target.
const MAX_PERCENT_LAYERS: usize = 3;
/// Longest request target of an inspected service.
pub const MAX_TARGET: usize = 8 * 1024;
/// Largest header section of an inspected service: names and values.
pub const MAX_HEADERS: usize = 16 * 1024;
/// Largest trailer section of an inspected service.
pub const MAX_TRAILERS: usize = 4 * 1024;

/// What inspection says of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was found.
    Clean,
    /// Personal data was found; at least one finding.
    Findings(Vec<Finding>),
    /// It is larger than what is inspected. The sentence names the limit.
    TooLarge(&'static str),
    /// It cannot be read, so it cannot be cleared. The sentence names the accepted form.
    Uninspectable(&'static str),
}

impl Verdict {
    fn of(findings: Vec<Finding>) -> Self {
        if findings.is_empty() { Self::Clean } else { Self::Findings(findings) }
    }
}

/// What a gRPC call says of its messages: those of other subtypes than Protocol Buffers, and encoded ones, are not read.
///
/// # Errors
/// A sentence that names the accepted form.
pub fn call(headers: &HeaderMap) -> Result<(), &'static str> {
    let mut types = headers.get_all(CONTENT_TYPE).iter().map(HeaderValue::as_bytes);
    let is_readable = matches!((types.next(), types.next()), (Some(b"application/grpc" | b"application/grpc+proto"), None));
    if !is_readable || headers.contains_key(CONTENT_ENCODING) {
        return Err("the call is neither application/grpc nor application/grpc+proto without a content coding");
    }
    Ok(())
}

/// The head of a request: its target and header fields.
#[must_use]
pub fn head(target: &str, headers: &HeaderMap) -> Verdict {
    if target.len() > MAX_TARGET {
        return Verdict::TooLarge("the request target is longer than 8 KiB");
    }
    if size(headers) > MAX_HEADERS {
        return Verdict::TooLarge("the header fields are larger than 16 KiB");
    }
    let mut findings = Vec::new();
    if !scan_target(target, &mut findings) {
        return Verdict::Uninspectable("the request target is percent-encoded more than three times");
    }
    scan_fields(headers, Place::Header, &mut findings);
    Verdict::of(findings)
}

/// The trailer section of a request.
#[must_use]
pub fn trailers(trailers: &HeaderMap) -> Verdict {
    if size(trailers) > MAX_TRAILERS {
        return Verdict::TooLarge("the trailer fields are larger than 4 KiB");
    }
    let mut findings = Vec::new();
    scan_fields(trailers, Place::Trailer, &mut findings);
    Verdict::of(findings)
}

/// A whole request body, with the header fields that say what it is.
#[must_use]
pub fn body(headers: &HeaderMap, bytes: &[u8]) -> Verdict {
    if bytes.is_empty() {
        return Verdict::Clean;
    }
    if headers.contains_key(CONTENT_ENCODING) {
        return Verdict::Uninspectable("the body has a content coding; send it without one");
    }
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(content_type), None) = (types.next(), types.next()) else {
        return Verdict::Uninspectable("the body needs exactly one content type");
    };
    let Ok(format) = Format::of(content_type.as_bytes()) else {
        return Verdict::Uninspectable("the content type is neither JSON nor text in UTF-8");
    };
    let mut findings = Vec::new();
    match format.scan(bytes, &mut |found| push(&mut findings, Place::Body, found)) {
        Ok(()) => Verdict::of(findings),
        Err(unreadable) => Verdict::Uninspectable(unreadable),
    }
}

/// One gRPC message without its prefix; `number` counts from 1 within its stream.
#[must_use]
pub fn grpc_message(number: u64, is_compressed: bool, bytes: &[u8]) -> Verdict {
    if is_compressed {
        return Verdict::Uninspectable("the gRPC message is compressed; send it without compression");
    }
    let mut findings = Vec::new();
    // Strings stand in Protocol Buffers as they are, so the detectors see them without a descriptor.
    detect::scan(bytes, &mut |found| push(&mut findings, |offset| Place::GrpcMessage { number, offset }, found));
    Verdict::of(findings)
}

fn push(findings: &mut Vec<Finding>, place: impl Fn(usize) -> Place, found: Detected) {
    if findings.len() < MAX_FINDINGS {
        findings.push(Finding { kind: found.kind, place: place(found.offset) });
    }
}

fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

/// The target as it stands and with its percent-encoding taken off; false if too many layers are left.
fn scan_target(target: &str, findings: &mut Vec<Finding>) -> bool {
    let mut text = target.as_bytes().to_vec();
    for _ in 0..=MAX_PERCENT_LAYERS {
        detect::scan(&text, &mut |found| push(findings, |_| Place::Target, found));
        match percent_decoded(&text) {
            Some(decoded) if findings.is_empty() => text = decoded,
            _ => return true,
        }
    }
    !findings.is_empty()
}

/// One layer less, or `None` if there is no layer.
fn percent_decoded(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut decoded = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        if let (b'%', Some(high), Some(low)) = (byte, digit(at + 1), digit(at + 2)) {
            decoded.push(u8::try_from(high * 16 + low).unwrap_or_default());
            at += 3;
        } else {
            decoded.push(*byte);
            at += 1;
        }
    }
    (decoded.len() < text.len()).then_some(decoded)
}

fn scan_fields(headers: &HeaderMap, place: fn(Option<&'static str>) -> Place, findings: &mut Vec<Finding>) {
    for (name, value) in headers {
        let known = known_name(name);
        let mut report = |found| push(findings, |_| place(known), found);
        scan_value(name, value.as_bytes(), &mut report);
        // A name that nobody documents can carry a value as well.
        if known.is_none() {
            detect::scan(name.as_str().as_bytes(), &mut report);
        }
    }
}

/// A field's value as it stands, without its percent-encoding, and, where the field is documented to carry base64, without that.
fn scan_value(name: &HeaderName, value: &[u8], report: &mut dyn FnMut(Detected)) {
    detect::scan(value, report);
    if let Some(decoded) = percent_decoded(value) {
        detect::scan(&decoded, report);
    }
    let is_binary = name.as_str().ends_with("-bin");
    let credentials = value.get(..6).filter(|scheme| scheme.eq_ignore_ascii_case(b"basic ")).and_then(|_| value.get(6..));
    let encoded = if is_binary { Some(value) } else { credentials };
    if let Some(decoded) = encoded.and_then(|encoded| base64_decoded(encoded.trim_ascii())) {
        detect::scan(&decoded, report);
    }
}

/// Standard base64, padded or not (RFC 4648 section 4).
fn base64_decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.iter().filter(|byte| **byte != b'=') {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(digit)) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            decoded.push(u8::try_from(bits >> count & 0xff).unwrap_or_default());
        }
    }
    Some(decoded)
}

/// Names of header fields that may be repeated in a finding: any other could be somebody's name.
fn known_name(name: &HeaderName) -> Option<&'static str> {
    const KNOWN: &[&str] = &[
        "accept",
        "authorization",
        "content-type",
        "cookie",
        "from",
        "grpc-message",
        "origin",
        "referer",
        "user-agent",
        "x-request-id",
        "x-user",
    ];
    KNOWN.iter().find(|known| **known == name.as_str()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        fields.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    fn places(verdict: &Verdict) -> Vec<String> {
        match verdict {
            Verdict::Findings(findings) => findings.iter().map(|finding| finding.place.to_string()).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn heads_are_scanned_through_their_encodings() {
        for target in
            ["/t?mail=mario@example.com", "/t?mail=mario%40example.com", "/t?mail=mario%2540example.com", "/mario%252540example.com"]
        {
            assert_eq!(places(&head(target, &HeaderMap::new())), ["request target"], "{target}");
        }
        assert_eq!(head("/t?version=1.2.3%204", &headers(&[("user-agent", "ucx/2024")])), Verdict::Clean);
        assert!(matches!(head("/%25252525", &HeaderMap::new()), Verdict::Uninspectable(_)));
        let verdict = head("/", &headers(&[("from", "mario@example.com"), ("x-secret-name", "mario@example.com")]));
        assert_eq!(places(&verdict), ["header from", "a header field of another name"]);
        for (name, value) in [
            ("referer", "https://x/?m=mario%40example.com"),
            ("authorization", "Basic bWFyaW9AZXhhbXBsZS5jb206c2VjcmV0"),
            ("x-user-bin", "bWFyaW9AZXhhbXBsZS5jb20"),
        ] {
            assert!(matches!(head("/", &headers(&[(name, value)])), Verdict::Findings(_)), "{name}");
        }
    }

    #[test]
    fn calls_that_are_not_read_are_told_from_those_that_are() {
        assert_eq!(call(&headers(&[("content-type", "application/grpc")])), Ok(()));
        assert_eq!(call(&headers(&[("content-type", "application/grpc+proto"), ("grpc-encoding", "gzip")])), Ok(()));
        for fields in [
            &[("content-type", "application/grpc+json")][..],
            &[("content-type", "application/grpc"), ("content-encoding", "gzip")],
            &[("content-type", "application/grpc"), ("content-type", "application/json")],
            &[],
        ] {
            let mut map = HeaderMap::new();
            for (name, value) in fields {
                map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            assert!(call(&map).is_err(), "{fields:?}");
        }
    }

    #[test]
    fn heads_and_trailers_are_bounded() {
        assert!(matches!(head(&format!("/{}", "a".repeat(MAX_TARGET)), &HeaderMap::new()), Verdict::TooLarge(_)));
        let mut large = HeaderMap::new();
        large.insert("x", HeaderValue::from_str(&"a".repeat(MAX_HEADERS)).expect("a value"));
        assert!(matches!(head("/", &large), Verdict::TooLarge(_)));
        assert!(matches!(trailers(&large), Verdict::TooLarge(_)));
        assert_eq!(places(&trailers(&headers(&[("from", "a@example.com")]))), ["trailer from"]);
    }

    #[test]
    fn what_is_neither_json_nor_text_is_not_cleared() {
        let json = headers(&[("content-type", "application/json")]);
        assert_eq!(body(&json, b"{\"version\":\"1.2.3\"}"), Verdict::Clean);
        assert_eq!(body(&HeaderMap::new(), b""), Verdict::Clean);
        for (fields, bytes) in [
            (headers(&[("content-type", "application/json"), ("content-encoding", "gzip")]), &b"{}"[..]),
            (headers(&[("content-type", "application/octet-stream")]), b"{}"),
            (headers(&[("content-type", "application/json; charset=utf-16")]), b"{}"),
            (HeaderMap::new(), b"{}"),
            (json.clone(), b"{\"a\":"),
            (json, b"{} {}"),
            (headers(&[("content-type", "text/plain")]), b"\xff\xfea\0"),
        ] {
            assert!(matches!(body(&fields, bytes), Verdict::Uninspectable(_)), "{fields:?} {bytes:?}");
        }
        let mut twice = headers(&[("content-type", "application/json")]);
        twice.append(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        assert!(matches!(body(&twice, b"{}"), Verdict::Uninspectable(_)));
    }

    #[test]
    fn grpc_messages_are_scanned_and_never_cleared_compressed() {
        assert_eq!(grpc_message(1, false, b"\x0a\x05hello"), Verdict::Clean);
        assert_eq!(places(&grpc_message(3, false, b"\x0a\x11mario@example.com")), ["gRPC message 3, byte 2"]);
        assert!(matches!(grpc_message(1, true, b"x"), Verdict::Uninspectable(_)));
    }

    #[test]
    fn a_message_full_of_findings_reports_a_bounded_number() {
        let bytes = "a@example.com ".repeat(1_000);
        assert_eq!(places(&grpc_message(1, false, bytes.as_bytes())).len(), MAX_FINDINGS);
    }
}
