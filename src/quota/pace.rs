//! Slows the bytes of a tunnel to its quotas: what moved is paid for afterwards, and until it is, nothing more moves.

use super::bucket::Bucket;
use crate::metrics::QuotaCounters;
use governor::clock::DefaultClock;
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::time::{Sleep, sleep};

/// What is paid for at once, in KiB: about what moves at once.
const PIECE: NonZeroU32 = NonZeroU32::new(16).expect("it is not 0");
const KIB: u64 = 1024;

/// One bucket's claim on a tunnel.
struct Debt {
    bucket: Arc<Bucket<DefaultClock>>,
    counters: QuotaCounters,
    /// Bytes of the tunnel that were paid for.
    paid: u64,
}

/// What slows one tunnel.
pub struct Pace {
    client: IpAddr,
    debts: Vec<Debt>,
    /// Set while something is owed.
    pause: Option<Pin<Box<Sleep>>>,
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pace").field("is_paused", &self.pause.is_some()).finish_non_exhaustive()
    }
}

impl Pace {
    pub(super) fn new(client: IpAddr, buckets: Vec<(Arc<Bucket<DefaultClock>>, QuotaCounters)>) -> Self {
        let debts = buckets.into_iter().map(|(bucket, counters)| Debt { bucket, counters, paid: 0 }).collect();
        Self { client, debts, pause: None }
    }

    /// Ready when the `moved` bytes of the tunnel so far are paid for.
    pub fn poll_paid(&mut self, cx: &mut Context<'_>, moved: u64) -> Poll<()> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            let Some(wait) = self.debts.iter_mut().find_map(|debt| debt.pay(self.client, moved)) else { return Poll::Ready(()) };
            self.pause = Some(Box::pin(sleep(wait)));
        }
    }
}

impl Debt {
    /// Pays piece by piece; gives the time to wait when the bucket has no more.
    fn pay(&mut self, client: IpAddr, moved: u64) -> Option<std::time::Duration> {
        let piece = PIECE.min(self.bucket.burst());
        while moved - self.paid >= u64::from(piece.get()) * KIB {
            if let Err(wait) = self.bucket.take(client, piece) {
                self.counters.slowed.inc();
                return Some(wait);
            }
            self.paid += u64::from(piece.get()) * KIB;
            self.counters.passed.inc();
        }
        None
    }
}
