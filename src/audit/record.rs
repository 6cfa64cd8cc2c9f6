//! The record of one exchange. It is written when it is dropped, so no way out of an exchange can forget it.

use super::feed::{Feed, Shown};
use crate::destination::Destination;
use crate::error::{Reason, Refusal, RuleName};
use crate::metrics::{Protocol, ServiceMetrics};
use crate::policy::Verdict;
use std::borrow::Cow;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::Instant;
use tokio::sync::watch;

/// Said of what stood and is ended.
#[must_use]
pub fn revoked() -> Refusal {
    let detail = "the configuration was reloaded and does not allow this connection any more; `ucx-egress explain` says why";
    Refusal::new(Reason::RevokedByReload, detail, RuleName::Builtin("reload"))
}

/// Names one decision in the answer, the log and the audit. Unique across restarts and replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecisionId {
    boot: u64,
    number: u64,
}

impl DecisionId {
    /// Bytes of the longest one: twelve digits, a hyphen, sixteen digits.
    pub const MAX_LENGTH: usize = 29;
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}-{:x}", self.boot & 0xffff_ffff_ffff, self.number)
    }
}

/// Gives out decision ids and knows whether the proxy is stopping.
#[derive(Debug)]
pub struct Journal {
    boot: u64,
    next: AtomicU64,
    leaving: AtomicBool,
    stopping: watch::Sender<bool>,
    /// What the admin page shows of decisions.
    pub feed: Feed,
}

impl Default for Journal {
    fn default() -> Self {
        // The standard library's hash keys are random for each process: enough to tell two runs apart.
        Self {
            boot: RandomState::new().hash_one(0_u8),
            next: AtomicU64::new(1),
            leaving: AtomicBool::new(false),
            stopping: watch::Sender::new(false),
            feed: Feed::default(),
        }
    }
}

impl Journal {
    /// From now on nobody new comes in. Whoever is here may still ask.
    pub fn leaving(&self) {
        self.leaving.store(true, Ordering::Relaxed);
    }

    /// Whether nobody new comes in.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// From now on nothing new is begun, and exchanges that are cut end as `shutting_down`.
    pub fn stopping(&self) {
        self.stopping.send_replace(true);
    }

    /// Whether the proxy is stopping.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Resolves when the proxy stops: connections on which nothing is under way end then.
    pub async fn stopped(&self) {
        // It fails only without a sender, which is this journal itself.
        let _ = self.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }

    /// Six hexadecimal digits that tell this process from others, for `Via`.
    #[must_use]
    pub fn instance(&self) -> String {
        format!("{:06x}", self.boot & 0xff_ffff)
    }

    fn id(&self) -> DecisionId {
        DecisionId { boot: self.boot, number: self.next.fetch_add(1, Ordering::Relaxed) }
    }
}

/// How an allowed exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Both sides finished.
    Completed,
    /// The client went away first.
    ClientClosed,
    /// It was dropped before it came to an end.
    Cancelled,
    /// It was refused; the reason says why.
    Refused,
    /// It had passed and was cut; the reason says why.
    Cut,
}

impl Ended {
    const fn label(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::ClientClosed => "client_closed",
            Self::Cancelled => "cancelled",
            Self::Refused => "refused",
            Self::Cut => "cut",
        }
    }
}

/// What becomes of exchanges when what carries them is ended from outside.
#[derive(Debug, Default)]
pub struct Fate(AtomicU8);

impl Fate {
    const REVOKED: u8 = 1;
    const DISMISSED: u8 = 2;

    /// The configuration no longer allows it.
    pub fn revoke(&self) {
        self.0.store(Self::REVOKED, Ordering::Relaxed);
    }

    /// The proxy stops, and nothing moves.
    pub fn dismiss(&self) {
        self.0.store(Self::DISMISSED, Ordering::Relaxed);
    }

    /// Whether it is decided.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// Whether the configuration no longer allows it.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        self.0.load(Ordering::Relaxed) == Self::REVOKED
    }
}

