//! Messages without a descriptor: every reading that is possible.
//!
//! A field's number is its key. What a length-delimited payload is nobody knows, so the likeliest reading is reported as it
//! is and all others inside [`Visitor::reading`]:
//!
//! | payload | reading | further readings |
//! |---|---|---|
//! | UTF-8 without control characters | text | message |
//! | UTF-16 by its NULs or mark | text | message, UTF-8 |
//! | message | message | its bytes, if they have no control characters either |
//! | UTF-8 with control characters | text | packed numbers |
//! | anything else | bytes | packed numbers |
//!
//! Whether a payload can be a message is decided by its own tags and lengths, without looking into its payloads: those are
//! never worse than bytes. What was not reported as text comes last as bytes in a further reading, for text that only looked
//! like fields.
//!
//! Varints are reported as unsigned decimals; zigzag and floating-point readings are not made.

use super::decimal::{self, Buffer};
use super::wire::{Field, Fields, Value};
use crate::inspect::engine::format::{Fault, Limits, Malformed, Visitor};

/// Visits a byte may cost on average.
const MAX_VISITS: usize = 4;
/// Visits that a short message may cost beyond that.
const FREE_VISITS: usize = 256;
/// Bytes by which UTF-16 is recognised.
const SAMPLE: usize = 32;

/// Fewest bytes between two texts that are handed on: fewer are tags and lengths, and no text in them says anything.
const SHORTEST_REST: usize = 6;

/// Reads a message without a descriptor.
///
/// # Errors
/// When it breaks a rule or a limit, or has so many readings that its bytes would be looked at more than four times on
/// average.
pub fn read<V: Visitor + ?Sized>(bytes: &[u8], limits: Limits, visitor: &mut V) -> Result<(), Malformed> {
    let budget = bytes.len().saturating_mul(MAX_VISITS).saturating_add(FREE_VISITS);
    let mut walk = Walk { visitor, limits, nodes: 0, visits: 0, budget, texts: Vec::new() };
    walk.message(bytes, 0, 1)?;
    walk.visit(bytes.len(), 0)?;
    walk.visitor.reading();
    walk.rest(bytes);
    walk.visitor.reading_end();
    Ok(())
}

struct Walk<'v, V: ?Sized> {
    visitor: &'v mut V,
    limits: Limits,
    nodes: u32,
    visits: usize,
    budget: usize,
    /// Where text was reported that stands alone, in their order.
    texts: Vec<(usize, usize)>,
}

/// A payload and what it can be.
struct Payload<'a> {
    bytes: &'a [u8],
    at: usize,
    is_message: bool,
    /// No control characters but tab, line feed and carriage return.
    is_clean: bool,
    text: Option<&'a str>,
    wide: Option<String>,
}

