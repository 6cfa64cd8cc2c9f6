//! How a text is looked at: as it stands, folded, and all that is wrapped in it.

use super::{ENOUGH_TOGETHER, LOOKED_AT, MAX_FINDINGS, SHORTEST_STRETCH, Walk};
use crate::inspect::engine::canonical::fold::{bare, fold, has_controls_beyond, without_controls, written_in_tags};
use crate::inspect::engine::canonical::magic::Magic;
use crate::inspect::engine::canonical::nested::{self, Derived};
use crate::inspect::engine::canonical::spacing::{closed_up, may_be_drawn_out};
use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::detect;
use crate::inspect::engine::finding::{Hit, Kind, Why};
use crate::inspect::engine::format::{Limits, json};
use crate::inspect::engine::marks::{BEYOND, BREAK, CONTROL, Marks, RARE_SEPARATOR};
use crate::inspect::engine::memo::Under;
use crate::inspect::engine::shape::words::MAX_WORDS;

impl Walk<'_> {
    /// Runs the detectors over a text and over all that is wrapped in it; true if one is sure.
    pub(super) fn look(&mut self, text: &str, marks: &Marks, kind: TextKind) -> bool {
        let under = self.under();
        if under.is_some_and(|under| self.memo.has(under, text.as_bytes())) {
            return false;
        }
        // More say nothing more.
        if self.report.findings.len() >= MAX_FINDINGS || self.is_spent() {
            return false;
        }
        let (before, signs) = (self.report.findings.len(), self.signs);
        self.look_at(text, marks, kind, Why::Value);
        if nested::may_hold(text, marks) {
            self.unwrap(text.as_bytes(), kind);
        }
        self.look_at_listed(text, marks);
        if let Some(under) = under.filter(|_| self.signs == signs) {
            self.memo.keep(under, text.as_bytes());
        }
        self.report.findings.len() > before
    }

    /// Under what the memo keeps values of the innermost key in which nothing was found.
    pub(super) fn under(&self) -> Option<Under> {
        self.path.index().and_then(|index| Under::try_from(index).ok()).map(|index| LOOKED_AT + index)
    }

    /// Looks at what is encoded in a text or in bytes.
    pub(super) fn unwrap(&mut self, bytes: &[u8], kind: TextKind) {
        // Half of what is left is for the search, and half for the detectors, who look at what it finds.
        let half = self.left() / 2;
        let mut budget = self.budget.within(half);
        self.held += half;
        let followed = nested::walk(bytes, 0, &mut budget, &mut |derived, in_place| {
            self.unwrapped(derived, kind, in_place.then_some(bytes));
        });
        self.held -= half;
        self.budget = budget;
        if let Err(unreadable) = followed {
            self.signs += 1;
            self.report.unreadable.get_or_insert(unreadable.detail());
        }
    }

    fn look_at(&mut self, text: &str, marks: &Marks, kind: TextKind, why: Why) {
        let mut found = Found::default();
        let settings = self.settings;
        let mut words = [""; MAX_WORDS];
        let node = self.path.node();
        let count = words.iter_mut().zip(node.words()).map(|(slot, word)| *slot = word).count();
        let key = words.get(..count).unwrap_or_default();
        let context = Context { key, text: kind, declared: &settings.networks, accounts: &self.accounts };
        let visits = scan(text, marks, &context, self.left(), &mut found);
        self.visits += visits;
        for hit in found.hits {
            if hit.bits >= Hit::ENOUGH { self.find(hit.kind, why) } else { self.weigh(hit) }
        }
    }

    /// Looks at a text of which nothing is known but the text.
    pub(super) fn look_into(&mut self, text: &str, kind: TextKind, why: Why) {
        if self.is_spent() {
            return;
        }
        self.visit(text.len());
        let marks = Marks::of(text.as_bytes());
        self.look_at(text, &marks, kind, why);
        self.look_at_listed(text, &marks);
    }

    /// Looks in what may be no text at all for what proves itself.
    pub(super) fn look_for_proven(&mut self, text: &str) {
        let context = Context { text: TextKind::Free, ..Context::default() };
        let (mut found, marks) = (Found::default(), Marks::of(text.as_bytes()));
        let mut keep = |hit: Hit| {
            if hit.bits >= SURE {
                found.keep(hit);
            }
        };
        self.visits += detect::PROVEN.scan_marked(text.as_bytes(), &marks, &context, self.left(), &mut keep);
        for hit in found.hits {
            self.find(hit.kind, Why::Encoded);
        }
    }

    /// Something that was wrapped in the text at hand; what it was decoded from, if only single characters of that were.
    fn unwrapped(&mut self, derived: Derived<'_>, around: TextKind, escaped: Option<&[u8]>) {
        self.signs += 1;
        match derived {
            // What a token is made of is nobody's business but its maker's.
            Derived::Opaque { .. } if around == TextKind::Token => {}
            // By chance, a few letters inside a token are text.
            Derived::Text { text, .. } if around == TextKind::Token => self.look_into(text, around, Why::Encoded),
            Derived::Text { text, .. } => match escaped {
                Some(escaped) => self.unescaped(text, escaped, around),
                None => self.look_into(text, TextKind::Free, Why::Encoded),
            },
            Derived::Json { text } => self.document(text),
            Derived::Bytes { magic: Magic::Image | Magic::Media | Magic::Document, .. } => self.find(Kind::Media, Why::Encoded),
            Derived::Bytes { magic: Magic::Archive, .. } | Derived::Opaque { .. } => self.undocumented(),
            Derived::Bytes { .. } => {}
        }
    }

    /// A path with an escape in it is a path still. The words that had one are anything: what nobody hides is written as it is.
    fn unescaped(&mut self, text: &str, escaped: &[u8], around: TextKind) {
        let words = changed_words(text, escaped);
        self.visit(text.len());
        if words.len() < text.len() {
            self.look_into(text, around, Why::Encoded);
        }
        self.look_into(words, TextKind::Free, Why::Encoded);
    }

    /// A document inside a string: its keys say as much as those outside. What is no JSON in the end was looked at as text.
    fn document(&mut self, text: &str) {
        if self.depth >= nested::MAX_DEPTH {
            self.report.unreadable.get_or_insert("a document is nested in strings more than four times");
            return;
        }
        // What is in it has nothing to prove, as in any further reading.
        let walk = Walk::new(self.path.tree(), self.settings, text.len());
        let most = self.left().saturating_add(self.budget.visited());
        let mut inner = Walk { budget: self.budget, most, depth: self.depth + 1, readings: 1, ..walk };
        let _ = json::read(text.as_bytes(), Limits::default(), &mut inner);
        inner.end_row();
        inner.look_at_codes();
        inner.end_pieces();
        inner.end_places();
        self.visit(usize::try_from(inner.visits).unwrap_or(usize::MAX));
        let (budget, weak, report) = (inner.budget, inner.weak, inner.report);
        self.budget = budget;
        self.weak += weak;
        for finding in report.findings {
            self.find(finding.kind, Why::Encoded);
        }
        self.report.unreadable = self.report.unreadable.or(report.unreadable);
    }

    /// Bytes that may be text in part: without control characters they are text in whole, else what stands between those.
    pub(super) fn look_at_stretches(&mut self, bytes: &[u8]) {
        if self.is_spent() {
            return;
        }
        self.visit(2 * bytes.len());
        let is_control = |byte: &u8| *byte < b' ' || *byte == 0x7f;
        let is_break = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r');
        if !bytes.iter().any(|byte| is_control(byte) && !is_break(byte)) {
            return self.look_at_valid(bytes);
        }
        for stretch in bytes.split(is_control).filter(|stretch| stretch.len() >= SHORTEST_STRETCH) {
            self.look_at_valid(stretch);
        }
    }

    /// The parts of bytes that are UTF-8.
    fn look_at_valid(&mut self, bytes: &[u8]) {
        self.visit(2 * bytes.len());
        let valid = bytes.utf8_chunks().map(|chunk| chunk.valid());
        for text in valid.filter(|text| text.len() >= SHORTEST_STRETCH) {
            self.look(text, &Marks::of(text.as_bytes()), TextKind::Free);
        }
    }

    /// Weak signs add up.
    fn weigh(&mut self, hit: Hit) {
        self.signs += 1;
        self.weak += u32::from(hit.bits);
        if self.weak >= ENOUGH_TOGETHER {
            self.weak = 0;
            self.find(hit.kind, Why::Together);
        }
    }
}

