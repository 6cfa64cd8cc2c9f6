//! A request sent to the upstream, over a kept connection where there is one.

use super::context::Context;
use super::establish::dial;
use super::upload::Upload;
use crate::audit::Record;
use crate::error::{Reason, Refusal, RuleName};
use crate::policy::Permit;
use crate::upstream::pool::{self, RequestBody};
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1::SendRequest;

/// An answer and the connection it comes over.
pub type Answered = (Response<Incoming>, SendRequest<RequestBody>);

/// Why there is no answer.
enum Failed {
    /// The connection was gone before anything was sent.
    Unsent(Box<Request<RequestBody>>),
    /// The connection was lost, and no byte of an answer had come.
    Lost(Refusal),
    /// There is nothing more to try.
    Final(Refusal),
}

/// Sends. A kept connection that turns out to be dead is replaced once: if nothing of the request was sent, or if sending it
/// twice does no harm (RFC 9110 section 9.2.2).
///
/// # Errors
/// `upstream_failed`, `idle_timeout`, what the dial says, or what went wrong with the upload.
pub async fn send(
    context: &Context,
    permit: &Permit,
    request: Request<RequestBody>,
    upload: &Upload,
    record: &Record,
) -> Result<Answered, Refusal> {
    let mut request = request;
    if let Some(mut kept) = context.pool.take(permit.destination()).await {
        let again = repeatable(&request);
        request = match (answer(context, &mut kept, request, upload).await, again) {
            (Ok(response), _) => return Ok((response, kept)),
            (Err(Failed::Unsent(unsent)), _) => *unsent,
            (Err(Failed::Lost(_)), Some(again)) => again,
            (Err(Failed::Lost(refusal) | Failed::Final(refusal)), _) => return Err(refusal),
        };
    }
    let stream = dial(context, record, permit).await?;
    let mut fresh = pool::open(stream, permit.idle_timeout()).await.map_err(|_| upstream_failed())?;
    match answer(context, &mut fresh, request, upload).await {
        Ok(response) => Ok((response, fresh)),
        Err(Failed::Lost(refusal) | Failed::Final(refusal)) => Err(refusal),
        Err(Failed::Unsent(_)) => Err(upstream_failed()),
    }
}

/// A copy of a request that may be sent twice: safe, and without a body.
fn repeatable(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !is_safe || !request.body().is_end_stream() {
        return None;
    }
    let mut copy = Request::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
    copy.method_mut().clone_from(request.method());
    copy.uri_mut().clone_from(request.uri());
    copy.headers_mut().clone_from(request.headers());
    Some(copy)
}

async fn answer(
    context: &Context,
    sender: &mut SendRequest<RequestBody>,
    request: Request<RequestBody>,
    upload: &Upload,
) -> Result<Response<Incoming>, Failed> {
    let sent = tokio::select! {
        sent = sender.try_send_request(request) => sent,
        () = upload.overdue(context.limits.answer) => {
            let detail = "the upstream took the request and did not answer in time";
            return Err(Failed::Final(Refusal::new(Reason::IdleTimeout, detail, RuleName::Builtin("upstream"))));
        }
    };
    sent.map_err(|mut error| match error.take_message() {
        Some(unsent) => Failed::Unsent(Box::new(unsent)),
        None if error.error().is_incomplete_message() => upload.failure().map_or_else(|| Failed::Lost(upstream_failed()), Failed::Final),
        None => Failed::Final(upload.failure().unwrap_or_else(upstream_failed)),
    })
}

fn upstream_failed() -> Refusal {
    Refusal::new(Reason::UpstreamFailed, "the upstream broke off, or its answer is not HTTP/1.1", RuleName::Builtin("upstream"))
}
