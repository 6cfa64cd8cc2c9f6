//! CONNECT and plain HTTP together: a tunnel to a plain endpoint, and a CONNECT behind other requests.

use super::{HOST, TLS_HOST, answer, get, refusal, setup, two_hosts};
use crate::support::client::{RawClient, client_hello, connect_tunnel};
use crate::support::origin::{HttpOrigin, RawOrigin};
use crate::support::proxy::Proxy;
use crate::support::scrape::{wait_for_decisions, wait_until_idle};

const CONNECT_TLS: &[u8] = b"CONNECT tls.test:443 HTTP/1.1\r\nHost: tls.test:443\r\n\r\n";

async fn tunnel(proxy: &Proxy) -> RawClient {
    connect_tunnel(proxy.proxy(), "plain.test:80").await.expect("the endpoint is allowed")
}

fn inner(method: &str, path: &str, host: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn requests_in_a_plain_tunnel_are_forwarded_one_by_one() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    let mut client = tunnel(&proxy).await;
    for host in [HOST, "plain.test:80", "PLAIN.TEST."] {
        client.send(&inner("GET", "/headers", host)).await;
        let (head, body) = answer(&mut client).await;
        assert_eq!(head.status, 200);
        assert!(head.header("via").is_some() && head.header("x-decision-id").is_some(), "{head:?}");
        assert!(body.contains("[\"via\",\"1.1 ucx-egress-") && body.contains("[\"host\",\"plain.test\"]"), "{body}");
    }
    assert_eq!(origin.connections(), 1, "the connection that proved the upstream alive serves the requests");
    let scrape = wait_for_decisions(proxy.admin(), "allow", "", 4).await;
    assert_eq!(scrape.all_decisions(), 4, "the tunnel and each request in it");
}

/// undici sends the CONNECT and the first request in one go.
#[tokio::test]
async fn a_request_sent_along_with_the_connect_is_served() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    client.send(&[b"CONNECT plain.test:80 HTTP/1.1\r\nHost: plain.test\r\n\r\n", &inner("GET", "/test", HOST)[..]].concat()).await;
    assert_eq!(client.read_head().await.status, 200);
    let (head, body) = answer(&mut client).await;
    assert_eq!((head.status, body.as_str()), (200, "{\"message\":\"successfully connected!\"}"));
}

#[tokio::test]
async fn another_host_in_a_plain_tunnel_is_misdirected() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    for (number, host) in ["evil.test", TLS_HOST, "plain.test.evil.test"].into_iter().enumerate() {
        let mut client = tunnel(&proxy).await;
        client.send(&inner("GET", "/test", HOST)).await;
        assert_eq!(answer(&mut client).await.0.status, 200);
        client.send(&inner("GET", "/test", host)).await;
        let (head, problem) = refusal(&mut client).await;
        assert_eq!((head.status, problem.reason.as_str()), (421, "authority_mismatch"), "{host}");
        assert!(client.is_closed().await);
        assert_eq!(origin.requests().len(), number + 1);
    }
}

#[tokio::test]
async fn there_is_no_tunnel_in_a_tunnel() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    for target in ["evil.test:443", "tls.test:443", "plain.test:80"] {
        let mut client = tunnel(&proxy).await;
        client.send(&inner("CONNECT", target, target)).await;
        let (head, problem) = refusal(&mut client).await;
        assert_eq!((head.status, problem.reason.as_str()), (405, "method_not_allowed"), "{target}");
        assert!(client.is_closed().await);
    }
    assert_eq!(origin.requests().len(), 0);
}

