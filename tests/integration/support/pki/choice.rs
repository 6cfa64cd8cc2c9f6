//! Ends of a TLS connection that know less than others: some versions, some key exchanges.

use super::{owned, provider};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::server::WantsServerCert;
use rustls::{ClientConfig, ConfigBuilder, NamedGroup, ProtocolVersion, RootCertStore, ServerConfig, SupportedProtocolVersion};
use std::sync::Arc;

/// What an end speaks.
pub struct Choice {
    versions: Vec<&'static SupportedProtocolVersion>,
    provider: Arc<CryptoProvider>,
}

impl Choice {
    /// These versions, and every key exchange.
    pub fn versions(versions: &[&'static SupportedProtocolVersion]) -> Self {
        Self { versions: versions.to_vec(), provider: provider() }
    }

    /// This key exchange, in every version that has it.
    pub fn group(group: NamedGroup) -> Self {
        let mut provider = aws_lc_rs::default_provider();
        provider.kx_groups = aws_lc_rs::ALL_KX_GROUPS.iter().copied().filter(|known| known.name() == group).collect();
        assert_eq!(provider.kx_groups.len(), 1, "{group:?} is not known");
        Self { versions: rustls::ALL_VERSIONS.to_vec(), provider: Arc::new(provider) }
    }

    /// The newest version.
    pub fn version(&self) -> Option<ProtocolVersion> {
        self.versions.iter().map(|version| version.version).max_by_key(|version| u16::from(*version))
    }

    /// The start of a server's configuration.
    pub fn server(&self) -> ConfigBuilder<ServerConfig, WantsServerCert> {
        let builder = ServerConfig::builder_with_provider(self.provider.clone());
        builder.with_protocol_versions(&self.versions).expect("a consistent choice").with_no_client_auth()
    }

    /// A client that trusts this root alone.
    pub fn client(&self, root: CertificateDer<'static>, alpn: &[&[u8]]) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(root).expect("the root is a well-formed certificate");
        let builder = ClientConfig::builder_with_provider(self.provider.clone());
        let builder = builder.with_protocol_versions(&self.versions).expect("a consistent choice");
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = owned(alpn);
        Arc::new(config)
    }
}
