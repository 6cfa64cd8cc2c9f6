//! A captured file, cut into messages.

use crate::inspect::engine::canonical::charset;
use crate::inspect::grpc::{Frame, each_frame};
use crate::inspect::{Call, Inspector, Verdict};
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::borrow::Cow;
use std::path::Path;

/// File names that say what a file is.
const EXTENSIONS: &[(&str, &str)] = &[
    ("json", "application/json"),
    ("ndjson", "application/x-ndjson"),
    ("jsonl", "application/x-ndjson"),
    ("xml", "application/xml"),
    ("csv", "text/csv"),
    ("tsv", "text/tab-separated-values"),
    ("txt", "text/plain"),
    ("log", "text/plain"),
    ("form", "application/x-www-form-urlencoded"),
    ("pb", "application/x-protobuf"),
    ("protobuf", "application/x-protobuf"),
    ("grpc", "application/grpc"),
];
/// Largest gRPC message that is cut out of a dump; the inspector has its own limit.
const MAX_FRAME: usize = 1 << 30;

/// How files are to be read.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// The media type, if it was said.
    pub content_type: Option<&'a str>,
    /// The content coding, if it was said.
    pub content_encoding: Option<&'a str>,
    /// The gRPC method of a dump.
    pub grpc_method: Option<&'a str>,
    /// Each line is a message.
    pub is_ndjson: bool,
}

/// One message of a file.
pub enum Message<'a> {
    /// A body with the header fields that say what it is.
    Body {
        /// Content type and coding.
        headers: &'a HeaderMap,
        /// Its bytes.
        bytes: &'a [u8],
    },
    /// A message of a gRPC stream.
    Call {
        /// Its call.
        call: &'a Call,
        /// Counted from 1 in its file.
        number: u64,
        /// Prefix and message.
        frame: Frame,
    },
    /// What is left of a stream that is not framed as it should be.
    Broken(Verdict),
}

/// A file and what it is.
pub struct Capture<'a> {
    bytes: &'a [u8],
    headers: HeaderMap,
    /// Set for a dump of gRPC frames.
    call: Option<Call>,
    is_ndjson: bool,
}

impl<'a> Capture<'a> {
    /// Finds out what a file is.
    ///
    /// # Errors
    /// A sentence with the accepted form, for an argument that is none.
    pub fn new(name: &str, bytes: &'a [u8], options: &Options<'_>) -> Result<Self, &'static str> {
        let coding = options.content_encoding.or_else(|| if is_gzip(bytes) { Some("gzip") } else { None });
        let by_line = if options.is_ndjson { Some("application/json") } else { None };
        let content_type = options.content_type.or(by_line).unwrap_or_else(|| guess(name, bytes));
        let mut headers = HeaderMap::new();
        let value = |text: &str, wrong| HeaderValue::from_str(text).map_err(|_| wrong);
        headers.insert(CONTENT_TYPE, value(content_type, "--content-type is no media type; write one such as application/json")?);
        let is_call = content_type.starts_with("application/grpc") && !content_type.starts_with("application/grpc-web");
        if let Some(coding) = coding {
            let name = if is_call { HeaderName::from_static("grpc-encoding") } else { CONTENT_ENCODING };
            headers.insert(name, value(coding, "--content-encoding is no content coding; write gzip, deflate, br or zstd")?);
        }
        let call = if is_call { Some(Inspector::call(options.grpc_method.unwrap_or_default(), &headers)?) } else { None };
        Ok(Self { bytes, headers, call, is_ndjson: options.is_ndjson })
    }

    /// Hands over message by message; none, if there is none.
    pub fn each(&self, see: &mut dyn FnMut(Message<'_>)) {
        match &self.call {
            Some(call) => self.frames(call, see),
            None if self.is_ndjson => {
                for line in lines(self.bytes).split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()) {
                    see(Message::Body { headers: &self.headers, bytes: line });
                }
            }
            None if self.bytes.is_empty() => {}
            None => see(Message::Body { headers: &self.headers, bytes: self.bytes }),
        }
    }

    fn frames(&self, call: &Call, see: &mut dyn FnMut(Message<'_>)) {
        let frames =
            each_frame(Bytes::copy_from_slice(self.bytes), MAX_FRAME, &mut |number, frame| see(Message::Call { call, number, frame }));
        if let Err(unframed) = frames {
            see(Message::Broken(Verdict::unframed(unframed)));
        }
    }
}

