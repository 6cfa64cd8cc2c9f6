//! Observing: what the policy would refuse passes and is recorded; what guards the customer's own network is refused all
//! the same.

use crate::hello::craft::{ENCRYPTED_CLIENT_HELLO, Hello};
use crate::support::client::{Closing, Head, Problem, RawClient, client_hello, client_hello_without_sni, exchange};
use crate::support::daemon::{Daemon, records};
use crate::support::origin::{Behaviour, HttpOrigin, RawOrigin};
use crate::support::proxy::Setup;
use crate::support::scrape::{Scrape, wait_until};
use std::net::SocketAddr;

const HOST: &str = "api.imagicle.com";
const UNKNOWN: &str = "unknown.test";
const OBSERVE: &str = "[policy]\nmode = \"observe\"";

/// The built-in policy, observed; both hosts are `origin`.
fn setup(origin: SocketAddr) -> Setup {
    Setup::new().host(HOST, origin).host(UNKNOWN, origin).section(OBSERVE)
}

async fn open(proxy: SocketAddr, authority: &str, host: &str) -> RawClient {
    let mut client = RawClient::connect(proxy).await;
    client.send(format!("CONNECT {authority} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await;
    assert_eq!(client.read_head().await.status, 200, "{authority}");
    client
}

/// What is said comes back: the tunnel carries it.
async fn echoes(client: &mut RawClient, bytes: &[u8]) {
    client.send(bytes).await;
    assert_eq!(client.read_exact(bytes.len()).await, bytes);
}

/// Every exchange so far was one that would have been denied for this reason.
async fn would_be_denied(admin: SocketAddr, reason: &str, count: usize) {
    let counted = |scrape: &Scrape| scrape.all_decisions() >= count;
    let scrape = wait_until(admin, counted).await;
    assert_eq!(scrape.decisions("would_deny", reason), count, "{reason}");
    assert_eq!(scrape.all_decisions(), count, "each exchange is counted once");
}

#[tokio::test]
async fn an_unknown_host_passes_and_is_recorded() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let mut daemon = Daemon::start(&setup(origin.addr()).text()).await;
    let mut client = open(daemon.proxy, "unknown.test:443", UNKNOWN).await;
    echoes(&mut client, &client_hello(Some("whoever.test"))).await;
    client.finish().await;
    assert_eq!(client.read_to_end().await, b"");
    let address = client.local_addr().to_string();
    let record = daemon.wait_for_line("the record", |line| line["client"] == address.as_str()).await;
    let members =
        ["verdict", "reason", "rule", "service", "ended", "destination"].map(|member| record[member].as_str().unwrap_or_default());
    assert_eq!(members, ["would_deny", "host_not_allowed", "default-deny", "none", "completed", "unknown.test:443"]);
    would_be_denied(daemon.admin, "host_not_allowed", 1).await;
    let (_, lines) = daemon.stop().await;
    assert_eq!(records(&lines).len(), 1);
}

#[tokio::test]
async fn an_allowed_host_is_allowed() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let proxy = setup(origin.addr()).start();
    echoes(&mut open(proxy.proxy(), "api.imagicle.com:443", HOST).await, &client_hello(Some(HOST))).await;
    let scrape = wait_until(proxy.admin(), |scrape| scrape.decisions("allow", "") == 1).await;
    assert_eq!(scrape.all_decisions(), 1);
}

/// Nothing is documented about such a destination, so whatever is spoken there passes, also where the server speaks first.
#[tokio::test]
async fn an_unknown_destination_may_speak_anything() {
    let origin = RawOrigin::scripted(Behaviour::Speak(b"220 ready\r\n".to_vec())).await;
    let proxy = setup(origin.addr()).start();
    for (number, (authority, reason)) in
        [("unknown.test:25", "host_not_allowed"), ("api.imagicle.com:25", "port_not_allowed")].into_iter().enumerate()
    {
        let mut client = open(proxy.proxy(), authority, authority).await;
        assert_eq!(client.read_exact(11).await, b"220 ready\r\n");
        client.send(b"EHLO client\r\n").await;
        origin.wait_for_bytes(13 * (number + 1)).await;
        let scrape = wait_until(proxy.admin(), |scrape| scrape.decisions("would_deny", reason) == 1).await;
        assert_eq!(scrape.all_decisions(), number + 1);
    }
}

