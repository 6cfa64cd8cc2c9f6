//! Streams of HTTP/2: each flows for itself, holds nobody else up, and ends as its other side ends it.

mod ends;
mod flow;
mod messages;
mod silence;

use crate::support::http2::Http2;
use crate::support::origin::{Tapped, TappedOrigin};
use crate::support::world::{API, World, request};
use bytes::Bytes;
use h2::RecvStream;
use h2::client::ResponseFuture;
use h2::server::SendResponse;
use http::{Method, Request};

/// An origin that decides on every frame itself.
async fn framewise<F, C>(script: F) -> World
where
    F: Fn(Request<RecvStream>, SendResponse<Bytes>) -> C + Clone + Send + 'static,
    C: Future<Output = ()> + Send + 'static,
{
    World::with(
        async |pki| TappedOrigin::scripted(pki, &[API], &[b"h2"], move |stream| accept(stream, script.clone())).await,
        |setup| setup,
    )
    .await
}

async fn accept<F, C>(stream: Tapped, script: F)
where
    F: Fn(Request<RecvStream>, SendResponse<Bytes>) -> C,
    C: Future<Output = ()> + Send + 'static,
{
    // However many small frames wait: what the proxy makes of such streams is the matter here.
    let handshake = h2::server::Builder::new().data_frame_budget(usize::MAX).handshake(stream);
    let mut connection = handshake.await.expect("the proxy speaks HTTP/2");
    while let Some(Ok((request, respond))) = connection.accept().await {
        tokio::spawn(script(request, respond));
    }
}

/// Sends a GET and does not wait for its answer.
fn ask(client: &mut Http2, path: &str) -> ResponseFuture {
    let head = request(Method::GET, path).body(()).expect("a request");
    client.sender.send_request(head, true).expect("it is sent").0
}
