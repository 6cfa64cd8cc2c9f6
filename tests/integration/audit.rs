//! Audit files: whole after whatever happens, broken by any change, and without a word about anybody.

mod content;
mod killed;
mod outage;
mod report;
mod rotation;
mod tampering;

use crate::support::client::{exchange, within_deadline};
use crate::support::daemon::{BINARY, Daemon};
use crate::support::proxy::Setup;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::process::Command;
use ucx_egress::audit::files;
use ucx_egress::audit::lines::{Line, Lines};
use ucx_egress::audit::verify::{Options, Verified, verify};

/// A directory for audit files.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("audit")
    }

    /// The section that names it, with more lines.
    fn section(&self, lines: &str) -> String {
        format!("[audit]\npath = \"{}\"\nflush = \"50ms\"\n{lines}", self.path().display())
    }

    fn setup(&self, lines: &str) -> Setup {
        Setup::new().section(&self.section(lines))
    }

    async fn daemon(&self, lines: &str) -> Daemon {
        Daemon::start(&self.setup(lines).text()).await
    }

    /// The audit files, in their order.
    fn files(&self) -> Vec<PathBuf> {
        files::list(&self.path()).expect("the folder is there").into_iter().map(|file| file.path).collect()
    }

    /// Every line of every file.
    fn lines(&self) -> Vec<Value> {
        self.files().iter().flat_map(|file| lines(file)).collect()
    }

    fn verify(&self) -> Verified {
        verified(&self.files())
    }
}

/// The whole lines of a file.
fn lines(path: &Path) -> Vec<Value> {
    let mut lines = Lines::open(path).expect("a file");
    let mut all = Vec::new();
    while let Line::Whole(line) = lines.next_line().expect("readable") {
        all.push(serde_json::from_slice(line).unwrap_or_default());
    }
    all
}

fn verified(files: &[PathBuf]) -> Verified {
    verify(files, &Options::default(), &mut |_| {}).expect("they can be opened")
}

/// `audit verify` of the binary: exit code and output.
async fn verify_with_binary(arguments: &[&str], files: &[PathBuf]) -> (Option<i32>, String) {
    let mut command = Command::new(BINARY);
    command.args(["audit", "verify"]).args(arguments).args(files);
    let output = within_deadline("audit verify", command.output()).await.expect("it runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).expect("text"))
}

/// A CONNECT to a host that no rule allows: one decision. Gives the status and the reason.
async fn ask(proxy: SocketAddr) -> (u16, String) {
    let (head, body) = exchange(proxy, b"CONNECT example.org:443 HTTP/1.1\r\n\r\n").await;
    let problem: Value = serde_json::from_slice(&body).expect("a problem document");
    (head.status, problem["reason"].as_str().expect("a reason").to_owned())
}

/// The lines of a kind.
fn of_kind<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["kind"] == kind).collect()
}

/// Files of a proxy that ran, decided so often, and stopped in order.
async fn closed(decisions: usize) -> Folder {
    let folder = Folder::new();
    run(&folder, decisions).await;
    folder
}

async fn run(folder: &Folder, decisions: usize) {
    let daemon = folder.daemon("").await;
    for _ in 0..decisions {
        assert_eq!(ask(daemon.proxy).await, (403, "host_not_allowed".to_owned()));
    }
    assert_eq!(daemon.terminate().await, Some(0));
}

#[tokio::test]
async fn what_was_written_is_whole_over_restarts() {
    let folder = closed(3).await;
    run(&folder, 2).await;
    let lines = folder.lines();
    assert_eq!(of_kind(&lines, "decision").len(), 5);
    let kinds: Vec<&str> = lines.iter().map(|line| line["kind"].as_str().expect("a kind")).collect();
    let first = ["start", "checkpoint", "decision", "decision", "decision", "stop", "checkpoint"];
    assert_eq!(kinds, [&first[..], &["start", "checkpoint", "decision", "decision", "stop", "checkpoint"]].concat());
    assert_eq!(lines[7]["previous"]["ended"], "closed");
    let (code, text) = verify_with_binary(&[], &folder.files()).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("7 lines, seq 1 to 7") && text.contains("2 checkpoints verified") && text.contains("whole: seq 1 to 13"),
        "{text}"
    );
    assert!(text.contains(lines[0]["key"]["fingerprint"].as_str().expect("a fingerprint")), "{text}");
    // The older one was compressed when the newer one was begun; the order on the command line is nobody's concern.
    let mut files = folder.files();
    assert!(files[0].to_string_lossy().ends_with(".jsonl.gz"), "{files:?}");
    files.reverse();
    let (code, text) = verify_with_binary(&["--json"], &files).await;
    let json: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((code, &json["ok"], &json["last"]["seq"]), (Some(0), &Value::Bool(true), &Value::from(13)));
}

