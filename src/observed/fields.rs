//! What the fields of messages are: names, types, formats, sizes and how often, never a value. It becomes a JSON Schema, and that a shape.

use super::size::{Sizes, bits, is_class, largest};
use super::telling::{holds_data, is_name, names_a_person};
use crate::inspect::engine::shape::json_schema::PERSONAL;
use crate::inspect::engine::shape::slot::{Checked, Declared, Slot};
use crate::inspect::engine::shape::{Meaning, grammar};
use crate::inspect::engine::tree::{Node, Tree};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Names of one object from which on they are taken for data: a map by host or by user has one for each.
const MOST_NAMES: usize = 128;
/// Containers inside one another that are followed.
const MAX_DEPTH: usize = 24;
/// Shortest number in digits that is looked at as a text: it may be somebody's.
const SHORTEST_NUMBER: usize = 7;

/// A type of JSON, as JSON Schema names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Type {
    /// Yes or no.
    Boolean,
    /// A whole number that is not negative.
    Integer,
    /// Any other number.
    Number,
    /// A text.
    String,
}

/// What a text looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Words.
    Plain,
    /// An IP address.
    Address,
    /// A GUID.
    Guid,
    /// A date or a time.
    Time,
    /// A detector found personal data in it.
    PersonalData,
}

/// What the values under one key were.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Seen {
    /// Messages that have it.
    pub messages: u64,
    /// Number of the last message that was counted.
    #[serde(skip)]
    last: u64,
    /// Its types.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub types: BTreeSet<Type>,
    /// What its texts look like.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub forms: BTreeSet<Form>,
    /// Bits of the type that its largest whole number fits in; 0, there was none.
    #[serde(skip_serializing_if = "is_zero")]
    pub bits: u8,
    /// Bytes of its texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Sizes>,
    /// Elements of its arrays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<Sizes>,
    /// Its keys are data: there were too many different ones, and none is kept.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub keyed: bool,
    /// What is in it, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub members: BTreeMap<String, Self>,
    /// What its elements are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elements: Option<Box<Self>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(bits: &u8) -> bool {
    *bits == 0
}

/// How much may still be kept, and what was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Fields that may still be added.
    pub fields: usize,
    /// Whether names that may be somebody's data are left out.
    pub masks: bool,
    /// Names that were left out, each time they came.
    pub names: u64,
    /// Fields for which there was no room, each time they came.
    pub dropped: u64,
}

impl Room {
    /// Room for so many fields.
    #[must_use]
    pub const fn new(fields: usize, masks: bool) -> Self {
        Self { fields, masks, names: 0, dropped: 0 }
    }
}

impl Seen {
    /// Adds the `number`th message, counted from 1.
    pub fn add_message(&mut self, tree: &Tree, message: &Value, number: u64, room: &mut Room) {
        self.add(tree, &Place { node: tree.root(), number, depth: 0 }, message, room);
    }

    fn add(&mut self, tree: &Tree, place: &Place<'_>, value: &Value, room: &mut Room) {
        if self.last != place.number {
            self.last = place.number;
            self.messages += 1;
        }
        match value {
            Value::Null => {}
            Value::Object(_) | Value::Array(_) if place.depth >= MAX_DEPTH => room.dropped += 1,
            Value::Object(members) => members.iter().for_each(|(name, value)| self.add_member(tree, place, (name, value), room)),
            Value::Array(elements) => {
                Sizes::add(&mut self.count, Some(Sizes::of(elements.len() as u64)));
                let inner = self.elements.get_or_insert_default();
                for element in elements {
                    inner.add(tree, &place.inner(place.node), element, room);
                }
            }
            // It needs no other shape.
            _ if matches!(place.node.meaning, Meaning::Field(_)) => {}
            Value::Bool(_) => drop(self.types.insert(Type::Boolean)),
            Value::Number(number) => {
                match number.as_u64() {
                    Some(whole) => {
                        self.types.insert(Type::Integer);
                        self.bits = self.bits.max(bits(whole));
                    }
                    None => drop(self.types.insert(Type::Number)),
                }
                let text = number.to_string();
                if text.len() >= SHORTEST_NUMBER && holds_data(tree, &text) {
                    self.forms.insert(Form::PersonalData);
                }
            }
            Value::String(text) if text.trim().is_empty() => {}
            Value::String(text) => {
                self.types.insert(Type::String);
                Sizes::add(&mut self.bytes, Some(Sizes::of(text.len() as u64)));
                // One text that is personal data is enough.
                if !self.forms.contains(&Form::PersonalData) {
                    self.forms.insert(form(tree, text));
                }
            }
        }
    }

