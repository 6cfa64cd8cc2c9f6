//! Any body, however it is cut, framed and coded: the same verdict with the same findings. Personal data stands where it is cut.

use super::{headers, inspector};
use crate::inspect::engine::format::{Limits, grpc_web, json, ndjson};
use crate::inspect::engine::walk::{MAX_FINDINGS, Unknown};
use crate::inspect::grpc::Frames;
use crate::inspect::inspector::settled;
use crate::inspect::{Inspector, Kind, Stream, Verdict};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use proptest::sample::Index;
use std::io::Write as _;

/// What needs no key to be recognised. None of it is written in another way by any format here.
const PLANTS: [(&str, Kind); 5] = [
    ("mario.rossi@example.com", Kind::Email),
    ("IT60X0542811101000000123456", Kind::Iban),
    ("4111 1111 1111 1111", Kind::PaymentCard),
    ("+39 06 6982 1234", Kind::Phone),
    ("00:1b:63:84:45:e6", Kind::MacAddress),
];
const KEYS: [&str; 6] = ["version", "comment", "processName", "x", "caff\u{e8}", "serverNames"];

/// One value of a message.
#[derive(Debug, Clone)]
enum Value {
    Plant(usize),
    Text(String),
    Number(u32),
    List(Vec<Value>),
}

fn values() -> impl Strategy<Value = Vec<Value>> {
    let leaf = prop_oneof![
        2 => (0..PLANTS.len()).prop_map(Value::Plant),
        2 => "[a-z \u{e9}\u{1f600}\"\\\\\n]{0,12}".prop_map(Value::Text),
        1 => any::<u32>().prop_map(Value::Number),
    ];
    let value = prop_oneof![4 => leaf.clone(), 1 => prop::collection::vec(leaf, 0..3).prop_map(Value::List)];
    prop::collection::vec(value, 1..5)
}

/// A few messages, and where to cut what they become.
#[derive(Debug, Clone)]
struct Case {
    messages: Vec<Vec<Value>>,
    cuts: Vec<Index>,
    /// Where in a plant to cut.
    within: Index,
    /// How much of the body is sent; mostly all.
    sent: Option<Index>,
    /// The coding in which the body is sent as well.
    coding: usize,
}

fn case() -> impl Strategy<Value = Case> {
    let sent = prop_oneof![3 => Just(None), 1 => any::<Index>().prop_map(Some)];
    (prop::collection::vec(values(), 1..4), prop::collection::vec(any::<Index>(), 0..6), any::<Index>(), sent, 0..CODINGS.len())
        .prop_map(|(messages, cuts, within, sent, coding)| Case { messages, cuts, within, sent, coding })
}

impl Case {
    /// The body as far as it is sent.
    fn sent<'b>(&self, body: &'b [u8]) -> &'b [u8] {
        self.sent.map_or(body, |sent| &body[..sent.index(body.len() + 1)])
    }

    /// The text as far as it is sent, whole characters of it: that a whole body has half of one is seen before it is read.
    fn sent_text<'b>(&self, text: &'b str) -> &'b [u8] {
        let length = self.sent(text.as_bytes()).len();
        &text.as_bytes()[..text.floor_char_boundary(length)]
    }

    /// The body in pieces: at the places of the case, and inside each plant.
    fn pieces<'b>(&self, body: &'b [u8]) -> Vec<&'b [u8]> {
        let mut places: Vec<usize> = self.cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
        for (plant, _) in PLANTS {
            let starts = body.windows(plant.len()).enumerate().filter(|(_, window)| *window == plant.as_bytes());
            places.extend(starts.map(|(start, _)| start + self.within.index(plant.len() + 1)));
        }
        places.extend([0, body.len()]);
        places.sort_unstable();
        places.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect()
    }

    /// The kinds that were planted, if the whole body is sent.
    fn planted(&self) -> Vec<Kind> {
        let mut kinds = Vec::new();
        if self.sent.is_none() {
            self.messages.iter().flatten().for_each(|value| plants(value, &mut kinds));
        }
        kinds
    }

    fn assert_found(&self, verdict: &Verdict) {
        for kind in self.planted() {
            // Of many findings the first are kept.
            if matches!(verdict, Verdict::Findings(findings) if findings.len() == MAX_FINDINGS) {
                return;
            }
            let Verdict::Findings(findings) = verdict else { panic!("{kind:?} was not found: {verdict:?}") };
            assert!(findings.iter().any(|finding| finding.kind == kind), "{kind:?} was not found: {verdict:?}");
        }
    }
}

