//! The configuration in force, for what outlives it: listeners, connections, the admin pages.

use super::context::Context;
use super::standing::{Carrier, Place, Standing};
use crate::audit::Record;
use crate::fault::Layer;
use crate::listener::accept::Counted;
use crate::policy::Permit;
use arc_swap::ArcSwap;
use std::sync::Arc;

/// Gives each exchange the configuration of the moment. An exchange keeps the one that it began with to its end.
#[derive(Debug)]
pub struct Live {
    current: ArcSwap<Context>,
    standing: Arc<Standing>,
}

impl Live {
    /// Starts with a configuration.
    #[must_use]
    pub fn new(context: Arc<Context>) -> Arc<Self> {
        Arc::new(Self { current: ArcSwap::new(context), standing: Arc::default() })
    }

    /// What is in force now.
    #[must_use]
    pub fn context(&self) -> Arc<Context> {
        self.current.load_full()
    }

    /// What stands.
    #[must_use]
    pub fn standing(&self) -> &Arc<Standing> {
        &self.standing
    }

    /// Ends what is not allowed any more although the configuration is the same, since accounts or certificates have changed; how many
    /// connections those are. Asks each of them: not for the event loop.
    pub fn hold(&self) -> usize {
        self.standing.hold_against(&self.context())
    }

    /// Puts another configuration in force and ends what it no longer allows; how many connections those are. Not for the event loop
    /// either.
    pub fn replace(&self, context: &Arc<Context>) -> usize {
        // First in force, then held against: whoever enters in between sees that it is older, and asks again.
        let before = self.current.swap(context.clone());
        context.journal.faults().strike(Layer::Hold);
        let revoked = self.standing.hold_against(context);
        before.retire(context);
        revoked
    }

    /// Takes a place for what an exchange leaves standing.
    #[must_use]
    pub fn stand(&self, context: &Context, permit: &Permit, record: &Record, open: &Counted, carrier: Carrier) -> Place {
        let (place, is_outdated) = self.standing.enter(context.generation, permit, record, open, carrier);
        if is_outdated {
            self.context().hold(place.member());
        } else {
            context.hold_at_the_door(place.member());
        }
        place
    }
}
