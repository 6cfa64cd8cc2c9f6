//! The multipart reader, with the boundary `b`: every line of a body that it accepts is handed on, or is a delimiter.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ucx_egress::inspect::engine::format::{Limits, multipart};
use ucx_egress_fuzz::witness::{Event, Witness};

fuzz_target!(|bytes: &[u8]| {
    // Also as the value of a field, which has rules of its own.
    if let Ok(boundary) = std::str::from_utf8(bytes).map_or(Err(()), |text| multipart::boundary(text).map_err(|_| ())) {
        assert!((1..=70).contains(&boundary.len()) && boundary.is_ascii() && !boundary.ends_with(' '), "{boundary:?}");
    }
    let mut witness = Witness::default();
    if multipart::read(bytes, "b", Limits::default(), &mut witness).is_err() {
        return;
    }
    witness.assert_closed();
    witness.assert_counted();
    let parts = witness.events.iter().filter(|event| matches!(event, Event::Object)).count();
    assert!((1..=multipart::MAX_PARTS).contains(&parts), "{parts} parts");
    if !is_encoded(&witness) {
        assert!(witness.volume() <= 4 * bytes.len(), "more was handed on than there is");
        bytes.split(|byte| *byte == b'\n').for_each(|line| assert_seen(line, &witness));
    }
});

/// Whether something in it stands in the body in another form, or has a boundary of its own.
fn is_encoded(witness: &Witness) -> bool {
    witness.events.iter().any(|event| match event {
        Event::Key(key) => key == "content-transfer-encoding",
        Event::Text(text) => text.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/")),
        _ => false,
    })
}

fn assert_seen(line: &[u8], witness: &Witness) {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    // White space behind the end says nothing.
    if line.trim_ascii().is_empty() || line.starts_with(b"--b") {
        return;
    }
    let value = line.iter().position(|byte| *byte == b':').map(|colon| line[colon + 1..].trim_ascii());
    let is_seen = witness.events.iter().any(|event| match event {
        Event::Part(_, body) => body.windows(line.len()).any(|window| window == line),
        Event::Text(text) => value == Some(text.trim_ascii().as_bytes()),
        _ => false,
    });
    assert!(is_seen, "a line was passed over: {:?}", String::from_utf8_lossy(line));
}
