//! Ways around inspection, tried by hand against the whole inspector. In the mode in which only evidence counts, so that nothing is
//! refused merely because nobody documents it.

use super::{headers, inspector};
use crate::inspect::engine::walk::Unknown;
use crate::inspect::{Inspector, Stream, Verdict};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::io::Write as _;

const MAIL: &str = "mario.rossi@example.com";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain";
const XML: &str = "application/xml";
const FORM: &str = "application/x-www-form-urlencoded";
const PROTOBUF: &str = "application/x-protobuf";
const PARTS: &str = "multipart/form-data; boundary=b";

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |bits: u32| char::from(DIGITS[(bits & 63) as usize]);
    let text = bytes.chunks(3).flat_map(|chunk| {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        let digits = [18, 12, 6, 0].map(|shift| digit(bits >> shift));
        (0..4).map(move |at| if at <= chunk.len() { digits[at] } else { '=' })
    });
    text.collect()
}

fn hex(text: &str, before: &str) -> String {
    text.bytes().fold(String::new(), |hex, byte| hex + &format!("{before}{byte:02x}"))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

fn wide(text: &str, is_little: bool) -> Vec<u8> {
    text.encode_utf16().flat_map(|unit| if is_little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
}

fn field(number: u8, text: &str) -> Vec<u8> {
    [&[number << 3 | 2, u8::try_from(text.len()).expect("short")], text.as_bytes()].concat()
}

fn part(head: &str, body: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n--b--\r\n")
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&[0][..], &u32::try_from(message.len()).expect("short").to_be_bytes(), message].concat()
}

/// What is tried, the header fields and the body.
type Case = (&'static str, HeaderMap, Vec<u8>);

fn case(what: &'static str, content_type: &'static str, body: impl Into<Vec<u8>>) -> Case {
    (what, headers(&[("content-type", content_type)]), body.into())
}

fn coded(what: &'static str, coding: &'static str, body: impl Into<Vec<u8>>) -> Case {
    (what, headers(&[("content-type", JSON), ("content-encoding", coding)]), body.into())
}

fn encoded() -> Vec<Case> {
    let json = format!(r#"{{"a":"{MAIL}"}}"#);
    let in_base64 = base64(MAIL.as_bytes());
    vec![
        case("base64 in JSON in a form", FORM, format!("d=%7B%22x%22%3A%22{in_base64}%22%7D")),
        case("base64 twice", JSON, format!(r#"{{"a":"{}"}}"#, base64(in_base64.as_bytes()))),
        case("base64 of gzip", JSON, format!(r#"{{"a":"{}"}}"#, base64(&gzip(json.as_bytes())))),
        case("base64 of UTF-16", JSON, format!(r#"{{"a":"{}"}}"#, base64(&wide(MAIL, true)))),
        case("base64 in short lines", TEXT, format!("-----BEGIN-----\n{}\n{}\n-----END-----", &in_base64[..16], &in_base64[16..])),
        case("hexadecimal", JSON, format!(r#"{{"a":"{}"}}"#, hex(MAIL, ""))),
        case("hexadecimal with blanks", JSON, format!(r#"{{"a":"{}"}}"#, hex(MAIL, " "))),
        case("escapes of C", JSON, format!(r#"{{"a":"{}"}}"#, hex(MAIL, "\\\\x"))),
        case("percent signs", JSON, format!(r#"{{"a":"{}"}}"#, hex(MAIL, "%"))),
        case("percent signs of percent signs", FORM, "a=mario%252540example.com"),
        case("percent signs of Unicode", TEXT, "mario%u0040example.com"),
        case("entities of HTML", JSON, r#"{"a":"mario&#64;example.com"}"#),
        case("quoted-printable", TEXT, "mario=40example.com"),
        case("an encoded word", TEXT, "=?utf-8?Q?mario=40example.com?="),
        case("base32", JSON, r#"{"a":"NVQXE2LPFZZG643TNFAGK6DBNVYGYZJOMNXW2==="}"#),
        case("JSON in JSON in JSON", JSON, r#"{"a":"{\"b\":\"{\\\"c\\\":\\\"mario@example.com\\\"}\"}"}"#),
        case("a key with escapes", JSON, r#"{"mario\u0040example.com":1}"#),
        case("a value with escapes", JSON, r#"{"a":"\u006d\u0061rio\u0040example\u002ecom"}"#),
        case("codes of characters", JSON, r#"{"a":[109,97,114,105,111,64,101,120,97,109,112,108,101,46,99,111,109]}"#),
        case("a data: address", JSON, format!(r#"{{"a":"data:text/plain;base64,{in_base64}"}}"#)),
        case("letters with blanks", TEXT, "m a r i o @ e x a m p l e . c o m"),
        coded("gzip twice", "gzip, gzip", gzip(&gzip(json.as_bytes()))),
        coded("gzip and nothing", "gzip, identity", gzip(json.as_bytes())),
        coded("gzip that nobody names", "identity", gzip(json.as_bytes())),
        coded("a coding that is none", "gzip;q=1", gzip(json.as_bytes())),
        coded("text that is called gzip", "gzip", json.clone()),
        ("two content types", headers(&[("content-type", "image/png"), ("content-type", JSON)]), json.clone().into()),
        case("an image by name only", "image/png", json.clone()),
        case("octets by name only", "application/octet-stream", json),
    ]
}

fn written() -> Vec<Case> {
    let json = format!(r#"{{"a":"{MAIL}"}}"#);
    vec![
        case("UTF-7", "text/plain; charset=utf-7", "mario+AEA-example.com"),
        case("UTF-7 that nobody names", TEXT, "mario+AEA-example.com"),
        case("UTF-16 without a mark", JSON, wide(&json, true)),
        case("UTF-16 without a mark, the other way round", JSON, wide(&json, false)),
        case("UTF-16 under another name", "application/json; charset=utf-8", [&[0xff, 0xfe][..], &wide(&json, true)].concat()),
        case("two marks", JSON, ["\u{feff}\u{feff}", &json].concat()),
        case("a mark inside", TEXT, "mario@\u{feff}example.com"),
        case("a soft hyphen", JSON, "{\"a\":\"mario@exam\u{ad}ple.com\"}"),
        case("nothing between letters", JSON, "{\"a\":\"mario\u{200b}@\u{2060}example.com\"}"),
        case("letters of other scripts", JSON, "{\"a\":\"m\u{430}rio@ex\u{430}mple.com\"}"),
        case("wide digits", JSON, "{\"a\":\"４１１１ １１１１ １１１１ １１１１\"}"),
        case("digits of mathematics", JSON, "{\"a\":\"𝟒𝟏𝟏𝟏 𝟏𝟏𝟏𝟏 𝟏𝟏𝟏𝟏 𝟏𝟏𝟏𝟏\"}"),
        case("blanks that do not break", JSON, "{\"a\":\"it60\u{a0}x054\u{a0}2811\u{a0}1010\u{a0}0000\u{a0}0123\u{a0}456\"}"),
        case("from right to left", JSON, "{\"a\":\"\u{202e}mario@example.com\u{202c}\"}"),
        case("the other at sign", JSON, "{\"a\":\"mario\u{ff20}example.com\"}"),
        case("an entity of XML", XML, "<a>mario&#x40;example.com</a>"),
        case("CDATA in the middle", XML, "<a>mario@exa<![CDATA[mple]]>.com</a>"),
        case("a comment in the middle", XML, "<a>mario@exa<!-- x -->mple.com</a>"),
        case("an instruction in the middle", XML, "<a>mario@exa<?x y?>mple.com</a>"),
        case("an element in the middle", XML, "<a>mario@exa<b/>mple.com</a>"),
        case("in a comment", XML, "<a><!-- mario@example.com --></a>"),
        case("in a name space", XML, r#"<a xmlns:x="mailto:mario@example.com"/>"#),
        case("CSV with quotes", "text/csv", "note,n\r\n\"mario@example.com\",\"1\"\r\n"),
        case("a group of Protocol Buffers", PROTOBUF, [&[0x0b][..], &field(1, MAIL), &[0x0c]].concat()),
        case("an unknown field", PROTOBUF, [&[0xfa, 0xff, 0xff, 0xff, 0x0f, 17][..], b"mario@example.com"].concat()),
        case("a message in a message", PROTOBUF, field(1, &String::from_utf8(field(1, MAIL)).expect("text"))),
        case("padding in the middle", "application/grpc-web-text", {
            let stream = framed(&field(1, MAIL));
            format!("{}{}", base64(&stream[..7]), base64(&stream[7..]))
        }),
        case("a name of a file", PARTS, part("name=\"a\"; filename*=UTF-8''mario%40example.com", "x")),
        case("a name of a part", PARTS, part("name=\"mario@example.com\"", "x")),
        case("in front of the parts", PARTS, format!("{MAIL}\r\n{}", part("name=\"a\"", "x"))),
        case("behind the parts", PARTS, format!("{}{MAIL}", part("name=\"a\"", "x"))),
        case("a part in base64", PARTS, part("name=\"a\"\r\nContent-Transfer-Encoding: base64", &base64(MAIL.as_bytes()))),
        case("line feeds only", PARTS, part("name=\"a\"", MAIL).replace("\r\n", "\n")),
    ]
}

fn in_pieces() -> Vec<Case> {
    vec![
        case("items", JSON, r#"["4111 1111","1111 1111"]"#),
        case("items of an account", JSON, r#"{"a":["IT60 X054","2811 1010","0000 0123 456"]}"#),
        case("items of one letter", JSON, r#"["R","S","S","M","R","A","8","5","T","1","0","A","5","6","2","S"]"#),
        case("items of an address", JSON, r#"["mario.rossi","@example.com"]"#),
        case("items of arrays", JSON, r#"[["4111 1111"],["1111 1111"]]"#),
        case("members", JSON, r#"{"x":"4111","y":"11111111","z":"1111"}"#),
        case("members with others between", JSON, r#"{"x":"4111 1111","n":7,"on":true,"y":"1111 1111"}"#),
        case("members behind an object", JSON, r#"{"x":"4111 1111","o":{"p":"text"},"y":"1111 1111"}"#),
        case("the same member of objects", JSON, r#"[{"x":"4111 1111"},{"x":"1111 1111"}]"#),
        case("lines", "application/x-ndjson", "{\"x\":\"4111 1111\"}\n{\"x\":\"1111 1111\"}\n"),
        case("members in a string", JSON, r#"{"a":"{\"x\":\"4111 1111\",\"y\":\"1111 1111\"}"}"#),
        case("pieces in wide digits", JSON, r#"["４１１１ １１１１","１１１１ １１１１"]"#),
        case("pairs of a form", FORM, "a=4111&b=11111111&c=1111"),
        case("the same pair of a form", FORM, "a=RSSMRA&a=85T10&a=A562S"),
        case("elements", XML, "<a><b>4111 1111</b><b>1111 1111</b></a>"),
        case("attributes", XML, r#"<a x="4111 1111" y="1111 1111"/>"#),
        case("cells of a row", "text/csv", "x,y\r\n4111 1111,1111 1111\r\n"),
        case(
            "parts",
            PARTS,
            "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n4111 1111\r\n--b\r\nContent-Disposition: form-data; name=\"y\"\r\n\r\n1111 1111\r\n--b--\r\n",
        ),
        case("repeated strings", PROTOBUF, [field(3, "IT60 X054"), field(3, "2811 1010"), field(3, "0000 0123 456")].concat()),
        case("strings side by side", PROTOBUF, [field(1, "4111 1111"), field(2, "1111 1111")].concat()),
        case("messages of a stream", "application/grpc", [framed(&field(1, "4111 1111")), framed(&field(1, "1111 1111"))].concat()),
        case(
            "letters of a stream",
            "application/grpc",
            MAIL.chars().flat_map(|letter| framed(&field(1, letter.encode_utf8(&mut [0; 4])))).collect::<Vec<u8>>(),
        ),
    ]
}

/// What gets through, and is documented to.
fn gaps() -> Vec<Case> {
    vec![
        case("backwards", JSON, r#"{"a":"moc.elpmaxe@oiram"}"#),
        case("spelt out", JSON, r#"{"a":"mario [at] example [dot] com"}"#),
        case("base64 in pieces", JSON, r#"["bWFyaW9AZXhh","bXBsZS5jb20="]"#),
        case("in documented numbers", JSON, r#"{"processes":[{"pid":4111,"handles":1111},{"pid":1111,"handles":1111}]}"#),
        case("a telephone number in pieces", JSON, r#"["335","123","4567"]"#),
    ]
}

/// What is tried, the target and the header fields.
type Head = (&'static str, &'static str, Vec<(&'static str, &'static str)>);

fn heads() -> Vec<Head> {
    vec![
        ("a query in pieces", "/t?a=4111&b=11111111&c=1111", vec![]),
        ("an account in a query", "/t?a=IT60X054&b=28111010&c=00000123456", vec![]),
        ("an address in a query", "/t?a=mario.rossi&b=%40example.com", vec![]),
        ("letters of a query", "/t?a=R&a=S&a=S&a=M&a=R&a=A&a=8&a=5&a=T&a=1&a=0&a=A&a=5&a=6&a=2&a=S", vec![]),
        ("segments of a path", "/v1/4111/11111111/1111", vec![]),
        ("a parameter of a path", "/t;m=mario@example.com/x", vec![]),
        ("a fragment", "/t#mario@example.com", vec![]),
        ("fields in pieces", "/", vec![("x-a", "4111 1111"), ("x-b", "1111 1111")]),
        ("fields with others between", "/", vec![("x-a", "IT60 X054"), ("accept", "*/*"), ("x-b", "2811 1010 0000 0123 456")]),
        ("one field twice", "/", vec![("x-a", "mario.rossi"), ("x-a", "@example.com")]),
        ("percent signs in a field", "/", vec![("x-odd", "mario%40example.com")]),
        ("base64 in a field", "/", vec![("x-odd", "bWFyaW8ucm9zc2lAZXhhbXBsZS5jb20=")]),
        ("the name of an account", "/", vec![("authorization", "Basic bWFyaW9AZXhhbXBsZS5jb206eA==")]),
        ("cookies in pieces", "/", vec![("cookie", "a=mario@"), ("cookie", "b=example.com")]),
        ("metadata in base64", "/", vec![("x-odd-bin", "bWFyaW8ucm9zc2lAZXhhbXBsZS5jb20")]),
    ]
}

#[test]
fn nothing_gets_around_inspection_that_is_not_documented() {
    let inspector = inspector(Unknown::Observe);
    let cases: Vec<Case> = [encoded(), written(), in_pieces()].concat();
    let heads = heads();
    let bodies = cases.iter().map(|(what, fields, body)| (*what, inspector.body(fields, body)));
    let tops = heads.iter().map(|(what, target, fields)| (*what, inspector.head(target, &headers(fields))));
    let through: Vec<&str> = bodies.chain(tops).filter(|(_, verdict)| *verdict == Verdict::Clean).map(|(what, _)| what).collect();
    assert!(through.is_empty(), "{through:#?}");
    println!("hostile: {} cases of inspection evasion", cases.len() + heads.len() + gaps().len());
}

#[test]
fn gaps_are_those_that_are_documented() {
    let inspector = inspector(Unknown::Observe);
    for (what, fields, body) in gaps() {
        assert_eq!(inspector.body(&fields, &body), Verdict::Clean, "{what}: no gap any more");
    }
}

/// Neighbours that are nobody's, in every mode.
#[test]
fn neighbours_that_say_nothing_pass() {
    let inspector = inspector(Unknown::Inert);
    for body in [
        r#"{"counters":{"callsQueuedFifo":[4111,1111,1111,1111]}}"#,
        r#"{"processes":[{"pid":"4111","handles":"1111","threads":"1111","workingSet":"1111"}]}"#,
        r#"{"versions":["10.0.17763.1","11.0.2100.60"]}"#,
        r#"{"hotfixes":["KB4111111","KB1111111","KB4111112"]}"#,
    ] {
        let verdict = inspector.body(&headers(&[("content-type", JSON)]), body.as_bytes());
        assert!(!matches!(verdict, Verdict::Findings(_)), "{body}: {verdict:?}");
    }
    let fields = headers(&[("x-ms-version", "2026-11-30"), ("x-build", "4111"), ("x-node", "2"), ("x-b3-spanid", "e457b5a2e4d86bd1")]);
    assert_eq!(inspector.head("/v2/2026/1130/7?page=2&size=1000&from=1700000000&to=1700003600", &fields), Verdict::Clean);
}

/// The message that completes a value is the one that is refused; each stream is one of its own.
#[test]
fn a_stream_is_refused_at_the_message_that_completes_a_value() {
    let inspector = inspector(Unknown::Observe);
    let call = Inspector::call("/t/Report", &headers(&[("content-type", "application/grpc")])).expect("a call");
    for pieces in [vec!["4111 1111", "1111 1111"], "IT60X0542811101000000123456".split("").filter(|letter| !letter.is_empty()).collect()] {
        let (mut stream, mut other) = (Stream::default(), Stream::default());
        let (last, first) = pieces.split_last().expect("there are some");
        for piece in first {
            assert_eq!(inspector.next_message(&call, &mut stream, 1, false, &field(1, piece)), Verdict::Clean, "{piece}");
        }
        assert_eq!(inspector.next_message(&call, &mut other, 1, false, &field(1, last)), Verdict::Clean, "{last}");
        let verdict = inspector.next_message(&call, &mut stream, 9, false, &field(1, last));
        assert!(matches!(&verdict, Verdict::Findings(found) if found[0].place.starts_with("gRPC message 9")), "{verdict:?}");
    }
}

/// Fields that are in no order of ours still are in theirs.
#[test]
fn trailers_in_pieces_are_found() {
    let mut trailers = HeaderMap::new();
    for (name, value) in [("x-a", "4111 1111"), ("x-b", "1111 1111")] {
        trailers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    assert!(matches!(inspector(Unknown::Observe).trailers(&trailers), Verdict::Findings(_)));
}
