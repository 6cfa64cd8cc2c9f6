//! The documented shape: which fields there are, what each may hold, and which keys speak of persons.
//!
//! The wire format is not public, so a field is recognised by the words of its key and of the containers around it, however they
//! are spelled: `processId`, `process_id` and `PID` under `runningProcesses` are one field.

pub mod document;
mod form;
pub mod grammar;
mod joined;
pub mod json_schema;
pub mod lists;
pub mod products;
pub mod quick;
pub mod slot;
pub mod terms;
pub mod words;

use crate::inspect::engine::canonical::fold::{fold, skeleton};
use crate::inspect::engine::finding::Kind;
use document::Document;
use form::Tallies;
use joined::Lexicon;
use slot::Slot;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use words::{Vocabulary, Words};

/// The documented shape, part of the program.
pub const DOCUMENTED: &str = include_str!("../../../../config/policy/shape.toml");
/// The format of shape files that is read.
const FORMAT: u32 = 1;
/// Longest key in bytes that says nothing but words of the shape.
const LONGEST_OF_OURS: usize = 96;
/// Longest word in bytes that has a plural only if a field is named by it.
const LONGEST_INVARIABLE: usize = 3;
/// Most digits of the index of a row, or of the number of a field.
const LONGEST_INDEX: usize = 4;
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
    /// Every word of the file as it may be written, for keys without separators.
    lexicon: Lexicon,
    /// Containers in which a plural is an amount.
    amounts: HashSet<String>,
    /// Things that hold data in their keys where several are meant.
    keyed: HashSet<String>,
}

#[derive(Debug)]
struct Rule {
    /// Words of which one container must have one; anywhere, if there is none.
    under: Vec<String>,
    slot: Slot,
    /// Whether it was written as the number of one thing.
    numbers: bool,
}

