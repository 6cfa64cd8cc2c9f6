//! A proxy that stops finishes what is under way on decrypted connections, and begins nothing.

use super::{answer, answered_by_hand, get};
use crate::support::client::within_deadline;
use crate::support::http2::{piece, rest};
use crate::support::world::{HTTP1, HTTP2, request};
use bytes::Bytes;
use http::Method;
use hyper::body::Frame;

fn data(text: &'static str) -> Frame<Bytes> {
    Frame::data(Bytes::from_static(text.as_bytes()))
}

#[tokio::test]
async fn an_exchange_under_way_is_finished_in_http1() {
    let (world, mut hands) = answered_by_hand(HTTP1).await;
    let (mut busy, mut idle) = (world.raw().await, world.raw().await);
    busy.send(&get("/", "")).await;
    let hand = within_deadline("the request", hands.recv()).await.expect("the origin runs");
    hand.send(data("before")).expect("the answer goes on");
    let head = busy.read_head().await;
    assert_eq!(busy.read_exact(11).await, b"6\r\nbefore\r\n");
    let stopping = tokio::spawn(world.proxy.stop());
    // That one ends shows that the stop has begun.
    assert_eq!(idle.read_until_closed().await.0, b"");
    assert!(!stopping.is_finished());
    busy.try_send(&get("/again", "")).await.ok();
    hand.send(data("after")).expect("the answer goes on");
    drop(hand);
    assert_eq!(busy.read_exact(15).await, b"5\r\nafter\r\n0\r\n\r\n", "{head:?}");
    assert_eq!(busy.read_until_closed().await.0, b"", "no other is begun");
    within_deadline("the proxy ends", stopping).await.expect("in order");
    assert!(hands.try_recv().is_err(), "the origin saw no other request");
}

#[tokio::test]
async fn streams_under_way_are_finished_in_http2() {
    let (world, mut hands) = answered_by_hand(HTTP2).await;
    let (mut busy, idle) = (world.http2().await, world.http2().await);
    let (response, _) = busy.sender.send_request(request(Method::GET, "/").body(()).expect("a request"), true).expect("it is sent");
    let hand = within_deadline("the request", hands.recv()).await.expect("the origin runs");
    hand.send(data("before")).expect("the answer goes on");
    let mut body = within_deadline("a head", response).await.expect("an answer").into_body();
    assert_eq!(piece(&mut body).await.expect("a piece"), "before");
    let stopping = tokio::spawn(world.proxy.stop());
    within_deadline("the idle connection ends", idle.connection).await.expect("it is not cancelled").expect("in order");
    assert!(!stopping.is_finished());
    let begun = busy.sender.send_request(request(Method::GET, "/again").body(()).expect("a request"), true);
    let refused = match begun {
        Err(_) => true,
        Ok((response, _)) => within_deadline("an end", response).await.is_err(),
    };
    assert!(refused, "no other stream is begun");
    hand.send(data("after")).expect("the answer goes on");
    drop(hand);
    assert_eq!(rest(body).await.0, b"after");
    drop(busy.sender);
    within_deadline("the connection ends", busy.connection).await.expect("it is not cancelled").expect("GOAWAY without an error");
    within_deadline("the proxy ends", stopping).await.expect("in order");
    assert!(hands.try_recv().is_err(), "the origin saw no other request");
}

/// What keep-alive clients do when the connection ends under them: another one is told why.
#[tokio::test]
async fn the_last_answer_says_that_the_connection_ends() {
    let (world, mut hands) = answered_by_hand(HTTP1).await;
    let (mut busy, mut idle) = (world.raw().await, world.raw().await);
    busy.send(&get("/", "")).await;
    let hand = within_deadline("the request", hands.recv()).await.expect("the origin runs");
    let stopping = tokio::spawn(world.proxy.stop());
    assert_eq!(idle.read_until_closed().await.0, b"");
    drop(hand);
    assert_eq!(answer(&mut busy).await.0.status, 200);
    assert_eq!(busy.read_until_closed().await.0, b"");
    within_deadline("the proxy ends", stopping).await.expect("in order");
}
