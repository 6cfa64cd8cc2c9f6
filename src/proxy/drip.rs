//! How slowly a body of announced length may come. One that drips, a byte before each idle limit, would hold its places for ever.
//!
//! Where no length is announced there is no such measure: streams and calls send when they have something to say.

use std::time::Duration;
use tokio::time::Instant;

/// Bytes a second, on average over the time that is waited for the client: what others demand of bodies too (Kestrel's
/// `MinRequestBodyDataRate`), and a fraction of what the slowest links carry.
const LEAST: u64 = 240;

/// Follows one body.
#[derive(Debug)]
pub struct Drip {
    /// So long may be waited in all for...
    window: Duration,
    /// ... so many bytes.
    least: u64,
    waited: Duration,
    bytes: u64,
    /// Since when is waited.
    since: Option<Instant>,
}

impl Drip {
    /// A body that begins.
    #[must_use]
    pub fn new(window: Duration) -> Self {
        let least = u64::try_from(window.as_millis()).unwrap_or(u64::MAX).saturating_mul(LEAST) / 1_000;
        Self { window, least, waited: Duration::ZERO, bytes: 0, since: None }
    }

    /// More is waited for; gives until when at most.
    pub fn waits(&mut self, now: Instant) -> Instant {
        *self.since.get_or_insert(now) + self.window.saturating_sub(self.waited)
    }

    /// So many bytes came.
    pub fn came(&mut self, bytes: u64, now: Instant) {
        if let Some(since) = self.since.take() {
            self.waited += now.saturating_duration_since(since);
        }
        self.bytes += bytes;
        if self.bytes >= self.least {
            (self.bytes, self.waited) = (0, Duration::ZERO);
        }
    }

    /// Whether anything came since this was last satisfied: then a body that is waited for in vain drips, else it is silent.
    #[must_use]
    pub fn has_dripped(&self) -> bool {
        self.bytes > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many pieces, each after a pause, a body is too slow.
    fn too_slow_after(piece: u64, pause: Duration) -> Option<usize> {
        let mut drip = Drip::new(Duration::from_mins(5));
        let mut now = Instant::now();
        (0..10_000).position(|_| {
            let due = drip.waits(now);
            now += pause;
            drip.came(piece, now);
            // The next piece is not waited for beyond this.
            now > due
        })
    }

    #[test]
    fn a_body_must_keep_up_the_rate_over_the_whole_window() {
        for (piece, pause, expected) in [
            (1, 299, Some(1)),
            (1, 1, Some(300)),
            (239, 1, Some(300)),
            (240, 1, None),
            (1_000_000, 299, None),
            (72_000, 300, None),
            (71_999, 299, Some(1)),
        ] {
            assert_eq!(too_slow_after(piece, Duration::from_secs(pause)), expected, "{piece} bytes each {pause} s");
        }
    }

    #[test]
    fn time_that_is_not_waited_does_not_count() {
        let mut drip = Drip::new(Duration::from_secs(10));
        let mut now = Instant::now();
        for _ in 0..100 {
            let due = drip.waits(now);
            assert!(due > now, "nothing was waited for yet");
            drip.came(1, now);
            // The upstream takes its time.
            now += Duration::from_mins(1);
        }
    }
}
