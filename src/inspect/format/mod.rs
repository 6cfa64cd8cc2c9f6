//! Formats that can be read. What is none of them is not cleared.

pub mod json;
pub mod text;

use super::detect::Detected;

/// How a body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 8259, in UTF-8.
    Json,
    /// Text in UTF-8.
    Text,
}

/// A content type that says nothing readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unknown;

impl Format {
    /// The format of a media type (RFC 9110 section 8.3.1).
    ///
    /// # Errors
    /// For a type or a charset that is not read.
    pub fn of(content_type: &[u8]) -> Result<Self, Unknown> {
        let text = std::str::from_utf8(content_type).map_err(|_| Unknown)?.to_ascii_lowercase();
        let mut parts = text.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default();
        if !parts.filter(|parameter| !parameter.is_empty()).all(is_harmless_parameter) {
            return Err(Unknown);
        }
        let (kind, subtype) = media_type.split_once('/').ok_or(Unknown)?;
        match (kind, subtype) {
            ("application", "json") => Ok(Self::Json),
            ("application", subtype) if subtype.ends_with("+json") => Ok(Self::Json),
            ("text", "plain" | "csv") => Ok(Self::Text),
            _ => Err(Unknown),
        }
    }

    /// Reads a body and reports what the detectors recognise in it.
    ///
    /// # Errors
    /// A sentence that says what it should have been, never what it was.
    pub fn scan(self, bytes: &[u8], report: &mut dyn FnMut(Detected)) -> Result<(), &'static str> {
        match self {
            Self::Json => json::scan(bytes, report),
            Self::Text => text::scan(bytes, report),
        }
    }
}

/// A parameter that every reader reads the same way, and that names no other charset than UTF-8.
fn is_harmless_parameter(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let is_token = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let value = value.trim_matches('"');
    is_token && (name != "charset" || ["utf-8", "utf8", "us-ascii"].contains(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_read_with_their_charset() {
        for (text, format) in [
            ("application/json", Ok(Format::Json)),
            ("Application/JSON; charset=UTF-8", Ok(Format::Json)),
            ("application/vnd.imagicle+json;charset=\"utf-8\"", Ok(Format::Json)),
            ("text/plain", Ok(Format::Text)),
            ("text/csv; header=present", Ok(Format::Text)),
            ("text/plain; charset=iso-8859-1", Err(Unknown)),
            ("text/plain; charset=utf-8; charset=utf-16", Err(Unknown)),
            ("application/json; charset=utf-7", Err(Unknown)),
            ("text/plain; charset =utf-7", Err(Unknown)),
            ("text/plain; charset*=utf-7", Err(Unknown)),
            ("text/plain; charset", Err(Unknown)),
            ("text/html", Err(Unknown)),
            ("text/xml", Err(Unknown)),
            ("application/octet-stream", Err(Unknown)),
            ("multipart/form-data; boundary=x", Err(Unknown)),
            ("json", Err(Unknown)),
            ("", Err(Unknown)),
        ] {
            assert_eq!(Format::of(text.as_bytes()), format, "{text}");
        }
    }
}
