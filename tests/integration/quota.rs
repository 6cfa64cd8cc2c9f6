//! Quotas: one too many is told so with the time to wait, others are not affected, bytes are slowed and arrive whole.

use crate::support::client::{Closing, Head, Problem, RawClient, client_hello, connect_tunnel};
use crate::support::daemon::{Daemon, records};
use crate::support::entrance::Reception;
use crate::support::intercept::API;
use crate::support::origin::{Behaviour, RawOrigin};
use crate::support::proxy::Setup;
use crate::support::scrape::{Scrape, wait_for_decisions, wait_until};
use crate::support::world::{HTTP1, HTTP2, World, call};
use serde_json::Value;
use std::net::SocketAddr;
use ucx_egress::config::Config;
use ucx_egress::source::Source;

const CONNECT: &[u8] = b"CONNECT api.imagicle.com:443 HTTP/1.1\r\nHost: api.imagicle.com:443\r\n\r\n";
/// Slow enough that nothing comes back while a test looks.
const TWO: &str = "2/h\"\nburst = \"1h";

fn quota(limit: &str) -> String {
    format!("[[quota]]\nname = \"small\"\n{limit} = \"{TWO}\"\n")
}

async fn told(mut client: RawClient) -> (Head, Problem) {
    let head = client.read_head().await;
    let body = client.read_body(&head).await;
    assert_eq!(client.read_until_closed().await, (Vec::new(), Closing::Clean));
    let problem = Problem::parse(&head, &body);
    (head, problem)
}

async fn asking(proxy: SocketAddr) -> RawClient {
    let mut client = RawClient::connect(proxy).await;
    client.send(CONNECT).await;
    client
}

/// 429 with everything that helps: the reason, the quota, when to come back.
fn is_over(head: &Head, problem: &Problem, limit: &str) {
    assert_eq!((head.status, problem.reason.as_str(), problem.rule.as_deref()), (429, "quota_exceeded", Some("quota.small")));
    assert!(problem.detail.contains(&format!("quota.{limit}")), "{problem:?}");
    let wait: u64 = head.header("retry-after").expect("when to come back").parse().expect("whole seconds");
    assert!((1..=1_800).contains(&wait), "{wait}");
}

fn counted(scrape: &Scrape, limit: &str, outcome: &str) -> usize {
    scrape.count("ucx_egress_quota_total", &[("quota", "small"), ("limit", limit), ("outcome", outcome)])
}

#[tokio::test]
async fn a_request_too_many_is_refused_and_counted() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let proxy = Setup::new().host(API, origin.addr()).section(&quota("requests")).start();
    let before = Scrape::get(proxy.admin()).await;
    assert_eq!((counted(&before, "requests", "passed"), counted(&before, "requests", "refused")), (0, 0));
    for _ in 0..2 {
        connect_tunnel(proxy.proxy(), "api.imagicle.com:443").await.expect("within the quota");
    }
    let (head, problem) = told(asking(proxy.proxy()).await).await;
    is_over(&head, &problem, "requests");
    let after = Scrape::get(proxy.admin()).await;
    assert_eq!((counted(&after, "requests", "passed"), counted(&after, "requests", "refused")), (2, 1));
    assert_eq!(after.decisions("deny", "quota_exceeded"), 1);
}

#[tokio::test]
async fn a_connection_too_many_is_refused_at_the_door() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let proxy = Setup::new().host(API, origin.addr()).section(&quota("connections")).start();
    for _ in 0..2 {
        connect_tunnel(proxy.proxy(), "api.imagicle.com:443").await.expect("within the quota");
    }
    let (head, problem) = told(RawClient::connect(proxy.proxy()).await).await;
    is_over(&head, &problem, "connections");
    assert_eq!(counted(&Scrape::get(proxy.admin()).await, "connections", "refused"), 1);
}

/// A relay has no words for it: it closes.
#[tokio::test]
async fn a_relay_closes_a_connection_too_many() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let setup = Setup::new().host("tenant.imagicle.cloud", origin.addr()).relay("tenant.imagicle.cloud:1636");
    let proxy = setup.section(&quota("connections")).start();
    let mut kept = Vec::new();
    for _ in 0..2 {
        let mut client = RawClient::connect(proxy.relay()).await;
        let hello = client_hello(None);
        client.send(&hello).await;
        assert_eq!(client.read_exact(hello.len()).await, hello);
        kept.push(client);
    }
    let (bytes, _) = RawClient::connect(proxy.relay()).await.read_until_closed().await;
    assert!(bytes.is_empty());
    wait_until(proxy.admin(), |scrape| scrape.decisions("deny", "quota_exceeded") == 1).await;
}

