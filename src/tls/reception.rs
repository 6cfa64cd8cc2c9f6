//! TLS to the proxy itself: the proxy's own certificate, certificates of clients where they are asked for, both read again when their
//! files change.

use crate::stamp::Stamp;
use arc_swap::ArcSwap;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;

/// Sessions kept for clients of TLS 1.2; TLS 1.3 and tickets keep theirs at the client.
const SESSIONS: usize = 1_024;
/// Longest name that is taken from a client's certificate (RFC 5280 appendix A, `ub-common-name`).
const MAX_NAME: usize = 64;

/// Where the files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The proxy's certificate and those that lead to its root, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// The CA that signs clients' certificates, PEM; absent, none are asked for.
    pub client_ca: Option<PathBuf>,
}

/// The TLS of a listener.
#[derive(Debug)]
pub struct Reception {
    files: Files,
    config: ArcSwap<ServerConfig>,
    /// The last second of the certificate's validity; none if it cannot be read.
    expiry: Mutex<Option<SystemTime>>,
    seen: Mutex<Stamp>,
}

impl Reception {
    /// Reads the files.
    ///
    /// # Errors
    /// A sentence with the file and the remedy.
    pub fn load(files: Files) -> Result<Self, String> {
        let seen = files.stamp();
        let config = ArcSwap::from_pointee(files.read()?);
        let expiry = Mutex::new(expiry(&files.certificate));
        Ok(Self { files, config, expiry, seen: Mutex::new(seen) })
    }

    /// When its certificate expires.
    #[must_use]
    pub fn not_after(&self) -> Option<SystemTime> {
        *self.expiry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where its files are.
    #[must_use]
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        self.config.load_full()
    }

    /// Reads the files again if they have changed; true if what they say is in force now. Files that are unfit are looked at again
    /// when they change again.
    ///
    /// # Errors
    /// As [`Reception::load`]; what was in force stays.
    pub fn refresh(&self) -> Result<bool, String> {
        let now = self.files.stamp();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == now {
            return Ok(false);
        }
        *seen = now;
        self.config.store(Arc::new(self.files.read()?));
        *self.expiry.lock().unwrap_or_else(PoisonError::into_inner) = expiry(&self.files.certificate);
        Ok(true)
    }
}

impl Files {
    fn stamp(&self) -> Stamp {
        Stamp::of([&self.certificate, &self.key].into_iter().chain(&self.client_ca).map(PathBuf::as_path))
    }

    fn read(&self) -> Result<ServerConfig, String> {
        let chain = certificates(&self.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| format!("{}: no private key ({error}); give a PEM file with one", self.key.display()))?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let builder = match &self.client_ca {
            Some(file) => {
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(file)?), provider);
                builder.with_client_cert_verifier(verifier.build().map_err(|error| format!("{}: {error}", file.display()))?)
            }
            None => builder.with_no_client_auth(),
        };
        let mut config = builder
            .with_single_cert(chain, key)
            .map_err(|error| format!("{} and {} do not belong together: {error}", self.certificate.display(), self.key.display()))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
        // A new key for each reading: a session of a client whose CA was taken away is not resumed.
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(|error| error.to_string())?;
        config.send_tls13_tickets = 1;
        Ok(config)
    }
}

/// When the first certificate of a file expires.
fn expiry(file: &Path) -> Option<SystemTime> {
    let chain = certificates(file).ok()?;
    let (_, certificate) = X509Certificate::from_der(chain.first()?).ok()?;
    let seconds = u64::try_from(certificate.validity().not_after.timestamp()).ok()?;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// The certificates of a PEM file, one at least.
///
/// # Errors
/// A sentence with the file.
pub fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let read = read.map_err(|error| format!("{}: {error}", file.display()))?;
    if read.is_empty() { Err(format!("{}: no certificate in it; give a PEM file", file.display())) } else { Ok(read) }
}

fn roots(file: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(roots)
}

/// The name in a client's certificate, which was verified: its first DNS name, or else its common name. What could not stand in a
/// log line is no name.
#[must_use]
pub fn name(certificate: &CertificateDer<'_>) -> Option<Arc<str>> {
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
