//! Whom the proxy takes for the cloud: each wrong certificate and each wrong handshake is refused before the client is told that
//! its tunnel stands, in a sentence of its own.

use crate::support::client::{Head, Problem, RawClient};
use crate::support::intercept::{API, World};
use crate::support::origin::{ScriptedOrigin, SecureOrigin};
use crate::support::pki::ocsp::{Status, response};
use crate::support::pki::{Chain, Pki};
use rcgen::{BasicConstraints, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, NameConstraints};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

const EXPIRED: &str = "the upstream's certificate has expired; check this machine's clock, then tell the vendor";
const NOT_YET: &str = "the upstream's certificate is not valid yet; check this machine's clock";
const ANOTHER_HOST: &str = "the upstream's certificate is for another host; something on the way answers in its place";
const UNKNOWN_ISSUER: &str =
    "the upstream's certificate is from an unknown issuer; if someone upstream decrypts on purpose, add their root to upstream.ca_files";
const SELF_SIGNED: &str = "the upstream's certificate is self-signed; something on the way answers in its place";
const REVOKED: &str = "the upstream's certificate is revoked (stapled OCSP)";
const NOT_FOR_SERVERS: &str = "the upstream's certificate is not for servers";
const BAD_SIGNATURE: &str = "a signature in the upstream's certificate chain is invalid or of an outdated kind";
const BAD_CHAIN: &str = "the upstream's certificate chain is invalid";
const NO_VERSION: &str = "the upstream speaks no TLS version or cipher that is accepted (TLS 1.2 or newer)";
const NO_PROTOCOL: &str = "the upstream speaks none of the HTTP versions that were offered";
const REFUSED: &str = "the upstream refused the TLS handshake";
const NOT_TLS: &str = "the upstream does not speak TLS as it should";
const BROKE_OFF: &str = "the upstream broke off the TLS handshake";
const TIMED_OUT: &str = "the destination did not complete the TLS handshake in time";

/// What an operator must be able to tell apart.
const DETAILS: [&str; 15] = [
    EXPIRED,
    NOT_YET,
    ANOTHER_HOST,
    UNKNOWN_ISSUER,
    SELF_SIGNED,
    REVOKED,
    NOT_FOR_SERVERS,
    BAD_SIGNATURE,
    BAD_CHAIN,
    NO_VERSION,
    NO_PROTOCOL,
    REFUSED,
    NOT_TLS,
    BROKE_OFF,
    TIMED_OUT,
];

const HOUR: Duration = Duration::from_hours(1);

/// What an origin presents, given the root that the proxy trusts.
type Present = fn(&Pki) -> Chain;

/// The refusal of a CONNECT, and that nothing but the refusal came of it.
async fn refused(what: &str, world: &World) -> (Head, Problem) {
    let Err((head, problem)) = world.tunnel().await else { panic!("{what}: the tunnel opened") };
    assert_eq!(world.handshakes("upstream").await, (0, 1), "{what}");
    let scrape = world.scrape().await;
    assert_eq!((scrape.decisions("deny", &problem.reason), scrape.all_decisions()), (1, 1), "{what}");
    assert_eq!(world.minted().await, 0, "{what}: nobody is shown a certificate in its name");
    (head, problem)
}

/// One that cannot be verified.
async fn invalid(what: &str, pki: &Pki, origin: SocketAddr, detail: &str) {
    let world = World::new(pki, origin);
    let (head, problem) = refused(what, &world).await;
    assert_eq!((head.status, problem.reason.as_str(), problem.detail.as_str()), (502, "upstream_tls_invalid", detail), "{what}");
    assert!(head.reason.contains("upstream_tls_invalid"), "{what}: {head:?}");
    assert!(head.header("proxy-status").is_some_and(|status| status.contains("tls_certificate_error")), "{what}: {head:?}");
}

#[test]
fn no_two_causes_are_told_in_the_same_words() {
    assert_eq!(HashSet::from(DETAILS).len(), DETAILS.len());
}

fn constrained(name: &str) -> NameConstraints {
    NameConstraints { permitted_subtrees: vec![GeneralSubtree::DnsName(name.to_owned())], excluded_subtrees: Vec::new() }
}

/// Below an intermediate that may have no other below it.
fn too_long(pki: &Pki) -> Chain {
    let first = pki.intermediate("first", |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)));
    first.intermediate("second", |_| {}).chain(API, |_| {})
}

