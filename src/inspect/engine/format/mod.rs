//! Readers of formats: bytes in, leaves out. Each drives a [`Visitor`]; what breaks a rule of its format is [`Malformed`],
//! so nothing is cleared because it could not be read.
//!
//! Readers expect UTF-8: what a charset or a byte order mark says is settled before.

pub mod base64;
pub mod csv;
pub mod form;
pub mod grpc_web;
pub mod json;
pub mod media;
pub mod multipart;
pub mod ndjson;
mod parameters;
pub mod protobuf;
pub mod sniff;
#[cfg(test)]
pub(crate) mod testing;
pub mod text;
pub mod xml;

use std::borrow::Cow;
use std::fmt;
use std::str::Utf8Error;

/// What documents say of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// Something is in it that they do not have.
    Nothing,
    /// It has only their words, and the index of a row: `hotfixes[0].installedOn`.
    Words,
    /// Those of a person: `givenName`.
    Person,
}

/// Receives a document, leaf by leaf. Locations are kept by the receiver from these calls.
///
/// Calls nest: `key … key_end`, `element … element_end`, `object … object_end`, `reading … reading_end`. After an error no
/// further call comes, so some may stay open.
pub trait Visitor {
    /// A member begins: its key, unescaped.
    fn key(&mut self, key: &str);
    /// The key's value is over.
    fn key_end(&mut self) {}
    /// An array's or a repeated element begins, counted from 0.
    fn element(&mut self, index: usize) {
        let _ = index; // what has no use for places needs none
    }
    /// The element is over.
    fn element_end(&mut self) {}
    /// An object begins.
    fn object(&mut self) {}
    /// The object is over.
    fn object_end(&mut self) {}
    /// A string, unescaped.
    fn string(&mut self, text: &str);
    /// A number as it stands, never by way of a float.
    fn number(&mut self, raw: &str);
    /// A whole number, before it is told as text: true if its size says all that is to be known of it.
    fn whole(&mut self, value: u64) -> bool {
        let _ = value; // most want the text
        false
    }
    /// A member whose value is one leaf, before any of it is told: true if nothing more is to be known of it.
    fn leaf(&mut self, key: &str, leaf: Leaf<'_>) -> bool {
        let _ = (key, leaf); // most want key and text
        false
    }
    /// A string of which nobody has seen yet that it is UTF-8.
    ///
    /// # Errors
    /// When it is not. What is proven harmless byte by byte need not be decoded.
    fn utf8(&mut self, bytes: &[u8]) -> Result<(), Utf8Error> {
        self.string(std::str::from_utf8(bytes)?);
        Ok(())
    }
    /// A word of the format: `true`, `false`, `null`; `NaN` and `Infinity` of Protocol Buffers.
    fn literal(&mut self, word: &str);
    /// Bytes that are no text.
    fn bytes(&mut self, bytes: &[u8]);
    /// The body of a multipart part with its own content type (`text/plain` if it names none), for the receiver to read on.
    fn part(&mut self, content_type: &str, body: &[u8]) {
        let _ = content_type; // what has no use for it takes text as text
        match std::str::from_utf8(body) {
            Ok(text) => self.string(text),
            Err(_) => self.bytes(body),
        }
    }
    /// The names of the columns of the rows that follow; none behind the last row. What stands side by side tells what each is.
    fn columns(&mut self, _names: &[Cow<'_, str>]) {}
    /// Whether a name is one that documents have: a column that stands alone may as well be a value.
    fn knows(&self, _name: &str) -> bool {
        false
    }
    /// What documents say of a name that stands in a text.
    fn naming(&self, _name: &str) -> Naming {
        Naming::Nothing
    }
    /// The innermost member holds nothing at all: its key is all that it says.
    fn nothing(&mut self) {}
    /// What follows up to [`Visitor::reading_end`] is a further reading of bytes that were or will be read in another way:
    /// evidence found in it counts, but it need not prove itself harmless. [`Visitor::bytes`] in it may be text in part.
    fn reading(&mut self) {}
    /// The further reading is over.
    fn reading_end(&mut self) {}
}

/// A value as a format of bytes has it, before it is made a text.
#[derive(Debug, Clone, Copy)]
pub enum Leaf<'a> {
    /// A whole number.
    Whole(u64),
    /// A number with decimals.
    Double(f64),
    /// A string of which nobody has seen yet that it is UTF-8.
    Text(&'a [u8]),
}

/// Where a document breaks a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {
    /// Which rule.
    pub fault: Fault,
    /// The byte, counted from 0, at which reading stopped. For JSON it does not depend on how the input was cut.
    pub at: usize,
}

impl Malformed {
    /// The accepted form, never the content.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        self.fault.detail()
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (byte {})", self.detail(), self.at)
    }
}

