//! The proxy's real binary in a process of its own, with its log.

use crate::support::client::within_deadline;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

/// What is logged when a reload has succeeded.
pub const IN_FORCE: &str = "another configuration is in force";
/// And when it has not.
pub const NOT_TAKEN: &str = "the configuration was not taken; the previous one stays in force";

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_ucx-egress");

/// What happens to the process's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    On,
    /// The pipe is kept and not read.
    Paused,
    /// The pipe's reading end is closed.
    Gone,
}

/// A running process. It is killed when dropped.
pub struct Daemon {
    pub proxy: SocketAddr,
    pub admin: SocketAddr,
    pub relays: Vec<SocketAddr>,
    pub snis: Vec<SocketAddr>,
    child: Child,
    log: watch::Receiver<Vec<Value>>,
    reading: watch::Sender<Reading>,
    folder: TempDir,
    format: String,
}

impl Daemon {
    /// Starts the binary with a configuration text (its log is JSON) and waits until it listens.
    pub async fn start(config: &str) -> Self {
        Self::start_logging(config, "json").await
    }

    /// Starts the binary with its log in this format. Lines of text are kept whole, as JSON strings.
    pub async fn start_logging(config: &str, format: &str) -> Self {
        Self::start_behind(config, format, "").await
    }

    /// Starts the binary behind a shell command that prepares its process.
    pub async fn start_after(config: &str, prepare: &str) -> Self {
        Self::start_behind(config, "json", &format!("{prepare}; ")).await
    }

    async fn start_behind(config: &str, format: &str, prepare: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let file = folder.path().join("config.toml");
        std::fs::write(&file, format!("{config}\n[log]\nformat = \"{format}\"\n")).expect("the configuration is written");
        Self::launch(folder, format, prepare, |_| {}).await
    }

    /// Starts the binary with the configuration that is in the folder, and with what `prepare` adds to its environment.
    pub async fn start_in(folder: TempDir, format: &str, prepare: impl FnOnce(&mut Command)) -> Self {
        Self::launch(folder, format, "", prepare).await
    }

    async fn launch(folder: TempDir, format: &str, before: &str, prepare: impl FnOnce(&mut Command)) -> Self {
        let file = folder.path().join("config.toml");
        let mut command = Command::new("/bin/sh");
        prepare(&mut command);
        let mut child = command
            .arg("-c")
            .arg(format!("{before}exec \"$0\" --config \"$1\" run"))
            .arg(BINARY)
            .arg(&file)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the binary starts");
        let lines = BufReader::new(child.stderr.take().expect("standard error is piped")).lines();
        let (sender, mut log) = watch::channel(Vec::new());
        let (reading, read_on) = watch::channel(Reading::On);
        tokio::spawn(collect(lines, sender, read_on));
        let listening = within_deadline("the binary listens", async {
            let found = log.wait_for(|lines| lines.iter().any(is_listening)).await.expect("the log goes on");
            found.iter().find(|line| is_listening(line)).cloned().expect("just seen")
        })
        .await;
        let address = |name| addresses(&listening, name).first().copied().expect("the log line names the address");
        let (proxy, admin) = (address("proxy"), address("admin"));
        let (relays, snis) = (addresses(&listening, "relays"), addresses(&listening, "snis"));
        Self { proxy, admin, relays, snis, child, log, reading, folder, format: format.to_owned() }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("the process runs")
    }

    /// Waits until the log has what is wanted.
    pub async fn wait_for_lines(&mut self, what: &str, wanted: impl Fn(&[Value]) -> bool) {
        within_deadline(what, self.log.wait_for(|lines| wanted(lines))).await.expect("the log goes on");
    }

    /// Waits for a log line.
    pub async fn wait_for_line(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        within_deadline(what, async {
            let lines = self.log.wait_for(|lines| lines.iter().any(&wanted)).await.expect("the log goes on");
            lines.iter().find(|line| wanted(line)).cloned().expect("just seen")
        })
        .await
    }

    /// Changes what happens to the log from the next line on.
    pub fn read_log(&self, reading: Reading) {
        self.reading.send_replace(reading);
    }

    /// Sends a hang-up, as reload tools and closing terminals do.
    pub fn hang_up(&self) {
        rustix::process::kill_process(self.process(), rustix::process::Signal::HUP).expect("the process takes the signal");
    }

