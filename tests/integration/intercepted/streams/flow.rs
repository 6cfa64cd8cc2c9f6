//! Who does not read is sent no more, in either direction, and hurts nobody but itself.

use super::{ask, framewise};
use crate::support::clean::record;
use crate::support::client::within_deadline;
use crate::support::http2::{Http2, answer, message, piece, rest};
use crate::support::origin::{OriginBody, TappedOrigin, full};
use crate::support::world::{API, HTTP2, World, call, request};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use tokio::sync::{Barrier, watch};

/// Far more than all windows and buffers on the way together, the kernel's included.
const HUGE: usize = 64 * 1024 * 1024;
/// More than the windows of HTTP/2 and the buffers behind them.
const LARGE: usize = 6 * 1024 * 1024;
/// What may be under way of an answer that is not read: the client's window, the proxy's window and buffer, the origin's buffer.
const UNDER_WAY: usize = 1024 * 1024;
const PIECE: usize = 16 * 1024;

/// A large body that counts how much of it was taken.
fn counted(taken: Arc<AtomicUsize>, length: usize) -> OriginBody {
    let piece = Bytes::from(vec![b'a'; PIECE]);
    let stream = futures_util::stream::poll_fn(move |_| {
        let before = taken.fetch_add(PIECE, Ordering::SeqCst);
        Poll::Ready((before < length).then(|| Ok(Frame::data(piece.clone()))))
    });
    StreamBody::new(stream).boxed_unsync()
}

/// `/stalled` is huge and counted; `/large` is large; anything else is small.
async fn counting_origin() -> (World, Arc<AtomicUsize>) {
    let stalled = Arc::new(AtomicUsize::new(0));
    let taken = stalled.clone();
    let reply = move |request: Request<Incoming>| {
        let body = match request.uri().path() {
            "/stalled" => counted(taken.clone(), HUGE),
            "/large" => counted(Arc::default(), LARGE),
            _ => full("small"),
        };
        std::future::ready(Response::new(body))
    };
    let world = World::with(async |pki| TappedOrigin::serving(pki, &[API], HTTP2, reply).await, |setup| setup).await;
    (world, stalled)
}

/// A client whose stalled streams leave it room for others, and that takes any number of small frames.
async fn roomy(world: &World) -> Http2 {
    let stream = world.ca.connect(world.proxy.proxy(), API, &[b"h2"]).await.expect("a connection");
    let mut builder = h2::client::Builder::new();
    builder.initial_connection_window_size(4 * 1024 * 1024).data_frame_budget(usize::MAX);
    Http2::with(&builder, stream).await
}

/// A whole large download meanwhile shows that there was every opportunity to send more.
#[tokio::test]
async fn an_answer_that_is_not_read_is_held_back_and_hurts_no_other() {
    let (world, taken) = counting_origin().await;
    let (mut client, mut other) = (roomy(&world).await, roomy(&world).await);
    let mut stalled = within_deadline("a head", ask(&mut client, "/stalled")).await.expect("an answer").into_body();
    for number in 0..20 {
        assert_eq!(answer(ask(&mut client, "/small")).await.body, b"small", "stream {number} of the same connection");
    }
    assert_eq!(answer(ask(&mut other, "/large")).await.body.len(), LARGE, "another client");
    assert_eq!(answer(ask(&mut client, "/large")).await.body.len(), LARGE, "another stream of the same client");
    assert_eq!(world.origin.received().len(), 1, "all over one upstream connection");
    let before = taken.load(Ordering::SeqCst);
    assert!(before <= UNDER_WAY, "{before} bytes were taken from the origin");
    let mut more = 0;
    while more < LARGE {
        more += piece(&mut stalled).await.expect("it goes on where it stood").len();
    }
}

#[tokio::test]
async fn an_answer_that_is_not_read_is_held_back_in_http1() {
    let (world, taken) = counting_origin().await;
    let mut client = world.raw().await;
    client.send(format!("GET /stalled HTTP/1.1\r\nHost: {API}\r\n\r\n").as_bytes()).await;
    client.read_head().await;
    let mut other = roomy(&world).await;
    for _ in 0..6 {
        assert_eq!(answer(ask(&mut other, "/large")).await.body.len(), LARGE, "another client");
    }
    // The kernel's buffers between the client and the proxy come on top.
    let before = taken.load(Ordering::SeqCst);
    assert!(before < HUGE / 4, "{before} bytes were taken from the origin");
}

/// An upload of so many such messages, each in frames of its own; how many bytes of it were taken is shown.
async fn upload(mut body: h2::SendStream<Bytes>, one: Vec<u8>, count: usize, sent: watch::Sender<usize>) {
    for _ in 0..count {
        let mut piece = Bytes::from(one.clone());
        while !piece.is_empty() {
            body.reserve_capacity(piece.len());
            let Some(Ok(room)) = std::future::poll_fn(|cx| body.poll_capacity(cx)).await else { return };
            let now = piece.split_to(room.min(piece.len()));
            sent.send_modify(|sent| *sent += now.len());
            body.send_data(now, false).expect("the stream is open");
        }
    }
    body.send_data(Bytes::new(), true).expect("the stream is open");
}

