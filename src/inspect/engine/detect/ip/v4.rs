//! Dotted quads.

use super::{Key, before, hit, is_declared};
use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::detect::identity::begins_at_root;
use crate::inspect::engine::detect::lexis::stands_apart;
use crate::inspect::engine::finding::{Hit, Kind};
use core::net::{IpAddr, Ipv4Addr};
use core::ops::Range;

/// Words before a quad that make it a version: `version 3.3.16.1`, `DriverVersionString=20.70.10.2`.
const VERSION_ENDS: &[&[u8]] = &[
    b"version",
    b"versions",
    b"versione",
    b"versionstring",
    b"ver",
    b"v",
    b"release",
    b"rel",
    b"build",
    b"firmware",
    b"fw",
    b"driver",
    b"drivers",
    b"software",
    b"oid",
    b"rev",
    b"revision",
    b"bios",
    b"agent",
    b"update",
    b"section",
    b"sections",
    b"since",
    b"rv",
    b"clause",
    b"chapter",
];
/// Words before a quad that make it an address even in the name of a product.
const ADDRESS_ENDS: &[&[u8]] = &[b"ip", b"ipv4", b"address", b"addr", b"host", b"server", b"gateway", b"dns", b"to", b"from", b"at"];
/// Those of them that products are named by: only numbers that versions seldom have are an address there.
const PRODUCT_ENDS: &[&[u8]] = &[b"host", b"server", b"gateway", b"dns"];
/// Words of sentences before an address, in small letters: verbs and prepositions in the languages of the suite.
const SENTENCE_ENDS: &[&[u8]] = &[
    b"via",
    b"connects",
    b"listens",
    b"listening",
    b"indirizzo",
    b"adresse",
    b"verso",
    b"da",
    b"nach",
    b"von",
    b"vers",
    b"depuis",
    b"hacia",
    b"desde",
];
/// How far back the word before a quad may begin.
const WORD_WINDOW: usize = 32;
/// Longest quad.
const MAX_QUAD: usize = 15;

/// Reports the quads in a run of hexadecimal digits, dots and colons.
pub(super) fn read(text: &[u8], run: Range<usize>, key: Key, context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    if context.text == TextKind::Version {
        return;
    }
    let mut start = run.start;
    for part in text.get(run.clone()).unwrap_or_default().split(|byte| *byte == b':') {
        let end = start + part.len();
        // Letters of options are hexadecimal digits, too.
        let option = usize::from(matches!((part, before(text, start)), ([b'a'..=b'f' | b'A'..=b'F', ..], Some(b'-' | b'/'))));
        let (begin, part) = (start + option, part.get(option..).unwrap_or_default());
        if let Some((address, end)) = quad(text, begin, part)
            && stands_alone(text, begin..end, address, key, context)
            && is_personal(address, key)
            && !is_declared(IpAddr::V4(address), context)
        {
            report(hit(Kind::IpAddress, begin, end, key.bits()));
        }
        start = end + 1;
    }
}

