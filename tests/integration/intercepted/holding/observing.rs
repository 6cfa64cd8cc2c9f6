//! Observing: what enforcing would refuse passes as it was sent, and is counted.

use super::{MAX, answer, head, small};
use crate::support::clean::{labelled, number, record};
use crate::support::http2::message;
use crate::support::scrape::{Scrape, wait_until};
use crate::support::world::{ADDRESS, API, HTTP1, HTTP2, World, call, post_json};

const OBSERVE: &str = "[policy]\nmode = \"observe\"";

/// The figures of the licensing service: decisions that would be refusals, and coverage.
async fn figures(world: &World, reason: &str) -> [usize; 3] {
    let scrape = Scrape::get(world.proxy.admin()).await;
    let covered = |state| scrape.count("ucx_egress_coverage_total", &[("service", "licensing"), ("state", state)]);
    [scrape.decisions("would_deny", reason), covered("inspected"), covered("uninspectable")]
}

async fn passes(world: &World, request: &[u8], body: &[u8], which: &str) {
    let mut client = world.raw().await;
    client.send(request).await;
    let (head, back) = answer(&mut client).await;
    assert_eq!((head.status, String::from_utf8_lossy(&back)), (200, String::from_utf8_lossy(body)), "{which}");
}

#[tokio::test]
async fn findings_pass_and_are_counted() {
    let world = small(HTTP1, "", OBSERVE).await;
    let in_body = format!("{{\"note\" : \"{ADDRESS}\"}}");
    let request = format!("POST /echo HTTP/1.1\r\nHost: {API}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n", in_body.len());
    passes(&world, format!("{request}\r\n{in_body}").as_bytes(), in_body.as_bytes(), "in the body").await;
    assert_eq!(figures(&world, "personal_data").await, [1, 1, 0]);
    passes(&world, &[&head(&format!("From: {ADDRESS}\r\nContent-Length: 5\r\n"))[..], b"[1,2]"].concat(), b"[1,2]", "in the head").await;
    let with_trailers = format!("Transfer-Encoding: chunked\r\n\r\n5\r\n[1,2]\r\n0\r\nX-Note: {ADDRESS}\r\n\r\n");
    let request = String::from_utf8(head("")).expect("text");
    passes(&world, format!("{}{with_trailers}", &request[..request.len() - 2]).as_bytes(), b"[1,2]", "in the trailers").await;
    assert_eq!(figures(&world, "personal_data").await, [3, 3, 0]);
    let scrape = Scrape::get(world.proxy.admin()).await;
    assert_eq!(scrape.count("ucx_egress_findings_total", &[("kind", "email"), ("action", "pass")]), 3);
    assert_eq!(scrape.count("ucx_egress_decisions_total", &[("verdict", "deny")]), 0);
    let arrived = String::from_utf8_lossy(&world.what_arrived().await.concat()).to_ascii_lowercase();
    assert_eq!(arrived.matches(ADDRESS).count(), 3, "{arrived}");
}

#[tokio::test]
async fn what_cannot_be_read_passes_and_is_counted() {
    let world = small(HTTP1, "", OBSERVE).await;
    let unreadable: [(&str, &[u8]); 3] =
        [("application/octet-stream", b"\0\xff\x80\r\n\r\n"), ("application/json", b"{\"a\":"), ("text/plain", b"\xff\xfe\x00")];
    for (content_type, body) in unreadable {
        let head = format!("POST /echo HTTP/1.1\r\nHost: {API}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n", body.len());
        passes(&world, &[head.as_bytes(), body].concat(), body, content_type).await;
    }
    assert_eq!(figures(&world, "uninspectable").await, [3, 0, 3]);
    let arrived = world.what_arrived().await.concat();
    for (_, body) in unreadable {
        assert!(arrived.windows(body.len()).any(|window| window == body), "{body:?}");
    }
}

/// More than the windows and buffers on the way, so that the rest is really streamed.
#[tokio::test]
async fn what_is_too_large_passes_and_is_counted() {
    let body: Vec<u8> = (0..3_000_000_u32).map(|number| b"0123456789abcdef"[number as usize % 16]).collect();
    let world = small(HTTP1, "", OBSERVE).await;
    let sized = [head(&format!("Content-Length: {}\r\n", body.len())), body.clone()].concat();
    passes(&world, &sized, &body, "of known length").await;
    let chunks: Vec<u8> =
        body.chunks(MAX / 3).flat_map(|chunk| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat()).collect();
    passes(&world, &[&head("Transfer-Encoding: chunked\r\n")[..], &chunks, b"0\r\n\r\n"].concat(), &body, "in chunks").await;
    assert_eq!(figures(&world, "message_too_large").await, [2, 0, 2]);
    let world = small(HTTP2, "", OBSERVE).await;
    let answer = world.http2().await.ask(post_json("/echo"), &[&body], None).await;
    assert!(answer.status() == 200 && answer.body == body, "in HTTP/2");
    assert_eq!(figures(&world, "message_too_large").await, [1, 0, 1]);
}

/// Streams of messages as enforcing would refuse them.
fn streams() -> Vec<(&'static str, Vec<u8>)> {
    let mut compressed = message(&number(2));
    compressed[0] = 1;
    vec![
        ("an address", [message(&number(1)), message(&labelled(ADDRESS)), message(&number(3))].concat()),
        ("words that nobody documents", [message(&number(1)), message(&labelled("some words")), message(&number(3))].concat()),
        ("compressed", [message(&number(1)), compressed, message(&number(3))].concat()),
        ("too large", [message(&number(1)), message(&record(10 * MAX)), message(&number(3))].concat()),
        ("no gRPC", [message(&number(1)), b"hello, world".to_vec()].concat()),
        ("cut", message(&number(1))[..6].to_vec()),
    ]
}

#[tokio::test]
async fn calls_pass_as_they_are() {
    let world = small(HTTP2, "", OBSERVE).await;
    let mut client = world.http2().await;
    for (which, stream) in streams() {
        for pieces in [vec![&stream[..]], stream.chunks(97).collect()] {
            let answer = client.ask(call("/t/Report"), &pieces, None).await;
            if which == "cut" {
                assert_eq!(answer.field("grpc-status"), Some("3"), "malformed requests are refused in either mode: {answer:?}");
                continue;
            }
            assert_eq!((answer.status(), answer.field("grpc-status")), (200, Some("0")), "{which}: {answer:?}");
            assert_eq!(answer.body, stream, "{which}");
        }
    }
    let covered = |scrape: &Scrape, state| scrape.count("ucx_egress_coverage_total", &[("service", "licensing"), ("state", state)]);
    let messages = |scrape: &Scrape, verdict| scrape.count("ucx_egress_inspected_messages_total", &[("verdict", verdict)]);
    let scrape = wait_until(world.proxy.admin(), |scrape| messages(scrape, "would_deny") >= 10).await;
    assert_eq!((messages(&scrape, "would_deny"), messages(&scrape, "deny")), (10, 0));
    assert_eq!(covered(&scrape, "inspected") + covered(&scrape, "uninspectable"), 10, "each call once");
}
