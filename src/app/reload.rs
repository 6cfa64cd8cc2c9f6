//! A new configuration in place of the one in force: all of it or nothing. It is read, compiled, asked its canaries, its sockets are
//! bound and its files loaded before anything changes; an error leaves everything as it was.

use super::assemble::{Assembled, assemble, in_force};
use super::running::{self, Running};
use super::watch::{Cause, Watch};
use super::{Parts, bind_all, guard, receptions};
use crate::admin::guard::Guard;
use crate::audit::{Event, InForce, Settings};
use crate::config::Config;
use crate::inspect;
use crate::policy::canary;
use std::sync::Arc;

/// A configuration that can be put in force.
struct Next {
    assembled: Assembled,
    parts: Parts,
    guard: Arc<Guard>,
    in_force: InForce,
    watch: Watch,
}

impl Running {
    /// Reads the configuration again and puts it in force if all of it is fit.
    pub(super) async fn reload(&mut self, cause: Cause) {
        tracing::info!(?cause, "reading the configuration again");
        self.supervisor.reloading();
        // Before the reading: what changes in between is seen at the next look.
        let seen = self.watch.now();
        match self.prepare().await {
            Ok(next) => self.put_in_force(next).await,
            Err(error) => {
                self.watch.tried(seen);
                self.basis.name_in_metrics();
                self.shown.reloads.rejected(&error);
                self.basis.context.metrics.reloads.failed();
                self.basis.context.journal.note(Event::Reloaded { is_ok: false, in_force: self.in_force.clone() });
                tracing::error!(error, "the configuration was not taken; the previous one stays in force");
            }
        }
        self.supervisor.ready();
    }

    async fn prepare(&self) -> Result<Next, String> {
        let path = self.path.clone();
        // Files and compilation: not for the event loop.
        let loaded = tokio::task::spawn_blocking(move || Config::load(path.as_deref())).await;
        let mut config = loaded.map_err(|error| format!("the reading ended early: {error}"))?.map_err(|located| located.to_string())?;
        canary::check(&config.policy).map_err(|wrong| format!("the new policy fails its check: {wrong}"))?;
        if config.interception.is_some() {
            let inspector = &config.inspection.inspector;
            inspect::canary::check(inspector).map_err(|wrong| format!("the new inspection fails its check: {wrong}"))?;
        }
        let watch = Watch::new(&config);
        let mut parts = bind_all(&mut config, self.sockets.again(), &self.bound)?;
        let in_force = in_force(&config);
        let (bound, basis, own) = (parts.bound.clone(), self.basis.clone(), parts.addresses.all().collect());
        let assembling = tokio::task::spawn_blocking(move || assemble(config, &bound, own, Some(&basis))).await;
        let assembled = assembling.map_err(|error| format!("the loading ended early: {error}"))??;
        let guard = guard(std::mem::take(&mut parts.guard), Some(&self.shown.guard.load()))?;
        Ok(Next { assembled, parts, guard: Arc::new(guard), in_force, watch })
    }

    async fn put_in_force(&mut self, next: Next) {
        let Next { assembled, parts, guard, in_force, watch } = next;
        let before = self.basis.context.engine.policy.hash().to_owned();
        self.basis = assembled.announce();
        let context = self.basis.context.clone();
        let ended = self.live.replace(&context);
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
        before.stop().await;
        parts.sockets.close_unused();
        self.bound = parts.bound;
        self.sockets = parts.sockets;
    }
}
