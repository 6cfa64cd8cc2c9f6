//! A relay serves clients that know no proxy: the same decision, the same check of the first bytes, the same record, and
//! nothing but silence or TLS for a client that speaks LDAP.

use crate::support::client::{Closing, RawClient, client_hello, client_hello_without_sni};
use crate::support::daemon::{Daemon, records};
use crate::support::origin::{Behaviour, Deserted, RawOrigin};
use crate::support::proxy::{Proxy, Setup};
use crate::support::scrape::{wait_for_decisions, wait_until_idle};
use std::net::SocketAddr;

const HOST: &str = "tenant.imagicle.cloud";
const DESTINATION: &str = "tenant.imagicle.cloud:1636";
/// An LDAP bind in the clear (RFC 4511 section 4.2), and a request to start TLS behind it (section 4.14).
const BIND: &[u8] = b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00";
const START_TLS: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";

fn setup(origin: SocketAddr) -> Setup {
    Setup::new().host(HOST, origin).relay(DESTINATION)
}

async fn say(proxy: &Proxy, bytes: &[u8]) -> RawClient {
    let mut client = RawClient::connect(proxy.relay()).await;
    client.send(bytes).await;
    client
}

/// Some LDAP libraries send no name, others send the customer's host: both are documented behaviour.
#[tokio::test]
async fn ldaps_passes_with_its_host_named_or_none() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let proxy = setup(origin.addr()).start();
    for (number, hello) in [client_hello(Some(HOST)), client_hello_without_sni()].iter().enumerate() {
        for cut in [0, 1, 5, hello.len() / 2, hello.len()] {
            let mut client = say(&proxy, &hello[..cut]).await;
            client.send(&hello[cut..]).await;
            assert_eq!(client.read_exact(hello.len()).await, *hello);
            client.send(b"more").await;
            assert_eq!(client.read_exact(4).await, b"more");
            client.finish().await;
            assert_eq!(client.read_to_end().await, b"");
        }
        let scrape = wait_for_decisions(proxy.admin(), "allow", "", 5 * (number + 1)).await;
        let user_sync = [("service", "user-sync"), ("verdict", "allow")];
        assert_eq!(scrape.count("ucx_egress_decisions_total", &user_sync), 5 * (number + 1));
    }
    let scrape = wait_until_idle(proxy.admin()).await;
    assert_eq!(scrape.count("ucx_egress_connections_total", &[("listener", "relay")]), 10);
    assert_eq!(scrape.count("ucx_egress_requests_total", &[("service", "user-sync"), ("protocol", "relay"), ("code", "200")]), 10);
}

#[tokio::test]
async fn a_hello_to_another_host_is_refused_in_tls() {
    let origin = RawOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    for (number, name) in ["other.imagicle.cloud", "api.imagicle.com", "evil.test"].into_iter().enumerate() {
        let mut client = say(&proxy, &client_hello(Some(name))).await;
        assert_eq!(client.read_until_closed().await, (vec![21, 3, 3, 0, 2, 2, 112], Closing::Clean), "{name}");
        origin.wait_for_closed(number + 1).await;
    }
    let scrape = wait_for_decisions(proxy.admin(), "deny", "sni_mismatch", 3).await;
    assert_eq!(scrape.count("ucx_egress_decisions_total", &[("service", "user-sync"), ("reason", "sni_mismatch")]), 3);
    assert_eq!(origin.received(), b"");
}

/// LDAP in the clear would carry passwords. Its client understands no HTTP: it is simply let go.
#[tokio::test]
async fn what_is_not_tls_is_closed_without_a_word() {
    let origin = RawOrigin::start().await;
    let proxy = setup(origin.addr()).start();
    let others = [BIND, START_TLS, b"GET / HTTP/1.1\r\nHost: tenant.imagicle.cloud\r\n\r\n", b"\x80\x2e\x01\x00\x02"];
    let mut said = Vec::new();
    for (number, bytes) in others.into_iter().enumerate() {
        let mut client = say(&proxy, bytes).await;
        said.push(client.read_until_closed().await);
        origin.wait_for_closed(number + 1).await;
    }
    wait_for_decisions(proxy.admin(), "deny", "not_tls", 4).await;
    assert_eq!(origin.received(), b"");
    let said: Vec<_> = said.into_iter().map(|(bytes, closing)| (String::from_utf8_lossy(&bytes).into_owned(), closing)).collect();
    assert_eq!(said, vec![(String::new(), Closing::Clean); 4]);
}

