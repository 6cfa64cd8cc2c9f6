//! JSON (RFC 8259): every string and every key is scanned with its escapes taken off.

use crate::inspect::detect::{self, Detected};
use serde::Deserializer as _;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Scans a document. Offsets count the bytes of all decoded strings and keys before, one after the other.
///
/// # Errors
/// When it is no JSON document, or nested deeper than the parser goes (128).
pub fn scan(bytes: &[u8], report: &mut dyn FnMut(Detected)) -> Result<(), &'static str> {
    const NO_JSON: &str = "the body is no JSON document in UTF-8";
    let mut document = serde_json::Deserializer::from_slice(bytes);
    let mut scanned = 0;
    document.deserialize_any(Strings { scanned: &mut scanned, report }).map_err(|_| NO_JSON)?;
    document.end().map_err(|_| NO_JSON)
}

/// Visits all strings of a value.
struct Strings<'a> {
    scanned: &'a mut usize,
    report: &'a mut dyn FnMut(Detected),
}

impl Strings<'_> {
    fn again(&mut self) -> Strings<'_> {
        Strings { scanned: self.scanned, report: self.report }
    }
}

impl<'de> DeserializeSeed<'de> for Strings<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strings<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        let before = *self.scanned;
        detect::scan(text.as_bytes(), &mut |found| (self.report)(Detected { offset: before + found.offset, ..found }));
        *self.scanned += text.len();
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        while elements.next_element_seed(self.again())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        while members.next_key_seed(self.again())?.is_some() {
            members.next_value_seed(self.again())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Result<usize, &'static str> {
        let mut count = 0;
        scan(text.as_bytes(), &mut |_| count += 1).map(|()| count)
    }

    #[test]
    fn strings_and_keys_are_seen_through_their_escapes() {
        for (text, count) in [
            (r#"{"version":"1.2.3","cores":8,"load":0.5,"on":true,"none":null}"#, 0),
            (r#"{"contact":"mario@example.com"}"#, 1),
            (r#"{"contact":"mario\u0040example.com"}"#, 1),
            (r#"{"\u006dario@example.com":1}"#, 1),
            (r#"{"a":[{"b":["x@example.com"]}],"a":"y@example.com"}"#, 2),
            (r#""x@example.com""#, 1),
            ("[]", 0),
        ] {
            assert_eq!(found(text), Ok(count), "{text}");
        }
    }

    #[test]
    fn what_is_no_document_is_not_cleared() {
        for text in ["", "{", "{}{}", "nonsense", "{\"a\":1,}", "[1 2]", "\"\\ud800\"", "// x\n{}", "NaN"] {
            assert!(found(text).is_err(), "{text}");
        }
        assert!(scan(b"\"\xff\"", &mut |_| {}).is_err());
        assert!(found(&"[".repeat(100_000)).is_err(), "deep nesting ends, not the process");
    }
}
