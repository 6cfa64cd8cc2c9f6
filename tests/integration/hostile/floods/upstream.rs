//! The same from the other side: a cloud that has been taken over floods the proxy. Its connection ends; its client is told; others live.

use super::{
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, MANY, PING, PRIORITY, RST_STREAM, SETTINGS, UNKNOWN, WINDOW_UPDATE,
    block, frame, frame_on,
};
use crate::support::client::within_deadline;
use crate::support::http2::{Frame, PREFACE, post_body};
use crate::support::origin::{Frames, Tapped, TappedOrigin};
use crate::support::scrape::{Scrape, wait_until_idle};
use crate::support::world::{API, World, post_json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// `:status: 200` in HPACK's static table (RFC 7541 appendix A).
const STATUS_200: u8 = 0x88;
const PUSH_PROMISE: u8 = 5;

/// When it is sent: before the answer, or within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Before,
    Within,
}

type Flood = (&'static str, When, fn(u32) -> Vec<u8>);

const FLOODS: &[Flood] = &[
    ("PING", When::Before, |_| frame(PING, 0, &[0; 8])),
    ("PING within an answer", When::Within, |_| frame(PING, 0, &[0; 8])),
    ("answers to PINGs that nobody sent", When::Before, |_| frame(PING, ACK, &[0; 8])),
    ("SETTINGS", When::Before, |_| frame(SETTINGS, 0, &[])),
    ("SETTINGS within an answer", When::Within, |number| frame(SETTINGS, 0, &[0, 4, 0, 0, u8::from(number.is_multiple_of(2)), 0])),
    ("PRIORITY", When::Before, |_| frame_on(1, PRIORITY, 0, &[0, 0, 0, 0, 16])),
    ("frames of an unknown type", When::Before, |_| frame(UNKNOWN, 0, &[0; 100])),
    ("WINDOW_UPDATE", When::Before, |_| frame(WINDOW_UPDATE, 0, &[0, 0, 0, 1])),
    ("DATA without anything", When::Within, |_| frame_on(1, DATA, 0, &[])),
    ("resets of one stream", When::Before, |_| frame_on(1, RST_STREAM, 0, &[0, 0, 0, 8])),
    ("interim answers", When::Before, |_| frame_on(1, HEADERS, END_HEADERS, &block(&[(":status", "103")]))),
    ("trailers without end", When::Within, |number| match number {
        0 => frame_on(1, HEADERS, END_STREAM, &[]),
        _ => frame_on(1, CONTINUATION, 0, b"\0\x01a\x01b"),
    }),
    ("CONTINUATION without end", When::Before, |number| match number {
        0 => frame_on(1, HEADERS, 0, &[STATUS_200]),
        _ => frame_on(1, CONTINUATION, 0, b"\0\x01a\x01b"),
    }),
    ("a head that grows when it is read", When::Before, |_| {
        let entry = [&[STATUS_200, 0x40, 1, b'a', 0x7f, 0xa1, 0x1e][..], &[b'x'; 4_000]].concat();
        frame_on(1, HEADERS, END_HEADERS, &[&entry[..], &[0xbe].repeat(12_000)].concat())
    }),
    ("promises that nobody allowed", When::Before, |number| {
        frame_on(1, PUSH_PROMISE, END_HEADERS, &[&(2 * number + 2).to_be_bytes()[..], &super::get("/pushed")].concat())
    }),
    ("GOAWAY", When::Before, |_| frame(GOAWAY, 0, &[0, 0, 0, 1, 0, 0, 0, 0])),
];

/// The first connection floods, the others answer.
async fn world(flood: Flood) -> World {
    let connections = Arc::new(AtomicUsize::new(0));
    let script = move |stream: Tapped| {
        let is_first = connections.fetch_add(1, Ordering::SeqCst) == 0;
        async move { if is_first { turn(stream, flood).await } else { serve(stream).await } }
    };
    World::with(async |pki| TappedOrigin::scripted(pki, &[API], &[b"h2"], script).await, |setup| setup).await
}

async fn serve(stream: Tapped) {
    let Some(mut frames) = Frames::accept(stream).await else { return };
    while let Some(stream) = frames.request().await {
        frames.answer(stream, b"ok").await;
    }
}

async fn turn(mut stream: Tapped, (_, when, piece): Flood) {
    let mut bytes = Vec::new();
    while !crate::support::http2::frames(&bytes).iter().any(|frame: &Frame| frame.kind == HEADERS) {
        if !matches!(stream.read_buf(&mut bytes).await, Ok(1..)) {
            return;
        }
    }
    assert!(bytes.starts_with(PREFACE));
    let begin = if when == When::Within { frame_on(1, HEADERS, END_HEADERS, &[STATUS_200]) } else { Vec::new() };
    let hello = [frame(SETTINGS, 0, &[]), frame(SETTINGS, ACK, &[]), begin].concat();
    if stream.write_all(&hello).await.is_err() {
        return;
    }
    for number in 0..MANY {
        if stream.write_all(&piece(number)).await.is_err() {
            return;
        }
    }
    let _ = stream.flush().await;
    // It keeps the connection, if the proxy does.
    while matches!(stream.read_buf(&mut bytes).await, Ok(1..)) {}
}

#[tokio::test]
async fn a_flood_from_the_cloud_ends_its_connection_alone() {
    for flood in FLOODS {
        let (name, when, _) = flood;
        let world = world(*flood).await;
        let mut client = world.http2().await;
        let (response, mut body) = client.open(post_json("/t")).await;
        body.send_data(post_body(), true).expect("the stream is open");
        match (when, within_deadline(name, response).await) {
            (When::Before, Ok(answer)) => assert_eq!(answer.status(), 502, "{name}"),
            // The flood came in the same read as the beginning of the answer.
            (When::Within, Ok(answer)) if answer.status() == 502 => {}
            // An answer that began cannot become another one.
            (When::Within, Ok(answer)) => {
                let mut rest = answer.into_body();
                let broken = within_deadline(name, async {
                    while let Some(piece) = rest.data().await {
                        if piece.is_err() {
                            return true;
                        }
                    }
                    rest.trailers().await.is_err()
                });
                assert!(broken.await, "{name}: an answer that broke off looks whole");
            }
            (When::Within, Err(error)) => assert!(error.is_reset(), "{name}: {error}"),
            (When::Before, Err(error)) => panic!("{name}: {error}"),
        }
        drop(body);
        // The client's own connection lives, and what it asks next goes over another one to the cloud.
        let (response, mut body) = client.open(post_json("/t")).await;
        body.send_data(post_body(), true).expect("the stream is open");
        let answer = crate::support::http2::answer(response).await;
        assert_eq!((answer.status(), &*answer.body), (200, &b"ok"[..]), "{name}");
        drop((client, body));
        let scrape = wait_until_idle(world.proxy.admin()).await;
        assert!(failures(&scrape) > 0, "{name}: nobody is told whose fault it was");
    }
    println!("hostile: {} cases of floods from the cloud", FLOODS.len());
}

/// Exchanges that the cloud is named for.
fn failures(scrape: &Scrape) -> usize {
    scrape.count("ucx_egress_cuts_total", &[("reason", "upstream_failed")]) + scrape.decisions("deny", "upstream_failed")
}

/// A cloud may end its connection behind each answer: nobody loses one.
#[tokio::test]
async fn a_cloud_that_says_goodbye_behind_each_answer_costs_no_request() {
    let script = |stream: Tapped| async move {
        let Some(mut frames) = Frames::accept(stream).await else { return };
        while let Some(stream) = frames.request().await {
            frames.answer(stream, b"ok").await;
            frames.go_away(stream).await;
        }
    };
    let world = World::with(async |pki| TappedOrigin::scripted(pki, &[API], &[b"h2"], script).await, |setup| setup).await;
    let mut client = world.http2().await;
    for turn in 0..20 {
        let answer = client.ask(post_json("/t"), &[&post_body()], None).await;
        assert_eq!((answer.status(), &*answer.body), (200, &b"ok"[..]), "request {turn}");
    }
    println!("hostile: 20 cases of goodbyes from the cloud");
}
