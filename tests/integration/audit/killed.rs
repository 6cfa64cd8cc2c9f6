//! A process that is killed leaves a chain that goes on.

use super::report::in_format;
use super::{Folder, ask, of_kind, run, verify_with_binary};
use crate::support::client::exchange;
use crate::support::daemon::records;
use crate::support::scrape::wait_until;
use std::collections::HashSet;
use std::io::Write as _;
use std::net::SocketAddr;
use ucx_egress::audit::chain::{Link, open, seal};
use ucx_egress::audit::verify::Verified;
use ucx_egress::moment;

/// Clients that ask as fast as they are answered, until nobody answers.
fn load(proxy: SocketAddr) {
    for _ in 0..8 {
        tokio::spawn(async move {
            while let Ok(answered) = tokio::spawn(exchange(proxy, b"CONNECT example.org:443 HTTP/1.1\r\n\r\n")).await {
                assert_eq!(answered.0.status, 403);
            }
        });
    }
}

#[tokio::test]
async fn killed_under_load_at_most_the_last_flush_is_missing() {
    let folder = Folder::new();
    let daemon = folder.daemon("").await;
    load(daemon.proxy);
    let written = [("outcome", "written")];
    wait_until(daemon.admin, |scrape| scrape.count("ucx_egress_audit_records_total", &written) > 500).await;
    daemon.kill();
    let (_, log) = daemon.ended().await;
    let last = log.iter().filter_map(|line| moment::read(line["timestamp"].as_str()?)).max().expect("a time");
    // As a kill within a write leaves it.
    let mut file = std::fs::OpenOptions::new().append(true).open(&folder.files()[0]).expect("the file");
    let kept = folder.lines();
    file.write_all(b"{\"seq\":").expect("written");
    drop(file);
    let (code, text) = verify_with_binary(&[], &folder.files()).await;
    assert!(code == Some(1) && text.contains("ends within this line"), "before the restart: {text}");

    let daemon = folder.daemon("compress = false").await;
    assert_eq!(ask(daemon.proxy).await.0, 403);
    assert_eq!(daemon.terminate().await, Some(0));
    let (code, text) = verify_with_binary(&[], &folder.files()).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("was not closed, the process was killed") && text.contains("the last 50 ms"), "{text}");
    assert!(text.contains("7 bytes"), "{text}");
    let start = of_kind(&folder.lines(), "start")[1].clone();
    assert_eq!((&start["previous"]["ended"], &start["previous"]["rest"]), (&"unclosed".into(), &7.into()));
    assert_eq!(start["previous"]["seq"], kept.last().expect("lines")["seq"]);

    let audited: HashSet<&str> = of_kind(&kept, "decision").iter().filter_map(|line| line["decision"].as_str()).collect();
    // The log has its own queue: a second is far more than the flush, and far less than the run.
    let settled = |line: &serde_json::Value| {
        let time = moment::read(line["timestamp"].as_str().unwrap_or_default()).expect("a time");
        last.duration_since(time).is_ok_and(|age| age.as_millis() > 250)
    };
    let (mut seen, mut missing) = (0, 0);
    for line in records(&log).into_iter().filter(|line| settled(line)) {
        seen += 1;
        missing += usize::from(!audited.contains(line["decision"].as_str().expect("an id")));
    }
    assert!(seen > 0 && missing == 0, "{missing} of {seen} are missing");
}

/// Files of a process that was killed behind its last checkpoint; `change` is done to its decisions before the next start, and hashes are
/// made anew, which needs no key.
async fn killed(change: impl Fn(&str) -> String) -> Folder {
    let folder = Folder::new();
    let daemon = folder.daemon("checkpoint = \"1h\"\ncompress = false").await;
    for _ in 0..3 {
        assert_eq!(ask(daemon.proxy).await.0, 403);
    }
    let written = [("outcome", "written")];
    wait_until(daemon.admin, |scrape| scrape.count("ucx_egress_audit_records_total", &written) == 3).await;
    daemon.kill();
    daemon.ended().await;
    let file = folder.files().remove(0);
    let text = std::fs::read_to_string(&file).expect("text");
    let (mut hash, mut forged) = (Link::NONE.hash, Vec::new());
    for line in text.lines() {
        let body = str::from_utf8(open(line.as_bytes()).expect("a line").0).expect("text");
        let start = forged.len();
        forged.extend_from_slice(change(body).as_bytes());
        hash = seal(&hash, &mut forged, start);
    }
    std::fs::write(&file, forged).expect("written");
    folder
}

