//! The htpasswd file: a line `name:hash` for each account, comments behind `#`.

use super::hash::Hash;
use crate::source::{Located, Source};
use crate::stamp::Stamp;
use std::collections::HashMap;
use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How an account is made that is accepted.
const REMEDY: &str = "write the entry anew with `htpasswd -B FILE NAME` (bcrypt), or as NAME:$argon2id$…";
/// Longest name, in bytes.
const MAX_NAME: usize = 255;
/// Mode bits by which everybody on the machine reads or changes a file.
const OTHERS: u32 = 0o006;

/// The accounts of a file.
pub struct Accounts {
    accounts: HashMap<Arc<str>, Hash>,
    /// One for every account, as costly as it: what is rare among them is as rare among names that do not exist.
    stand_ins: Vec<Hash>,
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").field("count", &self.accounts.len()).finish_non_exhaustive()
    }
}

impl Accounts {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// On the first entry that is not taken, with its line. Nothing of the entry is repeated.
    pub fn read(source: &Source) -> Result<Self, Located> {
        let mut found = Self { accounts: HashMap::new(), stand_ins: Vec::new() };
        let mut start = 0;
        for line in source.text().split_inclusive('\n') {
            let wrong = |message: String| source.error(start..start + line.len(), message);
            if let Some((name, hash)) = entry(line).map_err(|problem| wrong(format!("{problem}; {REMEDY}")))? {
                found.stand_ins.push(hash.for_nobody());
                if found.accounts.insert(name.into(), hash).is_some() {
                    return Err(wrong("an account of this name stands further up already; remove one of the two".to_owned()));
                }
            }
            start += line.len();
        }
        if found.accounts.is_empty() {
            return Err(source.error(0..0, "holds no account, so nobody could use the proxy; add one with `htpasswd -B FILE NAME`"));
        }
        Ok(found)
    }

    /// Accounts there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.accounts.len()
    }

    /// The account of a name.
    #[must_use]
    pub fn find(&self, name: &[u8]) -> Option<(&Arc<str>, &Hash)> {
        self.accounts.get_key_value(std::str::from_utf8(name).ok()?)
    }

    /// What a name that does not exist is checked against, by a number drawn from it: always the same for one name, and as costly as
    /// an account of the file.
    #[must_use]
    pub fn stand_in(&self, drawn: u64) -> Option<&Hash> {
        let index = usize::try_from(drawn % self.stand_ins.len().max(1) as u64).unwrap_or_default();
        self.stand_ins.get(index)
    }
}

fn entry(line: &str) -> Result<Option<(&str, Hash)>, String> {
    let line = line.trim_ascii_end();
    if line.trim_ascii_start().is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let Some((name, hash)) = line.split_once(':') else {
        return Err("an entry is a name, a colon and a password hash".to_owned());
    };
    if name.is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(format!("a name has 1 to {MAX_NAME} bytes and no control character"));
    }
    Ok(Some((name, Hash::read(hash).map_err(|unfit| unfit.0.to_owned())?)))
}

/// A file that was read.
#[derive(Debug)]
pub struct Loaded {
    /// Where it is.
    pub path: PathBuf,
    /// What it looked like before it was read.
    pub stamp: Stamp,
    /// Its accounts.
    pub accounts: Accounts,
    /// Whether everybody on the machine may read or change it.
    pub is_exposed: bool,
}

impl Loaded {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or holds an entry that is not taken; with file and line.
    pub fn read(path: &Path) -> Result<Self, Located> {
        // Before the reading: a change in between is seen as one at the next look.
        let stamp = Stamp::of([path]);
        let accounts = Accounts::read(&Source::read(path)?)?;
        let is_exposed = path.metadata().is_ok_and(|seen| seen.permissions().mode() & OTHERS != 0);
        Ok(Self { path: path.to_path_buf(), stamp, accounts, is_exposed })
    }
}

/// What is said of a file that everybody on the machine may read or change.
pub const EXPOSED: &str = "everybody on this machine may read or change the password file; give it mode 640 and the proxy's group";
