//! What goes through a parent, and what goes directly: tunnels, relays, plain HTTP, decrypted connections; parents that speak TLS.

use super::{API, LDAPS, behind, connects, refused};
use crate::support::client::{Closing, RawClient, client_hello, connect_tunnel, exchange};
use crate::support::intercept::Ca;
use crate::support::origin::{Behaviour, HttpOrigin, RawOrigin, SecureOrigin};
use crate::support::parent::Parent;
use crate::support::pki::Pki;
use crate::support::policy::PolicyFile;
use crate::support::proxy::{Proxy, Setup};
use crate::support::scrape::wait_for_decisions;
use tempfile::NamedTempFile;

/// Whether a tunnel reaches the origin that sends everything back.
async fn echoes(proxy: &Proxy, authority: &str) {
    let mut client = connect_tunnel(proxy.proxy(), authority).await.unwrap_or_else(|(_, problem)| panic!("{authority}: {problem:?}"));
    let hello = client_hello(authority.split(':').next());
    client.send(&hello).await;
    assert_eq!(client.read_exact(hello.len()).await, hello, "{authority}");
}

#[tokio::test]
async fn what_no_proxy_names_is_reached_directly() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let parent = Parent::to(origin.addr()).await;
    let setup = behind(&[parent.url()]).upstream_line("no_proxy = [\"*.imagicle.cloud:1636\", \"eu.imagicle.com\"]");
    let setup = ["tenant.imagicle.cloud", "eu.imagicle.com"].into_iter().fold(setup, |setup, host| setup.host(host, origin.addr()));
    let proxy = setup.start();
    for direct in [LDAPS, "eu.imagicle.com:443"] {
        echoes(&proxy, direct).await;
    }
    assert!(parent.heads().is_empty());
    for through in ["tenant.imagicle.cloud:443", "us.imagicle.com:443"] {
        echoes(&proxy, through).await;
    }
    assert_eq!(parent.targets(), ["tenant.imagicle.cloud:443", "us.imagicle.com:443"]);
}

#[tokio::test]
async fn services_go_their_own_ways() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let (usual, own) = (Parent::to(origin.addr()).await, Parent::to(origin.addr()).await);
    let ways = format!("[upstream.parents_for]\npresence = \"direct\"\nuser-sync = [{:?}]", own.url());
    let proxy = behind(&[usual.url()]).host("grpc.imagicle.com", origin.addr()).section(&ways).start();
    for authority in ["grpc.imagicle.com:443", API, LDAPS] {
        echoes(&proxy, authority).await;
    }
    assert_eq!((usual.targets(), own.targets()), (vec![API.to_owned()], vec![LDAPS.to_owned()]));
}

#[tokio::test]
async fn a_parent_for_one_service_leaves_the_others_direct() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let parent = Parent::to(origin.addr()).await;
    let ways = format!("[upstream.parents_for]\npresence = {:?}", parent.url());
    let proxy = Setup::new().host("api.imagicle.com", origin.addr()).section(&ways).start();
    echoes(&proxy, API).await;
    echoes(&proxy, "grpc.imagicle.com:443").await;
    assert_eq!(parent.targets(), ["grpc.imagicle.com:443"]);
}

/// A setup that trusts the root of a test.
fn trusting(pki: &Pki, urls: &[String]) -> (Setup, NamedTempFile) {
    let root = NamedTempFile::new().expect("a temporary file");
    std::fs::write(root.path(), pki.root_pem()).expect("the root is written");
    (behind(urls).upstream_line(&format!("ca_files = [{:?}]", root.path().display().to_string())), root)
}

#[tokio::test]
async fn a_parent_may_speak_tls_and_is_verified() {
    let (pki, origin) = (Pki::new(), RawOrigin::scripted(Behaviour::Echo).await);
    for (names, is_good) in [(&["proxy.corp.example"][..], true), (&["other.corp.example"], false)] {
        let parent = Parent::secure(pki.server_config(names, &[b"http/1.1"]), origin.addr()).await;
        let url = "https://proxy.corp.example:3129".to_owned();
        let (setup, _root) = trusting(&pki, std::slice::from_ref(&url));
        let proxy = setup.host("proxy.corp.example", parent.addr()).start();
        if is_good {
            echoes(&proxy, API).await;
            assert_eq!((parent.targets(), connects(&proxy, &url, "ok").await), (vec![API.to_owned()], 1));
            continue;
        }
        let (head, problem) = refused(&proxy, API).await;
        assert_eq!((head.status, problem.reason.as_str(), problem.rule.as_deref()), (502, "upstream_tls_invalid", Some("upstream.parent")));
        assert!(problem.detail.contains("another host") && problem.detail.contains(&url), "{}", problem.detail);
        assert_eq!((parent.heads().len(), connects(&proxy, &url, "unreachable").await), (0, 1));
    }
}

