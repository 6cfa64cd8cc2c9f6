//! gRPC: messages flow both ways at once, each as soon as it is there, as many as there are.

use crate::support::clean::{number, record};
use crate::support::client::within_deadline;
use crate::support::http2::{Http2, message, piece, rest};
use crate::support::origin::{OriginBody, TappedOrigin, by_hand};
use crate::support::scrape::Scrape;
use crate::support::world::{API, HTTP2, World, call};
use bytes::Bytes;
use http::header::HeaderValue;
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, Incoming};
use tokio::sync::mpsc;

/// Client and origin take turns; whoever has the turn waits for the other's message.
#[tokio::test]
async fn messages_take_turns() {
    let world = World::echoing(HTTP2).await;
    let mut client = world.http2().await;
    let (response, mut body) = client.open(call("/t/Chat")).await;
    body.send_data(message(&number(0)).into(), false).expect("the stream is open");
    let mut echoed = within_deadline("an answer", response).await.expect("an answer").into_body();
    for turn in 1..200 {
        let expected = message(&number(turn - 1));
        let mut back = Vec::new();
        while back.len() < expected.len() {
            back.extend_from_slice(&piece(&mut echoed).await.expect("the echo"));
        }
        assert_eq!(back, expected);
        body.send_data(message(&number(turn)).into(), turn == 199).expect("the stream is open");
    }
    let (last, trailers) = rest(echoed).await;
    assert_eq!((last, trailers["grpc-status"].as_bytes()), (message(&number(199)), &b"0"[..]));
}

/// The origin speaks first, and goes on after the client has finished.
#[tokio::test]
async fn the_directions_do_not_wait_for_each_other() {
    let (calls, mut received) = mpsc::unbounded_channel();
    let reply = move |request: Request<Incoming>| {
        let (hand, body) = by_hand();
        calls.send((hand, request.into_body())).expect("the test goes on");
        std::future::ready(Response::new(body))
    };
    let world = World::with(async |pki| TappedOrigin::serving(pki, &[API], HTTP2, reply).await, |setup| setup).await;
    let mut client = world.http2().await;
    let (response, mut up) = client.open(call("/t/Watch")).await;
    let (hand, mut arriving) = within_deadline("the call", received.recv()).await.expect("the origin runs");
    let mut down = within_deadline("a head", response).await.expect("before any message").into_body();
    let say = |text: &[u8]| hand.send(Frame::data(message(text).into())).expect("the answer goes on");
    say(b"first word");
    assert_eq!(piece(&mut down).await.expect("a message"), message(b"first word"));
    up.send_data(message(&number(7)).into(), true).expect("the stream is open");
    let arrived = within_deadline("the message", arriving.frame()).await.expect("a frame").expect("no error");
    assert_eq!(arrived.into_data().expect("data"), message(&number(7)));
    let end = within_deadline("the end", arriving.collect()).await.expect("no error");
    assert!(end.to_bytes().is_empty(), "the client has finished");
    say(b"last word");
    assert_eq!(piece(&mut down).await.expect("a message"), message(b"last word"));
    let status = HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), HeaderValue::from_static("5"))]);
    hand.send(Frame::trailers(status)).expect("the answer goes on");
    drop(hand);
    assert_eq!(rest(down).await.1["grpc-status"], "5", "the origin's own status");
}

/// Counts the bytes of a call and answers with their number at its end.
async fn counts(request: Request<Incoming>) -> Response<OriginBody> {
    let collected = request.into_body().collect().await.map(|body| body.to_bytes().len());
    Response::new(crate::support::origin::full(collected.unwrap_or_default().to_string()))
}

const MANY: usize = 10_000;

#[tokio::test]
async fn ten_thousand_messages_pass_in_one_stream() {
    let world = World::with(async |pki| TappedOrigin::serving(pki, &[API], HTTP2, counts).await, |setup| setup).await;
    let mut client = world.http2().await;
    let (response, mut body) = client.open(call("/t/Report")).await;
    let one = Bytes::from(message(&record(15)));
    for sent in 1..=MANY {
        body.send_data(one.clone(), sent == MANY).expect("the stream is open");
    }
    let answer = crate::support::http2::answer(response).await;
    assert_eq!(String::from_utf8(answer.body).expect("text"), (MANY * one.len()).to_string());
    let scrape = Scrape::get(world.proxy.admin()).await;
    let passed = scrape.count("ucx_egress_inspected_messages_total", &[("service", "licensing"), ("verdict", "allow")]);
    assert_eq!(passed, MANY, "each was looked at");
    assert_eq!(scrape.count("ucx_egress_inspected_bytes_total", &[("service", "licensing")]), MANY * (one.len() - 5));
}

#[tokio::test]
async fn ten_thousand_messages_pass_and_come_back() {
    let world = World::echoing(HTTP2).await;
    let stream = world.ca.connect(world.proxy.proxy(), API, &[b"h2"]).await.expect("a connection");
    // The client reads when it has sent everything: what waits for it are small frames, and many.
    let mut client = Http2::with(h2::client::Builder::new().data_frame_budget(usize::MAX), stream).await;
    let (response, mut body) = client.open(call("/t/Chat")).await;
    let one = Bytes::from(message(&record(15)));
    for sent in 1..=MANY {
        body.send_data(one.clone(), sent == MANY).expect("the stream is open");
    }
    let answer = crate::support::http2::answer(response).await;
    assert!(answer.body == one.repeat(MANY), "{} bytes came back", answer.body.len());
    assert_eq!(answer.field("grpc-status"), Some("0"));
}
