//! A message is held until it was judged: within a size, within a time, within what all of them may occupy.

mod calls;
mod observing;
mod shares;

use crate::support::clean::document;
use crate::support::client::{Head, Problem, RawClient};
use crate::support::origin::TappedOrigin;
use crate::support::world::{ADDRESS, API, HTTP1, HTTP2, World, post_json};
use tokio::io::{AsyncRead, AsyncWrite};

/// The largest message of these tests.
const MAX: usize = 1024;

/// A proxy that holds messages up to [`MAX`], with these lines in its `[inspection]` besides, and these sections.
async fn small(alpn: &[&[u8]], inspection: &str, sections: &str) -> World {
    let section = format!("[inspection]\nmax_message = \"{MAX}B\"\n{inspection}\n{sections}");
    World::with(async |pki| TappedOrigin::echoing(pki, &[API], alpn).await, |setup| setup.section(&section)).await
}

/// The head of an HTTP/1.1 request with a document as its body.
fn head(fields: &str) -> Vec<u8> {
    format!("POST /echo HTTP/1.1\r\nHost: {API}\r\nContent-Type: application/json\r\n{fields}\r\n").into_bytes()
}

fn of_length(length: usize) -> Vec<u8> {
    head(&format!("Content-Length: {length}\r\n"))
}

async fn answer<S: AsyncRead + AsyncWrite + Unpin>(client: &mut RawClient<S>) -> (Head, Vec<u8>) {
    let head = client.read_head().await;
    let body = client.read_body(&head).await;
    (head, body)
}

/// Reads a refusal: status and reason.
async fn refusal<S: AsyncRead + AsyncWrite + Unpin>(client: &mut RawClient<S>) -> (u16, String) {
    let (head, body) = answer(client).await;
    (head.status, Problem::parse(&head, &body).reason)
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_refused_before_it_is_read() {
    let world = small(HTTP1, "", "").await;
    for length in ["1025", "999999999999999999"] {
        let mut client = world.raw().await;
        client.send(&head(&format!("Content-Length: {length}\r\n"))).await;
        assert_eq!(refusal(&mut client).await, (413, "message_too_large".to_owned()), "{length}");
    }
    assert!(world.what_arrived().await.concat().is_empty());
}

#[tokio::test]
async fn a_body_that_turns_out_too_large_is_refused() {
    let world = small(HTTP1, "", "").await;
    let mut client = world.raw().await;
    client.send(&head("Transfer-Encoding: chunked\r\n")).await;
    // Its end is not waited for.
    client.send(format!("400\r\n{}\r\n1\r\na\r\n", "a".repeat(MAX)).as_bytes()).await;
    assert_eq!(refusal(&mut client).await, (413, "message_too_large".to_owned()));
    drop(client);
    assert!(world.what_arrived().await.concat().is_empty());
}

#[tokio::test]
async fn the_largest_message_passes_in_http1() {
    let world = small(HTTP1, "", "").await;
    let body = document(MAX);
    let mut client = world.raw().await;
    client.send(&of_length(MAX)).await;
    client.send(body.as_bytes()).await;
    assert_eq!(answer(&mut client).await.1, body.as_bytes());
    client.send(&head("Transfer-Encoding: chunked\r\n")).await;
    let (first, second) = body.split_at(MAX / 2);
    client.send(format!("200\r\n{first}\r\n200\r\n{second}\r\n0\r\n\r\n").as_bytes()).await;
    assert_eq!(answer(&mut client).await.1, body.as_bytes());
}

#[tokio::test]
async fn sizes_are_the_same_in_http2() {
    let world = small(HTTP2, "", "").await;
    let mut client = world.http2().await;
    let body = document(MAX);
    let body = body.as_bytes();
    let passed = client.ask(post_json("/echo"), &[body], None).await;
    assert_eq!((passed.status(), passed.body.as_slice()), (200, body));
    let refused = client.ask(post_json("/echo"), &[document(MAX + 1).as_bytes()], None).await;
    assert_eq!((refused.status(), refused.reason().as_str()), (413, "message_too_large"));
    let refused = client.ask(post_json("/echo"), &[body, b" "], None).await;
    assert_eq!((refused.status(), refused.reason().as_str()), (413, "message_too_large"), "counted over frames");
    let mut announced = post_json("/echo");
    announced.headers_mut().insert("content-length", "1025".parse().expect("a value"));
    let (response, _body) = client.open(announced).await;
    let refused = crate::support::http2::answer(response).await;
    assert_eq!((refused.status(), refused.reason().as_str()), (413, "message_too_large"), "before its body");
    let passed = client.ask(post_json("/echo"), &[body], None).await;
    assert_eq!(passed.status(), 200, "the connection goes on");
}

#[tokio::test]
async fn a_client_that_expects_100_gets_it_when_its_body_is_wanted() {
    let world = small(HTTP1, "", "").await;
    let mut client = world.raw().await;
    client.send(&head("Content-Length: 5\r\nExpect: 100-continue\r\n")).await;
    assert_eq!(client.read_head().await.status, 100);
    client.send(b"[1,2]").await;
    let (head, body) = answer(&mut client).await;
    assert_eq!((head.status, body.as_slice()), (200, &b"[1,2]"[..]));
    let arrived = world.what_arrived().await.concat();
    assert!(!String::from_utf8_lossy(&arrived).to_ascii_lowercase().contains("expect"), "the proxy answered it");
}

#[tokio::test]
async fn a_head_that_is_refused_gets_no_100() {
    let world = small(HTTP1, "", "").await;
    let heads = [
        (format!("POST / HTTP/1.1\r\nHost: {API}\r\nContent-Length: 1025\r\n"), 413, "message_too_large"),
        (format!("POST / HTTP/1.1\r\nHost: {API}\r\nContent-Length: 5\r\nFrom: {ADDRESS}\r\n"), 403, "personal_data"),
        (format!("POST /?m={ADDRESS} HTTP/1.1\r\nHost: {API}\r\nContent-Length: 5\r\n"), 403, "personal_data"),
        ("POST / HTTP/1.1\r\nHost: grpc.imagicle.com\r\nContent-Length: 5\r\n".to_owned(), 421, "authority_mismatch"),
        (format!("TRACE / HTTP/1.1\r\nHost: {API}\r\nContent-Length: 5\r\n"), 405, "method_not_allowed"),
        (format!("POST / HTTP/1.1\r\nHost: {API}\r\nContent-Length: 5\r\nUpgrade: h2c\r\n"), 403, "upgrade_not_allowed"),
    ];
    for (head, status, reason) in heads {
        let mut client = world.raw().await;
        client.send(format!("{head}Content-Type: text/plain\r\nExpect: 100-continue\r\n\r\n").as_bytes()).await;
        assert_eq!(refusal(&mut client).await, (status, reason.to_owned()), "{head}");
    }
    assert!(world.what_arrived().await.concat().is_empty());
}
