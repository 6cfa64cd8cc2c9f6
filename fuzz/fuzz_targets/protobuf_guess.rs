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
    let [.., Event::Reading, Event::Bytes(whole), Event::ReadingEnd] = &witness.events[..] else { panic!("the whole message comes last") };
    assert_eq!(whole, bytes);
    let mut rest = bytes;
    while let Some(payload) = next(&mut rest) {
        let text = std::str::from_utf8(payload).ok().filter(|text| !text.is_empty() && text.bytes().all(is_printable));
        assert!(text.is_none_or(|text| witness.has_text(text)), "a text was passed over: {text:?}");
    }
});

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
