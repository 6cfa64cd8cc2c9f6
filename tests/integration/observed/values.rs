//! No value is kept, wherever it stands.

use super::{OBSERVE, Site, messages, observed, requests, run, shown};
use crate::support::clean::labelled;
use crate::support::daemon::Daemon;

/// Personal data, and other values: none of these may be found in what is recorded, shown, saved or proposed.
const VALUES: [&str; 18] = [
    "mario",
    "rossi",
    "bianchi",
    "giulia",
    "example",
    "390212345678",
    "0212345678",
    "4312",
    "4111111111111111",
    "zanzibar",
    "secret",
    "8a77",
    "10.20.30.40",
    "deadbeef42",
    "svc.ucx",
    "987654",
    "RSSMRA",
    "quokka",
];

/// Everything that a message can hold somebody's data in.
async fn tell(site: &Site, daemon: &Daemon) -> u64 {
    let json = "Content-Type: application/json\r\n";
    let body = r#"{"mario.rossi@example.com": 1, "Giulia Bianchi": {"fill": 1}, "mrossi": 4312, "line4312": true, "gizmo": "Zanzibar secret",
        "boss": "Mario Rossi", "tel": 390212345678, "card": 4111111111111111, "level": 987654, "server": "10.20.30.40",
        "token": "6f1b0c1e-8a77-4b7e-9d55-0c8e2a1d4f00", "who": ["RSSMRA85T10A562S", "giulia.bianchi@example.com"], "deep": {"a": [{"quokka": "quokka"}]},
        "account": "ACME\\svc.ucx.rossi"}"#
        .replace("\"quokka\": \"quokka\"", "\"depth\": \"quokka\"");
    let fields = "X-User: mario.rossi@example.com\r\nCookie: session=deadbeef42\r\nAuthorization: Bearer secret\r\n";
    let targets = [
        "/users/mario.rossi@example.com/calls",
        "/users/mrossi/line/4312",
        "/users/mario%2Erossi/",
        "/calls/390212345678;who=rossi",
        "/beat/6f1b0c1e-8a77-4b7e-9d55-0c8e2a1d4f00/deadbeef42",
        "/search?q=Zanzibar&mario.rossi=secret&user=giulia.bianchi%40example.com&4312&page=987654",
    ];
    for target in targets {
        assert_eq!(site.ask(daemon, "POST", target, &format!("{json}{fields}"), body.as_bytes()).await, 200, "{target}");
    }
    let odd = "Content-Type: application/vnd.mario.rossi+json; name=\"giulia\"\r\n";
    assert_eq!(site.ask(daemon, "PUT", "/search", odd, br#"{"gizmo":"quokka"}"#).await, 200);
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    assert_eq!(site.ask(daemon, "POST", "/form", form, b"mario.rossi=1&gizmo=Zanzibar&tel=0212345678").await, 200);
    let lines = "Content-Type: application/x-ndjson\r\n";
    assert_eq!(site.ask(daemon, "POST", "/lines", lines, b"{\"gizmo\":\"Giulia Bianchi\"}\n{\"gizmo\":\"quokka\"}\n").await, 200);
    assert_eq!(site.ask(daemon, "POST", "/sso/login/mrossi?user=mrossi", json, br#"{"user":"mrossi"}"#).await, 200);
    let told = [labelled("mario.rossi@example.com"), labelled("Zanzibar secret")];
    assert_eq!(site.call(daemon, "/imagicle.Beats/mrossi", &told.each_ref().map(Vec::as_slice)).await.as_deref(), Some("0"));
    targets.len() as u64 + 5
}

fn assert_silent(what: &str, text: &str) {
    let lower = text.to_lowercase();
    for value in VALUES {
        assert!(!lower.contains(&value.to_lowercase()), "{value} in {what}: {text}");
    }
}

#[tokio::test]
async fn nothing_that_may_be_somebodys_data_is_kept() {
    let site = Site::new().await;
    let config = site.saving("");
    let daemon = Daemon::start(&config).await;
    let told = tell(&site, &daemon).await;
    let seen = observed(daemon.admin, "all requests", |seen| requests(seen) == told && messages(seen) == told - 1).await;
    assert_silent("what is shown", &shown(daemon.admin).await);
    // What is nobody's data is there, and sso's messages are not looked at.
    let text = seen.to_string();
    for name in ["\"gizmo\"", "\"depth\"", "\"/users/*/calls\"", "\"page\"", "\"user\"", "personal-data", "\"/sso/login/*\""] {
        assert!(text.contains(name), "{name}: {text}");
    }
    assert!(seen["messages"].as_array().expect("a list").iter().all(|one| one["service"] != "sso"), "{text}");
    assert!(seen["left_out"]["names"].as_u64() > Some(20), "{text}");
    assert_eq!(daemon.terminate().await, Some(0));
    let saved = std::fs::read_to_string(site.path("observed.json")).expect("it is saved");
    assert_silent("what is saved", &saved);
    let (code, out, err) = run(&["learn", "--observed", &site.path("observed.json")], b"").await;
    assert_eq!(code, Some(0), "{err}");
    // The vendor's own words are in the policy.
    let proposed = out.replace("example.com", "").replace("for example", "");
    let (policy, shape) = proposed.split_once("# ======== shape").expect("both parts");
    assert_silent("the shape", shape);
    assert!(shape.contains("/boss: a value that was seen under it is personal data") && !shape.contains("id = \"boss\""), "{shape}");
    assert_silent("the policy", policy);
}

/// The log of a proxy that observes says no more than that of one that enforces.
#[tokio::test]
async fn the_log_has_no_value_either() {
    let site = Site::new().await;
    let daemon = Daemon::start(&site.text(OBSERVE)).await;
    let told = tell(&site, &daemon).await;
    observed(daemon.admin, "all requests", |seen| requests(seen) == told).await;
    let (code, lines) = daemon.stop().await;
    assert_eq!(code, Some(0));
    for line in &lines {
        let line = line.to_string();
        for value in ["mario", "rossi", "bianchi", "zanzibar", "390212345678", "quokka"] {
            assert!(!line.to_lowercase().contains(value), "{value}: {line}");
        }
    }
}

/// One request may be one person's: whatever it looks like, a word that no list knows has to come three times. Behind what lists persons it
/// never has a name.
#[tokio::test]
async fn a_segment_that_no_list_knows_is_kept_from_its_third_request_on() {
    const UNKNOWN: [&str; 3] = ["zorblax", "Zor.Blax", "frobnozzleFrobnozzleFrobnozzle"];
    let site = Site::new().await;
    let mut asked = 0;
    for round in 1..=2 {
        let daemon = Daemon::start(&site.saving("")).await;
        for times in 1..=3 {
            for word in UNKNOWN {
                for parent in ["license/v2", "license/user", "license/by-token", "contacts"] {
                    assert_eq!(site.ask(&daemon, "GET", &format!("/{parent}/{word}"), "", b"").await, 200);
                    asked += 1;
                }
            }
            let seen = observed(daemon.admin, "all requests", |seen| requests(seen) == asked).await.to_string();
            for path in ["\"/license/user/*\"", "\"/license/by-token/*\"", "\"/contacts/*\""] {
                assert!(seen.contains(path), "{path}: {seen}");
            }
            // The second round reads what the first one saved.
            let is_kept = (round, times) >= (1, 3);
            for word in UNKNOWN {
                assert_eq!(seen.matches(word).count(), usize::from(is_kept), "{word} in round {round}, time {times}: {seen}");
            }
            assert_eq!(seen.contains("\"/license/v2/*\""), !is_kept, "those that waited have their names: {seen}");
        }
        assert_eq!(daemon.terminate().await, Some(0));
    }
    let saved = std::fs::read(site.path("observed.json")).expect("it is saved");
    let (code, out, err) = run(&["learn", "--observed", "-"], &saved).await;
    assert_eq!(code, Some(0), "{err}");
    for word in UNKNOWN {
        assert!(
            out.contains("# observed GET: 6 times, ") && out.contains(&format!("path = \"/license/v2/{word}\"\nmethods = [\"GET\"]")),
            "{word}: {out}"
        );
        assert_eq!(out.matches(word).count(), 1, "{word}: {out}");
    }
}

/// What ends before the third time leaves no name in the file either, and its hash ends with the process.
#[tokio::test]
async fn what_came_twice_is_saved_without_its_name() {
    let site = Site::new().await;
    for _ in 0..2 {
        let daemon = Daemon::start(&site.saving("")).await;
        for _ in 0..2 {
            assert_eq!(site.ask(&daemon, "GET", "/license/v2/zorblax", "", b"").await, 200);
        }
        assert_eq!(daemon.terminate().await, Some(0));
        let saved = std::fs::read_to_string(site.path("observed.json")).expect("it is saved");
        assert!(!saved.contains("zorblax") && saved.contains("\"/license/v2/*\""), "{saved}");
    }
}
