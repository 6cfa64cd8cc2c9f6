//! Chains that are not as they should be: a leaf and what stands between it and its root, every part changeable.

use super::{Choice, Pki, owned, p256_key, provider};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use std::sync::Arc;

/// What a server presents.
pub struct Chain {
    certificates: Vec<CertificateDer<'static>>,
    key: KeyPair,
    ocsp: Option<Vec<u8>>,
}

/// A CA below the root, or below another one.
pub struct Intermediate {
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// Itself and those above it, without the root.
    path: Vec<CertificateDer<'static>>,
}

impl Pki {
    /// A root of another name: one of the same name would look like a wrong signature of the first.
    pub fn named(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Self { root: CertifiedIssuer::self_signed(params, p256_key()).expect("fixed root parameters can be signed") }
    }

    /// A leaf of the root, as `change` has it.
    pub fn chain(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Chain {
        signed(name, change, &self.root, Vec::new())
    }

    /// An intermediate of the root, as `change` has it.
    pub fn intermediate(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Intermediate {
        Intermediate::signed(name, change, &self.root, Vec::new())
    }
}

impl Intermediate {
    fn signed(
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
        by: &Issuer<'static, KeyPair>,
        above: Vec<CertificateDer<'static>>,
    ) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        change(&mut params);
        let issuer = CertifiedIssuer::signed_by(params, p256_key(), by).expect("the issuer signs");
        let path = [vec![issuer.der().clone()], above].concat();
        Self { issuer, path }
    }

    /// One more below this one.
    pub fn intermediate(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        Self::signed(name, change, &self.issuer, self.path.clone())
    }

    /// A leaf of this one.
    pub fn chain(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Chain {
        signed(name, change, &self.issuer, self.path.clone())
    }
}

fn leaf(name: &str, change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = CertificateParams::new([name.to_owned()]).expect("test names are ASCII");
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    change(&mut params);
    params
}

fn signed(
    name: &str,
    change: impl FnOnce(&mut CertificateParams),
    by: &Issuer<'static, KeyPair>,
    above: Vec<CertificateDer<'static>>,
) -> Chain {
    let key = p256_key();
    let certificate = leaf(name, change).signed_by(&key, by).expect("the issuer signs");
    Chain { certificates: [vec![certificate.der().clone()], above].concat(), key, ocsp: None }
}

impl Chain {
    /// A leaf that vouches for itself.
    pub fn self_signed(name: &str) -> Self {
        let key = p256_key();
        let certificate = leaf(name, |_| {}).self_signed(&key).expect("a key signs for itself");
        Self { certificates: vec![certificate.der().clone()], key, ocsp: None }
    }

    /// Keeps the leaf back's company: what is between it and the root is not sent.
    pub fn without_intermediates(mut self) -> Self {
        self.certificates.truncate(1);
        self
    }

    /// Changes the last byte of the leaf, which belongs to its signature.
    pub fn corrupted(mut self) -> Self {
        let mut bytes = self.certificates[0].to_vec();
        *bytes.last_mut().expect("a certificate has bytes") ^= 1;
        self.certificates[0] = bytes.into();
        self
    }

    /// Sends something else than a certificate.
    pub fn replaced(mut self, bytes: &[u8]) -> Self {
        self.certificates[0] = bytes.to_vec().into();
        self
    }

    /// Staples an OCSP response.
    pub fn stapling(mut self, response: Vec<u8>) -> Self {
        self.ocsp = Some(response);
        self
    }

    /// A TLS server that presents it, whatever is wrong with it.
    pub fn server(&self, alpn: &[&[u8]]) -> Arc<ServerConfig> {
        Arc::new(self.server_of(&Choice::versions(rustls::ALL_VERSIONS), alpn))
    }

    /// The same for a server that speaks less than it could.
    pub fn server_of(&self, choice: &Choice, alpn: &[&[u8]]) -> ServerConfig {
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der()).into();
        let signer = provider().key_provider.load_private_key(key).expect("the key can be loaded");
        let mut certified = CertifiedKey::new(self.certificates.clone(), signer);
        certified.ocsp.clone_from(&self.ocsp);
        let mut config = choice.server().with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.alpn_protocols = owned(alpn);
        config
    }
}
