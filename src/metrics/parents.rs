//! What is counted of parent proxies. The labels are the parents of the configuration.

use super::NO_SERVICE;
use super::families::{Families, retain};
use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

/// What became of an attempt to go through a parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParentOutcome {
    /// The tunnel stands.
    Ok,
    /// The parent does not allow the destination.
    Refused,
    /// It wants credentials, or others.
    Credentials,
    /// It answered that it failed, or nothing that makes sense.
    Failed,
    /// It could not be reached, verified or waited for.
    Unreachable,
}

impl ParentOutcome {
    const ALL: [Self; 5] = [Self::Ok, Self::Refused, Self::Credentials, Self::Failed, Self::Unreachable];

    /// The label value.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Credentials => "credentials",
            Self::Failed => "failed",
            Self::Unreachable => "unreachable",
        }
    }
}

/// The families of all parents.
#[derive(Debug)]
pub(super) struct ParentFamilies {
    connects: IntCounterVec,
    failovers: IntCounterVec,
    up: IntGaugeVec,
}

/// The handles of one parent.
#[derive(Debug)]
pub struct ParentMetrics {
    connects: Vec<IntCounter>,
    /// Dials that went on to the next parent.
    pub failovers: IntCounter,
    /// 1 unless the last that was heard of it is a failure.
    pub up: IntGauge,
}

impl ParentMetrics {
    /// An attempt ended.
    pub fn ended(&self, outcome: ParentOutcome) {
        if let Some(counter) = self.connects.get(outcome as usize) {
            counter.inc();
        }
    }
}

impl ParentFamilies {
    /// All at zero, under a name that stands for "no parent".
    pub(super) fn new(family: &Families) -> Self {
        let families = Self {
            connects: family.counters(
                "parent_connects_total",
                "Attempts to go through a parent proxy, by what became of them.",
                &["parent", "outcome"],
            ),
            failovers: family.counters(
                "parent_failovers_total",
                "Dials that this parent failed and that went on to the next one.",
                &["parent"],
            ),
            up: family.gauges("parent_up", "1 unless the parent failed when it was last needed.", &["parent"]),
        };
        families.parent(NO_SERVICE);
        families
    }

    /// The handles of a configuration's parents, which may come to be in force.
    pub(super) fn parents<'a>(&self, names: impl Iterator<Item = &'a str>) -> Vec<ParentMetrics> {
        names.map(|name| self.parent(name)).collect()
    }

    /// These are in force, and no others: a parent that left is neither up nor down. Where there is none, a name stands for that.
    pub(super) fn in_force(&self, names: &[&str]) {
        let stays = |name: &str, _| if names.is_empty() { name == NO_SERVICE } else { names.contains(&name) };
        retain(&self.connects, "parent", stays);
        retain(&self.failovers, "parent", stays);
        retain(&self.up, "parent", stays);
        if names.is_empty() {
            self.parent(NO_SERVICE);
        }
    }

    fn parent(&self, name: &str) -> ParentMetrics {
        ParentMetrics {
            connects: ParentOutcome::ALL.iter().map(|outcome| self.connects.with_label_values(&[name, outcome.label()])).collect(),
            failovers: self.failovers.with_label_values(&[name]),
            up: self.up.with_label_values(&[name]),
        }
    }
}
