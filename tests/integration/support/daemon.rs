//! The proxy's real binary in a process of its own, with its log.

use crate::support::client::within_deadline;
use serde_json::Value;
use std::net::SocketAddr;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_ucx-egress");

/// A running process. It is killed when dropped.
pub struct Daemon {
    pub proxy: SocketAddr,
    pub admin: SocketAddr,
    child: Child,
    log: watch::Receiver<Vec<Value>>,
    _folder: TempDir,
}

impl Daemon {
    /// Starts the binary with a configuration text (its log is JSON) and waits until it listens.
    pub async fn start(config: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let file = folder.path().join("config.toml");
        std::fs::write(&file, format!("{config}\n[log]\nformat = \"json\"\n")).expect("the configuration is written");
        let mut child = Command::new(BINARY)
            .arg("--config")
            .arg(&file)
            .arg("run")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the binary starts");
        let lines = BufReader::new(child.stderr.take().expect("standard error is piped")).lines();
        let (sender, mut log) = watch::channel(Vec::new());
        tokio::spawn(collect(lines, sender));
        let listening = within_deadline("the binary listens", async {
            let found = log.wait_for(|lines| lines.iter().any(|line| line["message"] == "listening")).await.expect("the log goes on");
            found.iter().find(|line| line["message"] == "listening").cloned().expect("just seen")
        })
        .await;
        let address = |name: &str| listening[name].as_str().and_then(|text| text.parse().ok()).expect("the log line names the address");
        Self { proxy: address("proxy"), admin: address("admin"), child, log, _folder: folder }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("the process runs")
    }

    /// Waits for a log line.
    pub async fn wait_for_line(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        within_deadline(what, async {
            let lines = self.log.wait_for(|lines| lines.iter().any(&wanted)).await.expect("the log goes on");
            lines.iter().find(|line| wanted(line)).cloned().expect("just seen")
        })
        .await
    }

    /// Open file descriptors.
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).expect("the process runs").count()
    }

    /// Asks the process to stop and gives its exit code.
    pub async fn terminate(mut self) -> Option<i32> {
        let pid = i32::try_from(self.pid()).ok().and_then(rustix::process::Pid::from_raw).expect("a process id");
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("the process takes the signal");
        within_deadline("the process ends", self.child.wait()).await.expect("the process can be waited for").code()
    }
}

async fn collect(mut lines: tokio::io::Lines<BufReader<tokio::process::ChildStderr>>, sender: watch::Sender<Vec<Value>>) {
    while let Ok(Some(line)) = lines.next_line().await {
        let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
        sender.send_modify(|seen| seen.push(value));
    }
}
