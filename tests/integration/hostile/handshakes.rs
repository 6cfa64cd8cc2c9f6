//! Handshakes in pieces, in old clothes, with tickets of somebody else, and with certificates that never end.

use super::as_expected;
use crate::hello::craft::record;
use crate::support::client::{DEADLINE, RawClient, connect_tunnel, within_deadline};
use crate::support::daemon::Daemon;
use crate::support::http2::{DATA, Frame, HEADERS, PREFACE, RST_STREAM, SETTINGS, frame, frame_on};
use crate::support::intercept::{API, Ca, World};
use crate::support::origin::{RawOrigin, SecureOrigin, TappedOrigin};
use crate::support::pki::{Chain, Choice, Pki};
use crate::support::policy::PolicyFile;
use crate::support::proxy::Setup;
use rcgen::SanType;
use rustls::client::{
    ClientSessionMemoryCache, ClientSessionStore, EchConfig, EchGreaseConfig, EchMode, EchStatus, Resumption, Tls12ClientSessionValue,
    Tls13ClientSessionValue,
};
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_128;
use rustls::crypto::hpke::Hpke as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, EchConfigListBytes, ServerName};
use rustls::{ClientConfig, HandshakeKind, NamedGroup, RootCertStore, version};
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// A hello in five records, as OpenSSL cuts it: 200 protocols, in fragments of 512 bytes (RUSTSEC-2024-0399 is about such a hello).
#[tokio::test]
async fn a_hello_in_five_records_is_met_and_relayed() {
    let pki = Pki::new();
    let origin = SecureOrigin::start(pki.chain(API, |_| {}).server(&[b"http/1.1"])).await;
    let ca = Ca::new(&pki, &[API]);
    let relayed = RawOrigin::start().await;
    let proxy = ca.configure(Setup::new().host(API, origin.addr()).host("grpc.imagicle.com", relayed.addr())).start();
    let protocols: Vec<String> = (0..200).map(|number| format!("proto{number:03}")).chain(["http/1.1".to_owned()]).collect();
    let say_hello = async |host: &str| {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-brief", "-verify_return_error", "-no-CApath", "-no-CAstore", "-CAfile"]).arg(ca.path("ca.pem"));
        command.args(["-proxy", &proxy.proxy().to_string(), "-connect", &format!("{host}:443"), "-servername", host]);
        command.args(["-max_send_frag", "512", "-alpn", &protocols.join(",")]).stdin(Stdio::null()).kill_on_drop(true);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("OpenSSL starts")
    };
    let met = within_deadline("OpenSSL ends", say_hello(API).await.wait_with_output()).await.expect("it runs");
    let said = String::from_utf8_lossy(&met.stderr).into_owned();
    assert!(met.status.success() && said.contains("Verification: OK") && origin.handshakes().len() == 1, "{said}");
    let _asking = say_hello("grpc.imagicle.com").await;
    relayed.wait_for_bytes(4 * 512 + 5 * 5 + 1).await;
    let received = relayed.received();
    let (mut at, mut records) = (0, 0);
    while let Some(header) = received.get(at..at + 5) {
        assert_eq!(header[0], 22, "a handshake record");
        at += 5 + usize::from(u16::from_be_bytes([header[3], header[4]]));
        records += 1;
    }
    assert!(records >= 5, "{records} records");
    super::counted("hellos in many records", 2);
}

/// TLS 1.2 alone, with these cipher suites, in a hello that is complete otherwise.
fn old_hello(suites: &[u16]) -> Vec<u8> {
    let vector = |bytes: &[u8]| [&u16::try_from(bytes.len()).expect("short").to_be_bytes()[..], bytes].concat();
    let extension = |kind: u16, data: &[u8]| [&kind.to_be_bytes()[..], &vector(data)].concat();
    let name = vector(&[&[0][..], &vector(API.as_bytes())].concat());
    let extensions = [
        extension(0, &name),
        extension(10, &vector(&[0, 0x1d, 0, 0x17])),
        extension(11, &[1, 0]),
        extension(13, &vector(&[4, 3, 8, 4, 4, 1, 2, 3, 2, 1])),
        extension(23, &[]),
    ]
    .concat();
    let suites: Vec<u8> = suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    let body = [&[3, 3][..], &[5; 32], &[0], &vector(&suites), &[1, 0], &vector(&extensions)].concat();
    let length = u32::try_from(body.len()).expect("short").to_be_bytes();
    record(&[&[1][..], &length[1..], &body].concat())
}

