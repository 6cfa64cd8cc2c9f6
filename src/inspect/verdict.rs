//! What inspection says of a message.

pub use super::engine::finding::{Finding, Kind, Why};
use super::engine::walk::{MAX_FINDINGS, Report};
use super::grpc::{Broken, Unframed};

/// What inspection says of a message. Places are JSON pointers, numbers of fields and names of header fields: never a value, nor
/// a key that nobody documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was found.
    Clean,
    /// Personal data was found; at least one finding.
    Findings(Vec<Finding>),
    /// It has fields or values that nobody documents, at these places; at least one.
    Undocumented(Vec<String>),
    /// It is larger than what is inspected. The sentence names the limit.
    TooLarge(&'static str),
    /// It cannot be read, so it cannot be cleared. The sentence names the accepted form.
    Uninspectable(&'static str),
}

impl Verdict {
    /// The verdict on what a walk brought to light: what was found counts more than what was not read, and that more than what
    /// nobody documents.
    pub(super) fn of(report: Report) -> Self {
        let Report { findings, undocumented, unreadable } = report;
        if !findings.is_empty() {
            return Self::Findings(findings);
        }
        match unreadable {
            Some(detail) => Self::Uninspectable(detail),
            None if undocumented.is_empty() => Self::Clean,
            None => Self::Undocumented(undocumented),
        }
    }

    /// Of a stream that is no stream of messages.
    #[must_use]
    pub const fn unframed(unframed: Unframed) -> Self {
        match unframed {
            Unframed::Cut => Self::Uninspectable("the gRPC stream ends within a message"),
            Unframed::Broken(Broken::Flag) => Self::Uninspectable("the stream is not framed as gRPC"),
            Unframed::Broken(Broken::TooLarge) => Self::TooLarge("a gRPC message is larger than inspection.max_message"),
        }
    }

    const fn gravity(&self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Undocumented(_) => 1,
            Self::TooLarge(_) | Self::Uninspectable(_) => 2,
            Self::Findings(_) => 3,
        }
    }

    /// Both of two verdicts on parts of one message: findings of both, else the worse, of two equally bad ones the first.
    pub(super) fn merge(self, other: Self) -> Self {
        match (self, other) {
            (Self::Findings(mut all), Self::Findings(more)) => {
                all.extend(more);
                all.truncate(MAX_FINDINGS);
                Self::Findings(all)
            }
            (one, other) if other.gravity() > one.gravity() => other,
            (one, _) => one,
        }
    }

    /// Without findings of a kind.
    pub(super) fn without(self, kind: Kind) -> Self {
        let Self::Findings(mut findings) = self else { return self };
        findings.retain(|finding| finding.kind != kind);
        if findings.is_empty() { Self::Clean } else { Self::Findings(findings) }
    }

    /// Puts the name of the part in the place of every place.
    pub(super) fn at(self, part: &str) -> Self {
        match self {
            Self::Findings(findings) => {
                Self::Findings(findings.into_iter().map(|finding| Finding { place: part.to_owned(), ..finding }).collect())
            }
            Self::Undocumented(_) => Self::Undocumented(vec![part.to_owned()]),
            other => other,
        }
    }

    /// Puts the name of the part in front of every place.
    pub(super) fn within(self, part: &str) -> Self {
        let place = |place: String| if place == "/" { part.to_owned() } else { format!("{part} {place}") };
        match self {
            Self::Findings(findings) => {
                Self::Findings(findings.into_iter().map(|finding| Finding { place: place(finding.place), ..finding }).collect())
            }
            Self::Undocumented(places) => Self::Undocumented(places.into_iter().map(place).collect()),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(place: &str) -> Finding {
        Finding { kind: Kind::Email, place: place.to_owned(), why: Why::Value }
    }

    #[test]
    fn what_was_found_counts_most() {
        let report = |found: bool, unreadable| {
            Verdict::of(Report {
                findings: if found { vec![finding("/a")] } else { Vec::new() },
                undocumented: vec!["/b".to_owned()],
                unreadable,
            })
        };
        assert_eq!(report(true, Some("x")), Verdict::Findings(vec![finding("/a")]));
        assert_eq!(report(false, Some("x")), Verdict::Uninspectable("x"));
        assert_eq!(report(false, None), Verdict::Undocumented(vec!["/b".to_owned()]));
        assert_eq!(Verdict::of(Report::default()), Verdict::Clean);
        assert_eq!(Verdict::Clean.merge(Verdict::TooLarge("x")), Verdict::TooLarge("x"));
        assert_eq!(Verdict::Uninspectable("x").merge(Verdict::Undocumented(Vec::new())), Verdict::Uninspectable("x"));
    }

    #[test]
    fn places_name_their_part() {
        let verdict = Verdict::Findings(vec![finding("/"), finding("/2/1")]).within("gRPC message 3");
        assert_eq!(verdict, Verdict::Findings(vec![finding("gRPC message 3"), finding("gRPC message 3 /2/1")]));
    }
}