/// The address a part is, without the dot that ends a sentence, and where it ends.
fn quad(text: &[u8], start: usize, part: &[u8]) -> Option<(Ipv4Addr, usize)> {
    let quad = part.strip_suffix(b".").unwrap_or(part);
    if quad.len() > MAX_QUAD {
        // A reverse name goes on with letters of the run: `4.3.2.1.in-addr.arpa` does not, `1.2.3.4.example` does.
        return None;
    }
    let end = start + quad.len();
    let address = core::str::from_utf8(quad).ok()?.parse().ok()?;
    let rest = text.get(end..).unwrap_or_default();
    let is_reverse = rest.get(..9).is_some_and(|rest| rest.eq_ignore_ascii_case(b".in-addr."));
    let is_ended = match rest {
        [b'.', next, ..] => is_reverse || !is_word(*next),
        [next, ..] => !is_word(*next),
        [] => true,
    };
    is_ended.then_some((address, end))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether nothing around the quad makes it a version, a part of a longer name or a folder.
fn stands_alone(text: &[u8], quad: Range<usize>, address: Ipv4Addr, key: Key, context: &Context<'_>) -> bool {
    let Range { start, end } = quad;
    let head = text.get(..start).unwrap_or_default();
    let tail = text.get(end..).unwrap_or_default();
    let is_url = head.ends_with(b"//") || head.ends_with(b"\\\\");
    match head.last() {
        Some(b'.' | b'_' | b'+' | b'#') => return false,
        Some(b'-') if !before(text, start - 1).is_some_and(|byte| byte.is_ascii_digit() || byte == b' ') => return start == 1,
        Some(b'/' | b'\\') if !is_url => return key == Key::Address && context.text != TextKind::Path,
        Some(byte) if is_word(*byte) => return context.text == TextKind::Path && is_glued(head) && is_behind_program(head),
        _ => {}
    }
    // Under a key that says version, only far from one and behind it.
    if key == Key::Version {
        let is_said =
            ends_with_word(head, ADDRESS_ENDS) && !ends_with_word(head, PRODUCT_ENDS) || SENTENCE_ENDS.contains(&small_word(head));
        return is_far(address) && (is_said || matches!(head, [.., b'0'..=b'9', b' ']) && tail.is_empty());
    }
    if is_version_tail(tail) || ends_with_word(head, VERSION_ENDS) {
        return false;
    }
    match context.text {
        TextKind::Path => is_url || is_free_argument(head, tail) || stands_apart(text, start, end) && is_argument(text, head, address),
        TextKind::Name => is_url || key == Key::Address || is_far(address) || is_named_address(address, head, tail),
        _ => key == Key::Address || !is_product(text, start, end),
    }
}

/// `20.70.10.2-beta`: a hyphen and a letter, or a number that begins no other quad.
fn is_version_tail(tail: &[u8]) -> bool {
    let [b'-' | b'+' | b'~', rest @ ..] = tail else { return false };
    let digits = rest.iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    let is_quad = (1..=3).contains(&digits) && rest.get(digits) == Some(&b'.');
    rest.first().is_some_and(|byte| is_word(*byte)) && !is_quad
}

/// Whether the last word of `head`, behind punctuation, ends with one of these words.
fn ends_with_word(head: &[u8], words: &[&[u8]]) -> bool {
    let gap = head.iter().rev().take(6).take_while(|byte| b" \t:=\"'([.".contains(byte)).count();
    let head = head.get(..head.len() - gap).unwrap_or_default();
    let length = head.iter().rev().take(WORD_WINDOW).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let word = head.get(head.len() - length..).unwrap_or_default();
    // Short ones count only alone: `nov 1.2.3.4` has no version.
    words.iter().any(|known| match word.len().checked_sub(known.len()) {
        Some(0) => word.eq_ignore_ascii_case(known),
        Some(extra) if known.len() > 3 => word.get(extra..).is_some_and(|end| end.eq_ignore_ascii_case(known)),
        _ => false,
    })
}

/// `Git 1.7.12.1`: small numbers right behind a word like a name are its version. Of random addresses 1 in 256 has such numbers.
fn is_product(text: &[u8], start: usize, end: usize) -> bool {
    let written = text.get(start..end).and_then(|written| core::str::from_utf8(written).ok());
    let Some(address) = written.and_then(|written| written.parse::<Ipv4Addr>().ok()) else { return false };
    let Some(head) = text.get(..start).and_then(|head| head.strip_suffix(b" ")) else { return false };
    let length = head.iter().rev().take(WORD_WINDOW).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let is_name = head.get(head.len() - length..).and_then(<[u8]>::first).is_some_and(u8::is_ascii_uppercase);
    let is_small = address.octets().iter().all(|octet| *octet < 64);
    is_name && is_small && !address.is_private() && !ends_with_word(head, ADDRESS_ENDS)
}

/// In the name of a product a quad is an address only if something says so: a sign, a word, or a word of a sentence in front of numbers
/// that no version begins with.
fn is_named_address(address: Ipv4Addr, head: &[u8], tail: &[u8]) -> bool {
    let is_enclosed = matches!(head.last(), Some(b'@' | b'[')) || head.is_empty() && tail.is_empty();
    let has_port = matches!(tail, [b':' | b'/', next, ..] if next.is_ascii_digit());
    let is_likely = is_large(address) || address.is_private();
    is_enclosed
        || has_port
        || (ends_with_word(head, ADDRESS_ENDS) && (is_likely || !ends_with_word(head, PRODUCT_ENDS)))
        || SENTENCE_ENDS.contains(&small_word(head))
        || (is_large(address) && is_in_sentence(head))
}

/// What stands in a path in the place of a program's argument, or of the path. `C:\\Program Files\\X 4.2.1.3` is a version.
fn is_argument(text: &[u8], head: &[u8], address: Ipv4Addr) -> bool {
    let word = head.trim_ascii_end().rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    let is_option = matches!(word, [b'-' | b'/', ..]) || matches!(word, [.., b'=' | b'"' | b':' | b'@' | b'(']);
    is_far(address) || is_option || !begins_at_root(text)
}

/// What a program gets behind it, on its own or behind a sign: `/s:10.0.0.5`, `user@10.0.0.5:5060`. A folder goes on behind it.
fn is_free_argument(head: &[u8], tail: &[u8]) -> bool {
    let is_front = matches!(head.last(), Some(b' ' | b'\t' | b'"' | b'\'' | b'=' | b'(' | b'[' | b':' | b'@' | b',' | b';' | b'|'));
    let is_back = match tail {
        [] | [b' ' | b'\t' | b'"' | b'\'' | b')' | b']' | b':' | b',' | b';' | b'|' | b'/', ..] => true,
        [b'.', rest @ ..] => rest.first().is_none_or(|next| *next == b' '),
        _ => false,
    };
    is_front && is_back && is_behind_program(head)
}

/// An option of one letter that its value sticks to: `-h10.0.0.5`; `-v4.2.1.3` is a version.
fn is_glued(head: &[u8]) -> bool {
    matches!(head, [.., b' ' | b'"', b'-' | b'/', option] if option.is_ascii_alphabetic() && !matches!(option, b'v' | b'V'))
}

/// Whether a program is named in front and no other path behind it: `"C:\x.exe" connect `.
fn is_behind_program(head: &[u8]) -> bool {
    const PROGRAMS: &[&[u8]] = &[b".exe", b".cmd", b".bat", b".com", b".ps1", b".vbs", b".jar"];
    let name = head.get(memchr::memrchr(b'\\', head).map_or(0, |separator| separator + 1)..).unwrap_or_default();
    let is_end = |window: &[u8]| {
        let (extension, next) = window.split_at(4);
        matches!(next, [b' ' | b'"' | b'\'']) && PROGRAMS.iter().any(|program| program.eq_ignore_ascii_case(extension))
    };
    name.windows(5).any(is_end)
}

/// Numbers that hardly a version has: [`is_large`] ones, or two of a hundred and more. Browsers have great ones with a small second.
fn is_far(address: Ipv4Addr) -> bool {
    let [_, second, ..] = address.octets();
    second >= 10 && (is_large(address) || address.octets().iter().filter(|octet| **octet >= 100).count() >= 2)
}

/// Numbers that versions seldom have: a first one of 30 or more, and another of 64 or more.
fn is_large(address: Ipv4Addr) -> bool {
    let [first, rest @ ..] = address.octets();
    first >= 30 && rest.iter().any(|octet| *octet >= 64)
}

/// The word in small letters right in front, behind a blank.
fn small_word(head: &[u8]) -> &[u8] {
    let Some(head) = head.strip_suffix(b" ") else { return &[] };
    let length = head.iter().rev().take(WORD_WINDOW).take_while(|byte| byte.is_ascii_lowercase()).count();
    let (front, word) = head.split_at(head.len() - length);
    if matches!(front.last(), None | Some(b' ')) { word } else { &[] }
}

/// Behind a word in small letters that follows another.
fn is_in_sentence(head: &[u8]) -> bool {
    let word = small_word(head);
    !word.is_empty() && head.len() > word.len() + 1
}

/// Whether an address can name a machine of somebody.
pub(super) fn is_personal(address: Ipv4Addr, key: Key) -> bool {
    let bits = address.to_bits();
    let is_mask = bits.leading_ones() + bits.trailing_zeros() >= 32;
    let is_reserved = matches!(address.octets(), [0 | 240.., ..]);
    let is_oid = key != Key::Address && matches!(address.octets(), [1, 3, 6, 1] | [1, 3, 101, 110..=113] | [2, 5, 4 | 29, _]);
    !(address.is_loopback() || address.is_multicast() || address.is_documentation() || is_mask || is_reserved || is_oid)
}
