//! Pairs: `{"name": "extension", "value": 4312}`, `<add key="extension" value="4312"/>`, `<p name="extension">4312</p>`. What is named
//! beside a value says what the value is, as a key would.

use super::{Unknown, Walk};
use crate::inspect::engine::finding::{Kind, Why};
use crate::inspect::engine::shape::slot::Slot;
use crate::inspect::engine::shape::{Meaning, grammar};
use crate::inspect::engine::tree::{Node, Oddity, Role};
use std::sync::Arc;

/// Longest name in bytes; no key that says something is longer.
const LONGEST: usize = 64;
/// Most that is counted of anything.
const MOST: u64 = 1_000_000;

/// What the open objects have of pairs so far.
#[derive(Default)]
pub(super) struct Pairs {
    /// Names, and values in front of theirs.
    texts: Vec<u8>,
    open: Vec<Pair>,
}

/// What one object has.
#[derive(Clone, Copy)]
struct Pair {
    /// Keys that are open around its members.
    depth: usize,
    /// Where its texts begin.
    start: usize,
    name: Option<Span>,
    value: Option<Held>,
}

/// A part of the texts.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
}

/// A value whose name was not there yet.
#[derive(Clone, Copy)]
struct Held {
    span: Span,
    is_number: bool,
}

impl Pairs {
    /// An object begins inside so many keys; the value of a pair may be one, with its text in it.
    pub(super) fn begin(&mut self, depth: usize, role: Role) {
        let name = self.open.last().filter(|_| role == Role::Value).and_then(|pair| pair.name);
        self.open.push(Pair { depth, start: self.texts.len(), name, value: None });
    }

    /// An object ends.
    pub(super) fn end(&mut self) {
        if let Some(pair) = self.open.pop() {
            self.texts.truncate(pair.start);
        }
    }

    /// How many objects are open.
    pub(super) const fn open(&self) -> usize {
        self.open.len()
    }

    /// Closes those that were opened since.
    pub(super) fn close(&mut self, open: usize) {
        while self.open.len() > open {
            self.end();
        }
    }

    /// Whether the innermost object has its text directly in it, as XML has.
    pub(super) fn is_direct(&self, depth: usize) -> bool {
        self.open.last().is_some_and(|pair| pair.depth == depth)
    }

    /// Keeps a text until the object at this place ends.
    fn keep(&mut self, at: usize, text: &[u8]) -> Span {
        let start = self.texts.len();
        self.texts.extend_from_slice(text.get(..LONGEST).unwrap_or(text));
        let end = self.texts.len();
        self.open.iter_mut().skip(at + 1).for_each(|inner| inner.start = end);
        Span { start, end }
    }

    fn text(&self, span: Span) -> &str {
        let text = self.texts.get(span.start..span.end).unwrap_or_default();
        // What was cut inside a letter is told without it.
        text.utf8_chunks().next().map_or("", |chunk| chunk.valid())
    }
}

impl Walk<'_> {
    /// A text or a number that may be one half of a pair; what a value is by its name, if nobody documents its place.
    pub(super) fn pair(&mut self, role: Role, text: &str, is_number: bool) -> Option<Meaning> {
        let is_direct = self.pairs.is_direct(self.path.depth());
        let inner = self.pairs.open().checked_sub(1)?;
        // The text of an element stands in an object of its own.
        let own = if is_direct && role != Role::None { inner.saturating_sub(1) } else { inner };
        match role {
            Role::Name if !is_number && text.len() <= LONGEST => self.name(own, text.as_bytes()),
            Role::Value => return self.value(own, text, is_number),
            Role::None if is_direct => return self.value(inner, text, is_number),
            Role::Name | Role::None => {}
        }
        None
    }

    /// The name of a value beside it, in our words.
    pub(super) fn names_a_field(&self, text: &str) -> bool {
        self.path.role() == Role::Name && self.path.tree().has_only_words(text)
    }

    /// A text of the innermost object whose key is not entered: kept if it is a name; whether it can be.
    pub(super) fn is_noted(&mut self, role: Role, text: &[u8]) -> bool {
        if role == Role::None {
            return true;
        }
        let Some(own) = self.pairs.open().checked_sub(1) else { return false };
        if text.len() <= LONGEST {
            self.name(own, text);
        }
        true
    }

    fn name(&mut self, at: usize, text: &[u8]) {
        let span = self.pairs.keep(at, text);
        let Some(pair) = self.pairs.open.get_mut(at) else { return };
        pair.name = Some(span);
        let (depth, held) = (pair.depth, pair.value);
        if let Some(held) = held {
            let value = self.pairs.text(held.span).to_owned();
            self.judge(depth, span, &value, held.is_number);
        }
    }

    fn value(&mut self, at: usize, text: &str, is_number: bool) -> Option<Meaning> {
        let pair = self.pairs.open.get(at).copied()?;
        if let Some(name) = pair.name {
            let documented = self.judge(pair.depth, name, text, is_number)?;
            return Some(documented).filter(|_| self.is_open(text, is_number));
        }
        let held = Held { span: self.pairs.keep(at, text.as_bytes()), is_number };
        if let Some(pair) = self.pairs.open.get_mut(at) {
            pair.value = Some(held);
        }
        None
    }

    /// Whether nothing else says what a value is: its place is not documented, or is its container's, and its form does not prove it
    /// harmless either.
    fn is_open(&self, text: &str, is_number: bool) -> bool {
        let node = self.path.node();
        let is_unknown = node.meaning == Meaning::Unknown;
        let is_inert = || if is_number { grammar::is_inert_number(text) } else { grammar::is_inert(text) };
        node.is_silent() && (!is_unknown || self.settings.unknown == Unknown::Strict || !is_inert())
    }

    /// Judges a value by the name beside it, in the object inside so many keys; what the name is documented as.
    fn judge(&mut self, depth: usize, name: Span, value: &str, is_number: bool) -> Option<Meaning> {
        let node: Arc<Node> = self.path.named(depth, self.pairs.text(name));
        let is_amount = node.counts();
        let kind = match node.meaning {
            Meaning::Personal(kind) => kind,
            Meaning::Field(Slot::Users) => Kind::Identity,
            Meaning::Field(_) => return Some(node.meaning).filter(|_| node.oddity == Oddity::None),
            Meaning::Unknown => return None,
        };
        if !says_nothing(kind, value, is_number, is_amount) {
            self.find(kind, Why::Key);
            return None;
        }
        let slot = if is_number { Slot::Rate } else { Slot::Users };
        Some(Meaning::Field(slot)).filter(|_| (is_number || is_amount) && node.oddity == Oddity::None)
    }
}

/// Whether a value says nothing of a person: there is none, it is a state, a measurement, or an amount where one is meant.
fn says_nothing(kind: Kind, value: &str, is_number: bool, is_amount: bool) -> bool {
    let value = value.trim();
    if is_amount && grammar::whole(value).is_some_and(|amount| amount <= MOST) {
        return true;
    }
    if is_number {
        return kind != Kind::Geolocation && is_measured(value);
    }
    let is_word = value.is_empty() || grammar::is_missing(value) || grammar::is_state(value);
    is_word && !value.bytes().any(|byte| byte.is_ascii_digit()) || grammar::is_service_account(value)
}

/// A number with decimals that are not all zero.
fn is_measured(raw: &str) -> bool {
    raw.split_once('.').is_some_and(|(_, decimals)| decimals.bytes().any(|digit| matches!(digit, b'1'..=b'9')))
}
