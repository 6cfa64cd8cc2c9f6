//! A change of the files is enough: of the configuration, of the policy that it names, of links that are swapped.

use super::{A, B, allowing, both, echoing, refusal};
use crate::support::client::within_deadline;
use crate::support::daemon::{Daemon, IN_FORCE, NOT_TAKEN};
use crate::support::origin::{Behaviour, RawOrigin};
use crate::support::policy::{service, text};
use std::fs;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::interval;

/// `O_NONBLOCK` (open(2)).
const NON_BLOCKING: i32 = 0o4000;

fn policy(hosts: &[&str]) -> String {
    let endpoints: Vec<_> = hosts.iter().map(|host| (*host, 443, "https")).collect();
    text(&service("site", "personal_data = \"unstated\"", &endpoints))
}

#[tokio::test]
async fn a_new_configuration_file_is_noticed() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let (before, after) = (allowing(&[(A, 443, "https")]), allowing(&[(B, 443, "https")]));
    let mut daemon = Daemon::start(&both(origin.addr()).policy(before).text()).await;
    let after = both(origin.addr()).policy(after);
    daemon.rewrite(&after.text());
    daemon.wait_for_said(IN_FORCE, 1).await;
    assert_eq!(refusal(daemon.proxy, A).await, "host_not_allowed");
    echoing(daemon.proxy, B).await;
}

#[tokio::test]
async fn a_new_policy_file_is_noticed_and_a_broken_one_tried_once() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let folder = TempDir::new().expect("a temporary folder");
    let file = folder.path().join("policy.toml");
    fs::write(&file, policy(&[A])).expect("the policy is written");
    let config = both(origin.addr()).section(&format!("[policy]\nfile = \"{}\"", file.display())).text();
    let mut daemon = Daemon::start(&config).await;
    fs::write(&file, "format = 1\nnmae = \"site\"\n").expect("the policy is written");
    daemon.wait_for_said(NOT_TAKEN, 1).await;
    echoing(daemon.proxy, A).await;
    fs::write(&file, policy(&[B])).expect("the policy is written");
    daemon.wait_for_said(IN_FORCE, 1).await;
    assert_eq!(refusal(daemon.proxy, A).await, "host_not_allowed");
    assert_eq!(daemon.said(NOT_TAKEN).len(), 1, "what did not change was not tried again");
}

/// Kubernetes mounts a `ConfigMap` as links through `..data`, a link to a folder that is swapped as a whole.
#[tokio::test]
async fn a_swap_of_mounted_files_is_noticed() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let folder = TempDir::new().expect("a temporary folder");
    let mount = |name: &str, hosts: &[&str]| {
        let version = folder.path().join(name);
        fs::create_dir(&version).expect("a folder");
        let config = both(origin.addr()).section("[policy]\nfile = \"policy.toml\"").text() + "\n[log]\nformat = \"json\"\n";
        fs::write(version.join("config.toml"), config).expect("the configuration is written");
        fs::write(version.join("policy.toml"), policy(hosts)).expect("the policy is written");
    };
    mount("..2026_01", &[A]);
    let link = |to: &str, at: &str| symlink(to, folder.path().join(at)).expect("a link");
    link("..2026_01", "..data");
    link("..data/config.toml", "config.toml");
    link("..data/policy.toml", "policy.toml");
    let at: &Path = folder.path();
    let at = at.to_path_buf();
    mount("..2026_02", &[B]);
    let mut daemon = Daemon::start_in(folder, "json", |_| {}).await;
    echoing(daemon.proxy, A).await;
    symlink("..2026_02", at.join("..data_tmp")).expect("a link");
    fs::rename(at.join("..data_tmp"), at.join("..data")).expect("the swap");
    daemon.wait_for_said(IN_FORCE, 1).await;
    assert_eq!(refusal(daemon.proxy, A).await, "host_not_allowed");
    echoing(daemon.proxy, B).await;
}

/// With `on_change = false` only SIGHUP reloads: what was written before it is in force after it, and not until then.
#[tokio::test]
async fn a_change_can_be_left_to_the_signal() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let setup = |host| both(origin.addr()).policy(allowing(&[(host, 443, "https")])).section("[reload]\non_change = false");
    let mut daemon = Daemon::start(&setup(A).text()).await;
    let after = setup(B);
    daemon.reload(&after.text()).await;
    echoing(daemon.proxy, B).await;
    assert_eq!(daemon.said("reading the configuration again").len(), 1);
    assert_eq!(daemon.said("reading the configuration again")[0]["cause"], "Asked");
}

/// The files of a configuration that was not taken are looked at as well: mending one of them is enough.
#[tokio::test]
async fn mending_a_file_that_only_the_rejected_configuration_names_is_noticed() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let folder = TempDir::new().expect("a temporary folder");
    let (first, second) = (folder.path().join("first.toml"), folder.path().join("second.toml"));
    fs::write(&first, policy(&[A])).expect("the policy is written");
    fs::write(&second, "format = 1\nnmae = \"site\"\n").expect("the policy is written");
    let config = |file: &Path| both(origin.addr()).section(&format!("[policy]\nfile = \"{}\"", file.display())).text();
    let mut daemon = Daemon::start(&config(&first)).await;
    daemon.rewrite(&config(&second));
    daemon.wait_for_said(NOT_TAKEN, 1).await;
    fs::write(&second, policy(&[B])).expect("the policy is written");
    daemon.wait_for_said(IN_FORCE, 1).await;
    assert_eq!(refusal(daemon.proxy, A).await, "host_not_allowed");
    assert_eq!(daemon.said(NOT_TAKEN).len(), 1, "what did not change was not tried again");
}

/// Waits until somebody has opened a pipe to read: before that it cannot be opened to write, and what can is given.
async fn reader_of(pipe: &Path) -> fs::File {
    let mut pause = interval(Duration::from_millis(5));
    loop {
        if let Ok(writer) = fs::OpenOptions::new().write(true).custom_flags(NON_BLOCKING).open(pipe) {
            return writer;
        }
        pause.tick().await;
    }
}

/// Nobody writes into the pipe that is named as one of the files: the reading never ends, the proxy does.
#[tokio::test]
async fn a_file_that_does_not_answer_does_not_keep_it_from_stopping() {
    let origin = RawOrigin::scripted(Behaviour::Echo).await;
    let setup = || both(origin.addr()).section("[reload]\non_change = false");
    for section in [
        "[policy]\nfile = \"pipe\"",
        "[interception]\nca_certificate = \"pipe\"\nca_key = \"other\"",
        "[listener.tls]\ncertificate = \"pipe\"\nkey = \"other\"",
    ] {
        let mut daemon = Daemon::start(&setup().text()).await;
        let pipe = daemon.folder().join("pipe");
        let other = daemon.folder().join("other");
        fs::write(&other, "")
            .and_then(|()| fs::set_permissions(&other, fs::Permissions::from_mode(0o600)))
            .expect("the other file is written");
        assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
        daemon.rewrite(&setup().section(section).text());
        daemon.hang_up();
        daemon.wait_for_said("reading the configuration again", 1).await;
        let _writer = within_deadline(section, reader_of(&pipe)).await;
        assert_eq!(within_deadline("the end", daemon.terminate()).await, Some(0), "{section}");
    }
}
