//! A receiver that writes down what a reader hands on, and holds that calls nest.

use ucx_egress::inspect::engine::format::Visitor;

/// One call of a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Key(String),
    KeyEnd,
    Element(usize),
    ElementEnd,
    Object,
    ObjectEnd,
    Text(String),
    Number(String),
    Literal(String),
    Bytes(Vec<u8>),
    Part(String, Vec<u8>),
    Reading,
    ReadingEnd,
}

/// What is open, the innermost last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Key,
    Element,
    Object,
    Reading,
}

/// All calls, in their order.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Witness {
    pub events: Vec<Event>,
    open: Vec<Open>,
}

impl Witness {
    /// What a reader owes at the end of a document that it read.
    ///
    /// # Panics
    /// When something is still open.
    pub fn assert_closed(&self) {
        assert!(self.open.is_empty(), "{:?} stay open", self.open);
    }

    /// Every string, key and part that came as text.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.events.iter().filter_map(|event| match event {
            Event::Key(text) | Event::Text(text) => Some(text.as_str()),
            Event::Part(_, body) => std::str::from_utf8(body).ok(),
            _ => None,
        })
    }

    /// Whether a string is exactly this.
    #[must_use]
    pub fn has_text(&self, text: &str) -> bool {
        self.texts().any(|own| own == text)
    }

    /// Bytes that were handed on, keys and numbers aside.
    #[must_use]
    pub fn volume(&self) -> usize {
        let volume = |event: &Event| match event {
            Event::Text(text) => text.len(),
            Event::Bytes(bytes) | Event::Part(_, bytes) => bytes.len(),
            _ => 0,
        };
        self.events.iter().map(volume).sum()
    }

    /// Whether the elements of each array count up from 0. Not so for Protocol Buffers, where repeated fields may mix.
    ///
    /// # Panics
    /// When they do not.
    pub fn assert_counted(&self) {
        let mut next = vec![0];
        for event in &self.events {
            match event {
                Event::Element(index) => {
                    let expected = next.last_mut().expect("an open container");
                    assert_eq!(index, expected, "elements count up");
                    *expected += 1;
                    next.push(0);
                }
                Event::Key(_) => next.push(0),
                Event::ElementEnd | Event::KeyEnd => {
                    next.pop();
                }
                _ => {}
            }
        }
    }

    fn open(&mut self, open: Open, event: Event) {
        self.open.push(open);
        self.events.push(event);
    }

    fn close(&mut self, open: Open, event: Event) {
        assert_eq!(self.open.pop(), Some(open), "calls nest");
        self.events.push(event);
    }
}

impl Visitor for Witness {
    fn key(&mut self, key: &str) {
        self.open(Open::Key, Event::Key(key.to_owned()));
    }
    fn key_end(&mut self) {
        self.close(Open::Key, Event::KeyEnd);
    }
    fn element(&mut self, index: usize) {
        self.open(Open::Element, Event::Element(index));
    }
    fn element_end(&mut self) {
        self.close(Open::Element, Event::ElementEnd);
    }
    fn object(&mut self) {
        self.open(Open::Object, Event::Object);
    }
    fn object_end(&mut self) {
        self.close(Open::Object, Event::ObjectEnd);
    }
    fn string(&mut self, text: &str) {
        self.events.push(Event::Text(text.to_owned()));
    }
    fn number(&mut self, raw: &str) {
        self.events.push(Event::Number(raw.to_owned()));
    }
    fn literal(&mut self, word: &str) {
        self.events.push(Event::Literal(word.to_owned()));
    }
    fn bytes(&mut self, bytes: &[u8]) {
        self.events.push(Event::Bytes(bytes.to_vec()));
    }
    fn part(&mut self, content_type: &str, body: &[u8]) {
        self.events.push(Event::Part(content_type.to_owned(), body.to_vec()));
    }
    fn reading(&mut self) {
        self.open(Open::Reading, Event::Reading);
    }
    fn reading_end(&mut self) {
        self.close(Open::Reading, Event::ReadingEnd);
    }
}
