//! What a text is that is called text, or nothing in particular.

use super::media::{Format, MediaType};
use super::{Limits, Visitor, csv};

/// Formats that a text may be in, the likeliest first.
#[must_use]
pub fn formats(text: &str) -> &'static [Format] {
    match text.trim_start().as_bytes() {
        [b'{' | b'[', ..] => &[Format::Json, Format::NdJson],
        [b'<', ..] => &[Format::Xml],
        _ if csv::is_table(text) => &[Format::Csv],
        _ => &[],
    }
}

/// The format that a text is in, if it is a document as a whole.
#[must_use]
pub fn format(text: &str) -> Option<Format> {
    let reads = |format: &&Format| MediaType::of(**format).read(text.as_bytes(), Limits::default(), &mut Nobody).is_ok();
    formats(text).iter().find(reads).copied()
}

/// Whether a media type says no more than that there are bytes (RFC 2046 section 4.5.1).
#[must_use]
pub fn is_unspecific(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    ["application/octet-stream", "binary/octet-stream"].iter().any(|known| known.eq_ignore_ascii_case(media_type))
}

/// Whether characters are those of a text: no control characters but tabs and line breaks.
#[must_use]
pub fn is_text(text: &str) -> bool {
    !text.chars().any(|letter| letter.is_control() && !matches!(letter, '\t' | '\n' | '\r'))
}

/// Wants to know nothing but whether a document can be read.
struct Nobody;

impl Visitor for Nobody {
    fn key(&mut self, _: &str) {}
    fn string(&mut self, _: &str) {}
    fn number(&mut self, _: &str) {}
    fn literal(&mut self, _: &str) {}
    fn bytes(&mut self, _: &[u8]) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_told_by_their_content() {
        for (text, expected) in [
            (" {\"a\":1}", Some(Format::Json)),
            ("{\"a\":1}\n{\"a\":2}", Some(Format::NdJson)),
            ("[1", None),
            ("<a/>", Some(Format::Xml)),
            ("<a>", None),
            ("name,version\nx,1", Some(Format::Csv)),
            ("hello", None),
            ("", None),
        ] {
            assert_eq!(format(text), expected, "{text}");
        }
    }

    #[test]
    fn types_and_texts_are_told_apart() {
        assert!(is_unspecific("Application/Octet-Stream; x=y") && !is_unspecific("application/json"));
        assert!(is_text("a\r\n\tb\u{e9}") && !is_text("a\0") && !is_text("\u{1b}[0m"));
    }
}
