//! Who asks: between the check of the client's address and the decision of the policy, the same for every way in.

use super::context::Context;
use crate::access::Offered;
use crate::audit::Record;
use crate::error::Refusal;
use crate::identity::Identity;
use std::net::SocketAddr;

/// What a request says of who makes it.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// What is proven already (a client certificate, the tunnel that the request is in): whom that names is asked for no password.
    pub identity: Identity,
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
    let entrance = caller.listener.and_then(|listener| context.entrances.get(&listener));
    if let Some(entrance) = entrance {
        entrance.admit(client.ip())?;
        entrance.verify(&caller.identity)?;
    }
    let mut identity = Identity { is_asked: true, ..caller.identity.clone() };
    if entrance.is_some_and(|entrance| entrance.verifier().is_none()) {
        // One from before: nobody vouches for what it says.
        identity.certificate = None;
    }
    if let Some(access) = context.access.as_ref().filter(|_| identity.name().is_none()) {
        identity.account = Some(access.authenticate(client.ip(), caller.credentials.as_ref().map(Offered::as_bytes)).await?);
    }
    record.identified(&identity);
    Ok(())
}
