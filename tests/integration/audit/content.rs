//! What is in the lines, and what is in none.

use super::{Folder, of_kind};
use crate::support::clean::{labelled, number};
use crate::support::client::{DEADLINE, exchange};
use crate::support::daemon::{Daemon, records};
use crate::support::http2::message;
use crate::support::intercept::{API, Ca, request};
use crate::support::origin::{TappedOrigin, TlsOrigin};
use crate::support::passwords::{ALICE, ALICES, Passwords, basic};
use crate::support::pki::Pki;
use crate::support::proxy::Setup;
use crate::support::world::{ADDRESS, HTTP2, World, call};
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, interval};

/// Nobody's, and nowhere else.
const PERSON: &str = "quaglia";
pub const BODY: &str = r#"{"note":"ludovico.quaglia@kunde.example.org","phone":"+393331000003"}"#;

pub async fn intercepting(folder: &Folder, sections: &str) -> (Daemon, Ca, TlsOrigin) {
    let pki = Pki::new();
    let origin = TlsOrigin::start(&pki, &[API], &[b"http/1.1"]).await;
    let ca = Ca::new(&pki, &[API]);
    let setup = ca.configure(Setup::new().host(API, origin.addr())).section(&folder.section("")).section(sections);
    (Daemon::start(&setup.text()).await, ca, origin)
}

#[tokio::test]
async fn a_decision_says_what_was_inspected_and_found() {
    let folder = Folder::new();
    let (daemon, ca, _origin) = intercepting(&folder, "").await;
    let mut client = ca.http1(daemon.proxy, API).await;
    let answer = client.send_request(request(Method::GET, "/test", "")).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    answer.into_body().collect().await.expect("a body");
    let answer = client.send_request(request(Method::POST, "/telemetry/beat", BODY)).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let id = answer.headers()["x-decision-id"].to_str().expect("text").to_owned();
    drop(client);
    let (code, log) = daemon.stop().await;
    assert_eq!(code, Some(0));
    let lines = folder.lines();
    let decisions = of_kind(&lines, "decision");
    assert_eq!(decisions.len(), records(&log).len());
    let refused = decisions.iter().find(|line| line["decision"] == id.as_str()).expect("the refused one is there");
    for (member, value) in [
        ("verdict", Value::from("deny")),
        ("reason", "personal_data".into()),
        ("service", "telemetry".into()),
        ("endpoint", "api.imagicle.com:443".into()),
        ("protocol", "http1".into()),
        ("method", "POST".into()),
        ("status", 403.into()),
        ("ended", "refused".into()),
        ("messages", 1.into()),
        ("blocked", 1.into()),
        ("network", "127.0.0.0/8".into()),
    ] {
        assert_eq!(refused[member], value, "{member}: {refused}");
    }
    let findings = refused["findings"].as_array().expect("a list");
    assert!(findings.iter().any(|found| found["kind"] == "email" && found["blocked"] == 1 && found["passed"] == 0), "{refused}");
    assert_eq!(refused["client"].as_str().expect("a pseudonym").len(), 8);
    let passed = decisions.iter().find(|line| line["verdict"] == "allow" && line["protocol"] == "http1").expect("the other one");
    assert_eq!((&passed["coverage"], &passed["reason"], &passed["messages"]), (&"inspected".into(), &"".into(), &1.into()));
    let start = of_kind(&lines, "start").remove(0).clone();
    let in_force = &start["in_force"];
    assert_eq!((&in_force["mode"], &in_force["interception"]), (&"enforce".into(), &true.into()));
    assert_eq!(in_force["policy"], passed["policy"]);
    assert_eq!(in_force["config"].as_str().expect("a hash").len(), 64);
}

