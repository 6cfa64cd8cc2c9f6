//! Deadlines of the HTTP library that take into account that this process may have stood still.
//!
//! A process that was stopped (SIGSTOP, a frozen container, a machine that was paused) finds its deadlines passed when it goes on, and
//! what its peers sent in time unread. The library asks the clock first, and would end healthy connections.

use hyper::rt::{Sleep, Timer};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::time::{Instant as Moment, sleep_until};

/// A deadline that is noticed so long after it was due was slept through: load alone delays by far less.
const OVERSLEPT: Duration = Duration::from_secs(1);
/// Time to read what came meanwhile.
const GRACE: Duration = Duration::from_secs(2);

/// The clock of the HTTP library.
#[derive(Debug, Clone, Copy, Default)]
pub struct PatientTimer;

impl Timer for PatientTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let due = Moment::from_std(deadline);
        Box::pin(Waiting { sleep: Box::pin(sleep_until(due)), due })
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn Sleep>>, new_deadline: Instant) {
        if let Some(mut waiting) = sleep.as_mut().downcast_mut_pin::<Waiting>() {
            waiting.due = Moment::from_std(new_deadline);
            let due = waiting.due;
            waiting.sleep.as_mut().reset(due);
        }
    }

    fn now(&self) -> Instant {
        Moment::now().into_std()
    }
}

/// Until a deadline.
struct Waiting {
    sleep: Pin<Box<tokio::time::Sleep>>,
    due: Moment,
}

impl Sleep for Waiting {}

impl Future for Waiting {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        loop {
            ready!(this.sleep.as_mut().poll(cx));
            let Some(later) = put_off(this.due, Moment::now()) else { return Poll::Ready(()) };
            this.due = later;
            this.sleep.as_mut().reset(later);
        }
    }
}

/// When a deadline is due instead that was slept through.
fn put_off(due: Moment, now: Moment) -> Option<Moment> {
    (now.saturating_duration_since(due) >= OVERSLEPT).then(|| now + GRACE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_slept_through_is_put_off() {
        let due = Moment::now();
        for (late, put_off_to) in [
            (Duration::ZERO, None),
            (Duration::from_millis(999), None),
            (Duration::from_secs(1), Some(Duration::from_secs(3))),
            (Duration::from_mins(10), Some(Duration::from_secs(602))),
        ] {
            assert_eq!(put_off(due, due + late), put_off_to.map(|after| due + after), "{late:?}");
        }
    }
}
