//! What was observed outlives the process, and a file that cannot be used is said before anything is served.

use super::{OBSERVE, Site, is_there, messages, observed, requests, run};
use crate::support::daemon::Daemon;
use std::os::unix::fs::PermissionsExt as _;

#[tokio::test]
async fn it_goes_on_after_a_restart() {
    let site = Site::new().await;
    let config = site.saving("");
    for round in 1..=2_u64 {
        let daemon = Daemon::start(&config).await;
        let before = observed(daemon.admin, "what was saved", |seen| requests(seen) == 2 * (round - 1)).await;
        assert_eq!(messages(&before), 2 * (round - 1));
        for _ in 0..2 {
            assert_eq!(site.post(&daemon, "/license/v2/update", r#"{"gizmo":"x y","fill":300}"#).await, 200);
        }
        // What is still waiting to be looked at is waited for.
        assert_eq!(daemon.terminate().await, Some(0));
    }
    let file = site.path("observed.json");
    let saved: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).expect("it is saved")).expect("JSON");
    assert_eq!((requests(&saved), messages(&saved)), (4, 4));
    assert_eq!(saved["messages"][0]["fields"]["members"]["gizmo"]["messages"], 4);
    assert_eq!(std::fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600);
    assert!(!is_there(&site.path("observed.json.new")));
}

/// The configuration's place, what is wrong, and what to do.
#[tokio::test]
async fn a_file_that_cannot_be_used_is_an_error_at_the_start_and_at_a_reload() {
    let site = Site::new().await;
    let config = site.path("c.toml");
    for (file, content, said) in [
        ("bad.json", Some("{\"format\":1,\"destinations\":[{\"mario\":1}]}"), "take the file away to begin anew"),
        ("other.json", Some("[1,2]"), "this is not what observing saves"),
        ("newer.json", Some("{\"format\":2}"), "format 2 is not read"),
        ("nowhere/observed.json", None, "cannot be written"),
    ] {
        let path = site.path(file);
        if let Some(content) = content {
            std::fs::write(&path, content).expect("written");
        }
        std::fs::write(&config, site.text(&format!("{OBSERVE}observed = \"{path}\"\n"))).expect("written");
        let (code, _, err) = run(&["--config", &config, "run"], b"").await;
        assert_eq!(code, Some(2), "{err}");
        for expected in ["c.toml:", "policy.observed", said] {
            assert!(err.contains(expected), "{expected}: {err}");
        }
        assert!(!err.contains("mario"), "{err}");
    }
    let mut daemon = Daemon::start(&site.saving("")).await;
    let bad = site.text(&format!("{OBSERVE}observed = \"{}\"\n", site.path("bad.json")));
    let error = daemon.reload_in_vain(&bad).await;
    assert!(error.contains("policy.observed"), "{error}");
}

#[tokio::test]
async fn a_file_that_can_no_longer_be_written_stops_nothing() {
    let site = Site::new().await;
    let daemon = Daemon::start_after(&site.saving(""), "trap '' XFSZ").await;
    daemon.bound_files(Some(1));
    assert_eq!(site.post(&daemon, "/license/v2/update", r#"{"gizmo":"x y"}"#).await, 200);
    observed(daemon.admin, "it is in memory", |seen| requests(seen) == 1).await;
    let (code, lines) = daemon.stop().await;
    assert_eq!(code, Some(0));
    let said = |line: &&serde_json::Value| line["message"].as_str().is_some_and(|text| text.contains("cannot be saved (policy.observed)"));
    assert_eq!(lines.iter().filter(said).count(), 1, "{lines:?}");
}

#[tokio::test]
async fn what_never_acts_is_said() {
    let site = Site::new().await;
    let config = site.path("c.toml");
    std::fs::write(&config, "[policy]\nobserved = \"observed.json\"\n").expect("written");
    let (code, out, _) = run(&["--config", &config, "check"], b"").await;
    assert_eq!(code, Some(0));
    assert!(out.contains("c.toml:2:12: never acts: policy.observed is for policy.mode = \"observe\""), "{out}");
    assert!(!is_there(&site.path("observed.json")));
}
