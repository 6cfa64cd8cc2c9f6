//! Each request is decided again by method and path: whose it is, and whether it is inspected.

use super::answer;
use crate::support::client::within_deadline;
use crate::support::daemon::BINARY;
use crate::support::http2::{piece, rest};
use crate::support::scrape::Scrape;
use crate::support::world::{ADDRESS, API, HTTP1, HTTP2, World, request};
use bytes::Bytes;
use http::Method;
use std::process::Stdio;
use tokio::process::Command;

/// Method, path, the service it belongs to, and whether an address in its body is refused.
const REQUESTS: &[(&str, &str, &str, bool)] = &[
    ("GET", "/test", "connectivity-test", true),
    ("POST", "/test", "licensing", true),
    ("HEAD", "/test", "licensing", true),
    ("GET", "/test/", "licensing", true),
    ("GET", "/Test", "licensing", true),
    ("POST", "/telemetry", "telemetry", true),
    ("POST", "/telemetry/v1/events", "telemetry", true),
    ("POST", "/telemetryx", "licensing", true),
    ("POST", "/sso/x", "sso", false),
    ("PUT", "/sso/login/step?two", "sso", false),
    ("POST", "/sso", "licensing", true),
    ("POST", "/sso/../telemetry", "licensing", true),
    ("POST", "/sso/%2e%2e/x", "licensing", true),
    ("POST", "/sso/x%2fy", "licensing", true),
    ("POST", "/sso//x", "licensing", true),
    ("POST", "/sso/x;y", "licensing", true),
    ("POST", "/%73so/x", "licensing", true),
    ("POST", "/SSO/x", "licensing", true),
    ("POST", "/", "licensing", true),
];

/// The services whose coverage counts an exchange.
fn covered(scrape: &Scrape, service: &str, state: &str) -> usize {
    scrape.count("ucx_egress_coverage_total", &[("service", service), ("state", state)])
}

#[tokio::test]
async fn requests_belong_to_the_service_of_their_method_and_path() {
    let world = World::echoing(HTTP1).await;
    for (method, path, service, inspected) in REQUESTS {
        let state = if *inspected { "inspected" } else { "tunnelled" };
        let before = covered(&Scrape::get(world.proxy.admin()).await, service, state);
        let mut client = world.raw().await;
        client.send(format!("{method} {path} HTTP/1.1\r\nHost: {API}\r\nConnection: close\r\n\r\n").as_bytes()).await;
        assert_eq!(client.read_head().await.status, 200, "{method} {path}");
        let scrape = Scrape::get(world.proxy.admin()).await;
        assert_eq!(covered(&scrape, service, state), before + 1, "{method} {path} is of {service}");
    }
    let scrape = Scrape::get(world.proxy.admin()).await;
    assert_eq!(scrape.count("ucx_egress_coverage_total", &[]), REQUESTS.len(), "each once");
    assert_eq!(scrape.count("ucx_egress_coverage_total", &[("state", "tunnelled")]), 2);
}

#[tokio::test]
async fn an_address_passes_where_it_is_documented_and_nowhere_else() {
    let world = World::echoing(HTTP1).await;
    for (method, path, service, inspected) in REQUESTS.iter().filter(|(method, ..)| *method != "HEAD") {
        let mut client = world.raw().await;
        let fields = format!("Host: {API}\r\nX-User: {ADDRESS}\r\nContent-Length: {}\r\n", ADDRESS.len());
        client.send(format!("{method} {path} HTTP/1.1\r\n{fields}\r\n{ADDRESS}").as_bytes()).await;
        let (head, body) = answer(&mut client).await;
        assert_eq!(head.status, if *inspected { 403 } else { 200 }, "{method} {path} of {service}");
        assert!(*inspected || body == ADDRESS, "{body}");
    }
    let arrived = String::from_utf8(world.what_arrived().await.concat()).expect("text");
    assert_eq!(arrived.matches(ADDRESS).count(), 4, "in a field and in the body, twice: {arrived}");
}

#[tokio::test]
async fn explain_names_the_same_service() {
    let world = World::echoing(HTTP1).await;
    let config = world.ca.path("config.toml");
    std::fs::write(&config, world.setup.text()).expect("the configuration is written");
    for (method, path, service, inspected) in REQUESTS {
        let mut command = Command::new(BINARY);
        command.arg("--config").arg(&config).args(["explain", &format!("https://{API}{path}"), "--json", "--method", method]);
        let output = within_deadline("explain ends", command.stdin(Stdio::null()).kill_on_drop(true).output()).await.expect("it runs");
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
        assert_eq!((told["verdict"].as_str(), told["service"].as_str()), (Some("allow"), Some(*service)), "{method} {path}");
        assert_eq!(told["personal_data"] == "expected", !inspected, "{told}");
    }
}

/// What is not inspected is not held either.
#[tokio::test]
async fn an_upload_that_is_not_inspected_passes_piece_by_piece() {
    let world = World::echoing(HTTP2).await;
    let mut client = world.http2().await;
    let head = request(Method::POST, "/sso/x").header("content-type", "application/grpc").body(()).expect("a request");
    let (response, mut body) = client.open(head).await;
    body.send_data(Bytes::from_static(b"no gRPC, "), false).expect("the stream is open");
    let mut echoed = within_deadline("an answer", response).await.expect("an answer").into_body();
    assert_eq!(piece(&mut echoed).await.expect("the echo"), "no gRPC, ");
    body.send_data(Bytes::from_static(ADDRESS.as_bytes()), true).expect("the stream is open");
    assert_eq!(piece(&mut echoed).await.expect("the echo"), ADDRESS);
    rest(echoed).await;
}
