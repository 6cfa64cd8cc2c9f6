//! Reports: the same figures in every form, a broken chain on the first sheet, and nothing that is fetched from anywhere.

use super::content::{BODY, intercepting};
use super::{Folder, ask, closed};
use crate::support::client::within_deadline;
use crate::support::daemon::BINARY;
use crate::support::intercept::{API, request};
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tokio::process::Command;
use ucx_egress::config::Config;
use ucx_egress::policy::export::cell;

/// All of this century.
const ALWAYS: [&str; 4] = ["--from", "2000-01-01", "--to", "2100-01-01"];

async fn report(arguments: &[&str], audit: &[PathBuf]) -> (Option<i32>, String) {
    let mut command = Command::new(BINARY);
    command.arg("report").args(arguments).args(audit);
    let output = within_deadline("the report", command.output()).await.expect("it runs");
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).expect("text"))
}

pub(super) async fn in_format(format: &str, audit: &[PathBuf]) -> (Option<i32>, String) {
    report(&[&ALWAYS[..], &["--format", format]].concat(), audit).await
}

/// Two requests to licensing, three to telemetry of which two are refused, four to nobody.
async fn scripted() -> Folder {
    let folder = Folder::new();
    let (daemon, ca, _origin) = intercepting(&folder, "").await;
    let mut client = ca.http1(daemon.proxy, API).await;
    for (path, body) in [("/licence", ""), ("/licence/2", ""), ("/telemetry/beat", "{}")] {
        let method = if body.is_empty() { Method::GET } else { Method::POST };
        let answer = client.send_request(request(method, path, body)).await.expect("an answer");
        // The origin knows none of them; the proxy lets them through.
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        answer.into_body().collect().await.expect("a body");
        client.ready().await.expect("the connection stays");
    }
    for _ in 0..2 {
        let mut client = ca.http1(daemon.proxy, API).await;
        let answer = client.send_request(request(Method::POST, "/telemetry/beat", BODY)).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    }
    for _ in 0..4 {
        assert_eq!(ask(daemon.proxy).await.0, 403);
    }
    drop(client);
    assert_eq!(daemon.terminate().await, Some(0));
    folder
}

fn service<'a>(report: &'a Value, id: &str) -> &'a Value {
    report["services"].as_array().expect("a list").iter().find(|service| service["id"] == id).unwrap_or_else(|| panic!("no {id}"))
}

/// The figure of a row of the CSV.
fn figure<'a>(csv: &'a str, row: &str) -> &'a str {
    let found = csv.lines().find_map(|line| line.strip_prefix(row)).unwrap_or_else(|| panic!("no {row} in\n{csv}"));
    found.split(',').next().expect("a cell")
}

#[tokio::test]
async fn the_three_forms_say_the_same_figures() {
    let folder = scripted().await;
    let audit = [folder.path()];
    let (code, json) = in_format("json", &audit).await;
    assert_eq!(code, Some(0), "{json}");
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let (code, csv) = in_format("csv", &audit).await;
    assert_eq!(code, Some(0));
    let (code, html) = in_format("html", &audit).await;
    assert_eq!(code, Some(0));

    let telemetry = service(&json, "telemetry");
    assert_eq!((&telemetry["decisions"]["allow"], &telemetry["decisions"]["deny"]), (&1.into(), &2.into()), "{telemetry}");
    assert_eq!(telemetry["refused"]["personal_data"], 2);
    assert_eq!((&telemetry["traffic"]["messages"], &telemetry["blocked"]), (&3.into(), &2.into()));
    assert_eq!(telemetry["findings"]["email"]["blocked"], 2, "{telemetry}");
    assert_eq!(telemetry["coverage"]["inspected"], 1);
    assert_eq!(service(&json, "licensing")["coverage"]["inspected"], 2);
    assert_eq!(service(&json, "none")["refused"]["host_not_allowed"], 4);
    let endpoint = &telemetry["endpoints"][0];
    assert_eq!((&endpoint["endpoint"], &endpoint["exchanges"]), (&"api.imagicle.com:443".into(), &3.into()));
    assert!(endpoint["source"]["document"].as_str().expect("a document").contains("Terms of Use"), "{endpoint}");
    assert_eq!((&json["inspected_percent"], &json["policy"]["differs"]), (&100.0.into(), &false.into()));
    assert_eq!(json["integrity"]["ok"], true);

    for (row, value) in [
        ("service,telemetry,allow,exchanges,", &telemetry["decisions"]["allow"]),
        ("service,telemetry,deny,exchanges,", &telemetry["decisions"]["deny"]),
        ("service,telemetry,,messages,", &telemetry["traffic"]["messages"]),
        ("service,telemetry,,bytes_up,", &telemetry["traffic"]["up"]),
        ("service,licensing,,bytes_down,", &service(&json, "licensing")["traffic"]["down"]),
        ("refused,telemetry,personal_data,exchanges,", &2.into()),
        ("refused,none,host_not_allowed,exchanges,", &4.into()),
        ("finding,,email,blocked,", &json["incidents"]["findings"]["email"]["blocked"]),
        ("all,,allow,exchanges,", &json["decisions"]["allow"]),
        ("integrity,,chain,ok,", &true.into()),
    ] {
        assert_eq!(figure(&csv, row), value.to_string(), "{row}");
    }
    let (allow, deny) = (&json["decisions"]["allow"], &json["decisions"]["deny"]);
    for shown in [
        "The records are whole.</strong> 1 file, lines 1 to".to_owned(),
        format!("<b>{allow}</b>exchanges let through"),
        format!("<b>{deny}</b>exchanges refused"),
        "<b>100 %</b>".to_owned(),
        "<b>2</b>messages refused".to_owned(),
        "findings in refused messages".to_owned(),
        "<td>personal_data</td><td>refused</td><td class=\"n\">2</td>".to_owned(),
        json["integrity"]["key"].as_str().expect("a key").to_owned(),
    ] {
        assert!(html.contains(&shown), "{shown}");
    }
}

