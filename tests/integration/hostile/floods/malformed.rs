//! Requests that HTTP/2 forbids: most of them would mean something else in HTTP/1.1.

use super::{
    ACK, END_HEADERS, END_STREAM, Fate, HEADERS, PROTOCOL_ERROR, Raw, SETTINGS, block, counting, frame, frame_on, get, still_serves,
};
use crate::support::world::{API, World};
use std::sync::atomic::Ordering;

type Fields = &'static [(&'static str, &'static str)];

/// Behind the pseudo-fields of a good GET.
const FIELDS: &[(&str, Fields)] = &[
    ("an upper-case name", &[("X-Upper", "1")]),
    ("connection", &[("connection", "close")]),
    ("transfer-encoding", &[("transfer-encoding", "chunked")]),
    ("transfer-encoding with a length", &[("transfer-encoding", "chunked"), ("content-length", "5")]),
    ("upgrade", &[("upgrade", "websocket")]),
    ("keep-alive", &[("keep-alive", "timeout=5")]),
    ("proxy-connection", &[("proxy-connection", "keep-alive")]),
    ("te that is not trailers", &[("te", "gzip")]),
    ("a value that begins with a blank", &[("x-a", " b")]),
    ("a value that ends with a tab", &[("x-a", "b\t")]),
    ("a length in disguise", &[("content_length", "5")]),
    ("a coding in disguise", &[("transfer_encoding", "chunked")]),
    ("a value with CR LF", &[("x-a", "b\r\nx-injected: 1")]),
    ("a value with CR", &[("x-a", "b\rc")]),
    ("a value with LF", &[("x-a", "b\nc")]),
    ("a value with NUL", &[("x-a", "b\0c")]),
    ("a name with a colon", &[("x:a", "b")]),
    ("a name with a space", &[("x a", "b")]),
    ("a name with CR LF", &[("x-a\r\nx-b", "c")]),
    ("an empty name", &[("", "b")]),
    ("a second path", &[(":path", "/other")]),
    ("a pseudo-field behind a field", &[("x-a", "b"), (":path", "/other")]),
    ("an unknown pseudo-field", &[(":proxy", "b")]),
    ("a status", &[(":status", "200")]),
    ("two lengths", &[("content-length", "1"), ("content-length", "2")]),
    ("a length and no body", &[("content-length", "5")]),
    ("another host", &[("host", "evil.test")]),
    ("two hosts", &[("host", API), ("host", "evil.test")]),
];

const HEADS: &[(&str, Fields)] = &[
    ("a method with a line in it", &[(":method", "GET / HTTP/1.1\r\nX:"), (":scheme", "https"), (":authority", API), (":path", "/")]),
    ("a method with a space", &[(":method", "GET /x"), (":scheme", "https"), (":authority", API), (":path", "/")]),
    ("the scheme http", &[(":method", "GET"), (":scheme", "http"), (":authority", API), (":path", "/")]),
    ("a scheme with a host", &[(":method", "GET"), (":scheme", "https://evil/"), (":authority", API), (":path", "/")]),
    ("a path with a line in it", &[(":method", "GET"), (":scheme", "https"), (":authority", API), (":path", "/ HTTP/1.1\r\nX: 1")]),
    ("a path with a space", &[(":method", "GET"), (":scheme", "https"), (":authority", API), (":path", "/a b")]),
    ("no path", &[(":method", "GET"), (":scheme", "https"), (":authority", API)]),
    ("an empty path", &[(":method", "GET"), (":scheme", "https"), (":authority", API), (":path", "")]),
    ("a path without a slash", &[(":method", "GET"), (":scheme", "https"), (":authority", API), (":path", "x")]),
    ("no scheme", &[(":method", "GET"), (":authority", API), (":path", "/")]),
    ("no method", &[(":scheme", "https"), (":authority", API), (":path", "/")]),
    ("two methods", &[(":method", "GET"), (":method", "POST"), (":scheme", "https"), (":authority", API), (":path", "/")]),
    ("no authority", &[(":method", "GET"), (":scheme", "https"), (":path", "/")]),
    ("user information", &[(":method", "GET"), (":scheme", "https"), (":authority", "api.imagicle.com@evil.test"), (":path", "/")]),
    ("another authority", &[(":method", "GET"), (":scheme", "https"), (":authority", "evil.test"), (":path", "/")]),
    ("CONNECT", &[(":method", "CONNECT"), (":authority", "evil.test:443")]),
    (
        "an extended CONNECT",
        &[(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":authority", API), (":path", "/")],
    ),
];

async fn connect(world: &World) -> Raw {
    let mut raw = Raw::over(world.ca.connect(world.proxy.proxy(), API, &[b"h2"]).await.expect("a connection"));
    raw.begin().await;
    raw
}

#[tokio::test]
async fn what_http2_forbids_reaches_nobody() {
    let (world, asked) = counting().await;
    let fields = FIELDS.iter().map(|(name, fields)| (*name, [get("/t"), block(fields)].concat()));
    let heads = HEADS.iter().map(|(name, head)| (*name, block(head)));
    let mut cases = 0;
    for (name, head) in fields.chain(heads) {
        let mut raw = connect(&world).await;
        raw.send(&frame_on(1, HEADERS, END_HEADERS | END_STREAM, &head)).await;
        let fate = raw.outcome_of(1, name).await;
        let is_refused = matches!(fate, Fate::Reset(_) | Fate::GoneAway(_) | Fate::Answered(400..=499));
        assert!(is_refused, "{name}: {fate:?}");
        assert_eq!(asked.load(Ordering::SeqCst), 0, "{name} reached the cloud");
        cases += 1;
    }
    still_serves(&world).await;
    println!("hostile: {cases} cases of forbidden HTTP/2 requests");
}

const PUSH_PROMISE: u8 = 5;

#[tokio::test]
async fn streams_are_numbered_as_they_must_be() {
    let (world, _) = counting().await;
    let open = |stream| frame_on(stream, HEADERS, END_HEADERS | END_STREAM, &get("/ok"));
    let promise = [&2_u32.to_be_bytes()[..], &get("/pushed")].concat();
    let cases: &[(&str, Vec<u8>)] = &[
        ("an even number", open(2)),
        ("the connection's number", open(0)),
        ("a lower number than before", [open(5), open(3)].concat()),
        ("a promise of the client's", [open(1), frame_on(1, PUSH_PROMISE, END_HEADERS, &promise)].concat()),
        ("SETTINGS acknowledged twice", frame(SETTINGS, ACK, &[])),
        ("a reset of a stream that never was", frame_on(7, super::RST_STREAM, 0, &[0, 0, 0, 8])),
        ("data on a stream that never was", frame_on(7, super::DATA, 0, b"x")),
    ];
    for (name, bytes) in cases {
        let mut raw = connect(&world).await;
        raw.send(bytes).await;
        assert_eq!(raw.fate(name).await, Fate::GoneAway(PROTOCOL_ERROR), "{name}");
    }
    // The highest number is one like any other; there is none behind it.
    let last = 0x7fff_ffff;
    let mut raw = connect(&world).await;
    raw.send(&open(last)).await;
    assert_eq!(raw.outcome_of(last, "the highest number").await, Fate::Answered(200));
    raw.send(&open(1)).await;
    assert_eq!(raw.fate("behind the highest number").await, Fate::GoneAway(PROTOCOL_ERROR));
    still_serves(&world).await;
    println!("hostile: {} cases of stream numbers", cases.len() + 2);
}
