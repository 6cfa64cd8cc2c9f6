//! What becomes of a request's body inside an intercepted connection: streamed where personal data is documented, else held and
//! judged, whole or message by message.

use super::call::Call;
use super::channel::Channel;
use super::context::Context;
use super::grpc::Messages;
use super::hold::{Outcome, hold};
use super::inner::{announce_trailers, check_trailers};
use super::judge::{Judged, Part, covered_by, inspect, inspect_aside, is_large, worse};
use super::release::{Released, Rest};
use super::sent::Sent;
use super::upload::{Upload, UploadWatcher};
use crate::audit::Record;
use crate::audit::observation::Observation;
use crate::error::Refusal;
use crate::inspect::{Inspector, Verdict};
use crate::metrics::{Coverage, Inspected};
use crate::proxy::body::Watched;
use crate::upstream::RequestBody;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::request::Parts;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use std::sync::Arc;

/// A body that may go.
pub struct Payload {
    /// The body.
    pub body: RequestBody,
    /// The same once more, if it is at hand.
    pub again: Option<Released>,
    /// How far it is.
    pub sent: Sent,
    /// What was done with it.
    pub coverage: Coverage,
}

/// A body that passes as it comes: the vendor documents personal data in it.
#[must_use]
pub fn streamed(channel: &Channel, record: &Record, body: Incoming) -> Payload {
    let upload = Upload::new();
    let body = watched(channel, record, &upload, body).boxed_unsync();
    Payload { body, again: None, sent: Sent::Streamed(upload), coverage: Coverage::Tunnelled }
}

fn watched(
    channel: &Channel,
    record: &Record,
    upload: &Arc<Upload>,
    body: Incoming,
) -> impl http_body::Body<Data = bytes::Bytes, Error = Box<dyn std::error::Error + Send + Sync>> + Send + 'static {
    let (counter, panics) = (record.metrics().bytes_up.clone(), record.metrics().panics.clone());
    let watcher = UploadWatcher { upload: upload.clone(), counter, panics, activity: Some(channel.activity.clone()) };
    Watched::upload(body, channel.permit.idle_timeout(), watcher).map_err(Into::into)
}

/// The messages of a gRPC call.
///
/// # Errors
/// `uninspectable`, for calls whose messages are not read.
pub fn called(context: &Arc<Context>, channel: &Channel, record: &mut Record, parts: &Parts, body: Incoming) -> Result<Payload, Refusal> {
    let kind = match Inspector::call(parts.uri.path(), &parts.headers) {
        Ok(kind) => kind,
        Err(detail) => {
            let tally = record.counted();
            settle(record, inspect(context, &tally, Part::Fields, || Verdict::Uninspectable(detail)))?;
            return Ok(Payload { coverage: Coverage::Uninspectable, ..streamed(channel, record, body) });
        }
    };
    let call = Arc::<Call>::default();
    let messages = Messages::new(body, kind, call.clone(), context.clone(), channel, record.counted());
    Ok(Payload { body: messages.boxed_unsync(), again: None, sent: Sent::Call(call), coverage: Coverage::Inspected })
}

/// A body that is held whole and judged.
///
/// # Errors
/// What inspection says; `message_too_large`, `overloaded`, `bad_request`.
pub async fn held(
    context: &Arc<Context>,
    channel: &Channel,
    record: &mut Record,
    parts: &mut Parts,
    body: Incoming,
) -> Result<Payload, Refusal> {
    let interception = &channel.interception;
    let announced = parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let counter = record.metrics().bytes_up.clone();
    let held = match hold(body, interception.max_message, &interception.budget, context.limits.message).await? {
        Outcome::Whole(held) => held,
        Outcome::Partly(held, rest, refusal) => {
            pass_unread(context, record, refusal)?;
            let upload = Upload::new();
            upload.began_with(held.bytes.len() as u64);
            let rest: Rest = Box::pin(watched(channel, record, &upload, rest));
            let body = Released::new(held, Some(rest), announced, counter).boxed_unsync();
            return Ok(Payload { body, again: None, sent: Sent::Streamed(upload), coverage: Coverage::Uninspectable });
        }
    };
    let tally = record.counted();
    let judged = if is_large(held.bytes.len(), parts.headers.contains_key(CONTENT_ENCODING)) {
        let (inspector, headers, bytes) = (interception.inspector.clone(), parts.headers.clone(), held.bytes.clone());
        let inspection = move |(): &mut ()| inspector.body(&headers, &bytes);
        inspect_aside(context.clone(), tally.clone(), interception.budget.clone(), held.bytes.len(), (), inspection).await.0
    } else {
        inspect(context, &tally, Part::Message(held.bytes.len()), || interception.inspector.body(&parts.headers, &held.bytes))
    };
    let mut coverage = settle(record, judged)?;
    if let Some(trailers) = &held.trailers {
        check_trailers(trailers)?;
        let judged = inspect(context, &tally, Part::Fields, || interception.inspector.trailers(trailers));
        coverage = worse(coverage, settle(record, judged)?);
        announce_trailers(&mut parts.headers, trailers);
    }
    let length = held.bytes.len() as u64;
    if let Some(asked) = record.observation().and_then(Observation::asked) {
        asked.bytes = Some(length);
        record.sends(&parts.headers, &held.bytes);
    }
    let released = Released::new(held, None, announced, counter);
    let again = released.again();
    Ok(Payload { body: released.boxed_unsync(), again, sent: Sent::Held(length), coverage })
}

/// What cannot be held is refused, whatever the reason; where the mode only observes, it passes unread.
fn pass_unread(context: &Context, record: &mut Record, refusal: Refusal) -> Result<(), Refusal> {
    let is_observing = context.is_observing();
    record.counted().inspected(if is_observing { Inspected::WouldDeny } else { Inspected::Deny });
    if !is_observing {
        return Err(refusal);
    }
    record.would_deny(&refusal);
    Ok(())
}

/// Notes what was judged.
///
/// # Errors
/// The refusal, when it is enforced.
pub fn settle(record: &mut Record, judged: Judged) -> Result<Coverage, Refusal> {
    match judged {
        Judged::Clean => Ok(Coverage::Inspected),
        Judged::Observed(refusal) => {
            record.would_deny(&refusal);
            Ok(covered_by(&refusal))
        }
        Judged::Refused(refusal) => Err(refusal),
    }
}
