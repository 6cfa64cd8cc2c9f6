//! What was observed, as it is saved, shown and read by `learn`: names, types, sizes and counts, never a value.

use super::fields::Seen;
use super::paths::Merge;
use super::size::Sizes;
use crate::error::Reason;
use crate::policy::Verdict;
use crate::units::counted;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The one format this program reads.
pub const FORMAT: u32 = 1;
/// Names of parameters, and media types, that are kept for a request.
const MOST_NAMES: usize = 32;
/// Where a name is left out.
pub const MASKED: &str = "*";

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// [`FORMAT`].
    pub format: u32,
    /// Where connections were wanted to, the most frequent first.
    #[serde(default)]
    pub destinations: Vec<Wanted>,
    /// Requests inside decrypted connections.
    #[serde(default)]
    pub requests: Vec<Requested>,
    /// Messages whose fields were looked at.
    #[serde(default)]
    pub messages: Vec<Messages>,
    /// What was not kept.
    #[serde(default)]
    pub left_out: LeftOut,
}

/// A destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// `host:port`, the host in normal form.
    pub destination: String,
    /// The service it belongs to.
    pub service: String,
    /// How often.
    pub times: Times,
}

/// Requests with one method to one path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requested {
    /// The service.
    pub service: String,
    /// The connection's destination.
    pub destination: String,
    /// The method.
    pub method: String,
    /// The path; `*` is a segment that is not kept, `**` all from there on.
    pub path: String,
    /// What is known of them.
    #[serde(flatten)]
    pub of: Requests,
}

/// What is known of requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    /// How often.
    pub times: Times,
    /// Names of parameters in the query; `*` for those that are not kept.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub parameters: BTreeSet<String>,
    /// Media types of bodies.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub media_types: BTreeSet<String>,
    /// Bytes of bodies; of the messages of a gRPC call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Sizes>,
    /// Messages of gRPC calls.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub grpc_messages: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Messages of one service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Messages {
    /// The service.
    pub service: String,
    /// How many were looked at.
    pub count: u64,
    /// What is in them.
    pub fields: Seen,
}

/// How often something passed, would have been refused, or was refused although the mode only observes; and on which days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// It passed, and would have when enforcing.
    pub allowed: u64,
    /// It passed, and enforcing would have refused it, by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub would_refuse: BTreeMap<String, u64>,
    /// It was refused in either mode, or failed, by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<String, u64>,
    /// The first day, UTC.
    pub first: String,
    /// The last day.
    pub last: String,
}

/// What was not kept, each time it came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LeftOut {
    /// Destinations that made room for others.
    pub destinations: u64,
    /// Requests for whose path there was no room.
    pub requests: u64,
    /// Names of fields that may be personal data.
    pub names: u64,
    /// Fields for which there was no room.
    pub fields: u64,
    /// Messages that were not looked at: they came too fast, or are in no format of which fields are told.
    pub messages: u64,
}

/// How something ended.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// What was decided, if it came to that.
    pub verdict: Option<Verdict>,
    /// Why not.
    pub reason: Option<Reason>,
}

impl Times {
    /// Counts one more.
    pub fn count(&mut self, outcome: Outcome, day: &str) {
        let reason = outcome.reason.map_or("cancelled", Reason::label);
        match outcome.verdict {
            Some(Verdict::Allow) => self.allowed += 1,
            Some(Verdict::WouldDeny) => *self.would_refuse.entry(reason.to_owned()).or_default() += 1,
            Some(Verdict::Deny) | None => *self.refused.entry(reason.to_owned()).or_default() += 1,
        }
        self.on(day, day);
    }

    fn on(&mut self, first: &str, last: &str) {
        if self.first.is_empty() || !first.is_empty() && *first < *self.first {
            first.clone_into(&mut self.first);
        }
        if *last > *self.last {
            last.clone_into(&mut self.last);
        }
    }

    /// How often in all.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.allowed + sum(&self.would_refuse) + sum(&self.refused)
    }

    /// `118 times, 2026-11-20 to 2026-11-29; enforcing would refuse 3 (personal_data 3)`
    #[must_use]
    pub fn shown(&self) -> String {
        let days = if self.first == self.last { self.first.clone() } else { format!("{} to {}", self.first, self.last) };
        let mut text = format!("{}, {days}", counted(self.all(), "time"));
        for (what, reasons) in [("enforcing would refuse", &self.would_refuse), ("refused in either mode", &self.refused)] {
            if !reasons.is_empty() {
                let reasons_shown: Vec<String> = reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
                // Writing to a string cannot fail.
                let _ = write!(text, "; {what} {} ({})", sum(reasons), reasons_shown.join(", "));
            }
        }
        text
    }
}

fn sum(reasons: &BTreeMap<String, u64>) -> u64 {
    reasons.values().sum()
}

impl Merge for Times {
    fn merge(&mut self, other: Self) {
        self.allowed += other.allowed;
        for (mine, theirs) in [(&mut self.would_refuse, other.would_refuse), (&mut self.refused, other.refused)] {
            for (reason, count) in theirs {
                *mine.entry(reason).or_default() += count;
            }
        }
        self.on(&other.first, &other.last);
    }
}

impl Requests {
    /// Adds a name, if there is room for it.
    pub fn add_name(names: &mut BTreeSet<String>, name: String) {
        if names.len() < MOST_NAMES || names.contains(&name) {
            names.insert(name);
        } else {
            names.insert(MASKED.to_owned());
        }
    }
}

impl Merge for Requests {
    fn merge(&mut self, other: Self) {
        self.times.merge(other.times);
        other.parameters.into_iter().for_each(|name| Self::add_name(&mut self.parameters, name));
        other.media_types.into_iter().for_each(|name| Self::add_name(&mut self.media_types, name));
        Sizes::add(&mut self.bytes, other.bytes);
        self.grpc_messages += other.grpc_messages;
    }
}

impl Document {
    /// Reads one.
    ///
    /// # Errors
    /// A sentence: it is none, or not one that this program wrote.
    pub fn read(text: &str) -> Result<Self, String> {
        let document: Self = serde_json::from_str(text).map_err(|error| {
            format!("line {}, column {}: this is not what observing saves ({})", error.line(), error.column(), kind(&error))
        })?;
        if document.format != FORMAT {
            return Err(format!("format {} is not read; this version reads format {FORMAT}", document.format));
        }
        let times = document.destinations.iter().map(|wanted| &wanted.times).chain(document.requests.iter().map(|asked| &asked.of.times));
        let is_known = |reason: &String| reason == "cancelled" || Reason::ALL.iter().any(|known| known.label() == reason);
        let are_known = times.flat_map(|times| times.would_refuse.keys().chain(times.refused.keys())).all(is_known);
        let is_coarse = document.requests.iter().all(|asked| asked.of.bytes.is_none_or(Sizes::is_coarse))
            && document.messages.iter().all(|messages| messages.fields.is_coarse());
        if !are_known || !is_coarse {
            return Err("it has reasons or sizes that observing never saves".to_owned());
        }
        Ok(document)
    }

    /// The first and the last day of all; empty where there is none.
    #[must_use]
    pub fn days(&self) -> (&str, &str) {
        let all = || self.destinations.iter().map(|wanted| &wanted.times).chain(self.requests.iter().map(|asked| &asked.of.times));
        let first = all().map(|times| times.first.as_str()).filter(|day| !day.is_empty()).min().unwrap_or_default();
        (first, all().map(|times| times.last.as_str()).max().unwrap_or_default())
    }
}

/// What kind of error; its message may quote what was read.
fn kind(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Data => "another form",
        _ => "no JSON, or cut off",
    }
}
