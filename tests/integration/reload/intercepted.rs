//! Decrypted connections over a reload.

use crate::support::client::{RawClient, client_hello, connect_tunnel};
use crate::support::daemon::Daemon;
use crate::support::intercept::Ca;
use crate::support::origin::{Behaviour, RawOrigin, TappedOrigin};
use crate::support::pki::Pki;
use crate::support::policy::PolicyFile;
use crate::support::proxy::Setup;
use crate::support::world::{API, HTTP1};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

const STILL: &str = "[reload]\non_change = false";

type Decrypted = RawClient<TlsStream<TcpStream>>;

async fn post(client: &mut Decrypted, body: &str) -> u16 {
    let length = body.len();
    let head = format!("POST /telemetry HTTP/1.1\r\nHost: {API}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
    client.send(format!("{head}{body}").as_bytes()).await;
    let head = client.read_head().await;
    client.read_body(&head).await;
    head.status
}

/// The next message on a connection that stands is inspected as the new configuration says.
#[tokio::test]
async fn an_open_connection_is_inspected_anew() {
    let pki = Pki::new();
    let origin = TappedOrigin::echoing(&pki, &[API], HTTP1).await;
    let ca = Ca::new(&pki, &[API]);
    let setup = |declared: &str| {
        let section = format!("[inspection]\ndeclared_addresses = [{declared}]\n{STILL}");
        ca.configure(Setup::new().host(API, origin.addr())).section(&section)
    };
    let mut daemon = Daemon::start(&setup("\"10.20.0.0/16\"").text()).await;
    let (mut client, mut other) = (ca.raw(daemon.proxy, API).await, ca.raw(daemon.proxy, API).await);
    let message = r#"{"networkAdapters":[{"ipAddresses":["10.20.30.40"]}]}"#;
    assert_eq!((post(&mut client, message).await, post(&mut other, message).await), (200, 200));
    let line = daemon.reload(&setup("").text()).await;
    assert_eq!(line["ended"], 0, "{line}");
    assert_eq!(post(&mut client, message).await, 403);
    daemon.reload(&setup("\"10.20.0.0/16\"").text()).await;
    assert_eq!(post(&mut other, message).await, 200);
}

/// The same CA keeps its leaves and sessions, and the way to the cloud its connections: one handshake is enough for all.
#[tokio::test]
async fn what_is_the_same_goes_on() {
    let pki = Pki::new();
    let origin = TappedOrigin::echoing(&pki, &[API], HTTP1).await;
    let ca = Ca::new(&pki, &[API]);
    let setup =
        |limit: u32| ca.configure(Setup::new().host(API, origin.addr())).section(&format!("[limits]\nmax_connections = {limit}\n{STILL}"));
    let mut daemon = Daemon::start(&setup(100).text()).await;
    let mut client = ca.raw(daemon.proxy, API).await;
    assert_eq!(post(&mut client, "{}").await, 200);
    for limit in 101..105 {
        daemon.reload(&setup(limit).text()).await;
        assert_eq!(post(&mut client, "{}").await, 200);
    }
    assert_eq!(post(&mut ca.raw(daemon.proxy, API).await, "{}").await, 200);
    assert_eq!(origin.received().len(), 1, "one connection to the cloud");
    let scrape = crate::support::scrape::Scrape::get(daemon.admin).await;
    assert_eq!(scrape.count("ucx_egress_leaf_certificates_total", &[("source", "minted")]), 1);
}

/// A decrypted connection whose host is allowed no more ends, also while an answer is under way.
#[tokio::test]
async fn a_decrypted_connection_ends_with_its_host() {
    let pki = Pki::new();
    let origin = TappedOrigin::echoing(&pki, &[API, "b.test"], HTTP1).await;
    let ca = Ca::new(&pki, &[API, "b.test"]);
    let setup = |hosts: &[&str]| {
        let setup = Setup::new().host(API, origin.addr()).host("b.test", origin.addr()).policy(PolicyFile::intercepted("1m", hosts));
        ca.configure(setup).section(STILL)
    };
    let mut daemon = Daemon::start(&setup(&[API, "b.test"]).text()).await;
    let (mut ends, mut stays) = (ca.raw(daemon.proxy, API).await, ca.raw(daemon.proxy, "b.test").await);
    assert_eq!(post(&mut ends, "{}").await, 200);
    // Half a message: the proxy holds it and waits for the rest.
    ends.send(format!("POST / HTTP/1.1\r\nHost: {API}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{{\"a\"").as_bytes())
        .await;
    let line = daemon.reload(&setup(&["b.test"]).text()).await;
    assert_eq!(line["ended"], 1, "{line}");
    ends.read_until_closed().await;
    let head = "GET / HTTP/1.1\r\nHost: b.test\r\n\r\n";
    stays.send(head.as_bytes()).await;
    assert_eq!(stays.read_head().await.status, 200);
    let lines = |line: &serde_json::Value| line["reason"] == "revoked_by_reload";
    daemon.wait_for_lines("the connection and what was under way on it", |all| all.iter().filter(|line| lines(line)).count() == 2).await;
}

/// Once inspection is switched on, tunnels of the services that are to be inspected end: else they would go round it for hours. So do
/// decrypted connections once it is switched off.
#[tokio::test]
async fn switching_inspection_on_ends_the_tunnels_it_is_meant_for() {
    let pki = Pki::new();
    let origin = TappedOrigin::echoing(&pki, &[API], HTTP1).await;
    let presence = RawOrigin::scripted(Behaviour::Echo).await;
    let ca = Ca::new(&pki, &[API]);
    let setup = || Setup::new().host(API, origin.addr()).host("grpc.imagicle.com", presence.addr()).section(STILL);
    let mut daemon = Daemon::start(&setup().text()).await;
    let mut ends = connect_tunnel(daemon.proxy, &format!("{API}:443")).await.expect("it is allowed");
    ends.send(&client_hello(Some(API))).await;
    ends.read_exact(1).await;
    let mut stays = connect_tunnel(daemon.proxy, "grpc.imagicle.com:443").await.expect("it is allowed");
    let hello = client_hello(Some("grpc.imagicle.com"));
    stays.send(&hello).await;
    assert_eq!(stays.read_exact(hello.len()).await, hello);
    let on = daemon.reload(&ca.configure(setup()).text()).await;
    assert_eq!(on["ended"], 1, "{on}");
    ends.read_until_closed().await;
    stays.send(b"unmoved").await;
    assert_eq!(stays.read_exact(7).await, b"unmoved");
    let mut decrypted = ca.raw(daemon.proxy, API).await;
    assert_eq!(post(&mut decrypted, "{}").await, 200);
    let off = daemon.reload(&setup().text()).await;
    assert_eq!(off["ended"], 1, "{off}");
    decrypted.read_until_closed().await;
}

/// A client that rejected the CA while observing was tunnelled. Enforcing does not remember that: its tunnel ends, and so fails its next
/// connection until it trusts the CA.
#[tokio::test]
async fn what_observing_let_pass_is_not_remembered_by_enforcing() {
    let pki = Pki::new();
    let origin = TappedOrigin::echoing(&pki, &[API], HTTP1).await;
    let ca = Ca::new(&pki, &[API]);
    let setup = |mode: &str| {
        let section = format!("[policy]\nmode = \"{mode}\"\n{STILL}");
        ca.configure(Setup::new().host(API, origin.addr())).section(&section)
    };
    let mut daemon = Daemon::start(&setup("observe").text()).await;
    let cloud = pki.client_config(HTTP1);
    connect_tunnel(daemon.proxy, "api.imagicle.com:443")
        .await
        .expect("allowed")
        .tls(cloud.clone(), API)
        .await
        .expect_err("our certificate");
    daemon.wait_for_line("the rejection", |line| line["reason"] == "client_rejected_certificate").await;
    let tunnelled = connect_tunnel(daemon.proxy, "api.imagicle.com:443").await.expect("allowed").tls(cloud.clone(), API).await;
    let mut tunnelled = RawClient::over(tunnelled.expect("the cloud's own certificate"));
    assert_eq!(post(&mut tunnelled, "{}").await, 200);
    let line = daemon.reload(&setup("enforce").text()).await;
    assert_eq!(line["ended"], 1, "{line}");
    tunnelled.read_until_closed().await;
    connect_tunnel(daemon.proxy, "api.imagicle.com:443").await.expect("allowed").tls(cloud, API).await.expect_err("our certificate again");
}

/// So with a tunnel whose hello names another host: observing lets it through, enforcing would not.
#[tokio::test]
async fn a_wrong_name_that_observing_let_pass_ends() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let setup = |mode: &str| Setup::new().host(API, origin.addr()).section(&format!("[policy]\nmode = \"{mode}\"\n{STILL}"));
    let mut daemon = Daemon::start(&setup("observe").text()).await;
    let mut client = connect_tunnel(daemon.proxy, "api.imagicle.com:443").await.expect("allowed");
    let hello = client_hello(Some("another.imagicle.com"));
    client.send(&hello).await;
    assert_eq!(client.read_exact(hello.len()).await, hello);
    let line = daemon.reload(&setup("enforce").text()).await;
    assert_eq!(line["ended"], 1, "{line}");
    client.read_until_closed().await;
}
