//! One message, leaf by leaf: harmless by its form, personal, or documented nowhere.

mod amount;
mod codes;
mod look;
mod pair;
mod part;
mod path;
mod rows;
mod split;
mod value;

use super::canonical::Unreadable;
use super::canonical::magic::{self, Magic};
use super::canonical::nested::Budget;
use super::context::TextKind;
use super::finding::{Finding, Kind, Why};
use super::format::{Leaf, Naming, Visitor};
use super::marks::Marks;
use super::memo::{Memo, Under};
use super::shape::slot::{Checked, Slot};
use super::shape::{Meaning, grammar, quick};
use super::tree::{Oddity, Role, Tree};
use amount::out_of_range;
use codes::Codes;
use pair::Pairs;
use path::{Keys, Path};
use rows::Rows;
use serde::Deserialize;
use split::Runs;
pub use split::Stream;
use std::borrow::Cow;
use std::net::IpAddr;
use std::str::Utf8Error;

/// Findings of one message that are kept; more say nothing more.
pub const MAX_FINDINGS: usize = 16;
/// Looks at a byte of a message, on average, from which no further one begins; telemetry takes three, Protocol Buffers that nobody
/// describes eight. One that has begun ends.
const MOST_LOOKS: u64 = 8;
/// Looks beyond those, so that a short message may be looked at from every side.
const FREE_LOOKS: u64 = 64 << 10;
/// Bits of weak signs that are enough together.
const ENOUGH_TOGETHER: u32 = 24;

/// What is done with a field that nobody documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unknown {
    /// Refused, and so is every value whose form does not prove it harmless.
    Strict,
    /// Refused unless the form of its value proves it harmless.
    #[default]
    Inert,
    /// Looked at by the detectors and let through.
    Observe,
}

impl Unknown {
    /// The word in the configuration.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Inert => "inert",
            Self::Observe => "observe",
        }
    }
}

/// What a site configured.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// What is done with fields that nobody documents.
    pub unknown: Unknown,
    /// Networks that may be named, as (address, prefix length).
    pub networks: Vec<(IpAddr, u8)>,
    /// Service accounts that may be named, lower case.
    pub accounts: Vec<String>,
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

/// What a walk through a clean message leaves to the next one with the same tree and the same settings: the keys that were there, and
/// values that were harmless under them. A server sends nearly the same again and again.
#[derive(Default)]
pub struct Kept {
    keys: Keys,
    memo: Memo,
}

crate::hidden::hidden!(Kept);

/// A walk through one message.
pub struct Walk<'a> {
    settings: &'a Settings,
    /// Those of the settings.
    accounts: Vec<&'a str>,
    path: Path<'a>,
    pairs: Pairs,
    /// Texts that may be pieces of one value.
    runs: Runs,
    /// Those at the same place of its objects, and of the messages of its stream before it.
    stream: Stream,
    memo: Memo,
    /// Rows of numbers so far.
    rows: Rows,
    /// Further readings that are open.
    readings: u32,
    /// Signs so far, however weak: what has none may be forgotten.
    signs: u32,
    /// Bits of weak signs so far.
    weak: u32,
    /// What may still be decoded.
    budget: Budget,
    /// Bytes looked at so far, but for those in `budget`.
    visits: u64,
    /// How many may be.
    most: u64,
    /// Of these, how many are set apart for the search for encodings.
    held: u64,
    /// Numbers that may be the codes of characters.
    codes: Codes,
    /// How many documents in strings are around this one.
    depth: u8,
    /// Whether the rows at hand are those of products.
    lists_products: bool,
    report: Report,
}

/// Shortest text in bytes that is looked at where anything may be text, and shortest key: shorter ones are chance.
const SHORTEST_STRETCH: usize = 6;
/// Under what [`Memo`] keeps values whose form proves them harmless under a key that nobody documents.
const INERT: Under = 1 << 16;
/// Under what it keeps those in which nothing was found, plus the place of the key.
const LOOKED_AT: Under = 1 << 17;

impl<'a> Walk<'a> {
    /// Starts a walk through a message of so many bytes.
    #[must_use]
    pub fn new(tree: &'a Tree, settings: &'a Settings, bytes: usize) -> Self {
        Self::after(tree, settings, bytes, Kept::default())
    }

    /// The same with what an earlier walk left.
    #[must_use]
    pub fn after(tree: &'a Tree, settings: &'a Settings, bytes: usize, kept: Kept) -> Self {
        Self {
            settings,
            accounts: settings.accounts.iter().map(String::as_str).collect(),
            path: Path::new(tree, kept.keys),
            pairs: Pairs::default(),
            runs: Runs::default(),
            stream: Stream::default(),
            memo: kept.memo,
            rows: Rows::default(),
            readings: 0,
            signs: 0,
            weak: 0,
            budget: Budget::new(bytes),
            // A reader checks that they are text, and takes them apart.
            visits: 2 * bytes as u64,
            most: (bytes as u64).saturating_mul(MOST_LOOKS).saturating_add(FREE_LOOKS),
            held: 0,
            codes: Codes::default(),
            depth: 0,
            lists_products: false,
            report: Report::default(),
        }
    }

