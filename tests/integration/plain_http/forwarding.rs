//! Requests in absolute-form and their answers, as the origin and the client see them.

use super::{HOST, answer, get, refusal, request, setup};
use crate::support::client::{RawClient, exchange, within_deadline};
use crate::support::origin::{HttpOrigin, ScriptedOrigin};
use crate::support::scrape::wait_for_decisions;
use http::Version;
use std::sync::Arc;
use tokio::sync::Notify;

#[tokio::test]
async fn a_request_arrives_in_origin_form() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    for (target, uri) in [
        ("http://plain.test/test?x=1&y", "/test?x=1&y"),
        ("HTTP://PLAIN.test.:80/test", "/test"),
        ("http://plain.test", "/"),
        ("http://plain.test?q", "/?q"),
    ] {
        let before = origin.requests().len();
        exchange(proxy.proxy(), format!("GET {target} HTTP/1.1\r\nHost: Plain.Test:80\r\n\r\n").as_bytes()).await;
        let seen = &origin.requests()[before];
        assert_eq!((seen.uri.to_string().as_str(), seen.version), (uri, Version::HTTP_11));
        assert_eq!(seen.headers["host"], HOST, "{target}");
    }
}

/// What is in a path is the origin's business: it arrives byte for byte, or not at all.
#[tokio::test]
async fn a_path_is_neither_decoded_nor_tidied() {
    for path in ["/%0d%0aX:y", "/%00", "/../../x", "/a;b?c=%2e", "/%2e%2e/", "//x", "/a/./b", "/\\", "/~|^`{}\"", "/?a?b//"] {
        let origin = ScriptedOrigin::start(|_, mut connection| async move {
            let head = connection.read_through(b"\r\n").await;
            connection.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", head.len()).as_bytes()).await;
            connection.send(&head).await;
        });
        let origin = origin.await;
        let proxy = setup(origin.addr()).start();
        let (head, body) = exchange(proxy.proxy(), &get(path)).await;
        match head.status {
            200 => assert_eq!(String::from_utf8_lossy(&body), format!("GET {path} HTTP/1.1\r\n")),
            status => assert_eq!((status, origin.connections()), (400, 0), "{path}"),
        }
    }
}

/// A fragment belongs to the client (RFC 9110 section 4.1): what stands behind # must neither vanish nor mislead.
#[tokio::test]
async fn a_fragment_is_refused() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    for target in ["http://plain.test/#x", "http://plain.test#@evil.test/", "http://plain.test/test?q#x"] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: plain.test\r\n\r\n");
        assert_eq!(super::refused(&proxy, request.as_bytes()).await, (400, "bad_request".to_owned()), "{target}");
    }
    assert_eq!(origin.connections(), 0);
}

#[tokio::test]
async fn every_forwarded_method_arrives_with_its_body() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    for (number, method) in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].into_iter().enumerate() {
        client.send(&request(method, "/status/200", "Content-Length: 4\r\n", "body")).await;
        assert_eq!(answer(&mut client).await.0.status, 200, "{method}");
        client.send(&request(method, "/status/200", "Transfer-Encoding: chunked\r\n", "2;ext=1\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n")).await;
        assert_eq!(answer(&mut client).await.0.status, 200, "{method}");
        let seen = &origin.requests()[2 * number..];
        let bodies = seen.iter().map(|seen| (seen.method.as_str(), seen.body.as_ref()));
        assert!(bodies.eq([(method, &b"body"[..]); 2]), "{seen:?}");
        assert_eq!(seen[0].headers["content-length"], "4");
    }
}

#[tokio::test]
async fn an_answer_arrives_with_its_body() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    client.send(&request("POST", "/echo", "Content-Type: text/x-test\r\nContent-Length: 5\r\n", "hello")).await;
    let (head, body) = answer(&mut client).await;
    assert_eq!((head.status, head.header("content-type"), body.as_str()), (200, Some("text/x-test"), "hello"));
    assert_eq!(head.version, "HTTP/1.1");
    client.send(&get("/stream/3")).await;
    let (head, body) = answer(&mut client).await;
    assert_eq!((head.header("transfer-encoding"), body.as_str()), (Some("chunked"), "chunk 0\nchunk 1\nchunk 2\n"));
    client.send(&get("/nothing-there")).await;
    assert_eq!(answer(&mut client).await.0.status, 404, "the origin's own status, not the proxy's");
    assert_eq!(origin.connections(), 1);
}

#[tokio::test]
async fn answers_without_a_body_have_none() {
    let origin = ScriptedOrigin::start(|_, mut connection| async move {
        while let Some(request) = next_request(&mut connection).await {
            let answer = match request {
                path if path.contains("/204") => "HTTP/1.1 204 No Content\r\n\r\n",
                path if path.contains("/304") => "HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\nETag: \"x\"\r\n\r\n",
                _ => "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
            };
            connection.send(answer.as_bytes()).await;
        }
    });
    let origin = origin.await;
    let proxy = setup(origin.addr()).start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    for _ in 0..2 {
        client.send(&get("/204")).await;
        let head = client.read_head().await;
        assert_eq!((head.status, head.header("content-length"), head.header("transfer-encoding")), (204, None, None));
        client.send(&get("/304")).await;
        let head = client.read_head().await;
        assert_eq!((head.status, head.header("transfer-encoding"), head.header("etag")), (304, None, Some("\"x\"")));
        client.send(&request("HEAD", "/100", "", "")).await;
        let head = client.read_head().await;
        assert_eq!((head.status, head.header("content-length")), (200, Some("100")));
    }
    assert_eq!(origin.connections(), 1);
}