impl<V: Visitor + ?Sized> Walk<'_, V> {
    fn message(&mut self, bytes: &[u8], at: usize, depth: u16) -> Result<(), Malformed> {
        if depth > self.limits.depth {
            return Err(Fault::Depth.at(at));
        }
        self.visitor.object();
        let mut fields = Fields::new(bytes, at);
        let mut field = Field::NONE;
        while fields.read(&mut field)? {
            self.visit(field.overhead, field.at)?;
            self.limits.node(&mut self.nodes, field.at)?;
            self.visitor.key(decimal::unsigned(u64::from(field.number), &mut Buffer::default()));
            self.field(&field, depth)?;
            self.visitor.key_end();
        }
        self.visitor.object_end();
        Ok(())
    }

    fn field(&mut self, field: &Field<'_>, depth: u16) -> Result<(), Malformed> {
        match field.value {
            Value::Varint(value) | Value::Fixed64(value) => self.number(value),
            Value::Fixed32(value) => self.number(u64::from(value)),
            Value::Len([]) => self.visitor.string(""),
            Value::Len(bytes) => {
                let payload = self.payload(bytes, field.value_at)?;
                self.likeliest(&payload, depth)?;
                self.further(&payload, depth)?;
            }
        }
        Ok(())
    }

    fn number(&mut self, value: u64) {
        self.visitor.number(decimal::unsigned(value, &mut Buffer::default()));
    }

    fn payload<'a>(&mut self, bytes: &'a [u8], at: usize) -> Result<Payload<'a>, Malformed> {
        let is_message = self.is_message(bytes, at)?;
        let clean = clean_length(bytes);
        let is_clean = clean == bytes.len();
        let wide = if is_clean { None } else { self.wide(bytes, at)? };
        let has_text = is_clean || !is_message || wide.is_some();
        // Looking at a text and handing it on counts as one visit.
        self.visit(if has_text { bytes.len() } else { clean + 1 }, at)?;
        let text = if has_text { std::str::from_utf8(bytes).ok() } else { None };
        Ok(Payload { bytes, at, is_message, is_clean, text, wide })
    }

    fn likeliest(&mut self, payload: &Payload<'_>, depth: u16) -> Result<(), Malformed> {
        match payload {
            Payload { is_clean: true, text: Some(text), .. } => {
                // What is inside of another text is in that one.
                if self.texts.last().is_none_or(|last| last.1 <= payload.at) {
                    self.texts.push((payload.at, payload.at + text.len()));
                }
                self.string(text, payload.at)
            }
            Payload { wide: Some(wide), .. } => self.string(wide, payload.at),
            Payload { is_message: true, .. } => self.message(payload.bytes, payload.at, depth + 1),
            Payload { text: Some(text), .. } => self.string(text, payload.at),
            _ => {
                self.visitor.bytes(payload.bytes);
                Ok(())
            }
        }
    }

    fn further(&mut self, payload: &Payload<'_>, depth: u16) -> Result<(), Malformed> {
        let Payload { bytes, at, is_message, is_clean, text, ref wide } = *payload;
        let is_text = is_clean && text.is_some();
        if is_message && (is_text || wide.is_some()) {
            self.visitor.reading();
            self.message(bytes, at, depth + 1)?;
            self.visitor.reading_end();
        }
        if let (Some(text), true) = (text, wide.is_some()) {
            self.visitor.reading();
            self.string(text, at)?;
            self.visitor.reading_end();
        }
        if is_message && is_clean && !is_text {
            self.visitor.reading();
            self.visitor.bytes(bytes);
            self.visitor.reading_end();
        }
        if is_message || is_text || wide.is_some() { Ok(()) } else { self.packed(bytes, at) }
    }

    /// What is between the texts that were reported, as bytes. One that a byte beside it makes a part of a longer text is not
    /// left out, nor is any if the whole message could be text.
    fn rest(&mut self, bytes: &[u8]) {
        let ends = |place: Option<usize>| place.and_then(|place| bytes.get(place)).is_none_or(u8::is_ascii_control);
        let is_text = clean_length(bytes) == bytes.len();
        let texts = self.texts.iter().filter(|(start, end)| !is_text && ends(start.checked_sub(1)) && ends(Some(*end)));
        let mut next = 0;
        for (start, end) in texts.copied().chain([(bytes.len(), bytes.len())]) {
            if let Some(between) = bytes.get(next..start).filter(|between| between.len() >= SHORTEST_REST) {
                self.visitor.bytes(between);
            }
            next = end;
        }
    }

    fn string(&mut self, text: &str, at: usize) -> Result<(), Malformed> {
        if text.len() > self.limits.string {
            return Err(Fault::String.at(at));
        }
        self.visitor.string(text);
        Ok(())
    }

    /// Whether all tags and lengths are right. Looks at nothing else.
    fn is_message(&mut self, bytes: &[u8], at: usize) -> Result<bool, Malformed> {
        let mut fields = Fields::new(bytes, at);
        let mut field = Field::NONE;
        loop {
            match fields.read(&mut field) {
                Ok(true) => self.visit(field.overhead, at)?,
                Ok(false) => return Ok(true),
                Err(_) => return Ok(false),
            }
        }
    }

    /// The payload as UTF-16, if its beginning looks like it and nothing in it speaks against it.
    fn wide(&mut self, bytes: &[u8], at: usize) -> Result<Option<String>, Malformed> {
        let Some(is_little) = endianness(bytes) else { return Ok(None) };
        let (pairs, _) = bytes.as_chunks::<2>();
        let unit = |pair: &[u8; 2]| if is_little { u16::from_le_bytes(*pair) } else { u16::from_be_bytes(*pair) };
        let pairs = pairs.strip_suffix(&[[0, 0]]).unwrap_or(pairs);
        let mut units = pairs.iter();
        let mut is_text = true;
        // Stops at the first character that no text has, so what only begins like UTF-16 costs little.
        let text: String = char::decode_utf16(units.by_ref().map(unit))
            .map_while(|character| {
                let character = character.ok().filter(|character| !is_control(*character));
                is_text &= character.is_some();
                character
            })
            .filter(|character| *character != '\u{feff}')
            .collect();
        self.visit((pairs.len() - units.len()) * 2, at)?;
        Ok(is_text.then_some(text))
    }

    fn packed(&mut self, bytes: &[u8], at: usize) -> Result<(), Malformed> {
        // The three readings are three looks at most, and few payloads have all of them: they count as one.
        self.visit(bytes.len(), at)?;
        if let Some(count) = varints(bytes) {
            self.numbers(count, Fields::new(bytes, at), Fields::varint)?;
        }
        if bytes.len().is_multiple_of(4) {
            self.numbers(bytes.len() / 4, Fields::new(bytes, at), |fields| fields.fixed().map(u32::from_le_bytes).map(u64::from))?;
        }
        if bytes.len().is_multiple_of(8) {
            self.numbers(bytes.len() / 8, Fields::new(bytes, at), |fields| fields.fixed().map(u64::from_le_bytes))?;
        }
        Ok(())
    }

    fn numbers<'a>(
        &mut self,
        count: usize,
        mut rest: Fields<'a>,
        next: impl Fn(&mut Fields<'a>) -> Result<u64, Malformed>,
    ) -> Result<(), Malformed> {
        self.visitor.reading();
        for index in 0..count {
            self.limits.node(&mut self.nodes, rest.at())?;
            self.visitor.element(index);
            let value = next(&mut rest)?;
            self.number(value);
            self.visitor.element_end();
        }
        self.visitor.reading_end();
        Ok(())
    }

    fn visit(&mut self, bytes: usize, at: usize) -> Result<(), Malformed> {
        self.visits = self.visits.saturating_add(bytes);
        if self.visits > self.budget { Err(Fault::Work.at(at)) } else { Ok(()) }
    }
}

