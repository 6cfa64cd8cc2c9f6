//! A reload puts all of a new configuration in force or nothing of it. What it no longer allows ends, with its own reason; everything
//! else does not notice.

mod files;
mod identity;
mod intercepted;
mod listeners;
mod series;
mod unfit;

use crate::support::client::{DEADLINE, RawClient, client_hello, connect_tunnel, exchange};
use crate::support::daemon::{Daemon, records};
use crate::support::origin::{Behaviour, HttpOrigin, RawOrigin};
use crate::support::policy::{PolicyFile, service, text};
use crate::support::proxy::Setup;
use crate::support::scrape::Scrape;
use serde_json::Value;
use std::net::SocketAddr;

const A: &str = "a.test";
const B: &str = "b.test";

/// A policy that allows these endpoints, with tunnels.
fn allowing(endpoints: &[(&str, u16, &str)]) -> PolicyFile {
    PolicyFile::of("site", "1m", endpoints)
}

/// Two hosts behind one origin.
fn both(origin: SocketAddr) -> Setup {
    Setup::new().host(A, origin).host(B, origin)
}

/// A tunnel through which a hello went and came back.
async fn echoing(proxy: SocketAddr, host: &str) -> RawClient {
    let mut client = connect_tunnel(proxy, &format!("{host}:443")).await.unwrap_or_else(|refused| panic!("{host} is allowed: {refused:?}"));
    let hello = client_hello(Some(host));
    client.send(&hello).await;
    assert_eq!(client.read_exact(hello.len()).await, hello);
    client
}

async fn echoes(client: &mut RawClient, word: &[u8]) {
    client.send(word).await;
    assert_eq!(client.read_exact(word.len()).await, word);
}

/// Why a tunnel to this host is refused.
async fn refusal(proxy: SocketAddr, host: &str) -> String {
    let Err((head, problem)) = connect_tunnel(proxy, &format!("{host}:443")).await else { panic!("{host} is let through") };
    assert_eq!(head.status, 403, "{problem:?}");
    problem.reason
}

/// `/api/status`, the part about the configuration.
async fn status(admin: SocketAddr) -> Value {
    let request = format!("GET /api/status HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n");
    let (_, body) = exchange(admin, request.as_bytes()).await;
    serde_json::from_slice::<Value>(&body).expect("it is JSON")["configuration"].clone()
}

async fn reloads(admin: SocketAddr) -> (usize, usize) {
    let scrape = Scrape::get(admin).await;
    let count = |outcome| scrape.count("ucx_egress_config_reloads_total", &[("outcome", outcome)]);
    (count("ok"), count("failed"))
}

#[tokio::test]
async fn what_is_no_longer_allowed_ends_and_nothing_else_notices() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let (wide, narrow) = (allowing(&[(A, 443, "https"), (B, 443, "https")]), allowing(&[(B, 443, "https")]));
    let mut daemon = Daemon::start(&both(origin.addr()).policy(wide).text()).await;
    let (mut ends, mut stays) = (echoing(daemon.proxy, A).await, echoing(daemon.proxy, B).await);
    let line = daemon.reload(&both(origin.addr()).policy(narrow).text()).await;
    assert_eq!(line["ended"], 1, "{line}");
    assert_ne!(line["policy_hash"], line["policy_hash_before"]);
    ends.read_until_closed().await;
    echoes(&mut stays, b"still here").await;
    assert_eq!(refusal(daemon.proxy, A).await, "host_not_allowed");
    echoing(daemon.proxy, B).await;
    let client = ends.local_addr().to_string();
    let record = daemon.wait_for_line("the tunnel's record", |line| line["client"] == client.as_str()).await;
    let members = ["verdict", "ended", "reason", "rule"].map(|member| record[member].as_str().unwrap_or_default());
    assert_eq!(members, ["allow", "cut", "revoked_by_reload", "reload"]);
    let scrape = Scrape::get(daemon.admin).await;
    assert_eq!(scrape.count("ucx_egress_cuts_total", &[("reason", "revoked_by_reload")]), 1);
    assert_eq!(reloads(daemon.admin).await, (1, 0));
    let hash = line["policy_hash"].as_str().expect("a hash");
    assert_eq!(scrape.value("ucx_egress_build_info", &[("policy_hash", hash)]), Some(1.0));
}

