//! The XML reader: what it accepts is well-formed for another reader too, which sees the same elements, attributes and text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use roxmltree::{Document, Error, NodeType};
use ucx_egress::inspect::engine::format::{Limits, xml};
use ucx_egress_fuzz::witness::{Event, Witness};

fuzz_target!(|bytes: &[u8]| {
    let mut witness = Witness::default();
    if xml::read(bytes, Limits::default(), &mut witness).is_err() {
        return;
    }
    witness.assert_closed();
    let text = std::str::from_utf8(bytes).expect("only UTF-8 is accepted");
    match Document::parse(text) {
        Ok(document) => assert_same(&document, &witness),
        Err(error) => assert!(is_about_namespaces(&error), "accepted what roxmltree refuses: {error}"),
    }
});

/// What namespaces forbid is well-formed XML 1.0 all the same.
fn is_about_namespaces(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidXmlPrefixUri(_)
            | Error::UnexpectedXmlUri(_)
            | Error::UnexpectedXmlnsUri(_)
            | Error::InvalidElementNamePrefix(_)
            | Error::DuplicatedNamespace(..)
            | Error::UnknownNamespace(..)
            | Error::DuplicatedAttribute(..)
            | Error::InvalidName(_)
            | Error::InvalidAttributeValue(_)
    )
}

/// All characters of text but white space, which the two do not normalise alike, and the number of elements. Sorted: text goes
/// on behind a comment, and they do not agree on which comes first.
fn assert_same(document: &Document<'_>, witness: &Witness) {
    let mut theirs = String::new();
    let mut elements = 0;
    for node in document.descendants() {
        match node.node_type() {
            NodeType::Element => {
                elements += 1;
                node.attributes().for_each(|attribute| push(&mut theirs, attribute.value()));
            }
            NodeType::Text | NodeType::Comment => push(&mut theirs, node.text().unwrap_or_default()),
            NodeType::Root | NodeType::PI => {}
        }
    }
    let mut ours = String::new();
    let mut is_namespace = false;
    // Text that is put together is there twice.
    let mut readings = 0;
    for event in &witness.events {
        match event {
            Event::Reading => readings += 1,
            Event::ReadingEnd => readings -= 1,
            _ if readings > 0 => {}
            // Their attributes have no declarations of namespaces, and whatever ends in `:xmlns` is one to them.
            Event::Key(key) => is_namespace = key == "xmlns" || key.ends_with(":xmlns") || key.starts_with("xmlns:"),
            Event::Text(text) if !is_namespace => push(&mut ours, text),
            Event::KeyEnd | Event::Object => is_namespace = false,
            _ => {}
        }
    }
    assert_eq!(sorted(&ours), sorted(&theirs), "the same text");
    // One object is the document itself.
    let objects = witness.events.iter().filter(|event| matches!(event, Event::Object)).count() - 1;
    assert_eq!(objects, elements, "the same elements");
}

fn push(all: &mut String, text: &str) {
    all.extend(text.chars().filter(|letter| !letter.is_whitespace()));
}

fn sorted(text: &str) -> Vec<char> {
    let mut letters: Vec<char> = text.chars().collect();
    letters.sort_unstable();
    letters
}
