//! gRPC framing that cannot be read or is too large ends the call, before its answer and in the middle of it.

use super::{MAX, small};
use crate::support::clean::{number, record};
use crate::support::http2::{Answer, Http2, answer, message, piece, rest, stream_bodies};
use crate::support::world::{HTTP2, call};
use bytes::Bytes;
use http::Response;

/// How a stream breaks, the status and the reason that it ends with.
fn broken() -> Vec<(&'static str, Vec<u8>, &'static str, &'static str)> {
    let mut compressed = message(&number(1));
    compressed[0] = 1;
    vec![
        ("compressed", compressed, "7", "uninspectable"),
        ("an unknown flag", b"\x02\0\0\0\0".to_vec(), "7", "uninspectable"),
        ("text instead of frames", b"hello".to_vec(), "7", "uninspectable"),
        ("one byte too much announced", [&b"\0"[..], &1025_u32.to_be_bytes()].concat(), "8", "message_too_large"),
        ("4 GiB announced", b"\0\xff\xff\xff\xff".to_vec(), "8", "message_too_large"),
        ("a message too large", message(&record(MAX + 1)), "8", "message_too_large"),
    ]
}

fn assert_refused(answer: &Answer, status: &str, reason: &str, which: &str) {
    assert_eq!((answer.status(), answer.field("grpc-status")), (200, Some(status)), "{which}: {answer:?}");
    assert!(answer.field("grpc-message").is_some_and(|told| told.contains(&format!(" {reason}: "))), "{which}: {answer:?}");
}

/// Sends `bytes` behind a message that was answered; the client does not end the stream unless `ends`.
async fn in_the_middle(client: &mut Http2, bytes: &[u8], ends: bool) -> Answer {
    let (response, mut body) = client.open(call("/t/Report")).await;
    body.send_data(message(&number(1)).into(), false).expect("the stream is open");
    let (head, mut echoed) = response.await.expect("an answer").into_parts();
    assert_eq!(piece(&mut echoed).await.expect("the echo"), message(&number(1)));
    body.send_data(Bytes::copy_from_slice(bytes), ends).expect("the stream is open");
    let (body, trailers) = rest(echoed).await;
    Answer { head: Response::from_parts(head, ()), body, trailers }
}

#[tokio::test]
async fn a_stream_that_breaks_is_refused_before_and_within_its_answer() {
    let world = small(HTTP2, "", "").await;
    let mut client = world.http2().await;
    for (which, bytes, status, reason) in broken() {
        let (response, mut body) = client.open(call("/t/Report")).await;
        body.send_data(Bytes::copy_from_slice(&bytes), false).expect("the stream is open");
        assert_refused(&answer(response).await, status, reason, which);
        let later = in_the_middle(&mut client, &bytes, false).await;
        assert_refused(&later, status, reason, which);
        assert!(later.body.is_empty() && later.trailers.contains_key("grpc-status"), "{later:?}");
    }
    for body in stream_bodies(&world.what_arrived().await) {
        assert!(message(&number(1)).starts_with(&body), "{body:?}");
    }
}

#[tokio::test]
async fn a_stream_that_ends_within_a_message_is_refused() {
    let world = small(HTTP2, "", "").await;
    let mut client = world.http2().await;
    for length in 1..message(&record(10)).len() {
        let cut = &message(&record(10))[..length];
        assert_refused(&client.ask(call("/t/Report"), &[cut], None).await, "3", "bad_request", &format!("{length} bytes"));
        assert_refused(&in_the_middle(&mut client, cut, true).await, "3", "bad_request", &format!("{length} bytes later"));
    }
}

#[tokio::test]
async fn the_largest_message_passes() {
    let world = small(HTTP2, "", "").await;
    let mut client = world.http2().await;
    let largest = [message(&record(MAX)), message(b""), message(&record(MAX))].concat();
    let answer = client.ask(call("/t/Report"), &[&largest], None).await;
    assert_eq!((answer.field("grpc-status"), answer.body == largest), (Some("0"), true));
}
