//! One line of the report: what was looked at, what was seen, what to do.

use crate::error::Refusal;
use serde::{Serialize, Serializer};
use std::fmt::Write as _;

/// Longest text of a line that others wrote, such as the issuer in a certificate.
const MAX_FOREIGN: usize = 120;

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// Not looked at.
    Skip,
    /// It works, and somebody should know.
    Warn,
    /// It does not work.
    Fail,
}

impl Level {
    pub(super) const ALL: [Self; 4] = [Self::Ok, Self::Warn, Self::Fail, Self::Skip];

    /// The word at the start of the line; what fails is seen at a glance.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skip => "skip",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        }
    }
}

/// What a line is about: whoever has to mend it is another for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Area {
    Policy,
    Files,
    Process,
    Listener,
    Admin,
    Parent,
    Dns,
    Tcp,
    Tls,
    Http,
    Clock,
}

impl Area {
    const fn label(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Files => "files",
            Self::Process => "process",
            Self::Listener => "listener",
            Self::Admin => "admin",
            Self::Parent => "parent",
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Clock => "clock",
        }
    }
}

/// One line.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Line {
    pub(super) level: Level,
    area: Area,
    #[serde(serialize_with = "plain")]
    subject: String,
    #[serde(serialize_with = "plain")]
    seen: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Line {
    fn new(level: Level, area: Area, subject: impl Into<String>, seen: impl Into<String>) -> Self {
        Self { level, area, subject: subject.into(), seen: seen.into(), remedy: None }
    }

    pub(super) fn ok(area: Area, subject: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::new(Level::Ok, area, subject, seen)
    }

    pub(super) fn skip(area: Area, subject: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::new(Level::Skip, area, subject, seen)
    }

    pub(super) fn warn(area: Area, subject: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::new(Level::Warn, area, subject, seen)
    }

    pub(super) fn fail(area: Area, subject: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::new(Level::Fail, area, subject, seen)
    }

    /// What to do about it.
    pub(super) fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }

    /// What the proxy would say. Its sentences name the remedy behind a semicolon; where one names none, it is `otherwise`.
    pub(super) fn said(self, refusal: &Refusal, otherwise: &str) -> Self {
        self.sentence(&refusal.detail, otherwise)
    }

    /// As [`Line::said`], of any sentence of the product.
    pub(super) fn sentence(self, text: &str, otherwise: &str) -> Self {
        let (seen, remedy) = text.split_once("; ").unwrap_or((text, otherwise));
        Self { seen: seen.to_owned(), ..self }.remedy(remedy)
    }

    fn is(&self, level: Level) -> bool {
        self.level == level
    }
}

fn plain<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&printable(text))
}

/// Without what would move a terminal's cursor.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) { '?' } else { c }).collect()
}

/// What others wrote, no longer than a line can take.
pub(super) fn foreign(text: &str) -> String {
    let mut cut: String = printable(text).chars().take(MAX_FOREIGN).collect();
    if text.chars().count() > MAX_FOREIGN {
        cut.push('…');
    }
    cut
}

/// The whole report.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Nothing fails.
    pub(super) ok: bool,
    checks: Vec<Line>,
}

impl Report {
    pub(super) fn new(checks: Vec<Line>) -> Self {
        Self { ok: !checks.iter().any(|line| line.is(Level::Fail)), checks }
    }

    /// A line for each check, then how many of each sort.
    pub(super) fn text(&self) -> String {
        let width = self.checks.iter().map(|line| line.subject.chars().count()).max().unwrap_or_default().min(44);
        let mut text = String::new();
        for line in &self.checks {
            let (level, area) = (line.level.label(), line.area.label());
            let _ = write!(text, "{level:4}  {area:8}  {:width$}  {}", printable(&line.subject), printable(&line.seen));
            if let Some(remedy) = &line.remedy {
                let _ = write!(text, " -> {remedy}");
            }
            text.push('\n');
        }
        let count = |level: Level| format!("{} {}", self.checks.iter().filter(|line| line.is(level)).count(), level.label());
        let _ = writeln!(text, "\n{}", Level::ALL.map(count).join(", "));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_parted_into_what_was_seen_and_the_remedy() {
        let line = Line::fail(Area::Tcp, "a", "").sentence("nobody is there; look there; and there", "x");
        assert_eq!((line.seen.as_str(), line.remedy.as_deref()), ("nobody is there", Some("look there; and there")));
        let line = Line::fail(Area::Tcp, "a", "").sentence("nobody is there", "x");
        assert_eq!((line.seen.as_str(), line.remedy.as_deref()), ("nobody is there", Some("x")));
    }

    #[test]
    fn what_others_wrote_stays_in_its_line() {
        let hostile = format!("CN=\u{1b}[2J\n\u{202e}{}", "x".repeat(500));
        let report = Report::new(vec![Line::warn(Area::Tls, "h", foreign(&hostile))]);
        assert_eq!(report.text().lines().count(), 3);
        assert!(report.ok && report.text().contains("CN=?[2J??xxx") && report.text().len() < 300, "{}", report.text());
        let json = serde_json::to_string(&report).expect("it is data");
        assert!(json.contains(r#""level":"warn","area":"tls","subject":"h","seen":"CN=?[2J??x"#), "{json}");
    }
}
