//! Peers that take their time, and peers that take all descriptors: what they hold is given back.

mod descriptors;
mod silence;

use crate::support::client::{Problem, RawClient, within_deadline};
use crate::support::http2::{GOAWAY, HEADERS, PREFACE, SETTINGS, frame, frame_on, frames};
use crate::support::origin::{HttpOrigin, TappedOrigin, full};
use crate::support::policy::PolicyFile;
use crate::support::proxy::{Proxy, Setup};
use crate::support::scrape::{wait_for_decisions, wait_until_idle};
use crate::support::world::{API, World};
use http::Response;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, split};
use tokio::time::{interval, timeout};

/// A host that speaks plain HTTP.
const HOST: &str = "plain.test";
/// The time between two drops: far below any idle limit here.
const DROP: Duration = Duration::from_millis(50);

fn plain(idle: &str, origin: SocketAddr) -> Proxy {
    Setup::new().host(HOST, origin).policy(PolicyFile::of("site", idle, &[(HOST, 80, "http")])).start()
}

fn post(fields: &str) -> Vec<u8> {
    format!("POST http://{HOST}/echo HTTP/1.1\r\nHost: {HOST}\r\n{fields}\r\n\r\n").into_bytes()
}

/// Sends a piece after each pause until the client is answered or the pieces are over; gives how many were sent.
async fn drip(client: &mut RawClient, piece: &[u8], pieces: usize) -> usize {
    let mut pace = interval(DROP);
    for number in 0..pieces {
        pace.tick().await;
        if client.try_send(piece).await.is_err() {
            return number;
        }
    }
    pieces
}

#[tokio::test]
async fn an_upload_that_drips_is_ended_where_its_length_is_announced() {
    let origin = HttpOrigin::start().await;
    let proxy = plain("600ms", origin.addr());
    let mut cases = 0;
    for (name, fields, piece, pieces, status) in [
        ("a byte at a time", "Content-Length: 1000", &b"x"[..], 1_000, 504),
        ("a length of a terabyte", "Content-Length: 1099511627776", b"x", 1_000, 504),
        ("a length beyond all bounds", "Content-Length: 9223372036854775807", b"x", 1_000, 400),
        // Fifty bytes each twentieth of a second: a thousand a second, for four times the limit.
        ("slow and steady", "Content-Length: 2500", &[b'x'; 50], 50, 200),
        ("chunks as they come, four times the limit", "Transfer-Encoding: chunked", b"1\r\nx\r\n", 50, 200),
    ] {
        let mut client = RawClient::connect(proxy.proxy()).await;
        client.send(&post(fields)).await;
        // What comes back is read beside it: an answer ends the dripping.
        let (mut sent, mut head) = (0, None);
        while sent < pieces && head.is_none() {
            sent += drip(&mut client, piece, 1).await.max(1);
            head = timeout(DROP, client.read_head()).await.ok();
        }
        if head.is_none() && fields.contains("chunked") {
            client.send(b"0\r\n\r\n").await;
        }
        let head = match head {
            Some(head) => head,
            None => client.read_head().await,
        };
        assert_eq!(head.status, status, "{name}, after {sent} pieces: {head:?}");
        if status != 200 {
            let body = client.read_body(&head).await;
            let reason = if status == 504 { "idle_timeout" } else { "bad_request" };
            assert_eq!(Problem::parse(&head, &body).reason, reason, "{name}");
            assert!(sent < pieces, "{name}");
        }
        cases += 1;
    }
    wait_until_idle(proxy.admin()).await;
    wait_for_decisions(proxy.admin(), "deny", "idle_timeout", 2).await;
    println!("hostile: {cases} cases of dripping uploads");
}