#[tokio::test]
async fn a_silent_client_is_closed_without_a_word() {
    let origin = RawOrigin::start().await;
    let proxy = setup(origin.addr()).section("[limits]\nhello = \"200ms\"").start();
    let mut client = RawClient::connect(proxy.relay()).await;
    let (said, closing) = client.read_until_closed().await;
    assert_eq!((String::from_utf8_lossy(&said).into_owned(), closing), (String::new(), Closing::Clean));
    wait_for_decisions(proxy.admin(), "deny", "not_tls", 1).await;
}

#[tokio::test]
async fn each_direction_of_a_relay_ends_on_its_own() {
    let origin = RawOrigin::scripted(Behaviour::SpeakAtEnd(b"all entries".to_vec())).await;
    let proxy = setup(origin.addr()).start();
    let mut client = say(&proxy, &client_hello(Some(HOST))).await;
    client.finish().await;
    assert_eq!(client.read_to_end().await, b"all entries");

    let origin = RawOrigin::scripted(Behaviour::HalfClose).await;
    let proxy = setup(origin.addr()).start();
    let mut client = say(&proxy, &client_hello(Some(HOST))).await;
    assert_eq!(client.read_to_end().await, b"");
    client.send(b"unbind").await;
    client.finish().await;
    origin.wait_for_closed(1).await;
    assert!(origin.received().ends_with(b"unbind"));
}

#[tokio::test]
async fn a_relayed_connection_is_recorded_once() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let mut daemon = Daemon::start(&setup(origin.addr()).text()).await;
    let hello = client_hello(None);
    let mut client = RawClient::connect(daemon.relays[0]).await;
    let address = client.local_addr().to_string();
    client.send(&hello).await;
    client.read_exact(hello.len()).await;
    client.finish().await;
    client.read_to_end().await;
    let record = daemon.wait_for_line("the record", |line| line["client"] == address.as_str()).await;
    for (member, value) in
        [("protocol", "relay"), ("destination", DESTINATION), ("service", "user-sync"), ("verdict", "allow"), ("ended", "completed")]
    {
        assert_eq!(record[member], value, "{record}");
    }
    assert_eq!((record["up"].as_u64(), record["down"].as_u64()), (Some(hello.len() as u64), Some(hello.len() as u64)));
    let (_, lines) = daemon.stop().await;
    assert_eq!(records(&lines).len(), 1);
}

/// The reasons are those of CONNECT; with no protocol to say them in, the client sees the end of the connection.
#[tokio::test]
async fn an_upstream_that_fails_ends_the_connection_with_its_reason() {
    let dead = Deserted::new();
    for (setup, reason) in [
        (setup(dead.addr()), "connect_failed"),
        (Setup::new().relay(DESTINATION).section("[limits]\nresolve = \"200ms\""), "resolve_failed"),
        (Setup::new().addresses(HOST, &["10.0.0.1"]).relay(DESTINATION), "address_not_allowed"),
    ] {
        let proxy = setup.start();
        let mut client = RawClient::connect(proxy.relay()).await;
        assert_eq!(client.read_until_closed().await, (Vec::new(), Closing::Clean), "{reason}");
        let scrape = wait_for_decisions(proxy.admin(), "deny", reason, 1).await;
        assert_eq!(scrape.count("ucx_egress_decisions_total", &[("service", "user-sync"), ("reason", reason)]), 1);
    }
}

#[tokio::test]
async fn relays_share_the_limit_on_connections() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let proxy = setup(origin.addr()).section("[limits]\nmax_connections = 1").start();
    let hello = client_hello(None);
    let mut first = say(&proxy, &hello).await;
    first.read_exact(hello.len()).await;
    let mut second = RawClient::connect(proxy.relay()).await;
    assert_eq!(second.read_until_closed().await, (Vec::new(), Closing::Clean));
    wait_for_decisions(proxy.admin(), "deny", "overloaded", 1).await;
    first.send(b"unmoved").await;
    assert_eq!(first.read_exact(7).await, b"unmoved");
}

#[tokio::test]
async fn a_break_on_one_side_of_a_relay_is_a_break_on_the_other() {
    let hello = client_hello(None);
    let origin = RawOrigin::scripted(Behaviour::ResetAfter(hello.len())).await;
    let proxy = setup(origin.addr()).start();
    let mut client = say(&proxy, &hello).await;
    assert_eq!(client.read_until_closed().await.1, Closing::Abrupt);

    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let proxy = setup(origin.addr()).start();
    let mut client = say(&proxy, &hello).await;
    client.read_exact(hello.len()).await;
    client.reset();
    origin.wait_for_closed(1).await;
    assert_eq!(origin.resets(), 1);
}
