//! Bodies: each format and coding that is read, clean, with personal data, with a field that nobody documents.

use super::{HTTP1, Told, World, assert_refused, gzip, post};
use crate::support::clean::{labelled, number};

/// A body under its content type.
type Body = (&'static str, Vec<u8>);

const FORM: &str = "multipart/form-data; boundary=b";

/// A form with one part.
fn part(name: &str, content_type: &str, body: &str) -> Vec<u8> {
    format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\nContent-Type: {content_type}\r\n\r\n{body}\r\n--b--\r\n")
        .into_bytes()
}

fn clean() -> Vec<Body> {
    vec![
        ("application/json", r#"{"processes":[{"pid":4,"name":"svchost.exe","workingSet":12345678}]}"#.into()),
        ("application/json; charset=utf-8", r#"{"editionName":"Windows Server 2022 Standard"}"#.into()),
        ("application/x-ndjson", "{\"cucmVersion\":\"14.0.1\"}\n{\"numberOfUsers\":1250}\n".into()),
        ("application/x-www-form-urlencoded", "cucmVersion=14.0.1&numberOfUsers=1250".into()),
        ("application/xml", "<telemetry><hotfixes><hotfix>KB5031364</hotfix></hotfixes></telemetry>".into()),
        (FORM, part("version", "text/plain", "2026.1.0")),
        (FORM, part("telemetry", "application/json", r#"{"handleCount":612}"#)),
        ("application/x-protobuf", [number(1250), labelled("14.0.1")].concat()),
        ("text/plain", "2026.1.0".into()),
    ]
}

/// With what is found, and where.
fn personal() -> Vec<(Body, &'static str)> {
    vec![
        (
            ("application/json", r#"{"services":[{"startupIdentity":"ACME\\mario.rossi"}]}"#.into()),
            "identity in /services/0/startupIdentity",
        ),
        (("application/json", r#"{"version":"1.0","extension":4312}"#.into()), "phone in /"),
        (("application/x-ndjson", "{\"version\":\"1.0\"}\n{\"vendor\":\"call +39 0584 943232\"}\n".into()), "phone in /1/vendor"),
        (("application/x-www-form-urlencoded", "version=1.0&note=mario.rossi%40example.com".into()), "email in /(1)"),
        (("application/xml", "<beat><exePath>C:\\Users\\mario\\a.exe</exePath></beat>".into()), "user_path in /"),
        ((FORM, part("adapterName", "text/plain", "00:1b:44:11:3a:b7")), "mac_address in /0/adapterName"),
        ((FORM, part("beat", "application/json", r#"{"vendor":"sip:mario@example.com"}"#)), "sip_uri in /0/"),
        (("application/x-protobuf", labelled("mario.rossi@example.com")), "email in /(0)"),
        (("text/plain", "written by mario.rossi@example.com".into()), "email in /"),
    ]
}

const WORDS: &str = "as agreed last week";

/// With the place of what nobody documents.
fn undocumented() -> Vec<(Body, &'static str)> {
    vec![
        (("application/json", format!(r#"{{"version":"1.0","remark":"{WORDS}"}}"#).into()), ": /(1)"),
        (("application/x-ndjson", format!("{{\"version\":\"1.0\"}}\n{{\"remark\":\"{WORDS}\"}}\n").into()), ": /1/(0)"),
        (("application/x-www-form-urlencoded", format!("version=1.0&remark={WORDS}").replace(' ', "+").into()), ": /(1)"),
        (("application/xml", format!("<beat><remark>{WORDS}</remark></beat>").into()), ": /"),
        ((FORM, part("remark", "text/plain", WORDS)), ": /0/"),
        (("application/x-protobuf", labelled(WORDS)), ": /(0)"),
        (("text/plain", WORDS.into()), ": /"),
    ]
}

/// Plain and compressed in the ways that are read; each as (header field, body).
fn codings(body: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("", body.to_vec()),
        ("Content-Encoding: identity\r\n", body.to_vec()),
        ("Content-Encoding: gzip\r\n", gzip(body)),
        ("Content-Encoding: gzip, gzip\r\n", gzip(&gzip(body))),
    ]
}

/// Posts a body in every coding; what became of each.
async fn in_every_coding(world: &World, (content_type, body): &Body) -> Vec<(String, Told)> {
    let mut told = Vec::new();
    for (coding, coded) in codings(body) {
        let fields = format!("Content-Type: {content_type}\r\n{coding}");
        let became = post(world, &fields, &coded).await;
        told.push((format!("{fields}{}", String::from_utf8_lossy(body)), became));
    }
    told
}

#[tokio::test]
async fn documented_telemetry_passes_in_every_format_and_coding() {
    let world = World::echoing(HTTP1).await;
    for body in clean() {
        for (which, told) in in_every_coding(&world, &body).await {
            assert_eq!(told, Told::Passed, "{which}");
        }
    }
}

#[tokio::test]
async fn personal_data_is_refused_by_kind_and_place_in_every_format_and_coding() {
    let world = World::echoing(HTTP1).await;
    for (body, found) in personal() {
        for (which, told) in in_every_coding(&world, &body).await {
            assert_refused(&told, "personal_data", found, &which);
            let shown = format!("{told:?}");
            for value in ["mario", "rossi", "4312", "943232", "ACME", "3a:b7"] {
                assert!(!shown.contains(value), "{value} of {which} in {shown}");
            }
        }
    }
    assert!(world.what_arrived().await.concat().is_empty(), "not a byte");
}

#[tokio::test]
async fn what_nobody_documents_is_refused_by_place_in_every_format_and_coding() {
    let world = World::echoing(HTTP1).await;
    for (body, place) in undocumented() {
        for (which, told) in in_every_coding(&world, &body).await {
            assert_refused(&told, "undocumented_field", place, &which);
            let shown = format!("{told:?}");
            assert!(!shown.contains("remark") && !shown.contains("agreed"), "{shown}");
        }
    }
    assert!(world.what_arrived().await.concat().is_empty(), "not a byte");
}
