//! MAC addresses (IEEE 802 EUI-48): six pairs with `:`, `-`, dots, blanks or underscores, pairs without their leading zeros, `xxxx.xxxx.xxxx` as Cisco
//! writes them; twelve digits only where the key or a word in front says so.
//!
//! Runs of more pairs are fingerprints, world wide names and client identifiers.

use super::lexis::introduced;
use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::finding::{Hit, Kind};

/// Key words of a MAC address.
const WORDS: &[&str] =
    &["mac", "macs", "macaddress", "macaddresses", "macaddr", "physicaladdress", "ethernet", "hwaddr", "bssid", "lladdr", "eui"];
/// Addresses that name no network card: the pseudo ones of Windows' WAN miniports (`PPTP00`, `3PoE00`) and of a VPN adapter.
const PSEUDO: &[[u8; 6]] =
    &[[0x50, 0x50, 0x54, 0x50, 0x30, 0x30], [0x33, 0x50, 0x6f, 0x45, 0x30, 0x30], [0x45, 0, 0, 0, 0xff, 0x14], [0; 6], [0xff; 6]];
/// Group addresses of protocols: IPv4 and IPv6 multicast (RFC 7042 section 2.1.1, RFC 2464 section 7), IEEE 802.1.
const GROUPS: &[&[u8]] = &[&[0x01, 0x00, 0x5e], &[0x33, 0x33], &[0x01, 0x80, 0xc2]];
/// Words of one in front of it.
const INTRODUCTIONS: &[&str] = &["mac", "hwaddr", "lladdr", "ether", "bssid", "physical address", "indirizzo fisico", "physische adresse"];
/// Bits of an address with separators.
const BITS: u8 = 24;
/// Bits of twelve digits below a key that says so.
const KEYED_BITS: u8 = 22;
/// Bytes of six pairs and what is between them.
const LENGTH: usize = 17;
/// Most digits of a group of something longer, such as a GUID.
const LONGEST_GROUP: usize = 4;

