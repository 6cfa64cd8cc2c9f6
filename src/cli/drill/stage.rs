//! What a drill needs: a proxy with a configuration of its own in a folder of its own, the cloud and the name server in front of it, and
//! what is seen of them.

use super::super::demo::client::{self, Answer};
use super::super::demo::trusting;
use super::cloud::{Cloud, HOST};
use super::names::{Names, Says};
use crate::app::{Addresses, App, Orders};
use crate::audit::lines::{Line, Lines};
use crate::audit::{Event, Journal, files};
use crate::config::Config;
use crate::fault::Faults;
use crate::supervisor::Supervisor;
use crate::tls::authority::{self, Paths};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;
use std::fmt::Display;
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// How long anything is waited for that has no event of its own.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked for meanwhile.
const PAUSE: Duration = Duration::from_millis(20);

/// A folder for configuration, keys and audit; it goes when dropped.
pub struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("ucx-egress-drill-{}", std::process::id()));
        // It must not be there already: someone else's folder, or a link, could be in the way.
        fs::DirBuilder::new().mode(0o700).create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }

    /// A file in it.
    pub fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // In the temporary folder, and only what this drill made in it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Everything that is needed.
pub struct Stage {
    /// Where the proxy listens.
    pub addresses: Addresses,
    /// A client that trusts the interception CA alone: through a mere tunnel its handshake fails.
    pub trust: Arc<ClientConfig>,
    /// The cloud.
    pub cloud: Cloud,
    /// The name server.
    pub names: Names,
    /// Panics on purpose.
    pub faults: Faults,
    reload: mpsc::Sender<()>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
    journal: Arc<Journal>,
    folder: Folder,
}

impl Stage {
    /// Starts it all.
    ///
    /// # Errors
    /// When loopback ports, keys or a folder are not to be had.
    pub async fn start() -> Result<Self, String> {
        let (folder, cloud) = (Folder::new()?, Cloud::start().await?);
        let names = Names::start(Says::Address(Ipv4Addr::LOCALHOST)).await?;
        write(&folder.at("cloud-ca.pem"), &cloud.root_pem)?;
        write(&folder.at("policy.toml"), &policy(cloud.address.port()))?;
        write(&folder.at("drill.toml"), &configuration(&folder, &names, ""))?;
        let paths = Paths { certificate: folder.at("ca.pem"), key: folder.at("ca.key") };
        authority::create(&paths, &[HOST.to_owned()], SystemTime::now()).map_err(text)?;
        let root = CertificateDer::from_pem_file(&paths.certificate).map_err(text)?;
        let config = Config::load(Some(&folder.at("drill.toml"))).map_err(text)?;
        let faults = Faults::armable();
        let app = App::bind_with(config, Supervisor::default(), &faults)?;
        let (addresses, journal) = (app.addresses().clone(), app.journal());
        let ((stop, stopped), (reload, reloads)) = (oneshot::channel::<()>(), mpsc::channel(1));
        let shutdown = async {
            let _ = stopped.await;
        };
        let running = tokio::spawn(app.run(Orders { shutdown, hurry: std::future::pending(), reloads }));
        Ok(Self { addresses, trust: trusting(root, b"http/1.1")?, cloud, names, faults, reload, stop, running, journal, folder })
    }

    /// Ends it all.
    ///
    /// # Errors
    /// When the proxy has ended by itself.
    pub async fn stop(self) -> Result<(), String> {
        let Self { stop, running, journal, folder, .. } = self;
        // It may have ended by itself only because it failed; there is nothing left to stop then.
        let _ = stop.send(());
        running.await.map_err(|_| "the proxy ended early".to_owned())?;
        let closed = tokio::task::spawn_blocking(move || journal.note(Event::Stopped)).await;
        drop(folder);
        closed.map_err(|_| "the audit could not be closed".to_owned())
    }

    /// Host and port of the cloud.
    pub fn authority(&self) -> String {
        format!("{HOST}:{}", self.cloud.address.port())
    }