/// Suites without forward secrecy, without authenticity, without encryption.
const OLD_SUITES: &[(&str, &[u16])] = &[
    ("CBC with ECDHE", &[0xc009, 0xc00a, 0xc013, 0xc014, 0xc023, 0xc024, 0xc027, 0xc028]),
    ("CBC with DHE", &[0x0033, 0x0039, 0x0067, 0x006b]),
    ("RSA key transport with GCM", &[0x009c, 0x009d]),
    ("RSA key transport with CBC", &[0x002f, 0x0035, 0x003c, 0x003d]),
    ("triple DES", &[0x000a, 0x0016, 0xc008, 0xc012]),
    ("RC4", &[0x0004, 0x0005, 0xc007, 0xc011]),
    ("no encryption", &[0x0000, 0x0001, 0x0002, 0x003b, 0xc006, 0xc010]),
    ("export grade", &[0x0003, 0x0006, 0x0008, 0x0014]),
    ("anonymous", &[0x0018, 0x0034, 0x006c, 0xc018]),
    ("DHE with GCM", &[0x009e, 0x009f]),
    ("RSA authentication, where the leaf is ECDSA", &[0xc02f, 0xc030]),
    ("signalling values alone", &[0x00ff, 0x5600]),
    ("suites that nobody has", &[0xfefe, 0x1a1a]),
    ("TLS 1.3 suites alone", &[0x1301, 0x1302]),
];

#[tokio::test]
async fn suites_of_the_past_are_no_common_ground() {
    let pki = Pki::new();
    let origin = SecureOrigin::start(pki.chain(API, |_| {}).server(&[b"http/1.1"])).await;
    let world = World::new(&pki, origin.addr());
    let mut wrong = Vec::new();
    let answer = async |suites: &[u16]| {
        let mut client = world.tunnel().await.expect("the tunnel opens");
        client.send(&old_hello(suites)).await;
        let first = client.read_exact(7).await;
        (first[0], first[5], first[6])
    };
    let handshake_failure = (21, 2, 40);
    for (what, suites) in OLD_SUITES {
        let said = answer(suites).await;
        if said != handshake_failure {
            wrong.push(format!("{what}: {said:?}"));
        }
    }
    let (kind, message, _) = answer(&[0xc02b]).await;
    assert_eq!((kind, message), (22, 2), "one suite of today among them is answered with a ServerHello");
    assert!(origin.requests().is_empty());
    as_expected(OLD_SUITES.len(), "cipher suites", &wrong);
}

/// A client that hides what it wants behind a name of the provider, or seems to (RFC 9849).
fn hiding(world: &World, mode: EchMode) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(world.ca.path("ca.pem")).expect("the CA is PEM")).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_ech(mode).expect("TLS 1.3");
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

/// The configuration that a name server would give: one key, one suite, a public name.
fn published(public_name: &str) -> EchConfigListBytes<'static> {
    let (key, _) = DH_KEM_X25519_HKDF_SHA256_AES_128.generate_key_pair().expect("a key");
    let key = key.0;
    let short = |bytes: &[u8]| [&u16::try_from(bytes.len()).expect("short").to_be_bytes()[..], bytes].concat();
    let name = [&[0, u8::try_from(public_name.len()).expect("short")][..], public_name.as_bytes()].concat();
    let contents = [&[7, 0, 0x20][..], &short(&key), &short(&[0, 1, 0, 1]), &name, &[0, 0]].concat();
    short(&[&[0xfe, 0x0d][..], &short(&contents)].concat()).into()
}

