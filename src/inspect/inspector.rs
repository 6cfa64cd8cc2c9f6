//! The inspector: what a site configured, compiled once, and asked for every message.

use super::engine::canonical::{self, Unreadable, coding};
use super::engine::format::grpc_web;
use super::engine::format::media::{Format, MediaType};
use super::engine::format::protobuf::Descriptors;
use super::engine::format::{self, Fault, Malformed, sniff};
use super::engine::shape::Shape;
use super::engine::tree::Tree;
use super::engine::walk::{Kept, Report, Settings, Stream, Unknown, Walk};
use super::grpc;
use super::heads::Heads;
use super::verdict::Verdict;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::sync::{Arc, Mutex, PoisonError};

/// What a call may have been compressed with: gRPC's names, of which all but the last are its own.
const GRPC_CODINGS: &[&str] = &["identity", "gzip", "deflate", "zstd", "br"];
/// A message in a coding that its call did not name.
const NOT_NAMED: &str = "the gRPC message is compressed in a way that grpc-encoding does not name; gzip, deflate, zstd and br are read";

/// A body of which nobody says what it is, or something that is not read.
const NO_TYPE: &str = "the body needs exactly one content type that is read: JSON, NDJSON, XML, CSV, form, multipart, plain text, Protocol Buffers, gRPC, gRPC-Web";

/// Inspects messages: as documented, or as a site configured.
#[derive(Debug)]
pub struct Inspector {
    tree: Tree,
    pub(super) settings: Settings,
    /// The same, where only evidence counts.
    evidence: Settings,
    descriptors: Option<Descriptors>,
    pub(super) limits: canonical::Limits,
    kept: Pool,
    pub(super) heads: Heads,
}

/// What walks through clean messages left to the next ones.
#[derive(Default)]
struct Pool(Mutex<Vec<Kept>>);

/// Most that is left at once: as many as messages are inspected at a time.
const MAX_KEPT: usize = 8;

impl Pool {
    fn take(&self) -> Kept {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn put(&self, kept: Kept) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() < MAX_KEPT {
            all.push(kept);
        }
    }
}

crate::hidden::hidden!(Pool);

/// What is known of a gRPC call before its messages.
#[derive(Clone, Default)]
pub struct Call {
    /// The path of its method.
    path: Arc<str>,
    /// What its compressed messages are compressed with.
    coding: Option<&'static str>,
}

impl Inspector {
    /// An inspector for messages of at most so many bytes once they are decoded. With descriptors, gRPC messages of the methods
    /// that are in them are read by name.
    #[must_use]
    pub fn new(shape: Shape, settings: Settings, descriptors: Option<Descriptors>, max_message: usize) -> Self {
        let evidence = Settings { unknown: Unknown::Observe, ..settings.clone() };
        let limits = canonical::Limits { max_output: max_message };
        Self { tree: Tree::new(shape), settings, evidence, descriptors, limits, kept: Pool::default(), heads: Heads::new() }
    }

