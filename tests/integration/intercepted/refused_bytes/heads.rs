//! Heads that carry an address, and bodies that cannot be read: refused before anything of them leaves.

use super::{CLEAN, REFUSED, ask, assert_no_other_stream_arrived, assert_nothing_else_arrived, assert_refused, assert_silent, sized};
use crate::support::world::{API, HTTP1, HTTP2, World, request};
use http::Method;

/// Targets and fields that carry the address.
const HEADS: &[(&str, Option<(&str, &str)>)] = &[
    ("/t?mail=mario.rossi@example.com", None),
    ("/t?mail=mario.rossi%40example.com", None),
    ("/t?mail=mario.rossi%2540example.com", None),
    ("/users/mario.rossi%40example.com/state", None),
    ("/users/%6dario.rossi@example.com", None),
    ("/t", Some(("from", "mario.rossi@example.com"))),
    ("/t", Some(("x-user", "\"Mario\" <mario.rossi@example.com>"))),
    ("/t", Some(("cookie", "a=1; login=mario.rossi@example.com"))),
    ("/t", Some(("x-nobody-documents-this", "mario.rossi@example.com"))),
];

#[tokio::test]
async fn a_head_with_an_address_does_not_leave_in_http1() {
    let world = World::echoing(HTTP1).await;
    for (target, field) in HEADS {
        let field = field.map_or_else(String::new, |(name, value)| format!("{name}: {value}\r\n"));
        let request = format!("GET {target} HTTP/1.1\r\nHost: {API}\r\n{field}\r\n");
        let (head, body) = ask(&world, &[request.as_bytes()]).await;
        assert_refused(&head, &body, "personal_data", &request);
        let (head, body) = ask(&world, &[&sized(target, &format!("Content-Type: text/plain\r\n{field}"), CLEAN)]).await;
        assert_refused(&head, &body, "personal_data", &format!("with a body: {request}"));
    }
    assert_nothing_else_arrived(world).await;
}

#[tokio::test]
async fn a_head_with_an_address_does_not_leave_in_http2() {
    let world = World::echoing(HTTP2).await;
    let mut client = world.http2().await;
    for (target, field) in HEADS {
        let mut head = request(Method::GET, target);
        if let Some((name, value)) = field {
            head = head.header(*name, *value);
        }
        let answer = client.get(head.body(()).expect("a request")).await;
        assert_eq!((answer.status(), answer.reason().as_str()), (403, "personal_data"), "{target} {field:?}");
        assert_silent(&answer.text());
    }
    assert_no_other_stream_arrived(world).await;
}

/// Fields that make a body unreadable, and bodies that are not what the fields say.
const UNREADABLE: &[(&str, &str)] = &[
    ("", CLEAN),
    ("Content-Type: application/octet-stream\r\n", CLEAN),
    ("Content-Type: application/x-www-form-urlencoded\r\n", "a=%zz"),
    ("Content-Type: multipart/form-data; boundary=x\r\n", "--x--"),
    ("Content-Type: application/json; charset=utf-16\r\n", CLEAN),
    ("Content-Type: application/json\r\nContent-Type: text/plain\r\n", CLEAN),
    ("Content-Type: application/json\r\n", "{\"version\":"),
    ("Content-Type: application/json\r\n", "{} {}"),
    ("Content-Type: application/json\r\nContent-Encoding: gzip\r\n", CLEAN),
    ("Content-Type: application/json\r\nContent-Encoding: compress\r\n", CLEAN),
    ("Content-Type: application/json\r\nContent-Encoding: gzip, x-other\r\n", CLEAN),
    ("Content-Type: application/json\r\nContent-Encoding: aes128gcm\r\n", REFUSED),
    ("Content-Type: text/plain\r\n", "nul\0nul"),
    // Only in HTTP/2 is it a call.
    ("Content-Type: application/grpc\r\n", "\0\0\0\0\x01a"),
];

#[tokio::test]
async fn what_cannot_be_read_does_not_leave_in_http1() {
    let world = World::echoing(HTTP1).await;
    for (fields, body) in UNREADABLE {
        let (head, answer) = ask(&world, &[&sized("/echo", fields, body)]).await;
        assert_refused(&head, &answer, "uninspectable", &format!("{fields}{body}"));
    }
    assert_nothing_else_arrived(world).await;
}

#[tokio::test]
async fn what_cannot_be_read_does_not_leave_in_http2() {
    let world = World::echoing(HTTP2).await;
    let mut client = world.http2().await;
    for (fields, body) in UNREADABLE.iter().filter(|(fields, _)| !fields.contains("grpc")) {
        let mut head = request(Method::POST, "/echo");
        for (name, value) in fields.lines().filter_map(|line| line.split_once(": ")) {
            head = head.header(name, value);
        }
        let answer = client.ask(head.body(()).expect("a request"), &[body.as_bytes()], None).await;
        assert_eq!((answer.status(), answer.reason().as_str()), (403, "uninspectable"), "{fields}{body}");
        assert_silent(&answer.text());
    }
    assert_no_other_stream_arrived(world).await;
}