/// Reports each address. A run of pairs is read once, in whole.
pub fn scan(text: &[u8], context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    if context.text == TextKind::Number {
        return;
    }
    let is_keyed = context.says(WORDS) || (context.says(&["physical"]) && context.says(&["address"]));
    let mut at = 0;
    while let Some(start) = next_word(text, at) {
        let length = text.get(start..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let (end, bits) = match length {
            1 => (start + 1, None).max(loose(text, start)),
            2 => pairs(text, start, is_keyed),
            4 if context.text != TextKind::Version => {
                quads(text, start, is_keyed).map_or((start + length, None), |bits| (start + 14, Some(bits)))
            }
            12 if is_keyed => (start + length, bare(text, start)),
            12 if is_written(text, start) => (start + length, bare(text, start)),
            _ => (start + length, None),
        };
        if let Some(bits) = bits {
            report(Hit { kind: Kind::MacAddress, start, end, bits });
        }
        at = end;
    }
}

/// Where the next word begins; what is before `from` has been read.
fn next_word(text: &[u8], from: usize) -> Option<usize> {
    text.get(from..)?.iter().position(u8::is_ascii_alphanumeric).map(|offset| from + offset)
}

/// The run of pairs: where it ends, and the bits if it is an address.
fn pairs(text: &[u8], start: usize, is_keyed: bool) -> (usize, Option<u8>) {
    let rest = text.get(start..).unwrap_or_default();
    let first = rest.get(2).copied().unwrap_or_default();
    // Underscores part anything, unless there is nothing else.
    let is_whole = start == 0 && text.len() == LENGTH;
    if matches!(first, b' ' | b'.') || first == b'_' && !is_whole {
        return spaced(text, start, first);
    }
    let is_separator = |byte: u8| matches!(byte, b':' | b'-') || byte == b'_' && first == b'_';
    if !is_separator(first) {
        return (start + 2, None);
    }
    let mut octets = [0; 6];
    let mut count = 0;
    for group in rest.chunks(3) {
        let Some(octet) = pair(group) else { break };
        if let Some(slot) = octets.get_mut(count) {
            *slot = octet;
        }
        count += 1;
        if !group.get(2).copied().is_some_and(is_separator) {
            break;
        }
    }
    let end = start + (count * 3).saturating_sub(1).max(2);
    let is_alone = count == 6 && is_free(text, start, end);
    let is_of_a_file = text.get(start..end).is_some_and(|written| written.contains(&b'-') || written.contains(&b'_'));
    let is_time = is_of_a_file && !is_keyed && is_time(rest);
    let found = (is_alone && !is_time && is_card(octets)).then_some(BITS);
    if found.is_none() && first == b':' { (end, None).max(loose(text, start)) } else { (end, found) }
}

/// Six pairs between blanks, dots or underscores. Bytes are dumped like that, too: no more of them may stand beside, and letters have to be among them.
fn spaced(text: &[u8], start: usize, separator: u8) -> (usize, Option<u8>) {
    let rest = text.get(start..).unwrap_or_default();
    let count = rest.chunks(3).take_while(|group| pair(group).is_some() && group.get(2).is_none_or(|byte| *byte == separator)).count();
    // The last pair may be followed by something else than a blank.
    let is_last = rest.get(count * 3..).and_then(pair).is_some() && !rest.get(count * 3 + 2).is_some_and(u8::is_ascii_alphanumeric);
    let count = count + usize::from(is_last);
    let end = start + (count * 3).saturating_sub(1).max(2);
    let written = text.get(start..end).unwrap_or_default();
    let has_case = |is: fn(&u8) -> bool| written.iter().any(is);
    let letters = written.split(|byte| *byte == separator).filter(|group| group.iter().any(u8::is_ascii_alphabetic)).count();
    let is_mixed = has_case(u8::is_ascii_lowercase) && has_case(u8::is_ascii_uppercase);
    let mut octets = [0; 6];
    octets.iter_mut().zip(written.chunks(3)).for_each(|(slot, group)| *slot = pair(group).unwrap_or_default());
    let is_unicast = octets.first().is_some_and(|first| first & 1 == 0);
    let is_behind_pair = text
        .get(..start)
        .and_then(|head| head.strip_suffix(b" "))
        .is_some_and(|head| head.iter().rev().take_while(|byte| byte.is_ascii_hexdigit()).count() == 2);
    let is_address = count == 6
        && (letters >= 2 || letters == 1 && written.starts_with(b"00"))
        && has_case(u8::is_ascii_digit)
        && !is_mixed
        && is_unicast
        && !is_behind_pair;
    (end, (is_address && is_free(text, start, end) && is_card(octets)).then_some(BITS))
}

/// Six groups with `:` of which none has its leading zero: `0:1a:2b:3:4d:5e`. A letter tells them from a time.
fn loose(text: &[u8], start: usize) -> (usize, Option<u8>) {
    let window = text.get(start..).unwrap_or_default();
    let window = window.get(..window.len().min(18)).unwrap_or_default();
    let length = window.iter().take_while(|byte| byte.is_ascii_hexdigit() || **byte == b':').count();
    let written = window.get(..length).unwrap_or_default();
    let mut octets = [0; 6];
    let mut count = 0;
    for group in written.split(|byte| *byte == b':') {
        let octet = match group {
            [one] => pair(&[b'0', *one]),
            [b'0', _] => None,
            [_, _] => pair(group),
            _ => None,
        };
        let (Some(octet), Some(slot)) = (octet, octets.get_mut(count)) else { return (start, None) };
        *slot = octet;
        count += 1;
    }
    let end = start + length;
    let has_letter = written.iter().any(u8::is_ascii_alphabetic);
    let is_alone = count == 6 && is_free(text, start, end);
    (end, (is_alone && has_letter && is_card(octets)).then_some(BITS))
}

/// Whether a word in front says that the twelve digits here are one. A number would have no letter.
fn is_written(text: &[u8], start: usize) -> bool {
    let has_letter = text.get(start..start + 12).is_some_and(|written| written.iter().any(u8::is_ascii_alphabetic));
    has_letter && introduced(text, start, INTRODUCTIONS)
}

/// Two hexadecimal digits.
fn pair(group: &[u8]) -> Option<u8> {
    let [high, low, ..] = group else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(*high)? * 16 + digit(*low)?)
}

/// Whether nothing that stands beside an address makes it part of something longer.
fn is_free(text: &[u8], start: usize, end: usize) -> bool {
    let written = text.get(start..end).unwrap_or_default();
    // What is between no pairs of it parts it from what is beside.
    let joins = |byte: u8| matches!(byte, b':' | b'-') || matches!(byte, b'.' | b'_') && written.contains(&byte);
    // Eight digits are a date, unless all are digits.
    let longest = if written.iter().any(u8::is_ascii_alphabetic) { LONGEST_GROUP } else { usize::MAX };
    let is_group = |word: &[u8]| (1..=longest).contains(&word.len()) && word.iter().all(u8::is_ascii_hexdigit);
    is_left_free(text, start, joins, is_group) && is_right_free(text, end, joins, is_group)
}