    /// The shape, with what it was asked.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// What a site configured.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A walk in which only evidence counts.
    pub(super) fn evidence_walk(&self, bytes: usize) -> Walk<'_> {
        Walk::new(&self.tree, &self.evidence, bytes)
    }

    pub(super) fn walk(&self, bytes: usize) -> Walk<'_> {
        Walk::new(&self.tree, &self.settings, bytes)
    }

    /// A whole request body, with the header fields that say what it is.
    #[must_use]
    pub fn body(&self, headers: &HeaderMap, bytes: &[u8]) -> Verdict {
        if bytes.is_empty() {
            return Verdict::Clean;
        }
        let Some(media) = single(headers, &CONTENT_TYPE).and_then(MediaType::parse) else {
            return Verdict::Uninspectable(NO_TYPE);
        };
        let Some(codings) = joined(headers, &CONTENT_ENCODING) else { return unreadable(Unreadable::Coding) };
        let decoded = match coding::decode(&codings, bytes, &self.limits) {
            Ok(decoded) => decoded,
            Err(error) => return unreadable(error),
        };
        match media.format {
            Format::Grpc => self.frames(headers, &decoded),
            Format::GrpcWeb { is_text } => self.web_frames(headers, is_text, &decoded),
            _ if media.format.is_text() => self.text(&media, &decoded),
            _ => self.document(&media, &decoded),
        }
    }

    /// Every reading of a text: receivers may differ, so each has to be clean.
    fn text(&self, media: &MediaType, bytes: &[u8]) -> Verdict {
        match media.readings(bytes) {
            Ok(readings) => readings.iter().fold(Verdict::Clean, |verdict, text| verdict.merge(self.reading(media, text))),
            Err(error) => unreadable(error),
        }
    }

    /// A document that is sent as plain text, as some libraries do unless told otherwise, is read as what it is. Where that says
    /// neither that it is clean nor what is in it, it is read as text too.
    fn reading(&self, media: &MediaType, text: &str) -> Verdict {
        let formats = if media.format == Format::Text { sniff::formats(text) } else { &[] };
        let readable = |verdict: &Verdict| !matches!(verdict, Verdict::Uninspectable(_) | Verdict::TooLarge(_));
        let verdict = formats.iter().map(|format| self.document(&MediaType::of(*format), text.as_bytes())).find(readable);
        match verdict {
            Some(verdict @ (Verdict::Clean | Verdict::Findings(_))) => verdict,
            Some(verdict) => verdict.merge(self.document(media, text.as_bytes())),
            None => self.document(media, text.as_bytes()),
        }
    }

    fn document(&self, media: &MediaType, bytes: &[u8]) -> Verdict {
        self.walked(bytes.len(), &mut Stream::default(), |walk| media.read(bytes, format::Limits::default(), walk))
    }

    /// Walks through a message with what the walk before it left, and what the messages of its stream did.
    fn walked(&self, bytes: usize, stream: &mut Stream, read: impl FnOnce(&mut Walk<'_>) -> Result<(), Malformed>) -> Verdict {
        let mut walk = Walk::after(&self.tree, &self.settings, bytes, self.kept.take());
        walk.follow(std::mem::take(stream));
        let read = read(&mut walk);
        *stream = walk.followed();
        let (report, kept) = walk.finish_keeping();
        if let Some(kept) = kept.filter(|_| read.is_ok()) {
            self.kept.put(kept);
        }
        verdict(report, read)
    }

    /// What a gRPC call says of its messages.
    ///
    /// # Errors
    /// A sentence that names the accepted form: calls of other subtypes than Protocol Buffers are not read.
    pub fn call(path: &str, headers: &HeaderMap) -> Result<Call, &'static str> {
        let is_readable = matches!(single(headers, &CONTENT_TYPE), Some("application/grpc" | "application/grpc+proto"));
        if !is_readable || headers.contains_key(CONTENT_ENCODING) {
            return Err("the call is neither application/grpc nor application/grpc+proto without a content coding");
        }
        Ok(Call { path: path.into(), coding: grpc_coding(headers) })
    }

    /// One gRPC message without its prefix, as if it stood alone; `number` counts from 1 within its stream.
    #[must_use]
    pub fn grpc_message(&self, call: &Call, number: u64, is_compressed: bool, bytes: &[u8]) -> Verdict {
        self.next_message(call, &mut Stream::default(), number, is_compressed, bytes)
    }

    /// The next gRPC message of a stream without its prefix; `number` counts from 1 within it. What its messages have at the same place
    /// one after the other is looked at together: the one that completes a value is found.
    #[must_use]
    pub fn next_message(&self, call: &Call, stream: &mut Stream, number: u64, is_compressed: bool, bytes: &[u8]) -> Verdict {
        let decoded = match (is_compressed, call.coding) {
            (false, _) => coding::decode("", bytes, &self.limits),
            (true, Some(coding)) => coding::decode(coding, bytes, &self.limits),
            (true, None) => return Verdict::Uninspectable(NOT_NAMED),
        };
        let part = format!("gRPC message {number}");
        match decoded {
            Ok(decoded) => self.protobuf(&call.path, stream, &decoded).within(&part),
            Err(error) => unreadable(error),
        }
    }

    /// By name where a descriptor has the method, else in every possible reading.
    fn protobuf(&self, path: &str, stream: &mut Stream, bytes: &[u8]) -> Verdict {
        let limits = format::Limits::default();
        self.walked(bytes.len(), stream, |walk| match self.descriptors.as_ref().and_then(|descriptors| descriptors.method_input(path)) {
            Some(message) => message.read(bytes, limits, walk),
            None => format::protobuf::read(bytes, limits, walk),
        })
    }

    /// A whole gRPC stream, as a dump holds it.
    fn frames(&self, headers: &HeaderMap, bytes: &[u8]) -> Verdict {
        let call = Call { path: Arc::default(), coding: grpc_coding(headers) };
        let (mut verdicts, mut stream) = (Vec::new(), Stream::default());
        let end = grpc::each_frame(Bytes::copy_from_slice(bytes), self.limits.max_output, &mut |number, frame| {
            verdicts.push(self.next_message(&call, &mut stream, number, frame.is_compressed, frame.message()));
        });
        let verdict = verdicts.into_iter().fold(Verdict::Clean, Verdict::merge);
        verdict.merge(end.map_or_else(Verdict::unframed, |()| Verdict::Clean))
    }

    /// A whole gRPC-Web body; its last frame may hold trailers.
    fn web_frames(&self, headers: &HeaderMap, is_text: bool, bytes: &[u8]) -> Verdict {
        let call = Call { path: Arc::default(), coding: grpc_coding(headers) };
        let max = self.limits.max_output;
        let mut frames = if is_text { grpc_web::Frames::of_text(max) } else { grpc_web::Frames::new(max) };
        if let Err(malformed) = frames.push(bytes) {
            return malformed_as(malformed);
        }
        let (mut verdict, mut stream) = (Verdict::Clean, Stream::default());
        let mut number = 0;
        let end = loop {
            number += 1;
            let part = match frames.next_frame() {
                Ok(Some(frame)) if frame.is_trailers => self.lines(&frame.payload),
                Ok(Some(frame)) => self.next_message(&call, &mut stream, number, frame.is_compressed, &frame.payload),
                Ok(None) => break frames.finish(),
                Err(malformed) => break Err(malformed),
            };
            verdict = verdict.merge(part);
        };
        verdict.merge(end.map_or_else(malformed_as, |()| Verdict::Clean))
    }

    /// Trailers as a block of header lines.
    fn lines(&self, block: &[u8]) -> Verdict {
        let mut trailers = HeaderMap::new();
        for line in block.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()) {
            let field = line.iter().position(|byte| *byte == b':').map(|colon| line.split_at(colon));
            let field = field.and_then(|(name, value)| {
                let value = value.get(1..).unwrap_or_default().trim_ascii();
                Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?))
            });
            let Some((name, value)) = field else { return Verdict::Uninspectable("the trailers in the body are no header lines") };
            trailers.append(name, value);
        }
        self.trailers(&trailers)
    }
}

