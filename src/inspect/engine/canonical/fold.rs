//! Unicode folding: text as a detector compares it.

use super::confusable;
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{decompose_canonical, decompose_compatible, is_combining_mark};

/// Marks on one letter that are kept, as in the stream-safe format (UAX 15, 13): more is never writing, and costs sorting.
const MAX_MARKS: usize = 30;
/// How much longer a character may become.
const MAX_GROWTH: usize = 3;

/// Folds a text for matching: NFKC, decimal digits of any script to ASCII, dashes to `-`, full stops to `.`,
/// commercial ats to `@`, spaces to one kind, and without what is not seen: zero-width characters, soft hyphens, bidi controls,
/// variation selectors, tags, and marks that strike through or decorate an ASCII character.
///
/// ASCII is borrowed untouched, and so is a text that is folded already. The output is at most three times as long: a
/// character that would become longer (ligatures of whole words) is replaced by U+FFFD. Folding twice changes nothing more.
#[must_use]
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut before = Marks::default();
    let mut after = Marks::default();
    // What is not seen goes first, lest it keep a letter and its accent apart; then what NFKC brings is mapped in turn.
    let normal = text.chars().filter_map(|from| before.keep(from, false)).filter_map(map).nfkc();
    let folded: String = normal.filter_map(map).filter_map(|from| after.keep(from, true)).collect();
    if folded == text { Cow::Borrowed(text) } else { Cow::Owned(folded) }
}

/// Folds letters of Cyrillic, Greek and other scripts that look like Latin ones to those, for keys, mail addresses, IBAN and
/// codice fiscale only: as text, a Cyrillic name is no Latin one. Expects a folded text; borrows what has none of them.
/// The output is never longer.
#[must_use]
pub fn skeleton(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.chars().any(|from| confusable::latin(from).is_some()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|from| confusable::latin(from).unwrap_or(from)).collect())
}

/// What is left of a text without the marks on its letters, and with Latin letters for those that look like them: what is written
/// like that on purpose is read as it is seen. For what has an exact form only, as [`skeleton`]. Expects a folded text; the output is never
/// longer.
#[must_use]
pub fn bare(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    for from in text.chars() {
        if from.is_ascii() {
            bare.push(from);
        } else if !is_combining_mark(from) {
            let letter = letter(from);
            bare.push(confusable::latin(letter).unwrap_or(letter));
        }
    }
    bare
}

/// The letter of a character that is a letter with marks; others are themselves, as the syllables of Korean.
fn letter(from: char) -> char {
    let (mut letter, mut is_one) = (from, true);
    let mut count = 0;
    decompose_canonical(from, |part| {
        match count {
            0 => letter = part,
            _ => is_one &= is_combining_mark(part),
        }
        count += 1;
    });
    if is_one && letter.len_utf8() <= from.len_utf8() { letter } else { from }
}

/// Whether a text has control characters beyond ASCII (U+0080 to U+009F).
#[must_use]
pub fn has_controls_beyond(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(0xc2, bytes).any(|at| matches!(bytes.get(at + 1), Some(0x80..=0x9f)))
}

/// A text without the control characters inside it, if it has any.
#[must_use]
pub fn without_controls(text: &str) -> Option<String> {
    let text = text.trim_matches(char::is_control);
    text.contains(char::is_control).then(|| text.chars().filter(|from| !from.is_control()).collect())
}

/// What is written in tags (U+E0020 to U+E007E), which nobody sees, if anything is: in its place among the rest, and by itself.
#[must_use]
pub fn written_in_tags(text: &str) -> Option<[String; 2]> {
    memchr::memmem::find(text.as_bytes(), TAG)?;
    let whole = text.chars().map(|from| tagged(from).unwrap_or(from)).collect();
    Some([whole, text.chars().filter_map(tagged).collect()])
}

/// How all tags begin in UTF-8.
const TAG: &[u8] = b"\xf3\xa0";

/// What a tag stands for.
const fn tagged(from: char) -> Option<char> {
    match from {
        '\u{E0020}'..='\u{E007E}' => char::from_u32(from as u32 - 0xE_0000),
        _ => None,
    }
}

