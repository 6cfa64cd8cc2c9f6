//! What inspection says of a message, in every format that is read, and what a site's settings change in it.

mod formats;
mod grpc;
mod settings;

use crate::support::client::Problem;
use crate::support::origin::TappedOrigin;
use crate::support::world::{API, HTTP1, HTTP2, World};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;

/// A proxy with these lines in its `[inspection]`, in front of an origin that sends back what it gets.
async fn configured(alpn: &[&[u8]], lines: &str) -> World {
    let section = format!("[inspection]\n{lines}");
    World::with(async |pki| TappedOrigin::echoing(pki, &[API], alpn).await, |setup| setup.section(&section)).await
}

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    /// It came back as it was sent.
    Passed,
    /// It was refused, for a reason and with a detail.
    Refused(String, String),
}

/// Posts a body with these header fields.
async fn post(world: &World, fields: &str, body: &[u8]) -> Told {
    let mut client = world.raw().await;
    let head = format!("POST /echo HTTP/1.1\r\nHost: {API}\r\n{fields}Content-Length: {}\r\n\r\n", body.len());
    client.send(&[head.as_bytes(), body].concat()).await;
    let head = client.read_head().await;
    let back = client.read_body(&head).await;
    if head.status == 200 {
        assert_eq!(String::from_utf8_lossy(&back), String::from_utf8_lossy(body));
        return Told::Passed;
    }
    let problem = Problem::parse(&head, &back);
    Told::Refused(problem.reason, problem.detail)
}

async fn post_json(world: &World, body: &str) -> Told {
    post(world, "Content-Type: application/json\r\n", body.as_bytes()).await
}

/// The message was refused for this reason, with these words.
fn assert_refused(told: &Told, reason: &str, words: &str, which: &str) {
    let is_refused = matches!(told, Told::Refused(because, detail) if because == reason && detail.contains(words));
    assert!(is_refused, "{which}: expected {reason} with {words:?}, got {told:?}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}