/// What is known when an exchange starts.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    /// The client.
    pub client: SocketAddr,
    /// How the request was made.
    pub protocol: Protocol,
    /// The method, from a closed list.
    pub method: &'static str,
}

/// One exchange.
#[derive(Debug)]
pub struct Record {
    journal: Arc<Journal>,
    id: DecisionId,
    start: Start,
    started: Instant,
    destination: Option<Destination>,
    user: Option<Arc<str>>,
    service: Arc<str>,
    metrics: Arc<ServiceMetrics>,
    rule: RuleName,
    verdict: Option<Verdict>,
    passed: bool,
    reason: Option<Reason>,
    detail: Cow<'static, str>,
    status: u16,
    ended: Ended,
    fate: Option<Arc<Fate>>,
    /// Bytes from the client to the upstream.
    pub up: u64,
    /// Bytes from the upstream to the client.
    pub down: u64,
}

impl Record {
    /// Starts a record. `service` and `metrics` are those of the pseudo-service until the decision names another.
    #[must_use]
    pub fn new(journal: &Arc<Journal>, start: Start, service: &Arc<str>, metrics: &Arc<ServiceMetrics>) -> Self {
        Self {
            journal: journal.clone(),
            id: journal.id(),
            start,
            started: Instant::now(),
            destination: None,
            user: None,
            service: service.clone(),
            metrics: metrics.clone(),
            rule: RuleName::DEFAULT_DENY,
            verdict: None,
            passed: false,
            reason: None,
            detail: Cow::Borrowed(""),
            status: 0,
            ended: Ended::Cancelled,
            fate: None,
            up: 0,
            down: 0,
        }
    }

    /// The id shown in the answer.
    #[must_use]
    pub fn id(&self) -> DecisionId {
        self.id
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> SocketAddr {
        self.start.client
    }

    /// How the request was made.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.start.protocol
    }

    /// What carries it may be ended from outside.
    pub fn carried(&mut self, fate: &Arc<Fate>) {
        self.fate = Some(fate.clone());
    }

    /// The service it belongs to; `none` until that is decided.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The handles of the exchange's service.
    #[must_use]
    pub fn metrics(&self) -> &Arc<ServiceMetrics> {
        &self.metrics
    }

    /// Where the exchange wants to go.
    pub fn destination(&mut self, destination: &Destination) {
        self.destination = Some(destination.clone());
    }

    /// Who the client proved to be: never a name that it only claims.
    pub fn identified(&mut self, user: Option<&Arc<str>>) {
        self.user = user.cloned();
    }

    /// Who the client proved to be.
    #[must_use]
    pub fn user(&self) -> Option<&Arc<str>> {
        self.user.as_ref()
    }

    /// What the policy decided on.
    pub fn decided(&mut self, service: &Arc<str>, metrics: &Arc<ServiceMetrics>, rule: &RuleName) {
        self.service = service.clone();
        self.metrics = metrics.clone();
        if self.verdict.is_none() {
            self.rule = rule.clone();
        }
    }

    /// The exchange passes. Counted once, and as `would_deny` if enforcing would have refused it.
    pub fn allowed(&mut self) {
        match (self.verdict, self.reason) {
            (None, _) => {
                self.verdict = Some(Verdict::Allow);
                self.metrics.allowed();
            }
            (Some(Verdict::WouldDeny), Some(reason)) if !self.passed => self.metrics.would_deny(reason),
            _ => {}
        }
        self.passed = true;
    }

    /// Enforcing would refuse the exchange. The first reason stays; whether it passes in the end is not known yet.
    pub fn would_deny(&mut self, refusal: &Refusal) {
        if self.verdict.is_none() {
            self.verdict = Some(Verdict::WouldDeny);
            self.reason = Some(refusal.reason);
            self.detail.clone_from(&refusal.detail);
            self.rule = refusal.rule.clone();
        }
    }

    /// The exchange was refused.
    pub fn refused(&mut self, refusal: &Refusal) {
        self.verdict = Some(Verdict::Deny);
        self.rule = refusal.rule.clone();
        self.reason = Some(refusal.reason);
        self.detail.clone_from(&refusal.detail);
        self.ended = Ended::Refused;
        self.metrics.denied(refusal.reason);
    }

