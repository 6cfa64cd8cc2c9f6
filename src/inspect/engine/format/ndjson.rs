//! JSON texts, one a line (NDJSON, JSON Lines): each line is an element.

use super::json::Tokenizer;
use super::{Limits, Malformed, Visitor};
use memchr::memchr;

/// Reads whole lines; see [`Lines`].
///
/// # Errors
/// When a line breaks a rule or a limit.
pub fn read<V: Visitor + ?Sized>(bytes: &[u8], limits: Limits, visitor: &mut V) -> Result<(), Malformed> {
    let mut lines = Lines::new(limits);
    lines.push(bytes, visitor)?;
    lines.finish(visitor)
}

/// Reads lines that arrive in pieces. A line holds one document or nothing but white space; the newline behind the last is
/// optional. The node limit is that of all lines together.
#[derive(Debug)]
pub struct Lines {
    tokenizer: Tokenizer,
    /// Documents so far.
    documents: usize,
    /// Whether the line under way has begun to be a document.
    is_open: bool,
}

impl Lines {
    /// Starts in front of the first line.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { tokenizer: Tokenizer::new(limits), documents: 0, is_open: false }
    }

    /// Reads what arrived.
    ///
    /// # Errors
    /// When a line breaks a rule or a limit. From then on every call says the same.
    pub fn push<V: Visitor + ?Sized>(&mut self, mut piece: &[u8], visitor: &mut V) -> Result<(), Malformed> {
        while let Some(end) = memchr(b'\n', piece) {
            let (line, rest) = piece.split_at(end);
            self.part(line, visitor)?;
            self.line_end(visitor)?;
            self.tokenizer.skip(1);
            piece = rest.get(1..).unwrap_or_default();
        }
        self.part(piece, visitor)
    }

    /// Says that nothing more comes.
    ///
    /// # Errors
    /// When the last line is not complete, or a line broke a rule before.
    pub fn finish<V: Visitor + ?Sized>(&mut self, visitor: &mut V) -> Result<(), Malformed> {
        self.line_end(visitor)
    }

    fn part<V: Visitor + ?Sized>(&mut self, part: &[u8], visitor: &mut V) -> Result<(), Malformed> {
        let is_blank = part.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'));
        if !is_blank && !self.is_open {
            self.is_open = true;
            visitor.element(self.documents);
            self.documents += 1;
        }
        self.tokenizer.push(part, visitor)
    }

    fn line_end<V: Visitor + ?Sized>(&mut self, visitor: &mut V) -> Result<(), Malformed> {
        if self.tokenizer.is_blank() {
            return Ok(());
        }
        self.tokenizer.finish(visitor)?;
        self.tokenizer.restart();
        self.is_open = false;
        visitor.element_end();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::engine::format::Fault;
    use crate::inspect::engine::format::testing::{Nesting, Recorder};
    use proptest::prelude::*;

    fn events(pieces: &[&[u8]], limits: Limits) -> (String, Result<(), Malformed>) {
        let mut recorder = Recorder::default();
        let mut lines = Lines::new(limits);
        let outcome = pieces.iter().try_for_each(|piece| lines.push(piece, &mut recorder)).and_then(|()| lines.finish(&mut recorder));
        (recorder.text(), outcome)
    }

    #[test]
    fn each_line_is_an_element() {
        for (text, expected) in [
            ("", ""),
            ("\n\r\n \n", ""),
            ("1", "[0 n:1 ]"),
            ("1\n", "[0 n:1 ]"),
            ("{\"a\":1}\r\n\n[2]\n \"x\" \n\n", "[0 { k:a n:1 . } ] [1 [0 n:2 ] ] [2 s:x ]"),
            ("{\"a\":1}\n{\"a\":2}", "[0 { k:a n:1 . } ] [1 { k:a n:2 . } ]"),
        ] {
            let whole = events(&[text.as_bytes()], Limits::default());
            assert_eq!(whole, (expected.to_owned(), Ok(())), "{text:?}");
            for at in 0..=text.len() {
                let (left, right) = text.as_bytes().split_at(at);
                assert_eq!(events(&[left, right], Limits::default()), whole, "{text:?} at {at}");
            }
        }
    }

    #[test]
    fn lines_that_are_no_document_are_refused() {
        for (text, fault) in [
            ("1 2\n", Fault::Trailing.at(2)),
            ("1\n{\n}", Fault::Unfinished.at(3)),
            ("1\n\n[x]", Fault::Unexpected.at(4)),
            ("\"a\nb\"", Fault::Unfinished.at(2)),
            ("1\n\u{feff}2", Fault::Unexpected.at(2)),
            ("1\n2\n3", Fault::Nodes.at(4)),
        ] {
            let limits = Limits { nodes: 2, ..Limits::default() };
            assert_eq!(events(&[text.as_bytes()], limits).1, Err(fault), "{text:?}");
            let singles: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(events(&singles, limits), events(&[text.as_bytes()], limits), "{text:?}");
        }
        assert_eq!(events(&[b"\"\xe2\n\""], Limits::default()).1, Err(Fault::Utf8.at(1)));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"{}[]\",:\n 1a\\".to_vec())], 0..200)) {
            let mut nesting = Nesting::default();
            if read(&bytes, Limits::default(), &mut nesting).is_ok() {
                nesting.assert_closed();
            }
        }
    }
}
