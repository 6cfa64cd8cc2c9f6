//! The drill as an administrator runs it.

use super::{BINARY, Finished};
use serde_json::Value;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

/// What the verb promises at most.
const LONGEST: Duration = Duration::from_mins(1);

const REASONS: &[(&str, &str)] = &[
    ("dns-failure", "resolve_failed"),
    ("dns-silence", "resolve_failed"),
    ("dns-private", "address_not_allowed"),
    ("upstream-refuses", "connect_failed"),
    ("upstream-silence", "connect_timeout"),
    ("upstream-no-answer", "idle_timeout"),
    ("upstream-reset", "upstream_failed"),
    ("upstream-reset-amid", "upstream_failed"),
    ("tls-untrusted", "upstream_tls_invalid"),
    ("tls-another-name", "upstream_tls_invalid"),
    ("tls-expired", "upstream_tls_invalid"),
    ("ca-key-missing", "reload refused"),
    ("ca-key-unreadable", "reload refused"),
    ("ca-key-another", "reload refused"),
    ("ca-key-exposed", "reload refused"),
    ("policy-broken", "reload refused"),
    ("passwords-missing", "reload refused"),
    ("audit-folder-gone", "overloaded"),
    ("audit-disk-full", "overloaded"),
    ("inspector-panic", "uninspectable"),
];

/// The verb, with a temporary folder of the test's own.
fn command(temporary: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.arg("drill").args(arguments).env_remove("RUST_LOG").env("TMPDIR", temporary.path());
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

async fn run(temporary: &TempDir, arguments: &[&str]) -> Finished {
    let output =
        timeout(LONGEST, command(temporary, arguments).output()).await.expect("it ends within its time").expect("the binary starts");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Finished { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn left_behind(temporary: &TempDir) -> usize {
    std::fs::read_dir(temporary.path()).expect("the folder is there").count()
}

#[tokio::test]
async fn every_dependency_fails_closed_with_its_reason_and_recovers() {
    let temporary = TempDir::new().expect("a temporary folder");
    let drill = run(&temporary, &[]).await;
    assert_eq!((drill.code, drill.err.as_str()), (Some(0), ""), "{}", drill.out);
    let rows: Vec<&str> = drill.out.lines().skip(1).take_while(|line| !line.is_empty()).collect();
    assert_eq!(rows.len(), REASONS.len(), "{}", drill.out);
    for (row, (name, reason)) in rows.iter().zip(REASONS) {
        let words: Vec<&str> = row.split("  ").map(str::trim).filter(|word| !word.is_empty()).collect();
        assert!(words.len() == 5 && words[0] == *name && words[2] == *reason && words[3..] == ["yes", "yes"], "{row}");
    }
    let count = REASONS.len();
    assert!(drill.out.ends_with(&format!("\n{count} of {count} failed closed with their reason, and recovered\n")), "{}", drill.out);
    assert_eq!(left_behind(&temporary), 0);
}

#[tokio::test]
async fn one_scenario_is_run_alone_and_told_to_programs() {
    let temporary = TempDir::new().expect("a temporary folder");
    let drill = run(&temporary, &["--json", "--only", "inspector-panic", "--only", "dns-failure"]).await;
    assert_eq!((drill.code, drill.err.as_str()), (Some(0), ""), "{}", drill.out);
    let rows: Vec<Value> = drill.out.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
    let told: Vec<_> = rows.iter().map(|row| (row["name"].as_str(), row["seen"].as_str(), row["status"].as_u64())).collect();
    assert_eq!(
        told,
        [(Some("dns-failure"), Some("resolve_failed"), Some(502)), (Some("inspector-panic"), Some("uninspectable"), Some(403))]
    );
    for row in rows {
        assert_eq!((&row["expected"], &row["fails_closed"], &row["recovered"]), (&row["seen"], &true.into(), &true.into()), "{row}");
        assert_eq!(row["wrong"], serde_json::json!([]), "{row}");
    }
    let wrong = run(&temporary, &["--only", "everything"]).await;
    assert!(wrong.code == Some(2) && wrong.err.contains("audit-disk-full"), "{}", wrong.err);
}

/// Keys are among what it makes.
#[tokio::test]
async fn a_drill_that_is_broken_off_leaves_nothing() {
    let temporary = TempDir::new().expect("a temporary folder");
    let mut drill = command(&temporary, &[]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary starts");
    let mut lines = BufReader::new(drill.stdout.take().expect("it is piped")).lines();
    for _ in 0..2 {
        timeout(LONGEST, lines.next_line()).await.expect("it says something").expect("readable").expect("a line");
    }
    assert_eq!(left_behind(&temporary), 1);
    let pid = rustix::process::Pid::from_raw(drill.id().expect("it runs").cast_signed()).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
    let ended = timeout(LONGEST, drill.wait()).await.expect("it ends").expect("it ran");
    assert_eq!((ended.code(), left_behind(&temporary)), (Some(1), 0));
}
