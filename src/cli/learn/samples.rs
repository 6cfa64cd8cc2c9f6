//! Captured messages as a source of shapes.

use crate::inspect::engine::tree::Tree;
use crate::observed::fields::{Room, Seen};
use serde_json::Value;

/// What is in captured messages, and how many those are; nothing where a schema was given.
pub(super) type Sampled = Option<(Seen, u64)>;

/// The messages in a file: one JSON document, or one a line.
///
/// # Errors
/// A sentence that names the line which is none.
pub(super) fn messages(text: &str) -> Result<Vec<Value>, String> {
    if let Ok(message) = serde_json::from_str(text) {
        return Ok(vec![message]);
    }
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    let message = |(line, number): (&str, usize)| {
        serde_json::from_str(line).map_err(|_| format!("line {number} must be a JSON document, or the whole file one"))
    };
    lines.map(message).collect()
}

/// What the messages have. Names that may be data are left out when the shape is made, each with its place.
pub(super) fn seen(tree: &Tree, messages: &[Value]) -> Seen {
    let (mut seen, mut room) = (Seen::default(), Room::new(usize::MAX / 2, false));
    for (message, number) in messages.iter().zip(1..) {
        seen.add_message(tree, message, number, &mut room);
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::engine::shape::Shape;
    use crate::inspect::engine::shape::json_schema::PERSONAL;
    use serde_json::{Map, json};

    fn schema_of(text: &str) -> Value {
        let tree = Tree::new(Shape::built_in().expect("the shape compiles"));
        seen(&tree, &messages(text).expect("messages")).schema()
    }

    #[test]
    fn types_and_formats_of_all_messages_come_together() {
        let seen = schema_of(
            r#"{"gizmos":[{"colour":"red","gauge":1.5,"made":"2026-01-02T10:00:00Z","lit":true},{"colour":"2026-01-02T10:00:00Z","gauge":-1,"left":null}]}
               {"gizmos":[{"colour":"blue","fill":70000,"boss":"m.rossi@example.com","odd":1},{"boss":"nobody","odd":"x"}]}"#,
        );
        let gizmo = json!({"properties": {
            "colour": {"type": ["string"]}, "gauge": {"type": ["number"]}, "made": {"type": ["string"], "format": "date-time"},
            "lit": {"type": ["boolean"]}, "fill": {"type": ["integer"], "maximum": 524_287},
            "boss": {"type": ["string"], "format": PERSONAL}, "odd": {"type": ["integer", "string"], "maximum": 255},
        }});
        assert_eq!(seen, json!({"properties": {"gizmos": {"items": gizmo}}}));
    }

    #[test]
    fn what_is_documented_and_what_is_keyed_by_data_is_not_learnt() {
        assert_eq!(schema_of(r#"{"processes":[{"name":"svchost.exe","threadCount":3}]}"#), json!({}));
        let many: Map<String, Value> = (0..=128).map(|number| (format!("gizmo{number}"), json!(number))).collect();
        assert_eq!(schema_of(&json!({ "gizmos": many }).to_string()), json!({"properties": {"gizmos": {"type": "object"}}}));
    }

    #[test]
    fn what_is_no_message_is_said_by_its_line() {
        assert_eq!(messages("{\"a\":1}\n\nnope\n"), Err("line 3 must be a JSON document, or the whole file one".to_owned()));
        assert_eq!(messages("{\"a\":\n1}").expect("one document").len(), 1);
    }
}
