//! TLS to the proxy itself: the proxy's own certificate, certificates of clients where they are asked for, both read again when their
//! files change.

use super::proven::Verifier;
use crate::source;
use crate::stamp::Stamp;
use arc_swap::ArcSwap;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

/// Sessions kept for clients of TLS 1.2; TLS 1.3 and tickets keep theirs at the client.
const SESSIONS: usize = 1_024;

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

/// What the files say.
#[derive(Debug)]
pub struct Terms {
    /// For handshakes.
    pub config: Arc<ServerConfig>,
    /// What clients' certificates are verified with, where they are asked for.
    pub verifier: Option<Arc<Verifier>>,
}

/// The TLS of a listener.
#[derive(Debug)]
pub struct Reception {
    files: Files,
    terms: ArcSwap<Terms>,
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
        let terms = ArcSwap::from_pointee(files.read()?);
        let expiry = Mutex::new(expiry(&files.certificate));
        Ok(Self { files, terms, expiry, seen: Mutex::new(seen) })
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

    /// What is in force.
    #[must_use]
    pub fn terms(&self) -> Arc<Terms> {
        self.terms.load_full()
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
        self.terms.store(Arc::new(self.files.read()?));
        *self.expiry.lock().unwrap_or_else(PoisonError::into_inner) = expiry(&self.files.certificate);
        Ok(true)
    }
}

impl Files {
    fn stamp(&self) -> Stamp {
        Stamp::of([&self.certificate, &self.key].into_iter().chain(&self.client_ca).map(PathBuf::as_path))
    }

    fn read(&self) -> Result<Terms, String> {
        let chain = certificates(&self.certificate)?;
        let wrong = |error: &dyn Display| format!("{}: no private key ({error}); give a PEM file with one", self.key.display());
        let pem = source::bytes(&self.key).map_err(|error| wrong(&error))?;
        let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| wrong(&error))?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let verifier = self.client_ca.as_deref().map(|file| verifier(file, provider)).transpose()?;
        let builder = match &verifier {
            Some(verifier) => builder.with_client_cert_verifier(verifier.0.clone()),
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
        Ok(Terms { config: Arc::new(config), verifier })
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
    let wrong = |error: &dyn Display| format!("{}: no certificates ({error}); give a PEM file with them", file.display());
    let pem = source::bytes(file).map_err(|error| wrong(&error))?;
    let read: Vec<_> = CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().map_err(|error| wrong(&error))?;
    if read.is_empty() { Err(format!("{}: no certificate in it; give a PEM file", file.display())) } else { Ok(read) }
}

fn verifier(file: &Path, provider: Arc<CryptoProvider>) -> Result<Arc<Verifier>, String> {
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(file)?), provider).build();
    verifier.map(|verifier| Arc::new(Verifier(verifier))).map_err(|error| format!("{}: {error}", file.display()))
}

fn roots(file: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(roots)
}
