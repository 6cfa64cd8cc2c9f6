//! Connections to the cloud are kept and shared: a client's new tunnel costs no new handshake there.

use super::{Client, H1, H2, ask, ok, read_request, world};
use crate::support::client::{RawClient, within_deadline};
use crate::support::intercept::{API, World, stream_request, text};
use crate::support::origin::{Frames, SecureOrigin};
use crate::support::pki::Pki;
use futures_util::future::join_all;
use http::Method;
use std::sync::Arc;
use tokio::sync::Barrier;

#[tokio::test]
async fn requests_on_tunnels_one_after_the_other_share_one_connection() {
    for (client, alpn) in [(Client::Http1, &[H1][..]), (Client::Http2, &[H2, H1]), (Client::Http1, &[H2])] {
        let pki = Pki::new();
        let origin = SecureOrigin::start(pki.chain(API, |_| {}).server(alpn)).await;
        let world = World::new(&pki, origin.addr());
        for _ in 0..20 {
            let response = ask(&world, client, Method::GET, "").await;
            assert_eq!(response.status(), 200);
            text(response).await;
        }
        assert_eq!((origin.requests().len(), origin.handshakes().len()), (20, 1), "{client:?} {alpn:?}");
    }
}

/// The origin answers only once all of them are there, so they are on their way at the same time.
#[tokio::test]
async fn streams_of_many_clients_share_one_connection() {
    const STREAMS: usize = 20;
    let (origin, world) = world(&[H2, H1], "", |_, stream| async move {
        let Some(mut frames) = Frames::accept(stream).await else { return };
        let mut open = Vec::new();
        while let Some(id) = frames.request().await {
            open.push(id);
            if open.len() == STREAMS {
                for id in open.drain(..) {
                    frames.answer(id, b"hello").await;
                }
            }
        }
    })
    .await;
    let answers = join_all((0..STREAMS).map(|_| ask(&world, Client::Http2, Method::GET, ""))).await;
    for answer in answers {
        assert_eq!(text(answer).await, "hello");
    }
    assert_eq!(origin.handshakes().len(), 1);
}

/// In HTTP/1.1 each needs a connection while it lasts; afterwards they are kept for those who come.
#[tokio::test]
async fn as_many_connections_are_opened_as_are_needed_at_once() {
    const CLIENTS: usize = 10;
    let together = Arc::new(Barrier::new(CLIENTS));
    let (origin, world) = world(&[H1], "", move |_, stream| {
        let together = together.clone();
        async move {
            let mut connection = RawClient::over(stream);
            while read_request(&mut connection).await.is_some() {
                together.wait().await;
                connection.send(&ok("hello")).await;
            }
        }
    })
    .await;
    for _ in 0..3 {
        let answers = join_all((0..CLIENTS).map(|_| ask(&world, Client::Http1, Method::GET, ""))).await;
        for answer in answers {
            assert_eq!(text(answer).await, "hello");
        }
        assert_eq!(origin.handshakes().len(), CLIENTS);
    }
}

/// One stream that fails is not the others' affair.
#[tokio::test]
async fn a_stream_that_is_given_up_leaves_its_connection_to_the_others() {
    let (origin, world) = world(&[H2, H1], "", |_, stream| async move {
        let Some(mut frames) = Frames::accept(stream).await else { return };
        let Some(first) = frames.request().await else { return };
        frames.begin(first, b"half").await;
        while let Some(id) = frames.request().await {
            frames.answer(id, b"hello").await;
        }
    })
    .await;
    let mut client = world.ca.http2(world.proxy.proxy(), API).await;
    let half = within_deadline("the first answer", client.send_request(stream_request(Method::GET, "/test", ""))).await;
    drop(half.expect("its head"));
    for _ in 0..5 {
        assert_eq!(text(ask(&world, Client::Http2, Method::GET, "").await).await, "hello");
    }
    assert_eq!(origin.handshakes().len(), 1);
}
