//! A stream that one side gives up ends for the other side too, and for no other stream.

use super::{ask, framewise};
use crate::support::clean::number;
use crate::support::client::within_deadline;
use crate::support::http2::{answer, message, piece};
use crate::support::world::{API, call};
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{Request, Response};
use tokio::sync::mpsc;

/// Answers `/small` at once; tells the reason for which any other stream was reset. `/begun` gets the head of an answer.
async fn watched(request: Request<RecvStream>, mut respond: SendResponse<Bytes>, resets: mpsc::UnboundedSender<Reason>) {
    match request.uri().path() {
        "/small" => {
            respond.send_response(Response::new(()), true).expect("an answer");
        }
        "/begun" => {
            let mut reply = respond.send_response(Response::new(()), false).expect("a head");
            reply.send_data(Bytes::from_static(b"begun"), false).expect("a piece");
            let reset = std::future::poll_fn(|cx| reply.poll_reset(cx)).await.expect("a reset");
            resets.send(reset).ok();
        }
        _ => {
            let reset = std::future::poll_fn(|cx| respond.poll_reset(cx)).await.expect("a reset");
            resets.send(reset).ok();
        }
    }
}

#[tokio::test]
async fn what_the_client_gives_up_is_given_up_upstream() {
    let (sender, mut resets) = mpsc::unbounded_channel();
    let world = framewise(move |request, respond| watched(request, respond, sender.clone())).await;
    let mut client = world.http2().await;
    // Within its answer: the piece shows that the stream stands.
    let mut body = within_deadline("a head", ask(&mut client, "/begun")).await.expect("an answer").into_body();
    assert_eq!(piece(&mut body).await.expect("a piece"), "begun");
    drop(body);
    assert_eq!(within_deadline("a reset", resets.recv()).await, Some(Reason::CANCEL));
    // Within a call that has had no answer: its first message shows that it stands.
    let (response, mut up) = client.open(call("/t/Report")).await;
    up.send_data(message(&number(1)).into(), false).expect("the stream is open");
    world.origin.wait_for("the message", |bytes| bytes.ends_with(&message(&number(1)))).await;
    up.send_reset(Reason::CANCEL);
    drop(response);
    assert_eq!(within_deadline("a reset", resets.recv()).await, Some(Reason::CANCEL));
    assert_eq!(answer(ask(&mut client, "/small")).await.status(), 200, "the connections go on");
    assert_eq!(world.origin.received().len(), 1);
}

#[tokio::test]
async fn a_client_that_hangs_up_gives_up_all_its_streams() {
    let (sender, mut resets) = mpsc::unbounded_channel();
    let world = framewise(move |request, respond| watched(request, respond, sender.clone())).await;
    let (mut client, mut other) = (world.http2().await, world.http2().await);
    let mut bodies = Vec::new();
    for _ in 0..10 {
        let mut body = within_deadline("a head", ask(&mut client, "/begun")).await.expect("an answer").into_body();
        piece(&mut body).await.expect("a piece");
        bodies.push(body);
    }
    client.connection.abort();
    for _ in 0..10 {
        assert_eq!(within_deadline("a reset", resets.recv()).await, Some(Reason::CANCEL));
    }
    assert_eq!(answer(ask(&mut other, "/small")).await.status(), 200, "the upstream connection goes on");
    assert_eq!(world.origin.received().len(), 1);
}

/// What the path names.
fn reason(path: &str) -> Reason {
    Reason::from(path.trim_start_matches("/reset/").parse::<u32>().expect("a code"))
}

async fn resets(request: Request<RecvStream>, mut respond: SendResponse<Bytes>) {
    let (head, mut body) = request.into_parts();
    let path = head.uri.path();
    if path == "/small" {
        respond.send_response(Response::new(()), true).expect("an answer");
        return;
    }
    if let Some(early) = path.strip_prefix("/early") {
        return respond.send_reset(reason(early));
    }
    let mut reply = respond.send_response(Response::new(()), false).expect("a head");
    reply.send_data(Bytes::from_static(b"begun"), false).expect("a piece");
    // Only once the client has seen the piece: the reset would overtake it.
    body.data().await;
    reply.send_reset(reason(path));
}

#[tokio::test]
async fn what_the_origin_resets_is_reset_for_the_client_with_its_code() {
    let world = framewise(resets).await;
    let mut client = world.http2().await;
    for code in [Reason::INTERNAL_ERROR, Reason::CANCEL, Reason::ENHANCE_YOUR_CALM, Reason::HTTP_1_1_REQUIRED] {
        // The path is a service's own, where bodies are streamed: the client says when it has seen the piece.
        let path = format!("/reset/{}", u32::from(code));
        let (response, mut up) = client.open(call(&path)).await;
        let mut body = within_deadline("a head", response).await.expect("an answer").into_body();
        assert_eq!(piece(&mut body).await.expect("a piece"), "begun");
        up.send_data(message(&number(1)).into(), false).expect("the stream is open");
        let error = within_deadline("a reset", body.data()).await.expect("an end").expect_err("a reset");
        assert_eq!(error.reason(), Some(code), "{error:?}");
    }
    assert_eq!(answer(ask(&mut client, "/small")).await.status(), 200, "the connections go on");
}

#[tokio::test]
async fn what_the_origin_resets_before_its_answer_is_answered_by_the_proxy() {
    let world = framewise(resets).await;
    let mut client = world.http2().await;
    for code in [Reason::INTERNAL_ERROR, Reason::CANCEL, Reason::REFUSED_STREAM] {
        let path = format!("/early/reset/{}", u32::from(code));
        let refused = answer(ask(&mut client, &path)).await;
        assert_eq!((refused.status(), refused.reason().as_str()), (502, "upstream_failed"), "{code:?} {API}");
        let (response, _up) = client.open(call(&path)).await;
        let refused = answer(response).await;
        assert_eq!((refused.status(), refused.field("grpc-status")), (200, Some("14")), "{code:?}");
    }
}
