//! Captured messages as a source of shapes: the names and types of what is in them, as a JSON Schema. No value goes into it.

use crate::inspect::engine::shape::json_schema::PERSONAL;
use crate::inspect::engine::shape::slot::{Checked, Declared, Slot};
use crate::inspect::engine::shape::{Meaning, grammar};
use crate::inspect::engine::tree::{Node, Tree};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Names of one object from which on they are taken for data: a map by host or by user has one for each.
const MOST_NAMES: usize = 128;

/// The messages in a file: one JSON document, or one a line.
///
/// # Errors
/// A sentence that names the line which is none.
pub fn messages(text: &str) -> Result<Vec<Value>, String> {
    if let Ok(message) = serde_json::from_str(text) {
        return Ok(vec![message]);
    }
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    let message = |(line, number): (&str, usize)| {
        serde_json::from_str(line).map_err(|_| format!("line {number} must be a JSON document, or the whole file one"))
    };
    lines.map(message).collect()
}

/// A JSON Schema of what the messages have and nobody documents.
pub fn schema(tree: &Tree, messages: &[Value]) -> Value {
    let mut seen = Seen::default();
    for message in messages {
        seen.add(tree, tree.root(), message);
    }
    seen.schema()
}

/// What the values under one key were.
#[derive(Debug, Default)]
struct Seen {
    members: BTreeMap<String, Self>,
    elements: Option<Box<Self>>,
    /// Its types, as JSON Schema names them.
    types: Vec<&'static str>,
    /// The largest whole number.
    largest: u64,
    /// Formats of its texts.
    formats: Vec<Option<&'static str>>,
}

impl Seen {
    fn add(&mut self, tree: &Tree, node: &Node, value: &Value) {
        match value {
            Value::Null => {}
            Value::Object(members) => {
                for (name, value) in members {
                    self.members.entry(name.clone()).or_default().add(tree, &tree.child(node, name), value);
                }
            }
            Value::Array(elements) => {
                let inner = self.elements.get_or_insert_default();
                for element in elements {
                    inner.add(tree, node, element);
                }
            }
            // It needs no other shape.
            _ if matches!(node.meaning, Meaning::Field(_)) => {}
            Value::Bool(_) => self.is("boolean"),
            Value::Number(number) => match number.as_u64() {
                Some(whole) => {
                    self.is("integer");
                    self.largest = self.largest.max(whole);
                }
                None => self.is("number"),
            },
            Value::String(text) if text.trim().is_empty() => {}
            Value::String(text) => {
                self.is("string");
                self.formats.push(format(tree, text));
                self.formats.sort_unstable();
                self.formats.dedup();
            }
        }
    }

    fn is(&mut self, kind: &'static str) {
        if !self.types.contains(&kind) {
            self.types.push(kind);
        }
    }

    fn schema(&self) -> Value {
        let mut schema = Map::new();
        let members = self.members.iter().map(|(name, inner)| (name.clone(), inner.schema()));
        let mut members: Map<String, Value> =
            members.filter(|(_, inner)| inner.as_object().is_some_and(|inner| !inner.is_empty())).collect();
        if members.len() > MOST_NAMES {
            members.clear();
            schema.insert("type".into(), json!("object"));
        }
        if !members.is_empty() {
            schema.insert("properties".into(), members.into());
        }
        if let Some(elements) = self.elements.as_ref().map(|elements| elements.schema()).filter(|inner| *inner != json!({})) {
            schema.insert("items".into(), elements);
        }
        match self.types.as_slice() {
            [] => {}
            ["integer", "number"] | ["number", "integer"] => drop(schema.insert("type".into(), json!("number"))),
            types => drop(schema.insert("type".into(), json!(types))),
        }
        if self.largest > 0 {
            schema.insert("maximum".into(), self.largest.into());
        }
        match self.formats.as_slice() {
            // One text that is personal data is enough.
            formats if formats.contains(&Some(PERSONAL)) => drop(schema.insert("format".into(), json!(PERSONAL))),
            [Some(format)] => drop(schema.insert("format".into(), json!(format))),
            _ => {}
        }
        Value::Object(schema)
    }
}

/// The format of a text, if it has one.
fn format(tree: &Tree, text: &str) -> Option<&'static str> {
    if text.parse::<IpAddr>().is_ok() {
        return Some("ipv4");
    }
    if super::holds_data(tree, text) {
        return Some(PERSONAL);
    }
    if grammar::is_guid(text) {
        return Some("uuid");
    }
    (Slot::Time.text(text, &Declared::default()) == Checked::Harmless).then_some("date-time")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::engine::shape::Shape;

    fn schema_of(text: &str) -> Value {
        let tree = Tree::new(Shape::built_in().expect("the shape compiles"));
        schema(&tree, &messages(text).expect("messages"))
    }

    #[test]
    fn types_and_formats_of_all_messages_come_together() {
        let seen = schema_of(
            r#"{"gizmos":[{"colour":"red","gauge":1.5,"made":"2026-01-02T10:00:00Z","lit":true},{"colour":"2026-01-02T10:00:00Z","gauge":-1,"left":null}]}
               {"gizmos":[{"colour":"blue","fill":70000,"boss":"m.rossi@example.com","odd":1},{"boss":"nobody","odd":"x"}]}"#,
        );
        let gizmo = json!({"properties": {
            "colour": {"type": ["string"]}, "gauge": {"type": ["number"]}, "made": {"type": ["string"], "format": "date-time"},
            "lit": {"type": ["boolean"]}, "fill": {"type": ["integer"], "maximum": 70_000},
            "boss": {"type": ["string"], "format": PERSONAL}, "odd": {"type": ["integer", "string"], "maximum": 1},
        }});
        assert_eq!(seen, json!({"properties": {"gizmos": {"items": gizmo}}}));
    }

    #[test]
    fn what_is_documented_and_what_is_keyed_by_data_is_not_learnt() {
        assert_eq!(schema_of(r#"{"processes":[{"name":"svchost.exe","threadCount":3}]}"#), json!({}));
        let many: Map<String, Value> = (0..=MOST_NAMES).map(|number| (format!("gizmo{number}"), json!(number))).collect();
        assert_eq!(schema_of(&json!({ "gizmos": many }).to_string()), json!({"properties": {"gizmos": {"type": "object"}}}));
    }

    #[test]
    fn what_is_no_message_is_said_by_its_line() {
        assert_eq!(messages("{\"a\":1}\n\nnope\n"), Err("line 3 must be a JSON document, or the whole file one".to_owned()));
        assert_eq!(messages("{\"a\":\n1}").expect("one document").len(), 1);
    }
}
