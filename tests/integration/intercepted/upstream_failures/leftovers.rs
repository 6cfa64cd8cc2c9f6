//! Whatever the cloud does, nothing of it stays: no task, no descriptor.

use super::{CLEAN, Client, H1, H2, Served, read_request, try_ask};
use crate::leaks::goes_back;
use crate::support::client::{RawClient, within_deadline};
use crate::support::daemon::Daemon;
use crate::support::intercept::{API, World};
use crate::support::origin::{Code, Frames, SecureOrigin};
use crate::support::pki::Pki;
use crate::support::proxy::Setup;
use crate::support::scrape::wait_until_idle;
use futures_util::future::join_all;
use http::Method;
use http_body_util::BodyExt as _;
use std::net::SocketAddr;
use tokio::runtime::Handle;

/// What the origin does to every request.
#[derive(Clone, Copy, Debug)]
enum Deed {
    HangsUp,
    SpeaksGarbage,
    StopsHalfway,
    SaysNothing,
    RefusesTheStream,
    GoesAway,
    ResetsHalfway,
}

impl Deed {
    const ALL: [Self; 7] = [
        Self::HangsUp,
        Self::SpeaksGarbage,
        Self::StopsHalfway,
        Self::SaysNothing,
        Self::RefusesTheStream,
        Self::GoesAway,
        Self::ResetsHalfway,
    ];

    /// The version in which it is done.
    fn client(self) -> Client {
        match self {
            Self::HangsUp | Self::SpeaksGarbage | Self::StopsHalfway | Self::SaysNothing => Client::Http1,
            Self::RefusesTheStream | Self::GoesAway | Self::ResetsHalfway => Client::Http2,
        }
    }

    async fn serve(self, stream: Served) {
        match self.client() {
            Client::Http1 => self.serve_http1(RawClient::over(stream)).await,
            Client::Http2 => self.serve_http2(stream).await.unwrap_or_default(),
        }
    }

    async fn serve_http1(self, mut connection: RawClient<Served>) {
        if read_request(&mut connection).await.is_none() {
            return;
        }
        match self {
            Self::SpeaksGarbage => connection.send(b"garbage\r\n\r\n").await,
            Self::StopsHalfway => connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello").await,
            Self::SaysNothing => drop(connection.read_until_closed().await),
            _ => {}
        }
    }

    async fn serve_http2(self, stream: Served) -> Option<()> {
        let mut frames = Frames::accept(stream).await?;
        loop {
            let id = frames.request().await?;
            match self {
                Self::RefusesTheStream => frames.reset(id, Code::RefusedStream).await,
                Self::ResetsHalfway => {
                    frames.begin(id, b"hello").await;
                    frames.reset(id, Code::InternalError).await;
                }
                _ => {
                    frames.go_away(0).await;
                    return None;
                }
            }
        }
    }

    /// A client asks, and takes what comes.
    async fn commit(self, world: &World, proxy: SocketAddr) {
        for (method, body) in [(Method::GET, ""), (Method::POST, CLEAN)] {
            // An answer that breaks, a refusal, or none.
            if let Ok(response) = try_ask(world, proxy, self.client(), method, body).await {
                let _ = within_deadline("the end", response.into_body().collect()).await;
            }
        }
    }
}

const LIMITS: &str = "[limits]\nanswer = \"200ms\"";

async fn origin(pki: &Pki, deed: Deed) -> SecureOrigin {
    let alpn: &[&[u8]] = if deed.client() == Client::Http1 { &[H1] } else { &[H2, H1] };
    SecureOrigin::scripted(pki.chain(API, |_| {}).server(alpn), move |_, stream| deed.serve(stream)).await
}

#[tokio::test]
async fn no_deed_of_the_cloud_leaves_a_task() {
    for deed in Deed::ALL {
        let pki = Pki::new();
        let origin = origin(&pki, deed).await;
        let world = World::with(&pki, origin.addr(), LIMITS);
        let tasks = || Handle::current().metrics().num_alive_tasks();
        deed.commit(&world, world.proxy.proxy()).await;
        wait_until_idle(world.proxy.admin()).await;
        let start = tasks();
        join_all((0..10).map(|_| deed.commit(&world, world.proxy.proxy()))).await;
        wait_until_idle(world.proxy.admin()).await;
        goes_back(&format!("tasks after {deed:?}"), tasks, start).await;
    }
}

#[tokio::test]
async fn no_deed_of_the_cloud_leaves_a_descriptor() {
    for deed in Deed::ALL {
        let pki = Pki::new();
        let origin = origin(&pki, deed).await;
        let world = World::new(&pki, origin.addr());
        let setup = world.ca.configure(Setup::new().host(API, origin.addr())).section(LIMITS);
        let daemon = Daemon::start(&setup.text()).await;
        deed.commit(&world, daemon.proxy).await;
        wait_until_idle(daemon.admin).await;
        let start = daemon.descriptors();
        join_all((0..10).map(|_| deed.commit(&world, daemon.proxy))).await;
        wait_until_idle(daemon.admin).await;
        goes_back(&format!("descriptors after {deed:?}"), || daemon.descriptors(), start).await;
        assert_eq!(daemon.terminate().await, Some(0), "{deed:?}");
    }
}
