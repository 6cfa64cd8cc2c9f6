//! `doctor`: every check seen good and bad, told apart, with the remedy.

mod machine;
mod parents;
mod upstream;

use crate::support::client::within_deadline;
use crate::support::daemon::BINARY;
use crate::support::origin::{SecureOrigin, TlsOrigin};
use crate::support::pki::Pki;
use crate::support::proxy::Setup;
use serde_json::Value;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::process::Command;

const API: &str = "api.imagicle.com";
const GRPC: &str = "grpc.imagicle.com";
const TENANT: &str = "tenant.imagicle.cloud";
const LDAPS: &str = "tenant.imagicle.cloud:1636";

/// What a run left.
struct Examined {
    code: Option<i32>,
    text: String,
    checks: Vec<Value>,
}

impl Examined {
    /// The only line of an area about a subject that begins so: its level, what was seen, the remedy.
    fn line(&self, area: &str, subject: &str) -> (&str, &str, &str) {
        let is_it = |line: &&Value| line["area"] == area && line["subject"].as_str().is_some_and(|own| own.starts_with(subject));
        let found: Vec<&Value> = self.checks.iter().filter(is_it).collect();
        let [line] = found[..] else { panic!("{} lines of {area} about {subject:?}:\n{}", found.len(), self.text) };
        let member = |name: &str| line[name].as_str().unwrap_or_default();
        (member("level"), member("seen"), member("remedy"))
    }

    /// Asserts a line: its level, words of what was seen and of the remedy.
    #[track_caller]
    fn says(&self, area: &str, subject: &str, level: &str, seen: &str, remedy: &str) {
        let line = self.line(area, subject);
        assert!(line.0 == level && line.1.contains(seen) && line.2.contains(remedy), "wanted {level} {seen:?} {remedy:?}: {line:?}");
    }
}

/// Runs the binary on a configuration.
async fn examine(config: &str, more: &[&str]) -> Examined {
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("c.toml");
    std::fs::write(&file, config).expect("the configuration is written");
    let run = async |arguments: &[&str]| {
        let mut command = Command::new(BINARY);
        command.arg("--config").arg(&file).arg("doctor").args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        let output = within_deadline("the doctor ends", command.output()).await.expect("the binary starts");
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        (output.status.code(), String::from_utf8(output.stdout).expect("output is UTF-8"))
    };
    let (code, json) = run(&[&["--json"], more].concat()).await;
    let report: Value = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
    assert_eq!(code, Some(i32::from(report["ok"] == false)), "{json}");
    Examined { code, text: json, checks: report["checks"].as_array().expect("a list").clone() }
}

/// A cloud as it should be, and a configuration that finds it.
struct Cloud {
    pki: Pki,
    folder: TempDir,
    api: TlsOrigin,
    grpc: SecureOrigin,
    ldaps: TlsOrigin,
}

impl Cloud {
    async fn start() -> Self {
        let pki = Pki::new();
        let folder = TempDir::new().expect("a temporary folder");
        std::fs::write(folder.path().join("root.pem"), pki.root_pem()).expect("the root is written");
        let api = TlsOrigin::start(&pki, &[API], &[b"http/1.1"]).await;
        let grpc = SecureOrigin::start(pki.server_config(&[GRPC], &[b"h2"])).await;
        let ldaps = TlsOrigin::start(&pki, &[TENANT], &[]).await;
        Self { pki, folder, api, grpc, ldaps }
    }

    /// The test's root is known, nothing else is configured.
    fn setup(&self) -> Setup {
        Setup::new().upstream_line(&format!("ca_files = [\"{}\"]", self.folder.path().join("root.pem").display()))
    }

    fn with_hosts(&self) -> Setup {
        self.setup().host(API, self.api.addr()).host(GRPC, self.grpc.addr()).host(TENANT, self.ldaps.addr()).relay(LDAPS)
    }
}

/// A configuration without a cloud: nothing waits long for it.
fn alone(sections: &str) -> Setup {
    Setup::new().section(sections).section("[limits]\nresolve = \"100ms\"")
}

