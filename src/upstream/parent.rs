//! Parent proxies, where the Internet is reached only through the customer's own proxy: CONNECT to it (RFC 9110 section 9.3.6), then
//! whatever would have gone to the destination. Also what is plain HTTP goes so: a parent sees hosts and ports, never a request.
//!
//! The destination is not resolved here: a site behind a parent may have no DNS for the outside. The parent's own address is resolved
//! as any other and may be private, since the administrator named it. Nothing goes direct because a parent failed.
//!
//! # Negotiate (Kerberos), on paper
//!
//! Many parents take Negotiate (RFC 4559) and no Basic. This version does not speak it; this is how it would be built.
//!
//! - *What is sent*: `Proxy-Authorization: Negotiate TOKEN`, a SPNEGO token (RFC 4178) for the service `HTTP/parent-host`. The name is
//!   that of the configuration, never of a reverse lookup. With Kerberos one leg is enough: the token goes with the first CONNECT, no
//!   407 is waited for. A parent's answer may carry its own token, which is checked (mutual authentication).
//! - *More legs*: SPNEGO may answer 407 with a token and want another one **on the same connection**. The dial then reads the 407's body
//!   to its end (its length bounded as the head is), sends CONNECT again on that connection, at most three times, all in the same share
//!   of the deadline. A parent that closes in between is `upstream.parent-credentials`.
//! - *Library*: `libgssapi` and `cross-krb5` bind the C library and need `unsafe` inside; this crate forbids it for itself only, so
//!   either could be used, with MIT Kerberos as a dependency of every installation. `sspi` is pure Rust with a young Kerberos, and is to
//!   be tried first. Whichever it is stands behind one function, `token(service) -> Result<Token>`.
//! - *Keys*: a keytab of an account of the proxy's own (`upstream.parent_keytab`, mode 600), never a person's. The ticket is renewed in
//!   a task of its own before it ends, in `spawn_blocking`: the C library blocks on the network, which an event loop must not. A token is
//!   made per connection (replay caches refuse it twice), also off the event loop; the dial's deadline covers it.
//! - *Channel binding*: over `https://` parents, `tls-server-end-point` (RFC 5929) goes into the authenticator, so that a token cannot be
//!   relayed to another server. Over `http://` there is none, and `check` says so.
//! - *Tests it needs*: a KDC on loopback (`krb5-kdc`) with Squid's `negotiate_kerberos_auth`; expired, missing and wrong keytabs; a clock
//!   that is off by more than five minutes; several legs, and a parent that hangs up between them; a renewal while tunnels are dialled; no
//!   token in any output.
//!
//! NTLM is left out for good: it authenticates the connection rather than the request, so that whoever shares the connection shares the
//! account; its hash is MD4 without salt and can be relayed and cracked; Microsoft has deprecated it and removes it from Windows.

pub mod answer;
pub mod failure;
pub mod health;

use super::tls::Clients;
use crate::destination::{Destination, Host};
use crate::hidden::hidden;
use crate::metrics::{Metrics, ParentMetrics, ParentOutcome};
use crate::policy::host_set::HostSet;
use crate::policy::{Permit, ServiceId};
use crate::socket::{Socket, Tls};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use failure::{Failure, Meaning};
use health::Health;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Instant;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A parent proxy of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    at: Destination,
    is_secure: bool,
    basic: Option<Basic>,
    shown: String,
}

/// Credentials as they are sent (RFC 7617).
#[derive(Clone, PartialEq, Eq)]
struct Basic(String);

hidden!(Basic);

impl Parent {
    /// A parent without credentials; with TLS if it is secure.
    #[must_use]
    pub fn new(at: Destination, is_secure: bool) -> Self {
        let shown = format!("{}://{at}", if is_secure { "https" } else { "http" });
        Self { at, is_secure, basic: None, shown }
    }

    /// With a user and password.
    #[must_use]
    pub fn with_credentials(mut self, user: &str, password: &str) -> Self {
        self.basic = Some(Basic(BASE64_STANDARD.encode(format!("{user}:{password}"))));
        self
    }

    /// `scheme://host:port`; never the user.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Where it is.
    #[must_use]
    pub fn at(&self) -> &Destination {
        &self.at
    }

    /// Whether TLS is spoken with it.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// Whether credentials are sent to it.
    #[must_use]
    pub fn has_credentials(&self) -> bool {
        self.basic.is_some()
    }

    /// What opens a tunnel. Nothing in it tells of the inside of the network.
    fn request(&self, destination: &Destination) -> String {
        let credentials = self.basic.as_ref().map_or_else(String::new, |Basic(sent)| format!("Proxy-Authorization: Basic {sent}\r\n"));
        format!("CONNECT {destination} HTTP/1.1\r\nHost: {destination}\r\n{credentials}\r\n")
    }

    /// The name its certificate must be for.
    fn server_name(&self) -> Option<ServerName<'static>> {
        match &self.at.host {
            Host::Name(name) => ServerName::try_from(name.to_string()).ok(),
            Host::Address(address) => Some(ServerName::IpAddress((*address).into())),
        }
    }
}

/// Which way each destination goes, as configured.
#[derive(Debug, Default)]
pub struct Routes {
    /// All parents, each once.
    pub parents: Vec<Parent>,
    /// The way of services that have none of their own: positions in `parents`, none for direct.
    pub usual: Vec<usize>,
    /// The ways of single services of the policy that the configuration names.
    pub services: HashMap<ServiceId, Vec<usize>>,
    /// Hosts that are reached directly, on one port or on all.
    pub direct: Option<HostSet<Option<u16>>>,
}

