//! The proposed policy as a file: the one in force, with what was observed of each entry, the paths that were seen, and, as comments, the
//! destinations that it does not allow.

use super::evidence::{of_requests, plain};
use crate::config::Config;
use crate::destination::{Destination, Host};
use crate::error::Reason;
use crate::observed;
use crate::observed::document::{Requested, Wanted};
use crate::observed::paths::{ANY, REST, segments};
use crate::policy::document::{Document, Endpoint, RequestEntry, Service};
use crate::policy::host_set::HostSetBuilder;
use crate::policy::pattern::PathPattern;
use crate::policy::{PersonalData, Policy};
use crate::source::Source;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Hosts that are named behind a wildcard.
const MOST_HOSTS: usize = 16;
/// Why a destination may be wanted in the policy.
const MISSING: [Reason; 2] = [Reason::HostNotAllowed, Reason::PortNotAllowed];

/// The policy in force with what was observed.
///
/// # Errors
/// A sentence: the policy is written in a way that cannot be added to.
pub(super) fn proposal(config: &Config, observed: &observed::Document) -> Result<String, String> {
    let source = &config.policy_text;
    let before = Document::read(source).map_err(|error| error.to_string())?;
    let (first, last) = observed.days();
    let text = source.text();
    let mut inserts: Vec<(usize, String)> = Vec::new();
    let mut added = 0;
    for service in &before.services {
        let asked: Vec<&Requested> = observed.requests.iter().filter(|asked| asked.service == **service.id.get_ref()).collect();
        for endpoint in &service.endpoints {
            let at = header(text, "[[service.endpoint]]", endpoint.host.span().start);
            inserts.extend(at.map(|at| (at, wanted_at(endpoint, &observed.destinations))));
        }
        for entry in &service.requests {
            let at = header(text, "[[service.request]]", entry.path.span().start);
            inserts.extend(at.map(|at| (at, asked_of(entry, &asked))));
        }
        let entries = entries(service, &asked);
        added += entries.len();
        if !entries.is_empty() {
            inserts.push((block_end(text, service.id.span().end), entries.concat()));
        }
    }
    inserts.sort_by_key(|(at, _)| *at);
    let mut proposed = format!(
        "# Proposed by `ucx-egress learn` from what was observed {first} to {last}: the policy in force with what was seen of each entry\n\
         # (\"observed\"), and {added} paths more, which the vendor documents nowhere. Review it; nothing is open that was not open before.\n\n"
    );
    let mut done = 0;
    for (at, more) in inserts {
        proposed += text.get(done..at).unwrap_or_default();
        proposed += &more;
        done = at;
    }
    proposed += text.get(done..).unwrap_or_default();
    proposed += &not_allowed(&observed.destinations);
    verify(config, &before, &proposed, added)?;
    Ok(proposed)
}

/// The proposal is a policy, with all that was in the one before.
fn verify(config: &Config, before: &Document, proposed: &str, added: usize) -> Result<(), String> {
    let source = Source::embedded("the proposed policy", proposed);
    let unfit = "the policy in force cannot be added to; write its services as [[service]] tables";
    let after = Document::read(&source).map_err(|error| format!("{unfit} ({error})"))?;
    let count = |document: &Document| -> (usize, usize, usize) {
        let services = &document.services;
        (services.len(), services.iter().map(|one| one.endpoints.len()).sum(), services.iter().map(|one| one.requests.len()).sum())
    };
    let (services, endpoints, requests) = count(before);
    if count(&after) != (services, endpoints, requests + added) {
        return Err(unfit.to_owned());
    }
    Policy::compile(&source, config.policy.options().clone()).map(|_| ()).map_err(|_| unfit.to_owned())
}

/// Where the line of a table's header begins, above a place in it.
fn header(text: &str, header: &str, inside: usize) -> Option<usize> {
    let mut start = text.get(..inside)?.rfind('\n').map_or(0, |end| end + 1);
    loop {
        let line = text.get(start..)?.lines().next().unwrap_or_default().trim();
        if line == header {
            return Some(start);
        }
        if line.starts_with('[') || start == 0 {
            return None;
        }
        start = text.get(..start - 1)?.rfind('\n').map_or(0, |end| end + 1);
    }
}

/// Where the tables of a service end: before the next one, and the comments in front of that.
fn block_end(text: &str, inside: usize) -> usize {
    let mut at = inside;
    let mut end = inside;
    for line in text.get(inside..).unwrap_or_default().split_inclusive('\n') {
        let bare = line.trim();
        let is_header = bare.starts_with('[') && !bare.starts_with("[[service.") && !bare.starts_with("[service.") && at > inside;
        if is_header {
            break;
        }
        at += line.len();
        if !bare.is_empty() && !bare.starts_with('#') {
            end = at;
        }
    }
    end
}

/// What was seen of an endpoint.
fn wanted_at(endpoint: &Endpoint, destinations: &[Wanted]) -> String {
    let (pattern, port) = (endpoint.host.get_ref().as_str(), *endpoint.port.get_ref());
    let mut host = HostSetBuilder::default();
    host.add(pattern, ());
    // It was compiled with the policy in force.
    let Ok(host) = host.build() else { return String::new() };
    let covers = |wanted: &&Wanted| {
        let is_its = |at: Destination| at.port == port && host.matches(&at.host).next().is_some();
        wanted.times.allowed > 0 && parsed(wanted).is_some_and(is_its)
    };
    let all: Vec<&Wanted> = destinations.iter().filter(covers).collect();
    if all.is_empty() {
        return "# observed never\n".to_owned();
    }
    let shown = |wanted: &&Wanted| {
        let name = if pattern.contains('*') { format!("{}: ", wanted.destination) } else { String::new() };
        format!("# observed {}{}\n", plain(&name), plain(&wanted.times.shown()))
    };
    let more = if all.len() > MOST_HOSTS { format!("# observed {} hosts more\n", all.len() - MOST_HOSTS) } else { String::new() };
    all.iter().take(MOST_HOSTS).map(shown).collect::<String>() + &more
}

