//! Listeners come and go with the configuration; those that stay lose no connection.

use super::{A, B, allowing, both, echoes, echoing};
use crate::support::client::{RawClient, client_hello};
use crate::support::daemon::Daemon;
use crate::support::origin::{Behaviour, RawOrigin};
use crate::support::proxy::Setup;
use std::net::{SocketAddr, TcpListener};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A port that is free now.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

/// A configuration whose proxy listens there.
fn listening(setup: &Setup, at: SocketAddr) -> String {
    setup.text().replace("[listener]\naddress = \"127.0.0.1:0\"", &format!("[listener]\naddress = \"{at}\""))
}

/// A client that opens one tunnel after the other.
struct Dialling {
    stop: watch::Sender<bool>,
    task: JoinHandle<u32>,
}

impl Dialling {
    fn start(proxy: SocketAddr) -> Self {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            let mut opened = 0_u32;
            while !*stopped.borrow() {
                echoing(proxy, A).await;
                opened += 1;
            }
            opened
        });
        Self { stop, task }
    }

    /// How many it opened; every one of them must have been.
    async fn stop(self) -> u32 {
        self.stop.send_replace(true);
        self.task.await.expect("every tunnel opened")
    }
}

async fn relayed(relay: SocketAddr) -> RawClient {
    let mut client = RawClient::connect(relay).await;
    let hello = client_hello(Some(A));
    client.send(&hello).await;
    assert_eq!(client.read_exact(hello.len()).await, hello);
    client
}

#[tokio::test]
async fn a_relay_comes_moves_and_goes() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let setup = || both(origin.addr()).policy(allowing(&[(A, 443, "https")])).section("[reload]\non_change = false");
    let with = |at: SocketAddr| setup().section(&format!("[[relay]]\naddress = \"{at}\"\ndestination = \"{A}:443\""));
    let (first, second) = (free(), free());
    let mut daemon = Daemon::start(&setup().text()).await;
    let mut tunnel = echoing(daemon.proxy, A).await;
    daemon.reload(&with(first).text()).await;
    let mut client = relayed(first).await;
    daemon.reload(&with(second).text()).await;
    TcpStream::connect(first).await.expect_err("nobody listens there any more");
    relayed(second).await;
    echoes(&mut client, b"what it opened goes on").await;
    daemon.reload(&setup().text()).await;
    TcpStream::connect(second).await.expect_err("nobody listens there any more");
    echoes(&mut client, b"and on").await;
    echoes(&mut tunnel, b"as before").await;
}

/// One that cannot be had leaves all as they were, those before it in the file too.
#[tokio::test]
async fn all_listeners_or_none() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let setup = || both(origin.addr()).policy(allowing(&[(A, 443, "https")])).section("[reload]\non_change = false");
    let relay = |setup: Setup, at: SocketAddr| setup.section(&format!("[[relay]]\naddress = \"{at}\"\ndestination = \"{A}:443\""));
    let (first, second) = (free(), taken.local_addr().expect("it is bound"));
    let mut daemon = Daemon::start(&setup().text()).await;
    let error = daemon.reload_in_vain(&relay(relay(setup(), first), second).text()).await;
    assert!(error.contains(&format!("relay.address {second}")), "{error}");
    TcpStream::connect(first).await.expect_err("it was not opened for nothing");
    echoing(daemon.proxy, A).await;
}

/// A listener that stays takes connections all the time: none is refused while fifty reloads go by.
#[tokio::test]
async fn no_connection_is_refused_meanwhile() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let setup = |limit: u32| {
        let section = format!("[limits]\nmax_connections = {limit}\n[reload]\non_change = false");
        both(origin.addr()).policy(allowing(&[(A, 443, "https")])).section(&section)
    };
    let mut daemon = Daemon::start(&setup(1_000).text()).await;
    let proxy = daemon.proxy;
    let dialling = Dialling::start(proxy);
    for round in 0..50 {
        daemon.reload(&setup(1_001 + round).text()).await;
    }
    let opened = dialling.stop().await;
    assert!(opened > 50, "{opened} tunnels went by");
}

/// Where it leads is what a relay is: a tunnel to where it led before could not be opened anew.
#[tokio::test]
async fn a_relay_that_leads_elsewhere_ends_what_it_opened() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let setup = || both(origin.addr()).policy(allowing(&[(A, 443, "https"), (B, 443, "https")]));
    let (at, to) = (free(), |setup: Setup, at: SocketAddr, host: &str| {
        setup.section(&format!("[[relay]]\naddress = \"{at}\"\ndestination = \"{host}:443\""))
    });
    let mut daemon = Daemon::start(&to(setup(), at, A).text()).await;
    let mut client = relayed(at).await;
    let mut tunnel = echoing(daemon.proxy, A).await;
    let line = daemon.reload(&to(setup(), at, B).text()).await;
    assert_eq!(line["ended"], 1, "{line}");
    client.read_until_closed().await;
    echoes(&mut tunnel, b"the policy allows it as before").await;
}

/// From this machine alone to all addresses, the first edit of an installation, and back: no connection is refused meanwhile, and what
/// stands goes on. Nobody else can listen beside it then.
#[tokio::test]
async fn a_listener_opens_to_all_addresses_and_shuts_again() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let one = free();
    let all = SocketAddr::from(([0, 0, 0, 0], one.port()));
    let setup = both(origin.addr()).policy(allowing(&[(A, 443, "https")])).section("[reload]\non_change = false");
    let mut daemon = Daemon::start(&listening(&setup, one)).await;
    assert_eq!(daemon.proxy, one);
    let mut tunnel = echoing(one, A).await;
    let dialling = Dialling::start(one);
    let elsewhere = SocketAddr::from(([127, 0, 0, 2], one.port()));
    for _ in 0..5 {
        TcpStream::connect(elsewhere).await.expect_err("it listens on one address");
        daemon.reload(&listening(&setup, all)).await;
        echoing(elsewhere, A).await;
        TcpListener::bind(all).expect_err("the port is not shared");
        daemon.reload(&listening(&setup, one)).await;
    }
    dialling.stop().await;
    echoes(&mut tunnel, b"it was there before").await;
}

/// A new socket on a single address would be led to before the old one on all: it does not listen unless all else is fit.
#[tokio::test]
async fn a_configuration_that_is_not_taken_takes_no_connection() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let one = free();
    let all = SocketAddr::from(([0, 0, 0, 0], one.port()));
    let setup =
        |more: &str| both(origin.addr()).policy(allowing(&[(A, 443, "https")])).section(&format!("{more}[reload]\non_change = false"));
    let (fit, unfit) = (setup(""), setup("[interception]\nca_certificate = \"none.pem\"\nca_key = \"none.key\"\n"));
    let mut daemon = Daemon::start(&listening(&fit, all)).await;
    assert_eq!(daemon.proxy, all);
    let dialling = Dialling::start(one);
    for _ in 0..20 {
        daemon.reload_in_vain(&listening(&unfit, one)).await;
    }
    dialling.stop().await;
}
