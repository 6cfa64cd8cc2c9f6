//! One file of destinations, the same verdict on every way in.
//!
//! An allow list is walked around where two readers see two hosts in one text. So each destination of `destinations.tsv`
//! goes through all four readers of the product: CONNECT, absolute-form, `explain` and the check of a relay.

mod entrances;

use crate::support::client::{Head, Problem, RawClient, within_deadline};
use crate::support::daemon::{BINARY, Daemon};
use crate::support::dns::DnsServer;
use crate::support::origin::RawOrigin;
use crate::support::proxy::Setup;
use crate::support::scrape::wait_until;
use futures_util::stream::{StreamExt as _, iter};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use tokio::process::Command;
use ucx_egress::config::Config;
use ucx_egress::policy::Subject;
use ucx_egress::source::Source;

const FILE: &str = include_str!("vectors/destinations.tsv");

/// How many lines each path has. A line that stops being asked somewhere must be seen here.
const COUNTS: [(char, usize); 4] = [('c', 430), ('a', 430), ('e', 418), ('r', 424)];

/// Processes of `explain` at once.
const AT_ONCE: usize = 4;

struct Line {
    number: usize,
    written: &'static str,
    destination: Vec<u8>,
    verdict: &'static str,
    by: &'static str,
    paths: &'static str,
}

impl Line {
    fn is_allowed(&self) -> bool {
        self.verdict == "allow"
    }

    /// The host in normal form, of a line that is allowed and so has one.
    fn host(&self) -> String {
        let (host, _) = self.written.split_once(':').expect("an allowed destination has a port");
        host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
    }

    /// The destination as a command line or a configuration can hold it.
    fn text(&self) -> &str {
        str::from_utf8(&self.destination).expect("the column `paths` keeps other bytes away")
    }
}

fn lines() -> Vec<Line> {
    let numbered = FILE.lines().enumerate().filter(|(_, text)| !text.starts_with('#'));
    numbered.map(|(index, text)| line(index + 1, text)).collect()
}

fn line(number: usize, text: &'static str) -> Line {
    let [written, verdict, by, paths] =
        text.split('\t').collect::<Vec<_>>().try_into().unwrap_or_else(|cells| panic!("line {number}: {cells:?}"));
    Line { number, written, destination: unescaped(written), verdict, by, paths }
}

/// `\xNN` is one byte; everything else stands for itself.
fn unescaped(written: &str) -> Vec<u8> {
    let mut parts = written.split("\\x");
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).expect("two hexadecimal digits"));
        bytes.extend_from_slice(rest.as_bytes());
    }
    bytes
}

fn lines_on(path: char) -> Vec<Line> {
    let lines: Vec<Line> = lines().into_iter().filter(|line| line.paths.contains(path)).collect();
    let (_, count) = COUNTS.iter().find(|(known, _)| *known == path).expect("a known path");
    assert_eq!(lines.len(), *count, "lines on path {path}");
    lines
}

