//! A configuration as people read it: what is in force, where it is from, what can never act.

use super::Config;
use crate::listener::balancer::Balancers;
use crate::listener::entrance::Entrance;
use crate::moment::date;
use crate::policy::{PersonalData, Policy, Rule};
use crate::proxy::interception::OnRejection;
use crate::tls::authority::Authority;
use crate::units::{counted, show};
use crate::upstream::NameServers;
use crate::upstream::parent::{Parent, Routes};
use std::fmt::Write as _;
use std::time::SystemTime;

const REJECTION_FAILS: &str = "a client that rejects the CA: fail";
const REJECTION_TUNNELS: &str = "a client that rejects the CA: tunnel";

/// All of it: what `ucx-egress check` prints and the admin page shows. Its CA is looked at as the start would.
///
/// # Errors
/// When the CA is unfit, with the remedy.
pub fn shown(config: &Config) -> Result<String, String> {
    Ok(report(config, &interception(config)?))
}

/// What is decrypted, with a CA that was checked as the start would.
fn interception(config: &Config) -> Result<String, String> {
    let Some(section) = &config.interception else {
        let inspection = inspection(config, "needs [interception]; without it only `scan` inspects");
        return Ok(format!("interception   off: every connection is a tunnel, no payload is seen\n{inspection}"));
    };
    let hosts = config.policy.intercepted_hosts();
    let authority =
        Authority::load(&section.paths, &hosts, SystemTime::now()).map_err(|problem| format!("{}: {problem}", section.place))?;
    let facts = authority.facts();
    Ok(format!(
        "interception   {} (CA {} valid to {}, fingerprint {})\n{}",
        or_none(&hosts.join(", ")),
        section.paths.certificate.display(),
        date(facts.not_after),
        facts.fingerprint,
        inspection(config, if section.on_rejection == OnRejection::Fail { REJECTION_FAILS } else { REJECTION_TUNNELS }),
    ))
}

/// How messages are inspected, and what else is to be said of that.
fn inspection(config: &Config, aside: &str) -> String {
    let inspection = &config.inspection;
    let account = |account: &String| if account.contains(['\\', '@']) { account.clone() } else { format!("{account} (of every domain)") };
    let accounts: Vec<String> = inspection.accounts.iter().map(account).collect();
    format!(
        "inspection     messages to {} KiB, {} KiB held in all, {aside}\nshape          the documented fields, unknown ones: {}; addresses that may be named: {}; service accounts: {}\n",
        inspection.max_message >> 10,
        inspection.max_held >> 10,
        inspection.unknown_fields.label(),
        or_none(&list(&inspection.declared)),
        or_none(&accounts.join(", ")),
    )
}

/// Where decisions are written.
fn audit(config: &Config) -> String {
    let Some(audit) = &config.audit else { return "audit          off: decisions are in the log and the metrics only\n".to_owned() };
    let size = audit.keep.size.map_or_else(String::new, |size| format!(" and {} MiB in all", size >> 20));
    let (folder, word) = (audit.folder.display(), audit.on_failure.label());
    format!("audit          {folder} ({word} when it cannot be written), kept {}{size}\n", show(audit.keep.age))
}

fn report(config: &Config, interception: &str) -> String {
    let policy = &config.policy;
    let options = policy.options();
    let mut text = format!(
        "configuration  {}\nlistener       {}\nadmin          {}\npolicy         {} (profile {}, mode {}, hash {})\nclients        {}\n",
        config.name,
        config.listener.address,
        config.admin,
        policy.file(),
        options.profile.label(),
        options.mode.label(),
        policy.hash(),
        list(&options.clients),
    );
    for service in policy.services() {
        if let Some(clients) = &service.clients {
            let _ = writeln!(text, "               {} only from {}", service.id, list(clients));
        }
    }
    text.push_str(&passwords(config));
    text.push_str(&entrances(config));
    text.push_str(&discovery(config));
    for quota in &config.quotas {
        let _ = writeln!(text, "quota          {}", quota.shown());
    }
    text.push_str(&audit(config));
    text.push_str(interception);
    text.push_str(&upstream(config));
    text.push_str("\nallowed, everything else is refused:\n");
    let width = policy.rules().iter().map(|rule| rule.host.len()).max().unwrap_or_default();
    for rule in policy.rules() {
        let _ = writeln!(text, "  {}", line(policy, rule, width));
    }
    if config.interception.is_some() {
        text.push_str(&requests(policy));
    }
    let _ = writeln!(text, "\n{}", counted(config.warnings.len() as u64, "warning"));
    for warning in &config.warnings {
        let _ = writeln!(text, "  {warning}");
    }
    text
}

