//! Under a service manager: it is told what the proxy does, may hold the sockets, and sees that the event loop lives.

use crate::support::client::{client_hello, connect_tunnel, within_deadline};
use crate::support::daemon::{BINARY, Daemon};
use crate::support::origin::{Behaviour, RawOrigin};
use crate::support::proxy::Setup;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsRawFd as _;
use std::path::Path;
use tempfile::TempDir;
use tokio::net::UnixDatagram;
use tokio::process::Command;

const HOST: &str = "api.imagicle.com";

/// What the proxy says, line by line.
struct Manager {
    socket: UnixDatagram,
    heard: Vec<String>,
}

impl Manager {
    fn new(at: &Path) -> Self {
        Self { socket: UnixDatagram::bind(at).expect("a socket"), heard: Vec::new() }
    }

    /// Waits for a line, and forgets what was said before it.
    async fn hears(&mut self, wanted: &str) -> String {
        within_deadline(wanted, async {
            loop {
                if let Some(at) = self.heard.iter().position(|line| line.starts_with(wanted)) {
                    return self.heard.drain(..=at).next_back().expect("it was found there");
                }
                let mut datagram = [0; 4096];
                let length = self.socket.recv(&mut datagram).await.expect("the socket lives");
                self.heard.extend(String::from_utf8_lossy(&datagram[..length]).lines().map(str::to_owned));
            }
        })
        .await
    }
}

fn folder(config: &str) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    std::fs::write(folder.path().join("config.toml"), format!("{config}\n[log]\nformat = \"json\"\n")).expect("it is written");
    folder
}

#[tokio::test]
async fn it_is_told_what_happens() {
    let config = Setup::new().section("[reload]\non_change = false\n[limits]\ndrain = \"7s\"").text();
    let folder = folder(&config);
    let at = folder.path().join("notify");
    let mut manager = Manager::new(&at);
    let mut daemon = Daemon::start_in(folder, "json", |command| {
        command.env("NOTIFY_SOCKET", &at);
    })
    .await;
    manager.hears("READY=1").await;
    daemon.reload(&config).await;
    manager.hears("RELOADING=1").await;
    manager.hears("MONOTONIC_USEC=").await;
    manager.hears("READY=1").await;
    daemon.reload_in_vain("[listener").await;
    manager.hears("RELOADING=1").await;
    manager.hears("READY=1").await;
    daemon.signal();
    manager.hears("STOPPING=1").await;
    assert_eq!(manager.hears("EXTEND_TIMEOUT_USEC=").await, "EXTEND_TIMEOUT_USEC=22000000");
    assert_eq!(daemon.ended().await.0, Some(0));
}

#[tokio::test]
async fn the_watchdog_hears_from_it_again_and_again() {
    let folder = folder(&Setup::new().text());
    let at = folder.path().join("notify");
    let mut manager = Manager::new(&at);
    let daemon = Daemon::start_in(folder, "json", |command| {
        command.env("NOTIFY_SOCKET", &at).env("WATCHDOG_USEC", "60000");
    })
    .await;
    for _ in 0..5 {
        manager.hears("WATCHDOG=1").await;
    }
    assert_eq!(daemon.terminate().await, Some(0));
}

/// A socket that the service manager holds: the child inherits it under its number.
fn hand_over(command: &mut Command, listener: &TcpListener) {
    rustix::io::fcntl_setfd(listener, rustix::io::FdFlags::empty()).expect("a flag of an open socket");
    command.env("LISTEN_FDS", "1").env("LISTEN_FDS_FIRST_FD", listener.as_raw_fd().to_string());
}

/// A listener's socket, held for one process after the other.
struct Held {
    listener: TcpListener,
    at: SocketAddr,
    config: String,
}

impl Held {
    fn before(origin: &RawOrigin) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let at = listener.local_addr().expect("it is bound");
        let config = Setup::new().host(HOST, origin.addr()).text().replacen("127.0.0.1:0", &at.to_string(), 1);
        Self { listener, at, config }
    }

    async fn start(&self) -> Daemon {
        Daemon::start_in(folder(&self.config), "json", |command| hand_over(command, &self.listener)).await
    }
}

/// Whoever connects while no process is there waits for the next one; nobody is refused.
#[tokio::test]
async fn held_sockets_outlive_the_process() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let held = Held::before(&origin);
    let at = held.at;
    let first = held.start().await;
    assert_eq!(first.proxy, at);
    connect_tunnel(at, "api.imagicle.com:443").await.expect("it is allowed");
    assert_eq!(first.terminate().await, Some(0));
    let waiting = tokio::spawn(async move { connect_tunnel(at, "api.imagicle.com:443").await });
    let second = held.start().await;
    let mut client = waiting.await.expect("it was not refused").expect("it is allowed");
    let hello = client_hello(Some(HOST));
    client.send(&hello).await;
    assert_eq!(client.read_exact(hello.len()).await, hello);
    drop(second);
}

/// Two processes on one socket, while one takes over from the other: every connection is served by one of them.
#[tokio::test]
async fn a_new_process_takes_over_without_a_refusal() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let held = Held::before(&origin);
    let at = held.at;
    let first = held.start().await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let dialling = tokio::spawn(async move {
        let mut opened = 0_u32;
        while !*stopped.borrow() {
            connect_tunnel(at, "api.imagicle.com:443").await.unwrap_or_else(|refused| panic!("after {opened}: {refused:?}"));
            opened += 1;
        }
        opened
    });
    let second = held.start().await;
    assert_eq!(first.terminate().await, Some(0));
    connect_tunnel(at, "api.imagicle.com:443").await.expect("the second serves");
    stop.send_replace(true);
    let opened = dialling.await.expect("no connection was refused");
    assert!(opened > 10, "{opened} tunnels went by");
    drop(second);
}

/// A descriptor that is no listening socket is said, not guessed around.
#[tokio::test]
async fn what_is_no_socket_is_an_error() {
    let folder = folder(&Setup::new().text());
    let output = Command::new(BINARY)
        .args(["--config".as_ref(), folder.path().join("config.toml").as_os_str()])
        .env("LISTEN_FDS", "1")
        .env("LISTEN_FDS_FIRST_FD", "1")
        .output();
    let output = within_deadline("it ends", output).await.expect("the binary starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("socket of the service manager") && said.contains("ListenStream="), "{said}");
}
