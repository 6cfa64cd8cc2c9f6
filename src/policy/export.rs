//! The allow list as data for other tools: JSON, CSV, `NO_PROXY`, Squid; PAC has a file of its own.

use super::decision::Policy;
use super::rules::Rule;
use serde::Serialize;
use std::fmt::Write as _;

/// One rule with all that explains it.
#[derive(Debug, Serialize)]
pub struct Row<'a> {
    service: &'a str,
    title: &'a str,
    host: &'a str,
    port: u16,
    protocol: &'static str,
    treatment: &'static str,
    personal_data: &'static str,
    required: bool,
    breaks: &'a str,
    idle_timeout_seconds: u64,
    document: &'a str,
    section: &'a str,
    quote: &'a str,
}

/// The rules as rows, in the order of the policy file.
#[must_use]
pub fn rows(policy: &Policy) -> Vec<Row<'_>> {
    policy.rules().iter().map(|rule| row(policy, rule)).collect()
}

fn row<'a>(policy: &'a Policy, rule: &'a Rule) -> Row<'a> {
    let service = policy.service(rule.service);
    let source = rule.source.as_ref();
    Row {
        service: &service.id,
        title: &service.title,
        host: &rule.host,
        port: rule.port,
        protocol: rule.protocol.label(),
        treatment: service.treatment.label(),
        personal_data: service.personal_data.label(),
        required: service.required,
        breaks: &service.breaks,
        idle_timeout_seconds: service.idle_timeout.as_secs(),
        document: source.map_or("site policy", |cited| &cited.document),
        section: source.map_or("", |cited| &cited.section),
        quote: source.map_or("", |cited| &cited.quote),
    }
}

/// JSON: the policy's name and hash, and the rows.
#[must_use]
pub fn json(policy: &Policy) -> String {
    let value = serde_json::json!({
        "policy": policy.name(),
        "policy_hash": policy.hash(),
        "profile": policy.options().profile.label(),
        "rules": rows(policy),
    });
    format!("{value:#}\n")
}

/// CSV (RFC 4180) with a header line.
#[must_use]
pub fn csv(policy: &Policy) -> String {
    let mut text = String::from("service,host,port,protocol,treatment,personal_data,required,breaks,document,section,quote\r\n");
    for row in rows(policy) {
        let port = row.port.to_string();
        let required = row.required.to_string();
        let cells = [
            row.service,
            row.host,
            &port,
            row.protocol,
            row.treatment,
            row.personal_data,
            &required,
            row.breaks,
            row.document,
            row.section,
            row.quote,
        ];
        text.push_str(&cells.map(cell).join(","));
        text.push_str("\r\n");
    }
    text
}

/// A cell of CSV: quoted where needed; a leading `=`, `+`, `-`, `@`, tab or carriage return is disarmed, since spreadsheets would run it as a formula.
#[must_use]
pub fn cell(value: &str) -> String {
    let disarmed = if value.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{value}") } else { value.to_owned() };
    if disarmed.contains([',', '"', '\r', '\n']) { format!("\"{}\"", disarmed.replace('"', "\"\"")) } else { disarmed }
}

/// This machine, the private networks (RFC 1918) and the link's own (RFC 3927).
const LOCAL: &str = "localhost,127.0.0.0/8,::1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,169.254.0.0/16";

/// The same for clients that know patterns and no prefixes, such as Java and Windows: a pattern each, the caller joins them.
#[must_use]
pub fn local_patterns() -> Vec<String> {
    let fixed = ["localhost", "127.*", "10.*", "192.168.*", "169.254.*"].map(str::to_owned);
    fixed.into_iter().chain((16..32).map(|second| format!("172.{second}.*"))).collect()
}

/// A `NO_PROXY` value that keeps the suite's local traffic off the proxy.
#[must_use]
pub fn no_proxy() -> String {
    format!("{LOCAL}\n")
}

/// Squid `acl` lines with the same meaning.
#[must_use]
pub fn squid(policy: &Policy) -> String {
    let mut text = format!("# {} {}\n", policy.name(), policy.hash());
    for (index, rule) in policy.rules().iter().enumerate() {
        let service = &policy.service(rule.service).id;
        let _ = writeln!(
            text,
            "# {service}: {}",
            rule.source.as_ref().map_or("site policy".to_owned(), |cited| format!("{} section {}", cited.document, cited.section))
        );
        let _ = writeln!(text, "acl ucx_host_{index} dstdom_regex -n ^{}$", squid_pattern(&rule.host));
        let _ = writeln!(text, "acl ucx_port_{index} port {}", rule.port);
        let _ = writeln!(text, "http_access allow CONNECT ucx_host_{index} ucx_port_{index}");
    }
    text.push_str("http_access deny all\n");
    text
}

fn squid_pattern(host: &str) -> String {
    let one_label = if host.starts_with("*.") { "[^.]+" } else { "[^.]*" };
    host.replace('.', "\\.").replace('*', one_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_cells_are_quoted_and_disarmed() {
        assert_eq!(cell("plain"), "plain");
        assert_eq!(cell("a, \"b\""), "\"a, \"\"b\"\"\"");
        assert_eq!(cell("=1+1"), "'=1+1");
    }

    #[test]
    fn a_wildcard_stays_one_label() {
        assert_eq!(squid_pattern("*.imagicle.com"), "[^.]+\\.imagicle\\.com");
    }
}
