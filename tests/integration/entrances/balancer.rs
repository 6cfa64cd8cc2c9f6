//! The PROXY protocol: the client is whom a named balancer speaks for, everywhere; nobody else is believed.

use crate::support::client::{Problem, RawClient, client_hello};
use crate::support::daemon::Daemon;
use crate::support::origin::{Behaviour, RawOrigin};
use crate::support::proxy::Setup;
use crate::support::scrape::{wait_for_decisions, wait_until};
use std::net::SocketAddr;

const HOST: &str = "api.imagicle.com";
const CONNECT: &[u8] = b"CONNECT api.imagicle.com:443 HTTP/1.1\r\nHost: api.imagicle.com:443\r\n\r\n";
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// A header of version 2: command and family, addresses, what follows them.
fn v2(command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
    let length = u16::try_from(addresses.len()).expect("short").to_be_bytes();
    [SIGNATURE, &[0x20 | command, family], &length, addresses].concat()
}

fn v2_from(client: [u8; 4]) -> Vec<u8> {
    v2(1, 0x11, &[&client[..], &[10, 0, 0, 1], &4000_u16.to_be_bytes(), &3128_u16.to_be_bytes()].concat())
}

fn v2_from_v6(client: [u8; 16]) -> Vec<u8> {
    v2(1, 0x21, &[&client[..], &[0; 16], &4000_u16.to_be_bytes(), &3128_u16.to_be_bytes()].concat())
}

fn behind(version: &str, balancers: &str) -> Setup {
    Setup::new().listener_line(&format!("proxy_protocol = \"{version}\"\nbalancers = [\"{balancers}\"]"))
}

async fn say(proxy: SocketAddr, pieces: &[&[u8]]) -> RawClient {
    let mut client = RawClient::connect(proxy).await;
    for piece in pieces {
        client.send(piece).await;
    }
    client
}

async fn refusal(client: &mut RawClient) -> Problem {
    let head = client.read_head().await;
    let body = client.read_body(&head).await;
    Problem::parse(&head, &body)
}

/// Places are counted to whom the balancer speaks for: one of its clients alone fills nothing, and the balancer is none.
#[tokio::test]
async fn one_client_behind_a_balancer_leaves_an_eighth_to_others() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let proxy = behind("v2", "127.0.0.1").host(HOST, origin.addr()).section("[limits]\nmax_connections = 16").start();
    let mut taken = Vec::new();
    for _ in 0..14 {
        let mut client = say(proxy.proxy(), &[&v2_from([10, 1, 2, 3]), CONNECT]).await;
        assert_eq!(client.read_head().await.status, 200);
        taken.push(client);
    }
    let mut one_too_many = say(proxy.proxy(), &[&v2_from([10, 1, 2, 3]), CONNECT]).await;
    assert_eq!(refusal(&mut one_too_many).await.rule.as_deref(), Some("limits.share-of-one-client"));
    wait_until(proxy.admin(), |scrape| scrape.clients() == 14).await;
    for _ in 0..2 {
        let mut other = say(proxy.proxy(), &[&v2_from([10, 1, 2, 4]), CONNECT]).await;
        assert_eq!(other.read_head().await.status, 200);
        taken.push(other);
    }
}

#[tokio::test]
async fn the_client_is_whom_the_balancer_names() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let mut mapped = [0; 16];
    mapped[10..].copy_from_slice(&[0xff, 0xff, 10, 1, 2, 5]);
    for (version, header, client) in [
        ("v2", v2_from([10, 1, 2, 3]), "10.1.2.3:4000"),
        ("v2", v2_from_v6(mapped), "[::ffff:10.1.2.5]:4000"),
        ("v2", [&v2_from([10, 1, 2, 3])[..14], &[0, 17], &v2_from([10, 1, 2, 3])[16..], &[4, 0, 2, 9, 9]].concat(), "10.1.2.3:4000"),
        ("v1", b"PROXY TCP4 10.1.2.4 10.0.0.1 4000 3128\r\n".to_vec(), "10.1.2.4:4000"),
        ("v1", b"PROXY TCP6 ::1 ::1 4000 3128\r\n".to_vec(), "[::1]:4000"),
    ] {
        let mut daemon = Daemon::start(&behind(version, "127.0.0.1").host(HOST, origin.addr()).text()).await;
        let cuts = [0, 1, header.len() / 2, header.len() - 1, header.len()];
        for cut in cuts {
            // The head in one piece with the end of the header, and behind it.
            let rest = [&header[cut..], CONNECT].concat();
            let mut tunnel = say(daemon.proxy, &[&header[..cut], &rest]).await;
            assert_eq!(tunnel.read_head().await.status, 200, "{version} cut at {cut}");
            let hello = client_hello(Some(HOST));
            tunnel.send(&hello).await;
            assert_eq!(tunnel.read_exact(hello.len()).await, hello);
            tunnel.finish().await;
            assert_eq!(tunnel.read_to_end().await, b"");
        }
        wait_for_decisions(daemon.admin, "allow", "", cuts.len()).await;
        daemon.wait_for_line("the record", |line| line["client"] == client).await;
    }
}

#[tokio::test]
async fn a_client_that_may_not_use_the_proxy_may_not_behind_a_balancer() {
    for (header, clients) in [(v2_from([203, 0, 113, 9]), ""), (v2_from([10, 1, 2, 3]), "clients = [\"10.9.0.0/16\", \"127.0.0.0/8\"]")] {
        let proxy = behind("v2", "127.0.0.1").listener_line(clients).start();
        let mut client = say(proxy.proxy(), &[&header, CONNECT]).await;
        let problem = refusal(&mut client).await;
        assert_eq!(problem.reason, "client_not_allowed", "{problem:?}");
        wait_for_decisions(proxy.admin(), "deny", "client_not_allowed", 1).await;
    }
}

