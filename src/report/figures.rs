//! Adds up audit lines, one after the other; what it keeps is bounded however many there are.

use crate::audit::entry::{DecisionLine, Ending, GapLine, InForce, ReloadLine, StartLine};
use crate::audit::verify::Seen;
use crate::moment::{read, rfc3339};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

/// Bars of the chart at most.
const BUCKETS: u32 = 60;
const DAY: Duration = Duration::from_hours(24);
/// Names of one kind that are told apart; more are counted together. Names come from policies, which have few.
const NAMES: usize = 1_000;
/// Under this name.
const OTHERS: &str = "(others)";
/// Events of one kind that are listed; more are counted.
const LISTED: usize = 1_000;

/// From a moment on, up to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Its first moment.
    pub from: SystemTime,
    /// The first moment behind it.
    pub to: SystemTime,
}

impl Period {
    fn has(&self, time: SystemTime) -> bool {
        self.from <= time && time < self.to
    }

    /// So long is one bar of the chart: whole days, or whole hours where it is a few days.
    #[must_use]
    pub fn step(&self) -> Duration {
        let length = self.to.duration_since(self.from).unwrap_or_default();
        let unit = if length <= 2 * DAY { Duration::from_hours(1) } else { DAY };
        let units = length.as_secs().div_ceil(unit.as_secs()).div_ceil(u64::from(BUCKETS)).max(1);
        unit * u32::try_from(units).unwrap_or(u32::MAX)
    }
}

/// Decisions by verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Let through.
    pub allow: u64,
    /// Refused.
    pub deny: u64,
    /// Let through while observing; enforcing would refuse.
    pub would_deny: u64,
    /// Ended before a decision could act.
    pub undecided: u64,
}

impl Counts {
    fn add(&mut self, verdict: &str) {
        match verdict {
            "allow" => self.allow += 1,
            "deny" => self.deny += 1,
            "would_deny" => self.would_deny += 1,
            _ => self.undecided += 1,
        }
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.allow + self.deny + self.would_deny + self.undecided
    }
}

/// What was done with the payload of exchanges that passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Covered {
    /// All of it was inspected.
    pub inspected: u64,
    /// It was not seen.
    pub tunnelled: u64,
    /// Something in it could not be inspected.
    pub uninspectable: u64,
}

impl Covered {
    /// Inspected of all that passed with a payload, in percent.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
    pub fn percent(&self) -> Option<f64> {
        let all = self.inspected + self.tunnelled + self.uninspectable;
        (all > 0).then(|| (self.inspected as f64 * 1_000.0 / all as f64).round() / 10.0)
    }
}

/// Findings of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// In messages that were refused.
    pub blocked: u64,
    /// In messages that went on.
    pub passed: u64,
}

/// What went to one endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Decisions.
    pub exchanges: u64,
    /// Messages inspected.
    pub messages: u64,
    /// Bytes from clients to the cloud.
    pub up: u64,
    /// Bytes from the cloud to clients.
    pub down: u64,
}

impl Traffic {
    fn add(&mut self, line: &DecisionLine<'_>) {
        self.exchanges += 1;
        self.messages += line.messages;
        self.up = self.up.saturating_add(line.up);
        self.down = self.down.saturating_add(line.down);
    }
}

/// One service.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Service {
    /// Decisions by verdict.
    pub decisions: Counts,
    /// Exchanges that had passed and were cut.
    pub cut: u64,
    /// All of it.
    pub traffic: Traffic,
    /// What was done with payloads.
    pub coverage: Covered,
    /// Messages that were refused.
    pub blocked: u64,
    /// Messages that enforcing would have refused.
    pub observed: u64,
    /// Refused exchanges by reason.
    pub refused: BTreeMap<String, u64>,
    /// Exchanges that enforcing would have refused, by reason.
    pub would_refuse: BTreeMap<String, u64>,
    /// Findings by kind.
    pub findings: BTreeMap<String, Findings>,
    /// What went to each endpoint; a report has it with its source.
    #[serde(skip)]
    pub endpoints: BTreeMap<String, Traffic>,
    /// Networks of its clients.
    pub networks: BTreeSet<String>,
}

