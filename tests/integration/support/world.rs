//! An intercepted service between a test and an origin that shows what arrived.

use super::client::RawClient;
use super::http2::Http2;
use super::intercept::Ca;
use super::origin::TappedOrigin;
use super::pki::Pki;
use super::proxy::{Proxy, Setup};
use http::request::Builder;
use http::{Method, Request};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// The intercepted host of the built-in policy.
pub const API: &str = "api.imagicle.com";
pub const HTTP1: &[&[u8]] = &[b"http/1.1"];
pub const HTTP2: &[&[u8]] = &[b"h2", b"http/1.1"];

/// The value that must not be found anywhere.
pub const ADDRESS: &str = "mario.rossi@example.com";

pub struct World {
    pub pki: Pki,
    pub ca: Ca,
    pub origin: TappedOrigin,
    pub setup: Setup,
    pub proxy: Proxy,
}

impl World {
    /// An origin that sends back what it gets.
    pub async fn echoing(alpn: &[&[u8]]) -> Self {
        Self::with(async |pki| TappedOrigin::echoing(pki, &[API], alpn).await, |setup| setup).await
    }

    /// An origin of the test's own, and a configuration with its additions.
    pub async fn with(origin: impl AsyncFnOnce(&Pki) -> TappedOrigin, additions: impl FnOnce(Setup) -> Setup) -> Self {
        let pki = Pki::new();
        let origin = origin(&pki).await;
        let ca = Ca::new(&pki, &[API]);
        let setup = additions(ca.configure(Setup::new().host(API, origin.addr())));
        let proxy = setup.start();
        Self { pki, ca, origin, setup, proxy }
    }

    /// A client that speaks HTTP/1.1 byte by byte.
    pub async fn raw(&self) -> RawClient<TlsStream<TcpStream>> {
        self.ca.raw(self.proxy.proxy(), API).await
    }

    /// A client that speaks HTTP/2 frame by frame.
    pub async fn http2(&self) -> Http2 {
        let stream = self.ca.connect(self.proxy.proxy(), API, &[b"h2"]).await.expect("the client takes the certificate");
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        Http2::over(stream).await
    }

    /// Stops the proxy, so that nothing more can reach the origin, and gives what reached it on each connection.
    pub async fn what_arrived(self) -> Vec<Vec<u8>> {
        self.proxy.stop().await;
        self.origin.settled().await
    }
}

/// The start of an HTTP/2 request to the host.
pub fn request(method: Method, path: &str) -> Builder {
    Request::builder().method(method).uri(format!("https://{API}{path}"))
}

/// An HTTP/2 POST of JSON.
pub fn post_json(path: &str) -> Request<()> {
    request(Method::POST, path).header("content-type", "application/json").body(()).expect("a request")
}

/// A gRPC call.
pub fn call(path: &str) -> Request<()> {
    request(Method::POST, path).header("content-type", "application/grpc").header("te", "trailers").body(()).expect("a request")
}