    /// Where its configuration is: `config.toml`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Replaces the configuration in one step, as careful editors do. Nobody is told.
    pub fn rewrite(&self, config: &str) {
        let (new, file) = (self.folder().join("config.toml.new"), self.folder().join("config.toml"));
        let text = format!("{config}\n[log]\nformat = \"{}\"\n", self.format);
        std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, &file)).expect("the configuration is replaced");
    }

    /// Replaces the configuration, asks for a reload and waits until the proxy says that another one is in force.
    pub async fn reload(&mut self, config: &str) -> Value {
        self.ask_reload(config, IN_FORCE).await
    }

    /// Replaces the configuration, asks for a reload and waits until the proxy says that it was not taken; gives the error.
    pub async fn reload_in_vain(&mut self, config: &str) -> String {
        let line = self.ask_reload(config, NOT_TAKEN).await;
        line["error"].as_str().expect("the line has the error").to_owned()
    }

    async fn ask_reload(&mut self, config: &str, message: &str) -> Value {
        self.rewrite(config);
        let before = self.said(message).len();
        self.hang_up();
        self.wait_for_said(message, before + 1).await
    }

    /// Waits until a message was logged so often; gives its last line.
    pub async fn wait_for_said(&mut self, message: &str, times: usize) -> Value {
        let count = |lines: &[Value]| lines.iter().filter(|line| line["message"] == message).count();
        self.wait_for_lines(message, |lines| count(lines) >= times).await;
        self.said(message).last().cloned().expect("just seen")
    }

    /// The lines with a message so far.
    pub fn said(&self, message: &str) -> Vec<Value> {
        self.lines().into_iter().filter(|line| line["message"] == message).collect()
    }

    /// Open file descriptors.
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).expect("the process runs").count()
    }

    /// The lines logged so far.
    pub fn lines(&self) -> Vec<Value> {
        self.log.borrow().clone()
    }

    /// Kills the process: nothing in it can act on that.
    pub fn kill(&self) {
        rustix::process::kill_process(self.process(), rustix::process::Signal::KILL).expect("the process takes the signal");
    }

    /// Bounds how large a file of the process may become, as a full disk does; writing more then fails.
    pub fn bound_files(&self, bytes: Option<u64>) {
        let limit = rustix::process::Rlimit { current: bytes, maximum: None };
        rustix::process::prlimit(Some(self.process()), rustix::process::Resource::Fsize, limit).expect("the process takes the limit");
    }

    /// Sends SIGTERM and does not wait.
    pub fn signal(&self) {
        rustix::process::kill_process(self.process(), rustix::process::Signal::TERM).expect("the process takes the signal");
    }

    fn process(&self) -> rustix::process::Pid {
        i32::try_from(self.pid()).ok().and_then(rustix::process::Pid::from_raw).expect("a process id")
    }

    /// Waits for the end of the process; gives its exit code and every line it logged.
    pub async fn ended(mut self) -> (Option<i32>, Vec<Value>) {
        let status = within_deadline("the process ends", self.child.wait()).await.expect("the process can be waited for");
        self.reading.send_if_modified(|reading| {
            let was_paused = *reading == Reading::Paused;
            *reading = if was_paused { Reading::Gone } else { *reading };
            was_paused
        });
        within_deadline("the log ends", async { while self.log.changed().await.is_ok() {} }).await;
        (status.code(), self.lines())
    }

    /// Asks the process to stop; gives its exit code and every line it logged.
    pub async fn stop(self) -> (Option<i32>, Vec<Value>) {
        self.signal();
        self.ended().await
    }

    /// Asks the process to stop and gives its exit code.
    pub async fn terminate(self) -> Option<i32> {
        self.stop().await.0
    }
}

/// The records among log lines: one for each exchange.
pub fn records(lines: &[Value]) -> Vec<&Value> {
    lines.iter().filter(|line| line["target"] == "ucx_egress::exchange").collect()
}

fn is_listening(line: &Value) -> bool {
    line["message"] == "listening" || line.as_str().is_some_and(|line| line.contains(" listening "))
}

/// The addresses behind `name` in the line that says where the proxy listens, in either format.
fn addresses(listening: &Value, name: &str) -> Vec<SocketAddr> {
    let text = match (listening.as_str(), listening[name].as_str()) {
        (Some(line), _) => line.split_once(&format!(" {name}=")).map_or("", |(_, rest)| rest),
        (None, member) => member.unwrap_or_default(),
    };
    let end = if text.starts_with('[') { text.find(']') } else { text.find(' ') };
    let text = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    text.split(['[', ',', ' ']).filter_map(|word| word.parse().ok()).collect()
}

async fn collect(
    mut lines: tokio::io::Lines<BufReader<tokio::process::ChildStderr>>,
    sender: watch::Sender<Vec<Value>>,
    mut reading: watch::Receiver<Reading>,
) {
    loop {
        let wanted = *reading.borrow_and_update();
        match wanted {
            Reading::Gone => return,
            Reading::Paused if reading.changed().await.is_err() => return,
            Reading::Paused => continue,
            Reading::On => {}
        }
        let line = tokio::select! {
            biased;
            _ = reading.changed() => continue,
            line = lines.next_line() => line,
        };
        let Ok(Some(line)) = line else { return };
        let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
        sender.send_modify(|seen| seen.push(value));
    }
}
