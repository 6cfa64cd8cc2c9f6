//! The one place where credentials are checked: from the cache, or by a hash off the event loop, within limits.

use super::RULE;
use super::basic::Basic;
use super::cache::{Cache, Digest, Key};
use super::hash::Hash;
use super::htpasswd::{Accounts, EXPOSED, Loaded};
use super::limit::{Exceeded, Limiter, Origin};
use crate::error::{Advice, Reason, Refusal};
use crate::source::Located;
use crate::stamp::Stamp;
use arc_swap::ArcSwap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Longest wait for a hash of one's own while others are computed.
const WAIT: Duration = Duration::from_secs(10);
/// Hashes that are computed at once, at most; on small machines half the cores.
const MAX_AT_ONCE: usize = 4;

/// The realm that clients are shown.
pub type Challenge = Arc<str>;

/// Checks credentials against the file's accounts.
#[derive(Debug)]
pub struct Access {
    realm: Challenge,
    path: PathBuf,
    key: Arc<Key>,
    known: ArcSwap<Known>,
    seen: Mutex<Stamp>,
    limiter: Arc<Mutex<Limiter>>,
    hashing: Arc<Semaphore>,
}

/// The accounts in force with the answers that are known. Those outlive a new file: whoever is in must not wait for a hash, behind all
/// who are wrong, because another account was added.
#[derive(Debug)]
struct Known {
    accounts: Accounts,
    cache: Arc<Mutex<Cache>>,
}

impl Known {
    fn new(accounts: Accounts, cache: Arc<Mutex<Cache>>) -> Arc<Self> {
        Arc::new(Self { accounts, cache })
    }

    /// What an offer is checked against, and under which digest the answer is kept.
    fn question(&self, key: &Key, offered: &Basic) -> Option<Question<'_>> {
        let (user, hash) = match self.accounts.find(offered.user()) {
            Some((user, hash)) => (Some(user), hash),
            // As costly as an account: how long the answer takes does not tell which names exist.
            None => (None, self.accounts.stand_in(key.draw(offered))?),
        };
        let [salt, hashed] = hash.identity();
        let digest = key.digest(&[offered.user(), salt, hashed, hash.significant(offered.password())]);
        Some(Question { user, hash, digest })
    }
}

/// One pair to be checked.
struct Question<'a> {
    user: Option<&'a Arc<str>>,
    hash: &'a Hash,
    digest: Digest,
}

/// The user, or that name and password are wrong.
type Verdict = Result<Arc<str>, ()>;

/// What a look at the file brought.
#[derive(Debug)]
pub enum Refreshed {
    /// It has not changed.
    Unchanged,
    /// It has, and its accounts are in force: so many.
    Replaced(usize),
    /// It has, and cannot be taken: the accounts from before stay.
    Kept(Located),
}

