//! The policy file as data: services, their endpoints, what the vendor promises about each, and where it says so.
//!
//! The embedded file `config/policy/imagicle.toml` is the default; a customer's own file has the same form.

use super::pattern::PathPattern;
use crate::source::{Located, Source};
use crate::units::Span;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::ops::Range;
use toml::Spanned;

/// The one format this program reads.
const FORMAT: u32 = 1;

/// The documented allow list, part of the program.
pub const IMAGICLE: &str = include_str!("../../config/policy/imagicle.toml");

/// A whole policy file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    format: Spanned<u32>,
    /// What people call the policy.
    pub name: String,
    /// The vendor's documents that the entries quote.
    #[serde(default, rename = "document")]
    pub documents: Vec<Publication>,
    /// The documented purposes.
    #[serde(default, rename = "service")]
    pub services: Vec<Service>,
}

/// A document of the vendor.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// How entries refer to it.
    pub id: Spanned<String>,
    /// Its title.
    pub title: String,
    /// Its date, as it states it.
    #[serde(default)]
    pub date: String,
}

/// Where an entry is documented.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Citation {
    /// A [`Publication::id`].
    pub document: Spanned<String>,
    /// Its section.
    pub section: String,
    /// Its words.
    pub quote: String,
}

/// What the vendor says about personal data in a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PersonalData {
    /// None is sent: finding any is a violation.
    None,
    /// It is documented as part of the service.
    Expected,
    /// The documents do not say.
    Unstated,
}

impl PersonalData {
    /// The word as written in policy files.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Expected => "expected",
            Self::Unstated => "unstated",
        }
    }
}

/// What is done with an allowed connection once interception is configured; until then every one is a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Treatment {
    /// Relayed as it is; the payload is not seen.
    #[default]
    Tunnel,
    /// Decrypted, inspected, encrypted anew.
    Intercept,
}

impl Treatment {
    /// The word as written in policy files.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Tunnel => "tunnel",
            Self::Intercept => "intercept",
        }
    }
}

/// What is spoken at an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WireProtocol {
    /// HTTP over TLS.
    Https,
    /// gRPC over TLS: long-lived streams.
    Grpc,
    /// LDAP with TLS from the first byte.
    Ldaps,
    /// Plain HTTP; documented nowhere, for a site's own policy only.
    Http,
}

impl WireProtocol {
    /// The word as written in policy files.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Grpc => "grpc",
            Self::Ldaps => "ldaps",
            Self::Http => "http",
        }
    }
}

/// A set of rules that people choose by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// All that the vendor documents, wildcards included.
    Documented,
    /// Exact hosts only.
    Strict,
}

impl Profile {
    /// The word as written in configurations.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Strict => "strict",
        }
    }
}

/// One documented purpose.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The name in configurations, logs and metrics.
    pub id: Spanned<String>,
    /// The name for people.
    #[serde(default)]
    pub title: String,
    /// What the vendor says about personal data.
    pub personal_data: PersonalData,
    /// In its own words.
    #[serde(default)]
    pub promise: String,
    /// Done with its connections once interception is configured.
    #[serde(default)]
    pub treatment: Treatment,
    /// Whether the suite needs it to be cloud connected at all.
    #[serde(default)]
    pub required: bool,
    /// What stops working when it is blocked.
    #[serde(default)]
    pub breaks: String,
    /// An optional group; such a service is off until the configuration names the group.
    #[serde(default)]
    pub group: Option<String>,
    /// The service whose endpoints it shares.
    #[serde(default)]
    pub channel: Option<Spanned<String>>,
    /// How long a connection may be silent.
    #[serde(default)]
    pub idle_timeout: Option<Spanned<Span>>,
    /// Where it is documented.
    #[serde(default)]
    pub source: Option<Citation>,
    /// Where it is reached.
    #[serde(default, rename = "endpoint")]
    pub endpoints: Vec<Endpoint>,
    /// Which requests of an intercepted connection belong to it.
    #[serde(default, rename = "request")]
    pub requests: Vec<RequestEntry>,
}