/// The words of a text from the first to the last in which it differs from another.
fn changed_words<'t>(text: &'t str, other: &[u8]) -> &'t str {
    let (bytes, is_same) = (text.as_bytes(), |(one, other): &(&u8, &u8)| one == other);
    let front = bytes.iter().zip(other).take_while(is_same).count();
    let behind = bytes.iter().rev().zip(other.iter().rev()).take_while(is_same).count();
    let (front, behind) = (bytes.get(..front).unwrap_or_default(), bytes.len().saturating_sub(behind).max(front));
    let start = front.iter().rposition(u8::is_ascii_whitespace).map_or(0, |blank| blank + 1);
    let rest = bytes.get(behind..).unwrap_or_default();
    let end = rest.iter().position(u8::is_ascii_whitespace).map_or(bytes.len(), |length| behind + length);
    text.get(start..end).unwrap_or(text)
}

/// Folding reads a text, normalises it, maps it, drops from it, compares it; then it is marked again.
const FOLDING: u64 = 6;
/// Taking the marks from letters reads a text and writes it; then it is marked again.
const BARING: u64 = 3;
/// Longest text from which tabs and line breaks are taken: no field may hold a longer one.
const LONGEST_OF_LINES: usize = 1_024;
/// Bits of what is found in lines that were put together: they may be anything, side by side.
const SURE: u8 = 22;