impl Access {
    /// Starts with the accounts of a file that was read.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn new(loaded: Loaded, realm: &str) -> Result<Self, String> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Self {
            realm: realm.into(),
            path: loaded.path,
            key: Arc::new(Key::random()?),
            known: ArcSwap::new(Known::new(loaded.accounts, Arc::default())),
            seen: Mutex::new(loaded.stamp),
            limiter: Arc::new(Mutex::new(Limiter::new(Instant::now()))),
            hashing: Arc::new(Semaphore::new((cores / 2).clamp(1, MAX_AT_ONCE))),
        })
    }

    /// Who offers these credentials: the value of `Proxy-Authorization`, however it came.
    ///
    /// # Errors
    /// `proxy_auth_required` without credentials and with wrong ones; `quota_exceeded` when the address has been wrong too often;
    /// `overloaded` when all addresses together have.
    pub async fn authenticate(&self, client: IpAddr, offered: Option<&[u8]>) -> Result<Arc<str>, Refusal> {
        let Some(value) = offered else {
            return Err(self.ask("this proxy asks for a user name and password; set them in the client's proxy settings"));
        };
        let offered = Basic::read(value).map_err(|unreadable| self.ask(unreadable.0))?;
        let origin = Origin::of(client);
        let answer = match self.remembered(origin, &offered)? {
            Some(answer) => answer,
            None => self.compute(origin, offered).await?,
        };
        answer.map_err(|()| self.ask("user name or password is wrong; correct them in the client, or set them anew with `htpasswd -B`"))
    }

    /// As [`Access::new`], after another file or realm: accounts of both are the same.
    ///
    /// # Errors
    /// As [`Access::new`].
    pub fn after(before: Option<&Self>, mut loaded: Loaded, realm: &str) -> Result<Self, String> {
        if let Some(before) = before {
            loaded.accounts = loaded.accounts.following(&before.known.load().accounts);
        }
        Self::new(loaded, realm)
    }

    /// Whether the account of a client that was let in still is one, with the same password.
    #[must_use]
    pub fn has(&self, account: &Arc<str>) -> bool {
        self.known.load().accounts.has(account)
    }

    /// Whether it is this file's, under this realm.
    #[must_use]
    pub fn is_of(&self, path: &Path, realm: &str) -> bool {
        self.path == path && *self.realm == *realm
    }

    /// Takes the accounts of the file, which was read again. Answers that are known stay: whoever is in is in.
    pub fn take(&self, loaded: Loaded) {
        *lock(&self.seen) = loaded.stamp;
        let before = self.known.load();
        self.known.store(Known::new(loaded.accounts.following(&before.accounts), before.cache.clone()));
    }

    /// Looks whether the file has changed, and takes its accounts then. Reads files: not for the event loop.
    pub fn refresh(&self) -> Refreshed {
        let mut seen = lock(&self.seen);
        let now = Stamp::of([self.path.as_path()]);
        if *seen == now {
            return Refreshed::Unchanged;
        }
        *seen = now;
        match Loaded::read(&self.path) {
            Ok(loaded) => {
                if loaded.is_exposed {
                    tracing::warn!(file = %self.path.display(), "{EXPOSED}");
                }
                let count = loaded.accounts.count();
                drop(seen);
                self.take(loaded);
                Refreshed::Replaced(count)
            }
            Err(located) => Refreshed::Kept(located),
        }
    }

    fn ask(&self, detail: &'static str) -> Refusal {
        Refusal::new(Reason::ProxyAuthRequired, detail, RULE).advising(Advice::Authenticate(self.realm.clone()))
    }

    /// The answer if it is known. An address over its limit is told a right one only where it was right before: else it could guess
    /// on as fast as it likes, and would be let in as soon as it guessed what another client is known by.
    fn remembered(&self, origin: Origin, offered: &Basic) -> Result<Option<Verdict>, Refusal> {
        let known = self.known.load();
        let Some(question) = known.question(&self.key, offered) else { return Ok(None) };
        let mut cache = lock(&known.cache);
        // As the account is now: it may be another one of the same name and password.
        let answer = cache.answer(&question.digest).map(|answer| answer.and(question.user.cloned().ok_or(())));
        if matches!(answer, Some(Ok(_))) && !cache.is_regular(&question.digest, origin) {
            self.check(origin)?;
            cache.keep_regular(question.digest, origin);
        }
        Ok(answer)
    }

    fn check(&self, origin: Origin) -> Result<(), Refusal> {
        lock(&self.limiter).check(origin, Instant::now()).map(drop).map_err(exceeded)
    }

    /// Computes the answer when it is this client's turn. Whoever waited behind the same question finds it answered then; a failure is
    /// taken ahead only of a hash that is computed, since many may log in at once from one address.
    async fn compute(&self, origin: Origin, offered: Basic) -> Result<Verdict, Refusal> {
        self.check(origin)?;
        let turn = timeout(WAIT, self.hashing.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(overloaded(WAIT)) };
        // The accounts may have been replaced meanwhile.
        if let Some(answer) = self.remembered(origin, &offered)? {
            return Ok(answer);
        }
        let taken = Taken::new(&self.limiter, origin).map_err(exceeded)?;
        let (known, key) = (self.known.load_full(), self.key.clone());
        // It goes on to its end even if the client leaves: whoever fails pays.
        let hashing = tokio::task::spawn_blocking(move || {
            let verdict = known.question(&key, &offered).map(|question| settle(&known, &question, &offered, taken));
            drop(turn);
            verdict
        });
        hashing.await.ok().flatten().ok_or_else(|| overloaded(WAIT))
    }
}

/// Computes, and notes what came of it.
fn settle(known: &Known, question: &Question<'_>, offered: &Basic, taken: Taken) -> Verdict {
    let started = Instant::now();
    let is_right = question.hash.is_of(offered.password());
    let verdict = question.user.filter(|_| is_right).cloned().ok_or(());
    let origin = taken.origin;
    if verdict.is_err() {
        taken.failed(started.elapsed());
    }
    let mut cache = lock(&known.cache);
    cache.keep(question.digest, verdict.clone());
    if verdict.is_ok() {
        cache.keep_regular(question.digest, origin);
    }
    verdict
}

/// A failure taken from an address ahead; it has it back unless it failed.
struct Taken {
    limiter: Arc<Mutex<Limiter>>,
    origin: Origin,
    is_spent: bool,
}

impl Taken {
    fn new(limiter: &Arc<Mutex<Limiter>>, origin: Origin) -> Result<Self, Exceeded> {
        lock(limiter).take(origin, Instant::now())?;
        Ok(Self { limiter: limiter.clone(), origin, is_spent: false })
    }

    fn failed(mut self, took: Duration) {
        lock(&self.limiter).failed(took, Instant::now());
        self.is_spent = true;
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if !self.is_spent {
            lock(&self.limiter).give_back(self.origin, Instant::now());
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn exceeded(exceeded: Exceeded) -> Refusal {
    match exceeded {
        Exceeded::Address(left) => {
            let detail = "too many wrong passwords came from this address; wait as long as Retry-After says, and correct the client's proxy credentials";
            Refusal::new(Reason::QuotaExceeded, detail, RULE).advising(Advice::RetryAfter(left))
        }
        Exceeded::All(left) => overloaded(left),
    }
}

fn overloaded(left: Duration) -> Refusal {
    let detail = "too many passwords are being checked; try again as Retry-After says, and look in the log for clients with wrong ones";
    Refusal::new(Reason::Overloaded, detail, RULE).advising(Advice::RetryAfter(left))
}