    /// A file of the drill.
    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.at(name)
    }

    /// Writes the configuration anew, with more in its section of clients.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn configure(&self, clients: &str) -> Result<(), String> {
        write(&self.at("drill.toml"), &configuration(&self.folder, &self.names, clients))
    }

    /// Writes the policy anew.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn mend_policy(&self) -> Result<(), String> {
        write(&self.at("policy.toml"), &policy(self.cloud.address.port()))
    }

    /// Has the configuration read again; what it says of one that is not taken.
    ///
    /// # Errors
    /// When nothing comes of it.
    pub async fn reload(&self) -> Result<Option<String>, String> {
        let count = |status: &Value| status["applied"].as_u64().unwrap_or_default() + status["rejected"].as_u64().unwrap_or_default();
        let before = count(&self.status().await?);
        self.reload.send(()).await.map_err(|_| "the proxy has ended".to_owned())?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let status = self.status().await?;
            if count(&status) > before {
                return Ok(status.pointer("/error/message").and_then(Value::as_str).map(str::to_owned));
            }
            waits(deadline, "the reload").await?;
        }
    }

    async fn status(&self) -> Result<Value, String> {
        let page = self.page("/api/status").await?;
        let (_, body) = page.0.split_once("\r\n\r\n").ok_or("the status cannot be read")?;
        let status: Value = serde_json::from_str(body).map_err(text)?;
        Ok(status.get("configuration").cloned().unwrap_or_default())
    }

    async fn page(&self, path: &str) -> Result<Answer, String> {
        client::ask(self.addresses.admin, &format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")).await
    }

    /// The sum of the series of a family that carry all of these labels.
    ///
    /// # Errors
    /// When the metrics cannot be read.
    pub async fn metric(&self, family: &str, labels: &[&str]) -> Result<u64, String> {
        let page = self.page("/metrics").await?;
        let is_of = |line: &&str| line.strip_prefix(family).is_some_and(|rest| rest.starts_with(['{', ' ']));
        let lines = page.0.lines().filter(is_of).filter(|line| labels.iter().all(|label| line.contains(label)));
        Ok(lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum())
    }

    /// Waits until a metric says this.
    ///
    /// # Errors
    /// When it does not in time.
    pub async fn until(&self, family: &str, labels: &[&str], wanted: u64) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        while self.metric(family, labels).await? != wanted {
            waits(deadline, family).await?;
        }
        Ok(())
    }

    /// How many lines of the audit files are of this kind and say this.
    pub fn audited(&self, kind: &str, says: impl Fn(&Value) -> bool) -> usize {
        let listed = files::list(&self.at("audit")).unwrap_or_default();
        let all = listed.into_iter().flat_map(|file| lines(&file.path));
        all.filter(|line| line["kind"] == kind && says(line)).count()
    }

    /// Waits until there are so many.
    ///
    /// # Errors
    /// When there are not in time.
    pub async fn until_audited(&self, kind: &str, wanted: usize, says: impl Fn(&Value) -> bool) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        while self.audited(kind, &says) != wanted {
            waits(deadline, "the record in the audit").await?;
        }
        Ok(())
    }
}

async fn waits(deadline: Instant, what: &str) -> Result<(), String> {
    if Instant::now() > deadline {
        return Err(format!("{what} did not come in time"));
    }
    sleep(PAUSE).await;
    Ok(())
}

/// The whole lines of a file; one that is being written ends where it ends.
fn lines(path: &Path) -> Vec<Value> {
    let Ok(mut file) = Lines::open(path) else { return Vec::new() };
    let mut found = Vec::new();
    while let Ok(Line::Whole(line)) = file.next_line() {
        found.extend(serde_json::from_slice::<Value>(line));
    }
    found
}

fn text(error: impl Display) -> String {
    error.to_string()
}

fn write(path: &Path, content: &str) -> Result<(), String> {
    fs::write(path, content).map_err(|error| format!("{}: {error}", path.display()))
}

/// One host, which is decrypted and inspected.
fn policy(port: u16) -> String {
    format!(
        r#"format = 1
name = "drill"
[[service]]
id = "telemetry"
personal_data = "none"
treatment = "intercept"
[[service.endpoint]]
host = "{HOST}"
port = {port}
protocol = "https"
"#
    )
}

/// Short deadlines, so that a drill does not take long; files are read again when that is asked for.
fn configuration(folder: &Folder, names: &Names, clients: &str) -> String {
    let path = |name: &str| folder.at(name).display().to_string();
    format!(
        r#"
[listener]
address = "127.0.0.1:0"
[admin]
address = "127.0.0.1:0"
[clients]
allow = ["127.0.0.0/8"]
{clients}
[upstream]
ca_files = ["{root}"]
allow_addresses = ["127.0.0.0/8"]
nameservers = ["{names}"]
[interception]
ca_certificate = "{certificate}"
ca_key = "{key}"
[policy]
file = "{policy}"
[audit]
path = "{audit}"
flush = "20ms"
compress = false
[limits]
resolve = "1s"
connect = "1s"
answer = "1s"
drain = "1s"
[reload]
on_change = false
"#,
        root = path("cloud-ca.pem"),
        names = names.address,
        certificate = path("ca.pem"),
        key = path("ca.key"),
        policy = path("policy.toml"),
        audit = path("audit"),
    )
}
