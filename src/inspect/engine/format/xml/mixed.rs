//! Text that child elements part (mixed content, section 3.2.2): readers put it together, with the text of the children or without.

use super::is_space;

/// Bytes that are put together for each byte of the document: each element that holds mixed content puts those inside together again.
const MAX_GROWTH: usize = 4;
/// Bytes that even a small document may have put together.
const FREE_GROWTH: usize = 4 << 10;

/// The text of the elements that are open.
pub(super) struct Mixed {
    open: Vec<Element>,
    /// Text so far inside the outermost element.
    all: String,
    /// Bytes that may still be put together.
    left: usize,
}

/// An element that is open.
#[derive(Default)]
struct Element {
    /// Where its text begins.
    start: usize,
    /// Its own text, as places in the whole.
    own: Vec<(usize, usize)>,
    has_children: bool,
    has_attributes: bool,
}

/// An element that was closed.
#[derive(Default)]
pub(super) struct Closed {
    /// Its text put together, if it was parted.
    pub(super) texts: Vec<String>,
    /// Whether there was nothing in it at all.
    pub(super) is_empty: bool,
}

impl Mixed {
    /// For a document of so many bytes.
    pub(super) fn new(len: usize) -> Self {
        Self { open: Vec::new(), all: String::new(), left: len.saturating_mul(MAX_GROWTH).saturating_add(FREE_GROWTH) }
    }

    pub(super) fn open(&mut self, has_attributes: bool) {
        if let Some(parent) = self.open.last_mut() {
            parent.has_children = true;
        }
        self.open.push(Element { start: self.all.len(), has_attributes, ..Element::default() });
    }

    /// Takes text of the innermost element.
    pub(super) fn add(&mut self, text: &str) {
        let Some(element) = self.open.last_mut().filter(|_| !text.is_empty()) else { return };
        let start = self.all.len();
        // Line breaks between elements are layout.
        if !text.bytes().all(is_space) {
            self.all.push_str(text);
            element.own.push((start, self.all.len()));
        }
    }

    /// The innermost element ends; `None` if more was put together than there may be.
    pub(super) fn close(&mut self) -> Option<Closed> {
        let Some(element) = self.open.pop() else { return Some(Closed::default()) };
        let inside = self.all.get(element.start..).unwrap_or_default();
        let own: usize = element.own.iter().map(|(start, end)| end - start).sum();
        let mut texts = Vec::new();
        if element.has_children && own > 0 {
            self.left = self.left.checked_sub(own + inside.len())?;
            if element.own.len() > 1 {
                texts.push(element.own.iter().filter_map(|(start, end)| self.all.get(*start..*end)).collect());
            }
            if own < inside.len() {
                texts.push(inside.to_owned());
            }
        }
        let is_empty = !element.has_children && !element.has_attributes && inside.is_empty();
        if self.open.is_empty() {
            self.all.clear();
        }
        Some(Closed { texts, is_empty })
    }
}
