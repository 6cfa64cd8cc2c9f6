//! Clients that do not take the proxy's certificate: told from those that do, counted by service, and tunnelled where that is
//! wanted.

mod fallback;

use crate::support::client::{RawClient, client_hello, connect_tunnel};
use crate::support::daemon::Daemon;
use crate::support::rejecting::{alert, finding, trusting_nobody, trusting_the_cloud};
use crate::support::scrape::{Scrape, wait_for_decisions, wait_until_idle};
use crate::support::world::{API, HTTP1, World};
use rustls::version::{TLS12, TLS13};
use rustls::{CertificateError, ClientConfig, HandshakeKind};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

const REASON: &str = "client_rejected_certificate";

async fn tunnel(proxy: SocketAddr, host: &str) -> RawClient {
    connect_tunnel(proxy, &format!("{host}:443")).await.expect("the tunnel opens")
}

/// Shakes hands through the proxy.
async fn shake_hands(proxy: SocketAddr, config: Arc<ClientConfig>) -> io::Result<TlsStream<TcpStream>> {
    tunnel(proxy, API).await.tls(config, API).await
}

fn rejections(scrape: &Scrape, service: &str) -> usize {
    scrape.count("ucx_egress_decisions_total", &[("service", service), ("verdict", "deny"), ("reason", REASON)])
}

/// What client libraries find of a certificate that they do not trust.
fn findings() -> Vec<CertificateError> {
    vec![
        CertificateError::UnknownIssuer,
        CertificateError::BadEncoding,
        CertificateError::Expired,
        CertificateError::Revoked,
        CertificateError::InvalidPurpose,
        CertificateError::ApplicationVerificationFailure,
        CertificateError::Other(rustls::OtherError(Arc::new(io::Error::other("pinned")))),
    ]
}

#[tokio::test]
async fn a_client_that_refuses_in_its_handshake_is_counted_for_the_service() {
    let world = World::echoing(HTTP1).await;
    let mut count = 0;
    for version in [&TLS13, &TLS12] {
        for found in findings() {
            let refused = shake_hands(world.proxy.proxy(), finding(Err(found.clone()), version)).await;
            assert!(refused.is_err(), "{found:?}");
            count += 1;
            wait_for_decisions(world.proxy.admin(), "deny", REASON, count).await;
        }
    }
    for config in [trusting_nobody(), trusting_the_cloud(&world.pki)] {
        shake_hands(world.proxy.proxy(), config).await.expect_err("the root is unknown to it");
        count += 1;
        wait_for_decisions(world.proxy.admin(), "deny", REASON, count).await;
    }
    let scrape = wait_until_idle(world.proxy.admin()).await;
    assert_eq!((rejections(&scrape, "licensing"), scrape.decisions("deny", REASON)), (count, count));
    assert_eq!(scrape.count("ucx_egress_tls_handshakes_total", &[("side", "client"), ("outcome", "failed")]), count);
    assert!(world.what_arrived().await.concat().is_empty());
}

/// `bad_certificate`, `certificate_revoked`, `certificate_expired`, `certificate_unknown`, `unknown_ca`.
#[tokio::test]
async fn a_client_that_refuses_behind_its_handshake_is_counted_too() {
    let world = World::echoing(HTTP1).await;
    for (before, description) in [42, 44, 45, 46, 48].into_iter().enumerate() {
        let stream = shake_hands(world.proxy.proxy(), finding(Ok(()), &TLS13)).await.expect("it looks later");
        alert(stream, description).await;
        let scrape = wait_for_decisions(world.proxy.admin(), "deny", REASON, before + 1).await;
        assert_eq!(rejections(&scrape, "licensing"), before + 1, "alert {description}");
    }
    // Whatever `internal_error` means, it is not about the certificate.
    alert(shake_hands(world.proxy.proxy(), finding(Ok(()), &TLS13)).await.expect("it looks later"), 80).await;
    let scrape = wait_until_idle(world.proxy.admin()).await;
    assert_eq!(scrape.decisions("deny", REASON), 5);
}

