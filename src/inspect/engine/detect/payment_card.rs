//! Payment card numbers.
//!
//! Source: ISO/IEC 7812-1 (issuer number, Luhn check digit) and the ranges the card schemes publish.

use super::lexis::{at, before, goes_on, introduced, part, run, run_back, stands_apart, starts_word, technical};
use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::finding::{Hit, Kind};

#[cfg(test)]
mod tests;

/// With a key: nothing else is needed.
const KEYED: u8 = 24;
/// In the groups printed on cards.
const GROUPED: u8 = 22;
/// Only digits, in free text.
const BARE: u8 = 20;
/// No card number is longer.
const LONGEST: usize = 19;
/// One digit too many to be a card.
const TOO_LONG: usize = LONGEST + 1;

/// Most separators between two groups.
const MAX_GAP: usize = 2;

/// Groups printed on cards, longest first.
const LAYOUTS: &[&[usize]] = &[&[4, 4, 4, 4, 3], &[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4]];

/// Words that make a number in the same text a card's.
const INTRODUCTIONS: &[&str] = &[
    "card",
    "carta",
    "carte",
    "karte",
    "kreditkarte",
    "tarjeta",
    "pan",
    "visa",
    "mastercard",
    "maestro",
    "amex",
    "credit",
    "debit",
    "card number",
    "cc",
];

/// A number as it was read.
struct Card {
    digits: [u8; LONGEST],
    length: usize,
    end: usize,
    grouped: bool,
}

/// Finds card numbers: grouped as printed, under a key, or bare in free text.
pub fn scan(text: &[u8], context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    let keyed = is_keyed(context);
    if !keyed && context.text == TextKind::Number {
        return;
    }
    let mut next = 0;
    while let Some(start) = text.get(next..).and_then(|rest| rest.iter().position(u8::is_ascii_digit)).map(|place| next + place) {
        next = run(text, start, text.len(), |byte| byte.is_ascii_digit());
        let found = match can_start(text, start) {
            true => grouped(text, start).or_else(|| bare(text, start, next)),
            false if is_glued(text, start) => grouped(text, start),
            false => None,
        };
        let Some(card) = found else { continue };
        let bits = weigh(text, start, &card, keyed, context);
        if bits > 0 && is_issued(&card) {
            report(Hit { kind: Kind::PaymentCard, start, end: card.end, bits });
            next = card.end;
        }
    }
}

/// Whether the key speaks of a payment card. Video, network and SIM cards are things.
fn is_keyed(context: &Context<'_>) -> bool {
    let card = context.says(&[
        "card",
        "cardnumber",
        "pan",
        "carta",
        "carte",
        "kreditkarte",
        "tarjeta",
        "credit",
        "creditcard",
        "debit",
        "cc",
        "ccnumber",
        "payment",
    ]);
    card && !context.says(&[
        "video",
        "graphics",
        "network",
        "sound",
        "audio",
        "smart",
        "sim",
        "memory",
        "sd",
        "nic",
        "adapter",
        "interface",
    ])
}

/// Not inside of a word, a GUID, a decimal number or a longer row of groups.
fn can_start(text: &[u8], start: usize) -> bool {
    if !starts_word(text, start) {
        return false;
    }
    match before(text, start) {
        b'-' | b'.' | b'+' => false,
        // The year of a release is no group of it.
        b' ' if start == 5 => !text.iter().take(4).all(u8::is_ascii_digit) || text.starts_with(b"20"),
        b' ' => start - run_back(text, start - 1, 5, |byte| byte.is_ascii_digit()) != 5,
        _ => true,
    }
}

/// Whether a number hangs on a word: `Agent-4111 1111 1111 1111`. The groups of a GUID have no letters beyond `f`.
fn is_glued(text: &[u8], start: usize) -> bool {
    if !matches!(before(text, start), b'-' | b'_') {
        return false;
    }
    let word = part(text, run_back(text, start - 1, LONGEST, |byte| byte.is_ascii_alphabetic()), start - 1);
    word.iter().any(|letter| letter.is_ascii_alphabetic() && !letter.is_ascii_hexdigit())
}

fn grouped(text: &[u8], start: usize) -> Option<Card> {
    let separator = at(text, start + 4);
    if !matches!(separator, b' ' | b'-' | b'.' | b'/' | b'_') {
        return None;
    }
    LAYOUTS.iter().find_map(|layout| in_layout(text, start, layout, separator))
}

fn in_layout(text: &[u8], start: usize, layout: &[usize], separator: u8) -> Option<Card> {
    let mut card = Card { digits: [0; LONGEST], length: 0, end: start, grouped: true };
    for &group in layout {
        if card.end > start {
            let gap = run(text, card.end, MAX_GAP + 1, |byte| byte == separator) - card.end;
            if !(1..=MAX_GAP).contains(&gap) {
                return None;
            }
            card.end += gap;
        }
        let digits = part(text, card.end, run(text, card.end, TOO_LONG, |byte| byte.is_ascii_digit()));
        if digits.len() != group {
            return None;
        }
        append(&mut card, digits)?;
    }
    (!goes_on(text, card.end)).then_some(card)
}

