//! What the detectors of written things share: boundaries, bounded windows, case-blind comparison.
//!
//! Nothing here allocates, and nothing here can leave the text: a place behind its end reads as NUL.

use crate::inspect::engine::context::Context;

thread_local! {
    /// Bytes that detectors looked at on this thread. A message pays for what was looked at, not for what a detector is thought to.
    pub(super) static VISITS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Counts bytes looked at.
pub(super) fn visit(bytes: usize) {
    VISITS.with(|visits| visits.set(visits.get().wrapping_add(bytes as u64)));
}

/// Runs a detector and says how many bytes it looked at: as many as it may at least.
pub(super) fn counted(looks: u64, detect: impl FnOnce()) -> u64 {
    let before = VISITS.with(std::cell::Cell::get);
    detect();
    VISITS.with(std::cell::Cell::get).wrapping_sub(before).max(looks)
}

/// The byte at a place; NUL outside of the text.
#[must_use]
pub(super) fn at(text: &[u8], index: usize) -> u8 {
    visit(1);
    text.get(index).copied().unwrap_or(0)
}

/// The byte in front of a place; NUL at the start of the text.
#[must_use]
pub(super) fn before(text: &[u8], index: usize) -> u8 {
    index.checked_sub(1).map_or(0, |index| at(text, index))
}

/// The part between two places, clipped to the text.
#[must_use]
pub(super) fn part(text: &[u8], start: usize, end: usize) -> &[u8] {
    text.get(start..end.min(text.len())).unwrap_or_default()
}

/// Whether a byte belongs to a word. Bytes of UTF-8 sequences do: `é` must not end a word.
#[must_use]
pub(super) const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Whether a word starts here: a word byte that does not follow another.
#[must_use]
pub(super) fn starts_word(text: &[u8], index: usize) -> bool {
    is_word(at(text, index)) && !is_word(before(text, index))
}

/// Whether nothing but blanks, quotes, brackets and the signs of a sentence stands around a word.
#[must_use]
pub(super) fn stands_apart(text: &[u8], start: usize, end: usize) -> bool {
    let is_front = matches!(before(text, start), 0 | b' ' | b'=' | b'"' | b'\'' | b'(' | b'\t');
    let is_back = match text.get(end..).unwrap_or_default() {
        [] | [b' ' | b'"' | b'\'' | b')' | b'\t', ..] => true,
        [b'.' | b',' | b';', rest @ ..] => rest.first().is_none_or(|next| *next == b' '),
        _ => false,
    };
    is_front && is_back
}

/// Whether a number that ends here goes on as something longer: a word, a GUID, a version.
#[must_use]
pub(super) fn goes_on(text: &[u8], end: usize) -> bool {
    let next = at(text, end);
    is_word(next) || matches!(next, b'-' | b'.') && is_word(at(text, end + 1))
}

/// The end of the run of accepted bytes that starts here, at most `limit` bytes on.
#[must_use]
pub(super) fn run(text: &[u8], start: usize, limit: usize, accept: impl Fn(u8) -> bool) -> usize {
    let window = part(text, start, start.saturating_add(limit));
    let length = window.iter().position(|&byte| !accept(byte)).unwrap_or(window.len());
    visit(length + 1);
    start + length
}

/// The start of the run of accepted bytes that ends here, at most `limit` bytes back.
#[must_use]
pub(super) fn run_back(text: &[u8], end: usize, limit: usize, accept: impl Fn(u8) -> bool) -> usize {
    let window = part(text, end.saturating_sub(limit), end);
    let length = window.iter().rev().position(|&byte| !accept(byte)).unwrap_or(window.len());
    visit(length + 1);
    end.saturating_sub(length)
}

/// Whether the literal (lower case) stands here, whatever its case.
#[must_use]
pub(super) fn stands(text: &[u8], start: usize, literal: &str) -> bool {
    visit(1);
    part(text, start, start.saturating_add(literal.len())).eq_ignore_ascii_case(literal.as_bytes())
}

/// Whether the literal (lower case) ends here, whatever its case.
#[must_use]
pub(super) fn ends(text: &[u8], end: usize, literal: &str) -> bool {
    end.checked_sub(literal.len()).is_some_and(|start| stands(text, start, literal))
}

/// Whether one of these literals (lower case) ends here, whatever its case. Those that end in another byte are not compared.
#[must_use]
pub(super) fn ends_in(text: &[u8], end: usize, literals: &[&str]) -> bool {
    let last = before(text, end).to_ascii_lowercase();
    literals.iter().any(|literal| literal.as_bytes().last() == Some(&last) && ends(text, end, literal))
}

/// Whether one of these literals (lower case) stands here, whatever its case. Those that begin with another byte are not compared.
#[must_use]
pub(super) fn stands_one(text: &[u8], start: usize, literals: &[&str]) -> bool {
    let first = at(text, start).to_ascii_lowercase();
    literals.iter().any(|literal| literal.as_bytes().first() == Some(&first) && stands(text, start, literal))
}

/// The next place of a literal (lower case) at or behind `from`, whatever its case.
///
/// Linear: each candidate compares at most the literal's own length.
#[must_use]
pub(super) fn find(text: &[u8], from: usize, literal: &str) -> Option<usize> {
    let first = literal.bytes().next()?;
    memchr::memchr2_iter(first, first.to_ascii_uppercase(), text.get(from..)?)
        .map(|place| from + place)
        .find(|&place| stands(text, place, literal))
}

/// Whether a short text is one of these words (lower case), whatever its case.
#[must_use]
pub(super) fn is_any(word: &[u8], words: &[&str]) -> bool {
    visit(words.len());
    let first = word.first().map(u8::to_ascii_lowercase);
    words.iter().map(|candidate| candidate.as_bytes()).any(|candidate| {
        // Length and first letter settle nearly all of them.
        candidate.len() == word.len() && candidate.first().copied() == first && candidate.eq_ignore_ascii_case(word)
    })
}

/// Whether a short text is one of these words (lower case, in the order of their bytes), whatever its case.
#[must_use]
pub(super) fn is_sorted(word: &[u8], words: &[&str]) -> bool {
    visit(8);
    let word = || word.iter().map(u8::to_ascii_lowercase);
    words.binary_search_by(|candidate| candidate.bytes().cmp(word())).is_ok()
}

/// How far back a word in the same text still counts as a key: `codice fiscale del cliente: …`.
const NEARBY: usize = 40;

/// Whether one of these words (lower case) stands closely in front of a place, so that it serves as its key.
#[must_use]
pub(super) fn introduced(text: &[u8], start: usize, words: &[&str]) -> bool {
    let window = part(text, start.saturating_sub(NEARBY), start);
    words.iter().any(|word| find_word(window, word))
}

/// Whether the literal stands in a short window as whole words.
fn find_word(window: &[u8], word: &str) -> bool {
    let mut from = 0;
    while let Some(place) = find(window, from, word) {
        let end = place + word.len();
        if !before(window, place).is_ascii_alphanumeric() && !at(window, end).is_ascii_alphanumeric() {
            return true;
        }
        from = place + 1;
    }
    false
}

/// Whether the key speaks of a thing: serial, part and product numbers have the shapes of identity numbers, and are none.
#[must_use]
pub(super) fn technical(context: &Context<'_>) -> bool {
    context.says(&[
        "serial",
        "model",
        "part",
        "product",
        "sku",
        "asset",
        "bios",
        "firmware",
        "release",
        "build",
        "driver",
        "hash",
        "checksum",
        "digest",
        "guid",
        "uuid",
        "license",
        "licence",
        "activation",
        "thumbprint",
        "fingerprint",
        "signature",
        "device",
        "hardware",
        "inode",
        "counter",
        "bytes",
        "size",
        "offset",
        "timestamp",
        "ticks",
        "epoch",
        "iccid",
        "imei",
        "revision",
        "publickeytoken",
    ])
}