#[tokio::test]
async fn certificates_that_prove_nothing_are_refused_each_in_its_own_words() {
    let cases: [(&str, Present, &str); 19] = [
        ("expired", |pki| pki.chain(API, |params| params.not_after = (SystemTime::now() - HOUR).into()), EXPIRED),
        ("not yet valid", |pki| pki.chain(API, |params| params.not_before = (SystemTime::now() + HOUR).into()), NOT_YET),
        ("another host", |pki| pki.chain("grpc.imagicle.com", |_| {}), ANOTHER_HOST),
        ("the parent", |pki| pki.chain("imagicle.com", |_| {}), ANOTHER_HOST),
        ("a wildcard one label off", |pki| pki.chain("*.api.imagicle.com", |_| {}), ANOTHER_HOST),
        ("the name in the subject only", |pki| pki.chain(API, |params| params.subject_alt_names.clear()), ANOTHER_HOST),
        ("self-signed", |_| Chain::self_signed(API), SELF_SIGNED),
        ("an unknown issuer", |_| Pki::named("somebody").chain(API, |_| {}), UNKNOWN_ISSUER),
        ("a missing intermediate", |pki| pki.intermediate("one", |_| {}).chain(API, |_| {}).without_intermediates(), UNKNOWN_ISSUER),
        ("revoked", |pki| pki.chain(API, |_| {}).stapling(response(Status::Revoked)), REVOKED),
        (
            "for clients only",
            |pki| pki.chain(API, |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]),
            NOT_FOR_SERVERS,
        ),
        ("a CA in a server's place", |pki| pki.chain(API, |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)), BAD_CHAIN),
        (
            "outside an intermediate's name constraints",
            |pki| pki.intermediate("one", |params| params.name_constraints = Some(constrained("example.com"))).chain(API, |_| {}),
            BAD_CHAIN,
        ),
        ("a path too long", too_long, BAD_CHAIN),
        (
            "signed by what is no CA",
            |pki| pki.intermediate("one", |params| params.is_ca = IsCa::ExplicitNoCa).chain(API, |_| {}),
            BAD_CHAIN,
        ),
        ("a corrupted signature", |pki| pki.chain(API, |_| {}).corrupted(), BAD_SIGNATURE),
        ("the root's name with another key", |_| Pki::new().chain(API, |_| {}), BAD_SIGNATURE),
        ("no certificate at all", |pki| pki.chain(API, |_| {}).replaced(b"certificate"), BAD_CHAIN),
        (
            "an expired intermediate",
            |pki| pki.intermediate("one", |params| params.not_after = (SystemTime::now() - HOUR).into()).chain(API, |_| {}),
            EXPIRED,
        ),
    ];
    for (what, present, detail) in cases {
        let pki = Pki::new();
        let origin = SecureOrigin::start(present(&pki).server(&[b"h2", b"http/1.1"])).await;
        invalid(what, &pki, origin.addr(), detail).await;
        assert!(origin.requests().is_empty(), "{what}");
    }
}

#[tokio::test]
async fn certificates_that_prove_the_host_are_taken() {
    let cases: [(&str, Present); 8] = [
        ("signed by the root", |pki| pki.chain(API, |_| {})),
        ("a wildcard", |pki| pki.chain("*.imagicle.com", |_| {})),
        ("an intermediate that is sent", |pki| pki.intermediate("one", |_| {}).chain(API, |_| {})),
        ("two of them", |pki| pki.intermediate("one", |_| {}).intermediate("two", |_| {}).chain(API, |_| {})),
        ("within name constraints", |pki| {
            pki.intermediate("one", |params| params.name_constraints = Some(constrained("imagicle.com"))).chain(API, |_| {})
        }),
        ("stapled as good", |pki| pki.chain(API, |_| {}).stapling(response(Status::Good))),
        ("stapled as unknown", |pki| pki.chain(API, |_| {}).stapling(response(Status::Unknown))),
        ("stapled with what is no response", |pki| pki.chain(API, |_| {}).stapling(b"response".to_vec())),
    ];
    for (what, present) in cases {
        let pki = Pki::new();
        let origin = SecureOrigin::start(present(&pki).server(&[b"http/1.1"])).await;
        let world = World::new(&pki, origin.addr());
        world.passes().await;
        assert_eq!(world.handshakes("upstream").await, (1, 0), "{what}");
        assert_eq!(origin.handshakes()[0].server_name.as_deref(), Some(API), "{what}: the name is always sent");
    }
}

/// An origin that reads the hello and says something.
async fn saying(bytes: &[u8]) -> ScriptedOrigin {
    let bytes = bytes.to_vec();
    ScriptedOrigin::start(move |_, mut connection| {
        let bytes = bytes.clone();
        async move {
            read_hello(&mut connection).await;
            connection.send(&bytes).await;
            // Not closed under the proxy: what it was told is what counts.
            connection.read_until_closed().await;
        }
    })
    .await
}

/// One record: header, length, payload.
async fn read_hello(connection: &mut RawClient) {
    let header = connection.read_exact(5).await;
    connection.read_exact(usize::from(u16::from_be_bytes([header[3], header[4]]))).await;
}