/// Requests that belong to a service, by method and path.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestEntry {
    /// An exact path, or `/folder/**`.
    pub path: Spanned<String>,
    /// Methods; all, if none is named.
    #[serde(default)]
    pub methods: Vec<String>,
    /// Set where nothing documents the path: it was seen, or guessed.
    #[serde(default)]
    pub assumed: bool,
    /// Where it is documented.
    #[serde(default)]
    pub source: Option<Citation>,
}

/// A host and port that may be reached.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// A host in normal form; `*` stands for characters of its first label only.
    pub host: Spanned<String>,
    /// The TCP port.
    pub port: Spanned<u16>,
    /// What is spoken there.
    pub protocol: WireProtocol,
    /// The profiles it belongs to; all, if none is named.
    #[serde(default)]
    pub profiles: Vec<Profile>,
    /// Where it is documented.
    #[serde(default)]
    pub source: Option<Citation>,
}

impl Endpoint {
    /// Whether the profile has this endpoint. A wildcard is never part of `strict`.
    #[must_use]
    pub fn is_in(&self, profile: Profile) -> bool {
        let is_exact = !self.host.get_ref().contains('*');
        (is_exact || profile != Profile::Strict) && (self.profiles.is_empty() || self.profiles.contains(&profile))
    }
}

impl Document {
    /// Reads a policy text and checks all that needs no profile: ids, references, the format.
    ///
    /// # Errors
    /// On the first thing that is wrong, with its place and what to write instead.
    pub fn read(source: &Source) -> Result<Self, Located> {
        let document: Self = source.parse()?;
        if *document.format.get_ref() != FORMAT {
            return Err(source.error(document.format.span(), format!("this version reads policy format {FORMAT}; write format = {FORMAT}")));
        }
        document.check_ids(source)?;
        document.services.iter().try_for_each(|service| document.check_service(source, service))?;
        Ok(document)
    }

    fn check_ids(&self, source: &Source) -> Result<(), Located> {
        let ids = self.services.iter().map(|service| &service.id);
        unique(source, "service", ids.clone())?;
        unique(source, "document", self.documents.iter().map(|document| &document.id))?;
        for id in ids {
            let plain = id.get_ref().bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            if !plain || id.get_ref().is_empty() || id.get_ref() == crate::metrics::NO_SERVICE {
                return Err(source.error(
                    id.span(),
                    "a service id is lower-case letters, digits and hyphens, and not \"none\": it is a label in metrics",
                ));
            }
        }
        Ok(())
    }

    fn check_service(&self, source: &Source, service: &Service) -> Result<(), Located> {
        if let Some(channel) = &service.channel {
            let shared = self.services.iter().find(|other| other.id.get_ref() == channel.get_ref());
            if shared.is_none_or(|other| other.channel.is_some()) {
                return Err(source.error(
                    channel.span(),
                    format!("{:?} is no service with endpoints of its own; name one that has them", channel.get_ref()),
                ));
            }
            if let Some(endpoint) = service.endpoints.first() {
                return Err(source.error(
                    endpoint.host.span(),
                    "a service that shares a channel has no endpoints of its own; remove `channel` or the endpoint",
                ));
            }
        }
        if let Some(idle) = service.idle_timeout.as_ref().filter(|idle| idle.get_ref().0.is_zero()) {
            return Err(source.error(idle.span(), "idle_timeout is 0: nothing could pass; write a time such as \"1h\""));
        }
        check_treatment(source, service)?;
        for entry in &service.requests {
            check_request(source, entry)?;
        }
        let endpoint_sources = service.endpoints.iter().filter_map(|endpoint| endpoint.source.as_ref());
        let request_sources = service.requests.iter().filter_map(|entry| entry.source.as_ref());
        let sources = service.source.iter().chain(endpoint_sources).chain(request_sources);
        sources.into_iter().try_for_each(|citation| self.check_citation(source, citation))
    }

    fn check_citation(&self, source: &Source, citation: &Citation) -> Result<(), Located> {
        let id = citation.document.get_ref();
        if self.documents.iter().any(|document| document.id.get_ref() == id) {
            return Ok(());
        }
        Err(source.error(citation.document.span(), format!("{id:?} is not the id of a [[document]] of this file")))
    }