#[tokio::test]
async fn nobody_but_a_named_balancer_is_believed() {
    let proxy = behind("v2", "127.0.0.2").start();
    let mut client = say(proxy.proxy(), &[&v2_from([10, 1, 2, 3]), CONNECT]).await;
    assert_eq!(refusal(&mut client).await.reason, "bad_request");
    let proxy = behind("v1", "127.0.0.2").start();
    let mut client = say(proxy.proxy(), &[b"PROXY TCP4 10.1.2.4 10.0.0.1 4000 3128\r\n", CONNECT]).await;
    assert_eq!(refusal(&mut client).await.reason, "bad_request");
}

#[tokio::test]
async fn what_is_no_header_is_refused() {
    for (version, header) in [
        ("v2", CONNECT.to_vec()),
        ("v2", b"PROXY TCP4 10.1.2.4 10.0.0.1 4000 3128\r\n".to_vec()),
        ("v1", v2_from([10, 1, 2, 3])),
        ("v1", b"PROXY TCP4 10.1.2.400 10.0.0.1 4000 3128\r\n".to_vec()),
        ("v1", b"PROXY TCP4 10.1.2.4 10.0.0.1 4000 3128 \r\n".to_vec()),
        ("v1", [b"PROXY TCP4 ", &b"1".repeat(200)[..]].concat()),
        ("v2", v2(3, 0x11, &[0; 12])),
        ("v2", v2(1, 0x12, &[0; 12])),
        ("v2", v2(1, 0x11, &[0; 4])),
    ] {
        let proxy = behind(version, "127.0.0.1").start();
        let mut client = say(proxy.proxy(), &[&header, CONNECT]).await;
        let problem = refusal(&mut client).await;
        assert_eq!(problem.reason, "bad_request", "{version} {header:?}");
        assert_eq!(problem.rule.as_deref(), Some("listener.proxy_protocol"), "{problem:?}");
    }
}

#[tokio::test]
async fn a_header_that_does_not_come_is_not_waited_for() {
    let proxy = behind("v2", "127.0.0.1").section("[limits]\nhead = \"200ms\"").start();
    let mut client = say(proxy.proxy(), &[&v2_from([10, 1, 2, 3])[..20]]).await;
    let problem = refusal(&mut client).await;
    assert!(problem.detail.contains("in time"), "{problem:?}");
}

/// A check whether the port is open is no event, and happens every other second.
#[tokio::test]
async fn a_balancer_may_look_whether_the_port_is_open() {
    let proxy = behind("v2", "127.0.0.1").start();
    drop(RawClient::connect(proxy.proxy()).await);
    let scrape = wait_until(proxy.admin(), |scrape| scrape.clients() == 0).await;
    assert_eq!(scrape.all_decisions(), 0);
    let mut cut = say(proxy.proxy(), &[&v2_from([10, 1, 2, 3])[..7]]).await;
    cut.finish().await;
    assert!(refusal(&mut cut).await.detail.contains("ended within"));
}

/// What it asks for itself is a client's as any other's: nobody is let in by an empty word.
#[tokio::test]
async fn a_balancer_that_may_not_use_the_proxy_may_not_ask_for_itself() {
    let proxy = behind("v2", "127.0.0.1").section("[clients]\nallow = [\"10.0.0.0/8\"]").start();
    let mut client = say(proxy.proxy(), &[&v2(1, 0, &[]), CONNECT]).await;
    assert_eq!(refusal(&mut client).await.reason, "client_not_allowed");
}

/// The health checks of a balancer's own say LOCAL (version 2) or UNKNOWN (version 1).
#[tokio::test]
async fn a_balancer_may_ask_for_itself() {
    for (version, header) in [("v2", v2(0, 0, &[])), ("v2", v2(1, 0, &[])), ("v1", b"PROXY UNKNOWN\r\n".to_vec())] {
        let mut daemon = Daemon::start(&behind(version, "127.0.0.1").text()).await;
        let mut client = say(daemon.proxy, &[&header, b"CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test\r\n\r\n"]).await;
        assert_eq!(refusal(&mut client).await.reason, "host_not_allowed");
        let own = client.local_addr().to_string();
        daemon.wait_for_line("the record", |line| line["client"] == own.as_str()).await;
    }
}

#[tokio::test]
async fn relays_and_raw_tls_stand_behind_balancers_too() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let lines = "proxy_protocol = \"v2\"\nbalancers = [\"127.0.0.1\"]";
    let setup = Setup::new().host("tenant.imagicle.cloud", origin.addr()).relay("tenant.imagicle.cloud:1636").section(lines);
    let setup = setup.host(HOST, origin.addr()).sni().section(lines);
    let mut daemon = Daemon::start(&setup.text()).await;
    for (listener, host, client) in [(daemon.relays[0], "tenant.imagicle.cloud", [10, 1, 2, 3]), (daemon.snis[0], HOST, [10, 1, 2, 4])] {
        let hello = client_hello(Some(host));
        let mut tunnel = say(listener, &[&[&v2_from(client)[..], &hello].concat()]).await;
        assert_eq!(tunnel.read_exact(hello.len()).await, hello);
        tunnel.finish().await;
        let client = SocketAddr::from((client, 4000)).to_string();
        daemon.wait_for_line("the record", |line| line["client"] == client.as_str()).await;
        let mut refused = say(listener, &[&v2_from([203, 0, 113, 9]), &hello]).await;
        assert_eq!(refused.read_until_closed().await.0, b"");
    }
    wait_for_decisions(daemon.admin, "deny", "client_not_allowed", 2).await;
}
