//! From observing to enforcing: the proposal loads, lets what was seen pass, opens nothing, and still refuses personal data.

use super::{OBSERVE, Site, messages, observed, requests, run, shown};
use crate::support::client::connect_tunnel;
use crate::support::daemon::Daemon;

/// What the site's servers send, and nobody documents.
const CLEAN: &str = r#"{"queues":[{"gizmo":"Support Line","pending":3,"lit":true}],"seal":"6f1b0c1e-3a77-4b7e-9d55-0c8e2a1d4f00"}"#;
const PERSONAL: &str = r#"{"queues":[{"gizmo":"mario.rossi@example.com","pending":3}]}"#;

/// A site at which the usual was observed; the daemon still runs.
async fn observing(site: &Site) -> Daemon {
    let daemon = Daemon::start(&site.saving("")).await;
    usual(site, &daemon).await;
    for _ in 0..3 {
        drop(connect_tunnel(daemon.proxy, "unknown.test:443").await.expect("it passes"));
    }
    drop(connect_tunnel(daemon.proxy, "api.imagicle.com:8443").await.expect("it passes"));
    observed(daemon.admin, "all", |seen| requests(seen) == 5 && messages(seen) == 3 && seen.to_string().contains("8443")).await;
    daemon
}

async fn usual(site: &Site, daemon: &Daemon) {
    for target in ["/license/v2/update", "/license/v2/update?page=1", "/telemetry/v1/beat/4312"] {
        assert_eq!(site.post(daemon, target, CLEAN).await, 200, "{target}");
    }
    assert_eq!(site.ask(daemon, "GET", "/test", "", b"").await, 200);
    assert_eq!(site.post(daemon, "/sso/login", r#"{"user":"mrossi"}"#).await, 200);
}

#[tokio::test]
async fn what_was_observed_is_enforced_by_its_proposal() {
    let site = Site::new().await;
    let mut daemon = observing(&site).await;
    std::fs::write(site.path("shown.json"), shown(daemon.admin).await).expect("written");
    let (policy, shape) = (site.path("policy.toml"), site.path("shape.toml"));
    let arguments = ["learn", "--observed", &site.path("shown.json"), "--policy-out", &policy, "--shape-out", &shape];
    let (code, out, err) = run(&arguments, b"").await;
    assert_eq!((code, out.as_str()), (Some(0), ""), "{err}");
    let (code, _, err) = run(&arguments, b"").await;
    assert!(code == Some(2) && err.contains("name a file that is not there yet"), "a reviewed file stays: {err}");

    let enforcing = site.text(&format!("[policy]\nfile = \"{policy}\"\n[inspection]\nshapes = [\"{shape}\"]\n"));
    let without = site.text("");
    for (name, text) in [("with.toml", &enforcing), ("without.toml", &without)] {
        std::fs::write(site.path(name), text).expect("written");
    }
    let scanned = async |config: &str, message: &str| run(&["--config", &site.path(config), "scan", "-"], message.as_bytes()).await.0;
    assert_eq!(scanned("without.toml", CLEAN).await, Some(1), "nobody documents it");
    assert_eq!(scanned("with.toml", CLEAN).await, Some(0));
    assert_eq!(scanned("with.toml", PERSONAL).await, Some(1));
    let (code, checked, err) = run(&["--config", &site.path("with.toml"), "check"], b"").await;
    assert_eq!(code, Some(0), "{err}");
    for expected in [
        "licensing POST /license/v2/update",
        "telemetry POST /telemetry/v1/beat/**",
        "sso POST /sso/login",
        "telemetry any method /telemetry/**",
    ] {
        assert!(checked.contains(expected), "{expected}: {checked}");
    }
    let explained =
        run(&["--config", &site.path("with.toml"), "explain", "--method", "POST", "https://api.imagicle.com/license/v2/update"], b"").await;
    assert!(explained.0 == Some(0) && explained.1.contains("licensing POST /license/v2/update"), "{}", explained.1);

    daemon.reload(&enforcing).await;
    usual(&site, &daemon).await;
    assert_eq!(site.post(&daemon, "/license/v2/update", PERSONAL).await, 403);
    assert_eq!(site.post(&daemon, "/license/v2/update", r#"{"comment":"some words of somebody"}"#).await, 403, "it was not observed");
    for authority in ["unknown.test:443", "api.imagicle.com:8443"] {
        assert!(connect_tunnel(daemon.proxy, authority).await.is_err(), "{authority}: nothing is opened");
    }
    assert_eq!(daemon.terminate().await, Some(0));
    let daemon = Daemon::start(&enforcing).await;
    usual(&site, &daemon).await;
    assert_eq!(site.post(&daemon, "/license/v2/update", PERSONAL).await, 403);
}

#[tokio::test]
async fn the_proposal_has_evidence_and_leaves_out_what_speaks_of_persons() {
    let site = Site::new().await;
    let daemon = observing(&site).await;
    assert_eq!(
        site.post(&daemon, "/license/v2/update", r#"{"queues":[{"owner":"x y","boss":"mario.rossi@example.com"}],"mrossi":1}"#).await,
        200
    );
    let text = shown(daemon.admin).await;
    observed(daemon.admin, "all", |seen| messages(seen) == 4).await;
    assert_eq!(daemon.terminate().await, Some(0));
    assert_ne!(text, "");
    let saved = std::fs::read(site.path("observed.json")).expect("it is saved");
    let (code, out, err) = run(&["learn", "--observed", "-"], &saved).await;
    assert_eq!(code, Some(0), "{err}");
    let (policy, shape) = out.split_once("# ======== shape").expect("both parts");
    for expected in [
        "# ======== policy: save this part as a file of its own and name it in policy.file",
        "# observed POST: 3 times, ",
        "path = \"/license/v2/update\"\nmethods = [\"POST\"]\nassumed = true\n",
        "; application/json; parameters page\n",
        "enforcing would refuse 3 (personal_data 1, undocumented_field 2)",
        "# observed never: an assumption that nothing confirms\n[[service.request]]\npath = \"/telemetry\"\n",
        "# observed never\n[[service.endpoint]]\nhost = \"grpc.imagicle.com\"",
        "# # observed 3 times, ",
        "# host = \"unknown.test\"\n# port = 443\n",
        "# port = 8443\n",
        "quote = \"https://api.imagicle.com/test\" }",
    ] {
        assert!(policy.contains(expected), "{expected}: {policy}");
    }
    for expected in [
        "# seen in 2 of 3 messages, text below 16 bytes\n[[field]]\nid = \"queues.gizmo\"",
        "whole numbers of 8 bits",
        "yes or no",
        "left out: messages of licensing#/queues/owner: its name speaks of a person",
        "/queues/boss: ",
        "names that may be personal data, or are too many; they came 1 times",
    ] {
        assert!(shape.contains(expected), "{expected}: {shape}");
    }
    for value in ["rossi", "Support Line", "6f1b0c1e"] {
        assert!(!out.contains(value), "{value}: {out}");
    }
}

/// What was seen of an endpoint is what its pattern covers: here a part of one label.
#[tokio::test]
async fn an_endpoint_that_is_a_pattern_is_given_the_hosts_that_it_covers() {
    let site = Site::new().await;
    let policy = "format = 1\nname = \"site\"\n\n[[service]]\nid = \"site\"\npersonal_data = \"unstated\"\n\n\
                  [[service.endpoint]]\nhost = \"eu*.imagicle.com\"\nport = 443\nprotocol = \"https\"\n";
    std::fs::write(site.path("site.toml"), policy).expect("written");
    std::fs::write(site.path("c.toml"), "[policy]\nfile = \"site.toml\"\n").expect("written");
    let seen = |destination: &str, allowed: u64| {
        let day = "2026-11-29";
        serde_json::json!({"destination": destination, "service": "site", "times": {"allowed": allowed, "first": day, "last": day}})
    };
    let destinations = [
        seen("eu-west.imagicle.com:443", 4),
        seen("eu1.imagicle.com:443", 1),
        seen("eu1.imagicle.com:8443", 5),
        seen("us1.imagicle.com:443", 6),
        seen("a.eu1.imagicle.com:443", 7),
        seen("eu1.imagicle.cloud:443", 8),
    ];
    let observed = serde_json::json!({"format": 1, "destinations": destinations}).to_string();
    let (code, out, err) = run(&["--config", &site.path("c.toml"), "learn", "--observed", "-"], observed.as_bytes()).await;
    assert_eq!(code, Some(0), "{err}");
    let covered = "# observed eu-west.imagicle.com:443: 4 times, 2026-11-29\n# observed eu1.imagicle.com:443: 1 time, 2026-11-29\n\
                   [[service.endpoint]]\nhost = \"eu*.imagicle.com\"\n";
    assert!(out.contains(covered), "{out}");
    assert_eq!(out.matches("# observed ").count(), 2, "{out}");
}

/// Whoever takes the signs away in front of a destination opens it, and the rest stays as it was.
#[tokio::test]
async fn destinations_are_opened_by_a_person() {
    let site = Site::new().await;
    let daemon = observing(&site).await;
    assert_eq!(daemon.terminate().await, Some(0));
    let policy = site.path("policy.toml");
    let (code, _, err) = run(&["learn", "--observed", &site.path("observed.json"), "--policy-out", &policy], b"").await;
    assert_eq!(code, Some(0), "{err}");
    let text = std::fs::read_to_string(&policy).expect("it is written");
    let (before, wanted) = text.split_once("# To open a destination").expect("there is something to open");
    let opened: String = wanted.lines().skip(1).map(|line| line.strip_prefix("# ").unwrap_or(line).to_owned() + "\n").collect();
    std::fs::write(&policy, format!("{before}\n{opened}")).expect("written");
    let daemon = Daemon::start(&site.text(&format!("[policy]\nfile = \"{policy}\"\n"))).await;
    drop(connect_tunnel(daemon.proxy, "unknown.test:443").await.expect("it is open"));
    assert!(connect_tunnel(daemon.proxy, "unknown.test:444").await.is_err());
}

#[tokio::test]
async fn what_observing_did_not_save_is_refused_with_a_remedy() {
    let site = Site::new().await;
    for (input, said) in
        [("{", "no JSON"), ("{\"format\":3}", "format 3 is not read"), ("{\"format\":1,\"mario\":1}", "not what observing saves")]
    {
        let (code, _, err) = run(&["learn", "--observed", "-"], input.as_bytes()).await;
        assert!(code == Some(2) && err.contains(said) && err.contains("/api/observed") && !err.contains("mario"), "{err}");
    }
    let (code, _, err) = run(&["learn", "--observed", &site.path("nowhere.json")], b"").await;
    assert!(code == Some(2) && err.contains("cannot be read"), "{err}");
    // Nothing was seen: the policy in force, and a shape without fields; both load.
    let (policy, shape) = (site.path("policy.toml"), site.path("shape.toml"));
    let (code, _, err) = run(&["learn", "--observed", "-", "--policy-out", &policy, "--shape-out", &shape], b"{\"format\":1}").await;
    assert_eq!(code, Some(0), "{err}");
    std::fs::write(site.path("c.toml"), format!("[policy]\nfile = \"{policy}\"\n[inspection]\nshapes = [\"{shape}\"]\n")).expect("written");
    let (code, _, err) = run(&["--config", &site.path("c.toml"), "check"], b"").await;
    assert_eq!(code, Some(0), "{err}");
}

/// `explain` says what enforcing would refuse, and its exit code what becomes of it now.
#[tokio::test]
async fn explain_says_what_enforcing_would_refuse() {
    let site = Site::new().await;
    let config = site.path("c.toml");
    std::fs::write(&config, OBSERVE).expect("written");
    for (destination, first, code) in [
        ("unknown.test:443", "would_deny unknown.test:443: host_not_allowed", 0),
        ("api.imagicle.com:8443", "would_deny api.imagicle.com:8443: port_not_allowed", 0),
        ("api.imagicle.com:443", "allow api.imagicle.com:443", 0),
    ] {
        let (found, out, err) = run(&["--config", &config, "explain", destination], b"").await;
        assert_eq!((found, out.lines().next()), (Some(code), Some(first)), "{err}");
        assert_eq!(out.contains("it passes now: policy.mode is \"observe\""), first.starts_with("would_deny"), "{out}");
    }
    let (code, out, _) = run(&["--config", &config, "explain", "--client", "8.8.8.8", "api.imagicle.com:443"], b"").await;
    assert_eq!((code, out.lines().next()), (Some(1), Some("deny api.imagicle.com:443: client_not_allowed")));
}
