//! Transfer encodings (RFC 2045 section 6).

use crate::inspect::engine::digits::hex_pair;
use crate::inspect::engine::format::base64::Decoder;
use std::borrow::Cow;

/// How the body of a part is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// 7bit, 8bit or binary.
    Identity,
    Base64,
    QuotedPrintable,
}

impl Encoding {
    pub(super) fn of(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "7bit" | "8bit" | "binary" => Some(Self::Identity),
            "base64" => Some(Self::Base64),
            "quoted-printable" => Some(Self::QuotedPrintable),
            _ => None,
        }
    }

    pub(super) fn decode(self, body: &[u8]) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Identity => Some(Cow::Borrowed(body)),
            Self::Base64 => base64(body).map(Cow::Owned),
            Self::QuotedPrintable => quoted_printable(body).map(Cow::Owned),
        }
    }
}

/// Base64 in lines.
fn base64(body: &[u8]) -> Option<Vec<u8>> {
    let mut base64 = Decoder::new();
    let mut decoded = Vec::with_capacity(body.len() / 4 * 3);
    for line in body.split(|byte| matches!(byte, b'\r' | b'\n' | b' ' | b'\t')) {
        base64.push(line, &mut decoded).ok()?;
    }
    base64.finish().ok().map(|()| decoded)
}

fn quoted_printable(body: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(body.len());
    let mut rest = body;
    while let [first, behind @ ..] = rest {
        rest = match first {
            b'=' => escaped(behind, &mut decoded)?,
            b'\t' | b'\r' | b'\n' | b' '..=b'~' => {
                decoded.push(*first);
                behind
            }
            _ => return None,
        };
    }
    Some(decoded)
}

/// What follows an equals sign: two digits, or the end of a line that goes on in the next.
fn escaped<'a>(behind: &'a [u8], decoded: &mut Vec<u8>) -> Option<&'a [u8]> {
    if let [high, low, rest @ ..] = behind
        && let Some(byte) = hex_pair(*high, *low)
    {
        decoded.push(byte);
        return Some(rest);
    }
    let padding = behind.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let line = behind.get(padding..)?;
    line.strip_prefix(b"\r\n").or_else(|| line.strip_prefix(b"\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn encodings_are_taken_off() {
        let decode = |name: &str, body: &'static [u8]| Encoding::of(name).and_then(|encoding| encoding.decode(body));
        assert_eq!(decode("Binary", b"a=41\xff").as_deref(), Some(&b"a=41\xff"[..]));
        assert_eq!(decode("BASE64", b"bWFy\r\naW8=\r\n").as_deref(), Some(&b"mario"[..]));
        assert_eq!(decode("base64", b"bWFy!"), None);
        assert_eq!(
            decode("quoted-printable", b"mario=40exam=\r\nple=  \n.com =C3=a9\r\n").as_deref(),
            Some("mario@example.com é\r\n".as_bytes())
        );
        for body in [&b"="[..], b"=4", b"=4g", b"=\r", b"\xe9", b"\0"] {
            assert_eq!(decode("quoted-printable", body), None, "{body:?}");
        }
        assert_eq!(Encoding::of("x-uuencode"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"=4A \r\n".to_vec())], 0..60)) {
            let _decoded = (Encoding::Base64.decode(&bytes), Encoding::QuotedPrintable.decode(&bytes));
        }
    }
}
