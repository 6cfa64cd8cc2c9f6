//! Nested encodings: text in base64, base32, hex, escapes and mail encodings, found without being announced.

mod ascii85;
mod escape;
mod follow;
mod gate;
mod grouped;
mod mail;
mod plausible;
mod run;
mod search;
mod seven;
mod short;
mod spaced;
mod stretch;
mod uu;

use super::coding::{self, Coding};
use super::magic::{self, Magic};
use super::{Limits, Unreadable, charset};
use crate::inspect::engine::digits::Alphabet;
use std::borrow::Cow;
use stretch::Place;

pub use escape::percent_decoded;
pub use follow::walk;
pub use gate::may_hold;
pub use grouped::may_hold as is_grouped;

/// Encodings inside one another that are followed.
pub const MAX_DEPTH: u8 = 4;
/// Encoded runs in one message.
const MAX_BLOBS: usize = 256;
/// Derived bytes for each byte of the message.
const MAX_GROWTH: usize = 4;
/// Derived bytes that even a small message may have.
const FREE_GROWTH: usize = 4 << 10;
/// Length from which a run that decodes to nothing known is opaque.
const OPAQUE: usize = 256;

/// Bytes that come out for each byte of what may be deflate: a bomb is opaque.
const MAX_INFLATED: usize = 8;

/// How something was encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Via {
    /// Not at all: binary data or UTF-16 where text was expected.
    Raw,
    /// RFC 4648 4 and 5, with or without padding and line breaks; in groups.
    Base64,
    /// Ascii85 between its marks, as Adobe writes it.
    Base85,
    /// RFC 4648 6.
    Base32,
    /// Hexadecimal digits, together or in groups.
    Hex,
    /// Percent, HTML and backslash escapes, and UTF-7 (RFC 2152).
    Escape,
    /// Quoted-printable (RFC 2045 6.7).
    Quoted,
    /// Encoded words (RFC 2047), uuencode.
    Mail,
    /// A compressed stream.
    Inflated(Coding),
}

impl Via {
    /// Whether it encodes single characters, so that the text around them stands as it is.
    #[must_use]
    pub const fn is_in_place(self) -> bool {
        matches!(self, Self::Escape | Self::Quoted)
    }
}

/// Something found inside a text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Derived<'a> {
    /// Decoded text: to be inspected, and handed to [`derived`] again one level deeper.
    Text {
        /// How it was encoded.
        via: Via,
        /// The text.
        text: &'a str,
    },
    /// The text itself looks like a JSON document: to be parsed, not to be handed to [`derived`] again as it is.
    Json {
        /// The document.
        text: &'a str,
    },
    /// Decoded bytes that are no text.
    Bytes {
        /// How they were encoded.
        via: Via,
        /// What they are.
        magic: Magic,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// At least 256 characters or bytes that decode to nothing known, or a compressed stream of any length that does.
    Opaque {
        /// How they seem to be encoded.
        via: Via,
        /// Their length as they stand.
        len: usize,
    },
}

/// What one message may still cost.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    blobs: usize,
    bytes: usize,
    visited: u64,
    /// Looks that are allowed in all.
    most: u64,
}

impl Budget {
    /// For a message of so many bytes: 256 runs, and derived bytes of four times its size (at least 4 KiB).
    #[must_use]
    pub const fn new(body: usize) -> Self {
        let bytes = body.saturating_mul(MAX_GROWTH);
        Self { blobs: MAX_BLOBS, bytes: if bytes < FREE_GROWTH { FREE_GROWTH } else { bytes }, visited: 0, most: u64::MAX }
    }

    /// The same budget, with so many more looks at most.
    #[must_use]
    pub const fn within(self, looks: u64) -> Self {
        Self { most: self.visited.saturating_add(looks), ..self }
    }

