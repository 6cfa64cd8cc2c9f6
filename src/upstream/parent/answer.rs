//! The answer of a parent to CONNECT: read strictly and bounded, then judged.

use super::Parent;
use super::failure::{Failure, Meaning};
use crate::destination::Destination;
use crate::error::{Reason, Refusal, RuleName};
use crate::metrics::ParentOutcome;
use crate::socket::Socket;
use httparse::{EMPTY_HEADER, Response, Status};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Largest head of an answer.
const MAX_HEAD: usize = 64 * 1024;
/// Most fields of it.
const MAX_FIELDS: usize = 100;
/// What is read at a time.
const READ: usize = 2 * 1024;
/// The port that proxies allow CONNECT to without being told.
const USUAL_PORT: u16 = 443;
/// Schemes whose names are repeated in a detail; what else a parent writes is not.
const SCHEMES: &[&str] = &["Negotiate", "NTLM", "Kerberos", "Digest", "Bearer"];

/// Squid's words for a destination that it did not reach. One misspelt host must not take the parent away from all others.
const DESTINATION_FAILED: &[&[u8]] = &[b"ERR_DNS_FAIL", b"ERR_CONNECT_FAIL", b"ERR_CANNOT_FORWARD", b"ERR_READ_TIMEOUT"];

/// The rule of a parent that wants credentials, or others.
pub const CREDENTIALS: RuleName = RuleName::Builtin("upstream.parent-credentials");
const REFUSED: RuleName = RuleName::Builtin("upstream.parent-refused");
const FAILED: RuleName = RuleName::Builtin("upstream.parent-failed");

/// What is read of an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Answer {
    status: u16,
    /// Whether Basic credentials would be taken.
    takes_basic: bool,
    /// The schemes that would be taken, of those that are known.
    takes: Vec<&'static str>,
    /// Squid says that it cannot resolve the host.
    dns_failed: bool,
    /// Squid says that it is the destination that failed, not Squid.
    is_well: bool,
    /// Bytes behind the head.
    behind: usize,
}

/// Sends the request and judges the answer.
///
/// # Errors
/// What the answer means.
pub async fn ask(stream: &mut Socket, parent: &Parent, request: &str, destination: &Destination) -> Result<(), Failure> {
    if stream.write_all(request.as_bytes()).await.is_err() || stream.flush().await.is_err() {
        return Err(broke_off(parent));
    }
    let mut read = Vec::with_capacity(READ);
    loop {
        let before = read.len();
        read.reserve(READ);
        match stream.read_buf(&mut read).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => return Err(broke_off(parent)),
        }
        match head(&read, before) {
            Ok(Some(answer)) => return judge(&answer, parent, destination),
            Ok(None) => {}
            Err(what) => return Err(down(parent, Reason::UpstreamFailed, what)),
        }
    }
}

/// Reads the head of an answer once it is complete; what was there `before` was looked at already.
///
/// # Errors
/// What is wrong with it.
pub fn head(read: &[u8], before: usize) -> Result<Option<Answer>, &'static str> {
    let not_http = "does not answer CONNECT as an HTTP proxy does; check scheme and port of upstream.parent";
    let fresh = read.get(before.saturating_sub(3)..).unwrap_or_default();
    let end = memchr::memmem::find(fresh, b"\r\n\r\n").map(|at| before.saturating_sub(3) + at + 4);
    let head = read.get(..end.unwrap_or(read.len())).unwrap_or(read);
    if head.len() > MAX_HEAD {
        return Err("answers with a head of more than 64 KiB");
    }
    // A line that ends without CR is where two readers of one head part.
    let looked_at = before.min(head.len());
    let bare = |at: &usize| at.checked_sub(1).is_none_or(|previous| head.get(previous) != Some(&b'\r'));
    if memchr::memchr_iter(b'\n', head.get(looked_at..).unwrap_or_default()).map(|at| looked_at + at).any(|at| bare(&at)) {
        return Err(not_http);
    }
    // Enough to see at once that it is another protocol; the parser would pass over empty lines.
    if read.iter().zip(b"HTTP/1.").any(|(is, wanted)| is != wanted) {
        return Err(not_http);
    }
    if end.is_none() {
        return Ok(None);
    }
    let mut fields = [EMPTY_HEADER; MAX_FIELDS];
    let mut response = Response::new(&mut fields);
    let Ok(Status::Complete(length)) = response.parse(head) else { return Err(not_http) };
    let mut answer = Answer { status: response.code.unwrap_or_default(), behind: read.len() - length, ..Answer::default() };
    for field in response.headers.iter() {
        if field.name.eq_ignore_ascii_case("proxy-authenticate") {
            offered(&mut answer, field.value);
        } else if field.name.eq_ignore_ascii_case("x-squid-error") {
            answer.dns_failed |= field.value.starts_with(b"ERR_DNS_FAIL");
            answer.is_well |= DESTINATION_FAILED.iter().any(|error| field.value.starts_with(error));
        }
    }
    Ok(Some(answer))
}