/// A hexadecimal group or a digit before the separator makes it part of something longer; a word (`mac:`) does not.
fn is_left_free(text: &[u8], start: usize, joins: impl Fn(u8) -> bool, is_group: impl Fn(&[u8]) -> bool) -> bool {
    let Some((separator, head)) = text.get(..start).and_then(<[u8]>::split_last) else { return true };
    if !joins(*separator) {
        return true;
    }
    let length = head.iter().rev().take(16).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let word = head.get(head.len() - length..).unwrap_or_default();
    (!word.is_empty() || *separator != b':') && !is_group(word)
}

/// So does one behind it.
fn is_right_free(text: &[u8], end: usize, joins: impl Fn(u8) -> bool, is_group: impl Fn(&[u8]) -> bool) -> bool {
    let Some((separator, rest)) = text.get(end..).and_then(<[u8]>::split_first) else { return true };
    if !joins(*separator) {
        return !separator.is_ascii_alphanumeric();
    }
    let length = rest.iter().take(16).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    !is_group(rest.get(..length).unwrap_or_default())
}

/// `24-01-31-23-59-58` is a time in the name of a file.
fn is_time(rest: &[u8]) -> bool {
    let limits = [99, 12, 31, 23, 59, 59];
    let mut groups = rest.chunks(3).zip(limits);
    groups.all(|(group, limit)| match group {
        [tens, ones, ..] if tens.is_ascii_digit() && ones.is_ascii_digit() => (tens - b'0') * 10 + (ones - b'0') <= limit,
        _ => false,
    })
}

/// `001b.21aa.bbcc`. Digits alone may be a version, unless the first begins with a zero.
fn quads(text: &[u8], start: usize, is_keyed: bool) -> Option<u8> {
    let written = text.get(start..start + 14)?;
    let mut octets = [0; 6];
    for (group, slots) in written.chunks(5).zip(octets.chunks_mut(2)) {
        let (high, low) = group.split_at_checked(2)?;
        let [first, second] = slots else { return None };
        (*first, *second) = (pair(high)?, pair(low)?);
        if group.get(4).is_some_and(|separator| *separator != b'.') {
            return None;
        }
    }
    let has_letter = written.iter().any(u8::is_ascii_alphabetic) || written.first() == Some(&b'0') || is_keyed;
    let is_alone = is_free(text, start, start + 14);
    (has_letter && is_alone && is_card(octets)).then_some(BITS)
}

/// Twelve hexadecimal digits.
fn bare(text: &[u8], start: usize) -> Option<u8> {
    let written = text.get(start..start + 12)?;
    let mut octets = [0; 6];
    for (group, slot) in written.chunks(2).zip(&mut octets) {
        *slot = pair(group)?;
    }
    // The last part of a GUID has twelve digits, too.
    let is_alone = is_free(text, start, start + 12);
    (is_alone && is_card(octets)).then_some(KEYED_BITS)
}

/// Whether a text is six pairs that are no network card's: a pseudo address, or a mask (`FF:FF:FF:00:00:00`).
#[must_use]
pub fn is_nobodys(text: &str) -> bool {
    let mut octets = [0; 6];
    let groups = text.as_bytes().chunks(3).zip(&mut octets);
    let are_pairs = groups.map(|(group, slot)| pair(group).map(|octet| *slot = octet)).all(|octet| octet.is_some());
    let separator = |byte: &u8| matches!(byte, b':' | b'-');
    let is_mask = octets.iter().skip_while(|octet| **octet == 0xff).all(|octet| *octet == 0);
    let is_written = text.len() == 17 && text.as_bytes().iter().skip(2).step_by(3).all(separator);
    is_written && are_pairs && (PSEUDO.contains(&octets) || octets.first() == Some(&0xff) && is_mask)
}

fn is_card(octets: [u8; 6]) -> bool {
    !PSEUDO.contains(&octets) && !GROUPS.iter().any(|group| octets.starts_with(group))
}

#[cfg(test)]
mod tests;
