//! Whatever happens to connections, nothing of them stays: no descriptor, no gauge, no task.

use crate::support::client::{DEADLINE, RawClient, client_hello, connect_tunnel, exchange};
use crate::support::daemon::Daemon;
use crate::support::dns::DnsServer;
use crate::support::origin::{Behaviour, HttpOrigin, RawOrigin};
use crate::support::policy::PolicyFile;
use crate::support::proxy::Setup;
use crate::support::scrape::{Scrape, wait_until, wait_until_idle};
use futures_util::future::join_all;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::{Instant, interval};

const HOST: &str = "api.imagicle.com";

/// What clients do to the proxy; each leaves a connection of another kind behind, if the proxy lets it.
#[derive(Clone, Copy, Debug)]
enum Deed {
    /// A tunnel that both sides end in order.
    Tunnel,
    /// A tunnel whose origin resets it.
    Killed,
    /// A client that is gone before its hello is complete.
    GoneInHello,
    /// A client that is gone before its request is complete.
    GoneInHead,
    /// A destination that no rule allows.
    Refused,
    /// A name in the hello that is not the destination.
    Misnamed,
    /// A name that does not exist.
    Unresolved,
}

/// The deed, once. `echo` sends everything back; `deadly` resets after a hello.
async fn commit(deed: Deed, proxy: SocketAddr, number: usize) {
    let hello = client_hello(Some(HOST));
    let open = async |authority: &str| connect_tunnel(proxy, authority).await.expect("the tunnel opens");
    match deed {
        Deed::Tunnel => {
            let mut client = open("api.imagicle.com:443").await;
            client.send(&hello).await;
            assert_eq!(client.read_exact(hello.len()).await, hello);
            client.finish().await;
            client.read_to_end().await;
        }
        Deed::Killed => {
            let mut client = open("grpc.imagicle.com:443").await;
            client.send(&client_hello(Some("grpc.imagicle.com"))).await;
            client.read_until_closed().await;
        }
        Deed::GoneInHello => {
            let mut client = open("api.imagicle.com:443").await;
            client.send(&hello[..hello.len() / 2]).await;
            leave(client, number);
        }
        Deed::GoneInHead => {
            let mut client = RawClient::connect(proxy).await;
            client.send(b"CONNECT api.imagicle.com:443 HTTP/1.1\r\nHo").await;
            leave(client, number);
        }
        Deed::Refused => {
            assert_eq!(exchange(proxy, b"CONNECT example.org:443 HTTP/1.1\r\n\r\n").await.0.status, 403);
        }
        Deed::Misnamed => {
            let mut client = open("api.imagicle.com:443").await;
            client.send(&client_hello(Some("grpc.imagicle.com"))).await;
            client.read_to_end().await;
        }
        Deed::Unresolved => {
            let request = format!("CONNECT nobody-{number}.imagicle.com:443 HTTP/1.1\r\n\r\n");
            assert_eq!(exchange(proxy, request.as_bytes()).await.0.status, 502);
        }
    }
}

/// With FIN, or with RST.
fn leave(client: RawClient, number: usize) {
    if number.is_multiple_of(2) { drop(client) } else { client.reset() }
}

/// Everything the deeds need around the proxy.
struct World {
    echo: RawOrigin,
    deadly: RawOrigin,
    dns: DnsServer,
}

impl World {
    async fn new() -> Self {
        let hello = client_hello(Some("grpc.imagicle.com")).len();
        let deadly = RawOrigin::scripted(Behaviour::ResetAfter(hello)).await;
        Self { echo: RawOrigin::scripted(Behaviour::Echo).await, deadly, dns: DnsServer::start().await }
    }

    fn setup(&self) -> Setup {
        Setup::new().host(HOST, self.echo.addr()).host("grpc.imagicle.com", self.deadly.addr()).name_server(self.dns.addr())
    }
}

/// A figure that goes back has no event; this asks until it has.
pub async fn goes_back(what: &str, figure: impl Fn() -> usize, start: usize) {
    let deadline = Instant::now() + DEADLINE;
    let mut pause = interval(Duration::from_millis(10));
    while figure() > start {
        assert!(Instant::now() < deadline, "{what}: {} now, {start} at the start", figure());
        pause.tick().await;
    }
}

