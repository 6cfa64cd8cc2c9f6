//! Where one request ends and the next begins, followed byte by byte in front of the HTTP server.
//!
//! The HTTP server behind accepts more than this proxy does: bare line feeds, two lengths. So nothing reaches it that was not
//! checked here: a head passes whole or not at all, a body is followed to its end (RFC 9112 sections 6 and 7).

use super::head::{self, Form, MAX_HEAD, Opening};
use crate::destination::Malformed;

/// Most bytes of chunk extensions and trailers of one body.
const MAX_CHUNK_NOTES: usize = 16 * 1024;
/// Most digits of a chunk size: any length below 2^60.
const MAX_SIZE_DIGITS: u8 = 15;

/// Follows the requests of one connection.
#[derive(Debug)]
pub struct Framing {
    form: Form,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Within a head; so many bytes were searched for its end.
    Head { searched: usize },
    /// Within a body of known length.
    Sized { left: u64 },
    /// Within a chunked body.
    Chunked { part: Part, notes: usize },
    /// Behind a CONNECT: nothing is a request any more.
    Tunnel,
}

/// Where in a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// In the digits of a chunk's size.
    Size {
        size: u64,
        digits: u8,
    },
    /// In its extensions.
    Extension {
        size: u64,
    },
    /// At the LF of the size line.
    SizeEnd {
        size: u64,
    },
    /// In its data.
    Data {
        left: u64,
    },
    /// At the CR, then at the LF behind the data.
    DataCr,
    DataLf,
    /// In the trailer section; `empty` while nothing of the line was seen.
    Trailer {
        empty: bool,
    },
    /// At the LF of a trailer line.
    TrailerEnd {
        empty: bool,
    },
}

/// What may be done with the bytes at hand.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// So many of them belong together and passed; at least one.
    Pass(usize),
    /// They are part of a head that is not complete.
    NeedMore,
}

impl Framing {
    /// Starts in front of a head. `form` is what request targets must look like.
    #[must_use]
    pub fn new(form: Form) -> Self {
        Self { form, state: State::Head { searched: 0 } }
    }

    /// Whether the next byte belongs to a head.
    #[must_use]
    pub fn is_in_head(&self) -> bool {
        matches!(self.state, State::Head { .. })
    }

    /// Whether a request's body has begun and is not complete.
    #[must_use]
    pub fn is_in_body(&self) -> bool {
        matches!(self.state, State::Sized { .. } | State::Chunked { .. })
    }

    /// Judges the bytes at hand, of which there is at least one.
    ///
    /// # Errors
    /// The sentence for the answer; nothing of the connection is read any more then.
    pub fn next(&mut self, bytes: &[u8]) -> Result<Next, Malformed> {
        match self.state {
            State::Tunnel => Ok(Next::Pass(bytes.len())),
            State::Head { searched } => self.head(bytes, searched),
            State::Sized { left } => Ok(Next::Pass(self.sized(bytes.len(), left))),
            State::Chunked { part, notes } => self.chunked(bytes, part, notes).map(Next::Pass),
        }
    }

    fn head(&mut self, bytes: &[u8], searched: usize) -> Result<Next, Malformed> {
        head::check_start(bytes)?;
        let Some(length) = head::end(bytes, searched) else {
            if bytes.len() > MAX_HEAD {
                return Err(head::TOO_LARGE);
            }
            self.state = State::Head { searched: bytes.len() };
            return Ok(Next::NeedMore);
        };
        let head = head::read(bytes.get(..length).unwrap_or_default(), self.form)?;
        self.state = match (head.opening, head.body) {
            (Opening::Connect(..), _) => State::Tunnel,
            (Opening::Http, head::Body::Sized(0)) => State::Head { searched: 0 },
            (Opening::Http, head::Body::Sized(left)) => State::Sized { left },
            (Opening::Http, head::Body::Chunked) => State::Chunked { part: Part::Size { size: 0, digits: 0 }, notes: 0 },
        };
        Ok(Next::Pass(length))
    }

    fn sized(&mut self, available: usize, left: u64) -> usize {
        let now = usize::try_from(left).unwrap_or(usize::MAX).min(available);
        let left = left - now as u64;
        self.state = if left == 0 { State::Head { searched: 0 } } else { State::Sized { left } };
        now
    }

    fn chunked(&mut self, bytes: &[u8], mut part: Part, mut notes: usize) -> Result<usize, Malformed> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if let Part::Data { left } = part {
                let now = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len() - at);
                at += now;
                let left = left - now as u64;
                part = if left == 0 { Part::DataCr } else { Part::Data { left } };
                continue;
            }
            at += 1;
            if matches!(part, Part::Extension { .. } | Part::Trailer { .. }) {
                notes += 1;
            }
            if notes > MAX_CHUNK_NOTES {
                return Err(Malformed("the chunk extensions or trailers are larger than 16 KiB"));
            }
            let Some(next) = part.step(*byte)? else {
                self.state = State::Head { searched: 0 };
                return Ok(at);
            };
            part = next;
        }
        self.state = State::Chunked { part, notes };
        Ok(at)
    }
}

