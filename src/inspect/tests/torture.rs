//! What is malformed is refused by the whole inspector too, in every mode: no layer in front of a reader makes it anything else.

mod multipart;
mod protobuf;
mod xml;

use super::{headers, inspector};
use crate::inspect::engine::format::json::suite;
use crate::inspect::engine::walk::Unknown;
use crate::inspect::{Inspector, Verdict};

const MODES: [Unknown; 3] = [Unknown::Observe, Unknown::Inert, Unknown::Strict];

/// JSON texts that are malformed as UTF-8 without a mark, and well-formed in the charset that their first bytes tell.
const IN_OTHER_CHARSETS: [&[u8]; 5] = ["\u{feff}[]".as_bytes(), b"\xef\xbb\xbf{}", b"\xff\xfe[\0]\0", b"[\0]\0", b"\0[\0]"];

fn inspectors() -> [Inspector; 3] {
    MODES.map(inspector)
}

/// Neither clean, nor judged by what could be read of it.
fn assert_refused(inspectors: &[Inspector], content_type: &'static str, body: &[u8]) {
    for inspector in inspectors {
        let verdict = inspector.body(&headers(&[("content-type", content_type)]), body);
        let is_refused = matches!(verdict, Verdict::Uninspectable(_) | Verdict::TooLarge(_));
        assert!(is_refused, "{content_type} {:?}: {verdict:?}", String::from_utf8_lossy(body));
    }
}

#[test]
fn malformed_json_is_refused() {
    let inspectors = inspectors();
    let texts = suite::MALFORMED.iter().map(|text| text.as_bytes()).chain(suite::MALFORMED_BYTES.iter().copied());
    // Nothing at all is no message.
    for text in texts.filter(|text| !text.is_empty() && !IN_OTHER_CHARSETS.contains(text)) {
        assert_refused(&inspectors, "application/json", text);
        assert_refused(&inspectors, "application/vnd.x+json; charset=utf-8", text);
        let is_one_line = !text.contains(&b'\n') && !text.trim_ascii().is_empty();
        if is_one_line {
            assert_refused(&inspectors, "application/x-ndjson", &[b"{}\n", text, b"\n[]\n"].concat());
        }
    }
    for text in IN_OTHER_CHARSETS {
        assert_eq!(inspectors[0].body(&headers(&[("content-type", "application/json")]), text), Verdict::Clean, "{text:?}");
    }
}

#[test]
fn malformed_xml_is_refused() {
    let inspectors = inspectors();
    assert!(xml::MALFORMED.len() >= 150);
    let texts = xml::MALFORMED.iter().map(|text| text.as_bytes()).chain(xml::MALFORMED_BYTES.iter().copied());
    for text in texts {
        assert_refused(&inspectors, "application/xml", text);
        assert_refused(&inspectors, "application/soap+xml; charset=utf-8", text);
    }
}

#[test]
fn malformed_multipart_bodies_are_refused() {
    let inspectors = inspectors();
    for body in multipart::MALFORMED {
        assert_refused(&inspectors, "multipart/form-data; boundary=b", body.as_bytes());
        assert_refused(&inspectors, "multipart/form-data; boundary=b", body.replace('\n', "\r\n").as_bytes());
    }
    for content_type in multipart::CONTENT_TYPES {
        assert_refused(&inspectors, content_type, b"--b\r\n\r\nx\r\n--b--\r\n");
    }
    let parts = "--b\n\nx\n".repeat(1_001) + "--b--";
    assert_refused(&inspectors, "multipart/form-data; boundary=b", parts.as_bytes());
}

#[test]
fn malformed_protocol_buffers_are_refused() {
    let inspectors = inspectors();
    for message in protobuf::MALFORMED {
        assert_refused(&inspectors, "application/x-protobuf", message);
        let length = u8::try_from(message.len()).expect("they are short");
        let framed = [&[0, 0, 0, 0, length], *message].concat();
        assert_refused(&inspectors, "application/grpc", &framed);
        assert_refused(&inspectors, "application/grpc-web+proto", &framed);
        assert_refused(&inspectors, "application/grpc", &[b"\0\0\0\0\x02\x08\x01", &framed[..], b"\0\0\0\0\x02\x08\x01"].concat());
    }
    let deep = (0..40).fold(vec![8, 1], |inner: Vec<u8>, _| [&[10, u8::try_from(inner.len()).expect("short")], &inner[..]].concat());
    assert_refused(&inspectors, "application/x-protobuf", &deep);
}

#[test]
fn streams_that_are_not_framed_or_cut_off_are_refused() {
    let inspectors = inspectors();
    for stream in protobuf::STREAMS {
        assert_refused(&inspectors, "application/grpc", stream);
        assert_refused(&inspectors, "application/grpc-web+proto", stream);
    }
    for text in [&b"!"[..], b"A", b"AA", b"AAA", b"AAAAA", b"AAAAAA", b"AAAAAAA=AAAA", b"A===", b"AAAA AAA=", b"AAAAAAE\xe9", b"{}"] {
        assert_refused(&inspectors, "application/grpc-web-text+proto", text);
    }
    let trailers: [&[u8]; 3] = [b"no header line", b"a b: c\r\n", b"x: \x01\r\n"];
    for block in trailers {
        let length = u8::try_from(block.len()).expect("they are short");
        assert_refused(&inspectors, "application/grpc-web+proto", &[&[0x80, 0, 0, 0, length], block].concat());
    }
}

#[test]
fn malformed_forms_and_texts_are_refused() {
    let inspectors = inspectors();
    for form in
        ["a=%", "a=%4", "a=%4g", "%zz=1", "a=%u0041", "a b=1", "a=1\r\n", "a=\t", "a=%ff", "a=%c0%af", "a=%ed%a0%80", "a=1&b=%e9", " "]
    {
        assert_refused(&inspectors, "application/x-www-form-urlencoded", form.as_bytes());
    }
    for text in [&b"\xff\xff\xff\xff\xff\xff"[..], b"a\0b\0\0", b"\x81", b"+/v8-", b"\x01\xe9"] {
        assert_refused(&inspectors, "text/plain", text);
    }
}
