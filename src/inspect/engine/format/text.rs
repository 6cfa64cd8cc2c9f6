//! Plain text: one string.

use super::{Fault, Malformed, Visitor};
use memchr::memchr;

/// Hands on a text as it stands. Its length is bounded by who holds it.
///
/// # Errors
/// When it is not UTF-8, begins with a byte order mark, or has NUL in it: another charset then, in which nothing would be
/// recognised.
pub fn read<V: Visitor + ?Sized>(bytes: &[u8], visitor: &mut V) -> Result<(), Malformed> {
    visitor.string(checked(bytes)?);
    Ok(())
}

/// The text that the bytes are.
pub(super) fn checked(bytes: &[u8]) -> Result<&str, Malformed> {
    if let Some(at) = memchr(0, bytes) {
        return Err(Fault::Control.at(at));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| Fault::Utf8.at(error.valid_up_to()))?;
    if text.starts_with('\u{feff}') {
        return Err(Fault::ByteOrderMark.at(0));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::engine::format::testing::Recorder;

    #[test]
    fn text_is_one_string() {
        let mut recorder = Recorder::default();
        assert_eq!(read("a\r\n\té".as_bytes(), &mut recorder), Ok(()));
        assert_eq!(recorder.text(), "s:a\r\n\té");
        for (bytes, fault) in [
            (&b"a\0b"[..], Fault::Control.at(1)),
            (b"ab\xe9", Fault::Utf8.at(2)),
            (b"\xff\xfea", Fault::Utf8.at(0)),
            (b"\xef\xbb\xbfa", Fault::ByteOrderMark.at(0)),
        ] {
            assert_eq!(read(bytes, &mut recorder), Err(fault));
        }
    }
}
