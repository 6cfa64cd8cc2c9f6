//! What packages take from the program itself: its version, its manual, its completion.

use crate::support::client::within_deadline;
use crate::support::daemon::BINARY;
use std::path::Path;
use std::process::{Output, Stdio};
use tempfile::TempDir;
use tokio::process::Command;

/// Every verb, as `--help` lists them.
async fn verbs() -> Vec<String> {
    let help = said(&["--help"]).await;
    let commands = help.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("a list of commands");
    // What a verb is about goes on in deeper lines.
    let lines = commands.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    lines.filter_map(|line| line.split(' ').next()).filter(|verb| *verb != "help").map(str::to_owned).collect()
}

async fn output(mut command: Command) -> Output {
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
    within_deadline("the process ends", output).await.expect("the program starts")
}

/// What a run that succeeds prints.
async fn said(arguments: &[&str]) -> String {
    let mut command = Command::new(BINARY);
    command.args(arguments);
    let output = output(command).await;
    assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).expect("output is UTF-8")
}

#[tokio::test]
async fn the_version_names_commit_and_policy() {
    let built_in = said(&["--version"]).await;
    let rest = built_in.strip_prefix(&format!("ucx-egress {} (commit ", env!("CARGO_PKG_VERSION"))).unwrap_or_else(|| panic!("{built_in}"));
    let (commit, policy) = rest.split_once(", policy ").unwrap_or_else(|| panic!("{built_in}"));
    assert!(commit == "unknown" || (commit.len() == 12 && commit.bytes().all(|byte| byte.is_ascii_hexdigit())), "{built_in}");
    assert!(said(&["check"]).await.contains(&format!("hash {}", policy.trim_end_matches(")\n"))), "{built_in}");
    let strict = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/strict.toml").display().to_string();
    let strict = said(&["-V", "--config", &strict]).await;
    assert!(strict.starts_with(built_in.split(", policy").next().expect("a commit")) && strict != built_in, "{strict}");
}

#[tokio::test]
async fn the_manual_has_a_page_for_every_verb() {
    let page = said(&["man"]).await;
    for section in ["NAME", "SYNOPSIS", "OPTIONS", "SUBCOMMANDS", "SIGNALS", "EXIT STATUS", "ENVIRONMENT", "FILES"] {
        let is_there = page.lines().any(|line| line.strip_prefix(".SH ").is_some_and(|title| title.trim_matches('"') == section));
        assert!(is_there, "{section}: {page}");
    }
    let folder = TempDir::new().expect("a temporary folder");
    let into = folder.path().join("man1");
    said(&["man", "--directory", &into.display().to_string()]).await;
    let read = |name: &str| std::fs::read_to_string(into.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(read("ucx-egress.1"), page);
    let verbs = verbs().await;
    assert!(verbs.len() > 8, "{verbs:?}");
    for verb in verbs {
        assert!(page.contains(&format!("ucx\\-egress\\-{verb}(1)")), "{verb}");
        assert!(read(&format!("ucx-egress-{verb}.1")).contains(".TH"), "{verb}");
    }
    assert!(read("ucx-egress-explain.1").contains("URL|HOST:PORT"));
}

#[tokio::test]
async fn a_manual_that_cannot_be_written_says_where() {
    let mut command = Command::new(BINARY);
    command.args(["man", "--directory", "/dev/null/man1"]);
    let output = output(command).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/dev/null/man1"), "{output:?}");
}

/// What bash offers for the last of these words.
async fn offered(words: &[&str]) -> Vec<String> {
    let folder = TempDir::new().expect("a temporary folder");
    let script = folder.path().join("ucx-egress");
    std::fs::write(&script, said(&["completion", "bash"]).await).expect("the script is written");
    let (last, current, previous) = (words.len() - 1, words[words.len() - 1], words[words.len() - 2]);
    let ask = format!(
        "source {}; [[ $(complete -p ucx-egress) =~ -F\\ ([^ ]+) ]] || exit 1; COMP_WORDS=({}); COMP_CWORD={last}; ${{BASH_REMATCH[1]}} ucx-egress '{current}' '{previous}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script.display(),
        words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
    );
    let mut command = Command::new("bash");
    command.args(["--norc", "-c", &ask]);
    let output = output(command).await;
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn bash_completes_verbs_and_options() {
    assert_eq!(offered(&["ucx-egress", "doc"]).await, ["doctor"]);
    assert_eq!(offered(&["ucx-egress", "doctor", "--js"]).await, ["--json"]);
    assert_eq!(offered(&["ucx-egress", "policy", "export", "--format", "no"]).await, ["no-proxy"]);
    let verbs = verbs().await;
    let all = offered(&["ucx-egress", ""]).await;
    assert!(verbs.iter().all(|verb| all.contains(verb)), "{all:?}");
}

#[tokio::test]
async fn every_shell_has_a_completion() {
    for (shell, words) in [
        ("bash", "complete -F _ucx_egress"),
        ("zsh", "#compdef ucx-egress"),
        ("fish", "complete -c ucx-egress"),
        ("elvish", "edit:completion"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let script = said(&["completion", shell]).await;
        assert!(script.contains(words) && script.contains("doctor"), "{shell}");
    }
}
