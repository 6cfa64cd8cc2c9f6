//! DNS, TCP, TLS, HTTP and the clock.

use super::{API, Cloud, GRPC, TENANT, examine};
use crate::support::dns::DnsServer;
use crate::support::intercept::Ca;
use crate::support::origin::{Deserted, Full, HttpOrigin, SecureOrigin, Tapped, TappedOrigin, TlsOrigin, full};
use crate::support::pki::{Chain, Pki};
use crate::support::proxy::Setup;
use http::Response;
use rcgen::CertificateParams;
use rustls::ServerConfig;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;
use time::macros::format_description;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// An answer to the documented test.
type Answering = fn() -> Response<&'static str>;

const ENDPOINT: &str = "api.imagicle.com:443";

/// A configuration whose name server knows what a test tells it.
async fn resolving(setup: Setup) -> (Setup, DnsServer) {
    let dns = DnsServer::start().await;
    (setup.name_server(dns.addr()).section("[limits]\nresolve = \"500ms\"\nconnect = \"1s\""), dns)
}

#[tokio::test]
async fn names_that_do_not_resolve_are_told_from_those_that_resolve_to_the_wrong_place() {
    let (setup, dns) = resolving(Setup::new().without_loopback()).await;
    dns.set(GRPC, vec![Ipv4Addr::new(10, 1, 2, 3).into()], 60);
    dns.set(TENANT, vec![Ipv4Addr::new(10, 1, 2, 3).into(), Ipv4Addr::LOCALHOST.into()], 60);
    let text = setup.upstream_line("allow_addresses = [\"127.0.0.1\"]").text();
    let found = examine(&text, &["tenant.imagicle.cloud:1636"]).await;
    assert_eq!(found.code, Some(1));
    let server = dns.addr().to_string();
    found.says("dns", ENDPOINT, "fail", "does not exist (NXDOMAIN)", "upstream.nameservers");
    found.says("dns", ENDPOINT, "fail", &server, "");
    for area in ["tcp", "tls"] {
        found.says(area, ENDPOINT, "skip", "no address", "");
    }
    found.says("http", ENDPOINT, "skip", "no address", "");
    found.says("dns", "grpc.imagicle.com:443", "fail", "10.1.2.3 (private: refused)", "upstream.allow_addresses");
    // One good address is enough, and the bad one is told.
    found.says("dns", "tenant.imagicle.cloud:1636", "warn", "10.1.2.3 (private: refused)", "mend DNS");
    found.says("clock", "this machine", "skip", "not compared", "date -u");
}

#[tokio::test]
async fn silent_name_servers_are_told() {
    let (setup, dns) = resolving(Setup::new()).await;
    dns.go_silent();
    let found = examine(&setup.text(), &[]).await;
    found.says("dns", ENDPOINT, "fail", "did not answer in time", "upstream.nameservers");
}

#[tokio::test]
async fn names_are_resolved_as_the_proxy_does() {
    let cloud = Cloud::start().await;
    let (setup, dns) = resolving(cloud.setup().host(API, cloud.api.addr())).await;
    dns.set(GRPC, vec![IpAddr::V4(Ipv4Addr::LOCALHOST)], 60);
    let found = examine(&setup.text(), &[]).await;
    found.says("dns", "grpc.imagicle.com:443", "ok", &format!("127.0.0.1 (by {})", dns.addr()), "");
}

#[tokio::test]
async fn connections_that_are_refused_are_told_from_those_that_are_swallowed() {
    let (nobody, full) = (Deserted::new(), Full::start().await);
    let setup = Setup::new().host(API, nobody.addr()).host(GRPC, full.addr()).section("[limits]\nconnect = \"300ms\"");
    let found = examine(&setup.text(), &[]).await;
    assert_eq!(found.code, Some(1));
    found.says("tcp", ENDPOINT, "fail", "refused the connection", "firewall let this machine out to api.imagicle.com:443");
    found.says("tcp", "grpc.imagicle.com:443", "fail", "answered in time", "firewall");
    found.says("tls", ENDPOINT, "skip", "no connection", "");
}

/// The TLS line of the api host behind a server with this configuration.
async fn tls_of(cloud: &Cloud, config: Arc<ServerConfig>) -> super::Examined {
    let origin = SecureOrigin::start(config).await;
    examine(&cloud.setup().host(API, origin.addr()).host(GRPC, cloud.grpc.addr()).text(), &[]).await
}

#[tokio::test]
async fn certificates_that_are_not_taken_are_told_apart() {
    let cloud = Cloud::start().await;
    let other = Pki::named("Corp Inspection CA");
    let ended = |params: &mut CertificateParams| {
        params.not_before = (SystemTime::now() - Duration::from_hours(48)).into();
        params.not_after = (SystemTime::now() - Duration::from_hours(24)).into();
    };
    let alpn: &[&[u8]] = &[b"http/1.1"];
    let cases: [(Arc<ServerConfig>, &str, &str); 4] = [
        (
            other.server_config(&[API], alpn),
            "someone upstream is decrypting: issuer CN=Corp Inspection CA, unknown here",
            "have the UCX servers trust their root",
        ),
        (Chain::self_signed(API).server(alpn), "someone upstream is decrypting: issuer CN=api.imagicle.com", "without decryption"),
        (cloud.pki.chain(API, ended).server(alpn), "has expired: issuer CN=ucx-egress test root, valid to ", "clock"),
        (cloud.pki.server_config(&["portal.example"], alpn), "is for another host", "something on the way"),
    ];
    for (config, seen, remedy) in cases {
        let found = tls_of(&cloud, config).await;
        assert_eq!(found.code, Some(1), "{seen}");
        found.says("tls", ENDPOINT, "fail", seen, remedy);
        found.says("http", ENDPOINT, "skip", "TLS failed", "");
        found.says("tcp", ENDPOINT, "ok", "connected", "");
    }
}

