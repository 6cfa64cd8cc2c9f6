//! Base64 (RFC 4648 section 4), strict, piece by piece.

use crate::inspect::engine::digits::{STANDARD, Shifter};

/// Decodes base64 that arrives in pieces. Padding ends a group; whether another group may follow is the caller's choice, since
/// gRPC-Web encodes its chunks one by one.
#[derive(Debug, Clone, Default)]
pub struct Decoder {
    /// Bits of the group under way that are no byte yet.
    group: Shifter,
    /// Its bytes so far: they count once it is complete.
    bytes: [u8; 3],
    /// How many, padding included.
    length: u8,
    /// How many of them are padding.
    padding: u8,
    /// Whether a group with padding has ended.
    has_ended: bool,
    may_go_on: bool,
}

/// Input that is not base64 in its only form: a wrong byte, misplaced padding, bits behind the end that are not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invalid;

impl Decoder {
    /// Nothing may follow padding.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Texts that are padded one by one may follow one another.
    #[must_use]
    pub fn of_chunks() -> Self {
        Self { may_go_on: true, ..Self::default() }
    }

    /// Decodes a piece and adds what it stands for.
    ///
    /// # Errors
    /// When it is not base64.
    pub fn push(&mut self, piece: &[u8], decoded: &mut Vec<u8>) -> Result<(), Invalid> {
        piece.iter().try_for_each(|byte| self.digit(*byte, decoded))
    }

    /// Says that nothing more comes.
    ///
    /// # Errors
    /// When a group is not complete.
    pub const fn finish(&self) -> Result<(), Invalid> {
        if self.length == 0 { Ok(()) } else { Err(Invalid) }
    }

    fn digit(&mut self, byte: u8, decoded: &mut Vec<u8>) -> Result<(), Invalid> {
        if self.has_ended && !self.may_go_on {
            return Err(Invalid);
        }
        self.length += 1;
        match byte {
            b'=' if self.length > 2 => self.padding += 1,
            _ if self.padding > 0 => return Err(Invalid),
            _ => self.value(STANDARD.value(byte).ok_or(Invalid)?),
        }
        if self.length == 4 { self.group_end(decoded) } else { Ok(()) }
    }

    fn value(&mut self, value: u8) {
        let byte = self.group.push(STANDARD, value);
        // The first digit is no whole byte, each other completes one.
        let slot = usize::from(self.length).checked_sub(2).and_then(|at| self.bytes.get_mut(at));
        if let (Some(slot), Some(byte)) = (slot, byte) {
            *slot = byte;
        }
    }

    fn group_end(&mut self, decoded: &mut Vec<u8>) -> Result<(), Invalid> {
        // What padding cuts off.
        if self.group.rest() != 0 {
            return Err(Invalid);
        }
        decoded.extend(self.bytes.iter().take(3 - usize::from(self.padding)));
        self.has_ended = self.padding > 0;
        (self.group, self.length, self.padding) = (Shifter::default(), 0, 0);
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn encode(bytes: &[u8]) -> String {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for group in bytes.chunks(3) {
            let word = group.iter().chain(&[0; 3]).take(3).fold(0, |word, byte| word << 8 | usize::from(*byte));
            (0..4).for_each(|place| text.push(if place > group.len() { '=' } else { char::from(DIGITS[word >> (18 - 6 * place) & 63]) }));
        }
        text
    }

    fn decode(text: &str, mut decoder: Decoder) -> Result<Vec<u8>, Invalid> {
        let mut bytes = Vec::new();
        decoder.push(text.as_bytes(), &mut bytes)?;
        decoder.finish().map(|()| bytes)
    }

    #[test]
    fn one_form_only_is_read() {
        for (text, expected) in [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmFy", "foobar")] {
            assert_eq!(decode(text, Decoder::new()), Ok(expected.as_bytes().to_vec()));
            assert_eq!(encode(expected.as_bytes()), text);
        }
        for text in ["Z", "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "=", "Zg=a", "Zg==Zg==", "Zg=== ", "Zm9v\n", "Zm-_", "Zm 9", "é==="]
        {
            assert_eq!(decode(text, Decoder::new()), Err(Invalid), "{text}");
        }
        assert_eq!(decode("Zg==Zm9vZm8=", Decoder::of_chunks()), Ok(b"ffoofo".to_vec()));
        assert_eq!(decode("Zg==Zg=", Decoder::of_chunks()), Err(Invalid));
    }

    proptest! {
        #[test]
        fn what_was_encoded_comes_back(bytes in prop::collection::vec(any::<u8>(), 0..100), cut in any::<prop::sample::Index>()) {
            let text = encode(&bytes);
            let (left, right) = text.split_at(cut.index(text.len() + 1));
            let (mut base64, mut decoded) = (Decoder::new(), Vec::new());
            base64.push(left.as_bytes(), &mut decoded).expect("base64");
            base64.push(right.as_bytes(), &mut decoded).expect("base64");
            prop_assert_eq!((base64.finish(), decoded), (Ok(()), bytes));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..50)) {
            let _outcome = Decoder::of_chunks().push(&bytes, &mut Vec::new());
        }
    }
}
