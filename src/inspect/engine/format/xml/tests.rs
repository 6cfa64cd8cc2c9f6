use super::*;
use crate::inspect::engine::format::testing::{Nesting, Recorder};
use proptest::prelude::*;

fn events(text: &str, limits: Limits) -> Result<String, Malformed> {
    let mut recorder = Recorder::default();
    read(text.as_bytes(), limits, &mut recorder).map(|()| recorder.text())
}

#[test]
fn elements_are_members() {
    for (text, expected) in [
        ("<a/>", "{ k:a { } . }"),
        ("<a />", "{ k:a { } . }"),
        ("<a></a >", "{ k:a { } . }"),
        ("<?xml version=\"1.0\" encoding='UTF-8' standalone=\"yes\" ?>\n<a>x</a>\n", "{ k:a { s:x } . }"),
        ("<?xml version=\"1.0\"?><a/>", "{ k:a { } . }"),
        ("<a b=\"1\" c='2 \"x\"'>t</a>", "{ k:a { k:b s:1 . k:c s:2 \"x\" . s:t } . }"),
        ("<a>\n <b>1</b>\n <b>2</b>\n</a>", "{ k:a { k:b { s:1 } . k:b { s:2 } . } . }"),
        ("<a>ma<![CDATA[rio&#64;<b>]]>exam<!-- x -->ple&#46;&#x63;om</a>", "{ k:a { s: x  s:mario&#64;<b>example.com } . }"),
        ("<a>x<b/>y</a>", "{ k:a { s:x k:b { } . s:y ( s:xy ) } . }"),
        ("<a>m<!-- x -->@<b/>acme<c>.it</c></a>", "{ k:a { s: x  s:m@ k:b { } . s:acme k:c { s:.it } . ( s:m@acme ) ( s:m@acme.it ) } . }"),
        ("<a>\n<b>m@</b>acme<b>.it</b>\n</a>", "{ k:a { k:b { s:m@ } . s:acme k:b { s:.it } . ( s:m@acme.it ) } . }"),
        ("<a b=\"m&#64;e&amp;&lt;&gt;&apos;&quot;&#x1F600;\">&amp;</a>", "{ k:a { k:b s:m@e&<>'\"😀 . s:& } . }"),
        ("<!-- one --><a/><!-- two -->", "{ s: one  k:a { } . s: two  }"),
        ("<n:é xmlns:n=\"urn:x\"/>", "{ k:n:é { k:xmlns:n s:urn:x . } . }"),
        ("<a>é > ' \"</a>", "{ k:a { s:é > ' \" } . }"),
    ] {
        assert_eq!(events(text, Limits::default()).as_deref(), Ok(expected), "{text}");
    }
}

/// Each element puts the text of all inside it together again: that has an end.
#[test]
fn text_is_not_put_together_without_end() {
    let long = "x".repeat(60_000);
    let nested = format!("{}{long}{}", "<a>x<b/>".repeat(10), "</a>".repeat(10));
    assert_eq!(events(&nested, Limits { string: 1 << 20, ..Limits::default() }).map_err(|malformed| malformed.fault), Err(Fault::Work));
    assert!(events(&format!("<a>x<b/>{long}</a>"), Limits::default()).is_ok());
}

/// An element that holds nothing at all.
#[test]
fn an_empty_element_is_its_name() {
    #[derive(Default)]
    struct Names(Vec<String>, Vec<String>);
    impl Visitor for Names {
        fn key(&mut self, key: &str) {
            self.0.push(key.to_owned());
        }
        fn key_end(&mut self) {
            self.0.pop();
        }
        fn string(&mut self, _: &str) {}
        fn number(&mut self, _: &str) {}
        fn literal(&mut self, _: &str) {}
        fn bytes(&mut self, _: &[u8]) {}
        fn nothing(&mut self) {
            self.1.extend(self.0.last().cloned());
        }
    }
    let mut names = Names::default();
    read(b"<a><b/><c></c><d x=\"1\"/><e> </e><f>1</f></a>", Limits::default(), &mut names).expect("a document");
    assert_eq!(names.1, ["b", "c", "e"]);
}

