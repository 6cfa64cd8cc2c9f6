//! `check`: what is in force, and what can never act.

use super::{OK, failed, load, print};
use crate::audit::writer::Settings;
use crate::config::Config;
use crate::config::shown::shown;
use crate::tls::reception::Reception;
use std::path::Path;

/// Loads everything that `run` would and prints it.
#[must_use]
pub fn main(config: Option<&Path>) -> u8 {
    let config = match load(config) {
        Ok(config) => config,
        Err(code) => return code,
    };
    if let Err(problem) = usable(&config) {
        return failed(problem);
    }
    match shown(&config) {
        Ok(text) => {
            print(&text);
            OK
        }
        Err(problem) => failed(problem),
    }
}

/// What `run` reads and writes besides the configuration, looked at without being touched.
fn usable(config: &Config) -> Result<(), String> {
    if let Some(tls) = &config.listener.tls {
        Reception::load(tls.files.clone()).map_err(|problem| format!("{}: {problem}", tls.place))?;
    }
    config.audit.as_ref().map_or(Ok(()), has_folder)
}

/// The audit's folder is there, or can be made in the one around it.
fn has_folder(audit: &Settings) -> Result<(), String> {
    let wrong = |problem: &str| Err(format!("{}: audit.path: {} {problem}", audit.place, audit.folder.display()));
    if audit.folder.is_dir() {
        return Ok(());
    }
    if audit.folder.exists() {
        return wrong("is no folder; name one, or what is to become one");
    }
    let around = audit.folder.parent().filter(|around| !around.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    if around.is_dir() { Ok(()) } else { wrong("cannot be made: there is no folder around it; make that first") }
}
