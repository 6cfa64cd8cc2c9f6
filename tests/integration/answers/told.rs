//! What a refusal says, and to whom.

use super::{World, connect, get, refusal};
use crate::support::client::{Closing, Problem, RawClient, exchange};
use crate::support::daemon::{Daemon, records};
use crate::support::proxy::Setup;
use crate::support::scrape::wait_until;
use tokio::task::yield_now;

/// The error types of RFC 9209 section 2.3 and the one that suits each reason.
const TOKENS: [(&str, &str); 16] = [
    ("host_not_allowed", "http_request_denied"),
    ("port_not_allowed", "http_request_denied"),
    ("ip_literal", "http_request_denied"),
    ("bad_request", "http_request_error"),
    ("authority_mismatch", "http_request_denied"),
    ("method_not_allowed", "http_request_denied"),
    ("not_tls", "http_request_denied"),
    ("address_not_allowed", "destination_ip_prohibited"),
    ("loop_detected", "proxy_loop_detected"),
    ("resolve_failed", "dns_error"),
    ("connect_failed", "connection_refused"),
    ("connect_timeout", "connection_timeout"),
    ("client_not_allowed", "http_request_denied"),
    ("overloaded", "connection_limit_reached"),
    ("upstream_failed", "http_protocol_error"),
    ("idle_timeout", "http_response_timeout"),
];

