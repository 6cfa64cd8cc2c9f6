//! Certificates of stand-ins for the cloud: a root of their own, made anew each time, that nobody else trusts.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

/// A root, and its key.
pub type Root = CertifiedIssuer<'static, KeyPair>;

/// A root of this name.
///
/// # Errors
/// What the cryptographic library says.
pub fn root(name: &str) -> Result<Root, String> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate().map_err(text)?;
    CertifiedIssuer::self_signed(params, key).map_err(text)
}

/// One protocol to agree on, or none.
#[must_use]
pub fn protocols(alpn: &[u8]) -> Vec<Vec<u8>> {
    if alpn.is_empty() { Vec::new() } else { vec![alpn.to_vec()] }
}

/// A server of this host name under a root; an expired one has a certificate of 2020.
///
/// # Errors
/// What the libraries say.
pub fn server(root: &Root, name: &str, alpn: &[u8], is_expired: bool) -> Result<ServerConfig, String> {
    let mut params = CertificateParams::new([name.to_owned()]).map_err(text)?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    if is_expired {
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    }
    let key = KeyPair::generate().map_err(text)?;
    let leaf: CertificateDer<'static> = params.signed_by(&key, root).map_err(text)?.into();
    let mut config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(text)?
        .with_no_client_auth()
        .with_single_cert(vec![leaf], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
        .map_err(text)?;
    config.alpn_protocols = protocols(alpn);
    Ok(config)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