    /// What was found.
    #[must_use]
    pub fn finish(self) -> Report {
        self.finish_keeping().0
    }

    /// What was found, and what the next walk may have if that is nothing: a message that was refused is no lighter the next time.
    #[must_use]
    pub fn finish_keeping(mut self) -> (Report, Option<Kept>) {
        self.look_at_codes();
        self.end_row();
        self.end_pieces();
        self.end_places();
        if self.is_spent() {
            self.report.unreadable.get_or_insert(Unreadable::Work.detail());
        }
        let is_clean = self.signs == 0 && self.report == Report::default();
        // Values are kept by the places of their keys.
        let keys = if is_clean { self.path.into_keys() } else { None };
        (self.report, keys.map(|keys| Kept { keys, memo: self.memo }))
    }

    /// Looks at bytes that are left.
    const fn left(&self) -> u64 {
        self.most.saturating_sub(self.visits.saturating_add(self.budget.visited()).saturating_add(self.held))
    }

    /// Whether none are: what is looked at no more is not cleared.
    const fn is_spent(&self) -> bool {
        self.left() == 0
    }

    /// Bytes looked at so far, each as often as it was, without what was looked at for encodings in values ([`Walk::unwrapping_visits`]).
    /// For the proof that the work is linear.
    #[must_use]
    pub const fn visits(&self) -> u64 {
        self.visits
    }

    /// Bytes looked at so far for encodings in values.
    #[must_use]
    pub const fn unwrapping_visits(&self) -> u64 {
        self.budget.visited()
    }

    const fn visit(&mut self, bytes: usize) {
        self.visits += bytes as u64;
    }

    fn find(&mut self, kind: Kind, why: Why) {
        self.signs += 1;
        if self.report.findings.len() < MAX_FINDINGS {
            let place = self.path.place();
            self.report.findings.push(Finding { kind, place, why });
        }
    }

    /// A further reading need not prove itself harmless.
    fn undocumented(&mut self) {
        let counts = self.readings == 0 && self.settings.unknown != Unknown::Observe;
        if counts && self.report.undocumented.len() < MAX_FINDINGS {
            let place = self.path.place();
            // A key that nobody documents, and what stands under it.
            if self.report.undocumented.last() != Some(&place) {
                self.report.undocumented.push(place);
            }
        }
    }

    fn strictly_undocumented(&mut self) {
        if self.settings.unknown == Unknown::Strict {
            self.undocumented();
        }
    }

    /// Looks at a text that stands under no key, and at all that is wrapped in it.
    pub fn examine(&mut self, text: &str, kind: TextKind) {
        self.visit(text.len());
        self.look(text, &Marks::of(text.as_bytes()), kind);
    }
}

