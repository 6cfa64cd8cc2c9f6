//! The same lines on the other ways in: TLS to the proxy, HTTP/2, raw TLS.

use super::{Answered, Line, assert_as_written, lines_on};
use crate::hello::craft::{HOST_NAME, Hello};
use crate::support::client::{RawClient, within_deadline};
use crate::support::daemon::{Daemon, records};
use crate::support::entrance::Reception;
use crate::support::http2::{Frame, GOAWAY, HEADERS, PREFACE, RST_STREAM, SETTINGS, frame, frame_on};
use crate::support::origin::RawOrigin;
use crate::support::proxy::Setup;
use std::collections::BTreeSet;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// `END_HEADERS` (RFC 9113 section 6.2).
const END_HEADERS: u8 = 4;

/// The real binary with all its entrances, and an origin that is every allowed host.
async fn world(reception: &Reception, origin: &RawOrigin, lines: &[Line]) -> Daemon {
    let hosts: BTreeSet<String> = lines.iter().filter(|line| line.is_allowed()).map(Line::host).collect();
    let setup = hosts.iter().fold(Setup::new(), |setup, host| setup.host(host, origin.addr())).sni();
    let setup = setup.section("[[sni]]\naddress = \"127.0.0.1:0\"\nport = 1636");
    Daemon::start(&reception.configure(setup, "").text()).await
}

/// What the log says of the exchange behind so many others of its kind.
async fn logged(daemon: &mut Daemon, protocol: &str, before: usize) -> String {
    daemon.wait_for_lines("the decision is logged", |lines| of(lines, protocol).len() > before).await;
    let lines = daemon.lines();
    let record = of(&lines, protocol)[before];
    let field = |name: &str| record[name].as_str().expect("a text").to_owned();
    verdict(&Answered { reason: Some(field("reason")).filter(|reason| !reason.is_empty()), rule: field("rule"), service: field("service") })
}

fn of<'a>(lines: &'a [serde_json::Value], protocol: &str) -> Vec<&'a serde_json::Value> {
    records(lines).into_iter().filter(|line| line["protocol"] == protocol).collect()
}

fn verdict(answered: &Answered) -> String {
    match &answered.reason {
        Some(reason) => format!("deny by {reason}"),
        None => format!("allow by {}", answered.rule),
    }
}

#[tokio::test]
async fn connect_over_tls_decides_as_written() {
    let (reception, origin, lines) = (Reception::new(), RawOrigin::start().await, lines_on('c'));
    let mut daemon = world(&reception, &origin, &lines).await;
    let mut seen = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let mut client = RawClient::over(reception.connect(daemon.proxy, &[b"http/1.1"]).await.expect("a handshake"));
        client.send(&[b"CONNECT ", &line.destination[..], b" HTTP/1.0\r\n\r\n"].concat()).await;
        let status = client.read_head().await.status;
        drop(client);
        let protocol = "connect";
        // A head that cannot be read is no CONNECT yet.
        let verdict =
            if status == 400 { "deny by bad_request".to_owned() } else { logged(&mut daemon, protocol, number - refused(&seen)).await };
        seen.push((line, verdict));
    }
    assert_as_written(seen);
    origin.wait_for_connections(lines.iter().filter(|line| line.is_allowed()).count()).await;
}

fn refused(seen: &[(&Line, String)]) -> usize {
    seen.iter().filter(|(_, verdict)| verdict == "deny by bad_request").count()
}

/// One connection for as many streams as it stands: what is no authority at all is an error of the protocol, which the library ends
/// the stream for, or the connection.
struct Raw {
    stream: TlsStream<TcpStream>,
    next: u32,
    unread: Vec<u8>,
}

impl Raw {
    async fn start(reception: &Reception, daemon: &Daemon) -> Self {
        let mut stream = reception.connect(daemon.proxy, &[b"h2"]).await.expect("a handshake");
        stream.write_all(&[PREFACE, &frame(SETTINGS, 0, &[])].concat()).await.expect("it is taken");
        Self { stream, next: 1, unread: Vec::new() }
    }

