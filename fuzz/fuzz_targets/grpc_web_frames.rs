//! gRPC-Web framing, binary and text: the same frames however a stream is cut, and text that is the same stream has the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ucx_egress::inspect::engine::format::Malformed;
use ucx_egress::inspect::engine::format::grpc_web::{Frame, Frames};
use ucx_egress_fuzz::cuts;

/// Small, so that a short input can pass it.
const MAX: usize = 600;

fuzz_target!(|bytes: &[u8]| {
    let binary = framed(Frames::new(MAX), &[bytes]);
    let text = framed(Frames::of_text(MAX), &[bytes]);
    for pieces in cuts(bytes) {
        assert!(framed(Frames::new(MAX), &pieces) == binary, "in {} pieces", pieces.len());
        // Whether the text or the frame in it is found wanting first is the only difference.
        let cut = framed(Frames::of_text(MAX), &pieces);
        assert!(cut.ok() == text.clone().ok(), "text in {} pieces", pieces.len());
    }
    let encoded = base64(bytes);
    assert!(framed(Frames::of_text(MAX), &[encoded.as_bytes()]).ok() == binary.clone().ok(), "the same stream as text");
    let Ok(frames) = binary else { return };
    assert!(frames.iter().rev().skip(1).all(|frame| !frame.is_trailers), "something behind the trailers");
    let length: usize = frames.iter().map(|frame| frame.payload.len() + 5).sum();
    assert_eq!(length, bytes.len(), "nothing is lost");
});

fn framed(mut frames: Frames, pieces: &[&[u8]]) -> Result<Vec<Frame>, Malformed> {
    let mut found = Vec::new();
    for piece in pieces {
        frames.push(piece)?;
        while let Some(frame) = frames.next_frame()? {
            found.push(frame);
        }
    }
    frames.finish().map(|()| found)
}

/// RFC 4648 section 4, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let sum = (0..3).fold(0_usize, |sum, index| sum << 8 | usize::from(*group.get(index).unwrap_or(&0)));
        for digit in 0..4 {
            let is_padding = digit > group.len();
            text.push(if is_padding { '=' } else { char::from(ALPHABET[sum >> (18 - 6 * digit) & 63]) });
        }
    }
    text
}
