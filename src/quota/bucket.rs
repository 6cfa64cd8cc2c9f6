//! Token buckets (GCRA, from `governor`): one for all, or one for each client address, of which there are so many and no more.

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{NotUntil, Quota, RateLimiter};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Clients with a bucket of their own. While so many are in use, all clients share one.
const MOST_CLIENTS: usize = 16_384;
/// While there are so many, the full ones among them are looked for once in so many clients.
const CLEAN_EVERY: usize = 1_024;
/// Whose bucket that is.
const EVERYBODY: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

/// How much passes in the long run, and how much at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Time in which one more may pass; never 0.
    pub period: Duration,
    /// What may pass at once.
    pub burst: NonZeroU32,
}

impl Rate {
    /// So many in so long a time, and what that makes of `burst` at once, one at least. `None` for more than one in a nanosecond.
    #[must_use]
    pub fn new(amount: u64, per: Duration, burst: Duration) -> Option<Self> {
        let period = u64::try_from(per.as_nanos()).ok()?.checked_div(amount).filter(|nanoseconds| *nanoseconds > 0)?;
        let at_once = u128::from(amount) * burst.as_nanos() / per.as_nanos().max(1);
        let burst = NonZeroU32::new(u32::try_from(at_once).unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN);
        Some(Self { period: Duration::from_nanos(period), burst })
    }
}

type Limiter<K, S, C> = RateLimiter<K, S, C, NoOpMiddleware<<C as Clock>::Instant>>;

enum Kind<C: Clock> {
    Shared(Limiter<NotKeyed, InMemoryState, C>),
    Each(Limiter<IpAddr, HashMapStateStore<IpAddr>, C>),
}

/// A bucket, or one for each client.
pub struct Bucket<C: Clock> {
    kind: Kind<C>,
    clock: C,
    burst: NonZeroU32,
    most: usize,
    clean_every: usize,
    /// How often a client came while there were too many.
    crowded: AtomicUsize,
}

impl<C: Clock> fmt::Debug for Bucket<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("burst", &self.burst).finish_non_exhaustive()
    }
}

impl<C: Clock + Clone> Bucket<C> {
    /// A full one.
    #[must_use]
    pub fn new(rate: Rate, each_client: bool, clock: C) -> Self {
        // A period of 0 does not come out of `Rate::new`.
        let quota = Quota::with_period(rate.period).unwrap_or_else(|| Quota::per_second(rate.burst)).allow_burst(rate.burst);
        let kind = if each_client {
            Kind::Each(RateLimiter::new(quota, HashMapStateStore::default(), clock.clone()))
        } else {
            Kind::Shared(RateLimiter::direct_with_clock(quota, clock.clone()))
        };
        Self { kind, clock, burst: rate.burst, most: MOST_CLIENTS, clean_every: CLEAN_EVERY, crowded: AtomicUsize::new(0) }
    }

    /// Most that can be taken at once.
    #[must_use]
    pub fn burst(&self) -> NonZeroU32 {
        self.burst
    }

    /// Takes so many, at most [`Self::burst`].
    ///
    /// # Errors
    /// The time after which there are so many.
    pub fn take(&self, client: IpAddr, amount: NonZeroU32) -> Result<(), Duration> {
        let amount = amount.min(self.burst);
        let taken = match &self.kind {
            Kind::Shared(limiter) => limiter.check_n(amount).map(|taken| taken.map_err(|wait| self.wait(&wait))),
            Kind::Each(limiter) => {
                let key = self.key(limiter, client);
                limiter.check_key_n(&key, amount).map(|taken| taken.map_err(|wait| self.wait(&wait)))
            }
        };
        // More than the burst is never asked for.
        taken.unwrap_or(Ok(()))
    }

    fn wait(&self, until: &NotUntil<C::Instant>) -> Duration {
        until.wait_time_from(self.clock.now())
    }

