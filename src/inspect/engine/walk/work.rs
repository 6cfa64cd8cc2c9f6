//! How often a walk looks at a byte, for messages made to cost work.

use super::*;
use crate::inspect::engine::format::{Limits, json, protobuf};
use crate::inspect::engine::shape::Shape;
use crate::inspect::engine::shape::document::Document;

#[path = "../../../../benches/support/adversarial.rs"]
mod adversarial;

/// Looks at a byte, over the whole walk, for messages in which each detector looks at little.
const FEW: u64 = 8;
/// Looks at a byte, over the whole walk, for those in which every byte may begin something for several detectors.
const SOME: u64 = 14;
/// The same where each does, or all of it is turned into other letters and looked at again.
const MOST: u64 = 18;
/// The same where the text is there again in another encoding, which is looked at as well.
const MOST_WRAPPED: u64 = 36;
/// Looks at a byte for encodings.
const MOST_UNWRAPPING: u64 = 12;
/// Messages with few looks.
const LIGHT: &[&str] = &[
    "all-at",
    "a-at-b",
    "backslashes",
    "colons",
    "dots",
    "words",
    "small-values",
    "small-numbers",
    "small-names",
    "other-values",
    "other-names",
    "many-keys",
    "deep-keys",
    "deep",
];
/// Messages with the most.
const HEAVY: &[&str] = &["domain-user", "hex-colons", "sids", "umlauts"];
const SIZE: usize = 32 << 10;

fn tree() -> Tree {
    let document: Document = toml::from_str(include_str!("../../../../config/policy/shape.toml")).expect("the shape is TOML");
    Tree::new(Shape::compile(&document).expect("the shape compiles"))
}

/// Looks at all bytes but for encodings, and for those.
fn looks(bytes: &[u8], read: impl Fn(&[u8], &mut Walk<'_>)) -> (u64, u64) {
    let (tree, settings) = (tree(), Settings::default());
    let mut walk = Walk::new(&tree, &settings, bytes.len());
    read(bytes, &mut walk);
    (walk.visits(), walk.unwrapping_visits())
}

fn read_json(bytes: &[u8], walk: &mut Walk<'_>) {
    let limits = Limits { nodes: 1 << 20, string: 1 << 20, ..Limits::default() };
    json::read(bytes, limits, walk).expect("it is JSON");
}

#[test]
fn the_looks_at_a_byte_are_bounded() {
    let mut light = 0;
    for (name, make) in adversarial::JSON {
        let bytes = make(SIZE);
        let (looked, unwrapped) = looks(&bytes, read_json);
        let is_light = LIGHT.contains(name);
        light += usize::from(is_light);
        let most = match *name {
            "nested-base64" => MOST_WRAPPED,
            _ if is_light => FEW,
            name if HEAVY.contains(&name) => MOST,
            _ => SOME,
        };
        let size = bytes.len() as u64;
        assert!(looked <= most * size, "{name}: {looked} looks at {size} bytes");
        assert!(unwrapped <= MOST_UNWRAPPING * size, "{name}: {unwrapped} looks for encodings at {size} bytes");
        // Reading and marking alone are more than two.
        assert!(looked >= 2 * size, "{name}: {looked} looks at {size} bytes are not all");
    }
    assert_eq!(light, LIGHT.len());
}

#[test]
fn twice_the_message_is_twice_the_work() {
    for (name, make) in adversarial::JSON {
        let (once, twice) = (make(SIZE), make(2 * SIZE));
        let (few, unwrapped) = looks(&once, read_json);
        let (many, more) = looks(&twice, read_json);
        assert!(many * 10 <= few * 22 + 10_000, "{name}: {few}, then {many}");
        assert!(more * 10 <= unwrapped * 22 + 10_000, "{name}: {unwrapped}, then {more} for encodings");
    }
}

/// Messages inside one another, each the only field of the one around it.
fn len_in_len(size: usize) -> Vec<u8> {
    let mut message = vec![b'A'; size];
    for _ in 0..28 {
        let mut length = message.len();
        let mut outer = vec![0x0a];
        while length >= 0x80 {
            outer.push(u8::try_from(length & 0x7f).expect("seven bits") | 0x80);
            length >>= 7;
        }
        outer.push(u8::try_from(length).expect("seven bits"));
        outer.extend_from_slice(&message);
        message = outer;
    }
    message
}

#[test]
fn messages_in_messages_are_not_looked_at_once_a_level() {
    let bytes = len_in_len(SIZE);
    let (looked, unwrapped) = looks(&bytes, |bytes, walk| {
        let limits = Limits { string: 1 << 20, ..Limits::default() };
        let _ = protobuf::read(bytes, limits, walk); // what has too many readings is refused
    });
    assert!(looked <= SOME * bytes.len() as u64, "{looked}");
    assert!(unwrapped <= MOST_UNWRAPPING * bytes.len() as u64, "{unwrapped}");
}
