//! A request is for the host of its connection or for nobody, however it says so.

use super::{answer, refused};
use crate::support::http2::Http2;
use crate::support::origin::TappedOrigin;
use crate::support::scrape::Scrape;
use crate::support::world::{API, HTTP1, HTTP2, World};
use http::{Method, Request};

/// HTTP/1.1 heads and what they are refused with.
fn refusals() -> Vec<(String, u16, &'static str)> {
    let mismatch = |host: &str| (format!("GET / HTTP/1.1\r\nHost: {host}\r\n"), 421, "authority_mismatch");
    let malformed = |head: &str| (head.to_owned(), 400, "bad_request");
    vec![
        mismatch("grpc.imagicle.com"),
        mismatch("api.imagicle.com.evil.example"),
        mismatch("xapi.imagicle.com"),
        mismatch("api.imagicle.com:8443"),
        mismatch("api.imagicle.com:80"),
        mismatch("127.0.0.1"),
        malformed("GET / HTTP/1.1\r\nHost: api.imagicle.com\r\nHost: api.imagicle.com\r\n"),
        malformed("GET / HTTP/1.1\r\nHost: api.imagicle.com\r\nHost: grpc.imagicle.com\r\n"),
        malformed("GET / HTTP/1.1\r\nHost: user@api.imagicle.com\r\n"),
        malformed("GET / HTTP/1.1\r\nHost: api.imagicle.com, grpc.imagicle.com\r\n"),
        malformed("GET / HTTP/1.1\r\nHost:\r\n"),
        malformed("GET / HTTP/1.1\r\n"),
        malformed("GET https://api.imagicle.com/ HTTP/1.1\r\nHost: api.imagicle.com\r\n"),
        malformed("GET http://grpc.imagicle.com/ HTTP/1.1\r\nHost: api.imagicle.com\r\n"),
        malformed("OPTIONS * HTTP/1.1\r\nHost: api.imagicle.com\r\n"),
        ("CONNECT api.imagicle.com:443 HTTP/1.1\r\nHost: api.imagicle.com\r\n".to_owned(), 405, "method_not_allowed"),
        ("TRACE / HTTP/1.1\r\nHost: api.imagicle.com\r\n".to_owned(), 405, "method_not_allowed"),
        ("PROPFIND / HTTP/1.1\r\nHost: api.imagicle.com\r\n".to_owned(), 405, "method_not_allowed"),
        (upgrade("websocket"), 403, "upgrade_not_allowed"),
        (upgrade("h2c"), 403, "upgrade_not_allowed"),
        (upgrade("TLS/1.0"), 403, "upgrade_not_allowed"),
    ]
}

fn upgrade(protocol: &str) -> String {
    let more = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nHTTP2-Settings: AAMAAABk\r\n";
    format!("GET /ws HTTP/1.1\r\nHost: api.imagicle.com\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: {protocol}\r\n{more}")
}

#[tokio::test]
async fn what_is_for_another_host_or_protocol_is_refused_in_http1() {
    let world = World::echoing(HTTP1).await;
    for (head, status, reason) in refusals() {
        assert_eq!(refused(&world, format!("{head}\r\n").as_bytes()).await, (status, reason.to_owned()), "{head}");
    }
    assert!(world.what_arrived().await.concat().is_empty());
}

