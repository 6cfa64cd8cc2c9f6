//! uuencode (POSIX.1): `begin 644 name`, lines that begin with their length, `end`.

use super::{Finder, OPAQUE, Unreadable, Via};

/// Finds what is encoded; each line is looked at once.
pub(super) fn find(text: &[u8], finder: &mut Finder<'_, '_>) -> Result<(), Unreadable> {
    finder.budget.count(text.len());
    let mut at = 0;
    while let Some(found) = memchr::memmem::find(text.get(at..).unwrap_or_default(), b"begin ") {
        at += found + 6;
        let Some(lines) = behind_head(text.get(at..).unwrap_or_default()) else { continue };
        let mut bytes = Vec::new();
        let mut rest = lines;
        while let Some(behind) = line(rest, &mut bytes) {
            rest = behind;
        }
        let len = lines.len() - rest.len();
        at = text.len() - rest.len();
        finder.budget.count(len);
        if !bytes.is_empty() && !finder.decoded(Via::Mail, &bytes)? && bytes.len() >= OPAQUE {
            finder.opaque(Via::Mail, len)?;
        }
    }
    Ok(())
}

/// Behind the mode and the name of the file.
fn behind_head(from: &[u8]) -> Option<&[u8]> {
    let mode = from.iter().take_while(|byte| matches!(byte, b'0'..=b'7')).count();
    let end = memchr::memchr(b'\n', from.get(..from.len().min(OPAQUE))?)?;
    if !(3..=4).contains(&mode) || from.get(mode) != Some(&b' ') {
        return None;
    }
    from.get(end + 1..)
}

/// Decodes a line and says what is behind it; `None` if it is none.
fn line<'t>(from: &'t [u8], bytes: &mut Vec<u8>) -> Option<&'t [u8]> {
    let (first, behind) = from.split_first()?;
    let len = usize::from(value(*first)?);
    let digits = behind.get(..len.div_ceil(3) * 4).filter(|_| len > 0)?;
    let before = bytes.len();
    for group in digits.as_chunks::<4>().0 {
        let word = group.iter().try_fold(0_u32, |word, &digit| Some(word << 6 | u32::from(value(digit)?)))?;
        let [_, decoded @ ..] = word.to_be_bytes();
        bytes.extend_from_slice(&decoded);
    }
    bytes.truncate(before + len);
    let rest = behind.get(digits.len()..)?;
    let end = memchr::memchr(b'\n', rest.get(..rest.len().min(4))?)?;
    rest.get(end + 1..)
}

/// The value of a digit; a grave accent stands for a blank.
const fn value(digit: u8) -> Option<u8> {
    match digit {
        b' '..=b'`' => Some((digit - b' ') & 63),
        _ => None,
    }
}