fn plants(value: &Value, kinds: &mut Vec<Kind>) {
    match value {
        Value::Plant(index) => kinds.push(PLANTS[*index].1),
        Value::List(values) => values.iter().for_each(|value| plants(value, kinds)),
        Value::Text(_) | Value::Number(_) => {}
    }
}

fn to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Plant(index) => PLANTS[*index].0.into(),
        Value::Text(text) => text.as_str().into(),
        Value::Number(number) => (*number).into(),
        Value::List(values) => values.iter().map(to_json).collect(),
    }
}

fn document(message: &[Value]) -> String {
    let members = message.iter().enumerate().map(|(index, value)| (format!("{}{index}", KEYS[index % KEYS.len()]), to_json(value)));
    serde_json::Value::Object(members.collect()).to_string()
}

/// A message of Protocol Buffers, each value a field.
fn protobuf(message: &[Value]) -> Vec<u8> {
    let text = |field: usize, text: &str| {
        let length = u8::try_from(text.len()).expect("short");
        [&[u8::try_from(field).expect("few") << 3 | 2, length], text.as_bytes()].concat()
    };
    let fields = (1..).zip(message).map(|(field, value)| match value {
        Value::Plant(index) => text(field, PLANTS[*index].0),
        Value::Text(own) => text(field, own),
        Value::Number(number) => text(field, &number.to_string()),
        Value::List(values) => {
            let inner = protobuf(values);
            [&[u8::try_from(field).expect("few") << 3 | 2, u8::try_from(inner.len()).expect("short")], &inner[..]].concat()
        }
    });
    fields.flatten().collect()
}

fn frame(flag: u8, message: &[u8]) -> Vec<u8> {
    [&[flag][..], &u32::try_from(message.len()).expect("short").to_be_bytes(), message].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("in memory")
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("in memory")
}

fn br(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality: 3, lgwin: 16, ..Default::default() };
    brotli::BrotliCompress(&mut &*bytes, &mut out, &params).expect("in memory");
    out
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

type Encode = fn(&[u8]) -> Vec<u8>;
const CODINGS: [(&str, Encode); 4] = [("gzip", gzip), ("deflate", zlib), ("br", br), ("zstd", zstd)];

/// So many of each: an engine in a debug build takes its time.
fn few() -> ProptestConfig {
    ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() }
}

/// The verdict on a body, which is that on the body in a coding, and in two.
fn judged(inspector: &Inspector, case: &Case, fields: &[(&'static str, &'static str)], body: &[u8]) -> Verdict {
    let mut headers = headers(fields);
    let plain = inspector.body(&headers, body);
    if body.is_empty() {
        return plain;
    }
    let (coding, encode) = CODINGS[case.coding];
    headers.insert("content-encoding", HeaderValue::from_static(coding));
    assert_eq!(inspector.body(&headers, &encode(body)), plain, "{coding}");
    headers.insert("content-encoding", HeaderValue::from_str(&format!("{coding}, gzip")).expect("a value"));
    assert_eq!(inspector.body(&headers, &gzip(&encode(body))), plain, "{coding}, gzip");
    plain
}