#[tokio::test]
async fn an_encrypted_hello_gets_the_visible_hosts_certificate_and_no_more() {
    let pki = Pki::new();
    let origin = TappedOrigin::echoing(&pki, &[API], &[b"http/1.1"]).await;
    let world = World::new(&pki, origin.addr());
    let (key, _) = DH_KEM_X25519_HKDF_SHA256_AES_128.generate_key_pair().expect("a key");
    let grease = hiding(&world, EchMode::Grease(EchGreaseConfig::new(DH_KEM_X25519_HKDF_SHA256_AES_128, key)));
    let stream = world.tls(&grease).await.expect("what only looks like an encrypted hello is no hindrance");
    assert_eq!(stream.get_ref().1.ech_status(), EchStatus::Grease);
    let mut client = RawClient::over(stream);
    client.send(format!("GET /test HTTP/1.1\r\nHost: {API}\r\nConnection: close\r\n\r\n").as_bytes()).await;
    assert_eq!(client.read_head().await.status, 200);
    let before = origin.received().concat().len();
    let real = EchConfig::new(published(API), &[DH_KEM_X25519_HKDF_SHA256_AES_128]).expect("a configuration");
    let hidden = hiding(&world, EchMode::Enable(real));
    let tunnel = world.tunnel().await.expect("the tunnel opens");
    // The hidden name is one that nobody may reach.
    let error = tunnel.tls(hidden, "hidden.evil.test").await.expect_err("the client learns that its hello was not decrypted");
    assert!(format!("{error:?}").contains("RejectedEncryptedClientHello"), "{error:?}");
    assert_eq!(origin.received().concat().len(), before, "nothing more arrived");
    assert_eq!(world.scrape().await.count("ucx_egress_panics_total", &[]), 0);
    super::counted("encrypted hellos", 2);
}

/// A store that gives every server the ticket of the last one, whoever made it.
#[derive(Debug)]
struct Careless(ClientSessionMemoryCache);

impl Careless {
    fn anybody() -> ServerName<'static> {
        ServerName::try_from("anybody.test").expect("a name")
    }
}

impl ClientSessionStore for Careless {
    fn set_kx_hint(&self, _: ServerName<'static>, group: NamedGroup) {
        self.0.set_kx_hint(Self::anybody(), group);
    }
    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.0.kx_hint(&Self::anybody())
    }
    fn set_tls12_session(&self, _: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.0.set_tls12_session(Self::anybody(), value);
    }
    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.0.tls12_session(&Self::anybody())
    }
    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        self.0.remove_tls12_session(&Self::anybody());
    }
    fn insert_tls13_ticket(&self, _: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.0.insert_tls13_ticket(Self::anybody(), value);
    }
    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.0.take_tls13_ticket(&Self::anybody())
    }
}

/// A ticket says who was spoken to: shown to another host it is worth nothing, and the handshake is a whole one for that host.
#[tokio::test]
async fn a_ticket_of_one_host_opens_no_other() {
    const OTHER: &str = "b.test";
    for choice in [Choice::versions(&[&version::TLS12]), Choice::versions(&[&version::TLS13])] {
        let pki = Pki::new();
        let origin = TappedOrigin::echoing(&pki, &[API, OTHER], &[b"http/1.1"]).await;
        let ca = Ca::new(&pki, &[API, OTHER]);
        let policy = PolicyFile::intercepted("1m", &[API, OTHER]);
        let proxy = ca.configure(Setup::new().host(API, origin.addr()).host(OTHER, origin.addr()).policy(policy)).start();
        let root = CertificateDer::from_pem_file(ca.path("ca.pem")).expect("the CA is PEM");
        let mut config = Arc::unwrap_or_clone(choice.client(root, &[b"http/1.1"]));
        config.resumption = Resumption::store(Arc::new(Careless(ClientSessionMemoryCache::new(32))));
        let config = Arc::new(config);
        let mut kinds = Vec::new();
        for host in [API, API, OTHER, API, OTHER, OTHER] {
            let tunnel = connect_tunnel(proxy.proxy(), &format!("{host}:443")).await.expect("the tunnel opens");
            let stream = tunnel.tls(config.clone(), host).await.expect("the certificate is this host's");
            kinds.push(stream.get_ref().1.handshake_kind().expect("it is over"));
            let mut client = RawClient::over(stream);
            client.send(format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes()).await;
            assert_eq!(client.read_head().await.status, 200, "{host}");
            client.read_until_closed().await;
        }
        let (full, resumed) = (HandshakeKind::Full, HandshakeKind::Resumed);
        assert_eq!(kinds, [full, resumed, full, full, full, resumed], "{:?}", choice.version());
        assert_eq!(origin.received().concat().windows(13).filter(|bytes| bytes.eq_ignore_ascii_case(b"\nhost: b.test")).count(), 3);
    }
    super::counted("tickets", 12);
}

