//! Plain text: pairs of a documented name and a value, one a line, or else one string.

use super::{Fault, Limits, Malformed, Naming, Visitor};
use memchr::memchr;

/// Hands on a text as it stands; its length is bounded by who holds it. Where every line is `name=value` or `name: value`, and there is
/// nothing in the names but words that documents have, it is one object, its members in their order. A name may be there more than once.
///
/// # Errors
/// When it is not UTF-8, begins with a byte order mark, or has NUL in it: another charset then, in which nothing would be
/// recognised. When there are more pairs than the limits allow.
pub fn read<V: Visitor + ?Sized>(bytes: &[u8], limits: Limits, visitor: &mut V) -> Result<(), Malformed> {
    let text = checked(bytes)?;
    let names = || lines(text).map(|line| pair(line).map_or(Naming::Nothing, |(name, _)| visitor.naming(name)));
    if names().next().is_none() || names().any(|naming| naming == Naming::Nothing) {
        visitor.string(text);
        return Ok(());
    }
    // Lines that speak of a person may say more together: an entry of a directory.
    if names().any(|naming| naming == Naming::Person) {
        visitor.reading();
        visitor.string(text);
        visitor.reading_end();
    }
    let mut nodes = 0;
    visitor.object();
    for (name, value) in lines(text).filter_map(pair) {
        // Which line it is says nothing more.
        limits.node(&mut nodes, 0)?;
        visitor.key(name);
        visitor.string(value);
        visitor.key_end();
    }
    visitor.object_end();
    Ok(())
}

/// The lines in which anything is.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty())
}

/// `name=value` or `name: value`, whichever sign comes first.
fn pair(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(['=', ':'])?;
    let is_colon = line.as_bytes().get(name.len()) == Some(&b':');
    let is_pair = !is_colon || value.is_empty() || value.starts_with([' ', '\t']);
    is_pair.then_some((name.trim(), value.trim()))
}

/// The text that the bytes are.
pub(super) fn checked(bytes: &[u8]) -> Result<&str, Malformed> {
    if let Some(at) = memchr(0, bytes) {
        return Err(Fault::Control.at(at));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| Fault::Utf8.at(error.valid_up_to()))?;
    if text.starts_with('\u{feff}') {
        return Err(Fault::ByteOrderMark.at(0));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::engine::format::testing::Recorder;

    #[test]
    fn text_is_one_string() {
        let mut recorder = Recorder::default();
        assert_eq!(read("a\r\n\té".as_bytes(), Limits::default(), &mut recorder), Ok(()));
        assert_eq!(recorder.text(), "s:a\r\n\té");
        for (bytes, fault) in [
            (&b"a\0b"[..], Fault::Control.at(1)),
            (b"ab\xe9", Fault::Utf8.at(2)),
            (b"\xff\xfea", Fault::Utf8.at(0)),
            (b"\xef\xbb\xbfa", Fault::ByteOrderMark.at(0)),
        ] {
            assert_eq!(read(bytes, Limits::default(), &mut recorder), Err(fault));
        }
    }

    /// Knows names, as a shape does.
    #[derive(Default)]
    struct Knowing(Recorder);

    impl Visitor for Knowing {
        fn key(&mut self, key: &str) {
            self.0.key(key);
        }
        fn key_end(&mut self) {
            self.0.key_end();
        }
        fn object(&mut self) {
            self.0.object();
        }
        fn object_end(&mut self) {
            self.0.object_end();
        }
        fn string(&mut self, text: &str) {
            self.0.string(text);
        }
        fn reading(&mut self) {
            self.0.reading();
        }
        fn reading_end(&mut self) {
            self.0.reading_end();
        }
        fn number(&mut self, _: &str) {}
        fn literal(&mut self, _: &str) {}
        fn bytes(&mut self, _: &[u8]) {}
        fn naming(&self, name: &str) -> Naming {
            match name {
                "name" | "version" => Naming::Words,
                "mail" => Naming::Person,
                _ => Naming::Nothing,
            }
        }
    }

    #[test]
    fn lines_of_known_names_are_pairs() {
        for (text, expected) in [
            ("name=a b\r\n\r\nversion: 1\n", "{ k:name s:a b . k:version s:1 . }"),
            (" name = a=b: c", "{ k:name s:a=b: c . }"),
            ("name:\nname: x\nname=", "{ k:name s: . k:name s:x . k:name s: . }"),
            ("name=a\nmail=b", "( s:name=a\nmail=b ) { k:name s:a . k:mail s:b . }"),
            ("name=a\nrossi=b", "s:name=a\nrossi=b"),
            ("name=a\nand more", "s:name=a\nand more"),
            ("name:a", "s:name:a"),
            ("\n", "s:\n"),
        ] {
            let mut knowing = Knowing::default();
            assert_eq!(read(text.as_bytes(), Limits::default(), &mut knowing), Ok(()));
            assert_eq!(knowing.0.text(), expected, "{text}");
        }
        let limits = Limits { nodes: 1, ..Limits::default() };
        assert_eq!(read(b"name=a\nname=b", limits, &mut Knowing::default()), Err(Fault::Nodes.at(0)));
    }
}
