//! Connections to the cloud with TLS: verified, kept, shared; what each destination speaks is remembered.

use super::connection::Connection;
use super::dial::Dialer;
use super::pool::{self, Pool};
use super::shared::Shared;
use super::tls::{self, Clients};
use crate::contain::Executor;
use crate::destination::Destination;
use crate::error::{Reason, Refusal, RuleName};
use crate::metrics::{Handshakes, Metrics};
use crate::policy::Permit;
use crate::socket::Socket;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Destinations whose protocols are remembered; far more than a policy intercepts.
const MAX_REMEMBERED: usize = 1_024;

/// Which version an exchange would have without the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

/// What a destination was seen to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Spoken {
    http2: bool,
    /// False once it refused to speak anything but HTTP/2.
    http1: bool,
}

/// Whose turn it is to open a connection, and how the last attempt failed, if it did: those who waited for it need not repeat it.
type Turn = Arc<tokio::sync::Mutex<Option<(Instant, Refusal)>>>;

/// All connections with TLS.
#[derive(Debug)]
pub struct Secure {
    clients: Clients,
    pool: Arc<Pool>,
    shared: Shared,
    spoken: Mutex<HashMap<Destination, Spoken>>,
    /// One opens at a time for each destination: a herd of streams shares what the first one opened.
    opening: Mutex<HashMap<Destination, Turn>>,
    handshakes: Handshakes,
    deadline: Duration,
}

impl Secure {
    /// No connection yet; `deadline` bounds one TLS handshake.
    #[must_use]
    pub fn new(clients: Clients, metrics: &Arc<Metrics>, deadline: Duration) -> Self {
        Self {
            clients,
            pool: Arc::default(),
            shared: Shared::new(Executor(metrics.clone())),
            spoken: Mutex::default(),
            opening: Mutex::default(),
            handshakes: metrics.upstream_handshakes.clone(),
            deadline,
        }
    }

    /// Makes sure that the destination can be reached and is who it says, and gives whether it speaks HTTP/2. With a connection
    /// at hand nothing is opened.
    ///
    /// # Errors
    /// What the dial says, or `upstream_tls_invalid`.
    pub async fn reach(&self, dialer: &Dialer, permit: &Permit) -> Result<bool, Refusal> {
        if let Some(http2) = self.at_hand(permit.destination()) {
            return Ok(http2);
        }
        let asked = Instant::now();
        let turn = self.turn(permit.destination());
        let mut last = turn.lock().await;
        if let Some(http2) = self.at_hand(permit.destination()) {
            return Ok(http2);
        }
        let connection = self.open_in_turn(dialer, permit, asked, &mut last).await?;
        let http2 = connection.is_http2();
        connection.keep();
        Ok(http2)
    }

    /// Whether the destination speaks HTTP/2, if a connection to it is there.
    fn at_hand(&self, destination: &Destination) -> Option<bool> {
        let spoken = self.remembered(destination)?;
        (self.pool.is_warm(destination) || self.shared.lives(destination)).then_some(spoken.http2)
    }

    /// A kept connection for an exchange.
    pub async fn kept(&self, destination: &Destination, wanted: Wanted) -> Option<Connection> {
        let spoken = self.remembered(destination)?;
        if speaks(spoken, wanted) == Wanted::Http2 {
            let lease = self.shared.lease(destination)?;
            return Some(Connection::http2(lease, destination.clone(), self.pool.clone()));
        }
        let sender = self.pool.take(destination).await?;
        Some(Connection::http1(sender, destination.clone(), self.pool.clone()))
    }

    /// A connection for an exchange where none is kept.
    ///
    /// # Errors
    /// As [`Secure::reach`].
    pub async fn fresh(&self, dialer: &Dialer, permit: &Permit, wanted: Wanted) -> Result<Connection, Refusal> {
        let destination = permit.destination();
        let spoken = self.remembered(destination);
        if spoken.map_or(wanted, |spoken| speaks(spoken, wanted)) == Wanted::Http1 {
            let opened = Box::pin(self.open(dialer, permit, &self.clients.http1)).await;
            return match opened {
                Err(refusal) if refusal.detail == tls::NO_COMMON_PROTOCOL => {
                    self.remember(destination, Spoken { http2: true, http1: false });
                    self.fresh_http2(dialer, permit).await
                }
                opened => opened,
            };
        }
        self.fresh_http2(dialer, permit).await
    }

