//! Files that hold secrets: who may read them, and who owns them.

use super::line::{Area, Line};
use crate::config::Config;
use crate::tls::authority::check_key_file;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Everybody on the machine.
const OTHERS: u32 = 0o007;
/// Everybody but the owner.
const NOT_OWNER: u32 = 0o077;

/// A line for each.
pub(super) fn lines(config: &Config) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(section) = &config.interception {
        lines.push(ca_key(&section.paths.key));
    }
    let tls = config.listener.tls.as_ref().map(|tls| (&*tls.files.key, "the private key of listener.tls"));
    let passwords = config.access.as_ref().map(|access| (&*access.file.path, "the password file of clients.htpasswd"));
    let parents = config.parent_password_file.as_deref().map(|file| (file, "the password for the parent proxy"));
    let admins = config.guard.accounts.as_ref().map(|accounts| (&*accounts.path, "the password file of admin.htpasswd"));
    let token = config.guard.token_file.as_deref().map(|file| (file, "the token of admin.token_file"));
    lines.extend([tls, passwords, admins, token, parents].into_iter().flatten().map(|(path, what)| secret(path, what)));
    if let Some(audit) = &config.audit {
        lines.extend(audit.key.exists().then(|| only_own(&audit.key, "the key that signs audit files")));
        lines.push(folder(&audit.folder, "audit files"));
    }
    if lines.is_empty() {
        lines.push(Line::ok(Area::Files, "secrets", "the configuration names no file that holds one"));
    }
    lines
}

/// By the rules without which the proxy does not start.
fn ca_key(path: &Path) -> Line {
    match check_key_file(path) {
        Ok(()) => Line::ok(Area::Files, path.display().to_string(), seen(path, "the CA's key")),
        Err(unusable) => Line::fail(Area::Files, path.display().to_string(), "").sentence(&unusable.0, "see `ucx-egress ca show`"),
    }
}

fn secret(path: &Path, what: &str) -> Line {
    let subject = path.display().to_string();
    match path.metadata() {
        Err(error) => Line::fail(Area::Files, subject, format!("{what} cannot be looked at: {error}"))
            .remedy("check the path, and that the proxy's user may enter the folder"),
        Ok(file) if file.mode() & OTHERS != 0 => {
            let mode = file.mode() & 0o777;
            Line::fail(Area::Files, subject, format!("{what}: everybody on this machine may read or change it (mode {mode:03o})"))
                .remedy(format!("chmod 640 {0}, or 600; and give it the proxy's user or group", path.display()))
        }
        Ok(_) => Line::ok(Area::Files, subject, seen(path, what)),
    }
}

/// What the proxy takes only if nobody else may read it.
fn only_own(path: &Path, what: &str) -> Line {
    let (subject, mode) = (path.display().to_string(), path.metadata().map_or(0, |file| file.mode() & 0o777));
    if mode & NOT_OWNER == 0 {
        return Line::ok(Area::Files, subject, seen(path, what));
    }
    Line::fail(Area::Files, &*subject, format!("{what}: can be read by others (mode {mode:03o})")).remedy(format!("chmod 600 {subject}"))
}

/// Where files are written: the last part of the path is made, what is above it is not.
fn folder(path: &Path, what: &str) -> Line {
    let subject = path.display().to_string();
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.is_dir() {
        Line::ok(Area::Files, subject, seen(path, what))
    } else if !path.exists() && above.is_dir() {
        Line::ok(Area::Files, subject, format!("{what}: the folder is made at the start"))
    } else {
        Line::fail(Area::Files, subject, format!("{what}: there is no such folder, and none above it to make it in"))
            .remedy("mount the volume, or create the folder for the proxy's user, mode 700")
    }
}

/// Mode and owner: whether that is the proxy's user is for the reader to see.
fn seen(path: &Path, what: &str) -> String {
    let facts = path.metadata().map(|file| format!("mode {:03o}, user {}, group {}", file.mode() & 0o777, file.uid(), file.gid()));
    format!("{what}: {}", facts.unwrap_or_default())
}