/// What the walk found, and whether the document could be read to its end.
pub(super) fn settled(walk: Walk<'_>, read: Result<(), Malformed>) -> Verdict {
    verdict(walk.finish(), read)
}

fn verdict(report: Report, read: Result<(), Malformed>) -> Verdict {
    let found = Verdict::of(report);
    match read {
        Ok(()) => found,
        Err(malformed) => found.merge(malformed_as(malformed)),
    }
}

fn malformed_as(malformed: Malformed) -> Verdict {
    match malformed.fault {
        Fault::Nodes | Fault::Depth | Fault::Key | Fault::String | Fault::Parts => Verdict::TooLarge(malformed.detail()),
        _ => Verdict::Uninspectable(malformed.detail()),
    }
}

fn unreadable(error: Unreadable) -> Verdict {
    match error {
        Unreadable::TooLarge => Verdict::TooLarge(error.detail()),
        _ => Verdict::Uninspectable(error.detail()),
    }
}

/// The one value of a field, if it is there exactly once and is text.
pub(super) fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// All values of a list field, put together (RFC 9110 section 5.3).
pub(super) fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let values: Result<Vec<&str>, _> = headers.get_all(name).iter().map(HeaderValue::to_str).collect();
    values.ok().map(|values| values.join(","))
}

/// The coding of a call, if it is one that is read.
fn grpc_coding(headers: &HeaderMap) -> Option<&'static str> {
    let named = single(headers, &HeaderName::from_static("grpc-encoding"))?;
    GRPC_CODINGS.iter().find(|coding| **coding == named).copied()
}

crate::hidden::hidden!(Call);
