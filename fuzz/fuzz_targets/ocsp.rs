//! A stapled OCSP response: bounded work, and "revoked" only where the bytes can say so.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ucx_egress::upstream::ocsp::says_revoked;

fuzz_target!(|bytes: &[u8]| {
    // The tag of a certificate status that says revoked, `[1]`: constructed or, where somebody encodes badly, primitive or long.
    let may_say_so = bytes.iter().any(|byte| matches!(byte, 0xa1 | 0x81 | 0xbf | 0x9f));
    assert!(!says_revoked(bytes) || may_say_so);
});
