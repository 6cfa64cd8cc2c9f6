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

    /// The same accounts; those that stood before, name and password alike, are still the ones that they were.
    #[must_use]
    pub fn following(self, before: &Self) -> Self {
        let known = |name: &Arc<str>, hash: &Hash| {
            before.find(name.as_bytes()).filter(|(_, known)| known.identity() == hash.identity()).map(|(known, _)| known.clone())
        };
        let accounts = self.accounts.into_iter().map(|(name, hash)| (known(&name, &hash).unwrap_or(name), hash));
        Self { accounts: accounts.collect(), stand_ins: self.stand_ins }
    }

    /// Whether this is one of them: an account that was removed and set up again is another one.
    #[must_use]
    pub fn has(&self, account: &Arc<str>) -> bool {
        self.find(account.as_bytes()).is_some_and(|(known, _)| Arc::ptr_eq(known, account))
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};

    const ALICE: &str = "alice:$2y$04$SNXbGZumFEU860NP8ojgQ.GftKs.gNVInguHpPSvYyObBfjv0HcXK";
    const BOB: &str = "bob:$argon2id$v=19$m=256,t=2,p=1$c2FsdHNhbHQxMjM0$IyImM6JPYxz2+59HVWpfnwYxjt9+o2jlIF3EVbYF5P0";

    fn read(text: &str) -> Result<Accounts, Located> {
        Accounts::read(&Source::embedded("htpasswd", text))
    }

    #[test]
    fn accounts_are_found_by_their_whole_name() {
        let accounts = read(&format!("# made by hand\n\n{ALICE}\r\n  \n{BOB}")).expect("two accounts");
        assert_eq!(accounts.count(), 2);
        assert!(accounts.find(b"alice").is_some_and(|(name, hash)| **name == *"alice" && hash.is_of(b"open sesame")));
        assert!(accounts.find(b"bob").is_some_and(|(_, hash)| hash.is_of(b"looking glass")));
        for name in ["", "Alice", "alice ", "ali", "# made by hand"] {
            assert!(accounts.find(name.as_bytes()).is_none(), "{name:?}");
        }
        assert!(accounts.find(&[0xff]).is_none());
    }

    #[test]
    fn wrong_entries_are_told_with_their_line_and_nothing_of_them() {
        for (text, place, words) in [
            (format!("{ALICE}\nmallory:secret"), "htpasswd:2:1", ["in the clear", "htpasswd -B"]),
            (format!("\n{ALICE}\nmallory:{{SHA}}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"), "htpasswd:3:1", ["SHA-1", "htpasswd -B"]),
            ("mallory".to_owned(), "htpasswd:1:1", ["a name, a colon", "htpasswd -B"]),
            (":secret".to_owned(), "htpasswd:1:1", ["1 to 255 bytes", "htpasswd -B"]),
            (format!("a\u{1}{ALICE}"), "htpasswd:1:1", ["control character", "htpasswd -B"]),
            (format!("{ALICE}\n{BOB}\n{ALICE}"), "htpasswd:3:1", ["further up", "remove"]),
            ("# nobody\n".to_owned(), "htpasswd:1:1", ["no account", "htpasswd -B"]),
        ] {
            let error = read(&text).expect_err(&text);
            assert_eq!(error.place, place, "{text}: {error}");
            assert!(words.iter().all(|word| error.message.contains(word)), "{text}: {error}");
            assert!(["mallory", "secret", "5en6", "SNXb"].iter().all(|secret| !error.message.contains(secret)), "{error}");
        }
    }

    /// A stand-in belongs to a number for good, and each account has one as costly as itself.
    #[test]
    fn names_that_do_not_exist_cost_what_accounts_cost() {
        let accounts = read(&format!("{ALICE}\n{BOB}")).expect("two accounts");
        let reads_all = |drawn| accounts.stand_in(drawn).expect("there are accounts").significant(&[b'p'; 80]).len() == 80;
        assert_eq!([reads_all(0), reads_all(1), reads_all(2), reads_all(0)], [false, true, false, false]);
    }

    #[test]
    fn a_file_that_others_may_read_is_seen() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("htpasswd");
        fs::write(&path, ALICE).expect("it is written");
        for (mode, is_exposed) in [(0o600, false), (0o640, false), (0o644, true), (0o602, true)] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).expect("a mode");
            assert_eq!(Loaded::read(&path).expect("one account").is_exposed, is_exposed, "{mode:o}");
        }
    }
}