    fn add_member(&mut self, tree: &Tree, place: &Place<'_>, (name, value): (&str, &Value), room: &mut Room) {
        if self.keyed {
            room.names += 1;
            return;
        }
        if !self.members.contains_key(name) {
            if room.masks && !is_name(tree, name) {
                room.names += 1;
                return;
            }
            if !self.has_room(room) {
                return;
            }
        }
        let node = tree.child(place.node, name);
        self.members.entry(name.to_owned()).or_default().add(tree, &place.inner(&node), value, room);
    }

    /// Takes room for one more name in it, if there is any.
    fn has_room(&mut self, room: &mut Room) -> bool {
        if self.members.len() >= MOST_NAMES {
            self.take_for_data(room);
            room.names += 1;
            return false;
        }
        if room.fields == 0 {
            room.dropped += 1;
            return false;
        }
        room.fields -= 1;
        true
    }

    /// No name in it is kept any more.
    fn take_for_data(&mut self, room: &mut Room) {
        room.fields += self.members.values().map(Self::size).sum::<usize>();
        self.members.clear();
        self.keyed = true;
    }

    /// Fields in it, itself among them.
    #[must_use]
    pub fn size(&self) -> usize {
        1 + self.members.values().map(Self::size).sum::<usize>() + self.elements.as_ref().map_or(0, |inner| inner.size() - 1)
    }

    /// Adds what another proxy, or this one before its restart, has seen.
    pub fn merge(&mut self, other: Self, room: &mut Room) {
        self.messages += other.messages;
        self.types.extend(other.types);
        self.forms.extend(other.forms);
        self.bits = self.bits.max(other.bits);
        Sizes::add(&mut self.bytes, other.bytes);
        Sizes::add(&mut self.count, other.count);
        if other.keyed && !self.keyed {
            self.take_for_data(room);
        }
        for (name, inner) in other.members {
            if self.keyed {
                room.names += 1;
                continue;
            }
            if !self.members.contains_key(&name) && !self.has_room(room) {
                continue;
            }
            self.members.entry(name).or_default().merge(inner, room);
        }
        if let Some(inner) = other.elements {
            self.elements.get_or_insert_default().merge(*inner, room);
        }
    }

    /// Whether nothing finer than what is kept here is in it, wherever it was read from.
    #[must_use]
    pub fn is_coarse(&self) -> bool {
        let sizes = [self.bytes, self.count].into_iter().flatten().all(Sizes::is_coarse);
        sizes
            && is_class(self.bits)
            && self.members.values().all(Self::is_coarse)
            && self.elements.as_ref().is_none_or(|inner| inner.is_coarse())
    }

    /// What is under these names, the outermost first; elements of arrays have none.
    #[must_use]
    pub fn find(&self, names: &[&str]) -> Option<&Self> {
        let Some((first, rest)) = names.split_first() else { return Some(self) };
        let own = self.members.get(*first).and_then(|inner| inner.find(rest));
        own.or_else(|| self.elements.as_ref()?.find(names))
    }

    /// A JSON Schema of what nobody documents.
    #[must_use]
    pub fn schema(&self) -> Value {
        let mut schema = Map::new();
        let members = self.members.iter().map(|(name, inner)| (name.clone(), inner.schema()));
        let members: Map<String, Value> = members.filter(|(_, inner)| inner.as_object().is_some_and(|inner| !inner.is_empty())).collect();
        if self.keyed {
            schema.insert("type".into(), json!("object"));
        }
        if !members.is_empty() {
            schema.insert("properties".into(), members.into());
        }
        if let Some(elements) = self.elements.as_ref().map(|elements| elements.schema()).filter(|inner| *inner != json!({})) {
            schema.insert("items".into(), elements);
        }
        let types: Vec<Type> = self.types.iter().copied().collect();
        match types.as_slice() {
            [] => {}
            [Type::Integer, Type::Number] => drop(schema.insert("type".into(), json!("number"))),
            types => drop(schema.insert("type".into(), json!(types))),
        }
        if self.bits > 0 {
            schema.insert("maximum".into(), largest(self.bits).into());
        }
        let forms: Vec<Form> = self.forms.iter().copied().collect();
        let format = match forms.as_slice() {
            forms if forms.contains(&Form::PersonalData) => Some(PERSONAL),
            [Form::Address] => Some("ipv4"),
            [Form::Guid] => Some("uuid"),
            [Form::Time] => Some("date-time"),
            _ => None,
        };
        schema.extend(format.map(|format| ("format".to_owned(), json!(format))));
        Value::Object(schema)
    }

