//! TLS clients that do not take the proxy's certificate, each in its own way.

use super::pki::{Pki, client_config};
use ::aws_lc_rs::aead;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ConnectionTrafficSecrets, DigitallySignedStruct, Error, SignatureScheme, SupportedProtocolVersion,
};
use std::sync::Arc;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// A verifier with its verdict made up beforehand.
#[derive(Debug)]
struct Opinionated {
    verdict: Result<(), CertificateError>,
    provider: CryptoProvider,
}

impl ServerCertVerifier for Opinionated {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verdict.clone().map(|()| ServerCertVerified::assertion()).map_err(Error::InvalidCertificate)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// A client that finds this of every certificate. The library sends the alert that belongs to it.
pub fn finding(verdict: Result<(), CertificateError>, version: &'static SupportedProtocolVersion) -> Arc<ClientConfig> {
    let provider = aws_lc_rs::default_provider();
    let verifier = Arc::new(Opinionated { verdict, provider: provider.clone() });
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[version])
        .expect("aws-lc-rs supports TLS 1.2 and 1.3")
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.enable_secret_extraction = true;
    Arc::new(config)
}

/// A client that trusts nobody at all.
pub fn trusting_nobody() -> Arc<ClientConfig> {
    client_config(None, &[b"http/1.1"])
}

/// A client that trusts the cloud's own root, as one does that was never told of the proxy.
pub fn trusting_the_cloud(pki: &Pki) -> Arc<ClientConfig> {
    pki.client_config(&[b"http/1.1"])
}

/// Sends a fatal alert over an established TLS 1.3 connection, as clients do that look at the certificate only then, and hangs up.
/// The record is made by hand (RFC 8446 section 5.2): the TLS library sends no alert on demand.
pub async fn alert(stream: TlsStream<TcpStream>, description: u8) {
    let (mut socket, connection) = stream.into_inner();
    let (sequence, secrets) = connection.dangerous_extract_secrets().expect("extraction is enabled").tx;
    let (algorithm, key, iv) = match &secrets {
        ConnectionTrafficSecrets::Aes128Gcm { key, iv } => (&aead::AES_128_GCM, key.as_ref(), iv.as_ref()),
        ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (&aead::AES_256_GCM, key.as_ref(), iv.as_ref()),
        ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => (&aead::CHACHA20_POLY1305, key.as_ref(), iv.as_ref()),
        _ => panic!("no cipher of TLS 1.3"),
    };
    let mut nonce: [u8; 12] = iv.try_into().expect("twelve bytes");
    for (byte, count) in nonce.iter_mut().skip(4).zip(sequence.to_be_bytes()) {
        *byte ^= count;
    }
    // Level, description, and the real type of the record.
    let mut record = vec![2, description, 0x15];
    let length = u8::try_from(record.len() + algorithm.tag_len()).expect("a short record");
    let header = [0x17, 0x03, 0x03, 0, length];
    let key = aead::UnboundKey::new(algorithm, key).expect("a key of the right length");
    let nonce = aead::Nonce::assume_unique_for_key(nonce);
    let sealing = aead::LessSafeKey::new(key);
    sealing.seal_in_place_append_tag(nonce, aead::Aad::from(header), &mut record).expect("it can be sealed");
    socket.write_all(&[&header[..], &record].concat()).await.expect("it is sent");
    socket.shutdown().await.ok(); // the proxy may be gone by then
}
