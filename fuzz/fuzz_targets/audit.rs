//! Audit files that somebody else wrote: no panic, and a fault is in a line that there is.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::path::PathBuf;
use std::sync::LazyLock;
use tempfile::TempDir;
use ucx_egress::audit::verify::{Options, verify};

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a temporary folder"));

fuzz_target!(|bytes: &[u8]| {
    let path: PathBuf = FOLDER.path().join("audit-20260101T000000Z-1.jsonl");
    std::fs::write(&path, bytes).expect("the file is written");
    let lines = bytes.split(|byte| *byte == b'\n').count() as u64;
    for is_open in [false, true] {
        let mut seen = 0;
        let Ok(verified) = verify(&[path.clone()], &Options { key: None, is_open }, &mut |_| seen += 1) else { continue };
        assert!(seen <= lines);
        if let Some(fault) = &verified.fault {
            assert!(!verified.ok && fault.line <= lines + 1 && !fault.message.is_empty(), "{fault:?}");
        }
    }
});
