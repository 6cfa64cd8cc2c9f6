//! A part of a multipart body, read by its own content type.

use super::Walk;
use crate::inspect::engine::canonical::magic::{self, Magic};
use crate::inspect::engine::canonical::{Limits as CodingLimits, Unreadable, charset, coding};
use crate::inspect::engine::format::media::{Format, MediaType};
use crate::inspect::engine::format::{Limits, Visitor as _, sniff};
use crate::inspect::engine::shape::words::split;
use std::borrow::Cow;

/// A part that no reader takes.
const UNREADABLE: &str =
    "each part of the body must be what its content type says: JSON, NDJSON, XML, CSV, form, plain text, Protocol Buffers";

/// Whether columns are those of products: names beside versions or vendors. A person has neither.
pub(super) fn lists_products(names: &[Cow<'_, str>]) -> bool {
    let has = |words: &[&str]| names.iter().any(|name| words.contains(&split(name.trim()).concat().as_str()));
    has(&["displayname"]) && has(&["version", "displayversion", "vendor", "publisher", "manufacturer"])
}

impl Walk<'_> {
    /// Reads a part on; what cannot be read is not cleared.
    pub(super) fn read_part(&mut self, content_type: &str, body: &[u8]) {
        if sniff::is_unspecific(content_type) {
            return self.read_unspecific(body);
        }
        let Some(media) = MediaType::parse(content_type) else { return self.bytes(body) };
        match media.format {
            Format::Grpc | Format::GrpcWeb { .. } => self.bytes(body),
            format if format.is_text() => self.read_texts(&media, body),
            _ => self.read_as(&media, body),
        }
    }

    /// A part of which only is said that it has bytes: it is what its content shows it to be.
    fn read_unspecific(&mut self, body: &[u8]) {
        self.visit(body.len());
        let Some(Magic::Compressed(compression)) = magic::of(body) else { return self.read_shown(body) };
        let limits = CodingLimits { max_output: self.budget.left() };
        let inflated = coding::inflate(compression, body, &limits).and_then(|inflated| {
            self.budget.charge(inflated.len())?;
            Ok(inflated)
        });
        match inflated {
            Ok(inflated) => self.read_shown(&inflated),
            Err(unreadable) => self.unread(unreadable),
        }
    }

    /// Text if it is text in Unicode, else bytes.
    fn read_shown(&mut self, body: &[u8]) {
        self.visit(2 * body.len());
        match charset::unicode(body) {
            Ok(texts) if texts.iter().all(|text| sniff::is_text(text)) => {
                for text in &texts {
                    self.read_text(&MediaType::of(Format::Text), text);
                }
            }
            _ => self.bytes(body),
        }
    }

    /// Every reading of a text, as receivers may differ.
    fn read_texts(&mut self, media: &MediaType, body: &[u8]) {
        match media.readings(body) {
            Ok(texts) => texts.iter().for_each(|text| self.read_text(media, text)),
            Err(unreadable) => self.unread(unreadable),
        }
    }

    /// A document that is sent as plain text is read as what it is.
    fn read_text(&mut self, media: &MediaType, text: &str) {
        let shown = if media.format == Format::Text { sniff::format(text) } else { None };
        if media.format == Format::Text {
            self.part_piece(text);
        }
        match shown {
            Some(format) => {
                self.visit(text.len());
                self.read_as(&MediaType::of(format), text.as_bytes());
            }
            None => self.read_as(media, text.as_bytes()),
        }
    }

    fn unread(&mut self, unreadable: Unreadable) {
        self.report.unreadable.get_or_insert(unreadable.detail());
    }

    fn read_as(&mut self, media: &MediaType, body: &[u8]) {
        let (open, pairs, readings) = (self.path.open(), self.pairs.open(), self.readings);
        let aside = self.runs.readings();
        if media.read(body, Limits::default(), self).is_err() {
            self.report.unreadable.get_or_insert(UNREADABLE);
            // After an error some calls stay open.
            self.path.close(open);
            self.pairs.close(pairs);
            self.readings = readings;
            self.runs.close(aside);
        }
    }
}
