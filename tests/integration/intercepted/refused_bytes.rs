//! No byte of a refused message reaches the origin, however the message is cut on its way; a clean one arrives as it was sent.

mod calls;
mod heads;
mod traces;

use crate::support::client::{Head, Problem, exchange};
use crate::support::http2::{DATA, Frame, HEADERS, frames};
use crate::support::world::{ADDRESS, API, HTTP1, HTTP2, World, post_json};
use futures_util::future::join_all;
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

const REFUSED: &str = r#"{"note":"mario.rossi@example.com"}"#;
/// With an `@`, so that the detectors have to look at it too.
const CLEAN: &str = r#"{"version":"2024.1.1","serviceName":"getty@tty1.service"}"#;
/// Sent behind everything else: what arrived before it, arrived of a refused message.
const MARKER: &str = r#"{"version":"9.9.9"}"#;
/// Clients at once.
const TOGETHER: usize = 8;

/// An HTTP/1.1 request of known length.
fn sized(path: &str, fields: &str, body: &str) -> Vec<u8> {
    format!("POST {path} HTTP/1.1\r\nHost: {API}\r\nContent-Length: {}\r\n{fields}\r\n{body}", body.len()).into_bytes()
}

fn json(path: &str, body: &str) -> Vec<u8> {
    sized(path, "Content-Type: application/json\r\n", body)
}

