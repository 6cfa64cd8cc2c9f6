//! What is configured: the file, what can never act, the policy, the interception CA.

use super::line::{Area, Line};
use crate::access::htpasswd;
use crate::config::Config;
use crate::config::parents::EXPOSED as EXPOSED_PASSWORD;
use crate::moment::date;
use crate::policy::Mode;
use crate::tls::authority::{Authority, check_key_file};
use std::time::{Duration, SystemTime};

/// How long before the CA's end somebody should know.
const SOON: Duration = Duration::from_hours(24 * 30);

/// All lines of it.
pub(super) fn lines(config: &Config, now: SystemTime) -> Vec<Line> {
    // What is said of files stands with the files.
    let of_files = [htpasswd::EXPOSED, EXPOSED_PASSWORD];
    let warnings = config.warnings.iter().filter(|warning| !of_files.contains(&&*warning.message));
    let warnings = warnings.map(|warning| Line::warn(Area::Policy, &warning.place, "").sentence(&warning.message, "see `check`"));
    let mut lines = vec![Line::ok(Area::Policy, "configuration", &config.name)];
    lines.extend(warnings);
    lines.push(policy(config));
    lines.push(interception(config, now));
    lines
}

fn policy(config: &Config) -> Line {
    let policy = &config.policy;
    let (profile, hash) = (policy.options().profile.label(), policy.hash());
    let shown = |mode| format!("{}, profile {profile}, {mode}, hash {hash}", policy.file());
    match policy.options().mode {
        Mode::Enforce => Line::ok(Area::Policy, policy.name(), shown("mode enforce")),
        Mode::Observe => Line::warn(Area::Policy, policy.name(), shown("mode observe: nothing is refused by policy"))
            .remedy("set policy.mode = \"enforce\" once would_deny shows nothing unexpected"),
    }
}

fn interception(config: &Config, now: SystemTime) -> Line {
    let subject = "interception";
    let Some(section) = &config.interception else {
        return Line::ok(Area::Policy, subject, "off: every connection is a tunnel, no payload is seen");
    };
    if check_key_file(&section.paths.key).is_err() {
        return Line::skip(Area::Policy, subject, "the CA's key cannot be used: see files");
    }
    let hosts = config.policy.intercepted_hosts();
    match Authority::load(&section.paths, &hosts, now) {
        Err(unusable) => {
            Line::fail(Area::Policy, subject, "").sentence(&unusable.0, "`ucx-egress ca show` says more; the proxy does not start with it")
        }
        Ok(authority) => {
            let end = authority.facts().not_after;
            let days = end.duration_since(now).unwrap_or_default().as_secs() / 86_400;
            let seen = format!("on for {}; CA valid to {} ({days} days)", hosts.join(", "), date(end));
            if end < now + SOON {
                let remedy = "make a new one with `ucx-egress ca init`, and have the clients trust it before this one ends";
                return Line::warn(Area::Policy, subject, seen).remedy(remedy);
            }
            Line::ok(Area::Policy, subject, seen)
        }
    }
}
