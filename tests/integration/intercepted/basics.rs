//! The main path: GET and POST over both versions, inspected, forwarded, refused.

use crate::support::client::within_deadline;
use crate::support::intercept::{Ca, TestBody};
use crate::support::origin::TlsOrigin;
use crate::support::pki::Pki;
use crate::support::proxy::{Proxy, Setup};
use crate::support::scrape::Scrape;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;

const API: &str = "api.imagicle.com";

struct World {
    ca: Ca,
    origin: TlsOrigin,
    proxy: Proxy,
}

impl World {
    async fn new() -> Self {
        let pki = Pki::new();
        let origin = TlsOrigin::start(&pki, &[API], &[b"http/1.1"]).await;
        let ca = Ca::new(&pki, &[API]);
        let proxy = ca.configure(Setup::new().host(API, origin.addr())).start();
        Self { ca, origin, proxy }
    }

    async fn ask(&self, request: Request<TestBody>) -> Response<Incoming> {
        let mut client = self.ca.http1(self.proxy.proxy(), API).await;
        within_deadline("the answer", client.send_request(request)).await.expect("an answer")
    }
}

fn get(path: &str) -> Request<TestBody> {
    Request::get(path).header(HOST, API).body(Full::default().boxed()).expect("a request")
}

fn post(path: &str, content_type: &str, body: &str) -> Request<TestBody> {
    let body = Full::new(Bytes::copy_from_slice(body.as_bytes())).boxed();
    Request::post(path).header(HOST, API).header(CONTENT_TYPE, content_type).body(body).expect("a request")
}

async fn body(response: Response<Incoming>) -> String {
    let bytes = within_deadline("the body", response.into_body().collect()).await.expect("a body").to_bytes();
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[tokio::test]
async fn a_documented_request_passes_and_is_counted_as_inspected() {
    let world = World::new().await;
    let response = world.ask(get("/test")).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.headers().contains_key("via") && response.headers().contains_key("x-decision-id"));
    assert_eq!(body(response).await, r#"{"message":"successfully connected!"}"#);
    let scrape = Scrape::get(world.proxy.admin()).await;
    let of_service = [("service", "connectivity-test"), ("state", "inspected")];
    assert_eq!(scrape.count("ucx_egress_coverage_total", &of_service), 1, "{}", scrape.text());
    assert_eq!(world.origin.requests()[0].server_name.as_deref(), Some(API));
}

#[tokio::test]
async fn clean_messages_arrive_as_they_were_sent() {
    let world = World::new().await;
    let text = "{ \"version\" : \"1.2.3\",\n \"cores\":8 }";
    let response = world.ask(post("/echo", "application/json", text)).await;
    assert_eq!((response.status(), body(response).await.as_str()), (StatusCode::OK, text));
    assert_eq!(&world.origin.requests()[0].body[..], text.as_bytes());
}

#[tokio::test]
async fn a_persons_address_is_refused_and_does_not_reach_the_origin() {
    let world = World::new().await;
    let response = world.ask(post("/echo", "application/json", r#"{"version":"2024.1","note":"mario.rossi@example.com"}"#)).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let text = body(response).await;
    assert!(text.contains("\"reason\": \"personal_data\"") && !text.contains("mario"), "{text}");
    assert!(text.contains(": email in /(1)\""), "kind and place: {text}");
    assert!(world.origin.requests().is_empty());
    let scrape = Scrape::get(world.proxy.admin()).await;
    assert_eq!(scrape.count("ucx_egress_findings_total", &[("kind", "email"), ("action", "deny")]), 1);
    assert_eq!(scrape.decisions("deny", "personal_data"), 1);
}
