//! The same request once more, should the first be lost. Nearly none is, so a copy is cheap to make and dear to use: its head lies in
//! one piece of memory, and is read again only when it is needed.

use super::release::Released;
use crate::upstream::RequestBody;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};
use http_body_util::{BodyExt as _, Empty};

/// A copy of a request.
pub struct Again {
    method: Method,
    version: Version,
    /// The target, then name and value of each field in turn.
    text: Vec<u8>,
    /// Where in `text` the target and each name and value end; and whether a value may not be compressed.
    ends: Vec<(usize, bool)>,
    body: Option<Released>,
    /// Whether it does no harm even if the first one was acted on (RFC 9110 section 9.2.2).
    pub is_idempotent: bool,
}

impl Again {
    /// Copies a head; the body is the same once more, or none.
    #[must_use]
    pub fn of(method: &Method, uri: &Uri, version: Version, headers: &HeaderMap, body: Option<Released>) -> Self {
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let length = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>();
        let mut text = Vec::with_capacity(target.len() + length);
        let mut ends = Vec::with_capacity(1 + 2 * headers.len());
        let mut push = |piece: &[u8], is_sensitive| {
            text.extend_from_slice(piece);
            ends.push((text.len(), is_sensitive));
        };
        push(target.as_bytes(), false);
        for (name, value) in headers {
            push(name.as_str().as_bytes(), false);
            push(value.as_bytes(), value.is_sensitive());
        }
        let is_idempotent = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE);
        Self { method: method.clone(), version, text, ends, body, is_idempotent }
    }

    /// The request, if it can be read again; what was written by [`Again::of`] always can.
    #[must_use]
    pub fn into_request(self) -> Option<Request<RequestBody>> {
        let mut start = 0;
        let mut pieces = self.ends.iter().filter_map(|(end, is_sensitive)| {
            let piece = self.text.get(start..*end);
            start = *end;
            Some((piece?, *is_sensitive))
        });
        let uri = Uri::from(PathAndQuery::try_from(pieces.next()?.0).ok()?);
        let mut headers = HeaderMap::with_capacity(self.ends.len() / 2);
        while let Some((name, _)) = pieces.next() {
            let (value, is_sensitive) = pieces.next()?;
            let mut value = HeaderValue::from_bytes(value).ok()?;
            value.set_sensitive(is_sensitive);
            headers.append(HeaderName::from_bytes(name).ok()?, value);
        }
        let body = match self.body {
            Some(released) => released.boxed_unsync(),
            None => Empty::new().map_err(|never| match never {}).boxed_unsync(),
        };
        let mut request = Request::new(body);
        *request.method_mut() = self.method;
        *request.uri_mut() = uri;
        *request.version_mut() = self.version;
        *request.headers_mut() = headers;
        Some(request)
    }
}

crate::hidden::hidden!(Again);

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::{COOKIE, HOST};

    #[test]
    fn a_copy_is_what_it_was_made_of() {
        let mut secret = HeaderValue::from_static("s=1");
        secret.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.append(HOST, HeaderValue::from_static("api.imagicle.com"));
        headers.append(COOKIE, HeaderValue::from_static("a=b"));
        headers.append(COOKIE, secret);
        headers.append("x-empty", HeaderValue::from_static(""));
        headers.append("x-bytes", HeaderValue::from_bytes(b"\xe4").expect("opaque bytes may stand in a value"));
        let uri = Uri::from_static("/a?b=c");
        let again = Again::of(&Method::PUT, &uri, Version::HTTP_2, &headers, None);
        assert!(again.is_idempotent);
        let request = again.into_request().expect("it can be read again");
        assert_eq!((request.method(), request.uri(), request.version()), (&Method::PUT, &uri, Version::HTTP_2));
        assert_eq!(*request.headers(), headers);
        assert!(request.headers().get_all(COOKIE).iter().map(HeaderValue::is_sensitive).eq([false, true]));
    }

    #[test]
    fn any_target_can_be_read_again() {
        for target in ["/", "/a//b?c=%20", "*", "?x=1"] {
            let uri = Uri::from(PathAndQuery::from_static(target));
            let again = Again::of(&Method::GET, &uri, Version::HTTP_2, &HeaderMap::new(), None);
            assert_eq!(again.into_request().expect("it can be read again").uri(), &uri);
        }
    }

    #[test]
    fn what_was_acted_on_may_not_be_repeated() {
        let again = Again::of(&Method::POST, &Uri::from_static("/"), Version::HTTP_11, &HeaderMap::new(), None);
        assert!(!again.is_idempotent);
    }
}