/// The first and last line that no checkpoint vouches for, and why.
fn unvouched(verified: &Verified) -> Vec<(u64, u64, String)> {
    let why = |why| serde_json::to_string(&why).expect("it is written");
    verified.unvouched.iter().map(|lines| (lines.first, lines.last, why(lines.why))).collect()
}

/// Nobody can tell whether it was done, so what could be is said: of lines that were left alone too.
#[tokio::test]
async fn lines_behind_the_last_checkpoint_of_a_killed_process_are_named() {
    for forged in ["\"deny\"", "\"allow\""] {
        let folder = killed(|body| body.replace("\"verdict\":\"deny\"", &format!("\"verdict\":{forged}"))).await;
        run(&folder, 1).await;
        let verified = folder.verify();
        assert!(verified.ok, "{:?}", verified.fault);
        assert_eq!(unvouched(&verified), [(3, 5, "\"killed\"".to_owned())], "start and checkpoint, then three decisions");

        let (code, text) = verify_with_binary(&[], &folder.files()).await;
        assert_eq!(code, Some(0), "{text}");
        for said in
            ["sequence 3 to 5: no checkpoint vouches for them (3 lines", "without closing the file", "vouches for 3 lines, see above"]
        {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert_eq!(verify_with_binary(&["--strict"], &folder.files()).await.0, Some(1));
        let (code, json) = verify_with_binary(&["--json", "--strict"], &folder.files()).await;
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!((code, &json["ok"], &json["unvouched"][0]["lines"]), (Some(1), &true.into(), &3.into()));
        for (format, said) in [("html", "<li>sequence 3 to 5: no checkpoint vouches for them"), ("csv", "3 to 5,lines_unvouched,3,")] {
            let (code, text) = in_format(format, &[folder.path()]).await;
            assert!(code == Some(0) && text.contains(said), "{text}");
        }
        let (_, html) = in_format("html", &[folder.path()]).await;
        let (first, _) = html.split_once("<main").expect("a first sheet");
        assert!(first.contains("no checkpoint vouches for 3 lines"), "{first}");
    }
}

/// Each checkpoint says where what it vouches for begins: behind a killed process, with the lines of the new one.
#[tokio::test]
async fn the_first_checkpoint_after_a_kill_does_not_vouch_for_what_it_found() {
    let folder = killed(str::to_owned).await;
    run(&folder, 1).await;
    run(&folder, 1).await;
    let lines = folder.lines();
    let signed = of_kind(&lines, "checkpoint").into_iter().map(|line| (line["seq"].as_u64(), line["from"].as_u64()));
    let signed: Vec<(u64, u64)> = signed.map(|(seq, from)| (seq.expect("a number"), from.expect("a number"))).collect();
    assert_eq!(signed, [(2, 1), (7, 6), (10, 8), (12, 11), (15, 13)]);
    assert_eq!(verify_with_binary(&["--strict"], &folder.files()[1..]).await.0, Some(0), "what the killed one left is not given");
}

#[tokio::test]
async fn what_is_being_written_waits_for_its_checkpoint() {
    let folder = Folder::new();
    let daemon = folder.daemon("checkpoint = \"1h\"").await;
    assert_eq!(ask(daemon.proxy).await.0, 403);
    let written = [("outcome", "written")];
    wait_until(daemon.admin, |scrape| scrape.count("ucx_egress_audit_records_total", &written) == 1).await;
    assert_eq!(unvouched(&folder.verify()), [(3, 3, "\"open\"".to_owned())]);
    let (code, text) = verify_with_binary(&[], &folder.files()).await;
    assert!(code == Some(0) && text.contains("sequence 3 to 3: no checkpoint") && text.contains("not closed yet"), "{text}");
    assert_eq!(verify_with_binary(&["--strict"], &folder.files()).await.0, Some(1));
    assert_eq!(daemon.terminate().await, Some(0));
    let (code, text) = verify_with_binary(&["--strict"], &folder.files()).await;
    assert!(code == Some(0) && text.contains("vouch for every line"), "{text}");
}
