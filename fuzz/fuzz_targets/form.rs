//! The form reader: what it accepts has the pairs that the URL standard's own parser gives.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ucx_egress::inspect::engine::format::{Limits, form};
use ucx_egress_fuzz::witness::{Event, Witness};

fuzz_target!(|bytes: &[u8]| {
    let mut witness = Witness::default();
    if form::read(bytes, Limits::default(), &mut witness).is_err() {
        return;
    }
    witness.assert_closed();
    let mut expected = vec![Event::Object];
    for (name, value) in form_urlencoded::parse(bytes) {
        expected.extend([Event::Key(name.into_owned()), Event::Text(value.into_owned()), Event::KeyEnd]);
    }
    expected.push(Event::ObjectEnd);
    assert_eq!(witness.events, expected);
});
