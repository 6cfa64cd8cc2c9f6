//! XML 1.0 (<https://www.w3.org/TR/xml/>), the part of it that documents need which only carry data.
//!
//! An element is a member with its name and an object; its attributes are members of that object, its child elements too, and
//! its text is a string in it. Text is put together across CDATA sections, references and comments, as readers do it; white
//! space alone is passed over. Text between child elements is put together in further readings, without theirs and with it. Comments
//! are strings of their own. Names keep their namespace prefix. An element without attributes and content is its name.
//!
//! Refused: a document type, and with it all entities but the five predefined ones; processing instructions other than the XML
//! declaration in front; encodings other than UTF-8, UTF-16 and ASCII (the text is UTF-8 here, whatever it came from).

mod cursor;
mod mixed;
mod reference;
#[cfg(test)]
mod tests;

use super::{Fault, Limits, Malformed, Visitor};
use cursor::{Cursor, is_char, is_space};
use mixed::Mixed;

/// Attributes of an element.
const MAX_ATTRIBUTES: usize = 64;

/// Reads a whole document.
///
/// # Errors
/// When it breaks a rule or a limit.
pub fn read<V: Visitor + ?Sized>(bytes: &[u8], limits: Limits, visitor: &mut V) -> Result<(), Malformed> {
    let text = std::str::from_utf8(bytes).map_err(|error| Fault::Utf8.at(error.valid_up_to()))?;
    if text.starts_with('\u{feff}') {
        return Err(Fault::ByteOrderMark.at(0));
    }
    if let Some((at, _)) = text.char_indices().find(|(_, character)| !is_char(*character)) {
        return Err(Fault::Control.at(at));
    }
    let reader = Reader {
        cursor: Cursor::new(text),
        limits,
        visitor,
        nodes: 0,
        open: Vec::new(),
        text: String::new(),
        mixed: Mixed::new(text.len()),
    };
    reader.document()
}

struct Reader<'a, 'v, V: ?Sized> {
    cursor: Cursor<'a>,
    limits: Limits,
    visitor: &'v mut V,
    nodes: u32,
    /// Names of the elements that are open.
    open: Vec<&'a str>,
    /// Text since the last tag.
    text: String,
    /// Text of the elements that are open.
    mixed: Mixed,
}

