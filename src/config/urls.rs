//! The URLs of parent proxies. What stands before the last `@` may be a password, and no error repeats it.

use crate::destination::Destination;
use crate::hidden::hidden;
use crate::upstream::parent::Parent;
use percent_encoding::percent_decode_str;
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use std::fmt;
use std::ops::Range;
use toml::Spanned;

/// Longest user or password: what a header field of a proxy surely holds.
const MAX_CREDENTIAL: usize = 1_024;

/// One URL or several, in the order in which they are tried.
#[derive(Debug, Clone)]
pub(super) struct Urls(pub(super) Vec<Entry>);

/// A URL, which may hold a password and so is never shown as it is; without a place of its own it has that of the key.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) url: String,
    pub(super) span: Option<Range<usize>>,
}

hidden!(Entry);

impl<'de> Deserialize<'de> for Urls {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct OneOrMore;

        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Urls;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a URL such as \"http://proxy.corp:8080\", or a list of them")
            }

            fn visit_str<E>(self, url: &str) -> Result<Urls, E> {
                Ok(Urls(vec![Entry { url: url.to_owned(), span: None }]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Urls, A::Error> {
                let mut urls = Vec::new();
                while let Some(url) = list.next_element::<Spanned<String>>()? {
                    urls.push(Entry { span: Some(url.span()), url: url.into_inner() });
                }
                Ok(Urls(urls))
            }
        }

        from.deserialize_any(OneOrMore)
    }
}

/// A URL that was read.
pub(super) struct Read<'a> {
    pub(super) parent: Parent,
    /// And the password, both as written.
    pub(super) user: Option<(&'a str, Option<&'a str>)>,
}

pub(super) fn read(url: &str) -> Result<Read<'_>, String> {
    let form = "write http://HOST:PORT, or https://HOST:PORT for a proxy that speaks TLS itself";
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err(format!("the scheme is missing; {form}"));
    };
    let is_secure = match scheme {
        "http" => false,
        "https" => true,
        _ if scheme.starts_with("socks") => return Err(format!("SOCKS is not spoken, only CONNECT; {form}")),
        _ => return Err(format!("parents are http or https; {form}")),
    };
    // What stands before the last @ may be a password and is not repeated.
    let (user, rest) = rest.rsplit_once('@').map_or((None, rest), |(user, rest)| (Some(user), rest));
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '?', '#']) {
        return Err(format!("a parent has no path (a / in user or password is written %2F); {form}"));
    }
    let at = Destination::from_authority(authority.as_bytes()).map_err(|malformed| {
        if authority.rsplit(']').next().is_some_and(|tail| !tail.contains(':')) {
            return format!(
                "the port is missing; write it, such as {scheme}://HOST:3128: proxies listen on 3128, 8080 and others, so none is assumed"
            );
        }
        format!("{malformed}; {form}")
    })?;
    let user = user.map(|user| user.split_once(':').map_or((user, None), |(user, password)| (user, Some(password))));
    Ok(Read { parent: Parent::new(at, is_secure), user })
}

/// Undoes percent-encoding, strictly; no value is repeated in an error.
pub(super) fn decoded(text: &str, what: &str) -> Result<String, String> {
    let is_encoded = |rest: &str| rest.get(..2).is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    if !text.split('%').skip(1).all(is_encoded) {
        return Err(format!("the {what} is not percent-encoded; write % as %25, @ as %40, : as %3A, / as %2F"));
    }
    let text = percent_decode_str(text).decode_utf8().map_err(|_| format!("the {what} is not UTF-8 once decoded"))?;
    credential(&text, what)?;
    Ok(text.into_owned())
}

/// What RFC 7617 section 2 can carry.
pub(super) fn credential(text: &str, what: &str) -> Result<(), String> {
    if text.len() > MAX_CREDENTIAL || text.contains(char::is_control) {
        return Err(format!("the {what} has a control character, or more than {MAX_CREDENTIAL} bytes; Basic credentials cannot carry it"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_passwords_are_decoded_strictly() {
        assert_eq!(decoded("p%40ss%3a%25", "password").as_deref(), Ok("p@ss:%"));
        for text in ["s3cr%", "s3cr%4", "s3cr%zz", "s3cr%0Db", "s3cr%ff"] {
            let error = decoded(text, "password").expect_err(text);
            assert!(!error.contains("s3cr"), "{error}");
        }
    }
}
