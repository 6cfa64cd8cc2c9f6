//! Machines that are not as they should be: too few descriptors, addresses that are not there, folders that cannot be written, an admin
//! listener in the open.

use super::as_expected;
use crate::support::client::{RawClient, client_hello, connect_tunnel, within_deadline};
use crate::support::daemon::{BINARY, Daemon};
use crate::support::origin::{Behaviour, RawOrigin};
use crate::support::passwords::{ALICE, Passwords};
use crate::support::proxy::Setup;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::process::Command;

const HOST: &str = "api.imagicle.com";

/// What keeps the proxy from starting, and words of what it says: the key, and what to do.
const STARTS: &[(&str, &str, &[&str])] = &[
    ("an address of another machine", "[listener]\naddress = \"192.0.2.1:0\"", &["listener.address 192.0.2.1:0", "no such address"]),
    ("an IPv6 address that is not there", "[listener]\naddress = \"[2001:db8::1]:0\"", &["listener.address [2001:db8::1]:0", "write"]),
    ("the same for admin", "[admin]\naddress = \"192.0.2.1:0\"", &["admin.address 192.0.2.1:0", "no such address"]),
    ("a file system that takes no audit", "[audit]\npath = \"/proc/audit\"", &["/proc/audit", "mode 700"]),
    ("a folder that takes nothing observed", "[policy]\nmode = \"observe\"\nobserved = \"/proc/observed.json\"", &["/proc/observed.json"]),
    ("no file of passwords", "[clients]\nhtpasswd = \"/nowhere/htpasswd\"", &["c.toml:2:12", "/nowhere/htpasswd"]),
    ("no token", "[admin]\ntoken_file = \"/nowhere/token\"", &["c.toml:2:14", "/nowhere/token"]),
    ("no policy", "[policy]\nfile = \"/nowhere/policy.toml\"", &["c.toml:2:8", "/nowhere/policy.toml"]),
    ("no CA", "[interception]\nca_certificate = \"/nowhere/a\"\nca_key = \"/nowhere/b\"", &["c.toml:2:18", "ca init"]),
    ("no certificate", "[listener.tls]\ncertificate = \"/nowhere/a\"\nkey = \"/nowhere/b\"", &["/nowhere/"]),
];

#[tokio::test]
async fn what_keeps_it_from_starting_is_said_with_place_and_remedy() {
    let mut wrong = Vec::new();
    for (what, text, words) in STARTS {
        let folder = TempDir::new().expect("a folder");
        let file = folder.path().join("c.toml");
        // What a case does not set is out of the way of other tests.
        let free = |section: &str| if text.contains(section) { String::new() } else { format!("{section}\naddress = \"127.0.0.1:0\"\n") };
        std::fs::write(&file, format!("{text}\n{}{}", free("[listener]"), free("[admin]"))).expect("written");
        let mut command = Command::new(BINARY);
        command.arg("--config").arg(&file).arg("run").stdin(Stdio::null()).env_remove("RUST_LOG").kill_on_drop(true);
        let output = within_deadline("the process ends", command.output()).await.expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // The log may be written behind it.
        let last = said.lines().find(|line| line.starts_with("ucx-egress: ")).unwrap_or_default().to_owned();
        if output.status.code() != Some(2) || !words.iter().all(|word| last.contains(word)) || said.contains("panicked") {
            wrong.push(format!("{what}: {:?} {said}", output.status.code()));
        }
    }
    as_expected(STARTS.len(), "starts", &wrong);
}

fn limits_of(daemon: &Daemon) -> (String, String) {
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", daemon.pid())).expect("the process runs");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("there is one");
    let mut words = line.split_whitespace().skip(3).map(str::to_owned);
    (words.next().expect("soft"), words.next().expect("hard"))
}

#[tokio::test]
async fn the_soft_limit_of_descriptors_is_raised_to_the_hard_one() {
    let daemon = Daemon::start_after(&Setup::new().text(), "ulimit -S -n 128").await;
    let (soft, hard) = limits_of(&daemon);
    assert_eq!(soft, hard);
    assert_ne!(soft, "128");
}

/// Two connections for each that is served and some for everything else: whoever comes beyond is told so, nobody waits in vain, and the
/// start says which limit to raise.
#[tokio::test]
async fn more_connections_than_descriptors_are_refused_and_said() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    for (wanted, needed) in [("[limits]\nmax_connections = 5000", "LimitNOFILE=10400"), ("", "LimitNOFILE=2400")] {
        let text = Setup::new().host(HOST, origin.addr()).section(wanted).text();
        let mut daemon = Daemon::start_after(&text, "ulimit -n 406").await;
        let is_it = |line: &Value| line["level"] == "WARN" && line["message"].as_str().is_some_and(|said| said.contains(needed));
        let said = daemon.wait_for_line("the warning", is_it).await;
        assert_eq!(said["served"], 3, "{said}");
        let listening = daemon.wait_for_line("the listeners", |line| line["message"] == "listening").await;
        assert_eq!(listening["max_connections"], 3, "{listening}");
        let hello = client_hello(Some(HOST));
        let mut served = Vec::new();
        for _ in 0..3 {
            let mut client = connect_tunnel(daemon.proxy, &format!("{HOST}:443")).await.expect("there is room");
            client.send(&hello).await;
            client.read_exact(hello.len()).await;
            served.push(client);
        }
        for _ in 0..50 {
            let mut beyond = RawClient::connect(daemon.proxy).await;
            let said = String::from_utf8_lossy(&beyond.read_until_closed().await.0).into_owned();
            assert!(
                said.starts_with("HTTP/1.1 503 ") && said.contains("\"reason\": \"overloaded\"") && said.contains("descriptors"),
                "{said}"
            );
        }
        assert_eq!(daemon.terminate().await, Some(0));
    }
}

