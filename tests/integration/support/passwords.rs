//! A password file, and requests with credentials.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::os::unix::fs::PermissionsExt as _;
use tempfile::TempDir;

/// An account with bcrypt, cheap enough for tests, and its password.
pub const ALICE: &str = "alice:$2y$04$SNXbGZumFEU860NP8ojgQ.GftKs.gNVInguHpPSvYyObBfjv0HcXK";
pub const ALICES: (&str, &str) = ("alice", "open sesame");
/// One with argon2.
pub const BOB: &str = "bob:$argon2id$v=19$m=256,t=2,p=1$c2FsdHNhbHQxMjM0$IyImM6JPYxz2+59HVWpfnwYxjt9+o2jlIF3EVbYF5P0";
pub const BOBS: (&str, &str) = ("bob", "looking glass");

/// The file; it goes when dropped.
pub struct Passwords {
    folder: TempDir,
}

impl Passwords {
    pub fn new(accounts: &[&str]) -> Self {
        let passwords = Self { folder: TempDir::new().expect("a temporary folder") };
        passwords.write(accounts);
        passwords
    }

    /// Puts another file in its place, as tools do.
    pub fn write(&self, lines: &[&str]) {
        let (new, file) = (self.folder.path().join("new"), self.folder.path().join("htpasswd"));
        std::fs::write(&new, lines.join("\n")).expect("the file is written");
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o600)).expect("its mode is set");
        std::fs::rename(&new, &file).expect("the file is replaced");
    }

    /// The line that names it.
    pub fn line(&self) -> String {
        format!("htpasswd = \"{}\"", self.folder.path().join("htpasswd").display())
    }

    /// The section that names it.
    pub fn section(&self) -> String {
        format!("[clients]\n{}", self.line())
    }
}

/// A header line with credentials.
pub fn basic((user, password): (&str, &str)) -> String {
    format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(format!("{user}:{password}")))
}
