//! The two handshakes of an intercepted connection: what is offered, what is taken, what is resumed, and what a client is shown.

use crate::support::client::{RawClient, client_hello};
use crate::support::intercept::{ANSWER, API, World};
use crate::support::origin::SecureOrigin;
use crate::support::pki::{Choice, Pki};
use futures_util::future::join_all;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, NamedGroup, version};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

impl World {
    fn root(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.ca.path("ca.pem")).expect("the CA is PEM")
    }

    /// A client that trusts the proxy's CA and speaks what `choice` says.
    fn client(&self, choice: &Choice) -> Arc<ClientConfig> {
        choice.client(self.root(), &[b"http/1.1"])
    }
}

/// One request on a connection that is then closed; tickets of TLS 1.3 come with the answer.
async fn get(stream: TlsStream<TcpStream>) {
    let mut client = RawClient::over(stream);
    client.send(format!("GET /test HTTP/1.1\r\nHost: {API}\r\nConnection: close\r\n\r\n").as_bytes()).await;
    let head = client.read_head().await;
    let body = client.read_body(&head).await;
    assert_eq!((head.status, String::from_utf8_lossy(&body).as_ref()), (200, ANSWER));
}

/// An origin with one choice of versions and groups.
async fn origin(pki: &Pki, choice: &Choice) -> SecureOrigin {
    SecureOrigin::start(Arc::new(pki.chain(API, |_| {}).server_of(choice, &[b"http/1.1"]))).await
}

#[tokio::test]
async fn old_and_new_versions_meet_in_the_proxy() {
    let only_12 = Choice::versions(&[&version::TLS12]);
    let only_13 = Choice::versions(&[&version::TLS13]);
    for (of_client, of_origin) in [(&only_12, &only_12), (&only_12, &only_13), (&only_13, &only_12), (&only_13, &only_13)] {
        let pki = Pki::new();
        let origin = origin(&pki, of_origin).await;
        let world = World::new(&pki, origin.addr());
        let stream = world.tls(&world.client(of_client)).await.expect("the handshake succeeds");
        let spoken = stream.get_ref().1.protocol_version();
        get(stream).await;
        assert_eq!((spoken, origin.handshakes()[0].version), (of_client.version(), of_origin.version()));
        assert_eq!((world.handshakes("client").await, world.handshakes("upstream").await), ((1, 0), (1, 0)));
    }
}

#[tokio::test]
async fn the_hybrid_key_exchange_is_offered_upstream_and_taken_from_clients() {
    let hybrid = Choice::group(NamedGroup::X25519MLKEM768);
    let pki = Pki::new();
    let origin = origin(&pki, &hybrid).await;
    let world = World::new(&pki, origin.addr());
    let stream = world.tls(&world.client(&hybrid)).await.expect("the handshake succeeds");
    let group = stream.get_ref().1.negotiated_key_exchange_group().map(rustls::crypto::SupportedKxGroup::name);
    let kind = stream.get_ref().1.handshake_kind();
    get(stream).await;
    assert_eq!(group, Some(NamedGroup::X25519MLKEM768));
    let seen = &origin.handshakes()[0];
    assert_eq!(seen.group, Some(NamedGroup::X25519MLKEM768));
    // Its share is in the first hello, so it costs no round trip.
    assert_eq!((kind, seen.kind), (Some(HandshakeKind::Full), Some(HandshakeKind::Full)));
}

#[tokio::test]
async fn older_key_exchanges_are_taken_where_the_other_side_knows_no_better() {
    for group in [NamedGroup::X25519, NamedGroup::secp256r1, NamedGroup::secp384r1] {
        let choice = Choice::group(group);
        let pki = Pki::new();
        let origin = origin(&pki, &choice).await;
        let world = World::new(&pki, origin.addr());
        get(world.tls(&world.client(&choice)).await.expect("the handshake succeeds")).await;
        assert_eq!(origin.handshakes()[0].group, Some(group));
    }
}

/// The certificates of a connection.
fn shown(stream: &TlsStream<TcpStream>) -> Vec<CertificateDer<'static>> {
    let certificates = stream.get_ref().1.peer_certificates().expect("a server shows certificates");
    certificates.iter().map(|certificate| certificate.clone().into_owned()).collect()
}

#[tokio::test]
async fn clients_are_shown_a_chain_for_the_exact_host() {
    let pki = Pki::new();
    let origin = SecureOrigin::start(pki.chain("*.imagicle.com", |_| {}).server(&[b"http/1.1"])).await;
    let world = World::new(&pki, origin.addr());
    let stream = world.tls(&world.ca.client(&[])).await.expect("the client takes the certificate");
    let chain = shown(&stream);
    assert_eq!(chain[1..], [world.root()], "the CA itself stands behind the leaf");
    let (_, leaf) = X509Certificate::from_der(&chain[0]).expect("a certificate");
    let names = leaf.subject_alternative_name().expect("well-formed").expect("a leaf names its host");
    assert_eq!(names.value.general_names, [GeneralName::DNSName(API)], "no wildcard, whatever the origin has");
    assert!(!leaf.is_ca());
}

