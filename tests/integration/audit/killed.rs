//! A process that is killed leaves a chain that goes on.

use super::{Folder, ask, of_kind, verify_with_binary};
use crate::support::client::exchange;
use crate::support::daemon::records;
use crate::support::scrape::wait_until;
use std::collections::HashSet;
use std::io::Write as _;
use std::net::SocketAddr;
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