/// Something that changed.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    /// When.
    pub time: String,
    /// `start`, `rotation`, `recovery`, `reload`, `failed reload`, `stop`.
    pub what: String,
    /// In force since then.
    pub in_force: Option<InForce>,
    /// Of the program, at starts.
    pub version: Option<String>,
}

/// A time.
#[derive(Debug, Clone, Serialize)]
pub struct Span {
    /// Its first moment.
    pub from: String,
    /// Its end.
    pub to: String,
}

/// A time in which nothing was recorded.
#[derive(Debug, Clone, Serialize)]
pub struct Gap {
    /// From when to when.
    #[serde(flatten)]
    pub span: Span,
    /// Why.
    pub cause: String,
    /// Records lost.
    pub lost: u64,
    /// Exchanges refused.
    pub refused: u64,
}

/// What audit lines add up to.
#[derive(Debug)]
pub struct Figures {
    /// Of which period.
    pub period: Period,
    /// Decisions for each step of it.
    pub timeline: Vec<Counts>,
    /// By service.
    pub services: BTreeMap<String, Service>,
    /// Hashes of the policies under which exchanges began.
    pub policies: BTreeSet<String>,
    /// What changed.
    pub changes: Vec<Change>,
    /// When nothing was recorded.
    pub gaps: Vec<Gap>,
    /// When nothing was enforced.
    pub observing: Vec<Span>,
    /// Ends of the process that were not in order: the first line behind each.
    pub interruptions: Vec<String>,
    /// Events that are not listed.
    pub unlisted: u64,
    /// The times of the first and the last line of all, in the period or not.
    pub covers: Option<(SystemTime, SystemTime)>,
    step: Duration,
    observing_since: Option<SystemTime>,
}

impl Figures {
    /// Nothing yet.
    #[must_use]
    pub fn new(period: Period) -> Self {
        let step = period.step();
        let length = period.to.duration_since(period.from).unwrap_or_default();
        let bars = usize::try_from(length.as_secs().div_ceil(step.as_secs().max(1))).unwrap_or_default();
        Self {
            period,
            timeline: vec![Counts::default(); bars.min(BUCKETS as usize)],
            services: BTreeMap::new(),
            policies: BTreeSet::new(),
            changes: Vec::new(),
            gaps: Vec::new(),
            observing: Vec::new(),
            interruptions: Vec::new(),
            unlisted: 0,
            covers: None,
            step,
            observing_since: None,
        }
    }

    /// Adds a line that was verified.
    pub fn add(&mut self, seen: &Seen<'_>) {
        let Some(time) = read(&seen.head.time) else { return };
        match &*seen.head.kind {
            "decision" if self.period.has(time) => self.decision(time, seen.bytes),
            "start" => self.start(time, seen.bytes),
            "reload" => self.reload(time, seen.bytes),
            "gap" => self.gap(time, seen.bytes),
            "stop" => {
                self.ends_observing(time);
                self.change(time, "stop", None, None);
            }
            _ => {}
        }
        let first = self.covers.map_or(time, |(first, _)| first);
        self.covers = Some((first, time));
    }

    /// All lines were added.
    pub fn end(&mut self) {
        if let Some((_, last)) = self.covers {
            self.ends_observing(last);
        }
    }

    fn decision(&mut self, time: SystemTime, bytes: &[u8]) {
        let Ok(line) = serde_json::from_slice::<DecisionLine<'_>>(bytes) else { return };
        let since = time.duration_since(self.period.from).unwrap_or_default();
        let bar = usize::try_from(since.as_secs() / self.step.as_secs().max(1)).unwrap_or(usize::MAX);
        if let Some(bar) = self.timeline.get_mut(bar) {
            bar.add(&line.verdict);
        }
        if self.policies.len() < NAMES {
            keep(&mut self.policies, &line.policy);
        }
        named(&mut self.services, &line.service).add(&line);
    }

