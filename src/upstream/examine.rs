//! A TLS handshake that is looked at: what the other side shows of itself, and who vouches for it. For people who ask why; exchanges do
//! without.
//!
//! "Public" is Mozilla's list as it was when this version was built, not the machine's own store: a company that decrypts puts its root
//! into the stores of its machines, and there it looks like any other.

use super::tls::{self, Verifier, roots};
use crate::error::Refusal;
use crate::socket::Socket;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

/// What verifies, and what it is compared with.
#[derive(Debug, Clone)]
pub struct Examiner {
    /// As the proxy verifies: the system's roots and the configured ones.
    ours: Arc<Verifier>,
    public: Arc<Verifier>,
}

/// What a server showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Who signed its certificate, as that says itself.
    pub issuer: String,
    /// Last second of its certificate's validity.
    pub not_after: SystemTime,
    /// Whether a public authority vouches for it.
    pub is_public: bool,
    /// Whether all that is wrong with it is that nobody known to this machine vouches for it.
    pub is_unknown: bool,
}

/// How a handshake went.
#[derive(Debug)]
pub struct Examined {
    /// Present if the server came to showing a certificate.
    pub shown: Option<Shown>,
    /// The verified connection, or what the proxy would say.
    pub outcome: Result<TlsStream<Socket>, Refusal>,
}

impl Examiner {
    /// Reads the roots.
    ///
    /// # Errors
    /// As [`tls::Clients::new`].
    pub fn new(ca_files: &[PathBuf]) -> Result<Self, String> {
        Self::with(roots(ca_files)?, RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
    }

    fn with(ours: RootCertStore, public: RootCertStore) -> Result<Self, String> {
        Ok(Self { ours: Arc::new(Verifier::new(ours)?), public: Arc::new(Verifier::new(public)?) })
    }

    /// Shakes hands, verifying as the proxy does.
    pub async fn examine(&self, name: &str, stream: Socket, alpn: &[&[u8]], deadline: Duration) -> Examined {
        let verifier = Arc::new(Recorder { examiner: self.clone(), shown: OnceLock::new() });
        let outcome = shake_hands(&verifier, name, stream, alpn, deadline).await;
        Examined { shown: verifier.shown.get().cloned(), outcome }
    }
}

async fn shake_hands(
    verifier: &Arc<Recorder>,
    name: &str,
    stream: Socket,
    alpn: &[&[u8]],
    deadline: Duration,
) -> Result<TlsStream<Socket>, Refusal> {
    let name = ServerName::try_from(name.to_owned()).map_err(|_| tls::invalid("the host is no name that a certificate could be for"))?;
    let config = tls::client(verifier, alpn).map_err(|_| tls::invalid("TLS cannot be spoken here"))?;
    match timeout(deadline, TlsConnector::from(config).connect_with(name, stream, |_| ())).await {
        Ok(shaken) => shaken.map_err(|error| tls::refusal(&error)),
        Err(_) => Err(tls::late()),
    }
}

/// Verifies as the proxy does, and notes what was shown.
#[derive(Debug)]
struct Recorder {
    examiner: Examiner,
    shown: OnceLock<Shown>,
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let ask = |verifier: &Verifier| verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let verified = ask(&self.examiner.ours);
        let unknown = matches!(
            verified,
            Err(Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::ApplicationVerificationFailure))
        );
        if let Ok((_, parsed)) = X509Certificate::from_der(end_entity) {
            let end = u64::try_from(parsed.validity().not_after.timestamp()).unwrap_or_default();
            // There is one certificate in a handshake.
            let _ = self.shown.set(Shown {
                issuer: parsed.issuer().to_string(),
                not_after: UNIX_EPOCH + Duration::from_secs(end),
                is_public: ask(&self.examiner.public).is_ok(),
                is_unknown: unknown,
            });
        }
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.examiner.ours.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.examiner.ours.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.examiner.ours.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};

    const HOST: &str = "api.imagicle.com";

    fn root(name: &str) -> CertifiedIssuer<'static, KeyPair> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a root")
    }

    fn store(of: &[&CertifiedIssuer<'static, KeyPair>]) -> RootCertStore {
        let mut store = RootCertStore::empty();
        for root in of {
            store.add(root.der().clone()).expect("a root");
        }
        store
    }

    /// What is said of a certificate that `by` signed, and whether it is taken.
    fn said(examiner: Examiner, by: &CertifiedIssuer<'static, KeyPair>) -> (Shown, bool) {
        let params = CertificateParams::new([HOST.to_owned()]).expect("a name");
        let leaf = params.signed_by(&KeyPair::generate().expect("a key"), by).expect("a leaf");
        let recorder = Recorder { examiner, shown: OnceLock::new() };
        let name = ServerName::try_from(HOST).expect("a name");
        let taken = recorder.verify_server_cert(leaf.der(), &[], &name, &[], UnixTime::now()).is_ok();
        (recorder.shown.get().cloned().expect("it was shown"), taken)
    }

    #[test]
    fn who_vouches_for_a_certificate_is_told_apart() {
        let (public, company, nobody) = (root("public"), root("company"), root("nobody"));
        let examiner = || Examiner::with(store(&[&public, &company]), store(&[&public])).expect("roots");
        for (issuer, is_public, is_unknown) in [(&public, true, false), (&company, false, false), (&nobody, false, true)] {
            let (shown, taken) = said(examiner(), issuer);
            assert_eq!((shown.is_public, shown.is_unknown, taken), (is_public, is_unknown, !is_unknown), "{shown:?}");
        }
        assert_eq!(said(examiner(), &company).0.issuer, "CN=company");
    }

    #[test]
    fn the_public_list_is_there() {
        let examiner = Examiner::with(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }, RootCertStore::empty());
        // An empty store verifies nothing and is refused; the list alone is what the other half of `new` gives.
        assert!(examiner.is_err());
        assert!(webpki_roots::TLS_SERVER_ROOTS.len() > 50);
    }
}
