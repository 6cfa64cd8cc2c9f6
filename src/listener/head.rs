//! The first request head of a connection, checked more strictly than any parser behind it.
//!
//! A head that two parsers could read differently is refused here: bare line feeds, two lengths, two hosts, an encoding that
//! is not `chunked` (RFC 9112 sections 2.2, 3.2, 6.1 and 11.2).

use crate::access::Offered;
use crate::destination::{Destination, Host, Malformed};
use memchr::{memchr, memchr_iter, memmem};

/// Most header fields of one request.
pub const MAX_FIELDS: usize = 100;
/// Longest request line; looking for its end again with each piece that arrives stays cheap.
const MAX_REQUEST_LINE: usize = 16 * 1024;
/// A line that ends with LF alone.
const BARE_LF: Malformed = Malformed("lines end with CR LF, a bare LF is not accepted");
/// Largest request head.
pub const MAX_HEAD: usize = 64 * 1024;
/// Most bytes of an HTTP/1.1 connection that are held for each of its directions: the largest head, and what came with it. What a
/// peer does not take is not taken from the other one either.
pub const MAX_HELD: usize = MAX_HEAD + 8 * 1024;

/// How the first head of a connection starts a conversation.
#[derive(Debug, PartialEq, Eq)]
pub enum Opening {
    /// A CONNECT with its destination, the host of its Host field and the credentials for this proxy, if it has them.
    Connect(Destination, Option<Host>, Option<Offered>),
    /// Any other method: an HTTP/1 server reads the head again.
    Http,
}

/// A head that was read.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// What it asks for.
    pub opening: Opening,
    /// What follows it.
    pub body: Body,
}

/// What the request target of anything but CONNECT must look like (RFC 9112 section 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `http://host/path`, on the proxy listener.
    Absolute,
    /// `/path`, inside a tunnel.
    Origin,
}

/// The body behind a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// So many bytes; often none.
    Sized(u64),
    /// Chunks.
    Chunked,
}

impl Default for Body {
    fn default() -> Self {
        Self::Sized(0)
    }
}

/// What the framing and routing fields of a request say, each at most once.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// The host of the Host field.
    pub host: Option<Host>,
    /// The body that follows.
    pub body: Body,
    /// The credentials for this proxy.
    pub credentials: Option<Offered>,
}

/// A head above [`MAX_HEAD`].
pub const TOO_LARGE: Malformed = Malformed("the request head is larger than 64 KiB");

/// Where a complete head ends in `bytes`: the offset behind the empty line. `from` is how far was searched before.
#[must_use]
pub fn end(bytes: &[u8], from: usize) -> Option<usize> {
    let start = from.saturating_sub(3);
    memmem::find(bytes.get(start..)?, b"\r\n\r\n").map(|at| start + at + 4)
}

/// Says early that bytes will never become a request head, so that nobody waits for the rest.
///
/// # Errors
/// The sentence for the answer.
pub fn check_start(bytes: &[u8]) -> Result<(), Malformed> {
    match bytes.first() {
        Some(0x16) => Err(Malformed("this port speaks plain HTTP, the client started TLS; set the proxy as http:// in the client")),
        Some(0x04 | 0x05) => Err(Malformed("this port speaks HTTP, the client started SOCKS; set an HTTP proxy in the client")),
        Some(byte) if !byte.is_ascii_alphabetic() => Err(Malformed("a request starts with its method")),
        _ if bytes.starts_with(b"PRI * HTTP/2.0") => Err(Malformed("this port speaks HTTP/1.1, the client started HTTP/2 without asking")),
        _ => check_request_line(bytes),
    }
}

/// The first line, as soon as it is there, must be a request line.
fn check_request_line(bytes: &[u8]) -> Result<(), Malformed> {
    const TOO_LONG: Malformed = Malformed("the request line is longer than 16 KiB");
    match memchr(b'\n', bytes).and_then(|end| bytes.get(..=end)) {
        Some(line) if line.len() > MAX_REQUEST_LINE => Err(TOO_LONG),
        Some(line) if line.ends_with(b" HTTP/1.1\r\n") || line.ends_with(b" HTTP/1.0\r\n") => Ok(()),
        Some(line) if line.ends_with(b"\r\n") => Err(Malformed("a request line is a method, a target and HTTP/1.1 or HTTP/1.0")),
        Some(_) => Err(BARE_LF),
        None if bytes.len() > MAX_REQUEST_LINE => Err(TOO_LONG),
        None => Ok(()),
    }
}

