//! Raw TLS: the destination is the name in the ClientHello, decided as on every other way in.

use crate::support::client::{Closing, RawClient, client_hello, client_hello_without_sni};
use crate::support::daemon::Daemon;
use crate::support::intercept::{API, Ca};
use crate::support::origin::{Behaviour, Deserted, RawOrigin, TlsOrigin};
use crate::support::pki::Pki;
use crate::support::proxy::Setup;
use crate::support::scrape::{wait_for_decisions, wait_until};

const HOST: &str = "api.imagicle.com";

#[tokio::test]
async fn tls_to_an_allowed_name_passes_however_it_is_cut() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let mut daemon = Daemon::start(&Setup::new().host(HOST, origin.addr()).sni().text()).await;
    let hello = client_hello(Some(HOST));
    for cut in [0, 1, 5, 6, hello.len() / 2, hello.len() - 1] {
        let mut client = RawClient::connect(daemon.snis[0]).await;
        client.send(&hello[..cut]).await;
        client.send(&hello[cut..]).await;
        assert_eq!(client.read_exact(hello.len()).await, hello, "cut at {cut}");
        client.finish().await;
        assert_eq!(client.read_to_end().await, b"");
    }
    let record = daemon.wait_for_line("the record", |line| line["protocol"] == "sni").await;
    assert_eq!((record["destination"].as_str(), record["verdict"].as_str()), (Some("api.imagicle.com:443"), Some("allow")), "{record}");
    wait_until(daemon.admin, |scrape| scrape.count("ucx_egress_connections_total", &[("listener", "sni")]) == 6).await;
}

/// The alert that each refusal is said with.
#[tokio::test]
async fn what_may_not_pass_is_refused_in_tls() {
    let gone = Deserted::new();
    let setup = Setup::new().host("www.imagicle.com", gone.addr()).sni();
    let port = setup.section("[[sni]]\naddress = \"127.0.0.1:0\"\nport = 8443");
    let proxy = port.start();
    for (listener, hello, reason, alert) in [
        (0, client_hello(Some("evil.test")), "host_not_allowed", 112),
        (1, client_hello(Some(HOST)), "port_not_allowed", 112),
        (0, client_hello_without_sni(), "sni_missing", 109),
        (0, client_hello(Some("www.imagicle.com")), "connect_failed", 80),
    ] {
        let mut client = RawClient::connect(proxy.addresses.snis[listener]).await;
        client.send(&hello).await;
        assert_eq!(client.read_until_closed().await, (vec![21, 3, 3, 0, 2, 2, alert], Closing::Clean), "{reason}");
        wait_for_decisions(proxy.admin(), "deny", reason, 1).await;
    }
}

#[tokio::test]
async fn what_is_not_tls_is_closed_without_a_word() {
    let proxy = Setup::new().sni().section("[limits]\nhello = \"300ms\"").start();
    let hello = client_hello(Some(HOST));
    let others = [b"GET / HTTP/1.1\r\nHost: api.imagicle.com\r\n\r\n" as &[u8], b"\x80\x2e\x01\x00\x02", &hello[..20]];
    for (number, bytes) in others.into_iter().enumerate() {
        let mut client = RawClient::connect(proxy.addresses.snis[0]).await;
        client.send(bytes).await;
        assert_eq!(client.read_until_closed().await, (Vec::new(), Closing::Clean));
        wait_for_decisions(proxy.admin(), "deny", "not_tls", number + 1).await;
    }
    // Who says nothing is no event.
    let mut silent = RawClient::connect(proxy.addresses.snis[0]).await;
    assert_eq!(silent.read_until_closed().await.0, b"");
    let scrape = wait_until(proxy.admin(), |scrape| scrape.clients() == 0).await;
    assert_eq!(scrape.all_decisions(), 3);
}

#[tokio::test]
async fn a_listener_has_clients_of_its_own() {
    let setup = Setup::new().section("[[sni]]\naddress = \"127.0.0.1:0\"\nclients = [\"10.0.0.0/8\"]");
    let proxy = setup.start();
    let mut client = RawClient::connect(proxy.addresses.snis[0]).await;
    assert_eq!(client.read_until_closed().await.0, b"");
    wait_for_decisions(proxy.admin(), "deny", "client_not_allowed", 1).await;
}

#[tokio::test]
async fn it_is_decrypted_as_a_tunnel_is() {
    let pki = Pki::new();
    let origin = TlsOrigin::start(&pki, &[API], &[b"http/1.1"]).await;
    let ca = Ca::new(&pki, &[API]);
    let proxy = ca.configure(Setup::new().host(API, origin.addr()).sni()).start();
    let client = RawClient::connect(proxy.addresses.snis[0]).await;
    let mut client = RawClient::over(client.tls(ca.client(&[b"http/1.1"]), API).await.expect("the proxy's certificate is trusted"));
    client.send(format!("GET /test HTTP/1.1\r\nHost: {API}\r\n\r\n").as_bytes()).await;
    assert_eq!(client.read_head().await.status, 200);
    wait_until(proxy.admin(), |scrape| scrape.count("ucx_egress_coverage_total", &[("state", "inspected")]) == 1).await;
}
