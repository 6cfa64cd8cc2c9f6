//! The file in which what was observed outlives the process.

use super::document::Document;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Larger than anything that is saved.
const MAX_BYTES: u64 = 64 << 20;

/// Reads a text that observing saved.
///
/// # Errors
/// When it cannot be read, or is far too large.
pub fn text(from: impl io::Read) -> io::Result<String> {
    let mut text = String::new();
    from.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "it is larger than anything that observing saves"));
    }
    Ok(text)
}

/// Reads the file; nothing if there is none yet.
///
/// # Errors
/// A sentence with the remedy.
pub fn read(path: &Path) -> Result<Option<Document>, String> {
    let remedy = "take the file away to begin anew, or name another one";
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{} cannot be read: {error}; check its permissions", path.display())),
    };
    let text = text(file).map_err(|error| format!("{} cannot be read: {error}; {remedy}", path.display()))?;
    Document::read(&text).map(Some).map_err(|error| format!("{}: {error}; {remedy}", path.display()))
}

/// Replaces the file, whole or not at all. Only its owner may read it.
///
/// # Errors
/// Those of the file system.
pub fn write(path: &Path, document: &Document) -> io::Result<()> {
    let new = beside(path);
    match fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    let mut text = serde_json::to_vec_pretty(document)?;
    text.push(b'\n');
    file.write_all(&text)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}