#[test]
fn json_gives_the_same_verdict_in_any_pieces() {
    let inspector = inspector(Unknown::Inert);
    proptest!(few(), |(case in case())| {
        let body = document(&case.messages[0]);
        let body = case.sent_text(&body);
        let mut walk = inspector.walk(body.len());
        let mut tokenizer = json::Tokenizer::new(Limits::default());
        let pushed = case.pieces(body).into_iter().try_for_each(|piece| tokenizer.push(piece, &mut walk));
        let read = pushed.and_then(|()| tokenizer.finish(&mut walk));
        let cut = settled(walk, read);
        let whole = judged(&inspector, &case, &[("content-type", "application/json")], body);
        prop_assert!(body.is_empty() || cut == whole, "{:?} {:?}", cut, whole);
        Case { messages: case.messages[..1].to_vec(), ..case }.assert_found(&whole);
    });
}

#[test]
fn lines_of_json_give_the_same_verdict_in_any_pieces() {
    let inspector = inspector(Unknown::Inert);
    proptest!(few(), |(case in case(), end in prop::sample::select(vec!["\n", "\r\n", "\n\n"]))| {
        let body: String = case.messages.iter().map(|message| document(message) + end).collect();
        let body = case.sent_text(&body);
        let mut walk = inspector.walk(body.len());
        let mut lines = ndjson::Lines::new(Limits::default());
        let pushed = case.pieces(body).into_iter().try_for_each(|piece| lines.push(piece, &mut walk));
        let read = pushed.and_then(|()| lines.finish(&mut walk));
        let cut = settled(walk, read);
        let whole = judged(&inspector, &case, &[("content-type", "application/x-ndjson")], body);
        prop_assert!(body.is_empty() || cut == whole, "{:?} {:?}", cut, whole);
        case.assert_found(&whole);
    });
}

/// The messages of a case as gRPC frames, each compressed or not.
fn stream(case: &Case, compressed: u8, encode: Encode) -> Vec<u8> {
    let frames = case.messages.iter().enumerate().map(|(index, message)| {
        let message = protobuf(message);
        if compressed >> index & 1 == 1 { frame(1, &encode(&message)) } else { frame(0, &message) }
    });
    frames.flatten().collect()
}

/// What was judged of a stream in pieces, and whether all of it was.
fn assert_same(whole: &Verdict, cut: &Verdict, is_complete: bool) {
    match whole {
        _ if is_complete => assert_eq!(whole, cut),
        Verdict::Findings(_) => assert_eq!(whole, cut),
        Verdict::Uninspectable(_) => assert!(!matches!(cut, Verdict::Findings(_)), "{cut:?}"),
        other => panic!("a stream that is cut off: {other:?}"),
    }
}

#[test]
fn grpc_gives_the_same_verdict_in_any_pieces() {
    let inspector = inspector(Unknown::Observe);
    proptest!(few(), |(case in case(), compressed in any::<u8>(), (coding, encode) in prop::sample::select(CODINGS.to_vec()))| {
        let fields = [("content-type", "application/grpc"), ("grpc-encoding", coding)];
        let call = Inspector::call("", &headers(&fields)).expect("a call");
        let body = stream(&case, compressed, encode);
        let body = case.sent(&body);
        let mut frames = Frames::new(1 << 20);
        let (mut cut, mut so_far) = (Verdict::Clean, Stream::default());
        let mut number = 0;
        for piece in case.pieces(body) {
            frames.push(Bytes::copy_from_slice(piece));
            while let Some(frame) = frames.next_frame().expect("it is framed") {
                number += 1;
                cut = cut.merge(inspector.next_message(&call, &mut so_far, number, frame.is_compressed, frame.message()));
            }
        }
        let whole = judged(&inspector, &case, &fields, body);
        assert_same(&whole, &cut, frames.waiting() == 0);
        case.assert_found(&whole);
    });
}

