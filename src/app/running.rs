//! A proxy that serves: its loops, what it watches, how it stops.

use super::assemble::Basis;
use super::listening::{self, Bound};
use super::sockets::Sockets;
use super::watch::{Cause, Watch};
use super::{Parts, showing};
use crate::access::{Access, Refreshed};
use crate::admin::Shown;
use crate::audit::{InForce, Settings};
use crate::config::LogFormat;
use crate::listener::accept::Gate;
use crate::proxy::Live;
use crate::supervisor::Supervisor;
use crate::tls::reception::Reception;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

/// How often files that are read again when they change are looked at.
const LOOK_AT_FILES: Duration = Duration::from_secs(2);

/// What serves, and what it was made of.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) live: Arc<Live>,
    pub(super) gate: Arc<Gate>,
    pub(super) shown: Arc<Shown>,
    pub(super) basis: Basis,
    pub(super) sockets: Sockets,
    pub(super) bound: Vec<Bound>,
    pub(super) loops: Loops,
    pub(super) drain: Duration,
    pub(super) watch: Watch,
    pub(super) log: LogFormat,
    pub(super) audit: Option<Settings>,
    pub(super) in_force: InForce,
    /// Where the configuration is; none, it is the built-in one.
    pub(super) path: Option<PathBuf>,
    pub(super) supervisor: Arc<Supervisor>,
}

/// The accept loops of one configuration.
#[derive(Debug)]
pub(super) struct Loops {
    stop: watch::Sender<bool>,
    clients: JoinSet<()>,
    /// Health and metrics are readable until the very end.
    stop_admin: watch::Sender<bool>,
    admin: JoinSet<()>,
}

impl Loops {
    /// Accepts nothing more from clients.
    pub(super) async fn stop_clients(&mut self) {
        self.stop.send_replace(true);
        while self.clients.join_next().await.is_some() {}
    }

    /// Accepts nothing more from anybody.
    pub(super) async fn stop(mut self) {
        self.stop_clients().await;
        self.stop_admin.send_replace(true);
        while let Some(ended) = self.admin.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "the admin listener ended early");
            }
        }
    }
}

impl Running {
    /// Accepts nothing more from clients and lets the sockets go: whoever connects now is refused, or waits with the service manager.
    pub(super) async fn close(&mut self) {
        self.loops.stop_clients().await;
        self.bound.clear();
        self.sockets = Sockets::default();
    }

    /// Reloads when it is asked to or when files change, until `shutdown` resolves.
    pub(super) async fn until(&mut self, shutdown: impl Future<Output = ()>, mut reloads: mpsc::Receiver<()>) {
        let mut shutdown = std::pin::pin!(shutdown);
        let mut tick = interval(LOOK_AT_FILES);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let cause = tokio::select! {
                () = shutdown.as_mut() => return,
                Some(()) = reloads.recv() => Some(Cause::Asked),
                _ = tick.tick() => self.look().await.then_some(Cause::Changed),
            };
            if let Some(cause) = cause {
                self.reload(cause).await;
            }
        }
    }

    /// Reads certificates and passwords again where their files have changed; whether the configuration's have.
    async fn look(&mut self) -> bool {
        let shown = self.shown.clone();
        let receptions = shown.receptions.load_full();
        let admins = shown.guard.load().access.clone();
        let passwords: Vec<Arc<Access>> = self.basis.context.access.iter().cloned().chain(admins).collect();
        let mut watch = std::mem::take(&mut self.watch);
        let looking = move || {
            for reception in receptions.iter() {
                refresh_certificate(reception);
            }
            let changed: Vec<bool> = passwords.iter().map(|access| refresh_passwords(access)).collect();
            if changed.contains(&true) {
                shown.guard.accounts_changed();
            }
            let has_changed = watch.look();
            (watch, has_changed)
        };
        // A look that failed is a defect; the next one finds nothing to watch, and SIGHUP still works.
        let (watch, has_changed) = tokio::task::spawn_blocking(looking).await.unwrap_or_default();
        self.watch = watch;
        has_changed
    }
}

/// Starts accepting on the listeners of a configuration.
pub(super) fn spawn(live: &Arc<Live>, gate: &Arc<Gate>, shown: &Arc<Shown>, parts: &Parts) -> Loops {
    let ((stop, stopped), (stop_admin, admin_stopped)) = (watch::channel(false), watch::channel(false));
    let (mut clients, mut admin) = (JoinSet::new(), JoinSet::new());
    for bound in &parts.bound {
        listening::spawn(&mut clients, live, gate, bound.clone(), &stopped);
    }
    if let Some(listener) = &parts.shown_to_clients {
        clients.spawn(showing::to_clients(shown, listener.clone(), stopped));
    }
    admin.spawn(showing::to_admins(shown, parts.admin.clone(), admin_stopped));
    Loops { stop, clients, stop_admin, admin }
}

fn refresh_certificate(reception: &Reception) {
    match reception.refresh() {
        Ok(false) => {}
        Ok(true) => tracing::info!("the certificate of listener.tls was read again"),
        Err(error) => tracing::error!(error, "listener.tls cannot be read again; the certificate in force stays"),
    }
}

/// Whether other accounts are in force now.
fn refresh_passwords(access: &Access) -> bool {
    match access.refresh() {
        Refreshed::Unchanged => false,
        Refreshed::Replaced(accounts) => {
            tracing::info!(accounts, "the password file has changed and was read");
            true
        }
        Refreshed::Kept(located) => {
            tracing::error!(
                place = located.place,
                "the password file has changed and is not taken, the accounts from before stay: {}",
                located.message
            );
            false
        }
    }
}
