//! Keys folded to their words: case, separators, camel case, plurals and synonyms do not matter.

use super::form::{Form, Reading, Tallies};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Words of one key that are looked at; no documented field has more.
pub const MAX_WORDS: usize = 16;

/// What words mean, as a shape file states it.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    /// From a word to the one it stands for.
    synonyms: HashMap<String, String>,
    /// Words that say nothing about the field.
    noise: HashSet<String>,
    /// Words by which things are counted.
    tallies: Tallies,
}

/// A key as its words. Keys inside it share them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Words {
    words: Arc<[String]>,
    form: Form,
}

impl Vocabulary {
    /// Makes a vocabulary; every word is lower case.
    #[must_use]
    pub fn new(synonyms: HashMap<String, String>, noise: Vec<String>, tallies: Tallies) -> Self {
        Self { synonyms, noise: noise.into_iter().collect(), tallies }
    }

    /// The words that carry meaning, each replaced by what it stands for, without repetition.
    #[must_use]
    pub fn fold(&self, key: &str) -> Words {
        self.fold_split(&split(key), |_| true)
    }

    /// The same of a key that is split already; words that cannot be noise need not be compared with it.
    pub(super) fn fold_split(&self, split: &[String], mut may_be_noise: impl FnMut(&str) -> bool) -> Words {
        let mut words: Vec<String> = Vec::new();
        // The index of a row; alone, it may be the number of a person.
        let longest = if split.len() > 1 { 4 } else { 2 };
        let mut reading = Reading::default();
        for word in split {
            let meaning = self.meaning(word);
            let is_known = may_be_noise(meaning);
            let is_noise = is_known && self.noise.contains(meaning);
            let is_silent = is_noise || is_index(word, longest);
            reading.add(&self.tallies, word, Some(meaning).filter(|_| is_known), is_silent, singular(word) != word);
            if !is_silent && !words.iter().any(|known| known == meaning) {
                words.push(meaning.to_owned());
            }
        }
        Words { words: words.into(), form: reading.form() }
    }

    /// What a word stands for.
    #[must_use]
    pub fn meaning<'w>(&'w self, word: &'w str) -> &'w str {
        let singular = singular(word);
        let other = || if singular == word { None } else { self.synonyms.get(singular) };
        let meaning = self.synonyms.get(word).or_else(other);
        meaning.map_or(singular, String::as_str)
    }
}

impl Words {
    /// The words in their order.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        &self.words
    }

    /// How the key names its thing.
    #[must_use]
    pub const fn form(&self) -> Form {
        self.form
    }

    /// One word.
    pub(super) fn one(word: &str) -> Self {
        Self { words: [word.to_owned()].into(), form: Form::default() }
    }

    fn of(words: Arc<[String]>, form: Form) -> Self {
        Self { words, form }
    }

    /// Whether the key says nothing: it takes the meaning of what it stands under.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The words, sorted and joined: two keys with the same words are the same field.
    #[must_use]
    pub fn signature(&self) -> String {
        let mut sorted: Vec<&str> = self.words.iter().map(String::as_str).collect();
        sorted.sort_unstable();
        sorted.join(" ")
    }

    /// The first words and the others, for every place between two.
    pub fn splits(&self) -> impl Iterator<Item = (Self, Self)> {
        let parts = (1..self.words.len()).filter_map(|at| self.words.split_at_checked(at));
        parts.map(|(head, tail)| (Self::of(head.into(), self.form), Self::of(tail.into(), self.form)))
    }

    /// The words that none of the containers has: `databaseName` in `databases` is a name.
    #[must_use]
    pub fn without(&self, containers: &[Self]) -> Self {
        let is_new = |word: &&String| !containers.iter().any(|container| container.has(word));
        Self::of(self.words.iter().filter(is_new).cloned().collect(), self.form)
    }

    /// Whether it has the word.
    #[must_use]
    pub fn has(&self, word: &str) -> bool {
        self.words.iter().any(|own| own == word)
    }
}

/// Lower-case words of a key: `cpuUsage_pct`, `CPU-Usage`, `CPUUsage` are `cpu`, `usage`, …; digits stay with their word.
#[must_use]
pub fn split(key: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::with_capacity(key.len());
    let mut before: Option<char> = None;
    let mut letters = key.chars().peekable();
    while let Some(letter) = letters.next() {
        let starts = match before {
            Some(before) if letter.is_uppercase() => {
                before.is_lowercase() || before.is_ascii_digit() || next_is_lower(letters.peek(), before)
            }
            _ => false,
        };
        if (starts || !letter.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_alphanumeric() {
            if letter.is_ascii() { word.push(letter.to_ascii_lowercase()) } else { word.extend(letter.to_lowercase()) }
        }
        before = Some(letter);
        if words.len() >= MAX_WORDS {
            break;
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    spelled_out(words)
}

/// `p.h.o.n.e` is one word.
fn spelled_out(words: Vec<String>) -> Vec<String> {
    /// Fewest letters that are no initials of something.
    const FEWEST: usize = 3;
    let is_letter = |word: &String| word.len() == 1 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    if words.iter().filter(|word| is_letter(word)).count() < FEWEST {
        return words;
    }
    let same = |one: &String, other: &String| is_letter(one) && is_letter(other);
    let runs = words.chunk_by(same);
    runs.flat_map(|run| if run.len() >= FEWEST { vec![run.concat()] } else { run.to_vec() }).collect()
}

/// Whether a word is the index of a row: so many digits at most.
pub(super) fn is_index(word: &str, longest: usize) -> bool {
    word.len() <= longest && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// The last capital of `CPUUsage` before `sage` begins a word.
fn next_is_lower(next: Option<&char>, before: char) -> bool {
    before.is_uppercase() && next.is_some_and(|next| next.is_lowercase())
}

/// English plurals; `status`, `address` and short words are none.
fn singular(word: &str) -> &str {
    if word.len() <= 3 || word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") {
        return word;
    }
    if ["sses", "xes", "ches"].iter().any(|ending| word.ends_with(ending)) {
        return word.strip_suffix("es").unwrap_or(word);
    }
    word.strip_suffix('s').unwrap_or(word)
}

crate::hidden::hidden!(Words);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_split_however_they_are_written() {
        for key in ["cpuUsage", "cpu_usage", "CPU-Usage", "CPUUsage", "Cpu Usage", "cpu.usage", "CPU_USAGE"] {
            assert_eq!(split(key), ["cpu", "usage"], "{key}");
        }
        assert_eq!(split("ipV4Address"), ["ip", "v4", "address"]);
        assert_eq!(split("$schema"), ["schema"]);
        assert!(split("").is_empty());
    }

    #[test]
    fn words_are_folded_to_their_meaning() {
        let synonyms = [("mem", "memory"), ("memoria", "memory"), ("processi", "process")];
        let synonyms = synonyms.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
        let vocabulary = Vocabulary::new(synonyms, vec!["list".into(), "bytes".into(), "byte".into()], Tallies::default());
        assert_eq!(vocabulary.fold("usedMemBytes").signature(), "memory used");
        assert_eq!(vocabulary.fold("MemoriaUsed").signature(), "memory used");
        assert_eq!(vocabulary.fold("processList").signature(), "process");
        assert_eq!(vocabulary.fold("Processes").signature(), vocabulary.fold("processi").signature());
        assert_eq!(vocabulary.fold("IPAddresses").signature(), "address ip");
        assert_eq!(vocabulary.fold("status").signature(), "status");
        assert!(vocabulary.fold("list").is_empty());
    }
}
