//! Multipart bodies (RFC 2046 section 5.1, RFC 7578).
//!
//! Each part is an element and an object. Its header fields are members, in lower case, with their values as they stand; the
//! parameters of `Content-Disposition` and `Content-Type` follow as members of their own (`name`, `filename`, …), without
//! quotation marks and escapes; those that only say how the body is to be read are further readings. The body comes last, under the part's name or `body`, by way of [`Visitor::part`]; a body
//! that is multipart itself is read on here. What stands in front of the first delimiter and behind the last is not passed
//! over: it is reported under `preamble` and `epilogue`.
//!
//! Lines may end with LF alone. Folded header fields, names that are there twice, and lines that begin like a delimiter and
//! go on otherwise are refused, since readers do not agree on them.

mod encoding;
mod lines;
#[cfg(test)]
mod tests;

use super::parameters::{Parameterised, is_token};
use super::{Fault, Limits, Malformed, Visitor};
use encoding::Encoding;
use lines::{Delimiter, Delimiters};
use std::borrow::Cow;

/// Parts of a body, those inside of parts included.
pub const MAX_PARTS: usize = 1_000;
/// Multipart bodies inside one another.
pub const MAX_NESTED: u8 = 8;
/// Header fields of a part.
const MAX_HEADERS: usize = 16;

/// Header fields whose values say how a body is to be read; their parameters are members of their own.
const STRUCTURAL: &[&str] = &["content-disposition", "content-type", "content-transfer-encoding"];
/// Parameters that say the same. The name of a file is none: it may say anything.
const STRUCTURAL_PARAMETERS: &[&str] = &["name", "boundary", "charset"];

/// The boundary that a content type names.
///
/// # Errors
/// When the content type is not multipart, has a parameter twice, or its boundary is not 1 to 70 characters of RFC 2046 with
/// no space at the end.
pub fn boundary(content_type: &str) -> Result<String, Malformed> {
    let media_type = Parameterised::parse(content_type).ok_or(Fault::Header.at(0))?;
    boundary_of(&media_type).ok_or(Fault::Boundary.at(0))
}

fn boundary_of(media_type: &Parameterised) -> Option<String> {
    let boundary = media_type.get("boundary").filter(|_| media_type.value.starts_with("multipart/"))?;
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    let is_boundary = (1..=70).contains(&boundary.len()) && boundary.bytes().all(is_allowed) && !boundary.ends_with(' ');
    is_boundary.then(|| boundary.to_owned())
}

/// Reads a body with the boundary of its content type.
///
/// # Errors
/// When it breaks a rule or a limit: see the module, [`MAX_PARTS`] and [`MAX_NESTED`].
pub fn read<V: Visitor + ?Sized>(bytes: &[u8], boundary: &str, limits: Limits, visitor: &mut V) -> Result<(), Malformed> {
    Reader { limits, visitor, parts: 0, nodes: 0 }.body(bytes, 0, boundary, 1)
}

struct Reader<'v, V: ?Sized> {
    limits: Limits,
    visitor: &'v mut V,
    parts: usize,
    nodes: u32,
}

/// What the header of a part says.
#[derive(Default)]
struct Header {
    names: Vec<String>,
    name: Option<String>,
    content_type: Option<(String, Parameterised)>,
    encoding: Option<Encoding>,
}

