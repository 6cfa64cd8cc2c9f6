//! An intercepted connection over the configurations it lives through: each exchange sees the one in force when it begins.

use super::channel::Channel;
use super::context::Context;
use super::live::Live;
use super::standing::Entrant;
use crate::policy::{Permit, Subject};
use arc_swap::ArcSwap;
use std::sync::Arc;

/// What an exchange begins with.
type Moment = (Arc<Context>, Arc<Channel>);

/// The connection, as the configuration in force sees it.
#[derive(Debug)]
pub struct Conversation {
    live: Arc<Live>,
    seen: ArcSwap<Moment>,
}

impl Conversation {
    /// Begins with the configuration that allowed it.
    #[must_use]
    pub fn new(live: Arc<Live>, context: Arc<Context>, channel: Arc<Channel>) -> Self {
        Self { live, seen: ArcSwap::from_pointee((context, channel)) }
    }

    /// The configuration in force and the connection under it. One that is not allowed any more is being ended: until that has
    /// happened, its exchanges are refused.
    #[must_use]
    pub fn now(&self) -> Moment {
        let context = self.live.context();
        let seen = self.seen.load();
        // Accounts and certificates change without a new configuration too.
        if seen.0.generation == context.generation && is_let_in(&context, &seen.1) {
            return Moment::clone(&seen);
        }
        let Some(channel) = renewed(&context, &seen.1) else {
            seen.1.fate.revoke();
            return Moment::clone(&seen);
        };
        let moment = (context, Arc::new(channel));
        self.seen.store(Arc::new(moment.clone()));
        moment
    }
}

/// The connection under another configuration; `None` if that does not let it in or allow it, or does not decrypt it.
fn renewed(context: &Context, channel: &Channel) -> Option<Channel> {
    let permit = permit(context, channel).filter(|_| is_let_in(context, channel))?;
    let interception = context.intercepts(channel.client.ip(), &permit)?.clone();
    Some(Channel {
        client: channel.client,
        listener: channel.listener,
        identity: channel.identity.clone(),
        permit,
        host: channel.host.clone(),
        interception,
        activity: channel.activity.clone(),
        fate: channel.fate.clone(),
    })
}

fn is_let_in(context: &Context, channel: &Channel) -> bool {
    let entrant = Entrant { client: channel.client, listener: channel.listener, identity: &channel.identity };
    context.lets_in(entrant, channel.permit.destination())
}

fn permit(context: &Context, channel: &Channel) -> Option<Permit> {
    context.engine.policy.decide(&Subject { client: channel.client.ip(), destination: channel.permit.destination() }).permit
}