    /// Whose bucket it is.
    fn key(&self, limiter: &Limiter<IpAddr, HashMapStateStore<IpAddr>, C>, client: IpAddr) -> IpAddr {
        if limiter.len() >= self.most {
            // Full buckets are as good as none. To look through all of them is worth it once in a while only.
            if self.crowded.fetch_add(1, Ordering::Relaxed).is_multiple_of(self.clean_every) {
                limiter.retain_recent();
            }
            if limiter.len() >= self.most {
                return EVERYBODY;
            }
            // The next crowd is looked through as soon as it is there, where it has far to grow: nobody shares a bucket because others
            // came once.
            if limiter.len() <= self.most / 2 {
                self.crowded.store(0, Ordering::Relaxed);
            }
        }
        super::host_of(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;

    const ONE: NonZeroU32 = NonZeroU32::MIN;

    fn client(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn bucket(amount: u64, each_client: bool) -> (Bucket<FakeRelativeClock>, FakeRelativeClock) {
        let (rate, clock) =
            (Rate::new(amount, Duration::from_secs(1), Duration::from_secs(1)).expect("a rate"), FakeRelativeClock::default());
        (Bucket::new(rate, each_client, clock.clone()), clock)
    }

    #[test]
    fn one_too_many_waits_for_its_turn() {
        let (bucket, clock) = bucket(4, false);
        for _ in 0..4 {
            assert_eq!(bucket.take(client(1), ONE), Ok(()));
        }
        assert_eq!(bucket.take(client(2), ONE), Err(Duration::from_millis(250)));
        clock.advance(Duration::from_millis(249));
        assert_eq!(bucket.take(client(2), ONE), Err(Duration::from_millis(1)));
        clock.advance(Duration::from_millis(1));
        assert_eq!(bucket.take(client(2), ONE), Ok(()));
        assert!(bucket.take(client(2), ONE).is_err());
        clock.advance(Duration::from_secs(9));
        assert_eq!(bucket.take(client(2), NonZeroU32::new(4).expect("four")), Ok(()), "it is full again, and no fuller");
        assert!(bucket.take(client(2), ONE).is_err());
    }

    #[test]
    fn each_client_has_its_own() {
        let (bucket, _clock) = bucket(1, true);
        assert_eq!(bucket.take(client(1), ONE), Ok(()));
        assert!(bucket.take(client(1), ONE).is_err());
        assert_eq!(bucket.take(client(2), ONE), Ok(()));
        let own = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert_eq!(bucket.take(own("2001:db8::1"), ONE), Ok(()));
        assert!(bucket.take(own("2001:db8::ffff"), ONE).is_err(), "the same /64");
        assert!(bucket.take(own("::ffff:192.0.2.1"), ONE).is_err(), "the same address");
    }

    #[test]
    fn a_crowd_shares_one_and_the_table_does_not_grow() {
        let (mut bucket, clock) = bucket(1, true);
        (bucket.most, bucket.clean_every) = (4, 1);
        for last in 0..4 {
            assert_eq!(bucket.take(client(last), ONE), Ok(()));
        }
        assert_eq!(bucket.take(client(4), ONE), Ok(()), "the first of the crowd");
        assert!(bucket.take(client(5), ONE).is_err(), "the second shares its bucket");
        let Kind::Each(limiter) = &bucket.kind else { panic!("it is keyed") };
        assert!(limiter.len() <= 5);
        clock.advance(Duration::from_secs(5));
        // The crowd is looked through again in a while.
        for _ in 0..CLEAN_EVERY {
            let _ = bucket.take(client(5), ONE);
        }
        let Kind::Each(limiter) = &bucket.kind else { panic!("it is keyed") };
        assert!(limiter.len() <= 2, "full buckets were forgotten");
        clock.advance(Duration::from_secs(5));
        for last in 0..4 {
            assert_eq!(bucket.take(client(last), ONE), Ok(()));
        }
        clock.advance(Duration::from_secs(5));
        for last in 4..6 {
            assert_eq!(bucket.take(client(last), ONE), Ok(()), "another crowd is looked through at once");
        }
    }

    #[test]
    fn rates_are_read_as_written() {
        for (amount, per, burst, period, at_once) in
            [(50, 1, 1, 20_000_000, 50), (50, 1, 2, 20_000_000, 100), (1, 60, 1, 60_000_000_000, 1)]
        {
            let rate = Rate::new(amount, Duration::from_secs(per), Duration::from_secs(burst)).expect("a rate");
            assert_eq!((rate.period, rate.burst.get()), (Duration::from_nanos(period), at_once));
        }
        assert_eq!(Rate::new(2_000_000_000, Duration::from_secs(1), Duration::from_secs(1)), None);
        assert_eq!(Rate::new(0, Duration::from_secs(1), Duration::from_secs(1)), None);
    }
}
