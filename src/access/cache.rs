//! Answers that were computed before: a client sends its password with every request, and a hash takes tens of milliseconds.
//!
//! Kept are digests under a key of this process, never a password. Their comparison need not be constant in time: without the key
//! nobody can choose a digest that agrees with another one in part.

use super::basic::Basic;
use super::limit::Origin;
use crate::hidden::hidden;
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use aws_lc_rs::rand::SystemRandom;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::Arc;

/// Right answers that are kept: one for each account, as bcrypt and argon2 take one password only.
const MAX_RIGHT: usize = 65_536;
/// Addresses that are kept with the pairs that they were right with.
const MAX_REGULARS: usize = 65_536;
/// Wrong answers that are kept, apart from the right ones: no flood of those displaces these.
const MAX_WRONG: usize = 4_096;

/// Names a pair of user name and password without telling it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

/// Makes digests; random for each process.
pub struct Key(hmac::Key);

hidden!(Digest, Key, Cache);

impl Key {
    /// A new key.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn random() -> Result<Self, String> {
        let key = hmac::Key::generate(HMAC_SHA256, &SystemRandom::new());
        key.map(Self).map_err(|_| "the system gives no random numbers".to_owned())
    }

    /// The digest of a name, of the entry it is checked against, and of what counts of its password.
    #[must_use]
    pub fn digest(&self, parts: &[&[u8]]) -> Digest {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            // The length keeps `a` with `bc` and `ab` with `c` apart.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.sign().as_ref());
        Digest(digest)
    }

    /// A number that belongs to a name and that nobody outside can compute.
    #[must_use]
    pub fn draw(&self, offered: &Basic) -> u64 {
        let Digest(digest) = self.digest(&[offered.user()]);
        digest.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
    }
}

/// What is known of accounts. An entry that changes has other digests, so a new file leaves the answers of the old one behind by itself.
#[derive(Default)]
pub struct Cache {
    right: Bounded<Digest, Arc<str>>,
    wrong: Bounded<Digest, ()>,
    /// From where a right answer was given before.
    regulars: Bounded<(Digest, Origin), ()>,
}

impl Cache {
    /// The answer, if it is known: the user, or that the pair is wrong.
    #[must_use]
    pub fn answer(&self, digest: &Digest) -> Option<Result<Arc<str>, ()>> {
        let right = self.right.entries.get(digest).cloned().map(Ok);
        right.or_else(|| self.wrong.entries.get(digest).map(|()| Err(())))
    }

    /// Whether this address was right with this pair before: it is no news to whoever is there.
    #[must_use]
    pub fn is_regular(&self, digest: &Digest, origin: Origin) -> bool {
        self.regulars.entries.contains_key(&(*digest, origin))
    }

    /// Notes that it was.
    pub fn keep_regular(&mut self, digest: Digest, origin: Origin) {
        self.regulars.keep((digest, origin), (), MAX_REGULARS);
    }

    /// Keeps an answer.
    pub fn keep(&mut self, digest: Digest, answer: Result<Arc<str>, ()>) {
        match answer {
            Ok(user) => self.right.keep(digest, user, MAX_RIGHT),
            Err(()) => self.wrong.keep(digest, (), MAX_WRONG),
        }
    }
}

/// A map of so many entries; the oldest makes room.
struct Bounded<K, V> {
    entries: HashMap<K, V>,
    order: VecDeque<K>,
}

impl<K, V> Default for Bounded<K, V> {
    fn default() -> Self {
        Self { entries: HashMap::new(), order: VecDeque::new() }
    }
}

impl<K: Hash + Eq + Copy, V> Bounded<K, V> {
    fn keep(&mut self, key: K, value: V, most: usize) {
        if self.entries.insert(key, value).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > most
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_answers_are_bounded_and_displace_no_right_one() {
        let (key, mut cache) = (Key::random().expect("random numbers"), Cache::default());
        let digest = |number: usize| key.digest(&[b"user", &number.to_be_bytes()]);
        cache.keep(digest(0), Ok("user".into()));
        for number in 1..=MAX_WRONG + 1 {
            cache.keep(digest(number), Err(()));
        }
        assert_eq!(cache.answer(&digest(0)), Some(Ok("user".into())));
        assert_eq!(cache.answer(&digest(1)), None, "the oldest made room");
        assert_eq!(cache.answer(&digest(2)), Some(Err(())));
        assert_eq!((cache.wrong.entries.len(), cache.wrong.order.len()), (MAX_WRONG, MAX_WRONG));
    }

    #[test]
    fn digests_tell_pairs_and_processes_apart() {
        let (key, other) = (Key::random().expect("random numbers"), Key::random().expect("random numbers"));
        assert!(key.digest(&[b"a", b"bc"]) == key.digest(&[b"a", b"bc"]));
        assert!(key.digest(&[b"a", b"bc"]) != key.digest(&[b"ab", b"c"]));
        assert!(key.digest(&[b"a", b"bc"]) != other.digest(&[b"a", b"bc"]));
    }
}