/// The schemes of a `Proxy-Authenticate` field (RFC 9110 section 11.7.1): words that start a challenge.
fn offered(answer: &mut Answer, value: &[u8]) {
    for challenge in value.split(|byte| *byte == b',') {
        let word = challenge.trim_ascii().split(|byte| *byte == b' ').next().unwrap_or_default();
        answer.takes_basic |= word.eq_ignore_ascii_case(b"basic");
        let known = SCHEMES.iter().find(|scheme| word.eq_ignore_ascii_case(scheme.as_bytes()));
        answer.takes.extend(known.filter(|scheme| !answer.takes.contains(scheme)));
    }
}

fn judge(answer: &Answer, parent: &Parent, destination: &Destination) -> Result<(), Failure> {
    let (shown, status) = (parent.shown(), answer.status);
    let refused = |detail| Err(told(Reason::ConnectFailed, detail, REFUSED, ParentOutcome::Refused, Meaning::Final));
    match status {
        200..=299 if answer.behind == 0 => Ok(()),
        // Every protocol that is carried has the client speak first.
        200..=299 => {
            Err(down(parent, Reason::ConnectFailed, "sent bytes before the tunnel's client spoke: it is no proxy that can be used"))
        }
        407 => Err(told(Reason::UpstreamFailed, credentials(answer, parent), CREDENTIALS, ParentOutcome::Credentials, Meaning::Final)),
        // Not a word about the destination: it has too much to do (RFC 6585 section 4), or did not get the request in time.
        408 | 429 => {
            Err(down(parent, Reason::UpstreamFailed, "has too much to do, or is too slow, and says so (408 or 429); see its own limits"))
        }
        300..=399 => refused(format!(
            "the parent {shown} redirects instead of connecting ({status}), as to a page to log in; let this machine pass there without one"
        )),
        400..=499 if destination.port != USUAL_PORT => refused(format!(
            "the parent {shown} refused port {port} ({status}); allow CONNECT to it there (Squid: add it to SSL_ports; tinyproxy: ConnectPort {port}), and to {host}",
            port = destination.port,
            host = destination.host,
        )),
        400..=499 => refused(format!("the parent {shown} refused {destination} ({status}); allow CONNECT to it there")),
        500..=599 => Err(failed(answer, parent, destination)),
        _ => Err(down(parent, Reason::UpstreamFailed, "gave an answer that CONNECT does not have; check that it is a proxy")),
    }
}

/// A 5xx: the destination or the parent itself.
fn failed(answer: &Answer, parent: &Parent, destination: &Destination) -> Failure {
    let (shown, status) = (parent.shown(), answer.status);
    let (reason, detail) = if answer.dns_failed {
        (Reason::ResolveFailed, format!("the parent {shown} cannot resolve {}; mend its name servers", destination.host))
    } else if status == 504 {
        (Reason::ConnectTimeout, format!("the parent {shown} got no answer from {destination} in time ({status})"))
    } else {
        let detail = format!(
            "the parent {shown} could not connect to {destination} ({status}): it may not resolve there, or not answer; its own log says why"
        );
        (Reason::UpstreamFailed, detail)
    };
    told(reason, detail, FAILED, ParentOutcome::Failed, if answer.is_well { Meaning::Elsewhere } else { Meaning::Down })
}

