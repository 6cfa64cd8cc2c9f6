//! What a compiled policy is made of.

use super::document::{PersonalData, Profile, Treatment, WireProtocol};
use crate::metrics::NO_SERVICE;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A tunnel of a service that states no limit may be silent this long.
pub const DEFAULT_IDLE: Duration = Duration::from_mins(15);

/// Enforce, or record only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Refusals refuse.
    #[default]
    Enforce,
    /// Refusals by policy are recorded as `would_deny` and the exchange passes.
    Observe,
}

impl Mode {
    /// The word as written in configurations.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Observe => "observe",
        }
    }
}

/// A service of the policy in force; the first is the pseudo-service `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ServiceId(u16);

impl ServiceId {
    /// What belongs to no service.
    pub const NONE: Self = Self(0);

    /// The service at a position.
    #[must_use]
    pub fn from_index(index: usize) -> Self {
        Self(u16::try_from(index).unwrap_or_default())
    }

    /// Position among the services of its policy.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What the configuration chooses from a policy file.
#[derive(Debug, Clone)]
pub struct Options {
    /// The profile.
    pub profile: Profile,
    /// Enforce or observe.
    pub mode: Mode,
    /// Optional groups that are on.
    pub groups: Vec<String>,
    /// Hosts that `strict` allows by name where a documented wildcard covers them.
    pub exact_hosts: Vec<String>,
    /// Client networks that may use the proxy.
    pub clients: Vec<IpNet>,
    /// Services that only some of them may use, with the networks that may.
    pub service_clients: BTreeMap<String, Vec<IpNet>>,
}

/// A quotation that supports a rule.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Cited {
    /// Title and date of the document.
    pub document: String,
    /// Its section.
    pub section: String,
    /// Its words.
    pub quote: String,
}

/// A service of the compiled policy.
#[derive(Debug, Clone)]
pub struct ServiceInfo {
    /// The label.
    pub id: Arc<str>,
    /// The name for people.
    pub title: String,
    /// What the vendor says about personal data.
    pub personal_data: PersonalData,
    /// In its own words.
    pub promise: String,
    /// Done once interception is configured.
    pub treatment: Treatment,
    /// Whether the suite needs it to be cloud connected.
    pub required: bool,
    /// What stops working when it is blocked.
    pub breaks: String,
    /// Its optional group.
    pub group: Option<String>,
    /// The id of the service whose endpoints it shares.
    pub channel: Option<String>,
    /// How long its connections may be silent.
    pub idle_timeout: Duration,
    /// Client networks that may use it, where not all may that use the proxy.
    pub clients: Option<Vec<IpNet>>,
    /// Where it is documented.
    pub source: Option<Cited>,
}

impl ServiceInfo {
    /// What belongs to no documented service.
    pub(super) fn none() -> Self {
        Self {
            id: NO_SERVICE.into(),
            title: "no documented service".to_owned(),
            personal_data: PersonalData::Unstated,
            promise: String::new(),
            treatment: Treatment::Tunnel,
            required: false,
            breaks: String::new(),
            group: None,
            channel: None,
            idle_timeout: DEFAULT_IDLE,
            clients: None,
            source: None,
        }
    }
}

/// One allow rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// `service/host:port`.
    pub name: Arc<str>,
    /// The host pattern.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What is spoken there.
    pub protocol: WireProtocol,
    /// Its service.
    pub service: ServiceId,
    /// Where it is documented.
    pub source: Option<Cited>,
}