/// The quota of another network, or of another service, takes nothing from this client.
#[tokio::test]
async fn whom_a_quota_does_not_cover_is_not_counted() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    for cover in ["clients = [\"10.1.0.0/16\"]", "service = \"presence\""] {
        let proxy = Setup::new().host(API, origin.addr()).section(&format!("{}{cover}\n", quota("requests"))).start();
        for _ in 0..4 {
            connect_tunnel(proxy.proxy(), "api.imagicle.com:443").await.expect("no quota covers it");
        }
        assert_eq!(counted(&Scrape::get(proxy.admin()).await, "requests", "passed"), 0, "{cover}");
    }
}

#[tokio::test]
async fn observing_does_not_lift_a_quota() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let proxy = Setup::new().host(API, origin.addr()).section(&quota("requests")).section("[policy]\nmode = \"observe\"").start();
    for _ in 0..2 {
        connect_tunnel(proxy.proxy(), "api.imagicle.com:443").await.expect("within the quota");
    }
    assert_eq!(told(asking(proxy.proxy()).await).await.0.status, 429);
}

#[tokio::test]
async fn a_call_too_many_inside_a_decrypted_connection_is_told_in_the_words_of_grpc() {
    let limited = format!("{}service = \"licensing\"\n", quota("requests"));
    let world =
        World::with(async |pki| crate::support::origin::TappedOrigin::echoing(pki, &[API], HTTP2).await, |setup| setup.section(&limited))
            .await;
    let mut client = world.http2().await;
    // The CONNECT was the first.
    let (within, over) = (client.ask(call("/a.B/C"), &[], None).await, client.ask(call("/a.B/C"), &[], None).await);
    assert_ne!(within.field("grpc-status"), Some("8"), "{within:?}");
    assert_eq!((over.status(), over.field("grpc-status")), (200, Some("8")), "{over:?}");
    assert!(over.field("retry-after").is_some(), "{over:?}");
}

#[tokio::test]
async fn a_handshake_too_many_is_refused_before_a_certificate_is_made() {
    let world = World::with(
        async |pki| crate::support::origin::TappedOrigin::echoing(pki, &[API], HTTP1).await,
        |setup| setup.section(&quota("handshakes")),
    )
    .await;
    for _ in 0..2 {
        world.raw().await;
    }
    let mut client = connect_tunnel(world.proxy.proxy(), "api.imagicle.com:443").await.expect("the tunnel opens");
    client.send(&client_hello(Some(API))).await;
    let (alert, _) = client.read_until_closed().await;
    assert_eq!(alert, [0x15, 3, 3, 0, 2, 2, 49], "access_denied");
    let scrape = wait_until(world.proxy.admin(), |scrape| counted(scrape, "handshakes", "refused") == 1).await;
    assert_eq!(scrape.count("ucx_egress_tls_handshakes_total", &[("side", "client")]), 2);
}

#[tokio::test]
async fn a_handshake_too_many_with_the_proxy_is_not_begun() {
    let reception = Reception::new();
    let proxy = reception.configure(Setup::new().section(&quota("handshakes")), "").start();
    for _ in 0..2 {
        reception.connect(proxy.proxy(), &[]).await.expect("a handshake");
    }
    reception.connect(proxy.proxy(), &[]).await.expect_err("one too many");
    let scrape = wait_for_decisions(proxy.admin(), "deny", "quota_exceeded", 1).await;
    assert_eq!(scrape.count("ucx_egress_tls_handshakes_total", &[("side", "listener")]), 2);
}

