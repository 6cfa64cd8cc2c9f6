//! The text reader: all of a text, or nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ucx_egress::inspect::engine::format::{Limits, text};
use ucx_egress_fuzz::witness::{Event, Witness};

fuzz_target!(|bytes: &[u8]| {
    let mut witness = Witness::default();
    let outcome = text::read(bytes, Limits::default(), &mut witness);
    let readable = std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0') && !text.starts_with('\u{feff}'));
    match readable {
        Some(text) => assert_eq!((outcome, witness.events), (Ok(()), vec![Event::Text(text.to_owned())])),
        None => assert!(outcome.is_err() && witness.events.is_empty()),
    }
});
