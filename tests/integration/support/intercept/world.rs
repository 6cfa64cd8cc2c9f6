//! A proxy that decrypts, in front of one origin, and what is asked of it.

use super::super::client::{Head, Problem, RawClient, connect_tunnel, within_deadline};
use super::super::pki::Pki;
use super::super::proxy::{Proxy, Setup};
use super::super::scrape::Scrape;
use super::{Ca, TestBody};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use rustls::ClientConfig;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// The host that the worlds of these tests intercept.
pub const API: &str = "api.imagicle.com";

/// The proxy and its CA.
pub struct World {
    pub ca: Ca,
    pub proxy: Proxy,
}

impl World {
    /// `origin` is [`API`], and is verified with the root of `pki`.
    pub fn new(pki: &Pki, origin: SocketAddr) -> Self {
        Self::with(pki, origin, "")
    }

    /// The same, with more sections in its configuration.
    pub fn with(pki: &Pki, origin: SocketAddr, sections: &str) -> Self {
        let ca = Ca::new(pki, &[API]);
        let proxy = ca.configure(Setup::new().host(API, origin)).section(sections).start();
        Self { ca, proxy }
    }

    /// Opens a tunnel to [`API`].
    pub async fn tunnel(&self) -> Result<RawClient, (Head, Problem)> {
        connect_tunnel(self.proxy.proxy(), &format!("{API}:443")).await
    }

    /// Shakes hands through a tunnel with a configuration of the test's own.
    pub async fn tls(&self, config: &Arc<ClientConfig>) -> io::Result<TlsStream<TcpStream>> {
        self.tunnel().await.expect("the tunnel opens").tls(config.clone(), API).await
    }

    /// Asks on a connection of its own, in HTTP/1.1.
    pub async fn ask(&self, request: Request<TestBody>) -> Response<Incoming> {
        let mut client = self.ca.http1(self.proxy.proxy(), API).await;
        within_deadline("the answer", client.send_request(request)).await.expect("an answer")
    }

    /// The documented test request, on a connection of its own; it must be answered by the origin.
    pub async fn passes(&self) {
        let response = self.ask(request(Method::GET, "/test", "")).await;
        assert_eq!((response.status(), text(response).await.as_str()), (StatusCode::OK, ANSWER));
    }

    /// The same in HTTP/2.
    pub async fn passes_http2(&self) {
        let mut client = self.ca.http2(self.proxy.proxy(), API).await;
        let answered = within_deadline("the answer", client.send_request(stream_request(Method::GET, "/test", ""))).await;
        let response = answered.expect("an answer");
        assert_eq!((response.status(), text(response).await.as_str()), (StatusCode::OK, ANSWER));
    }

    pub async fn scrape(&self) -> Scrape {
        Scrape::get(self.proxy.admin()).await
    }

    /// Handshakes of one side (`client`, `upstream`): completed, failed.
    pub async fn handshakes(&self, side: &str) -> (usize, usize) {
        let scrape = self.scrape().await;
        let count = |outcome| scrape.count("ucx_egress_tls_handshakes_total", &[("side", side), ("outcome", outcome)]);
        (count("ok"), count("failed"))
    }

    /// Leaves minted so far.
    pub async fn minted(&self) -> usize {
        self.scrape().await.count("ucx_egress_leaf_certificates_total", &[("source", "minted")])
    }
}

/// What the origins of these tests answer to `/test`.
pub const ANSWER: &str = r#"{"message":"successfully connected!"}"#;

/// A request in the form of HTTP/1.1; a body is JSON.
pub fn request(method: Method, path: &str, body: &str) -> Request<TestBody> {
    let builder = Request::builder().method(method).uri(path).header(HOST, API);
    let builder = if body.is_empty() { builder } else { builder.header(CONTENT_TYPE, "application/json") };
    builder.body(Full::new(Bytes::copy_from_slice(body.as_bytes())).boxed()).expect("a request")
}

/// The same in the form of HTTP/2.
pub fn stream_request(method: Method, path: &str, body: &str) -> Request<TestBody> {
    let mut request = request(method, &format!("https://{API}{path}"), body);
    request.headers_mut().remove(HOST);
    request
}

/// The whole body.
pub async fn text(response: Response<Incoming>) -> String {
    let bytes = within_deadline("the body", response.into_body().collect()).await.expect("a body").to_bytes();
    String::from_utf8(bytes.to_vec()).expect("text")
}