#[tokio::test]
async fn first_bytes_that_would_be_refused_pass_and_are_recorded() {
    let cases: [(&str, Vec<u8>); 5] = [
        ("sni_mismatch", client_hello(Some("grpc.imagicle.com"))),
        ("sni_missing", client_hello_without_sni()),
        ("not_tls", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ("not_tls", Hello::to("").bytes()),
        ("ech_refused", Hello::to("public.test").extension(ENCRYPTED_CLIENT_HELLO, &[0; 200]).bytes()),
    ];
    for (reason, bytes) in cases {
        let origin = RawOrigin::scripted(Behaviour::Echo).await;
        let proxy = setup(origin.addr()).start();
        let mut client = open(proxy.proxy(), "api.imagicle.com:443", HOST).await;
        echoes(&mut client, &bytes).await;
        echoes(&mut client, b"and more").await;
        would_be_denied(proxy.admin(), reason, 1).await;
        let scrape = Scrape::get(proxy.admin()).await;
        assert_eq!(scrape.count("ucx_egress_decisions_total", &[("service", "licensing"), ("reason", reason)]), 1);
    }
}

/// A client that waits for the server to speak gets its way after the deadline.
#[tokio::test]
async fn silence_passes_and_is_recorded() {
    let origin = RawOrigin::scripted(Behaviour::Speak(b"220 ready\r\n".to_vec())).await;
    let proxy = setup(origin.addr()).section("[limits]\nhello = \"200ms\"").start();
    let mut client = open(proxy.proxy(), "api.imagicle.com:443", HOST).await;
    assert_eq!(client.read_exact(11).await, b"220 ready\r\n");
    would_be_denied(proxy.admin(), "not_tls", 1).await;
}

#[tokio::test]
async fn a_host_field_of_another_host_passes_and_is_recorded() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let proxy = setup(origin.addr()).start();
    echoes(&mut open(proxy.proxy(), "api.imagicle.com:443", "other.test").await, &client_hello(Some(HOST))).await;
    would_be_denied(proxy.admin(), "authority_mismatch", 1).await;
}

/// An exchange that would be denied twice over is still one exchange; its first reason stays, with its own rule.
#[tokio::test]
async fn the_first_reason_stays() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let mut daemon = Daemon::start(&setup(origin.addr()).text()).await;
    let mut client = open(daemon.proxy, "unknown.test:443", "other.test").await;
    echoes(&mut client, b"anything").await;
    client.finish().await;
    client.read_to_end().await;
    would_be_denied(daemon.admin, "authority_mismatch", 1).await;
    let record = daemon.wait_for_line("the record", |line| line["destination"] == "unknown.test:443").await;
    assert_eq!((record["reason"].as_str(), record["rule"].as_str()), (Some("authority_mismatch"), Some("well-formed-requests")));
}

#[tokio::test]
async fn plain_http_to_an_unknown_host_passes_and_is_recorded() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    let (head, _) =
        exchange(proxy.proxy(), b"GET http://unknown.test/test HTTP/1.1\r\nHost: unknown.test\r\nConnection: close\r\n\r\n").await;
    assert_eq!(head.status, 200);
    would_be_denied(proxy.admin(), "host_not_allowed", 1).await;
}

/// What is refused on the way of plain HTTP passes likewise.
#[tokio::test]
async fn plain_http_where_tls_is_documented_passes_and_is_recorded() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    let request = b"GET http://api.imagicle.com:443/test HTTP/1.1\r\nHost: api.imagicle.com:443\r\nConnection: close\r\n\r\n";
    assert_eq!(exchange(proxy.proxy(), request).await.0.status, 200);
    would_be_denied(proxy.admin(), "not_tls", 1).await;
}

#[tokio::test]
async fn a_forwarded_request_with_another_host_field_passes_and_is_recorded() {
    let origin = HttpOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    let request = b"GET http://unknown.test/test HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\n\r\n";
    assert_eq!(exchange(proxy.proxy(), request).await.0.status, 200);
    assert_eq!(origin.requests()[0].headers["host"], UNKNOWN, "the target decides where it goes and what it says there");
    would_be_denied(proxy.admin(), "authority_mismatch", 1).await;
}

async fn refusal(proxy: SocketAddr, request: &[u8]) -> (Head, Problem) {
    let (head, body) = exchange(proxy, request).await;
    let problem = Problem::parse(&head, &body);
    (head, problem)
}

