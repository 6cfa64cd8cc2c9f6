//! Digests of files, certificates and keys in hexadecimal: bytes that chance chose, told from bytes that somebody wrote.

use crate::inspect::engine::canonical::magic::{self, Magic};
use crate::inspect::engine::digits::{HEX, hex_pair};

/// Lengths of digests in bytes, with how many of so many random bytes are hardly ever those of text: in one of 10,000 at most.
/// A byte is one of text with a probability of 39 %.
const LENGTHS: &[(usize, usize)] = &[(16, 14), (20, 17), (28, 22), (32, 24), (48, 34), (64, 42)];
/// Letters, digits and signs of addresses in a row that are text: among 64 random bytes there are so many once in 10,000 times.
const WORDED: usize = 10;
/// Bytes of text in a row that are looked at, as in any other bytes.
const READABLE: usize = 12;

/// A digest in hexadecimal digits that needs no look.
pub(super) fn is_digest(text: &str) -> bool {
    run(text).is_some_and(|bytes| is_random(&bytes) && !is_readable(&bytes))
}

/// `A1:B2:…` that needs no look.
pub(super) fn is_fingerprint(text: &str) -> bool {
    fingerprint(text).is_some_and(|bytes| is_random(&bytes) && !is_readable(&bytes))
}

/// One of both that may have a few letters in a row by chance, once no detector found anything in it.
pub(super) fn is_like_a_digest(text: &str) -> bool {
    run(text).or_else(|| fingerprint(text)).is_some_and(|bytes| is_random(&bytes))
}

/// Bytes of the length of a digest.
fn run(text: &str) -> Option<Vec<u8>> {
    let is_digest = LENGTHS.iter().any(|(length, _)| length * 2 == text.len())
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        && text.bytes().any(|byte| byte.is_ascii_alphabetic());
    is_digest.then(|| HEX.decode(text.as_bytes()))
}

/// Bytes of 16, 20 or 32 pairs, as certificates and keys have them.
fn fingerprint(text: &str) -> Option<Vec<u8>> {
    let text = text.split_once(':').filter(|(name, _)| ["MD5", "SHA1", "SHA256"].contains(name)).map_or(text, |(_, rest)| rest);
    // Pairs without a letter may be codes of characters in tens.
    if !text.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    let bytes = [':', ' ', '-'].into_iter().find_map(|separator| pairs(text, separator))?;
    matches!(bytes.len(), 16 | 20 | 32).then_some(bytes)
}

/// Groups of two hexadecimal digits of a text, if there is nothing else in it but one sign between them.
pub(super) fn pairs(text: &str, separator: char) -> Option<Vec<u8>> {
    let pair = |group: &str| match group.as_bytes() {
        &[high, low] => hex_pair(high, low),
        _ => None,
    };
    text.split(separator).map(pair).collect()
}

/// Whether bytes of the length of a digest can be one: no more of them are text than by chance, and no compression begins so.
pub(super) fn is_random(bytes: &[u8]) -> bool {
    let Some(&(_, most)) = LENGTHS.iter().find(|(length, _)| *length == bytes.len()) else { return false };
    let is_compressed = matches!(magic::of(bytes), Some(Magic::Compressed(_) | Magic::Archive));
    !is_compressed && written(bytes) < most && longest(bytes, is_of_a_word) < WORDED
}

/// How many bytes are those of text in one or two bytes a letter, accents included.
fn written(bytes: &[u8]) -> usize {
    let accents = bytes.array_windows::<2>().filter(|pair| matches!(pair, [0xc3..=0xc5, 0x80..=0xbf])).count();
    bytes.iter().filter(|&&byte| byte == 0 || is_plain(byte)).count() + 2 * accents
}

/// Whether so many bytes in a row may be text that there is something to look at.
fn is_readable(bytes: &[u8]) -> bool {
    bytes.utf8_chunks().any(|chunk| longest(chunk.valid().as_bytes(), |byte| is_plain(byte) || byte >= 0x80) >= READABLE)
}

const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')
}

const fn is_of_a_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'@' | b'.' | b'-' | b'_' | b'+' | b':' | b'/' | b'\\')
}

/// The most such bytes in a row.
fn longest(bytes: &[u8], is: impl Fn(u8) -> bool) -> usize {
    bytes.split(|&byte| !is(byte)).map(<[u8]>::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::digest::{SHA512, digest};

    /// Forms in which bytes stand.
    fn forms(bytes: &[u8]) -> [String; 3] {
        let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        [pairs.concat(), pairs.join(":"), pairs.join(" ")]
    }

    fn passes(text: &str) -> bool {
        is_digest(text) || is_fingerprint(text) || is_like_a_digest(text)
    }

    #[test]
    fn what_somebody_wrote_is_no_digest() {
        let texts: [&[u8]; 9] = [
            b"mario.rossi@acme.it\n",
            "müllers@acme.it".as_bytes(),
            b"a.bianchi@acme.it\x01\x01\x01",
            b"a.bianchi@acme.it\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            b"+39347123456\x01\x01\x01\x01",
            b"\x01\x01\x01\x01SEP001B21AABBCC\x01",
            "Zoë Müller, Köln".as_bytes(),
            b"m\0.\0r\0@\0x\0.\0i\0t\0",
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xcbM\xccL\xd4\x01\0\0\0\0",
        ];
        for bytes in texts {
            let length = LENGTHS.iter().map(|(length, _)| *length).find(|length| *length >= bytes.len()).unwrap();
            let mut bytes = bytes.to_vec();
            bytes.resize(length, 1);
            assert!(forms(&bytes).iter().all(|form| !passes(form)), "{bytes:?}");
        }
    }

    #[test]
    fn hardly_a_random_digest_is_taken_for_text() {
        for (length, _) in LENGTHS {
            let digests = (0..20_000_u32).map(|seed| digest(&SHA512, &seed.to_be_bytes()));
            let taken = digests.filter(|digest| !is_random(&digest.as_ref()[..*length])).count();
            assert!(taken <= 6, "{taken} of {length}");
        }
    }

    #[test]
    fn most_digests_need_no_look() {
        for seed in 0..500_u32 {
            let digest = digest(&SHA512, &seed.to_be_bytes());
            for form in forms(&digest.as_ref()[..32]).iter().chain(&forms(&digest.as_ref()[..20])) {
                assert!(passes(form), "{form}");
            }
        }
        assert!(is_fingerprint("SHA1:A1:B2:C3:D4:E5:F6:07:18:29:3A:4B:5C:6D:7E:8F:90:A1:B2:C3:D4"));
        for text in ["a1b2", "00112233445566778899001122334455", "A1:B2:C3:D4:E5:F6", "a1:b2 c3:d4"] {
            assert!(!passes(text), "{text}");
        }
    }
}
