mod cuts;
mod disguises;
mod evasions;
mod matrix;
mod torture;

use super::*;
use crate::inspect::engine::shape::Shape;
use crate::inspect::engine::walk::{Settings, Unknown};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::io::Write as _;

fn inspector(unknown: Unknown) -> Inspector {
    let settings = Settings { unknown, networks: vec![("10.20.0.0".parse().expect("an address"), 24)], accounts: Vec::new() };
    Inspector::new(Shape::built_in().expect("the shape compiles"), settings, None, 1 << 20)
}

fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in fields {
        map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    map
}

fn places(verdict: &Verdict) -> Vec<String> {
    match verdict {
        Verdict::Findings(findings) => findings.iter().map(|finding| format!("{} {}", finding.kind.label(), finding.place)).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn heads_are_scanned_through_their_encodings() {
    let inspector = inspector(Unknown::Inert);
    for target in [
        "/t?x=mario@example.com",
        "/t?x=mario%40example.com",
        "/mario%252540example.com",
        "/t?a&b=%6dario%40example.com",
        "/a/mario@example.com",
        "/t?version=1.2.3;x=mario@example.com",
        "/t?mario%40example.com",
    ] {
        assert!(places(&inspector.head(target, &HeaderMap::new()))[0].starts_with("email request target"), "{target}");
    }
    for target in [
        "/t?x=+393331234567",
        "/t?a=tel:+393331234567",
        "/t?sip:4312@ucm.local",
        "/t?x=1;email=4312",
        "/t?extension=4312",
        "/t?userName=x",
        "/t?q=%7b%22ip%22:%2293.184.216.34%22%7d",
    ] {
        assert!(matches!(inspector.head(target, &HeaderMap::new()), Verdict::Findings(_)), "{target}");
    }
    for target in
        ["/test", "/home/licensing/users", "/t?version=1.2.3%204", "/v2/products/7f3c9a2e-0c1d-4a56-9b1e-2f3a4b5c6d7e?lang=it-IT", "/?%zz"]
    {
        assert_eq!(inspector.head(target, &HeaderMap::new()), Verdict::Clean, "{target}");
    }
}

#[test]
fn header_fields_are_scanned_each_in_its_way() {
    let inspector = inspector(Unknown::Inert);
    let verdict = inspector.head("/", &headers(&[("from", "mario@example.com"), ("x-odd-thing", "mario@example.com")]));
    assert_eq!(places(&verdict), ["email header from", "email a header field of another name"]);
    for (name, value) in [
        ("referer", "https://x/?m=mario%40example.com"),
        ("authorization", "Basic bWFyaW9AZXhhbXBsZS5jb206c2VjcmV0"),
        ("authorization", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJlbWFpbCI6Im1hcmlvQGV4YW1wbGUuY29tIn0.c2ln"),
        ("authorization", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJuYW1lIjoiTWFyaW8gUm9zc2kifQ.c2ln"),
        ("x-user-bin", "bWFyaW9AZXhhbXBsZS5jb20"),
        ("x-blob-bin", "CgZtYXJpbyASEW1hcmlvQGV4YW1wbGUuY29t"),
        ("x-user-name", "whoever"),
        ("x-extension", "4312"),
        ("cookie", "session=abcdef"),
        ("x-client", "93.184.216.34"),
        ("user-agent", "UCX/1.0 (IT60X0542811101000000123456)"),
        ("user-agent", "UCX/1.0 (+39 333 1234567)"),
        ("user-agent", "UCX/1.0 (C:\\Users\\mrossi\\x)"),
        ("user-agent", "UCX/1.0 (ACME\\m.rossi)"),
        ("user-agent", "UCX/1.0 RSSMRA85T10A562S"),
        ("user-agent", "UCX/1.0 4111111111111111"),
        ("user-agent", "UCX/4111.1111.1111.1111"),
        ("via", "1.1 x (RSSMRA85T10A562S)"),
    ] {
        assert!(matches!(inspector.head("/", &headers(&[(name, value)])), Verdict::Findings(_)), "{name}: {value}");
    }
    assert!(matches!(inspector.head("/", &headers(&[("x-bin", "?")])), Verdict::Uninspectable(_)));
}

#[test]
fn ordinary_clients_pass() {
    let inspector = inspector(Unknown::Inert);
    let fields = headers(&[
        ("host", "api.imagicle.com"),
        ("user-agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/120.0.0.0 grpc-python/1.62.0 ucx/2024.1.10.4"),
        ("accept", "application/json, text/plain;q=0.9, */*;q=0.8"),
        ("accept-language", "it-IT,it;q=0.9,en-US;q=0.8"),
        ("accept-encoding", "gzip, deflate, br"),
        ("content-type", "application/json; charset=utf-8"),
        ("content-length", "3331234567"),
        ("authorization", "Basic bGljZW5zZTpLN0pRLVc0UEItOTJUTS1YUjZC"),
        ("x-api-key", "da2-fakeApiId123456789012345678"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("x-request-id", "7f3c9a2e-0c1d-4a56-9b1e-2f3a4b5c6d7e"),
        ("date", "Sat, 28 Nov 2026 10:00:00 GMT"),
        ("if-none-match", "W/\"33a64df551425fcc55e4d42a148795d9f25f89d4\""),
        ("cookie", "AWSALB=Yk2qBd0n3q8c9Jt6; AWSALBCORS=Yk2qBd0n3q8c9Jt6"),
        ("grpc-timeout", "10S"),
        ("via", "1.1 ucx-egress-0a1b2c3d4e5f"),
    ]);
    assert_eq!(inspector.head("/test", &fields), Verdict::Clean);
}

#[test]
fn names_and_versions_of_clients_pass() {
    let inspector = inspector(Unknown::Inert);
    for value in [
        "curl/7.88.1",
        "python-requests/2.31.0",
        "Python/3.11 aiohttp/3.9.5",
        "python-httpx/0.27.0",
        "Java/21.0.4",
        "Java-http-client/17.0.12",
        "Apache-HttpClient/4.5.14 (Java/17.0.12)",
        "okhttp/4.12.0",
        "Go-http-client/1.1",
        "undici",
        "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
        "axios/1.7.2",
        "RestSharp/110.2.0.0",
        "Microsoft WinHttp/1.0",
        "Microsoft-CryptoAPI/10.0",
        "Windows-Update-Agent/10.0.10011.16384 Client-Protocol/2.50",
        "grpc-dotnet/2.62.0 (.NET 8.0.4; CLR 8.0.4; net8.0; windows; x64)",
        "grpc-java-netty/1.64.0",
        "grpc-python/1.62.0 grpc-c/39.0.0 (linux; chttp2)",
        "grpc-node-js/1.10.8",
        "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.6478.127 Safari/537.36 Edg/126.0.2592.87",
        "Mozilla/5.0 (Windows NT; Windows NT 10.0; it-IT) WindowsPowerShell/5.1.17763.5933",
        "Imagicle UCX Suite/2024.10.2.15 (Windows Server 2019; it-IT)",
        "aws-sdk-dotnet-coreclr/3.7.305.30 ua/2.0 os/windows#10.0.17763.0 lang/.NET_Core#6.0.29 md/aws-sdk-dotnet-core#3.7.304.12",
    ] {
        assert_eq!(inspector.head("/test", &headers(&[("user-agent", value)])), Verdict::Clean, "{value}");
    }
    for value in ["1.1 squid (squid/5.7)", "1.1 10.20.0.7:3128 (squid/5.7)", "1.0 fred, 1.1 p.example.net", "2.0 varnish"] {
        assert_eq!(inspector.head("/test", &headers(&[("via", value)])), Verdict::Clean, "{value}");
    }
    for target in ["/t?flag", "/t?a=1;b=2", "/t?v=1.2.3+4", "/t?q=x;charset=utf-8", "/t?list-type=2&acl", "/t?t=2026-11-28T10:00:00+01:00"]
    {
        assert_eq!(inspector.head(target, &HeaderMap::new()), Verdict::Clean, "{target}");
    }
}

#[test]
fn calls_that_are_not_read_are_told_from_those_that_are() {
    for fields in [&[("content-type", "application/grpc")][..], &[("content-type", "application/grpc+proto"), ("grpc-encoding", "gzip")]] {
        assert!(Inspector::call("/a.B/C", &headers(fields)).is_ok(), "{fields:?}");
    }
    for fields in [
        &[("content-type", "application/grpc+json")][..],
        &[("content-type", "application/grpc"), ("content-encoding", "gzip")],
        &[("content-type", "application/grpc"), ("content-type", "application/json")],
        &[],
    ] {
        assert!(Inspector::call("/a.B/C", &headers(fields)).is_err(), "{fields:?}");
    }
}

#[test]
fn heads_and_trailers_are_bounded() {
    let inspector = inspector(Unknown::Inert);
    assert!(matches!(inspector.head(&format!("/{}", "a".repeat(fields::MAX_TARGET)), &HeaderMap::new()), Verdict::TooLarge(_)));
    let mut large = HeaderMap::new();
    large.insert("x", HeaderValue::from_str(&"a".repeat(fields::MAX_HEADERS)).expect("a value"));
    assert!(matches!(inspector.head("/", &large), Verdict::TooLarge(_)));
    assert!(matches!(inspector.trailers(&large), Verdict::TooLarge(_)));
    assert_eq!(places(&inspector.trailers(&headers(&[("from", "a@example.com")]))), ["email trailer from"]);
}

#[test]
fn bodies_are_read_by_their_content_type() {
    let inspector = inspector(Unknown::Observe);
    let mail = "mario.rossi@example.com";
    let utf16: Vec<u8> = format!("{{\"a\":\"{mail}\"}}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (content_type, body) in [
        ("application/json", format!("{{\"a\":\"{mail}\"}}").into_bytes()),
        ("application/json; charset=utf-16le", utf16.clone()),
        ("application/json", utf16),
        ("application/x-ndjson", format!("{{}}\n{{\"a\":\"{mail}\"}}\n").into_bytes()),
        ("application/x-www-form-urlencoded", b"a=1&b=mario.rossi%40example.com".to_vec()),
        ("text/xml", format!("<a b='{mail}'/>").into_bytes()),
        ("text/csv", format!("a;b\n1;{mail}\n").into_bytes()),
        ("text/plain; charset=iso-8859-1", format!("\u{e9}t\u{e9} {mail}").chars().map(|c| c as u8).collect()),
        (
            "multipart/form-data; boundary=x",
            format!("--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n{mail}\r\n--x--\r\n").into_bytes(),
        ),
        ("application/x-protobuf", [b"\x0a\x17", mail.as_bytes()].concat()),
        ("application/grpc", [b"\0\0\0\0\x19\x0a\x17", mail.as_bytes()].concat()),
        ("application/grpc-web+proto", [b"\0\0\0\0\x19\x0a\x17", mail.as_bytes()].concat()),
    ] {
        let verdict = inspector.body(&headers(&[("content-type", content_type)]), &body);
        assert!(places(&verdict).iter().any(|place| place.starts_with("email ")), "{content_type}: {verdict:?}");
    }
}

#[test]
fn coded_bodies_are_decoded_and_never_cleared_unread() {
    let inspector = inspector(Unknown::Inert);
    let gzip = |text: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).and_then(|()| encoder.finish()).expect("in memory")
    };
    let coded = headers(&[("content-type", "application/json"), ("content-encoding", "gzip")]);
    assert_eq!(inspector.body(&coded, &gzip(b"{\"version\":\"1.2.3\"}")), Verdict::Clean);
    assert_eq!(places(&inspector.body(&coded, &gzip(b"{\"a\":\"mario@example.com\"}"))), ["email /(0)"]);
    assert!(matches!(inspector.body(&coded, b"{}"), Verdict::Uninspectable(_)));
    assert!(matches!(inspector.body(&coded, &gzip(&b" ".repeat(2 << 20))), Verdict::TooLarge(_)));
    let twice = headers(&[("content-type", "application/json"), ("content-encoding", "gzip"), ("content-encoding", "gzip")]);
    assert_eq!(inspector.body(&twice, &gzip(&gzip(b"{}"))), Verdict::Clean);
}

#[test]
fn what_cannot_be_read_is_not_cleared() {
    let inspector = inspector(Unknown::Inert);
    let json = headers(&[("content-type", "application/json")]);
    assert_eq!(inspector.body(&json, b"{\"version\":\"1.2.3\"}"), Verdict::Clean);
    assert_eq!(inspector.body(&HeaderMap::new(), b""), Verdict::Clean);
    for (fields, bytes) in [
        (headers(&[("content-type", "application/json"), ("content-encoding", "lzma")]), &b"{}"[..]),
        (headers(&[("content-type", "application/octet-stream")]), b"{}"),
        (headers(&[("content-type", "application/json; charset=utf-7")]), b"{}"),
        (HeaderMap::new(), b"{}"),
        (json.clone(), b"{\"a\":"),
        (json.clone(), b"{} {}"),
        (json.clone(), b"{\"a\":1,\"A\":2}"),
        (headers(&[("content-type", "application/grpc")]), b"\x02"),
        (headers(&[("content-type", "application/grpc")]), b"\0\0\0\0\x02\x08"),
    ] {
        assert!(matches!(inspector.body(&fields, bytes), Verdict::Uninspectable(_)), "{fields:?} {bytes:?}");
    }
    assert!(matches!(inspector.body(&json, "[".repeat(100).as_bytes()), Verdict::TooLarge(_)));
    let mut twice = json;
    twice.append(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    assert!(matches!(inspector.body(&twice, b"{}"), Verdict::Uninspectable(_)));
}

#[test]
fn what_nobody_documents_is_not_cleared_either() {
    let json = headers(&[("content-type", "application/json")]);
    assert_eq!(
        inspector(Unknown::Inert).body(&json, b"{\"comment\":\"some words of somebody\"}"),
        Verdict::Undocumented(vec!["/(0)".to_owned()])
    );
    assert_eq!(
        inspector(Unknown::Strict).head("/t?sort=asc", &HeaderMap::new()),
        Verdict::Undocumented(vec!["request target /(0)".to_owned()])
    );
}

#[test]
fn keys_are_read_as_they_look_and_whole() {
    let json = headers(&[("content-type", "application/json")]);
    let inert = inspector(Unknown::Inert);
    for key in ["phone", "ph\u{43e}ne", "\u{ff50}\u{ff48}\u{ff4f}\u{ff4e}\u{ff45}", "pho\u{200b}ne"] {
        let verdict = inert.body(&json, format!("{{\"{key}\":4312}}").as_bytes());
        assert!(places(&verdict)[0].starts_with("phone "), "{key}");
    }
    let found = inert.body(&json, b"{\"\\u001b[name\":\"m@acme.it\"}");
    assert_eq!(places(&found), ["email /(0)"], "no control character is shown");
    assert!(matches!(
        inert.body(&json, br#"{"services":[{"startupIdentity":"335 123 4567"}]}"#),
        Verdict::Undocumented(_) | Verdict::Findings(_)
    ));
}

#[test]
fn accounts_of_services_may_be_addresses() {
    let json = headers(&[("content-type", "application/json")]);
    let body = br#"{"services":[{"name":"Ucx","startupIdentity":"u.ucx@acme.local"}]}"#;
    assert!(matches!(inspector(Unknown::Inert).body(&json, body), Verdict::Findings(_)));
    let settings = Settings { accounts: vec!["u.ucx@acme.local".to_owned()], ..Settings::default() };
    let inspector = Inspector::new(Shape::built_in().expect("the shape compiles"), settings, None, 1 << 20);
    assert_eq!(inspector.body(&json, body), Verdict::Clean);
}

#[test]
fn documents_are_read_for_what_they_are() {
    let inspector = inspector(Unknown::Inert);
    let text = headers(&[("content-type", "text/plain; charset=utf-8")]);
    assert_eq!(inspector.body(&text, br#"{"processes":[{"pid":4,"name":"System"}]}"#), Verdict::Clean);
    assert_eq!(places(&inspector.body(&text, br#"{"extension":4312}"#)), ["phone /extension"]);
    assert!(matches!(inspector.body(&text, b"{words of somebody"), Verdict::Undocumented(_)));
    let xml = headers(&[("content-type", "application/xml")]);
    let body = br#"<processes xmlns="urn:imagicle" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><process pid="4" name="System"/></processes>"#;
    assert_eq!(inspector.body(&xml, body), Verdict::Clean);
}

#[test]
fn grpc_messages_are_scanned_compressed_or_not() {
    let inspector = inspector(Unknown::Observe);
    let call = |fields| Inspector::call("/a.B/C", &headers(fields)).expect("a call");
    let plain = call(&[("content-type", "application/grpc")]);
    assert_eq!(inspector.grpc_message(&plain, 1, false, b"\x0a\x05hello"), Verdict::Clean);
    assert_eq!(places(&inspector.grpc_message(&plain, 3, false, b"\x0a\x11mario@example.com"))[0], "email gRPC message 3 /(0)");
    assert!(matches!(inspector.grpc_message(&plain, 1, true, b"x"), Verdict::Uninspectable(_)));
    let coded = call(&[("content-type", "application/grpc"), ("grpc-encoding", "gzip")]);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(b"\x0a\x11mario@example.com").expect("in memory");
    let message = encoder.finish().expect("in memory");
    assert!(matches!(inspector.grpc_message(&coded, 1, true, &message), Verdict::Findings(_)));
    assert!(matches!(inspector.grpc_message(&coded, 1, true, b"\x0a\x05hello"), Verdict::Uninspectable(_)));
}

#[test]
fn a_head_is_judged_alike_whatever_came_before() {
    let inspector = inspector(Unknown::Inert);
    let clean = headers(&[("user-agent", "ucx/2026.2"), ("x-odd-thing", "abc")]);
    for _ in 0..2 {
        assert_eq!(inspector.head("/test?version=1.2", &clean), Verdict::Clean);
        let found =
            inspector.head("/test?m=mario@example.com", &headers(&[("user-agent", "ucx/2026.2"), ("x-odd-thing", "mario@example.com")]));
        assert_eq!(places(&found), ["email request target /(0)", "email a header field of another name"]);
    }
}

#[test]
fn a_body_is_judged_alike_whatever_came_before() {
    for unknown in [Unknown::Observe, Unknown::Inert, Unknown::Strict] {
        let inspector = inspector(unknown);
        for (kind, body) in [("text/csv", "/(S)"), ("application/json", r#"{"gizmos":["/(S)","/(S)"]}"#), ("text/plain", "a note")] {
            let first = inspector.body(&headers(&[("content-type", kind)]), body.as_bytes());
            for _ in 0..2 {
                assert_eq!(inspector.body(&headers(&[("content-type", kind)]), body.as_bytes()), first, "{unknown:?} {body}");
            }
        }
    }
}
