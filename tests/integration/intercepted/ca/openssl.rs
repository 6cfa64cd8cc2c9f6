//! OpenSSL, which shares no code with the proxy, on what the proxy makes.

use super::{Files, Finished, finish};
use crate::support::daemon::{BINARY, Daemon};
use crate::support::intercept::{API, World};
use crate::support::origin::SecureOrigin;
use crate::support::pki::Pki;
use crate::support::proxy::Setup;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use tokio::process::Command;

/// A CA made by the binary and a folder for what it signs.
struct Signed {
    files: Files,
}

impl Signed {
    async fn new() -> Self {
        Self { files: Files::new().with_ca().await }
    }

    /// Whoever stole the key signs with it.
    fn issuer(&self) -> Issuer<'static, KeyPair> {
        let read = |name| fs::read_to_string(self.files.path(name)).expect("the CA's file");
        let key = KeyPair::from_pem(&read("ca.key")).expect("the CA's key");
        Issuer::from_ca_cert_pem(&read("ca.pem"), key).expect("the CA")
    }

    /// What OpenSSL says of a leaf with this name, as a client for that name.
    async fn verify_leaf(&self, name: &str) -> Finished {
        self.verify(&leaf(name, &self.issuer()), None).await
    }

    async fn verify(&self, leaf: &str, intermediate: Option<&str>) -> Finished {
        fs::write(self.files.path("leaf.pem"), leaf).expect("the leaf is written");
        let mut command = Command::new("openssl");
        command.args(["verify", "-x509_strict", "-purpose", "sslserver", "-no-CApath", "-no-CAstore", "-CAfile"]);
        command.arg(self.files.path("ca.pem"));
        if let Some(intermediate) = intermediate {
            fs::write(self.files.path("between.pem"), intermediate).expect("the intermediate is written");
            command.arg("-untrusted").arg(self.files.path("between.pem"));
        }
        finish(command.arg(self.files.path("leaf.pem"))).await
    }
}

fn leaf(name: &str, issuer: &Issuer<'_, KeyPair>) -> String {
    let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params.is_ca = IsCa::ExplicitNoCa;
    params.signed_by(&KeyPair::generate().expect("a key"), issuer).expect("the CA signs").pem()
}

#[tokio::test]
async fn a_stolen_key_is_of_no_use_for_other_names() {
    let signed = Signed::new().await;
    let cases = [
        ("api.example.com", None),
        ("a.example.net", None),
        ("example.com", Some("permitted subtree violation")),
        ("www.example.com", Some("permitted subtree violation")),
        ("calls.example.org", Some("permitted subtree violation")),
        ("api.example.com.evil.test", Some("permitted subtree violation")),
        ("notexample.net", Some("permitted subtree violation")),
        ("192.0.2.1", Some("excluded subtree violation")),
        ("2001:db8::1", Some("excluded subtree violation")),
    ];
    for (name, problem) in cases {
        let verified = signed.verify_leaf(name).await;
        match problem {
            None => assert_eq!(verified.code, Some(0), "{name}: {}{}", verified.out, verified.err),
            Some(problem) => assert!(verified.code == Some(2) && verified.err.contains(problem), "{name}: {}", verified.err),
        }
    }
}

#[tokio::test]
async fn a_stolen_key_makes_no_further_ca() {
    let signed = Signed::new().await;
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate().expect("a key");
    let between = CertifiedIssuer::signed_by(params, key, &signed.issuer()).expect("the CA signs");
    let verified = signed.verify(&leaf("api.example.com", &between), Some(&between.pem())).await;
    assert!(verified.code == Some(2) && verified.err.contains("path length constraint exceeded"), "{}", verified.err);
}

