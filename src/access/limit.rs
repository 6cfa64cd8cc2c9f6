//! How often a password may be wrong: for each client address, and for all together.
//!
//! An address has [`BURST`] failures, and one more every [`REFILL`]. All failures together have a tenth of a core: what a hash costs
//! depends on the file, so what it took is counted, not how many there were.

use crate::quota::host_of;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Failures an address has at once.
pub const BURST: u32 = 10;
/// Time after which it has one more.
pub const REFILL: Duration = Duration::from_secs(6);
/// Addresses that are remembered.
const MAX_ADDRESSES: usize = 4_096;
/// One of so many seconds goes to hashes of wrong passwords.
const SHARE: u32 = 10;
/// Time for hashes that may be saved up, or be owed.
const MOST_SAVED: Duration = Duration::from_secs(2);

/// Why no hash is computed, and when one would be again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exceeded {
    /// The address had too many failures.
    Address(Duration),
    /// All addresses together had.
    All(Duration),
}

/// Whose failures are counted together: an address, or the network of an IPv6 one, in which a client takes any (RFC 8981).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Origin(IpAddr);

impl Origin {
    /// Where a client comes from.
    #[must_use]
    pub fn of(client: IpAddr) -> Self {
        Self(host_of(client))
    }
}

/// Counts failures.
#[derive(Debug)]
pub struct Limiter {
    /// When each address would have all its failures back (GCRA, ITU-T I.371): one instant says all about it.
    addresses: HashMap<Origin, Instant>,
    /// When the time that hashes took is paid off.
    paid: Instant,
}

impl Limiter {
    /// Nobody has failed.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { addresses: HashMap::new(), paid: now }
    }

    /// Whether the address may be wrong once more; gives when it would have all its failures back then.
    ///
    /// # Errors
    /// When it may not, or the hashes of all have taken too long.
    pub fn check(&self, origin: Origin, now: Instant) -> Result<Instant, Exceeded> {
        let owed = self.paid.saturating_duration_since(now).saturating_sub(MOST_SAVED * SHARE);
        if !owed.is_zero() {
            return Err(Exceeded::All(owed));
        }
        let whole = self.addresses.get(&origin).map_or(now, |whole| (*whole).max(now)) + REFILL;
        let over = whole.saturating_duration_since(now + REFILL * BURST);
        if over.is_zero() { Ok(whole) } else { Err(Exceeded::Address(over)) }
    }

    /// Takes one failure of the address ahead of the hash, so that many at once do not pass the limit together.
    ///
    /// # Errors
    /// As [`Limiter::check`].
    pub fn take(&mut self, origin: Origin, now: Instant) -> Result<(), Exceeded> {
        let whole = self.check(origin, now)?;
        self.make_room(origin, now);
        self.addresses.insert(origin, whole);
        Ok(())
    }

    /// Gives a failure back: the password was right, or was not looked at.
    pub fn give_back(&mut self, origin: Origin, now: Instant) {
        if let Entry::Occupied(mut entry) = self.addresses.entry(origin) {
            match entry.get().checked_sub(REFILL).filter(|whole| *whole > now) {
                Some(whole) => *entry.get_mut() = whole,
                None => drop(entry.remove()),
            }
        }
    }

    /// A password was wrong, and to see that took so long.
    pub fn failed(&mut self, took: Duration, now: Instant) {
        self.paid = self.paid.max(now) + took * SHARE;
    }

    /// Forgets addresses that have all their failures back, or the one that is nearest to that.
    fn make_room(&mut self, origin: Origin, now: Instant) {
        if self.addresses.len() < MAX_ADDRESSES || self.addresses.contains_key(&origin) {
            return;
        }
        self.addresses.retain(|_, whole| *whole > now);
        if self.addresses.len() >= MAX_ADDRESSES
            && let Some(nearest) = self.addresses.iter().min_by_key(|(_, whole)| **whole).map(|(origin, _)| *origin)
        {
            self.addresses.remove(&nearest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    fn origin(number: u32) -> Origin {
        Origin::of(IpAddr::V4(Ipv4Addr::from(number)))
    }

    #[test]
    fn an_address_has_its_burst_and_then_one_at_a_time() {
        let now = Instant::now();
        let mut limiter = Limiter::new(now);
        for _ in 0..BURST {
            assert_eq!(limiter.take(origin(1), now), Ok(()));
        }
        assert_eq!(limiter.take(origin(1), now), Err(Exceeded::Address(REFILL)));
        assert_eq!(limiter.take(origin(2), now), Ok(()), "another address is not concerned");
        assert_eq!(limiter.take(origin(1), now + REFILL), Ok(()));
        assert_eq!(limiter.take(origin(1), now + REFILL), Err(Exceeded::Address(REFILL)));
        limiter.give_back(origin(1), now + REFILL);
        assert_eq!(limiter.take(origin(1), now + REFILL), Ok(()), "what was given back is there again");
    }

    #[test]
    fn right_passwords_cost_nothing_and_leave_nothing() {
        let now = Instant::now();
        let mut limiter = Limiter::new(now);
        for _ in 0..1_000 {
            assert_eq!(limiter.take(origin(1), now), Ok(()));
            limiter.give_back(origin(1), now);
        }
        assert!(limiter.addresses.is_empty());
    }

    #[test]
    fn all_addresses_together_have_a_tenth_of_a_core() {
        let start = Instant::now();
        let mut limiter = Limiter::new(start);
        let (took, tick) = (Duration::from_millis(100), Duration::from_millis(1));
        let mut spent = Duration::ZERO;
        for step in 0..60_000 {
            let now = start + tick * step;
            if limiter.take(origin(step), now).is_ok() {
                limiter.failed(took, now);
                spent += took;
            }
        }
        let most = MOST_SAVED + Duration::from_mins(1) / SHARE + took;
        assert!(spent <= most && spent * 2 > most, "{spent:?} of {most:?}");
    }

    #[test]
    fn addresses_are_forgotten_when_there_are_many() {
        let now = Instant::now();
        let mut limiter = Limiter::new(now);
        for number in 0..10_000 {
            let _ = limiter.take(origin(number), now);
        }
        assert_eq!(limiter.addresses.len(), MAX_ADDRESSES);
        let _ = limiter.take(origin(20_000), now + REFILL * 2);
        assert_eq!(limiter.addresses.len(), 1);
    }

    #[test]
    fn an_ipv6_network_is_one_client() {
        let ip = |text: &str| IpAddr::V6(text.parse::<Ipv6Addr>().expect("an address"));
        assert_eq!(Origin::of(ip("2001:db8:0:1::1")), Origin::of(ip("2001:db8:0:1:ffff::2")));
        assert_ne!(Origin::of(ip("2001:db8:0:1::1")), Origin::of(ip("2001:db8:0:2::1")));
        assert_eq!(Origin::of(ip("::ffff:10.0.0.1")), Origin::of(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1))));
    }
}
