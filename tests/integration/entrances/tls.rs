//! TLS to the proxy: HTTP/1.1 in it, certificates of clients, renewal.

use crate::support::client::{Problem, RawClient, client_hello};
use crate::support::daemon::Daemon;
use crate::support::entrance::{NAME, Reception, connect};
use crate::support::origin::{Behaviour, RawOrigin};
use crate::support::pki::Pki;
use crate::support::proxy::Setup;
use crate::support::scrape::{Scrape, wait_for_decisions, wait_until};
use ucx_egress::app::App;
use ucx_egress::supervisor::Supervisor;

const HOST: &str = "api.imagicle.com";
const CONNECT: &[u8] = b"CONNECT api.imagicle.com:443 HTTP/1.1\r\nHost: api.imagicle.com:443\r\n\r\n";

#[tokio::test]
async fn a_tunnel_passes_and_ends_in_each_direction_on_its_own() {
    let (reception, origin) = (Reception::new(), RawOrigin::scripted(Behaviour::Echo).await);
    let proxy = reception.configure(Setup::new().host(HOST, origin.addr()), "").start();
    for alpn in [&[b"http/1.1" as &[u8]] as &[&[u8]], &[]] {
        let mut client = RawClient::over(reception.connect(proxy.proxy(), alpn).await.expect("a handshake"));
        client.send(CONNECT).await;
        assert_eq!(client.read_head().await.status, 200);
        let hello = client_hello(Some(HOST));
        client.send(&hello).await;
        assert_eq!(client.read_exact(hello.len()).await, hello);
        // More than the sockets and the TLS layer hold at once.
        let bulk = vec![7; 3 << 20];
        let (mut reading, mut writing) = tokio::io::split(client.into_inner());
        let sent = bulk.clone();
        let sending = tokio::spawn(async move {
            tokio::io::AsyncWriteExt::write_all(&mut writing, &sent).await.expect("the proxy takes it");
            tokio::io::AsyncWriteExt::shutdown(&mut writing).await.expect("the proxy takes the end");
        });
        let mut back = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut reading, &mut back).await.expect("it ends in order");
        sending.await.expect("all was sent");
        assert!(back == bulk, "{} bytes came back", back.len());
    }
    let scrape = wait_for_decisions(proxy.admin(), "allow", "", 2).await;
    assert_eq!(scrape.count("ucx_egress_tls_handshakes_total", &[("side", "listener"), ("outcome", "ok")]), 2);
}

#[tokio::test]
async fn a_refusal_is_answered_inside() {
    let reception = Reception::new();
    let proxy = reception.configure(Setup::new(), "").start();
    let mut client = RawClient::over(reception.connect(proxy.proxy(), &[b"http/1.1"]).await.expect("a handshake"));
    client.send(b"CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test\r\n\r\n").await;
    let head = client.read_head().await;
    let body = client.read_body(&head).await;
    assert_eq!((head.status, Problem::parse(&head, &body).reason.as_str()), (403, "host_not_allowed"));
    assert!(client.is_closed().await);
}

/// Set up as http://, the client would take a closed connection for an outage.
#[tokio::test]
async fn plain_http_on_a_tls_port_is_told_so() {
    let reception = Reception::new();
    let proxy = reception.configure(Setup::new(), "").start();
    let mut client = RawClient::connect(proxy.proxy()).await;
    client.send(CONNECT).await;
    let head = client.read_head().await;
    let body = client.read_body(&head).await;
    let problem = Problem::parse(&head, &body);
    assert_eq!((head.status, problem.reason.as_str()), (400, "bad_request"));
    assert!(problem.detail.contains("https://"), "{problem:?}");
}

#[tokio::test]
async fn both_ports_serve_where_tls_has_one_of_its_own() {
    let (reception, origin) = (Reception::new(), RawOrigin::scripted(Behaviour::Echo).await);
    let setup = Setup::new().host(HOST, origin.addr());
    let proxy = reception.configure(setup, "address = \"127.0.0.1:0\"").start();
    let mut plain = RawClient::connect(proxy.proxy()).await;
    let tls = proxy.addresses.tls.expect("a port for TLS");
    let mut sealed = RawClient::over(reception.connect(tls, &[b"http/1.1"]).await.expect("a handshake"));
    plain.send(CONNECT).await;
    sealed.send(CONNECT).await;
    assert_eq!((plain.read_head().await.status, sealed.read_head().await.status), (200, 200));
    let scrape = Scrape::get(proxy.admin()).await;
    for listener in ["proxy", "tls"] {
        assert_eq!(scrape.count("ucx_egress_connections_total", &[("listener", listener)]), 1, "{listener}");
    }
}

