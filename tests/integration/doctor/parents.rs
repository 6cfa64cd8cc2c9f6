//! Parent proxies: reached, credentials, what they permit.

use super::{Cloud, LDAPS, examine};
use crate::support::origin::Deserted;
use crate::support::parent::Parent;
use crate::support::proxy::Setup;

const API: &str = "api.imagicle.com:443";
const GRPC: &str = "grpc.imagicle.com:443";

fn behind(setup: Setup, urls: &[String]) -> Setup {
    setup.upstream_line(&format!("parent = {urls:?}"))
}

#[tokio::test]
async fn what_goes_through_a_parent_is_looked_at_through_it() {
    let cloud = Cloud::start().await;
    let parent = Parent::to(cloud.api.addr()).await;
    let found = examine(&behind(cloud.setup(), &[parent.url()]).text(), &[]).await;
    found.says("parent", &parent.url(), "ok", "is reached, asks for no credentials", "");
    found.says("dns", API, "skip", "the parent proxy resolves it", "");
    found.says("tcp", API, "ok", &format!("connected by way of {}", parent.url()), "");
    found.says("tls", API, "warn", "issuer CN=ucx-egress test root", "");
    found.says("http", "GET", "ok", "documented body", "");
    found.says("clock", "this machine", "ok", "", "");
    // The same parent connects everything to the api's stand-in: another host's certificate is no good.
    found.says("tls", GRPC, "fail", "is for another host", "");
    assert_eq!(parent.targets(), [API, GRPC]);
}

#[tokio::test]
async fn credentials_that_are_taken_are_said_so() {
    let cloud = Cloud::start().await;
    let parent = Parent::to(cloud.api.addr()).await;
    let url = parent.url().replace("http://", "http://ucx:pw-7f3@");
    let found = examine(&behind(cloud.setup(), &[url]).text(), &[]).await;
    found.says("parent", &parent.url(), "ok", "takes the credentials", "");
    assert!(!found.text.contains("pw-7f3") && !found.text.contains("ucx:"), "{}", found.text);
}

#[tokio::test]
async fn a_parent_that_refuses_port_1636_is_told_apart_from_one_that_is_gone() {
    let cloud = Cloud::start().await;
    let (open, closed, gone) =
        (Parent::to(cloud.api.addr()).await, Parent::answering(b"HTTP/1.1 403 Forbidden\r\n\r\n").await, Deserted::new());
    let gone = format!("http://{}", gone.addr());
    let ways = format!("[upstream.parents_for]\nuser-sync = \"{}\"\npresence = \"{gone}\"", closed.url());
    let found = examine(&behind(cloud.setup(), &[open.url()]).relay(LDAPS).section(&ways).text(), &[]).await;
    assert_eq!(found.code, Some(1));
    found.says("parent", &closed.url(), "ok", "is reached", "");
    found.says("tcp", LDAPS, "fail", "refused port 1636 (403)", "Squid: add it to SSL_ports");
    found.says("tls", LDAPS, "skip", "no parent proxy gave a connection", "");
    found.says("parent", &gone, "fail", "cannot be reached: nothing listens there", "check host and port of upstream.parent");
    found.says("tcp", GRPC, "skip", &format!("not by way of {gone}"), "");
    found.says("http", "GET", "ok", "", "");
}

#[tokio::test]
async fn a_parent_that_wants_credentials_fails_once() {
    let cloud = Cloud::start().await;
    let parent = Parent::answering(b"HTTP/1.1 407 Authenticate\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n").await;
    let found = examine(&behind(cloud.setup(), &[parent.url()]).text(), &[]).await;
    assert_eq!(found.checks.iter().filter(|line| line["level"] == "fail").count(), 1, "{}", found.text);
    found.says("parent", &parent.url(), "fail", "wants credentials", "upstream.parent_password_file");
}

#[tokio::test]
async fn the_second_parent_is_looked_at_although_the_first_works() {
    let cloud = Cloud::start().await;
    let (first, second) = (Parent::to(cloud.api.addr()).await, Parent::answering(b"HTTP/1.1 403 Forbidden\r\n\r\n").await);
    let found = examine(&behind(cloud.setup(), &[first.url(), second.url()]).text(), &[]).await;
    let of_api: Vec<&str> = found
        .checks
        .iter()
        .filter(|line| line["area"] == "tcp" && line["subject"] == API)
        .filter_map(|line| line["level"].as_str())
        .collect();
    assert_eq!(of_api, ["ok", "warn"], "{}", found.text);
    assert_eq!(second.targets().len(), 2);
}
