//! Panics are contained: one ends the task it happens in, fails closed, and is counted.

use crate::metrics::Metrics;
use futures_util::FutureExt as _;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A panic ends one task, is counted, and its message stays out of the log: it could quote what it choked on.
pub fn contained<F: Future<Output = ()>>(work: F, metrics: Arc<Metrics>) -> impl Future<Output = ()> + use<F> {
    // Combinators, not an async block: that would hold the future twice.
    AssertUnwindSafe(work).catch_unwind().map(move |ended| {
        if ended.is_err() {
            metrics.panics.inc();
            tracing::error!("a connection was ended by a defect of the proxy; please report it");
        }
    })
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
}
