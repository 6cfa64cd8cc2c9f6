//! Which service a request inside an intercepted connection belongs to: by method and path.
//!
//! The wire paths of the vendor's services are not public, so most entries are assumptions and say so. A request that none
//! of them names belongs to the service whose endpoint it came to. A path that two parsers could read differently
//! (percent-encoding, dot segments, empty segments, backslashes, parameters) is never matched by a narrower entry.

use super::pattern::{PathPattern, is_plain};
use super::rules::{Cited, ServiceId};
use std::sync::Arc;

/// One entry: requests that belong to a service.
#[derive(Debug, Clone)]
pub struct PathRule {
    /// `service METHOD /path`.
    pub name: Arc<str>,
    /// The service it names.
    pub service: ServiceId,
    /// The service with the endpoints: the entry counts on its connections only.
    pub channel: ServiceId,
    /// Methods it is for; all, if none is named.
    pub methods: Vec<String>,
    /// The path.
    pub pattern: PathPattern,
    /// Whether it is an assumption: documented nowhere.
    pub assumed: bool,
    /// Where it is documented.
    pub source: Option<Cited>,
}

impl PathRule {
    fn matches(&self, channel: ServiceId, method: &str, path: &str) -> bool {
        self.channel == channel && (self.methods.is_empty() || self.methods.iter().any(|own| own == method)) && self.pattern.matches(path)
    }
}

/// The narrowest entry for a request.
#[must_use]
pub fn find<'a>(rules: &'a [PathRule], channel: ServiceId, method: &str, path: &str) -> Option<&'a PathRule> {
    if !is_plain(path) {
        return None;
    }
    rules.iter().filter(|rule| rule.matches(channel, method, path)).max_by_key(|rule| rule.pattern.narrowness())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> PathPattern {
        PathPattern::parse(text).unwrap_or_else(|problem| panic!("{text}: {problem}"))
    }

    #[test]
    fn the_narrowest_entry_wins_and_ambiguous_paths_match_none() {
        let rule = |text: &str, index, methods: &[&str]| PathRule {
            name: text.into(),
            service: ServiceId::from_index(index),
            channel: ServiceId::from_index(1),
            methods: methods.iter().map(|method| (*method).to_owned()).collect(),
            pattern: pattern(text),
            assumed: true,
            source: None,
        };
        let rules = [rule("/sso/**", 2, &[]), rule("/sso/telemetry/**", 3, &[]), rule("/sso/telemetry/x", 4, &["POST"])];
        let found = |method, path| find(&rules, ServiceId::from_index(1), method, path).map(|rule| rule.service.index());
        assert_eq!(found("GET", "/sso/a"), Some(2));
        assert_eq!(found("GET", "/sso/telemetry/a"), Some(3));
        assert_eq!(found("POST", "/sso/telemetry/x"), Some(4));
        assert_eq!(found("GET", "/sso/telemetry/x"), Some(3));
        for path in ["/sso/../a", "/sso/%2e%2e/a", "/sso//a", "/sso/a;b", "/sso\\a", "/other", "*", ""] {
            assert_eq!(found("GET", path), None, "{path}");
        }
        assert!(find(&rules, ServiceId::from_index(2), "GET", "/sso/a").is_none(), "another channel");
    }
}
