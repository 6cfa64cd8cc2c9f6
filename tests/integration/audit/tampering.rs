//! Whatever is done to a file is found, and the line is named.

use super::{Folder, closed, run, verified, verify_with_binary};
use std::path::PathBuf;
use tempfile::TempDir;
use ucx_egress::audit::chain::{Hash, open, seal};
use ucx_egress::audit::verify::Fault;

/// A copy that may be broken.
struct Copy {
    _folder: TempDir,
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Copy {
    fn of(folder: &Folder) -> Self {
        let copy = TempDir::new().expect("a folder");
        let file = folder.files().pop().expect("a file");
        let path = copy.path().join(file.file_name().expect("a name"));
        Self { path, bytes: std::fs::read(file).expect("readable"), _folder: copy }
    }

    fn lines(&self) -> Vec<Vec<u8>> {
        self.bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
    }

    fn fault(&self, bytes: &[u8]) -> Fault {
        std::fs::write(&self.path, bytes).expect("written");
        let verified = verified(std::slice::from_ref(&self.path));
        assert!(!verified.ok);
        verified.fault.unwrap_or_else(|| panic!("nothing was found"))
    }
}

#[tokio::test]
async fn every_flipped_byte_is_found_and_its_line_named() {
    let copy = Copy::of(&closed(3).await);
    let mut line = 1;
    for at in 0..copy.bytes.len() {
        let mut bytes = copy.bytes.clone();
        bytes[at] ^= [0x01, 0x20, 0x80][at % 3];
        let fault = copy.fault(&bytes);
        assert_eq!(fault.line, line, "byte {at}: {fault:?}");
        line += u64::from(copy.bytes[at] == b'\n');
    }
}

#[tokio::test]
async fn every_dropped_doubled_and_swapped_line_is_found_and_named() {
    let copy = Copy::of(&closed(3).await);
    let lines = copy.lines();
    for at in 0..lines.len() {
        let number = at as u64 + 1;
        let mut dropped = lines.clone();
        dropped.remove(at);
        let fault = copy.fault(&dropped.concat());
        assert_eq!(fault.line, number, "dropped {at}: {fault:?}");
        let mut doubled = lines.clone();
        doubled.insert(at, lines[at].clone());
        let fault = copy.fault(&doubled.concat());
        assert_eq!(fault.line, number + 1, "doubled {at}: {fault:?}");
        if at + 1 < lines.len() {
            let mut swapped = lines.clone();
            swapped.swap(at, at + 1);
            let fault = copy.fault(&swapped.concat());
            assert_eq!(fault.line, number, "swapped {at}: {fault:?}");
        }
    }
}

#[tokio::test]
async fn every_cut_is_found_and_named() {
    let folder = closed(2).await;
    let copy = Copy::of(&folder);
    for end in 0..copy.bytes.len() {
        let fault = copy.fault(&copy.bytes[..end]);
        let whole = copy.bytes[..end].split(|byte| *byte == b'\n').count() as u64;
        assert_eq!(fault.line, whole, "cut at {end}: {fault:?}");
    }
    let (code, text) = verify_with_binary(&[], std::slice::from_ref(&copy.path)).await;
    assert!(code == Some(1) && text.contains("broken at line 6"), "{text}");
}

/// A cut between two lines leaves a file that looks like that of a process that was killed; the next file knows better.
#[tokio::test]
async fn a_cut_is_found_by_the_file_behind_it() {
    let folder = closed(3).await;
    let copy = Copy::of(&folder);
    run(&folder, 1).await;
    let next = folder.files().pop().expect("a file");
    let check = |bytes: &[u8]| {
        std::fs::write(&copy.path, bytes).expect("written");
        verified(&[next.clone(), copy.path.clone()])
    };
    assert!(check(&copy.bytes).ok);
    let lines = copy.lines();
    for kept in 2..lines.len() {
        let fault = check(&lines[..kept].concat()).fault.expect("the cut is found");
        assert!(fault.line == 1 && fault.message.contains("missing"), "{kept}: {fault:?}");
    }
    let fault = check(&[&copy.bytes[..], b"{"].concat()).fault.expect("what was added is found");
    assert!(fault.line == 8, "{fault:?}");
}

/// Hashes need no key: whoever writes the chain anew from a changed line on is found by the signatures.
#[tokio::test]
async fn a_forged_chain_is_found_by_its_signatures() {
    let copy = Copy::of(&closed(3).await);
    let lines = copy.lines();
    let forge = |drop_checkpoints: bool| {
        let (mut hash, mut forged) = (Hash::NONE, Vec::new());
        for (index, line) in lines.iter().enumerate() {
            let (body, _) = open(line.trim_ascii_end()).expect("a line");
            let text = String::from_utf8(body.to_vec()).expect("text");
            if drop_checkpoints && index > 1 && text.contains("\"kind\":\"checkpoint\"") {
                continue;
            }
            let start = forged.len();
            forged.extend_from_slice(text.replace("\"verdict\":\"deny\"", "\"verdict\":\"allow\"").as_bytes());
            hash = seal(&hash, &mut forged, start);
        }
        forged
    };
    let fault = copy.fault(&forge(false));
    assert!(fault.line == 7 && fault.message.contains("signature"), "{fault:?}");
    let fault = copy.fault(&forge(true));
    assert!(fault.line == 7 && fault.message.contains("without a closing checkpoint"), "{fault:?}");
}

#[tokio::test]
async fn hostile_files_are_refused_with_a_word() {
    let copy = Copy::of(&closed(1).await);
    let first = copy.lines().remove(0);
    let endless = vec![b'x'; 1 << 20];
    let cases: [(&[u8], u64); 6] = [
        (b"", 1),
        (b"\n\n\n", 1),
        (b"\xff\xfe\x00\n", 1),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", 1),
        (&endless, 1),
        (&[&first[..], &endless].concat(), 2),
    ];
    for (bytes, line) in cases {
        let fault = copy.fault(bytes);
        assert_eq!(fault.line, line, "{fault:?}");
    }
}

#[tokio::test]
async fn missing_files_are_found_between_others_and_said_in_front() {
    let folder = closed(1).await;
    run(&folder, 1).await;
    run(&folder, 1).await;
    let files = folder.files();
    let whole = verified(&files);
    assert!(whole.ok && whole.notes.is_empty(), "{whole:?}");
    let fault = verified(&[files[0].clone(), files[2].clone()]).fault.expect("the hole is found");
    assert!(fault.message.contains("5 lines before this one are missing"), "{fault:?}");
    let rest = verified(&files[1..]);
    assert!(rest.ok && rest.notes[0].contains("begins at seq 6: earlier files are not given"), "{rest:?}");
}
