//! What all held messages together occupy is bounded, and so is the time that each has.

use super::{MAX, answer, of_length, refusal, small};
use crate::support::clean::{document, number, record};
use crate::support::client::{RawClient, exchange};
use crate::support::http2::{Http2, message, piece};
use crate::support::scrape::wait_until;
use crate::support::world::{HTTP1, HTTP2, World, call, post_json};
use bytes::Bytes;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// Room for two messages.
const TWO: &str = "max_held = \"2048B\"";

/// A client whose message is being held: the 100 says that its share was taken.
async fn holder(world: &World) -> RawClient<TlsStream<TcpStream>> {
    let mut client = world.raw().await;
    client.send(&super::head(&format!("Content-Length: {MAX}\r\nExpect: 100-continue\r\n"))).await;
    assert_eq!(client.read_head().await.status, 100);
    client.send(&document(MAX).as_bytes()[..1]).await;
    client
}

/// What another client meets with a message of this length.
async fn another(world: &World, length: usize) -> u16 {
    let mut client = world.raw().await;
    client.send(&of_length(length)).await;
    // A refusal does not wait for the body.
    client.try_send(&document(length.max(MAX)).as_bytes()[..length]).await.ok();
    answer(&mut client).await.0.status
}

#[tokio::test]
async fn slow_senders_leave_others_a_503_until_they_are_done() {
    let world = small(HTTP1, TWO, "").await;
    let (mut first, second) = (holder(&world).await, holder(&world).await);
    let mut third = world.raw().await;
    third.send(&of_length(1)).await;
    assert_eq!(refusal(&mut third).await, (503, "overloaded".to_owned()), "at once, before its body");
    assert_eq!(another(&world, 0).await, 200, "what needs no room passes");
    first.send(&document(MAX).as_bytes()[1..]).await;
    assert_eq!(answer(&mut first).await.0.status, 200, "a message that is held is not hurt");
    assert_eq!(another(&world, MAX).await, 200);
    drop(second);
}

#[tokio::test]
async fn a_client_that_leaves_within_its_body_frees_its_share() {
    let world = small(HTTP1, TWO, "").await;
    let (first, second) = (holder(&world).await, holder(&world).await);
    assert_eq!(another(&world, MAX).await, 503);
    for (holder, left) in [(first, 1), (second, 0)] {
        drop(holder);
        wait_until(world.proxy.admin(), |scrape| scrape.clients() == left).await;
        assert_eq!(another(&world, MAX).await, 200);
        wait_until(world.proxy.admin(), |scrape| scrape.clients() == left).await;
    }
    assert_eq!(another(&world, 2 * MAX).await, 413, "a larger one than may be is not a matter of room");
}

/// A call that was answered once, and whose next message has begun.
async fn calling(client: &mut Http2) -> (h2::SendStream<Bytes>, h2::RecvStream) {
    let (response, mut body) = client.open(call("/t/Report")).await;
    body.send_data(message(&number(1)).into(), false).expect("the stream is open");
    let mut echoed = response.await.expect("an answer").into_body();
    assert_eq!(piece(&mut echoed).await.expect("the echo"), message(&number(1)));
    (body, echoed)
}

/// The proxy runs in this thread: once it has served another connection, it has read what was sent before.
async fn has_read(world: &World) {
    exchange(world.proxy.admin(), b"GET /healthz HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n").await;
}

#[tokio::test]
async fn messages_of_calls_take_their_share_too() {
    let world = small(HTTP2, TWO, "").await;
    let mut client = world.http2().await;
    let long = message(&record(MAX - 5));
    let mut calls = vec![calling(&mut client).await, calling(&mut client).await];
    for (body, _) in &mut calls {
        body.send_data(Bytes::copy_from_slice(&long[..5]), false).expect("the stream is open");
    }
    has_read(&world).await;
    let refused = client.ask(post_json("/echo"), &[b"1"], None).await;
    assert_eq!((refused.status(), refused.reason().as_str()), (503, "overloaded"));
    let refused = client.ask(call("/t/Report"), &[&long[..5]], None).await;
    assert_eq!((refused.status(), refused.field("grpc-status")), (200, Some("14")), "{refused:?}");
    for (mut body, mut echoed) in calls {
        body.send_data(Bytes::copy_from_slice(&long[5..]), true).expect("the stream is open");
        let mut back = Vec::new();
        while let Some(piece) = piece(&mut echoed).await {
            back.extend_from_slice(&piece);
        }
        assert_eq!(back, long);
    }
    assert_eq!(client.ask(post_json("/echo"), &[b"1"], None).await.status(), 200);
}

const SHORT: &str = "[limits]\nmessage = \"250ms\"";

#[tokio::test]
async fn a_message_that_does_not_arrive_in_time_is_refused_in_http1() {
    let world = small(HTTP1, "", SHORT).await;
    for fields in [format!("Content-Length: {MAX}\r\n"), "Transfer-Encoding: chunked\r\n".to_owned()] {
        let mut client = world.raw().await;
        client.send(&super::head(&fields)).await;
        client.send(b"1").await;
        assert_eq!(refusal(&mut client).await, (400, "bad_request".to_owned()), "{fields}");
    }
    assert!(world.what_arrived().await.concat().is_empty());
}

#[tokio::test]
async fn a_message_that_does_not_arrive_in_time_is_refused_in_http2() {
    let world = small(HTTP2, "", SHORT).await;
    let mut client = world.http2().await;
    let (response, mut body) = client.open(post_json("/echo")).await;
    body.send_data(Bytes::from_static(b"1"), false).expect("the stream is open");
    let refused = crate::support::http2::answer(response).await;
    assert_eq!((refused.status(), refused.reason().as_str()), (400, "bad_request"));
}

/// The second call shows that the time of a message is over; the first one was silent all the while, between two messages.
#[tokio::test]
async fn a_call_may_be_silent_between_messages_and_not_within_one() {
    let world = small(HTTP2, "", SHORT).await;
    let mut client = world.http2().await;
    let (mut idle, mut echoed) = calling(&mut client).await;
    let (mut within, cut) = calling(&mut client).await;
    within.send_data(Bytes::from_static(b"\0\0"), false).expect("the stream is open");
    let (more, trailers) = crate::support::http2::rest(cut).await;
    assert_eq!((more.len(), trailers["grpc-status"].as_bytes()), (0, &b"3"[..]), "{trailers:?}");
    idle.send_data(message(&number(2)).into(), true).expect("the stream is open");
    assert_eq!(piece(&mut echoed).await.expect("the echo"), message(&number(2)));
    let (_, trailers) = crate::support::http2::rest(echoed).await;
    assert_eq!(trailers["grpc-status"], "0");
}