    /// How often it was seen and what it was, for people.
    #[must_use]
    pub fn evidence(&self, messages: u64) -> String {
        let mut parts = vec![format!("seen in {} of {messages} messages", self.messages)];
        parts.extend(self.types.iter().map(|kind| match kind {
            Type::Boolean => "yes or no".to_owned(),
            Type::Integer => format!("whole numbers of {} bits", self.bits),
            Type::Number => "numbers".to_owned(),
            Type::String => match self.bytes {
                Some(bytes) => format!("text below {} bytes", bytes.below),
                None => "text".to_owned(),
            },
        }));
        parts.join(", ")
    }
}

/// Where a value stands.
struct Place<'t> {
    node: &'t Node,
    /// Of the message.
    number: u64,
    depth: usize,
}

impl Place<'_> {
    fn inner<'n>(&self, node: &'n Node) -> Place<'n> {
        Place { node, number: self.number, depth: self.depth + 1 }
    }
}

fn form(tree: &Tree, text: &str) -> Form {
    if text.parse::<IpAddr>().is_ok() {
        return Form::Address;
    }
    if holds_data(tree, text) || names_a_person(tree, text) {
        return Form::PersonalData;
    }
    if grammar::is_guid(text) {
        return Form::Guid;
    }
    if Slot::Time.text(text, &Declared::default()) == Checked::Harmless { Form::Time } else { Form::Plain }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::engine::shape::Shape;

    fn seen(texts: &[Value], room: &mut Room) -> Seen {
        let tree = Tree::new(Shape::built_in().expect("the shape compiles"));
        let mut seen = Seen::default();
        for (message, number) in texts.iter().zip(1..) {
            seen.add_message(&tree, message, number, room);
        }
        seen
    }

    #[test]
    fn evidence_counts_messages_and_not_elements() {
        let messages =
            [json!({"queues": [{"gizmo": "a", "pending": 3}, {"gizmo": "bcd"}]}), json!({"queues": [{"gizmo": "x"}]}), json!({})];
        let seen = seen(&messages, &mut Room::new(100, true));
        let gizmo = seen.find(&["queues", "gizmo"]).expect("seen");
        assert_eq!(gizmo.evidence(3), "seen in 2 of 3 messages, text below 4 bytes");
        assert_eq!(
            seen.find(&["queues", "pending"]).map(|seen| seen.evidence(3)).as_deref(),
            Some("seen in 1 of 3 messages, whole numbers of 8 bits")
        );
        assert_eq!(seen.find(&["queues"]).and_then(|seen| seen.count), Some(Sizes { least_below: 2, below: 4 }));
        assert!(seen.is_coarse());
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_is_not_is_counted() {
        let mut room = Room::new(8, true);
        let many: Map<String, Value> = ('a'..='z').map(|letter| (format!("gizmo{letter}"), json!(1))).collect();
        let kept = seen(&[Value::Object(many), json!({"m.rossi@example.com": 1})], &mut room);
        assert_eq!((kept.members.len(), room.fields, room.dropped, room.names), (8, 0, 18, 1), "{room:?}");
        let mut room = Room::new(1_000, true);
        let letters = || ('a'..='z').flat_map(|one| ('a'..='z').map(move |other| format!("gizmo{one}x{other}")));
        let keyed = seen(&[json!({"gizmos": letters().map(|name| (name, json!(1))).collect::<Map<_, _>>()})], &mut room);
        assert!(keyed.members["gizmos"].keyed && keyed.members["gizmos"].members.is_empty());
        assert_eq!((room.fields, room.names > 500), (999, true));
        let deep = (0..100).fold(json!(1), |inner, _| json!({"gizmo": inner}));
        let mut room = Room::new(1_000, true);
        assert!(seen(&[deep], &mut room).size() <= MAX_DEPTH + 1 && room.dropped == 1);
    }

    #[test]
    fn what_was_seen_before_a_restart_counts_on() {
        let messages = [json!({"gizmo": "abc", "fill": 300}), json!({"gizmo": true})];
        let mut first = seen(&messages[..1], &mut Room::new(10, true));
        first.merge(seen(&messages[1..], &mut Room::new(10, true)), &mut Room::new(10, true));
        let text = serde_json::to_string(&first).expect("it is written");
        let read: Seen = serde_json::from_str(&text).expect("it is read");
        assert_eq!(
            read.find(&["gizmo"]).map(|seen| seen.evidence(2)).as_deref(),
            Some("seen in 2 of 2 messages, yes or no, text below 4 bytes")
        );
        let mut none = Room::new(0, true);
        let mut full = Seen::default();
        full.merge(read, &mut none);
        assert_eq!((full.members.len(), none.dropped), (0, 2));
    }
}
