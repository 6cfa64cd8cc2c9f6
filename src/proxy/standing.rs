//! What stands: tunnels and intercepted connections, which live for hours and outlive the configuration that let them in. A new
//! configuration ends those that it no longer allows, and a proxy that stops those on which nothing moves.

use super::context::Context;
use super::interception::{Interception, OnRejection};
use crate::audit::{Fate, Record};
use crate::destination::Destination;
use crate::identity::Identity;
use crate::listener::accept::Counted;
use crate::policy::{Permit, Subject, Treatment};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::task::AbortHandle;

/// What carries a connection that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// Bytes are relayed; to which address, where the destination is reached directly, and whether that is what is left to a client
    /// that does not take our certificates.
    Tunnel {
        /// None: by way of a parent.
        reached: Option<SocketAddr>,
        /// Whether it would be decrypted but for the client.
        is_fallback: bool,
    },
    /// It is decrypted.
    Intercepted,
}

/// A connection that stands, as far as it is asked about it again.
#[derive(Debug)]
pub struct Member {
    /// The client.
    pub client: SocketAddr,
    /// Where it goes.
    pub destination: Destination,
    carrier: Carrier,
    /// Whether it passed only because the mode observes: a wrong name in its hello, say.
    is_observed: bool,
    identity: Identity,
    /// The listener it came in by.
    listener: SocketAddr,
    fate: Arc<Fate>,
    end: OnceLock<AbortHandle>,
    /// Bytes to the upstream, and from it.
    up: AtomicU64,
    down: AtomicU64,
    /// Whether the client spoke last: it may wait for an answer.
    awaits: AtomicBool,
}

/// Who came in by which listener, as far as it is asked again.
#[derive(Debug, Clone, Copy)]
pub struct Entrant<'a> {
    /// The client.
    pub client: SocketAddr,
    /// The listener.
    pub listener: SocketAddr,
    /// Who that proved to be.
    pub identity: &'a Identity,
}

impl Member {
    fn entrant(&self) -> Entrant<'_> {
        Entrant { client: self.client, listener: self.listener, identity: &self.identity }
    }

    /// What its records ask when they are cut.
    #[must_use]
    pub fn fate(&self) -> &Arc<Fate> {
        &self.fate
    }

    /// So many bytes have moved by now.
    pub fn moved(&self, up: u64, down: u64) {
        let (before_up, before_down) = (self.up.swap(up, Ordering::Relaxed), self.down.swap(down, Ordering::Relaxed));
        if (before_up, before_down) != (up, down) {
            self.awaits.store(before_down == down, Ordering::Relaxed);
        }
    }

    fn pulse(&self) -> Pulse {
        let moved = self.up.load(Ordering::Relaxed).wrapping_add(self.down.load(Ordering::Relaxed));
        Pulse { moved, awaits: self.awaits.load(Ordering::Relaxed) }
    }

    /// Says how it is ended; at once if that was decided meanwhile.
    pub fn ended_by(&self, end: AbortHandle) {
        let end = self.end.get_or_init(|| end);
        if self.fate.is_sealed() {
            end.abort();
        }
    }

    fn end(&self) {
        if let Some(end) = self.end.get() {
            end.abort();
        }
    }

    /// Ends it because the configuration no longer allows it.
    pub fn revoke(&self) {
        self.fate.revoke();
        self.end();
    }

    /// Ends it because the proxy stops.
    fn dismiss(&self) {
        self.fate.dismiss();
        self.end();
    }
}

/// How far a tunnel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// Bytes that moved.
    pub moved: u64,
    /// Whether the client spoke last.
    pub awaits: bool,
}

/// All that stands.
#[derive(Debug, Default)]
pub struct Standing {
    members: Mutex<Members>,
}

#[derive(Debug, Default)]
struct Members {
    next: u64,
    /// Of the configuration that all members were last held against.
    generation: u64,
    all: HashMap<u64, Arc<Member>>,
}

/// A member's place; it is left when this is dropped.
#[derive(Debug)]
pub struct Place {
    standing: Arc<Standing>,
    number: u64,
    member: Arc<Member>,
}

impl Place {
    /// What stands there.
    #[must_use]
    pub fn member(&self) -> &Arc<Member> {
        &self.member
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.standing.lock().all.remove(&self.number);
    }
}

impl Standing {
    /// Takes a place for what a configuration of this generation let in; true if there is a newer one that was not asked yet.
    #[must_use]
    pub fn enter(self: &Arc<Self>, generation: u64, permit: &Permit, record: &Record, open: &Counted, carrier: Carrier) -> (Place, bool) {
        let member = Arc::new(Member {
            client: record.client(),
            is_observed: record.is_observed(),
            identity: record.identity().clone(),
            destination: permit.destination().clone(),
            carrier,
            listener: open.listener(),
            fate: Arc::default(),
            end: OnceLock::new(),
            up: AtomicU64::new(0),
            down: AtomicU64::new(0),
            awaits: AtomicBool::new(false),
        });
        let mut members = self.lock();
        let number = members.next;
        members.next += 1;
        members.all.insert(number, member.clone());
        (Place { standing: self.clone(), number, member }, members.generation != generation)
    }

