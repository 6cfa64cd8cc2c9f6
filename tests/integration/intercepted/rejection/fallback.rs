//! `on_client_rejection = "tunnel"`, and observing: a client that rejected the certificate for a host is tunnelled to that host.

use super::{REASON, tunnel};
use crate::support::client::{RawClient, exchange, https_get};
use crate::support::intercept::Ca;
use crate::support::origin::TlsOrigin;
use crate::support::pki::Pki;
use crate::support::policy::PolicyFile;
use crate::support::proxy::{Proxy, Setup};
use crate::support::rejecting::trusting_the_cloud;
use crate::support::scrape::{Scrape, wait_for_decisions};
use crate::support::world::API;
use std::net::SocketAddr;

const OTHER: &str = "other.imagicle.com";

/// Two intercepted hosts in front of one origin.
struct Two {
    pki: Pki,
    ca: Ca,
    _origin: TlsOrigin,
    proxy: Proxy,
}

impl Two {
    async fn new(interception: &str, mode: &str) -> Self {
        let pki = Pki::new();
        let origin = TlsOrigin::start(&pki, &[API, OTHER], &[b"http/1.1"]).await;
        let ca = Ca::new(&pki, &[API, OTHER]);
        let setup = Setup::new().host(API, origin.addr()).host(OTHER, origin.addr());
        let mut setup = setup.policy(PolicyFile::intercepted("1m", &[API, OTHER]).in_mode(mode));
        setup = ca.configure_with(setup, interception);
        let proxy = setup.start();
        Self { pki, ca, _origin: origin, proxy }
    }

    /// A client that knows the cloud's root only tries the host.
    async fn rejects(&self, host: &str) -> bool {
        tunnel(self.proxy.proxy(), host).await.tls(trusting_the_cloud(&self.pki), host).await.is_err()
    }

    /// The same client reaches the host itself.
    async fn reaches(&self, host: &str) {
        let config = trusting_the_cloud(&self.pki);
        let answer = https_get(self.proxy.proxy(), &format!("{host}:443"), host, "/test", config).await;
        assert_eq!((answer.0, answer.1.as_slice()), (200, &br#"{"message":"successfully connected!"}"#[..]));
    }

    /// Decrypted, as one that trusts the CA sees it.
    async fn is_decrypted(&self, host: &str) -> bool {
        let Ok(stream) = self.ca.connect(self.proxy.proxy(), host, &[b"http/1.1"]).await else { return false };
        // With a word: one that hangs up in silence counts as another that rejects.
        RawClient::over(stream).finish().await;
        true
    }

    async fn figures(&self) -> (usize, usize) {
        let scrape = Scrape::get(self.proxy.admin()).await;
        let tunnelled = scrape.count("ucx_egress_coverage_total", &[("service", "inspected"), ("state", "tunnelled")]);
        (scrape.count("ucx_egress_rejection_fallbacks_total", &[("service", "inspected")]), tunnelled)
    }

    async fn status(&self) -> serde_json::Value {
        let request = format!("GET /api/status HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.proxy.admin());
        serde_json::from_slice(&exchange(self.proxy.admin(), request.as_bytes()).await.1).expect("the status is JSON")
    }
}

async fn falls_back(world: &Two) {
    assert!(world.rejects(API).await, "the first time it meets the proxy's certificate");
    wait_for_decisions(world.proxy.admin(), "deny", REASON, 1).await;
    world.reaches(API).await;
    world.reaches(API).await;
    assert_eq!(world.figures().await, (2, 2), "each tunnel is counted as one");
    assert!(!world.is_decrypted(API).await, "the cloud's own certificate is there");
    assert!(world.is_decrypted(OTHER).await, "another host is decrypted as before");
    let status = world.status().await;
    assert_eq!(status["interception"]["clients_tunnelled_after_rejection"], 1, "{status}");
    let service = status["services"].as_array().and_then(|all| all.iter().find(|one| one["id"] == "inspected")).expect("the service");
    assert_eq!(service["client_rejections"], 1, "{service}");
    assert!(service["coverage"]["tunnelled"].as_u64() >= Some(2), "{service}");
}

#[tokio::test]
async fn a_client_that_rejected_is_tunnelled_to_that_host() {
    let world = Two::new("on_client_rejection = \"tunnel\"", "enforce").await;
    falls_back(&world).await;
    assert_eq!(world.status().await["interception"]["on_client_rejection"], "tunnel");
}

#[tokio::test]
async fn observing_tunnels_it_too() {
    falls_back(&Two::new("", "observe").await).await;
}

/// A client of another address.
async fn from_elsewhere(proxy: SocketAddr) -> RawClient {
    let mut client = RawClient::connect_from("127.0.0.2", proxy).await;
    client.send(format!("CONNECT {API}:443 HTTP/1.1\r\nHost: {API}:443\r\n\r\n").as_bytes()).await;
    assert_eq!(client.read_head().await.status, 200);
    client
}

#[tokio::test]
async fn another_client_is_decrypted_as_before() {
    let world = Two::new("on_client_rejection = \"tunnel\"", "enforce").await;
    assert!(world.rejects(API).await);
    wait_for_decisions(world.proxy.admin(), "deny", REASON, 1).await;
    world.reaches(API).await;
    let other = from_elsewhere(world.proxy.proxy()).await;
    other.tls(world.ca.client(&[b"http/1.1"]), API).await.expect("the proxy's certificate");
}

#[tokio::test]
async fn without_it_a_client_that_rejects_is_refused_again_and_again() {
    let world = Two::new("", "enforce").await;
    for count in 1..=3 {
        assert!(world.rejects(API).await, "time {count}");
        wait_for_decisions(world.proxy.admin(), "deny", REASON, count).await;
    }
    assert!(world.is_decrypted(API).await, "one that trusts the CA is served");
    assert_eq!(world.figures().await, (0, 0));
    let status = world.status().await;
    assert_eq!(status["interception"]["clients_tunnelled_after_rejection"], 0, "{status}");
    assert_eq!(status["interception"]["on_client_rejection"], "fail");
}
