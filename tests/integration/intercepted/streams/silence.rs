//! A connection on which nothing moves ends; one on which something moves does not.

use crate::support::clean::number;
use crate::support::client::within_deadline;
use crate::support::http2::{GOAWAY, Http2, PING, PREFACE, frame, frames, message, piece};
use crate::support::origin::TappedOrigin;
use crate::support::policy::PolicyFile;
use crate::support::world::{API, HTTP2, World, call, post_json};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::interval;

const SETTINGS: u8 = 4;
const ACK: u8 = 1;

async fn idle_after(limit: &str) -> World {
    let policy = PolicyFile::intercepted(limit, &[API]);
    World::with(async |pki| TappedOrigin::echoing(pki, &[API], HTTP2).await, |setup| setup.policy(policy)).await
}

/// Pings are answered, and do not keep the connection: nobody waits for anything on it.
#[tokio::test]
async fn a_connection_with_nothing_but_pings_ends_with_goaway() {
    let world = idle_after("500ms").await;
    let mut client = world.ca.connect(world.proxy.proxy(), API, &[b"h2"]).await.expect("a connection");
    client.write_all(&[PREFACE, &frame(SETTINGS, 0, b""), &frame(SETTINGS, ACK, b"")].concat()).await.expect("it is sent");
    let (mut reading, mut writing) = tokio::io::split(client);
    let pinging = tokio::spawn(async move {
        let mut pace = interval(Duration::from_millis(50));
        while writing.write_all(&frame(PING, 0, b"are you?")).await.is_ok() {
            pace.tick().await;
        }
    });
    let mut bytes = Vec::new();
    let farewell = async {
        while !frames(&bytes).iter().any(|frame| frame.kind == GOAWAY) {
            let read = reading.read_buf(&mut bytes).await.expect("the connection stays up");
            assert_ne!(read, 0, "it ended without GOAWAY: {:?}", frames(&bytes));
        }
    };
    within_deadline("GOAWAY", farewell).await;
    let received = frames(&bytes);
    let pongs = received.iter().filter(|frame| frame.kind == PING && frame.flags == ACK && frame.payload == b"are you?").count();
    assert!(pongs >= 3, "pings are answered: {received:?}");
    let last = received.iter().rfind(|frame| frame.kind == GOAWAY).expect("GOAWAY");
    assert_eq!(last.payload[4..8], [0; 4], "without an error: {last:?}");
    pinging.abort();
}

/// Three times the limit in all, never the limit at once.
#[tokio::test]
async fn a_connection_with_a_call_that_moves_lives() {
    let world = idle_after("1200ms").await;
    let mut client: Http2 = world.http2().await;
    let (response, mut body) = client.open(call("/t/Chat")).await;
    body.send_data(message(&number(1)).into(), false).expect("the stream is open");
    let mut echoed = within_deadline("an answer", response).await.expect("an answer").into_body();
    let mut pace = interval(Duration::from_millis(300));
    for turn in 0..12 {
        assert_eq!(piece(&mut echoed).await.expect("the echo"), message(&number(1)), "message {turn}");
        pace.tick().await;
        body.send_data(message(&number(1)).into(), false).expect("the stream is open");
    }
    // A connection that was told to end would take no other stream, and finish this one all the same.
    assert_eq!(client.ask(post_json("/echo"), &[b"{}"], None).await.status(), 200);
}