    /// CONNECT with the authority as it is written; whether it was answered with a head. `None`: the connection ended.
    async fn ask(&mut self, authority: &[u8]) -> Option<bool> {
        // Fields without indexing, named by the static table: `:method` is 2, `:authority` is 1 (RFC 7541 appendix A).
        let block = [&[0x02, 7][..], b"CONNECT", &[0x01], &length(authority.len()), authority].concat();
        let stream = self.next;
        self.next += 2;
        self.stream.write_all(&frame_on(stream, HEADERS, END_HEADERS, &block)).await.ok()?;
        loop {
            let frame = self.read().await?;
            match frame.kind {
                HEADERS if frame.stream == stream => return Some(true),
                RST_STREAM if frame.stream == stream => return Some(false),
                GOAWAY => return None,
                _ => {}
            }
        }
    }

    async fn read(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, length)) = Frame::first(&self.unread) {
                self.unread.drain(..length);
                return Some(frame);
            }
            let read = within_deadline("a frame", self.stream.read_buf(&mut self.unread)).await;
            read.ok().filter(|read| *read > 0)?;
        }
    }
}

/// A length with a prefix of seven bits (RFC 7541 section 5.1).
fn length(length: usize) -> Vec<u8> {
    let Some(mut rest) = length.checked_sub(127) else { return vec![u8::try_from(length).expect("seven bits")] };
    let mut bytes = vec![127];
    while rest >= 128 {
        bytes.push(u8::try_from(rest % 128).expect("seven bits") | 128);
        rest /= 128;
    }
    bytes.push(u8::try_from(rest).expect("seven bits"));
    bytes
}

#[tokio::test]
async fn connect_over_http2_decides_as_written() {
    let (reception, origin, lines) = (Reception::new(), RawOrigin::start().await, lines_on('c'));
    let mut daemon = world(&reception, &origin, &lines).await;
    let (mut raw, mut answered, mut seen) = (Raw::start(&reception, &daemon).await, 0, Vec::new());
    for line in &lines {
        let verdict = match raw.ask(&line.destination).await {
            Some(true) => {
                answered += 1;
                // An allowed one is logged when it ends.
                if line.is_allowed() {
                    raw.end().await;
                }
                logged(&mut daemon, "connect_h2", answered - 1).await
            }
            Some(false) => "deny by bad_request".to_owned(),
            None => {
                raw = Raw::start(&reception, &daemon).await;
                answered += 1;
                // The end of the connection has a record of its own.
                logged(&mut daemon, "connect_h2", answered - 1).await
            }
        };
        seen.push((line, verdict));
    }
    assert_as_written(seen);
    assert!(answered > 300, "{answered} were answered with a head");
    origin.wait_for_connections(lines.iter().filter(|line| line.is_allowed()).count()).await;
}

impl Raw {
    /// Resets the stream that was asked last.
    async fn end(&mut self) {
        let cancel = 8_u32.to_be_bytes();
        self.stream.write_all(&frame_on(self.next - 2, RST_STREAM, 0, &cancel)).await.expect("it is taken");
    }
}

#[tokio::test]
async fn raw_tls_decides_as_written() {
    let (reception, origin, lines) = (Reception::new(), RawOrigin::start().await, lines_on('c'));
    let mut daemon = world(&reception, &origin, &lines).await;
    let mut seen = Vec::new();
    for line in &lines {
        let Some((host, listener)) = for_raw(line) else { continue };
        let mut client = RawClient::connect(daemon.snis[listener]).await;
        client.send(&Hello::default().names(&[(HOST_NAME, host)]).bytes()).await;
        client.finish().await;
        let verdict = logged(&mut daemon, "sni", seen.len()).await;
        // A name that no hello may carry makes it no hello.
        seen.push((line, verdict.replace("deny by not_tls", "deny by bad_request")));
    }
    assert!(seen.len() > 300, "{} lines have a port that is listened for", seen.len());
    assert_as_written(seen);
    origin.wait_for_connections(lines.iter().filter(|line| line.is_allowed()).count()).await;
}

/// The host as written, and the listener of the port.
fn for_raw(line: &Line) -> Option<(&[u8], usize)> {
    let at = line.destination.iter().rposition(|byte| *byte == b':')?;
    let (host, port) = line.destination.split_at(at);
    let listener = [&b":443"[..], b":1636"].iter().position(|known| *known == port)?;
    Some((host, listener))
}