#[tokio::test]
async fn a_parent_with_tls_may_be_an_address_and_is_passed_over_when_nobody_vouches_for_it() {
    let (pki, origin) = (Pki::new(), RawOrigin::scripted(Behaviour::Echo).await);
    let strange = Parent::secure(Pki::named("nobody's root").server_config(&["127.0.0.1"], &[]), origin.addr()).await;
    let good = Parent::secure(pki.server_config(&["127.0.0.1"], &[]), origin.addr()).await;
    let (setup, _root) = trusting(&pki, &[strange.url(), good.url()]);
    let proxy = setup.start();
    echoes(&proxy, API).await;
    assert_eq!((strange.heads().len(), good.targets()), (0, vec![API.to_owned()]));
    assert_eq!(connects(&proxy, &strange.url(), "unreachable").await, 1);
}

#[tokio::test]
async fn a_relay_goes_through_a_parent() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let parent = Parent::to(origin.addr()).await;
    let proxy = behind(&[parent.url()]).relay(LDAPS).start();
    let mut client = RawClient::connect(proxy.relay()).await;
    let hello = client_hello(None);
    client.send(&hello).await;
    assert_eq!(client.read_exact(hello.len()).await, hello);
    client.finish().await;
    client.read_to_end().await;
    assert_eq!(parent.targets(), [LDAPS]);

    let parent = Parent::answering(b"HTTP/1.1 403 Forbidden\r\n\r\n").await;
    let proxy = behind(&[parent.url()]).relay(LDAPS).start();
    let mut client = RawClient::connect(proxy.relay()).await;
    client.try_send(&client_hello(None)).await.ok();
    let (said, _): (_, Closing) = client.read_until_closed().await;
    assert!(said.is_empty());
    wait_for_decisions(proxy.admin(), "deny", "connect_failed", 1).await;
}

#[tokio::test]
async fn plain_http_goes_through_a_tunnel_too() {
    let origin = HttpOrigin::start().await;
    let parent = Parent::to(origin.addr()).await;
    let policy = PolicyFile::of("plain", "1h", &[("api.imagicle.com", 80, "http")]);
    let proxy = behind(&[parent.url()]).policy(policy).start();
    for _ in 0..2 {
        let (head, _) =
            exchange(proxy.proxy(), b"GET http://api.imagicle.com/test HTTP/1.1\r\nHost: api.imagicle.com\r\nConnection: close\r\n\r\n")
                .await;
        assert_eq!(head.status, 200);
    }
    assert_eq!(parent.targets(), ["api.imagicle.com:80"], "the tunnel is kept");
    assert_eq!(origin.requests().len(), 2);
}

#[tokio::test]
async fn what_is_decrypted_goes_through_a_parent_and_is_kept() {
    let pki = Pki::new();
    let origin = SecureOrigin::start(pki.server_config(&["api.imagicle.com"], &[b"http/1.1"])).await;
    let parent = Parent::to(origin.addr()).await;
    let ca = Ca::new(&pki, &["api.imagicle.com"]);
    let proxy = ca.configure(behind(&[parent.url()])).start();
    for _ in 0..2 {
        let mut client = ca.raw(proxy.proxy(), "api.imagicle.com").await;
        client.send(b"GET /test HTTP/1.1\r\nHost: api.imagicle.com\r\n\r\n").await;
        let head = client.read_head().await;
        assert_eq!(head.status, 200, "{head:?}");
        assert_eq!(client.read_body(&head).await, b"{\"message\":\"successfully connected!\"}");
    }
    assert_eq!((parent.targets(), origin.requests().len()), (vec![API.to_owned()], 2));
    assert_eq!(origin.handshakes()[0].server_name.as_deref(), Some("api.imagicle.com"));
}
