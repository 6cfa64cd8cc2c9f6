//! The answer of a parent proxy to CONNECT: the same however it arrives, and refused as soon as it can only be refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ucx_egress::upstream::parent::answer;
use ucx_egress_fuzz::cuts;

fuzz_target!(|bytes: &[u8]| {
    for pieces in cuts(bytes) {
        let mut read = Vec::new();
        let mut outcome = Ok(None);
        for piece in pieces {
            let before = read.len();
            read.extend_from_slice(piece);
            outcome = answer::head(&read, before);
            if !matches!(outcome, Ok(None)) {
                break;
            }
        }
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
        match outcome {
            Ok(Some(_)) => {
                let head = &bytes[..end.expect("a head that was read has an end")];
                assert!(head.starts_with(b"HTTP/1."), "another protocol");
                assert!(head.iter().enumerate().all(|(at, byte)| *byte != b'\n' || at > 0 && head[at - 1] == b'\r'));
            }
            Ok(None) => assert!(end.is_none(), "a complete head that is waited for"),
            Err(why) => assert!(!why.is_empty()),
        }
    }
});
