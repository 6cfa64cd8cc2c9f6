//! `[policy]`: which policy file, which part of it, enforced or observed.

use super::clients::Clients;
use crate::policy::compile::Unfit;
use crate::policy::document::IMAGICLE;
use crate::policy::{Mode, Options, Policy, Profile};
use crate::source::{Located, Source};
use serde::Deserialize;
use std::ops::Range;
use std::path::PathBuf;
use toml::Spanned;

/// What the embedded policy is called in errors.
const EMBEDDED: &str = "config/policy/imagicle.toml (built in)";

/// Where what is observed is saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedConfig {
    /// The file.
    pub path: PathBuf,
    /// Where the configuration says so, for errors about the file.
    pub place: String,
}

/// `[policy]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicySection {
    profile: Option<Profile>,
    file: Option<Spanned<String>>,
    observed: Option<Spanned<String>>,
    pub(super) mode: Spanned<Mode>,
    pub(super) groups: Vec<Spanned<String>>,
    pub(super) exact_hosts: Vec<Spanned<String>>,
}

impl Default for PolicySection {
    fn default() -> Self {
        Self {
            profile: None,
            file: None,
            observed: None,
            mode: Spanned::new(0..0, Mode::default()),
            groups: Vec::new(),
            exact_hosts: Vec::new(),
        }
    }
}

impl PolicySection {
    pub(super) fn file(&self) -> Option<&String> {
        self.file.as_ref().map(Spanned::get_ref)
    }

    /// Where what is observed is saved, if it is.
    pub(super) fn observed(&self, source: &Source) -> Option<ObservedConfig> {
        self.observed.as_ref().map(|file| ObservedConfig { path: source.path(file.get_ref()), place: source.place(file.span().start) })
    }

    pub(super) fn observed_span(&self) -> Option<Range<usize>> {
        self.observed.as_ref().map(Spanned::span)
    }

    /// Reads and compiles the chosen policy.
    pub(super) fn build(&self, source: &Source, section: &Clients) -> Result<Policy, Located> {
        let options = Options {
            profile: self.profile.unwrap_or(Profile::Documented),
            mode: *self.mode.get_ref(),
            groups: texts(&self.groups),
            exact_hosts: texts(&self.exact_hosts),
            clients: section.networks(source)?,
            service_clients: section.service_networks(source)?,
        };
        Policy::compile(&self.text(source)?, options).map_err(|unfit| self.located(source, section, unfit))
    }

    /// The policy as it is written.
    pub(super) fn text(&self, source: &Source) -> Result<Source, Located> {
        let Some(file) = &self.file else {
            return Ok(Source::embedded(EMBEDDED, IMAGICLE));
        };
        Source::read(&source.path(file.get_ref())).map_err(|error| source.error(file.span(), format!("policy.file: {error}")))
    }

    fn located(&self, source: &Source, section: &Clients, unfit: Unfit) -> Located {
        let find = |list: &[Spanned<String>], value: &str| list.iter().find(|text| text.get_ref() == value).map_or(0..0, Spanned::span);
        match unfit {
            Unfit::File(located) => located,
            Unfit::UnknownGroup(group) => source.error(
                find(&self.groups, &group),
                format!("{group:?} is no group of the policy; the built-in ones are \"voice-analytics\", \"webex\" and \"cognito\""),
            ),
            Unfit::UnknownService(name, remedy) => source.error(section.service_span(&name), format!("{name:?} {remedy}")),
            Unfit::ExactHost(host, problem) => source.error(
                find(&self.exact_hosts, &host),
                format!("{host:?}: {problem}; write a host that a wildcard of the policy covers, such as \"tenant.imagicle.cloud\""),
            ),
        }
    }
}

fn texts(spanned: &[Spanned<String>]) -> Vec<String> {
    spanned.iter().map(|text| text.get_ref().clone()).collect()
}
