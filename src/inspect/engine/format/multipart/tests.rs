use super::*;
use crate::inspect::engine::format::testing::{Nesting, Recorder};
use proptest::prelude::*;

fn events(body: &str) -> Result<String, Malformed> {
    let mut recorder = Recorder::default();
    read(body.as_bytes(), "b", Limits::default(), &mut recorder).map(|()| recorder.text())
}

/// Like [`events`], of a text with LF for CRLF: both must be the same.
fn both(body: &str) -> Result<String, Fault> {
    let lf = events(body).map_err(|malformed| malformed.fault);
    let crlf = events(&body.replace('\n', "\r\n")).map(|events| events.replace("\r\n", "\n")).map_err(|malformed| malformed.fault);
    assert_eq!(crlf, lf, "{body}");
    lf
}

#[test]
fn parts_are_elements_with_their_headers() {
    let body = "--b\nContent-Disposition: form-data; name=\"mail\"\n\nmario@example.com\n--b\nContent-Disposition: form-data; name=f; filename=\"Mario \\\"R\\\".txt\"\nContent-Type: application/json\nX-Other: 1\n\n{}\n\n--b--\n";
    assert_eq!(
        both(body).as_deref(),
        Ok(
            "[0 { k:content-disposition ( s:form-data; name=\"mail\" ) . k:name ( s:mail ) . k:mail part:text/plain:mario@example.com . } ] \
            [1 { k:content-disposition ( s:form-data; name=f; filename=\"Mario \\\"R\\\".txt\" ) . k:name ( s:f ) . k:filename s:Mario \"R\".txt . \
            k:content-type ( s:application/json ) . k:x-other s:1 . k:f part:application/json:{}\n . } ]"
        )
    );
    for (body, expected) in [
        ("--b\n\nx\n--b--", "[0 { k:body part:text/plain:x . } ]"),
        ("--b\n--b--", "[0 { k:body part:text/plain: . } ]"),
        ("--b\n\n--b--", "[0 { k:body part:text/plain: . } ]"),
        ("--b\n\n\n--b--", "[0 { k:body part:text/plain: . } ]"),
        ("--b \t\n\nx --b y\n --b\n--b-- \n", "[0 { k:body part:text/plain:x --b y\n --b . } ]"),
        ("\n--b\n\nx\n--b--\n\n", "[0 { k:body part:text/plain:x . } ]"),
        (
            "before\n--b\n\nx\n--b--\nbehind",
            "k:preamble part:text/plain:before . [0 { k:body part:text/plain:x . } ] k:epilogue part:text/plain:behind .",
        ),
        (
            "--b\nContent-Transfer-Encoding: base64\n\nbWFyaW8=\n--b--",
            "[0 { k:content-transfer-encoding ( s:base64 ) . k:body part:text/plain:mario . } ]",
        ),
        ("--b\nX: 1\n--b--", "[0 { k:x s:1 . k:body part:text/plain: . } ]"),
        (
            "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\ny\n--c--\n--b\n\nz\n--b--",
            "[0 { k:content-type ( s:multipart/mixed; boundary=c ) . k:boundary ( s:c ) . k:body [0 { k:body part:text/plain:y . } ] . } ] [1 { k:body part:text/plain:z . } ]",
        ),
    ] {
        assert_eq!(both(body).as_deref(), Ok(expected), "{body}");
    }
}

#[test]
fn what_is_read_differently_elsewhere_is_refused() {
    for (body, fault) in [
        ("", Fault::Boundary),
        ("x", Fault::Boundary),
        ("x --b\n", Fault::Boundary),
        ("--b--", Fault::Unfinished),
        ("--b", Fault::Boundary),
        ("--b\n", Fault::Unfinished),
        ("--b\n\nx", Fault::Unfinished),
        ("--b\n\nx\n--b\n", Fault::Unfinished),
        ("--b\n\nx\n--bc\n\ny\n--b--", Fault::Boundary),
        ("--b\n\nx\n--b-\n\ny\n--b--", Fault::Boundary),
        ("--b\n\nx\n--b--x", Fault::Boundary),
        ("--b\nno colon\n\nx\n--b--", Fault::Header),
        ("--b\nX : 1\n\nx\n--b--", Fault::Header),
        ("--b\nX: 1\n  folded: 2\n\nx\n--b--", Fault::Header),
        ("--b\nX: 1\nx: 2\n\nx\n--b--", Fault::Duplicate),
        ("--b\nX: \u{1}\n\nx\n--b--", Fault::Header),
        ("--b\nX: a\rb\n\nx\n--b--", Fault::Header),
        ("--b\nContent-Disposition: form-data; name=a; name=b\n\nx\n--b--", Fault::Header),
        ("--b\nContent-Type: text\n\nx\n--b--", Fault::Header),
        ("--b\nContent-Transfer-Encoding: x-other\n\nx\n--b--", Fault::Encoding),
        ("--b\nContent-Transfer-Encoding: base64\n\nx\n--b--", Fault::Encoding),
        ("--b\nContent-Type: multipart/mixed\n\nx\n--b--", Fault::Boundary),
        ("--b\nContent-Type: multipart/mixed; boundary=c\nContent-Transfer-Encoding: base64\n\nx\n--b--", Fault::Encoding),
        ("--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\ny\n--b--", Fault::Unfinished),
    ] {
        assert_eq!(both(body), Err(fault), "{body}");
    }
}

