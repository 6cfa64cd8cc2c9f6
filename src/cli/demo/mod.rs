//! `demo`: the whole product on loopback. A stand-in for the vendor's cloud answers with real TLS under the real names; real
//! requests go through a real proxy; a table shows each verdict beside the one expected.

mod cases;
pub(super) mod client;
mod cloud;

use super::{NO, OK, failed, load, print, run, start_log};
use crate::app::{Addresses, App, Orders};
use crate::config::{Config, LogFormat};
use crate::source::Source;
use crate::supervisor::Supervisor;
use crate::tls::authority::{self, Paths};
use cases::Outcome;
use cloud::Cloud;
pub(super) use cloud::{TEST_BODY, trusting};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::fmt::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use tokio::signal::unix::{SignalKind, signal};

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Exit after the table: 0 if every verdict was the expected one, 1 otherwise.
    #[arg(long)]
    once: bool,
}

/// Runs the demonstration. With `--config FILE` the policy of that file is the one demonstrated.
#[must_use]
pub fn main(config: Option<&Path>, arguments: &Arguments) -> u8 {
    let chosen = match config.map(|path| load(Some(path))).transpose() {
        Ok(chosen) => chosen,
        Err(code) => return code,
    };
    let _log = start_log(LogFormat::Text, "warn");
    let runtime = match run::runtime() {
        Ok(runtime) => runtime,
        Err(error) => return failed(format_args!("the runtime does not start: {error}")),
    };
    match runtime.block_on(demonstrate(chosen, arguments.once)) {
        Ok(code) => code,
        Err(error) => failed(error),
    }
}

/// A folder for certificates; it goes when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("ucx-egress-demo-{}", std::process::id()));
        // It must not be there already: someone else's folder, or a link, could be in the way.
        std::fs::DirBuilder::new().mode(0o700).create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }

    fn cloud_root(&self) -> PathBuf {
        self.0.join("cloud-ca.pem")
    }

    fn authority(&self) -> Paths {
        Paths { certificate: self.0.join("ca.pem"), key: self.0.join("ca.key") }
    }
}

impl Folder {
    /// Makes the interception CA and gives the root that clients of inspected services trust. A policy that inspects nothing needs
    /// none: those clients fail then, and are shown as wrong.
    fn make_authority(&self, config: &mut Config) -> Result<CertificateDer<'static>, String> {
        let hosts = config.policy.intercepted_hosts();
        if hosts.is_empty() {
            config.interception = None;
            return CertificateDer::from_pem_file(self.cloud_root()).map_err(|error| error.to_string());
        }
        authority::create(&self.authority(), &hosts, SystemTime::now()).map_err(|error| error.to_string())?;
        CertificateDer::from_pem_file(self.authority().certificate).map_err(|error| error.to_string())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // In the temporary folder, and only keys of this demonstration in it.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn demonstrate(chosen: Option<Config>, once: bool) -> Result<u8, String> {
    let cloud = Cloud::start().await?;
    let folder = Folder::new()?;
    std::fs::write(folder.cloud_root(), cloud.root_pem()).map_err(|error| error.to_string())?;
    let text = configuration(&cloud, &folder);
    let mut config = Config::read(&Source::embedded("demo", &text)).map_err(|error| error.to_string())?;
    if let Some(chosen) = chosen {
        config.policy = chosen.policy;
    }
    let interception_root = folder.make_authority(&mut config)?;
    let app = App::bind(config, Supervisor::default())?;
    let addresses = app.addresses().clone();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    // Nobody asks this proxy to reload.
    let (_, reloads) = tokio::sync::mpsc::channel(1);
    let shutdown = async {
        let _ = stopped.await;
    };
    let running = tokio::spawn(app.run(Orders { shutdown, hurry: std::future::pending(), reloads }));
    let outcomes = cases::run_all(&cloud, &addresses, &interception_root).await?;
    print(&table(&outcomes));
    let wrong = outcomes.iter().filter(|outcome| !outcome.is_as_expected()).count();
    if !once {
        stay(&folder, &addresses).await?;
    }
    // The proxy may have ended by itself only because it failed; there is nothing left to stop then.
    let _ = stop.send(());
    running.await.map_err(|error| format!("the proxy ended early: {error}"))?;
    Ok(if wrong == 0 { OK } else { NO })
}

/// Real names with fixed loopback addresses instead of DNS; every port is free and chosen by the system.
fn configuration(cloud: &Cloud, folder: &Folder) -> String {
    format!(
        r#"
[listener]
address = "127.0.0.1:0"
[admin]
address = "127.0.0.1:0"
[[relay]]
address = "127.0.0.1:0"
destination = "tenant.imagicle.cloud:1636"
[upstream]
ca_files = ["{root}"]
allow_addresses = ["127.0.0.1"]
nameservers = ["127.0.0.1:9"]
[upstream.hosts]
"api.imagicle.com" = ["{https}"]
"grpc.imagicle.com" = ["{grpc}"]
"tenant.imagicle.cloud" = ["{ldaps}"]
"inside.imagicle.com" = ["10.0.0.1"]
[interception]
ca_certificate = "{certificate}"
ca_key = "{key}"
[limits]
drain = "1s"
"#,
        root = folder.cloud_root().display(),
        https = cloud.https,
        grpc = cloud.grpc,
        ldaps = cloud.ldaps,
        certificate = folder.authority().certificate.display(),
        key = folder.authority().key.display(),
    )
}

fn table(outcomes: &[Outcome]) -> String {
    let mut text = format!("{:44} {:24} {:24} decision\n", "request", "expected", "verdict");
    for outcome in outcomes {
        let mark = if outcome.is_as_expected() { "" } else { "   <- WRONG" };
        let _ = writeln!(text, "{:44} {:24} {:24} {}{mark}", outcome.request, outcome.expected, outcome.verdict, outcome.decision);
    }
    let right = outcomes.iter().filter(|outcome| outcome.is_as_expected()).count();
    let _ = writeln!(text, "\n{right} of {} verdicts as expected", outcomes.len());
    text
}

/// Stays up until Ctrl-C, so that a person can try for themselves.
async fn stay(folder: &Folder, addresses: &Addresses) -> Result<(), String> {
    print(&format!(
        "\nThe proxy stays up until Ctrl-C. Try (the second and third are decrypted and inspected, presence stays a tunnel):\n  \
         curl -sS -x http://{proxy} https://example.org/\n  \
         curl -sS -x http://{proxy} --cacert {ca} https://api.imagicle.com/test\n  \
         curl -sS -x http://{proxy} --cacert {ca} --json '{{\"contact\":\"mario.rossi@example.com\"}}' https://api.imagicle.com/telemetry\n  \
         curl -sS -x http://{proxy} -i http://example.org/\n  \
         curl -sS http://{admin}/api/status\n  \
         curl -sS http://{admin}/metrics\n",
        proxy = addresses.proxy,
        admin = addresses.admin,
        ca = folder.authority().certificate.display(),
    ));
    // Both ways of ending it leave no key behind.
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(|error| error.to_string()),
        _ = terminate.recv() => Ok(()),
    }
}
