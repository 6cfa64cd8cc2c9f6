//! A stapled OCSP response: bounded work, and "revoked" only where the bytes can say so.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ucx_egress::upstream::ocsp::says_revoked;

fuzz_target!(|bytes: &[u8]| {
    // A `[1]` in constructed form, the tag of a certificate status that says revoked.
    assert!(!says_revoked(bytes) || bytes.contains(&0xa1));
});