    /// Derived bytes that are left.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.bytes
    }

    /// Bytes that were looked at so far, for the proof that the work is linear.
    #[must_use]
    pub const fn visited(&self) -> u64 {
        self.visited
    }

    /// Takes so many derived bytes.
    ///
    /// # Errors
    /// [`Unreadable::Budget`] if there are not so many left.
    pub fn charge(&mut self, bytes: usize) -> Result<(), Unreadable> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or(Unreadable::Budget)?;
        Ok(())
    }

    fn take_blob(&mut self) -> Result<(), Unreadable> {
        self.blobs = self.blobs.checked_sub(1).ok_or(Unreadable::Blobs)?;
        Ok(())
    }

    /// Asked before each search.
    const fn has_looks(&self) -> Result<(), Unreadable> {
        if self.visited < self.most { Ok(()) } else { Err(Unreadable::Work) }
    }

    const fn count(&mut self, bytes: usize) {
        self.visited += bytes as u64;
    }
}

/// Receives what is found. It gets the budget back, since it has to pass it on when it looks further inside.
pub type Visit<'v> = dyn FnMut(Derived<'_>, &mut Budget) -> Result<(), Unreadable> + 'v;

/// Finds what is encoded in a text and hands it to `visit`, one level only.
///
/// - Runs of at least 16 characters in base64, base32 or hex (also grouped), if they decode to text (UTF-8 or UTF-16, at
///   least 90 % printable) or to known binary data. Text is also found behind a prefix that shifts the alignment.
///   Digests, identifiers, paths and words decode to neither, and are passed over. Long ones are tried as deflate.
/// - Shorter runs if they decode to what can only be a number or an address; runs in groups of one length; uuencode; Ascii85.
/// - The whole text with all percent, HTML and backslash escapes decoded, and again with those of mail, if there are any.
/// - The text itself if it is JSON, UTF-16, or binary data.
///
/// `depth` is the number of encodings around `text`. Every byte is looked at a fixed number of times.
///
/// # Errors
/// [`Unreadable::Depth`] if something is found at [`MAX_DEPTH`]; [`Unreadable::Blobs`], [`Unreadable::Budget`] and
/// [`Unreadable::Work`] if the budget is spent; and what `visit` returns.
pub fn derived(text: &[u8], depth: u8, budget: &mut Budget, visit: &mut Visit<'_>) -> Result<(), Unreadable> {
    budget.has_looks()?;
    let mut finder = Finder { depth, budget, visit };
    let marks = Marks::of(text);
    finder.budget.count(text.len());
    finder.whole(text, marks)?;
    finder.budget.has_looks()?;
    run::find(text, marks.has(Marks::LINES), &mut finder)?;
    finder.budget.has_looks()?;
    spaced::find(text, &mut finder)?;
    finder.budget.has_looks()?;
    let is_json = has_ends_of_json(text);
    if marks.has(Marks::ESCAPE) || is_json && memchr::memchr(b'\\', text).is_some() {
        escape::find(text, is_json, &mut finder)?;
    }
    if marks.has(Marks::BLANK) {
        grouped::find(text, &mut finder)?;
    }
    if marks.has(Marks::LINES) && marks.has(Marks::UU) {
        uu::find(text, &mut finder)?;
    }
    if marks.has(Marks::ASCII85) {
        ascii85::find(text, &mut finder)?;
    }
    if marks.has(Marks::MAIL) { mail::find(text, &mut finder) } else { Ok(()) }
}

/// What is anywhere in a text, as a set: it tells what cannot be encoded there.
#[derive(Clone, Copy, Default)]
struct Marks(u8);

impl Marks {
    /// How an escape begins.
    const ESCAPE: u8 = 1;
    /// How an encoding of mail begins.
    const MAIL: u8 = 2;
    /// A line break.
    const LINES: u8 = 4;
    const NUL: u8 = 8;
    /// A byte that is not ASCII.
    const HIGH: u8 = 16;
    /// How Ascii85 begins.
    const ASCII85: u8 = 32;
    const BLANK: u8 = 64;
    /// How the first word of uuencode ends.
    const UU: u8 = 128;

