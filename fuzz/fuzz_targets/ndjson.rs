//! The reader of JSON lines: the same calls, errors and findings however they are cut, and each line as if it stood alone.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ucx_egress::inspect::engine::format::{Fault, Limits, Malformed, json, ndjson};
use ucx_egress::inspect::engine::walk::{Report, Settings, Unknown, Walk};
use ucx_egress_fuzz::witness::{Event, Witness};
use ucx_egress_fuzz::{TREE, cuts, settings};

fuzz_target!(|bytes: &[u8]| {
    let (whole, outcome) = witnessed(&[bytes]);
    let settings = settings(Unknown::Inert);
    let report = reported(&settings, bytes, &[bytes]);
    for pieces in cuts(bytes) {
        assert_eq!(witnessed(&pieces), (whole.clone(), outcome), "in {} pieces", pieces.len());
        assert_eq!(reported(&settings, bytes, &pieces), report, "in {} pieces", pieces.len());
    }
    let is_limit = outcome.is_err_and(|malformed| malformed.fault == Fault::Nodes);
    match line_by_line(bytes) {
        Some(events) => {
            assert!(is_limit || outcome.is_ok(), "every line is a document: {outcome:?}");
            assert!(is_limit || events == whole.events, "each line as if it stood alone");
        }
        None => assert!(outcome.is_err(), "accepted a line that is no document"),
    }
    if outcome.is_ok() {
        whole.assert_closed();
        whole.assert_counted();
    }
});

fn witnessed(pieces: &[&[u8]]) -> (Witness, Result<(), Malformed>) {
    let mut witness = Witness::default();
    let mut lines = ndjson::Lines::new(Limits::default());
    let outcome = pieces.iter().try_for_each(|piece| lines.push(piece, &mut witness)).and_then(|()| lines.finish(&mut witness));
    (witness, outcome)
}

fn reported(settings: &Settings, bytes: &[u8], pieces: &[&[u8]]) -> (Report, Result<(), Malformed>) {
    let mut walk = Walk::new(&TREE, settings, bytes.len());
    let mut lines = ndjson::Lines::new(Limits::default());
    let outcome = pieces.iter().try_for_each(|piece| lines.push(piece, &mut walk)).and_then(|()| lines.finish(&mut walk));
    (walk.finish(), outcome)
}

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
