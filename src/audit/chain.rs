//! How lines hold on to each other: each ends with a hash over the hash of the line before and its own bytes.
//!
//! A line is a JSON object whose last member is `"hash"`. The hash is SHA-256, in hexadecimal, over the 64 characters of the line
//! before's hash followed by the line's own bytes in front of `,"hash":"`. It is defined on bytes, so nobody who verifies has to write
//! JSON the same way again: `printf %s%s "$before" "$bytes" | sha256sum` is enough.

use aws_lc_rs::digest::{Context, SHA256};
use std::fmt;

/// Characters of a hash.
const LENGTH: usize = 64;
/// What stands between a line's bytes and its hash.
const BEFORE: &[u8] = b",\"hash\":\"";
/// What stands behind it.
const BEHIND: &[u8] = b"\"}";
const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// SHA-256 as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hash([u8; LENGTH]);

impl Hash {
    /// What stands in the place of a hash in front of the very first line.
    pub const NONE: Self = Self([b'0'; LENGTH]);

    /// Over some pieces in a row.
    #[must_use]
    pub fn over(pieces: &[&[u8]]) -> Self {
        let mut context = Context::new(&SHA256);
        for piece in pieces {
            context.update(piece);
        }
        let mut text = [b'0'; LENGTH];
        for (pair, byte) in text.chunks_exact_mut(2).zip(context.finish().as_ref()) {
            let digit = |half: u8| DIGITS.get(usize::from(half)).copied().unwrap_or(b'0');
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        Self(text)
    }

    /// Reads 64 lower-case digits.
    #[must_use]
    pub fn read(text: &[u8]) -> Option<Self> {
        let text: [u8; LENGTH] = text.try_into().ok()?;
        text.iter().all(|byte| DIGITS.contains(byte)).then_some(Self(text))
    }

    /// The digits.
    #[must_use]
    pub fn digits(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.0).unwrap_or_default())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl serde::Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(text.as_bytes()).ok_or_else(|| serde::de::Error::custom("a hash has 64 hexadecimal digits"))
    }
}

/// A line's place in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Link {
    /// Its number; the first line ever is 1.
    pub seq: u64,
    /// Its hash.
    pub hash: Hash,
}

impl Link {
    /// In front of the first line.
    pub const NONE: Self = Self { seq: 0, hash: Hash::NONE };
}

/// Closes a line: `line` from `start` on is a JSON object without its closing brace.
pub fn seal(before: &Hash, line: &mut Vec<u8>, start: usize) -> Hash {
    let hash = Hash::over(&[before.digits(), line.get(start..).unwrap_or_default()]);
    line.extend_from_slice(BEFORE);
    line.extend_from_slice(hash.digits());
    line.extend_from_slice(BEHIND);
    line.push(b'\n');
    hash
}

/// The bytes of a line (without its line feed) that are hashed, and the hash it states. `None`: it does not end as a line does.
#[must_use]
pub fn open(line: &[u8]) -> Option<(&[u8], Hash)> {
    let (body, end) = line.split_at_checked(line.len().checked_sub(BEFORE.len() + LENGTH + BEHIND.len())?)?;
    let digits = end.strip_prefix(BEFORE)?.strip_suffix(BEHIND)?;
    Some((body, Hash::read(digits)?))
}

/// The hash that a line with these bytes must have.
#[must_use]
pub fn expected(before: &Hash, body: &[u8]) -> Hash {
    Hash::over(&[before.digits(), body])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_what_the_tools_say() {
        // printf %s%s "$(printf '0%.0s' $(seq 64))" '{"seq":1' | sha256sum
        let mut line = b"{\"seq\":1".to_vec();
        let hash = seal(&Hash::NONE, &mut line, 0);
        assert_eq!(hash.to_string(), "edd7bbf300ddb9d140940b17b11365df850931012f4a356f7a5c3015e0f0d0f2");
        let (body, stated) = open(line.trim_ascii_end()).expect("a line");
        assert_eq!((body, stated), (&b"{\"seq\":1"[..], hash));
        assert_eq!(expected(&Hash::NONE, body), hash);
    }

    #[test]
    fn what_does_not_end_as_a_line_is_none() {
        let mut line = b"{\"seq\":1".to_vec();
        seal(&Hash::NONE, &mut line, 0);
        let line = line.trim_ascii_end();
        for end in 0..line.len() {
            assert_eq!(open(&line[..end]), None, "{end}");
        }
        let upper = String::from_utf8_lossy(line).to_uppercase();
        assert_eq!(open(upper.as_bytes()), None);
    }
}