/// An HTTP/1.1 request whose body comes in these chunks, with a trailer section.
fn chunked(pieces: &[&str], trailers: &str) -> Vec<u8> {
    let chunks: Vec<_> = pieces.iter().filter(|piece| !piece.is_empty()).map(|piece| format!("{:x}\r\n{piece}\r\n", piece.len())).collect();
    let chunks = chunks.concat();
    let head = format!("POST /echo HTTP/1.1\r\nHost: {API}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
    format!("{head}{chunks}0\r\n{trailers}\r\n").into_bytes()
}

/// Sends a request in these writes over a connection of its own and reads the answer. The proxy runs in this thread: once it has
/// served another connection, it has read what was written before.
async fn ask(world: &World, writes: &[&[u8]]) -> (Head, Vec<u8>) {
    let mut client = world.raw().await;
    for (number, bytes) in writes.iter().enumerate() {
        if number > 0 {
            exchange(world.proxy.admin(), b"GET /healthz HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n").await;
        }
        // A refusal may come before everything was sent.
        if client.try_send(bytes).await.is_err() {
            break;
        }
    }
    let head = client.read_head().await;
    let body = client.read_body(&head).await;
    (head, body)
}

/// A refusal with a complete explanation that does not repeat what it refuses.
fn assert_refused(head: &Head, body: &[u8], reason: &str, which: &str) {
    let problem = Problem::parse(head, body);
    assert_eq!((head.status, problem.status, problem.reason.as_str()), (403, 403, reason), "{which}");
    assert_eq!(head.header("x-decision-id"), Some(problem.decision.as_str()), "{which}");
    assert_silent(&format!("{head:?} {}", String::from_utf8_lossy(body)));
}

/// Nothing of the address stands in a text.
fn assert_silent(text: &str) {
    for part in [ADDRESS, "mario", "rossi"] {
        assert!(!text.to_ascii_lowercase().contains(part), "{part} in {text}");
    }
}

/// Sends the marker, lets the proxy end and makes sure that nothing but the marker arrived.
async fn assert_nothing_else_arrived(world: World) {
    let (head, _) = ask(&world, &[&json("/marker", MARKER)]).await;
    assert_eq!(head.status, 200);
    let arrived: Vec<u8> = world.what_arrived().await.concat();
    let text = String::from_utf8_lossy(&arrived);
    assert!(text.starts_with("POST /marker HTTP/1.1\r\n") && text.ends_with(&format!("\r\n\r\n{MARKER}")), "{text}");
    assert_eq!(text.matches(" HTTP/1.1\r\n").count(), 1, "{text}");
}

/// The same for HTTP/2: one request, one body.
async fn assert_no_other_stream_arrived(world: World) {
    let mut client = world.http2().await;
    assert_eq!(client.ask(post_json("/marker"), &[MARKER.as_bytes()], None).await.status(), 200);
    drop(client);
    let arrived = world.what_arrived().await;
    let all: Vec<Frame> = arrived.iter().flat_map(|bytes| frames(bytes)).collect();
    assert_eq!(all.iter().filter(|frame| frame.kind == HEADERS).count(), 1, "{all:?}");
    let data: Vec<u8> = all.iter().filter(|frame| frame.kind == DATA).flat_map(|frame| frame.payload.clone()).collect();
    assert_eq!(String::from_utf8_lossy(&data), MARKER);
}

#[tokio::test]
async fn a_refused_body_of_known_length_stays_wherever_it_is_cut() {
    let world = World::echoing(HTTP1).await;
    let message = json("/echo", REFUSED);
    let cuts: Vec<usize> = (0..=message.len()).collect();
    for some in cuts.chunks(TOGETHER) {
        let answers = join_all(some.iter().map(|cut| {
            let (first, second) = message.split_at(*cut);
            let world = &world;
            async move { ask(world, &[first, second]).await }
        }));
        for ((head, body), cut) in answers.await.iter().zip(some) {
            assert_refused(head, body, "personal_data", &format!("cut at {cut}"));
        }
    }
    assert_nothing_else_arrived(world).await;
}

#[tokio::test]
async fn a_clean_body_of_known_length_arrives_as_it_is_wherever_it_is_cut() {
    let world = World::echoing(HTTP1).await;
    let message = json("/echo", CLEAN);
    for cut in 0..=message.len() {
        let (first, second) = message.split_at(cut);
        let (head, body) = ask(&world, &[first, second]).await;
        assert_eq!((head.status, String::from_utf8_lossy(&body).as_ref()), (200, CLEAN), "cut at {cut}");
    }
    let arrived = world.what_arrived().await.concat();
    let text = String::from_utf8_lossy(&arrived);
    assert_eq!(text.matches(&format!("\r\n\r\n{CLEAN}")).count(), message.len() + 1, "as one piece behind each head");
}

/// A message cut in two at each byte, and cut into single bytes.
fn chunkings(body: &str) -> Vec<Vec<&str>> {
    let single = (0..body.len()).map(|at| &body[at..=at]).collect();
    let halves = (0..=body.len()).map(|cut| vec![&body[..cut], &body[cut..]]);
    halves.chain(std::iter::once(single)).collect()
}

#[tokio::test]
async fn a_refused_chunked_body_stays_wherever_its_chunks_end() {
    let world = World::echoing(HTTP1).await;
    for pieces in chunkings(REFUSED) {
        let (head, body) = ask(&world, &[&chunked(&pieces, "")]).await;
        assert_refused(&head, &body, "personal_data", &format!("{pieces:?}"));
    }
    assert_nothing_else_arrived(world).await;
}

#[tokio::test]
async fn a_refused_chunked_body_stays_when_it_comes_byte_by_byte() {
    let world = World::echoing(HTTP1).await;
    let message = chunked(&[&REFUSED[..20], &REFUSED[20..]], "");
    let writes: Vec<&[u8]> = message.chunks(1).collect();
    let (head, body) = ask(&world, &writes).await;
    assert_refused(&head, &body, "personal_data", "byte by byte");
    assert_nothing_else_arrived(world).await;
}

#[tokio::test]
async fn a_clean_chunked_body_arrives_as_it_is_wherever_its_chunks_end() {
    let world = World::echoing(HTTP1).await;
    for pieces in chunkings(CLEAN) {
        let (head, body) = ask(&world, &[&chunked(&pieces, "")]).await;
        assert_eq!((head.status, String::from_utf8_lossy(&body).as_ref()), (200, CLEAN), "{pieces:?}");
    }
}

#[tokio::test]
async fn a_refused_http2_body_stays_wherever_its_frames_end() {
    let world = World::echoing(HTTP2).await;
    let mut client = world.http2().await;
    for pieces in chunkings(REFUSED) {
        let pieces: Vec<&[u8]> = pieces.iter().map(|piece| piece.as_bytes()).collect();
        let answer = client.ask(post_json("/echo"), &pieces, None).await;
        assert_eq!((answer.status(), answer.reason().as_str()), (403, "personal_data"), "{pieces:?}");
        assert_silent(&answer.text());
    }
    assert_no_other_stream_arrived(world).await;
}

#[tokio::test]
async fn a_clean_http2_body_arrives_as_it_is_wherever_its_frames_end() {
    let world = World::echoing(HTTP2).await;
    let mut client = world.http2().await;
    for pieces in chunkings(CLEAN) {
        let pieces: Vec<&[u8]> = pieces.iter().map(|piece| piece.as_bytes()).collect();
        let answer = client.ask(post_json("/echo"), &pieces, None).await;
        assert_eq!((answer.status(), String::from_utf8_lossy(&answer.body).as_ref()), (200, CLEAN), "{pieces:?}");
    }
}

#[tokio::test]
async fn a_trailer_with_an_address_keeps_the_whole_message_back_in_http1() {
    let world = World::echoing(HTTP1).await;
    for trailers in [&format!("From: {ADDRESS}\r\n"), &format!("X-A: 1\r\nX-Note: by {ADDRESS}!\r\n")] {
        let (head, body) = ask(&world, &[&chunked(&[CLEAN], trailers)]).await;
        assert_refused(&head, &body, "personal_data", trailers);
    }
    assert_nothing_else_arrived(world).await;
}

fn trailers(value: &str) -> HeaderMap {
    let value = HeaderValue::from_str(value).expect("a value");
    HeaderMap::from_iter([(HeaderName::from_static("x-note"), value)])
}

#[tokio::test]
async fn a_trailer_with_an_address_keeps_the_whole_message_back_in_http2() {
    let world = World::echoing(HTTP2).await;
    let mut client = world.http2().await;
    let answer = client.ask(post_json("/echo"), &[CLEAN.as_bytes()], Some(trailers(ADDRESS))).await;
    assert_eq!((answer.status(), answer.reason().as_str()), (403, "personal_data"));
    assert_silent(&answer.text());
    assert_no_other_stream_arrived(world).await;
}

#[tokio::test]
async fn clean_trailers_arrive_behind_their_body() {
    let world = World::echoing(HTTP2).await;
    let mut client = world.http2().await;
    let answer = client.ask(post_json("/echo"), &[CLEAN.as_bytes()], Some(trailers("all of it"))).await;
    assert_eq!((answer.status(), answer.trailers.get("x-note")), (200, Some(&HeaderValue::from_static("all of it"))));
    let world = World::echoing(HTTP1).await;
    let (head, _) = ask(&world, &[&chunked(&[CLEAN], "X-Note: all of it\r\n")]).await;
    assert_eq!(head.status, 200);
    let arrived = world.what_arrived().await.concat();
    let text = String::from_utf8_lossy(&arrived).to_ascii_lowercase();
    assert!(text.ends_with("0\r\nx-note: all of it\r\n\r\n"), "{text}");
}
