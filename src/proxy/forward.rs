//! What forwarding a request has in common, whether it came in the clear or was decrypted.

use super::body::{BodyError, Watcher};
use super::channel::Taking;
use super::context::Context;
use super::judge::{covered_by, worse};
use super::respond::add_decision_id;
use super::sent::Sent;
use crate::audit::observation::Observation;
use crate::audit::{Ended, Record};
use crate::destination::Destination;
use crate::error::{Reason, Refusal, RuleName};
use crate::fault::Layer;
use crate::listener::head::{DISGUISED, IN_DISGUISE};
use crate::metrics::Coverage;
use crate::stall::StallLimit;
use crate::upstream::Connection;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use hyper::body::Incoming;
use prometheus::IntCounter;

/// What an upstream must not answer: another protocol unasked, or a length that two parsers could read differently.
///
/// # Errors
/// `upstream_failed`.
pub fn check_answer(response: &Response<Incoming>) -> Result<(), Refusal> {
    let refuse = |detail| Err(Refusal::new(Reason::UpstreamFailed, detail, RuleName::Builtin("upstream")));
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return refuse("the upstream switched protocols unasked");
    }
    let headers = response.headers();
    if headers.contains_key(TRANSFER_ENCODING) && headers.contains_key(CONTENT_LENGTH) {
        return refuse("the upstream's answer states its length twice (RFC 9112 section 6.3)");
    }
    let is_plain =
        |length: &HeaderValue| matches!(length.as_bytes(), [b'0'] | [b'1'..=b'9', ..]) && length.as_bytes().iter().all(u8::is_ascii_digit);
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    if lengths.next().is_some_and(|length| !is_plain(length)) || lengths.next().is_some() {
        return refuse("the Content-Length of the upstream's answer is not one plain number (RFC 9110 section 8.6)");
    }
    if headers.get(TRANSFER_ENCODING).is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"chunked")) {
        return refuse("the upstream's answer has a transfer coding besides chunked, which nobody asked for (RFC 9112 section 7.4)");
    }
    Ok(())
}

/// Refuses methods that are not forwarded, fields that are read in two ways, and requests that came through this proxy before.
///
/// # Errors
/// `method_not_allowed`, `bad_request`, `loop_detected`.
pub fn check_request(context: &Context, method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
    if method_label(method) == OTHER_METHOD {
        return Err(Refusal::new(Reason::MethodNotAllowed, "this method is not forwarded", RuleName::Builtin("known-methods")));
    }
    if DISGUISED.iter().any(|name| headers.contains_key(*name)) {
        return Err(Refusal::bad_request(IN_DISGUISE));
    }
    let is_blank = |byte: Option<&u8>| byte.is_some_and(|byte| matches!(byte, b' ' | b'\t'));
    if headers.values().map(HeaderValue::as_bytes).any(|value| is_blank(value.first()) || is_blank(value.last())) {
        return Err(Refusal::bad_request("a field value begins or ends with a blank (RFC 9113 section 8.2.1)"));
    }
    if context.pseudonym.is_in(headers) {
        return Err(Refusal::new(Reason::LoopDetected, "the request came through this proxy before (Via)", RuleName::Builtin("no-loops")));
    }
    Ok(())
}

/// The Host field of a destination; the default port of its scheme is left out (RFC 9110 section 7.2).
///
/// # Errors
/// `bad_request`, for a host that cannot be written as a field.
pub fn host_field(destination: &Destination, default_port: u16) -> Result<HeaderValue, Refusal> {
    let host = if destination.port == default_port { destination.host.to_string() } else { destination.to_string() };
    HeaderValue::try_from(host).map_err(|_| Refusal::bad_request("the host cannot be written as a field"))
}

/// Adds to an answer what every answer of the cloud gets.
pub fn mark<B>(context: &Context, record: &Record, response: &mut Response<B>) {
    let version = response.version();
    context.pseudonym.add(response.headers_mut(), version);
    add_decision_id(record, response.headers_mut());
}

/// Counts a download, writes the record at its end and keeps the connection.
pub struct AnswerWatcher {
    /// The exchange.
    pub record: Record,
    /// Its request body.
    pub sent: Sent,
    /// Whether the client reads.
    pub stall: StallLimit,
    /// What the answer comes over.
    pub connection: Option<Connection>,
    /// Whether the client takes it, if its connection is an intercepted one.
    pub taking: Option<Taking>,
    /// Bytes of the request body when the answer's silence was looked at last.
    pub sent_before: u64,
    /// What was done with the messages of a call; known at its end.
    pub coverage: Option<Coverage>,
}

impl Drop for AnswerWatcher {
    fn drop(&mut self) {
        self.record.up = self.sent.bytes();
        if let Sent::Call(call) = &self.sent {
            let observed = call.observed().map(|refusal| covered_by(&refusal));
            if let Some(coverage) = self.coverage.map(|coverage| worse(coverage, observed.unwrap_or(coverage))) {
                self.record.covered(coverage);
            }
            note_call(&mut self.record, call.observed(), call.refusal());
            if let Some(asked) = self.record.observation().and_then(Observation::asked) {
                asked.messages = Some(call.messages());
            }
        }
        if self.stall.was_passed() {
            self.record.cut(Reason::IdleTimeout);
        }
    }
}

/// What became known of a call while it went on.
fn note_call(record: &mut Record, observed: Option<Refusal>, refusal: Option<Refusal>) {
    if let Some(observed) = observed {
        record.observed_later(&observed);
    }
    if let Some(refusal) = refusal {
        record.cut_by(&refusal);
    }
}

impl Watcher for AnswerWatcher {
    fn panics(&self) -> &IntCounter {
        &self.record.metrics().panics
    }

    fn passed(&mut self, bytes: u64) {
        self.record.strike(Layer::Body);
        self.record.down += bytes;
        self.record.metrics().bytes_down.inc_by(bytes);
        if let Some(taking) = &self.taking {
            taking.handed_over();
        }
    }

    fn waits(&mut self) {
        if let Some(taking) = &self.taking {
            taking.waits();
        }
    }

    fn moved_elsewhere(&mut self) -> bool {
        let before = std::mem::replace(&mut self.sent_before, self.sent.bytes());
        self.sent_before > before
    }

    fn ended(&mut self, result: Result<(), &BodyError>) {
        match result {
            Ok(()) => {
                self.record.ended(Ended::Completed);
                // A connection that still carries an upload is nobody else's.
                if let Some(connection) = self.connection.take().filter(|_| self.sent.is_complete()) {
                    connection.keep();
                }
            }
            Err(_) if self.sent.failure().is_some() => {}
            Err(BodyError::Idle | BodyError::Drips) => self.record.cut(Reason::IdleTimeout),
            Err(BodyError::Source(_)) => self.record.cut(Reason::UpstreamFailed),
            Err(BodyError::Defect) => self.record.broken(),
        }
    }
}

/// Methods that are forwarded, by the name the record uses.
#[must_use]
pub fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        _ => OTHER_METHOD,
    }
}

const OTHER_METHOD: &str = "other";
