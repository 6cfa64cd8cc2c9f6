//! From a request to an upstream connection, the same for every way in: Host checked, decided, dialled.

use super::context::Context;
use super::identify::{Caller, identify};
use super::interception::Interception;
use crate::audit::Record;
use crate::contain::refusing;
use crate::destination::{Destination, Host};
use crate::error::{Reason, Refusal, RuleName};
use crate::policy::{Permit, Subject, Treatment, Verdict};
use crate::quota::Limit;
use crate::socket::Socket;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// The reason phrase of a tunnel that stands.
pub const ESTABLISHED: &str = "Connection established";

/// A CONNECT as read from the wire.
#[derive(Debug)]
pub struct Request {
    /// Who asks.
    pub client: SocketAddr,
    /// For what.
    pub destination: Destination,
    /// The host of the Host field, if there is one.
    pub host: Option<Host>,
    /// Who asks, as far as it is known.
    pub caller: Caller,
}

/// How a tunnel's destination is reached.
#[derive(Debug)]
pub enum Way {
    /// Over this connection, byte for byte.
    Tunnel(Socket),
    /// Decrypted; whether the destination speaks HTTP/2.
    Intercept(Arc<Interception>, bool),
}

/// Asks who the client is, checks Host against the target, decides and dials.
///
/// # Errors
/// Whatever stands in the way.
pub fn establish(context: &Context, record: &mut Record, request: &Request) -> impl Future<Output = Result<(Permit, Way), Refusal>> {
    refusing(established(context, record, request), &context.metrics)
}

async fn established(context: &Context, record: &mut Record, request: &Request) -> Result<(Permit, Way), Refusal> {
    record.destination(&request.destination);
    identify(context, record, request.client, &request.caller).await?;
    if request.host.as_ref().is_some_and(|host| *host != request.destination.host) {
        let detail = "the Host field names another host than the CONNECT target";
        context.enforce(record, Refusal::new(Reason::AuthorityMismatch, detail, RuleName::WELL_FORMED))?;
    }
    allowed(context, record, request.client, &request.destination).await
}

/// Decides and reaches: all that is asked of a client that has no request.
///
/// # Errors
/// The refusal of the policy, or what stands in the way.
pub fn allow(
    context: &Context,
    record: &mut Record,
    client: SocketAddr,
    destination: &Destination,
) -> impl Future<Output = Result<(Permit, Way), Refusal>> {
    refusing(allowed(context, record, client, destination), &context.metrics)
}

async fn allowed(context: &Context, record: &mut Record, client: SocketAddr, destination: &Destination) -> Result<(Permit, Way), Refusal> {
    record.destination(destination);
    let permit = decide(context, record, client, destination)?;
    let way = reach(context, record, client, &permit).await?;
    Ok((permit, way))
}

/// Reaches the destination of a tunnel: what cannot be reached, or is not who it says, is refused before the client is told that
/// its tunnel stands.
///
/// # Errors
/// What the dial says, or `upstream_tls_invalid`.
async fn reach(context: &Context, record: &Record, client: SocketAddr, permit: &Permit) -> Result<Way, Refusal> {
    let Some(interception) = intercepting(context, record, client, permit) else {
        return dial(context, record, permit).await.map(Way::Tunnel);
    };
    let http2 = timed(context, record, permit, interception.secure.reach(&context.dialer, permit)).await?;
    Ok(Way::Intercept(interception.clone(), http2))
}

/// Interception, where it is configured, meant for the service, and not given up for this client.
fn intercepting<'a>(context: &'a Context, record: &Record, client: SocketAddr, permit: &Permit) -> Option<&'a Arc<Interception>> {
    let intercepts = context.intercepts(client.ip(), permit);
    if intercepts.is_none() && context.interception.is_some() && permit.treatment() == Treatment::Intercept {
        record.metrics().rejection_fallbacks.inc();
    }
    intercepts
}

/// A proxy that stops begins nothing new, nor does one whose audit cannot be written.
///
/// # Errors
/// `shutting_down`, `overloaded`.
pub fn begins(context: &Context, record: &Record) -> Result<(), Refusal> {
    if context.journal.is_stopping() {
        let detail = "the proxy is stopping and begins nothing new; try another one, or again in a moment";
        return Err(Refusal::new(Reason::ShuttingDown, detail, RuleName::Builtin("limits.drain")));
    }
    record.admitted()
}

/// Decides and notes the decision in the record. An allow is counted only when the exchange really passes.
///
/// # Errors
/// The refusal of the policy.
pub fn decide(context: &Context, record: &mut Record, client: SocketAddr, destination: &Destination) -> Result<Permit, Refusal> {
    begins(context, record)?;
    let engine = &context.engine;
    let decision = engine.policy.decide(&Subject { client: client.ip(), destination });
    let (service, metrics) = engine.service(decision.service);
    record.decided(service, metrics, &decision.rule);
    record.endpoint(&decision.rule);
    if let (Verdict::WouldDeny, Some(refusal)) = (decision.verdict, &decision.refusal) {
        record.would_deny(refusal);
    }
    match (decision.permit, decision.refusal) {
        // A connection to a relay or of raw TLS is a request too: a quota is not got around by the way in.
        (Some(permit), _) => context.quotas.take(Limit::Requests, client.ip(), Some(service)).map(|()| permit),
        (None, Some(refusal)) => Err(refusal),
        // A decision without permit and reason does not exist; should one appear, nothing passes.
        (None, None) => Err(Refusal::new(Reason::HostNotAllowed, "the policy gave no permit", RuleName::DEFAULT_DENY)),
    }
}

/// Dials and measures the time it took.
///
/// # Errors
/// The dialler's refusal.
pub async fn dial(context: &Context, record: &Record, permit: &Permit) -> Result<Socket, Refusal> {
    timed(context, record, permit, context.dialer.dial(permit)).await
}

/// Measures how long it took to reach an upstream, and notes how that went.
///
/// # Errors
/// Those of the attempt.
pub async fn timed<T>(
    context: &Context,
    record: &Record,
    permit: &Permit,
    attempt: impl Future<Output = Result<T, Refusal>>,
) -> Result<T, Refusal> {
    let started = Instant::now();
    let reached = attempt.await;
    let took = started.elapsed();
    context.reached.note(permit.destination(), reached.as_ref().map(|_| took).map_err(|refusal| refusal.reason));
    if reached.is_ok() {
        record.metrics().upstream_connect.observe(took.as_secs_f64());
    }
    reached
}
