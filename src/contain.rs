//! Panics are contained: one ends the task, the exchange or the message it happens in, fails closed, and is counted.

use crate::error::{Reason, Refusal, RuleName};
use crate::metrics::Metrics;
use futures_util::FutureExt as _;
use prometheus::IntCounter;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::task::JoinError;

/// Counts a panic and says in the log that there was one. Its message stays out of there: it could quote what it choked on.
fn note(panics: &IntCounter, ended: &str) {
    panics.inc();
    tracing::error!("{ended} was ended by a defect of the proxy; please report it");
}

/// A panic ends one task and is counted.
pub fn contained<F: Future<Output = ()>>(work: F, metrics: Arc<Metrics>) -> impl Future<Output = ()> + use<F> {
    // Combinators, not an async block: that would hold the future twice.
    AssertUnwindSafe(work).catch_unwind().map(move |ended| {
        if ended.is_err() {
            note(&metrics.panics, "a connection");
        }
    })
}

/// Runs a part of an exchange; a panic in it is counted and refuses the exchange, which says so in the answer and in its record.
///
/// # Errors
/// Those of the part; [`defect`].
pub fn refusing<T, F: Future<Output = Result<T, Refusal>>>(
    work: F,
    metrics: &Metrics,
) -> impl Future<Output = Result<T, Refusal>> + use<T, F> {
    caught(work, metrics, Err)
}

/// Runs what answers a request; a panic in it is counted, and `answer` says what is answered instead.
pub fn caught<T, F: Future<Output = T>, A: FnOnce(Refusal) -> T>(
    work: F,
    metrics: &Metrics,
    answer: A,
) -> impl Future<Output = T> + use<T, F, A> {
    let panics = metrics.panics.clone();
    AssertUnwindSafe(work).catch_unwind().map(move |ended| {
        ended.unwrap_or_else(|_| {
            note(&panics, "an exchange");
            answer(defect())
        })
    })
}

/// Runs a step; `None` if it panicked, which is counted. `ended` is what that ended, for the log.
pub fn step<T>(panics: &IntCounter, ended: &str, work: impl FnOnce() -> T) -> Option<T> {
    let done = inspected(work);
    if done.is_none() {
        note(panics, ended);
    }
    done
}

/// What became of a task that did not come to its end, for a sentence; a panic is counted. The error itself would quote the panic.
#[must_use]
pub fn unfinished(panics: &IntCounter, error: &JoinError) -> &'static str {
    if !error.is_panic() {
        return "it was cut off";
    }
    note(panics, "a task");
    "a defect of the proxy ended it; please report it"
}

/// The refusal of an exchange in which the proxy panicked: nobody else's doing, and over with it.
#[must_use]
pub fn defect() -> Refusal {
    let detail = "a defect of the proxy ended the exchange; please report it, with the line that the log has of it";
    Refusal::new(Reason::Overloaded, detail, RuleName::Builtin("contained-defect"))
}

/// What is said of a message on which the inspector failed.
pub const DEFECT: &str = "the inspector failed on it; please report this defect";

/// Runs an inspection; `None` if it panicked, which is a defect and never an acquittal.
pub fn inspected<T>(inspection: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(inspection)).ok()
}

/// Runs the tasks that an HTTP/2 connection is made of, each contained.
#[derive(Debug, Clone)]
pub struct Executor(pub Arc<Metrics>);

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Executor {
    fn execute(&self, work: F) {
        tokio::spawn(contained(work, self.0.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::rt::Executor as _;

    #[test]
    fn an_inspection_that_panics_acquits_nobody() {
        assert_eq!(inspected(|| -> u8 { panic!("a defect") }), None);
        assert_eq!(inspected(|| 1), Some(1), "nor does it stand in the way of the next");
    }

    #[tokio::test]
    async fn a_panic_ends_its_task_and_is_counted() {
        let metrics = Arc::new(Metrics::new());
        contained(async { panic!("a defect") }, metrics.clone()).await;
        assert_eq!(metrics.panics.get(), 1);
        let (sender, ended) = tokio::sync::oneshot::channel::<()>();
        Executor(metrics.clone()).execute(async move {
            let _sender = sender;
            panic!("another defect");
        });
        ended.await.expect_err("the task was ended");
        contained(async {}, metrics.clone()).await;
        tokio::task::yield_now().await;
        assert_eq!(metrics.panics.get(), 2);
    }

    #[tokio::test]
    async fn a_panic_in_a_part_of_an_exchange_refuses_it() {
        let metrics = Metrics::new();
        let refused = refusing(async { panic!("mario.rossi@example.com") }, &metrics).await;
        let refusal: Refusal = Result::<(), _>::expect_err(refused, "refused");
        assert_eq!((refusal.reason, metrics.panics.get()), (Reason::Overloaded, 1));
        assert!(!refusal.detail.contains("mario"), "{}", refusal.detail);
        assert_eq!(refusing(async { Ok(1) }, &metrics).await, Ok(1));
        assert_eq!(step(&metrics.panics, "a step", || panic!("again")), None::<()>);
        assert_eq!((step(&metrics.panics, "a step", || 2), metrics.panics.get()), (Some(2), 2));
    }

    #[tokio::test]
    async fn a_task_that_panicked_is_not_quoted() {
        let metrics = Metrics::new();
        let error = tokio::spawn(async { panic!("mario.rossi@example.com") }).await.expect_err("it panicked");
        assert!(error.to_string().contains("mario"), "what is kept from people: {error}");
        assert!(!unfinished(&metrics.panics, &error).contains("mario"));
        assert_eq!(metrics.panics.get(), 1);
    }
}
