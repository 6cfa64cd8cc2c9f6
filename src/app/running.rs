//! A proxy that serves: its loops, what it watches, how it stops.

use super::assemble::Basis;
use super::listening::{self, Bound};
use super::sockets::{Held, Sockets};
use super::watch::Watch;
use super::{Parts, showing};
use crate::access::{Access, Refreshed};
use crate::admin::Shown;
use crate::audit::{InForce, Settings};
use crate::config::LogFormat;
use crate::contain::unfinished;
use crate::listener::accept::Gate;
use crate::proxy::Live;
use crate::supervisor::Supervisor;
use crate::tls::reception::Reception;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

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
                // Not the error: it would quote a panic.
                tracing::error!(is_panic = error.is_panic(), "the admin listener ended early");
            }
        }
    }
}

impl Running {
    /// Accepts nothing more from clients and lets the sockets go: whoever connects now is refused, or waits with the service manager.
    pub(super) async fn close(&mut self) {
        self.bound.clear();
        self.sockets = Sockets::default();
        self.loops.stop_clients().await;
    }

    /// Reads certificates and passwords again where their files have changed; whether the configuration's have.
    pub(super) async fn look(&mut self) -> bool {
        let shown = self.shown.clone();
        let receptions = shown.receptions.load_full();
        let admins = shown.guard.load().access.clone();
        let passwords: Vec<Arc<Access>> = self.basis.context.access.iter().cloned().chain(admins).collect();
        let (mut watch, live) = (self.watch.clone(), self.live.clone());
        let looking = move || {
            let certificates = receptions.iter().filter(|reception| refresh_certificate(reception)).count();
            let accounts = passwords.iter().filter(|access| refresh_passwords(access)).count();
            if accounts > 0 {
                shown.guard.accounts_changed();
            }
            if certificates + accounts > 0 {
                let ended = live.hold();
                tracing::info!(ended, "what stands was held against the accounts and certificates of now");
            }
            let has_changed = watch.look();
            (watch, has_changed)
        };
        // A look that failed is a defect; the next one looks again, and SIGHUP still works.
        let (watch, has_changed) = match tokio::task::spawn_blocking(looking).await {
            Ok(looked) => looked,
            Err(error) => {
                let why = unfinished(&self.basis.context.metrics.panics, &error);
                tracing::error!(why, "the look at files came to nothing");
                return false;
            }
        };
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
    if let Some(at) = parts.shown_to_clients.clone().and_then(Held::into_parts) {
        clients.spawn(showing::to_clients(shown, at, stopped));
    }
    if let Some(at) = parts.admin.clone().into_parts() {
        admin.spawn(showing::to_admins(shown, at, admin_stopped));
    }
    Loops { stop, clients, stop_admin, admin }
}

/// Whether there is another one now.
fn refresh_certificate(reception: &Reception) -> bool {
    let refreshed = reception.refresh();
    match &refreshed {
        Ok(false) => {}
        Ok(true) => tracing::info!("the certificate of listener.tls was read again"),
        Err(error) => tracing::error!(error, "listener.tls cannot be read again; the certificate in force stays"),
    }
    refreshed.unwrap_or(false)
}

/// Whether there are other accounts now.
fn refresh_passwords(access: &Access) -> bool {
    let refreshed = access.refresh();
    match &refreshed {
        Refreshed::Unchanged => {}
        Refreshed::Replaced(accounts) => tracing::info!(accounts, "the password file has changed and was read"),
        Refreshed::Kept(located) => tracing::error!(
            place = located.place,
            "the password file has changed and is not taken, the accounts from before stay: {}",
            located.message
        ),
    }
    matches!(refreshed, Refreshed::Replaced(_))
}
