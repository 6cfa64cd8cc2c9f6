//! The head of a request: places show nothing of it, and no field hides another.
//!
//! The first line is the request target, every other a header field.

#![no_main]

use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use ucx_egress::inspect::verdict::Verdict;
use ucx_egress_fuzz::judge;

fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    // As much as a parser of requests lets through.
    let target = lines.next().unwrap_or_default();
    let Some(target) = std::str::from_utf8(target).ok().filter(|target| !target.bytes().any(|byte| byte <= b' ')) else { return };
    let mut headers: HeaderMap = lines.filter_map(field).collect();
    let verdicts = judge(bytes, |inspector| inspector.head(target, &headers));
    judge(bytes, |inspector| inspector.trailers(&headers));
    headers.append("x-reply-to", HeaderValue::from_static("mario.rossi@example.com"));
    let with_address = judge(bytes, |inspector| inspector.head(target, &headers));
    for (before, with) in verdicts.iter().zip(&with_address) {
        let is_found = matches!(with, Verdict::Findings(_)) || matches!(before, Verdict::TooLarge(_));
        assert!(is_found, "an address in a field was hidden by the other fields: {with:?}");
    }
});

fn field(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
    Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?))
}
