//! Files end by size and by age, are compressed, and go when they are old enough; the chain goes through all of it.

use super::{Folder, ask, of_kind};
use crate::support::client::DEADLINE;
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;
use tokio::time::{Instant, interval};

/// Asks until the folder is as wanted. Files have no event to wait for.
async fn ask_until(folder: &Folder, proxy: std::net::SocketAddr, what: &str, wanted: impl Fn(&[String]) -> bool) {
    let deadline = Instant::now() + DEADLINE;
    let mut pause = interval(Duration::from_millis(20));
    loop {
        ask(proxy).await;
        let names: Vec<String> = folder.files().iter().map(|file| file.display().to_string()).collect();
        if wanted(&names) {
            return;
        }
        assert!(Instant::now() < deadline, "{what}: {names:?}");
        pause.tick().await;
    }
}

#[tokio::test]
async fn a_file_ends_by_size_and_is_compressed() {
    let folder = Folder::new();
    let daemon = folder.daemon("rotate_size = \"4KiB\"").await;
    let compressed = |names: &[String]| names.iter().filter(|name| name.contains(".jsonl.gz")).count() >= 3;
    ask_until(&folder, daemon.proxy, "three compressed files", compressed).await;
    assert_eq!(daemon.terminate().await, Some(0));
    let whole = folder.verify();
    assert!(whole.ok && whole.notes.is_empty() && whole.first == 1, "{whole:?}");
    assert!(whole.files.iter().all(|file| serde_json::json!(file.ended) == "closed"), "{whole:?}");
    let (lines, files) = (folder.lines(), folder.files());
    assert_eq!(of_kind(&lines, "start")[1]["why"], "rotation");
    assert_eq!(of_kind(&lines, "stop").len(), 1);
    for path in files.iter().chain([&folder.path().join("audit.key"), &folder.path().join("audit.lock")]) {
        assert_eq!(path.metadata().expect("there").mode() & 0o777, 0o600, "{path:?}");
    }
    assert_eq!(folder.path().metadata().expect("there").mode() & 0o777, 0o700);
}

#[tokio::test]
async fn files_end_by_age_and_go_when_they_are_old() {
    let folder = Folder::new();
    let daemon = folder.daemon("rotate_age = \"1s\"\nkeep = \"2s\"\ncompress = false").await;
    let is_gone = |names: &[String]| names.iter().all(|name| !name.contains("audit-000000000001-"));
    ask_until(&folder, daemon.proxy, "the first file goes", is_gone).await;
    assert_eq!(daemon.terminate().await, Some(0));
    let whole = folder.verify();
    assert!(whole.ok && whole.first > 1, "{whole:?}");
    assert!(whole.notes[0].contains("earlier files were removed by retention"), "{whole:?}");
    let lines = folder.lines();
    let removed: Vec<_> = of_kind(&lines, "start").into_iter().flat_map(|line| line["removed"].as_array().expect("a list")).collect();
    assert!(!removed.is_empty() && removed.iter().all(|file| file["hash"].as_str().is_some_and(|hash| hash.len() == 64)), "{removed:?}");
}

#[tokio::test]
async fn the_oldest_files_go_when_there_is_too_much() {
    let folder = Folder::new();
    let daemon = folder.daemon("rotate_size = \"4KiB\"\nkeep_size = \"16KiB\"\ncompress = false").await;
    let is_gone = |names: &[String]| names.iter().all(|name| !name.contains("audit-000000000001-"));
    ask_until(&folder, daemon.proxy, "the first file goes", is_gone).await;
    assert_eq!(daemon.terminate().await, Some(0));
    assert!(folder.verify().ok);
    let total: u64 = folder.files().iter().map(|file| file.metadata().expect("there").len()).sum();
    assert!(total < 32 * 1024, "{total}");
}
