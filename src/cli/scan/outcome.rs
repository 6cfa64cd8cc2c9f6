//! What is said of one message: kinds and places, never values.

use crate::error::Reason;
use crate::inspect::Verdict;
use crate::policy::{PersonalData, ServiceInfo};
use serde::Serialize;
use std::fmt::Write as _;

/// Why a field is refused that the vendor does not document.
const UNDOCUMENTED: &str = "the vendor documents no such field or value, and its form does not prove it harmless";

/// What is said of one message.
#[derive(Debug, Serialize)]
pub struct Outcome<'a> {
    message: u64,
    verdict: &'static str,
    service: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    findings: Vec<Found>,
    /// Whether it would be refused.
    #[serde(skip)]
    pub is_blocked: bool,
    /// Whether it could not be read.
    #[serde(skip)]
    pub is_unreadable: bool,
}

/// One thing that was found.
#[derive(Debug, Serialize)]
struct Found {
    kind: &'static str,
    location: String,
    reason: &'static str,
}

impl<'a> Outcome<'a> {
    /// The outcome for a message of a service: where personal data is documented, nothing is refused.
    pub fn new(message: u64, service: &'a ServiceInfo, verdict: Verdict) -> Self {
        let is_unreadable = matches!(verdict, Verdict::TooLarge(_) | Verdict::Uninspectable(_));
        let (reason, findings) = explained(verdict);
        let is_blocked = reason.is_some() && service.personal_data != PersonalData::Expected;
        Self {
            message,
            verdict: if is_blocked { "block" } else { "allow" },
            service: &service.id,
            reason: reason.filter(|_| is_blocked).map(Reason::label),
            findings,
            is_blocked,
            is_unreadable,
        }
    }

    /// One line of JSON.
    pub fn json(&self) -> String {
        // Nothing in it can fail to be written.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    /// Lines for a person; nothing for a message that is clean.
    pub fn text(&self, file: &str) -> String {
        if self.findings.is_empty() {
            return String::new();
        }
        let reason = self.reason.map_or_else(|| "personal data is documented for this service".to_owned(), str::to_owned);
        let mut text = format!("{file}: message {}: {}: {reason}\n", self.message, self.verdict);
        for Found { kind, location, reason } in &self.findings {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  {kind:18} {location}  ({reason})");
        }
        text
    }
}

fn explained(verdict: Verdict) -> (Option<Reason>, Vec<Found>) {
    let whole = |reason: Reason, detail: &'static str| {
        (Some(reason), vec![Found { kind: reason.label(), location: "/".to_owned(), reason: detail }])
    };
    match verdict {
        Verdict::Clean => (None, Vec::new()),
        Verdict::Findings(findings) => {
            let found = findings.into_iter();
            let found = found.map(|found| Found { kind: found.kind.label(), location: found.place, reason: found.why.label() });
            (Some(Reason::PersonalData), found.collect())
        }
        Verdict::Undocumented(places) => {
            let kind = Reason::UndocumentedField.label();
            let found = places.into_iter().map(|location| Found { kind, location, reason: UNDOCUMENTED });
            (Some(Reason::UndocumentedField), found.collect())
        }
        Verdict::TooLarge(detail) => whole(Reason::MessageTooLarge, detail),
        Verdict::Uninspectable(detail) => whole(Reason::Uninspectable, detail),
    }
}
