//! No output repeats what was found: a thousand values go through every place a message has, and every output is searched for them.

use crate::support::client::within_deadline;
use crate::support::daemon::{BINARY, Daemon};
use crate::support::intercept::{API, Ca, TestBody};
use crate::support::origin::TlsOrigin;
use crate::support::pki::Pki;
use crate::support::proxy::Setup;
use crate::support::scrape::Scrape;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::json;
use std::fmt::Write as _;
use std::net::SocketAddr;
use tempfile::TempDir;
use tokio::process::Command;
use ucx_egress::inspect::engine::canonical::nested::{self, Budget};
use ucx_egress::inspect::engine::context::{Context, TextKind};
use ucx_egress::inspect::engine::format::media::MediaType;
use ucx_egress::inspect::engine::format::{Limits, grpc_web, json};
use ucx_egress::inspect::engine::shape::Shape;
use ucx_egress::inspect::engine::walk::{Settings, Unknown};
use ucx_egress::inspect::grpc::Frames;
use ucx_egress::inspect::{Call, Inspector, Verdict};
use ucx_egress::tls::client_hello::HelloReader;

/// Values that are searched for.
const VALUES: usize = 1_000;

/// A value of every kind in turn, none of them twice, each with something in it that is nowhere else.
fn value(number: usize) -> String {
    let (a, b) = (number / 256, number % 256);
    match number % 16 {
        0 => format!("ludovico.quaglia{number}@kunde{number}.example.org"),
        1 => format!("sip:quaglia{number}@pbx{number}.example.org"),
        2 => format!("+39333{:07}", 1_000_003 + number * 37),
        3 => format!("198.18.{a}.{b}"),
        4 => format!("00:1B:54:{:02X}:{a:02X}:{b:02X}", number % 251),
        5 => format!("SEP001B54{number:06X}"),
        6 => format!("C:\\Users\\lquaglia{number}\\Desktop\\fax{number}.tif"),
        7 => format!("ACME{number}\\lquaglia{number}"),
        8 => format!("S-1-5-21-3623811015-3361044348-30300820-{}", 10_000 + number),
        9 => format!("Ludovico{number} Quaglia{number}"),
        10 => format!("geo:45.{:06},9.{:06}", 464_200 + number, 190_000 + number),
        11 => format!("Authorization: Digest username=\"quaglia{number}\", nonce=\"n{number}\", response=\"{number:032x}\""),
        12 => emirates_id(1_234_567 + number),
        13 => format!("Cookie: JSESSIONID=QUAGLIA{number:016X}"),
        14 => format!("password=Quaglia!{number}geheim"),
        _ => format!("Quaglia {number} said that the thing of {number} was not to be told"),
    }
}

/// With its check digit (ISO/IEC 7812-1 annex B, as the identity card has it).
fn emirates_id(serial: usize) -> String {
    let text = format!("7841984{serial:07}");
    let digits = text.bytes().rev().map(|byte| u32::from(byte - b'0')).enumerate();
    let sum: u32 = digits.map(|(place, digit)| if place % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { digit }).sum();
    format!("784-1984-{serial:07}-{}", (10 - sum % 10) % 10)
}

/// What of a value is searched for: the value, and what stands between its separators if that is long enough to be nothing else.
fn needles() -> Vec<String> {
    let parts = |value: String| {
        let long = |part: &&str| part.len() >= 9 && part.bytes().any(|byte| byte.is_ascii_digit());
        let parts: Vec<String> = value.split(['@', '\\', ' ', '"', '=', ':', ',']).filter(long).map(str::to_owned).collect();
        std::iter::once(value).chain(parts)
    };
    (0..VALUES).map(value).flat_map(parts).collect()
}

fn shows_nothing(needles: &[String], what: &str, output: &str) {
    assert!(!output.is_empty(), "{what} is there");
    let found = needles.iter().find(|needle| output.contains(needle.as_str()));
    assert_eq!(found, None, "in {what}");
    assert!(!output.contains("uaglia"), "in {what}: {output}");
}

