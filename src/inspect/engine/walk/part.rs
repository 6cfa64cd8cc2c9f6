//! A part of a multipart body, read by its own content type.

use super::Walk;
use crate::inspect::engine::format::media::{Format, MediaType};
use crate::inspect::engine::format::{Limits, Visitor as _};

/// A part that no reader takes.
const UNREADABLE: &str = "each part of the body must be what its content type says: JSON, form, XML, text, Protocol Buffers";

impl Walk<'_> {
    /// Reads a part on; what cannot be read is not cleared.
    pub(super) fn read_part(&mut self, content_type: &str, body: &[u8]) {
        let Some(media) = MediaType::parse(content_type) else { return self.bytes(body) };
        match media.format {
            Format::Grpc | Format::GrpcWeb { .. } => self.bytes(body),
            format if format.is_text() => self.read_texts(&media, body),
            _ => self.read_as(&media, body),
        }
    }

    /// Every reading of a text, as receivers may differ.
    fn read_texts(&mut self, media: &MediaType, body: &[u8]) {
        match media.readings(body) {
            Ok(texts) => texts.iter().for_each(|text| self.read_as(media, text.as_bytes())),
            Err(unreadable) => {
                self.report.unreadable.get_or_insert(unreadable.detail());
            }
        }
    }

    fn read_as(&mut self, media: &MediaType, body: &[u8]) {
        let (open, pairs, readings) = (self.path.open(), self.pairs.open(), self.readings);
        if media.read(body, Limits::default(), self).is_err() {
            self.report.unreadable.get_or_insert(UNREADABLE);
            // After an error some calls stay open.
            self.path.close(open);
            self.pairs.close(pairs);
            self.readings = readings;
        }
    }
}
