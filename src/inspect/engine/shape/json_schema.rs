//! JSON Schema (draft 2020-12 and before) as a source of shapes: who has the schema of a message need not write its shape by hand.
//!
//! Read: `properties`, `items`, `prefixItems`, `additionalProperties`, `$ref` within the document, `allOf`, `anyOf`, `oneOf`, `type`,
//! `format`, `enum`, `maximum`. A property becomes a field under the words of the property around it. What a schema leaves open is
//! read narrowly: a number without a maximum may count things, a string without a format may be a name.

use super::document::{Document, Field};
use serde_json::{Map, Value};

/// Schemas that are looked at, those behind references each time anew.
const MAX_SCHEMAS: usize = 65_536;
/// Schemas inside one another that are followed.
const MAX_DEPTH: usize = 64;
/// Fields of one schema.
const MAX_FIELDS: usize = 4_096;

/// The `format` of texts in which personal data was seen: a field of them is left out.
pub const PERSONAL: &str = "personal-data";

/// What became of a schema.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Import {
    /// The fields that it documents.
    pub fields: Vec<Field>,
    /// Properties that got no field, as JSON pointers, each with the reason.
    pub left_out: Vec<(String, &'static str)>,
    /// Properties whose names, or those around them, may be somebody's data: JSON pointers in which `(2)` is the third property of its
    /// object, by name in the order of their bytes.
    pub telling: Vec<String>,
}

/// Why a schema is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfit(pub &'static str);

/// Reads a schema. `source` says in every field where it comes from; a property whose name `is_telling` is left out, and so is its name.
///
/// # Errors
/// A sentence with the accepted form: it is no JSON Schema with properties, or too large.
pub fn import(text: &str, source: &str, is_telling: &dyn Fn(&str) -> bool) -> Result<Import, Unfit> {
    let schema: Value = serde_json::from_str(text).map_err(|_| Unfit("the schema must be a JSON document"))?;
    let mut reader = Reader { root: &schema, source, is_telling, schemas: 0, import: Import::default() };
    reader.schema(&schema, &Place::default())?;
    let Import { fields, left_out, telling } = &reader.import;
    if fields.is_empty() && left_out.is_empty() && telling.is_empty() {
        return Err(Unfit("the schema must have properties"));
    }
    Ok(reader.import)
}

impl Document {
    /// Adds fields and keys of another shape: where a key is in both, the first document's field stays the first.
    pub fn extend(&mut self, other: Self) {
        self.noise.extend(other.noise);
        for (meaning, words) in other.synonyms {
            self.synonyms.entry(meaning).or_default().extend(words);
        }
        self.words.extend(other.words);
        self.counting.extend(other.counting);
        self.impersonal.extend(other.impersonal);
        self.fields.extend(other.fields);
        self.personal.extend(other.personal);
    }
}

/// Where a schema stands.
#[derive(Debug, Clone, Default)]
struct Place {
    /// Names of the properties, the outermost first.
    names: Vec<String>,
    /// Their positions.
    positions: Vec<usize>,
    /// References that were followed to here.
    references: Vec<String>,
    /// Schemas around it.
    depth: usize,
}

impl Place {
    fn property(&self, position: usize, name: &str) -> Self {
        let mut inner = self.step();
        inner.names.push(name.to_owned());
        inner.positions.push(position);
        inner
    }

    fn reference(&self, target: &str) -> Self {
        let mut inner = self.step();
        inner.references.push(target.to_owned());
        inner
    }

    fn step(&self) -> Self {
        Self { depth: self.depth + 1, ..self.clone() }
    }

    fn position(&self) -> String {
        self.positions.iter().fold(String::new(), |pointer, position| pointer + "/(" + &position.to_string() + ")")
    }

    fn pointer(&self) -> String {
        self.names.iter().fold(String::new(), |pointer, name| pointer + "/" + &name.replace('~', "~0").replace('/', "~1"))
    }
}

struct Reader<'s> {
    root: &'s Value,
    source: &'s str,
    is_telling: &'s dyn Fn(&str) -> bool,
    /// Schemas so far.
    schemas: usize,
    import: Import,
}