    /// A stream on a connection that another exchange opened meanwhile, or on a new one.
    async fn fresh_http2(&self, dialer: &Dialer, permit: &Permit) -> Result<Connection, Refusal> {
        let destination = permit.destination();
        let asked = Instant::now();
        let turn = self.turn(destination);
        let mut last = turn.lock().await;
        if let Some(lease) = self.shared.lease(destination) {
            return Ok(Connection::http2(lease, destination.clone(), self.pool.clone()));
        }
        self.open_in_turn(dialer, permit, asked, &mut last).await
    }

    /// Opens a connection. Whoever asked before the attempt of another failed gets that failure: a cloud that is gone costs each
    /// client one deadline, not one for each that waits before it.
    async fn open_in_turn(
        &self,
        dialer: &Dialer,
        permit: &Permit,
        asked: Instant,
        last: &mut Option<(Instant, Refusal)>,
    ) -> Result<Connection, Refusal> {
        if let Some((_, refusal)) = last.as_ref().filter(|(failed, _)| *failed >= asked) {
            return Err(refusal.clone());
        }
        let opened = Box::pin(self.open(dialer, permit, &self.clients.http2)).await;
        *last = opened.as_ref().err().map(|refusal| (Instant::now(), refusal.clone()));
        opened
    }

    async fn open(&self, dialer: &Dialer, permit: &Permit, config: &Arc<ClientConfig>) -> Result<Connection, Refusal> {
        let destination = permit.destination();
        let stream = dialer.dial(permit).await?;
        let stream = self.shake_hands(destination, stream, config).await?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let offered_both = Arc::ptr_eq(config, &self.clients.http2);
        if offered_both {
            self.remember(destination, Spoken { http2: is_http2, http1: true });
        }
        let idle = permit.idle_timeout();
        if is_http2 {
            let lease = self.shared.add(destination, stream, idle).await.map_err(|_| broke_off())?;
            return Ok(Connection::http2(lease, destination.clone(), self.pool.clone()));
        }
        let sender = pool::open(stream, idle).await.map_err(|_| broke_off())?;
        Ok(Connection::http1(sender, destination.clone(), self.pool.clone()))
    }

    /// The name is always sent, and always verified.
    async fn shake_hands(
        &self,
        destination: &Destination,
        stream: Socket,
        config: &Arc<ClientConfig>,
    ) -> Result<TlsStream<Socket>, Refusal> {
        let name = destination.host.name().and_then(|name| ServerName::try_from(name.to_owned()).ok());
        let name = name.ok_or_else(|| tls::invalid("the destination is no name that a certificate could be for"))?;
        let shaken = timeout(self.deadline, TlsConnector::from(config.clone()).connect_with(name, stream, |_| ())).await;
        let outcome = match shaken {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(tls::refusal(&error)),
            Err(_) => Err(tls::late()),
        };
        self.handshakes.ended(outcome.is_ok());
        outcome
    }

    fn remembered(&self, destination: &Destination) -> Option<Spoken> {
        self.spoken.lock().unwrap_or_else(PoisonError::into_inner).get(destination).copied()
    }

    fn remember(&self, destination: &Destination, spoken: Spoken) {
        let mut known = self.spoken.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_REMEMBERED && !known.contains_key(destination) {
            known.clear();
        }
        known.insert(destination.clone(), spoken);
    }

    fn turn(&self, destination: &Destination) -> Turn {
        let mut opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if opening.len() >= MAX_REMEMBERED {
            opening.retain(|_, turn| Arc::strong_count(turn) > 1);
        }
        opening.entry(destination.clone()).or_default().clone()
    }

    /// Closes idle connections to other destinations than these, and begins nothing more on those in use.
    pub fn retain(&self, may_stay: impl Fn(&Destination) -> bool) {
        self.pool.retain(&may_stay);
        self.shared.retain(&may_stay);
    }

    /// Closes what nobody used for too long.
    pub fn sweep(&self) {
        self.pool.sweep();
        self.shared.sweep();
    }
}

/// The version of an exchange: the one wanted, where the destination speaks it.
fn speaks(spoken: Spoken, wanted: Wanted) -> Wanted {
    match wanted {
        Wanted::Http2 if spoken.http2 => Wanted::Http2,
        Wanted::Http1 if !spoken.http1 => Wanted::Http2,
        _ => Wanted::Http1,
    }
}

fn broke_off() -> Refusal {
    Refusal::new(Reason::UpstreamFailed, "the upstream broke off right after the TLS handshake", RuleName::Builtin("upstream"))
}