fn credentials(answer: &Answer, parent: &Parent) -> String {
    let shown = parent.shown();
    if !answer.takes_basic && !answer.takes.is_empty() {
        let takes = answer.takes.join(" and ");
        return format!(
            "the parent {shown} takes {takes} and no Basic, which is all this version has; allow Basic there, or let this machine pass without"
        );
    }
    if parent.has_credentials() {
        return format!(
            "the parent {shown} does not take the configured user and password; mend them in upstream.parent and its password file"
        );
    }
    format!("the parent {shown} wants credentials; write its user into upstream.parent and set upstream.parent_password_file")
}

fn told(reason: Reason, detail: String, rule: RuleName, outcome: ParentOutcome, meaning: Meaning) -> Failure {
    Failure { refusal: Refusal::new(reason, detail, rule), outcome: Some(outcome), meaning }
}

/// The parent cannot be used now.
fn down(parent: &Parent, reason: Reason, what: &str) -> Failure {
    told(reason, format!("the parent {} {what}", parent.shown()), FAILED, ParentOutcome::Failed, Meaning::Down)
}

fn broke_off(parent: &Parent) -> Failure {
    down(parent, Reason::UpstreamFailed, "broke off before it answered CONNECT; check scheme and port of upstream.parent")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As if it came cut at every byte.
    fn read(bytes: &[u8]) -> Result<Option<Answer>, &'static str> {
        let mut before = 0;
        for now in 1..bytes.len() {
            match head(bytes.get(..now).unwrap_or_default(), before)? {
                None => before = now,
                Some(answer) => return Ok(Some(answer)),
            }
        }
        head(bytes, before)
    }

    #[test]
    fn heads_are_read_however_they_are_cut() {
        let squid =
            b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate\r\nproxy-authenticate: Basic realm=\"x\"\r\n\r\n";
        let answer = Answer { status: 407, takes_basic: true, takes: vec!["Negotiate"], ..Answer::default() };
        assert_eq!(read(squid), Ok(Some(answer)));
        let tinyproxy = b"HTTP/1.0 200 Connection established\r\nProxy-agent: tinyproxy/1.11.1\r\n\r\n";
        assert_eq!(read(tinyproxy), Ok(Some(Answer { status: 200, ..Answer::default() })));
        let dns = b"HTTP/1.1 503 Service Unavailable\r\nX-Squid-Error: ERR_DNS_FAIL 0\r\n\r\n";
        assert_eq!(read(dns), Ok(Some(Answer { status: 503, dns_failed: true, is_well: true, ..Answer::default() })));
        assert_eq!(head(b"HTTP/1.1 200 OK\r\n\r\nhello", 0).map(|answer| answer.map(|answer| answer.behind)), Ok(Some(5)));
        assert_eq!(read(b"HTTP/1.1 200 OK\r\nServer: x\r\n"), Ok(None));
    }

    #[test]
    fn what_is_no_head_is_told_at_once() {
        for bytes in [
            &b"SSH-2.0-OpenSSH_9.2\r\n"[..],
            b"HTTP/2 200\r\n\r\n",
            b"HTTP/1.1 200 OK\n\n",
            b"HTTP/1.1 200 OK\r\nA: b\n\r\n",
            b"HTTP/1.1 200 OK\r\n a: b\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
            b"HTTP/1.1 20 OK\r\n\r\n",
            b"HTTP/1.1  OK\r\n\r\n",
            b"\x15\x03\x01\x00\x02\x02\x46",
            b"<html>",
            b"\r\nHTTP/1.1 200 OK\r\n\r\n",
        ] {
            assert!(read(bytes).is_err() && head(bytes, 0).is_err(), "{}", String::from_utf8_lossy(bytes));
        }
        let large = [b"HTTP/1.1 200 OK\r\nA: ".to_vec(), vec![b'a'; MAX_HEAD]].concat();
        assert!(head(&large, 0).is_err());
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(MAX_FIELDS + 1));
        assert!(head(many.as_bytes(), 0).is_err());
    }
}