/// Four times the burst goes through: slowed, and whole.
#[tokio::test]
async fn bytes_over_the_quota_are_slowed_and_arrive_whole() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let section = "[[quota]]\nname = \"small\"\nbytes = \"512KiB/s\"\nburst = \"250ms\"\n";
    let proxy = Setup::new().host(API, origin.addr()).section(section).start();
    let mut client = connect_tunnel(proxy.proxy(), "api.imagicle.com:443").await.expect("the tunnel opens");
    let hello = client_hello(Some(API));
    client.send(&hello).await;
    assert_eq!(client.read_exact(hello.len()).await, hello);
    let sent: Vec<u8> = (0..=255).cycle().take(256 * 1024).collect();
    let started = std::time::Instant::now();
    for piece in sent.chunks(32 * 1024) {
        client.send(piece).await;
        assert_eq!(client.read_exact(piece.len()).await, piece);
    }
    // Half a MiB in both directions, less the burst and the last piece, of which nobody waits for the payment.
    assert!(started.elapsed() > std::time::Duration::from_millis(400), "{:?}", started.elapsed());
    client.finish().await;
    client.read_to_end().await;
    let scrape = Scrape::get(proxy.admin()).await;
    assert!(counted(&scrape, "bytes", "slowed") > 0 && counted(&scrape, "bytes", "passed") >= 24, "{}", scrape.text());
}

#[tokio::test]
async fn the_log_names_the_quota_and_status_has_its_counters() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let daemon = Daemon::start(&Setup::new().host(API, origin.addr()).section(&quota("requests")).text()).await;
    for _ in 0..3 {
        asking(daemon.proxy).await.read_head().await;
    }
    let mut client = RawClient::connect(daemon.admin).await;
    client.send(b"GET /api/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    client.read_head().await;
    let status: Value = serde_json::from_slice(&client.read_to_end().await).expect("JSON");
    let quota = &status["quotas"][0];
    assert_eq!((&quota["name"], &quota["limits"][0]["limit"]), (&Value::from("small"), &Value::from("requests")), "{quota}");
    assert_eq!((&quota["limits"][0]["passed"], &quota["limits"][0]["refused"]), (&Value::from(2), &Value::from(1)), "{quota}");
    let (_, lines) = daemon.stop().await;
    let refused: Vec<_> = records(&lines).into_iter().filter(|line| line["reason"] == "quota_exceeded").collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0]["rule"], "quota.small");
}

#[test]
fn handshakes_are_warned_of_where_there_are_none() {
    let text = "[[quota]]\nhandshakes = \"5/s\"\n";
    let config = Config::read(&Source::embedded("c.toml", text)).unwrap_or_else(|error| panic!("{error}"));
    assert!(
        config.warnings.iter().any(|warning| warning.place == "c.toml:2:14" && warning.message.contains("never acts")),
        "{:?}",
        config.warnings
    );
}

#[test]
fn a_quota_that_cannot_be_meant_is_refused() {
    for (lines, place, words) in [
        ("each_client = true", "c.toml:1:1", "the quota limits nothing"),
        ("service = \"telemetry\"\nconnections = \"5/s\"", "c.toml:3:15", "counts before a service is known"),
        ("service = \"telemtry\"\nrequests = \"5/s\"", "c.toml:2:11", "is no service of the policy; its services are "),
        ("requests = \"5\"", "c.toml:2:12", "is no rate; write a whole number in a time"),
        ("requests = \"5MiB/s\"", "c.toml:2:12", "write one such as \"50/s\""),
        ("requests = \"0/s\"", "c.toml:2:12", "less than 1"),
        ("bytes = \"10/s\"", "c.toml:2:9", "write one such as \"10MiB/s\""),
        ("bytes = \"10B/s\"", "c.toml:2:9", "less than 1KiB"),
        ("requests = \"5/s\"\nburst = \"0s\"", "c.toml:3:9", "quota.burst is out of range"),
        ("requests = \"5/s\"\nclients = []", "c.toml:3:11", "it covers nobody"),
        ("requests = \"5/s\"\nname = \"a b\"", "c.toml:3:8", "is no name of a quota"),
        ("requests = \"5/s\"\nname = \"none\"", "c.toml:3:8", "is no name of a quota"),
        ("requests = \"5/s\"\nname = \"a\"\n[[quota]]\nname = \"a\"\nbytes = \"1MiB/s\"", "c.toml:5:8", "two quotas are called \"a\""),
        ("packets = \"5/s\"", "c.toml:2:1", "unknown field `packets`"),
    ] {
        let text = format!("[[quota]]\n{lines}\n");
        let error = Config::read(&Source::embedded("c.toml", &text)).expect_err(&text);
        assert!(error.place == place && error.message.contains(words), "{text}: {error}");
    }
}
