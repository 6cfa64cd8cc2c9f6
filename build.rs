//! Tells the program which commit it was made from: `SOURCE_COMMIT`, or what git says, or "unknown". Runs again only when that changes.

use std::path::Path;
use std::process::Command;

/// Hexadecimal digits that are shown.
const SHOWN: usize = 12;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=SOURCE_COMMIT");
    let given = std::env::var("SOURCE_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = given.or_else(checked_out).filter(|commit| commit.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let shown = commit.as_deref().map_or("unknown", |commit| commit.get(..SHOWN).unwrap_or(commit));
    println!("cargo:rustc-env=UCX_EGRESS_COMMIT={shown}");
}

/// The commit of this checkout. A package inside somebody else's repository has none of its own.
fn checked_out() -> Option<String> {
    let root = std::env::var("CARGO_MANIFEST_DIR").ok()?;
    let is_own = Path::new(&git(&["rev-parse", "--show-toplevel"])?).canonicalize().ok()? == Path::new(&root).canonicalize().ok()?;
    if !is_own {
        return None;
    }
    // Commits and checkouts write here. A path that is not there would have cargo build anew each time.
    for path in ["HEAD", "logs/HEAD"].into_iter().filter_map(|name| git(&["rev-parse", "--git-path", name])) {
        if Path::new(&path).exists() {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
