//! The real binary in a process of its own.

use std::io::{self, BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// A running proxy. It is killed when dropped.
pub(crate) struct Product {
    /// Where it takes CONNECT.
    pub(crate) proxy: SocketAddr,
    child: Child,
    _folder: TempDir,
}

impl Product {
    /// Starts it with this configuration, in a folder that holds what the configuration names, and waits until it listens.
    pub(crate) fn start(config: &str, folder: TempDir) -> Self {
        let file = folder.path().join("config.toml");
        std::fs::write(&file, config).expect("the configuration is written");
        let mut child = Command::new(env!("CARGO_BIN_EXE_ucx-egress"))
            .arg("--config")
            .arg(&file)
            .arg("run")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut log = BufReader::new(child.stderr.take().expect("standard error is piped"));
        let proxy = listening(&mut log);
        // It logs every exchange, as in service. Whoever reads the log costs time too, but not the proxy's.
        thread::spawn(move || io::copy(&mut log, &mut io::sink()));
        Self { proxy, child, _folder: folder }
    }

    /// How long its threads were on a processor so far (Linux).
    pub(crate) fn processor_time(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("the process runs");
        // A thread may be gone before it is asked.
        let schedules = tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok());
        let nanoseconds = schedules.map(|schedule| {
            let first = schedule.split(' ').next().and_then(|time| time.parse::<u64>().ok());
            first.expect("the kernel counts time on processors, and that is the first number")
        });
        Duration::from_nanos(nanoseconds.sum())
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        // It may have ended by itself, which is all that is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads the log up to the line that says where it listens.
fn listening(log: &mut BufReader<ChildStderr>) -> SocketAddr {
    let mut seen = String::new();
    loop {
        let before = seen.len();
        let length = log.read_line(&mut seen).expect("the log is text");
        assert!(length > 0, "the proxy ended before it listened:\n{seen}");
        let line = seen.get(before..).unwrap_or_default();
        let address = line.split_once(" listening ").and_then(|(_, fields)| fields.split_once(" proxy="));
        if let Some(address) = address.and_then(|(_, rest)| rest.split(' ').next()) {
            return address.parse().expect("the line names an address");
        }
    }
}
