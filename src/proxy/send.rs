//! A request sent to the upstream, over a kept connection where there is one.

use super::context::Context;
use super::establish::timed;
use super::interception::Interception;
use super::repeat::Again;
use super::sent::Sent;
use crate::audit::Record;
use crate::error::{Reason, Refusal, RuleName};
use crate::fault::Layer;
use crate::policy::Permit;
use crate::upstream::secure::Wanted;
use crate::upstream::{Connection, RequestBody, pool};
use http::{Request, Response};
use hyper::body::Incoming;
use std::io;
use std::time::Duration;

/// An answer and the connection it comes over.
pub type Answered = (Response<Incoming>, Connection);

/// How the upstream is reached.
#[derive(Debug, Clone, Copy)]
pub enum Route<'a> {
    /// Without TLS.
    Plain,
    /// With TLS, in the version that the client would have spoken itself.
    Secure(&'a Interception, Wanted),
}

/// What is sent, and how long the answer may take.
#[derive(Debug)]
pub struct Outgoing {
    /// The request.
    pub request: Request<RequestBody>,
    /// The same once more, where that is possible.
    pub again: Option<Again>,
    /// How far its body is.
    pub sent: Sent,
    /// Time for the head of the answer.
    pub answer: Duration,
}

/// Why there is no answer.
enum Failed {
    /// The connection was gone before anything was sent.
    Unsent(Box<Request<RequestBody>>),
    /// The upstream says that it did not act on the request.
    Unprocessed(Refusal),
    /// The connection was lost, and no byte of an answer had come.
    Lost(Refusal),
    /// There is nothing more to try.
    Final(Refusal),
}

/// Sends. A kept connection that turns out to be dead is replaced once: if the upstream did not act on the request, or if sending
/// it twice does no harm.
///
/// # Errors
/// `upstream_failed`, `idle_timeout`, what the dial says, or what went wrong with the body.
pub async fn send(context: &Context, route: Route<'_>, permit: &Permit, outgoing: Outgoing, record: &Record) -> Result<Answered, Refusal> {
    let Outgoing { mut request, again, sent, answer: limit } = outgoing;
    context.journal.faults().strike(Layer::Send);
    if let Some(mut kept) = route.kept(context, permit).await {
        request = match (answer(&mut kept, request, &sent, limit).await, again) {
            (Ok(response), _) => return Ok((response, kept)),
            (Err(Failed::Unsent(unsent)), _) => *unsent,
            (Err(Failed::Unprocessed(refusal)), Some(again)) => again.into_request().ok_or(refusal)?,
            (Err(Failed::Lost(refusal)), Some(again)) if again.is_idempotent => again.into_request().ok_or(refusal)?,
            (Err(Failed::Unprocessed(refusal) | Failed::Lost(refusal) | Failed::Final(refusal)), _) => return Err(refusal),
        };
    }
    // Rare, and large: what is sent over a kept connection need not hold it.
    let mut fresh = Box::pin(timed(context, record, permit, route.fresh(context, permit))).await?;
    match answer(&mut fresh, request, &sent, limit).await {
        Ok(response) => Ok((response, fresh)),
        Err(Failed::Unprocessed(refusal) | Failed::Lost(refusal) | Failed::Final(refusal)) => Err(refusal),
        Err(Failed::Unsent(_)) => Err(upstream_failed()),
    }
}

impl Route<'_> {
    async fn kept(self, context: &Context, permit: &Permit) -> Option<Connection> {
        match self {
            Self::Plain => {
                let sender = context.pool.take(permit.destination()).await?;
                Some(Connection::http1(sender, permit.destination().clone(), context.pool.clone()))
            }
            Self::Secure(interception, wanted) => interception.secure.kept(permit.destination(), wanted).await,
        }
    }

    async fn fresh(self, context: &Context, permit: &Permit) -> Result<Connection, Refusal> {
        match self {
            Self::Plain => {
                let stream = context.dialer.dial(permit).await?;
                let sender = pool::open(stream, permit.idle_timeout()).await.map_err(|_| upstream_failed())?;
                Ok(Connection::http1(sender, permit.destination().clone(), context.pool.clone()))
            }
            Self::Secure(interception, wanted) => interception.secure.fresh(&context.dialer, permit, wanted).await,
        }
    }
}

async fn answer(
    connection: &mut Connection,
    request: Request<RequestBody>,
    sent: &Sent,
    limit: Duration,
) -> Result<Response<Incoming>, Failed> {
    let outcome = tokio::select! {
        outcome = connection.send(request) => outcome,
        refusal = sent.refused() => return Err(Failed::Final(refusal)),
        () = sent.overdue(limit) => {
            let detail = "the upstream took the request and did not answer in time";
            return Err(Failed::Final(Refusal::new(Reason::IdleTimeout, detail, RuleName::Builtin("upstream"))));
        }
    };
    outcome.map_err(|mut error| {
        if http2_error(error.error()).is_none_or(h2::Error::is_go_away) {
            connection.give_up();
        }
        match error.take_message() {
            Some(unsent) => Failed::Unsent(Box::new(unsent)),
            None => sent.failure().map_or_else(|| failed(error.error()), Failed::Final),
        }
    })
}

/// Tells what the upstream did with a request that got no answer.
fn failed(error: &hyper::Error) -> Failed {
    match http2_error(error) {
        // RFC 9113 section 8.7: neither was acted on.
        Some(error) if error.reason() == Some(h2::Reason::REFUSED_STREAM) => Failed::Unprocessed(upstream_failed()),
        Some(error) if error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR) => Failed::Unprocessed(upstream_failed()),
        None if error.is_incomplete_message() || error.is_canceled() || error.is_closed() || broke(error) => {
            Failed::Lost(upstream_failed())
        }
        _ => Failed::Final(upstream_failed()),
    }
}

/// Whether the connection itself broke: a reset, or an end that TLS did not announce. An upstream that was waited for in vain is
/// not waited for again.
fn broke(error: &hyper::Error) -> bool {
    source::<io::Error>(error).is_some_and(|error| error.kind() != io::ErrorKind::TimedOut)
}

fn http2_error(error: &hyper::Error) -> Option<&h2::Error> {
    source(error)
}

/// The first error of this kind behind `error`.
fn source<E: std::error::Error + 'static>(error: &hyper::Error) -> Option<&E> {
    std::iter::successors(std::error::Error::source(error), |error| error.source()).find_map(|error| error.downcast_ref())
}

fn upstream_failed() -> Refusal {
    Refusal::new(Reason::UpstreamFailed, "the upstream broke off, or its answer is not HTTP", RuleName::Builtin("upstream"))
}
