//! Streams of decisions: they end when what let them in no longer does, and there are so many at once.

use crate::support::client::{RawClient, exchange, within_deadline};
use crate::support::daemon::Daemon;
use crate::support::passwords::{ALICE, ALICES, BOB, BOBS, Passwords, basic};
use crate::support::proxy::Setup;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use tempfile::TempDir;

const OLD: &str = "0123456789abcdef-old";
const NEW: &str = "0123456789abcdef-new";
/// Streams at once.
const MOST: usize = 16;

/// A stream that is opened, asked for by this name and with this field; else its status and body.
async fn watch(admin: SocketAddr, host: &str, field: &str) -> Result<RawClient, (u16, String)> {
    let mut client = RawClient::connect(admin).await;
    client.send(format!("GET /api/events HTTP/1.1\r\nHost: {host}\r\n{field}Connection: close\r\n\r\n").as_bytes()).await;
    let head = client.read_head().await;
    if head.status == 200 {
        return Ok(client);
    }
    let body = client.read_body(&head).await;
    Err((head.status, String::from_utf8(body).expect("text")))
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

fn account(user: (&str, &str)) -> String {
    basic(user).replace("Proxy-", "")
}

/// The streams are there, and show what happens.
async fn go_on(daemon: &Daemon, host: &str, watchers: &mut [&mut RawClient]) {
    exchange(daemon.proxy, format!("CONNECT {host}:443 HTTP/1.1\r\n\r\n").as_bytes()).await;
    for watcher in watchers {
        watcher.read_through(format!("{host}:443").as_bytes()).await;
        watcher.read_through(b"\n\n\r\n").await;
    }
}

/// It has ended, and in order: nothing more is in it.
async fn has_ended(client: &mut RawClient) {
    let rest = String::from_utf8(client.read_to_end().await).expect("text");
    assert!(rest.ends_with("0\r\n\r\n") && !rest.contains("data:"), "{rest:?}");
}

struct World {
    passwords: Passwords,
    folder: TempDir,
}

impl World {
    fn new() -> Self {
        let world = Self { passwords: Passwords::new(&[ALICE, BOB]), folder: TempDir::new().expect("a folder") };
        world.write_token(OLD);
        world
    }

    fn token_file(&self) -> PathBuf {
        self.folder.path().join("token")
    }

    fn write_token(&self, token: &str) {
        std::fs::write(self.token_file(), token).expect("the token is written");
        std::fs::set_permissions(self.token_file(), std::fs::Permissions::from_mode(0o600)).expect("its mode is set");
    }

    /// With these lines in `[admin]`; reloads come when they are asked for.
    fn text(&self, lines: &[&str]) -> String {
        let guarded = format!("token_file = \"{}\"\n{}", self.token_file().display(), self.passwords.line());
        let setup = Setup::new().section("[reload]\non_change = false").admin_line(&guarded);
        lines.iter().fold(setup, |setup, line| setup.admin_line(line)).text()
    }
}

#[tokio::test]
async fn a_stream_ends_with_the_token_or_the_account_that_opened_it() {
    let world = World::new();
    let mut daemon = Daemon::start(&world.text(&[])).await;
    let open = async |field: String| watch(daemon.admin, "localhost", &field).await.expect("it is let in");
    let (mut by_token, mut alice, mut bob) = (open(bearer(OLD)).await, open(account(ALICES)).await, open(account(BOBS)).await);
    assert_eq!(watch(daemon.admin, "localhost", &bearer(NEW)).await.expect_err("it is not the token yet").0, 401);

    // Nothing has changed for any of them.
    daemon.reload(&world.text(&[])).await;
    go_on(&daemon, "one.example", &mut [&mut by_token, &mut alice, &mut bob]).await;

    world.write_token(NEW);
    daemon.reload(&world.text(&[])).await;
    has_ended(&mut by_token).await;
    assert_eq!(watch(daemon.admin, "localhost", &bearer(OLD)).await.expect_err("it is the token no more").0, 401);
    go_on(&daemon, "two.example", &mut [&mut alice, &mut bob]).await;

    // The file is read again by itself.
    let mut by_token = watch(daemon.admin, "localhost", &bearer(NEW)).await.expect("it is the token now");
    world.passwords.write(&[BOB]);
    has_ended(&mut alice).await;
    go_on(&daemon, "three.example", &mut [&mut bob, &mut by_token]).await;
    daemon.terminate().await;
}

#[tokio::test]
async fn a_stream_ends_with_the_name_that_it_was_asked_for_by() {
    let named = "hosts = [\"admin.corp.example\", \"other.corp.example\"]";
    let world = World::new();
    let mut daemon = Daemon::start(&world.text(&[named])).await;
    let open = async |host: &str| watch(daemon.admin, host, &bearer(OLD)).await.expect("it is let in");
    let (mut taken_out, mut left) = (open("admin.corp.example").await, open("other.corp.example").await);
    daemon.reload(&world.text(&["hosts = [\"other.corp.example\"]"])).await;
    has_ended(&mut taken_out).await;
    go_on(&daemon, "one.example", &mut [&mut left]).await;
    daemon.terminate().await;
}

/// Until then nobody was asked for anything.
#[tokio::test]
async fn a_stream_ends_when_a_password_is_asked_for_from_now_on() {
    let world = World::new();
    let open = Setup::new().section("[reload]\non_change = false").text();
    let mut daemon = Daemon::start(&open).await;
    let mut watcher = watch(daemon.admin, "localhost", "").await.expect("nobody is asked");
    daemon.reload(&open).await;
    go_on(&daemon, "one.example", &mut [&mut watcher]).await;
    daemon.reload(&world.text(&[])).await;
    has_ended(&mut watcher).await;
    daemon.terminate().await;
}

#[tokio::test]
async fn one_watcher_too_many_is_told_so() {
    let proxy = Setup::new().start();
    let mut watchers = Vec::new();
    for _ in 0..MOST {
        watchers.push(watch(proxy.admin(), "localhost", "").await.expect("there is room"));
    }
    let (status, why) = watch(proxy.admin(), "localhost", "").await.expect_err("there is none");
    assert!(status == 503 && why.contains("16 pages watch") && why.contains("close one"), "{status} {why}");
    watchers.pop();
    within_deadline("a place", async { while watch(proxy.admin(), "localhost", "").await.is_err() {} }).await;
}
