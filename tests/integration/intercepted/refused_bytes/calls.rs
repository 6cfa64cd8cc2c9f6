//! gRPC: the messages in front of a refused one arrive, nothing of it or behind it does, and the call ends with its status.

use super::{assert_no_other_stream_arrived, assert_silent};
use crate::support::clean::{TEXT, labelled, number};
use crate::support::http2::{Answer, Http2, answer, message, piece, rest, stream_bodies};
use crate::support::origin::{OriginBody, TappedOrigin, echo};
use crate::support::world::{ADDRESS, API, HTTP2, World, call};
use bytes::Bytes;
use http::header::{HeaderMap, HeaderValue};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

/// Asserts that the fields are those of a refused call.
fn assert_refused(answer: &Answer, reason: &str, which: &str) {
    assert_eq!((answer.status(), answer.field("grpc-status")), (200, Some("7")), "{which}: {answer:?}");
    let told = answer.field("grpc-message").expect("a message for people");
    assert!(told.starts_with(&format!("ucx-egress: {reason}: ")) && told.contains("(decision "), "{told}");
    assert_silent(&answer.text());
}

/// A call whose first message was answered, so that the answer has begun; then these pieces.
async fn answered_then(client: &mut Http2, first: &[u8], pieces: &[&[u8]]) -> Answer {
    let (response, mut body) = client.open(call("/imagicle.Telemetry/Report")).await;
    body.send_data(Bytes::copy_from_slice(first), false).expect("the stream is open");
    let (head, mut echoed) = response.await.expect("an answer").into_parts();
    assert!(!head.headers.contains_key("grpc-status"), "the answer is the origin's: {head:?}");
    let mut back = Vec::new();
    while back.len() < first.len() {
        back.extend_from_slice(&piece(&mut echoed).await.expect("the echo"));
    }
    assert_eq!(back, first);
    for piece in pieces {
        body.send_data(Bytes::copy_from_slice(piece), false).ok();
    }
    let (more, trailers) = rest(echoed).await;
    Answer { head: Response::from_parts(head, ()), body: more, trailers }
}

#[tokio::test]
async fn a_refused_message_stays_wherever_its_frames_end_and_those_before_it_arrive() {
    let world = World::echoing(HTTP2).await;
    let mut client = world.http2().await;
    let first = [message(&number(1)), message(&number(2))].concat();
    let refused = message(&labelled(ADDRESS));
    let behind = message(&number(3));
    for cut in 0..=refused.len() {
        let (one, two) = refused.split_at(cut);
        let answer = answered_then(&mut client, &first, &[one, two, &behind]).await;
        assert_refused(&answer, "personal_data", &format!("cut at {cut}"));
        assert!(answer.body.is_empty() && answer.trailers.contains_key("grpc-status"), "in trailers: {answer:?}");
    }
    drop(client);
    let bodies = stream_bodies(&world.what_arrived().await);
    assert_eq!(bodies.len(), refused.len() + 1);
    for body in bodies {
        assert_eq!(body, first, "the messages in front of it and nothing else");
    }
}

#[tokio::test]
async fn clean_messages_arrive_as_they_are_wherever_their_frames_end() {
    let world = World::echoing(HTTP2).await;
    let mut client = world.http2().await;
    let messages = [message(&labelled(TEXT)), message(b""), message(&number(3))].concat();
    for cut in 0..=messages.len() {
        let (one, two) = messages.split_at(cut);
        let answer = client.ask(call("/t/Report"), &[one, two], None).await;
        assert_eq!((answer.status(), answer.field("grpc-status")), (200, Some("0")), "cut at {cut}");
        assert_eq!(answer.body, messages, "cut at {cut}");
    }
    for body in stream_bodies(&world.what_arrived().await) {
        assert_eq!(body, messages);
    }
}

/// Several messages in one frame are messages all the same.
#[tokio::test]
async fn a_refused_message_in_the_frame_of_others_stays() {
    let world = World::echoing(HTTP2).await;
    let mut client = world.http2().await;
    let together = [message(&number(1)), message(&labelled(ADDRESS)), message(&number(3))].concat();
    let answer = client.ask(call("/t/Report"), &[&together], None).await;
    assert_refused(&answer, "personal_data", "in one frame");
    drop(client);
    for body in stream_bodies(&world.what_arrived().await) {
        assert!(message(&number(1)).starts_with(&body), "{body:?}");
    }
}

/// Answers once the whole request is there.
async fn late(request: Request<Incoming>) -> Response<OriginBody> {
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return Response::new(crate::support::origin::full("broken")) };
    let mut response = Response::new(crate::support::origin::full(body.to_bytes()));
    response.headers_mut().extend(parts.headers.get("content-type").map(|value| (http::header::CONTENT_TYPE, value.clone())));
    response
}

#[tokio::test]
async fn a_call_that_is_refused_before_its_answer_ends_with_trailers_only() {
    let world = World::with(async |pki| TappedOrigin::serving(pki, &[API], HTTP2, late).await, |setup| setup).await;
    let mut client = world.http2().await;
    for before in [0, 1, 3] {
        let (response, mut body) = client.open(call("/t/Report")).await;
        for _ in 0..before {
            body.send_data(message(&number(1)).into(), false).expect("the stream is open");
        }
        body.send_data(message(&labelled(ADDRESS)).into(), false).expect("the stream is open");
        let answer = answer(response).await;
        assert_refused(&answer, "personal_data", &format!("{before} messages before"));
        assert!(answer.trailers.is_empty() && answer.body.is_empty(), "{answer:?}");
        assert_eq!(answer.field("content-type"), Some("application/grpc"));
        assert!(answer.field("x-decision-id").is_some() && answer.field("proxy-status").is_some(), "{answer:?}");
    }
    drop(client);
    for body in stream_bodies(&world.what_arrived().await) {
        assert!(message(&number(1)).repeat(3).starts_with(&body), "{body:?}");
    }
}

#[tokio::test]
async fn the_head_and_the_trailers_of_a_call_are_judged_too() {
    let world = World::with(async |pki| TappedOrigin::serving(pki, &[API], HTTP2, echo).await, |setup| setup).await;
    let mut client = world.http2().await;
    let mut head = call("/t/Report");
    head.headers_mut().insert("x-user", HeaderValue::from_static(ADDRESS));
    let answer = client.ask(head, &[&message(&number(1))], None).await;
    assert_refused(&answer, "personal_data", "in the head");
    assert!(answer.trailers.is_empty(), "{answer:?}");
    assert_no_other_stream_arrived(world).await;

    let world = World::echoing(HTTP2).await;
    let mut client = world.http2().await;
    let trailers = HeaderMap::from_iter([(http::HeaderName::from_static("x-note"), HeaderValue::from_static(ADDRESS))]);
    let answer = client.ask(call("/t/Report"), &[&message(&number(1))], Some(trailers)).await;
    assert_refused(&answer, "personal_data", "in the trailers");
}
