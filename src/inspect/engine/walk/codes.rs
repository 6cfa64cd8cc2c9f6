//! Text as the codes of its characters, in an array or in a text: `[109, 97, 114, 105, 111, 64]`.

use super::Walk;
use crate::inspect::engine::context::TextKind;
use crate::inspect::engine::finding::Why;
use crate::inspect::engine::marks::{DIGIT, LETTER, Marks};
use std::borrow::Cow;

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
        let code = raw.strip_suffix(".0").unwrap_or(raw).parse().ok().filter(|code| is_letter_or_break(*code));
        self.bytes.extend(code);
        code.is_some()
    }
}

impl Walk<'_> {
    /// Looks at the text that the codes so far are, if it has words or is dialled; else only for what proves itself.
    pub(super) fn look_at_codes(&mut self) {
        let bytes = std::mem::take(&mut self.codes.bytes);
        self.look_at_bytes(&bytes);
    }

    /// Looks at the codes that a text lists: `109 97 114`, `109;97;114`, `155 141 162`, `01101101 01100001`.
    pub(super) fn look_at_listed(&mut self, text: &str, marks: &Marks) {
        if !marks.has(DIGIT) || marks.has(LETTER) || marks.digits < 2 * FEWEST || self.is_spent() {
            return;
        }
        for radix in [Radix::Decimal, Radix::Octal, Radix::Binary] {
            self.visit(text.len());
            if let Some(bytes) = listed(text, radix) {
                self.look_at_bytes(&bytes);
            }
        }
    }

    fn look_at_bytes(&mut self, bytes: &[u8]) {
        if bytes.len() < FEWEST {
            return;
        }
        self.visit(3 * bytes.len());
        let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte >= 0x80;
        let has_word = bytes.split(|byte| !is_letter(byte)).any(|word| word.len() >= WORD);
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let is_text = has_word && is_written(bytes) || is_dialled(bytes);
        if !is_text {
            return self.look_for_proven(text);
        }
        // One backslash among numbers makes no account.
        let text = if is_account_or_path(text) { Cow::Borrowed(text) } else { Cow::Owned(text.replace('\\', " ")) };
        self.look_into(&text, TextKind::Free, Why::Encoded);
        self.unwrap(bytes, TextKind::Free);
    }
}

/// A plus sign, and what is dialled behind it.
fn is_dialled(bytes: &[u8]) -> bool {
    bytes.first() == Some(&b'+') && bytes.iter().all(|byte| byte.is_ascii_digit() || b" +-./()".contains(byte))
}

/// Whether bytes are mostly letters, digits and blanks: those of measurements are as often signs.
fn is_written(bytes: &[u8]) -> bool {
    let written = bytes.iter().filter(|byte| byte.is_ascii_alphanumeric() || **byte == b' ' || **byte >= 0x80).count();
    written * 4 >= bytes.len() * 3
}

/// `ACME\mrossi`, `C:\Users`
fn is_account_or_path(text: &str) -> bool {
    let is_name = |name: &str| name.len() >= 2 && name.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '.' | '-' | '_'));
    text.contains(":\\") || text.starts_with("\\\\") || text.split_once('\\').is_some_and(|(domain, name)| is_name(domain) && is_name(name))
}

/// What no text has is none of its codes.
const fn is_letter_or_break(code: u8) -> bool {
    code >= b' ' || matches!(code, b'\t' | b'\n' | b'\r')
}

/// How the codes of a list are written.
#[derive(Clone, Copy)]
enum Radix {
    Decimal,
    Octal,
    Binary,
}

/// The bytes that a text of numbers lists, if all of them are codes.
fn listed(text: &str, radix: Radix) -> Option<Vec<u8>> {
    let numbers = text.split(|letter: char| !letter.is_ascii_digit()).filter(|number| !number.is_empty());
    let code = |digits: &str| match radix {
        Radix::Decimal => digits.parse().ok(),
        Radix::Octal => u8::from_str_radix(digits, 8).ok().filter(|_| digits.len() == 3),
        Radix::Binary => u8::from_str_radix(digits, 2).ok(),
    };
    // Bits need no gap between bytes.
    let width = if matches!(radix, Radix::Binary) { 8 } else { usize::MAX };
    let codes = numbers.flat_map(|number| number.as_bytes().chunks(width));
    let codes: Option<Vec<u8>> = codes.map(|digits| std::str::from_utf8(digits).ok().and_then(code)).collect();
    codes.map(without_zeros).filter(|codes| codes.iter().all(|code| is_letter_or_break(*code)))
}

/// Codes without the zero behind each, as in UTF-16, or behind them all.
fn without_zeros(mut codes: Vec<u8>) -> Vec<u8> {
    let is_wide = codes.len() >= 2 && codes.iter().skip(1).step_by(2).all(|code| *code == 0);
    if is_wide {
        return codes.into_iter().step_by(2).collect();
    }
    codes.pop_if(|last| *last == 0);
    codes
}
