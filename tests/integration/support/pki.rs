//! A throw-away public key infrastructure: one root per test, leaves on demand.
//!
//! Every configuration names its crypto provider. A process-wide default would let one test decide
//! for another, and would hide it when the product forgets to name its own.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256,
};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

mod chain;
mod choice;
pub mod ocsp;

pub use chain::Chain;
pub use choice::Choice;

/// A certificate authority nobody else trusts.
pub struct Pki {
    root: CertifiedIssuer<'static, KeyPair>,
}

impl Pki {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "ucx-egress test root");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root = CertifiedIssuer::self_signed(params, p256_key()).expect("fixed root parameters can be signed");
        Self { root }
    }

    /// The root, PEM.
    pub fn root_pem(&self) -> String {
        self.root.pem()
    }

    /// Signs a server certificate for `names`; a name that is an IP address becomes an IP SAN.
    pub fn leaf(&self, names: &[&str]) -> Leaf {
        let sans: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(sans).expect("test names are ASCII");
        if let Some(first) = names.first() {
            params.distinguished_name.push(DnType::CommonName, *first);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = p256_key();
        let certificate = params.signed_by(&key, &self.root).expect("the root signs any valid leaf");
        Leaf { certificate, key }
    }

    /// Signs a certificate for a client.
    pub fn client_leaf(&self, name: &str) -> Leaf {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("test names are ASCII");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = p256_key();
        let certificate = params.signed_by(&key, &self.root).expect("the root signs any valid leaf");
        Leaf { certificate, key }
    }

    /// A TLS client that trusts this root and shows a certificate.
    pub fn client_showing(&self, leaf: &Leaf) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.der().clone()).expect("the root is a well-formed certificate");
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("aws-lc-rs supports TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_client_auth_cert(leaf.chain(), leaf.key())
            .expect("the leaf and its key belong together");
        Arc::new(config)
    }

    /// A TLS server that presents a fresh leaf for `names` to everyone.
    pub fn server_config(&self, names: &[&str], alpn: &[&[u8]]) -> Arc<ServerConfig> {
        let leaf = self.leaf(names);
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("aws-lc-rs supports TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(leaf.chain(), leaf.key())
            .expect("the leaf and its key belong together");
        config.alpn_protocols = owned(alpn);
        Arc::new(config)
    }

    /// A TLS client that trusts this root and nothing else.
    pub fn client_config(&self, alpn: &[&[u8]]) -> Arc<ClientConfig> {
        client_config(Some(self.root.der().clone()), alpn)
    }
}

/// A server certificate with its private key.
pub struct Leaf {
    certificate: Certificate,
    key: KeyPair,
}

impl Leaf {
    /// The leaf alone: the root signs it directly and is known to whoever trusts it.
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.certificate.der().clone()]
    }

    /// PEM.
    pub fn certificate_pem(&self) -> String {
        self.certificate.pem()
    }

    /// PEM.
    pub fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    pub fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }
}

/// A TLS client that trusts `root`, or nobody: enough to say hello, not to finish a handshake.
pub(super) fn client_config(root: Option<CertificateDer<'static>>, alpn: &[&[u8]]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    if let Some(root) = root {
        roots.add(root).expect("the root is a well-formed certificate");
    }
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("aws-lc-rs supports TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = owned(alpn);
    Arc::new(config)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn p256_key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("aws-lc-rs generates P-256 keys")
}

fn owned(alpn: &[&[u8]]) -> Vec<Vec<u8>> {
    alpn.iter().map(|protocol| protocol.to_vec()).collect()
}
