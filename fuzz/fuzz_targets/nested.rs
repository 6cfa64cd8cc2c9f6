//! Nested encodings: bounded depth, bytes and work; and a text in base64 or hex is found, whatever text it is.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::fmt::Write as _;
use ucx_egress::inspect::engine::canonical::Unreadable;
use ucx_egress::inspect::engine::canonical::nested::{Budget, Derived, walk};

/// How often a byte, derived ones included, may be looked at.
const VISITS: u64 = 48;
/// Shortest run that is taken for something encoded.
const SHORTEST: usize = 12;
/// Shortest run of decimal digits that is.
const SHORTEST_DECIMAL: usize = 40;

fuzz_target!(|bytes: &[u8]| {
    follow(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if text.len() < SHORTEST || !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return;
    }
    let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    // A number, as far as anybody can tell.
    if hex.len() < SHORTEST_DECIMAL && hex.bytes().all(|byte| byte.is_ascii_digit()) {
        return;
    }
    // Refused is as good as found.
    let is_found = follow(hex.as_bytes()).is_none_or(|texts| texts.iter().any(|own| own == text));
    assert!(is_found, "not found in hex: {text:?}");
});

/// All texts; `None` if it was refused.
fn follow(bytes: &[u8]) -> Option<Vec<String>> {
    let mut budget = Budget::new(bytes.len());
    let room = budget.left();
    let mut texts = Vec::new();
    let mut derived = 0;
    let outcome = walk(bytes, 0, &mut budget, &mut |found, _| match found {
        Derived::Text { text, .. } => {
            derived += text.len();
            texts.push(text.to_owned());
        }
        Derived::Bytes { bytes, .. } => derived += bytes.len(),
        Derived::Json { text } => assert!(text.len() <= bytes.len().max(derived)),
        Derived::Opaque { len, .. } => assert!(len > 0),
    });
    assert!(derived <= 2 * room, "{derived} derived bytes of {room}");
    assert!(budget.left() <= room);
    let looked_at = budget.visited();
    assert!(looked_at <= VISITS * (bytes.len() + room + 64) as u64, "{looked_at} bytes were looked at");
    match outcome {
        Ok(()) => Some(texts),
        Err(why) => {
            assert_ne!(why, Unreadable::Charset);
            None
        }
    }
}
