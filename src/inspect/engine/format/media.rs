//! Media types: which reader a body is for, and in which charset its text stands.

use super::parameters::Parameterised;
use super::{Limits, Malformed, Visitor, csv, form, json, multipart, ndjson, protobuf, text, xml};
use crate::inspect::engine::canonical::{Unreadable, charset};
use std::borrow::Cow;

/// A format that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 8259.
    Json,
    /// JSON texts, one a line.
    NdJson,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// Any `multipart/…`.
    Multipart,
    /// XML 1.0 without entities.
    Xml,
    /// Plain text, and text of which only the words count.
    Text,
    /// Values in columns.
    Csv,
    /// Protocol Buffers without a descriptor.
    Protobuf,
    /// gRPC: Protocol Buffers in frames.
    Grpc,
    /// gRPC-Web; in base64 if so.
    GrpcWeb {
        /// `application/grpc-web-text`.
        is_text: bool,
    },
}

impl Format {
    /// The format of a type such as `application/json`, in lower case.
    fn of(media_type: &str) -> Option<Self> {
        let (kind, subtype) = media_type.split_once('/')?;
        Some(match (kind, subtype) {
            ("application" | "text", "json") => Self::Json,
            ("application", "x-ndjson" | "ndjson" | "jsonl" | "x-jsonlines" | "json-lines") => Self::NdJson,
            ("application", "x-www-form-urlencoded") => Self::Form,
            ("multipart", _) => Self::Multipart,
            ("application" | "text", "xml") => Self::Xml,
            ("text", "plain" | "html" | "markdown" | "calendar" | "vcard" | "directory") => Self::Text,
            ("text", "csv" | "tab-separated-values") | ("application", "csv") => Self::Csv,
            ("application", "x-protobuf" | "protobuf" | "vnd.google.protobuf") => Self::Protobuf,
            ("application", "grpc" | "grpc+proto") => Self::Grpc,
            ("application", "grpc-web" | "grpc-web+proto") => Self::GrpcWeb { is_text: false },
            ("application", "grpc-web-text" | "grpc-web-text+proto") => Self::GrpcWeb { is_text: true },
            ("application", subtype) if subtype.ends_with("+json") && !subtype.starts_with("grpc") => Self::Json,
            (_, subtype) if subtype.ends_with("+xml") => Self::Xml,
            _ => return None,
        })
    }

    /// Whether its bytes are text in some charset; for the others a charset says nothing.
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Json | Self::NdJson | Self::Form | Self::Xml | Self::Text | Self::Csv)
    }

    /// Whether text of which no charset is declared is Unicode (RFC 8259 section 8.1, XML 1.0 section 4.3.3).
    #[must_use]
    pub const fn is_unicode(self) -> bool {
        matches!(self, Self::Json | Self::NdJson | Self::Xml)
    }
}

/// What a content type says.
#[derive(Clone, PartialEq, Eq)]
pub struct MediaType {
    /// The reader.
    pub format: Format,
    /// The charset parameter, as it stands.
    pub charset: Option<String>,
    /// The boundary of a multipart body.
    boundary: Option<String>,
}

impl MediaType {
    /// Reads the value of a Content-Type field (RFC 9110 section 8.3.1). `None` for a type that is not read, and for a value
    /// that readers could take in more than one way.
    #[must_use]
    pub fn parse(content_type: &str) -> Option<Self> {
        let parsed = Parameterised::parse(content_type)?;
        // RFC 2231 has further ways to write a charset or a boundary: not everybody reads those.
        if parsed.parameters.iter().any(|(name, _)| name.contains('*')) {
            return None;
        }
        let format = Format::of(&parsed.value)?;
        let boundary = if format == Format::Multipart { Some(multipart::boundary(content_type).ok()?) } else { None };
        Some(Self { format, charset: parsed.get("charset").map(str::to_owned), boundary })
    }

    /// A format without parameters, where nothing or the wrong thing is said.
    #[must_use]
    pub const fn of(format: Format) -> Self {
        Self { format, charset: None, boundary: None }
    }

    /// Every reading of a text of this type, as receivers may differ. Where the format is Unicode and no charset is named, none is guessed.
    ///
    /// # Errors
    /// As [`charset::readings`] and [`charset::unicode`].
    pub fn readings<'b>(&self, bytes: &'b [u8]) -> Result<Vec<Cow<'b, str>>, Unreadable> {
        match self.charset.as_deref() {
            None if self.format.is_unicode() => charset::unicode(bytes),
            declared => charset::readings(declared, bytes),
        }
    }

    /// Reads a document in this format, its text in UTF-8. What is framed is cut before: here it is Protocol Buffers.
    ///
    /// # Errors
    /// When it breaks a rule of the format or a limit.
    pub fn read<V: Visitor + ?Sized>(&self, bytes: &[u8], limits: Limits, visitor: &mut V) -> Result<(), Malformed> {
        match self.format {
            Format::Json => json::read(bytes, limits, visitor),
            Format::NdJson => ndjson::read(bytes, limits, visitor),
            Format::Form => form::read(bytes, limits, visitor),
            Format::Multipart => multipart::read(bytes, self.boundary.as_deref().unwrap_or_default(), limits, visitor),
            Format::Xml => xml::read(bytes, limits, visitor),
            Format::Text => text::read(bytes, limits, visitor),
            Format::Csv => csv::read(bytes, limits, visitor),
            Format::Protobuf | Format::Grpc | Format::GrpcWeb { .. } => protobuf::read(bytes, limits, visitor),
        }
    }
}

crate::hidden::hidden!(MediaType);

#[cfg(test)]
mod tests {
    use super::*;

    fn format(content_type: &str) -> Option<Format> {
        MediaType::parse(content_type).map(|media| media.format)
    }

    #[test]
    fn content_types_are_told_apart() {
        for (text, expected) in [
            ("application/json", Some(Format::Json)),
            ("Application/JSON; charset=UTF-8", Some(Format::Json)),
            ("application/vnd.imagicle+json;charset=\"utf-8\"", Some(Format::Json)),
            ("application/x-ndjson", Some(Format::NdJson)),
            ("application/x-www-form-urlencoded", Some(Format::Form)),
            ("multipart/form-data; boundary=x", Some(Format::Multipart)),
            ("multipart/form-data", None),
            ("text/xml; charset=utf-16", Some(Format::Xml)),
            ("application/soap+xml", Some(Format::Xml)),
            ("image/svg+xml", Some(Format::Xml)),
            ("text/plain", Some(Format::Text)),
            ("text/csv; header=present", Some(Format::Csv)),
            ("application/x-protobuf", Some(Format::Protobuf)),
            ("application/grpc+proto", Some(Format::Grpc)),
            ("application/grpc+json", None),
            ("application/grpc-web-text+proto", Some(Format::GrpcWeb { is_text: true })),
            ("text/plain; charset=utf-8; charset=utf-16", None),
            ("text/plain; charset =utf-7", None),
            ("text/plain; charset*=utf-7", None),
            ("text/plain; charset", None),
            ("application/octet-stream", None),
            ("image/png", None),
            ("json", None),
            ("", None),
        ] {
            assert_eq!(format(text), expected, "{text}");
        }
    }

    #[test]
    fn the_charset_is_kept_as_it_stands() {
        let charset = |text| MediaType::parse(text).and_then(|media| media.charset);
        assert_eq!(charset("text/plain; charset=ISO-8859-1").as_deref(), Some("ISO-8859-1"));
        assert_eq!(charset("application/json"), None);
    }
}
