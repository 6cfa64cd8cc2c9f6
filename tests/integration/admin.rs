//! The listeners that only show: who gets an answer there, and for how long.

mod places;
mod watchers;

use crate::support::client::exchange;
use crate::support::proxy::{Proxy, Setup};
use std::net::SocketAddr;

const OPEN: &str = "[discovery]\naddress = \"127.0.0.1:0\"";

/// Both listeners, each with a page.
fn listeners(proxy: &Proxy) -> [(SocketAddr, &'static str); 2] {
    [(proxy.admin(), "/metrics"), (proxy.addresses.discovery.expect("it has a listener"), "/proxy.pac")]
}

async fn status(listener: SocketAddr, request: &str) -> (u16, String) {
    let (head, body) = exchange(listener, request.as_bytes()).await;
    (head.status, String::from_utf8(body).expect("text"))
}

/// RFC 9112 section 3.2. What stands behind a balancer's check is HTTP/1.0 without a Host.
#[tokio::test]
async fn requests_that_do_not_say_whom_they_are_for_are_refused() {
    let proxy = Setup::new().section(OPEN).start();
    for (listener, path) in listeners(&proxy) {
        for (request, says) in [
            (format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n"), "two Host fields"),
            (format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nhost: evil.example\r\n\r\n"), "two Host fields"),
            (format!("GET {path} HTTP/1.1\r\nHost: evil.example\r\nHost: localhost\r\n\r\n"), "two Host fields"),
            (format!("GET {path} HTTP/1.1\r\n\r\n"), "no Host field"),
            (format!("GET http://localhost{path} HTTP/1.1\r\nHost: localhost\r\n\r\n"), "a whole URI"),
            (format!("GET http://localhost{path} HTTP/1.1\r\nHost: evil.example\r\n\r\n"), "a whole URI"),
            ("GET https://api.imagicle.com/test HTTP/1.1\r\nHost: api.imagicle.com\r\n\r\n".to_owned(), "a whole URI"),
        ] {
            let (code, body) = status(listener, &request).await;
            assert!(code == 400 && body.contains(says), "{request}: {code} {body}");
        }
        assert_eq!(status(listener, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await.0, 200);
    }
    assert_eq!(status(proxy.admin(), "GET /readyz HTTP/1.0\r\n\r\n").await, (200, "ready\n".to_owned()));
    assert_eq!(status(proxy.admin(), "GET /readyz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").await.0, 400);
    assert_eq!(status(proxy.admin(), "GET /metrics HTTP/1.0\r\n\r\n").await.0, 421);
}