/// Commits the deed once to warm up, and `times` to see what stays.
async fn leaves_nothing(deed: Deed, times: usize) {
    let world = World::new().await;
    let daemon = Daemon::start(&world.setup().text()).await;
    commit(deed, daemon.proxy, 0).await;
    wait_until_idle(daemon.admin).await;
    let start = daemon.descriptors();
    join_all((1..=times).map(|number| commit(deed, daemon.proxy, number))).await;
    // A client that leaves at once may be gone before it was accepted.
    let accepted = |scrape: &Scrape| scrape.count("ucx_egress_connections_total", &[("listener", "proxy")]);
    let scrape = wait_until(daemon.admin, |scrape| accepted(scrape) > times && scrape.is_idle()).await;
    assert_eq!(accepted(&scrape), times + 1);
    goes_back("descriptors", || daemon.descriptors(), start).await;
    assert_eq!(daemon.terminate().await, Some(0));
}

#[tokio::test]
async fn tunnels_that_end_leave_nothing() {
    leaves_nothing(Deed::Tunnel, 200).await;
}

#[tokio::test]
async fn tunnels_that_are_killed_leave_nothing() {
    leaves_nothing(Deed::Killed, 50).await;
}

#[tokio::test]
async fn clients_that_leave_within_their_hello_leave_nothing() {
    leaves_nothing(Deed::GoneInHello, 50).await;
}

#[tokio::test]
async fn clients_that_leave_within_their_head_leave_nothing() {
    leaves_nothing(Deed::GoneInHead, 50).await;
}

#[tokio::test]
async fn refused_clients_leave_nothing() {
    leaves_nothing(Deed::Refused, 200).await;
}

#[tokio::test]
async fn misnamed_tunnels_leave_nothing() {
    leaves_nothing(Deed::Misnamed, 50).await;
}

#[tokio::test]
async fn names_that_do_not_exist_leave_nothing() {
    leaves_nothing(Deed::Unresolved, 50).await;
}

/// The figure would hide a leak that another kind makes up for, so every kind is seen on its own here too.
#[tokio::test]
async fn no_deed_leaves_a_task() {
    const DEEDS: [Deed; 7] =
        [Deed::Tunnel, Deed::Killed, Deed::GoneInHello, Deed::GoneInHead, Deed::Refused, Deed::Misnamed, Deed::Unresolved];
    let world = World::new().await;
    let proxy = world.setup().start();
    for deed in DEEDS {
        commit(deed, proxy.proxy(), 0).await;
    }
    wait_until_idle(proxy.admin()).await;
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let start = tasks();
    for deed in DEEDS {
        join_all((1..=40).map(|number| commit(deed, proxy.proxy(), number))).await;
        wait_until_idle(proxy.admin()).await;
        goes_back(&format!("tasks after {deed:?}"), tasks, start).await;
    }
}

/// Plain HTTP keeps upstream connections on purpose, but no more of them than were needed at once.
#[tokio::test]
async fn plain_http_keeps_a_bounded_number_of_connections() {
    let origin = HttpOrigin::start().await;
    let policy = PolicyFile::of("site", "1m", &[("plain.test", 80, "http")]);
    let setup = Setup::new().host("plain.test", origin.addr()).policy(policy);
    let daemon = Daemon::start(&setup.text()).await;
    let request = b"GET http://plain.test/test HTTP/1.1\r\nHost: plain.test\r\nConnection: close\r\n\r\n";
    assert_eq!(exchange(daemon.proxy, request).await.0.status, 200);
    wait_until_idle(daemon.admin).await;
    let start = daemon.descriptors();
    for _ in 0..200 {
        assert_eq!(exchange(daemon.proxy, request).await.0.status, 200);
    }
    wait_until_idle(daemon.admin).await;
    goes_back("descriptors", || daemon.descriptors(), start).await;
    assert_eq!(origin.connections(), 1);
}
