//! JSON (RFC 8259) as I-JSON (RFC 7493) has it, read piece by piece.
//!
//! Refused besides what RFC 8259 refuses: a second member of the same name (RFC 7493 section 2.3) even if it differs in
//! ASCII case, since some readers do not tell such names apart and each would take another value; surrogates without their
//! pair (section 2.1); numbers beyond a double (section 2.2); a byte order mark. Noncharacters are let through as text.

crate::hidden::hidden!(Tokenizer);

#[cfg(test)]
mod differential;
mod escape;
mod keys;
mod number;
mod scan;
#[cfg(test)]
pub(crate) mod suite;
#[cfg(test)]
mod tests;

use super::{Fault, Limits, Malformed, Visitor};
use escape::{Escape, Step};
use keys::Keys;

/// Digits and signs of the longest number; no double needs more to be told from its neighbours.
const MAX_NUMBER: usize = 256;

/// Reads a whole document.
///
/// # Errors
/// When it breaks a rule or a limit.
pub fn read<V: Visitor + ?Sized>(bytes: &[u8], limits: Limits, visitor: &mut V) -> Result<(), Malformed> {
    let mut tokenizer = Tokenizer::new(limits);
    tokenizer.push(bytes, visitor)?;
    tokenizer.finish(visitor)
}

/// What the grammar has next, outside a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
    Nothing,
}

/// A token that is under way where a piece ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    None,
    /// A number or a word.
    Scalar,
    String,
    Key,
}

/// An object or an array that is open.
#[derive(Debug, Clone, Copy)]
enum Frame {
    /// Where its keys begin.
    Object(usize),
    /// Its elements so far.
    Array(usize),
}

/// Reads a document that arrives in pieces. Calls and errors are the same however it is cut.
///
/// Keeps the unfinished token (bounded by [`Limits`]) and eight bytes per key of the open objects; nothing else of the
/// document. Strings without escapes that lie in one piece are handed on without a copy.
pub struct Tokenizer {
    limits: Limits,
    expect: Expect,
    frames: Vec<Frame>,
    keys: Keys,
    nodes: u32,
    /// Bytes before the text that is being read.
    offset: usize,
    /// A character of which only the first bytes have arrived.
    cut: Vec<u8>,
    token: Token,
    /// Where the token under way begins.
    token_at: usize,
    /// What has arrived of the token under way.
    held: String,
    escape: Escape,
    failed: Option<Malformed>,
}

