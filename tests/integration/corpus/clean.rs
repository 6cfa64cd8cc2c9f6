//! Clean telemetry: the documented beats with values of real servers, in many spellings and layouts.

mod tables;
mod values;

use super::Inspector;
use super::fixtures::Lists;
use super::random::Random;
use super::spelling::Spelling;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use tables::{BEATS, Beat, Group, WMI};
use ucx_egress::inspect::engine::walk::Unknown;
pub(crate) use values::Slot;

/// Variants of clean telemetry that are looked at.
const VARIANTS: u64 = 20_000;
/// Of which so many where unknown fields may be there: what passes strictly passes there, too.
const LENIENT: u64 = 4_000;

/// What a generated message looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    English(Spelling),
    Italian(Spelling),
    /// Classes and properties of WMI.
    Wmi,
}

/// Makes clean messages.
pub(crate) struct Maker<'a> {
    pub(crate) lists: &'a Lists,
    pub(crate) random: Random,
}

impl Maker<'_> {
    fn style(&mut self) -> Style {
        match self.random.below(10) {
            0..=5 => Style::English(Spelling::any(&mut self.random)),
            6 | 7 => Style::Italian(Spelling::any(&mut self.random)),
            _ => Style::Wmi,
        }
    }

    /// One message.
    pub(crate) fn message(&mut self) -> Value {
        match self.style() {
            Style::Wmi => self.wmi(),
            Style::English(spelling) => self.beat(spelling, false),
            Style::Italian(spelling) => self.beat(spelling, true),
        }
    }

    fn names(beat: (&'static str, &'static str), italian: bool) -> &'static str {
        if italian { beat.1 } else { beat.0 }
    }

    fn beat(&mut self, spelling: Spelling, italian: bool) -> Value {
        let Beat { names, groups } = *self.random.pick(BEATS);
        let mut content = Map::new();
        for group in groups {
            if self.random.once_in(2) && !content.is_empty() {
                continue;
            }
            let key = spelling.one_of(Self::names(group.names, italian), &mut self.random);
            let value = self.group(group, spelling, italian);
            content.insert(key, value);
        }
        let name = Self::names(names, italian);
        let key = spelling.one_of(name, &mut self.random);
        match self.random.below(6) {
            // As it is, below the name of the beat, in an envelope, as rows of a list.
            0 => Value::Object(content),
            1 => json!({ key: content }),
            2 | 3 => self.envelope(spelling, &key, Value::Object(content)),
            4 => Value::Array(vec![json!({ key: content })]),
            _ => {
                let mut flat = Map::new();
                flatten("", &Value::Object(content), &mut flat);
                Value::Object(flat)
            }
        }
    }

    fn group(&mut self, group: &Group, spelling: Spelling, italian: bool) -> Value {
        if !group.is_list {
            return self.row(group, spelling, italian);
        }
        let rows = self.random.between(1, 3);
        if let [(_, slot)] = group.fields
            && self.random.once_in(2)
        {
            return (0..rows).map(|_| slot.value(self.lists, &mut self.random)).collect();
        }
        let rows = (0..rows).map(|_| self.row(group, spelling, italian));
        rows.collect()
    }

    fn row(&mut self, group: &Group, spelling: Spelling, italian: bool) -> Value {
        let mut row = Map::new();
        for (names, slot) in group.fields {
            if self.random.once_in(8) && group.fields.len() > 1 {
                continue;
            }
            let key = spelling.one_of(Self::names(*names, italian), &mut self.random);
            row.insert(key, slot.value(self.lists, &mut self.random));
        }
        Value::Object(row)
    }

    fn wmi(&mut self) -> Value {
        let (class, fields) = *self.random.pick(WMI);
        let rows: Vec<Value> = (0..self.random.between(1, 4))
            .map(|_| fields.iter().map(|(name, slot)| ((*name).to_owned(), slot.value(self.lists, &mut self.random))).collect())
            .collect();
        match self.random.below(4) {
            0 => json!({ class: rows }),
            1 => json!({ "timestamp": Slot::Time.value(self.lists, &mut self.random), "payload": { class: rows } }),
            // Without a container that says of what, a display name is a person's.
            2 => self.envelope(Spelling::Camel, "wmi", json!({ class: rows })),
            _ => json!({ class.trim_start_matches("Win32_"): rows }),
        }
    }

    /// What any sender puts around its payload.
    fn envelope(&mut self, spelling: Spelling, beat: &str, content: Value) -> Value {
        let mut message = Map::new();
        let fields: &[(&str, Slot)] = &[
            ("tenant id", Slot::Guid),
            ("machine id", Slot::Guid),
            ("message id|correlation id|request id", Slot::Guid),
            ("schema version|protocol version|format version", Slot::SchemaVersion),
            ("sequence|sequence number", Slot::Count),
            ("timestamp|collected at|created at|sent at|date time|collected at utc", Slot::Time),
            ("product code", Slot::Guid),
        ];
        for (names, slot) in fields {
            if self.random.once_in(2) {
                message.insert(spelling.one_of(names, &mut self.random), slot.value(self.lists, &mut self.random));
            }
        }
        if self.random.once_in(2) {
            message.insert(spelling.spell("beat"), Value::from(beat));
            message.insert(spelling.one_of("payload|data|body|content", &mut self.random), content);
        } else {
            message.insert(beat.to_owned(), content);
        }
        Value::Object(message)
    }
}