/// So many names, that of the host last.
fn many_names(pki: &Pki, count: usize) -> Chain {
    pki.chain(API, |params| {
        let name = |number: usize| SanType::DnsName(format!("h{number}.imagicle.com").try_into().expect("ASCII"));
        params.subject_alt_names.splice(0..0, (0..count).map(name));
    })
}

/// So many certificates between the leaf and its root.
fn long_chain(pki: &Pki, count: usize) -> Chain {
    let mut last = pki.intermediate("ca0", |_| {});
    for number in 1..count {
        last = last.intermediate(&format!("ca{number}"), |_| {});
    }
    last.chain(API, |_| {})
}

/// What an origin presents, and whether it is taken.
type Presented = (&'static str, fn(&Pki) -> Chain, bool);

const PRESENTED: &[Presented] = &[
    ("a leaf for 1,000 names", |pki| many_names(pki, 1_000), true),
    ("a leaf for 10,000 names", |pki| many_names(pki, 10_000), false),
    ("a chain of 4", |pki| long_chain(pki, 4), true),
    ("a chain of 100", |pki| long_chain(pki, 100), false),
    ("a leaf of 1 MiB", |pki| pki.chain(API, |_| {}).replaced(&vec![0x30; 1 << 20]), false),
    ("a leaf of 60,000 opened sequences", |pki| pki.chain(API, |_| {}).replaced(&[0x30, 0x80].repeat(30_000)), false),
    ("an empty leaf", |pki| pki.chain(API, |_| {}).replaced(b""), false),
];

#[tokio::test]
async fn certificates_without_end_are_refused_in_time() {
    let mut wrong = Vec::new();
    for (what, present, is_taken) in PRESENTED {
        let pki = Pki::new();
        let origin = SecureOrigin::start(present(&pki).server(&[b"http/1.1"])).await;
        let world = World::new(&pki, origin.addr());
        let said = tokio::time::timeout(DEADLINE, world.tunnel())
            .await
            .map(|tunnel| tunnel.map_or_else(|(_, problem)| problem.reason, |_| "taken".to_owned()));
        let expected = if *is_taken { "taken" } else { "upstream_tls_invalid" };
        let is_right = said.as_ref().is_ok_and(|said| said == expected);
        if !is_right || world.scrape().await.count("ucx_egress_panics_total", &[]) > 0 {
            wrong.push(format!("{what}: {said:?}"));
        }
    }
    as_expected(PRESENTED.len(), "long certificates", &wrong);
}

/// An HTTP/2 head with these fields beside method, path and scheme; HPACK without compression (RFC 7541 section 6.2).
fn head(fields: &[(&[u8], &[u8])]) -> Vec<u8> {
    let string = |text: &[u8]| [&[u8::try_from(text.len()).expect("short")][..], text].concat();
    let literal = |(name, value): &(&[u8], &[u8])| [&[0][..], &string(name), &string(value)].concat();
    [vec![0x82, 0x84, 0x87], fields.iter().flat_map(literal).collect()].concat()
}

/// The name in `:authority`, and Host fields beside it; what the request is refused with. None: its stream is reset.
type Authority = (&'static str, &'static [(&'static [u8], &'static [u8])], Option<&'static str>);

const AUTHORITIES: &[Authority] = &[
    ("none", &[], Some("bad_request")),
    ("an empty one", &[(b":authority", b"")], None),
    ("an empty one and a Host", &[(b":authority", b""), (b"host", b"api.imagicle.com")], None),
    ("a user", &[(b":authority", b"u@api.imagicle.com")], Some("bad_request")),
    ("another port", &[(b":authority", b"api.imagicle.com:8443")], Some("authority_mismatch")),
    ("another host", &[(b":authority", b"grpc.imagicle.com")], Some("authority_mismatch")),
    ("only an empty Host", &[(b"host", b"")], Some("bad_request")),
    ("only another Host", &[(b"host", b"grpc.imagicle.com")], Some("authority_mismatch")),
    ("two", &[(b":authority", b"api.imagicle.com"), (b":authority", b"grpc.imagicle.com")], None),
    ("one behind a field", &[(b"x-a", b"a"), (b":authority", b"api.imagicle.com")], None),
    ("white space", &[(b":authority", b" api.imagicle.com")], None),
    ("a line end", &[(b":authority", b"api.imagicle.com\r\nx: y")], None),
    ("a path", &[(b":authority", b"api.imagicle.com/x")], None),
];

/// The reason of a refusal in what came on the first stream, or that it was reset.
async fn refusal(ca: &Ca, proxy: SocketAddr, fields: &[(&[u8], &[u8])]) -> Option<String> {
    let mut stream = ca.connect(proxy, API, &[b"h2"]).await.expect("the client takes the certificate");
    let sent = [PREFACE, &frame(SETTINGS, 0, b""), &frame_on(1, HEADERS, 5, &head(fields))].concat();
    stream.write_all(&sent).await.expect("sent");
    let mut client = RawClient::over(stream);
    let mut body = Vec::new();
    loop {
        let header = client.read_exact(9).await;
        let length = usize::try_from(u32::from_be_bytes([0, header[0], header[1], header[2]])).expect("24 bits");
        let payload = client.read_exact(length).await;
        let (got, _) = Frame::first(&[header, payload].concat()).expect("a whole frame");
        match (got.kind, got.stream) {
            (RST_STREAM, 1) | (crate::support::http2::GOAWAY, _) => return None,
            (DATA, 1) => body.extend(got.payload),
            _ => {}
        }
        if matches!(got.kind, DATA | HEADERS) && got.stream == 1 && got.flags & 1 == 1 {
            let text = String::from_utf8_lossy(&body).into_owned();
            return Some(text.split("\"reason\": \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("answered").to_owned());
        }
    }
}

#[tokio::test]
async fn a_stream_without_a_host_of_its_own_reaches_nobody() {
    let pki = Pki::new();
    let origin = TappedOrigin::echoing(&pki, &[API], &[b"h2", b"http/1.1"]).await;
    let world = World::new(&pki, origin.addr());
    let mut wrong = Vec::new();
    for (what, fields, expected) in AUTHORITIES {
        let said = refusal(&world.ca, world.proxy.proxy(), fields).await;
        if said.as_deref() != *expected {
            wrong.push(format!("{what}: expected {expected:?}, got {said:?}"));
        }
    }
    let control = refusal(&world.ca, world.proxy.proxy(), &[(b":authority", b"api.imagicle.com")]).await;
    assert_eq!(control.as_deref(), Some("answered"));
    let arrived = origin.received().concat();
    let streams = crate::support::http2::frames(&arrived).iter().filter(|frame| frame.kind == HEADERS).count();
    assert_eq!(streams, 1, "the control alone");
    as_expected(AUTHORITIES.len(), "authorities of streams", &wrong);
}

/// Whether a client that trusts this CA alone is shown a certificate of it.
async fn shows(root: &CertificateDer<'static>, proxy: SocketAddr) -> bool {
    let tunnel = connect_tunnel(proxy, &format!("{API}:443")).await.expect("the tunnel opens");
    let config = Choice::versions(rustls::ALL_VERSIONS).client(root.clone(), &[b"http/1.1"]);
    tunnel.tls(config, API).await.is_ok()
}

/// Another CA in the middle of traffic: no handshake fails for want of one, new ones show the new CA, and old leaves are gone.
#[tokio::test]
async fn another_ca_is_shown_from_its_reload_on() {
    let pki = Pki::new();
    let origin = TappedOrigin::echoing(&pki, &[API], &[b"http/1.1"]).await;
    let (old, new) = (Ca::new(&pki, &[API]), Ca::new(&pki, &[API]));
    let setup = |ca: &Ca| ca.configure(Setup::new().host(API, origin.addr())).section("[reload]\non_change = false").text();
    let mut daemon = Daemon::start(&setup(&old)).await;
    let roots = [&old, &new].map(|ca| CertificateDer::from_pem_file(ca.path("ca.pem")).expect("PEM"));
    let mut standing = old.raw(daemon.proxy, API).await;
    let mut turn = true;
    for _ in 0..6 {
        let shown = [shows(&roots[0], daemon.proxy).await, shows(&roots[1], daemon.proxy).await];
        assert_eq!(shown, [turn, !turn], "the CA in force, and no leaf of the other one");
        turn = !turn;
        daemon.reload(&setup(if turn { &old } else { &new })).await;
    }
    // Who was there stays: nothing was taken away from them.
    standing.send(format!("GET /test HTTP/1.1\r\nHost: {API}\r\n\r\n").as_bytes()).await;
    assert_eq!(standing.read_head().await.status, 200);
    super::counted("rotations of the CA", 6);
}