/// A rule that was broken. A closed list: it is a label in metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Not UTF-8.
    Utf8,
    /// A byte order mark that the charset layer has not taken off.
    ByteOrderMark,
    /// The document ends too early.
    Unfinished,
    /// Something stands where the grammar has something else.
    Unexpected,
    /// A control character that must be escaped or absent.
    Control,
    /// An escape that the format does not know.
    Escape,
    /// Half of a surrogate pair.
    Surrogate,
    /// A number that is none, or beyond the range of a double.
    Number,
    /// A member or header name that is there twice, differences in ASCII case aside.
    Duplicate,
    /// Nested too deep.
    Depth,
    /// Too many values.
    Nodes,
    /// A key that is too long.
    Key,
    /// A string or a number that is too long.
    String,
    /// Something behind the document.
    Trailing,
    /// A multipart boundary that RFC 2046 does not allow, or that cannot be told from its neighbours.
    Boundary,
    /// A media type or header field of a part that cannot be read in one way only.
    Header,
    /// More parts than are read.
    Parts,
    /// A transfer encoding other than 7bit, 8bit, binary, base64 and quoted-printable, or one that is not kept to.
    Encoding,
    /// A document type, an entity declaration or a processing instruction.
    Declaration,
    /// A tag, length or varint that Protocol Buffers do not allow.
    Wire,
    /// A field, or a type of it, that the descriptor does not have.
    Schema,
    /// Bytes that can be read in so many ways that reading them all costs too much.
    Work,
    /// A frame that is not of the framing, or too large.
    Frame,
}

impl Fault {
    /// The accepted form, never the content.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Utf8 => "text must be UTF-8",
            Self::ByteOrderMark => "the document must begin without a byte order mark",
            Self::Unfinished => "the document must be complete",
            Self::Unexpected => "the document must follow the grammar of its format",
            Self::Control => "control characters must be escaped",
            Self::Escape => "escapes must be those of the format",
            Self::Surrogate => "surrogates must come in pairs",
            Self::Number => "numbers must follow the grammar and fit a double",
            Self::Duplicate => "names must be unique, regardless of case",
            Self::Depth => "the document must not be nested deeper than the limit",
            Self::Nodes => "the document must not have more values than the limit",
            Self::Key => "keys must not be longer than the limit",
            Self::String => "values must not be longer than the limit",
            Self::Trailing => "nothing may follow the document",
            Self::Boundary => "the multipart boundary must be 1 to 70 characters of RFC 2046 and stand alone on its lines",
            Self::Header => "media types and part headers must follow RFC 7578",
            Self::Parts => "a multipart body must not have more than 1,000 parts",
            Self::Encoding => "transfer encodings must be 7bit, 8bit, binary, base64 or quoted-printable, and kept to",
            Self::Declaration => "XML must have no document type, entity declaration or processing instruction",
            Self::Wire => "the message must be in the Protocol Buffers wire format, without groups",
            Self::Schema => "fields must be those of the descriptor",
            Self::Work => "the message must not be readable in too many ways",
            Self::Frame => "frames must be those of gRPC-Web and not larger than the limit",
        }
    }

    /// The fault at a place.
    #[must_use]
    pub const fn at(self, at: usize) -> Malformed {
        Malformed { fault: self, at }
    }
}

/// What a document may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Objects, arrays, elements or messages inside one another.
    pub depth: u16,
    /// Values: leaves and containers.
    pub nodes: u32,
    /// Bytes of a key, unescaped.
    pub key: usize,
    /// Bytes of a string, unescaped. Not applied to a whole plain text or to the body of a part.
    pub string: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 32, nodes: 65_536, key: 256, string: 65_536 }
    }
}

impl Limits {
    /// One node more.
    pub(crate) const fn node(&self, nodes: &mut u32, at: usize) -> Result<(), Malformed> {
        if *nodes >= self.nodes {
            return Err(Fault::Nodes.at(at));
        }
        *nodes += 1;
        Ok(())
    }
}