fn parsed(wanted: &Wanted) -> Option<Destination> {
    Destination::from_authority(wanted.destination.as_bytes()).ok()
}

/// What was seen of a request entry.
fn asked_of(entry: &RequestEntry, asked: &[&Requested]) -> String {
    let Ok(pattern) = PathPattern::parse(entry.path.get_ref()) else { return String::new() };
    let is_its = |asked: &&Requested| pattern.matches(&asked.path) && (entry.methods.is_empty() || entry.methods.contains(&asked.method));
    let text = of_requests(asked.iter().copied().filter(|asked| is_its(asked)));
    match (text.is_empty(), entry.assumed) {
        (true, true) => "# observed never: an assumption that nothing confirms\n".to_owned(),
        (true, false) => "# observed never\n".to_owned(),
        (false, _) => text,
    }
}

/// Entries for the paths that were seen and have none of their own.
fn entries(service: &Service, asked: &[&Requested]) -> Vec<String> {
    let mut by_path: BTreeMap<String, Vec<&Requested>> = BTreeMap::new();
    for one in asked {
        by_path.entry(pattern(&one.path)).or_default().push(one);
    }
    by_path.iter().filter_map(|(path, asked)| entry(service, path, asked)).collect()
}

/// The narrowest pattern for a template.
fn pattern(template: &str) -> String {
    let segments = segments(template);
    match segments.iter().position(|piece| piece.name == ANY || piece.name == REST) {
        Some(at) => segments.iter().take(at).fold(String::new(), |path, piece| path + "/" + &piece.name) + "/**",
        None => template.to_owned(),
    }
}

fn entry(service: &Service, path: &str, asked: &[&Requested]) -> Option<String> {
    let known: Vec<PathPattern> = service.requests.iter().filter_map(|entry| PathPattern::parse(entry.path.get_ref()).ok()).collect();
    let parsed = PathPattern::parse(path).ok()?;
    // Everything is no path; what has an entry needs no other.
    if path == "/**" || known.contains(&parsed) {
        return None;
    }
    // What passes without inspection never becomes more.
    let inside = path.strip_suffix("/**").map_or_else(|| path.to_owned(), |folder| format!("{folder}/x"));
    if service.personal_data == PersonalData::Expected && !known.iter().any(|known| known.matches(&inside)) {
        return None;
    }
    let methods: BTreeSet<&str> = asked.iter().map(|asked| asked.method.as_str()).filter(|method| is_method(method)).collect();
    if methods.is_empty() {
        return None;
    }
    let methods: Vec<String> = methods.iter().map(|method| format!("\"{method}\"")).collect();
    let evidence = of_requests(asked.iter().copied());
    Some(format!("\n{evidence}[[service.request]]\npath = \"{path}\"\nmethods = [{}]\nassumed = true\n", methods.join(", ")))
}

fn is_method(method: &str) -> bool {
    !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Destinations that enforcing would refuse, as comments.
fn not_allowed(destinations: &[Wanted]) -> String {
    let is_missing = |wanted: &&Wanted| MISSING.iter().any(|reason| wanted.times.would_refuse.contains_key(reason.label()));
    let all: Vec<(&Wanted, Destination)> =
        destinations.iter().filter(is_missing).filter_map(|wanted| Some((wanted, parsed(wanted)?))).collect();
    if all.is_empty() {
        return String::new();
    }
    let mut text =
        "\n# ---- wanted, and not allowed: nothing of this is open ------------------------------------------------------------------\n\
        #\n\
        # To open a destination, take \"# \" away in front of the service below and in front of that endpoint.\n\
        #\n\
        # [[service]]\n\
        # id = \"site\"\n\
        # title = \"Destinations of this site\"\n\
        # personal_data = \"unstated\"\n\
        # treatment = \"tunnel\"\n"
            .to_owned();
    for (wanted, Destination { host, port }) in all {
        let times = plain(&wanted.times.shown());
        // Writing to a string cannot fail.
        let _ = match host {
            Host::Address(_) => write!(text, "#\n# # {host}:{port}, {times}; an address is never allowed\n"),
            Host::Name(_) => write!(
                text,
                "#\n# # observed {times}\n# [[service.endpoint]]\n# host = \"{host}\"\n# port = {port}\n# protocol = \"https\"\n"
            ),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_become_the_narrowest_patterns() {
        for (template, narrowest) in
            [("/", "/"), ("/a/b", "/a/b"), ("/a/*/b", "/a/**"), ("/*", "/**"), ("/a/b/**", "/a/b/**"), ("/a/", "/a/")]
        {
            assert_eq!(pattern(template), narrowest, "{template}");
        }
    }

    #[test]
    fn places_in_the_text_are_found_by_their_lines() {
        let text = "[[service]]\nid = \"a\"\n\n[[service.request]]\npath = \"/a\"\n\n# about b\n[[service]]\nid = \"b\"\n";
        let at = |what: &str| text.find(what).expect("it is there");
        assert_eq!(header(text, "[[service.request]]", at("\"/a\"")), Some(at("[[service.request]]")));
        assert_eq!(header(text, "[[service.request]]", at("\"b\"")), None, "another table");
        assert_eq!(text.get(block_end(text, at("\"a\""))..), Some("\n# about b\n[[service]]\nid = \"b\"\n"));
        assert_eq!(block_end(text, at("\"b\"")), text.len());
    }
}
