//! A new configuration in place of the one in force: all of it or nothing. It is read, compiled, asked its canaries, its sockets are
//! bound and its files loaded before anything changes; an error leaves everything as it was.

use super::assemble::{Assembled, assemble, in_force};
use super::running::{self, Running};
use super::watch::{Cause, Watch};
use super::{Parts, bind_all, guard, receptions};
use crate::admin::guard::Guard;
use crate::audit::{Event, InForce, Settings};
use crate::config::{Config, reload};
use crate::contain::unfinished;
use crate::fault::Layer;
use crate::inspect;
use crate::policy::canary;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinError;
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

/// How often files that are read again when they change are looked at.
const LOOK_AT_FILES: Duration = Duration::from_secs(2);
/// Longest time that reading and loading a configuration may take: well above that of 100,000 hosts.
const DEADLINE: Duration = Duration::from_secs(30);

/// A configuration that can be put in force.
#[derive(Debug)]
struct Next {
    assembled: Assembled,
    parts: Parts,
    guard: Arc<Guard>,
    in_force: InForce,
    watch: Watch,
}

/// What came of reading the configuration again.
#[derive(Debug)]
struct Attempt {
    next: Result<Box<Next>, String>,
    /// The files as they are watched if it is not taken.
    watch: Watch,
}

