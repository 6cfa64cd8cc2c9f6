//! Certificates that were good once: signed with broken hashes, or for keys that are too short. OpenSSL makes and shows them, since the
//! proxy's own library would not.

use super::as_expected;
use crate::support::client::within_deadline;
use crate::support::intercept::{API, Ca};
use crate::support::pki::Pki;
use crate::support::proxy::Setup;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

async fn openssl(folder: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    command.args(arguments.split(' ')).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    let output = within_deadline("OpenSSL ends", command.output()).await.expect("it starts");
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A server with the leaf and its key, that takes whatever its own rules would forbid.
async fn server(folder: &Path) -> (Child, SocketAddr) {
    let mut command = Command::new("openssl");
    command.args("s_server -accept 127.0.0.1:0 -cert leaf.pem -key leaf.key -cipher DEFAULT@SECLEVEL=0 -www".split(' '));
    let command = command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().expect("OpenSSL starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let address = within_deadline("the server listens", async {
        while let Some(line) = lines.next_line().await.expect("text") {
            if let Some(address) = line.strip_prefix("ACCEPT ") {
                return address.parse().expect("an address");
            }
        }
        panic!("the server ended");
    })
    .await;
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (child, address)
}

/// The leaf's key, the hash of its signature, and whether it is taken.
const LEAVES: &[(&str, &str, &str, bool)] = &[
    ("RSA 2048, SHA-256", "genrsa -out leaf.key 2048", "-sha256", true),
    ("P-256, SHA-256", "ecparam -name prime256v1 -genkey -noout -out leaf.key", "-sha256", true),
    ("RSA 2048, SHA-1", "genrsa -out leaf.key 2048", "-sha1", false),
    ("RSA 2048, MD5", "genrsa -out leaf.key 2048", "-md5", false),
    ("P-256, SHA-1", "ecparam -name prime256v1 -genkey -noout -out leaf.key", "-sha1", false),
    ("RSA 1024, SHA-256", "genrsa -out leaf.key 1024", "-sha256", false),
    ("P-192, SHA-256", "ecparam -name prime192v1 -genkey -noout -out leaf.key", "-sha256", false),
];

#[tokio::test]
async fn broken_hashes_and_short_keys_prove_nothing() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path();
    openssl(path, "genrsa -out root.key 2048").await;
    std::fs::write(path.join("root.cnf"), "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n").expect("written");
    openssl(path, "req -new -key root.key -subj /CN=root -out root.csr").await;
    openssl(path, "x509 -req -in root.csr -signkey root.key -sha256 -days 30 -extfile root.cnf -out root.pem").await;
    std::fs::write(path.join("leaf.cnf"), format!("subjectAltName=DNS:{API}\nextendedKeyUsage=serverAuth\n")).expect("written");
    let mut wrong = Vec::new();
    for (what, key, hash, is_taken) in LEAVES {
        openssl(path, key).await;
        openssl(path, &format!("req -new -key leaf.key -subj /CN={API} -out leaf.csr")).await;
        let sign =
            format!("x509 -req -in leaf.csr -CA root.pem -CAkey root.key -set_serial 7 {hash} -days 30 -extfile leaf.cnf -out leaf.pem");
        openssl(path, &sign).await;
        let (_server, address) = server(path).await;
        let ca = Ca::new(&Pki::new(), &[API]);
        std::fs::copy(path.join("root.pem"), ca.path("cloud.pem")).expect("the root is trusted");
        let proxy = ca.configure(Setup::new().host(API, address)).start();
        let tunnel = crate::support::client::connect_tunnel(proxy.proxy(), &format!("{API}:443")).await;
        let said = tunnel.map_or_else(|(_, problem)| problem.reason, |_| "taken".to_owned());
        if said != if *is_taken { "taken" } else { "upstream_tls_invalid" } {
            wrong.push(format!("{what}: {said}"));
        }
    }
    as_expected(LEAVES.len(), "weak certificates", &wrong);
}