/// `{"a": {"b": 1}}` as `{"a.b": 1}`.
fn flatten(path: &str, value: &Value, flat: &mut Map<String, Value>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| flatten(&below(key), value, flat)),
        Value::Array(rows) => rows.iter().enumerate().for_each(|(at, value)| flatten(&below(&at.to_string()), value, flat)),
        other => drop(flat.insert(path.to_owned(), other.clone())),
    }
}

/// Variants that are blocked, by the key and the reason, each with its first value.
fn blocked(seed: u64, count: u64, unknown: Unknown) -> BTreeMap<String, (u64, String)> {
    let (lists, inspector) = (Lists::new(), Inspector::shared());
    let mut maker = Maker { lists: &lists, random: Random::new(seed) };
    let mut blocked = BTreeMap::new();
    for _ in 0..count {
        let message = maker.message();
        let report = inspector.json(&message.to_string(), unknown);
        if report.unreadable.is_some() {
            blocked.entry("unreadable".to_owned()).or_insert((0, message.to_string())).0 += 1;
        }
        let undocumented = report.undocumented.iter().map(|place| ("undocumented", place));
        for (reason, place) in report.findings.iter().map(|finding| (finding.kind.label(), &finding.place)).chain(undocumented) {
            let (path, value) = resolve(&message, place);
            blocked.entry(format!("{reason} {path}")).or_insert((0, value)).0 += 1;
        }
    }
    blocked
}

/// The keys and the value that a place in a report stands for.
fn resolve(message: &Value, place: &str) -> (String, String) {
    let (mut value, mut path) = (message, String::new());
    for step in place.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let position = || step.strip_prefix('(').and_then(|step| step.strip_suffix(')')).and_then(|step| step.parse::<usize>().ok());
        let next = match value {
            Value::Object(members) => members.get_key_value(&step).or_else(|| members.iter().nth(position()?)),
            Value::Array(rows) => {
                value = step.parse::<usize>().ok().and_then(|at| rows.get(at)).unwrap_or(&Value::Null);
                continue;
            }
            _ => None,
        };
        let Some((key, below)) = next else { break };
        path = format!("{path}/{}", key.trim_matches(|c: char| c.is_ascii_digit()));
        value = below;
    }
    (path, value.to_string())
}

fn assert_none(blocked: &BTreeMap<String, (u64, String)>) {
    let lines: Vec<String> = blocked.iter().map(|(what, (count, value))| format!("{count} {what} {value}")).collect();
    assert!(blocked.is_empty(), "blocked:\n{}", lines.join("\n"));
}

#[test]
fn no_clean_variant_is_blocked_where_unknown_fields_must_be_inert() {
    assert_none(&blocked(1, LENIENT, Unknown::Inert));
}

#[test]
fn no_clean_variant_is_blocked_where_nothing_unknown_may_pass() {
    assert_none(&blocked(2, VARIANTS, Unknown::Strict));
}
