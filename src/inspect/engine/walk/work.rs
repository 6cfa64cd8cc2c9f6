//! How often a walk looks at a byte, for messages made to cost work.

use super::*;
use crate::inspect::engine::format::{Limits, json, protobuf};
use crate::inspect::engine::shape::Shape;
use crate::inspect::engine::shape::document::Document;

#[path = "../../../../benches/support/adversarial.rs"]
mod adversarial;

const SIZE: usize = 128 << 10;
/// Messages that are looked at to their end.
const LIGHT: &[&str] = &["all-at", "backslashes", "small-values", "small-numbers", "small-names", "many-keys", "deep-keys", "deep"];

fn tree() -> Tree {
    let document: Document = toml::from_str(include_str!("../../../../config/policy/shape.toml")).expect("the shape is TOML");
    Tree::new(Shape::compile(&document).expect("the shape compiles"))
}

/// Looks at all bytes, and what came of them.
fn looks(bytes: &[u8], read: impl Fn(&[u8], &mut Walk<'_>)) -> (u64, Report) {
    let (tree, settings) = (tree(), Settings::default());
    let mut walk = Walk::new(&tree, &settings, bytes.len());
    read(bytes, &mut walk);
    (walk.visits() + walk.unwrapping_visits(), walk.finish())
}

fn read_json(bytes: &[u8], walk: &mut Walk<'_>) {
    let limits = Limits { nodes: 1 << 20, string: 1 << 20, ..Limits::default() };
    json::read(bytes, limits, walk).expect("it is JSON");
}

/// The most looks at a message of so many bytes.
fn most(bytes: &[u8]) -> u64 {
    9 * bytes.len() as u64 + FREE_LOOKS
}

#[test]
fn no_message_costs_more_than_nine_looks_at_a_byte() {
    for (name, make) in adversarial::JSON {
        let bytes = make(SIZE);
        let (looked, report) = looks(&bytes, read_json);
        assert!(looked <= most(&bytes), "{name}: {looked} looks at {} bytes", bytes.len());
        // Reading and marking alone are two.
        assert!(looked >= 2 * bytes.len() as u64, "{name}: {looked} looks at {} bytes are not all", bytes.len());
        if LIGHT.contains(name) {
            assert_eq!(report.unreadable, None, "{name}");
        }
    }
}

#[test]
fn twice_the_message_is_twice_the_work() {
    for (name, make) in adversarial::JSON {
        let (once, twice) = (make(SIZE), make(2 * SIZE));
        let (few, _) = looks(&once, read_json);
        let (many, _) = looks(&twice, read_json);
        assert!(many * 10 <= few * 22 + 10_000, "{name}: {few}, then {many}");
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
    let (looked, _) = looks(&bytes, |bytes, walk| {
        let limits = Limits { string: 1 << 20, ..Limits::default() };
        let _ = protobuf::read(bytes, limits, walk); // what has too many readings is refused
    });
    assert!(looked <= most(&bytes), "{looked}");
}