impl Part {
    /// One byte on; `None` at the end of the body.
    fn step(self, byte: u8) -> Result<Option<Self>, Malformed> {
        const CHUNK: Malformed = Malformed("the chunked body is malformed (RFC 9112 section 7.1)");
        let next = match (self, byte) {
            (Self::Size { size, digits }, byte) if byte.is_ascii_hexdigit() && digits < MAX_SIZE_DIGITS => {
                let digit = char::from(byte).to_digit(16).map_or(0, u64::from);
                Self::Size { size: size * 16 + digit, digits: digits + 1 }
            }
            (Self::Size { size, digits }, b'\r') if digits > 0 => Self::SizeEnd { size },
            (Self::Size { size, digits }, b';') if digits > 0 => Self::Extension { size },
            (Self::Extension { size }, b'\r') => Self::SizeEnd { size },
            (Self::Extension { size }, byte) if is_field_byte(byte) => Self::Extension { size },
            (Self::DataCr, b'\r') => Self::DataLf,
            (Self::DataLf, b'\n') => Self::Size { size: 0, digits: 0 },
            (Self::Trailer { empty }, b'\r') => Self::TrailerEnd { empty },
            (Self::Trailer { .. }, byte) if is_field_byte(byte) => Self::Trailer { empty: false },
            (Self::TrailerEnd { empty: true }, b'\n') => return Ok(None),
            (Self::SizeEnd { size: 0 } | Self::TrailerEnd { empty: false }, b'\n') => Self::Trailer { empty: true },
            (Self::SizeEnd { size }, b'\n') => Self::Data { left: size },
            _ => return Err(CHUNK),
        };
        Ok(Some(next))
    }
}

/// What may stand in a chunk extension or a trailer: no control characters but tab.
fn is_field_byte(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds the bytes in pieces and gives what passed as separate messages.
    fn follow(bytes: &[u8], piece: usize) -> Result<Vec<u8>, Malformed> {
        let mut framing = Framing::new(Form::Absolute);
        let (mut held, mut passed) = (Vec::new(), Vec::new());
        for piece in bytes.chunks(piece) {
            held.extend_from_slice(piece);
            while !held.is_empty() {
                match framing.next(&held)? {
                    Next::Pass(length) => passed.extend(held.drain(..length)),
                    Next::NeedMore => break,
                }
            }
        }
        Ok(passed)
    }

    const GET: &[u8] = b"GET http://a.com/ HTTP/1.1\r\nHost: a.com\r\n\r\n";

    fn post(framing: &str, body: &str) -> Vec<u8> {
        format!("POST http://a.com/ HTTP/1.1\r\nHost: a.com\r\n{framing}\r\n\r\n{body}").into_bytes()
    }

    #[test]
    fn requests_pass_however_they_are_cut() {
        let chunked = "5\r\nhello\r\nA;x=\"y\"\r\n0123456789\r\n0\r\nX: y\r\n\r\n";
        let stream = [GET, &post("Content-Length: 5", "hello"), GET, &post("Transfer-Encoding: chunked", chunked), GET].concat();
        for piece in 1..stream.len() {
            assert_eq!(follow(&stream, piece).as_deref(), Ok(&*stream), "pieces of {piece}");
        }
    }

    #[test]
    fn nothing_passes_behind_a_malformed_head() {
        let bad = b"GET http://a.com/ HTTP/1.1\r\nHost: a.com\nX: y\r\n\r\n";
        for (before, name) in [
            (GET.to_vec(), "a request"),
            (post("Content-Length: 3", "abc"), "a sized body"),
            (post("Transfer-Encoding: chunked", "1\r\nx\r\n0\r\n\r\n"), "a chunked body"),
        ] {
            let mut framing = Framing::new(Form::Absolute);
            let stream = [&before[..], bad].concat();
            let mut at = 0;
            let error = loop {
                match framing.next(&stream[at..]) {
                    Ok(Next::Pass(length)) => at += length,
                    Ok(Next::NeedMore) => panic!("the head is complete"),
                    Err(error) => break error,
                }
            };
            assert_eq!((at, error.0.contains("bare LF")), (before.len(), true), "behind {name}");
        }
    }

    #[test]
    fn chunks_that_two_parsers_could_read_differently_are_refused() {
        for body in [
            "0x5\r\nhello\r\n0\r\n\r\n",
            "+5\r\nhello",
            " 5\r\nhello",
            "5 \r\nhello",
            "\r\nhello",
            "G\r\n",
            "FFFFFFFFFFFFFFFF\r\n",
            "0000000000000005\r\nhello",
            "5\nhello\r\n0\r\n\r\n",
            "5;a\nhello",
            "5\r\nhello!!\r\n",
            "5\r\nhello0\r\n\r\n",
            "5\rhello",
            "0\r\nX\n\r\n",
            "0\r\nX: \0\r\n\r\n",
        ] {
            assert!(follow(&post("Transfer-Encoding: chunked", body), 4096).is_err(), "{body:?}");
        }
        let endless = format!("0\r\n{}", "X: y\r\n".repeat(4_000));
        assert!(follow(&post("Transfer-Encoding: chunked", &endless), 4096).is_err_and(|error| error.0.contains("16 KiB")));
    }
}