    /// The title and date of a cited document.
    #[must_use]
    pub fn publication(&self, citation: &Citation) -> Option<&Publication> {
        self.documents.iter().find(|document| document.id.get_ref() == citation.document.get_ref())
    }
}

/// Only HTTP can be taken apart and inspected.
fn check_treatment(source: &Source, service: &Service) -> Result<(), Located> {
    let is_http = |endpoint: &&Endpoint| matches!(endpoint.protocol, WireProtocol::Https | WireProtocol::Grpc);
    match service.endpoints.iter().find(|endpoint| !is_http(endpoint)) {
        Some(endpoint) if service.treatment == Treatment::Intercept => {
            let message = format!("treatment = \"intercept\" is for https and grpc, not for {}", endpoint.protocol.label());
            Err(source.error(endpoint.host.span(), message))
        }
        _ => Ok(()),
    }
}

fn check_request(source: &Source, entry: &RequestEntry) -> Result<(), Located> {
    if let Err(problem) = PathPattern::parse(entry.path.get_ref()) {
        return Err(source.error(entry.path.span(), format!("{:?} is no path: {problem}", entry.path.get_ref())));
    }
    if entry.assumed == entry.source.is_some() {
        let message = "a request entry has either a source or assumed = true: what is documented nowhere must say so";
        return Err(source.error(entry.path.span(), message));
    }
    match entry.methods.iter().find(|method| !method.bytes().all(|byte| byte.is_ascii_uppercase()) || method.is_empty()) {
        Some(method) => Err(source.error(entry.path.span(), format!("{method:?} is no method; write \"GET\" or \"POST\""))),
        None => Ok(()),
    }
}

fn unique<'a>(source: &Source, what: &str, ids: impl Iterator<Item = &'a Spanned<String>>) -> Result<(), Located> {
    let mut seen = HashSet::new();
    for id in ids {
        if !seen.insert(id.get_ref()) {
            return Err(source.error(id.span(), format!("the {what} {:?} stands twice; merge the two", id.get_ref())));
        }
    }
    Ok(())
}

/// The span of an endpoint, for errors about the pair of host and port.
#[must_use]
pub fn span(endpoint: &Endpoint) -> Range<usize> {
    endpoint.host.span()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Document, Located> {
        Document::read(&Source::embedded("policy.toml", text))
    }

    #[test]
    fn the_embedded_policy_is_read() {
        let document = Document::read(&Source::embedded("imagicle.toml", IMAGICLE)).expect("the embedded policy is sound");
        for service in &document.services {
            assert!(service.source.is_some(), "{} names no source", service.id.get_ref());
            assert!(!service.breaks.is_empty(), "{} does not say what breaks", service.id.get_ref());
            for endpoint in &service.endpoints {
                let citation = endpoint.source.as_ref().expect("every endpoint names its source");
                assert!(!citation.quote.is_empty() && document.publication(citation).is_some());
            }
        }
    }

    #[test]
    fn wrong_documents_say_where_and_what() {
        for (text, place, message) in [
            ("format = 2\nname = \"x\"", "policy.toml:1:10", "format = 1"),
            ("format = 1\nname = \"x\"\n[[service]]\nid = \"A b\"\npersonal_data = \"none\"", "policy.toml:4:6", "lower-case"),
            ("format = 1\nname = \"x\"\n[[service]]\nid = \"none\"\npersonal_data = \"none\"", "policy.toml:4:6", "not \"none\""),
            ("format = 1\nname = \"x\"\n[[service]]\nid = \"a\"\npersonal_data = \"some\"", "policy.toml:5:17", "expected"),
            (
                "format = 1\nname = \"x\"\n[[service]]\nid = \"a\"\nchannel = \"b\"\npersonal_data = \"none\"",
                "policy.toml:5:11",
                "no service",
            ),
            ("format = 1\nname = \"x\"\ncolour = 1", "policy.toml:3:1", "colour"),
        ] {
            let error = read(text).expect_err(text);
            assert_eq!(error.place, place, "{error}");
            assert!(error.message.contains(message), "{error}");
        }
    }
}
