//! Contact lists: vCard, iCalendar, LDIF, the columns of exported address books.
//!
//! Source: RFC 6350 (vCard), RFC 7095 (jCard), RFC 5545 (iCalendar), RFC 2849 (LDIF).

use super::lexis::{at, find, is_any, part, run, stands, visit};
use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::finding::{Hit, Kind};

#[cfg(test)]
mod tests;

/// The format needs no context.
const BITS: u8 = 24;
/// What may stand in front of the first line of a text inside a document.
const HEAD: usize = 96;
/// So many columns of an address book are one.
const COLUMNS: usize = 3;

/// Finds cards, calendar entries with persons, directory entries with addresses, and headings of address books.
pub fn scan(text: &[u8], context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    if matches!(context.text, TextKind::Version | TextKind::Number) {
        return;
    }
    let mut hit = |start, end| report(Hit { kind: Kind::ContactList, start, end, bits: BITS });
    cards(text, &mut hit);
    lines(text, &mut hit);
}

fn cards(text: &[u8], hit: &mut dyn FnMut(usize, usize)) {
    for literal in ["begin:vcard", "[\"vcard\","] {
        let mut next = 0;
        while let Some(place) = find(text, next, literal) {
            next = place + literal.len();
            hit(place, next);
        }
    }
}

/// What was seen of the block that a line belongs to.
#[derive(Default)]
struct Block {
    entry: Option<usize>,
    calendar: bool,
}

/// Looks at the start of every line.
fn lines(text: &[u8], hit: &mut dyn FnMut(usize, usize)) {
    let mut block = Block::default();
    let mut start = 0;
    while start < text.len() {
        let end = memchr::memchr2(b'\n', b'\r', text.get(start..).unwrap_or_default()).map_or(text.len(), |length| start + length);
        let found = line(text, start, end, &mut block).or_else(|| line(text, quoted(text, start, end)?, end, &mut block));
        if let Some((start, end)) = found {
            hit(start, end);
        }
        let feed = at(text, end) == b'\r' && at(text, end + 1) == b'\n';
        start = end + 1 + usize::from(feed);
    }
}

/// Where the text of `{"text":"dn: …` begins, if a line has such a head.
fn quoted(text: &[u8], start: usize, end: usize) -> Option<usize> {
    let head = part(text, start, end.min(start + HEAD));
    visit(head.len());
    memchr::memmem::rfind(head, b":\"").map(|place| start + place + 2)
}

/// What a line adds: the range of a hit.
fn line(text: &[u8], start: usize, end: usize, block: &mut Block) -> Option<(usize, usize)> {
    if start == end {
        block.entry = None;
        return None;
    }
    let name_end = run(text, start, 40, |byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let name = part(text, start, name_end);
    match at(text, name_end) {
        b':' | b';' => named(text, start, name_end, end, name, block),
        _ => heading(part(text, start, end)).then_some((start, end)),
    }
}

fn named(text: &[u8], start: usize, name_end: usize, end: usize, name: &[u8], block: &mut Block) -> Option<(usize, usize)> {
    const PERSONAL: &[&str] = &[
        "mail",
        "telephoneNumber",
        "mobile",
        "homePhone",
        "ipPhone",
        "givenName",
        "sn",
        "sAMAccountName",
        "userPrincipalName",
        "uid",
        "displayName",
        "facsimileTelephoneNumber",
        "msRTCSIP-PrimaryUserAddress",
        "proxyAddresses",
        "otherTelephone",
        "pager",
        "cn",
    ];
    if name.eq_ignore_ascii_case(b"begin") {
        block.calendar |= stands(text, name_end + 1, "vcalendar") || stands(text, name_end + 1, "vevent");
        return None;
    }
    if is_any(name, &["attendee", "organizer"]) {
        let window = part(text, name_end, end.min(name_end + 320));
        let person = find(window, 0, "mailto:").is_some() || find(window, 0, "cn=").is_some();
        return (person || block.calendar).then_some((start, end));
    }
    if name.eq_ignore_ascii_case(b"dn") {
        block.entry = Some(start);
        return None;
    }
    if !is_any(name, PERSONAL) || name_end + 1 >= end {
        return None;
    }
    // Once an entry: the first address says enough.
    block.entry.take().map(|entry| (entry, end))
}

/// Whether a line names the columns of an address book.
fn heading(line: &[u8]) -> bool {
    const COLUMN: &[&str] = &[
        "first name",
        "last name",
        "middle name",
        "given name",
        "family name",
        "additional name",
        "e-mail address",
        "e-mail 1 - value",
        "email address",
        "mobile phone",
        "home phone",
        "business phone",
        "primary phone",
        "phone 1 - value",
        "home address",
        "e-mail display name",
        "company main phone",
        "givenname",
        "telephonenumber",
        "samaccountname",
        "userprincipalname",
        "firstname",
        "lastname",
        "emailaddress",
        "phonenumber",
        "mobilephone",
        "nome",
        "cognome",
        "vorname",
        "nachname",
        "prénom",
        "indirizzo e-mail",
        "telefono",
        "cellulare",
        "birthday",
        "nickname",
    ];
    let Some(separator) = part(line, 0, 320).iter().copied().find(|byte| matches!(byte, b',' | b';' | b'\t')) else { return false };
    visit(line.len().min(320));
    let fields = part(line, 0, 320).split(|&byte| byte == separator);
    fields.filter(|field| is_any(unquoted(field), COLUMN)).count() >= COLUMNS
}

fn unquoted(field: &[u8]) -> &[u8] {
    let field = field.trim_ascii();
    field.strip_prefix(b"\"").and_then(|field| field.strip_suffix(b"\"")).unwrap_or(field)
}
