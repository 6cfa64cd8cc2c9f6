//! TLS to the cloud: verified against the system's roots and the configured ones. There is no switch to skip that.

use crate::error::{Reason, Refusal, RuleName};
use crate::tls::reception::certificates;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::path::PathBuf;
use std::sync::Arc;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

/// The two ways to say hello: with h2 and without. Both share roots, verifier and resumed sessions of their own.
#[derive(Debug, Clone)]
pub struct Clients {
    /// Offers h2 and http/1.1.
    pub http2: Arc<ClientConfig>,
    /// Offers http/1.1.
    pub http1: Arc<ClientConfig>,
}

impl Clients {
    /// Reads the roots.
    ///
    /// # Errors
    /// A sentence with the remedy, when a file cannot be read or no root is left.
    pub fn new(ca_files: &[PathBuf]) -> Result<Self, String> {
        let verifier = Arc::new(Verifier::new(roots(ca_files)?)?);
        Ok(Self { http2: client(&verifier, &[b"h2", b"http/1.1"])?, http1: client(&verifier, &[b"http/1.1"])? })
    }
}

/// A client that offers these protocols, and takes whom the verifier takes.
pub(super) fn client<V>(verifier: &Arc<V>, alpn: &[&[u8]]) -> Result<Arc<ClientConfig>, String>
where
    V: ServerCertVerifier + 'static,
{
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(verifier.clone())
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(Arc::new(config))
}

pub(super) fn roots(ca_files: &[PathBuf]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::warn!(%error, "a root certificate of the system cannot be read");
    }
    // The system's store may hold certificates that are no roots for TLS; those are passed over.
    roots.add_parsable_certificates(system.certs);
    for file in ca_files {
        let shown = file.display();
        for certificate in certificates(file).map_err(|error| format!("upstream.ca_files {error}"))? {
            roots.add(certificate).map_err(|error| format!("upstream.ca_files {shown}: {error}"))?;
        }
    }
    if roots.is_empty() {
        return Err("there is no root certificate to verify the cloud with; install ca-certificates, or set upstream.ca_files".into());
    }
    Ok(roots)
}

/// Web PKI verification, and what it leaves out: a stapled OCSP response that says "revoked".
#[derive(Debug)]
pub(super) struct Verifier(Arc<WebPkiServerVerifier>);

impl Verifier {
    pub(super) fn new(roots: RootCertStore) -> Result<Self, String> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().map(Self).map_err(|error| error.to_string())
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self
            .0
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            .map_err(|error| self_signed(error, end_entity))?;
        // Only the server itself can staple, so its own "revoked" is believed without asking who signed it.
        if super::ocsp::says_revoked(ocsp_response) {
            return Err(CertificateError::Revoked.into());
        }
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Tells a self-signed certificate from one of an unknown issuer: Web PKI says "unknown issuer" of both.
fn self_signed(error: Error, certificate: &CertificateDer<'_>) -> Error {
    let is_self_signed = X509Certificate::from_der(certificate).is_ok_and(|(_, parsed)| parsed.subject() == parsed.issuer());
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) if is_self_signed => {
            Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)
        }
        error => error,
    }
}

/// The detail when no protocol that was offered is spoken.
pub const NO_COMMON_PROTOCOL: &str = "the upstream speaks none of the HTTP versions that were offered";

/// The refusal for a handshake that failed.
#[must_use]
pub fn refusal(error: &std::io::Error) -> Refusal {
    invalid(error.get_ref().and_then(|error| error.downcast_ref::<Error>()).map_or("the upstream broke off the TLS handshake", explanation))
}

/// The refusal for a handshake that took too long.
pub(super) fn late() -> Refusal {
    let detail = "the destination did not complete the TLS handshake in time";
    Refusal::new(Reason::ConnectTimeout, detail, RuleName::Builtin("upstream"))
}

/// A refusal because the upstream cannot be verified.
#[must_use]
pub fn invalid(detail: &'static str) -> Refusal {
    Refusal::new(Reason::UpstreamTlsInvalid, detail, RuleName::Builtin("upstream-is-verified"))
}

fn explanation(error: &Error) -> &'static str {
    use CertificateError as Bad;
    match error {
        Error::InvalidCertificate(bad) => match bad {
            Bad::Expired | Bad::ExpiredContext { .. } => {
                "the upstream's certificate has expired; check this machine's clock, then tell the vendor"
            }
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => "the upstream's certificate is not valid yet; check this machine's clock",
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
                "the upstream's certificate is for another host; something on the way answers in its place"
            }
            Bad::UnknownIssuer => {
                "the upstream's certificate is from an unknown issuer; if someone upstream decrypts on purpose, add their root to upstream.ca_files"
            }
            Bad::ApplicationVerificationFailure => "the upstream's certificate is self-signed; something on the way answers in its place",
            Bad::Revoked => "the upstream's certificate is revoked (stapled OCSP)",
            Bad::InvalidPurpose | Bad::InvalidPurposeContext { .. } => "the upstream's certificate is not for servers",
            Bad::BadSignature
            | Bad::UnsupportedSignatureAlgorithmContext { .. }
            | Bad::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                "a signature in the upstream's certificate chain is invalid or of an outdated kind"
            }
            _ => "the upstream's certificate chain is invalid",
        },
        // Servers say it themselves when they know what was offered, or answer with what is not taken.
        Error::PeerIncompatible(_) | Error::AlertReceived(AlertDescription::ProtocolVersion | AlertDescription::InsufficientSecurity) => {
            "the upstream speaks no TLS version or cipher that is accepted (TLS 1.2 or newer)"
        }
        Error::NoApplicationProtocol | Error::AlertReceived(AlertDescription::NoApplicationProtocol) => NO_COMMON_PROTOCOL,
        Error::AlertReceived(_) => "the upstream refused the TLS handshake",
        _ => "the upstream does not speak TLS as it should",
    }
}
