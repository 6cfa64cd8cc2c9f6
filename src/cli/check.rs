//! `check`: what is in force, and what can never act.

use super::{OK, load, print};
use crate::config::Config;
use crate::policy::{Policy, Rule};
use crate::units::show;
use std::fmt::Write as _;
use std::path::Path;

/// Loads everything that `run` would and prints it.
#[must_use]
pub fn main(config: Option<&Path>) -> u8 {
    let config = match load(config) {
        Ok(config) => config,
        Err(code) => return code,
    };
    print(&report(&config));
    OK
}

fn report(config: &Config) -> String {
    let policy = &config.policy;
    let options = policy.options();
    let clients: Vec<String> = options.clients.iter().map(ToString::to_string).collect();
    let mut text = format!(
        "configuration  {}\nlistener       {}\nadmin          {}\nclients        {}\npolicy         {} (profile {}, mode {}, hash {})\n",
        config.name,
        config.listener,
        config.admin,
        clients.join(", "),
        policy.file(),
        options.profile.label(),
        if options.mode == crate::policy::Mode::Observe { "observe" } else { "enforce" },
        policy.hash(),
    );
    for relay in &config.relays {
        let _ = writeln!(text, "relay          {} -> {}", relay.address, relay.destination);
    }
    text.push_str("\nallowed, everything else is refused:\n");
    let width = policy.rules().iter().map(|rule| rule.host.len()).max().unwrap_or_default();
    for rule in policy.rules() {
        let _ = writeln!(text, "  {}", line(policy, rule, width));
    }
    let _ = writeln!(text, "\n{} warning{}", config.warnings.len(), if config.warnings.len() == 1 { "" } else { "s" });
    for warning in &config.warnings {
        let _ = writeln!(text, "  {warning}");
    }
    text
}

fn line(policy: &Policy, rule: &Rule, width: usize) -> String {
    let service = policy.service(rule.service);
    let source =
        rule.source.as_ref().map_or_else(|| "site policy".to_owned(), |cited| format!("{}, section {}", cited.document, cited.section));
    format!(
        "{:width$} :{:<5} {:5}  {:16} personal data {:8}  idle {:4}  {source}",
        rule.host,
        rule.port,
        rule.protocol.label(),
        &*service.id,
        service.personal_data.label(),
        show(service.idle_timeout),
    )
}
