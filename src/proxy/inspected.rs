//! One request inside an intercepted connection, top to bottom: it must be for the connection's destination, is decided again by
//! method and path, held, judged, and released as it came.

use super::body::{AnswerBody, Watched};
use super::call::{self, Answering};
use super::channel::Channel;
use super::context::Context;
use super::establish::begins;
use super::forward::{AnswerWatcher, check_answer, check_request, mark, method_label};
use super::hop;
use super::inner::{address, check_authority, check_upgrade, clean};
use super::judge::{Part, inspect, worse};
use super::payload::{self, Payload, settle};
use super::repeat::Again;
use super::respond::{Answer, refused, refused_call};
use super::send::{self, Answered, Outgoing, Route};
use super::sent::Sent;
use crate::audit::observation::Observation;
use crate::audit::{Record, Start};
use crate::contain::{caught, refusing};
use crate::error::{Refusal, RuleName};
use crate::fault::Layer;
use crate::metrics::{Coverage, Protocol};
use crate::observed::Asked;
use crate::policy::PersonalData;
use crate::quota::Limit;
use crate::stall::StallLimit;
use crate::upstream::secure::Wanted;
use http::header::{ALT_SVC, CONTENT_LENGTH, CONTENT_TYPE, TRAILER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, Request, Response, Version};
use hyper::body::Incoming;
use std::future::Future;
use std::sync::Arc;

/// The rule behind a request that no entry of the policy names.
const UNNAMED: RuleName = RuleName::Builtin("service-of-the-endpoint");

/// Serves one request. A panic on the way is the answer to this one and ends nothing else.
pub fn exchange(
    context: Arc<Context>,
    channel: Arc<Channel>,
    stall: StallLimit,
    request: Request<Incoming>,
) -> impl Future<Output = Response<AnswerBody>> {
    channel.activity.touch();
    let version = request.version();
    let protocol = if version == Version::HTTP_2 { Protocol::Http2 } else { Protocol::Http1 };
    let method = method_label(request.method());
    let (record, metrics) = (context.record(Start { client: channel.client, protocol, method }), context.metrics.clone());
    let id = record.id();
    let answer = move |defect| Answer::refusal(&defect, id).into_response(version);
    caught(serve(context, channel, stall, request, record, method), &metrics, answer)
}

async fn serve(
    context: Arc<Context>,
    channel: Arc<Channel>,
    stall: StallLimit,
    request: Request<Incoming>,
    mut record: Record,
    method: &'static str,
) -> Response<AnswerBody> {
    let version = request.version();
    record.identified(&channel.identity);
    record.carried(&channel.fate);
    if let Some(observation) = record.observation() {
        observation.asks(&channel.interception.inspector, asked(&request, method));
    }
    let is_call = call::is_call(&request);
    let forwarding = forward(&context, &channel, request, &mut record);
    let response = match refusing(forwarding, &context.metrics).await {
        Ok(forwarded) => answer(&context, &channel, stall, record, forwarded, version),
        Err(refusal) if is_call => refused_call(&mut record, &refusal),
        Err(refusal) => refused(&mut record, &refusal).into_response(version),
    };
    channel.activity.touch();
    response
}

/// The request, for whoever observes. The length that it announces may be all that is ever known of it.
fn asked(request: &Request<Incoming>, method: &'static str) -> Asked {
    let field = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    Asked {
        method,
        path: request.uri().path().to_owned(),
        query: request.uri().query().map(str::to_owned),
        content_type: field(CONTENT_TYPE),
        bytes: field(CONTENT_LENGTH).and_then(|length| length.parse().ok()),
        ..Asked::default()
    }
}

/// One request: for this destination, allowed, judged, sent.
async fn forward(context: &Arc<Context>, channel: &Channel, request: Request<Incoming>, record: &mut Record) -> Result<Forwarded, Refusal> {
    let Prepared { outgoing, wanted, coverage } = prepare(context, channel, request, record).await?;
    let sent = outgoing.sent.clone();
    let answered = send::send(context, Route::Secure(&channel.interception, wanted), &channel.permit, outgoing, record).await?;
    check_answer(&answered.0)?;
    if let Sent::Call(call) = &sent
        && let Some(observed) = call.observed()
    {
        record.would_deny(&observed);
    }
    let is_judged_later = matches!(sent, Sent::Call(_));
    if !is_judged_later {
        record.covered(coverage);
    }
    record.allowed();
    Ok(Forwarded { answered, sent, coverage: is_judged_later.then_some(coverage) })
}

/// A request that may go up.
struct Prepared {
    outgoing: Outgoing,
    wanted: Wanted,
    coverage: Coverage,
}

