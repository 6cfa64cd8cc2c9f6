//! `application/x-www-form-urlencoded` (WHATWG URL section 5): one object, its members in their order. A name may be there
//! more than once.

use super::{Fault, Limits, Malformed, Visitor};
use memchr::memchr;
use std::borrow::Cow;

/// Reads a form, or the query of a request target. Pairs between `&`; empty ones are passed over, one without `=` has an
/// empty value. `+` is a space.
///
/// # Errors
/// When an escape is none, what it stands for is not UTF-8, a space or a control character stands for itself, or a limit is
/// passed.
pub fn read<V: Visitor + ?Sized>(bytes: &[u8], limits: Limits, visitor: &mut V) -> Result<(), Malformed> {
    if let Some(at) = bytes.iter().position(|byte| matches!(byte, 0..=b' ' | 0x7f)) {
        return Err(Fault::Control.at(at));
    }
    visitor.object();
    let mut at = 0;
    let mut nodes = 0;
    for pair in bytes.split(|byte| *byte == b'&') {
        if !pair.is_empty() {
            limits.node(&mut nodes, at)?;
            read_pair(pair, at, limits, visitor)?;
        }
        at += pair.len() + 1;
    }
    visitor.object_end();
    Ok(())
}

fn read_pair<V: Visitor + ?Sized>(pair: &[u8], at: usize, limits: Limits, visitor: &mut V) -> Result<(), Malformed> {
    let equals = memchr(b'=', pair).unwrap_or(pair.len());
    let (key, value) = pair.split_at(equals);
    let key = decode(key, at)?;
    if key.len() > limits.key {
        return Err(Fault::Key.at(at));
    }
    visitor.key(&key);
    let value_at = at + equals + 1;
    let value = decode(value.get(1..).unwrap_or_default(), value_at)?;
    if value.len() > limits.string {
        return Err(Fault::String.at(value_at));
    }
    visitor.string(&value);
    visitor.key_end();
    Ok(())
}

fn decode(bytes: &[u8], at: usize) -> Result<Cow<'_, str>, Malformed> {
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| Fault::Utf8.at(at));
    if !bytes.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return text(bytes).map(Cow::Borrowed);
    }
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, behind @ ..] = rest {
        let (byte, length) = match first {
            b'+' => (b' ', 1),
            b'%' => (escaped(behind).ok_or(Fault::Escape.at(at + bytes.len() - rest.len()))?, 3),
            other => (*other, 1),
        };
        decoded.push(byte);
        rest = rest.get(length..).unwrap_or_default();
    }
    String::from_utf8(decoded).map(Cow::Owned).map_err(|_| Fault::Utf8.at(at))
}

/// The byte that two hexadecimal digits stand for.
fn escaped(behind: &[u8]) -> Option<u8> {
    let [high, low, ..] = behind else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::engine::format::testing::{Nesting, Recorder};
    use proptest::prelude::*;

    fn read_text(text: &str, limits: Limits) -> Result<String, Malformed> {
        let mut recorder = Recorder::default();
        read(text.as_bytes(), limits, &mut recorder).map(|()| recorder.text())
    }

    #[test]
    fn pairs_are_members() {
        for (text, expected) in [
            ("", "{ }"),
            ("&&", "{ }"),
            ("a=1", "{ k:a s:1 . }"),
            ("a=1&b=2&a=3&", "{ k:a s:1 . k:b s:2 . k:a s:3 . }"),
            ("a", "{ k:a s: . }"),
            ("=1", "{ k: s:1 . }"),
            ("a=b=c", "{ k:a s:b=c . }"),
            ("m%61il=a%40b.example+x%2B", "{ k:mail s:a@b.example x+ . }"),
            ("n=%C3%A9%e2%82%ac", "{ k:n s:é€ . }"),
            ("n=é", "{ k:n s:é . }"),
            ("n=%00%0A", "{ k:n s:\0\n . }"),
            ("n=%2540", "{ k:n s:%40 . }"),
        ] {
            assert_eq!(read_text(text, Limits::default()).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_form_is_refused() {
        let limits = Limits { nodes: 3, key: 3, string: 4, ..Limits::default() };
        for (text, fault) in [
            ("a=%", Fault::Escape.at(2)),
            ("a=x%4", Fault::Escape.at(3)),
            ("a=%4g", Fault::Escape.at(2)),
            ("a=%u0041", Fault::Escape.at(2)),
            ("a=%+1", Fault::Escape.at(2)),
            ("%zz=1", Fault::Escape.at(0)),
            ("a=%ff", Fault::Utf8.at(2)),
            ("a=1&b=%ed%a0%80", Fault::Utf8.at(6)),
            ("a b", Fault::Control.at(1)),
            ("a=1\r\n", Fault::Control.at(3)),
            ("a=1&b=2&c=3&d=4", Fault::Nodes.at(12)),
            ("abcd=1", Fault::Key.at(0)),
            ("a=%31%32%33%34%35", Fault::String.at(2)),
        ] {
            assert_eq!(read_text(text, limits), Err(fault), "{text}");
        }
        assert_eq!(read(b"a=\xff", limits, &mut Recorder::default()), Err(Fault::Utf8.at(2)));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"%&=+4Ff1".to_vec())], 0..100)) {
            let mut nesting = Nesting::default();
            if read(&bytes, Limits::default(), &mut nesting).is_ok() {
                nesting.assert_closed();
            }
        }

        #[test]
        fn what_was_encoded_comes_back(value in any::<String>()) {
            let encoded = value.bytes().fold(String::new(), |text, byte| format!("{text}%{byte:02X}"));
            prop_assert_eq!(read_text(&format!("k={encoded}"), Limits::default()), Ok(format!("{{ k:k s:{value} . }}")));
        }
    }
}