impl Tokenizer {
    /// Starts in front of a document.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            expect: Expect::Value,
            frames: Vec::new(),
            keys: Keys::default(),
            nodes: 0,
            offset: 0,
            cut: Vec::new(),
            token: Token::None,
            token_at: 0,
            held: String::new(),
            escape: Escape::None,
            failed: None,
        }
    }

    /// Reads what arrived.
    ///
    /// # Errors
    /// When the document breaks a rule or a limit. From then on every call says the same.
    pub fn push<V: Visitor + ?Sized>(&mut self, piece: &[u8], visitor: &mut V) -> Result<(), Malformed> {
        let outcome = match self.failed {
            Some(failed) => Err(failed),
            None => self.decode(piece, visitor),
        };
        self.failed = outcome.err();
        outcome
    }

    /// Says that nothing more comes.
    ///
    /// # Errors
    /// When the document is not complete, or broke a rule before.
    pub fn finish<V: Visitor + ?Sized>(&mut self, visitor: &mut V) -> Result<(), Malformed> {
        let outcome = self.end(visitor);
        self.failed = outcome.err();
        outcome
    }

    /// Whether nothing but white space has come yet.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.failed.is_none() && self.is_before_document() && self.token == Token::None && self.cut.is_empty()
    }

    /// Starts over behind a document that was finished, or that was blank: the next one counts on, bytes and nodes.
    pub(crate) fn restart(&mut self) {
        self.expect = Expect::Value;
    }

    /// Passes over bytes between two documents.
    pub(crate) fn skip(&mut self, bytes: usize) {
        self.offset += bytes;
    }

    fn is_before_document(&self) -> bool {
        self.expect == Expect::Value && self.frames.is_empty()
    }

    fn end<V: Visitor + ?Sized>(&mut self, visitor: &mut V) -> Result<(), Malformed> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        if !self.cut.is_empty() {
            return Err(Fault::Utf8.at(self.offset));
        }
        if self.token == Token::Scalar {
            self.scalar_held(visitor)?;
        }
        if self.token == Token::None && self.expect == Expect::Nothing { Ok(()) } else { Err(Fault::Unfinished.at(self.offset)) }
    }

    /// Takes characters out of bytes; one that is cut waits for its rest.
    fn decode<V: Visitor + ?Sized>(&mut self, mut piece: &[u8], visitor: &mut V) -> Result<(), Malformed> {
        while !self.cut.is_empty()
            && let [first, rest @ ..] = piece
        {
            piece = rest;
            self.cut.push(*first);
            let cut = std::mem::take(&mut self.cut);
            match std::str::from_utf8(&cut) {
                Ok(character) => self.read(character, visitor)?,
                Err(error) if error.error_len().is_some() => return Err(Fault::Utf8.at(self.offset)),
                Err(_) => self.cut = cut,
            }
        }
        let error = match std::str::from_utf8(piece) {
            Ok(text) => return self.read(text, visitor),
            Err(error) => error,
        };
        let (text, rest) = piece.split_at(error.valid_up_to());
        self.read(std::str::from_utf8(text).unwrap_or_default(), visitor)?;
        if error.error_len().is_some() {
            return Err(Fault::Utf8.at(self.offset));
        }
        self.cut = rest.to_vec();
        Ok(())
    }

    fn read<V: Visitor + ?Sized>(&mut self, text: &str, visitor: &mut V) -> Result<(), Malformed> {
        let mut at = match self.token {
            Token::None => 0,
            Token::Scalar => self.scalar_rest(text, visitor)?,
            Token::String | Token::Key => self.string_rest(text, 0, visitor)?,
        };
        while let Some(byte) = text.as_bytes().get(at) {
            at = match byte {
                b' ' | b'\n' | b'\r' | b'\t' => at + 1,
                _ => self.next(*byte, text, at, visitor)?,
            };
        }
        self.offset += text.len();
        Ok(())
    }

    /// Reads what begins with a byte; where it ends.
    fn next<V: Visitor + ?Sized>(&mut self, byte: u8, text: &str, at: usize, visitor: &mut V) -> Result<usize, Malformed> {
        match (self.expect, byte) {
            (Expect::Colon, b':') => self.expect = Expect::Value,
            (Expect::CommaOrEnd, b',') => self.expect = self.after_comma(),
            (Expect::Key | Expect::KeyOrEnd, b'"') => return self.string(Token::Key, text, at, visitor),
            (Expect::KeyOrEnd | Expect::CommaOrEnd, b'}') => self.object_end(at, visitor)?,
            (Expect::ValueOrEnd | Expect::CommaOrEnd, b']') => self.array_end(at, visitor)?,
            (Expect::Value | Expect::ValueOrEnd, _) => return self.value(byte, text, at, visitor),
            (Expect::Nothing, _) => return Err(Fault::Trailing.at(self.offset + at)),
            _ => return Err(Fault::Unexpected.at(self.offset + at)),
        }
        Ok(at + 1)
    }

    fn after_comma(&self) -> Expect {
        match self.frames.last() {
            Some(Frame::Object(_)) => Expect::Key,
            _ => Expect::Value,
        }
    }

    fn value<V: Visitor + ?Sized>(&mut self, byte: u8, text: &str, at: usize, visitor: &mut V) -> Result<usize, Malformed> {
        if !matches!(byte, b'"' | b'{' | b'[' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') {
            let is_mark = self.offset + at == 0 && text.starts_with('\u{feff}');
            return Err(if is_mark { Fault::ByteOrderMark } else { Fault::Unexpected }.at(self.offset + at));
        }
        self.limits.node(&mut self.nodes, self.offset + at)?;
        if let Some(Frame::Array(elements)) = self.frames.last_mut() {
            visitor.element(*elements);
            *elements += 1;
        }
        match byte {
            b'"' => return self.string(Token::String, text, at, visitor),
            b'{' => self.open(Frame::Object(self.keys.len()), at)?,
            b'[' => self.open(Frame::Array(0), at)?,
            _ => return self.scalar(text, at, visitor),
        }
        if byte == b'{' {
            visitor.object();
        }
        Ok(at + 1)
    }

    fn open(&mut self, frame: Frame, at: usize) -> Result<(), Malformed> {
        if self.frames.len() >= usize::from(self.limits.depth) {
            return Err(Fault::Depth.at(self.offset + at));
        }
        self.frames.push(frame);
        self.expect = if matches!(frame, Frame::Object(_)) { Expect::KeyOrEnd } else { Expect::ValueOrEnd };
        Ok(())
    }

    fn object_end<V: Visitor + ?Sized>(&mut self, at: usize, visitor: &mut V) -> Result<(), Malformed> {
        let Some(Frame::Object(keys)) = self.frames.last().copied() else { return Err(Fault::Unexpected.at(self.offset + at)) };
        if !self.keys.close(keys) {
            return Err(Fault::Duplicate.at(self.offset + at));
        }
        self.frames.pop();
        visitor.object_end();
        self.value_end(visitor);
        Ok(())
    }

    fn array_end<V: Visitor + ?Sized>(&mut self, at: usize, visitor: &mut V) -> Result<(), Malformed> {
        let Some(Frame::Array(_)) = self.frames.last() else { return Err(Fault::Unexpected.at(self.offset + at)) };
        self.frames.pop();
        self.value_end(visitor);
        Ok(())
    }

    fn value_end<V: Visitor + ?Sized>(&mut self, visitor: &mut V) {
        self.expect = Expect::CommaOrEnd;
        match self.frames.last() {
            Some(Frame::Object(_)) => visitor.key_end(),
            Some(Frame::Array(_)) => visitor.element_end(),
            None => self.expect = Expect::Nothing,
        }
    }

    /// A number or a word that begins here.
    fn scalar<V: Visitor + ?Sized>(&mut self, text: &str, at: usize, visitor: &mut V) -> Result<usize, Malformed> {
        self.token_at = self.offset + at;
        let rest = text.get(at..).unwrap_or_default();
        let length = number::run(rest.as_bytes());
        let scalar = rest.get(..length).unwrap_or_default();
        if length < rest.len() {
            self.scalar_end(scalar, visitor)?;
            return Ok(at + length);
        }
        self.token = Token::Scalar;
        self.held.clear();
        self.hold(scalar)?;
        Ok(text.len())
    }

    /// The rest of a number or a word of which the beginning is held.
    fn scalar_rest<V: Visitor + ?Sized>(&mut self, text: &str, visitor: &mut V) -> Result<usize, Malformed> {
        let length = number::run(text.as_bytes());
        self.hold(text.get(..length).unwrap_or_default())?;
        if length < text.len() {
            self.scalar_held(visitor)?;
        }
        Ok(length)
    }

    fn scalar_held<V: Visitor + ?Sized>(&mut self, visitor: &mut V) -> Result<(), Malformed> {
        self.token = Token::None;
        let held = std::mem::take(&mut self.held);
        let outcome = self.scalar_end(&held, visitor);
        self.held = held;
        outcome
    }

    fn scalar_end<V: Visitor + ?Sized>(&mut self, scalar: &str, visitor: &mut V) -> Result<(), Malformed> {
        match scalar.as_bytes() {
            [b'-' | b'0'..=b'9', ..] if scalar.len() > MAX_NUMBER => return Err(Fault::String.at(self.token_at)),
            [b'1'..=b'9', ..] if number::whole(scalar).is_some_and(|value| visitor.whole(value)) => {}
            [b'-' | b'0'..=b'9', ..] if number::is_valid(scalar) => visitor.number(scalar),
            [b'-' | b'0'..=b'9', ..] => return Err(Fault::Number.at(self.token_at)),
            b"true" | b"false" | b"null" => visitor.literal(scalar),
            _ => return Err(Fault::Unexpected.at(self.token_at)),
        }
        self.value_end(visitor);
        Ok(())
    }

    /// Keeps a part of a number or a word; of one that is too long, just enough to refuse it.
    fn hold(&mut self, part: &str) -> Result<(), Malformed> {
        self.held.push_str(part);
        let is_word = self.held.starts_with(|first: char| first.is_ascii_alphabetic());
        match self.held.len() > MAX_NUMBER {
            true if is_word => Err(Fault::Unexpected.at(self.token_at)),
            true => Err(Fault::String.at(self.token_at)),
            false => Ok(()),
        }
    }

    /// A string or a key whose quotation mark is here.
    fn string<V: Visitor + ?Sized>(&mut self, token: Token, text: &str, at: usize, visitor: &mut V) -> Result<usize, Malformed> {
        self.token_at = self.offset + at;
        let start = at + 1;
        let run = scan::plain(text.as_bytes().get(start..).unwrap_or_default());
        let end = start + run;
        if text.as_bytes().get(end) == Some(&b'"') {
            self.bound(token, run)?;
            self.string_end(token, text.get(start..end).unwrap_or_default(), visitor);
            return Ok(self.colon(text, end + 1));
        }
        self.token = token;
        self.held.clear();
        self.string_rest(text, start, visitor)
    }

    /// Passes the colon that stands behind nearly every key at once.
    fn colon(&mut self, text: &str, at: usize) -> usize {
        if self.expect != Expect::Colon || text.as_bytes().get(at) != Some(&b':') {
            return at;
        }
        self.expect = Expect::Value;
        at + 1
    }

    /// The rest of a string or a key, from a place in the text.
    fn string_rest<V: Visitor + ?Sized>(&mut self, text: &str, mut at: usize, visitor: &mut V) -> Result<usize, Malformed> {
        while let Some(byte) = text.as_bytes().get(at) {
            if self.escape != Escape::None {
                self.escaped(*byte, at)?;
                at += 1;
                continue;
            }
            let run = scan::plain(text.as_bytes().get(at..).unwrap_or_default());
            self.bound(self.token, self.held.len() + run)?;
            self.held.push_str(text.get(at..at + run).unwrap_or_default());
            at += run;
            match text.as_bytes().get(at) {
                None => break,
                Some(b'"') => {
                    self.string_held(visitor);
                    return Ok(at + 1);
                }
                Some(b'\\') => at += self.escape_begun(text, at)?,
                Some(_) => return Err(Fault::Control.at(self.offset + at)),
            }
            at += 1;
        }
        Ok(text.len())
    }

    /// An escape begins. Nearly all have two bytes: that many are done with then, less the first.
    fn escape_begun(&mut self, text: &str, at: usize) -> Result<usize, Malformed> {
        let Some(second @ (b'"' | b'\\' | b'/')) = text.as_bytes().get(at + 1) else {
            self.escape = Escape::Begun;
            return Ok(0);
        };
        self.bound(self.token, self.held.len() + 1)?;
        self.held.push(char::from(*second));
        Ok(1)
    }

    fn escaped(&mut self, byte: u8, at: usize) -> Result<(), Malformed> {
        match self.escape.step(byte) {
            Step::More(escape) => self.escape = escape,
            Step::Done(character) => {
                self.escape = Escape::None;
                self.bound(self.token, self.held.len() + character.len_utf8())?;
                self.held.push(character);
            }
            Step::Wrong(fault) => return Err(fault.at(self.offset + at)),
        }
        Ok(())
    }

    fn bound(&self, token: Token, length: usize) -> Result<(), Malformed> {
        match token {
            Token::Key if length > self.limits.key => Err(Fault::Key.at(self.token_at)),
            _ if length > self.limits.string => Err(Fault::String.at(self.token_at)),
            _ => Ok(()),
        }
    }

    fn string_held<V: Visitor + ?Sized>(&mut self, visitor: &mut V) {
        let held = std::mem::take(&mut self.held);
        self.string_end(self.token, &held, visitor);
        self.token = Token::None;
        self.held = held;
    }

    fn string_end<V: Visitor + ?Sized>(&mut self, token: Token, text: &str, visitor: &mut V) {
        if token == Token::Key {
            self.keys.add(text.as_bytes());
            visitor.key(text);
            self.expect = Expect::Colon;
        } else {
            visitor.string(text);
            self.value_end(visitor);
        }
    }
}