    fn start(&mut self, time: SystemTime, bytes: &[u8]) {
        let Ok(line) = serde_json::from_slice::<StartLine>(bytes) else { return };
        if matches!(line.previous.ended, Ending::Unclosed | Ending::Gone) {
            let last = self.covers.map_or(time, |(_, last)| last);
            self.ends_observing(last);
            if self.period.has(time) {
                self.list(|figures| figures.interruptions.push(rfc3339(time)), |figures| figures.interruptions.len());
            }
        }
        self.in_force(time, &line.in_force);
        self.change(time, &line.why, Some(line.in_force), Some(line.version.into_owned()));
    }

    fn reload(&mut self, time: SystemTime, bytes: &[u8]) {
        let Ok(line) = serde_json::from_slice::<ReloadLine>(bytes) else { return };
        self.in_force(time, &line.now);
        self.change(time, if line.outcome == "ok" { "reload" } else { "failed reload" }, Some(line.now), None);
    }

    fn gap(&mut self, time: SystemTime, bytes: &[u8]) {
        let Ok(line) = serde_json::from_slice::<GapLine>(bytes) else { return };
        let since = read(&line.since).unwrap_or(time);
        if time < self.period.from || since >= self.period.to {
            return;
        }
        let span = Span { from: line.since, to: rfc3339(time) };
        let gap = Gap { span, cause: line.cause, lost: line.lost, refused: line.refused };
        self.list(|figures| figures.gaps.push(gap), |figures| figures.gaps.len());
    }

    fn change(&mut self, time: SystemTime, what: &str, in_force: Option<InForce>, version: Option<String>) {
        if self.period.has(time) {
            let change = Change { time: rfc3339(time), what: what.to_owned(), in_force, version };
            self.list(|figures| figures.changes.push(change), |figures| figures.changes.len());
        }
    }

    fn in_force(&mut self, time: SystemTime, in_force: &InForce) {
        if in_force.mode == "observe" {
            self.observing_since.get_or_insert(time);
        } else {
            self.ends_observing(time);
        }
    }

    fn ends_observing(&mut self, time: SystemTime) {
        let Some(since) = self.observing_since.take() else { return };
        let (from, to) = (since.max(self.period.from), time.min(self.period.to));
        if from <= to && since < self.period.to {
            let span = Span { from: rfc3339(from), to: rfc3339(to) };
            self.list(|figures| figures.observing.push(span), |figures| figures.observing.len());
        }
    }

    fn list(&mut self, add: impl FnOnce(&mut Self), length: impl Fn(&Self) -> usize) {
        if length(self) < LISTED { add(self) } else { self.unlisted += 1 }
    }
}

impl Service {
    fn add(&mut self, line: &DecisionLine<'_>) {
        self.decisions.add(&line.verdict);
        self.traffic.add(line);
        match &*line.coverage {
            "inspected" => self.coverage.inspected += 1,
            "tunnelled" => self.coverage.tunnelled += 1,
            "uninspectable" => self.coverage.uninspectable += 1,
            _ => {}
        }
        self.cut += u64::from(line.ended == "cut");
        self.blocked += line.blocked;
        self.observed += line.observed;
        match &*line.verdict {
            "deny" => *named(&mut self.refused, &line.reason) += 1,
            "would_deny" => *named(&mut self.would_refuse, &line.reason) += 1,
            _ => {}
        }
        for finding in &line.findings {
            let found = named(&mut self.findings, &finding.kind);
            found.blocked += finding.blocked;
            found.passed += finding.passed;
        }
        if !line.endpoint.is_empty() {
            named(&mut self.endpoints, &line.endpoint).add(line);
        }
        if self.networks.len() < NAMES {
            keep(&mut self.networks, &line.network);
        }
    }
}

fn named<'a, T: Default>(map: &'a mut BTreeMap<String, T>, name: &str) -> &'a mut T {
    let name = if map.len() < NAMES || map.contains_key(name) { name } else { OTHERS };
    map.entry(name.to_owned()).or_default()
}

fn keep(set: &mut BTreeSet<String>, name: &str) {
    if !name.is_empty() && !set.contains(name) {
        set.insert(name.to_owned());
    }
}
