//! One connection, many requests: kept, pipelined, malformed, silent.

use super::{answer, get, refused};
use crate::support::client::{Problem, within_deadline};
use crate::support::origin::TappedOrigin;
use crate::support::policy::PolicyFile;
use crate::support::proxy::Setup;
use crate::support::world::{ADDRESS, API, HTTP1, HTTP2, World, request};
use http::Method;
use http_body_util::{BodyExt as _, Full};

#[tokio::test]
async fn a_connection_serves_request_after_request() {
    let world = World::echoing(HTTP1).await;
    let mut client = world.raw().await;
    for number in 0..20 {
        let body = format!("1.0.{number}");
        let head = format!("POST / HTTP/1.1\r\nHost: {API}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n", body.len());
        client.send(format!("{head}{body}").as_bytes()).await;
        assert_eq!(answer(&mut client).await.1, body);
    }
    assert_eq!(world.origin.received().len(), 1, "over one connection");
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let world = World::echoing(HTTP1).await;
    let mut client = world.raw().await;
    let text =
        |body: &str| format!("POST / HTTP/1.1\r\nHost: {API}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let requests: String = ["1.1", "1.2", "1.3"].into_iter().map(text).collect();
    client.send(requests.as_bytes()).await;
    for body in ["1.1", "1.2", "1.3"] {
        assert_eq!(answer(&mut client).await.1, body);
    }
    client.send(format!("{}{}{}", text("1.4"), text(ADDRESS), text("1.5")).as_bytes()).await;
    assert_eq!(answer(&mut client).await.1, "1.4");
    let (head, body) = answer(&mut client).await;
    assert_eq!((head.status, head.header("connection")), (403, Some("close")));
    assert_eq!(Problem::parse(&head, body.as_bytes()).reason, "personal_data");
    assert_eq!(client.read_until_closed().await.0, b"", "nothing behind a refusal is served");
    let arrived = String::from_utf8(world.what_arrived().await.concat()).expect("text");
    assert!(!arrived.contains("\r\n1.5") && arrived.matches("POST / ").count() == 4, "{arrived}");
}

/// The frames of the other tests are their own; this client is a library's.
#[tokio::test]
async fn a_client_library_is_served_in_http2() {
    let world = World::echoing(HTTP2).await;
    let mut client = world.ca.http2(world.proxy.proxy(), API).await;
    for number in 0..20 {
        let request = request(Method::POST, "/").header("content-type", "text/plain").body(Full::from(number.to_string()).boxed());
        let response = within_deadline("an answer", client.send_request(request.expect("a request"))).await.expect("an answer");
        let body = within_deadline("a body", response.into_body().collect()).await.expect("a body").to_bytes();
        assert_eq!(body, number.to_string());
    }
    assert_eq!(world.origin.received().len(), 1, "over one connection");
}

/// Heads that two readers could understand differently, or nobody at all.
const MALFORMED: &[&[u8]] = &[
    b"GET / HTTP/1.1\nHost: api.imagicle.com\n\n",
    b"GET  / HTTP/1.1\r\nHost: api.imagicle.com\r\n\r\n",
    b"GET / HTTP/1.2\r\nHost: api.imagicle.com\r\n\r\n",
    b"GET /a b HTTP/1.1\r\nHost: api.imagicle.com\r\n\r\n",
    b"GET /#fragment HTTP/1.1\r\nHost: api.imagicle.com\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: api.imagicle.com\r\nX: a\r\n folded\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost : api.imagicle.com\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: api.imagicle.com\r\nX: a\0b\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: api.imagicle.com\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: api.imagicle.com\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
    b"POST / HTTP/1.1\r\nHost: api.imagicle.com\r\nContent-Length: +1\r\n\r\na",
    b"POST / HTTP/1.1\r\nHost: api.imagicle.com\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x00\x05hello",
    b"{\"not\":\"HTTP\"}\r\n\r\n",
];

#[tokio::test]
async fn malformed_heads_are_answered_with_their_reason() {
    let world = World::echoing(HTTP1).await;
    for head in MALFORMED {
        let head: &[u8] = head;
        assert_eq!(refused(&world, head).await, (400, "bad_request".to_owned()), "{}", String::from_utf8_lossy(head));
    }
    let long = get(&format!("/{}", "a".repeat(20_000)), "");
    assert_eq!(refused(&world, &long).await, (400, "bad_request".to_owned()));
    assert!(world.what_arrived().await.concat().is_empty());
}

#[tokio::test]
async fn malformed_bodies_are_refused_and_do_not_arrive() {
    let world = World::echoing(HTTP1).await;
    for body in ["x\r\nhello\r\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", "5\nhello\n0\n\n", "ffffffffffffffff\r\n"] {
        let head = format!("POST / HTTP/1.1\r\nHost: {API}\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
        assert_eq!(refused(&world, head.as_bytes()).await, (400, "bad_request".to_owned()), "{body:?}");
    }
    assert!(world.what_arrived().await.concat().is_empty());
}

/// The half-sent head shows that the time of a head is over; the kept connection was silent all the while.
#[tokio::test]
async fn a_kept_connection_may_be_silent_between_requests_and_not_within_a_head() {
    let limits = "[limits]\nhead = \"300ms\"";
    let world = World::with(async |pki| TappedOrigin::echoing(pki, &[API], HTTP1).await, |setup| setup.section(limits)).await;
    let mut kept = world.raw().await;
    kept.send(&get("/", "")).await;
    assert_eq!(answer(&mut kept).await.0.status, 200);
    for before in [0, 1] {
        let mut half = world.raw().await;
        for _ in 0..before {
            half.send(&get("/", "")).await;
            assert_eq!(answer(&mut half).await.0.status, 200);
        }
        half.send(b"GET / HTTP/1.1\r\nHo").await;
        let (head, body) = answer(&mut half).await;
        let problem = Problem::parse(&head, body.as_bytes());
        assert_eq!((head.status, problem.reason.as_str()), (400, "bad_request"), "after {before} requests");
        assert!(problem.detail.contains("in time"), "{problem:?}");
    }
    kept.send(&get("/", "")).await;
    assert_eq!(answer(&mut kept).await.0.status, 200);
}

#[tokio::test]
async fn a_connection_that_is_silent_for_too_long_ends() {
    let policy = PolicyFile::intercepted("300ms", &[API]);
    let limits = "[limits]\nhead = \"1h\"";
    let more = |setup: Setup| setup.policy(policy).section(limits);
    let world = World::with(async |pki| TappedOrigin::echoing(pki, &[API], HTTP1).await, more).await;
    let mut silent = world.raw().await;
    let mut kept = world.raw().await;
    kept.send(&get("/", "")).await;
    assert_eq!(answer(&mut kept).await.0.status, 200);
    for client in [&mut silent, &mut kept] {
        assert_eq!(client.read_until_closed().await.0, b"");
    }
}