impl<V: Visitor + ?Sized> Reader<'_, V> {
    fn body(&mut self, bytes: &[u8], at: usize, boundary: &str, level: u8) -> Result<(), Malformed> {
        if level > MAX_NESTED {
            return Err(Fault::Depth.at(at));
        }
        let mut delimiters = Delimiters::new(bytes, at, boundary);
        let mut delimiter = delimiters.next_delimiter()?.ok_or(Fault::Boundary.at(at))?;
        self.aside("preamble", bytes.get(..delimiter.content_end).unwrap_or_default())?;
        if delimiter.is_last {
            return Err(Fault::Unfinished.at(at));
        }
        let mut index = 0;
        while !delimiter.is_last {
            let next = delimiters.next_delimiter()?.ok_or(Fault::Unfinished.at(at + bytes.len()))?;
            self.element(bytes, at, &delimiter, &next, (index, level))?;
            delimiter = next;
            index += 1;
        }
        self.aside("epilogue", bytes.get(delimiter.next..).unwrap_or_default())
    }

    /// What stands outside of all parts. An empty line is nothing.
    fn aside(&mut self, key: &str, bytes: &[u8]) -> Result<(), Malformed> {
        if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            return Ok(());
        }
        self.limits.node(&mut self.nodes, 0)?;
        self.visitor.key(key);
        self.visitor.part("text/plain", bytes);
        self.visitor.key_end();
        Ok(())
    }

    fn element(&mut self, bytes: &[u8], at: usize, from: &Delimiter, to: &Delimiter, (index, level): (usize, u8)) -> Result<(), Malformed> {
        let at = at + from.next;
        self.parts += 1;
        if self.parts > MAX_PARTS {
            return Err(Fault::Parts.at(at));
        }
        self.visitor.element(index);
        self.visitor.object();
        // Between two delimiter lines without anything there is not even a line break of its own.
        self.part(bytes.get(from.next..to.content_end).unwrap_or_default(), at, level)?;
        self.visitor.object_end();
        self.visitor.element_end();
        Ok(())
    }

    fn part(&mut self, part: &[u8], at: usize, level: u8) -> Result<(), Malformed> {
        let mut header = Header::default();
        let mut rest = part;
        while !rest.is_empty() {
            let line_at = at + part.len() - rest.len();
            let (line, behind) = lines::split(rest);
            rest = behind;
            if line.is_empty() {
                break;
            }
            self.field(line, line_at, &mut header)?;
        }
        self.content(rest, at + part.len() - rest.len(), &header, level)
    }

    fn field(&mut self, line: &[u8], at: usize, header: &mut Header) -> Result<(), Malformed> {
        let line = std::str::from_utf8(line).map_err(|_| Fault::Utf8.at(at))?;
        let (name, value) = line.split_once(':').ok_or(Fault::Header.at(at))?;
        let (name, value) = (name.to_ascii_lowercase(), value.trim_matches([' ', '\t']));
        if !is_token(&name) || value.chars().any(|character| character.is_control() && character != '\t') {
            return Err(Fault::Header.at(at));
        }
        if header.names.contains(&name) {
            return Err(Fault::Duplicate.at(at));
        }
        if header.names.len() >= MAX_HEADERS {
            return Err(Fault::Nodes.at(at));
        }
        let is_structural = STRUCTURAL.contains(&name.as_str());
        self.member(&name, value, at, is_structural)?;
        self.known_field(&name, value, at, header)?;
        header.names.push(name);
        Ok(())
    }

    fn known_field(&mut self, name: &str, value: &str, at: usize, header: &mut Header) -> Result<(), Malformed> {
        match name {
            "content-disposition" => {
                let disposition = Parameterised::parse(value).ok_or(Fault::Header.at(at))?;
                self.parameters(&disposition, at)?;
                header.name = disposition.get("name").map(str::to_owned);
            }
            "content-type" => {
                let media_type = Parameterised::parse(value).filter(|parsed| parsed.value.contains('/')).ok_or(Fault::Header.at(at))?;
                self.parameters(&media_type, at)?;
                header.content_type = Some((value.to_owned(), media_type));
            }
            "content-transfer-encoding" => header.encoding = Some(Encoding::of(value).ok_or(Fault::Encoding.at(at))?),
            _ => {}
        }
        Ok(())
    }

    fn parameters(&mut self, value: &Parameterised, at: usize) -> Result<(), Malformed> {
        value.parameters.iter().try_for_each(|(name, value)| self.member(name, value, at, STRUCTURAL_PARAMETERS.contains(&name.as_str())))
    }

    /// What only says how the body is to be read is a further reading: its words are the format's, and a name is a key.
    fn member(&mut self, key: &str, value: &str, at: usize, is_structural: bool) -> Result<(), Malformed> {
        self.limits.node(&mut self.nodes, at)?;
        if key.len() > self.limits.key {
            return Err(Fault::Key.at(at));
        }
        if value.len() > self.limits.string {
            return Err(Fault::String.at(at));
        }
        self.visitor.key(key);
        if is_structural {
            self.visitor.reading();
        }
        self.visitor.string(value);
        if is_structural {
            self.visitor.reading_end();
        }
        self.visitor.key_end();
        Ok(())
    }

    fn content(&mut self, body: &[u8], at: usize, header: &Header, level: u8) -> Result<(), Malformed> {
        self.limits.node(&mut self.nodes, at)?;
        let key = header.name.as_deref().unwrap_or("body");
        if key.len() > self.limits.key {
            return Err(Fault::Key.at(at));
        }
        let encoding = header.encoding.unwrap_or(Encoding::Identity);
        let (content_type, media_type) =
            header.content_type.as_ref().map_or(("text/plain", None), |(text, parsed)| (text.as_str(), Some(parsed)));
        self.visitor.key(key);
        match media_type.filter(|parsed| parsed.value.starts_with("multipart/")) {
            // RFC 2046 section 5.1 forbids to encode it.
            Some(_) if encoding != Encoding::Identity => return Err(Fault::Encoding.at(at)),
            Some(media_type) => self.body(body, at, &boundary_of(media_type).ok_or(Fault::Boundary.at(at))?, level + 1)?,
            None => {
                let decoded: Cow<'_, [u8]> = encoding.decode(body).ok_or(Fault::Encoding.at(at))?;
                self.visitor.part(content_type, &decoded);
            }
        }
        self.visitor.key_end();
        Ok(())
    }
}
