//! The JSON reader: the same calls, errors and findings however a document is cut, and nothing accepted that `serde_json` refuses.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;
use ucx_egress::inspect::engine::format::{Fault, Limits, Malformed, json};
use ucx_egress_fuzz::read_however_cut;
use ucx_egress_fuzz::witness::{Event, Witness};

fuzz_target!(|bytes: &[u8]| {
    let (whole, outcome) = read_however_cut(bytes, |pieces, visitor| {
        let mut reader = json::Tokenizer::new(Limits::default());
        pieces.iter().try_for_each(|piece| reader.push(piece, visitor)).and_then(|()| reader.finish(visitor))
    });
    let mut theirs = Vec::new();
    let read = serde_json::Deserializer::from_slice(bytes);
    match (accepted(read, &mut theirs), outcome) {
        (Ok(()), Ok(())) => assert_eq!(leaves(&whole), theirs, "the same leaves in the same order"),
        (Err(error), Ok(())) => panic!("accepted what serde_json refuses: {error}"),
        (Ok(()), Err(malformed)) => assert!(is_beyond(malformed), "{malformed:?}"),
        (Err(_), Err(_)) => {}
    }
});

/// What I-JSON and the limits refuse and `serde_json` does not.
fn is_beyond(malformed: Malformed) -> bool {
    matches!(malformed.fault, Fault::Duplicate | Fault::Depth | Fault::Nodes | Fault::Key | Fault::String)
}

/// A leaf or a bracket, as both readers have it.
#[derive(Debug, PartialEq)]
enum Leaf {
    Open,
    Key(String),
    Text(String),
    Number(f64),
    Word(&'static str),
}

fn leaves(witness: &Witness) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    for event in &witness.events {
        leaves.push(match event {
            Event::Object => Leaf::Open,
            Event::Key(key) => Leaf::Key(key.clone()),
            Event::Text(text) => Leaf::Text(text.clone()),
            Event::Number(raw) => Leaf::Number(raw.parse().expect("a number")),
            Event::Literal(word) => Leaf::Word(["true", "false", "null"].into_iter().find(|known| known == word).expect("a word")),
            _ => continue,
        });
    }
    leaves
}

fn accepted<'de, R: serde_json::de::Read<'de>>(mut from: serde_json::Deserializer<R>, into: &mut Vec<Leaf>) -> serde_json::Result<()> {
    Collect(into).deserialize(&mut from)?;
    from.end()
}

/// Writes down what `serde_json` reads.
struct Collect<'l>(&'l mut Vec<Leaf>);

impl<'de> DeserializeSeed<'de> for Collect<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Collect<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, word: bool) -> Result<(), E> {
        self.0.push(Leaf::Word(if word { "true" } else { "false" }));
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.push(Leaf::Word("null"));
        Ok(())
    }

    #[allow(clippy::cast_precision_loss, reason = "both sides are rounded to the nearest double")]
    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.visit_f64(number as f64)
    }

    #[allow(clippy::cast_precision_loss, reason = "both sides are rounded to the nearest double")]
    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.visit_f64(number as f64)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.0.push(Leaf::Number(number));
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.0.push(Leaf::Text(text.to_owned()));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while elements.next_element_seed(Collect(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        self.0.push(Leaf::Open);
        while let Some(key) = members.next_key_seed(Name)? {
            self.0.push(Leaf::Key(key));
            members.next_value_seed(Collect(self.0))?;
        }
        Ok(())
    }
}

/// A member's name.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<String, D::Error> {
        String::deserialize(from)
    }
}
