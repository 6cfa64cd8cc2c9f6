//! Streams that are begun and given up: each may cost its client nothing, and somebody else a request.

use super::{
    ACK, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, Fate, HEADERS, MANY, PRIORITY, Place, RST_STREAM, Raw, SETTINGS, WINDOW_UPDATE,
    counting, ends, frame, frame_on, get, still_serves,
};
use crate::support::client::within_deadline;
use crate::support::http2::PREFACE;
use crate::support::scrape::{Scrape, wait_until, wait_until_idle};
use crate::support::world::API;
use std::sync::atomic::Ordering;

const CANCEL: [u8; 4] = [0, 0, 0, 8];

/// What may reach the cloud of a hundred thousand requests that are given up at once.
const MOST: usize = 200;

/// `HEADERS`, `RST_STREAM`, a hundred thousand times (CVE-2023-44487).
#[tokio::test]
async fn streams_that_are_reset_at_once_end_their_connection_and_hardly_reach_the_cloud() {
    let mut cases = 0;
    for (name, at_once) in [("as fast as can be", 1_000), ("a few at a time", 3)] {
        let (world, asked) = counting().await;
        let mut raw = Raw::over(world.ca.connect(world.proxy.proxy(), API, &[b"h2"]).await.expect("a connection"));
        raw.begin().await;
        let head = get("/rapid");
        let mut number = 0;
        while number < MANY {
            let mut bytes = Vec::new();
            for _ in 0..at_once {
                bytes.extend(frame_on(2 * number + 1, HEADERS, END_HEADERS | END_STREAM, &head));
                bytes.extend(frame_on(2 * number + 1, RST_STREAM, 0, &CANCEL));
                number += 1;
            }
            if !raw.send(&bytes).await {
                break;
            }
        }
        assert_eq!(raw.fate(name).await, Fate::GoneAway(ENHANCE_YOUR_CALM), "{name}");
        wait_until(world.proxy.admin(), |scrape| ends(scrape) > 0).await;
        let asked = asked.load(Ordering::SeqCst);
        assert!(asked <= MOST, "{name}: {asked} requests reached the cloud");
        still_serves(&world).await;
        cases += 1;
    }
    println!("hostile: {cases} cases of rapid resets");
}

/// Each reset only when its request has reached the cloud: nothing of that waits, so that the HTTP/2 library bounds nothing.
#[tokio::test]
async fn streams_that_are_reset_once_their_request_is_sent_end_their_connection_too() {
    let (world, asked) = counting().await;
    let mut raw = Raw::over(world.ca.connect(world.proxy.proxy(), API, &[b"h2"]).await.expect("a connection"));
    raw.begin().await;
    let head = get("/rapid");
    for number in 0..150 {
        let stream = 2 * number + 1;
        if raw.has_ended() || !raw.send(&frame_on(stream, HEADERS, END_HEADERS | END_STREAM, &head)).await {
            break;
        }
        let arrived = async {
            while asked.load(Ordering::SeqCst) <= usize::try_from(number).expect("few") && !raw.has_ended() {
                tokio::task::yield_now().await;
            }
        };
        within_deadline("the request arrives, or the connection ends", arrived).await;
        raw.send(&frame_on(stream, RST_STREAM, 0, &CANCEL)).await;
    }
    assert_eq!(raw.fate("reset after each request").await, Fate::GoneAway(ENHANCE_YOUR_CALM));
    assert_eq!(asked.load(Ordering::SeqCst), 101, "a hundred may be, and the one that is too many");
    wait_until(world.proxy.admin(), |scrape| ends(scrape) > 0).await;
    still_serves(&world).await;
    println!("hostile: 1 cases of resets behind requests that were sent");
}