#[tokio::test]
async fn a_certificate_near_its_end_shows_its_days() {
    let cloud = Cloud::start().await;
    let soon = |params: &mut CertificateParams| params.not_after = (SystemTime::now() + Duration::from_hours(5 * 24 + 1)).into();
    let found = tls_of(&cloud, cloud.pki.chain(API, soon).server(&[b"http/1.1"])).await;
    found.says("tls", ENDPOINT, "warn", "(5 days)", "");
}

#[tokio::test]
async fn what_is_no_tls_is_told() {
    let origin = HttpOrigin::start().await;
    let found = examine(&Setup::new().host(API, origin.addr()).host(GRPC, origin.addr()).text(), &[]).await;
    found.says("tls", ENDPOINT, "fail", "does not speak TLS", "something on the way breaks TLS");
}

#[tokio::test]
async fn grpc_without_h2_fails() {
    let cloud = Cloud::start().await;
    for alpn in [&[b"http/1.1" as &[u8]][..], &[]] {
        let grpc = TlsOrigin::start(&cloud.pki, &[GRPC], alpn).await;
        let found = examine(&cloud.setup().host(API, cloud.api.addr()).host(GRPC, grpc.addr()).text(), &[]).await;
        assert_eq!(found.code, Some(1));
        found.says("tls", "grpc.imagicle.com:443", "fail", "no h2: TLS 1.3", "gRPC clients give up without h2");
    }
}

/// An api host that answers so.
async fn answering(cloud: &Cloud, answer: Answering) -> super::Examined {
    let respond = move |_| async move { answer().map(full) };
    let origin = TappedOrigin::serving(&cloud.pki, &[API], &[b"http/1.1"], respond).await;
    examine(&cloud.setup().host(API, origin.addr()).host(GRPC, cloud.grpc.addr()).text(), &[]).await
}

#[tokio::test]
async fn answers_that_are_not_the_documented_one_fail() {
    let cloud = Cloud::start().await;
    let portal = || Response::new("<html>Please log in</html>");
    let refused = || Response::builder().status(403).body("no").expect("a response");
    let other = || Response::new("{\"message\":\"hello\"}");
    let cases: [(Answering, &str); 3] =
        [(portal, "200, but not the documented body"), (refused, "status 403"), (other, "200, but not the documented body")];
    for (answer, seen) in cases {
        let found = answering(&cloud, answer).await;
        assert_eq!(found.code, Some(1));
        found.says("http", "GET https://api.imagicle.com/test", "fail", seen, "answers in the cloud's place");
        assert!(!found.text.contains("log in") && !found.text.contains("hello"), "nothing of a body is repeated: {}", found.text);
    }
    let spaced = || Response::new("{ \"message\" : \"successfully connected!\" }\n");
    answering(&cloud, spaced).await.says("http", "GET", "ok", "documented body", "");
}

#[tokio::test]
async fn an_answer_that_is_no_http_fails() {
    let cloud = Cloud::start().await;
    let origin = TappedOrigin::scripted(&cloud.pki, &[API], &[b"http/1.1"], nonsense).await;
    let found = examine(&cloud.setup().host(API, origin.addr()).host(GRPC, cloud.grpc.addr()).text(), &[]).await;
    found.says("http", "GET", "fail", "broke off, or is no HTTP", "in the cloud's place");
}

async fn nonsense(mut stream: Tapped) {
    // As much as every request has.
    stream.read_exact(&mut [0; 16]).await.ok();
    stream.write_all(b"SSH-2.0-x\r\n\r\n").await.ok();
    stream.shutdown().await.ok();
}

fn date(ahead: i64) -> String {
    let form = format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    (OffsetDateTime::now_utc() + time::Duration::seconds(ahead)).format(form).expect("a date")
}

fn dated(ahead: i64) -> Response<&'static str> {
    Response::builder().header("date", date(ahead)).body("{\"message\":\"successfully connected!\"}").expect("a response")
}

#[tokio::test]
async fn clocks_that_are_apart_are_told() {
    let cloud = Cloud::start().await;
    let cases: [(Answering, &str, &str); 5] = [
        (|| dated(30), "ok", "of the cloud's answer"),
        (|| dated(120), "warn", "s behind the cloud's answer"),
        (|| dated(-120), "warn", "s ahead of the cloud's answer"),
        (|| dated(900), "fail", "s behind the cloud's answer"),
        (|| dated(-900), "fail", "s ahead of the cloud's answer"),
    ];
    for (answer, level, seen) in cases {
        let found = answering(&cloud, answer).await;
        found.says("clock", "this machine", level, seen, if level == "ok" { "" } else { "NTP" });
        assert_eq!(found.code, Some(i32::from(level == "fail")), "{}", found.text);
    }
    let undated = || Response::builder().header("date", "yesterday").body("{\"message\":\"successfully connected!\"}").expect("a response");
    answering(&cloud, undated).await.says("clock", "this machine", "skip", "not compared", "another clock");
}

#[tokio::test]
async fn where_the_proxy_decrypts_it_is_the_proxy_that_has_to_trust() {
    let cloud = Cloud::start().await;
    let ca = Ca::new(&Pki::named("another"), &[API]);
    let setup = ca.configure(Setup::new().host(API, cloud.api.addr()).host(GRPC, cloud.grpc.addr()));
    let found = examine(&setup.text(), &[]).await;
    found.says("tls", ENDPOINT, "fail", "unknown here", "add their root to upstream.ca_files");
}