/// Reads a complete head.
///
/// # Errors
/// The sentence for the answer.
pub fn read(head: &[u8], form: Form) -> Result<Head, Malformed> {
    if head.len() > MAX_HEAD {
        return Err(TOO_LARGE);
    }
    check_line_ends(head)?;
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(head) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Ok(_) => return Err(Malformed("the request head is incomplete")),
        Err(httparse::Error::TooManyHeaders) => return Err(Malformed("the request has more than 100 header fields")),
        Err(httparse::Error::Version) => return Err(Malformed("only HTTP/1.0 and HTTP/1.1 are spoken here")),
        Err(_) => return Err(Malformed("the request head is not HTTP/1.1")),
    }
    let is_http_1_0 = request.version == Some(0);
    let found = check_fields(request.headers.iter().map(|field| (field.name, field.value)), is_http_1_0)?;
    let target = request.path.unwrap_or_default().as_bytes();
    let body = found.body;
    if request.method == Some("CONNECT") {
        return connect(target, found).map(|opening| Head { opening, body });
    }
    if found.host.is_none() && !is_http_1_0 {
        return Err(Malformed("an HTTP/1.1 request needs a Host field (RFC 9112 section 3.2)"));
    }
    match form {
        Form::Absolute => drop(Destination::from_absolute_form(target)?),
        Form::Origin if target.first() == Some(&b'/') && !target.contains(&b'#') => {}
        Form::Origin => return Err(Malformed("inside a tunnel the request target is a path")),
    }
    // What the HTTP server's own reader refuses would get an answer without a reason.
    if http::Uri::try_from(target).is_err() {
        return Err(Malformed("the path of the request target is malformed"));
    }
    Ok(Head { opening: Opening::Http, body })
}

fn connect(target: &[u8], found: Fields) -> Result<Opening, Malformed> {
    if found.body != Body::Sized(0) {
        return Err(Malformed("a CONNECT request has no body"));
    }
    Ok(Opening::Connect(Destination::from_authority(target)?, found.host, found.credentials))
}

fn check_line_ends(head: &[u8]) -> Result<(), Malformed> {
    let bare = memchr_iter(b'\n', head).any(|at| at == 0 || head.get(at - 1) != Some(&b'\r'));
    if bare { Err(BARE_LF) } else { Ok(()) }
}

/// Names of fields that some servers take for those with a hyphen, and would frame a body by.
pub const DISGUISED: [&str; 2] = ["content_length", "transfer_encoding"];
/// What is said of one.
pub const IN_DISGUISE: &str = "a field is named as Content-Length or Transfer-Encoding, with an underscore: some servers take it for that";

/// Checks the fields that decide where a request goes and where it ends.
///
/// # Errors
/// The sentence for the answer.
pub fn check_fields<'a>(fields: impl Iterator<Item = (&'a str, &'a [u8])>, is_http_1_0: bool) -> Result<Fields, Malformed> {
    let mut found = Fields::default();
    let mut length: Option<&[u8]> = None;
    let mut encoding: Option<&[u8]> = None;
    for (name, value) in fields {
        let slot = match name {
            name if name.eq_ignore_ascii_case("host") => {
                if found.host.replace(host_field(value)?).is_some() {
                    return Err(Malformed("the request has more than one Host field"));
                }
                continue;
            }
            name if name.eq_ignore_ascii_case("proxy-authorization") => {
                if found.credentials.replace(Offered::new(value)).is_some() {
                    return Err(Malformed("the request has more than one Proxy-Authorization field"));
                }
                continue;
            }
            name if name.eq_ignore_ascii_case("content-length") => &mut length,
            name if name.eq_ignore_ascii_case("transfer-encoding") => &mut encoding,
            name if DISGUISED.iter().any(|disguised| name.eq_ignore_ascii_case(disguised)) => return Err(Malformed(IN_DISGUISE)),
            _ => continue,
        };
        if slot.replace(value).is_some() {
            return Err(Malformed("the length of the body is stated more than once"));
        }
    }
    found.body = body(length, encoding, is_http_1_0)?;
    Ok(found)
}

fn host_field(value: &[u8]) -> Result<Host, Malformed> {
    Destination::with_default_port(value, 80).map(|destination| destination.host).map_err(|_| Malformed("the Host field is no host"))
}

fn body(length: Option<&[u8]>, encoding: Option<&[u8]>, is_http_1_0: bool) -> Result<Body, Malformed> {
    match (length, encoding) {
        (Some(_), Some(_)) => Err(Malformed("Content-Length and Transfer-Encoding exclude each other")),
        (None, Some(_)) if is_http_1_0 => Err(Malformed("HTTP/1.0 has no Transfer-Encoding")),
        (None, Some(encoding)) if encoding.eq_ignore_ascii_case(b"chunked") => Ok(Body::Chunked),
        (None, Some(_)) => Err(Malformed("the only transfer encoding is chunked")),
        (Some(length), None) => decimal(length).map(Body::Sized).ok_or(Malformed("Content-Length is no number of at most 18 digits")),
        (None, None) => Ok(Body::default()),
    }
}