/// Counts combining marks.
#[derive(Default)]
struct Marks {
    count: usize,
    on_ascii: bool,
}

impl Marks {
    /// Drops marks that are too many and, if `plain`, those on an ASCII character.
    fn keep(&mut self, from: char, plain: bool) -> Option<char> {
        if from.is_ascii() || !is_combining_mark(from) {
            // What is dropped later must not part a letter from its marks here.
            if !is_ignorable(from) {
                *self = Self { count: 0, on_ascii: from.is_ascii() };
            }
            return Some(from);
        }
        self.count += 1;
        let drop = self.count > MAX_MARKS || plain && self.on_ascii;
        (!drop).then_some(from)
    }
}

/// One character; `None` drops it.
fn map(from: char) -> Option<char> {
    if from.is_ascii() {
        return Some(from);
    }
    if is_ignorable(from) {
        return None;
    }
    if let Some(digit) = digit(from) {
        return Some(digit);
    }
    let to = match from {
        '\u{3002}' | '\u{FF0E}' | '\u{FF61}' | '\u{2024}' => '.',
        '\u{FF20}' | '\u{FE6B}' => '@',
        _ if is_dash(from) => '-',
        _ if from.is_whitespace() => ' ',
        _ if grows(from) => char::REPLACEMENT_CHARACTER,
        _ => from,
    };
    Some(to)
}

/// Whether NFKC makes the character too long.
fn grows(from: char) -> bool {
    // No shorter character does (tested).
    if from < '\u{2000}' {
        return false;
    }
    let mut len = 0;
    decompose_compatible(from, |part| len += part.len_utf8());
    len > MAX_GROWTH * from.len_utf8()
}

/// The value of a decimal digit: `General_Category` Nd, Unicode 18.
fn digit(from: char) -> Option<char> {
    let code = u32::from(from);
    let at = ZEROS.partition_point(|&zero| zero <= code);
    let zero = ZEROS.get(at.checked_sub(1)?)?;
    char::from_digit(code - zero, 10)
}

/// `General_Category` Pd, Unicode 18, and the minus signs and hyphen bullet that are typed for one.
const fn is_dash(from: char) -> bool {
    matches!(
        from,
        '\u{02D7}' | '\u{058A}' | '\u{05BE}' | '\u{1400}' | '\u{1806}' | '\u{2010}'
            ..='\u{2015}'
                | '\u{2043}'
                | '\u{207B}'
                | '\u{208B}'
                | '\u{2212}'
                | '\u{2E17}'
                | '\u{2E1A}'
                | '\u{2E3A}'
                | '\u{2E3B}'
                | '\u{2E40}'
                | '\u{2E5D}'
                | '\u{301C}'
                | '\u{3030}'
                | '\u{30A0}'
                | '\u{FE31}'
                | '\u{FE32}'
                | '\u{FE58}'
                | '\u{FE63}'
                | '\u{FF0D}'
                | '\u{10D6E}'
                | '\u{10EAD}'
    )
}

/// `Default_Ignorable_Code_Point`, Unicode 18, and the other format characters that are not seen.
const fn is_ignorable(from: char) -> bool {
    matches!(
        from,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// The zero of each run of ten digits.
#[rustfmt::skip]
const ZEROS: [u32; 76] = [
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50, 0x0ED0,
    0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0,
    0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x10D30, 0x10D40, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0,
    0x11450, 0x114D0, 0x11650, 0x116C0, 0x116D0, 0x116DA, 0x11730, 0x118E0, 0x11950, 0x11BF0, 0x11C50, 0x11D50, 0x11DA0,
    0x11DE0, 0x11F50, 0x16130, 0x16A60, 0x16AC0, 0x16B50, 0x16D70, 0x1CCF0, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6,
    0x1E140, 0x1E2F0, 0x1E4F0, 0x1E5F1, 0x1E950, 0x1FBF0,
];

#[cfg(test)]
mod tests;
