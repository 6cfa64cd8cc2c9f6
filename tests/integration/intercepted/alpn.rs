//! The versions of HTTP on both sides: a client is offered what the cloud speaks, and the cloud is asked in the client's version.

use crate::support::intercept::{API, World};
use crate::support::origin::SecureOrigin;
use crate::support::pki::Pki;
use crate::support::scrape::wait_for_decisions;
use http::Version;
use std::io::ErrorKind;

const H1: &[u8] = b"http/1.1";
const H2: &[u8] = b"h2";

async fn world(alpn: &[&[u8]]) -> (SecureOrigin, World) {
    let pki = Pki::new();
    let origin = SecureOrigin::start(pki.chain(API, |_| {}).server(alpn)).await;
    let world = World::new(&pki, origin.addr());
    (origin, world)
}

/// What the origin offers, what the client offers, what they agree on; `Err` where nothing is in common.
type Case = (&'static [&'static [u8]], &'static [&'static [u8]], Result<Option<&'static [u8]>, ()>);

#[tokio::test]
async fn clients_agree_on_what_the_origin_speaks() {
    let cases: [Case; 14] = [
        (&[H1], &[H2, H1], Ok(Some(H1))),
        (&[H1], &[H1], Ok(Some(H1))),
        (&[H1], &[], Ok(None)),
        (&[H1], &[H2], Err(())),
        (&[], &[H2, H1], Ok(Some(H1))),
        (&[], &[], Ok(None)),
        (&[], &[H2], Err(())),
        (&[H2, H1], &[H2, H1], Ok(Some(H2))),
        (&[H2, H1], &[H1], Ok(Some(H1))),
        (&[H2, H1], &[H2], Ok(Some(H2))),
        (&[H2, H1], &[], Ok(None)),
        (&[H2], &[H2], Ok(Some(H2))),
        (&[H2], &[H1], Ok(Some(H1))),
        (&[H2, H1], &[b"spdy/3"], Err(())),
    ];
    for (of_origin, of_client, expected) in cases {
        let (_origin, world) = world(of_origin).await;
        let what = format!("{of_origin:?} {of_client:?}");
        match (world.tls(&world.ca.client(of_client)).await, expected) {
            (Ok(stream), Ok(agreed)) => assert_eq!(stream.get_ref().1.alpn_protocol(), agreed, "{what}"),
            (Err(error), Err(())) => {
                assert_eq!(error.kind(), ErrorKind::InvalidData, "{what}: the client is told by an alert: {error}");
                wait_for_decisions(world.proxy.admin(), "deny", "not_tls", 1).await;
                assert_eq!(world.handshakes("client").await, (0, 1), "{what}");
            }
            (shaken, _) => panic!("{what}: {:?}", shaken.map(|stream| stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec))),
        }
    }
}

/// The versions in which the requests arrived.
fn versions(origin: &SecureOrigin) -> Vec<Version> {
    origin.requests().iter().map(|request| request.version).collect()
}

#[tokio::test]
async fn requests_arrive_in_the_version_of_their_client() {
    let (origin, world) = world(&[H2, H1]).await;
    world.passes().await;
    world.passes_http2().await;
    world.passes().await;
    assert_eq!(versions(&origin), [Version::HTTP_11, Version::HTTP_2, Version::HTTP_11]);
    let alpn: Vec<_> = origin.handshakes().into_iter().filter_map(|handshake| handshake.alpn).collect();
    assert_eq!(alpn, [H2, H1], "one connection for each version");
}

/// A client of HTTP/1.1 is served by what the origin has.
#[tokio::test]
async fn an_origin_of_http2_alone_is_bridged() {
    let (origin, world) = world(&[H2]).await;
    world.passes().await;
    world.passes().await;
    world.passes_http2().await;
    assert_eq!(versions(&origin), [Version::HTTP_2; 3]);
    assert_eq!(origin.handshakes().len(), 1);
    assert_eq!(world.handshakes("upstream").await, (1, 1), "it is asked for HTTP/1.1 once, and its answer is remembered");
    let authority = origin.requests()[0].uri.authority().map(ToString::to_string);
    assert_eq!(authority.as_deref(), Some(API));
}

#[tokio::test]
async fn an_origin_without_alpn_is_spoken_to_in_http_1_1() {
    let (origin, world) = world(&[]).await;
    world.passes().await;
    world.passes().await;
    assert_eq!(versions(&origin), [Version::HTTP_11; 2]);
    assert_eq!(origin.handshakes().len(), 1);
}