/// Compares `verdict by what` of every line with what a path gave, and shows all that differ at once.
fn assert_as_written<'a>(seen: impl IntoIterator<Item = (&'a Line, String)>) {
    let differs = |(line, seen): (&Line, String)| {
        let expected = format!("{} by {}", line.verdict, line.by);
        (seen != expected).then(|| format!("{}: {}: expected {expected}, got {seen}", line.number, line.written))
    };
    let wrong: Vec<String> = seen.into_iter().filter_map(differs).collect();
    assert!(wrong.is_empty(), "{} lines differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// The real binary between a name server that knows nothing and an origin that is every allowed host.
struct World {
    daemon: Daemon,
    dns: DnsServer,
    origin: RawOrigin,
}

impl World {
    async fn start(lines: &[Line]) -> Self {
        let dns = DnsServer::start().await;
        let origin = RawOrigin::start().await;
        let hosts: BTreeSet<String> = lines.iter().filter(|line| line.is_allowed()).map(Line::host).collect();
        let setup = hosts.iter().fold(Setup::new().name_server(dns.addr()), |setup, host| setup.host(host, origin.addr()));
        Self { daemon: Daemon::start(&setup.text()).await, dns, origin }
    }

    /// Sends a request and gives the verdict with the log's fields; the log must tell the same as the answer.
    async fn ask(&mut self, request: &[u8]) -> Result<Answered, String> {
        let mut client = RawClient::connect(self.daemon.proxy).await;
        client.send(request).await;
        let head = client.read_head().await;
        let Some(decision) = head.header("x-decision-id") else {
            return Err(format!("status {} without an explanation", head.status));
        };
        let reason = match head.status {
            200 => None,
            _ => Some(self.refusal(&mut client, &head).await),
        };
        drop(client);
        let logged = self.daemon.wait_for_line("the decision is logged", |line| line["decision"] == decision).await;
        assert_eq!(logged["reason"].as_str(), Some(reason.as_deref().unwrap_or_default()), "{logged}");
        let field = |name: &str| logged[name].as_str().expect("a text").to_owned();
        Ok(Answered { reason, rule: field("rule"), service: field("service") })
    }

    /// The reason of a refusal: the same in body and reason phrase, with the status that belongs to it, and then the end.
    async fn refusal(&self, client: &mut RawClient, head: &Head) -> String {
        let body = client.read_body(head).await;
        let problem = Problem::parse(head, &body);
        assert!(head.reason.contains(&problem.reason), "{head:?}");
        assert_eq!(head.status, if problem.reason == "bad_request" { 400 } else { 403 }, "{problem:?}");
        assert!(client.is_closed().await, "a refused connection is closed");
        problem.reason
    }

    /// What no refused destination may have caused.
    fn assert_untouched(&self, connections: usize) {
        assert_eq!(self.dns.queries(), [], "a refused destination was looked up");
        assert_eq!(self.origin.connections(), connections, "connections upstream");
    }
}

struct Answered {
    reason: Option<String>,
    rule: String,
    service: String,
}

/// How often each reason denies.
fn tally(lines: &[Line]) -> BTreeMap<&str, f64> {
    let mut tally = BTreeMap::new();
    for line in lines.iter().filter(|line| !line.is_allowed()) {
        *tally.entry(line.by).or_default() += 1.0;
    }
    tally
}

#[test]
fn every_line_is_asked_somewhere_and_stands_once() {
    let lines = lines();
    assert!(lines.len() >= 200, "{} lines", lines.len());
    let mut seen = BTreeSet::new();
    for line in &lines {
        assert!(!line.paths.is_empty() && line.paths.chars().all(|path| "caer".contains(path)), "line {}", line.number);
        assert!(["allow", "deny"].contains(&line.verdict), "line {}", line.number);
        for path in line.paths.chars() {
            assert!(seen.insert((path, line.written)), "line {}: path {path} has {} already", line.number, line.written);
        }
    }
    assert_eq!(seen.len(), COUNTS.iter().map(|(_, count)| count).sum::<usize>());
}

#[tokio::test]
async fn connect_decides_as_written() {
    let lines = lines_on('c');
    let mut world = World::start(&lines).await;
    let mut seen = Vec::new();
    for line in &lines {
        // HTTP/1.0 without Host, as urllib3 sends it: the target alone decides.
        let request = [b"CONNECT ", &line.destination[..], b" HTTP/1.0\r\n\r\n"].concat();
        let verdict = match world.ask(&request).await {
            Ok(Answered { reason: Some(reason), .. }) => format!("deny by {reason}"),
            Ok(Answered { rule, .. }) => format!("allow by {rule}"),
            Err(problem) => problem,
        };
        seen.push((line, verdict));
    }
    assert_as_written(seen);
    let allowed = lines.iter().filter(|line| line.is_allowed()).count();
    world.origin.wait_for_connections(allowed).await;
    world.assert_untouched(allowed);
    wait_until(world.daemon.admin, |scrape| {
        let counted = |reason: &str| scrape.value("ucx_egress_decisions_total", &[("verdict", "deny"), ("reason", reason)]);
        tally(&lines).into_iter().all(|(reason, count)| counted(reason) == Some(count))
    })
    .await;
}

#[tokio::test]
async fn absolute_form_decides_as_written() {
    let lines = lines_on('a');
    let mut world = World::start(&lines).await;
    let mut seen = Vec::new();
    for line in &lines {
        let request = [b"GET http://", &line.destination[..], b"/ HTTP/1.0\r\n\r\n"].concat();
        let verdict = match world.ask(&request).await {
            Ok(answered) => absolute_form_verdict(line, &answered),
            Err(problem) => problem,
        };
        seen.push((line, verdict));
    }
    assert_as_written(seen);
    world.assert_untouched(0);
}

/// `not_tls` of the service whose rule allows is that rule's allow.
fn absolute_form_verdict(line: &Line, answered: &Answered) -> String {
    let Some(reason) = &answered.reason else { return "a plain request passed".to_owned() };
    let service = line.by.split_once('/').map(|(service, _)| service);
    if reason == "not_tls" && service == Some(&answered.service) { format!("allow by {}", line.by) } else { format!("deny by {reason}") }
}

#[tokio::test]
async fn explain_decides_as_written() {
    let lines = lines_on('e');
    let seen: Vec<_> = iter(&lines).map(|line| async move { (line, explained(line.text()).await) }).buffered(AT_ONCE).collect().await;
    assert_as_written(seen);
}

async fn explained(destination: &str) -> String {
    let mut explain = Command::new(BINARY);
    explain.args(["explain", "--json", "--", destination]).kill_on_drop(true);
    let output = within_deadline("explain answers", explain.output()).await.expect("the binary starts");
    let explanation: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{destination:?}: {error}: {output:?}"));
    let verdict = explanation["verdict"].as_str().expect("a verdict");
    assert_eq!(output.status.code(), Some(i32::from(verdict == "deny")), "{explanation}");
    let by = if verdict == "allow" { "rule" } else { "reason" };
    format!("{verdict} by {}", explanation[by].as_str().expect("a text"))
}

#[test]
fn a_relay_is_decided_as_written() {
    let lines = lines_on('r');
    assert_as_written(lines.iter().map(|line| (line, relay_verdict(line.text()))));
}

fn relay_verdict(destination: &str) -> String {
    let written = toml::Value::from(destination);
    let text = format!("[[relay]]\naddress = \"127.0.0.1:0\"\ndestination = {written}\n");
    match Config::read(&Source::embedded("relay.toml", &text)) {
        Ok(config) => {
            let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
            let decision = config.policy.decide(&Subject { client, destination: &config.relays[0].destination });
            format!("allow by {}", decision.rule)
        }
        Err(error) => {
            assert!(error.place.starts_with("relay.toml:3:15"), "{error}");
            let (_, reason) = error.message.split_once(" is refused as ").unwrap_or_else(|| panic!("{error}"));
            format!("deny by {}", reason.split(':').next().unwrap_or_default())
        }
    }
}