#[tokio::test]
async fn all_is_well_where_it_is() {
    let cloud = Cloud::start().await;
    let found = examine(&cloud.with_hosts().text(), &[]).await;
    assert_eq!(found.code, Some(0), "{}", found.text);
    found.says("policy", "configuration", "ok", "c.toml", "");
    found.says("policy", "imagicle", "ok", "mode enforce, hash", "");
    found.says("policy", "interception", "ok", "off", "");
    found.says("files", "secrets", "ok", "no file", "");
    found.says("process", "file descriptors", "ok", "connections at once", "");
    found.says("listener", "listener.address", "ok", "free", "");
    for endpoint in ["api.imagicle.com:443", "grpc.imagicle.com:443", LDAPS] {
        found.says("dns", endpoint, "ok", "127.0.0.1 (fixed by upstream.hosts)", "");
        found.says("tcp", endpoint, "ok", "connected to 127.0.0.1:", "");
        // The root of a test is no public one: somebody stands between, and this machine trusts them.
        found.says("tls", endpoint, "warn", "someone upstream is decrypting", "without decryption");
        found.says("tls", endpoint, "warn", "TLS 1.3", "");
        found.says("tls", endpoint, "warn", "issuer CN=ucx-egress test root", "");
    }
    found.says("tls", "api.imagicle.com:443", "warn", "ALPN http/1.1", "");
    found.says("tls", "grpc.imagicle.com:443", "warn", "ALPN h2", "");
    found.says("http", "GET https://api.imagicle.com/test", "ok", "200 and the documented body", "");
    found.says("clock", "this machine", "ok", "within 1 s", "");
    found.says("dns", "*.imagicle.com:443", "skip", "a wildcard", "ucx-egress doctor tenant.imagicle.cloud:1636");
    assert_eq!(cloud.api.requests().len(), 1);
}

#[tokio::test]
async fn the_report_for_people_has_a_line_a_check_in_one_order() {
    let cloud = Cloud::start().await;
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("c.toml");
    std::fs::write(&file, cloud.with_hosts().text()).expect("the configuration is written");
    let run = async || {
        let mut command = Command::new(BINARY);
        let output = command.arg("--config").arg(&file).arg("doctor").stdin(Stdio::null()).kill_on_drop(true).output();
        let output = within_deadline("the doctor ends", output).await.expect("the binary starts");
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).expect("output is UTF-8")
    };
    let (first, second) = (run().await, run().await);
    let words = |text: &str| text.lines().map(|line| line.split_whitespace().take(3).map(str::to_owned).collect()).collect::<Vec<Vec<_>>>();
    assert_eq!(words(&first), words(&second));
    assert!(first.ends_with(" ok, 4 warn, 0 FAIL, 3 skip\n"), "{first}");
    let tls = first.lines().find(|line| line.starts_with("warn  tls ") && line.contains(" api.imagicle.com:443 "));
    assert!(tls.is_some_and(|line| line.contains(" -> this machine trusts it")), "{first}");
}

#[tokio::test]
async fn a_configuration_that_does_not_load_is_the_only_line() {
    let found = examine("[listener]\naddress = \"127.0.0.1\"\n", &[]).await;
    assert_eq!((found.code, found.checks.len()), (Some(1), 1), "{}", found.text);
    let place = found.checks[0]["subject"].as_str().unwrap_or_default().to_owned();
    assert!(place.ends_with("c.toml:2:11"), "{place}");
    found.says("policy", &place, "fail", "is no address and port", "write \"127.0.0.1:3128\"");
}

#[tokio::test]
async fn warnings_of_the_configuration_and_observing_are_said() {
    let text = alone("[policy]\nmode = \"observe\"\nexact_hosts = [\"t.imagicle.cloud\"]").text();
    let found = examine(&text, &[]).await;
    found.says("policy", "imagicle", "warn", "nothing is refused by policy", "enforce");
    let never = |line: &&Value| line["seen"].as_str().is_some_and(|seen| seen.contains("never acts: policy.exact_hosts"));
    assert_eq!(found.checks.iter().filter(never).count(), 1, "{}", found.text);
}

#[tokio::test]
async fn endpoints_that_are_named_are_looked_at_if_the_policy_has_them() {
    let cloud = Cloud::start().await;
    let text = cloud.setup().host(API, cloud.api.addr()).host(GRPC, cloud.grpc.addr()).host(TENANT, cloud.ldaps.addr()).text();
    let found = examine(&text, &[LDAPS, "example.org:443"]).await;
    found.says("tls", LDAPS, "warn", "TLS 1.3, issuer", "");
    found.says("policy", "example.org:443", "fail", "in no rule of the policy", "explain example.org:443");
    let skipped = found.checks.iter().filter(|line| line["subject"] == "*.imagicle.cloud:1636").count();
    assert_eq!(skipped, 0, "{}", found.text);
}
