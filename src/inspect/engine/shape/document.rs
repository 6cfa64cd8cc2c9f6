//! The shape file as data: documented fields with what they may hold and where they are documented, keys that speak of persons,
//! and the words both are written in.

use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// A whole shape file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The one format this program reads.
    pub format: u32,
    /// What people call the shape.
    pub name: String,
    /// Words that say nothing about a field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub noise: Vec<String>,
    /// For a word, those that mean the same.
    #[serde(default, skip_serializing_if = "HashMap::is_empty")]
    pub synonyms: HashMap<String, Vec<String>>,
    /// The documented fields.
    #[serde(default, rename = "field", skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
    /// Keys that speak of persons.
    #[serde(default, rename = "personal", skip_serializing_if = "Vec::is_empty")]
    pub personal: Vec<Personal>,
}

/// A documented field.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name in reports.
    pub id: String,
    /// Keys it may stand under: words, or `container: words` where it counts only inside a container that has the word.
    pub keys: Vec<String>,
    /// What it may hold.
    pub slot: String,
    /// The words of the vendor's document that name it.
    pub quote: String,
}

/// Keys that speak of persons, whatever stands under them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Personal {
    /// The kind of a finding under such a key.
    pub kind: String,
    /// Keys, as in [`Field::keys`]; a key that has all the words of an entry is meant.
    pub keys: Vec<String>,
}