/// What comes before a request is sent: apart, so that the sending one holds none of it.
async fn prepare(context: &Arc<Context>, channel: &Channel, request: Request<Incoming>, record: &mut Record) -> Result<Prepared, Refusal> {
    let permit = &channel.permit;
    let is_call = call::is_call(&request);
    let (mut parts, body) = request.into_parts();
    record.destination(permit.destination());
    channel.stands()?;
    record.endpoint(permit.rule());
    let promise = decide(context, channel, record, &parts)?;
    check_authority(context, record, permit.destination(), &parts)?;
    begins(context, record)?;
    context.quotas.take(Limit::Requests, channel.client.ip(), Some(record.service()))?;
    check_upgrade(&parts).or_else(|refusal| context.enforce(record, refusal))?;
    check_request(context, &parts.method, &parts.headers).or_else(|refusal| context.enforce(record, refusal))?;
    clean(&mut parts.headers);
    let head = if promise == PersonalData::Expected { Coverage::Tunnelled } else { judge_head(context, channel, record, &parts)? };
    address(context, &channel.host, &mut parts);
    let payload = match promise {
        PersonalData::Expected => payload::streamed(channel, record, body),
        _ if is_call => payload::called(context, channel, record, &parts, body)?,
        _ => payload::held(context, channel, record, &mut parts, body).await?,
    };
    let wanted = if parts.version == Version::HTTP_2 { Wanted::Http2 } else { Wanted::Http1 };
    let Payload { body, again, sent, coverage } = payload;
    let again = again.map(|body| Again::of(&parts.method, &parts.uri, parts.version, &parts.headers, Some(body)));
    // The head of a call's answer may come with its first message, hours later.
    let limit = if is_call { permit.idle_timeout().max(context.limits.answer) } else { context.limits.answer };
    let outgoing = Outgoing { request: Request::from_parts(parts, body), again, sent, answer: limit };
    Ok(Prepared { outgoing, wanted, coverage: worse(head, coverage) })
}

/// A request that went up, and its answer.
struct Forwarded {
    answered: Answered,
    sent: Sent,
    /// What was done with it, where that is known at its end only: a call may go on for hours.
    coverage: Option<Coverage>,
}

/// The service of a request, and what the vendor promises of it. Its networks count here too: the connection was let in by those of
/// the service that it was opened for.
fn decide(context: &Context, channel: &Channel, record: &mut Record, parts: &Parts) -> Result<PersonalData, Refusal> {
    let engine = &context.engine;
    let (id, rule) = engine.policy.decide_request(&channel.permit, parts.method.as_str(), parts.uri.path());
    let (service, metrics) = engine.service(id);
    record.decided(service, metrics, &rule.map_or(UNNAMED, |rule| RuleName::Policy(rule.name.clone())));
    if let Some(asked) = record.observation().and_then(Observation::asked) {
        asked.fixed = rule.map_or(0, |rule| rule.pattern.segments());
    }
    engine.policy.admit_to(id, channel.client.ip())?;
    Ok(engine.policy.service(id).personal_data)
}

fn judge_head(context: &Context, channel: &Channel, record: &mut Record, parts: &Parts) -> Result<Coverage, Refusal> {
    let counted = record.counted();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let judged = inspect(context, &counted, Part::Fields, || channel.interception.inspector.head(target, &parts.headers));
    settle(record, judged)
}

/// NTLM and Negotiate authenticate a connection: nobody else's request may go over it (RFC 4559 section 6).
fn authenticates_connection(headers: &HeaderMap) -> bool {
    headers.get_all(WWW_AUTHENTICATE).iter().any(|value| {
        let scheme = value.as_bytes().split(|byte| *byte == b' ').next().unwrap_or_default();
        scheme.eq_ignore_ascii_case(b"ntlm") || scheme.eq_ignore_ascii_case(b"negotiate")
    })
}

/// The cloud's answer on its way to the client.
fn answer(
    context: &Context,
    channel: &Channel,
    stall: StallLimit,
    mut record: Record,
    forwarded: Forwarded,
    version: Version,
) -> Response<AnswerBody> {
    let Forwarded { answered: (mut response, connection), sent, coverage } = forwarded;
    record.strike(Layer::Answer);
    record.answered(response.status().as_u16());
    let headers = response.headers_mut();
    let trailer = headers.get(TRAILER).cloned();
    hop::strip(headers);
    // It would lead the client past the proxy.
    headers.remove(ALT_SVC);
    if let Some(trailer) = trailer {
        headers.insert(TRAILER, trailer);
    }
    mark(context, &record, &mut response);
    *response.version_mut() = version;
    let id = record.id();
    let call = if let Sent::Call(call) = &sent { Some(call.clone()) } else { None };
    let connection = Some(connection).filter(|_| !authenticates_connection(response.headers()));
    let taking = Some(channel.activity.answer());
    let watcher = AnswerWatcher { record, sent, stall, connection, taking, sent_before: 0, coverage };
    let idle = channel.permit.idle_timeout();
    response.map(|body| {
        let body = Watched::new(body, idle, watcher);
        match call {
            Some(call) => AnswerBody::upstream(Answering::new(body, call, id)),
            None => AnswerBody::upstream(body),
        }
    })
}
