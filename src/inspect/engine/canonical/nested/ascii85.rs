//! Ascii85 between `<~` and `~>`.

use super::{Finder, OPAQUE, Unreadable, Via};

/// Finds what is encoded; no byte is looked at for two of them.
pub(super) fn find(text: &[u8], finder: &mut Finder<'_, '_>) -> Result<(), Unreadable> {
    finder.budget.count(text.len());
    let mut at = 0;
    while let Some(start) = memchr::memmem::find(text.get(at..).unwrap_or_default(), b"<~") {
        at += start + 2;
        let from = text.get(at..).unwrap_or_default();
        let Some(end) = memchr::memchr(b'~', from) else { return Ok(()) };
        at += end;
        let digits = from.get(..end).unwrap_or_default();
        let Some(bytes) = decode(digits) else { continue };
        finder.budget.count(digits.len());
        if !finder.decoded(Via::Base85, &bytes)? && bytes.len() >= OPAQUE {
            finder.opaque(Via::Base85, digits.len())?;
        }
    }
    Ok(())
}

fn decode(digits: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(digits.len() / 5 * 4);
    let (mut word, mut count) = (0_u64, 0_usize);
    for digit in digits.iter().filter(|digit| !digit.is_ascii_whitespace()) {
        match digit {
            b'z' if count == 0 => bytes.extend_from_slice(&[0; 4]),
            b'!'..=b'u' => {
                word = word * 85 + u64::from(digit - b'!');
                count += 1;
            }
            _ => return None,
        }
        if count == 5 {
            bytes.extend_from_slice(&u32::try_from(word).ok()?.to_be_bytes());
            (word, count) = (0, 0);
        }
    }
    if count > 1 {
        let padded = (count..5).fold(word, |word, _| word * 85 + 84);
        bytes.extend_from_slice(u32::try_from(padded).ok()?.to_be_bytes().get(..count - 1)?);
    }
    Some(bytes)
}