/// A client that is let in no more loses what it has; the others keep theirs.
#[tokio::test]
async fn a_client_that_is_shut_out_loses_its_tunnels() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let setup = || both(origin.addr()).policy(allowing(&[(A, 443, "https")]));
    let mut daemon = Daemon::start(&setup().text()).await;
    let mut ends = echoing(daemon.proxy, A).await;
    let line = daemon.reload(&setup().section("[clients]\nallow = [\"127.0.0.9\"]").text()).await;
    assert_eq!(line["ended"], 1, "{line}");
    ends.read_until_closed().await;
}

/// The same by the networks of one listener.
#[tokio::test]
async fn a_listener_that_shuts_a_client_out_ends_its_tunnels() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let setup = || both(origin.addr()).policy(allowing(&[(A, 443, "https")]));
    let mut daemon = Daemon::start(&setup().text()).await;
    let mut ends = echoing(daemon.proxy, A).await;
    let line = daemon.reload(&setup().listener_line("clients = [\"127.0.0.9\"]").text()).await;
    assert_eq!(line["ended"], 1, "{line}");
    ends.read_until_closed().await;
}

/// An address that was an exception to the ban on private ones and is one no more.
#[tokio::test]
async fn a_tunnel_to_an_address_that_is_refused_now_ends() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let setup = || both(origin.addr()).policy(allowing(&[(A, 443, "https")]));
    let mut daemon = Daemon::start(&setup().text()).await;
    let mut ends = echoing(daemon.proxy, A).await;
    let line = daemon.reload(&setup().without_loopback().text()).await;
    assert_eq!(line["ended"], 1, "{line}");
    ends.read_until_closed().await;
}

/// A parent that comes is the only way: what was reached without it could not be opened anew.
#[tokio::test]
async fn a_tunnel_that_goes_past_a_new_parent_ends() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let setup = || both(origin.addr()).policy(allowing(&[(A, 443, "https"), (B, 443, "https")]));
    let mut daemon = Daemon::start(&setup().text()).await;
    let (mut ends, mut stays) = (echoing(daemon.proxy, A).await, echoing(daemon.proxy, B).await);
    let parent = format!("parent = \"http://127.0.0.1:9\"\nno_proxy = [\"{B}\"]");
    let line = daemon.reload(&setup().upstream_line(&parent).text()).await;
    assert_eq!(line["ended"], 1, "{line}");
    ends.read_until_closed().await;
    echoes(&mut stays, b"it goes past the parent still").await;
}

/// Idle connections to the cloud: those to a host that is refused now are closed, the others serve the next request.
#[tokio::test]
async fn kept_connections_go_with_their_host() {
    let (first, second) = (HttpOrigin::start().await, HttpOrigin::start().await);
    let setup = || Setup::new().host(A, first.addr()).host(B, second.addr());
    let wide = || setup().policy(allowing(&[(A, 80, "http"), (B, 80, "http")]));
    let mut daemon = Daemon::start(&wide().text()).await;
    get(daemon.proxy, A).await;
    get(daemon.proxy, B).await;
    let held = daemon.descriptors();
    daemon.reload(&setup().policy(allowing(&[(B, 80, "http")])).text()).await;
    get(daemon.proxy, B).await;
    assert_eq!(second.connections(), 1, "the connection to the host that stays was used again");
    daemon.reload(&wide().text()).await;
    get(daemon.proxy, A).await;
    assert_eq!(first.connections(), 2, "the connection to the host that went was closed");
    assert!(daemon.descriptors() <= held + 2, "{} after {held}", daemon.descriptors());
}