/// The next request's head, unless the connection ended.
async fn next_request(connection: &mut RawClient) -> Option<String> {
    let head = connection.try_read_through(b"\r\n\r\n").await?;
    Some(String::from_utf8_lossy(&head).into_owned())
}

#[tokio::test]
async fn each_request_of_a_connection_is_decided_for_itself() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    client.send(&get("/test")).await;
    assert_eq!(answer(&mut client).await.0.status, 200);
    client.send(b"GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n").await;
    let (head, problem) = refusal(&mut client).await;
    assert_eq!((head.status, problem.reason.as_str()), (403, "host_not_allowed"));
    assert_eq!(origin.requests().len(), 1);
    let scrape = wait_for_decisions(proxy.admin(), "deny", "host_not_allowed", 1).await;
    assert_eq!((scrape.decisions("allow", ""), scrape.all_decisions()), (1, 2));
}

/// The target decides, whatever the Host field or its imitations say (RFC 9112 section 3.2.2).
#[tokio::test]
async fn the_target_decides() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    let mismatch = b"GET http://evil.test/ HTTP/1.1\r\nHost: plain.test\r\n\r\n";
    assert!(matches!(super::refused(&proxy, mismatch).await.0, 403 | 421));
    let mismatch = b"GET http://plain.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n";
    assert_eq!(super::refused(&proxy, mismatch).await, (421, "authority_mismatch".to_owned()));
    for field in ["X-Forwarded-Host: plain.test", "X-Original-URL: http://plain.test/", "X-HTTP-Method-Override: CONNECT"] {
        let request = format!("GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n{field}\r\n\r\n");
        assert_eq!(super::refused(&proxy, request.as_bytes()).await, (403, "host_not_allowed".to_owned()), "{field}");
    }
    assert_eq!(origin.connections(), 0);
}

/// A host that is documented with TLS is not reached in the clear, nor is another port of a known host.
#[tokio::test]
async fn plain_http_reaches_plain_endpoints_only() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    let tls = b"GET http://tls.test:443/ HTTP/1.1\r\nHost: tls.test:443\r\n\r\n";
    assert_eq!(super::refused(&proxy, tls).await, (403, "not_tls".to_owned()));
    let port = b"GET http://plain.test:8080/ HTTP/1.1\r\nHost: plain.test:8080\r\n\r\n";
    assert_eq!(super::refused(&proxy, port).await, (403, "port_not_allowed".to_owned()));
    assert_eq!(origin.connections(), 0);
}

#[tokio::test]
async fn requests_of_all_clients_share_upstream_connections() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    for _ in 0..3 {
        let mut client = RawClient::connect(proxy.proxy()).await;
        for _ in 0..5 {
            client.send(&get("/test")).await;
            assert_eq!(answer(&mut client).await.0.status, 200);
        }
    }
    assert_eq!((origin.requests().len(), origin.connections()), (15, 1));
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    client.send(&(0..1_000).flat_map(|number| get(&format!("/stream/{}", number % 7))).collect::<Vec<u8>>()).await;
    for number in 0..1_000 {
        let (_, body) = answer(&mut client).await;
        assert_eq!(body.lines().count(), number % 7);
    }
    assert_eq!(origin.connections(), 1);
}

/// A piece is passed on before the next one exists, in both directions.
#[tokio::test]
async fn bodies_stream_both_ways() {
    let (release, released) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (released_at_origin, arrived) = (Arc::clone(&release), Arc::clone(&released));
    let origin = ScriptedOrigin::start(move |_, mut connection| {
        let (release, arrived) = (Arc::clone(&released_at_origin), Arc::clone(&arrived));
        async move {
            connection.read_through(b"first\r\n").await;
            arrived.notify_one();
            connection.read_through(b"0\r\n\r\n").await;
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n").await;
            release.notified().await;
            connection.send(b"3\r\ntwo\r\n0\r\n\r\n").await;
        }
    });
    let origin = origin.await;
    let proxy = setup(origin.addr()).start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    client.send(&request("POST", "/", "Transfer-Encoding: chunked\r\n", "5\r\nfirst\r\n")).await;
    within_deadline("the first chunk arrives alone", released.notified()).await;
    client.send(b"6\r\nsecond\r\n0\r\n\r\n").await;
    client.read_through(b"one\r\n").await;
    release.notify_one();
    client.read_through(b"two\r\n0\r\n\r\n").await;
}

#[tokio::test]
async fn a_client_that_expects_100_gets_it_only_when_it_may_go_on() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    client.send(&request("POST", "/echo", "Expect: 100-continue\r\nContent-Length: 4\r\n", "")).await;
    assert_eq!(client.read_head().await.status, 100);
    client.send(b"body").await;
    let (head, body) = answer(&mut client).await;
    assert_eq!((head.status, body.as_str()), (200, "body"));
    let denied = b"POST http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
    assert_eq!(super::refused(&proxy, denied).await.0, 403, "without a 100 before it");
}

/// Nothing chunked, nothing kept, no interim answer, and no Host needed (RFC 9112 section 2.3 and appendix C.2).
#[tokio::test]
async fn an_http_1_0_client_is_served_in_its_own_terms() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    client.send(b"GET http://plain.test/stream/3 HTTP/1.0\r\n\r\n").await;
    let head = client.read_head().await;
    assert_eq!((head.status, head.header("transfer-encoding")), (200, None));
    assert_eq!(client.read_to_end().await, b"chunk 0\nchunk 1\nchunk 2\n");
    assert_eq!(origin.requests()[0].headers["host"], HOST);
}
