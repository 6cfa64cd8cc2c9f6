//! Files that cannot be written: nothing goes out unrecorded, or it goes on and the gap is said, as configured; then all is well again.

use super::{Folder, ask, of_kind, verified};
use crate::support::client::{RawClient, client_hello, connect_tunnel, exchange};
use crate::support::daemon::{Daemon, records};
use crate::support::origin::{Behaviour, RawOrigin};
use crate::support::scrape::{Scrape, wait_until};
use serde_json::Value;
use std::fs;

const HOST: &str = "api.imagicle.com";

async fn healthy(daemon: &Daemon, is_healthy: bool) -> Scrape {
    let wanted = usize::from(is_healthy);
    wait_until(daemon.admin, |scrape| scrape.count("ucx_egress_audit_healthy", &[]) == wanted).await
}

async fn status(daemon: &Daemon) -> Value {
    let request = format!("GET /api/status HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", daemon.admin);
    let (_, body) = exchange(daemon.admin, request.as_bytes()).await;
    serde_json::from_slice::<Value>(&body).expect("JSON")["audit"].clone()
}

async fn echoes(client: &mut RawClient, word: &[u8]) {
    client.send(word).await;
    assert_eq!(client.read_exact(word.len()).await, word);
}

async fn readiness(daemon: &Daemon) -> (u16, String) {
    let (head, body) = exchange(daemon.admin, b"GET /readyz HTTP/1.0\r\n\r\n").await;
    (head.status, String::from_utf8(body).expect("text"))
}

/// A limit on the length of files acts as a full disk does: the write that does not fit is cut, the next one fails.
#[tokio::test]
async fn a_full_disk_refuses_what_is_new_until_there_is_room() {
    let folder = Folder::new();
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let config = folder.setup("").host(HOST, origin.addr()).text();
    let daemon = Daemon::start_after(&config, "trap '' XFSZ").await;
    let mut before = connect_tunnel(daemon.proxy, "api.imagicle.com:443").await.expect("a tunnel");
    echoes(&mut before, &client_hello(Some(HOST))).await;
    let file = folder.files().remove(0);
    daemon.bound_files(Some(fs::metadata(&file).expect("there").len() + 100));
    // These have their place and wait.
    for _ in 0..3 {
        assert_eq!(ask(daemon.proxy).await, (403, "host_not_allowed".to_owned()));
    }
    healthy(&daemon, false).await;
    let error = connect_tunnel(daemon.proxy, "api.imagicle.com:443").await;
    let Err((head, problem)) = error else { panic!("nothing may go out unrecorded") };
    assert_eq!((head.status, problem.reason.as_str(), problem.rule.as_deref()), (503, "overloaded", Some("audit.path")));
    assert_eq!(ask(daemon.proxy).await, (503, "overloaded".to_owned()));
    let (code, why) = readiness(&daemon).await;
    assert!(code == 503 && why.contains("audit.path") && why.contains("fail_closed"), "{code} {why}");
    echoes(&mut before, b"what stands goes on").await;
    assert_eq!((&status(&daemon).await["healthy"], &status(&daemon).await["on_failure"]), (&false.into(), &"fail_closed".into()));

    daemon.bound_files(None);
    healthy(&daemon, true).await;
    assert_eq!(readiness(&daemon).await, (200, "ready\n".to_owned()));
    let mut after = connect_tunnel(daemon.proxy, "api.imagicle.com:443").await.expect("a tunnel, without a restart");
    echoes(&mut after, &client_hello(Some(HOST))).await;
    let scrape = Scrape::get(daemon.admin).await;
    let count = |outcome| scrape.count("ucx_egress_audit_records_total", &[("outcome", outcome)]);
    assert_eq!((count("lost"), count("refused")), (0, 2));
    drop((before, after));
    let (code, log) = daemon.stop().await;
    assert_eq!(code, Some(0));
    let alarms = |level: &str, text: &str| {
        log.iter().filter(|line| line["level"] == level && line["message"].as_str().is_some_and(|message| message.contains(text))).count()
    };
    assert_eq!((alarms("ERROR", "the audit cannot be written"), alarms("WARN", "the audit is written again")), (1, 1));
    let whole = folder.verify();
    assert!(whole.ok, "{whole:?}");
    let lines = folder.lines();
    assert_eq!(of_kind(&lines, "decision").len(), records(&log).len() - 2, "all but the refused ones");
    let gap = of_kind(&lines, "gap").remove(0).clone();
    assert_eq!((&gap["lost"], &gap["refused"]), (&0.into(), &2.into()), "{gap}");
    assert!(gap["cause"].as_str().is_some_and(|cause| cause.contains("large")), "{gap}");
}

