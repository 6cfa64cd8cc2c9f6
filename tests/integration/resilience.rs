//! What must not stop the proxy: a log nobody reads, a hang-up, a network that loses queries, clients that may not ask.

use crate::support::client::{Closing, Problem, RawClient, client_hello, connect_tunnel, within_deadline};
use crate::support::daemon::{Daemon, IN_FORCE, Reading};
use crate::support::dns::DnsServer;
use crate::support::origin::{Behaviour, HttpOrigin, RawOrigin, ScriptedOrigin};
use crate::support::policy::PolicyFile;
use crate::support::proxy::Setup;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::interval;

/// More records than the pipe of a log holds.
const RECORDS: usize = 1_000;

async fn is_refused(proxy: SocketAddr) {
    let (_, problem) = connect_tunnel(proxy, "example.org:443").await.expect_err("no rule allows it");
    assert_eq!(problem.reason, "host_not_allowed");
}

/// A collector that is stuck, or has died, costs log lines and nothing else.
#[tokio::test]
async fn a_log_that_nobody_reads_does_not_stop_the_proxy() {
    for reading in [Reading::Paused, Reading::Gone] {
        let daemon = Daemon::start(&Setup::new().text()).await;
        daemon.read_log(reading);
        for _ in 0..RECORDS {
            is_refused(daemon.proxy).await;
        }
        assert_eq!(daemon.terminate().await, Some(0), "{reading:?}");
    }
}

#[tokio::test]
async fn a_hang_up_reloads_and_ends_nothing() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let mut daemon = Daemon::start(&Setup::new().host("api.imagicle.com", origin.addr()).text()).await;
    let mut client = connect_tunnel(daemon.proxy, "api.imagicle.com:443").await.expect("the tunnel opens");
    let hello = client_hello(Some("api.imagicle.com"));
    client.send(&hello).await;
    assert_eq!(client.read_exact(hello.len()).await, hello);
    daemon.hang_up();
    daemon.wait_for_said(IN_FORCE, 1).await;
    client.send(b"unmoved").await;
    assert_eq!(client.read_exact(7).await, b"unmoved");
    is_refused(daemon.proxy).await;
}

/// Many networks answer for IPv4 and lose the question for IPv6: the name resolves all the same.
#[tokio::test]
async fn a_lost_question_for_ipv6_does_not_hold_up_ipv4() {
    let (dns, origin) = (DnsServer::start().await, RawOrigin::start().await);
    dns.set("t.imagicle.com", vec![origin.addr().ip()], 0);
    dns.lose_aaaa();
    let policy = PolicyFile::of("site", "1m", &[("t.imagicle.com", origin.addr().port(), "https")]);
    let proxy = Setup::new().name_server(dns.addr()).policy(policy).start();
    connect_tunnel(proxy.proxy(), &format!("t.imagicle.com:{}", origin.addr().port())).await.expect("IPv4 is enough");
    origin.wait_for_connections(1).await;
}

/// A client that may not use the proxy is told so at the door, whatever it sends, and takes no seat.
#[tokio::test]
async fn clients_that_may_not_ask_take_no_seat_from_those_that_may() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let limits = "[limits]\nmax_connections = 1\n[clients]\nallow = [\"127.0.0.2\"]";
    let proxy = Setup::new().host("api.imagicle.com", origin.addr()).section(limits).start();
    let mut strangers = Vec::new();
    for _ in 0..8 {
        let mut stranger = RawClient::connect(proxy.proxy()).await;
        stranger.send(b"CONN").await;
        let head = stranger.read_head().await;
        let body = stranger.read_body(&head).await;
        assert_eq!(Problem::parse(&head, &body).reason, "client_not_allowed");
        strangers.push(stranger);
    }
    let mut allowed = RawClient::connect_from("127.0.0.2", proxy.proxy()).await;
    allowed.send(b"CONNECT api.imagicle.com:443 HTTP/1.1\r\nHost: api.imagicle.com\r\n\r\n").await;
    assert_eq!(allowed.read_head().await.status, 200);
}

/// The request behind a malformed one's predecessor is answered first, so that nobody takes the refusal for its answer.
#[tokio::test]
async fn a_malformed_request_waits_for_the_one_before_it() {
    let origin = HttpOrigin::start().await;
    let policy = PolicyFile::of("site", "1m", &[("plain.test", 80, "http")]);
    let proxy = Setup::new().host("plain.test", origin.addr()).policy(policy).start();
    for _ in 0..20 {
        let mut client = RawClient::connect(proxy.proxy()).await;
        let valid = b"POST http://plain.test/echo HTTP/1.1\r\nHost: plain.test\r\nContent-Length: 4\r\n\r\nbody";
        client.send(&[&valid[..], b"NONSENSE\r\n\r\n"].concat()).await;
        let head = client.read_head().await;
        assert_eq!((head.status, client.read_body(&head).await), (200, b"body".to_vec()));
        assert_eq!(client.read_head().await.status, 400);
    }
}

/// A client may end its side right behind its request: the answer still comes.
#[tokio::test]
async fn a_request_that_ends_its_side_is_answered() {
    let origin = HttpOrigin::start().await;
    let policy = PolicyFile::of("site", "1m", &[("plain.test", 80, "http")]);
    let proxy = Setup::new().host("plain.test", origin.addr()).policy(policy).start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    client.send(b"GET http://plain.test/test HTTP/1.1\r\nHost: plain.test\r\n\r\n").await;
    client.finish().await;
    let head = client.read_head().await;
    assert_eq!((head.status, client.read_body(&head).await.is_empty()), (200, false));
    assert_eq!(client.read_until_closed().await, (Vec::new(), Closing::Clean));
}

/// After a long silence one side ends: the other has its full time from then on to say what is left.
#[tokio::test]
async fn an_end_after_silence_starts_the_idle_limit_anew() {
    let origin = ScriptedOrigin::start(|_, mut connection| async move {
        connection.read_to_end().await;
        pause(Duration::from_millis(1_200)).await;
        connection.send(b"what was left").await;
    });
    let origin = origin.await;
    let policy = PolicyFile::of("site", "2s", &[("t.imagicle.com", 443, "https")]);
    let proxy = Setup::new().host("t.imagicle.com", origin.addr()).policy(policy).start();
    let mut client = connect_tunnel(proxy.proxy(), "t.imagicle.com:443").await.expect("the tunnel opens");
    client.send(&client_hello(Some("t.imagicle.com"))).await;
    pause(Duration::from_millis(1_200)).await;
    client.finish().await;
    assert_eq!(within_deadline("the rest", client.read_to_end()).await, b"what was left");
}

/// Silence is what these tests are about: it is made here, not waited through in the hope of something.
async fn pause(length: Duration) {
    let mut tick = interval(length);
    tick.tick().await;
    tick.tick().await;
}