async fn get(proxy: SocketAddr, host: &str) {
    let request = format!("GET http://{host}/status/200 HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    assert_eq!(exchange(proxy, request.as_bytes()).await.0.status, 200, "{host}");
}

/// A client's own connection outlives the configuration: its next request is decided by the one in force.
#[tokio::test]
async fn a_kept_client_connection_meets_the_new_policy() {
    let origin = HttpOrigin::start().await;
    let setup = || both(origin.addr());
    let mut daemon = Daemon::start(&setup().policy(allowing(&[(A, 80, "http"), (B, 80, "http")])).text()).await;
    let mut client = RawClient::connect(daemon.proxy).await;
    let request = |host| format!("GET http://{host}/status/200 HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes();
    client.send(&request(A)).await;
    let head = client.read_head().await;
    client.read_body(&head).await;
    assert_eq!(head.status, 200);
    daemon.reload(&setup().policy(allowing(&[(B, 80, "http")])).text()).await;
    client.send(&request(B)).await;
    let head = client.read_head().await;
    client.read_body(&head).await;
    assert_eq!(head.status, 200, "the connection goes on");
    client.send(&request(A)).await;
    assert_eq!(client.read_head().await.status, 403);
}

/// Quotas that are the same keep what was used of them: a reload is no way to a full bucket.
#[tokio::test]
async fn a_quota_that_is_the_same_stays_used_up() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let quota = |requests: &str| format!("[[quota]]\nrequests = \"{requests}\"\nburst = \"1s\"");
    let setup = |requests: &str| both(origin.addr()).policy(allowing(&[(A, 443, "https")])).section(&quota(requests));
    let mut daemon = Daemon::start(&setup("1/h").text()).await;
    echoing(daemon.proxy, A).await;
    let over = |answer: Result<RawClient, (crate::support::client::Head, _)>| answer.err().map(|(head, _)| head.status);
    assert_eq!(over(connect_tunnel(daemon.proxy, "a.test:443").await), Some(429));
    daemon.reload(&setup("1/h").text()).await;
    assert_eq!(over(connect_tunnel(daemon.proxy, "a.test:443").await), Some(429));
    daemon.reload(&setup("9/s").text()).await;
    assert_eq!(over(connect_tunnel(daemon.proxy, "a.test:443").await), None);
}

/// Many reloads under way of a tunnel: it is there after all of them, and exact.
#[tokio::test]
async fn fifty_reloads_lose_no_byte() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let policy = |names: &[&str]| {
        text(&names.iter().map(|name| service(name, "personal_data = \"unstated\"", &[(A, 443, "https")])).collect::<String>())
    };
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let file = folder.path().join("policy.toml");
    std::fs::write(&file, policy(&["one"])).expect("the policy is written");
    let section = format!("[policy]\nfile = \"{}\"\n[reload]\non_change = false", file.display());
    let config = both(origin.addr()).section(&section).text();
    let mut daemon = Daemon::start(&config).await;
    let mut client = echoing(daemon.proxy, A).await;
    for round in 0..50_u32 {
        let names: &[&str] = if round % 2 == 0 { &["two"] } else { &["one"] };
        std::fs::write(&file, policy(names)).expect("the policy is written");
        daemon.reload(&config).await;
        echoes(&mut client, format!("word {round}").as_bytes()).await;
    }
    assert_eq!(reloads(daemon.admin).await, (50, 0));
    client.finish().await;
    client.read_to_end().await;
    let (code, lines) = daemon.stop().await;
    assert_eq!((code, records(&lines).len()), (Some(0), 1), "one tunnel, one record; it waited no longer than {DEADLINE:?}");
}

/// A connection that was accepted before its client was shut out asks in vain.
#[tokio::test]
async fn a_connection_from_before_meets_the_new_networks() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let setup = || both(origin.addr()).policy(allowing(&[(A, 443, "https")]));
    let mut daemon = Daemon::start(&setup().text()).await;
    let mut client = RawClient::connect(daemon.proxy).await;
    client.send(b"CONNECT a.test:443 HT").await;
    let others = setup().listener_line("clients = [\"127.0.0.9\"]");
    daemon.reload(&others.text()).await;
    client.send(b"TP/1.1\r\nHost: a.test:443\r\n\r\n").await;
    let head = client.read_head().await;
    let body = client.read_body(&head).await;
    assert_eq!((head.status, crate::support::client::Problem::parse(&head, &body).reason.as_str()), (403, "client_not_allowed"));
}