    /// One pass without branches: most text ends here.
    fn of(text: &[u8]) -> Self {
        let pairs = text.iter().zip(text.get(1..).unwrap_or_default());
        let marks = pairs.fold(0, |marks, (&byte, &next)| marks | pair(byte, next));
        Self(text.last().map_or(marks, |&last| marks | pair(last, b' ')))
    }

    const fn has(self, mark: u8) -> bool {
        self.0 & mark != 0
    }
}

/// The marks of a byte and the next. So simple that the compiler makes one instruction of it for many bytes.
fn pair(byte: u8, next: u8) -> u8 {
    let small = next | 0x20;
    let is_hex = next.is_ascii_digit() || matches!(small, b'a'..=b'f');
    let is_break = |byte: u8| byte == b'\r' || byte == b'\n';
    let percent = byte == b'%' && (is_hex || small == b'u');
    let entity = byte == b'&' && (next == b'#' || small.is_ascii_lowercase());
    // What a Windows path hardly has behind a backslash.
    let backslash = byte == b'\\' && (is_break(next) || matches!(next, b'"' | b'/' | b'x' | b'0'..=b'3') || small == b'u');
    // How every sign of ASCII begins in UTF-7, and the plus sign itself.
    let seven = byte == b'+' && (next == b'A' || next == b'-');
    let mail = byte == b'=' && (is_hex || is_break(next) || next == b'?');
    let mark = |is_there: bool, mark: u8| u8::from(is_there) * mark;
    mark(percent || entity || backslash || seven, Marks::ESCAPE)
        | mark(mail, Marks::MAIL)
        | mark(is_break(byte), Marks::LINES)
        | mark(byte == 0, Marks::NUL)
        | mark(byte >= 0x80, Marks::HIGH)
        | mark(byte == b'<' && next == b'~', Marks::ASCII85)
        | mark(byte == b' ', Marks::BLANK)
        | mark(byte == b'n' && next == b' ', Marks::UU)
}

/// Takes what the parts find, and charges it.
struct Finder<'f, 'v> {
    depth: u8,
    budget: &'f mut Budget,
    visit: &'f mut Visit<'v>,
}

impl Finder<'_, '_> {
    /// The text as a whole.
    fn whole(&mut self, text: &[u8], marks: Marks) -> Result<(), Unreadable> {
        if !marks.has(Marks::NUL | Marks::HIGH) && !has_ends_of_json(text) {
            return Ok(());
        }
        self.budget.count(text.len());
        let utf8 = std::str::from_utf8(text).ok();
        if let Some(text) = utf8.filter(|_| !marks.has(Marks::NUL)) {
            return if is_json(text) { self.found(Derived::Json { text }) } else { Ok(()) };
        }
        self.budget.count(text.len());
        if let Some(Cow::Owned(text)) = charset::plain(text) {
            return self.text(Via::Raw, &text);
        }
        if let Some(magic) = magic::of(text) {
            self.budget.charge(text.len())?;
            return self.found(Derived::Bytes { via: Via::Raw, magic, bytes: text });
        }
        if utf8.is_none() && text.len() >= OPAQUE { self.opaque(Via::Raw, text.len()) } else { Ok(()) }
    }

    /// A run that was decoded: text or known bytes. Tells whether it was one of them.
    fn decoded(&mut self, via: Via, bytes: &[u8]) -> Result<bool, Unreadable> {
        let (text, looks) = plausible::text(bytes);
        self.budget.count(looks);
        if let Some(text) = text {
            self.budget.take_blob()?;
            self.text(via, &text)?;
            return Ok(true);
        }
        let (text, looks) = plausible::unpadded(bytes);
        self.budget.count(looks);
        if let Some(text) = text {
            self.budget.take_blob()?;
            self.text(via, text)?;
            return Ok(true);
        }
        let Some(magic) = magic::of(bytes) else { return Ok(false) };
        self.budget.take_blob()?;
        self.budget.charge(bytes.len())?;
        self.found(Derived::Bytes { via, magic, bytes })?;
        Ok(true)
    }

