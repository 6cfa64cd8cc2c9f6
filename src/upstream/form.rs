//! A request in the form that each HTTP version has.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, COOKIE, HOST, HeaderValue, TE, TRANSFER_ENCODING};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, Request, Uri, Version};
use http_body::Body as _;
use http_body_util::combinators::UnsyncBoxBody;

/// A request body on its way upstream.
pub type RequestBody = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// Origin-form with a Host field (RFC 9112 section 3.2.1).
pub fn to_http1(request: &mut Request<RequestBody>) {
    if let Some(authority) = request.uri().authority().map(ToString::to_string) {
        if let Ok(host) = HeaderValue::from_str(&authority) {
            request.headers_mut().insert(HOST, host);
        }
        let path = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        *request.uri_mut() = Uri::from(path);
    }
    let is_unannounced = !request.headers().contains_key(CONTENT_LENGTH) && !request.body().is_end_stream();
    if is_unannounced && request.body().size_hint().exact().is_none() {
        // Without it the HTTP client would drop the body of a GET.
        request.headers_mut().insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    join_cookies(request.headers_mut());
    if request.headers().contains_key(TE) {
        // The field counts for one hop only and must say so (RFC 9110 section 10.1.4).
        request.headers_mut().insert(CONNECTION, HeaderValue::from_static("te"));
    }
    *request.version_mut() = Version::HTTP_11;
}

/// HTTP/2 may cut a cookie field into pieces; HTTP/1.1 has one (RFC 9113 section 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    if headers.get_all(COOKIE).iter().nth(1).is_none() {
        return;
    }
    let pieces: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if let Ok(joined) = HeaderValue::from_bytes(&pieces.join(&b"; "[..])) {
        headers.insert(COOKIE, joined);
    }
}

/// Scheme and `:authority` instead of a Host field (RFC 9113 section 8.3.1).
pub fn to_http2(request: &mut Request<RequestBody>) {
    let host = request.headers_mut().remove(HOST);
    request.headers_mut().remove(CONNECTION);
    request.headers_mut().remove(TRANSFER_ENCODING);
    let authority = host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.scheme = Some(Scheme::HTTPS);
    parts.authority = parts.authority.or(authority);
    parts.path_and_query = parts.path_and_query.or_else(|| Some(PathAndQuery::from_static("/")));
    // It fails only without an authority, and every request was given its Host.
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    *request.version_mut() = Version::HTTP_2;
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt as _, Empty};

    #[test]
    fn requests_change_their_form_and_back() {
        let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
        let mut request = Request::get("/a?b=c").header(HOST, "api.imagicle.com").header(TE, "trailers").body(body).expect("a request");
        to_http2(&mut request);
        assert_eq!(request.uri(), "https://api.imagicle.com/a?b=c");
        assert!(!request.headers().contains_key(HOST) && request.version() == Version::HTTP_2);
        to_http1(&mut request);
        assert_eq!((request.uri().to_string().as_str(), request.headers()[HOST].as_bytes()), ("/a?b=c", &b"api.imagicle.com"[..]));
        assert_eq!(request.headers()[CONNECTION], "te");
        to_http2(&mut request);
        assert!(!request.headers().contains_key(CONNECTION));
    }
}
