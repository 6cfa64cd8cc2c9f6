//! gRPC: each message of a stream is held, judged and released on its own while the stream keeps flowing both ways. A refusal
//! ends it with `grpc-status: 7` (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>).

use super::body::BodyError;
use super::budget::Reservation;
use super::channel::{Activity, Channel};
use super::context::Context;
use super::hold::{STEP, owned, too_large};
use super::interception::Interception;
use super::judge::{Judged, Part, inspect, inspect_aside, is_large};
use crate::audit::{Counted, DecisionId};
use crate::contain::{defect, step};
use crate::error::{Reason, Refusal, RuleName};
use crate::fault::Layer;
use crate::inspect;
use crate::inspect::grpc::{self, Broken, Frames, PREFIX};
use crate::metrics::Inspected;
use crate::observed::size::Sizes;
use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body::{Body, Frame};
use hyper::body::Incoming;
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{self, Poll, ready};
use tokio::time::{Instant, Sleep, sleep_until};

/// Any error that a body may end with.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

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
struct State {
    refusal: Option<Refusal>,
    observed: Option<Refusal>,
    bytes: u64,
    /// Messages, and their sizes, where the mode observes.
    messages: (u64, Option<Sizes>),
    complete: bool,
}

impl Call {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse(&self, refusal: Refusal) {
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

/// The client's messages on their way up.
pub struct Messages {
    body: Incoming,
    kind: inspect::Call,
    frames: Frames,
    /// What its messages had so far, bounded.
    stream: inspect::Stream,
    number: u64,
    reservation: Option<Reservation>,
    /// A large message that is being judged; nothing behind it is read until it is.
    aside: Option<Aside>,
    /// Runs while a message has begun and is not complete.
    deadline: Option<Pin<Box<Sleep>>>,
    ended: bool,
    /// The stream cannot be read, and passes because the mode only observes.
    unread: bool,
    call: Arc<Call>,
    context: Arc<Context>,
    interception: Arc<Interception>,
    activity: Activity,
    counted: Counted,
}

/// A message that is judged aside.
struct Aside {
    judging: Pin<Box<dyn Future<Output = (Judged, inspect::Stream)> + Send>>,
    message: Held,
}

/// A complete message with its part of the budget.
struct Held {
    frame: grpc::Frame,
    reservation: Reservation,
}

/// The upstream is told no more than that its client cancelled.
fn cancelled() -> BoxError {
    h2::Error::from(h2::Reason::CANCEL).into()
}

impl Messages {
    /// Starts with the first message.
    #[must_use]
    pub fn new(body: Incoming, kind: inspect::Call, call: Arc<Call>, context: Arc<Context>, channel: &Channel, counted: Counted) -> Self {
        let (interception, activity) = (channel.interception.clone(), channel.activity.clone());
        let frames = Frames::new(interception.max_message);
        let (reservation, aside, deadline, ended, unread) = (None, None, None, false, false);
        let stream = inspect::Stream::default();
        Self {
            body,
            kind,
            frames,
            stream,
            number: 0,
            reservation,
            aside,
            deadline,
            ended,
            unread,
            call,
            context,
            interception,
            activity,
            counted,
        }
    }

    /// The next message that may go, if one is complete.
    fn release(&mut self) -> Result<Option<Bytes>, Refusal> {
        if self.unread {
            return Ok(self.pass_unread());
        }
        self.context.journal.faults().strike(Layer::Frames);
        let frame = match self.frames.next_frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => {
                let waits = self.wait_for_more();
                return waits.or_else(|refusal| self.give_up(refusal)).map(|()| if self.unread { self.pass_unread() } else { None });
            }
            Err(broken) => {
                self.give_up(self.broken(broken))?;
                return Ok(self.pass_unread());
            }
        };
        self.deadline = None;
        let reservation = match self.share(frame.bytes.len()) {
            Ok(reservation) => reservation,
            Err(refusal) => {
                self.give_up(refusal)?;
                self.released(&frame.bytes);
                return Ok(Some(frame.bytes));
            }
        };
        self.number += 1;
        let (number, message) = (self.number, Held { frame, reservation });
        if is_large(message.frame.message().len(), message.frame.is_compressed) {
            self.judge_aside(number, message);
            return Ok(None);
        }
        let frame = &message.frame;
        let judged = inspect(&self.context, &self.counted, Part::Message(frame.message().len()), || {
            self.interception.inspector.next_message(&self.kind, &mut self.stream, number, frame.is_compressed, frame.message())
        });
        self.release_judged(judged, message).map(Some)
    }

    /// Whoever else has calls on this connection to the cloud does not wait for a large message.
    fn judge_aside(&mut self, number: u64, message: Held) {
        let (inspector, kind, frame) = (self.interception.inspector.clone(), self.kind.clone(), message.frame.clone());
        let length = frame.message().len();
        let inspection = move |stream: &mut _| inspector.next_message(&kind, stream, number, frame.is_compressed, frame.message());
        let (context, counted, budget) = (self.context.clone(), self.counted.clone(), self.interception.budget.clone());
        let judging = Box::pin(inspect_aside(context, counted, budget, length, std::mem::take(&mut self.stream), inspection));
        self.aside = Some(Aside { judging, message });
    }

