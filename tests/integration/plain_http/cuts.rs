//! Where one request ends and the next begins does not depend on how the bytes arrive.

use super::{answer, get, refusal, request, setup};
use crate::support::client::RawClient;
use crate::support::origin::{HttpOrigin, RawOrigin};
use crate::support::proxy::Proxy;
use tokio::task::yield_now;

/// Sends the bytes in two writes; the proxy, in the same thread, gets its turn in between.
async fn cut(proxy: &Proxy, bytes: &[u8], at: usize) -> RawClient {
    let mut client = RawClient::connect(proxy.proxy()).await;
    client.send(&bytes[..at]).await;
    for _ in 0..4 {
        yield_now().await;
    }
    client.send(&bytes[at..]).await;
    client
}

#[tokio::test]
async fn requests_are_told_apart_wherever_they_are_cut() {
    let chunks = "5;a=\"b\"\r\nhello\r\n00a\r\nGET / HTTP\r\n0\r\nX-Trailer: y\r\n\r\n";
    let stream = [
        get("/test"),
        request("POST", "/echo", "Content-Length: 30\r\n", "GET /smuggled HTTP/1.1\r\n\r\nabcd"),
        request("POST", "/echo", "Transfer-Encoding: chunked\r\n", chunks),
        request("POST", "/echo", "Content-Length: 0\r\n", ""),
        get("/status/204"),
        get("/stream/2"),
    ]
    .concat();
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    for at in 0..=stream.len() {
        let mut client = cut(&proxy, &stream, at).await;
        let mut bodies = Vec::new();
        for _ in 0..6 {
            bodies.push(answer(&mut client).await.1);
        }
        let test = "{\"message\":\"successfully connected!\"}";
        let expected = [test, "GET /smuggled HTTP/1.1\r\n\r\nabcd", "helloGET / HTTP", "", "", "chunk 0\nchunk 1\n"];
        assert_eq!(bodies, expected, "cut at {at}");
    }
    assert_eq!(origin.requests().len(), 6 * (stream.len() + 1));
}

/// A denied request behind served ones is denied wherever it is cut, and nothing behind it is served.
#[tokio::test]
async fn a_refusal_ends_the_connection_wherever_it_is_cut() {
    let denied = b"POST http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\nContent-Length: 3\r\n\r\nabc";
    let stream = [&get("/status/200"), &denied[..], &get("/behind")].concat();
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    for at in 0..=stream.len() {
        let mut client = cut(&proxy, &stream, at).await;
        assert_eq!(answer(&mut client).await.0.status, 200);
        assert_eq!(refusal(&mut client).await.1.reason, "host_not_allowed", "cut at {at}");
        assert!(client.is_closed().await, "cut at {at}");
    }
    assert!(origin.requests().iter().all(|seen| seen.uri == "/status/200"));
}

/// Extensions and trailers are notes that nobody needs: a body may carry 16 KiB of them, and none of an extension goes on.
#[tokio::test]
async fn notes_in_a_chunked_body_are_bounded() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    let few = format!("4;{}\r\nbody\r\n0\r\n\r\n", "x".repeat(1_000));
    let mut client = RawClient::connect(proxy.proxy()).await;
    client.send(&request("POST", "/echo", "Transfer-Encoding: chunked\r\n", &few)).await;
    assert_eq!(answer(&mut client).await.1, "body");
    for many in [
        format!("4;{}\r\nbody\r\n0\r\n\r\n", "x".repeat(70_000)),
        "1;x\r\na\r\n".repeat(20_000) + "0\r\n\r\n",
        format!("4\r\nbody\r\n0\r\n{}\r\n", "X-A: b\r\n".repeat(10_000)),
        format!("4\r\nbody\r\n0\r\nX-A: {}\r\n\r\n", "b".repeat(70_000)),
    ] {
        let mut client = RawClient::connect(proxy.proxy()).await;
        let _ = client.try_send(&request("POST", "/echo", "Transfer-Encoding: chunked\r\n", &many)).await;
        let (head, problem) = refusal(&mut client).await;
        assert_eq!((head.status, problem.reason.as_str()), (400, "bad_request"), "{}", &many[..20]);
    }
    assert_eq!(origin.requests()[0].body, "body");
}

/// A length is believed only as far as bytes come; nothing is set aside for it.
#[tokio::test]
async fn a_huge_length_costs_nothing() {
    for length in ["100000000000000000", "4294967296"] {
        let origin = RawOrigin::start().await;
        let proxy = setup(origin.addr()).start();
        let mut client = RawClient::connect(proxy.proxy()).await;
        client.send(&request("POST", "/", &format!("Content-Length: {length}\r\n"), "a few")).await;
        origin.wait_for_connections(1).await;
        client.send(b" bytes").await;
        drop(client);
        origin.wait_for_closed(1).await;
        assert!(String::from_utf8_lossy(&origin.received()).contains(&format!("content-length: {length}\r\n")));
    }
}