#[tokio::test]
async fn a_client_without_the_right_certificate_is_refused_and_one_with_it_is_named() {
    let (reception, clients, strangers) = (Reception::new(), Pki::new(), Pki::new());
    reception.replace("clients.pem", &clients.root_pem());
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let setup = Setup::new().host(HOST, origin.addr());
    let setup = reception.configure(setup, &format!("client_ca = {:?}", reception.path("clients.pem")));
    let mut daemon = Daemon::start(&setup.text()).await;
    for (number, config) in
        [reception.pki.client_config(&[]), reception.pki.client_showing(&strangers.client_leaf("ucx1.example"))].into_iter().enumerate()
    {
        // TLS 1.3 tells a client that it is refused only when it reads.
        if let Ok(stream) = connect(daemon.proxy, config).await {
            let mut client = RawClient::over(stream);
            let _ = client.try_send(CONNECT).await;
            assert_eq!(client.read_until_closed().await.0, b"");
        }
        wait_for_decisions(daemon.admin, "deny", "proxy_auth_required", number + 1).await;
    }
    let named = reception.pki.client_showing(&clients.client_leaf("ucx1.example"));
    let mut client = RawClient::over(connect(daemon.proxy, named).await.expect("a handshake"));
    client.send(b"CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test\r\n\r\n").await;
    assert_eq!(client.read_head().await.status, 403);
    let logged = daemon.wait_for_line("the refusal", |line| line["reason"] == "host_not_allowed").await;
    assert_eq!(logged["user"], "ucx1.example", "{logged}");
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_and_an_unfit_one_changes_nothing() {
    let reception = Reception::new();
    let mut daemon = Daemon::start(&reception.configure(Setup::new(), "").text()).await;
    let before = reception.connect(daemon.proxy, &[]).await.expect("a handshake");
    reception.replace("proxy.pem", "no certificate");
    daemon.wait_for_line("the error", |line| line["level"] == "ERROR").await;
    reception.connect(daemon.proxy, &[]).await.expect("the certificate in force stays");
    let renewed = Pki::new();
    reception.write(&renewed);
    daemon.wait_for_line("the news", |line| line["message"].as_str().is_some_and(|text| text.contains("was read again"))).await;
    connect(daemon.proxy, renewed.client_config(&[])).await.expect("the new certificate is shown");
    reception.connect(daemon.proxy, &[]).await.expect_err("the old one is not");
    // Who came before is not disturbed.
    let mut client = RawClient::over(before);
    client.send(b"CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test\r\n\r\n").await;
    assert_eq!(client.read_head().await.status, 403);
}

#[tokio::test]
async fn a_handshake_that_fails_is_recorded_with_its_reason() {
    let reception = Reception::new();
    let proxy = reception.configure(Setup::new(), "").start();
    connect(proxy.proxy(), Pki::new().client_config(&[])).await.expect_err("it trusts another root");
    wait_for_decisions(proxy.admin(), "deny", "bad_request", 1).await;
    // A port check is no event.
    drop(RawClient::connect(proxy.proxy()).await);
    let scrape = wait_until(proxy.admin(), |scrape| scrape.clients() == 0).await;
    assert_eq!((scrape.all_decisions(), scrape.count("ucx_egress_tls_handshakes_total", &[("outcome", "failed")])), (1, 1));
}

#[test]
fn files_that_do_not_fit_end_the_start_with_their_names() {
    let reception = Reception::new();
    let stranger = Pki::new().leaf(&[NAME]);
    for (file, text, said) in [
        ("proxy.pem", "", "no certificate in it"),
        ("proxy.key", "", "no private key"),
        ("proxy.key", stranger.key_pem().as_str(), "do not belong together"),
    ] {
        reception.write(&reception.pki);
        reception.replace(file, text);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let bound = runtime.block_on(async { App::bind(reception.configure(Setup::new(), "").config(), Supervisor::default()) });
        let error = bound.expect_err("the files are unfit");
        assert!(error.contains(said) && error.contains(file), "{error}");
    }
}
