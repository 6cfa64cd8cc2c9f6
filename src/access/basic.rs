//! `Basic` credentials as a client offers them (RFC 7617 section 2).

use crate::hidden::hidden;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Longest user name and password together, in bytes: no person types more, and each byte is read by the hash.
const MAX_DECODED: usize = 1024;

/// The value of a `Proxy-Authorization` field, not read yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Offered(Box<[u8]>);

impl Offered {
    /// Keeps a field's value.
    #[must_use]
    pub fn new(value: &[u8]) -> Self {
        Self(value.into())
    }

    /// The value as it was sent.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A user name and a password. Both are bytes: the answer asks for UTF-8, and some clients send Latin-1 all the same.
#[derive(PartialEq, Eq)]
pub struct Basic {
    decoded: Vec<u8>,
    colon: usize,
}

hidden!(Offered, Basic);

/// What is wrong with a value; a sentence for the answer, without anything of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable(pub &'static str);

impl Basic {
    /// Reads the value of a `Proxy-Authorization` field.
    ///
    /// # Errors
    /// When it has another scheme, or is not the base64 of a name, a colon and a password.
    pub fn read(value: &[u8]) -> Result<Self, Unreadable> {
        const SCHEME: Unreadable =
            Unreadable("Proxy-Authorization names another scheme than Basic; set the client to Basic proxy credentials");
        const ENCODING: Unreadable =
            Unreadable("Proxy-Authorization is malformed: behind Basic stands the base64 of name, colon and password (RFC 7617 section 2)");
        let value = value.trim_ascii();
        let end = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
        let (scheme, rest) = value.split_at_checked(end).ok_or(ENCODING)?;
        if !scheme.eq_ignore_ascii_case(b"basic") {
            return Err(SCHEME);
        }
        let decoded = STANDARD.decode(rest.trim_ascii_start()).map_err(|_| ENCODING)?;
        let colon = decoded.iter().position(|byte| *byte == b':').ok_or(ENCODING)?;
        if decoded.len() > MAX_DECODED {
            return Err(Unreadable("the name and password in Proxy-Authorization are longer than 1,024 bytes; use shorter ones"));
        }
        if decoded.iter().any(u8::is_ascii_control) {
            return Err(Unreadable(
                "the name or password in Proxy-Authorization has a control character (RFC 7617 section 2); set another one",
            ));
        }
        Ok(Self { decoded, colon })
    }

    /// The name.
    #[must_use]
    pub fn user(&self) -> &[u8] {
        self.decoded.get(..self.colon).unwrap_or_default()
    }

    /// The password.
    #[must_use]
    pub fn password(&self) -> &[u8] {
        self.decoded.get(self.colon + 1..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_are_read_as_bytes() {
        for (value, user, password) in [
            ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin".as_bytes(), "open sesame".as_bytes()),
            ("basic dGVzdDoxMjPCow==", b"test", "123\u{a3}".as_bytes()),
            ("BASIC   YTpiOmM=", b"a", b"b:c"),
            (" Basic Og== ", b"", b""),
            ("Basic /zr+", &[0xff], &[0xfe]),
        ] {
            let basic = Basic::read(value.as_bytes()).unwrap_or_else(|error| panic!("{value}: {error:?}"));
            assert_eq!((basic.user(), basic.password()), (user, password), "{value}");
        }
    }

    #[test]
    fn what_is_malformed_is_told_without_repeating_it() {
        let long = format!("Basic {}", STANDARD.encode(format!("u:{}", "secret".repeat(200))));
        for (value, word) in [
            ("", "scheme"),
            ("Bearer c2VjcmV0", "scheme"),
            ("Basicc2VjcmV0OnNlY3JldA==", "scheme"),
            ("Basic", "malformed"),
            ("Basic secret", "malformed"),
            ("Basic c2VjcmV0", "malformed"),
            ("Basic c2VjcmV0OnNlY3JldA", "malformed"),
            ("Basic c2VjcmV0OnNlY3JldA== x", "malformed"),
            ("Basic c2VjcmV0On NlY3JldA==", "malformed"),
            ("Basic c2VjcmV0OgBh", "control"),
            (long.as_str(), "longer"),
        ] {
            let error = Basic::read(value.as_bytes()).expect_err(value);
            assert!(error.0.contains(word) && !error.0.contains("secret") && !error.0.contains("c2Vj"), "{value}: {error:?}");
        }
        assert!(!format!("{:?}", Offered::new(b"Basic c2VjcmV0OnNlY3JldA==")).contains("c2V"));
    }
}