fn bare(text: &[u8], start: usize, end: usize) -> Option<Card> {
    let mut card = Card { digits: [0; LONGEST], length: 0, end: start, grouped: false };
    if !(13..=LONGEST).contains(&(end - start)) || goes_on(text, end) {
        return None;
    }
    append(&mut card, part(text, start, end))?;
    Some(card)
}

fn append(card: &mut Card, digits: &[u8]) -> Option<()> {
    card.digits.get_mut(card.length..card.length + digits.len())?.copy_from_slice(digits);
    card.length += digits.len();
    card.end += digits.len();
    Some(())
}

fn weigh(text: &[u8], start: usize, card: &Card, keyed: bool, context: &Context<'_>) -> u8 {
    if keyed || introduced(text, start, INTRODUCTIONS) {
        return KEYED;
    }
    // A version has dots. Nothing else has these groups, an issuer's range and its check digit, whatever the field is.
    if card.grouped {
        let is_version = context.text == TextKind::Version && part(text, start, card.end).contains(&b'.');
        return if is_version { 0 } else { GROUPED };
    }
    // Thirteen digits are also milliseconds; many zeros are a rounded quantity; a value that is nothing but digits may be a counter,
    // and only the two lengths that nearly all cards have are taken for one.
    let round = part(&card.digits, card.length.saturating_sub(6), card.length) == b"000000";
    let whole = card.end - start == text.len() && !context.key.is_empty();
    let likely = card.length > 13 && !round && (!whole || matches!(card.length, 15 | 16));
    // In a name or a path it has to stand apart, and to have one of those two lengths.
    let is_apart = || matches!(card.length, 15 | 16) && stands_apart(text, start, card.end);
    let may_be = match context.text {
        TextKind::Free => !technical(context),
        TextKind::Name | TextKind::Path => is_apart(),
        _ => false,
    };
    if likely && may_be { BARE } else { 0 }
}

/// Whether a whole number is that of a card by range, length and check digit. Shorter ones than today's cards have are sizes and
/// counters.
#[must_use]
pub fn is_number(value: u64) -> bool {
    let mut card = Card { digits: [0; LONGEST], length: 0, end: 0, grouped: false };
    let written = value.to_string();
    let is_long = (15..=LONGEST).contains(&written.len()) && !written.ends_with("000000");
    is_long && append(&mut card, written.as_bytes()).is_some() && is_issued(&card)
}

/// Whether digits that were put together are a card's. Unless they came in the groups that are printed on cards, they have one of the
/// two lengths that nearly all cards have, and are of a scheme whose numbers are nothing else.
#[must_use]
pub fn is_in_pieces(digits: &[u8], is_grouped: bool) -> bool {
    let mut card = Card { digits: [0; LONGEST], length: 0, end: 0, grouped: is_grouped };
    let is_likely = is_grouped || matches!(digits.len(), 15 | 16) && is_of_a_large_scheme(digits);
    is_likely && !digits.ends_with(b"000000") && append(&mut card, digits).is_some() && is_issued(&card)
}

/// Visa, Mastercard, American Express, Discover.
fn is_of_a_large_scheme(digits: &[u8]) -> bool {
    matches!(
        digits,
        [b'4', ..] | [b'5', b'1'..=b'5', ..] | [b'3', b'4' | b'7', ..] | [b'6', b'0', b'1', b'1', ..] | [b'2', b'2'..=b'7', ..]
    )
}

/// Whether a scheme issues this number: range, length and check digit agree.
fn is_issued(card: &Card) -> bool {
    let digits = part(&card.digits, 0, card.length);
    let issuer = part(digits, 0, 6).iter().fold(0, |number, byte| number * 10 + u32::from(byte - b'0'));
    has_length(issuer, card.length) && luhn(digits)
}

/// Whether a scheme has numbers of this length in the range of the first six digits.
fn has_length(issuer: u32, length: usize) -> bool {
    match issuer {
        400_000..=499_999 => matches!(length, 13 | 16 | 18 | 19),
        510_000..=559_999 | 222_100..=272_099 => length == 16,
        340_000..=349_999 | 370_000..=379_999 => length == 15,
        300_000..=305_999 | 309_500..=309_599 | 380_000..=399_999 => matches!(length, 14 | 16 | 19),
        360_000..=369_999 => matches!(length, 14 | 16..=19),
        352_800..=358_999 | 601_100..=601_199 | 644_000..=659_999 | 620_000..=629_999 | 220_000..=220_499 => matches!(length, 16..=19),
        500_000..=509_999 | 560_000..=589_999 | 630_400..=630_499 | 639_000..=639_099 | 670_000..=679_999 => matches!(length, 13 | 15..=19),
        _ => false,
    }
}

/// ISO/IEC 7812-1, annex B.
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, byte)| {
            let digit = u32::from(byte.saturating_sub(b'0'));
            if index % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }
        })
        .sum();
    sum.is_multiple_of(10)
}
