//! What happened in the last hour, in steps: for the charts of the page.

use crate::metrics::{Metrics, Totals};
use crate::proxy::Live;
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{MissedTickBehavior, interval};

/// One step.
const STEP: Duration = Duration::from_secs(5);
/// Steps that are kept: an hour.
const STEPS: usize = 720;

/// What happened within one step.
#[derive(Debug, Clone, Serialize)]
struct Point {
    /// Its end, in seconds since 1970.
    at: u64,
    allow: u64,
    deny: u64,
    would_deny: u64,
    up: u64,
    down: u64,
    /// Tunnels open at its end.
    tunnels: i64,
    /// Half of the answers took no longer, in milliseconds; none without answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    p50: Option<f64>,
    /// 95 of 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    p95: Option<f64>,
}

/// The steps so far.
#[derive(Debug, Default)]
pub struct History(Mutex<VecDeque<Point>>);

#[derive(Serialize)]
struct Document<'a> {
    /// Seconds of a step.
    step: u64,
    points: &'a VecDeque<Point>,
}

impl History {
    /// Takes down one step after the other, for ever.
    pub async fn keep(self: Arc<Self>, live: Arc<Live>) {
        let mut tick = interval(STEP);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut before = totals(&live);
        loop {
            tick.tick().await;
            let now = totals(&live);
            self.add(Point::between(&before, &now));
            before = now;
        }
    }

    fn add(&self, point: Point) {
        let mut points = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if points.len() >= STEPS {
            points.pop_front();
        }
        points.push_back(point);
    }

    /// As JSON.
    pub(super) fn document(&self) -> String {
        let points = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::to_string(&Document { step: STEP.as_secs(), points: &points }).unwrap_or_default()
    }
}

fn totals(live: &Live) -> Totals {
    Metrics::totals(live.context().engine.services().map(|(_, metrics)| metrics))
}

impl Point {
    fn between(before: &Totals, now: &Totals) -> Self {
        // A reload may have taken a service with its counts away.
        let answers: Vec<(f64, u64)> =
            now.durations.iter().map(|(limit, count)| (*limit, count.saturating_sub(before.within(*limit)))).collect();
        Self {
            at: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
            allow: now.allow.saturating_sub(before.allow),
            deny: now.deny.saturating_sub(before.deny),
            would_deny: now.would_deny.saturating_sub(before.would_deny),
            up: now.up.saturating_sub(before.up),
            down: now.down.saturating_sub(before.down),
            tunnels: now.tunnels,
            p50: quantile(&answers, 0.50),
            p95: quantile(&answers, 0.95),
        }
    }
}

/// A quantile of cumulative counts by upper limit in seconds, in milliseconds; within a bucket taken as evenly spread.
fn quantile(answers: &[(f64, u64)], share: f64) -> Option<f64> {
    let (_, all) = answers.last().filter(|(_, all)| *all > 0)?;
    #[expect(clippy::cast_precision_loss, reason = "counts of five seconds")]
    let (rank, mut lower, mut below) = (share * *all as f64, 0.0, 0.0);
    for (limit, count) in answers {
        #[expect(clippy::cast_precision_loss, reason = "counts of five seconds")]
        let count = *count as f64;
        if count >= rank && count > below {
            // Behind the last limit nothing more is known than that.
            let upper = if limit.is_finite() { *limit } else { lower };
            return Some(1_000.0 * (lower + (upper - lower) * (rank - below) / (count - below)));
        }
        (lower, below) = (*limit, count);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_within_their_bucket() {
        let answers = [(0.01, 0), (0.1, 10), (1.0, 10), (f64::INFINITY, 20)];
        assert_eq!(quantile(&answers, 0.5), Some(100.0));
        assert_eq!(quantile(&answers, 0.25).map(f64::round), Some(55.0));
        assert_eq!(quantile(&answers, 0.95), Some(1_000.0), "not more is known than that it was over the last limit");
        assert_eq!(quantile(&[(1.0, 0), (f64::INFINITY, 0)], 0.5), None);
    }

    #[test]
    fn an_hour_is_kept() {
        let history = History::default();
        let nothing = Totals::default();
        for _ in 0..STEPS + 5 {
            history.add(Point::between(&nothing, &nothing));
        }
        assert_eq!(history.0.lock().expect("nobody panicked").len(), STEPS);
    }
}
