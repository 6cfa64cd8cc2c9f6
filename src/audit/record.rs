//! The record of one exchange. It is written when it is dropped, so no way out of an exchange can forget it.

use super::entry::Decision;
use super::fate::{Fate, revoked};
use super::feed::Shown;
use super::id::DecisionId;
use super::journal::Journal;
use super::observation::Observation;
use super::tally::{Counted, Tally};
use crate::contain::{defect, step};
use crate::destination::Destination;
use crate::error::{Reason, Refusal, RuleName};
use crate::fault::Layer;
use crate::identity::Identity;
use crate::metrics::{Coverage, Protocol, ServiceMetrics};
use crate::policy::Verdict;
use bytes::Bytes;
use http::HeaderMap;
use ipnet::IpNet;
use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

/// What a panic ends while a record is written.
const LOGGING: &str = "the log line of an exchange";
/// See [`LOGGING`].
const AUDITING: &str = "the audit record of an exchange";
/// See [`LOGGING`].
const OBSERVING: &str = "the observation of an exchange";

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

/// Under what an exchange begins, for the audit.
#[derive(Debug, Clone)]
pub struct Basis {
    /// The policy's hash.
    pub policy: Arc<str>,
    /// The network of `clients.allow` that the client is in.
    pub network: Option<IpNet>,
}

/// What only the audit wants to know of an exchange.
#[derive(Debug)]
struct Audited {
    /// Whether there is a place for its record.
    has_place: bool,
    basis: Basis,
    endpoint: Option<Arc<str>>,
    coverage: Option<Coverage>,
    tally: Option<Arc<Mutex<Tally>>>,
}

/// One exchange.
#[derive(Debug)]
pub struct Record {
    journal: Arc<Journal>,
    id: DecisionId,
    start: Start,
    started: Instant,
    destination: Option<Destination>,
    identity: Identity,
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
    audited: Option<Box<Audited>>,
    observation: Option<Box<Observation>>,
    /// Bytes from the client to the upstream.
    pub up: u64,
    /// Bytes from the upstream to the client.
    pub down: u64,
}

impl Record {
    /// Starts a record. `service` and `metrics` are those of the pseudo-service until the decision names another; `basis` is asked for
    /// where there are audit files.
    #[must_use]
    pub fn new(
        journal: &Arc<Journal>,
        start: Start,
        service: &Arc<str>,
        metrics: &Arc<ServiceMetrics>,
        basis: impl FnOnce() -> Basis,
    ) -> Self {
        let audited = journal.audit().map(|audit| {
            let has_place = audit.has_place();
            Box::new(Audited { has_place, basis: basis(), endpoint: None, coverage: None, tally: None })
        });
        Self {
            journal: journal.clone(),
            id: journal.id(),
            start,
            started: Instant::now(),
            destination: None,
            identity: Identity::default(),
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
            audited,
            observation: None,
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

    /// Whether the exchange may go on as far as the audit is concerned: where files are to be written and cannot be, none begins.
    ///
    /// # Errors
    /// `overloaded`.
    pub fn admitted(&self) -> Result<(), Refusal> {
        let has_place = self.audited.as_ref().is_none_or(|audited| audited.has_place);
        if has_place || !self.journal.audit().is_some_and(super::sink::Audit::is_closed_without) {
            return Ok(());
        }
        let detail = "the audit cannot be written, and nothing goes out unrecorded (audit.on_failure); the log says why";
        Err(Refusal::new(Reason::Overloaded, detail, RuleName::Builtin("audit.path")))
    }

    /// The policy's rule for the endpoint.
    pub fn endpoint(&mut self, rule: &RuleName) {
        if let (Some(audited), RuleName::Policy(name)) = (&mut self.audited, rule) {
            audited.endpoint = Some(name.clone());
        }
    }

    /// What was done with the payload of an exchange that passes.
    pub fn covered(&mut self, coverage: Coverage) {
        self.metrics.covered(coverage);
        if let Some(audited) = &mut self.audited {
            audited.coverage = Some(coverage);
        }
    }

    /// Where inspection counts for this exchange.
    #[must_use]
    pub fn counted(&mut self) -> Counted {
        let tally = match &mut self.audited {
            Some(audited) => audited.tally.get_or_insert_default().clone(),
            None => Arc::default(),
        };
        Counted::new(self.metrics.clone(), tally)
    }

    /// Whoever observes is told at the end.
    pub fn observed_by(&mut self, observation: Observation) {
        self.observation = Some(Box::new(observation));
    }

    /// What whoever observes is told; nothing where the mode enforces.
    #[must_use]
    pub fn observation(&mut self) -> Option<&mut Observation> {
        self.observation.as_deref_mut()
    }

    /// The body of the request was judged and may go.
    pub fn sends(&self, headers: &HeaderMap, bytes: &Bytes) {
        if let Some(observation) = &self.observation {
            observation.sends(&self.service, headers, bytes);
        }
    }

    /// Where the exchange wants to go.
    pub fn destination(&mut self, destination: &Destination) {
        self.destination = Some(destination.clone());
    }

    /// Who the client proved to be: never a name that it only claims.
    pub fn identified(&mut self, identity: &Identity) {
        self.identity = identity.clone();
    }

    /// Who the client proved to be.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
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
        if let Some(observation) = &mut self.observation {
            observation.would_deny(refusal.reason);
        }
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

    /// Panics here if a drill wants it.
    pub fn strike(&self, layer: Layer) {
        self.journal.faults().strike(layer);
    }

    /// The proxy panicked in what carried it.
    pub fn broken(&mut self) {
        let refusal = defect();
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
            } else if std::thread::panicking() {
                // What carried it is being unwound, and it along.
                self.broken();
            } else if self.journal.is_stopping() {
                self.stopped();
            }
        }
        let milliseconds = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        // Each on its own: a panic in one keeps the others from nothing, and one behind another panic would end the process.
        let panics = self.metrics.panics.clone();
        step(&panics, LOGGING, || self.log(milliseconds));
        if step(&panics, AUDITING, || self.audit(milliseconds)).is_none()
            && let Some(audit) = self.journal.audit()
        {
            audit.lost();
        }
        step(&panics, OBSERVING, || self.observe());
    }
}

