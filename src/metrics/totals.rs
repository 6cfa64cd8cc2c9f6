//! Sums over services, for what shows a course rather than series.

use super::{Metrics, ServiceMetrics};
use prometheus::core::Metric as _;

/// Sums over all services.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Exchanges let through.
    pub allow: u64,
    /// Refused.
    pub deny: u64,
    /// Let through that enforcing would refuse.
    pub would_deny: u64,
    /// Bytes to the upstreams.
    pub up: u64,
    /// Bytes from them.
    pub down: u64,
    /// Tunnels open.
    pub tunnels: i64,
    /// Answers within so many seconds; the last limit is infinite.
    pub durations: Vec<(f64, u64)>,
}

impl Totals {
    /// Answers within so many seconds.
    #[must_use]
    pub fn within(&self, seconds: f64) -> u64 {
        self.durations.iter().find(|(limit, _)| limit.total_cmp(&seconds).is_eq()).map_or(0, |(_, count)| *count)
    }

    fn add(&mut self, service: &ServiceMetrics) {
        self.allow += service.allowances();
        self.deny += service.all_denials();
        self.would_deny += service.all_would_denials();
        self.up += service.bytes_up.get();
        self.down += service.bytes_down.get();
        self.tunnels += service.open_tunnels();
        let read = service.request_duration.metric();
        let histogram = read.get_histogram();
        let buckets = histogram.get_bucket().iter().map(|bucket| (bucket.upper_bound(), bucket.cumulative_count()));
        for (index, (limit, count)) in buckets.chain([(f64::INFINITY, histogram.get_sample_count())]).enumerate() {
            match self.durations.get_mut(index) {
                Some((_, all)) => *all += count,
                None => self.durations.push((limit, count)),
            }
        }
    }
}

impl Metrics {
    /// Sums over these services.
    #[must_use]
    pub fn totals<'a>(services: impl Iterator<Item = &'a ServiceMetrics>) -> Totals {
        let mut totals = Totals::default();
        services.for_each(|service| totals.add(service));
        totals
    }
}
