//! What the mode `observe` records and what `learn` makes of it: nothing is refused, nothing that may be somebody's data is kept, and the
//! proposal enforces what was seen.

mod bounds;
mod proposal;
mod saved;
mod values;

use crate::support::client::{DEADLINE, RawClient, connect_tunnel, exchange, within_deadline};
use crate::support::daemon::{BINARY, Daemon};
use crate::support::http2::{Http2, message};
use crate::support::intercept::Ca;
use crate::support::origin::{Behaviour, RawOrigin, TappedOrigin};
use crate::support::pki::Pki;
use crate::support::proxy::Setup;
use crate::support::world::{API, HTTP2, call};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::{Instant, interval};

/// A host in no rule.
const UNKNOWN: &str = "unknown.test";
const OBSERVE: &str = "[policy]\nmode = \"observe\"\n";

/// A cloud, a CA and a folder around daemons.
struct Site {
    ca: Ca,
    api: TappedOrigin,
    unknown: RawOrigin,
    folder: TempDir,
}

impl Site {
    async fn new() -> Self {
        let pki = Pki::new();
        let api = TappedOrigin::echoing(&pki, &[API], HTTP2).await;
        let unknown = RawOrigin::scripted(Behaviour::Echo).await;
        Self { ca: Ca::new(&pki, &[API]), api, unknown, folder: TempDir::new().expect("a folder") }
    }

    /// A configuration with these sections.
    fn text(&self, sections: &str) -> String {
        let setup = Setup::new().host(API, self.api.addr()).host(UNKNOWN, self.unknown.addr());
        self.ca.configure(setup).section(sections).text()
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("text").to_owned()
    }

    /// Observes, and saves that.
    fn saving(&self, more: &str) -> String {
        self.text(&format!("{OBSERVE}observed = \"{}\"\n{more}", self.path("observed.json")))
    }

    async fn raw(&self, daemon: &Daemon) -> RawClient<tokio_rustls::client::TlsStream<tokio::net::TcpStream>> {
        self.ca.raw(daemon.proxy, API).await
    }

    /// Asks in HTTP/1.1 on a connection of its own; the status.
    async fn ask(&self, daemon: &Daemon, method: &str, target: &str, fields: &str, body: &[u8]) -> u16 {
        let mut client = self.raw(daemon).await;
        ask_on(&mut client, method, target, fields, body).await
    }

    async fn post(&self, daemon: &Daemon, target: &str, body: &str) -> u16 {
        self.ask(daemon, "POST", target, "Content-Type: application/json\r\n", body.as_bytes()).await
    }

    /// Sends messages in one gRPC call; its status, if it was refused.
    async fn call(&self, daemon: &Daemon, path: &str, messages: &[&[u8]]) -> Option<String> {
        let stream = self.ca.connect(daemon.proxy, API, &[b"h2"]).await.expect("the client takes the certificate");
        let mut client = Http2::over(stream).await;
        let framed: Vec<Vec<u8>> = messages.iter().map(|one| message(one)).collect();
        let pieces: Vec<&[u8]> = framed.iter().map(Vec::as_slice).collect();
        let answer = client.ask(call(path), &pieces, None).await;
        answer.field("grpc-status").map(str::to_owned)
    }
}

async fn ask_on(
    client: &mut RawClient<tokio_rustls::client::TlsStream<tokio::net::TcpStream>>,
    method: &str,
    target: &str,
    fields: &str,
    body: &[u8],
) -> u16 {
    let head = format!("{method} {target} HTTP/1.1\r\nHost: {API}\r\n{fields}Content-Length: {}\r\n\r\n", body.len());
    client.send(&[head.as_bytes(), body].concat()).await;
    let head = client.read_head().await;
    client.read_body(&head).await;
    head.status
}

/// What was observed, as the admin listener shows it.
async fn shown(admin: SocketAddr) -> String {
    let (head, body) = exchange(admin, b"GET /api/observed HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").await;
    assert_eq!(head.status, 200);
    String::from_utf8(body).expect("JSON is text")
}

/// The same, once it has what is waited for.
async fn observed(admin: SocketAddr, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + DEADLINE;
    let mut pause = interval(Duration::from_millis(10));
    loop {
        let text = shown(admin).await;
        let value: Value = serde_json::from_str(&text).expect("JSON");
        if wanted(&value) {
            return value;
        }
        assert!(Instant::now() < deadline, "{what}: {text}");
        pause.tick().await;
    }
}

/// How many requests were noted.
fn requests(observed: &Value) -> u64 {
    observed["requests"].as_array().expect("a list").iter().map(|asked| times(&asked["times"])).sum()
}

fn connections(observed: &Value) -> u64 {
    observed["destinations"].as_array().expect("a list").iter().map(|wanted| times(&wanted["times"])).sum()
}

fn messages(observed: &Value) -> u64 {
    observed["messages"].as_array().expect("a list").iter().map(|one| one["count"].as_u64().expect("a count")).sum()
}

fn times(times: &Value) -> u64 {
    let reasons = |name: &str| times[name].as_object().into_iter().flatten().filter_map(|(_, count)| count.as_u64()).sum::<u64>();
    times["allowed"].as_u64().expect("a count") + reasons("would_refuse") + reasons("refused")
}