/// A message that is held has a deadline as a whole: no drop puts it off.
#[tokio::test]
async fn a_held_message_that_drips_is_refused_at_its_deadline() {
    let world = World::with(
        async |pki| TappedOrigin::echoing(pki, &[API], &[b"http/1.1", b"h2"]).await,
        |setup| setup.section("[limits]\nmessage = \"400ms\""),
    )
    .await;
    let mut cases = 0;
    for fields in ["Content-Length: 1000", "Transfer-Encoding: chunked"] {
        let piece: &[u8] = if fields.contains("chunked") { b"1\r\n \r\n" } else { b" " };
        let mut client = world.raw().await;
        client.send(format!("POST /t HTTP/1.1\r\nHost: {API}\r\nContent-Type: application/json\r\n{fields}\r\n\r\n").as_bytes()).await;
        let head = loop {
            let _ = client.try_send(piece).await;
            if let Ok(head) = timeout(DROP, client.read_head()).await {
                break head;
            }
        };
        assert_eq!(head.status, 400, "{fields}: {head:?}");
        cases += 1;
    }
    wait_for_decisions(world.proxy.admin(), "deny", "bad_request", cases).await;
    println!("hostile: {cases} cases of dripping messages");
}

/// Room for one byte at a time: the answer never gets anywhere.
#[tokio::test]
async fn a_client_that_makes_room_byte_by_byte_is_ended() {
    const WINDOW_UPDATE: u8 = 8;
    let policy = PolicyFile::intercepted("600ms", &[API]);
    let answer = |_| async { Response::new(full(vec![b'x'; 1 << 20])) };
    let world = World::with(async |pki| TappedOrigin::serving(pki, &[API], &[b"h2"], answer).await, |setup| setup.policy(policy)).await;
    let client = world.ca.connect(world.proxy.proxy(), API, &[b"h2"]).await.expect("a connection");
    let (mut reading, mut writing) = split(client);
    let no_room = frame(SETTINGS, 0, &[0, 4, 0, 0, 0, 0]);
    let head = super::floods::get("/large");
    let hello = [PREFACE, &no_room, &frame(SETTINGS, 1, &[]), &frame_on(1, HEADERS, 5, &head)].concat();
    writing.write_all(&hello).await.expect("it is sent");
    let dripping = tokio::spawn(async move {
        let mut pace = interval(DROP);
        while writing.write_all(&frame_on(1, WINDOW_UPDATE, 0, &[0, 0, 0, 1])).await.is_ok() {
            pace.tick().await;
        }
    });
    let mut bytes = Vec::new();
    within_deadline("the end", async { while matches!(reading.read_buf(&mut bytes).await, Ok(1..)) {} }).await;
    assert!(frames(&bytes).iter().any(|frame| frame.kind == GOAWAY), "it is told: {:?}", frames(&bytes));
    dripping.abort();
    wait_until_idle(world.proxy.admin()).await;
    println!("hostile: 1 cases of windows opened byte by byte");
}

/// All in one write: answered in order, each as fast as the one before.
#[tokio::test]
async fn ten_thousand_requests_in_one_write_are_answered_in_order() {
    const REQUESTS: usize = 10_000;
    let origin = HttpOrigin::start().await;
    let proxy = plain("1m", origin.addr());
    let client = RawClient::connect(proxy.proxy()).await;
    let requests = (0..REQUESTS).map(|number| format!("GET http://{HOST}/status/{} HTTP/1.1\r\nHost: {HOST}\r\n\r\n", 201 + number % 3));
    let bytes = requests.collect::<String>().into_bytes();
    // Nobody reads all of it ahead: the rest waits in the client.
    let (mut reading, mut writing) = split(client.into_stream());
    let sending = tokio::spawn(async move { writing.write_all(&bytes).await.map(|()| writing) });
    let mut statuses = Vec::with_capacity(REQUESTS);
    let mut unread = Vec::new();
    while statuses.len() < REQUESTS {
        let read = within_deadline("an answer", reading.read_buf(&mut unread)).await.expect("the connection stays up");
        assert_ne!(read, 0, "closed after {} answers", statuses.len());
        while let Some(end) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
            let head: Vec<u8> = unread.drain(..end + 4).collect();
            statuses.push(String::from_utf8_lossy(&head[9..12]).parse::<usize>().expect("a status"));
        }
    }
    sending.await.expect("the writer runs").expect("all was taken");
    assert!(statuses.iter().enumerate().all(|(number, status)| *status == 201 + number % 3), "out of order");
    println!("hostile: {REQUESTS} cases of pipelined requests");
}
