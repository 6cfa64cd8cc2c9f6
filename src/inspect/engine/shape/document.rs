//! The shape file as data: documented fields with what they may hold and where they are documented, keys that speak of persons,
//! and the words both are written in.

use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// A whole shape file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
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
    /// Words that senders use around the fields: known, and they say nothing of what a field holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
    /// How things are counted.
    #[serde(default, skip_serializing_if = "Counting::is_empty")]
    pub counting: Counting,
    /// Keys of things that look as if they spoke of persons: a mail server is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub impersonal: Vec<String>,
    /// The documented fields.
    #[serde(default, rename = "field", skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
    /// Keys that speak of persons.
    #[serde(default, rename = "personal", skip_serializing_if = "Vec::is_empty")]
    pub personal: Vec<Personal>,
}

/// How things are counted: `phoneCount` and `numberOfPhones` are amounts, `phoneNumber` is not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Counting {
    /// Words that count whatever stands beside them.
    pub always: Vec<String>,
    /// Words for a number: of several things, it is how many they are; of one, it is that thing's number.
    pub numbers: Vec<String>,
    /// Words that count beside a plural.
    pub participles: Vec<String>,
    /// Plurals that do not end in s.
    pub plurals: Vec<String>,
    /// Words that end in s and are no plural.
    pub singulars: Vec<String>,
    /// Containers in which a plural is an amount.
    pub containers: Vec<String>,
    /// Several of these hold data in their keys, unless a word of the shape is in them.
    pub keyed: Vec<String>,
}

impl Counting {
    fn is_empty(&self) -> bool {
        self == &Self::default()
    }

    /// Every word of it.
    pub fn words(&self) -> impl Iterator<Item = &String> {
        let lists = [&self.always, &self.numbers, &self.participles, &self.plurals, &self.singulars, &self.containers, &self.keyed];
        lists.into_iter().flatten()
    }

    /// Adds the words of another.
    pub fn extend(&mut self, other: Self) {
        self.always.extend(other.always);
        self.numbers.extend(other.numbers);
        self.participles.extend(other.participles);
        self.plurals.extend(other.plurals);
        self.singulars.extend(other.singulars);
        self.containers.extend(other.containers);
        self.keyed.extend(other.keyed);
    }
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
