//! Text as an array of the codes of its characters: `[109, 97, 114, 105, 111, 64]`.

use super::Walk;
use crate::inspect::engine::context::TextKind;
use crate::inspect::engine::finding::Why;

/// Fewest codes that say anything.
const FEWEST: usize = 8;
/// Letters in a row: measurements are rarely a word.
const WORD: usize = 3;

/// The codes of the array under way.
#[derive(Default)]
pub(super) struct Codes {
    bytes: Vec<u8>,
    /// The element that the first of them is.
    first: usize,
    /// Whether the element under way may be the next of them.
    is_next: bool,
}

impl Codes {
    /// Whether there are any.
    pub(super) const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// An element begins. Tells whether it goes on with what there is.
    pub(super) const fn element(&mut self, index: usize) -> bool {
        if self.bytes.is_empty() {
            self.first = index;
        }
        self.is_next = index == self.first + self.bytes.len();
        self.is_next
    }

    /// Takes a number. Tells whether it goes on with what there is.
    pub(super) fn number(&mut self, raw: &str) -> bool {
        // Most numbers are no elements.
        if !std::mem::take(&mut self.is_next) {
            return false;
        }
        let code = raw.parse::<u8>().ok().filter(|code| *code >= b' ' || matches!(code, b'\t' | b'\n' | b'\r'));
        self.bytes.extend(code);
        code.is_some()
    }
}

impl Walk<'_> {
    /// Looks at the text that the codes so far are, if it has words or is dialled; else only for what proves itself.
    pub(super) fn look_at_codes(&mut self) {
        let bytes = std::mem::take(&mut self.codes.bytes);
        self.visit(bytes.len());
        let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte >= 0x80;
        let has_word = bytes.split(|byte| !is_letter(byte)).any(|word| word.len() >= WORD);
        if bytes.len() < FEWEST {
            return;
        }
        let Ok(text) = std::str::from_utf8(&bytes) else { return };
        if !has_word && bytes.first() != Some(&b'+') {
            return self.look_for_proven(text);
        }
        self.look_into(text, TextKind::Free, Why::Encoded);
        self.unwrap(&bytes, TextKind::Free);
    }
}
