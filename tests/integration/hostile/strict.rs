//! An origin that reads HTTP/1.1 to the letter and writes down what it was asked. A smuggled request is one that this reader sees
//! and the client never made; a message that a lenient server could read differently is malformed here.

use crate::support::client::RawClient;
use std::collections::HashSet;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

/// What came: a line a request, `METHOD PATH BODY-LENGTH`, or `malformed: …`.
pub type Seen = watch::Sender<Vec<String>>;

/// Serves a connection until its other side ends it or sends what is no HTTP/1.1.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut connection: RawClient<S>, seen: Seen) {
    while let Some(head) = connection.try_read_through(b"\r\n\r\n").await {
        let request = match read(&head, &mut connection).await {
            Ok(Some(request)) => request,
            // Cut off in the middle of a body: that request never happened.
            Ok(None) => return,
            Err(problem) => {
                seen.send_modify(|seen| seen.push(format!("malformed: {problem} in {:?}", String::from_utf8_lossy(&head))));
                return;
            }
        };
        seen.send_modify(|seen| seen.push(request));
        if connection.try_send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.is_err() {
            return;
        }
    }
}

/// How the body of a request is delimited.
enum Framing {
    Length(usize),
    Chunked,
}

async fn read<S: AsyncRead + AsyncWrite + Unpin>(head: &[u8], connection: &mut RawClient<S>) -> Result<Option<String>, String> {
    // A byte a character: what is over 0x7f may stand in values only.
    let text: String = head.iter().copied().map(char::from).collect();
    let (line, fields) = text.strip_suffix("\r\n\r\n").and_then(|text| text.split_once("\r\n")).ok_or("no fields")?;
    let [method, target, "HTTP/1.1"] = line.split(' ').collect::<Vec<_>>()[..] else { return Err(format!("the line {line:?}")) };
    if !is_token(method) || !target.starts_with('/') || !target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!("the line {line:?}"));
    }
    let framing = framing(fields)?;
    let length = match framing {
        Framing::Length(length) => connection.try_read_exact(length).await.map(|body| body.len()),
        Framing::Chunked => chunks(connection).await?,
    };
    Ok(length.map(|length| format!("{method} {target} {length}")))
}

fn framing(fields: &str) -> Result<Framing, String> {
    let (mut once, mut framing) = (HashSet::new(), Framing::Length(0));
    for field in fields.split("\r\n") {
        let (name, value) = field.split_once(':').ok_or_else(|| format!("the field {field:?}"))?;
        let value = value.strip_prefix(' ').unwrap_or(value);
        if !is_token(name) || value.contains(|char: char| char.is_ascii_control() && char != '\t') {
            return Err(format!("the field {field:?}"));
        }
        let name = name.to_ascii_lowercase();
        let delimits = match name.as_str() {
            "content-length" if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                framing = Framing::Length(value.parse().map_err(|_| "the length")?);
                "framing"
            }
            "transfer-encoding" if value == "chunked" => {
                framing = Framing::Chunked;
                "framing"
            }
            "content-length" | "transfer-encoding" => return Err(format!("the field {field:?}")),
            "host" => "host",
            _ => continue,
        };
        if !once.insert(delimits) {
            return Err(format!("a second {delimits}"));
        }
    }
    if once.contains("host") { Ok(framing) } else { Err("no host".to_owned()) }
}

/// The length of a chunked body; nothing where it is cut off.
async fn chunks<S: AsyncRead + AsyncWrite + Unpin>(connection: &mut RawClient<S>) -> Result<Option<usize>, String> {
    let mut length = 0;
    loop {
        let Some(line) = connection.try_read_through(b"\r\n").await else { return Ok(None) };
        let size = str::from_utf8(&line[..line.len() - 2]).map_err(|_| "a chunk size")?;
        if size.is_empty() || !size.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(format!("the chunk size {size:?}"));
        }
        let size = usize::from_str_radix(size, 16).map_err(|_| "a chunk size")?;
        if size == 0 {
            break;
        }
        let Some(chunk) = connection.try_read_exact(size + 2).await else { return Ok(None) };
        if !chunk.ends_with(b"\r\n") {
            return Err("a chunk without its end".to_owned());
        }
        length += size;
    }
    loop {
        match connection.try_read_through(b"\r\n").await.as_deref() {
            None => return Ok(None),
            Some(b"\r\n") => return Ok(Some(length)),
            Some(trailer) if trailer.contains(&b':') => {}
            Some(trailer) => return Err(format!("the trailer {:?}", String::from_utf8_lossy(trailer))),
        }
    }
}

/// RFC 9110 section 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
