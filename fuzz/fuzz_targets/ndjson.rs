//! The reader of JSON lines: the same calls, errors and findings however they are cut, and each line as if it stood alone.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ucx_egress::inspect::engine::format::{Fault, Limits, json, ndjson};
use ucx_egress_fuzz::read_however_cut;
use ucx_egress_fuzz::witness::{Event, Witness};

fuzz_target!(|bytes: &[u8]| {
    let (whole, outcome) = read_however_cut(bytes, |pieces, visitor| {
        let mut reader = ndjson::Lines::new(Limits::default());
        pieces.iter().try_for_each(|piece| reader.push(piece, visitor)).and_then(|()| reader.finish(visitor))
    });
    let is_limit = outcome.is_err_and(|malformed| malformed.fault == Fault::Nodes);
    match line_by_line(bytes) {
        Some(events) => {
            assert!(is_limit || outcome.is_ok(), "every line is a document: {outcome:?}");
            assert!(is_limit || events == whole.events, "each line as if it stood alone");
        }
        None => assert!(outcome.is_err(), "accepted a line that is no document"),
    }
});

/// The calls of all lines, each read by itself; `None` if one is no document.
fn line_by_line(bytes: &[u8]) -> Option<Vec<Event>> {
    let is_blank = |line: &&[u8]| line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'));
    let mut events = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').filter(|line| !is_blank(line)).enumerate() {
        let mut witness = Witness::default();
        json::read(line, Limits::default(), &mut witness).ok()?;
        events.push(Event::Element(index));
        events.append(&mut witness.events);
        events.push(Event::ElementEnd);
    }
    Some(events)
}
