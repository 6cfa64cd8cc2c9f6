//! The families of reloads.

use super::Families;
use prometheus::{Gauge, IntCounter};
use std::time::{SystemTime, UNIX_EPOCH};

/// Handles of the reload families.
#[derive(Debug)]
pub struct ReloadMetrics {
    ok: IntCounter,
    failed: IntCounter,
    loaded: Gauge,
    is_taken: Gauge,
}

impl ReloadMetrics {
    pub(super) fn new(family: &Families) -> Self {
        let outcomes = family.counters("config_reloads_total", "Configuration reloads, by outcome.", &["outcome"]);
        let help = "When the configuration in force was loaded, in seconds since 1970.";
        let loaded = family.gauge("config_last_reload_timestamp_seconds", help);
        let help = "1 while what was loaded last is in force, 0 since a reload that was not taken; a start is one that was.";
        let is_taken = family.gauge("config_last_reload_successful", help);
        let metrics = Self { ok: outcomes.with_label_values(&["ok"]), failed: outcomes.with_label_values(&["failed"]), loaded, is_taken };
        metrics.loaded();
        metrics
    }

    /// A reload put another configuration in force.
    pub fn ok(&self) {
        self.ok.inc();
        self.loaded();
    }

    /// A reload changed nothing, because the configuration it found is unfit.
    pub fn failed(&self) {
        self.failed.inc();
        self.is_taken.set(0.0);
    }

    fn loaded(&self) {
        self.is_taken.set(1.0);
        self.loaded.set(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64().floor()));
    }
}
