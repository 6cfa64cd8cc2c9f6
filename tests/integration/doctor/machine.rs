//! Files, descriptors, listeners, and the proxy that runs.

use super::{Cloud, alone, examine};
use crate::support::client::{exchange, within_deadline};
use crate::support::daemon::Daemon;
use crate::support::intercept::Ca;
use crate::support::origin::HttpOrigin;
use crate::support::passwords::{ALICE, Passwords};
use crate::support::pki::Pki;
use crate::support::proxy::Setup;
use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tempfile::TempDir;

fn set_mode(file: &Path, mode: u32) {
    std::fs::set_permissions(file, Permissions::from_mode(mode)).expect("the mode is set");
}

#[tokio::test]
async fn a_ca_key_that_others_can_read_fails() {
    let ca = Ca::new(&Pki::new(), &["api.imagicle.com"]);
    let text = ca.configure(alone("")).text();
    let key = ca.path("ca.key");
    let found = examine(&text, &[]).await;
    found.says("files", &key.display().to_string(), "ok", "mode 600, user ", "");
    found.says("policy", "interception", "ok", "on for api.imagicle.com; CA valid to ", "");
    set_mode(&key, 0o644);
    let found = examine(&text, &[]).await;
    found.says("files", &key.display().to_string(), "fail", "can be read by others (mode 644)", "chmod 600");
    found.says("policy", "interception", "skip", "see files", "");
}

#[tokio::test]
async fn a_ca_that_does_not_fit_fails() {
    let ca = Ca::new(&Pki::new(), &["other.imagicle.com"]);
    let found = examine(&ca.configure(alone("")).text(), &[]).await;
    found.says("policy", "interception", "fail", "may not sign for api.imagicle.com", "ca init");
}

#[tokio::test]
async fn secrets_that_everybody_can_read_fail() {
    let (folder, passwords, pki) = (TempDir::new().expect("a temporary folder"), Passwords::new(&[ALICE]), Pki::new());
    let (certificate, key, password) = (folder.path().join("t.pem"), folder.path().join("t.key"), folder.path().join("parent"));
    let leaf = pki.leaf(&["proxy.example"]);
    for (file, text) in [(&certificate, leaf.certificate_pem()), (&key, leaf.key_pem()), (&password, "sesame\n".to_owned())] {
        std::fs::write(file, text).expect("the file is written");
        set_mode(file, 0o600);
    }
    let text = Setup::new()
        .listener_line(&format!("[listener.tls]\ncertificate = \"{}\"\nkey = \"{}\"", certificate.display(), key.display()))
        .upstream_line("parent = \"http://ucx@127.0.0.1:9\"")
        .upstream_line(&format!("parent_password_file = \"{}\"", password.display()))
        .section(&passwords.section())
        .text();
    let htpasswd = text.lines().find_map(|line| line.strip_prefix("htpasswd = \"")?.strip_suffix('"')).expect("it is named").to_owned();
    let files = [&*key.display().to_string(), &htpasswd, &password.display().to_string()].map(str::to_owned);
    let found = examine(&text, &[]).await;
    for file in &files {
        found.says("files", file, "ok", "mode 600", "");
    }
    for file in &files {
        set_mode(Path::new(file), 0o644);
    }
    let found = examine(&text, &[]).await;
    for file in &files {
        found.says("files", file, "fail", "everybody on this machine", "chmod 640");
    }
    // Said of the files, and not again of the configuration.
    assert_eq!(found.checks.iter().filter(|line| line["area"] == "policy" && line["level"] == "warn").count(), 0, "{}", found.text);
    assert!(!found.text.contains("sesame"), "{}", found.text);
}

/// Whoever may write to it decides who is let in, also where reading it is refused.
#[tokio::test]
async fn what_guards_the_admin_page_is_a_secret_too() {
    let folder = TempDir::new().expect("a temporary folder");
    let (htpasswd, token) = (folder.path().join("admins"), folder.path().join("token"));
    std::fs::write(&htpasswd, ALICE).expect("the file is written");
    std::fs::write(&token, "0123456789abcdef0123456789abcdef\n").expect("the file is written");
    let admin = format!("[admin]\nhtpasswd = \"{}\"\ntoken_file = \"{}\"\n", htpasswd.display(), token.display());
    let text = alone("").text().replace("[admin]\n", &admin);
    for (mode, level, seen, remedy) in [(0o600, "ok", "mode 600", ""), (0o602, "fail", "everybody on this machine", "chmod 640")] {
        set_mode(&htpasswd, mode);
        set_mode(&token, mode);
        let found = examine(&text, &[]).await;
        found.says("files", &htpasswd.display().to_string(), level, seen, remedy);
        found.says("files", &token.display().to_string(), level, seen, remedy);
        assert!(!found.text.contains("0123456789abcdef"), "{}", found.text);
    }
}

#[tokio::test]
async fn descriptors_are_held_against_the_connections_wanted() {
    let few = examine(&(alone("").text() + "max_connections = 100"), &[]).await;
    few.says("process", "file descriptors", "ok", "enough for limits.max_connections = 100", "");
    let many = examine(&(alone("").text() + "max_connections = 2000000000"), &[]).await;
    many.says("process", "file descriptors", "fail", "too few for limits.max_connections", "LimitNOFILE=4000000400");
}