    /// The message that was judged aside, if there is one: it goes, or the call ends.
    fn poll_aside(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<Option<Bytes>, Refusal>> {
        let Some(aside) = &mut self.aside else { return Poll::Ready(Ok(None)) };
        let (judged, stream) = ready!(aside.judging.as_mut().poll(cx));
        self.stream = stream;
        let Some(Aside { message, .. }) = self.aside.take() else { return Poll::Ready(Ok(None)) };
        Poll::Ready(self.release_judged(judged, message).map(Some))
    }

    fn release_judged(&mut self, judged: Judged, Held { frame, reservation }: Held) -> Result<Bytes, Refusal> {
        self.settle(judged)?;
        if self.context.is_observing() {
            let (messages, sizes) = &mut self.call.state().messages;
            *messages += 1;
            Sizes::add(sizes, Some(Sizes::of(frame.message().len() as u64)));
        }
        self.released(&frame.bytes);
        Ok(owned(frame.bytes, reservation))
    }

    /// The budget's part of a message that is complete.
    fn share(&mut self, length: usize) -> Result<Reservation, Refusal> {
        match self.reservation.take() {
            Some(mut reservation) => reservation.grow_to(length).map(|()| reservation),
            None => self.interception.budget.reserve(length),
        }
    }

    fn released(&self, bytes: &Bytes) {
        self.activity.touch();
        self.counted.metrics().bytes_up.inc_by(bytes.len() as u64);
        self.call.state().bytes += bytes.len() as u64;
    }

    fn broken(&self, broken: Broken) -> Refusal {
        match broken {
            Broken::Flag => uninspectable("the stream is not framed as gRPC"),
            Broken::TooLarge => too_large(self.interception.max_message),
        }
    }

    /// What cannot be held or cut into messages is refused; where the mode only observes, all that follows passes unread.
    fn give_up(&mut self, refusal: Refusal) -> Result<(), Refusal> {
        if !self.context.is_observing() {
            self.counted.inspected(Inspected::Deny);
            return Err(refusal);
        }
        self.counted.inspected(Inspected::WouldDeny);
        self.call.state().observed.get_or_insert(refusal);
        self.unread = true;
        self.deadline = None;
        self.reservation = None;
        Ok(())
    }

    fn pass_unread(&mut self) -> Option<Bytes> {
        let bytes = self.frames.take_all();
        self.released(&bytes);
        (!bytes.is_empty()).then_some(bytes)
    }

    fn settle(&self, judged: Judged) -> Result<(), Refusal> {
        match judged {
            Judged::Clean => Ok(()),
            Judged::Observed(refusal) => {
                self.call.state().observed.get_or_insert(refusal);
                Ok(())
            }
            Judged::Refused(refusal) => Err(refusal),
        }
    }

    /// A message that has begun takes its part of the budget and has its time.
    fn wait_for_more(&mut self) -> Result<(), Refusal> {
        if self.frames.waiting() == 0 {
            return Ok(());
        }
        let due = Instant::now() + self.context.limits.message;
        self.deadline.get_or_insert_with(|| Box::pin(sleep_until(due)));
        // The share grows with what has come: whoever only announces much takes little from the others.
        let length = self.frames.announced().unwrap_or(PREFIX).min(self.frames.waiting().next_multiple_of(STEP));
        match &mut self.reservation {
            Some(reservation) => reservation.grow_to(length),
            None => self.interception.budget.reserve(length).map(|reservation| self.reservation = Some(reservation)),
        }
    }

    fn poll_late(&mut self, cx: &mut task::Context<'_>) -> Poll<Refusal> {
        match &mut self.deadline {
            Some(deadline) => {
                ready!(deadline.as_mut().poll(cx));
                Poll::Ready(Refusal::bad_request("the gRPC message did not arrive in time (limits.message)"))
            }
            None => Poll::Pending,
        }
    }

    fn end(&mut self) -> Result<(), Refusal> {
        if self.frames.waiting() > 0 {
            return Err(Refusal::bad_request("the gRPC stream ended within a message"));
        }
        self.call.state().complete = true;
        Ok(())
    }

    fn trailers(&mut self, trailers: HeaderMap) -> Result<Option<HeaderMap>, Refusal> {
        let judged = inspect(&self.context, &self.counted, Part::Fields, || self.interception.inspector.trailers(&trailers));
        self.settle(judged)?;
        self.end()?;
        Ok(Some(trailers))
    }

    fn refuse(&mut self, refusal: Refusal) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.ended = true;
        self.call.refuse(refusal);
        Poll::Ready(Some(Err(cancelled())))
    }
}

fn uninspectable(detail: &'static str) -> Refusal {
    Refusal::new(Reason::Uninspectable, detail, RuleName::Builtin("inspection"))
}

impl Body for Messages {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        // Whoever polls has the connection to the cloud in hand, which calls of others share.
        let panics = this.context.metrics.panics.clone();
        step(&panics, "a gRPC call", || this.poll_judged(cx)).unwrap_or_else(|| this.refuse(defect()))
    }
}

impl Messages {
    fn poll_judged(&mut self, cx: &mut task::Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self;
        loop {
            let judged = match ready!(this.poll_aside(cx)) {
                Ok(None) => this.release(),
                judged => judged,
            };
            match judged {
                Ok(Some(bytes)) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Ok(None) if this.aside.is_some() => continue,
                Ok(None) => {}
                Err(refusal) => return this.refuse(refusal),
            }
            if let Poll::Ready(late) = this.poll_late(cx) {
                match this.give_up(late) {
                    Ok(()) => continue,
                    Err(refusal) => return this.refuse(refusal),
                }
            }
            let outcome = match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        this.frames.push(data);
                        continue;
                    }
                    Err(frame) => frame.into_trailers().map_or(Ok(None), |trailers| this.trailers(trailers)),
                },
                Some(Err(error)) => {
                    this.ended = true;
                    return Poll::Ready(Some(Err(BodyError::Source(error).into())));
                }
                None => this.end().map(|()| None),
            };
            return match outcome {
                Ok(trailers) => {
                    this.ended = true;
                    Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))))
                }
                Err(refusal) => this.refuse(refusal),
            };
        }
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
