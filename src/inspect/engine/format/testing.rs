//! A receiver that writes down what it is told.

use super::Visitor;
use std::fmt::Write as _;

/// Events as text, one a word: `{ k:a s:text . }`.
#[derive(Debug, Default, PartialEq, Eq, Clone)]
pub(crate) struct Recorder(pub(crate) Vec<String>);

impl Recorder {
    pub(crate) fn text(&self) -> String {
        self.0.join(" ")
    }

    fn note(&mut self, event: impl Into<String>) {
        self.0.push(event.into());
    }
}

impl Visitor for Recorder {
    fn key(&mut self, key: &str) {
        self.note(format!("k:{key}"));
    }
    fn key_end(&mut self) {
        self.note(".");
    }
    fn element(&mut self, index: usize) {
        self.note(format!("[{index}"));
    }
    fn element_end(&mut self) {
        self.note("]");
    }
    fn object(&mut self) {
        self.note("{");
    }
    fn object_end(&mut self) {
        self.note("}");
    }
    fn string(&mut self, text: &str) {
        self.note(format!("s:{text}"));
    }
    fn number(&mut self, raw: &str) {
        self.note(format!("n:{raw}"));
    }
    fn literal(&mut self, word: &str) {
        self.note(format!("l:{word}"));
    }
    fn bytes(&mut self, bytes: &[u8]) {
        let mut text = String::from("b:");
        for byte in bytes {
            write!(text, "{byte:02x}").expect("memory");
        }
        self.note(text);
    }
    fn part(&mut self, content_type: &str, body: &[u8]) {
        self.note(format!("part:{content_type}:{}", String::from_utf8_lossy(body)));
    }
    fn reading(&mut self) {
        self.note("(");
    }
    fn reading_end(&mut self) {
        self.note(")");
    }
}

/// Checks that calls nest.
#[derive(Debug, Default)]
pub(crate) struct Nesting(Vec<char>);

impl Nesting {
    pub(crate) fn assert_closed(&self) {
        assert!(self.0.is_empty(), "{:?} stay open", self.0);
    }

    fn close(&mut self, open: char) {
        assert_eq!(self.0.pop(), Some(open));
    }
}

impl Visitor for Nesting {
    fn key(&mut self, _: &str) {
        self.0.push('k');
    }
    fn key_end(&mut self) {
        self.close('k');
    }
    fn element(&mut self, _: usize) {
        self.0.push('e');
    }
    fn element_end(&mut self) {
        self.close('e');
    }
    fn object(&mut self) {
        self.0.push('o');
    }
    fn object_end(&mut self) {
        self.close('o');
    }
    fn string(&mut self, _: &str) {}
    fn number(&mut self, _: &str) {}
    fn literal(&mut self, _: &str) {}
    fn bytes(&mut self, _: &[u8]) {}
    fn reading(&mut self) {
        self.0.push('r');
    }
    fn reading_end(&mut self) {
        self.close('r');
    }
}
