//! Plain HTTP, where a site's own policy allows it: each request is decided for itself, and nothing passes that a second
//! reader could understand differently.

mod cuts;
mod early;
mod fields;
mod forwarding;
mod heads;
mod inner;
mod upstream;

use crate::support::client::{Head, Problem, RawClient, exchange};
use crate::support::policy::PolicyFile;
use crate::support::proxy::{Proxy, Setup};
use std::net::SocketAddr;

/// The one host of the policy that speaks plain HTTP.
const HOST: &str = "plain.test";
/// Its neighbour, which speaks TLS.
const TLS_HOST: &str = "tls.test";

/// A proxy in front of `origin`, which is both hosts.
fn setup(origin: SocketAddr) -> Setup {
    two_hosts(origin, origin)
}

fn two_hosts(plain: SocketAddr, tls: SocketAddr) -> Setup {
    let policy = PolicyFile::of("site", "1m", &[(HOST, 80, "http"), (TLS_HOST, 443, "https")]);
    Setup::new().host(HOST, plain).host(TLS_HOST, tls).policy(policy)
}

/// A request to the host, with the fields in `fields` (each line ended) and a body.
fn request(method: &str, path: &str, fields: &str, body: &str) -> Vec<u8> {
    format!("{method} http://{HOST}{path} HTTP/1.1\r\nHost: {HOST}\r\n{fields}\r\n{body}").into_bytes()
}

fn get(path: &str) -> Vec<u8> {
    request("GET", path, "", "")
}

/// Reads one answer: its head, and its body as text.
async fn answer(client: &mut RawClient) -> (Head, String) {
    let head = client.read_head().await;
    let body = client.read_body(&head).await;
    (head, String::from_utf8(body).expect("the origin sends text"))
}

/// Reads a refusal.
async fn refusal(client: &mut RawClient) -> (Head, Problem) {
    let head = client.read_head().await;
    let body = client.read_body(&head).await;
    let problem = Problem::parse(&head, &body);
    (head, problem)
}

/// What a request of its own connection is refused with: status and reason.
async fn refused(proxy: &Proxy, request: &[u8]) -> (u16, String) {
    let (head, body) = exchange(proxy.proxy(), request).await;
    (head.status, Problem::parse(&head, &body).reason)
}