#[test]
fn what_is_no_plain_document_is_refused() {
    for (text, fault) in [
        ("", Fault::Unfinished),
        (" ", Fault::Unfinished),
        ("x", Fault::Unexpected),
        ("<", Fault::Unexpected),
        ("<a", Fault::Unexpected),
        ("<a>", Fault::Unfinished),
        ("<a></b>", Fault::Unexpected),
        ("<a></A>", Fault::Unexpected),
        ("<a><b></a></b>", Fault::Unexpected),
        ("<a/><b/>", Fault::Trailing),
        ("<a/>x", Fault::Trailing),
        ("<a/></a>", Fault::Trailing),
        ("</a>", Fault::Unexpected),
        ("< a/>", Fault::Unexpected),
        ("<1/>", Fault::Unexpected),
        ("<a/ >", Fault::Unexpected),
        ("<a b/>", Fault::Unexpected),
        ("<a b=1/>", Fault::Unexpected),
        ("<a b=\"1/>", Fault::Unexpected),
        ("<a b=\"<\"/>", Fault::Unexpected),
        ("<a b=\"1\"c=\"2\"/>", Fault::Unexpected),
        ("<a b=\"1\" b=\"2\"/>", Fault::Duplicate),
        ("<a b=\"1\" B=\"2\"/>", Fault::Duplicate),
        ("<a>&nbsp;</a>", Fault::Escape),
        ("<a>&x</a>", Fault::Escape),
        ("<a>&;</a>", Fault::Escape),
        ("<a>& </a>", Fault::Escape),
        ("<a>&#;</a>", Fault::Escape),
        ("<a>&#x;</a>", Fault::Escape),
        ("<a>&#0;</a>", Fault::Escape),
        ("<a>&#11;</a>", Fault::Escape),
        ("<a>&#xD800;</a>", Fault::Escape),
        ("<a>&#x110000;</a>", Fault::Escape),
        ("<a>&#+65;</a>", Fault::Escape),
        ("<a>&#6a;</a>", Fault::Escape),
        ("<a>&#X41;</a>", Fault::Escape),
        ("<a b=\"&x;\"/>", Fault::Escape),
        ("<a>]]></a>", Fault::Unexpected),
        ("<a><![CDATA[x</a>", Fault::Unfinished),
        ("<a><![cdata[x]]></a>", Fault::Declaration),
        ("<a><!-- x -- y --></a>", Fault::Unexpected),
        ("<a><!-- x ---></a>", Fault::Unexpected),
        ("<a><!-- x</a>", Fault::Unfinished),
        ("<![CDATA[x]]><a/>", Fault::Declaration),
        ("<!DOCTYPE a><a/>", Fault::Declaration),
        ("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", Fault::Declaration),
        ("<a><!ENTITY x \"y\"></a>", Fault::Declaration),
        ("<?x y?><a/>", Fault::Declaration),
        ("<a><?php x ?></a>", Fault::Declaration),
        (" <?xml version=\"1.0\"?><a/>", Fault::Declaration),
        ("<?xml version=\"1.1\"?><a/>", Fault::Declaration),
        ("<?xml encoding=\"utf-8\"?><a/>", Fault::Declaration),
        ("<?xml version=\"1.0\" encoding=\"utf-7\"?><a/>", Fault::Declaration),
        ("<?xml version=\"1.0\"encoding=\"utf-8\"?><a/>", Fault::Declaration),
        ("<?xml?><a/>", Fault::Declaration),
        ("<?xml-stylesheet href=\"x\"?><a/>", Fault::Declaration),
        ("<?xml version=\"1.0\"", Fault::Unfinished),
        ("\u{feff}<a/>", Fault::ByteOrderMark),
        ("<a>\u{0}</a>", Fault::Control),
        ("<a>\u{1b}</a>", Fault::Control),
        ("<a>\u{ffff}</a>", Fault::Control),
    ] {
        assert_eq!(events(text, Limits::default()).map_err(|malformed| malformed.fault), Err(fault), "{text}");
    }
    assert_eq!(read(b"<a>\xff</a>", Limits::default(), &mut Recorder::default()), Err(Fault::Utf8.at(3)));
}

#[test]
fn limits_hold() {
    let limits = Limits { depth: 2, nodes: 4, key: 3, string: 5 };
    for (text, fault) in [
        ("<a><b/></a>", None),
        ("<a><b><c/></b></a>", Some(Fault::Depth.at(6))),
        ("<a><b/><b/><b/></a>", None),
        ("<a><b/><b/><b/><b/></a>", Some(Fault::Nodes.at(15))),
        ("<abc/>", None),
        ("<abcd/>", Some(Fault::Key.at(0))),
        ("<a abcd=\"\"/>", Some(Fault::Key.at(3))),
        ("<a>12345</a>", None),
        ("<a>12345&#54;</a>", Some(Fault::String.at(13))),
        ("<a b=\"123456\"/>", Some(Fault::String.at(3))),
        ("<a><!--123456--></a>", Some(Fault::String.at(3))),
    ] {
        assert_eq!(events(text, limits).err(), fault, "{text}");
    }
    assert_eq!(events(&"<a>".repeat(100_000), Limits::default()), Err(Fault::Depth.at(96)));
    let attributes = |count: usize| {
        events(&format!("<a{}/>", (0..count).fold(String::new(), |text, name| format!("{text} b{name}=''"))), Limits::default())
    };
    assert!(attributes(64).is_ok());
    assert!(attributes(65).is_err());
}

proptest! {
    #[test]
    fn no_text_panics(parts in prop::collection::vec(prop::sample::select(vec![
        "<a>", "</a>", "<a", ">", "/>", " b=\"", "\"", "&#65;", "&", ";", "<![CDATA[", "]]>", "<!--", "-->", "<?xml version=\"1.0\"?>", "x", "é", " ", "<!", "=",
    ]), 0..30)) {
        let mut nesting = Nesting::default();
        if read(parts.concat().as_bytes(), Limits::default(), &mut nesting).is_ok() {
            nesting.assert_closed();
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _outcome = read(&bytes, Limits::default(), &mut Recorder::default());
    }

    #[test]
    fn escaped_text_comes_back(text in "[^\\p{Cc}\u{fffe}\u{ffff}]{1,40}") {
        let escaped = text.chars().fold(String::new(), |text, character| format!("{text}&#{};", u32::from(character)));
        if !text.bytes().all(is_space) {
            prop_assert_eq!(events(&format!("<a>{escaped}</a>"), Limits::default()), Ok(format!("{{ k:a {{ s:{text} }} . }}")));
        }
    }
}
