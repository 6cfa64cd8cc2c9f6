//! Who is shown anything on the admin listener: whoever asks by a name of ours, and knows the password or the token where there is one.

use super::page::{Asked, Page, TEXT, page};
use crate::access::Access;
use crate::destination::{Destination, Host};
use crate::error::{Advice, Reason, Refusal};
use crate::hidden::hidden;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use std::sync::Arc;
use tokio::sync::watch;

/// A Host field without a port is read with this one; ports are not compared.
const ANY_PORT: u16 = 80;
/// What a browser shows when it asks for a password.
pub const REALM: &str = "ucx-egress admin";

/// A secret that is shown instead of a password (RFC 6750).
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Arc<str>);

hidden!(Token);

impl Token {
    /// Keeps a token.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self(secret.into())
    }

    fn is(&self, offered: &[u8]) -> bool {
        verify_slices_are_equal(self.0.as_bytes(), offered).is_ok()
    }
}

/// What is asked of whoever wants to be shown something.
#[derive(Debug, Default)]
pub struct Guard {
    /// Names of this machine, beside addresses and localhost.
    pub hosts: Vec<Host>,
    /// Names and passwords.
    pub access: Option<Arc<Access>>,
    /// The token.
    pub token: Option<Token>,
}

impl Guard {
    /// Lets in or says why not.
    ///
    /// # Errors
    /// The answer that says why: 421 for a Host that is not ours, 401 without password or token, 429 and 503 where passwords are
    /// guessed.
    pub async fn admit(&self, asked: &Asked) -> Result<(), Box<Page>> {
        // Probes ask by whatever name, and learn nothing.
        if matches!(asked.path.as_str(), "/healthz" | "/readyz") {
            return Ok(());
        }
        if !self.is_ours(asked.host.as_deref()) {
            return Err(Box::new(misdirected()));
        }
        self.authorize(asked).await
    }

    /// A page elsewhere can have its name lead here (DNS rebinding), but not have a browser ask by an address or by a name of ours.
    fn is_ours(&self, host: Option<&str>) -> bool {
        let read = host.and_then(|host| Destination::with_default_port(host.as_bytes(), ANY_PORT).ok());
        read.is_some_and(|Destination { host, .. }| match &host {
            Host::Address(_) => true,
            Host::Name(name) => **name == *"localhost" || self.hosts.contains(&host),
        })
    }

    async fn authorize(&self, asked: &Asked) -> Result<(), Box<Page>> {
        if self.access.is_none() && self.token.is_none() {
            return Ok(());
        }
        let offered = asked.credentials.as_ref().map(crate::access::Offered::as_bytes);
        if let (Some(token), Some(offered)) = (&self.token, offered.and_then(bearer)) {
            return if token.is(offered) { Ok(()) } else { Err(Box::new(self.ask("the token is wrong"))) };
        }
        let Some(access) = &self.access else {
            return Err(Box::new(self.ask("show the token of admin.token_file: Authorization: Bearer TOKEN")));
        };
        let authenticated = access.authenticate(asked.client.ip(), offered).await;
        authenticated.map(drop).map_err(|refusal| Box::new(self.refused(&refusal)))
    }

    fn refused(&self, refusal: &Refusal) -> Page {
        let status = match refusal.reason {
            Reason::ProxyAuthRequired => return self.ask("name or password of admin.htpasswd are wrong or missing"),
            Reason::QuotaExceeded => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        let mut answer = page(status, TEXT, format!("{}\n", refusal.detail));
        if let Advice::RetryAfter(wait) = &refusal.advice {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        answer
    }

    fn ask(&self, why: &str) -> Page {
        let mut answer = page(StatusCode::UNAUTHORIZED, TEXT, format!("{why}\n"));
        let headers = answer.headers_mut();
        if self.access.is_some() {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"ucx-egress admin\", charset=\"UTF-8\""));
        }
        if self.token.is_some() {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"ucx-egress admin\""));
        }
        answer
    }
}

/// The guard in force, and word of its changes for answers that outlive it.
#[derive(Debug)]
pub struct Guards(watch::Sender<Arc<Guard>>);

impl Guards {
    /// With the first one.
    #[must_use]
    pub fn new(guard: Arc<Guard>) -> Self {
        Self(watch::Sender::new(guard))
    }

    /// The one in force.
    #[must_use]
    pub fn load(&self) -> Arc<Guard> {
        self.0.borrow().clone()
    }

    /// Puts another one in force.
    pub fn store(&self, guard: Arc<Guard>) {
        self.0.send_replace(guard);
    }

    /// The one in force has other accounts.
    pub fn accounts_changed(&self) {
        self.0.send_modify(|_| {});
    }

    /// Tells whoever was let in when to ask again; at first at once, since something may have changed meanwhile.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<Guard>> {
        let mut changes = self.0.subscribe();
        changes.mark_changed();
        changes
    }
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.trim_ascii().split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| rest.trim_ascii())
}

fn misdirected() -> Page {
    let why = "this is not a name of the admin listener; ask by address or as localhost, or add the name to admin.hosts\n";
    page(StatusCode::MISDIRECTED_REQUEST, TEXT, why)
}