/// How many varints a payload is, if it is nothing else.
fn varints(bytes: &[u8]) -> Option<usize> {
    let mut rest = Fields::new(bytes, 0);
    let mut count = 0;
    while !rest.is_over() {
        rest.varint().ok()?;
        count += 1;
    }
    Some(count)
}

/// Bytes before the first control character other than tab, line feed and carriage return, to within a block.
fn clean_length(bytes: &[u8]) -> usize {
    const BLOCK: usize = 16;
    let is_dirty = |block: &[u8]| block.iter().filter(|byte| matches!(byte, 0..=8 | 11 | 12 | 14..=31)).count() > 0;
    // Looking at a whole block is faster than stopping in it.
    let dirty = bytes.chunks(BLOCK).position(is_dirty);
    dirty.map_or(bytes.len(), |block| block * BLOCK)
}

/// A control character that text does not have.
const fn is_control(character: char) -> bool {
    matches!(character, '\0'..'\t' | '\u{b}' | '\u{c}' | '\u{e}'..' ')
}

/// Whether bytes begin like UTF-16, and with which byte first: half of the characters are Latin, or there is a mark.
fn endianness(bytes: &[u8]) -> Option<bool> {
    if bytes.len() < 4 || !bytes.len().is_multiple_of(2) {
        return None;
    }
    let (pairs, _) = bytes.get(..SAMPLE).unwrap_or(bytes).as_chunks::<2>();
    let latin = |is_little: bool| {
        pairs.iter().filter(|[first, last]| if is_little { (*last, *first != 0) } else { (*first, *last != 0) } == (0, true)).count()
    };
    match pairs.first()? {
        [0xff, 0xfe] => Some(true),
        [0xfe, 0xff] => Some(false),
        _ if latin(true) * 2 >= pairs.len() => Some(true),
        _ if latin(false) * 2 >= pairs.len() => Some(false),
        _ => None,
    }
}