impl Routes {
    /// The parents that a destination goes through, in their order; none if it is reached directly.
    #[must_use]
    pub fn way(&self, permit: &Permit) -> Vec<&Parent> {
        self.indices(permit).iter().filter_map(|index| self.parents.get(*index)).collect()
    }

    fn indices(&self, permit: &Permit) -> &[usize] {
        let Destination { host, port } = permit.destination();
        let is_direct = |direct: &HostSet<Option<u16>>| direct.matches(host).any(|only| only.is_none_or(|only| only == *port));
        if self.direct.as_ref().is_some_and(is_direct) {
            return &[];
        }
        self.services.get(&permit.service()).unwrap_or(&self.usual)
    }
}

/// A parent in use.
#[derive(Debug)]
pub struct Member {
    parent: Parent,
    /// Present for `https`.
    tls: Option<Arc<ClientConfig>>,
    /// Goes on through reloads, also of who failed a moment ago.
    health: Arc<Health>,
    metrics: ParentMetrics,
}

impl Member {
    /// As configured.
    #[must_use]
    pub fn parent(&self) -> &Parent {
        &self.parent
    }

    /// Whether the last that was heard of it is no failure.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.health.is_up()
    }

    /// Speaks TLS with the parent, if that is its scheme.
    ///
    /// # Errors
    /// Those of the handshake.
    pub async fn sealed(&self, stream: TcpStream) -> io::Result<Socket> {
        let Some(config) = &self.tls else {
            // A parent behind TLS is given it where it is made. Were it not, nothing would be sent to it in the clear.
            return if self.parent.is_secure { Err(io::ErrorKind::InvalidInput.into()) } else { Ok(stream.into()) };
        };
        let name = self.parent.server_name().ok_or(io::ErrorKind::InvalidInput)?;
        let stream = TlsConnector::from(config.clone()).connect_with(name, stream, |_| ()).await?;
        Ok(Socket::layered(Tls::new(stream)))
    }

    /// Asks for a tunnel.
    ///
    /// # Errors
    /// What the answer means.
    pub async fn tunnel(&self, stream: &mut Socket, destination: &Destination) -> Result<(), Failure> {
        answer::ask(stream, &self.parent, &self.parent.request(destination), destination).await
    }

    /// Notes that a tunnel stands.
    pub fn succeeded(&self) {
        self.metrics.ended(ParentOutcome::Ok);
        self.health.answered();
        self.metrics.up.set(1);
    }

    /// Notes a failure of an attempt that began then.
    pub fn failed(&self, failure: &Failure, began: Instant) {
        let Some(outcome) = failure.outcome else { return };
        self.metrics.ended(outcome);
        if failure.meaning != Meaning::Down {
            self.health.answered();
            self.metrics.up.set(1);
            return;
        }
        let pause = self.health.failed(began, Instant::now());
        self.metrics.up.set(0);
        tracing::warn!(parent = self.parent.shown, reason = %failure.refusal.reason, pause = pause.as_secs(), "a parent proxy failed");
    }

    /// Notes that the next parent is asked instead.
    pub fn passed_over(&self) {
        self.metrics.failovers.inc();
    }
}

/// All parents in use.
#[derive(Debug)]
pub struct Parents {
    routes: Arc<Routes>,
    members: Vec<Member>,
}

impl Parents {
    /// Parents of a configuration; `clients` is there if one of them is secure. Of those that are among `known`, it is known how they
    /// are.
    #[must_use]
    pub fn new<'a>(routes: Arc<Routes>, clients: Option<&Clients>, metrics: &Metrics, known: impl Iterator<Item = &'a Member>) -> Self {
        let healths: HashMap<&str, &Arc<Health>> = known.map(|member| (member.parent.shown(), &member.health)).collect();
        let handles = metrics.parents(routes.parents.iter().map(Parent::shown));
        let member = |(parent, metrics): (&Parent, ParentMetrics)| {
            let health = healths.get(parent.shown()).map_or_else(Arc::default, |health| Arc::clone(health));
            metrics.up.set(i64::from(health.is_up()));
            let tls = clients.filter(|_| parent.is_secure).map(|clients| clients.http1.clone());
            Member { parent: parent.clone(), tls, health, metrics }
        };
        let members = routes.parents.iter().zip(handles).map(member).collect();
        Self { routes, members }
    }

    /// All of them, in the order of the configuration.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.iter()
    }

    /// As configured.
    #[must_use]
    pub fn routes(&self) -> &Arc<Routes> {
        &self.routes
    }

    /// Whether a destination is reached without any of them.
    #[must_use]
    pub fn are_passed_by(&self, permit: &Permit) -> bool {
        self.routes.indices(permit).is_empty()
    }

    /// The parents that a destination goes through, those that failed a moment ago last; none if it is reached directly.
    #[must_use]
    pub fn in_turn(&self, permit: &Permit) -> Vec<&Member> {
        let now = Instant::now();
        let (mut first, mut last) = (Vec::new(), Vec::new());
        for member in self.routes.indices(permit).iter().filter_map(|index| self.members.get(*index)) {
            // One that was given up is tried again by a single dial, and only where it would be preferred.
            let is_due = member.is_up() || (first.is_empty() && member.health.try_again(now));
            if is_due { first.push(member) } else { last.push(member) }
        }
        first.append(&mut last);
        first
    }
}