/// The value at another place of a message each time: as a value, a key, in a field of the documents, in text, in other formats, in
/// what is malformed, and around the body.
fn message(number: usize) -> Request<TestBody> {
    let value = value(number);
    let query: String = value.bytes().fold(String::new(), |mut query, byte| {
        write!(query, "%{byte:02X}").expect("to a string");
        query
    });
    let field = HeaderValue::from_str(&value).expect("a field value");
    let request = Request::post("/telemetry/beat").header(HOST, API);
    let (request, content_type, body) = match number / 16 % 10 {
        0 => (request, "application/json", json!({ "note": value }).to_string()),
        1 => (request, "application/json", json!({ value: 1 }).to_string()),
        2 => (request, "application/json", json!({ "services": [{ "startupIdentity": value, "owner": value }] }).to_string()),
        3 => (request, "application/json", format!("{{\"note\":{},", json!(value))),
        4 => (request, "text/plain", value),
        5 => (request, "application/x-www-form-urlencoded", format!("owner={query}&{query}=1")),
        6 => (request, "application/xml", format!("<owner note='x'>{}</owner>", value.replace('&', "&amp;"))),
        7 => (request.header("x-owner", field), "application/json", "{}".to_owned()),
        8 => (Request::post(format!("/telemetry/beat?owner={query}")).header(HOST, API), "application/json", "{}".to_owned()),
        _ => (request, "application/octet-stream", value),
    };
    request.header(CONTENT_TYPE, content_type).body(Full::new(Bytes::from(body)).boxed()).expect("a request")
}

/// Sends every message; gives all that came back, and how many were refused. A name is nothing to find where a key may be anything.
async fn answers(ca: &Ca, proxy: SocketAddr) -> (String, usize) {
    let (mut all, mut refused) = (String::new(), 0);
    let mut client = ca.http1(proxy, API).await;
    for number in 0..VALUES {
        if client.ready().await.is_err() {
            client = ca.http1(proxy, API).await;
        }
        let response = within_deadline("the answer", client.send_request(message(number))).await.expect("an answer");
        refused += usize::from(response.status() == StatusCode::FORBIDDEN);
        write!(all, "{:?}", response.headers()).expect("to a string");
        let body = within_deadline("the body", response.into_body().collect()).await.expect("a body").to_bytes();
        all.push_str(std::str::from_utf8(&body).expect("text"));
    }
    (all, refused)
}

async fn admin_page(admin: SocketAddr, path: &str) -> String {
    let stream = tokio::net::TcpStream::connect(admin).await.expect("the admin listener");
    let mut client = crate::support::client::RawClient::over(stream);
    client.send(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").as_bytes()).await;
    String::from_utf8(client.read_to_end().await).expect("text")
}

#[tokio::test]
async fn what_runs_repeats_no_value() {
    let needles = needles();
    for format in ["json", "text"] {
        let pki = Pki::new();
        let origin = TlsOrigin::start(&pki, &[API], &[b"http/1.1"]).await;
        let ca = Ca::new(&pki, &[API]);
        let daemon = Daemon::start_logging(&ca.configure(Setup::new().host(API, origin.addr())).text(), format).await;
        let (answers, refused) = answers(&ca, daemon.proxy).await;
        assert!(refused > VALUES * 49 / 50, "{refused} refused");
        shows_nothing(&needles, "answers", &answers);
        let scrape = Scrape::get(daemon.admin).await;
        shows_nothing(&needles, "metrics", scrape.text());
        assert!(scrape.value("ucx_egress_findings_total", &[("service", "telemetry"), ("kind", "email"), ("action", "deny")]) > Some(30.0));
        for path in ["/api/status", "/readyz", "/healthz"] {
            shows_nothing(&needles, path, &admin_page(daemon.admin, path).await);
        }
        let (code, lines) = daemon.stop().await;
        assert_eq!(code, Some(0));
        assert!(lines.len() > VALUES, "each refusal is logged: {}", lines.len());
        let log = lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        shows_nothing(&needles, "the log", &log);
        assert_eq!(origin.requests().len(), VALUES - refused, "no other message arrived");
    }
}

#[tokio::test]
async fn scan_repeats_no_value() {
    let needles = needles();
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("capture.ndjson");
    let line = |number: usize| match number % 3 {
        0 => json!({ "note": value(number) }).to_string(),
        1 => json!({ value(number): { "owner": value(number) } }).to_string(),
        _ => format!("{{\"note\":{}", json!(value(number))),
    };
    std::fs::write(&file, (0..VALUES).map(|number| line(number) + "\n").collect::<String>()).expect("written");
    for arguments in [&["scan", "--ndjson"][..], &["scan", "--ndjson", "--json"], &["scan", "--content-type", "text/plain"], &["scan"]] {
        let output = Command::new(BINARY).args(arguments).arg(&file).output().await.expect("the binary runs");
        assert_ne!(output.status.code(), Some(0));
        for stream in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(stream);
            if !text.is_empty() {
                shows_nothing(&needles, &format!("{arguments:?}"), &text);
            }
        }
    }
}