impl Running {
    /// Reloads when it is asked to or when files change, until `shutdown` resolves.
    pub(super) async fn until(&mut self, shutdown: impl Future<Output = ()>, mut reloads: mpsc::Receiver<()>) {
        let mut shutdown = std::pin::pin!(shutdown);
        let mut tick = interval(LOOK_AT_FILES);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // Files that do not answer keep nobody from stopping the proxy: what reads them changes nothing until it has.
            let next = tokio::select! {
                () = shutdown.as_mut() => return,
                next = self.next(&mut reloads, &mut tick) => next,
            };
            if let Some(next) = next {
                self.conclude(next).await;
            }
        }
    }

    /// Waits for a reason to read the configuration again, and reads it.
    async fn next(&mut self, reloads: &mut mpsc::Receiver<()>, tick: &mut Interval) -> Option<Attempt> {
        let cause = tokio::select! {
            Some(()) = reloads.recv() => Cause::Asked,
            _ = tick.tick() => self.look().await.then_some(Cause::Changed)?,
        };
        Some(self.attempt(cause).await)
    }

    /// Reads the configuration again; nothing has changed when that is given up.
    async fn attempt(&self, cause: Cause) -> Attempt {
        tracing::info!(?cause, "reading the configuration again");
        self.supervisor.reloading();
        let reading = async {
            let watch = self.watch_attempt().await?;
            Ok((watch, self.prepare().await))
        };
        let late = || "its files did not answer in time; see whether one of them is on a network or is no regular file".to_owned();
        let ended = timeout(DEADLINE, reading).await.unwrap_or_else(|_| Err(late()));
        match ended {
            Ok((watch, next)) => Attempt { next: next.map(Box::new), watch },
            Err(error) => {
                let mut watch = self.watch.clone();
                watch.gives_up();
                Attempt { next: Err(error), watch }
            }
        }
    }

    /// The files in force and those of the configuration that is tried, as they are before it is read: what changes in between is seen
    /// at the next look.
    async fn watch_attempt(&self) -> Result<Watch, String> {
        let (mut watch, path) = (self.watch.clone(), self.path.clone());
        let looking = move || {
            watch.tries(path.as_deref().map(reload::named_files).unwrap_or_default());
            watch
        };
        let looked = tokio::task::spawn_blocking(looking).await;
        looked.map_err(|error| format!("the look at its files came to nothing: {}", self.unfinished(&error)))
    }

    /// Puts what was read in force if all of it is fit.
    async fn conclude(&mut self, attempt: Attempt) {
        match attempt.next {
            Ok(next) => self.put_in_force(*next).await,
            Err(error) => {
                self.watch = attempt.watch;
                self.basis.name_in_metrics();
                self.shown.reloads.rejected(&error);
                self.basis.context.metrics.reloads.failed();
                self.basis.context.journal.note(Event::Reloaded { is_ok: false, in_force: self.in_force.clone() });
                tracing::error!(error, "the configuration was not taken; the previous one stays in force");
            }
        }
        self.supervisor.ready();
    }

    /// All of it off the event loop: it reads files, compiles and binds. New sockets listen only when nothing else can fail.
    async fn prepare(&self) -> Result<Next, String> {
        let build = self.builder();
        let loaded = tokio::task::spawn_blocking(build).await;
        let next = loaded.map_err(|error| format!("the loading came to nothing: {}", self.unfinished(&error)))??;
        next.parts.sockets.listen()?;
        Ok(next)
    }

    /// Why a task gave nothing; a panic is counted.
    fn unfinished(&self, error: &JoinError) -> &'static str {
        unfinished(&self.basis.context.metrics.panics, error)
    }

    fn builder(&self) -> impl FnOnce() -> Result<Next, String> + use<> {
        let (path, sockets, bound, basis) = (self.path.clone(), self.sockets.again(), self.bound.clone(), self.basis.clone());
        let before = self.shown.guard.load();
        move || {
            basis.context.journal.faults().strike(Layer::Reload);
            let mut config = Config::load(path.as_deref()).map_err(|located| located.to_string())?;
            canary::check(&config.policy).map_err(|wrong| format!("the new policy fails its check: {wrong}"))?;
            if config.interception.is_some() {
                let inspector = &config.inspection.inspector;
                inspect::canary::check(inspector).map_err(|wrong| format!("the new inspection fails its check: {wrong}"))?;
            }
            let watch = Watch::new(&config);
            let mut parts = bind_all(&mut config, sockets, &bound)?;
            let in_force = in_force(&config);
            let assembled = assemble(config, &parts.bound, parts.addresses.all().collect(), Some(&basis), basis.context.journal.faults())?;
            let guard = guard(std::mem::take(&mut parts.guard), Some(&before))?;
            Ok(Next { assembled, parts, guard: Arc::new(guard), in_force, watch })
        }
    }

    async fn put_in_force(&mut self, next: Next) {
        let Next { assembled, parts, guard, in_force, watch } = next;
        let before = self.basis.context.engine.policy.hash().to_owned();
        self.basis = assembled.announce();
        let context = self.basis.context.clone();
        let (live, holding) = (self.live.clone(), context.clone());
        // Each connection that stands is asked.
        let held = tokio::task::spawn_blocking(move || live.replace(&holding)).await;
        let ended = held.unwrap_or_else(|error| {
            let why = self.unfinished(&error);
            tracing::error!(why, "what stands could not be held against the configuration; all of it ends");
            // Nobody knows which of them may stay: none does.
            self.live.standing().revoke_all()
        });
        for warning in &parts.warnings {
            tracing::warn!(place = warning.place, "{}", warning.message);
        }
        let (log_changed, audit_changed) = (parts.log != self.log, !Settings::are_alike(parts.audit.as_ref(), self.audit.as_ref()));
        context.journal.note(Event::Reloaded { is_ok: true, in_force: in_force.clone() });
        self.in_force = in_force;
        self.watch = watch;
        self.gate.set_limit(parts.max_connections);
        self.drain = parts.drain;
        self.shown.discovery.store(parts.discovery.clone());
        self.shown.guard.store(guard);
        self.shown.configuration.store(parts.configuration.clone());
        self.shown.receptions.store(Arc::new(receptions(&parts.bound)));
        self.take_over(parts).await;
        self.shown.reloads.applied();
        context.metrics.reloads.ok();
        let (hash, mode) = (context.engine.policy.hash(), context.engine.policy.options().mode);
        tracing::info!(policy_hash = hash, policy_hash_before = before, ?mode, ended, "another configuration is in force");
        if log_changed {
            tracing::warn!("log.format has changed; that takes effect when the proxy is started anew");
        }
        if audit_changed {
            tracing::warn!("[audit] has changed; that takes effect when the proxy is started anew");
        }
    }

    /// Accepts with the new listeners, then no longer with the old ones; sockets of both are the same.
    async fn take_over(&mut self, mut parts: Parts) {
        let loops = running::spawn(&self.live, &self.gate, &self.shown, &parts);
        let before = std::mem::replace(&mut self.loops, loops);
        // What goes belongs to its loop alone then, which leaves nobody waiting in it.
        parts.sockets.close_unused();
        self.bound = parts.bound;
        self.sockets = parts.sockets;
        before.stop().await;
    }
}