#[derive(Debug)]
struct PersonalRule {
    words: Vec<String>,
    under: Vec<String>,
    /// None where the words are those of a thing.
    kind: Option<Kind>,
    /// Whether the number of one thing is meant: `faxNumber`, not `faxCount`.
    numbers: bool,
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

/// A key as it was read.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its words.
    pub words: Words,
    /// Whether it may be shown: all its words are ones the shape itself has.
    pub is_shown: bool,
    /// Whether nothing is in it but words of the shape, and indices.
    pub is_ours: bool,
    /// Whether it may be shown but for indices of rows: one cannot hide anything between words.
    pub is_plain: bool,
    /// All its words as one: `pho_ne` is a phone.
    joined: Option<String>,
    /// Of the key of a row (`hotfixes.0.installedOn`), its list and the key inside.
    parted: Option<(Words, Words)>,
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
        let meanings = |words: &[String]| words.iter().map(|word| vocabulary.meaning(word).to_owned()).collect();
        let (amounts, keyed) = (meanings(&document.counting.containers), meanings(&document.counting.keyed));
        let (fields, personal, lexicon) = (HashMap::new(), HashMap::new(), Lexicon::default());
        let mut shape = Self { vocabulary, fields, personal, known, lexicon, amounts, keyed };
        for field in &document.fields {
            let slot = Slot::named(&field.slot).ok_or_else(|| Unfit(format!("field {}: {:?} is no slot", field.id, field.slot)))?;
            for key in &field.keys {
                let (under, words) = shape.place(key);
                if words.is_empty() {
                    return Err(Unfit(format!("field {}: the key {key:?} has no word that means anything", field.id)));
                }
                shape.fields.entry(words.signature()).or_default().push(Rule { under, slot, numbers: words.form().numbers() });
            }
        }
        for entry in &document.personal {
            let kind = Kind::named(&entry.kind).ok_or_else(|| Unfit(format!("{:?} is no kind of personal data", entry.kind)))?;
            entry.keys.iter().try_for_each(|key| shape.add_personal(key, Some(kind)))?;
        }
        document.impersonal.iter().try_for_each(|key| shape.add_personal(key, None))?;
        shape.lexicon = shape.lexicon(document);
        Ok(shape)
    }

    fn add_personal(&mut self, key: &str, kind: Option<Kind>) -> Result<(), Unfit> {
        let (under, words) = self.place(key);
        let Some((first, rest)) = words.as_slice().split_first() else {
            return Err(Unfit(format!("personal {kind:?}: the key {key:?} has no word that means anything")));
        };
        let rule = PersonalRule { words: rest.to_vec(), under, kind, numbers: words.form().numbers() };
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
        self.read(key).is_shown
    }

    /// The words of the file as they may be written, and their plurals.
    fn lexicon(&self, document: &Document) -> Lexicon {
        let synonyms = document.synonyms.iter().flat_map(|(meaning, words)| words.iter().chain([meaning]));
        let words = keys(document).chain(synonyms).flat_map(|key| words::split(key));
        // There are `days`; what says nothing has no plural that short, or `nels` would be one.
        let named: HashSet<String> = document.fields.iter().flat_map(|field| &field.keys).flat_map(|key| words::split(key)).collect();
        let plural = |word: &str| (word.len() > LONGEST_INVARIABLE || named.contains(word)).then(|| format!("{word}s"));
        let forms = words.flat_map(|word| plural(&word).into_iter().chain([format!("{word}es"), word]).collect::<Vec<_>>());
        let known = forms.filter_map(|word| {
            let meaning = self.vocabulary.meaning(&word);
            let is_personal = self.known.contains(meaning).then(|| self.person(&Words::one(meaning), &<[String]>::is_empty).is_some())?;
            Some((word, is_personal))
        });
        Lexicon::new(known)
    }

    /// A key taken apart.
    #[must_use]
    pub fn read(&self, key: &str) -> Key {
        let plain = plain(key);
        let split = words::split(&plain);
        let read = self.read_split(key, &split);
        if read.is_ours {
            return read;
        }
        let apart = self.apart(&split).or_else(|| self.whole(&plain, &split));
        apart.map_or_else(|| read.clone(), |apart| Key { joined: read.joined.clone(), ..self.read_split(key, &apart) })
    }

    /// The words of a key, those that are joined ones taken apart; none if no word is.
    fn apart(&self, split: &[String]) -> Option<Vec<String>> {
        let is_known = |word: &str| self.known.contains(self.vocabulary.meaning(word));
        let parts: Vec<Option<Vec<&str>>> = split.iter().map(|word| self.lexicon.apart(word).filter(|_| !is_known(word))).collect();
        if parts.iter().all(Option::is_none) {
            return None;
        }
        let words = split.iter().zip(parts).flat_map(|(word, parts)| parts.unwrap_or_else(|| vec![word.as_str()]));
        let words: Vec<String> = words.map(str::to_owned).collect();
        (words.len() <= words::MAX_WORDS).then_some(words)
    }

    /// The words of a key without separators whose capitals do not tell them: `DNSservers`.
    fn whole(&self, key: &str, split: &[String]) -> Option<Vec<String>> {
        if split.len() < 2 || key.len() > LONGEST_OF_OURS || !key.chars().all(char::is_alphanumeric) {
            return None;
        }
        let joined = split.concat();
        self.lexicon.apart(&joined).map(|words| words.into_iter().map(str::to_owned).collect())
    }

    /// A key whose words are known.
    fn read_split(&self, key: &str, split: &[String]) -> Key {
        let is_printable = key.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        let is_some = key.len() <= LONGEST_OF_OURS && !split.is_empty() && is_whole(key, split);
        let has_words = split.iter().any(|word| !words::is_index(word, LONGEST_INDEX));
        let (mut is_known, mut is_ours, mut is_plain) = (is_some, is_some, is_some && has_words);
        let mut is_behind_index = false;
        // Every word of the file is known, those that say nothing too.
        let words = self.vocabulary.fold_split(split, |word| {
            let is_word_known = self.known.contains(word);
            // A letter may be an initial.
            let (is_index, is_shown) = (words::is_index(word, LONGEST_INDEX), is_word_known && word.len() > 1);
            is_known &= is_shown;
            is_ours &= is_word_known || is_index;
            is_plain &= is_shown && !is_index || is_index && !is_behind_index;
            is_behind_index = is_index;
            is_word_known
        });
        let joined = (split.len() > 1).then(|| split.concat());
        Key { words, is_shown: is_known && is_printable, is_ours, is_plain: is_plain && is_printable, joined, parted: self.parted(split) }
    }

    /// A key taken apart at the last index of a row in it.
    fn parted(&self, split: &[String]) -> Option<(Words, Words)> {
        let is_index = |word: &String| words::is_index(word, LONGEST_INDEX);
        // What stands behind may be an index, too: `dnsServers.0`.
        let end = split.iter().rposition(|word| !is_index(word))?;
        let at = split.get(..end)?.iter().rposition(is_index)?;
        let fold = |part: &[String]| self.vocabulary.fold_split(part, |_| true);
        let (list, own) = (fold(split.get(..at)?), fold(split.get(at..=end)?));
        (!list.is_empty() && !own.is_empty()).then_some((list, own))
    }

    /// The words of a key.
    #[must_use]
    pub fn fold(&self, key: &str) -> Words {
        self.read(key).words
    }

    /// What a key says inside its containers, the outermost first. A key that says nothing by itself (`value`) has the meaning of
    /// the nearest container that does.
    #[must_use]
    pub fn meaning(&self, containers: &[Key], key: &Key) -> Meaning {
        let words: Vec<Words> = containers.iter().map(|container| container.words.clone()).collect();
        let step = |(around, inherited): (Meaning, Meaning), (depth, key): (usize, &Key)| {
            let meaning = self.meaning_inside(words.get(..depth).unwrap_or_default(), around, inherited, key);
            (meaning, if key.words.is_empty() { inherited } else { self.inherited(meaning, &key.words) })
        };
        containers.iter().chain([key]).enumerate().fold((Meaning::Unknown, Meaning::Unknown), step).0
    }

    /// What a container of this meaning says of what stands in it: in one that speaks of a person, all does. Users and requests
    /// of theirs are counted, and where they are listed each is one.
    #[must_use]
    pub fn inherited(&self, meaning: Meaning, container: &Words) -> Meaning {
        match meaning {
            Meaning::Personal(_) => meaning,
            Meaning::Field(Slot::Users | Slot::Rate) => {
                self.person(container, &<[String]>::is_empty).map_or(Meaning::Unknown, Meaning::Personal)
            }
            _ => Meaning::Unknown,
        }
    }

    /// The same where the meaning of the innermost container is known, and what it says of what stands in it. Containers that have no
    /// words need not be among those given.
    #[must_use]
    pub fn meaning_inside(&self, containers: &[Words], around: Meaning, inherited: Meaning, key: &Key) -> Meaning {
        let words = &key.words;
        if words.is_empty() {
            return around;
        }
        let spelled = || key.joined.as_deref().and_then(|joined| self.spelled(joined));
        // Every rule has words that are known: a key without one meets none.
        if !words.as_slice().iter().any(|word| self.known.contains(word)) {
            return spelled().unwrap_or(inherited);
        }
        if self.is_amount(containers, inherited, words) && !self.is_other_field(containers, words) {
            return Meaning::Field(Slot::Users);
        }
        let counts = |under: &[String]| under.is_empty() || innermost(containers, under).is_some();
        let is_of_a_thing = || self.personal_rule(words, &counts).is_some_and(|rule| rule.kind.is_none());
        let person = || self.person(words, &<[String]>::is_empty).filter(|_| !is_of_a_thing()).map(Meaning::Personal);
        if inherited != Meaning::Unknown {
            return person().unwrap_or(inherited);
        }
        self.indexed(containers, key)
            .or_else(|| self.documented(containers, words))
            .or_else(spelled)
            .or_else(|| self.flattened(containers, words))
            .or_else(person)
            .or_else(|| self.documented(containers, &words.without(containers)))
            .unwrap_or(Meaning::Unknown)
    }

    /// Whether the container holds data in its keys, and this is one: `calls: { "4312": 1 }`.
    #[must_use]
    pub fn is_data(&self, containers: &[Words], key: &Words) -> bool {
        let Some(container) = containers.last().filter(|container| container.form().plural) else { return false };
        !key.is_empty()
            && container.as_slice().iter().any(|word| self.keyed.contains(word))
            && !key.as_slice().iter().any(|word| self.known.contains(word))
    }

    /// An amount of persons or of what is theirs: `phoneCount`, `phones: { total }`, `license: { extensions }`.
    fn is_amount(&self, containers: &[Words], inherited: Meaning, key: &Words) -> bool {
        let form = key.form();
        if !form.counts() && !form.plural && !form.only {
            return false;
        }
        if inherited != Meaning::Unknown && form.only {
            return form.counts() || containers.last().is_some_and(|container| container.form().plural);
        }
        let is_capacity = || containers.iter().any(|container| container.as_slice().iter().any(|word| self.amounts.contains(word)));
        (form.counts() || form.plural && is_capacity()) && self.person(key, &<[String]>::is_empty).is_some()
    }

    /// Whether the key is documented as something else than an amount.
    fn is_other_field(&self, containers: &[Words], key: &Words) -> bool {
        let is_amount = |slot| matches!(slot, Slot::Count | Slot::Users | Slot::Id | Slot::Label);
        matches!(self.documented(containers, key), Some(Meaning::Field(slot)) if !is_amount(slot))
    }

    /// A word that is only there once the parts of the key are put together.
    fn spelled(&self, joined: &str) -> Option<Meaning> {
        let word = self.vocabulary.meaning(joined);
        self.known
            .contains(word)
            .then(|| Words::one(word))
            .and_then(|word| self.person(&word, &<[String]>::is_empty))
            .map(Meaning::Personal)
    }

    /// What the words of a key say: what counts in a container that is there comes before what counts anywhere.
    fn documented(&self, containers: &[Words], key: &Words) -> Option<Meaning> {
        let is_inside = |under: &[String]| innermost(containers, under).is_some();
        let is_person = || self.person(key, &is_inside).or_else(|| self.person(key, &<[String]>::is_empty)).is_some();
        let is_number = key.form().numbers() && is_person();
        self.inside(containers, key, is_number).or_else(|| self.anywhere(key, is_number))
    }

    /// What they say in a container that is there; what counts in the innermost one is meant.
    fn inside(&self, containers: &[Words], key: &Words, is_number: bool) -> Option<Meaning> {
        let depth = |under: &[String]| innermost(containers, under);
        let field = self.field(key, is_number, &depth);
        let person = self.personal_rule(key, &|under| depth(under).is_some()).and_then(|rule| Some((depth(&rule.under), rule.kind?)));
        match (field, person) {
            (Some(field), Some((around, kind))) if around > depth(&field.under) => Some(Meaning::Personal(kind)),
            (Some(field), _) => Some(Meaning::Field(field.slot)),
            (None, person) => person.map(|(_, kind)| Meaning::Personal(kind)),
        }
    }

    /// What they say wherever they stand.
    fn anywhere(&self, key: &Words, is_number: bool) -> Option<Meaning> {
        self.field(key, is_number, &|under| under.is_empty().then_some(0)).map(|rule| Meaning::Field(rule.slot))
    }

    /// `hotfixes.0.installedOn`: what stands behind the index of a row is its key, unless the list is one of persons. A single word may be
    /// part of what the whole says: `full_0_name`.
    fn indexed(&self, containers: &[Words], key: &Key) -> Option<Meaning> {
        let (list, own) = key.parted.as_ref()?;
        let person = |words: &Words| self.person(words, &<[String]>::is_empty);
        if person(list).is_some() {
            return None;
        }
        let around: Vec<Words> = containers.iter().chain([list]).cloned().collect();
        let is_whole = own.as_slice().len() > 1 || person(&key.words).is_none();
        self.documented(&around, own).filter(|_| is_whole)
    }

    /// `processes.0.name`, `clusterNodesName`: the first words of the key are its container, unless they speak of a person. What the
    /// words in whole say of a person counts unless the field is documented with the same words.
    fn flattened(&self, containers: &[Words], key: &Words) -> Option<Meaning> {
        let person = |words: &Words| self.personal_rule(words, &<[String]>::is_empty).and_then(|rule| Some((rule.kind?, rule.words.len())));
        let whole = person(key);
        let mut around = containers.to_vec();
        for (container, key) in key.splits() {
            if person(&container).is_some() {
                return None;
            }
            around.truncate(containers.len());
            around.push(container);
            let is_number = key.form().numbers() && whole.is_some();
            // `processes: [{ fullName }]` is no name of a process: the first words must be the container that counts.
            let is_needed = |found: &Meaning| whole.is_none() || self.inside(containers, &key, is_number) != Some(*found);
            let found = self.inside(&around, &key, is_number).filter(is_needed);
            let anywhere = || self.anywhere(&key, is_number).filter(|_| whole.is_none() || person(&key) == whole);
            if let Some(meaning) = found.or_else(anywhere) {
                return Some(meaning);
            }
        }
        None
    }

    /// The rule for a key, of those whose containers are at some depth the deepest. Somebody's number is no amount.
    fn field(&self, key: &Words, is_number: bool, depth: &dyn Fn(&[String]) -> Option<usize>) -> Option<&Rule> {
        let rules = self.fields.get(&key.signature())?;
        let is_fit = |rule: &&Rule| !(is_number && matches!(rule.slot, Slot::Count | Slot::Users));
        // The number of a hotfix is no amount of them.
        let numbers = key.form().numbers();
        let rank = |rule: &Rule| depth(&rule.under).map(|depth| (depth, rule.numbers == numbers));
        // Of equals, the last of the turned order is the first of the file.
        let ranked = rules.iter().rev().filter(is_fit).filter_map(|rule| Some((rank(rule)?, rule)));
        ranked.max_by_key(|(rank, _)| *rank).map(|(_, rule)| rule)
    }

    /// What a key says of a person.
    fn person(&self, key: &Words, counts: &dyn Fn(&[String]) -> bool) -> Option<Kind> {
        self.personal_rule(key, counts).and_then(|rule| rule.kind)
    }

    /// The rule with the most words is meant; of two, the one for the last word: a user's mail is mail.
    fn personal_rule(&self, key: &Words, counts: &dyn Fn(&[String]) -> bool) -> Option<&PersonalRule> {
        let rules = |word: &String| self.personal.get(word).map(Vec::as_slice).unwrap_or_default();
        let is_number = key.form().numbers();
        let has_all =
            |rule: &&PersonalRule| counts(&rule.under) && rule.words.iter().all(|word| key.has(word)) && (is_number || !rule.numbers);
        let rules = key.as_slice().iter().flat_map(|word| rules(word).iter().filter(has_all));
        rules.max_by_key(|rule| rule.words.len())
    }
}