/// An origin that reads no call before it may, and answers it with its length; anything else it answers at once.
async fn stalling_origin(wait: watch::Receiver<bool>) -> World {
    let script = move |request: Request<h2::RecvStream>, mut respond: h2::server::SendResponse<Bytes>| {
        let mut wait = wait.clone();
        async move {
            let mut reply = respond.send_response(Response::new(()), false).expect("a head");
            let mut length = 0;
            if request.method() == Method::POST {
                wait.wait_for(|go_on| *go_on).await.expect("the test goes on");
                length = rest(request.into_body()).await.0.len();
            }
            reply.send_data(length.to_string().into(), true).ok();
        }
    };
    framewise(script).await
}

/// A client sends such messages to an origin that does not read. Gives what was taken of them meanwhile.
async fn taken_while_stalled(one: Vec<u8>, count: usize) -> usize {
    let (go_on, wait) = watch::channel(false);
    let world = stalling_origin(wait).await;
    let mut client = world.http2().await;
    let (response, body) = client.open(call("/t/Upload")).await;
    let (sender, mut sent) = watch::channel(0);
    let total = one.len() * count;
    let uploading = tokio::spawn(upload(body, one, count, sender));
    within_deadline("the first window", sent.wait_for(|sent| *sent >= 65_000)).await.expect("it goes on");
    for _ in 0..200 {
        assert_eq!(answer(ask(&mut client, "/small")).await.body, b"0", "other streams go on");
    }
    let taken = *sent.borrow();
    go_on.send_replace(true);
    // Its end drops what shows its progress.
    while within_deadline("the upload moves", sent.changed()).await.is_ok() {}
    uploading.await.expect("in order");
    assert_eq!(answer(response).await.body, total.to_string().as_bytes());
    taken
}

#[tokio::test]
async fn an_upload_that_the_origin_does_not_read_holds_its_client_back() {
    let taken = taken_while_stalled(message(&record(PIECE - 5)), LARGE / PIECE).await;
    assert!(taken <= UNDER_WAY, "{taken} bytes were taken from the client");
}

/// The origin answers none of them before it has all of them.
#[tokio::test]
async fn a_thousand_streams_at_once_are_all_answered() {
    const STREAMS: usize = 1_000;
    let (arrived, mut arriving) = watch::channel(0);
    let barrier = Arc::new(Barrier::new(STREAMS));
    let reply = move |request: Request<Incoming>| {
        arrived.send_modify(|arrived| *arrived += 1);
        let barrier = barrier.clone();
        async move {
            barrier.wait().await;
            Response::new(full(request.uri().path().to_owned()))
        }
    };
    let world = World::with(async |pki| TappedOrigin::serving(pki, &[API], HTTP2, reply).await, |setup| setup).await;
    let mut client = roomy(&world).await;
    let mut responses = Vec::new();
    for number in 0..STREAMS {
        let mut sender = within_deadline("a place", client.sender.clone().ready()).await.expect("the connection is up");
        let head = request(Method::GET, &format!("/{number}")).body(()).expect("a request");
        responses.push(sender.send_request(head, true).expect("it is sent").0);
        client.sender = sender;
    }
    while *arriving.borrow_and_update() < STREAMS {
        within_deadline("another stream arrives", arriving.changed()).await.expect("the origin runs");
    }
    for (number, response) in responses.into_iter().enumerate() {
        let answer = answer(response).await;
        assert_eq!((answer.status(), answer.body), (200, format!("/{number}").into_bytes()));
    }
}

/// How many of the smallest messages there are.
const TINY: usize = 30_000;

/// `/tiny` is a stream of the smallest messages that gRPC has, each in a frame of its own.
async fn tiny(request: Request<Incoming>) -> Response<OriginBody> {
    if request.uri().path() != "/tiny" {
        return Response::new(full("small"));
    }
    let mut left = TINY;
    let stream = futures_util::stream::poll_fn(move |_| {
        left = left.saturating_sub(1);
        Poll::Ready((left > 0).then(|| Ok(Frame::data(Bytes::from_static(&[0; 5])))))
    });
    Response::new(StreamBody::new(stream).boxed_unsync())
}

/// HTTP/2 libraries count small frames that wait as an attack. Here they wait because somebody does not read.
#[tokio::test]
async fn small_messages_that_are_not_read_hurt_no_other() {
    let world = World::with(async |pki| TappedOrigin::serving(pki, &[API], HTTP2, tiny).await, |setup| setup).await;
    let (mut client, mut other) = (roomy(&world).await, roomy(&world).await);
    let mut stalled = Vec::new();
    for _ in 0..2 {
        stalled.push(within_deadline("a head", ask(&mut client, "/tiny")).await.expect("an answer").into_body());
    }
    assert_eq!(answer(ask(&mut other, "/tiny")).await.body.len(), (TINY - 1) * 5, "another client");
    assert_eq!(answer(ask(&mut client, "/small")).await.body, b"small", "the same client");
    assert_eq!(world.origin.received().len(), 1, "all over one upstream connection");
    for body in stalled {
        assert_eq!(rest(body).await.0.len(), (TINY - 1) * 5, "they go on where they stood");
    }
}

/// The same the other way: the client sends, and the origin does not read.
#[tokio::test]
async fn small_messages_that_the_origin_does_not_read_are_not_held_against_the_client() {
    let taken = taken_while_stalled(message(b""), TINY).await;
    assert!(taken < TINY * 5, "{taken} bytes were taken from the client");
}
