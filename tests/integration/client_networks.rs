//! `[clients.services]`: a service for some clients only, on every way in.

use crate::support::client::{Problem, RawClient, client_hello, within_deadline};
use crate::support::daemon::BINARY;
use crate::support::intercept::Ca;
use crate::support::origin::{Behaviour, HttpOrigin, RawOrigin, TlsOrigin};
use crate::support::pki::Pki;
use crate::support::policy::{PolicyFile, service};
use crate::support::proxy::Setup;
use crate::support::scrape::wait_for_decisions;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

const OWN: &str = "127.0.0.1";
const OTHER: &str = "127.0.0.2";

/// The answer's status, and the problem if it is a refusal.
async fn ask(client: &mut RawClient, request: &str) -> (u16, Option<Problem>) {
    client.send(request.as_bytes()).await;
    let head = client.read_head().await;
    if head.status == 200 {
        return (200, None);
    }
    let body = client.read_body(&head).await;
    (head.status, Some(Problem::parse(&head, &body)))
}

fn assert_names_the_service(status: u16, problem: Option<&Problem>, service: &str) {
    let problem = problem.expect("a refusal");
    assert_eq!((status, problem.reason.as_str(), problem.rule.as_deref()), (403, "client_not_allowed", Some("clients.services")));
    assert!(problem.detail.contains(&format!("{service:?}")) && problem.detail.contains("[clients.services]"), "{}", problem.detail);
}

#[tokio::test]
async fn connect_and_absolute_form_obey_the_networks_of_their_service() {
    for mode in ["enforce", "observe"] {
        let (http, raw) = (HttpOrigin::start().await, RawOrigin::scripted(Behaviour::Echo).await);
        let keys = "personal_data = \"unstated\"\nidle_timeout = \"1m\"";
        let narrow = service("narrow", keys, &[("plain.test", 80, "http"), ("tls.test", 443, "https")]);
        let wide = service("wide", keys, &[("wide.test", 443, "https")]);
        let setup = Setup::new().host("plain.test", http.addr()).host("tls.test", raw.addr()).host("wide.test", raw.addr());
        let setup = setup.policy(PolicyFile::new(&(narrow + &wide)).in_mode(mode));
        let proxy = setup.section("[clients.services]\nnarrow = [\"127.0.0.2\", \"10.0.0.0/8\"]").start();
        for request in ["CONNECT tls.test:443 HTTP/1.1\r\n\r\n", "GET http://plain.test/test HTTP/1.1\r\nHost: plain.test\r\n\r\n"] {
            let (status, problem) = ask(&mut RawClient::connect_from(OWN, proxy.proxy()).await, request).await;
            assert_names_the_service(status, problem.as_ref(), "narrow");
            assert_eq!(ask(&mut RawClient::connect_from(OTHER, proxy.proxy()).await, request).await.0, 200);
        }
        assert_eq!(ask(&mut RawClient::connect_from(OWN, proxy.proxy()).await, "CONNECT wide.test:443 HTTP/1.1\r\n\r\n").await.0, 200);
        let scrape = wait_for_decisions(proxy.admin(), "deny", "client_not_allowed", 2).await;
        assert_eq!(scrape.count("ucx_egress_decisions_total", &[("service", "narrow"), ("reason", "client_not_allowed")]), 2);
        assert_eq!(http.requests().len(), 1);
    }
}

#[tokio::test]
async fn relays_obey_them_too() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let setup = Setup::new().host("tenant.imagicle.cloud", origin.addr()).relay("tenant.imagicle.cloud:1636");
    let proxy = setup.section("[clients.services]\nuser-sync = [\"127.0.0.2\"]").start();
    let hello = client_hello(None);
    let mut client = RawClient::connect_from(OWN, proxy.relay()).await;
    assert!(client.is_closed().await);
    wait_for_decisions(proxy.admin(), "deny", "client_not_allowed", 1).await;
    assert_eq!(origin.connections(), 0);
    let mut client = RawClient::connect_from(OTHER, proxy.relay()).await;
    client.send(&hello).await;
    assert_eq!(client.read_exact(hello.len()).await, hello);
}