/// Who is asked for a password.
fn passwords(config: &Config) -> String {
    config.access.as_ref().map_or_else(
        || "passwords      off: clients.allow alone says who may use the proxy\n".to_owned(),
        |access| {
            let (file, accounts) = (access.file.path.display(), counted(access.file.accounts.count() as u64, "account"));
            format!("passwords      {file} ({accounts}, realm {:?})\n", access.realm)
        },
    )
}

/// The other ways in, and who may use which.
fn entrances(config: &Config) -> String {
    let mut text = String::new();
    if let Some(tls) = &config.listener.tls {
        let port = tls.address.map_or_else(|| "on the listener's own port".to_owned(), |address| format!("on {address}"));
        let asked =
            tls.files.client_ca.as_ref().map_or_else(String::new, |file| format!("; clients show certificates of {}", file.display()));
        let _ = writeln!(text, "tls            {port}, {}{asked}", tls.files.certificate.display());
    }
    text.push_str(&entrance("listener", &config.listener.entrance));
    for relay in &config.relays {
        let _ = writeln!(text, "relay          {} -> {}", relay.address, relay.destination);
        text.push_str(&entrance("relay", &relay.entrance));
    }
    for sni in &config.snis {
        let _ = writeln!(text, "sni            {} -> the name in the ClientHello, port {}", sni.address, sni.port);
        text.push_str(&entrance("sni", &sni.entrance));
    }
    text
}

fn entrance(listener: &str, entrance: &Entrance) -> String {
    let mut text = String::new();
    if let Some(clients) = &entrance.clients {
        let _ = writeln!(text, "               {listener}: only for {}", list(clients));
    }
    if let Some(Balancers { version, networks }) = &entrance.balancers {
        let _ = writeln!(text, "               {listener}: PROXY protocol {version:?} from {}", list(networks));
    }
    text
}

/// Where clients learn of the proxy, and what they are told.
fn discovery(config: &Config) -> String {
    let discovery = &config.discovery;
    let place = discovery.address.map_or_else(|| "the admin listener".to_owned(), |address| format!("{address} and the admin listener"));
    let told = list(&discovery.proxies);
    format!("discovery      {place}; clients are told {}\n", if told.is_empty() { "the listener's address" } else { &told })
}

/// Which requests of a decrypted connection belong to which service.
fn requests(policy: &Policy) -> String {
    let mut text = "\ndecrypted requests, by service; what is not listed belongs to the service of its endpoint:\n".to_owned();
    for entry in policy.paths() {
        let service = policy.service(entry.service);
        let treatment = if service.personal_data == PersonalData::Expected { "passes" } else { "inspected" };
        let source = entry.source.as_ref().map_or("assumed: documented nowhere", |_| "documented");
        let _ = writeln!(text, "  {:40} personal data {:8}  {treatment:9}  {source}", entry.name, service.personal_data.label());
    }
    text
}

/// How the cloud is reached, and for how long anything is waited for.
fn upstream(config: &Config) -> String {
    let servers = match &config.name_servers {
        NameServers::System => "those of /etc/resolv.conf".to_owned(),
        NameServers::Fixed(addresses) => list(addresses),
    };
    let mut hosts: Vec<String> = config.hosts.keys().map(ToString::to_string).collect();
    hosts.sort_unstable();
    let limits = &config.limits;
    let mut text = parents(&config.routes);
    let _ = write!(
        text,
        "name servers   {servers}\nfixed hosts    {}\nexceptions     {}\nlimits         head {}, hello {}, resolve {}, connect {}, answer {}, message {}, drain {}, connections {}\n",
        or_none(&hosts.join(", ")),
        or_none(&list(&config.allow_addresses)),
        show(limits.head),
        show(limits.hello),
        show(config.resolve_deadline),
        show(config.connect_deadline),
        show(limits.answer),
        show(limits.message),
        show(config.drain),
        config.max_connections.map_or_else(|| "as descriptors permit".to_owned(), |most| most.to_string()),
    );
    text
}

/// Parent proxies, in the order of the configuration; never their users.
fn parents(routes: &Routes) -> String {
    let shown = |parent: &Parent| {
        let credentials = if parent.has_credentials() { " (with credentials)" } else { "" };
        format!("parent         {}{credentials}\n", parent.shown())
    };
    routes.parents.iter().map(shown).collect()
}

fn list(items: &[impl ToString]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
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
