//! gRPC: messages that are compressed as their call says, and messages that are read by name.

use super::{HTTP2, configured, gzip};
use crate::support::clean::{field, labelled, number, record};
use crate::support::http2::{Answer, message, stream_bodies};
use crate::support::world::{ADDRESS, World, call};
use http::header::HeaderValue;
use std::path::PathBuf;
use tempfile::TempDir;

/// A message with its prefix, marked as compressed.
fn compressed(payload: &[u8]) -> Vec<u8> {
    let mut framed = message(payload);
    framed[0] = 1;
    framed
}

/// Sends messages in one call that names this coding.
async fn coded(world: &World, coding: &'static str, messages: &[u8]) -> Answer {
    let mut head = call("/t/Report");
    head.headers_mut().insert("grpc-encoding", HeaderValue::from_static(coding));
    world.http2().await.ask(head, &[messages], None).await
}

fn assert_refused(answer: &Answer, words: &str) {
    assert_eq!((answer.status(), answer.field("grpc-status")), (200, Some("7")), "{answer:?}");
    assert!(answer.field("grpc-message").is_some_and(|told| told.contains(words)), "{words}: {answer:?}");
}

#[tokio::test]
async fn compressed_messages_are_read_where_the_call_names_their_coding() {
    let world = World::echoing(HTTP2).await;
    let clean = [compressed(&gzip(&number(1250))), message(&number(2)), compressed(&gzip(&labelled("14.0.1")))].concat();
    let answer = coded(&world, "gzip", &clean).await;
    assert_eq!((answer.field("grpc-status"), answer.body == clean), (Some("0"), true), "as they were: {answer:?}");
    let telling = [message(&number(1)), compressed(&gzip(&labelled(ADDRESS)))].concat();
    let answer = coded(&world, "gzip", &telling).await;
    assert_refused(&answer, "personal_data: personal data where the vendor promises none: email in gRPC message 2 /(0)");
    assert!(!answer.text().contains("mario"), "{answer:?}");
    assert_refused(&coded(&world, "gzip", &compressed(&gzip(&labelled("some words"))).clone()).await, "undocumented_field: ");
    assert_refused(&coded(&world, "gzip", &compressed(&number(1))).await, "uninspectable: ");
    assert_refused(&coded(&world, "snappy", &compressed(&gzip(&number(1)))).await, "uninspectable: ");
    assert_refused(&coded(&world, "identity, gzip", &compressed(&gzip(&number(1)))).await, "uninspectable: ");
    for body in stream_bodies(&world.what_arrived().await) {
        assert!(clean.starts_with(&body) || message(&number(1)).starts_with(&body), "{body:?}");
    }
}

/// A message that is too long to be inspected where it arrives, and what is in it besides.
fn large(besides: &[u8]) -> Vec<u8> {
    message(&[&record(40_000), &record(40_000)[..], besides].concat())
}

#[tokio::test]
async fn large_messages_keep_their_place_in_the_stream() {
    let world = configured(HTTP2, "unknown_fields = \"observe\"").await;
    let long = number(1).repeat(20_000);
    let clean = [message(&number(1)), large(&number(2)), compressed(&gzip(&long)), large(&[]), message(&number(3))].concat();
    let answer = coded(&world, "gzip", &clean).await;
    assert_eq!((answer.field("grpc-status"), answer.body == clean), (Some("0"), true), "as they were: {:?}", answer.field("grpc-message"));
    let released = [message(&number(1)), large(&number(1))].concat();
    let telling = [&released[..], &large(&labelled(ADDRESS)), &message(&number(4))].concat();
    assert_refused(&coded(&world, "gzip", &telling).await, "email in gRPC message 3 /(4)");
    // What a large message has goes on behind it, and what was in front of it in it.
    let (mario, at_home) = (field(2, b"mario"), field(2, b"@example.com"));
    for pieces in [[large(&mario), message(&at_home)], [message(&mario), large(&at_home)], [large(&mario), large(&at_home)]] {
        assert_refused(&coded(&world, "gzip", &pieces.concat()).await, "email in gRPC message 2 ");
    }
    for body in stream_bodies(&world.what_arrived().await) {
        assert!(
            clean.starts_with(&body) || released.starts_with(&body) || !body.windows(4).any(|bytes| bytes == b"@exa"),
            "{}",
            body.len()
        );
    }
}

/// A field of a descriptor: its name, number and type. All are optional.
fn member(name: &str, number_: u64, kind: u64) -> Vec<u8> {
    [field(1, name.as_bytes()), varied(3, number_), varied(4, 1), varied(5, kind)].concat()
}

/// A small number in a descriptor.
fn varied(key: u64, value: u64) -> Vec<u8> {
    let mut bytes = number(value);
    bytes[0] = u8::try_from(key << 3).expect("a small field number");
    bytes
}

/// What `protoc` makes of `message Beat { string edition_name = 1; string startup_identity = 2; uint32 handle_count = 3; }` with a
/// service `t.Telemetry` that takes it in `Send`.
fn descriptors() -> Vec<u8> {
    const STRING: u64 = 9;
    const UINT32: u64 = 13;
    let members = [member("edition_name", 1, STRING), member("startup_identity", 2, STRING), member("handle_count", 3, UINT32)];
    let beat = [field(1, b"Beat"), members.map(|member| field(2, &member)).concat()].concat();
    let send = [field(1, b"Send"), field(2, b".t.Beat"), field(3, b".t.Beat")].concat();
    let telemetry = [field(1, b"Telemetry"), field(2, &send)].concat();
    let file = [field(1, b"t.proto"), field(2, b"t"), field(4, &beat), field(6, &telemetry), field(12, b"proto3")].concat();
    field(1, &file)
}

fn written(folder: &TempDir) -> PathBuf {
    let file = folder.path().join("telemetry.pb");
    std::fs::write(&file, descriptors()).expect("the descriptors are written");
    file
}

#[tokio::test]
async fn methods_of_the_descriptors_are_read_by_name() {
    let folder = TempDir::new().expect("a temporary folder");
    let world = configured(HTTP2, &format!("descriptors = \"{}\"", written(&folder).display())).await;
    let mut client = world.http2().await;
    let clean = message(&[field(1, b"Contoso Server Prime"), varied(3, 612)].concat());
    let answer = client.ask(call("/t.Telemetry/Send"), &[&clean], None).await;
    assert_eq!((answer.field("grpc-status"), answer.body == clean), (Some("0"), true), "{answer:?}");
    // By its number alone nobody knows what the text is.
    assert_refused(&client.ask(call("/t.Telemetry/Other"), &[&clean], None).await, "undocumented_field: ");
    let telling = message(&field(2, b"ACME\\mario.rossi"));
    let answer = client.ask(call("/t.Telemetry/Send"), &[&telling], None).await;
    assert_refused(&answer, "identity in gRPC message 1 /startup");
    assert!(!answer.text().contains("mario"), "{answer:?}");
    let beyond = message(&field(9, b"14.0.1"));
    assert_refused(&client.ask(call("/t.Telemetry/Send"), &[&beyond], None).await, "uninspectable: ");
    drop(client);
    assert_eq!(stream_bodies(&world.what_arrived().await), [clean]);
}
