//! The proposed shape as a file.

use super::evidence::plain;
use crate::inspect::engine::shape::Meaning;
use crate::inspect::engine::shape::document::{Document, Field};
use crate::inspect::engine::shape::json_schema::{self, Import};
use crate::inspect::engine::tree::Tree;
use crate::observed::fields::Seen;
use crate::observed::telling::is_telling;
use crate::observed::{self, document::Messages};
use std::fmt::Write as _;

/// What fields come from.
pub(super) struct Part<'s> {
    /// What stands before the pointer in each field's quote.
    pub source: String,
    /// The fields.
    pub import: Import,
    /// What was seen of them, in how many messages.
    pub seen: Option<(&'s Seen, u64)>,
}

/// A shape of what was observed. It may be one without fields: then all that was seen is documented.
pub(super) fn observed(tree: &Tree, document: &observed::Document) -> Result<String, String> {
    let mut parts = Vec::new();
    for Messages { service, count, fields } in &document.messages {
        let schema = fields.schema().to_string();
        let source = format!("messages of {service}#");
        if schema != "{}" {
            let import = json_schema::import(&schema, &source, &|name| is_telling(tree, name));
            let import = import.map_err(|unfit| format!("what was observed of {service}: {}", unfit.0))?;
            parts.push(Part { source, import, seen: Some((fields, *count)) });
        }
    }
    let left_out = document.left_out;
    let count: u64 = document.messages.iter().map(|messages| messages.count).sum();
    let (first, last) = document.days();
    let name = format!("{count} messages observed {first} to {last}");
    let mut text = proposal(&name, parts, left_out.names, |key| tree.meaning(key)).map_err(|error| error.to_string())?;
    if left_out.fields + left_out.messages > 0 {
        let _ = writeln!(
            text,
            "\n# Not looked at: {} messages (too many at once, or in no format of which fields are told), {} fields (no room)",
            left_out.messages, left_out.fields
        );
    }
    Ok(text)
}

/// The shape as a file. Keys that speak of persons are left out: the shape in force refuses them, and should. `names` were left out before.
pub(super) fn proposal(
    name: &str,
    parts: Vec<Part<'_>>,
    names: u64,
    meaning: impl Fn(&str) -> Meaning,
) -> Result<String, toml::ser::Error> {
    let (mut head, mut body, mut count, mut left_out) = (String::new(), String::new(), 0, 0);
    // Writing to a string cannot fail.
    for Part { source, import, seen } in parts {
        let (personal, fields) = import.fields.into_iter().partition::<Vec<_>, _>(|field| {
            let key = field.keys.first().map(|key| key.rsplit(':').next().unwrap_or(key).trim());
            key.is_some_and(|key| matches!(meaning(key), Meaning::Personal(_)))
        });
        count += fields.len();
        left_out += import.left_out.len() + import.telling.len() + personal.len();
        if !import.telling.is_empty() {
            let places = import.telling.join(", ");
            let _ = writeln!(head, "# {} of them with names that may be personal data: {places}", import.telling.len());
        }
        for (place, reason) in &import.left_out {
            let _ = writeln!(head, "# left out: {}: {reason}", plain(place));
        }
        for field in &personal {
            let _ = writeln!(head, "# left out: {}: its name speaks of a person", plain(&field.quote));
        }
        for field in &fields {
            let pointer = field.quote.strip_prefix(&source).unwrap_or_default();
            let evidence = seen.and_then(|(seen, count)| Some(find(seen, pointer)?.evidence(count)));
            let _ = write!(body, "\n{}[[field]]\n{}", evidence.map_or_else(String::new, |seen| format!("# {seen}\n")), one(field)?);
        }
    }
    if names > 0 {
        let _ = writeln!(head, "# left out: names that may be personal data, or are too many; they came {names} times");
    }
    let name = plain(name);
    let document = Document { format: 1, name: name.clone(), ..Document::default() };
    Ok(format!(
        "# Proposed from {name}: names and types only. Review each field: what is here may leave.\n# {count} fields, {left_out} left out.\n{head}\n{}{body}",
        toml::to_string(&document)?
    ))
}

fn one(field: &Field) -> Result<String, toml::ser::Error> {
    toml::to_string(field)
}

/// What was seen under a JSON pointer of names (RFC 6901).
fn find<'s>(seen: &'s Seen, pointer: &str) -> Option<&'s Seen> {
    let names: Vec<String> = pointer.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~")).collect();
    seen.find(&names.iter().map(String::as_str).collect::<Vec<_>>())
}