/// Lines end in one byte; Windows writes its dumps in UTF-16 as a rule.
fn lines(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut readings = charset::readings(None, bytes).unwrap_or_default();
    match (readings.pop(), readings.is_empty()) {
        (Some(Cow::Owned(text)), true) => Cow::Owned(text.into_bytes()),
        (Some(Cow::Borrowed(text)), true) => Cow::Borrowed(text.as_bytes()),
        _ => Cow::Borrowed(bytes),
    }
}

fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x1f\x8b\x08")
}

/// By its name, else by its first character.
fn guess(name: &str, bytes: &[u8]) -> &'static str {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if let Some((_, content_type)) = EXTENSIONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(extension)) {
        return content_type;
    }
    // Marks and the zeros of wide characters come before or between characters.
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace() && !matches!(byte, 0 | 0xef | 0xbb | 0xbf | 0xfe | 0xff));
    match first {
        Some(b'{' | b'[' | b'"') | None => "application/json",
        Some(b'<') => "application/xml",
        Some(_) if is_gzip(bytes) => "application/json",
        Some(_) if std::str::from_utf8(bytes).is_ok() => "text/plain",
        Some(_) => "application/x-protobuf",
    }
}

crate::hidden::hidden!(Message<'a>, Capture<'a>);

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(name: &str, bytes: &[u8], options: Options<'_>) -> Vec<String> {
        let mut seen = Vec::new();
        Capture::new(name, bytes, &options).expect("arguments are fine").each(&mut |message| {
            seen.push(match message {
                Message::Body { headers, bytes } => {
                    let named = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("-").to_owned();
                    format!("{} {} {}", named(CONTENT_TYPE), named(CONTENT_ENCODING), bytes.len())
                }
                Message::Call { number, frame, .. } => format!("call {number} {} {}", frame.is_compressed, frame.message().len()),
                Message::Broken(_) => "broken".to_owned(),
            });
        });
        seen
    }

    const PLAIN: Options<'_> = Options { content_type: None, content_encoding: None, grpc_method: None, is_ndjson: false };

    #[test]
    fn files_are_told_apart_by_name_and_first_bytes() {
        for (name, bytes, expected) in [
            ("a.json", &b"x"[..], "application/json - 1"),
            ("a.XML", b"x", "application/xml - 1"),
            ("a", b" {}", "application/json - 3"),
            ("a", b"\xff\xfe{\0}\0", "application/json - 6"),
            ("-", b"<a/>", "application/xml - 4"),
            ("-", b"hello", "text/plain - 5"),
            ("-", b"\x0a\xffab", "application/x-protobuf - 4"),
            ("a.json.gz", b"\x1f\x8b\x08\0", "application/json gzip 4"),
        ] {
            assert_eq!(messages(name, bytes, PLAIN), [expected], "{name} {bytes:?}");
        }
    }

    #[test]
    fn lines_and_frames_are_messages() {
        let ndjson = Options { is_ndjson: true, ..PLAIN };
        assert_eq!(messages("-", b"{}\r\n\n[1]", ndjson), ["application/json - 2", "application/json - 3"]);
        let wide: Vec<u8> = "\u{feff}{}\n[]\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(messages("-", &wide, ndjson), ["application/json - 2", "application/json - 2"]);
        let grpc = Options { content_type: Some("application/grpc"), ..PLAIN };
        assert_eq!(messages("-", b"\0\0\0\0\x01a\x01\0\0\0\0\0\0", grpc), ["call 1 false 1", "call 2 true 0", "broken"]);
    }
}
