//! The proxy inside the test's own runtime, on free ports.

use crate::support::client::within_deadline;
use crate::support::policy::PolicyFile;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use ucx_egress::app::{Addresses, App, Orders};
use ucx_egress::audit::{Event, Journal};
use ucx_egress::config::Config;
use ucx_egress::fault::Faults;
use ucx_egress::source::Source;
use ucx_egress::supervisor::Supervisor;

/// A configuration in the making. Loopback addresses are allowed upstream, and names resolve to nothing but what is set.
pub struct Setup {
    listener: Vec<String>,
    admin: Vec<String>,
    upstream: Vec<String>,
    hosts: Vec<String>,
    sections: String,
    loopback: bool,
    policy: Option<PolicyFile>,
}

impl Setup {
    pub fn new() -> Self {
        let none = Vec::new;
        Self { listener: none(), admin: none(), upstream: none(), hosts: none(), sections: String::new(), loopback: true, policy: None }
    }

    /// Gives a host a fixed address, with its port.
    pub fn host(mut self, name: &str, address: SocketAddr) -> Self {
        self.hosts.push(format!("\"{name}\" = [\"{address}\"]"));
        self
    }

    /// Gives a host any fixed addresses.
    pub fn addresses(mut self, name: &str, addresses: &[&str]) -> Self {
        self.hosts.push(format!("\"{name}\" = {addresses:?}"));
        self
    }

    /// Asks this name server.
    pub fn name_server(mut self, address: SocketAddr) -> Self {
        self.upstream.push(format!("nameservers = [\"{address}\"]"));
        self
    }

    /// Adds a line to `[upstream]`.
    pub fn upstream_line(mut self, line: &str) -> Self {
        self.upstream.push(line.to_owned());
        self
    }

    /// Adds a line to `[listener]`, or sections that belong to it.
    pub fn listener_line(mut self, line: &str) -> Self {
        self.listener.push(line.to_owned());
        self
    }

    /// Adds a line to `[admin]`.
    pub fn admin_line(mut self, line: &str) -> Self {
        self.admin.push(line.to_owned());
        self
    }

    /// Adds a listener for raw TLS on a free port.
    pub fn sni(self) -> Self {
        self.section("[[sni]]\naddress = \"127.0.0.1:0\"")
    }

    /// Keeps the ban on loopback addresses, as a real configuration does.
    pub fn without_loopback(mut self) -> Self {
        self.loopback = false;
        self
    }

    /// Adds a relay on a free port.
    pub fn relay(self, destination: &str) -> Self {
        self.section(&format!("[[relay]]\naddress = \"127.0.0.1:0\"\ndestination = \"{destination}\""))
    }

    /// Takes a site's own policy instead of the built-in one.
    pub fn policy(mut self, policy: PolicyFile) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Adds a section as it is written.
    pub fn section(mut self, text: &str) -> Self {
        writeln!(self.sections, "{text}").expect("writing to a string");
        self
    }

    /// The configuration as a file would hold it.
    pub fn text(&self) -> String {
        let (listener, admin) = (self.listener.join("\n"), self.admin.join("\n"));
        let mut text =
            format!("[listener]\naddress = \"127.0.0.1:0\"\n{listener}\n[admin]\naddress = \"127.0.0.1:0\"\n{admin}\n[upstream]\n");
        if self.loopback {
            text.push_str("allow_addresses = [\"127.0.0.0/8\"]\n");
        }
        if !self.upstream.iter().any(|line| line.starts_with("nameservers")) {
            // The discard port: nothing answers there, and no test asks a real name server.
            text.push_str("nameservers = [\"127.0.0.1:9\"]\n");
        }
        for line in &self.upstream {
            writeln!(text, "{line}").expect("writing to a string");
        }
        let policy = self.policy.as_ref().map_or_else(String::new, PolicyFile::section);
        writeln!(text, "[upstream.hosts]\n{}\n{}\n{policy}", self.hosts.join("\n"), self.sections).expect("writing to a string");
        text
    }

    /// Reads the configuration.
    pub fn config(&self) -> Config {
        let text = self.text();
        Config::read(&Source::embedded("test.toml", &text)).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    /// Starts the proxy.
    pub fn start(&self) -> Proxy {
        Proxy::start(self.config())
    }
}

/// A running proxy.
pub struct Proxy {
    pub addresses: Addresses,
    journal: Arc<Journal>,
    reload: mpsc::Sender<()>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Proxy {
    pub fn start(config: Config) -> Self {
        Self::start_with(config, &Faults::none())
    }

    /// With panics where the test wants them.
    pub fn start_with(config: Config, faults: &Faults) -> Self {
        let app = App::bind_with(config, Supervisor::default(), faults).expect("free loopback ports are to be had");
        let (addresses, journal) = (app.addresses().clone(), app.journal());
        let (stop, stopped) = oneshot::channel::<()>();
        let (reload, reloads) = mpsc::channel(1);
        let shutdown = async {
            let _ = stopped.await;
        };
        let running = tokio::spawn(app.run(Orders { shutdown, hurry: std::future::pending(), reloads }));
        Self { addresses, journal, reload, stop, running }
    }

    pub fn proxy(&self) -> SocketAddr {
        self.addresses.proxy
    }

    pub fn admin(&self) -> SocketAddr {
        self.addresses.admin
    }

    pub fn relay(&self) -> SocketAddr {
        self.addresses.relays[0]
    }

    /// Has its configuration read again, as SIGHUP does.
    pub async fn reload(&self) {
        self.reload.send(()).await.expect("the proxy still runs");
    }

    /// Stops as SIGTERM does and waits for the end of the drain, and of the audit's files.
    pub async fn stop(self) {
        self.stop.send(()).expect("the proxy still runs");
        within_deadline("the proxy stops", self.running).await.expect("the proxy ends in order");
        let journal = self.journal;
        tokio::task::spawn_blocking(move || journal.note(Event::Stopped)).await.expect("the audit is closed");
    }
}