#[test]
fn grpc_web_gives_the_same_verdict_in_any_pieces() {
    let inspector = inspector(Unknown::Observe);
    proptest!(few(), |(case in case(), compressed in any::<u8>(), (coding, encode) in prop::sample::select(CODINGS.to_vec()), is_text in any::<bool>())| {
        let content_type = if is_text { "application/grpc-web-text" } else { "application/grpc-web" };
        let fields = [("content-type", content_type), ("grpc-encoding", coding)];
        let call = Inspector::call("", &headers(&[("content-type", "application/grpc"), fields[1]])).expect("a call");
        let (name, value) = (HeaderName::from_static("x-reply-to"), HeaderValue::from_static(PLANTS[0].0));
        let trailers = frame(0x80, format!("grpc-status: 0\r\n{name}: {}\r\n", PLANTS[0].0).as_bytes());
        let body = [stream(&case, compressed, encode), trailers].concat();
        let body = if is_text { base64(&body).into_bytes() } else { body };
        let body = case.sent(&body);
        let mut frames = if is_text { grpc_web::Frames::of_text(1 << 20) } else { grpc_web::Frames::new(1 << 20) };
        let (mut cut, mut so_far) = (Verdict::Clean, Stream::default());
        let mut number = 0;
        for piece in case.pieces(body) {
            frames.push(piece).expect("it is base64");
            while let Some(frame) = frames.next_frame().expect("it is framed") {
                number += 1;
                cut = cut.merge(if frame.is_trailers {
                    inspector.trailers(&HeaderMap::from_iter([(name.clone(), value.clone())]))
                } else {
                    inspector.next_message(&call, &mut so_far, number, frame.is_compressed, &frame.payload)
                });
            }
        }
        let whole = judged(&inspector, &case, &fields, body);
        assert_same(&whole, &cut, frames.finish().is_ok());
        prop_assert!(case.sent.is_some() || matches!(whole, Verdict::Findings(_)), "the trailers were passed over");
        case.assert_found(&whole);
    });
}

/// RFC 4648 section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |group: &[u8]| {
        let sum = (0..3).fold(0, |sum, index| sum << 8 | usize::from(*group.get(index).unwrap_or(&0)));
        let digit = |place: usize| if place > group.len() { '=' } else { char::from(ALPHABET[sum >> (18 - 6 * place) & 63]) };
        [digit(0), digit(1), digit(2), digit(3)]
    };
    bytes.chunks(3).flat_map(group).collect()
}

/// A body with one part a message.
fn multipart(case: &Case, boundary: &str, end: &str, is_base64: bool) -> String {
    let encoding = if is_base64 { format!("Content-Transfer-Encoding: base64{end}") } else { String::new() };
    let parts = case.messages.iter().map(|message| {
        let text = document(message);
        let body = if is_base64 { base64(text.as_bytes()) } else { text };
        format!("--{boundary}{end}Content-Disposition: form-data; name=\"comment\"{end}{encoding}{end}{body}{end}")
    });
    parts.collect::<String>() + &format!("--{boundary}--{end}")
}

#[test]
fn multipart_bodies_give_the_same_findings_in_any_lines_and_encodings() {
    let inspector = inspector(Unknown::Observe);
    let kinds = |verdict: &Verdict| match verdict {
        Verdict::Findings(findings) => findings.iter().map(|finding| finding.kind).collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    proptest!(few(), |(case in case())| {
        let case = Case { sent: None, ..case };
        let plain = judged(&inspector, &case, &[("content-type", "multipart/form-data; boundary=b")], multipart(&case, "b", "\r\n", false).as_bytes());
        case.assert_found(&plain);
        for (boundary, end, is_base64) in [("b", "\n", false), ("b", "\r\n", true), ("----x.y", "\r\n", false), ("----x.y", "\n", true)] {
            let content_type = if boundary == "b" { "multipart/mixed; boundary=b" } else { "multipart/form-data; boundary=\"----x.y\"" };
            let other = judged(&inspector, &case, &[("content-type", content_type)], multipart(&case, boundary, end, is_base64).as_bytes());
            case.assert_found(&other);
            prop_assert_eq!(kinds(&other), kinds(&plain), "{} {:?} {}", boundary, end, is_base64);
        }
    });
}
