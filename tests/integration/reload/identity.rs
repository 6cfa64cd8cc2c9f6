//! Who a client is counts for as long as its tunnel stands: an account that is removed, passwords that come, a CA that goes.

use super::{A, allowing, both, echoes, echoing};
use crate::support::client::{RawClient, client_hello};
use crate::support::daemon::Daemon;
use crate::support::entrance::{Reception, connect};
use crate::support::origin::{Behaviour, HttpOrigin, RawOrigin};
use crate::support::passwords::{ALICE, ALICES, BOB, BOBS, Passwords, basic};
use crate::support::pki::Pki;
use crate::support::proxy::Setup;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncWrite};

/// `bob` with the hash of another password.
const OTHER_BOB: &str = "bob:$2y$04$SNXbGZumFEU860NP8ojgQ.GftKs.gNVInguHpPSvYyObBfjv0HcXK";

/// Asked of an origin that speaks HTTP.
const GET: &[u8] = b"GET http://plain.test/test HTTP/1.1\r\nHost: plain.test\r\n\r\n";

fn setup(origin: SocketAddr) -> Setup {
    both(origin).policy(allowing(&[(A, 443, "https")]))
}

/// A tunnel of an account, or of nobody.
async fn tunnel<S: AsyncRead + AsyncWrite + Unpin>(mut client: RawClient<S>, credentials: &str) -> RawClient<S> {
    client.send(format!("CONNECT {A}:443 HTTP/1.1\r\nHost: {A}:443\r\n{credentials}\r\n").as_bytes()).await;
    assert_eq!(client.read_head().await.status, 200);
    let hello = client_hello(Some(A));
    client.send(&hello).await;
    assert_eq!(client.read_exact(hello.len()).await, hello);
    client
}

async fn of(proxy: SocketAddr, account: (&str, &str)) -> RawClient {
    tunnel(RawClient::connect(proxy).await, &basic(account)).await
}

/// Noticed without a reload: the file is read again by itself.
#[tokio::test]
async fn a_removed_account_loses_its_tunnels() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let passwords = Passwords::new(&[ALICE, BOB]);
    let mut daemon = Daemon::start(&setup(origin.addr()).section(&passwords.section()).text()).await;
    let (mut alices, mut bobs) = (of(daemon.proxy, ALICES).await, of(daemon.proxy, BOBS).await);
    passwords.write(&[BOB]);
    let record = daemon.wait_for_line("her tunnel's end", |line| line["reason"] == "revoked_by_reload").await;
    assert_eq!((record["user"].as_str(), record["ended"].as_str()), (Some("alice"), Some("cut")), "{record}");
    alices.read_until_closed().await;
    echoes(&mut bobs, b"bob is who he was").await;
    // Whoever comes back under the same name and password is another one, and stands at the next look.
    passwords.write(&[ALICE, BOB]);
    daemon.wait_for_line("both accounts", |line| line["accounts"] == 2).await;
    let mut again = of(daemon.proxy, ALICES).await;
    passwords.write(&[ALICE, OTHER_BOB]);
    bobs.read_until_closed().await;
    echoes(&mut again, b"his password has changed, hers has not").await;
}

/// The same where the tunnel carries plain HTTP: every request in it is asked for.
#[tokio::test]
async fn a_removed_account_is_refused_inside_its_tunnel() {
    let http = HttpOrigin::start().await;
    let passwords = Passwords::new(&[ALICE, BOB]);
    let setup = Setup::new().host("plain.test", http.addr()).policy(allowing(&[("plain.test", 80, "http")])).section(&passwords.section());
    let mut daemon = Daemon::start(&setup.text()).await;
    let mut client = RawClient::connect(daemon.proxy).await;
    client.send(format!("CONNECT plain.test:80 HTTP/1.1\r\nHost: plain.test:80\r\n{}\r\n", basic(ALICES)).as_bytes()).await;
    assert_eq!(client.read_head().await.status, 200);
    let request = b"GET /test HTTP/1.1\r\nHost: plain.test\r\n\r\n";
    client.send(request).await;
    let head = client.read_head().await;
    assert_eq!(head.status, 200);
    client.read_body(&head).await;
    passwords.write(&[BOB]);
    daemon.wait_for_line("his account alone", |line| line["accounts"] == 1).await;
    client.send(request).await;
    assert_eq!(client.read_head().await.status, 403);
    daemon.wait_for_line("the refusal", |line| line["reason"] == "revoked_by_reload").await;
}

/// By a reload: those who gave no password go, and those of an account stay when the file moves.
#[tokio::test]
async fn passwords_that_come_end_the_tunnels_from_before_and_a_moved_file_none() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let relayed = |setup: Setup| setup.relay(&format!("{A}:443"));
    let (first, second) = (Passwords::new(&[ALICE]), Passwords::new(&[ALICE, BOB]));
    let mut daemon = Daemon::start(&relayed(setup(origin.addr())).text()).await;
    let mut nobodys = echoing(daemon.proxy, A).await;
    let mut relay = RawClient::connect(daemon.relays[0]).await;
    let hello = client_hello(Some(A));
    relay.send(&hello).await;
    assert_eq!(relay.read_exact(hello.len()).await, hello);
    let line = daemon.reload(&relayed(setup(origin.addr())).section(&first.section()).text()).await;
    assert_eq!(line["ended"], 1, "{line}");
    nobodys.read_until_closed().await;
    let mut alices = of(daemon.proxy, ALICES).await;
    let line = daemon.reload(&relayed(setup(origin.addr())).section(&second.section()).text()).await;
    assert_eq!(line["ended"], 0, "{line}");
    echoes(&mut alices, b"the same account in another file").await;
    echoes(&mut relay, b"who comes by a relay is not asked").await;
}

/// Also where a certificate is one of two that are taken, so that a CA can be replaced step by step.
#[tokio::test]
async fn a_client_ca_that_goes_takes_its_clients_with_it() {
    let (reception, leaving, staying) = (Reception::new(), Pki::new(), Pki::new());
    reception.replace("clients.pem", &(leaving.root_pem() + &staying.root_pem()));
    let (origin, http) = (RawOrigin::scripted(Behaviour::Echo).await, HttpOrigin::start().await);
    let plain = both(origin.addr()).host("plain.test", http.addr()).policy(allowing(&[(A, 443, "https"), ("plain.test", 80, "http")]));
    let setup = reception.configure(plain, &format!("client_ca = {:?}", reception.path("clients.pem")));
    let mut daemon = Daemon::start(&setup.text()).await;
    let arrive = async |ca: &Pki| {
        let config = reception.pki.client_showing(&ca.client_leaf("ucx.example"));
        RawClient::over(connect(daemon.proxy, config).await.expect("a handshake"))
    };
    let (mut ends, mut stays) = (tunnel(arrive(&leaving).await, "").await, tunnel(arrive(&staying).await, "").await);
    let mut kept = arrive(&leaving).await;
    kept.send(GET).await;
    let head = kept.read_head().await;
    assert_eq!(head.status, 200);
    kept.read_body(&head).await;
    reception.replace("clients.pem", &staying.root_pem());
    daemon.wait_for_line("the tunnel's end", |line| line["reason"] == "revoked_by_reload").await;
    ends.read_until_closed().await;
    stays.send(b"signed by the other").await;
    assert_eq!(stays.read_exact(19).await, b"signed by the other");
    kept.send(GET).await;
    let refused = daemon.wait_for_line("the refusal", |line| line["reason"] == "client_not_allowed").await;
    assert_eq!(refused["rule"], "listener.tls.client_ca", "{refused}");
}
