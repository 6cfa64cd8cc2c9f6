//! The one thing asked of a stapled OCSP response (RFC 6960): whether it says "revoked".

use x509_parser::asn1_rs::{Any, Class, FromBer as _, Tag};

/// Nesting of a response that is looked into.
const MAX_DEPTH: usize = 12;

/// Whether any certificate status in the response is `revoked` (RFC 6960 section 4.2.1: `[1] IMPLICIT RevokedInfo` inside a
/// `SingleResponse`, behind its `CertID`). What cannot be read says nothing: the certificate itself was verified.
#[must_use]
pub fn says_revoked(response: &[u8]) -> bool {
    if response.is_empty() {
        return false;
    }
    basic_response(response).is_some_and(|basic| single_responses(&basic).iter().any(|single| is_revoked(single)))
}

/// The elements of a constructed value.
fn elements(bytes: &[u8]) -> Vec<Any<'_>> {
    let mut rest = bytes;
    let mut found = Vec::new();
    while let Ok((after, element)) = Any::from_ber(rest) {
        found.push(element);
        rest = after;
    }
    found
}

/// `OCSPResponse -> responseBytes -> response`: the DER of a `BasicOCSPResponse`.
fn basic_response(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut at = bytes.to_vec();
    for _ in 0..MAX_DEPTH {
        let outer = elements(&at);
        let last = outer.last()?;
        if last.tag() == Tag::OctetString {
            return Some(last.data.to_vec());
        }
        at = last.data.to_vec();
    }
    None
}

/// `BasicOCSPResponse -> tbsResponseData -> responses`: the contents of each `SingleResponse`.
fn single_responses(basic: &[u8]) -> Vec<Vec<u8>> {
    let parts = elements(basic).first().map(|basic| basic.data.to_vec()).unwrap_or_default();
    let data = elements(&parts).first().map(|data| data.data.to_vec()).unwrap_or_default();
    // The responses are the one SEQUENCE among version, responder, time and extensions, which are all tagged otherwise.
    let responses = elements(&data)
        .into_iter()
        .filter(|part| part.class() == Class::Universal && part.tag() == Tag::Sequence)
        .map(|part| part.data.to_vec())
        .next();
    elements(&responses.unwrap_or_default()).iter().map(|single| single.data.to_vec()).collect()
}

/// `certID, certStatus, …`: the status is `[0]` good, `[1]` revoked or `[2]` unknown.
fn is_revoked(single: &[u8]) -> bool {
    elements(single).get(1).is_some_and(|status| status.class() == Class::ContextSpecific && status.tag() == Tag(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len();
        let head = match length {
            0..128 => vec![tag, u8::try_from(length).expect("short")],
            _ => vec![tag, 0x82, u8::try_from(length >> 8).expect("below 64 KiB"), u8::try_from(length & 0xff).expect("a byte")],
        };
        [head, content.to_vec()].concat()
    }

    /// A response as RFC 6960 section 4.2.1 writes it, with the given certificate status.
    fn response(status: &[u8]) -> Vec<u8> {
        let certificate_id = der(
            0x30,
            &[der(0x30, &der(0x06, &[0x2b, 0x0e, 3, 2, 26])), der(0x04, &[1; 20]), der(0x04, &[2; 20]), der(0x02, &[5])].concat(),
        );
        let time = der(0x18, b"20261121000000Z");
        let single = der(0x30, &[certificate_id, status.to_vec(), time.clone()].concat());
        let data = der(0x30, &[der(0xa2, &der(0x04, &[3; 20])), time, der(0x30, &single)].concat());
        let algorithm = der(0x30, &der(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]));
        let basic = der(0x30, &[data, algorithm, der(0x03, &[0; 71])].concat());
        let bytes = der(0x30, &[der(0x06, &[0x2b, 6, 1, 5, 5, 7, 48, 1, 1]), der(0x04, &basic)].concat());
        der(0x30, &[der(0x0a, &[0]), der(0xa0, &bytes)].concat())
    }

    #[test]
    fn revoked_is_told_from_good_and_unknown() {
        let revoked = der(0xa1, &der(0x18, b"20261101000000Z"));
        for (status, expected) in [(vec![0x80, 0], false), (revoked, true), (vec![0x82, 0], false)] {
            assert_eq!(says_revoked(&response(&status)), expected, "{status:02x?}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_nothing_and_does_not_panic() {
        let whole = response(&[0x80, 0]);
        for cut in 0..whole.len() {
            assert!(!says_revoked(&whole[..cut]), "cut at {cut}");
        }
        assert!(!says_revoked(&[0x30, 0x80].repeat(5_000)));
    }
}
