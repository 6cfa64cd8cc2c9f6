//! Names of persons.
//!
//! A name alone is never a hit: vendors are named after persons, and write their names where a product's belongs. It takes a key
//! that asks for a person, or three names of a list in one text.

use super::lexis::{at, is_word, part, run};
use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::finding::{Hit, Kind};

mod gazetteer;
#[cfg(test)]
mod tests;
mod words;

use gazetteer::kinds;

/// The key asks for a name, and the value is one of the list.
const KNOWN: u8 = 24;
/// The key asks for a name, or there are three of them.
const LIKELY: u8 = 20;
/// A given and a family name, and nothing else, under any key: three of them in a message are a list.
const PAIR: u8 = 9;
/// So many pairs of given and family name are a list of persons.
const PAIRS: usize = 3;
/// The longest name under a key.
const LONGEST: usize = 96;
/// The longest particle or title.
const LONGEST_PARTICLE: usize = 5;

/// How surely a key asks for a person.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    /// `given name`: any capitalised words.
    Name,
    /// `owner`: two capitalised words, or one of the list.
    Person,
    /// `display name`, which services have too: only names of the list.
    Perhaps,
    /// Any other key: a name is no more than a hint.
    Nothing,
}

/// Finds the name of a person under a key that asks for one, or a list of names. Slots for products and vendors are left out.
pub fn scan(text: &[u8], context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    if !matches!(context.text, TextKind::Free | TextKind::Identity) {
        return;
    }
    // Few values have the shape of a name, and asking the key costs more than seeing that.
    let shaped = shape_of(text).filter(|(shape, _)| shape.known > 0 || shape.capitalised);
    if let Some(bits) = shaped.and_then(|(shape, value)| weigh(&shape, value, asks(context)?)) {
        report(Hit { kind: Kind::PersonName, start: 0, end: text.len(), bits });
        return;
    }
    if let Some((start, end)) = list(text) {
        report(Hit { kind: Kind::PersonName, start, end, bits: LIKELY });
    }
}

/// Whether a word, in lower case, is a given name or a family name of the list.
#[must_use]
pub fn is_listed(word: &[u8]) -> bool {
    let (given, family) = gazetteer::kinds(word);
    given || family
}

// ---- keys -------------------------------------------------------------------------------------------------------------------

/// What the key asks for; nothing if its value belongs to a thing.
fn asks(context: &Context<'_>) -> Option<Asks> {
    let says = |list: &str| context.key.iter().any(|key| list.split(' ').any(|word| word == *key));
    if says(words::OF_A_THING) {
        return None;
    }
    let (alone, name) = (context.key.len() == 1, says("name names"));
    let part = (name && says(words::PART_OF_A_NAME)) || says(words::NAME) || (alone && says("given family gn sn"));
    if part || (name && says(words::NAMED_PERSON)) || (says("contact") && says("person")) {
        return Some(Asks::Name);
    }
    if says(words::PERSON) || (says(words::DONE) && says("by on da von")) {
        return Some(Asks::Person);
    }
    Some(if says(words::MAYBE) { Asks::Perhaps } else { Asks::Nothing })
}

/// A value and its shape, if it has that of a name.
fn shape_of(text: &[u8]) -> Option<(Shape, &[u8])> {
    let value = text.trim_ascii();
    if value.is_empty() || value.len() > LONGEST {
        return None;
    }
    shape(value).map(|shape| (shape, value))
}

/// What a value weighs under a key that asks for a person.
fn weigh(shape: &Shape, value: &[u8], asks: Asks) -> Option<u8> {
    let listed = shape.listed(asks);
    let likely = match asks {
        Asks::Name => shape.words > 0,
        Asks::Person => shape.words > 1,
        Asks::Perhaps | Asks::Nothing => false,
    };
    if !(listed || likely && shape.capitalised) || is_thing(value) {
        return None;
    }
    Some(if !listed {
        LIKELY
    } else if asks == Asks::Nothing {
        PAIR
    } else {
        KNOWN
    })
}

/// Whether one of the words is that of a thing.
fn is_thing(value: &[u8]) -> bool {
    split(value).any(|word| words::holds(words::THINGS, word))
}

/// The words of a value, without particles and titles.
fn split(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let words = value.split(|byte| matches!(byte, b' ' | b',')).filter(|word| !word.is_empty());
    words.filter(|word| word.len() > LONGEST_PARTICLE || !words::holds(words::PARTICLES, word))
}

