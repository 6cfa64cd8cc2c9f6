//! Answers: without a body, with trailers, piece by piece.

use super::{answer, answered_by_hand, get, serving};
use crate::support::client::within_deadline;
use crate::support::http2::{piece, rest};
use crate::support::origin::{OriginBody, by_hand, full};
use crate::support::world::{API, HTTP1, HTTP2, World, request};
use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use hyper::body::{Frame, Incoming};

/// `/204` and `/304` have no body by their status, `/trailers` has one behind its body, anything else has five bytes.
async fn by_path(request: Request<Incoming>) -> Response<OriginBody> {
    let start = Response::builder().header("etag", "\"v1\"");
    match request.uri().path() {
        "/204" => start.status(StatusCode::NO_CONTENT).body(full("")),
        "/304" => start.status(StatusCode::NOT_MODIFIED).body(full("")),
        "/trailers" => start.header("trailer", "x-sum").body(with_trailers()),
        _ if request.method() == Method::HEAD => start.header("content-length", "5").body(full("")),
        _ => start.body(full("hello")),
    }
    .expect("an answer")
}

fn with_trailers() -> OriginBody {
    let trailers = HeaderMap::from_iter([(HeaderName::from_static("x-sum"), HeaderValue::from_static("532eaabd"))]);
    // Of unannounced length: only chunks can have trailers behind them.
    let (hand, body) = by_hand();
    for frame in [Frame::data(Bytes::from_static(b"hello")), Frame::trailers(trailers)] {
        hand.send(frame).expect("the body is there");
    }
    body
}

/// Each is followed by another request on the same connection: one byte too many or too few and that would fail.
#[tokio::test]
async fn answers_without_a_body_end_where_they_should_in_http1() {
    let world = serving(HTTP1, by_path).await;
    let mut client = world.raw().await;
    client.send(format!("HEAD /long HTTP/1.1\r\nHost: {API}\r\n\r\n").as_bytes()).await;
    let head = client.read_head().await;
    assert_eq!((head.status, head.header("content-length"), head.header("etag")), (200, Some("5"), Some("\"v1\"")));
    for (path, status, length) in [("/204", 204, None), ("/304", 304, None)] {
        client.send(&get(path, "")).await;
        let (head, body) = answer(&mut client).await;
        assert_eq!((head.status, body.as_str(), head.header("etag")), (status, "", Some("\"v1\"")));
        assert!(head.header("content-length") == length && head.header("transfer-encoding").is_none(), "{head:?}");
    }
    client.send(&get("/", "")).await;
    let (head, body) = answer(&mut client).await;
    assert_eq!((head.status, head.header("content-length"), body.as_str()), (200, Some("5"), "hello"));
}

#[tokio::test]
async fn answers_without_a_body_end_where_they_should_in_http2() {
    let world = serving(HTTP2, by_path).await;
    let mut client = world.http2().await;
    for (method, path, status) in [(Method::HEAD, "/", 200), (Method::GET, "/204", 204), (Method::GET, "/304", 304)] {
        let answer = client.get(request(method.clone(), path).body(()).expect("a request")).await;
        assert_eq!((answer.status(), answer.body.len(), answer.field("etag")), (status, 0, Some("\"v1\"")), "{path}");
        assert!(method != Method::HEAD || answer.field("content-length") == Some("5"), "{answer:?}");
    }
}

#[tokio::test]
async fn trailers_reach_a_client_that_reads_them() {
    for alpn in [HTTP1, HTTP2] {
        let world = serving(alpn, by_path).await;
        let mut client = world.raw().await;
        client.send(&get("/trailers", "TE: trailers\r\nConnection: TE\r\n")).await;
        let head = client.read_head().await;
        assert_eq!((head.status, head.header("trailer")), (200, Some("x-sum")));
        let body = client.read_through(b"\r\n\r\n").await;
        assert_eq!(String::from_utf8_lossy(&body), "5\r\nhello\r\n0\r\nx-sum: 532eaabd\r\n\r\n");
        client.send(&get("/", "")).await;
        assert_eq!(answer(&mut client).await.1, "hello", "the connection goes on");
    }
    let world = serving(HTTP2, by_path).await;
    let answer = world.http2().await.get(request(Method::GET, "/trailers").body(()).expect("a request")).await;
    assert_eq!((answer.body.as_slice(), answer.trailers["x-sum"].as_bytes()), (&b"hello"[..], &b"532eaabd"[..]));
}

/// The origin has its next piece only once the client has seen the last one.
#[tokio::test]
async fn pieces_of_an_answer_arrive_as_they_are_sent_in_http1() {
    let (world, mut hands) = answered_by_hand(HTTP1).await;
    let mut client = world.raw().await;
    client.send(&get("/stream", "")).await;
    let hand = within_deadline("the request", hands.recv()).await.expect("the origin runs");
    assert_eq!(client.read_head().await.header("transfer-encoding"), Some("chunked"), "it begins before its body");
    for text in ["first", "second piece", "x"] {
        hand.send(Frame::data(Bytes::from_static(text.as_bytes()))).expect("the answer goes on");
        let chunk = format!("{:X}\r\n{text}\r\n", text.len());
        assert_eq!(String::from_utf8(client.read_exact(chunk.len()).await).expect("text"), chunk);
    }
    drop(hand);
    assert_eq!(client.read_exact(5).await, b"0\r\n\r\n");
}

#[tokio::test]
async fn pieces_of_an_answer_arrive_as_they_are_sent_in_http2() {
    let (world, mut hands) = answered_by_hand(HTTP2).await;
    let mut client = world.http2().await;
    let head = request(Method::GET, "/stream").body(()).expect("a request");
    let (response, _) = client.sender.send_request(head, true).expect("it is sent");
    let hand = within_deadline("the request", hands.recv()).await.expect("the origin runs");
    let mut body = within_deadline("a head", response).await.expect("an answer").into_body();
    for text in ["first", "second piece", "x"] {
        hand.send(Frame::data(Bytes::from_static(text.as_bytes()))).expect("the answer goes on");
        assert_eq!(piece(&mut body).await.expect("a piece"), text);
    }
    drop(hand);
    assert!(rest(body).await.0.is_empty());
}

/// A broken answer must not look like a complete one.
#[tokio::test]
async fn an_answer_that_breaks_off_breaks_off_for_the_client_too() {
    let reply = |_: Request<Incoming>| {
        let (hand, body) = by_hand();
        hand.send(Frame::data(Bytes::from_static(b"half"))).expect("the body is there");
        std::mem::forget(hand);
        std::future::ready(Response::builder().header("content-length", "8").body(body).expect("an answer"))
    };
    let world: World = serving(HTTP1, reply).await;
    let mut client = world.raw().await;
    client.send(&get("/", "")).await;
    assert_eq!(client.read_head().await.header("content-length"), Some("8"));
    assert_eq!(client.read_exact(4).await, b"half");
    drop(world.origin);
    assert_eq!(client.read_until_closed().await.0, b"", "nothing is added");
}
