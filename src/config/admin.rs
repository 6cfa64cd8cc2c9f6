//! `[admin]`: where the proxy shows itself, by which names, and to whom.

use super::parents::read_by_all;
use super::sections::{Text, loopback, socket_address};
use crate::access::Loaded;
use crate::admin::guard::Token;
use crate::destination::Host;
use crate::source::{self, Located, Source};
use serde::Deserialize;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::PathBuf;
use toml::Spanned;

/// The shortest token: one that nobody guesses.
const SHORTEST_TOKEN: usize = 16;

/// `[admin]`
#[derive(Debug, Clone, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    address: Option<Text>,
    hosts: Vec<Text>,
    htpasswd: Option<Text>,
    token_file: Option<Text>,
}

/// Who is shown anything, configured.
#[derive(Debug, Default)]
pub struct GuardConfig {
    /// Names of this machine, beside addresses and localhost.
    pub hosts: Vec<Host>,
    /// Names and passwords.
    pub accounts: Option<Loaded>,
    /// The token.
    pub token: Option<Token>,
    /// The file that holds it.
    pub token_file: Option<PathBuf>,
}

impl Admin {
    pub(super) fn span(&self) -> Range<usize> {
        self.address.as_ref().map_or(0..0, Spanned::span)
    }

    pub(super) fn address(&self, source: &Source) -> Result<SocketAddr, Located> {
        self.address.as_ref().map_or(Ok(loopback(9180)), |address| socket_address(source, address))
    }

    /// Whether it asks neither for a password nor for a token.
    pub(super) fn asks_nobody(&self) -> bool {
        self.htpasswd.is_none() && self.token_file.is_none()
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &String> {
        self.token_file.iter().map(Spanned::get_ref)
    }

    pub(super) fn guard(&self, source: &Source) -> Result<GuardConfig, Located> {
        let wrong = |key: &Text, name: &str, problem: String| source.error(key.span(), format!("{name}: {problem}"));
        let host = |text: &Text| {
            let read = Host::parse(text.get_ref().as_bytes());
            let form = |problem: String| wrong(text, "admin.hosts", format!("{problem}; write a name such as \"proxy.corp.example\""));
            read.map_err(|malformed| form(format!("{:?}: {malformed}", text.get_ref())))
        };
        let accounts =
            |key: &Text| Loaded::read(&source.path(key.get_ref())).map_err(|located| wrong(key, "admin.htpasswd", located.to_string()));
        let token = |key: &Text| token(source, key.get_ref()).map_err(|problem| wrong(key, "admin.token_file", problem));
        Ok(GuardConfig {
            hosts: self.hosts.iter().map(host).collect::<Result<_, _>>()?,
            accounts: self.htpasswd.as_ref().map(accounts).transpose()?,
            token: self.token_file.as_ref().map(token).transpose()?,
            token_file: self.token_file.as_ref().map(|file| source.path(file.get_ref())),
        })
    }
}

fn token(source: &Source, written: &str) -> Result<Token, String> {
    let path = source.path(written);
    let shown = path.display();
    let text = source::text(&path).map_err(|error| format!("{shown} cannot be read: {error}"))?;
    if read_by_all(&path) {
        return Err(format!("everybody on this machine can read {shown}; chmod 640 it"));
    }
    let secret = text.lines().next().unwrap_or_default();
    if secret.len() < SHORTEST_TOKEN || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!(
            "the first line of {shown} is no token of at least {SHORTEST_TOKEN} visible characters; `openssl rand -hex 32` makes one"
        ));
    }
    Ok(Token::new(secret))
}
