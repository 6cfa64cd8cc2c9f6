//! `explain`: the verdict the running proxy would give, and why.

use super::{BAD_CONFIG, NO, OK, failed, load, print};
use crate::explain::{Explanation, Grounds, Question, explain};
use crate::policy::Verdict;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::Path;

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// `https://host/path`, `http://host/path` or `host:port`
    #[arg(value_name = "URL|HOST:PORT")]
    destination: String,
    /// The client's address; without it, one that may use the service.
    #[arg(long)]
    client: Option<IpAddr>,
    /// The request's method; without it, GET for a URL and CONNECT for host:port.
    #[arg(long)]
    method: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Explains one destination.
#[must_use]
pub fn main(config: Option<&Path>, arguments: &Arguments) -> u8 {
    let config = match load(config) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let grounds = Grounds { policy: &config.policy, intercepts: config.interception.is_some(), routes: &config.routes };
    let question = Question { destination: &arguments.destination, client: arguments.client, method: arguments.method.as_deref() };
    let (verdict, explanation) = explain(&grounds, &question);
    let text = if arguments.json { serde_json::to_string_pretty(&explanation).map(|json| json + "\n") } else { Ok(text(&explanation)) };
    match text {
        Ok(text) => print(&text),
        Err(error) => {
            failed(error);
            return BAD_CONFIG;
        }
    }
    if verdict == Verdict::Deny { NO } else { OK }
}

fn text(explanation: &Explanation<'_>) -> String {
    let mut text = format!("{} {}", explanation.verdict, explanation.destination);
    if let Some(reason) = explanation.reason {
        let _ = write!(text, ": {reason}");
    }
    text.push('\n');
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "  {name:18} {value}");
        }
    };
    line(
        "now",
        if explanation.verdict == Verdict::WouldDeny.label() {
            "it passes now: policy.mode is \"observe\"; enforcing would refuse it"
        } else {
            ""
        },
    );
    line("why", explanation.detail.as_deref().unwrap_or_default());
    line("rule", &explanation.rule);
    line("service", explanation.service);
    line("treatment", explanation.treatment.unwrap_or_default());
    line("way", explanation.way.as_deref().unwrap_or_default());
    line("personal data", explanation.personal_data);
    line("promise", explanation.promise);
    line("clients", &explanation.clients.join(", "));
    line("breaks if blocked", explanation.breaks_if_blocked);
    if let Some(source) = explanation.source {
        line("source", &format!("{}, section {}: \"{}\"", source.document, source.section, source.quote));
    }
    line("source", if explanation.assumed { "an assumption: no document of the vendor names this path" } else { "" });
    line("nearest allow rule", explanation.nearest_allow_rule.unwrap_or_default());
    line("policy hash", explanation.policy_hash);
    text
}
