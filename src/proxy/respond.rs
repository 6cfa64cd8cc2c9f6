//! The answer to a refused request: RFC 9457 body, RFC 9209 `Proxy-Status`, the decision id, the reason in the reason phrase.

use crate::audit::{DecisionId, Record, Start};
use crate::destination::Malformed;
use crate::error::{Advice, Reason, Refusal};
use crate::metrics::Protocol;
use crate::proxy::body::AnswerBody;
use crate::proxy::call::status_fields;
use crate::proxy::context::Context;
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, PROXY_AUTHENTICATE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version};
use hyper::ext::ReasonPhrase;
use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

/// The proxy's name in `Proxy-Status`.
const PROXY: &str = "ucx-egress";
/// How long a refused client may take to read its answer before the socket is closed under it.
const LINGER: Duration = Duration::from_secs(2);
/// What a refused client may still send meanwhile.
const LINGER_BYTES: usize = 256 * 1024;
/// The same for a client in the middle of a body.
const LINGER_BODY: Duration = Duration::from_secs(15);
/// What of such a body is thrown away.
const LINGER_BODY_BYTES: usize = 64 * 1024 * 1024;
/// Header fields that carry the decision.
const DECISION_ID: HeaderName = HeaderName::from_static("x-decision-id");
const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");
const METHODS: &str = "CONNECT, GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// A complete answer.
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    phrase: String,
    headers: Vec<(HeaderName, String)>,
    body: Vec<u8>,
}