#[tokio::test]
async fn a_client_that_hangs_up_over_the_certificate_is_counted_too() {
    let world = World::echoing(HTTP1).await;
    for (before, resets) in [false, true].into_iter().enumerate() {
        let mut client = tunnel(world.proxy.proxy(), API).await;
        client.send(&client_hello(Some(API))).await;
        client.read_exact(5).await;
        if resets {
            client.reset();
        } else {
            drop(client);
        }
        let scrape = wait_for_decisions(world.proxy.admin(), "deny", REASON, before + 1).await;
        assert_eq!(rejections(&scrape, "licensing"), before + 1, "resets: {resets}");
    }
    // Behind a complete handshake, without a word.
    let stream = shake_hands(world.proxy.proxy(), finding(Ok(()), &TLS13)).await.expect("it looks later");
    drop(stream.into_inner().0);
    let scrape = wait_for_decisions(world.proxy.admin(), "deny", REASON, 3).await;
    assert_eq!(rejections(&scrape, "licensing"), 3);
}

/// Ways to leave that say nothing about the certificate.
#[tokio::test]
async fn a_client_that_took_the_certificate_is_not_counted_however_it_leaves() {
    let world = World::echoing(HTTP1).await;
    let connect = || async { shake_hands(world.proxy.proxy(), world.ca.client(HTTP1)).await.expect("it trusts the CA") };
    let get = format!("GET / HTTP/1.1\r\nHost: {API}\r\n\r\n");
    let mut polite = RawClient::over(connect().await);
    polite.finish().await;
    polite.read_until_closed().await;
    let mut asking = RawClient::over(connect().await);
    asking.send(get.as_bytes()).await;
    assert_eq!(asking.read_head().await.status, 200);
    drop(asking);
    let mut resetting = RawClient::over(connect().await);
    resetting.send(get.as_bytes()).await;
    assert_eq!(resetting.read_head().await.status, 200);
    resetting.into_inner().into_inner().0.set_zero_linger().expect("the socket takes it");
    let mut malformed = RawClient::over(connect().await);
    malformed.send(b"no HTTP\r\n\r\n").await;
    malformed.read_until_closed().await;
    let mut before_hello = tunnel(world.proxy.proxy(), API).await;
    before_hello.send(&client_hello(Some(API))[..50]).await;
    drop((malformed, before_hello));
    let scrape = wait_until_idle(world.proxy.admin()).await;
    assert_eq!(scrape.decisions("deny", REASON), 0, "{}", scrape.text());
}

/// A resumed session shows no certificate: whoever leaves then did not refuse one.
#[tokio::test]
async fn a_resumed_session_that_is_left_is_no_rejection() {
    let world = World::echoing(HTTP1).await;
    let config = world.ca.client(HTTP1);
    let mut first = RawClient::over(shake_hands(world.proxy.proxy(), config.clone()).await.expect("it trusts the CA"));
    // With the answer come the tickets.
    first.send(format!("GET / HTTP/1.1\r\nHost: {API}\r\n\r\n").as_bytes()).await;
    assert_eq!(first.read_head().await.status, 200);
    let second = shake_hands(world.proxy.proxy(), config).await.expect("it trusts the CA");
    assert_eq!(second.get_ref().1.handshake_kind(), Some(HandshakeKind::Resumed));
    drop(second.into_inner().0);
    drop(first);
    let scrape = wait_until_idle(world.proxy.admin()).await;
    assert_eq!(scrape.decisions("deny", REASON), 0, "{}", scrape.text());
}

#[tokio::test]
async fn the_log_says_how_the_client_refused_and_what_to_do() {
    let world = World::echoing(HTTP1).await;
    let mut daemon = Daemon::start(&world.setup.text()).await;
    shake_hands(daemon.proxy, trusting_nobody()).await.expect_err("it trusts nobody");
    let record = daemon.wait_for_line("the record", |line| line["reason"] == REASON).await;
    assert_eq!((record["verdict"].as_str(), record["service"].as_str()), (Some("deny"), Some("licensing")));
    assert!(record["detail"].as_str().is_some_and(|detail| detail.contains("alert unknown_ca")), "{record}");
    let is_warning = |line: &serde_json::Value| line["level"] == "WARN" && line["client"].is_string();
    let warning = daemon.wait_for_line("the warning", is_warning).await.to_string();
    for word in ["ca show", API, "unknown_ca", "ca.pem", "fail until it trusts the CA"] {
        assert!(warning.contains(word), "{word} in {warning}");
    }
    assert_eq!(daemon.terminate().await, Some(0));
}
