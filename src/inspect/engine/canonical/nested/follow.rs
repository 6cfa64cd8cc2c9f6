//! From one level to the next.

use super::{Budget, Derived, MAX_DEPTH, OPAQUE, Unreadable, Via, derived};
use crate::inspect::engine::canonical::Limits;
use crate::inspect::engine::canonical::coding::{self, Coding};
use crate::inspect::engine::canonical::magic::Magic;

/// Bytes that are not all inflated by chance.
const CHANCE: usize = 48;

/// Follows everything that is nested in a text, compressed streams included, down to [`MAX_DEPTH`].
///
/// For callers that need no more than the texts; JSON is reported, but not parsed. `see` is told whether a text is the one that was
/// handed in, but for single characters that were decoded in their places: it is what that one is. A compressed stream that cannot be read does
/// not end it: in another reading of the same text it may be whole, as behind the soft line breaks of mail.
///
/// # Errors
/// As [`derived`], and at the end the first of those of [`coding::inflate`].
pub fn walk(text: &[u8], depth: u8, budget: &mut Budget, see: &mut dyn FnMut(Derived<'_>, bool)) -> Result<(), Unreadable> {
    let mut follow = Follow { unread: None, wrapped: 0, see };
    follow.text(text, depth, budget)?;
    follow.unread.map_or(Ok(()), Err)
}

struct Follow<'s> {
    /// Why a compressed stream could not be read.
    unread: Option<Unreadable>,
    /// Encodings around what is at hand that are not in place.
    wrapped: u32,
    see: &'s mut dyn FnMut(Derived<'_>, bool),
}

impl Follow<'_> {
    fn text(&mut self, text: &[u8], depth: u8, budget: &mut Budget) -> Result<(), Unreadable> {
        derived(text, depth, budget, &mut |found, budget| self.found(found, depth + 1, budget))
    }

    fn found(&mut self, found: Derived<'_>, depth: u8, budget: &mut Budget) -> Result<(), Unreadable> {
        let is_in_place = matches!(found, Derived::Text { via, .. } if via.is_in_place());
        (self.see)(found, is_in_place && self.wrapped == 0);
        let wrapped = self.wrapped;
        self.wrapped += u32::from(!is_in_place);
        self.follow(found, depth, budget)?;
        self.wrapped = wrapped;
        Ok(())
    }

    fn follow(&mut self, found: Derived<'_>, depth: u8, budget: &mut Budget) -> Result<(), Unreadable> {
        match found {
            Derived::Text { text, .. } => self.text(text.as_bytes(), depth, budget),
            Derived::Bytes { magic: Magic::Compressed(coding), via, bytes } => {
                budget.count(bytes.len());
                match coding::inflate(coding, bytes, &Limits { max_output: budget.left() }) {
                    Ok(inflated) => self.inflated(coding, &inflated, depth, budget),
                    Err(error) => {
                        self.not_inflated(coding, error, (via, bytes), budget);
                        Ok(())
                    }
                }
            }
            Derived::Json { .. } | Derived::Bytes { .. } | Derived::Opaque { .. } => Ok(()),
        }
    }

    fn inflated(&mut self, coding: Coding, inflated: &[u8], depth: u8, budget: &mut Budget) -> Result<(), Unreadable> {
        budget.charge(inflated.len())?;
        budget.count(inflated.len());
        if depth >= MAX_DEPTH {
            return Err(Unreadable::Depth);
        }
        if let Ok(text) = std::str::from_utf8(inflated) {
            (self.see)(Derived::Text { via: Via::Inflated(coding), text }, false);
        }
        self.text(inflated, depth + 1, budget)
    }

    /// What looked like a compressed stream and is none. The first bytes of zlib are often chance: then it is a blob like any other.
    fn not_inflated(&mut self, coding: Coding, error: Unreadable, (via, bytes): (Via, &[u8]), budget: &mut Budget) {
        let head = bytes.get(..bytes.len().min(CHANCE)).unwrap_or_default();
        let (is_stream, inflated) = coding::may_be_deflate(head, 2 * CHANCE);
        budget.count(head.len() + inflated);
        if coding != Coding::Deflate || is_stream {
            self.unread.get_or_insert(error);
        } else if bytes.len() >= OPAQUE {
            (self.see)(Derived::Opaque { via, len: bytes.len() }, false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The outcome, and of each thing that was seen whether it was opaque.
    fn outcome(bytes: &[u8]) -> (Result<(), Unreadable>, Vec<bool>) {
        let text = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        let mut seen = Vec::new();
        let outcome =
            walk(text.as_bytes(), 0, &mut Budget::new(text.len()), &mut |found, _| seen.push(matches!(found, Derived::Opaque { .. })));
        (outcome, seen)
    }

    #[test]
    fn what_only_begins_like_zlib_is_no_stream() {
        // A dynamic block whose code lengths cannot be.
        let noise: Vec<u8> = (0..300_u32).map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()[2] | 0x81).collect();
        let (few, seen) = outcome(&[b"\x78\x9c\x05".as_slice(), &noise[..30]].concat());
        assert!(few.is_ok() && seen.len() == 1, "{few:?} {seen:?}");
        let (many, seen) = outcome(&[b"\x78\x9c\x05".as_slice(), &noise].concat());
        assert!(many.is_ok() && seen.contains(&true), "{many:?} {seen:?}");
        // gzip has more of a mark.
        assert_eq!(outcome(&[b"\x1f\x8b\x08\0\0\0\0\0\0\x03".as_slice(), &noise[..30]].concat()).0, Err(Unreadable::Corrupt));
    }

    #[test]
    fn what_is_decoded_in_place_is_told_from_what_is_decoded_whole() {
        let seen = |text: &str| {
            let mut seen = Vec::new();
            let see = &mut |found: Derived<'_>, is_in_place: bool| {
                if let Derived::Text { text, .. } = found {
                    seen.push((text.to_owned(), is_in_place));
                }
            };
            walk(text.as_bytes(), 0, &mut Budget::new(text.len()), see).expect("it is all read");
            seen
        };
        for (text, inside) in [
            ("a --port=5060", "a --portP60"),
            ("a --url=b%3Ac", "a --url=b:c"),
            ("a &quot;b", "a \"b"),
            (r"a \u0041 b", "a A b"),
            ("a%253Ab", "a:b"),
        ] {
            assert!(seen(text).contains(&(inside.to_owned(), true)), "{text}");
        }
        // `hello %3A world 123`, and words of mail.
        for text in ["x aGVsbG8gJTNBIHdvcmxkIDEyMw== x", "x 68656c6c6f20253341 x", "x =?utf-8?Q?hello?= x"] {
            assert!(!seen(text).is_empty() && seen(text).iter().all(|(_, is_in_place)| !is_in_place), "{text}: {:?}", seen(text));
        }
    }

    #[test]
    fn a_stream_that_was_cut_is_unreadable() {
        let whole = b"\x78\x9c\x4b\x4c\x4a\x4e\x49\x4d\x4b\xcf\xc8\xcc\xca\xce\xc9\xcd\xcb\x2f\x28\x2c\x2a\x2e\x29\x2d\x2b\xaf\xa8\xac\x02\x00\x90\x86\x0b\x20";
        assert_eq!(outcome(whole).0, Ok(()));
        assert_eq!(outcome(&whole[..24]).0, Err(Unreadable::Corrupt));
    }
}