#[tokio::test]
async fn a_port_that_is_taken_is_told_from_one_that_the_proxy_has_itself() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address");
    let text = alone("").text().replacen("127.0.0.1:0", &address.to_string(), 1);
    let found = examine(&text, &[]).await;
    found.says("listener", "listener.address", "fail", "in use", "choose another port");
    found.says("admin", "127.0.0.1:0", "skip", "port 0", "");
}

#[tokio::test]
async fn the_proxy_that_runs_is_asked() {
    let cloud = Cloud::start().await;
    let daemon = Daemon::start(&cloud.with_hosts().text()).await;
    let text = alone("").text().replacen("127.0.0.1:0", &daemon.proxy.to_string(), 1);
    let text = text.replacen("127.0.0.1:0", &daemon.admin.to_string(), 1);
    let found = examine(&text, &[]).await;
    found.says("admin", &daemon.admin.to_string(), "ok", "runs and is ready", "");
    found.says("listener", "listener.address", "ok", "by the proxy that runs here", "");
    found.says("process", "file descriptors", "ok", "the running proxy's", "");
    let found = examine(&format!("{text}\n[policy]\nprofile = \"strict\"\n"), &[]).await;
    found.says("admin", &daemon.admin.to_string(), "warn", "another policy", "reload it");
    // Where nobody listens any more.
    daemon.terminate().await;
    let found = examine(&text, &[]).await;
    found.says("admin", "127.0.0.1:", "skip", "none runs", "");
}

#[tokio::test]
async fn an_admin_address_that_another_program_has_fails() {
    let other = HttpOrigin::start().await;
    let text = alone("").text().replace("[admin]\naddress = \"127.0.0.1:0\"", &format!("[admin]\naddress = \"{}\"", other.addr()));
    let found = examine(&text, &[]).await;
    found.says("admin", &other.addr().to_string(), "fail", "no ucx-egress", "admin.address");
    found.says("listener", "admin.address", "fail", "in use", "choose another port");
}

#[tokio::test]
async fn the_audit_needs_its_folder_and_a_key_of_its_own() {
    let folder = TempDir::new().expect("a temporary folder");
    let (there, key) = (folder.path().join("audit"), folder.path().join("audit/audit.key"));
    let text = alone(&format!("[audit]\npath = \"{}\"", there.display())).text();
    let subject = there.display().to_string();
    examine(&text, &[]).await.says("files", &subject, "ok", "made at the start", "");
    std::fs::create_dir(&there).expect("a folder");
    std::fs::write(&key, "a key").expect("a file");
    set_mode(&key, 0o640);
    let found = examine(&text, &[]).await;
    found.says("files", &key.display().to_string(), "fail", "can be read by others (mode 640)", "chmod 600");
    set_mode(&key, 0o600);
    let found = examine(&text, &[]).await;
    found.says("files", &key.display().to_string(), "ok", "mode 600", "");
    let gone = alone("[audit]\npath = \"/nowhere/at/all\"").text();
    examine(&gone, &[]).await.says("files", "/nowhere/at/all", "fail", "no such folder", "mount the volume");
}

#[tokio::test]
async fn a_proxy_that_shows_itself_to_few_is_known_all_the_same() {
    let passwords = Passwords::new(&[ALICE]);
    let file = passwords.section().replace("[clients]\n", "");
    let guarded = |text: &str| text.replacen("[admin]\n", &format!("[admin]\n{file}\n"), 1);
    let daemon = Daemon::start(&guarded(&alone("").text())).await;
    let text = alone("").text().replace("[admin]\naddress = \"127.0.0.1:0\"", &format!("[admin]\naddress = \"{}\"", daemon.admin));
    let found = examine(&guarded(&text), &[]).await;
    found.says("admin", &daemon.admin.to_string(), "ok", "wants a password or a token", "");
    found.says("listener", "admin.address", "ok", "by the proxy that runs here", "");
    let htpasswd = file.trim_start_matches("htpasswd = \"").trim_end_matches('"');
    found.says("files", htpasswd, "ok", "admin.htpasswd: mode 600", "");
}

/// Also by one that shows health only.
#[tokio::test]
async fn a_proxy_that_refuses_everything_for_its_audit_says_so() {
    let folder = TempDir::new().expect("a temporary folder");
    let (audit, away, passwords) = (folder.path().join("audit"), folder.path().join("away"), Passwords::new(&[ALICE]));
    for guarded in ["", &passwords.line()] {
        let setup = alone(&format!("[audit]\npath = \"{}\"\nflush = \"50ms\"", audit.display())).admin_line(guarded);
        let daemon = Daemon::start(&setup.text()).await;
        let text = setup.text().replace("[admin]\naddress = \"127.0.0.1:0\"", &format!("[admin]\naddress = \"{}\"", daemon.admin));
        std::fs::rename(&audit, &away).expect("renamed");
        let is_ready = async || exchange(daemon.admin, b"GET /readyz HTTP/1.0\r\n\r\n").await.0.status == 200;
        let finding_out = async {
            while is_ready().await {
                // A record is what finds out.
                exchange(daemon.proxy, b"CONNECT example.org:443 HTTP/1.1\r\n\r\n").await;
            }
        };
        within_deadline("it is not ready", finding_out).await;
        let found = examine(&text, &[]).await;
        found.says("admin", &daemon.admin.to_string(), "warn", "not ready: every exchange is refused", "log");
        std::fs::rename(&away, &audit).expect("renamed");
        daemon.terminate().await;
    }
}