/// A request for every refusal that needs no interception, with its status and reason. `via` is the proxy's own entry.
fn refusals(via: &str) -> Vec<(Vec<u8>, u16, &'static str)> {
    vec![
        (connect("example.org:443"), 403, "host_not_allowed"),
        (get("example.org", ""), 403, "host_not_allowed"),
        (connect("tls.test:22"), 403, "port_not_allowed"),
        (get("plain.test:8080", ""), 403, "port_not_allowed"),
        (connect("203.0.113.7:443"), 403, "ip_literal"),
        (connect("[2001:db8::1]:443"), 403, "ip_literal"),
        (get("203.0.113.7", ""), 403, "ip_literal"),
        (connect("tls.test"), 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nHost: plain.test\r\n\r\n".to_vec(), 400, "bad_request"),
        (b"GET http://plain.test/ HTTP/1.1\r\n\r\n".to_vec(), 400, "bad_request"),
        (b"\x16\x03\x01\x00\x05hello".to_vec(), 400, "bad_request"),
        (b"CONNECT tls.test:443 HTTP/1.1\r\nHost: plain.test\r\n\r\n".to_vec(), 421, "authority_mismatch"),
        (b"GET http://plain.test/ HTTP/1.1\r\nHost: tls.test\r\n\r\n".to_vec(), 421, "authority_mismatch"),
        (b"TRACE http://plain.test/ HTTP/1.1\r\nHost: plain.test\r\n\r\n".to_vec(), 405, "method_not_allowed"),
        (get("tls.test:443", ""), 403, "not_tls"),
        (connect("private.test:443"), 403, "address_not_allowed"),
        (get("plain.test", &format!("Via: {via}\r\n")), 403, "loop_detected"),
        (connect("nowhere.test:443"), 502, "resolve_failed"),
        (connect("dead.test:443"), 502, "connect_failed"),
        (connect("full.test:443"), 504, "connect_timeout"),
        (get("garbage.test", ""), 502, "upstream_failed"),
        (get("silent.test", ""), 504, "idle_timeout"),
    ]
}

#[tokio::test]
async fn a_refusal_says_the_same_everywhere() {
    let world = World::new().await;
    let mut daemon = Daemon::start(&world.setup().text()).await;
    let (served, _) = exchange(daemon.proxy, &get("plain.test", "Connection: close\r\n")).await;
    let refusals = refusals(served.header("via").expect("the answer came through this proxy"));
    let exchanges = refusals.len() + 1;
    for (request, status, reason) in refusals {
        says_the_same(&mut daemon, &request, status, reason).await;
    }
    let (_, lines) = daemon.stop().await;
    assert_eq!(records(&lines).len(), exchanges);
}

/// Those of other settings: who may ask, and how many.
#[tokio::test]
async fn a_refusal_at_the_door_says_the_same_everywhere() {
    let mut daemon = Daemon::start(&Setup::new().section("[clients]\nallow = [\"10.0.0.0/8\"]").text()).await;
    says_the_same(&mut daemon, &connect("api.imagicle.com:443"), 403, "client_not_allowed").await;
    let mut daemon = Daemon::start(&Setup::new().section("[limits]\nmax_connections = 1").text()).await;
    let _seated = RawClient::connect(daemon.proxy).await;
    wait_until(daemon.admin, |scrape| scrape.clients() == 1).await;
    says_the_same(&mut daemon, &connect("api.imagicle.com:443"), 503, "overloaded").await;
}

/// Sends a request that is refused, and compares phrase, fields, body and log.
async fn says_the_same(daemon: &mut Daemon, request: &[u8], status: u16, reason: &str) {
    let (head, problem) = refusal(daemon.proxy, request).await;
    let shown = format!("{} {head:?} {problem:?}", String::from_utf8_lossy(request));
    assert_eq!((head.status, problem.status, problem.reason.as_str()), (status, status, reason), "{shown}");
    assert_eq!(problem.type_uri, format!("urn:ucx-egress:reason:{reason}"));
    assert!(!problem.title.is_empty() && !problem.detail.is_empty() && problem.title != problem.detail, "{shown}");
    assert!(head.reason.contains(reason), "{shown}");
    let token = TOKENS.iter().find(|(known, _)| *known == reason).map(|(_, token)| *token).expect("every reason has its token");
    assert_eq!(head.header("proxy-status"), Some(format!("ucx-egress; error={token}; details=\"{reason}\"").as_str()), "{shown}");
    for (name, value) in [("connection", "close"), ("cache-control", "no-store"), ("x-content-type-options", "nosniff")] {
        assert_eq!(head.header(name), Some(value), "{shown}");
    }
    assert!(head.header("content-length").is_some() && head.header("server").is_none(), "{shown}");
    assert_eq!(head.header("x-decision-id"), Some(problem.decision.as_str()));
    let record = daemon.wait_for_line("the refusal is logged", |line| line["decision"] == problem.decision.as_str()).await;
    assert_eq!((record["verdict"].as_str(), record["reason"].as_str()), (Some("deny"), Some(reason)), "{record}");
    assert_eq!((record["rule"].as_str(), record["status"].as_u64()), (problem.rule.as_deref(), Some(status.into())), "{record}");
}

#[tokio::test]
async fn a_method_that_is_not_forwarded_is_answered_with_those_that_are() {
    let world = World::new().await;
    let proxy = world.setup().start();
    let (head, _) = refusal(proxy.proxy(), b"DEBUG http://plain.test/ HTTP/1.1\r\nHost: plain.test\r\n\r\n").await;
    let allow: Vec<_> = head.header("allow").expect("RFC 9110 section 15.5.6").split(", ").collect();
    assert_eq!(allow, ["CONNECT", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
}

/// A refused CONNECT is followed by nothing (RFC 9931): what came along with it might have been meant for the tunnel.
#[tokio::test]
async fn what_follows_a_refused_request_is_never_a_request() {
    let world = World::new().await;
    let daemon = Daemon::start(&world.setup().text()).await;
    let behind = get("plain.test", "");
    let first = [connect("example.org:443"), connect("tls.test:22"), connect("dead.test:443"), get("example.org", ""), connect("tls.test")];
    for request in &first {
        let (head, _) = refusal(daemon.proxy, &[&request[..], &behind].concat()).await;
        assert!(matches!(head.status, 400 | 403 | 502), "{head:?}");
    }
    assert_eq!(world.plain.connections(), 0);
    let (_, lines) = daemon.stop().await;
    assert_eq!(records(&lines).len(), first.len(), "what follows is no exchange either");
}

/// Old clients send CONNECT over HTTP/1.0, without Host: they are answered like everyone else.
#[tokio::test]
async fn an_http_1_0_connect_is_answered() {
    let world = World::new().await;
    let proxy = world.setup().start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    client.send(b"CONNECT tls.test:443 HTTP/1.0\r\n\r\n").await;
    let head = client.read_head().await;
    assert_eq!((head.version.as_str(), head.status, head.reason.as_str()), ("HTTP/1.1", 200, "Connection established"));
    assert!(head.header("content-length").is_none() && head.header("transfer-encoding").is_none(), "{head:?}");
    let (head, problem) = refusal(proxy.proxy(), b"CONNECT example.org:443 HTTP/1.0\r\n\r\n").await;
    assert_eq!((head.status, problem.reason.as_str()), (403, "host_not_allowed"));
}

/// RFC 9110 section 9.3.2.
#[tokio::test]
async fn a_refused_head_request_gets_the_head_of_its_answer() {
    let world = World::new().await;
    let proxy = world.setup().start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    client.send(b"HEAD http://example.org/ HTTP/1.1\r\nHost: example.org\r\n\r\n").await;
    let head = client.read_head().await;
    assert_eq!((head.status, head.header("connection")), (403, Some("close")));
    assert_eq!(client.read_until_closed().await, (Vec::new(), Closing::Clean));
}

/// A client writes its upload before it reads: closing over what still comes would reset the connection, and destroy the
/// answer on its way.
#[tokio::test]
async fn a_refused_upload_gets_its_answer() {
    let world = World::new().await;
    let proxy = world.setup().start();
    for host in ["example.org", "tls.test:443", "private.test:443"] {
        let mut client = RawClient::connect(proxy.proxy()).await;
        let head = format!("POST http://{host}/ HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100000\r\n\r\n");
        client.send(head.as_bytes()).await;
        for _ in 0..100 {
            client.send(&[b'x'; 1_000]).await;
            yield_now().await;
        }
        let head = client.read_head().await;
        let body = client.read_body(&head).await;
        assert_eq!((head.status, Problem::parse(&head, &body).status), (403, 403), "{host}");
        assert_eq!(client.read_until_closed().await, (Vec::new(), Closing::Clean), "{host}");
    }
}
