//! One message, leaf by leaf: harmless by its form, personal, or documented nowhere.

use super::canonical::fold::{fold, skeleton};
use super::canonical::magic::Magic;
use super::canonical::nested::{self, Budget, Derived};
use super::context::{Context, TextKind};
use super::detect::{self, email, iban, national_id};
use super::finding::{Finding, Hit, Kind, Why};
use super::format::{Limits, Visitor, json};
use super::shape::slot::{Checked, Declared};
use super::shape::{Meaning, grammar};
use super::tree::{Node, Tree};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

/// Findings of one message that are kept; more say nothing more.
pub const MAX_FINDINGS: usize = 16;
/// Bits of weak signs that are enough together.
const ENOUGH_TOGETHER: u32 = 24;

/// What is done with a field that nobody documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unknown {
    /// Refused, and so is every value whose form does not prove it harmless.
    Strict,
    /// Refused unless the form of its value proves it harmless.
    #[default]
    Inert,
    /// Looked at by the detectors and let through.
    Observe,
}

/// What a site configured.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// What is done with fields that nobody documents.
    pub unknown: Unknown,
    /// Networks that may be named, as (address, prefix length).
    pub networks: Vec<(IpAddr, u8)>,
}

/// What a walk brought to light.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Personal data.
    pub findings: Vec<Finding>,
    /// Where fields or values are that nobody documents.
    pub undocumented: Vec<String>,
    /// Why something in it could not be read, if so: what was not read is not cleared.
    pub unreadable: Option<&'static str>,
}

/// A walk through one message.
pub struct Walk<'a> {
    tree: &'a Tree,
    settings: &'a Settings,
    /// The containers, the innermost last; elements stand under the key of their array.
    nodes: Vec<Arc<Node>>,
    steps: Vec<Step>,
    /// Members of each open object so far.
    members: Vec<usize>,
    /// Bits of weak signs so far.
    weak: u32,
    /// What may still be decoded.
    budget: Budget,
    /// How many documents in strings are around this one.
    depth: u8,
    report: Report,
}

/// One step of a location.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A member: its position, and whether its key may be shown.
    Member(usize),
    /// An element of an array.
    Element(usize),
}

impl<'a> Walk<'a> {
    /// Starts a walk through a message of so many bytes.
    #[must_use]
    pub fn new(tree: &'a Tree, settings: &'a Settings, bytes: usize) -> Self {
        Self {
            tree,
            settings,
            nodes: Vec::new(),
            steps: Vec::new(),
            members: Vec::new(),
            weak: 0,
            budget: Budget::new(bytes),
            depth: 0,
            report: Report::default(),
        }
    }

    /// What was found.
    #[must_use]
    pub fn finish(self) -> Report {
        self.report
    }

    fn node(&self) -> &Arc<Node> {
        self.nodes.last().unwrap_or(self.tree.root())
    }

    /// A JSON pointer; a key that nobody documents could be somebody's name, so its position stands for it.
    fn place(&self) -> String {
        let mut place = String::new();
        let mut nodes = self.nodes.iter();
        for step in &self.steps {
            place.push('/');
            match step {
                Step::Element(index) => place.push_str(&index.to_string()),
                Step::Member(index) => match nodes.next().and_then(|node| node.shown.as_deref()) {
                    Some(key) => place.push_str(&key.replace('~', "~0").replace('/', "~1")),
                    None => {
                        // Writing to a string cannot fail.
                        let _ = write!(place, "({index})");
                    }
                },
            }
        }
        if place.is_empty() { "/".to_owned() } else { place }
    }

    fn find(&mut self, kind: Kind, why: Why) {
        if self.report.findings.len() < MAX_FINDINGS {
            let place = self.place();
            self.report.findings.push(Finding { kind, place, why });
        }
    }

    fn undocumented(&mut self) {
        if self.settings.unknown != Unknown::Observe && self.report.undocumented.len() < MAX_FINDINGS {
            let place = self.place();
            self.report.undocumented.push(place);
        }
    }

    /// Runs the detectors over a text and over all that is wrapped in it; true if one is sure.
    fn look(&mut self, text: &str, kind: TextKind) -> bool {
        let before = self.report.findings.len();
        self.look_at(text, kind, Why::Value);
        let mut budget = self.budget;
        let followed = nested::walk(text.as_bytes(), 0, &mut budget, &mut |derived| self.unwrapped(derived, kind));
        self.budget = budget;
        if let Err(unreadable) = followed {
            self.report.unreadable.get_or_insert(unreadable.detail());
        }
        self.report.findings.len() > before
    }

    fn look_at(&mut self, text: &str, kind: TextKind, why: Why) {
        let folded = fold(text);
        let node = self.node().clone();
        let words: Vec<&str> = node.words().iter().map(String::as_str).collect();
        let settings = self.settings;
        let context = Context { key: &words, text: kind, declared: &settings.networks, accounts: &[] };
        let mut hits: Vec<Hit> = Vec::new();
        let mut keep = |hit: Hit| {
            if hits.len() < MAX_FINDINGS {
                hits.push(hit);
            }
        };
        detect::scan(folded.as_bytes(), &context, &mut keep);
        if !folded.is_ascii() {
            // Look-alikes matter where the form is exact; names in other scripts are not turned into Latin ones.
            let latin = skeleton(&folded);
            for detector in [email::scan, iban::scan, national_id::scan] {
                detector(latin.as_bytes(), &context, &mut keep);
            }
        }
        for hit in hits {
            if hit.bits >= Hit::ENOUGH { self.find(hit.kind, why) } else { self.weigh(hit) }
        }
    }

