//! A whole body: places show nothing of it, a stricter mode is never milder, what is not read is never cleared.
//!
//! The first three bytes choose content type, charset and content coding, the rest is the body.

#![no_main]

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use ucx_egress::inspect::engine::canonical::Limits;
use ucx_egress::inspect::engine::canonical::coding::decode;
use ucx_egress::inspect::verdict::Verdict;
use ucx_egress_fuzz::{MAX_MESSAGE, choice, gravity, judge};

const TYPES: [&str; 15] = [
    "application/json",
    "application/x-ndjson",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "application/xml",
    "text/plain",
    "application/x-protobuf",
    "application/grpc",
    "application/grpc-web+proto",
    "application/grpc-web-text+proto",
    "text/csv",
    "application/vnd.imagicle+json",
    "multipart/mixed; boundary=\"b\"",
    "application/octet-stream",
    "",
];
const CHARSETS: [&str; 8] = [
    "",
    "; charset=utf-8",
    "; charset=utf-16",
    "; charset=us-ascii",
    "; charset=iso-8859-1",
    "; charset=utf-32le",
    "; charset=utf-7",
    "; charset=windows-1252",
];
const CODINGS: [&str; 8] = ["", "gzip", "deflate", "br", "zstd", "gzip, br", "zstd, gzip", "compress"];

fuzz_target!(|input: &[u8]| {
    let Some((content_type, rest)) = choice(input, TYPES.len()) else { return };
    let Some((charset, rest)) = choice(rest, CHARSETS.len()) else { return };
    let Some((coding, body)) = choice(rest, CODINGS.len()) else { return };
    let content_type = TYPES[content_type].to_owned() + CHARSETS[charset];
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_str(&content_type).expect("a value"));
    if coding > 0 {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(CODINGS[coding]));
    }
    let decoded = decode(CODINGS[coding], body, &Limits { max_output: MAX_MESSAGE });
    let shown = decoded.as_deref().unwrap_or_default();
    let verdicts = judge(shown, |inspector| inspector.body(&headers, body));
    let is_readable = decoded.is_ok() && !matches!(content_type.split(';').next(), Some("" | "application/octet-stream"));
    for verdict in &verdicts {
        assert!(is_readable || body.is_empty() || gravity(verdict) == 2, "what cannot be read was judged: {verdict:?}");
    }
    let is_foreign = content_type.ends_with("utf-7") && !content_type.contains("grpc") && !content_type.contains("multipart");
    if is_foreign && !content_type.contains("protobuf") && !body.is_empty() {
        assert!(verdicts.iter().all(|verdict| !matches!(verdict, Verdict::Clean)), "a charset that is not read was cleared");
    }
    // Decoded by the sender instead, it is the same message.
    if let (Ok(decoded), true) = (&decoded, coding > 0 && !body.is_empty() && !shown.is_empty()) {
        headers.remove(CONTENT_ENCODING);
        let plain = judge(shown, |inspector| inspector.body(&headers, decoded));
        assert!(plain == verdicts, "the coding changes the verdict");
    }
});
