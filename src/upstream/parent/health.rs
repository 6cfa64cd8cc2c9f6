//! Which parents failed a moment ago: they are asked last for a while, longer each time.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a parent is asked last after its first failure.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// And at most.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// What is known of one parent.
#[derive(Debug, Default)]
pub struct Health(Mutex<Option<Down>>);

/// Since its last failure.
#[derive(Debug, Clone, Copy)]
struct Down {
    failed: Instant,
    pause: Duration,
    /// When it is tried again.
    again: Instant,
}

impl Health {
    /// Whether the last that was heard of it is no failure.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Whether its pause is over, which one caller alone is told: the others do not wait for what that one finds out.
    pub fn try_again(&self, now: Instant) -> bool {
        let mut down = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(down) = down.as_mut().filter(|down| down.again <= now) else { return false };
        down.again = now + down.pause;
        true
    }

    /// It answered.
    pub fn answered(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// It failed in an attempt that began then; gives the pause. Attempts at the same time are one failure.
    pub fn failed(&self, began: Instant, now: Instant) -> Duration {
        let mut down = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = match *down {
            None => FIRST_PAUSE,
            Some(before) if before.failed > began => before.pause,
            Some(before) => (before.pause * 2).min(LONGEST_PAUSE),
        };
        *down = Some(Down { failed: now, pause, again: now + pause });
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_with_an_answer() {
        let health = Health::default();
        let mut now = Instant::now();
        for seconds in [5, 10, 20, 40, 60, 60] {
            let began = now;
            now += Duration::from_millis(1);
            assert_eq!(health.failed(began, now), Duration::from_secs(seconds));
        }
        assert!(!health.is_up());
        health.answered();
        assert!(health.is_up());
        assert_eq!(health.failed(now, now), FIRST_PAUSE);
    }

    #[test]
    fn attempts_at_the_same_time_are_one_failure() {
        let (health, began) = (Health::default(), Instant::now());
        let pauses = [1, 2, 3].map(|later| health.failed(began, began + Duration::from_secs(later)));
        assert_eq!(pauses, [FIRST_PAUSE; 3]);
    }

    #[test]
    fn one_caller_tries_again() {
        let (health, now) = (Health::default(), Instant::now());
        health.failed(now, now);
        assert!(!health.try_again(now + FIRST_PAUSE / 2));
        let later = now + FIRST_PAUSE;
        assert!(health.try_again(later));
        assert!(!health.try_again(later), "the others wait for what the first one finds out");
        assert!(health.try_again(later + FIRST_PAUSE), "unless it never tells");
    }
}
