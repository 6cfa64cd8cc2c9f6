use super::scan;
use crate::inspect::engine::context::TextKind;
use crate::inspect::engine::detect::probe::{all_block, linear, none_hit, survives};
use crate::inspect::engine::finding::Kind;

const HITS: &[(&str, &str)] = &[
    ("", "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:X\r\nEND:VCARD"),
    ("", "begin:vcard"),
    ("", "{\"text\":\"dn: cn=X,dc=y\nsn: X\n\"}"),
    ("", "see {\"text\":\"First Name,Last Name,Mobile Phone\nX,Y,1\"}"),
    ("", "x BEGIN:VCARD y"),
    ("", "[\"vcard\",[[\"version\",{},\"text\",\"4.0\"]]]"),
    ("", "BEGIN:VEVENT\r\nATTENDEE;CN=X:mailto:x@y\r\n"),
    ("", "BEGIN:VCALENDAR\nORGANIZER:urn:x\n"),
    ("", "ORGANIZER;CN=John:mailto:j@x"),
    ("", "ATTENDEE:MAILTO:a@b"),
    ("", "dn: cn=x,dc=y\nobjectClass: person\nmail: x@y\n"),
    ("", "dn:: Y249eA==\ntelephoneNumber: 4312\n"),
    ("", "version: 1\r\n\r\ndn: uid=x\r\nsn: Y\r\n"),
    ("", "First Name,Last Name,E-mail Address,Mobile Phone"),
    ("", "\"Nome\";\"Cognome\";\"Telefono\""),
    ("", "givenName,sn,telephoneNumber,sAMAccountName,userPrincipalName"),
];

const MISSES: &[(&str, &str)] = &[
    ("", "vCard import module"),
    ("", "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:Europe/Rome\n"),
    ("", "ATTENDEE: none"),
    ("", "the organizer: x"),
    ("", "Organizer service"),
    ("", "dn: cn=config\nobjectClass: container\n"),
    ("", "dn: cn=x\n\nmail: x@y"),
    ("", "mail: enabled"),
    ("", "cn: x\nmail: y"),
    ("", "dn: cn=x\nmail:"),
    ("", "Name,Version,Vendor"),
    ("", "First Name,Version"),
    ("", "BEGIN: VCARD"),
    ("", "Attendant console"),
    ("", "uid:1000\nuid:1001"),
    ("", ""),
];

#[test]
fn contacts_block() {
    all_block(scan, Kind::ContactList, TextKind::Free, HITS);
}

#[test]
fn other_text_passes() {
    none_hit(scan, TextKind::Free, MISSES);
}

#[test]
fn each_entry_is_one_hit() {
    let text = b"dn: a\nmail: b\nsn: c\n\ndn: d\nmail: e\n";
    assert_eq!(crate::inspect::engine::detect::probe::hits(scan, text, &crate::inspect::engine::context::Context::default()).len(), 2);
}

#[test]
fn work_is_linear() {
    linear(scan, &["b", "begin:", "BEGIN:VCARD", "\n", "a:\n", "ATTENDEE:x\n", "dn: x\n", ",", "First Name,", "dn: x\nmail: y\n"]);
}

#[test]
fn cuts_are_harmless() {
    survives(scan, &["BEGIN:VCARD\r\nFN:X\r\n", "dn: a\r\nmail: b\r\n", "ATTENDEE;CN=X:mailto:x@y", "First Name,Last Name,Nickname"]);
}
