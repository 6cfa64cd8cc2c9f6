//! `run`: the proxy until SIGTERM or SIGINT; a second signal ends it at once, SIGHUP has it read its configuration again.

use super::{OK, failed, load, start_log};
use crate::app::{Addresses, App, Orders};
use crate::audit::{Event, Journal};
use crate::config::Config;
use crate::supervisor::Supervisor;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tracing_appender::non_blocking::ErrorCounter;

/// What the runtime may take to drop the tasks that the drain did not see end.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// Said where no signal can be waited for.
const NO_SIGNALS: &str = "signals cannot be handled; is this a container without a signal mask?";

/// Runs the proxy.
#[must_use]
pub fn main(config: Option<&Path>) -> u8 {
    // Before any thread is started: it takes what it finds out of the environment.
    let supervisor = match Supervisor::of_environment() {
        Ok(supervisor) => supervisor,
        Err(error) => return failed(error),
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return failed(format_args!("the runtime does not start: {error}")),
    };
    // Before anything is read: a SIGHUP that nobody handles ends the process. One that comes now has the files read once more later.
    let Ok(hangup) = runtime.block_on(async { signal(SignalKind::hangup()) }) else { return failed(NO_SIGNALS) };
    match load(config) {
        Ok(config) => serve(runtime, config, supervisor, hangup),
        Err(code) => code,
    }
}

fn serve(runtime: Runtime, config: Config, supervisor: Supervisor, hangup: Signal) -> u8 {
    let log = start_log(config.log, "info");
    std::panic::set_hook(Box::new(|panic| {
        // The place only: a panic's message can quote what it choked on, and that may be payload.
        tracing::error!(place = panic.location().map(ToString::to_string), "panic");
    }));
    for warning in &config.warnings {
        tracing::warn!(place = warning.place, "{}", warning.message);
    }
    raise_descriptor_limit();
    let mut journal = None;
    let code = runtime.block_on(until_signalled(config, supervisor, hangup, log.dropped.clone(), &mut journal));
    runtime.shutdown_timeout(LAST_MOMENT);
    // Now that every exchange has its record.
    if let Some(journal) = journal {
        journal.note(Event::Stopped);
    }
    code
}

async fn until_signalled(
    config: Config,
    supervisor: Supervisor,
    hangup: Signal,
    dropped: ErrorCounter,
    journal: &mut Option<Arc<Journal>>,
) -> u8 {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let (Ok(terminate), Ok(interrupt)) = signals else { return failed(NO_SIGNALS) };
    let (name, hash, mode) = (config.name.clone(), config.policy.hash().to_owned(), config.policy.options().mode);
    let app = match App::bind(config, supervisor) {
        Ok(app) => app,
        Err(error) => return failed(error),
    };
    *journal = Some(app.journal());
    app.metrics().count_log_drops(move || dropped.dropped_lines() as u64);
    let max_connections = app.max_connections();
    let Addresses { proxy, tls, relays, snis, admin, discovery } = app.addresses().clone();
    tracing::info!(version = env!("CARGO_PKG_VERSION"), config = name, policy_hash = hash, ?mode, %proxy, ?tls, ?relays, ?snis, %admin, ?discovery, max_connections, "listening");
    let ((first, shutdown), (second, hurry)) = (oneshot::channel(), oneshot::channel());
    let signals = tokio::spawn(wait(terminate, interrupt, first, second));
    // Several that come while one is carried out are one.
    let (ask, reloads) = mpsc::channel(1);
    let hangups = tokio::spawn(pass_on(hangup, ask));
    app.run(Orders { shutdown: received(shutdown), hurry: received(hurry), reloads }).await;
    signals.abort();
    hangups.abort();
    tracing::info!("stopped");
    OK
}

/// The first signal drains, the second ends the drain.
async fn wait(mut terminate: Signal, mut interrupt: Signal, first: oneshot::Sender<()>, second: oneshot::Sender<()>) {
    either(&mut terminate, &mut interrupt).await;
    tracing::info!("stopping: no new connections; a second signal ends the process at once");
    // Nobody listens any more when the proxy has ended by itself.
    let _ = first.send(());
    either(&mut terminate, &mut interrupt).await;
    let _ = second.send(());
}

/// Each hang-up asks for a reload. One that finds another waiting is carried out with it: the files are read after both.
async fn pass_on(mut hangup: Signal, ask: mpsc::Sender<()>) {
    while hangup.recv().await.is_some() {
        let _ = ask.try_send(());
    }
}

async fn received(signal: oneshot::Receiver<()>) {
    if signal.await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// One worker for each core; with one core, no threads that hand work to each other: there they cost 3 to 8 % of a GET through a
/// tunnel and a quarter of an intercepted HTTP/2 one. With several cores idle workers take over from busy ones. A listener for each
/// core would do without that, and leave cores idle: the clients here are few servers with connections that live for hours, and the
/// kernel deals connections out by their number, not by what they carry.
pub(super) fn runtime() -> std::io::Result<Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut builder = if cores == 1 { tokio::runtime::Builder::new_current_thread() } else { tokio::runtime::Builder::new_multi_thread() };
    builder.enable_all().build()
}

/// Takes as many descriptors as the system permits; where they are few, that is said when they are counted.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
    {
        tracing::warn!(%error, "the limit of file descriptors cannot be raised");
    }
}
