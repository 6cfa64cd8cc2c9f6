//! Runs that are too short to be text of any kind: only what can be nothing but a number or an address counts.

use super::{Finder, Unreadable, Via};
use crate::inspect::engine::digits::{Alphabet, BASE64, LOWER32, UPPER32};

/// Shortest run, if padding follows it; else one more.
pub(super) const SHORTEST: usize = 11;
/// Bytes that such a run stands for, at most.
const MOST: usize = 12;
/// Bytes that tell most runs.
const FIRST: usize = 3;
/// What is in them but letters and digits.
const SIGNS: &[u8] = b" +-./:()_@\\";
/// Fewest digits of a number.
const FEWEST_DIGITS: usize = 7;
/// Most letters beside them.
const MOST_LETTERS: usize = 3;

/// Looks into a run of less than sixteen characters.
pub(super) fn look(digits: &[u8], is_padded: bool, finder: &mut Finder<'_, '_>) -> Result<(), Unreadable> {
    if digits.len() < SHORTEST || digits.len() == SHORTEST && !is_padded {
        return Ok(());
    }
    for (alphabet, via) in [(BASE64, Via::Base64), (UPPER32, Via::Base32), (LOWER32, Via::Base32)] {
        decoded(alphabet, via, digits, finder)?;
    }
    Ok(())
}

fn decoded(alphabet: Alphabet, via: Via, digits: &[u8], finder: &mut Finder<'_, '_>) -> Result<(), Unreadable> {
    let mut first = [0; FIRST];
    let len = alphabet.decode_head(digits, &mut first);
    finder.budget.count(FIRST);
    let is_sign = |byte: &u8| byte.is_ascii_alphanumeric() || SIGNS.contains(byte);
    if len < FIRST || !first.iter().all(is_sign) {
        return Ok(());
    }
    let mut bytes = [0; MOST];
    let len = alphabet.decode_head(digits, &mut bytes);
    finder.budget.count(digits.len());
    // What is not all of an alphabet is none of it.
    let bytes = bytes.get(..len).filter(|_| len == alphabet.decoded_len(digits.len())).unwrap_or_default();
    match std::str::from_utf8(bytes) {
        Ok(text) if is_number(bytes) || is_address(bytes) || is_account(bytes) => finder.text(via, text),
        _ => Ok(()),
    }
}

/// Digits, what stands between those that are dialled, and few letters: by chance, not one run in a thousand million.
fn is_number(bytes: &[u8]) -> bool {
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = bytes.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let signs = bytes.iter().filter(|byte| b" +-./:()".contains(byte)).count();
    digits >= FEWEST_DIGITS && letters <= MOST_LETTERS && digits + letters + signs == bytes.len()
}

/// `a@b.it`
fn is_address(bytes: &[u8]) -> bool {
    let is_sign = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_+@:".contains(byte);
    let Some(at) = memchr::memchr(b'@', bytes) else { return false };
    at > 0 && bytes.iter().all(is_sign) && bytes.get(at..).is_some_and(|host| host.contains(&b'.'))
}

/// `ACME\mrossi`: by chance, not one run of base64 in a million, and three of base32.
fn is_account(bytes: &[u8]) -> bool {
    let mut halves = bytes.split(|byte| *byte == b'\\');
    let is_sign = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_".contains(byte);
    let is_half = |half: Option<&[u8]>| half.is_some_and(|half| half.len() >= SHORTEST_HALF && half.iter().all(is_sign));
    is_half(halves.next()) && is_half(halves.next()) && halves.next().is_none()
}

/// Fewest letters of a domain or of an account.
const SHORTEST_HALF: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_addresses_are_told_from_chance() {
        for bytes in [&b"12345678Z"[..], b"0212345678", b"02/1234567", b"+391234567", b"X1234567L"] {
            assert!(is_number(bytes), "{bytes:?}");
        }
        for bytes in [&b"123456ABC"[..], b"1234567ABCD", b"1234567\xff", b"hello"] {
            assert!(!is_number(bytes), "{bytes:?}");
        }
        for bytes in [&b"ACME\\mrossi"[..], b"AD\\m.rossi"] {
            assert!(is_account(bytes), "{bytes:?}");
        }
        for bytes in [&b"ACME\\m"[..], b"A\\B\\C", b"ACMEmrossi", b"AC!E\\mrossi"] {
            assert!(!is_account(bytes), "{bytes:?}");
        }
        assert!(is_address(b"m@acme.it") && !is_address(b"@acme.it") && !is_address(b"m@acme") && !is_address(b"m@a.\0"));
    }
}
