//! What all held messages together may take: bytes, and processors.

use crate::error::{Reason, Refusal, RuleName};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// What is left to hold.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    left: AtomicUsize,
    /// Large messages that may be inspected at once: half of the processors are left to traffic.
    turns: Arc<Semaphore>,
}

/// A part of the budget, given back when dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Budget {
    /// A budget of so many bytes.
    #[must_use]
    pub fn new(bytes: usize) -> Arc<Self> {
        let turns = available_parallelism().map_or(1, |all| (all.get() / 2).max(1));
        Arc::new(Self { limit: bytes, left: AtomicUsize::new(bytes), turns: Arc::new(Semaphore::new(turns)) })
    }

    /// Does what takes long aside from the threads that carry everybody's traffic, when its turn comes: in the order of those who wait.
    /// `None`: the runtime ends, or the work panicked.
    pub async fn aside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let turn = self.turns.clone().acquire_owned().await.ok()?;
        let done = spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await.ok()
    }

    /// All of it.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Takes a part of it.
    ///
    /// # Errors
    /// `overloaded`, when so much is not left. Nothing of the message has been read then.
    pub fn reserve(self: &Arc<Self>, bytes: usize) -> Result<Reservation, Refusal> {
        self.take(bytes)?;
        Ok(Reservation { budget: self.clone(), bytes })
    }

    fn take(&self, bytes: usize) -> Result<(), Refusal> {
        let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        taken.map(|_| ()).map_err(|_| {
            let detail = "as many bytes are held for inspection as inspection.max_held allows; try again, or raise it";
            Refusal::new(Reason::Overloaded, detail, RuleName::Builtin("inspection.max_held"))
        })
    }
}

impl Reservation {
    /// Makes it at least so large.
    ///
    /// # Errors
    /// `overloaded`.
    pub fn grow_to(&mut self, bytes: usize) -> Result<(), Refusal> {
        let more = bytes.saturating_sub(self.bytes);
        self.budget.take(more)?;
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.left.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_comes_back_and_no_more_is_given() {
        let budget = Budget::new(100);
        let mut first = budget.reserve(40).expect("there is room");
        first.grow_to(60).expect("there is room");
        first.grow_to(10).expect("it is larger already");
        assert_eq!(budget.reserve(41).expect_err("too much").reason, Reason::Overloaded);
        let second = budget.reserve(40).expect("there is room");
        assert!(first.grow_to(61).is_err());
        drop((first, second));
        assert!(budget.reserve(100).is_ok());
    }

    /// This runtime has one thread. Work that held it would wait for ever for what it is to be told.
    #[tokio::test]
    async fn what_takes_long_holds_up_nobody_else() {
        let budget = Budget::new(0);
        let (tell, told) = std::sync::mpsc::channel();
        let waiting = budget.aside(move || told.recv());
        let telling = async { tell.send(7).expect("somebody waits") };
        let (said, ()) = tokio::join!(waiting, telling);
        assert_eq!(said, Some(Ok(7)));
        assert_eq!(budget.aside(|| panic!("a defect")).await, None::<()>);
        assert_eq!(budget.aside(|| 1).await, Some(1), "the turn came back");
    }

    #[tokio::test]
    async fn half_of_the_processors_are_left_to_traffic() {
        let budget = Budget::new(0);
        let most = budget.turns.available_permits();
        assert_eq!(most, available_parallelism().map_or(1, |all| (all.get() / 2).max(1)));
        let (tell, told) = std::sync::mpsc::channel::<()>();
        let told = Arc::new(std::sync::Mutex::new(told));
        let work = |_| {
            let (budget, told) = (budget.clone(), told.clone());
            tokio::spawn(async move { budget.aside(move || told.lock().map(|told| told.recv()).is_ok()).await })
        };
        let all: Vec<_> = (0..2 * most).map(work).collect();
        while budget.turns.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        for _ in &all {
            tell.send(()).expect("somebody waits");
        }
        for one in all {
            assert_eq!(one.await.expect("no panic"), Some(true));
        }
        assert_eq!(budget.turns.available_permits(), most);
    }
}