/// Public types that hold something of a message, each with a value in it.
fn debug_of(inspector: &Inspector, number: usize) -> String {
    let value = value(number);
    let mut text = String::new();
    let mut show = |shown: &dyn std::fmt::Debug| writeln!(text, "{shown:?}").expect("to a string");
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let verdict = inspector.body(&headers, json!({ "note": value, "x": { value.clone(): value } }).to_string().as_bytes());
    assert_ne!(verdict, Verdict::Clean, "{number}");
    show(&verdict);
    show(&inspector.body(&headers, format!("{{\"{value}\": 1").as_bytes()));
    show(&inspector.head(&format!("/{value}"), &headers));
    let mut frames = Frames::new(1 << 20);
    frames.push(Bytes::from([b"\0\0\0\0", &[u8::try_from(value.len()).expect("short")][..], value.as_bytes(), b"\0\0"].concat()));
    show(&frames.next_frame().expect("well-formed"));
    show(&frames);
    let mut web = grpc_web::Frames::new(1 << 20);
    web.push(format!("\0\0\0\0\x7f{value}").as_bytes()).expect("well-formed");
    show(&web);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    show(&Inspector::call(&format!("/{value}/x"), &headers).unwrap_or_else(|_| Call::default()));
    show(&MediaType::parse(&format!("text/plain; charset=\"{}\"", value.replace(['"', '\\'], ""))));
    let mut tokenizer = json::Tokenizer::new(Limits::default());
    let mut walk = ucx_egress::inspect::engine::walk::Walk::new(inspector.tree(), inspector.settings(), 100);
    show(&tokenizer.push(format!("[{}, \"{}", json!(value), value.replace(['"', '\\'], "")).as_bytes(), &mut walk));
    show(&tokenizer);
    show(&walk.finish());
    show(&Context { key: &[&value], text: TextKind::Free, ..Context::default() });
    let mut seen = Vec::new();
    let followed = nested::derived(format!("{{\"a\": {}}}", json!(value)).as_bytes(), 0, &mut Budget::new(100), &mut |derived, _| {
        seen.push(format!("{derived:?}"));
        Ok(())
    });
    show(&(seen, followed));
    let mut hello = HelloReader::default();
    show(&hello.push(value.as_bytes()));
    show(&hello);
    text
}

#[test]
fn debug_of_public_types_repeats_no_value() {
    let needles = needles();
    let settings = Settings { unknown: Unknown::Inert, ..Settings::default() };
    let inspector = Inspector::new(Shape::built_in().expect("the shape compiles"), settings, None, 1 << 20);
    for number in 0..VALUES {
        shows_nothing(&needles, "Debug", &debug_of(&inspector, number));
    }
    // It remembers keys; it does not show them.
    shows_nothing(&needles, "the inspector", &format!("{inspector:?}"));
}
