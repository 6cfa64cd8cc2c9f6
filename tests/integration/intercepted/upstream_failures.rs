//! Clouds that fail behind a decrypted connection: an honest answer or a broken one, a second attempt where it does no harm, and
//! nothing left behind.

mod answers;
mod leftovers;
mod pooling;
mod retries;

use crate::support::client::{RawClient, within_deadline};
use crate::support::intercept::{API, World, request, stream_request, text};
use crate::support::origin::SecureOrigin;
use crate::support::pki::Pki;
use http::{Method, Response};
use hyper::body::Incoming;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

const H1: &[u8] = b"http/1.1";
const H2: &[u8] = b"h2";

/// A message without personal data.
const CLEAN: &str = r#"{"version":"1.2.3"}"#;

/// A connection as its origin has it.
type Served = TlsStream<TcpStream>;

/// A world whose origin follows a script behind TLS.
async fn world<F, C>(alpn: &[&[u8]], sections: &str, script: F) -> (SecureOrigin, World)
where
    F: Fn(usize, Served) -> C + Clone + Send + 'static,
    C: Future<Output = ()> + Send + 'static,
{
    let pki = Pki::new();
    let origin = SecureOrigin::scripted(pki.chain(API, |_| {}).server(alpn), script).await;
    let world = World::with(&pki, origin.addr(), sections);
    (origin, world)
}

/// What a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Client {
    Http1,
    Http2,
}

/// Asks on a connection of its own.
async fn ask(world: &World, client: Client, method: Method, body: &str) -> Response<Incoming> {
    try_ask(world, world.proxy.proxy(), client, method, body).await.expect("an answer")
}

/// Asks another proxy of that world, perhaps in vain.
async fn try_ask(world: &World, proxy: SocketAddr, client: Client, method: Method, body: &str) -> hyper::Result<Response<Incoming>> {
    match client {
        Client::Http1 => {
            let mut client = world.ca.http1(proxy, API).await;
            within_deadline("the answer", client.send_request(request(method, "/test", body))).await
        }
        Client::Http2 => {
            let mut client = world.ca.http2(proxy, API).await;
            within_deadline("the answer", client.send_request(stream_request(method, "/test", body))).await
        }
    }
}

/// What a request is refused with: status, reason, detail.
async fn refusal(response: Response<Incoming>) -> (u16, String, String) {
    let status = response.status().as_u16();
    let body = text(response).await;
    let problem: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {status} {body}"));
    let member = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    (status, member("reason"), member("detail"))
}

/// Exchanges that were let through and cut for this reason.
async fn cuts(world: &World, reason: &str) -> f64 {
    world.scrape().await.value("ucx_egress_cuts_total", &[("reason", reason)]).unwrap_or_default()
}

/// Counts what an origin sees.
#[derive(Clone, Default)]
struct Tally(Arc<AtomicUsize>);

impl Tally {
    fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Reads a request in HTTP/1.1: its head and its body. `None` when the proxy is gone.
async fn read_request(connection: &mut RawClient<Served>) -> Option<(String, Vec<u8>)> {
    let head = connection.try_read_through(b"\r\n\r\n").await?;
    let head = String::from_utf8(head).expect("a head is ASCII");
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let body = connection.read_exact(length.unwrap_or_default()).await;
    Some((head, body))
}

/// An answer that keeps the connection.
fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}
