//! A client's certificate after the handshake: it is asked about again when the CA that was asked for changes.

use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use std::sync::{Arc, Mutex, PoisonError};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;

/// Longest name that is taken from a client's certificate (RFC 5280 appendix A, `ub-common-name`).
const MAX_NAME: usize = 64;

/// What clients' certificates are verified with.
#[derive(Debug)]
pub struct Verifier(pub(super) Arc<dyn ClientCertVerifier>);

/// A certificate that was verified.
#[derive(Debug)]
pub struct Proven {
    name: Option<Arc<str>>,
    chain: Vec<CertificateDer<'static>>,
    /// Who verified it last.
    by: Mutex<Arc<Verifier>>,
}

impl Proven {
    /// A certificate with those that lead to its root, verified in a handshake.
    #[must_use]
    pub fn new(chain: &[CertificateDer<'_>], by: Arc<Verifier>) -> Self {
        let chain: Vec<_> = chain.iter().map(|certificate| certificate.clone().into_owned()).collect();
        Self { name: chain.first().and_then(name), chain, by: Mutex::new(by) }
    }

    /// Whom it names, in words that may stand in a log line.
    #[must_use]
    pub fn name(&self) -> Option<&Arc<str>> {
        self.name.as_ref()
    }

    /// Whether it is valid for this verifier too; one that has said so is not asked again.
    #[must_use]
    pub fn is_valid_for(&self, verifier: &Arc<Verifier>) -> bool {
        let mut by = self.by.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&by, verifier) {
            return true;
        }
        let Some((own, others)) = self.chain.split_first() else { return false };
        let is_valid = verifier.0.verify_client_cert(own, others, UnixTime::now()).is_ok();
        if is_valid {
            *by = verifier.clone();
        }
        is_valid
    }
}

/// The name in a client's certificate, which was verified: its first DNS name, or else its common name. What could not stand in a
/// log line is no name.
fn name(certificate: &CertificateDer<'_>) -> Option<Arc<str>> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let names = certificate.subject_alternative_name().ok().flatten();
    let dns = names.iter().flat_map(|names| &names.value.general_names).find_map(|name| match name {
        GeneralName::DNSName(name) => Some(*name),
        _ => None,
    });
    let common = || certificate.subject().iter_common_name().find_map(|name| name.as_str().ok());
    dns.or_else(common).filter(|name| is_plain(name)).map(Arc::from)
}

fn is_plain(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_@ *".contains(&byte);
    !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair};

    fn named(common: &str, dns: &[&str]) -> Option<Arc<str>> {
        let mut params = CertificateParams::new(dns.iter().map(ToString::to_string).collect::<Vec<_>>()).expect("names");
        params.distinguished_name.push(DnType::CommonName, common);
        name(params.self_signed(&KeyPair::generate().expect("a key")).expect("a certificate").der())
    }

    #[test]
    fn a_client_is_named_by_its_first_dns_name_or_its_common_name() {
        assert_eq!(named("ucx 1", &["ucx1.example", "other.example"]).as_deref(), Some("ucx1.example"));
        assert_eq!(named("ucx 1", &[]).as_deref(), Some("ucx 1"));
        for hostile in ["a\nb", "a\u{1b}[0m", "", &"a".repeat(65), "\u{202e}a"] {
            assert_eq!(named(hostile, &[]), None, "{hostile:?}");
        }
    }
}