/// The entry of a list in which a member is so.
fn with<'v>(list: &'v Value, member: &str, is: &str) -> &'v Value {
    list.as_array().expect("a list").iter().find(|one| one[member] == is).unwrap_or_else(|| panic!("{is}: {list}"))
}

/// Runs the binary.
async fn run(arguments: &[&str], input: &[u8]) -> (Option<i32>, String, String) {
    let mut command = Command::new(BINARY);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("standard input is piped");
    // Whoever does not read it ends first.
    let _ = stdin.write_all(input).await;
    drop(stdin);
    let Output { status, stdout, stderr } =
        within_deadline("the process ends", child.wait_with_output()).await.expect("it can be waited for");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    (status.code(), text(stdout), text(stderr))
}

fn is_there(path: &str) -> bool {
    Path::new(path).exists()
}

#[tokio::test]
async fn nothing_is_refused_but_what_guards_the_network_and_all_is_recorded() {
    let site = Site::new().await;
    let daemon = Daemon::start(&site.text(&format!("{OBSERVE}[inspection]\nmax_message = \"64KiB\"\n"))).await;
    for authority in ["unknown.test:443", "unknown.test:443", "api.imagicle.com:25"] {
        let mut client = connect_tunnel(daemon.proxy, authority).await.unwrap_or_else(|(head, problem)| panic!("{head:?} {problem:?}"));
        client.send(b"whatever").await;
        drop(client);
    }
    let (_, problem) = connect_tunnel(daemon.proxy, "10.0.0.1:443").await.expect_err("an address inside");
    assert_eq!(problem.reason, "address_not_allowed");
    let large = format!("{{\"note\":\"{}\"}}", "x".repeat(80 << 10));
    for (target, body) in [
        ("/license/v2/update", r#"{"processes":[{"pid":4,"name":"System"}]}"#),
        ("/license/v2/update", r#"{"contact":"mario.rossi@example.com"}"#),
        ("/license/v2/update", r#"{"comment":"some words of somebody"}"#),
        ("/telemetry/beat", large.as_str()),
    ] {
        assert_eq!(site.post(&daemon, target, body).await, 200, "{target}");
    }
    assert_eq!(site.ask(&daemon, "POST", "/telemetry/shot", "Content-Type: image/png\r\n", b"\x89PNG").await, 200);
    assert_eq!(
        site.call(&daemon, "/imagicle.Beats/Report", &[b"\x08\x07", b"\x0a\x17mario.rossi@example.com"]).await.as_deref(),
        Some("0")
    );
    let seen = observed(daemon.admin, "everything", |seen| requests(seen) == 6 && connections(seen) >= 10 && messages(seen) == 3).await;
    let wanted = |destination| &with(&seen["destinations"], "destination", destination)["times"];
    assert_eq!(wanted("unknown.test:443")["would_refuse"]["host_not_allowed"], 2);
    assert_eq!(wanted("api.imagicle.com:25")["would_refuse"]["port_not_allowed"], 1);
    assert_eq!(wanted("10.0.0.1:443")["refused"]["address_not_allowed"], 1);
    assert_eq!(wanted("api.imagicle.com:443")["allowed"], 6);
    let update = with(&seen["requests"], "path", "/license/v2/update");
    assert_eq!((update["service"].as_str(), update["times"]["allowed"].as_u64()), (Some("licensing"), Some(1)));
    assert_eq!(update["times"]["would_refuse"], serde_json::json!({"personal_data": 1, "undocumented_field": 1}));
    assert_eq!(update["bytes"], serde_json::json!({"least_below": 64, "below": 64}));
    let beat = with(&seen["requests"], "path", "/telemetry/beat");
    assert_eq!((&beat["times"]["would_refuse"]["message_too_large"], &beat["bytes"]["below"]), (&1.into(), &(128 << 10).into()));
    // Nobody knows the word, and it came once.
    assert_eq!(with(&seen["requests"], "path", "/telemetry/*")["times"]["would_refuse"]["uninspectable"], 1);
    let grpc = with(&seen["requests"], "path", "/imagicle.Beats/Report");
    assert_eq!((&grpc["grpc_messages"], &grpc["times"]["would_refuse"]["personal_data"]), (&2.into(), &1.into()));
    assert_eq!(grpc["bytes"], serde_json::json!({"least_below": 4, "below": 32}));
    assert_eq!(seen["left_out"]["messages"], 1, "the picture: {}", seen["left_out"]);
    let fields = &with(&seen["messages"], "service", "licensing")["fields"]["members"];
    assert_eq!((&fields["comment"]["messages"], &fields["comment"]["types"]), (&1.into(), &serde_json::json!(["string"])));
    assert_eq!(fields["contact"]["forms"], serde_json::json!(["personal-data"]));
    assert_eq!(daemon.terminate().await, Some(0));
}

#[tokio::test]
async fn enforcing_records_nothing() {
    let site = Site::new().await;
    let daemon = Daemon::start(&site.text("")).await;
    assert_eq!(site.post(&daemon, "/license/v2/update", r#"{"processes":[{"pid":4}]}"#).await, 200);
    assert!(connect_tunnel(daemon.proxy, "unknown.test:443").await.is_err());
    let seen: Value = serde_json::from_str(&shown(daemon.admin).await).expect("JSON");
    for list in ["destinations", "requests", "messages"] {
        assert_eq!(seen[list], serde_json::json!([]), "{seen}");
    }
}