/// Raw bytes of any other protocol have no way through a plain tunnel.
#[tokio::test]
async fn what_is_not_http_does_not_pass_a_plain_tunnel() {
    let origin = RawOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    let hello = client_hello(Some(HOST));
    let other: [(&str, &[u8]); 4] = [
        ("TLS", &hello),
        ("HTTP/2 in the clear", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"),
        ("SSH", b"SSH-2.0-OpenSSH_9.6\r\n"),
        ("a websocket's frames", b"\x81\x85\x01\x02\x03\x04ABCDE"),
    ];
    for (what, bytes) in other {
        let mut client = tunnel(&proxy).await;
        client.send(bytes).await;
        client.read_until_closed().await;
        assert_eq!(origin.received(), b"", "{what}");
    }
    wait_for_decisions(proxy.admin(), "deny", "bad_request", 4).await;
}

/// The client asks for a socket, the origin must not even hear of it, and what follows is a request like any other.
#[tokio::test]
async fn nothing_is_upgraded_in_a_plain_tunnel() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    let mut client = tunnel(&proxy).await;
    client
        .send(
            b"GET /headers HTTP/1.1\r\nHost: plain.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n",
        )
        .await;
    client.send(&inner("GET", "/evil", "evil.test")).await;
    let (head, body) = answer(&mut client).await;
    assert_eq!(head.status, 200);
    assert!(!body.contains("\"upgrade\"") && !body.contains("\"connection\""), "{body}");
    assert_eq!(refusal(&mut client).await.0.status, 421);
    assert_eq!(origin.requests().len(), 1);
}

#[tokio::test]
async fn a_connect_behind_other_requests_opens_its_tunnel() {
    let origin = HttpOrigin::start().await;
    let cloud = RawOrigin::start().await;
    let proxy = two_hosts(origin.addr(), cloud.addr()).start();
    let hello = client_hello(Some(TLS_HOST));
    for early in [&b""[..], &hello[..10], &hello] {
        let before = cloud.received().len();
        let mut client = RawClient::connect(proxy.proxy()).await;
        client.send(&get("/test")).await;
        assert_eq!(answer(&mut client).await.0.status, 200);
        client.send(&[CONNECT_TLS, early].concat()).await;
        let head = client.read_head().await;
        assert_eq!(head.status, 200);
        assert!(head.header("content-length").is_none() && head.header("transfer-encoding").is_none(), "{head:?}");
        assert!(head.header("x-decision-id").is_some(), "like any other CONNECT: {head:?}");
        client.send(&hello[early.len()..]).await;
        client.send(b"data").await;
        cloud.wait_for_bytes(before + hello.len() + 4).await;
        assert_eq!(cloud.received()[before..], [&hello[..], b"data"].concat());
        client.finish().await;
        assert_eq!(client.read_to_end().await, b"");
    }
    wait_until_idle(proxy.admin()).await;
}

#[tokio::test]
async fn a_connect_behind_other_requests_is_decided_and_checked_like_any_other() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    for (request, status, reason) in [
        (&b"CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test\r\n\r\n"[..], 403, "host_not_allowed"),
        (b"CONNECT tls.test:22 HTTP/1.1\r\nHost: tls.test\r\n\r\n", 403, "port_not_allowed"),
        (b"CONNECT tls.test:443 HTTP/1.1\r\nHost: evil.test\r\n\r\n", 421, "authority_mismatch"),
        (b"CONNECT tls.test:65536 HTTP/1.1\r\nHost: tls.test\r\n\r\n", 400, "bad_request"),
        (b"CONNECT tls.test:443@evil.test:443 HTTP/1.1\r\nHost: tls.test\r\n\r\n", 400, "bad_request"),
        (b"CONNECT tls.test:443 HTTP/1.1\r\nHost: tls.test\r\nContent-Length: 3\r\n\r\nabc", 400, "bad_request"),
    ] {
        let mut client = RawClient::connect(proxy.proxy()).await;
        client.send(&get("/test")).await;
        assert_eq!(answer(&mut client).await.0.status, 200);
        client.send(request).await;
        let (head, problem) = refusal(&mut client).await;
        assert_eq!((head.status, problem.reason.as_str()), (status, reason), "{}", String::from_utf8_lossy(request));
        assert!(client.is_closed().await);
    }
    let mut client = RawClient::connect(proxy.proxy()).await;
    client.send(&[&get("/test"), CONNECT_TLS].concat()).await;
    assert_eq!(answer(&mut client).await.0.status, 200);
    assert_eq!(client.read_head().await.status, 200);
    client.send(&client_hello(Some(HOST))).await;
    assert_eq!(client.read_to_end().await, [21, 3, 3, 0, 2, 2, 112]);
}
