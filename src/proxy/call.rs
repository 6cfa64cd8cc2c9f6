//! A gRPC call as both of its directions see it: what its messages came to, and the refusal that ends its answer with
//! `grpc-status: 7` (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>).

use super::body::BodyError;
use crate::audit::DecisionId;
use crate::error::{Reason, Refusal, RuleName};
use crate::observed::size::Sizes;
use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body::{Body, Frame};
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{self, Poll};

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// Whether a request is a gRPC call. gRPC-Web is another format.
#[must_use]
pub fn is_call<B>(request: &Request<B>) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let rest = content_type.strip_prefix("application/grpc");
    request.version() == http::Version::HTTP_2 && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', ';']))
}

/// The fields that end a call.
#[must_use]
pub fn status_fields(refusal: &Refusal, id: DecisionId) -> HeaderMap {
    let mut fields = HeaderMap::new();
    fields.insert(GRPC_STATUS, HeaderValue::from(u16::from(refusal.reason.grpc_code())));
    let message = format!("ucx-egress: {}: {} (decision {id})", refusal.reason, refusal.detail);
    if let Ok(value) = HeaderValue::from_str(&percent_encoded(&message)) {
        fields.insert(GRPC_MESSAGE, value);
    }
    fields
}

/// Printable ASCII but `%` stays as it is.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if (b' '..=b'~').contains(&byte) && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// One call, seen from both of its directions.
#[derive(Debug, Default)]
pub struct Call {
    state: Mutex<State>,
    /// Whoever answers the client waits here for a refusal.
    answering: AtomicWaker,
}

#[derive(Debug, Default)]
pub(super) struct State {
    refusal: Option<Refusal>,
    pub(super) observed: Option<Refusal>,
    /// Bytes that were released.
    pub(super) bytes: u64,
    /// Messages, and their sizes, where the mode observes.
    pub(super) messages: (u64, Option<Sizes>),
    /// Whether the client has said all it had to say.
    pub(super) complete: bool,
}

impl Call {
    pub(super) fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn refuse(&self, refusal: Refusal) {
        self.state().refusal.get_or_insert(refusal);
        self.answering.wake();
    }

    /// Why the call was refused, if it was.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        self.state().refusal.clone()
    }

    /// What enforcing would have refused first.
    #[must_use]
    pub fn observed(&self) -> Option<Refusal> {
        self.state().observed.clone()
    }

    /// Bytes that were released.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.state().bytes
    }

    /// Messages that were looked at, and their sizes, where the mode observes.
    #[must_use]
    pub fn messages(&self) -> (u64, Option<Sizes>) {
        self.state().messages
    }

    /// Whether the client has said all it had to say.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.state().complete
    }

    /// Resolves with the refusal.
    pub fn poll_refused(&self, cx: &mut task::Context<'_>) -> Poll<Refusal> {
        self.answering.register(cx.waker());
        self.refusal().map_or(Poll::Pending, Poll::Ready)
    }
}

/// An answer that ends with the call's refusal, should there be one.
pub struct Answering<B> {
    body: Option<B>,
    call: Arc<Call>,
    id: DecisionId,
}

impl<B> Answering<B> {
    /// Wraps the upstream's answer.
    #[must_use]
    pub fn new(body: B, call: Arc<Call>, id: DecisionId) -> Self {
        Self { body: Some(body), call, id }
    }
}

impl<B: Body<Data = Bytes, Error = BodyError> + Unpin> Body for Answering<B> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        if let Poll::Ready(refusal) = this.call.poll_refused(cx) {
            // The upstream's own answer ends here, and with it its stream.
            this.body = None;
            return Poll::Ready(Some(Ok(Frame::trailers(status_fields(&refusal, this.id)))));
        }
        let polled = Pin::new(body).poll_frame(cx);
        if let Poll::Ready(Some(Err(BodyError::Idle))) = &polled {
            // A client's library shows a status, and calls a reset a defect.
            this.body = None;
            let refusal =
                Refusal::new(Reason::IdleTimeout, "nothing moved for the service's idle limit", RuleName::Builtin("idle-timeout"));
            return Poll::Ready(Some(Ok(Frame::trailers(status_fields(&refusal, this.id)))));
        }
        if matches!(&polled, Poll::Ready(Some(Err(_)))) && this.call.refusal().is_some() {
            // The upstream noticed first that its stream was cancelled.
            return Pin::new(this).poll_frame(cx);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_told_from_what_is_not_grpc() {
        let call = |content_type: &str, version| {
            is_call(&Request::builder().version(version).header(CONTENT_TYPE, content_type).body(()).expect("a request"))
        };
        for content_type in ["application/grpc", "application/grpc+proto", "application/grpc;x=y"] {
            assert!(call(content_type, http::Version::HTTP_2), "{content_type}");
            assert!(!call(content_type, http::Version::HTTP_11), "{content_type} over HTTP/1.1");
        }
        for content_type in ["application/grpc-web", "application/grpc-web-text+proto", "application/json", "application/grpcx"] {
            assert!(!call(content_type, http::Version::HTTP_2), "{content_type}");
        }
    }

    #[test]
    fn messages_for_people_are_percent_encoded() {
        assert_eq!(percent_encoded("a b: 100%\né"), "a b: 100%25%0A%C3%A9");
    }
}