/// A `ServerHello` (RFC 5246 section 7.4.1.3) of that version with these extensions.
fn server_hello(version: [u8; 2], extensions: &[u8]) -> Vec<u8> {
    let length = |bytes: &[u8]| u16::try_from(bytes.len()).expect("short").to_be_bytes();
    let ecdhe_ecdsa_aes128_gcm = [0xc0, 0x2b];
    let body = [&version[..], &[7; 32], &[0], &ecdhe_ecdsa_aes128_gcm, &[0], &length(extensions), extensions].concat();
    let message = [&[2, 0][..], &length(&body), &body].concat();
    [&[22][..], &version, &length(&message), &message].concat()
}

/// A fatal alert (RFC 8446 section 6).
fn alert(description: u8) -> Vec<u8> {
    vec![21, 3, 3, 0, 2, 2, description]
}

#[tokio::test]
async fn what_is_no_acceptable_handshake_is_refused_each_in_its_own_words() {
    // ALPN with the one protocol "spdy/3" (RFC 7301 section 3.1), in answer to a hello that did not offer it.
    let unoffered = server_hello([3, 3], b"\x00\x10\x00\x09\x00\x07\x06spdy/3");
    let cases: [(&str, Vec<u8>, &str); 10] = [
        ("TLS 1.1", server_hello([3, 2], b""), NO_VERSION),
        ("TLS 1.0", server_hello([3, 1], b""), NO_VERSION),
        ("alert protocol_version", alert(70), NO_VERSION),
        ("alert insufficient_security", alert(71), NO_VERSION),
        ("alert handshake_failure", alert(40), REFUSED),
        ("alert unrecognized_name", alert(112), REFUSED),
        ("alert no_application_protocol", alert(120), NO_PROTOCOL),
        ("a protocol that was not offered", unoffered, NOT_TLS),
        ("HTTP in the clear", b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec(), NOT_TLS),
        ("another protocol", b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(), NOT_TLS),
    ];
    let pki = Pki::new();
    for (what, bytes, detail) in cases {
        let origin = saying(&bytes).await;
        invalid(what, &pki, origin.addr(), detail).await;
        assert_eq!(origin.connections(), 1, "{what}: asking a second time does not help");
    }
}

#[tokio::test]
async fn an_origin_that_speaks_neither_version_of_http_is_refused() {
    let pki = Pki::new();
    let origin = SecureOrigin::start(pki.chain(API, |_| {}).server(&[b"spdy/3"])).await;
    invalid("ALPN spdy/3", &pki, origin.addr(), NO_PROTOCOL).await;
}

/// How an origin leaves in the middle of a handshake.
#[derive(Clone, Copy, Debug)]
enum Leaves {
    AtOnce,
    BehindTheHello,
    BehindHalfAnAnswer,
    WithAReset,
}

#[tokio::test]
async fn origins_that_leave_within_the_handshake_are_refused() {
    let pki = Pki::new();
    for leaves in [Leaves::AtOnce, Leaves::BehindTheHello, Leaves::BehindHalfAnAnswer, Leaves::WithAReset] {
        let origin = ScriptedOrigin::start(move |_, mut connection| async move {
            if matches!(leaves, Leaves::AtOnce) {
                return;
            }
            read_hello(&mut connection).await;
            match leaves {
                Leaves::BehindHalfAnAnswer => connection.send(&server_hello([3, 3], b"")[..20]).await,
                Leaves::WithAReset => connection.reset(),
                Leaves::AtOnce | Leaves::BehindTheHello => {}
            }
        })
        .await;
        invalid(&format!("{leaves:?}"), &pki, origin.addr(), BROKE_OFF).await;
    }
}

/// It costs the client the time of one dial, not more.
#[tokio::test]
async fn an_origin_that_never_answers_the_handshake_is_given_up() {
    let pki = Pki::new();
    let origin = ScriptedOrigin::start(|_, mut connection| async move {
        connection.read_until_closed().await;
    })
    .await;
    let world = World::with(&pki, origin.addr(), "[limits]\nconnect = \"200ms\"");
    let (head, problem) = refused("silence", &world).await;
    assert_eq!((head.status, problem.reason.as_str(), problem.detail.as_str()), (504, "connect_timeout", TIMED_OUT));
}

/// A refusal is remembered by nobody: the next client is answered by what the origin is then.
#[tokio::test]
async fn an_origin_that_was_put_right_is_taken() {
    let pki = Pki::new();
    let wrong = pki.chain("grpc.imagicle.com", |_| {}).server(&[b"http/1.1"]);
    let right = pki.chain(API, |_| {}).server(&[b"http/1.1"]);
    let origin = ScriptedOrigin::start(move |before, connection| {
        let acceptor = tokio_rustls::TlsAcceptor::from(if before == 0 { wrong.clone() } else { right.clone() });
        async move {
            let Ok(stream) = acceptor.accept(connection.into_stream()).await else { return };
            RawClient::over(stream).read_until_closed().await;
        }
    })
    .await;
    let world = World::new(&pki, origin.addr());
    assert_eq!(refused("at first", &world).await.1.detail, ANOTHER_HOST);
    world.tunnel().await.expect("the tunnel opens");
    assert_eq!(world.handshakes("upstream").await, (1, 1));
}