#[tokio::test]
async fn clients_resume_and_are_shown_nothing_new() {
    for choice in [Choice::versions(&[&version::TLS12]), Choice::versions(&[&version::TLS13])] {
        let pki = Pki::new();
        let origin = SecureOrigin::start(pki.chain(API, |_| {}).server(&[b"http/1.1"])).await;
        let world = World::new(&pki, origin.addr());
        let client = world.client(&choice);
        let mut seen = Vec::new();
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Resumed] {
            let stream = world.tls(&client).await.expect("the handshake succeeds");
            assert_eq!(stream.get_ref().1.handshake_kind(), Some(kind), "{:?}", choice.version());
            seen.push(shown(&stream));
            get(stream).await;
        }
        assert!(seen.iter().all(|chain| *chain == seen[0]));
        assert_eq!((world.minted().await, world.handshakes("client").await), (1, (3, 0)));
    }
}

/// The proxy closes what it keeps only after long idle times, so the origin hangs up behind each answer.
#[tokio::test]
async fn sessions_with_the_cloud_are_resumed() {
    for choice in [Choice::versions(&[&version::TLS12]), Choice::versions(&[&version::TLS13])] {
        let pki = Pki::new();
        let mut config = pki.chain(API, |_| {}).server_of(&choice, &[b"http/1.1"]);
        // An origin that would take early data, were it sent.
        config.max_early_data_size = 16_384;
        let origin = SecureOrigin::scripted(Arc::new(config), |_, stream| async move {
            let mut connection = RawClient::over(stream);
            if connection.try_read_through(b"\r\n\r\n").await.is_some() {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{ANSWER}", ANSWER.len());
                connection.send(head.as_bytes()).await;
            }
        })
        .await;
        let world = World::new(&pki, origin.addr());
        for _ in 0..3 {
            world.passes().await;
        }
        let handshakes = origin.handshakes();
        let kinds: Vec<_> = handshakes.iter().filter_map(|handshake| handshake.kind).collect();
        assert_eq!(kinds[0], HandshakeKind::Full);
        assert!(kinds.len() == 3 && kinds[1..].iter().all(|kind| *kind == HandshakeKind::Resumed), "{:?}: {kinds:?}", choice.version());
        assert!(handshakes.iter().all(|handshake| !handshake.early_data), "a request sent early could be replayed");
    }
}

/// What is sent in 0-RTT can be replayed by whoever recorded it, so tickets do not allow it.
#[tokio::test]
async fn clients_are_not_offered_early_data() {
    let pki = Pki::new();
    let origin = SecureOrigin::start(pki.chain(API, |_| {}).server(&[b"http/1.1"])).await;
    let world = World::new(&pki, origin.addr());
    let mut client = Arc::unwrap_or_clone(world.ca.client(&[b"http/1.1"]));
    client.enable_early_data = true;
    let client = Arc::new(client);
    for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let stream = world.tls(&client).await.expect("the handshake succeeds");
        assert_eq!(stream.get_ref().1.handshake_kind(), Some(kind), "each connection leaves a ticket for the next");
        get(stream).await;
    }
    let mut next = ClientConnection::new(client, API.try_into().expect("a name")).expect("a complete configuration");
    assert!(next.early_data().is_none());
}

/// All of them ask at once for a host that nobody asked for before. None goes on behind the proxy's half of the handshake: a
/// thousand whole ones would measure the machine.
#[tokio::test]
async fn a_thousand_clients_cause_one_leaf_and_one_connection_upstream() {
    const HERD: usize = 1_000;
    let pki = Pki::new();
    let origin = SecureOrigin::start(pki.chain(API, |_| {}).server(&[b"h2", b"http/1.1"])).await;
    let world = World::with(&pki, origin.addr(), "[limits]\nhello = \"60s\"");
    let hello = client_hello(Some(API));
    let opened = join_all((0..HERD).map(|_| world.tunnel())).await;
    let mut herd: Vec<_> = opened.into_iter().map(|tunnel| tunnel.expect("the tunnel opens")).collect();
    join_all(herd.iter_mut().map(|client| client.send(&hello))).await;
    // One after the other: each has its own time to wait, and all are under way.
    for client in &mut herd {
        let record = client.read_exact(6).await;
        assert_eq!((record[0], record[5]), (22, 2), "a ServerHello");
    }
    let scrape = world.scrape().await;
    let leaves = |source| scrape.count("ucx_egress_leaf_certificates_total", &[("source", source)]);
    assert_eq!((leaves("minted"), leaves("cache")), (1, HERD - 1));
    assert_eq!((origin.handshakes().len(), world.handshakes("upstream").await), (1, (1, 0)));
}