#[tokio::test]
async fn the_directory_may_stand_for_its_files_and_the_key_may_be_given() {
    let folder = closed(1).await;
    let key = folder.path().join("audit.pub.pem");
    let key = key.to_str().expect("a path");
    assert_eq!(verify_with_binary(&["--key", key], &[folder.path()]).await.0, Some(0));
    let other = closed(1).await;
    let (code, text) = verify_with_binary(&["--key", key], &[other.path()]).await;
    assert!(code == Some(1) && text.contains("signed by another key") && text.contains(":1: "), "{text}");
    for missing in ["nowhere.jsonl", "/"] {
        let (code, text) = verify_with_binary(&[], &[missing.into()]).await;
        assert!(code == Some(2) && text.contains(missing), "{text}");
    }
}

#[tokio::test]
async fn a_second_process_does_not_write_to_the_same_directory() {
    let folder = Folder::new();
    let daemon = folder.daemon("").await;
    let config = folder.0.path().join("second.toml");
    std::fs::write(&config, folder.setup("").text()).expect("written");
    let output = within_deadline("the second one ends", Command::new(BINARY).arg("--config").arg(config).output()).await.expect("it runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && text.contains("audit.path") && text.contains("another process"), "{text}");
    // Meanwhile the first one's file verifies although it is not closed, and a copy of it does when that is said.
    let (code, text) = verify_with_binary(&[], &folder.files()).await;
    assert!(code == Some(0) && text.contains("is not closed yet"), "{text}");
    let copy = folder.0.path().join("copy.jsonl");
    std::fs::copy(&folder.files()[0], &copy).expect("copied");
    let (code, text) = verify_with_binary(&[], std::slice::from_ref(&copy)).await;
    assert!(code == Some(1) && text.contains("without a closing checkpoint"), "{text}");
    assert_eq!(verify_with_binary(&["--open"], &[copy]).await.0, Some(0));
    assert_eq!(daemon.terminate().await, Some(0));
}

#[tokio::test]
async fn reloads_are_in_the_chain_and_leave_the_files_where_they_are() {
    let folder = Folder::new();
    let other = Folder::new();
    let in_mode = |folder: &Folder, mode: &str| folder.setup("").section(&format!("[policy]\nmode = \"{mode}\"")).text();
    let mut daemon = Daemon::start(&in_mode(&folder, "enforce")).await;
    daemon.reload(&in_mode(&folder, "observe")).await;
    daemon.reload_in_vain("[listener]\nnothing = 1").await;
    daemon.reload(&in_mode(&other, "enforce")).await;
    daemon.wait_for_line("the warning", |line| line["message"].as_str().is_some_and(|text| text.starts_with("[audit] has changed"))).await;
    assert_eq!(ask(daemon.proxy).await.0, 403);
    assert_eq!(daemon.terminate().await, Some(0));
    assert!(!other.path().exists() && folder.verify().ok);
    let lines = folder.lines();
    let said = |line: &&Value| {
        [&line["outcome"], &line["before"]["mode"], &line["now"]["mode"]].map(|word| word.as_str().unwrap_or_default().to_owned())
    };
    let reloads: Vec<_> = of_kind(&lines, "reload").iter().map(said).collect();
    assert_eq!(reloads, [["ok", "enforce", "observe"], ["failed", "observe", "observe"], ["ok", "observe", "enforce"]]);
    let now = of_kind(&lines, "reload").pop().expect("three")["now"]["policy"].clone();
    assert_eq!(of_kind(&lines, "decision")[0]["policy"], now, "what is decided after a reload names its policy");
}

#[tokio::test]
async fn a_directory_that_cannot_be_made_is_told_at_the_start() {
    let folder = Folder::new();
    std::fs::write(folder.path(), "a file").expect("written");
    let config = folder.0.path().join("config.toml");
    std::fs::write(&config, folder.setup("").text()).expect("written");
    let output = within_deadline("it ends", Command::new(BINARY).arg("--config").arg(&config).output()).await.expect("it runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && text.contains("config.toml:") && text.contains("owned by the proxy's user"), "{text}");
}