impl Visitor for Walk<'_> {
    fn key(&mut self, key: &str) {
        self.path.enter(key);
        match self.path.oddity() {
            Oddity::None => {}
            Oddity::Words => self.strictly_undocumented(),
            Oddity::Data => self.undocumented(),
        }
        // A map may have its data in its keys.
        if self.path.is_clean() {
            return;
        }
        self.visit(key.len());
        if key.len() < SHORTEST_STRETCH {
            return self.path.mark_clean();
        }
        let signs = self.signs;
        self.look(key, &Marks::of(key.as_bytes()), TextKind::Free);
        // A list by numbers that are somebody's: identifiers of the system are shorter, and times are times.
        if grammar::is_long_number(key) {
            self.undocumented();
        } else if self.signs == signs {
            self.path.mark_clean();
        }
    }

    fn key_end(&mut self) {
        if !self.codes.is_empty() {
            self.look_at_codes();
        }
        self.path.leave();
    }

    fn element(&mut self, index: usize) {
        if !self.codes.element(index) {
            self.look_at_codes();
        }
        self.path.element(index);
    }

    fn element_end(&mut self) {
        self.path.element_end();
    }

    fn object(&mut self) {
        self.pairs.begin(self.path.depth(), self.path.role());
        self.runs.begin(self.pairs.open());
        self.path.object();
    }

    fn object_end(&mut self) {
        self.end_pieces();
        self.pairs.end();
        self.path.object_end();
    }

    fn string(&mut self, text: &str) {
        if text.trim_start().is_empty() {
            return;
        }
        self.cell(text);
        let (mut meaning, role) = (self.path.meaning(), self.path.role());
        if role != Role::None || self.pairs.is_direct(self.path.depth()) {
            meaning = self.pair(role, text, false).unwrap_or(meaning);
        }
        if self.path.is_product() && grammar::is_release(text) {
            return self.strictly_undocumented();
        }
        if self.names_a_product(meaning) {
            meaning = Meaning::Field(Slot::Name);
        }
        if self.is_of_a_system(meaning, text) {
            meaning = Meaning::Unknown;
        }
        if let Meaning::Personal(kind) = meaning {
            return self.personal(kind, text);
        }
        self.visit(text.len());
        let before = self.report.findings.len();
        match meaning {
            Meaning::Field(slot) if self.is_listed_amount(slot) => self.unfit(text, &Marks::of(text.as_bytes()), out_of_range(slot)),
            Meaning::Field(slot) if quick::proves(slot, text.as_bytes()) => {
                // A name may be a piece; numbers, versions and paths stand beside one another by themselves.
                if slot != Slot::Name {
                    return;
                }
            }
            Meaning::Field(slot) => self.field_text(slot, text),
            Meaning::Personal(_) | Meaning::Unknown => self.unknown_text(text, Marks::counted(text.as_bytes())),
        }
        // What is somebody's alone is no piece.
        if self.report.findings.len() == before {
            self.piece(meaning, text);
        }
    }

    fn whole(&mut self, value: u64) -> bool {
        self.visit(size_of::<u64>());
        let is_plain = !self.path.is_element() && self.path.role() != Role::Value;
        is_plain && matches!(self.path.meaning(), Meaning::Field(slot) if slot.holds(value) && !self.is_listed_amount(slot))
    }

    fn knows(&self, name: &str) -> bool {
        self.path.tree().knows(name)
    }

    fn naming(&self, name: &str) -> Naming {
        let tree = self.path.tree();
        match tree.meaning(name) {
            _ if !tree.is_plain_key(name) => Naming::Nothing,
            Meaning::Personal(_) => Naming::Person,
            Meaning::Field(_) | Meaning::Unknown => Naming::Words,
        }
    }

    fn columns(&mut self, names: &[Cow<'_, str>]) {
        self.lists_products = part::lists_products(names);
    }

    fn leaf(&mut self, key: &str, leaf: Leaf<'_>) -> bool {
        let Some((slot, role)) = self.path.expects(key) else { return false };
        let (bytes, is_proven) = match leaf {
            Leaf::Whole(value) => (size_of::<u64>(), slot.holds(value)),
            Leaf::Double(value) => (size_of::<f64>(), slot.holds_double(value)),
            // What is proven has no byte beyond ASCII.
            Leaf::Text(text) => (text.len(), quick::proves(slot, text) && self.is_noted(role, text)),
        };
        self.visit(bytes);
        if is_proven {
            self.path.pass();
        }
        is_proven
    }

    /// A string of a repeated field, or one that was not proven.
    fn utf8(&mut self, bytes: &[u8]) -> Result<(), Utf8Error> {
        let is_proven = match self.path.meaning() {
            Meaning::Field(slot) if self.path.is_plain() && self.path.column().is_none() && !self.is_listed_amount(slot) => {
                quick::proves(slot, bytes)
            }
            _ => false,
        };
        self.visit(bytes.len());
        if !is_proven {
            self.string(std::str::from_utf8(bytes)?);
        }
        Ok(())
    }

    fn number(&mut self, raw: &str) {
        self.visit(raw.len());
        if !self.codes.number(raw) && !self.codes.is_empty() {
            self.look_at_codes();
        }
        self.cell(raw);
        let (mut meaning, role) = (self.path.meaning(), self.path.role());
        if role == Role::Value {
            meaning = self.pair(role, raw, true).unwrap_or(meaning);
        }
        match meaning {
            Meaning::Personal(kind) => self.find(kind, Why::Key),
            Meaning::Field(slot) if self.is_listed_amount(slot) => self.undocumented(),
            Meaning::Field(slot) => match slot.number(raw) {
                Checked::Harmless => {}
                Checked::Plausible(kind) | Checked::Unproven(kind) => self.unproven(raw, &Marks::of(raw.as_bytes()), kind),
                Checked::OutOfRange => self.undocumented(),
            },
            Meaning::Unknown => self.unknown_number(raw),
        }
    }

    fn literal(&mut self, _: &str) {
        if self.path.meaning() == Meaning::Unknown {
            self.strictly_undocumented();
        }
    }

    /// `<mrossi/>`: a key that nobody documents may be the value itself.
    fn nothing(&mut self) {
        let node = self.path.node();
        if node.shown().is_some() || matches!(node.meaning, Meaning::Field(_)) {
            return;
        }
        let key = node.key().to_owned();
        self.string(&key);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if self.readings > 0 {
            return self.look_at_stretches(bytes);
        }
        let before = self.report.findings.len();
        let found = magic::of(bytes).is_some_and(|magic| matches!(magic, Magic::Image | Magic::Media | Magic::Document));
        if found {
            self.find(Kind::Media, Why::Value);
        } else {
            self.unwrap(bytes, TextKind::Free);
            self.look_at_stretches(bytes);
        }
        if self.report.findings.len() == before {
            self.undocumented();
        }
    }

    fn reading(&mut self) {
        self.readings += 1;
        self.runs.reading(self.pairs.open());
    }

    fn reading_end(&mut self) {
        self.readings = self.readings.saturating_sub(1);
        self.runs.reading_end();
    }

    fn part(&mut self, content_type: &str, body: &[u8]) {
        self.read_part(content_type, body);
    }
}

#[cfg(test)]
mod clean;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod work;
