//! The documented shape: which fields there are, what each may hold, and which keys speak of persons.
//!
//! The wire format is not public, so a field is recognised by the words of its key and of the containers around it, however they
//! are spelled: `processId`, `process_id` and `PID` under `runningProcesses` are one field.

pub mod document;
pub mod grammar;
pub mod json_schema;
pub mod lists;
pub mod products;
pub mod quick;
pub mod slot;
pub mod words;

use crate::inspect::engine::canonical::fold::{fold, skeleton};
use crate::inspect::engine::finding::Kind;
use document::Document;
use slot::Slot;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use words::{Vocabulary, Words};

/// The documented shape, part of the program.
pub const DOCUMENTED: &str = include_str!("../../../../config/policy/shape.toml");
/// The format of shape files that is read.
const FORMAT: u32 = 1;
/// What it is called in errors.
pub const NAME: &str = "config/policy/shape.toml (built in)";

/// A compiled shape.
#[derive(Debug)]
pub struct Shape {
    vocabulary: Vocabulary,
    /// By the signature of a key: where it counts, and what it may hold.
    fields: HashMap<String, Vec<Rule>>,
    /// By one word of the key: the other words, and the kind.
    personal: HashMap<String, Vec<PersonalRule>>,
    /// Every word of the file, by its meaning.
    known: HashSet<String>,
}

#[derive(Debug)]
struct Rule {
    /// Words of which one container must have one; anywhere, if there is none.
    under: Vec<String>,
    slot: Slot,
}

#[derive(Debug)]
struct PersonalRule {
    words: Vec<String>,
    under: Vec<String>,
    kind: Kind,
}

/// What a key says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// A documented field.
    Field(Slot),
    /// It speaks of a person.
    Personal(Kind),
    /// Nobody documents it.
    Unknown,
}

/// Why a shape file does not compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit(pub String);

impl Shape {
    /// The documented shape by itself.
    ///
    /// # Errors
    /// None, as long as the file of this program is fit; see [`Shape::compile`].
    pub fn built_in() -> Result<Self, Unfit> {
        let document: Document = toml::from_str(DOCUMENTED).map_err(|error| Unfit(error.message().to_owned()))?;
        Self::compile(&document)
    }

    /// Compiles a shape.
    ///
    /// # Errors
    /// For a slot, a kind or a key that is none, with its name.
    pub fn compile(document: &Document) -> Result<Self, Unfit> {
        if document.format != FORMAT {
            return Err(Unfit(format!("format {} is not read; write format = {FORMAT}", document.format)));
        }
        let vocabulary = vocabulary(document);
        let known = known(document, &vocabulary);
        let mut shape = Self { vocabulary, fields: HashMap::new(), personal: HashMap::new(), known };
        for field in &document.fields {
            let slot = Slot::named(&field.slot).ok_or_else(|| Unfit(format!("field {}: {:?} is no slot", field.id, field.slot)))?;
            for key in &field.keys {
                let (under, words) = shape.place(key);
                if words.is_empty() {
                    return Err(Unfit(format!("field {}: the key {key:?} has no word that means anything", field.id)));
                }
                shape.fields.entry(words.signature()).or_default().push(Rule { under, slot });
            }
        }
        for entry in &document.personal {
            let kind = Kind::named(&entry.kind).ok_or_else(|| Unfit(format!("{:?} is no kind of personal data", entry.kind)))?;
            for key in &entry.keys {
                shape.add_personal(key, kind)?;
            }
        }
        Ok(shape)
    }

    fn add_personal(&mut self, key: &str, kind: Kind) -> Result<(), Unfit> {
        let (under, words) = self.place(key);
        let Some((first, rest)) = words.as_slice().split_first() else {
            return Err(Unfit(format!("personal {kind:?}: the key {key:?} has no word that means anything")));
        };
        let rule = PersonalRule { words: rest.to_vec(), under, kind };
        self.personal.entry(first.clone()).or_default().push(rule);
        Ok(())
    }

    /// `container: words` taken apart and folded.
    fn place(&self, key: &str) -> (Vec<String>, Words) {
        let (under, words) = key.split_once(':').unwrap_or(("", key));
        (self.vocabulary.fold(under).as_slice().to_vec(), self.vocabulary.fold(words))
    }

    /// Whether all words of a key are ones the shape itself has: such a key says nothing that is not ours, and may be shown.
    #[must_use]
    pub fn knows(&self, key: &str) -> bool {
        self.read(key).1
    }

    /// The words of a key, and whether it may be shown ([`Shape::knows`]).
    #[must_use]
    pub fn read(&self, key: &str) -> (Words, bool) {
        let split = words::split(&plain(key));
        let is_printable = key.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        let mut is_known = key.len() <= 64 && !split.is_empty() && is_printable;
        // Every word of the file is known, those that say nothing too.
        let words = self.vocabulary.fold_split(&split, |word| {
            let is_word_known = self.known.contains(word);
            is_known &= is_word_known;
            is_word_known
        });
        (words, is_known)
    }