/// Digits only, at most 18 of them: no sign, no space, no overflow.
fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 18 || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(text.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connect(lines: &str) -> Result<Opening, Malformed> {
        read(format!("{lines}\r\n\r\n").as_bytes(), Form::Absolute).map(|head| head.opening)
    }

    #[test]
    fn what_real_clients_send_is_read() {
        for head in [
            "CONNECT t.imagicle.com:443 HTTP/1.1\r\nHost: t.imagicle.com:443",
            "CONNECT t.imagicle.com:443 HTTP/1.1\r\nhost: t.imagicle.com\r\nProxy-Connection: close",
            "CONNECT t.imagicle.com:443 HTTP/1.0",
            "CONNECT T.Imagicle.com:443 HTTP/1.1\r\nHost: t.imagicle.com.:443\r\nContent-Length: 0",
        ] {
            let destination = Destination::from_authority(b"t.imagicle.com:443").expect("a destination");
            match connect(head) {
                Ok(Opening::Connect(found, host, None)) => {
                    assert!(found == destination && host.is_none_or(|host| host == destination.host), "{head}");
                }
                other => panic!("{head}: {other:?}"),
            }
        }
        assert_eq!(connect("GET http://a.com/ HTTP/1.1\r\nHost: a.com"), Ok(Opening::Http));
        assert_eq!(connect("GET http://a.com/ HTTP/1.0"), Ok(Opening::Http));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for head in [
            "GET http://a.com/ HTTP/1.1",
            "GET http:///x HTTP/1.1\r\nHost: a.com",
            "GET http://a.com/#x HTTP/1.1\r\nHost: a.com",
            "GET /x HTTP/1.1\r\nHost: a.com",
            "GET http://a.com/ HTTP/1.1\r\nHost: a.com\r\nHost: a.com",
            "GET http://a.com/ HTTP/1.1\r\nHost: a.com, b.com",
            "GET http://a.com/ HTTP/1.1\r\nHost: a.com/x",
            "GET http://a.com/ HTTP/1.1\r\nHost: u@a.com",
            "GET http://a.com/ HTTP/1.1\r\nHost:",
            "GET http://a.com/ HTTP/1.1\r\nHost: a.com\r\nX: a\nTransfer-Encoding: chunked",
            "GET http://a.com/ HTTP/1.1\r\nHost: a.com\r\nX: a\r\n folded",
            "GET http://a.com/ HTTP/1.1\r\nHost : a.com",
            "GET  http://a.com/ HTTP/1.1\r\nHost: a.com",
            "GET http://a.com/ HTTP/1.2\r\nHost: a.com",
            "GET http://a.com/ HTTP/2.0\r\nHost: a.com",
            "GET http://a.com/\r\nHost: a.com",
            "POST http://a.com/ HTTP/1.1\r\nHost: a.com\r\nContent-Length: 4\r\nTransfer-Encoding: chunked",
            "POST http://a.com/ HTTP/1.1\r\nHost: a.com\r\nContent-Length: 5\r\nContent-Length: 5",
            "POST http://a.com/ HTTP/1.1\r\nHost: a.com\r\nContent-Length: 5, 5",
            "POST http://a.com/ HTTP/1.1\r\nHost: a.com\r\nContent-Length: +5",
            "POST http://a.com/ HTTP/1.1\r\nHost: a.com\r\nContent-Length:",
            "POST http://a.com/ HTTP/1.1\r\nHost: a.com\r\nContent-Length: 18446744073709551616",
            "POST http://a.com/ HTTP/1.1\r\nHost: a.com\r\nTransfer-Encoding: ,chunked",
            "POST http://a.com/ HTTP/1.1\r\nHost: a.com\r\nTransfer-Encoding: gzip, chunked",
            "POST http://a.com/ HTTP/1.1\r\nHost: a.com\r\nTransfer-Encoding: identity",
            "POST http://a.com/ HTTP/1.0\r\nTransfer-Encoding: chunked",
            "CONNECT a.com:443 HTTP/1.1\r\nContent-Length: 1",
            "CONNECT a.com:443 HTTP/1.1\r\nTransfer-Encoding: chunked",
            "CONNECT a.com:443 HTTP/1.1\r\nProxy-Authorization: Basic dTpw\r\nProxy-Authorization: Basic dTpw",
            "GET http://a.com/ HTTP/1.1\r\nHost: a.com\r\nProxy-Authorization: Basic dTpw\r\nproxy-authorization: Basic dTpx",
            "CONNECT a.com HTTP/1.1",
            "CONNECT /x HTTP/1.1",
            "CONNECT * HTTP/1.1",
            "CONNECT https://a.com:443/ HTTP/1.1",
        ] {
            assert!(connect(head).is_err(), "{head:?}");
        }
    }

    #[test]
    fn the_end_is_found_however_the_bytes_arrive() {
        let head = b"CONNECT a.com:443 HTTP/1.1\r\n\r\nrest";
        for cut in 0..head.len() {
            let first = head.get(..cut).expect("in range");
            let found = end(first, 0).or_else(|| end(head, cut));
            assert_eq!(found, Some(head.len() - 4), "cut at {cut}");
        }
    }

    #[test]
    fn other_protocols_are_told_apart() {
        assert!(check_start(b"\x16\x03\x01").is_err_and(|error| error.0.contains("TLS")));
        assert!(check_start(b"\x05\x01\x00").is_err_and(|error| error.0.contains("SOCKS")));
        assert!(check_start(b"PRI * HTTP/2.0\r\n").is_err_and(|error| error.0.contains("HTTP/2")));
        assert_eq!(check_start(b"GET"), Ok(()));
        assert_eq!(check_start(b""), Ok(()));
    }
}
