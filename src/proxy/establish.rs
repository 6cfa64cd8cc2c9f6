//! From a request to an upstream connection, the same for every way in: Host checked, decided, dialled.

use super::context::Context;
use crate::audit::Record;
use crate::destination::{Destination, Host};
use crate::error::{Reason, Refusal, RuleName};
use crate::policy::{Permit, Subject, Verdict};
use std::net::SocketAddr;
use std::time::Instant;
use tokio::net::TcpStream;

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
}

/// Checks Host against the target, decides and dials.
///
/// # Errors
/// Whatever stands in the way.
pub async fn establish(context: &Context, record: &mut Record, request: &Request) -> Result<(Permit, TcpStream), Refusal> {
    record.destination(&request.destination);
    if request.host.as_ref().is_some_and(|host| *host != request.destination.host) {
        let detail = "the Host field names another host than the CONNECT target";
        context.enforce(record, Refusal::new(Reason::AuthorityMismatch, detail, RuleName::WELL_FORMED))?;
    }
    let permit = decide(context, record, request.client, &request.destination)?;
    let upstream = dial(context, record, &permit).await?;
    Ok((permit, upstream))
}

/// Decides and notes the decision in the record. An allow is counted only when the exchange really passes.
///
/// # Errors
/// The refusal of the policy.
pub fn decide(context: &Context, record: &mut Record, client: SocketAddr, destination: &Destination) -> Result<Permit, Refusal> {
    if context.journal.is_stopping() {
        let detail = "the proxy is stopping and begins nothing new; try another one, or again in a moment";
        return Err(Refusal::new(Reason::ShuttingDown, detail, RuleName::Builtin("limits.drain")));
    }
    let engine = context.engine.load();
    let decision = engine.policy.decide(&Subject { client: client.ip(), destination });
    let (service, metrics) = engine.service(decision.service);
    record.decided(service, metrics, &decision.rule);
    if let (Verdict::WouldDeny, Some(refusal)) = (decision.verdict, &decision.refusal) {
        record.would_deny(refusal);
    }
    match (decision.permit, decision.refusal) {
        (Some(permit), _) => Ok(permit),
        (None, Some(refusal)) => Err(refusal),
        // A decision without permit and reason does not exist; should one appear, nothing passes.
        (None, None) => Err(Refusal::new(Reason::HostNotAllowed, "the policy gave no permit", RuleName::DEFAULT_DENY)),
    }
}

/// Dials and measures the time it took.
///
/// # Errors
/// The dialler's refusal.
pub async fn dial(context: &Context, record: &Record, permit: &Permit) -> Result<TcpStream, Refusal> {
    let started = Instant::now();
    let upstream = context.dialer.dial(permit).await?;
    record.metrics().upstream_connect.observe(started.elapsed().as_secs_f64());
    Ok(upstream)
}