    /// The words of a key.
    #[must_use]
    pub fn fold(&self, key: &str) -> Words {
        self.vocabulary.fold(&plain(key))
    }

    /// What a key says inside its containers, the outermost first. A key that says nothing by itself (`value`) has the meaning of
    /// the nearest container that does.
    #[must_use]
    pub fn meaning(&self, containers: &[Words], key: &Words) -> Meaning {
        let meaning = |around: Meaning, (depth, key): (usize, &Words)| {
            let containers = containers.get(..depth).unwrap_or_default();
            self.meaning_inside(containers, around, key)
        };
        containers.iter().chain([key]).enumerate().fold(Meaning::Unknown, meaning)
    }

    /// The same where the meaning of the innermost container is known. Containers that have no words need not be among those given.
    #[must_use]
    pub fn meaning_inside(&self, containers: &[Words], around: Meaning, key: &Words) -> Meaning {
        if key.is_empty() {
            return around;
        }
        // What stands in a container that speaks of a person does too.
        let inherited = if matches!(around, Meaning::Personal(_)) { around } else { Meaning::Unknown };
        // Every rule has words that are known: a key without one meets none.
        if !key.as_slice().iter().any(|word| self.known.contains(word)) {
            return inherited;
        }
        self.documented(containers, key)
            .or_else(|| self.flattened(containers, key))
            .or_else(|| self.person(key, &<[String]>::is_empty))
            .or_else(|| self.documented(containers, &key.without(containers)))
            .unwrap_or(inherited)
    }

    /// What the words of a key say: what counts in a container that is there comes before what counts anywhere.
    fn documented(&self, containers: &[Words], key: &Words) -> Option<Meaning> {
        let inside = |under: &[String]| under.iter().any(|word| containers.iter().any(|container| container.has(word)));
        self.field(key, &inside).or_else(|| self.person(key, &inside)).or_else(|| self.field(key, &<[String]>::is_empty))
    }

    /// `processes.0.name`, `clusterNodesName`: the first words of the key are its container, unless they speak of a person. What the
    /// words in whole say of a person counts unless the field is documented with the same words.
    fn flattened(&self, containers: &[Words], key: &Words) -> Option<Meaning> {
        let person = |words: &Words| self.person(words, &<[String]>::is_empty);
        let whole = person(key);
        let mut around = containers.to_vec();
        for (container, key) in key.splits() {
            if person(&container).is_some() {
                return None;
            }
            around.truncate(containers.len());
            around.push(container);
            let inside = |under: &[String]| under.iter().any(|word| around.iter().any(|container| container.has(word)));
            let found = self.field(&key, &inside).or_else(|| self.person(&key, &inside));
            let anywhere = || self.field(&key, &<[String]>::is_empty).filter(|_| whole.is_none() || person(&key) == whole);
            if let Some(meaning) = found.or_else(anywhere) {
                return Some(meaning);
            }
        }
        None
    }

    fn field(&self, key: &Words, counts: &dyn Fn(&[String]) -> bool) -> Option<Meaning> {
        let rules = self.fields.get(&key.signature())?;
        rules.iter().find(|rule| counts(&rule.under)).map(|rule| Meaning::Field(rule.slot))
    }

    /// The rule with the most words is meant; of two, the one for the last word: a user's mail is mail.
    fn person(&self, key: &Words, counts: &dyn Fn(&[String]) -> bool) -> Option<Meaning> {
        let rules = |word: &String| self.personal.get(word).map(Vec::as_slice).unwrap_or_default();
        let has_all = |rule: &&PersonalRule| counts(&rule.under) && rule.words.iter().all(|word| key.has(word));
        let rules = key.as_slice().iter().flat_map(|word| rules(word).iter().filter(has_all));
        rules.max_by_key(|rule| rule.words.len()).map(|rule| Meaning::Personal(rule.kind))
    }
}

/// A key as it looks: letters of other scripts that look like Latin ones, wide ones and what is not seen make no other word.
fn plain(key: &str) -> Cow<'_, str> {
    if key.is_ascii() { Cow::Borrowed(key) } else { Cow::Owned(skeleton(&fold(key)).into_owned()) }
}

fn known(document: &Document, vocabulary: &Vocabulary) -> HashSet<String> {
    let fields = document.fields.iter().flat_map(|field| &field.keys);
    let keys = fields.chain(document.personal.iter().flat_map(|entry| &entry.keys)).chain(&document.noise);
    keys.flat_map(|key| words::split(key)).map(|word| vocabulary.meaning(&word).to_owned()).collect()
}

fn vocabulary(document: &Document) -> Vocabulary {
    let meanings = document.synonyms.iter().flat_map(|(meaning, words)| words.iter().map(move |word| (word.clone(), meaning.clone())));
    Vocabulary::new(meanings.collect(), document.noise.clone())
}

#[cfg(test)]
mod tests;
