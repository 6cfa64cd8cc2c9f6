//! Takes text apart from the front.

use crate::inspect::engine::format::{Fault, Malformed};

/// A text and how far it is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// A fault where reading stands.
    pub(super) const fn fault(&self, fault: Fault) -> Malformed {
        fault.at(self.at)
    }

    pub(super) fn is_over(&self) -> bool {
        self.rest().is_empty()
    }

    pub(super) fn starts_with(&self, prefix: &str) -> bool {
        self.rest().starts_with(prefix)
    }

    /// Passes a text if it is what comes next.
    pub(super) fn take(&mut self, prefix: &str) -> bool {
        let is_next = self.starts_with(prefix);
        if is_next {
            self.at += prefix.len();
        }
        is_next
    }

    /// What comes before a text, and passes both.
    pub(super) fn until(&mut self, end: &str) -> Option<&'a str> {
        let (before, _) = self.rest().split_once(end)?;
        self.at += before.len() + end.len();
        Some(before)
    }

    /// The longest run of bytes that belong to it; must not end inside of a character.
    pub(super) fn run(&mut self, belongs: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.bytes().position(|byte| !belongs(byte)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// Passes white space; whether there was any.
    pub(super) fn space(&mut self) -> bool {
        !self.run(is_space).is_empty()
    }

    /// A name (section 2.3).
    pub(super) fn name(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        if !rest.starts_with(is_name_start) {
            return None;
        }
        let length = rest.find(|character| !is_name_character(character)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length)
    }

    /// An equals sign and a value in quotation marks, its references as they stand.
    pub(super) fn equals_quoted(&mut self) -> Option<&'a str> {
        self.space();
        if !self.take("=") {
            return None;
        }
        self.space();
        let mark = ["\"", "'"].into_iter().find(|mark| self.take(mark))?;
        self.until(mark)
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }
}

/// White space (section 2.3).
pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// A character that a document may have (section 2.2), without the control characters that it discourages.
pub(super) const fn is_char(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..)
}

const fn is_name_start(character: char) -> bool {
    matches!(character, ':' | 'A'..='Z' | '_' | 'a'..='z'
        | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}'
        | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}'
        | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

const fn is_name_character(character: char) -> bool {
    is_name_start(character) || matches!(character, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}