/// What a value is made of.
#[derive(Default)]
struct Shape {
    words: usize,
    given: usize,
    family: usize,
    known: usize,
    capitalised: bool,
}

impl Shape {
    /// Whether names of the list are among the words, so many that it is no coincidence.
    fn listed(&self, asks: Asks) -> bool {
        // `Simon` is both, and one word is no pair.
        let pair = self.known > 1 && self.given > 0 && self.family > 0;
        let one = matches!(asks, Asks::Name | Asks::Person) && self.known > 0 && (self.words == 1 || self.capitalised);
        pair || one
    }
}

/// The shape of one to four words, particles and titles not counted; nothing if there is something else.
fn shape(value: &[u8]) -> Option<Shape> {
    let mut shape = Shape { capitalised: true, ..Shape::default() };
    for word in split(value) {
        is_name_shaped(word).then_some(())?;
        shape.words += 1;
        let (given, family) = kinds(word);
        shape.given += usize::from(given);
        shape.family += usize::from(family);
        shape.known += usize::from(given || family);
        shape.capitalised &= is_capitalised(word);
    }
    (1..=4).contains(&shape.words).then_some(shape)
}

/// Letters, with the marks that names have: `O'Brien`, `Jean-Luc`, `J.`.
fn is_name_shaped(word: &[u8]) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphabetic() || byte >= 0x80 || matches!(byte, b'\'' | b'-' | b'.');
    let dotted = || memchr::memchr(b'.', word).is_none_or(|dot| dot + 1 == word.len() && dot < 5 || words::holds(words::THINGS, word));
    word.len() <= 40
        && word.iter().all(|&byte| letter(byte))
        && (at(word, 0).is_ascii_alphabetic() || at(word, 0) >= 0x80)
        && (dotted() || is_initials(word))
}

/// `J.R.`
fn is_initials(word: &[u8]) -> bool {
    word.len().is_multiple_of(2) && word.chunks_exact(2).all(|pair| matches!(pair, [letter, b'.'] if letter.is_ascii_uppercase()))
}

/// Whether a word starts with a capital, or with a letter that may be one, and is not written `likeThis`.
fn is_capitalised(word: &[u8]) -> bool {
    let first = at(word, 0);
    let lower = word.iter().any(u8::is_ascii_lowercase);
    let capitals = word.iter().filter(|byte| byte.is_ascii_uppercase()).count();
    let joined = word.iter().any(|byte| matches!(byte, b'-' | b'\''))
        || word.starts_with(b"Mc")
        || word.starts_with(b"Mac")
        || word.starts_with(b"De");
    (first.is_ascii_uppercase() || first >= 0x80) && (!lower || capitals < 2 || (joined && capitals < 4))
}

// ---- lists ------------------------------------------------------------------------------------------------------------------

/// The range of the first three pairs of given and family name.
fn list(text: &[u8]) -> Option<(usize, usize)> {
    let (mut pairs, mut first, mut next) = (0, 0, 0);
    let mut previous: Option<Word> = None;
    while let Some(start) = text.get(next..).and_then(|rest| rest.iter().position(u8::is_ascii_uppercase)).map(|place| next + place) {
        let end = run(text, start, text.len(), |byte| is_word(byte) || matches!(byte, b'-' | b'\''));
        next = end;
        let mut word = Word { start, end, kinds: None };
        let Some(mut ahead) = previous.replace(word) else { continue };
        // `usedMemory` has a capital, and starts no word.
        if !matches!(part(text, ahead.end, start), b" " | b", ") {
            continue;
        }
        let pair = is_pair(ahead.look_up(text), word.look_up(text));
        previous = Some(word);
        if !pair {
            continue;
        }
        previous = None;
        first = if pairs == 0 { ahead.start } else { first };
        pairs += 1;
        if pairs == PAIRS {
            return Some((first, end));
        }
    }
    None
}

/// A capitalised word and what the lists know of it, once they were asked: most words stand alone.
#[derive(Clone, Copy)]
struct Word {
    start: usize,
    end: usize,
    kinds: Option<(bool, bool)>,
}

impl Word {
    fn look_up(&mut self, text: &[u8]) -> (bool, bool) {
        *self.kinds.get_or_insert_with(|| kinds(part(text, self.start, self.end)))
    }
}

/// Whether one word is a given name and the other a family name.
fn is_pair(one: (bool, bool), other: (bool, bool)) -> bool {
    (one.0 && other.1) || (one.1 && other.0)
}
