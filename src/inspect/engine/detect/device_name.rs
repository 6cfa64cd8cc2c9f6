//! Names of telephones in Cisco Unified Communications Manager: `SEP` and the MAC address of a desk phone; `CSF`, `TCT`, `BOT` and `TAB` and
//! mostly the name of the person for Jabber on a computer, an iPhone, an Android phone and a tablet.

use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::finding::{Hit, Kind};

/// Prefixes of Jabber's devices.
const PREFIXES: &[&[u8]] = &[b"CSF", b"TCT", b"BOT", b"TAB"];
/// Key words of a telephone.
const DEVICE_WORDS: &[&str] = &["device", "devices", "phone", "phones", "endpoint", "devicename", "terminal", "sep", "line"];
/// Key words of anything.
const NAME_WORDS: &[&str] = &["name", "names", "id"];
/// Words that begin like a device.
const OTHERS: &[&[u8]] = &[b"TABLE", b"TABS", b"TABULA", b"TABTIP", b"TABCAL", b"BOTTOM", b"BOTH", b"BOTNET", b"BOTAN"];
/// `SEP` in hexadecimal digits.
const ENCODED: &[u8] = b"534550";
/// Longest name of a device.
const MAX_NAME: usize = 15;
/// Bits of `SEP` and twelve hexadecimal digits.
const PHONE_BITS: u8 = 28;
/// Bits of another device below a key of a telephone.
const DEVICE_BITS: u8 = 22;
/// Bits of another device below a key that only says name; with a prefix that begins no word it is enough.
const NAME_BITS: u8 = 10;

/// Reports each name. Every word is read once.
pub fn scan(text: &[u8], context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    if context.text == TextKind::Number {
        return;
    }
    let mut at = 0;
    while let Some(start) = text.get(at..).and_then(|rest| rest.iter().position(u8::is_ascii_alphanumeric)).map(|offset| at + offset) {
        at = start + text.get(start..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let word = text.get(start..at).unwrap_or_default();
        if is_phone(word) {
            report(Hit { kind: Kind::DeviceName, start, end: at, bits: PHONE_BITS });
        }
    }
    let places = (text.len() >= 30).then(|| memchr::memmem::find_iter(text, ENCODED)).into_iter().flatten();
    for start in places {
        if is_encoded_phone(text.get(start..).unwrap_or_default()) {
            report(Hit { kind: Kind::DeviceName, start, end: start + 30, bits: PHONE_BITS });
        }
    }
    let Some((start, name)) = whole(text) else { return };
    if let Some(bits) = device(name, context) {
        report(Hit { kind: Kind::DeviceName, start, end: start + name.len(), bits });
    }
}

/// A name in hexadecimal has nothing but decimal digits, and is taken for a number where encodings are taken off.
fn is_encoded_phone(text: &[u8]) -> bool {
    let address = text.get(ENCODED.len()..30).unwrap_or_default();
    let is_digit = |pair: &[u8]| matches!(pair, [b'3', b'0'..=b'9'] | [b'4' | b'6', b'1'..=b'6']);
    address.len() == 24 && address.chunks(2).all(is_digit) && !text.get(30).is_some_and(u8::is_ascii_hexdigit)
}

/// `SEP001B21AABBCC`, and `ATA` of an adapter for analogue telephones. All zeros is a template.
fn is_phone(word: &[u8]) -> bool {
    let Some((prefix, address)) = word.split_at_checked(3) else { return false };
    let is_address = address.len() == 12 && address.iter().all(u8::is_ascii_hexdigit) && address.iter().any(|byte| *byte != b'0');
    is_address && (prefix.eq_ignore_ascii_case(b"SEP") || prefix == b"ATA")
}

/// The text as one name, without spaces and quotes around it.
fn whole(text: &[u8]) -> Option<(usize, &[u8])> {
    if text.len() > MAX_NAME + 8 {
        return None;
    }
    let start = text.iter().position(|byte| !b" \t\"'".contains(byte))?;
    let end = text.iter().rposition(|byte| !b" \t\"'".contains(byte))? + 1;
    Some((start, text.get(start..end)?))
}

/// `CSFJSMITH`, `TCT_JSMITH`, `BOTJ.SMITH`: the bits, if the key gives any.
fn device(name: &[u8], context: &Context<'_>) -> Option<u8> {
    let prefix = PREFIXES.iter().find(|prefix| name.starts_with(prefix))?;
    let person = name.strip_prefix(*prefix)?;
    let is_name = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"._-".contains(byte);
    let is_device =
        name.len() <= MAX_NAME && person.len() >= 2 && person.iter().all(is_name) && person.iter().any(u8::is_ascii_alphanumeric);
    if !is_device || OTHERS.iter().any(|other| name.starts_with(other)) {
        return None;
    }
    if context.says(DEVICE_WORDS) {
        return Some(DEVICE_BITS);
    }
    if context.text == TextKind::Name || !context.says(NAME_WORDS) {
        return None;
    }
    Some(if matches!(*prefix, b"CSF" | b"TCT") { Hit::ENOUGH } else { NAME_BITS })
}

#[cfg(test)]
mod tests;