impl<'s> Reader<'s> {
    fn schema(&mut self, schema: &'s Value, place: &Place) -> Result<(), Unfit> {
        self.schemas += 1;
        if self.schemas > MAX_SCHEMAS || place.depth > MAX_DEPTH {
            return Err(Unfit("the schema must not be larger than 65,536 schemas, nor nested deeper than 64"));
        }
        let Some(schema) = schema.as_object() else { return Ok(()) };
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            return self.reference(target, place);
        }
        let mut is_container = false;
        for inner in inner_schemas(schema) {
            is_container = true;
            self.schema(inner, &place.step())?;
        }
        for (position, (name, inner)) in schema.get("properties").and_then(Value::as_object).into_iter().flatten().enumerate() {
            is_container = true;
            let place = place.property(position, name);
            if (self.is_telling)(name) {
                self.import.telling.push(place.position());
                continue;
            }
            self.schema(inner, &place)?;
        }
        if is_container { Ok(()) } else { self.leaf(schema, place) }
    }

    /// `#/$defs/name` and the like (RFC 6901).
    fn reference(&mut self, target: &str, place: &Place) -> Result<(), Unfit> {
        if place.references.iter().any(|earlier| earlier == target) {
            self.leave_out(place, "refers to itself");
            return Ok(());
        }
        let Some(schema) = target.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer)) else {
            self.leave_out(place, "refers to another document, or to nothing");
            return Ok(());
        };
        self.schema(schema, &place.reference(target))
    }

    fn leaf(&mut self, schema: &Map<String, Value>, place: &Place) -> Result<(), Unfit> {
        let Some((name, around)) = place.names.split_last() else { return Ok(()) };
        if self.import.fields.len() >= MAX_FIELDS {
            return Err(Unfit("the schema must not have more than 4,096 fields"));
        }
        let slot = match slot(schema) {
            Ok(slot) => slot,
            Err(reason) => {
                self.leave_out(place, reason);
                return Ok(());
            }
        };
        let key = match around.last() {
            Some(container) => format!("{}: {}", words(container), words(name)),
            None => words(name),
        };
        let quote = format!("{}{}", self.source, place.pointer());
        self.import.fields.push(Field { id: place.names.join("."), keys: vec![key], slot: slot.to_owned(), quote });
        Ok(())
    }

    fn leave_out(&mut self, place: &Place, reason: &'static str) {
        self.import.left_out.push((place.pointer(), reason));
    }
}

/// Schemas that apply to the same value or to what is in it, without a name of their own.
fn inner_schemas(schema: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    let lists = ["allOf", "anyOf", "oneOf", "prefixItems"].iter().filter_map(|name| schema.get(*name)?.as_array()).flatten();
    let single = ["items", "additionalProperties"].iter().filter_map(|name| schema.get(*name)).filter(|inner| inner.is_object());
    lists.chain(single)
}

/// A colon would divide a key.
fn words(name: &str) -> String {
    name.replace(':', " ")
}

/// What a leaf may hold.
fn slot(schema: &Map<String, Value>) -> Result<&'static str, &'static str> {
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect(),
        _ => Vec::new(),
    };
    match types.as_slice() {
        ["boolean"] => Ok("switch"),
        ["integer"] => whole(schema.get("maximum").and_then(Value::as_u64)),
        ["number"] => Ok("rate"),
        ["string"] => text(schema),
        [] if schema.contains_key("enum") => text(schema),
        _ => Err("has no single type that a field can have"),
    }
}

fn whole(maximum: Option<u64>) -> Result<&'static str, &'static str> {
    match maximum {
        None | Some(..=1_000_000) => Ok("count"),
        Some(..=0x100_0000) => Ok("handles"),
        Some(..=0xffff_ffff) => Ok("id"),
        Some(..=0x4000_0000_0000) => Ok("bytes"),
        Some(_) => Err("may be larger than any documented number"),
    }
}