#[tokio::test]
async fn the_same_host_may_be_written_in_other_ways() {
    let world = World::echoing(HTTP1).await;
    for host in ["api.imagicle.com", "API.Imagicle.COM", "api.imagicle.com.", "api.imagicle.com:443"] {
        let mut client = world.raw().await;
        client.send(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await;
        assert_eq!(answer(&mut client).await.0.status, 200, "{host}");
    }
    let mut client = world.raw().await;
    client.send(b"GET / HTTP/1.0\r\n\r\n").await;
    assert_eq!(answer(&mut client).await.0.status, 200, "HTTP/1.0 needs no Host");
    let arrived = String::from_utf8(world.what_arrived().await.concat()).expect("text").to_ascii_lowercase();
    assert_eq!(arrived.matches("\r\nhost: api.imagicle.com\r\n").count(), 5, "named anew: {arrived}");
}

/// A request with these parts: its URI, and Host fields beside `:authority`.
fn request(uri: &str, hosts: &[&str]) -> Request<()> {
    let start = Request::builder().method(Method::GET).uri(uri);
    hosts.iter().fold(start, |head, host| head.header("host", *host)).body(()).expect("a request")
}

#[tokio::test]
async fn what_is_for_another_host_or_protocol_is_refused_in_http2() {
    let world = World::echoing(HTTP2).await;
    let mut client = world.http2().await;
    let refusals = [
        ("https://grpc.imagicle.com/", &[][..], 421, "authority_mismatch"),
        ("https://api.imagicle.com:8443/", &[], 421, "authority_mismatch"),
        ("https://api.imagicle.com/", &["grpc.imagicle.com"], 421, "authority_mismatch"),
        ("https://grpc.imagicle.com/", &["api.imagicle.com"], 421, "authority_mismatch"),
        ("https://grpc.imagicle.com/", &["eu.api.imagicle.com"], 421, "authority_mismatch"),
        ("https://api.imagicle.com/", &["api.imagicle.com:8443"], 421, "authority_mismatch"),
        ("https://api.imagicle.com/", &["api.imagicle.com", "api.imagicle.com"], 400, "bad_request"),
        ("https://user@api.imagicle.com/", &[], 400, "bad_request"),
        ("https://api.imagicle.com/", &["user@api.imagicle.com"], 400, "bad_request"),
        ("http://api.imagicle.com/", &[], 400, "bad_request"),
    ];
    for (uri, hosts, status, reason) in refusals {
        let answer = client.get(request(uri, hosts)).await;
        assert_eq!((answer.status(), answer.reason().as_str()), (status, reason), "{uri} {hosts:?}");
    }
    for (uri, hosts) in [("https://API.imagicle.com:443/", &[][..]), ("https://api.imagicle.com/", &["api.imagicle.com:443"])] {
        assert_eq!(client.get(request(uri, hosts)).await.status(), 200, "{uri} {hosts:?}: the connection goes on");
    }
    refuses_methods(&mut client).await;
}

async fn refuses_methods(client: &mut Http2) {
    let tunnel = Request::builder().method(Method::CONNECT).uri("api.imagicle.com:443").body(()).expect("a request");
    let trace = Request::builder().method(Method::TRACE).uri("https://api.imagicle.com/").body(()).expect("a request");
    for request in [tunnel, trace] {
        let answer = client.get(request).await;
        assert_eq!((answer.status(), answer.reason().as_str()), (405, "method_not_allowed"));
        assert!(answer.field("allow").is_some(), "{answer:?}");
    }
}

/// Even then it goes to the host of the connection, by that host's name.
#[tokio::test]
async fn observing_lets_another_authority_pass_to_the_same_host() {
    let observe = "[policy]\nmode = \"observe\"";
    let world = World::with(async |pki| TappedOrigin::echoing(pki, &[API], HTTP1).await, |setup| setup.section(observe)).await;
    let mut client = world.raw().await;
    client.send(b"GET / HTTP/1.1\r\nHost: grpc.imagicle.com\r\n\r\n").await;
    assert_eq!(answer(&mut client).await.0.status, 200);
    assert_eq!(Scrape::get(world.proxy.admin()).await.decisions("would_deny", "authority_mismatch"), 1);
    let arrived = String::from_utf8(world.what_arrived().await.concat()).expect("text").to_ascii_lowercase();
    assert!(arrived.contains("\r\nhost: api.imagicle.com\r\n") && !arrived.contains("grpc"), "{arrived}");
}