/// What must never pass: the customer's own network, other networks' clients, loops, and what cannot be understood.
#[tokio::test]
async fn what_guards_the_network_is_enforced() {
    let origin = RawOrigin::start().await;
    let setup = setup(origin.addr()).addresses("private.test", &["10.0.0.1"]).addresses("grpc.imagicle.com", &["169.254.169.254"]);
    let proxy = setup.start();
    for (request, status, reason) in [
        (&b"CONNECT private.test:443 HTTP/1.1\r\n\r\n"[..], 403, "address_not_allowed"),
        (b"CONNECT grpc.imagicle.com:443 HTTP/1.1\r\n\r\n", 403, "address_not_allowed"),
        (b"CONNECT 10.0.0.1:443 HTTP/1.1\r\n\r\n", 403, "address_not_allowed"),
        (b"CONNECT [::ffff:10.0.0.1]:443 HTTP/1.1\r\n\r\n", 403, "address_not_allowed"),
        (b"GET http://169.254.169.254/latest HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n", 403, "address_not_allowed"),
        (b"CONNECT api.imagicle.com HTTP/1.1\r\n\r\n", 400, "bad_request"),
        (b"CONNECT u@api.imagicle.com:443 HTTP/1.1\r\n\r\n", 400, "bad_request"),
        (b"GET http://unknown.test/ HTTP/1.1\r\nHost: unknown.test\r\nHost: a.test\r\n\r\n", 400, "bad_request"),
        (b"TRACE http://unknown.test/ HTTP/1.1\r\nHost: unknown.test\r\n\r\n", 405, "method_not_allowed"),
    ] {
        let (head, problem) = refusal(proxy.proxy(), request).await;
        assert_eq!((head.status, problem.reason.as_str()), (status, reason), "{}", String::from_utf8_lossy(request));
    }
    assert_eq!(origin.connections(), 0);
}

/// The proxy itself and its admin pages are no destination, by address either.
#[tokio::test]
async fn a_loop_is_refused() {
    let origin = RawOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    for address in [proxy.proxy(), proxy.admin()] {
        let request = format!("CONNECT {address} HTTP/1.1\r\n\r\n");
        let (head, problem) = refusal(proxy.proxy(), request.as_bytes()).await;
        assert_eq!((head.status, problem.reason.as_str()), (403, "loop_detected"), "{address}");
    }
}

#[tokio::test]
async fn clients_of_other_networks_are_refused() {
    let origin = RawOrigin::start().await;
    let proxy = setup(origin.addr()).section("[clients]\nallow = [\"10.0.0.0/8\"]").start();
    let (head, problem) = refusal(proxy.proxy(), b"CONNECT unknown.test:443 HTTP/1.1\r\n\r\n").await;
    assert_eq!((head.status, problem.reason.as_str()), (403, "client_not_allowed"));
    assert_eq!(origin.connections(), 0);
}

/// Observed first and refused after all: one exchange, one decision, and that is the refusal.
#[tokio::test]
async fn an_exchange_that_is_refused_after_all_is_counted_once() {
    let origin = RawOrigin::start().await;
    let setup = setup(origin.addr()).addresses("private.test", &["10.0.0.1"]).section("[limits]\nresolve = \"200ms\"");
    for (authority, reason) in
        [("private.test:443", "address_not_allowed"), ("nowhere.test:443", "resolve_failed"), ("10.0.0.1:443", "address_not_allowed")]
    {
        let proxy = setup.start();
        let (_, problem) = refusal(proxy.proxy(), format!("CONNECT {authority} HTTP/1.1\r\n\r\n").as_bytes()).await;
        assert_eq!(problem.reason, reason);
        let scrape = wait_until(proxy.admin(), |scrape| scrape.decisions("deny", reason) == 1).await;
        assert_eq!(scrape.all_decisions(), 1, "{authority}");
    }
}

/// Inside a tunnel that passes unchecked nothing is parsed, and its end is an end like any other.
#[tokio::test]
async fn an_observed_tunnel_breaks_like_any_other() {
    let origin = RawOrigin::scripted(Behaviour::ResetAfter(4)).await;
    let proxy = setup(origin.addr()).start();
    let mut client = open(proxy.proxy(), "unknown.test:443", UNKNOWN).await;
    client.send(b"four").await;
    assert_eq!(client.read_until_closed().await, (Vec::new(), Closing::Abrupt));
}
