//! HTTP inside a decrypted connection: for whom a request is, what of it goes on, and what comes back.

mod answers;
mod authority;
mod connections;
mod drain;
mod fields;
mod services;

use crate::support::client::{Head, Problem, RawClient};
use crate::support::origin::{OriginBody, TappedOrigin, by_hand};
use crate::support::world::{API, World};
use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Frame, Incoming};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// What a test sends an answer's frames with.
type Hand = UnboundedSender<Frame<Bytes>>;

/// An HTTP/1.1 GET with these fields, each line ended.
fn get(path: &str, fields: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {API}\r\n{fields}\r\n").into_bytes()
}

async fn answer<S: AsyncRead + AsyncWrite + Unpin>(client: &mut RawClient<S>) -> (Head, String) {
    let head = client.read_head().await;
    let body = client.read_body(&head).await;
    (head, String::from_utf8(body).expect("the origin sends text"))
}

/// What a request over a connection of its own is refused with: status and reason.
async fn refused(world: &World, request: &[u8]) -> (u16, String) {
    let mut client = world.raw().await;
    client.send(request).await;
    let (head, body) = answer(&mut client).await;
    (head.status, Problem::parse(&head, body.as_bytes()).reason)
}

/// An origin that leaves every answer to the test: its hand comes out of the receiver once the request is there.
async fn answered_by_hand(alpn: &[&[u8]]) -> (World, UnboundedReceiver<Hand>) {
    let (hands, received) = mpsc::unbounded_channel();
    let reply = move |_: Request<Incoming>| {
        let (hand, body) = by_hand();
        hands.send(hand).expect("the test goes on");
        std::future::ready(Response::new(body))
    };
    (serving(alpn, reply).await, received)
}

/// An origin with a handler of the test's own.
async fn serving<F, A>(alpn: &[&[u8]], reply: F) -> World
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = Response<OriginBody>> + Send + 'static,
{
    World::with(async |pki| TappedOrigin::serving(pki, &[API], alpn, reply).await, |setup| setup).await
}