#[tokio::test]
async fn fingerprint_and_expiry_are_those_that_openssl_reads() {
    let files = Files::new().with_ca().await;
    let shown = files.run(&["ca", "show"]).await.out;
    let mut reading = Command::new("openssl");
    reading.args(["x509", "-noout", "-sha256", "-fingerprint", "-enddate", "-dateopt", "iso_8601", "-in"]).arg(files.path("ca.pem"));
    let read = finish(&mut reading).await;
    let value = |name: &str| {
        let line = read.out.lines().find(|line| line.to_ascii_lowercase().starts_with(name));
        line.and_then(|line| line.split_once('=')).map(|(_, value)| value.to_owned()).unwrap_or_default()
    };
    let (fingerprint, end) = (value("sha256 fingerprint"), value("notafter"));
    assert_eq!((fingerprint.len(), end.len()), (95, 20), "{}", read.out);
    assert!(shown.contains(&format!("SHA-256 {fingerprint}\n")), "{shown}");
    assert!(shown.contains(&format!(" to {}\n", &end[..10])), "{end}: {shown}");
}

async fn s_client(proxy: &str, ca: &Path, arguments: &[&str]) -> Finished {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-brief", "-verify_return_error", "-no-CApath", "-no-CAstore", "-CAfile"]).arg(ca);
    command.args(["-proxy", proxy, "-connect", &format!("{API}:443"), "-servername", API, "-verify_hostname", API]);
    finish(command.args(arguments)).await
}

/// Made by `ca init`, run by `run`, and met by a client that shares no code with either.
#[tokio::test]
async fn an_openssl_client_takes_what_the_running_proxy_shows() {
    let pki = Pki::new();
    let origin = SecureOrigin::start(pki.chain(API, |_| {}).server(&[b"h2", b"http/1.1"])).await;
    let folder = TempDir::new().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name);
    fs::write(path("cloud.pem"), pki.root_pem()).expect("the root is written");
    let section = format!("[interception]\nca_certificate = \"{}\"\nca_key = \"{}\"", path("ca.pem").display(), path("ca.key").display());
    let trusted = format!("ca_files = [\"{}\"]", path("cloud.pem").display());
    let text = Setup::new().host(API, origin.addr()).upstream_line(&trusted).section(&section).text();
    fs::write(path("c.toml"), &text).expect("the configuration is written");
    let made = finish(Command::new(BINARY).arg("--config").arg(path("c.toml")).args(["ca", "init"])).await;
    assert_eq!(made.code, Some(0), "{}", made.err);
    let daemon = Daemon::start(&text).await;
    for arguments in [&["-tls1_2"][..], &["-tls1_3"], &["-tls1_3", "-alpn", "h2"], &["-x509_strict"]] {
        let met = s_client(&daemon.proxy.to_string(), &path("ca.pem"), arguments).await;
        assert!(met.code == Some(0) && met.err.contains("Verification: OK"), "{arguments:?}: {}", met.err);
    }
    let distrustful = s_client(&daemon.proxy.to_string(), &path("cloud.pem"), &[]).await;
    assert_ne!(distrustful.code, Some(0), "the cloud's own root says nothing of this chain");
    assert_eq!(daemon.terminate().await, Some(0));
}

/// With the strictness of RFC 5280, and without the CA that the proxy sends along.
#[tokio::test]
async fn openssl_verifies_a_leaf_of_the_running_proxy() {
    let pki = Pki::new();
    let origin = SecureOrigin::start(pki.chain(API, |_| {}).server(&[b"http/1.1"])).await;
    let world = World::new(&pki, origin.addr());
    let stream = world.tls(&world.ca.client(&[])).await.expect("the client takes the certificate");
    let leaf = stream.get_ref().1.peer_certificates().expect("a chain")[0].clone();
    fs::write(world.ca.path("leaf.der"), &leaf).expect("the leaf is written");
    let mut converting = Command::new("openssl");
    converting.args(["x509", "-inform", "DER", "-in"]).arg(world.ca.path("leaf.der")).arg("-out").arg(world.ca.path("leaf.pem"));
    assert_eq!(finish(&mut converting).await.code, Some(0));
    for (host, accepted) in [(API, true), ("grpc.imagicle.com", false)] {
        let mut verifying = Command::new("openssl");
        verifying.args(["verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", host, "-no-CApath", "-no-CAstore"]);
        verifying.arg("-CAfile").arg(world.ca.path("ca.pem")).arg(world.ca.path("leaf.pem"));
        let verified = finish(&mut verifying).await;
        assert_eq!(verified.code == Some(0), accepted, "{host}: {}{}", verified.out, verified.err);
    }
}