/// The place of the innermost container that has one of the words.
fn innermost(containers: &[Words], words: &[String]) -> Option<usize> {
    containers.iter().rposition(|container| words.iter().any(|word| container.has(word)))
}

/// Whether no letter of a key was left out: no more than so many words are read.
fn is_whole(key: &str, split: &[String]) -> bool {
    !key.is_ascii() || key.bytes().filter(u8::is_ascii_alphanumeric).count() == split.iter().map(String::len).sum::<usize>()
}

/// A key as it looks: letters of other scripts that look like Latin ones, wide ones and what is not seen make no other word.
fn plain(key: &str) -> Cow<'_, str> {
    if key.is_ascii() { Cow::Borrowed(key) } else { Cow::Owned(skeleton(&fold(key)).into_owned()) }
}

fn known(document: &Document, vocabulary: &Vocabulary) -> HashSet<String> {
    keys(document).flat_map(|key| words::split(key)).map(|word| vocabulary.meaning(&word).to_owned()).collect()
}

/// Every key and word of the file but the synonyms.
fn keys(document: &Document) -> impl Iterator<Item = &String> {
    let fields = document.fields.iter().flat_map(|field| &field.keys);
    let keys = fields.chain(document.personal.iter().flat_map(|entry| &entry.keys)).chain(&document.noise);
    keys.chain(&document.words).chain(&document.impersonal).chain(document.counting.words())
}

fn vocabulary(document: &Document) -> Vocabulary {
    let meanings = document.synonyms.iter().flat_map(|(meaning, words)| words.iter().map(move |word| (word.clone(), meaning.clone())));
    let set = |words: &[String]| words.iter().cloned().collect();
    let counting = &document.counting;
    let tallies = Tallies {
        counting: set(&counting.always),
        numbers: set(&counting.numbers),
        participles: set(&counting.participles),
        plurals: set(&counting.plurals),
        singulars: set(&counting.singulars),
    };
    Vocabulary::new(meanings.collect(), document.noise.clone(), tallies)
}

#[cfg(test)]
mod tests;
