//! The product between clients and the stand-in for the cloud.

use super::origin::Origin;
use super::pki::{self, Pki};
use super::product::Product;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;
use tempfile::TempDir;
use ucx_egress::tls::authority::{Paths, create};

/// The host that is decrypted.
pub(crate) const API: &str = "api.imagicle.com";
/// The host that stays a tunnel.
pub(crate) const GRPC: &str = "grpc.imagicle.com";
/// A host whose connections are silent.
pub(crate) const SILENT: &str = "silent.imagicle.com";
/// The documented request; the origin does not look at its host.
pub(crate) const GET: &str = "GET /test HTTP/1.1\r\nhost: api.imagicle.com\r\n\r\n";

pub(crate) struct World {
    pub(crate) product: Product,
    pub(crate) origin: Origin,
    /// A client that trusts the cloud.
    pub(crate) trusting_cloud: Arc<ClientConfig>,
    /// Clients that trust the proxy's CA alone: HTTP/1.1, HTTP/2.
    pub(crate) trusting_proxy: [Arc<ClientConfig>; 2],
}

impl World {
    /// With interception of [`API`].
    pub(crate) fn intercepting() -> Self {
        Self::start(None, "[inspection]\ndeclared_addresses = [\"10.20.0.0/24\"]\n")
    }

    /// With room for so many connections of one address, which may have seven eighths of all.
    pub(crate) fn roomy(connections: usize) -> Self {
        let all = connections.div_ceil(7) * 8;
        Self::start(None, &format!("[limits]\nmax_connections = {all}\n"))
    }

    /// With this policy, which has this host; its connections are silent, and nothing is decrypted.
    pub(crate) fn ruled(policy: &str, host: &str) -> Self {
        Self::start(Some((policy, host)), "")
    }

    fn start(rules: Option<(&str, &str)>, sections: &str) -> Self {
        let (folder, pki) = (TempDir::new().expect("a temporary folder"), Pki::new());
        let origin = Origin::start(pki.server(&[API, GRPC]));
        let mut config = String::from("[listener]\naddress = \"127.0.0.1:0\"\n[admin]\naddress = \"127.0.0.1:0\"\n");
        // The discard port: no name is asked for.
        config.push_str("[upstream]\nallow_addresses = [\"127.0.0.0/8\"]\nnameservers = [\"127.0.0.1:9\"]\nca_files = [\"cloud.pem\"]\n");
        write(folder.path(), "cloud.pem", &pki.pem());
        let Origin { cloud, silent, .. } = origin;
        let mut add = |line: String| writeln!(config, "{line}").expect("writing to a string");
        add(format!("[upstream.hosts]\n\"{API}\" = [\"{cloud}\"]\n\"{GRPC}\" = [\"{cloud}\"]\n\"{SILENT}\" = [\"{silent}\"]"));
        let root = if let Some((policy, host)) = rules {
            add(format!("\"{host}\" = [\"{silent}\"]\n[policy]\nfile = \"policy.toml\""));
            write(folder.path(), "policy.toml", policy);
            None
        } else {
            add("[interception]\nca_certificate = \"ca.pem\"\nca_key = \"ca.key\"".to_owned());
            Some(interception_ca(folder.path()))
        };
        add(sections.to_owned());
        Self {
            product: Product::start(&config, folder),
            origin,
            trusting_cloud: pki::client(Some(pki.root()), "http/1.1"),
            trusting_proxy: ["http/1.1", "h2"].map(|protocol| pki::client(root.clone(), protocol)),
        }
    }
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("the file is written");
}

/// Makes a CA as `ca init` does, and gives its certificate.
fn interception_ca(folder: &Path) -> CertificateDer<'static> {
    let paths = Paths { certificate: folder.join("ca.pem"), key: folder.join("ca.key") };
    create(&paths, &[API.to_owned()], SystemTime::now()).expect("a CA");
    CertificateDer::from_pem_file(&paths.certificate).expect("the CA is PEM")
}