#[test]
fn limits_hold() {
    let parts = |count: usize| "--b\n\nx\n".repeat(count) + "--b--";
    assert!(events(&parts(MAX_PARTS)).is_ok());
    assert_eq!(events(&parts(MAX_PARTS + 1)).map_err(|malformed| malformed.fault), Err(Fault::Parts));
    let nested = |levels: u32| {
        let inner = (0..levels).fold("x".to_owned(), |inner, level| {
            format!("--b{level}.\nContent-Type: multipart/mixed; boundary=b{}.\n\n{inner}\n--b{level}.--", level.wrapping_sub(1))
        });
        let level = levels - 1;
        let mut recorder = Recorder::default();
        read(
            inner.replacen("Content-Type: multipart/mixed; boundary=b4294967295.\n", "", 1).as_bytes(),
            &format!("b{level}."),
            Limits::default(),
            &mut recorder,
        )
    };
    assert_eq!(nested(8), Ok(()));
    assert_eq!(nested(9).map_err(|malformed| malformed.fault), Err(Fault::Depth));
    assert_eq!(nested(100).map_err(|malformed| malformed.fault), Err(Fault::Depth));
    let headers =
        |count: usize| events(&format!("--b\n{}\nx\n--b--", (0..count).fold(String::new(), |text, name| format!("{text}X{name}: 1\n"))));
    assert!(headers(16).is_ok());
    assert_eq!(headers(17).map_err(|malformed| malformed.fault), Err(Fault::Nodes));
}

#[test]
fn boundaries_are_those_of_the_rfc() {
    for (content_type, expected) in [
        ("multipart/form-data; boundary=x", "x"),
        ("Multipart/Mixed;Boundary=\"a b:c?\"", "a b:c?"),
        ("multipart/form-data; charset=utf-8; boundary=----WebKitFormBoundary7MA4", "----WebKitFormBoundary7MA4"),
    ] {
        assert_eq!(boundary(content_type).as_deref(), Ok(expected));
    }
    assert!(boundary(&format!("multipart/mixed; boundary={}", "a".repeat(70))).is_ok());
    for content_type in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"\"",
        "multipart/form-data; boundary=\"x \"",
        "multipart/form-data; boundary=x; boundary=y",
        "multipart/form-data; boundary=x; Boundary=x",
        "multipart/form-data; boundary=\"a[b]*\"",
        "multipart/form-data; boundary=\"a\r\n\"",
        "multipart/form-data; boundary=a^b",
        "text/plain; boundary=x",
        "multipart; boundary=x",
        "",
    ] {
        assert!(boundary(content_type).is_err(), "{content_type}");
    }
    assert!(boundary(&format!("multipart/mixed; boundary={}", "a".repeat(71))).is_err());
    assert!(boundary(&format!("multipart/mixed; boundary={}", "a".repeat(200))).is_err());
}

proptest! {
    #[test]
    fn no_bytes_panic(parts in prop::collection::vec(prop::sample::select(vec![
        &b"--b"[..], b"--", b"\r\n", b"\n", b"x", b":", b"Content-Type: multipart/mixed; boundary=b", b"\xff", b"Content-Disposition: form-data; name=", b"\"", b"--b--", b" ",
    ]), 0..30)) {
        let mut nesting = Nesting::default();
        if read(&parts.concat(), "b", Limits::default(), &mut nesting).is_ok() {
            nesting.assert_closed();
        }
    }

    #[test]
    fn what_a_part_holds_comes_back(text in "[^b]{0,60}") {
        let body = format!("--b\r\nContent-Disposition: form-data; name=k\r\n\r\n{text}\r\n--b--\r\n");
        let mut recorder = Recorder::default();
        read(body.as_bytes(), "b", Limits::default(), &mut recorder).expect("a body");
        let event = format!("part:text/plain:{text}");
        prop_assert!(recorder.0.contains(&event));
    }
}