    /// The exchange was refused, and the refusal is its answer.
    pub fn answered_with(&mut self, refusal: &Refusal) {
        self.refused(refusal);
        self.answered(refusal.reason.status());
    }

    /// An exchange that had passed was cut. It stays one decision: cuts are counted on their own.
    pub fn cut(&mut self, reason: Reason) {
        self.reason = Some(reason);
        self.ended = Ended::Cut;
        self.metrics.cut(reason);
    }

    /// As [`Record::cut`], with the refusal that ended an exchange which had passed. One that had not is refused in the answer.
    pub fn cut_by(&mut self, refusal: &Refusal) {
        if self.passed {
            self.cut(refusal.reason);
            self.detail.clone_from(&refusal.detail);
            self.rule = refusal.rule.clone();
        }
    }

    /// Enforcing would have refused the exchange later than it was let through: noted, not counted a second time.
    pub fn observed_later(&mut self, refusal: &Refusal) {
        if self.verdict == Some(Verdict::Allow) {
            self.verdict = None;
            self.would_deny(refusal);
        }
    }

    /// Whether enforcing would have refused the exchange.
    #[must_use]
    pub fn is_observed(&self) -> bool {
        self.verdict == Some(Verdict::WouldDeny)
    }

    /// A new configuration ended what carried it.
    fn revoked(&mut self) {
        let refusal = revoked();
        if self.passed { self.cut_by(&refusal) } else { self.refused(&refusal) }
    }

    /// The proxy ends before the exchange does.
    fn stopped(&mut self) {
        if self.passed {
            return self.cut(Reason::ShuttingDown);
        }
        let detail = "the proxy is stopping and the drain time is over";
        self.refused(&Refusal::new(Reason::ShuttingDown, detail, RuleName::Builtin("limits.drain")));
    }

    /// The head of the answer was sent.
    pub fn answered(&mut self, status: u16) {
        self.status = status;
        self.metrics.request_duration.observe(self.started.elapsed().as_secs_f64());
        self.metrics.answered(self.start.protocol, status);
    }

    fn shown(&self, destination: &str, milliseconds: u64) -> Shown {
        Shown {
            at: Shown::now(),
            decision: self.id.to_string(),
            verdict: self.verdict.map_or("", Verdict::label),
            reason: self.reason.map_or("", Reason::label),
            rule: self.rule.to_string(),
            client: self.start.client.ip().to_canonical(),
            protocol: self.start.protocol.label(),
            method: self.start.method,
            destination: destination.to_owned(),
            service: self.service.clone(),
            status: self.status,
            ended: self.ended.label(),
            up: self.up,
            down: self.down,
            milliseconds,
        }
    }

    /// The exchange came to an end.
    pub fn ended(&mut self, ended: Ended) {
        if self.ended == Ended::Cancelled {
            self.ended = ended;
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if self.ended == Ended::Cancelled {
            if self.fate.as_ref().is_some_and(|fate| fate.is_revoked()) {
                self.revoked();
            } else if self.journal.is_stopping() {
                self.stopped();
            }
        }
        let reason = self.reason.map_or("", Reason::label);
        let destination = self.destination.as_ref().map_or_else(String::new, Destination::to_string);
        let milliseconds = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.journal.feed.note(self.reason.is_some(), || self.shown(&destination, milliseconds));
        tracing::info!(
            target: "ucx_egress::exchange",
            decision = %self.id,
            verdict = self.verdict.map_or("", Verdict::label),
            reason,
            detail = &*self.detail,
            client = %self.start.client,
            user = self.user.as_deref(),
            protocol = self.start.protocol.label(),
            method = self.start.method,
            destination,
            service = &*self.service,
            rule = self.rule.as_str(),
            status = self.status,
            ended = self.ended.label(),
            up = self.up,
            down = self.down,
            milliseconds,
            "exchange"
        );
    }
}