impl<'a, V: Visitor + ?Sized> Reader<'a, '_, V> {
    fn document(mut self) -> Result<(), Malformed> {
        if self.cursor.starts_with("<?xml") {
            self.declaration()?;
        }
        self.visitor.object();
        self.outside()?;
        self.start_tag()?;
        while !self.open.is_empty() {
            self.content()?;
        }
        self.outside()?;
        self.visitor.object_end();
        if self.cursor.is_over() { Ok(()) } else { Err(self.cursor.fault(Fault::Trailing)) }
    }

    /// Section 2.8. Versions other than 1.0 have other rules.
    fn declaration(&mut self) -> Result<(), Malformed> {
        let at = self.cursor.at();
        let declaration = self.cursor.until("?>").ok_or(Fault::Unfinished.at(at))?;
        let mut rest = Cursor::new(declaration.strip_prefix("<?xml").unwrap_or_default());
        let wrong = Fault::Declaration.at(at);
        let mut step = 0;
        while !rest.is_over() {
            let has_space = rest.space();
            if rest.is_over() {
                break;
            }
            let name = rest.name().filter(|_| has_space).ok_or(wrong)?;
            let value = rest.equals_quoted().ok_or(wrong)?;
            step = match (step, name) {
                (0, "version") if value == "1.0" => 1,
                (1, "encoding") if ["utf-8", "utf-16", "us-ascii"].contains(&value.to_ascii_lowercase().as_str()) => 2,
                (1 | 2, "standalone") if ["yes", "no"].contains(&value) => 3,
                _ => return Err(wrong),
            };
        }
        if step == 0 { Err(wrong) } else { Ok(()) }
    }

    /// White space and comments in front of the root element or behind it.
    fn outside(&mut self) -> Result<(), Malformed> {
        loop {
            self.cursor.space();
            if !self.cursor.starts_with("<!--") {
                return Ok(());
            }
            self.comment()?;
        }
    }

    /// What comes next inside an element.
    fn content(&mut self) -> Result<(), Malformed> {
        if self.cursor.is_over() {
            return Err(self.cursor.fault(Fault::Unfinished));
        }
        if self.cursor.starts_with("<!--") {
            return self.comment();
        }
        if self.cursor.take("<![CDATA[") {
            let at = self.cursor.at();
            let text = self.cursor.until("]]>").ok_or(Fault::Unfinished.at(at))?;
            return self.add(text);
        }
        if self.cursor.starts_with("</") {
            return self.end_tag();
        }
        if self.cursor.starts_with("<") {
            return self.start_tag();
        }
        self.characters()
    }

    fn characters(&mut self) -> Result<(), Malformed> {
        let at = self.cursor.at();
        if self.cursor.starts_with("&") {
            let character = reference::read(&mut self.cursor).ok_or(Fault::Escape.at(at))?;
            return self.add(character.encode_utf8(&mut [0; 4]));
        }
        let run = self.cursor.run(|byte| !matches!(byte, b'<' | b'&'));
        // Section 2.4: so that a reader that looks for the end of CDATA is not led astray.
        if run.contains("]]>") {
            return Err(Fault::Unexpected.at(at));
        }
        self.add(run)
    }

    fn add(&mut self, text: &str) -> Result<(), Malformed> {
        self.text.push_str(text);
        if self.text.len() > self.limits.string { Err(self.cursor.fault(Fault::String)) } else { Ok(()) }
    }

    /// Hands on the text that a tag ends.
    fn flush(&mut self) -> Result<(), Malformed> {
        if !self.text.bytes().all(is_space) {
            self.limits.node(&mut self.nodes, self.cursor.at())?;
            self.visitor.string(&self.text);
        }
        self.mixed.add(&self.text);
        self.text.clear();
        Ok(())
    }

    fn start_tag(&mut self) -> Result<(), Malformed> {
        self.flush()?;
        let at = self.cursor.at();
        if self.cursor.starts_with("<!") || self.cursor.starts_with("<?") {
            return Err(Fault::Declaration.at(at));
        }
        if self.cursor.is_over() {
            return Err(Fault::Unfinished.at(at));
        }
        let name = if self.cursor.take("<") { self.name() } else { None }.ok_or(Fault::Unexpected.at(at))?;
        self.limits.node(&mut self.nodes, at)?;
        if self.open.len() >= usize::from(self.limits.depth) {
            return Err(Fault::Depth.at(at));
        }
        self.bound_key(name, at)?;
        self.visitor.key(name);
        self.visitor.object();
        self.open.push(name);
        let has_attributes = self.attributes()?;
        self.mixed.open(has_attributes);
        if self.cursor.take("/>") {
            return self.close();
        }
        if self.cursor.take(">") { Ok(()) } else { Err(self.cursor.fault(Fault::Unexpected)) }
    }

    fn end_tag(&mut self) -> Result<(), Malformed> {
        self.flush()?;
        let at = self.cursor.at();
        self.cursor.take("</");
        let name = self.name().ok_or(Fault::Unexpected.at(at))?;
        self.cursor.space();
        if !self.cursor.take(">") || self.open.last() != Some(&name) {
            return Err(Fault::Unexpected.at(at));
        }
        self.close()
    }

    fn close(&mut self) -> Result<(), Malformed> {
        self.open.pop();
        let at = self.cursor.at();
        let closed = self.mixed.close().ok_or(Fault::Work.at(at))?;
        for text in closed.texts {
            if text.len() > self.limits.string {
                return Err(Fault::String.at(at));
            }
            self.visitor.reading();
            self.visitor.string(&text);
            self.visitor.reading_end();
        }
        self.visitor.object_end();
        if closed.is_empty {
            self.visitor.nothing();
        }
        self.visitor.key_end();
        Ok(())
    }

    /// Whether there were any.
    fn attributes(&mut self) -> Result<bool, Malformed> {
        let mut names = Vec::new();
        loop {
            let has_space = self.cursor.space();
            let at = self.cursor.at();
            if self.cursor.is_over() || self.cursor.starts_with(">") || self.cursor.starts_with("/") {
                return Ok(!names.is_empty());
            }
            let name = self.name().filter(|_| has_space).ok_or(Fault::Unexpected.at(at))?;
            if names.iter().any(|other: &&str| other.eq_ignore_ascii_case(name)) {
                return Err(Fault::Duplicate.at(at));
            }
            if names.len() >= MAX_ATTRIBUTES {
                return Err(Fault::Nodes.at(at));
            }
            names.push(name);
            self.attribute(name, at)?;
        }
    }

    fn attribute(&mut self, name: &str, at: usize) -> Result<(), Malformed> {
        self.limits.node(&mut self.nodes, at)?;
        self.bound_key(name, at)?;
        let value = self.cursor.equals_quoted().ok_or(Fault::Unexpected.at(at))?;
        if value.contains('<') {
            return Err(Fault::Unexpected.at(at));
        }
        let value = reference::resolve(value).ok_or(Fault::Escape.at(at))?;
        if value.len() > self.limits.string {
            return Err(Fault::String.at(at));
        }
        self.visitor.key(name);
        self.visitor.string(&value);
        self.visitor.key_end();
        Ok(())
    }

    fn comment(&mut self) -> Result<(), Malformed> {
        let at = self.cursor.at();
        self.cursor.take("<!--");
        let comment = self.cursor.until("-->").ok_or(Fault::Unfinished.at(at))?;
        if comment.contains("--") || comment.ends_with('-') {
            return Err(Fault::Unexpected.at(at));
        }
        if comment.len() > self.limits.string {
            return Err(Fault::String.at(at));
        }
        self.limits.node(&mut self.nodes, at)?;
        self.visitor.string(comment);
        Ok(())
    }

    fn name(&mut self) -> Option<&'a str> {
        self.cursor.name()
    }

    fn bound_key(&self, name: &str, at: usize) -> Result<(), Malformed> {
        if name.len() > self.limits.key { Err(Fault::Key.at(at)) } else { Ok(()) }
    }
}