#[tokio::test]
async fn each_message_of_a_call_is_counted() {
    let folder = Folder::new();
    let origin = async |pki: &Pki| TappedOrigin::echoing(pki, &[API], HTTP2).await;
    let world = World::with(origin, |setup| setup.section(&folder.section(""))).await;
    let mut client = world.http2().await;
    let messages = [message(&number(1)), message(&number(2)), message(&labelled(ADDRESS)), message(&number(3))].concat();
    client.ask(call("/imagicle.Telemetry/Report"), &[&messages], None).await;
    drop(client);
    world.what_arrived().await;
    let deadline = Instant::now() + DEADLINE;
    let mut pause = interval(Duration::from_millis(10));
    let line = loop {
        pause.tick().await;
        let lines = folder.lines();
        if let Some(line) = lines.iter().find(|line| line["protocol"] == "http2") {
            break line.clone();
        }
        assert!(Instant::now() < deadline, "the call is recorded");
    };
    assert_eq!((&line["messages"], &line["blocked"], &line["reason"]), (&3.into(), &1.into(), &"personal_data".into()), "{line}");
    assert!(line["findings"].as_array().is_some_and(|found| !found.is_empty()), "{line}");
}

/// Everything a client can write is somebody's data: hosts, paths, names, passwords, header fields, bodies.
#[tokio::test]
async fn nothing_of_a_person_is_in_the_files() {
    let folder = Folder::new();
    let passwords = Passwords::new(&[ALICE]);
    let (daemon, ca, _origin) = intercepting(&folder, &passwords.section()).await;
    let login = basic(ALICES);
    for asked in [
        format!("CONNECT {PERSON}.imagicle.cloud:443 HTTP/1.1\r\n{login}\r\n"),
        format!("CONNECT {PERSON}.example.org:443 HTTP/1.1\r\n{login}\r\n"),
        format!(
            "GET http://{PERSON}.example.org/{PERSON}?{PERSON}={PERSON} HTTP/1.1\r\nHost: {PERSON}.example.org\r\n{login}X-{PERSON}: {PERSON}\r\n\r\n"
        ),
        format!("CONNECT api.imagicle.com:443 HTTP/1.1\r\n{}\r\n", basic((PERSON, PERSON))),
        format!("{PERSON} /{PERSON} HTTP/1.1\r\n\r\n"),
        format!("CONNECT {PERSON}:99999 HTTP/1.1\r\n\r\n"),
    ] {
        let status = exchange(daemon.proxy, asked.as_bytes()).await.0.status;
        assert!(status >= 400, "{status}: {asked}");
    }
    // Whoever authenticates is asked for the tunnel alone.
    let tunnel = crate::support::client::RawClient::connect(daemon.proxy).await;
    let mut tunnel = tunnel;
    tunnel.send(format!("CONNECT {API}:443 HTTP/1.1\r\n{login}\r\n").as_bytes()).await;
    tunnel.try_read_through(b"\r\n\r\n").await.expect("an answer");
    let stream = tunnel.tls(ca.client(&[b"http/1.1"]), API).await.expect("TLS");
    let mut client = crate::support::client::RawClient::over(stream);
    client
        .send(format!("POST /{PERSON}?{PERSON} HTTP/1.1\r\nHost: {API}\r\nX-Name: {PERSON}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{BODY}", BODY.len()).as_bytes())
        .await;
    client.try_read_through(b"\r\n\r\n").await.expect("an answer");
    drop(client);
    let (code, log) = daemon.stop().await;
    assert_eq!(code, Some(0));
    let decisions = of_kind(&folder.lines(), "decision").len();
    assert!(decisions >= 8 && decisions == records(&log).len(), "{decisions}");
    for file in folder.files() {
        let text = std::fs::read_to_string(&file).expect("text").to_lowercase();
        for needle in [PERSON, "alice", "127.0.0.1", "+39333", "example.org", "kunde", "ludovico"] {
            assert!(!text.contains(needle), "{needle} is in {file:?}");
        }
        assert!(text.contains("*.imagicle.cloud:443"), "a wildcard's own host");
    }
}
