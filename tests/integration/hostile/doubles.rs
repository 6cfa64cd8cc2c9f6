//! A byte that does not belong there, at two places of a Transfer-Encoding field: the classic way to have one server of a chain
//! see a chunked body and another one see none. Every byte but the visible ones of ASCII, in all six pairs of places.

use super::counted;
use super::front::{Front, Outcome};
use std::iter;

/// A field for each pair of places: before the name, behind it, before the value, behind it.
fn fields(byte: u8) -> [(&'static str, Vec<u8>); 6] {
    let odd = &[byte][..];
    let none = &b""[..];
    let field = |a: &[u8], b: &[u8], c: &[u8], d: &[u8]| [a, b"Transfer-Encoding", b, b":", c, b"chunked", d].concat();
    [
        ("around the name", field(odd, odd, b" ", none)),
        ("before name and value", field(odd, none, odd, none)),
        ("around the field", field(odd, none, b" ", odd)),
        ("around the colon", field(none, odd, odd, none)),
        ("behind name and value", field(none, odd, b" ", odd)),
        ("around the value", field(none, none, odd, odd)),
    ]
}

fn bytes() -> impl Iterator<Item = u8> {
    (0..=0x20).chain(iter::once(0x7f)).chain(0x80..=0xff)
}

/// A message whose body is another request, for whoever reads the field otherwise than its neighbour.
fn message(field: &[u8], length: Option<usize>) -> Vec<u8> {
    let length = length.map_or_else(String::new, |length| format!("Content-Length: {length}\r\n"));
    let start = b"POST {T}/a HTTP/1.1\r\n";
    let rest = format!("\r\nHost: {{H}}\r\n{length}\r\n0\r\n\r\nGET {{T}}/smuggled HTTP/1.1\r\nHost: {{H}}\r\n\r\n");
    [start, field, rest.as_bytes()].concat()
}

/// White space around a value is no part of it: with no length beside it that field is in order. The request behind it then is one
/// that the client makes in the open.
fn in_order() -> Outcome {
    let seen = ["POST /a 0", "GET /smuggled 0", "GET /end 0"].map(str::to_owned).to_vec();
    Outcome { statuses: vec![200; 3], seen }
}

/// Runs all bytes and places; whatever is refused is refused before anything of it reaches the origin.
async fn run(front: Front, length: Option<usize>) -> usize {
    let mut wrong = Vec::new();
    let mut cases = 0;
    for byte in bytes() {
        for (place, field) in fields(byte) {
            cases += 1;
            let outcome = front.ask(&message(&field, length)).await;
            let is_refused = outcome == Outcome { statuses: vec![400], seen: Vec::new() };
            let is_white_space = matches!(byte, b' ' | b'\t') && place == "around the value";
            let right = if is_white_space && length.is_none() { outcome == in_order() } else { is_refused };
            if !right {
                wrong.push(format!("{byte:#04x} {place}: {outcome:?}"));
            }
        }
    }
    wrong.extend(front.close().await);
    assert!(wrong.is_empty(), "{wrong:#?}");
    cases
}

#[tokio::test]
async fn a_byte_twice_in_transfer_encoding_beside_a_length() {
    counted("doubled bytes beside a length, in the clear", run(Front::plain().await, Some(5)).await);
}

#[tokio::test]
async fn a_byte_twice_in_transfer_encoding_alone() {
    counted("doubled bytes without a length, in the clear", run(Front::plain().await, None).await);
}

#[tokio::test]
async fn a_byte_twice_in_transfer_encoding_beside_a_length_inside() {
    counted("doubled bytes beside a length, decrypted", run(Front::inside().await, Some(5)).await);
}

#[tokio::test]
async fn a_byte_twice_in_transfer_encoding_alone_inside() {
    counted("doubled bytes without a length, decrypted", run(Front::inside().await, None).await);
}