#[tokio::test]
async fn a_directory_that_is_taken_away_refuses_what_is_new_until_it_is_back() {
    let folder = Folder::new();
    let mut daemon = folder.daemon("").await;
    assert_eq!(ask(daemon.proxy).await.0, 403);
    let away = folder.0.path().join("away");
    fs::rename(folder.path(), &away).expect("renamed");
    healthy(&daemon, false).await;
    assert_eq!(ask(daemon.proxy).await, (503, "overloaded".to_owned()));
    daemon.wait_for_line("the alarm", |line| line["message"].as_str().is_some_and(|text| text.contains("somebody else took"))).await;
    fs::rename(&away, folder.path()).expect("renamed");
    healthy(&daemon, true).await;
    assert_eq!(ask(daemon.proxy).await.0, 403);
    assert_eq!(daemon.terminate().await, Some(0));
    let whole = folder.verify();
    assert!(whole.ok && whole.notes.iter().any(|note| note.contains("taken away or changed")), "{whole:?}");
    // It sealed them itself, and its next checkpoint vouches for them.
    assert!(whole.unvouched.is_empty(), "{whole:?}");
    assert_eq!(of_kind(&folder.lines(), "start")[1]["why"], "recovery");
}

/// Whoever cuts or replaces the file under a running proxy is noticed at the next flush, and found by `audit verify`.
#[tokio::test]
async fn a_file_that_is_cut_under_the_writer_is_left_and_found() {
    let folder = Folder::new();
    let mut daemon = folder.daemon("compress = false").await;
    for _ in 0..3 {
        ask(daemon.proxy).await;
    }
    wait_until(daemon.admin, |scrape| scrape.count("ucx_egress_audit_records_total", &[("outcome", "written")]) == 3).await;
    let file = folder.files().remove(0);
    let whole = fs::read(&file).expect("readable");
    let end = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(3).expect("four lines").0 + 1;
    let handle = fs::OpenOptions::new().write(true).open(&file).expect("writable");
    handle.set_len(end as u64).expect("cut");
    daemon.wait_for_line("the alarm", |line| line["message"].as_str().is_some_and(|text| text.contains("somebody else took"))).await;
    assert_eq!(ask(daemon.proxy).await.0, 403);
    assert_eq!(daemon.terminate().await, Some(0));
    let files = folder.files();
    assert_eq!(files.len(), 2);
    let fault = verified(&files).fault.expect("the cut is found");
    assert!(fault.message.contains("1 lines before this one are missing"), "{fault:?}");
    assert!(verified(&files[1..]).ok);
}

#[tokio::test]
async fn continuing_loses_records_counts_them_and_says_so() {
    let folder = Folder::new();
    let daemon = folder.daemon("on_failure = \"continue\"").await;
    assert_eq!(ask(daemon.proxy).await.0, 403);
    let away = folder.0.path().join("away");
    fs::rename(folder.path(), &away).expect("renamed");
    healthy(&daemon, false).await;
    assert_eq!(readiness(&daemon).await.0, 200, "it takes everything");
    // They go on, and wait as long as there is room.
    for _ in 0..5 {
        assert_eq!(ask(daemon.proxy).await, (403, "host_not_allowed".to_owned()));
    }
    fs::rename(&away, folder.path()).expect("renamed");
    healthy(&daemon, true).await;
    assert_eq!(daemon.terminate().await, Some(0));
    let whole = folder.verify();
    assert!(whole.ok, "{whole:?}");
    let lines = folder.lines();
    assert_eq!((of_kind(&lines, "decision").len(), of_kind(&lines, "gap").len()), (6, 1));
}
