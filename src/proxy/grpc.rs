//! gRPC: each message of a stream is held, judged and released on its own while the stream keeps flowing both ways. A refusal
//! ends it with `grpc-status: 7` (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>).

use super::body::BodyError;
use super::budget::Reservation;
use super::call::Call;
use super::channel::{Activity, Channel};
use super::context::Context;
use super::hold::{STEP, owned, too_large};
use super::inner::check_trailers;
use super::interception::Interception;
use super::judge::{Judged, Part, inspect, inspect_aside, is_large};
use crate::audit::Counted;
use crate::contain::{defect, step};
use crate::error::{Reason, Refusal, RuleName};
use crate::fault::Layer;
use crate::inspect;
use crate::inspect::grpc::{self, Broken, Frames, PREFIX};
use crate::metrics::Inspected;
use crate::observed::size::Sizes;
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame};
use hyper::body::Incoming;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll, ready};
use tokio::time::{Instant, Sleep, sleep_until};

/// Any error that a body may end with.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

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
        check_trailers(&trailers)?;
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
