//! The requests of the demonstration, each with the verdict it must get.

use super::client::{self, Answer};
use super::cloud::{Cloud, H2_SETTINGS, LDAP_BIND, LDAP_BOUND, TELEMETRY_BODY, TEST_BODY, trusting};
use crate::app::Addresses;
use crate::error::Reason;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use std::sync::Arc;
use tokio::io::AsyncWriteExt as _;

/// One request and what became of it.
#[derive(Debug)]
pub struct Outcome {
    /// What was asked.
    pub request: String,
    /// `allow`, or the reason.
    pub expected: &'static str,
    /// The same, as observed.
    pub verdict: String,
    /// The decision id, where the answer carries one.
    pub decision: String,
}

impl Outcome {
    /// Whether the verdict is right.
    pub fn is_as_expected(&self) -> bool {
        self.verdict == self.expected
    }
}

/// What was observed of one request: verdict and decision id.
type Seen = Result<(String, String), String>;

const ALLOW: &str = "allow";

/// Telemetry, what it shows, and its verdict.
const MESSAGES: &[(&str, &str, &str)] = &[
    ("POST /telemetry, versions and counts", ALLOW, r#"{"cucmVersion":"14.0.1","users":250,"devices":300}"#),
    ("POST /telemetry, a person's e-mail", Reason::PersonalData.label(), r#"{"cucmVersion":"14.0.1","contact":"mario.rossi@example.com"}"#),
    (
        "POST /telemetry, a service run by a person",
        Reason::PersonalData.label(),
        r#"{"windowsServices":[{"serviceName":"Backup","startupIdentity":"ACME\\mario.rossi"}]}"#,
    ),
    (
        "POST /telemetry, an undocumented field",
        Reason::UndocumentedField.label(),
        r#"{"cucmVersion":"14.0.1","remark":"as agreed on the telephone"}"#,
    ),
];

/// Runs every case, one after the other.
///
/// # Errors
/// When the proxy cannot be talked to at all.
pub async fn run_all(cloud: &Cloud, at: &Addresses, interception_root: &CertificateDer<'static>) -> Result<Vec<Outcome>, String> {
    let get_test = b"GET /test HTTP/1.1\r\nhost: api.imagicle.com\r\nconnection: close\r\n\r\n";
    let https = Conversation { name: "api.imagicle.com", words: get_test, answer: TEST_BODY.as_bytes() };
    let grpc = Conversation { name: "grpc.imagicle.com", words: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", answer: H2_SETTINGS };
    let ldaps = Conversation { name: "tenant.imagicle.cloud", words: LDAP_BIND, answer: LDAP_BOUND };
    // The client of an inspected service trusts the interception CA alone, the others the cloud's root alone: each fails if it is
    // treated as the other.
    let inspected = trusting(interception_root.clone(), b"http/1.1")?;
    let presence = cloud.client_config(b"h2")?;
    let mut outcomes = vec![
        outcome("GET https://api.imagicle.com/test, inspected", ALLOW, through(at, "api.imagicle.com:443", &inspected, &https).await),
        outcome("gRPC (h2) to grpc.imagicle.com, a tunnel", ALLOW, through(at, "grpc.imagicle.com:443", &presence, &grpc).await),
        outcome("LDAP bind over the LDAPS relay", ALLOW, relayed(cloud, at, &ldaps).await),
    ];
    for (request, expected, message) in MESSAGES {
        let words = telemetry(message);
        let beat = Conversation { words: &words, answer: TELEMETRY_BODY.as_bytes(), ..https };
        outcomes.push(outcome(request, expected, through(at, "api.imagicle.com:443", &inspected, &beat).await));
    }
    for (request, authority, reason) in [
        ("CONNECT example.org:443", "example.org:443", Reason::HostNotAllowed),
        ("CONNECT imagicle.com.evil.test:443", "imagicle.com.evil.test:443", Reason::HostNotAllowed),
        ("CONNECT a.b.imagicle.com:443 (two labels)", "a.b.imagicle.com:443", Reason::HostNotAllowed),
        ("CONNECT api.imagicle.com:8443", "api.imagicle.com:8443", Reason::PortNotAllowed),
        ("CONNECT 192.0.2.1:443", "192.0.2.1:443", Reason::IpLiteral),
        ("CONNECT 0x7f.1:443 (127.0.0.1)", "0x7f.1:443", Reason::IpLiteral),
        ("CONNECT inside.imagicle.com:443 (10.0.0.1)", "inside.imagicle.com:443", Reason::AddressNotAllowed),
        ("CONNECT api.imagicle.com (no port)", "api.imagicle.com", Reason::BadRequest),
    ] {
        outcomes.push(outcome(request, reason.label(), connect(at, authority).await));
    }
    let plain = client::ask(at.proxy, "GET http://api.imagicle.com/test HTTP/1.1\r\nhost: api.imagicle.com\r\n\r\n").await;
    outcomes.push(outcome("GET http://api.imagicle.com/test (no TLS)", Reason::PortNotAllowed.label(), plain.map(|answer| seen(&answer))));
    outcomes.push(outcome("SNI grpc. inside a tunnel to api.", Reason::SniMismatch.label(), wrong_name(cloud, at).await));
    outcomes.push(outcome("plain HTTP inside a tunnel to api.", Reason::NotTls.label(), not_tls(at).await));
    Ok(outcomes)
}

/// What is said over TLS, and what must come back.
#[derive(Clone, Copy)]
struct Conversation<'a> {
    name: &'static str,
    words: &'a [u8],
    answer: &'static [u8],
}

fn outcome(request: &str, expected: &'static str, seen: Seen) -> Outcome {
    let (verdict, decision) = seen.unwrap_or_else(|error| (format!("failed: {error}"), "-".to_owned()));
    Outcome { request: request.to_owned(), expected, verdict, decision }
}

fn seen(answer: &Answer) -> (String, String) {
    let verdict = answer.member("reason").unwrap_or_else(|| format!("status {}", answer.status()));
    (verdict, answer.decision())
}

fn compared(answer: &[u8], expected: &[u8]) -> String {
    if answer.ends_with(expected) { ALLOW.to_owned() } else { "another answer".to_owned() }
}

/// A telemetry message as the suite might send it.
fn telemetry(body: &str) -> Vec<u8> {
    format!(
        "POST /telemetry HTTP/1.1\r\nhost: api.imagicle.com\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

async fn through(at: &Addresses, authority: &str, trust: &Arc<ClientConfig>, talk: &Conversation<'_>) -> Seen {
    match client::tunnel(at.proxy, authority).await? {
        Ok((stream, head)) => {
            let answer = client::say(stream, trust.clone(), talk.name, talk.words).await?;
            let refusal = Answer(String::from_utf8_lossy(&answer).into_owned());
            match refusal.member("reason") {
                Some(reason) => Ok((reason, refusal.decision())),
                None => Ok((compared(&answer, talk.answer), head.decision())),
            }
        }
        Err(refusal) => Ok(seen(&refusal)),
    }
}

async fn relayed(cloud: &Cloud, at: &Addresses, talk: &Conversation<'_>) -> Seen {
    let relay = at.relays.first().ok_or("there is no relay")?;
    let stream = client::connect(*relay).await?;
    let answer = client::say(stream, cloud.client_config(b"")?, talk.name, talk.words).await?;
    Ok((compared(&answer, talk.answer), "-".to_owned()))
}

async fn connect(at: &Addresses, authority: &str) -> Seen {
    Ok(match client::tunnel(at.proxy, authority).await? {
        Ok((_, head)) => (ALLOW.to_owned(), head.decision()),
        Err(refusal) => seen(&refusal),
    })
}

/// A tunnel can only be refused by a TLS alert; the metric that moved tells the reason.
async fn wrong_name(cloud: &Cloud, at: &Addresses) -> Seen {
    let before = denials(at, Reason::SniMismatch).await?;
    let (stream, head) = match client::tunnel(at.proxy, "api.imagicle.com:443").await? {
        Ok(tunnel) => tunnel,
        Err(refusal) => return Ok(seen(&refusal)),
    };
    let said = client::say(stream, cloud.client_config(b"")?, "grpc.imagicle.com", b"").await;
    let counted = denials(at, Reason::SniMismatch).await? - before;
    let verdict = if said.is_err() && counted == 1 { Reason::SniMismatch.label().to_owned() } else { format!("{counted} counted") };
    Ok((verdict, head.decision()))
}

async fn denials(at: &Addresses, reason: Reason) -> Result<u64, String> {
    let page = client::ask(at.admin, "GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
    let label = format!("reason=\"{reason}\"");
    let lines = page
        .0
        .lines()
        .filter(|line| line.starts_with("ucx_egress_decisions_total{") && line.contains(&label) && line.contains("verdict=\"deny\""));
    Ok(lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum())
}

async fn not_tls(at: &Addresses) -> Seen {
    let (mut stream, _) = match client::tunnel(at.proxy, "api.imagicle.com:443").await? {
        Ok(tunnel) => tunnel,
        Err(refusal) => return Ok(seen(&refusal)),
    };
    stream.write_all(b"GET / HTTP/1.1\r\nhost: api.imagicle.com\r\n\r\n").await.map_err(|error| error.to_string())?;
    Ok(seen(&Answer(String::from_utf8_lossy(&client::read_all(&mut stream).await?).into_owned())))
}