/// A page that fetches nothing can be kept, mailed and printed, and tells nobody that it was opened.
#[tokio::test]
async fn the_page_refers_to_nothing_outside() {
    let folder = closed(2).await;
    let (_, html) = in_format("html", &[folder.path()]).await;
    let lower = html.to_lowercase();
    for outside in ["src=", "href=", "url(", "@import", "<script", "<iframe", "<img", "<link", "<object", "<embed", "javascript:", "<form"]
    {
        assert!(!lower.contains(outside), "{outside}");
    }
    let mut quotes = lower.match_indices("http");
    assert!(
        quotes.all(|(at, _)| lower[at..].starts_with("http-equiv") || lower[..at].ends_with('\u{201c}')),
        "an address outside a quotation"
    );
    assert!(html.contains("default-src 'none'") && html.contains("@media print") && html.contains("prefers-color-scheme: dark"));
    assert!(html.matches("<caption>").count() == html.matches("<table>").count() && html.contains("scope=\"row\""));
}

#[tokio::test]
async fn a_broken_chain_is_said_first_and_by_the_exit_code() {
    let folder = closed(3).await;
    let file = folder.files().remove(0);
    let text = std::fs::read_to_string(&file).expect("text");
    std::fs::write(&file, text.replacen("\"verdict\":\"deny\"", "\"verdict\":\"allo\"", 1)).expect("written");
    let audit = [folder.path()];
    let (code, html) = in_format("html", &audit).await;
    assert_eq!(code, Some(1));
    let (first, _) = html.split_once("<main").expect("a first sheet");
    assert!(first.contains("The records are broken") && first.contains(":3: "), "{first}");
    let (code, json) = in_format("json", &audit).await;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((code, &json["integrity"]["ok"], &json["integrity"]["fault"]["line"]), (Some(1), &false.into(), &3.into()));
    // What stands behind it is believed by nobody.
    assert_eq!(json["decisions"]["deny"], 0);
    let (code, csv) = in_format("csv", &audit).await;
    assert!(code == Some(1) && csv.contains("broken_at_line,3"), "{csv}");
}

#[tokio::test]
async fn a_period_without_lines_says_so() {
    let folder = closed(1).await;
    let (code, html) = report(&["--from", "2001-01-01", "--to", "2001-02-01"], &[folder.path()]).await;
    assert_eq!(code, Some(0));
    assert!(html.contains("2001-01-01 to 2001-02-01") && html.contains("none in this period"), "{html}");
    assert!(html.contains("of this period the files have nothing before") && html.contains("nothing of this kind"), "{html}");
    let (_, json) = report(&["--from", "2001-01-01", "--to", "2001-02-01", "--format", "json"], &[folder.path()]).await;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["traffic"]["exchanges"], &json["inspected_percent"]), (&0.into(), &Value::Null));
    assert_eq!(json["timeline"].as_array().expect("a list").len(), 31);
}

#[tokio::test]
async fn periods_that_are_none_are_refused_with_the_form() {
    let folder = closed(1).await;
    for (from, to, word) in [
        ("yesterday", "2100-01-01", "write 2026-11-01"),
        ("2026-02-30", "2100-01-01", "--from \"2026-02-30\""),
        ("2026-01-01", "01.02.2026", "--to \"01.02.2026\""),
        ("2026-01-02", "2026-01-01", "is not behind"),
        ("2026-01-01", "2026-01-01", "is not behind"),
    ] {
        let (code, text) = report(&["--from", from, "--to", to], &[folder.path()]).await;
        assert!(code == Some(2) && text.contains(word), "{from} {to}: {text}");
    }
    let (code, text) = report(&ALWAYS, &["nowhere.jsonl".into()]).await;
    assert!(code == Some(2) && text.contains("nowhere.jsonl"), "{text}");
}

/// The end is not part of a period: no line counts in two of them.
#[tokio::test]
async fn periods_that_meet_share_no_line() {
    let folder = closed(3).await;
    let lines = folder.lines();
    let middle = lines[3]["time"].as_str().expect("a time");
    let mut all = 0;
    for period in [["--from", "2000-01-01", "--to", middle], ["--from", middle, "--to", "2100-01-01"]] {
        let (_, json) = report(&[&period[..], &["--format", "json"]].concat(), &[folder.path()]).await;
        let json: Value = serde_json::from_str(&json).expect("JSON");
        all += json["traffic"]["exchanges"].as_u64().expect("a number");
    }
    assert_eq!(all, 3);
}

#[tokio::test]
async fn another_policy_than_the_audits_is_said() {
    let folder = closed(1).await;
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/strict.toml");
    let hash = Config::load(Some(&config)).expect("it loads").policy.hash().to_owned();
    let config = config.to_str().expect("a path");
    let (code, html) = report(&[&["--config", config][..], &ALWAYS].concat(), &[folder.path()]).await;
    assert_eq!(code, Some(0));
    assert!(html.contains(&format!("the configured one is {hash}")), "{html}");
}

#[test]
fn no_cell_is_a_formula() {
    for (value, expected) in [("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), ("\tx", "'\tx"), ("a", "a")] {
        assert_eq!(cell(value), expected);
    }
    assert_eq!(cell("\rx"), "\"'\rx\"");
}