/// Addresses of the admin listener, and whether they are open to whoever reaches them.
const ADMINS: &[(&str, bool)] = &[
    ("127.0.0.1:0", false),
    ("127.1.2.3:0", false),
    ("[::1]:0", false),
    ("[::ffff:127.0.0.1]:0", false),
    ("0.0.0.0:0", true),
    ("[::]:0", true),
    ("10.0.0.5:0", true),
    ("[fe80::1]:0", true),
    ("[::ffff:10.0.0.5]:0", true),
];

#[test]
fn an_admin_listener_in_the_open_that_asks_nobody_is_told() {
    let folder = TempDir::new().expect("a folder");
    let token = folder.path().join("token");
    std::fs::write(&token, "0123456789abcdef0123456789abcdef\n").expect("written");
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).expect("set");
    let passwords = Passwords::new(&[ALICE]);
    let token = format!("token_file = \"{}\"", token.display());
    let guards = [("", true), (token.as_str(), false), (&passwords.line(), false), ("hosts = [\"proxy.corp\"]", true)];
    let mut wrong = Vec::new();
    for (address, is_open) in ADMINS {
        for (guard, asks_nobody) in guards {
            let text = format!("[admin]\naddress = \"{address}\"\n{guard}\n");
            let config = ucx_egress::config::Config::read(&ucx_egress::source::Source::embedded("c.toml", &text));
            let config = config.unwrap_or_else(|error| panic!("{error}"));
            let told = config.warnings.iter().filter(|warning| warning.message.starts_with("admin.address is on the network")).count();
            if told != usize::from(*is_open && asks_nobody) {
                wrong.push(format!("{address} {guard}: {:?}", config.warnings));
            }
        }
    }
    as_expected(ADMINS.len() * guards.len(), "admin listeners", &wrong);
}

/// Whoever starts it at night reads it in the log.
#[tokio::test]
async fn an_open_admin_listener_is_in_the_log_of_the_start() {
    let text = Setup::new().text().replace("[admin]\naddress = \"127.0.0.1:0\"", "[admin]\naddress = \"0.0.0.0:0\"");
    let mut daemon = Daemon::start(&text).await;
    let is_it = |line: &Value| line["message"].as_str().is_some_and(|said| said.contains("admin.token_file, or listen on 127.0.0.1"));
    let said = daemon.wait_for_line("the warning", is_it).await;
    assert_eq!(said["level"], "WARN", "{said}");
    assert!(said["place"].as_str().is_some_and(|place| place.contains("config.toml:")), "{said}");
}

/// Run by somebody else, the proxy does not take a key that another user could change.
#[tokio::test]
async fn a_key_of_another_user_is_refused_at_the_start() {
    let folder = TempDir::new_in("/tmp").expect("a folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("set");
    let (file, binary) = (folder.path().join("c.toml"), folder.path().join("ucx-egress"));
    let text = "[listener]\naddress = \"127.0.0.1:0\"\n[admin]\naddress = \"127.0.0.1:0\"\n[interception]\nca_certificate = \"ca.pem\"\nca_key = \"ca.key\"\n";
    std::fs::write(&file, text).expect("written");
    std::fs::copy(BINARY, &binary).expect("copied to where others may run it");
    let run = async |verb: &[&str], user: Option<u32>| {
        let mut command = Command::new(&binary);
        command.arg("--config").arg(&file).args(verb).stdin(Stdio::null()).kill_on_drop(true);
        if let Some(user) = user {
            command.uid(user);
        }
        let output = within_deadline("the process ends", command.output()).await.expect("it starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(run(&["ca", "init"], None).await.0, Some(0));
    assert_eq!(run(&["check"], None).await.0, Some(0), "its owner may");
    if rustix::process::geteuid().is_root() {
        let (code, said) = run(&["check"], Some(65_534)).await;
        assert!(code == Some(2) && said.contains("ca.key belongs to another user") && said.contains("chown"), "{code:?} {said}");
    } else {
        // Nobody but the administrator can become somebody else; the rule itself is tried beside the code, for every pair of users.
        println!("hostile: not root, tried as its owner only");
    }
}
