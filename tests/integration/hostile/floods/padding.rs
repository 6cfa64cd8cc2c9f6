//! A body a byte at a time, each in a frame of its own with more padding than data: inspection sees the body.

use super::{DATA, END_HEADERS, END_STREAM, Fate, HEADERS, PADDED, Raw, block, frame_on};
use crate::support::http2::stream_bodies;
use crate::support::world::{API, HTTP2, World};

/// One byte, and as much padding as there may be (RFC 9113 section 6.1).
fn padded(byte: u8, flags: u8) -> Vec<u8> {
    frame_on(1, DATA, flags | PADDED, &[&[255, byte][..], &[0; 255]].concat())
}

async fn fate_of(world: &World, body: &str) -> Fate {
    let mut raw = Raw::over(world.ca.connect(world.proxy.proxy(), API, &[b"h2"]).await.expect("a connection"));
    raw.begin().await;
    let head = [(":method", "POST"), (":scheme", "https"), (":authority", API), (":path", "/t"), ("content-type", "application/json")];
    raw.send(&frame_on(1, HEADERS, END_HEADERS, &block(&head))).await;
    for (at, byte) in body.bytes().enumerate() {
        raw.send(&padded(byte, if at + 1 == body.len() { END_STREAM } else { 0 })).await;
    }
    raw.outcome_of(1, body).await
}

#[tokio::test]
async fn bytes_between_padding_are_put_together() {
    let world = World::echoing(HTTP2).await;
    let (clean, telling) = (r#"{"version":"1.2.3"}"#, r#"{"version":"mario.rossi@example.com"}"#);
    assert_eq!(fate_of(&world, telling).await, Fate::Answered(403));
    assert_eq!(fate_of(&world, clean).await, Fate::Answered(200));
    assert_eq!(stream_bodies(&world.what_arrived().await), [clean.as_bytes()]);
    println!("hostile: 2 cases of bodies between padding");
}