    /// Something that was wrapped in the text at hand.
    fn unwrapped(&mut self, derived: Derived<'_>, around: TextKind) {
        match derived {
            // What a token is made of is nobody's business but its maker's.
            Derived::Opaque { .. } if around == TextKind::Token => {}
            // By chance, a few letters inside a token are text.
            Derived::Text { text, .. } if around == TextKind::Token => self.look_at(text, around, Why::Encoded),
            Derived::Text { text, .. } => self.look_at(text, TextKind::Free, Why::Encoded),
            Derived::Json { text } => self.document(text),
            Derived::Bytes { magic: Magic::Image | Magic::Media | Magic::Document, .. } => self.find(Kind::Media, Why::Encoded),
            Derived::Bytes { magic: Magic::Archive, .. } | Derived::Opaque { .. } => self.undocumented(),
            Derived::Bytes { .. } => {}
        }
    }

    /// A document inside a string: its keys say as much as those outside. What is no JSON in the end was looked at as text.
    fn document(&mut self, text: &str) {
        if self.depth >= nested::MAX_DEPTH {
            self.report.unreadable.get_or_insert("a document is nested in strings more than four times");
            return;
        }
        let settings = Settings { unknown: Unknown::Observe, ..self.settings.clone() };
        let mut inner = Walk { budget: self.budget, depth: self.depth + 1, ..Walk::new(self.tree, &settings, 0) };
        let _ = json::read(text.as_bytes(), Limits::default(), &mut inner);
        let (budget, weak, report) = (inner.budget, inner.weak, inner.report);
        self.budget = budget;
        self.weak += weak;
        for finding in report.findings {
            self.find(finding.kind, Why::Encoded);
        }
        self.report.unreadable = self.report.unreadable.or(report.unreadable);
    }

    /// Weak signs add up.
    fn weigh(&mut self, hit: Hit) {
        self.weak += u32::from(hit.bits);
        if self.weak >= ENOUGH_TOGETHER {
            self.weak = 0;
            self.find(hit.kind, Why::Together);
        }
    }

    fn unproven(&mut self, text: &str, kind: TextKind) {
        let is_sure = self.look(text, kind);
        if !is_sure && self.settings.unknown == Unknown::Strict {
            self.undocumented();
        }
    }

    /// A value under a key that nobody documents.
    fn unknown_text(&mut self, text: &str) {
        if grammar::is_inert(text) {
            if self.settings.unknown == Unknown::Strict {
                self.undocumented();
            }
            return;
        }
        let is_sure = self.look(text, TextKind::Free);
        let may_pass = self.settings.unknown == Unknown::Inert && grammar::is_like_inert(text);
        if !is_sure && !may_pass {
            self.undocumented();
        }
    }

    fn unknown_number(&mut self, raw: &str) {
        if grammar::is_inert_number(raw) {
            if self.settings.unknown == Unknown::Strict {
                self.undocumented();
            }
            return;
        }
        if !self.look(raw, TextKind::Number) {
            self.undocumented();
        }
    }
}

impl Visitor for Walk<'_> {
    fn key(&mut self, key: &str) {
        let node = self.tree.child(self.node(), key);
        let position = self.members.last_mut().map_or(0, |position| {
            *position += 1;
            *position - 1
        });
        let is_ours = node.shown.is_some();
        self.nodes.push(node);
        self.steps.push(Step::Member(position));
        // A map may have its data in its keys.
        if !is_ours {
            self.look(key, TextKind::Free);
        }
    }

    fn key_end(&mut self) {
        self.nodes.pop();
        self.steps.pop();
    }

    fn element(&mut self, index: usize) {
        self.steps.push(Step::Element(index));
    }

    fn element_end(&mut self) {
        self.steps.pop();
    }

    fn object(&mut self) {
        self.members.push(0);
    }

    fn object_end(&mut self) {
        self.members.pop();
    }

    fn string(&mut self, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        match self.node().meaning {
            Meaning::Personal(_) if grammar::is_missing(text) => {}
            // `InstalledBy: SYSTEM` names nobody.
            Meaning::Personal(Kind::PersonName | Kind::Identity) if grammar::is_service_account(text) => {
                if self.settings.unknown == Unknown::Strict {
                    self.undocumented();
                }
            }
            Meaning::Personal(kind) => self.find(kind, Why::Key),
            Meaning::Field(slot) => match slot.text(text, &Declared { networks: &self.settings.networks }) {
                Checked::Harmless => {}
                Checked::OutOfRange => {
                    if !self.look(text, TextKind::Free) {
                        self.undocumented();
                    }
                }
                Checked::Plausible(kind) => drop(self.look(text, kind)),
                Checked::Unproven(kind) => self.unproven(text, kind),
            },
            Meaning::Unknown => self.unknown_text(text),
        }
    }

    fn number(&mut self, raw: &str) {
        match self.node().meaning {
            Meaning::Personal(kind) => self.find(kind, Why::Key),
            Meaning::Field(slot) => match slot.number(raw) {
                Checked::Harmless => {}
                Checked::Plausible(kind) | Checked::Unproven(kind) => self.unproven(raw, kind),
                Checked::OutOfRange => self.undocumented(),
            },
            Meaning::Unknown => self.unknown_number(raw),
        }
    }

    fn literal(&mut self, _: &str) {
        let is_unknown = self.node().meaning == Meaning::Unknown;
        if is_unknown && self.settings.unknown == Unknown::Strict {
            self.undocumented();
        }
    }

    fn bytes(&mut self, _: &[u8]) {
        self.undocumented();
    }
}

#[cfg(test)]
mod tests;