    /// Ends what a new configuration no longer allows; how many those are.
    pub fn hold_against(&self, context: &Context) -> usize {
        let members: Vec<Arc<Member>> = {
            let mut members = self.lock();
            members.generation = context.generation;
            members.all.values().cloned().collect()
        };
        members.iter().filter(|member| !context.hold(member)).count()
    }

    /// Ends all that stands, as if the configuration allowed none of it; how many those are.
    pub fn revoke_all(&self) -> usize {
        let members: Vec<Arc<Member>> = self.lock().all.values().cloned().collect();
        for member in &members {
            member.revoke();
        }
        members.len()
    }

    /// How far each tunnel is.
    #[must_use]
    pub fn pulses(&self) -> HashMap<u64, Pulse> {
        let members = self.lock();
        let tunnels = members.all.iter().filter(|(_, member)| matches!(member.carrier, Carrier::Tunnel { .. }));
        tunnels.map(|(number, member)| (*number, member.pulse())).collect()
    }

    /// Ends these because the proxy stops.
    pub fn dismiss(&self, numbers: &[u64]) {
        let members: Vec<Arc<Member>> = {
            let members = self.lock();
            numbers.iter().filter_map(|number| members.all.get(number).cloned()).collect()
        };
        for member in &members {
            member.dismiss();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Context {
    /// Ends what this configuration does not allow; whether it stands on.
    pub fn hold(&self, member: &Member) -> bool {
        let stands = self.still_allows(member);
        if !stands {
            member.revoke();
        }
        stands
    }

    /// Whether what stands could be set up anew: the client let in and who it was, the destination allowed and treated alike, its
    /// address permitted.
    fn still_allows(&self, member: &Member) -> bool {
        let client = member.client.ip();
        let is_let_in = self.lets_in(member.entrant(), &member.destination) && (self.is_observing() || !member.is_observed);
        let decision = self.engine.policy.decide(&Subject { client, destination: &member.destination });
        let Some(permit) = decision.permit.filter(|_| is_let_in) else { return false };
        match member.carrier {
            Carrier::Intercepted => self.intercepts(client, &permit).is_some(),
            Carrier::Tunnel { reached, is_fallback } => {
                let is_permitted = reached.is_none_or(|address| self.dialer.is_direct(&permit) && self.dialer.permits(address));
                // While observing, what cannot be decrypted stays a tunnel. A fallback lasts longer than it is remembered.
                let stays = self.is_observing() || (is_fallback && self.falls_back());
                is_permitted && (stays || self.intercepts(client, &permit).is_none())
            }
        }
    }

    /// Whether clients that do not take our certificates are given tunnels.
    fn falls_back(&self) -> bool {
        self.interception.as_ref().is_some_and(|interception| interception.on_rejection == OnRejection::Tunnel)
    }

    /// Whether a tunnel of this permit is what is left to a client that does not take our certificates.
    #[must_use]
    pub fn is_fallback(&self, permit: &Permit) -> bool {
        permit.treatment() == Treatment::Intercept && !self.is_observing() && self.falls_back()
    }

    /// Whether the listener that a client came by is meant for it, and leads where it went. One that is gone lets everybody stay whose
    /// name or password still counts.
    #[must_use]
    pub fn lets_in(&self, Entrant { client, listener, identity }: Entrant<'_>, destination: &Destination) -> bool {
        let leads_there = self.relays.get(&listener).is_none_or(|to| to == destination);
        let entrance = self.entrances.get(&listener);
        let is_admitted = entrance.is_none_or(|entrance| entrance.admit(client.ip()).is_ok() && entrance.verify(identity).is_ok());
        let has_certificates = entrance.is_none_or(|entrance| entrance.verifier().is_some());
        leads_there && is_admitted && self.knows(identity, has_certificates)
    }

    /// Whether passwords do not stand in the way of a client that was let in; `has_certificates` is whether those still name anybody.
    fn knows(&self, identity: &Identity, has_certificates: bool) -> bool {
        let Some(access) = self.access.as_ref().filter(|_| identity.is_asked) else { return true };
        match &identity.account {
            Some(account) => access.has(account),
            None => has_certificates && identity.name().is_some(),
        }
    }

    /// Ends what would not be let in any more: it was before the configuration, an account or a certificate changed.
    pub fn hold_at_the_door(&self, member: &Member) {
        if !self.lets_in(member.entrant(), &member.destination) {
            member.revoke();
        }
    }

    /// Interception, where it is configured, meant for the service, and not given up for this client.
    #[must_use]
    pub fn intercepts(&self, client: IpAddr, permit: &Permit) -> Option<&Arc<Interception>> {
        let interception = self.interception.as_ref().filter(|_| permit.treatment() == Treatment::Intercept)?;
        // What was remembered while observing, or under another setting, is none of this one's.
        let may_fall_back = self.is_observing() || interception.on_rejection == OnRejection::Tunnel;
        let falls_back = may_fall_back && interception.fallbacks.has(client, &permit.destination().host);
        (!falls_back).then_some(interception)
    }
}
