//! Content codings: bounded output, nothing behind or missing, and of zstd what the reference decoder gives.
//!
//! The first byte chooses the codings, the rest is the body.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ucx_egress::inspect::engine::canonical::coding::decode;
use ucx_egress::inspect::engine::canonical::{Limits, Unreadable};
use ucx_egress_fuzz::{MAX_MESSAGE, choice};

const LIMITS: Limits = Limits { max_output: MAX_MESSAGE };
/// What may be in `Content-Encoding`: each coding, each pair, and nothing.
const CODINGS: [&str; 22] = [
    "gzip",
    "deflate",
    "br",
    "zstd",
    "",
    "x-gzip",
    "gzip, gzip",
    "gzip, deflate",
    "gzip, br",
    "gzip, zstd",
    "deflate, gzip",
    "deflate, deflate",
    "deflate, br",
    "deflate, zstd",
    "br, gzip",
    "br, deflate",
    "br, br",
    "br, zstd",
    "zstd, gzip",
    "zstd, deflate",
    "zstd, br",
    "zstd, zstd",
];

fuzz_target!(|input: &[u8]| {
    let Some((chosen, body)) = choice(input, CODINGS.len()) else { return };
    let codings = CODINGS[chosen];
    let outcome = decode(codings, body, &LIMITS);
    assert_eq!(decode(codings, body, &LIMITS), outcome, "another outcome when asked again");
    let Ok(decoded) = outcome else { return };
    assert!(decoded.len() <= MAX_MESSAGE.min((body.len() * 100).max(64 << 10)), "{} bytes of {}", decoded.len(), body.len());
    assert!(!decoded.starts_with(b"\x1f\x8b\x08") && !decoded.starts_with(b"\x28\xb5\x2f\xfd"), "still coded");
    if body.is_empty() {
        assert!(decoded.is_empty());
        return;
    }
    // What is valid without a zlib wrapper may be so with one when it is longer or shorter; the others have one end.
    let outermost = codings.rsplit(", ").next().unwrap_or_default();
    if ["gzip", "x-gzip", "br", "zstd"].contains(&outermost) {
        assert!(decode(codings, &[body, b"\0"].concat(), &LIMITS).is_err(), "a byte behind the stream was passed over");
        let (_, shorter) = body.split_last().expect("it is not empty");
        assert!(shorter.is_empty() || decode(codings, shorter, &LIMITS).is_err(), "a stream that is cut off was read");
    }
    if codings == "zstd" {
        assert_reference(body, &decoded);
    }
    // No room for it: refused, not cut.
    if let Some(less) = decoded.len().checked_sub(1) {
        assert_eq!(decode(codings, body, &Limits { max_output: less }).map_err(is_refusal), Err(true), "beyond the limit");
    }
});

/// Why a body without room for it may be refused.
fn is_refusal(why: Unreadable) -> bool {
    why == Unreadable::TooLarge
}

/// What both decoders read is the same. A receiver that refuses it does no harm.
fn assert_reference(body: &[u8], decoded: &[u8]) {
    if let Ok(reference) = zstd::stream::decode_all(body) {
        assert!(reference == decoded, "the reference decoder gives something else");
    }
}
