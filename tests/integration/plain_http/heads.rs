//! Request heads that two parsers could read differently: refused as the first and as a later request of a connection, and
//! in either case nothing of them reaches the origin.

use super::{HOST, answer, get, refusal, request, setup};
use crate::support::client::{Closing, Problem, RawClient};
use crate::support::origin::{HttpOrigin, RawOrigin};
use crate::support::proxy::Proxy;
use crate::support::scrape::{Scrape, wait_until_idle};
use std::net::SocketAddr;

/// What is wrong, and the head (with a body, where there is one).
fn malformed() -> Vec<(&'static str, Vec<u8>)> {
    let mut list = lines();
    let fields = [
        ("two Host fields", "Host: plain.test\r\n"),
        ("two Host fields, two hosts", "Host: evil.test\r\n"),
        ("CL and TE", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
        ("TE and CL", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
        ("TE identity", "Transfer-Encoding: identity\r\n"),
        ("TE gzip", "Transfer-Encoding: gzip\r\n"),
        ("TE gzip, chunked", "Transfer-Encoding: gzip, chunked\r\n"),
        ("TE twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        ("TE with an empty element", "Transfer-Encoding: ,chunked\r\n"),
        ("TE with a final comma", "Transfer-Encoding: chunked,\r\n"),
        ("TE quoted", "Transfer-Encoding: \"chunked\"\r\n"),
        ("TE with a parameter", "Transfer-Encoding: chunked;q=1\r\n"),
        ("TE unknown", "Transfer-Encoding: xchunked\r\n"),
        ("TE behind a vertical tab", "Transfer-Encoding: \x0bchunked\r\n"),
        ("CL twice, equal", "Content-Length: 5\r\nContent-Length: 5\r\n"),
        ("CL twice, different", "Content-Length: 5\r\nContent-Length: 6\r\n"),
        ("CL a list", "Content-Length: 5, 5\r\n"),
        ("CL signed", "Content-Length: +5\r\n"),
        ("CL negative", "Content-Length: -1\r\n"),
        ("CL hexadecimal", "Content-Length: 0x5\r\n"),
        ("CL with an underscore", "Content-Length: 5_0\r\n"),
        ("CL with a space", "Content-Length: 5 5\r\n"),
        ("CL empty", "Content-Length:\r\n"),
        ("CL over 64 bits", "Content-Length: 18446744073709551616\r\n"),
        ("a folded field", "X-A: a\r\n folded\r\n"),
        ("a folded TE", "Transfer-Encoding:\r\n chunked\r\n"),
        ("a space before the colon", "Content-Length : 5\r\n"),
        ("a tab before the colon", "X-A\t: 5\r\n"),
        ("a field without a name", ": v\r\n"),
        ("a field without a colon", "X-A\r\n"),
        ("a NUL in a value", "X-A: a\0b\r\n"),
        ("a NUL in a name", "X\0A: b\r\n"),
        ("a bare CR in a value", "X-A: a\rb\r\n"),
        ("a bare LF behind a value", "X-A: a\nTransfer-Encoding: chunked\r\n"),
        ("more than 100 fields", &"X-A: a\r\n".repeat(101)),
        ("over 64 KiB", &format!("X-A: {}\r\n", "a".repeat(66_000))),
    ];
    list.extend(fields.map(|(what, fields)| (what, request("POST", "/echo", fields, "0\r\n\r\n"))));
    list
}

/// Request lines and Host fields.
fn lines() -> Vec<(&'static str, Vec<u8>)> {
    let whole = |what, head: &str| (what, format!("{head}\r\n\r\n").into_bytes());
    vec![
        whole("no Host", "GET http://plain.test/test HTTP/1.1"),
        whole("Host empty", "GET http://plain.test/test HTTP/1.1\r\nHost:"),
        whole("Host a list", "GET http://plain.test/test HTTP/1.1\r\nHost: plain.test, evil.test"),
        whole("Host with a path", "GET http://plain.test/test HTTP/1.1\r\nHost: plain.test/x"),
        whole("Host with a user", "GET http://plain.test/test HTTP/1.1\r\nHost: u@plain.test"),
        whole("a leading space on the first field", "GET http://plain.test/test HTTP/1.1\r\n Host: plain.test"),
        whole("two spaces", "GET  http://plain.test/test HTTP/1.1\r\nHost: plain.test"),
        whole("a tab for a space", "GET\thttp://plain.test/test HTTP/1.1\r\nHost: plain.test"),
        whole("a space in the target", "GET http://plain.test/a b HTTP/1.1\r\nHost: plain.test"),
        whole("HTTP/1.2", "GET http://plain.test/test HTTP/1.2\r\nHost: plain.test"),
        whole("HTTP/2.0", "GET http://plain.test/test HTTP/2.0\r\nHost: plain.test"),
        whole("a lower-case version", "GET http://plain.test/test http/1.1\r\nHost: plain.test"),
        whole("a long version", "GET http://plain.test/test HTTP/1.1x\r\nHost: plain.test"),
        whole("no version", "GET http://plain.test/test\r\nHost: plain.test"),
        whole("a bracket in the method", "G(T http://plain.test/test HTTP/1.1\r\nHost: plain.test"),
        whole("TE on HTTP/1.0", "POST http://plain.test/echo HTTP/1.0\r\nTransfer-Encoding: chunked"),
        whole("origin-form", "GET /test HTTP/1.1\r\nHost: plain.test"),
        whole("origin-form with a host", "GET //plain.test/test HTTP/1.1\r\nHost: plain.test"),
        whole("asterisk-form", "OPTIONS * HTTP/1.1\r\nHost: plain.test"),
        whole("authority-form", "GET plain.test:80 HTTP/1.1\r\nHost: plain.test"),
        whole("https", "GET https://plain.test/test HTTP/1.1\r\nHost: plain.test"),
        whole("ftp", "GET ftp://plain.test/test HTTP/1.1\r\nHost: plain.test"),
        whole("no host in the target", "GET http:///test HTTP/1.1\r\nHost: plain.test"),
        whole("a user in the target", "GET http://u@plain.test/test HTTP/1.1\r\nHost: plain.test"),
        whole("a port out of range", "GET http://plain.test:65616/test HTTP/1.1\r\nHost: plain.test"),
        ("bare LF line ends", b"GET http://plain.test/test HTTP/1.1\nHost: plain.test\n\n".to_vec()),
        ("a bare LF behind the request line", b"GET http://plain.test/test HTTP/1.1\nHost: plain.test\r\n\r\n".to_vec()),
    ]
}

/// A first request is answered with the reason, and counted once.
#[tokio::test]
async fn a_malformed_first_request_is_refused_and_reaches_nobody() {
    let origin = RawOrigin::start().await;
    let proxy = impatient(origin.addr());
    let mut wrong = Vec::new();
    for (what, bytes) in malformed() {
        let client = RawClient::connect(proxy.proxy()).await;
        wrong.extend(complaint(&proxy, what, client, &bytes).await);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(origin.connections(), 0);
}

/// A later request likewise.
#[tokio::test]
async fn a_malformed_later_request_is_answered_like_a_first_one() {
    let origin = HttpOrigin::start().await;
    let proxy = impatient(origin.addr());
    let mut wrong = Vec::new();
    for (what, bytes) in malformed() {
        let client = used(&proxy).await;
        wrong.extend(complaint(&proxy, what, client, &bytes).await);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Whatever the proxy answers, the origin gets no second request, and nothing behind it is served.
#[tokio::test]
async fn a_malformed_later_request_reaches_nobody() {
    let mut passed = Vec::new();
    for (what, bytes) in malformed() {
        let origin = HttpOrigin::start().await;
        let proxy = impatient(origin.addr());
        let mut client = used(&proxy).await;
        let _ = client.try_send(&[&bytes[..], &get("/behind")].concat()).await;
        let (said, _) = client.read_until_closed().await;
        let answers = said.windows(10).filter(|word| word.starts_with(b"HTTP/1.1 ") && word[9].is_ascii_digit()).count();
        if origin.requests().len() > 1 || answers > 1 {
            passed.push((what, origin.requests().len() - 1, answers));
        }
    }
    assert!(passed.is_empty(), "reached the origin: {passed:#?}");
}

/// A head whose lines end in bare LF may never look complete, so the wait for it is short.
fn impatient(origin: SocketAddr) -> Proxy {
    setup(origin).section("[limits]\nhead = \"300ms\"").start()
}

/// A connection that served a request already.
async fn used(proxy: &Proxy) -> RawClient {
    let mut client = RawClient::connect(proxy.proxy()).await;
    client.send(&get("/status/200")).await;
    assert_eq!(answer(&mut client).await.0.status, 200);
    client
}

/// Sends a malformed request; says what is wrong with the refusal, if anything.
async fn complaint(proxy: &Proxy, what: &str, mut client: RawClient, bytes: &[u8]) -> Option<String> {
    let before = Scrape::get(proxy.admin()).await;
    // One that is refused before its end may be cut off in the middle.
    let _ = client.try_send(bytes).await;
    let (said, closing) = client.read_until_closed().await;
    drop(client);
    let said = String::from_utf8_lossy(&said);
    let after = wait_until_idle(proxy.admin()).await;
    let counted = after.decisions("deny", "bad_request") - before.decisions("deny", "bad_request");
    let explained = said.starts_with("HTTP/1.1 400 Bad Request (bad_request)\r\n") && said.contains("\"reason\": \"bad_request\"");
    let right = counted == 1 && explained && closing == Closing::Clean;
    (!right).then(|| format!("{what}: counted {counted}, {closing:?}, {:?}", said.lines().next().unwrap_or_default()))
}

/// One space or tab around a value is not part of it (RFC 9110 section 5.5); the origin gets it clean.
#[tokio::test]
async fn white_space_around_a_value_is_no_trick() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    for field in ["Transfer-Encoding:\tchunked", "Transfer-Encoding: chunked ", "transfer-encoding:Chunked"] {
        client.send(&request("POST", "/echo", &format!("{field}\r\n"), "4\r\nbody\r\n0\r\n\r\n")).await;
        let (head, body) = answer(&mut client).await;
        assert_eq!((head.status, body.as_str()), (200, "body"), "{field}");
    }
    for seen in origin.requests() {
        assert_eq!(seen.headers.get_all("transfer-encoding").iter().collect::<Vec<_>>(), ["chunked"]);
    }
}

#[tokio::test]
async fn other_methods_are_not_forwarded() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    for method in ["TRACE", "TRACK", "DEBUG", "PROPFIND", "get", "FOO", &"X".repeat(1_000)] {
        let mut first = RawClient::connect(proxy.proxy()).await;
        first.send(&request(method, "/test", "", "")).await;
        let mut later = used(&proxy).await;
        later.send(&request(method, "/test", "", "")).await;
        for client in [&mut first, &mut later] {
            let (head, problem) = refusal(client).await;
            assert_eq!((head.status, problem.reason.as_str()), (405, "method_not_allowed"), "{method}");
            let allow = head.header("allow").expect("a 405 says what is allowed (RFC 9110 section 15.5.6)");
            assert!(allow.split(", ").any(|allowed| allowed == "GET") && !allow.contains("TRACE"), "{allow}");
            assert!(client.is_closed().await, "{method}");
        }
    }
    assert!(origin.requests().iter().all(|seen| seen.uri == "/status/200"));
}

/// Chunks that two parsers could read differently: the origin never sees such a body end in order.
#[tokio::test]
async fn a_malformed_chunk_never_completes_upstream() {
    for chunks in [
        "0x5\r\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "-0\r\n\r\n",
        "5_0\r\nhello\r\n0\r\n\r\n",
        "\r\nhello\r\n0\r\n\r\n",
        "G\r\n\r\n",
        "FFFFFFFFFFFFFFFFF\r\nhello",
        "10000000000000005\r\nhello\r\n0\r\n\r\n",
        "5;\nhello\r\n0\r\n\r\n",
        "5\r\nhello!!\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\rhello\r\n0\r\n\r\n",
        "0\r\nX\r\n\r\n",
    ] {
        let origin = RawOrigin::start().await;
        let proxy = setup(origin.addr()).start();
        let mut client = RawClient::connect(proxy.proxy()).await;
        client.send(&request("POST", "/echo", "Transfer-Encoding: chunked\r\n", chunks)).await;
        let head = client.read_head().await;
        let body = client.read_body(&head).await;
        let problem = Problem::parse(&head, &body);
        assert_eq!((head.status, problem.reason.as_str()), (400, "bad_request"), "{chunks:?}");
        assert!(!String::from_utf8_lossy(&origin.received()).ends_with("0\r\n\r\n"), "{chunks:?}");
    }
}

/// The body of a request that is refused is not taken for the next request.
#[tokio::test]
async fn the_body_of_a_refused_request_is_never_a_request() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    let smuggled = String::from_utf8(get("/smuggled")).expect("ASCII");
    for (host, fields) in
        [("evil.test", format!("Content-Length: {}\r\n", smuggled.len())), (HOST, String::from("Content-Length: 0x5\r\n"))]
    {
        let mut client = RawClient::connect(proxy.proxy()).await;
        client.send(format!("POST http://{host}/ HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n{smuggled}").as_bytes()).await;
        refusal(&mut client).await;
        assert!(client.is_closed().await);
    }
    assert_eq!(origin.connections(), 0);
}