    /// As [`Finder::decoded`], of what has to be decoded first.
    fn decoded_part(&mut self, alphabet: Alphabet, via: Via, part: &[u8]) -> Result<bool, Unreadable> {
        self.budget.count(part.len());
        self.decoded(via, &alphabet.decode(part))
    }

    /// Whether text or known data may begin with these very few bytes.
    fn may_begin(&mut self, first: &[u8]) -> bool {
        self.budget.count(first.len());
        plausible::may_begin(first) || first.first().is_some_and(|&first| magic::may_begin(first))
    }

    /// Whether the first of so many bytes are like those of text or of known data.
    fn promises(&mut self, head: &[u8], len: usize) -> bool {
        self.budget.count(head.len());
        plausible::may_be_text(head) || magic::of_head(head, len).is_some()
    }

    /// Whether deflate may begin with these bytes.
    fn may_be_deflate(&mut self, head: &[u8]) -> bool {
        let (may_be, inflated) = coding::may_be_deflate(head, 2 * head.len());
        self.budget.count(head.len() + inflated);
        may_be
    }

    /// Bytes of nothing known, tried as deflate. Tells whether they were.
    fn deflated(&mut self, via: Via, bytes: &[u8]) -> Result<bool, Unreadable> {
        let most = bytes.len().saturating_mul(MAX_INFLATED).min(self.budget.left());
        let (inflated, is_all) = coding::try_deflate(bytes, Limits { max_output: most });
        self.budget.count(bytes.len() + inflated.len());
        if !is_all {
            // What came out for nothing was work too.
            self.budget.charge(inflated.len())?;
            return Ok(false);
        }
        if !self.decoded(Via::Inflated(Coding::Deflate), &inflated)? {
            self.opaque(via, bytes.len())?;
        }
        Ok(true)
    }

    /// Texts inside a run whose decoded bytes are not all text. Returns how many bytes are in them.
    ///
    /// Costs bytes of the budget, but is no blob: one in a hundred digests has such a text by chance.
    fn stretches(&mut self, via: Via, len: usize, byte: impl Fn(usize) -> u8) -> Result<usize, Unreadable> {
        let (places, looks) = stretch::places(len, &byte);
        self.budget.count(looks);
        let mut covered = 0;
        for Place { range, wide } in places {
            self.budget.count(2 * range.len());
            let bytes: Vec<u8> = range.map(&byte).collect();
            if wide {
                covered += bytes.len();
                let narrow: String = bytes.iter().filter(|&&byte| byte != 0).map(|&byte| char::from(byte)).collect();
                self.text(via, &narrow)?;
                continue;
            }
            for text in plausible::stretches(&bytes) {
                covered += text.len();
                self.text(via, text)?;
            }
        }
        Ok(covered)
    }

    fn text(&mut self, via: Via, text: &str) -> Result<(), Unreadable> {
        self.budget.charge(text.len())?;
        self.found(Derived::Text { via, text })
    }

    fn opaque(&mut self, via: Via, len: usize) -> Result<(), Unreadable> {
        (self.visit)(Derived::Opaque { via, len }, self.budget)
    }

    fn found(&mut self, found: Derived<'_>) -> Result<(), Unreadable> {
        if self.depth >= MAX_DEPTH {
            return Err(Unreadable::Depth);
        }
        (self.visit)(found, self.budget)
    }
}

/// Whether a text begins and ends like an object or an array of JSON.
fn has_ends_of_json(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    matches!((text.first(), text.last()), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')))
}

/// Whether a text is worth parsing as JSON: an object or an array that is not empty. Numbers may be the codes of characters.
fn is_json(text: &str) -> bool {
    let text = text.trim_ascii();
    let object = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let array = || text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let begins = |inside: &str| inside.trim_ascii_start().starts_with(|first| matches!(first, '"' | '{' | '[' | '0'..='9'));
    object.or_else(array).is_some_and(begins)
}

crate::hidden::hidden!(Derived<'a>);

#[cfg(test)]
mod padded_tests;
#[cfg(test)]
mod pairs_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod work_tests;