/// Hits in one text.
#[derive(Default)]
struct Found {
    hits: Vec<Hit>,
}

impl Found {
    fn keep(&mut self, hit: Hit) {
        if self.hits.len() < MAX_FINDINGS {
            self.hits.push(hit);
        }
    }
}

/// Runs the detectors over a text in each of its readings; how many bytes were looked at.
fn scan(text: &str, marks: &Marks, context: &Context<'_>, most: u64, found: &mut Found) -> u64 {
    let mut visits = text.len() as u64 + scan_seen(text, marks, context, most, found);
    if may_have_controls(text, marks) {
        visits += scan_joined(text, marks, context, most.saturating_sub(visits), found);
    }
    if marks.has(BEYOND)
        && let Some(readings) = written_in_tags(text)
    {
        for written in readings {
            let marks = Marks::of(written.as_bytes());
            visits += 2 * text.len() as u64;
            visits += scan_seen(&written, &marks, context, most.saturating_sub(visits), found);
        }
    }
    if may_be_drawn_out(text) {
        visits += scan_closed_up(text, marks, context, most.saturating_sub(visits), found);
    }
    visits
}

/// Runs the detectors over a text whose letters stand by themselves: nobody writes words so, but figures may be a row of numbers.
fn scan_closed_up(text: &str, marks: &Marks, context: &Context<'_>, most: u64, found: &mut Found) -> u64 {
    let looked = (if marks.has(BEYOND) { 3 + FOLDING } else { 3 }) * text.len() as u64;
    if looked > most {
        return looked;
    }
    let closed = if marks.has(BEYOND) { closed_up(&fold(text)) } else { closed_up(text) };
    let Some(closed) = closed else { return looked };
    let context = Context { text: TextKind::Free, ..*context };
    let marks = Marks::of(closed.as_bytes());
    let mut sure = Found::default();
    let visits = scan_seen(&closed, &marks, &context, most - looked, &mut sure);
    let has_words = closed.contains(char::is_alphabetic);
    sure.hits.retain(|hit| has_words || hit.bits >= SURE || hit.kind == Kind::PaymentCard);
    sure.hits.into_iter().for_each(|hit| found.keep(hit));
    looked + visits
}

/// Runs the detectors over a text as it is seen.
fn scan_seen(text: &str, marks: &Marks, context: &Context<'_>, most: u64, found: &mut Found) -> u64 {
    if !marks.has(BEYOND) {
        return detect::scan_marked(text.as_bytes(), marks, context, most, &mut |hit| found.keep(hit));
    }
    let folding = FOLDING * text.len() as u64;
    if folding > most {
        return most.saturating_add(1);
    }
    let folded = fold(text);
    let marks = Marks::of(folded.as_bytes());
    let visits = folding + detect::scan_marked(folded.as_bytes(), &marks, context, most - folding, &mut |hit| found.keep(hit));
    if !marks.has(BEYOND) {
        return visits;
    }
    // Look-alikes and marks matter where the form is exact; names in other scripts are not turned into Latin ones.
    let latin = bare(&folded);
    let visits = visits + BARING * folded.len() as u64;
    let marks = Marks::of(latin.as_bytes());
    let left = most.saturating_sub(visits);
    visits + detect::EXACT.scan_marked(latin.as_bytes(), &marks, context, left, &mut |hit| found.keep(hit))
}

/// Whether a text may have control characters: its marks say so, or those beyond ASCII and what parts fields are looked at.
fn may_have_controls(text: &str, marks: &Marks) -> bool {
    let has_tab = || marks.has(RARE_SEPARATOR) && memchr::memchr(b'\t', text.as_bytes()).is_some();
    marks.has(CONTROL | BREAK) || has_tab() || marks.has(BEYOND) && has_controls_beyond(text)
}

/// Runs the detectors over a text without its control characters, which may part what they look for: nobody writes those, but for tabs
/// and line breaks, at which only what proves itself is put together.
fn scan_joined(text: &str, marks: &Marks, context: &Context<'_>, most: u64, found: &mut Found) -> u64 {
    let looked = text.len() as u64;
    let has_others = marks.has(CONTROL) || marks.has(BEYOND) && has_controls_beyond(text);
    if looked > most || !has_others && text.len() > LONGEST_OF_LINES {
        return looked;
    }
    let Some(joined) = without_controls(text) else { return looked };
    let marks = Marks::of(joined.as_bytes());
    let (looked, left) = (3 * looked, most.saturating_sub(3 * looked));
    if has_others {
        return looked + scan_seen(&joined, &marks, context, left, found);
    }
    let is_number = joined.bytes().all(|byte| byte.is_ascii_digit() || byte == b' ');
    let mut keep = |hit: Hit| {
        if hit.bits >= SURE || is_number {
            found.keep(hit);
        }
    };
    looked + detect::PROVEN.scan_marked(joined.as_bytes(), &marks, context, left, &mut keep)
}