/// Telemetry shares the connection of licensing, which every client may open here.
#[tokio::test]
async fn requests_in_a_decrypted_connection_obey_those_of_their_own_service() {
    const API: &str = "api.imagicle.com";
    let pki = Pki::new();
    let origin = TlsOrigin::start(&pki, &[API], &[b"http/1.1"]).await;
    let ca = Ca::new(&pki, &[API]);
    let proxy = ca.configure(Setup::new().host(API, origin.addr())).section("[clients.services]\ntelemetry = [\"127.0.0.2\"]").start();
    for (address, expected) in [(OWN, 403), (OTHER, 200)] {
        let mut client = RawClient::connect_from(address, proxy.proxy()).await;
        assert_eq!(ask(&mut client, "CONNECT api.imagicle.com:443 HTTP/1.1\r\n\r\n").await.0, 200);
        let stream = client.tls(ca.client(&[b"http/1.1"]), API).await.expect("the client takes the certificate");
        let mut client = RawClient::over(stream);
        client.send(b"GET /test HTTP/1.1\r\nHost: api.imagicle.com\r\n\r\n").await;
        let head = client.read_head().await;
        assert_eq!(head.status, 200);
        client.read_body(&head).await;
        let body = "{\"users\":250}";
        let post = format!(
            "POST /telemetry HTTP/1.1\r\nHost: api.imagicle.com\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        client.send(post.as_bytes()).await;
        let head = client.read_head().await;
        let body = client.read_body(&head).await;
        if expected == 403 {
            assert_names_the_service(head.status, Some(&Problem::parse(&head, &body)), "telemetry");
        } else {
            assert_ne!(head.status, 403, "{head:?}");
        }
    }
    let paths: Vec<_> = origin.requests().iter().map(|request| request.uri.path().to_owned()).collect();
    assert_eq!(paths, ["/test", "/test", "/telemetry"]);
}

async fn explain(config: &str, arguments: &[&str]) -> Value {
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("c.toml");
    std::fs::write(&file, config).expect("the configuration is written");
    let mut command = Command::new(BINARY);
    command.arg("--config").arg(&file).args(["explain", "--json"]).args(arguments).kill_on_drop(true);
    let output = within_deadline("explain ends", command.output()).await.expect("the binary starts");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[tokio::test]
async fn explain_knows_who_may_use_a_service() {
    const CONFIG: &str = "[clients]\nallow = [\"10.0.0.0/8\"]\n[clients.services]\nlicensing = [\"10.1.0.0/16\", \"10.2.0.7\"]";
    let api = "api.imagicle.com:443";
    for (client, verdict) in [("10.1.2.3", "allow"), ("10.2.0.7", "allow"), ("10.2.0.8", "deny"), ("::ffff:10.1.2.3", "allow")] {
        let said = explain(CONFIG, &[api, "--client", client]).await;
        assert_eq!(said["verdict"], verdict, "{client}");
        assert_eq!((&said["service"], &said["clients"][0]), (&"licensing".into(), &"10.1.0.0/16".into()));
        if verdict == "deny" {
            assert_eq!((&said["reason"], &said["rule"]), (&"client_not_allowed".into(), &"clients.services".into()));
        }
    }
    assert_eq!(explain(CONFIG, &["192.168.0.1:443", "--client", "192.168.0.1"]).await["rule"], "clients.allow");
    assert_eq!(explain(CONFIG, &[api]).await["verdict"], "allow", "without --client it is one that may");
    assert_eq!(
        explain(CONFIG, &["grpc.imagicle.com:443", "--client", "10.9.9.9"]).await["verdict"],
        "allow",
        "other services are not concerned"
    );
}
