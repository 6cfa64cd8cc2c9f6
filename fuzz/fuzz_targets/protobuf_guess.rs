//! Protocol Buffers without a descriptor: bounded work, and no text of the outermost message passed over.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ucx_egress::inspect::engine::format::{Limits, protobuf};
use ucx_egress_fuzz::witness::{Event, Witness};

fuzz_target!(|bytes: &[u8]| {
    let mut witness = Witness::default();
    let outcome = protobuf::read(bytes, Limits::default(), &mut witness);
    // Three bytes of UTF-8 may come of two of UTF-16, and a visit may be a byte of each of both.
    assert!(witness.volume() <= 6 * bytes.len() + 512, "{} of {}", witness.volume(), bytes.len());
    if outcome.is_err() {
        return;
    }
    witness.assert_closed();
    assert_rest(bytes, &witness);
    let mut rest = bytes;
    while let Some(payload) = next(&mut rest) {
        let text = std::str::from_utf8(payload).ok().filter(|text| !text.is_empty() && text.bytes().all(is_printable));
        assert!(text.is_none_or(|text| witness.has_text(text)), "a text was passed over: {text:?}");
    }
});

/// What was not handed on as text comes last, in its order.
fn assert_rest(bytes: &[u8], witness: &Witness) {
    let start = witness.events.iter().rposition(|event| matches!(event, Event::Reading)).expect("a further reading comes last");
    let [parts @ .., Event::ReadingEnd] = &witness.events[start + 1..] else { panic!("the reading is the last") };
    let mut behind = bytes;
    for part in parts {
        let Event::Bytes(part) = part else { panic!("only bytes are left") };
        let at = behind.windows(part.len()).position(|window| window == part).expect("it is a part of the message");
        behind = &behind[at + part.len()..];
    }
}

const fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

/// The payload of the next field of a message that was accepted; empty, if the field has none.
fn next<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let tag = varint(rest)?;
    match tag & 7 {
        0 => varint(rest).map(|_| &[][..]),
        1 => take(rest, 8).map(|_| &[][..]),
        2 => {
            let length = usize::try_from(varint(rest)?).ok()?;
            take(rest, length)
        }
        _ => take(rest, 4).map(|_| &[][..]),
    }
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let length = rest.iter().position(|byte| *byte < 0x80)? + 1;
    let bytes = take(rest, length)?;
    Some(bytes.iter().rev().fold(0, |sum, byte| sum << 7 | u64::from(byte & 0x7f)))
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(taken)
}