#[tokio::test]
async fn tunnels_that_are_reset_at_once_end_their_connection() {
    let [_, place] = Place::both().await;
    let Place::Listener(_, proxy, origin) = &place else { panic!("the listener comes second") };
    let mut raw = place.connect().await;
    raw.begin().await;
    let head = place.head();
    let pair = move |number: u32| {
        let stream = 2 * number + 1;
        [frame_on(stream, HEADERS, END_HEADERS, &head), frame_on(stream, RST_STREAM, 0, &CANCEL)].concat()
    };
    raw.flood(MANY, &pair).await;
    assert_eq!(raw.fate("rapid reset of tunnels").await, Fate::GoneAway(ENHANCE_YOUR_CALM));
    wait_until(proxy.admin(), |scrape| ends(scrape) > 0).await;
    assert!(origin.connections() <= MOST, "{} connections reached the cloud", origin.connections());
    println!("hostile: 1 cases of rapid resets of tunnels");
}

/// What is sent on a stream behind its request.
type Provocation = (&'static str, fn(u32) -> Vec<u8>);

/// What makes the server reset a stream itself, once its request is whole (CVE-2025-8671).
const PROVOCATIONS: &[Provocation] = &[
    ("WINDOW_UPDATE by nothing", |stream| frame_on(stream, WINDOW_UPDATE, 0, &[0; 4])),
    ("WINDOW_UPDATE beyond all bounds", |stream| frame_on(stream, WINDOW_UPDATE, 0, &[0x7f, 0xff, 0xff, 0xff])),
    ("HEADERS behind the end", |stream| frame_on(stream, HEADERS, END_HEADERS | END_STREAM, &get("/again"))),
    ("DATA behind the end", |stream| frame_on(stream, DATA, 0, b"more")),
    ("PRIORITY of a wrong length", |stream| frame_on(stream, PRIORITY, 0, &[0; 4])),
    ("PRIORITY on itself", |stream| frame_on(stream, PRIORITY, 0, &[&stream.to_be_bytes()[..], &[1]].concat())),
];

#[tokio::test]
async fn streams_that_the_proxy_is_made_to_reset_end_their_connection() {
    let mut cases = 0;
    for (name, provocation) in PROVOCATIONS {
        let (world, asked) = counting().await;
        let mut raw = Raw::over(world.ca.connect(world.proxy.proxy(), API, &[b"h2"]).await.expect("a connection"));
        raw.begin().await;
        let head = get("/made");
        let pair = move |number: u32| {
            let stream = 2 * number + 1;
            [frame_on(stream, HEADERS, END_HEADERS | END_STREAM, &head), provocation(stream)].concat()
        };
        raw.flood(10_000, &pair).await;
        let fate = raw.fate(name).await;
        assert!(matches!(fate, Fate::GoneAway(_)), "{name}: {fate:?}");
        wait_until(world.proxy.admin(), |scrape| ends(scrape) > 0).await;
        let asked = asked.load(Ordering::SeqCst);
        assert!(asked <= 1_024, "{name}: {asked} requests reached the cloud");
        // What was under way for them is not carried on.
        wait_until_idle(world.proxy.admin()).await;
        still_serves(&world).await;
        cases += 1;
    }
    println!("hostile: {cases} cases of provoked resets");
}

/// A request that is cancelled is cancelled upstream: otherwise a reset would buy work for nothing.
#[tokio::test]
async fn a_cancelled_stream_cancels_its_upstream_request() {
    let (world, asked) = counting().await;
    let mut raw = Raw::over(world.ca.connect(world.proxy.proxy(), API, &[b"h2"]).await.expect("a connection"));
    raw.send(&[PREFACE, &frame(SETTINGS, 0, &[]), &frame(SETTINGS, ACK, &[])].concat()).await;
    raw.send(&frame_on(1, HEADERS, END_HEADERS | END_STREAM, &get("/long"))).await;
    let is_asked = |bytes: &[u8]| crate::support::http2::frames(bytes).iter().any(|frame| frame.kind == HEADERS);
    world.origin.wait_for("the request", is_asked).await;
    raw.send(&frame_on(1, RST_STREAM, 0, &CANCEL)).await;
    let is_reset = |bytes: &[u8]| crate::support::http2::frames(bytes).iter().any(|frame| frame.kind == RST_STREAM);
    world.origin.wait_for("the reset", is_reset).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let before = ends(&Scrape::get(world.proxy.admin()).await);
    assert_eq!(before, 0, "one cancelled request is nobody's offence");
    println!("hostile: 1 cases of cancelled requests");
}
