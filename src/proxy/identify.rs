//! Who asks: between the check of the client's address and the decision of the policy, the same for every way in.

use super::context::Context;
use crate::access::Offered;
use crate::audit::Record;
use crate::error::Refusal;
use std::net::SocketAddr;
use std::sync::Arc;

/// What a request says of who makes it.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// Whom the connection belongs to, where that is proven already (a client certificate): such a client is asked for no password.
    pub named: Option<Arc<str>>,
    /// The listener it came by, where it asks there itself.
    pub listener: Option<SocketAddr>,
    /// The credentials of the request.
    pub credentials: Option<Offered>,
}

/// Lets in whom the configuration lets in, and notes in the record who it is. Enforced while observing too.
///
/// # Errors
/// `client_not_allowed`; where passwords are configured `proxy_auth_required`, `quota_exceeded` or `overloaded`.
pub async fn identify(context: &Context, record: &mut Record, client: SocketAddr, caller: &Caller) -> Result<(), Refusal> {
    context.engine.policy.admit(client.ip())?;
    // A connection that stands meets the listener's networks of now.
    if let Some(entrance) = caller.listener.and_then(|listener| context.entrances.get(&listener)) {
        entrance.admit(client.ip())?;
    }
    if caller.named.is_some() {
        record.identified(caller.named.as_ref());
        return Ok(());
    }
    let Some(access) = &context.access else { return Ok(()) };
    let user = access.authenticate(client.ip(), caller.credentials.as_ref().map(Offered::as_bytes)).await?;
    record.identified(Some(&user));
    Ok(())
}