fn text(schema: &Map<String, Value>) -> Result<&'static str, &'static str> {
    if schema.contains_key("enum") || schema.contains_key("const") {
        return Ok("state");
    }
    match schema.get("format").and_then(Value::as_str) {
        None => Ok("name"),
        Some("date-time" | "date" | "time") => Ok("time"),
        Some("uuid") => Ok("token"),
        Some("ipv4" | "ipv6") => Ok("address"),
        Some("hostname") => Ok("node"),
        Some("email" | "idn-email" | "uri" | "iri" | "uri-reference" | "iri-reference") => {
            Err("its format holds addresses of people or places")
        }
        Some(PERSONAL) => Err("a value that was seen under it is personal data"),
        Some(_) => Err("its format is not known"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::engine::shape::slot::Slot;
    use serde_json::json;

    fn imported(schema: &Value) -> Vec<(String, String)> {
        let import = import(&schema.to_string(), "beat.schema.json#", &|_| false).expect("a schema");
        import.fields.into_iter().map(|field| (field.keys.join("|"), field.slot)).collect()
    }

    #[test]
    fn properties_become_fields_under_what_is_around_them() {
        let schema = json!({
            "type": "object",
            "properties": {
                "sentAt": {"type": "string", "format": "date-time"},
                "queues": {"type": "array", "items": {"$ref": "#/$defs/queue"}},
                "mode": {"enum": ["a", "b"]},
                "extra": {"type": "object", "additionalProperties": {"type": "boolean"}},
                "either": {"oneOf": [{"type": "integer", "maximum": 70_000}, {"type": "string"}]},
            },
            "$defs": {"queue": {"properties": {
                "waiting": {"type": ["integer", "null"]},
                "server": {"type": "string", "format": "ipv4"},
                "load": {"type": "number"},
                "used": {"type": "integer", "maximum": 70_000_000_000_u64},
            }}},
        });
        let expected = [
            ("either", "count"),
            ("either", "name"),
            ("extra", "switch"),
            ("mode", "state"),
            ("queues: load", "rate"),
            ("queues: server", "address"),
            ("queues: used", "bytes"),
            ("queues: waiting", "count"),
            ("sentAt", "time"),
        ];
        let found = imported(&schema);
        assert_eq!(found.iter().map(|(key, slot)| (key.as_str(), slot.as_str())).collect::<Vec<_>>(), expected);
        assert!(found.iter().all(|(_, slot)| Slot::named(slot).is_some()), "{found:?}");
    }

    #[test]
    fn what_becomes_no_field_is_named_with_its_reason() {
        let schema = json!({"properties": {
            "contact": {"type": "string", "format": "email"},
            "blob": {"type": ["string", "integer"]},
            "self": {"$ref": "#"},
            "other": {"$ref": "other.json"},
            "huge": {"type": "integer", "maximum": u64::MAX},
        }});
        let import = import(&schema.to_string(), "x", &|_| false).expect("a schema");
        assert!(import.fields.is_empty(), "{import:?}");
        let places: Vec<&str> = import.left_out.iter().map(|(place, _)| place.as_str()).collect();
        for place in ["/blob", "/contact", "/huge", "/other", "/self/self"] {
            assert!(places.contains(&place), "{places:?}");
        }
    }

    #[test]
    fn names_that_tell_something_are_left_out_with_all_inside() {
        let schema = json!({"properties": {
            "alpha": {"type": "integer"},
            "secret": {"properties": {"load": {"type": "integer"}}},
            "zone": {"properties": {"secret": {"type": "integer"}, "load": {"type": "integer"}}},
        }});
        let import = import(&schema.to_string(), "x", &|name| name == "secret").expect("a schema");
        assert_eq!(import.telling, ["/(1)", "/(2)/(1)"]);
        assert_eq!(import.fields.iter().map(|field| field.id.as_str()).collect::<Vec<_>>(), ["alpha", "zone.load"]);
        assert!(!format!("{import:?}").replace("telling", "").contains("secret"), "{import:?}");
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        for text in ["", "[]", "{}", "true", "{\"type\":\"object\"}"] {
            assert!(import(text, "x", &|_| false).is_err(), "{text}");
        }
    }
}
