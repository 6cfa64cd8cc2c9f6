//! The two ways of a request to an origin that reads to the letter: in the clear, and inside a decrypted connection.

use super::strict::{self, Seen};
use crate::support::client::RawClient;
use crate::support::intercept::Ca;
use crate::support::origin::{ScriptedOrigin, TappedOrigin};
use crate::support::pki::Pki;
use crate::support::policy::PolicyFile;
use crate::support::proxy::{Proxy, Setup};
use crate::support::scrape::Scrape;
use crate::support::world::{API, HTTP1};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

/// Short, for messages that never become complete; long enough for those that do.
const LIMITS: &str = "[limits]\nhead = \"300ms\"";

/// What holds an origin up.
enum Behind {
    Plain { _origin: ScriptedOrigin },
    Inside { _origin: TappedOrigin, ca: Ca },
}

/// A proxy with an origin behind it, which is asked in one of two ways.
pub struct Front {
    /// For what a test says went wrong.
    pub name: &'static str,
    pub proxy: Proxy,
    host: &'static str,
    /// What stands before the path in a request line.
    prefix: &'static str,
    behind: Behind,
    seen: Seen,
    _setup: Setup,
}

/// What came of a client's bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The status of each answer, without interim ones.
    pub statuses: Vec<u16>,
    /// What the origin was asked, see [`Seen`].
    pub seen: Vec<String>,
}

impl Front {
    /// Absolute-form to the proxy's listener.
    pub async fn plain() -> Self {
        let (seen, _) = watch::channel(Vec::new());
        let origin = {
            let seen = seen.clone();
            ScriptedOrigin::start(move |_, connection| strict::serve(connection, seen.clone())).await
        };
        let policy = PolicyFile::of("site", "1m", &[("plain.test", 80, "http")]);
        let setup = Setup::new().host("plain.test", origin.addr()).policy(policy).section(LIMITS);
        let proxy = setup.start();
        let behind = Behind::Plain { _origin: origin };
        Self { name: "plain", proxy, host: "plain.test", prefix: "http://plain.test", behind, seen, _setup: setup }
    }

    /// Origin-form inside a connection that the proxy decrypts.
    pub async fn inside() -> Self {
        let (seen, _) = watch::channel(Vec::new());
        let pki = Pki::new();
        let origin = {
            let seen = seen.clone();
            TappedOrigin::scripted(&pki, &[API], HTTP1, move |stream| strict::serve(RawClient::over(stream), seen.clone())).await
        };
        let ca = Ca::new(&pki, &[API]);
        let setup = ca.configure(Setup::new().host(API, origin.addr())).section(LIMITS);
        let proxy = setup.start();
        let behind = Behind::Inside { _origin: origin, ca };
        Self { name: "inside", proxy, host: API, prefix: "", behind, seen, _setup: setup }
    }

    /// Puts the host for `{H}` and what stands before a path for `{T}`.
    pub fn address(&self, bytes: &[u8]) -> Vec<u8> {
        let with = |bytes: &[u8], mark: &[u8], text: &str| {
            let mut rest = bytes;
            let mut made = Vec::new();
            while let Some(start) = rest.windows(mark.len()).position(|window| window == mark) {
                made.extend_from_slice(&rest[..start]);
                made.extend_from_slice(text.as_bytes());
                rest = &rest[start + mark.len()..];
            }
            made.extend_from_slice(rest);
            made
        };
        with(&with(bytes, b"{T}", self.prefix), b"{H}", self.host)
    }

    /// Sends these bytes over a connection of their own, with a request behind them that ends it.
    pub async fn ask(&self, bytes: &[u8]) -> Outcome {
        let end = b"GET {T}/end HTTP/1.1\r\nHost: {H}\r\nConnection: close\r\n\r\n";
        let bytes = self.address(&[bytes, end].concat());
        let said = match &self.behind {
            Behind::Plain { .. } => answers(RawClient::connect(self.proxy.proxy()).await, &bytes).await,
            Behind::Inside { ca, .. } => answers(ca.raw(self.proxy.proxy(), API).await, &bytes).await,
        };
        let mut seen = Vec::new();
        self.seen.send_modify(|all| std::mem::swap(all, &mut seen));
        Outcome { statuses: statuses(&said), seen }
    }

    /// After all of it: requests that nobody was told of, and panics. Both lists are empty where all is well.
    pub async fn close(self) -> Vec<String> {
        let scrape = Scrape::get(self.proxy.admin()).await;
        let panics = scrape.value("ucx_egress_panics_total", &[]).unwrap_or_default();
        self.proxy.stop().await;
        let mut left = self.seen.borrow().clone();
        if panics != 0.0 {
            left.push(format!("{panics} panics"));
        }
        left
    }
}

/// All that comes back before the connection ends.
async fn answers<S: AsyncRead + AsyncWrite + Unpin>(mut client: RawClient<S>, bytes: &[u8]) -> Vec<u8> {
    // What is refused before its end may be cut off in the middle.
    let _ = client.try_send(bytes).await;
    let mut said = client.try_read_through(b"\r\n\r\n").await.unwrap_or_default();
    if statuses(&said).iter().any(|status| *status >= 400) {
        // So that nobody waits for the rest of what is refused.
        let _ = client.try_finish().await;
    }
    said.extend(client.read_until_closed().await.0);
    said
}

fn statuses(said: &[u8]) -> Vec<u16> {
    let lines = said.windows(12).filter(|word| word.starts_with(b"HTTP/1.1 "));
    let status = |word: &[u8]| str::from_utf8(&word[9..]).ok()?.parse().ok();
    lines.filter_map(status).filter(|status| *status >= 200).collect()
}
