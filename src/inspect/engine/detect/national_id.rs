//! National identification numbers, one file a family of countries.
//!
//! A family looks at the word that starts at a place and says where the number ends and how much it weighs. What the number's
//! own structure does not prove needs a key (`nhs`, `iqama`) in the path or closely in front, or at least free text.

use super::lexis::{introduced, is_word, run, stands_apart, technical};
use crate::inspect::engine::context::{Context, TextKind};
use crate::inspect::engine::finding::{Hit, Kind};

mod arabia;
mod britain;
mod france;
mod germany;
mod italy;
mod shape;
mod spain;
mod states;
#[cfg(test)]
mod tests;

/// The structure proves it, or a key does.
const PROVEN: u8 = 24;
/// In free text.
const IN_TEXT: u8 = 20;

/// A place to look at.
#[derive(Clone, Copy)]
struct Spot<'a> {
    text: &'a [u8],
    start: usize,
    /// Bytes of the word that starts here.
    length: usize,
    context: &'a Context<'a>,
}

impl Spot<'_> {
    /// Whether the key, or a word closely in front, names the kind of number.
    fn keyed(self, words: &[&str]) -> bool {
        self.context.says(words) || introduced(self.text, self.start, words)
    }

    /// What a number that ends at `end` weighs, which needs one of these keys or free text. In the name of a product it counts if its
    /// groups are parted by blanks, or if it stands apart: parts and models seldom have a right check digit.
    fn weigh(self, end: usize, words: &[&str]) -> Option<u8> {
        if self.keyed(words) {
            return Some(PROVEN);
        }
        let is_spaced = || self.text.get(self.start..end).is_some_and(|written| written.contains(&b' '));
        let is_behind_blank = self.text.get(..self.start).is_some_and(|head| head.ends_with(b" "));
        match self.context.text {
            // Behind a version it is none of its parts.
            TextKind::Free => (!technical(self.context) || is_behind_blank && stands_apart(self.text, self.start, end)).then_some(IN_TEXT),
            TextKind::Name | TextKind::Path => (is_spaced() || stands_apart(self.text, self.start, end)).then_some(IN_TEXT),
            _ => None,
        }
    }
}

/// Where a number ends and what it weighs.
type Found = Option<(usize, u8)>;

/// The families but the Italian one, whose numbers prove themselves whatever word they are part of.
const FAMILIES: &[fn(Spot<'_>) -> Found] = &[france::find, germany::find, spain::find, britain::find, states::find, arabia::find];

/// Whether a word of such a length, with this byte behind it, can be a number or the first group of one. The words of a number in
/// groups are parted by these, whatever the country.
const fn may_be_number(length: usize, behind: Option<&u8>) -> bool {
    let is_whole = matches!(length, 9 | 10 | 11 | 15 | 16);
    let is_group = matches!(length, 1 | 2 | 3 | 6 | 8 | 13);
    is_whole || is_group && matches!(behind, Some(b' ' | b'-' | b'.' | b'/'))
}

/// Whether letters and digits are a number whose structure proves it, as a whole and without gaps: a tax code of Italy, a social
/// security number of France.
#[must_use]
pub fn is_proven(signs: &[u8]) -> bool {
    italy::is_whole(signs) || france::is_whole(signs)
}

/// Finds national identification numbers of Italy, France, Germany, Spain, the United Kingdom, the United States, the United Arab
/// Emirates and Saudi Arabia.
pub fn scan(text: &[u8], context: &Context<'_>, report: &mut dyn FnMut(Hit)) {
    if context.text == TextKind::Version {
        return;
    }
    let mut next = 0;
    while let Some(start) = text.get(next..).and_then(|rest| rest.iter().position(|&byte| is_word(byte))).map(|place| next + place) {
        next = run(text, start, text.len(), is_word);
        let length = next - start;
        if let Some((start, end)) = italy::find(Spot { text, start, length, context }) {
            report(Hit { kind: Kind::NationalId, start, end, bits: PROVEN });
            next = end;
            continue;
        }
        // Without a digit it is the beginning of a British or Spanish one.
        if !matches!(length, 1 | 2) && !text.get(start..next).unwrap_or_default().iter().any(u8::is_ascii_digit) {
            continue;
        }
        if !may_be_number(length, text.get(next)) {
            continue;
        }
        let spot = Spot { text, start, length, context };
        if let Some((end, bits)) = FAMILIES.iter().find_map(|family| family(spot)) {
            report(Hit { kind: Kind::NationalId, start, end, bits });
            next = end;
        }
    }
}