impl Record {
    /// To the log, and to whoever watches the admin page.
    fn log(&self, milliseconds: u64) {
        self.journal.faults().strike(Layer::Log);
        let reason = self.reason.map_or("", Reason::label);
        let destination = self.destination.as_ref().map_or_else(String::new, Destination::to_string);
        self.journal.feed.note(self.reason.is_some(), || self.shown(&destination, milliseconds));
        tracing::info!(
            target: "ucx_egress::exchange",
            decision = %self.id,
            verdict = self.verdict.map_or("", Verdict::label),
            reason,
            detail = &*self.detail,
            client = %self.start.client,
            user = self.identity.name().map(|name| &**name),
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

    /// To whoever learns what is asked for.
    fn observe(&mut self) {
        if let (Some(observation), Some(destination)) = (self.observation.take(), self.destination.take()) {
            observation.end(destination, &self.service, self.verdict, self.reason);
        }
    }

    /// Hands over what the audit says of the exchange.
    fn audit(&mut self, milliseconds: u64) {
        let (Some(audited), Some(audit)) = (self.audited.take(), self.journal.audit()) else { return };
        if !audited.has_place {
            return audit.without_place();
        }
        self.journal.faults().strike(Layer::Record);
        let Audited { basis, endpoint, coverage, tally, .. } = *audited;
        let tally = tally.map(|tally| std::mem::take(&mut *tally.lock().unwrap_or_else(PoisonError::into_inner)));
        audit.record(Decision {
            at: SystemTime::now(),
            id: self.id,
            verdict: self.verdict.map_or("", Verdict::label),
            reason: self.reason.map_or("", Reason::label),
            service: self.service.clone(),
            rule: self.rule.clone(),
            endpoint,
            protocol: self.start.protocol.label(),
            method: self.start.method,
            status: self.status,
            ended: self.ended.label(),
            coverage: coverage.map_or("none", Coverage::label),
            tally: tally.unwrap_or_default(),
            up: self.up,
            down: self.down,
            milliseconds,
            policy: basis.policy,
            client: self.start.client.ip(),
            network: basis.network,
        });
    }
}