impl Answer {
    /// The answer to a refusal. The connection is closed behind it: RFC 9931 demands that of a refused CONNECT.
    #[must_use]
    pub fn refusal(refusal: &Refusal, id: DecisionId) -> Self {
        let reason = refusal.reason;
        let status = StatusCode::from_u16(reason.status()).unwrap_or(StatusCode::FORBIDDEN);
        let mut headers = vec![
            (CONTENT_TYPE, "application/problem+json".to_owned()),
            (DECISION_ID, id.to_string()),
            (PROXY_STATUS, proxy_status(reason)),
            (CACHE_CONTROL, "no-store".to_owned()),
            (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        ];
        if reason == Reason::MethodNotAllowed {
            headers.push((ALLOW, METHODS.to_owned()));
        }
        headers.extend(advice(&refusal.advice));
        let phrase = format!("{} ({reason})", status.canonical_reason().unwrap_or("Refused"));
        Self { status, phrase, headers, body: problem(refusal, id) }
    }

    /// As bytes for a connection that no HTTP server has in hand.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512 + self.body.len());
        // Writing to memory cannot fail.
        let _ = write!(bytes, "HTTP/1.1 {} {}\r\n", self.status.as_str(), self.phrase);
        for (name, value) in &self.headers {
            let _ = write!(bytes, "{name}: {value}\r\n");
        }
        let _ = write!(bytes, "content-length: {}\r\nconnection: close\r\n\r\n", self.body.len());
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// As head and body of an HTTP/2 answer.
    #[must_use]
    pub fn into_parts(self) -> (Response<()>, Bytes) {
        let mut response = Response::new(());
        *response.version_mut() = Version::HTTP_2;
        *response.status_mut() = self.status;
        add_fields(response.headers_mut(), self.headers);
        response.headers_mut().insert(CONTENT_LENGTH, self.body.len().into());
        (response, self.body.into())
    }

    /// As a response for the HTTP server. In HTTP/2 the stream ends and the connection stays.
    #[must_use]
    pub fn into_response(self, version: Version) -> Response<AnswerBody> {
        let mut response = Response::new(AnswerBody::full(self.body));
        *response.status_mut() = self.status;
        response.extensions_mut().insert(Ours);
        if let Ok(phrase) = ReasonPhrase::try_from(self.phrase.into_bytes()) {
            response.extensions_mut().insert(phrase);
        }
        add_fields(response.headers_mut(), self.headers);
        if version != Version::HTTP_2 {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

fn add_fields(headers: &mut HeaderMap, fields: Vec<(HeaderName, String)>) {
    for (name, value) in fields {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}

/// The field by which a program knows what to do.
fn advice(advice: &Advice) -> Option<(HeaderName, String)> {
    match advice {
        Advice::None => None,
        Advice::Authenticate(realm) => Some((PROXY_AUTHENTICATE, format!("Basic realm=\"{realm}\", charset=\"UTF-8\""))),
        Advice::RetryAfter(wait) => Some((RETRY_AFTER, whole_seconds(*wait).to_string())),
    }
}

/// Rounded up, one at least: whoever comes back then finds a place (RFC 9110 section 10.2.3).
fn whole_seconds(wait: Duration) -> u64 {
    let part = u64::from(wait.subsec_nanos() > 0);
    (wait.as_secs() + part).max(1)
}

/// The RFC 9457 document. Details are our own sentences with at most a host in normal form in them.
fn problem(refusal: &Refusal, id: DecisionId) -> Vec<u8> {
    let reason = refusal.reason;
    let document = serde_json::json!({
        "type": format!("urn:ucx-egress:reason:{reason}"),
        "title": reason.title(),
        "status": reason.status(),
        "detail": refusal.detail,
        "reason": reason.label(),
        "decision": id.to_string(),
        "rule": refusal.rule.as_str(),
    });
    format!("{document:#}\n").into_bytes()
}

/// Notes the refusal and gives its answer.
#[must_use]
pub fn refused(record: &mut Record, refusal: &Refusal) -> Answer {
    record.answered_with(refusal);
    Answer::refusal(refusal, record.id())
}

/// Answers a head that cannot be read.
pub async fn refuse_head<S: AsyncRead + AsyncWrite + Unpin>(context: &Context, stream: S, client: SocketAddr, malformed: Malformed) {
    refuse_unread(context, stream, client, &Refusal::bad_request(malformed.0)).await;
}

/// Answers a request of which no more is known.
pub async fn refuse_unread<S: AsyncRead + AsyncWrite + Unpin>(context: &Context, stream: S, client: SocketAddr, refusal: &Refusal) {
    let mut record = context.record(Start { client, protocol: Protocol::Http1, method: "-" });
    let answer = refused(&mut record, refusal).into_bytes();
    drop(record);
    send_and_close(stream, answer).await;
}

/// As [`refuse_unread`], for a client whose place is taken by another one: it is told as far as its socket takes that, and not waited for.
pub fn refuse_at_once<S: AsyncRead + AsyncWrite + Unpin>(context: &Context, mut stream: S, client: SocketAddr, refusal: &Refusal) {
    let mut record = context.record(Start { client, protocol: Protocol::Http1, method: "-" });
    let answer = refused(&mut record, refusal).into_bytes();
    drop(record);
    let _ = async {
        stream.write_all(&answer).await?;
        stream.shutdown().await
    }
    .now_or_never();
}

/// Adds the decision id to an answer.
pub fn add_decision_id(record: &Record, headers: &mut HeaderMap) {
    // Written in place: every answer has one.
    let mut text = [0; DecisionId::MAX_LENGTH];
    let mut rest = &mut text[..];
    let _ = write!(rest, "{}", record.id()); // it fits
    let length = DecisionId::MAX_LENGTH - rest.len();
    if let Some(Ok(id)) = text.get(..length).map(HeaderValue::from_bytes) {
        headers.insert(DECISION_ID, id);
    }
}

/// The answer to a refused gRPC call: trailers only, so that the client's library shows the reason.
#[must_use]
pub fn refused_call(record: &mut Record, refusal: &Refusal) -> Response<AnswerBody> {
    record.refused(refusal);
    record.answered(StatusCode::OK.as_u16());
    let mut response = Response::new(AnswerBody::full(""));
    let headers = response.headers_mut();
    headers.extend(status_fields(refusal, record.id()));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    add_decision_id(record, headers);
    if let Ok(status) = HeaderValue::try_from(proxy_status(refusal.reason)) {
        headers.insert(PROXY_STATUS, status);
    }
    if let Advice::RetryAfter(wait) = refusal.advice {
        headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
    }
    response.extensions_mut().insert(Ours);
    response
}

fn proxy_status(reason: Reason) -> String {
    format!("{PROXY}; error={}; details=\"{reason}\"", reason.proxy_status())
}

/// Marks a response as ours: an upstream may send the same fields.
#[derive(Debug, Clone, Copy)]
struct Ours;

/// Whether a response is one of ours.
#[must_use]
pub fn is_refusal(response: &Response<AnswerBody>) -> bool {
    response.extensions().get::<Ours>().is_some()
}

/// Sends an answer and closes so that the client gets to read it.
pub async fn send_and_close<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, answer: Vec<u8>) {
    // A client that is gone needs no answer; the record says what happened.
    let sent = timeout(LINGER, async {
        stream.write_all(&answer).await?;
        stream.flush().await
    });
    if matches!(sent.await, Ok(Ok(()))) {
        linger(stream).await;
    }
}

/// Ends the sending side, then reads and throws away what a refused client still sends, for a moment: closing over unread bytes
/// would reset the connection and destroy the answer on its way.
pub async fn linger<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    let drained = async {
        // It may have been ended already, or the client may be gone: reading tells.
        let _ = stream.shutdown().await;
        throw_away(&mut stream, LINGER_BYTES, LINGER).await;
    };
    // One that goes on sending has had its time.
    let _ = timeout(LINGER, drained).await;
}

/// As [`linger`], for a client that is in the middle of a large body. Many look at the answer only when they have sent it all, and
/// give up with an error if the connection ends before; so the end comes last (RFC 9112 section 9.6).
pub async fn linger_for_body<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    let drained = async {
        // What was written may still wait in the TLS layer; a client that is gone shows when it is read from.
        let _ = stream.flush().await;
        throw_away(&mut stream, LINGER_BODY_BYTES, LINGER).await;
    };
    let _ = timeout(LINGER_BODY, drained).await;
    // Best effort: it has had its answer.
    let _ = timeout(LINGER, stream.shutdown()).await;
}

/// Reads until the client ends, has sent so much, or is silent for so long.
async fn throw_away<S: AsyncRead + Unpin>(stream: &mut S, most: usize, silence: Duration) {
    // Most clients send nothing more: a small piece is enough for those who are refused by the thousand.
    let mut rest = vec![0; if most > LINGER_BYTES { 16 * 1024 } else { 2 * 1024 }];
    let mut left = most;
    while let Ok(Ok(read @ 1..)) = timeout(silence, stream.read(&mut rest)).await {
        left = left.saturating_sub(read);
        if left == 0 {
            return;
        }
    }
}
