//! The service manager that started the proxy, if one did: it is told what the proxy does (`sd_notify(3)`), it may hold the listening
//! sockets (`sd_listen_fds(3)`), and it ends a proxy that says nothing any more (the watchdog).

use listenfd::ListenFd;
use sd_notify::NotifyState;
use std::net::TcpListener;
use std::sync::Mutex;
use std::time::Duration;

/// Behind the drain time: what is open is cut, audit files and log are closed.
const CLOSING: Duration = Duration::from_secs(15);

/// The service manager, as the environment names it.
#[derive(Debug, Default)]
pub struct Supervisor {
    is_there: bool,
    watchdog: Option<Duration>,
    sockets: Mutex<Vec<TcpListener>>,
}

impl Supervisor {
    /// Looks into the environment.
    ///
    /// # Errors
    /// When a socket was handed over that is no listening TCP socket.
    pub fn of_environment() -> Result<Self, String> {
        Ok(Self {
            is_there: std::env::var_os("NOTIFY_SOCKET").is_some(),
            watchdog: sd_notify::watchdog_enabled(),
            sockets: Mutex::new(sockets()?),
        })
    }

    /// The sockets that it holds for us, once.
    #[must_use]
    pub fn take_sockets(&self) -> Vec<TcpListener> {
        self.sockets.lock().map(|mut sockets| std::mem::take(&mut *sockets)).unwrap_or_default()
    }

    /// The proxy serves.
    pub fn ready(&self) {
        self.tell(&[NotifyState::Ready]);
    }

    /// The configuration is read again; [`Supervisor::ready`] ends that.
    pub fn reloading(&self) {
        // `Type=notify-reload` wants the time; without a clock it is only not told.
        if let Ok(now) = NotifyState::monotonic_usec_now() {
            self.tell(&[NotifyState::Reloading, now]);
        }
    }

    /// The proxy stops, which may take so long.
    pub fn stopping(&self, drain: Duration) {
        let needed = u32::try_from((drain + CLOSING).as_micros()).unwrap_or(u32::MAX);
        self.tell(&[NotifyState::Stopping, NotifyState::ExtendTimeoutUsec(needed)]);
    }

    /// One line for `systemctl status`.
    pub fn status(&self, status: &str) {
        self.tell(&[NotifyState::Status(status)]);
    }

    /// Says that the proxy lives, as often as it must be said, for ever: on the event loop, so that a loop that is stuck says nothing.
    pub async fn keep_saying_so(&self) {
        let Some(limit) = self.watchdog else { return std::future::pending().await };
        let mut tick = tokio::time::interval(limit / 3);
        loop {
            tick.tick().await;
            self.tell(&[NotifyState::Watchdog]);
        }
    }

    fn tell(&self, state: &[NotifyState<'_>]) {
        if !self.is_there {
            return;
        }
        if let Err(error) = sd_notify::notify(state) {
            tracing::warn!(%error, "the service manager cannot be told what the proxy does");
        }
    }
}

fn sockets() -> Result<Vec<TcpListener>, String> {
    let mut handed = ListenFd::from_env();
    let count = handed.len();
    let take = |index| {
        let taken = handed.take_tcp_listener(index).map_err(|error| error.to_string())?;
        taken.ok_or_else(|| "it is there no more".to_owned())
    };
    let taken: Result<Vec<TcpListener>, String> = (0..count).map(take).collect();
    taken.map_err(|error| format!("a socket of the service manager is no listening TCP socket ({error}); see ListenStream= of its unit"))
}
