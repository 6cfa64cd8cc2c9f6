//! What must not be said: nothing that a client sent, but the host in normal form, is found again in any output.

use super::{World, connect, get};
use crate::support::client::{RawClient, client_hello};
use crate::support::daemon::{Daemon, records};
use crate::support::scrape::{Scrape, wait_until_idle};
use serde_json::Value;

/// Words that stand for what nobody may see. Each is put where its name says.
const MARKERS: [&str; 9] = [
    "marker-path",
    "marker-query",
    "marker-field",
    "marker-value",
    "marker-user",
    "marker-cookie",
    "marker-body",
    "marker-name",
    "marker-method",
];

/// Requests full of markers: refused, served, malformed.
fn marked() -> Vec<Vec<u8>> {
    let fields = "marker-field: marker-value\r\nCookie: a=marker-cookie\r\nProxy-Authorization: Basic bWFya2VyLXVzZXI6bWFya2VyLXVzZXI=\r\n\
                  Authorization: Bearer marker-user\r\nUser-Agent: <script>marker-value</script>\r\nReferer: http://x/marker-query\r\n";
    let target = "/marker-path;marker-path/%6darker?marker-query=marker-query";
    let whole = |line: &str, host: &str, body: &str| {
        format!("{line}\r\nHost: {host}\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    };
    vec![
        whole(&format!("POST http://plain.test{target} HTTP/1.1"), "plain.test", "marker-body"),
        whole(&format!("POST http://example.org{target} HTTP/1.1"), "example.org", "marker-body"),
        whole(&format!("GET http://silent.test{target} HTTP/1.1"), "silent.test", "marker-body"),
        whole(&format!("GET http://garbage.test{target} HTTP/1.1"), "garbage.test", ""),
        whole(&format!("marker-method http://plain.test{target} HTTP/1.1"), "plain.test", ""),
        whole(&format!("GET http://marker-user:marker-user@plain.test{target} HTTP/1.1"), "plain.test", ""),
        whole(&format!("GET {target} HTTP/1.1"), "plain.test", ""),
        whole(&format!("GET ftp://plain.test{target} HTTP/1.1"), "plain.test", ""),
        whole(&format!("GET http://plain.test{target} HTTP/1.1"), "marker-user@plain.test", ""),
        whole("CONNECT example.org:443 HTTP/1.1", "example.org", ""),
        whole("CONNECT marker-user@tls.test:443 HTTP/1.1", "tls.test", ""),
        whole("CONNECT tls.test:marker-path HTTP/1.1", "tls.test", ""),
        whole("CONNECT tls.test:443/marker-path HTTP/1.1", "tls.test", ""),
        whole("CONNECT tls.test:443 HTTP/1.1", "tls.test/marker-path", ""),
        format!("GET http://plain.test{target} HTTP/9.9 marker-value\r\n\r\n").into_bytes(),
        b"marker-value \x00\x01 marker-value\r\n\r\n".to_vec(),
        b"\x05marker-value\r\n\r\n".to_vec(),
    ]
}

/// The same in tunnels: names in hellos, and what is no hello at all.
fn marked_tunnels() -> Vec<Vec<u8>> {
    let hello = client_hello(Some("tls.test"));
    vec![
        client_hello(Some("marker-name.test")),
        client_hello(Some("marker-name.imagicle.com")),
        b"POST /marker-path HTTP/1.1\r\nHost: marker-name\r\nCookie: marker-cookie\r\n\r\nmarker-body".to_vec(),
        b"\x16\x03\x01\x00\x0bmarker-body".to_vec(),
        [&hello[..], b"marker-body"].concat(),
        b"marker-body".to_vec(),
    ]
}

/// Says everything that is marked, and gives what was answered.
async fn say_all(daemon: &Daemon) -> Vec<u8> {
    let mut answers = Vec::new();
    for request in marked() {
        let mut client = RawClient::connect(daemon.proxy).await;
        client.send(&request).await;
        client.finish().await;
        answers.extend(client.read_until_closed().await.0);
    }
    for bytes in marked_tunnels() {
        let mut client = RawClient::connect(daemon.proxy).await;
        client.send(&connect("tls.test:443")).await;
        answers.extend(client.read_through(b"\r\n\r\n").await);
        client.send(&bytes).await;
        client.finish().await;
        answers.extend(client.read_until_closed().await.0);
    }
    answers
}

fn is_silent(what: &str, text: &str) {
    for marker in MARKERS {
        assert!(!text.to_ascii_lowercase().contains(marker), "{what} repeats {marker}: {text}");
    }
    for encoded in ["bWFya2VyLXVzZXI", "<script>", "%6darker"] {
        assert!(!text.contains(encoded), "{what} repeats {encoded}: {text}");
    }
}

async fn nothing_is_repeated(format: &str) {
    let world = World::new().await;
    let daemon = Daemon::start_logging(&world.setup().text(), format).await;
    let answers = say_all(&daemon).await;
    is_silent("an answer", &String::from_utf8_lossy(&answers));
    wait_until_idle(daemon.admin).await;
    is_silent("a metric", Scrape::get(daemon.admin).await.text());
    let (_, lines) = daemon.stop().await;
    assert!(lines.len() > marked().len(), "every exchange is logged: {lines:#?}");
    for line in lines {
        is_silent("the log", &line.to_string());
    }
}

#[tokio::test]
async fn nothing_is_repeated_with_a_log_in_json() {
    nothing_is_repeated("json").await;
}

#[tokio::test]
async fn nothing_is_repeated_with_a_log_in_text() {
    nothing_is_repeated("text").await;
}

/// Ends of lines, of terminals and of strings, where a log might take them for its own.
fn injections() -> Vec<Vec<u8>> {
    let evil = "\r\n2026-01-01T00:00:00Z INFO exchange forged=1\u{1b}[2J\u{2028}\0\u{7f}\u{9b}";
    let mut list: Vec<Vec<u8>> = ["example.org", "plain.test", "tls.test"]
        .into_iter()
        .flat_map(|host| {
            [
                format!("CONNECT {host}{evil}:443 HTTP/1.1\r\n\r\n"),
                format!("CONNECT {host}:443{evil} HTTP/1.1\r\n\r\n"),
                format!("GET http://{host}/{evil} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
                format!("GET{evil} http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n"),
                format!("GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {evil}\r\n\r\n"),
                format!("GET http://{host}/%0d%0aforged=1%1b%5b2J HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            ]
        })
        .map(String::into_bytes)
        .collect();
    list.push(get("example.org", &format!("X-A: {}\r\n", "\x1b[31m".repeat(1_000))));
    list
}

async fn log_of_injections(format: &str) -> (usize, Vec<Value>) {
    let world = World::new().await;
    let daemon = Daemon::start_logging(&world.setup().text(), format).await;
    let mut answered = 0;
    for request in injections() {
        let mut client = RawClient::connect(daemon.proxy).await;
        client.send(&request).await;
        let (said, _) = client.read_until_closed().await;
        answered += usize::from(!said.is_empty());
        assert!(!String::from_utf8_lossy(&said).contains("forged"), "{}", String::from_utf8_lossy(&said));
    }
    (answered, daemon.stop().await.1)
}

#[tokio::test]
async fn a_log_in_json_stays_one_object_a_line() {
    let (answered, lines) = log_of_injections("json").await;
    assert!(lines.iter().all(Value::is_object), "{lines:#?}");
    assert!(records(&lines).len() >= answered, "{lines:#?}");
    assert!(lines.iter().all(|line| !line.to_string().contains("forged")), "{lines:#?}");
}

#[tokio::test]
async fn a_log_in_text_stays_one_line_an_exchange() {
    let (answered, lines) = log_of_injections("text").await;
    let lines: Vec<_> = lines.iter().map(|line| line.as_str().expect("a line of text")).collect();
    for line in &lines {
        assert!(!line.chars().any(char::is_control) && !line.contains("forged"), "{line:?}");
        let time = line.split(' ').next().unwrap_or_default();
        assert!(time.ends_with('Z') && time.contains('T'), "a line starts with its time: {line:?}");
    }
    assert!(lines.iter().filter(|line| line.contains("ucx_egress::exchange")).count() >= answered, "{lines:#?}");
}
