//! A configuration or policy text and the places in it: every error says `file:line:column`.

use serde::de::DeserializeOwned;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Range;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

/// A text with the name people know it by.
#[derive(Debug, Clone)]
pub struct Source {
    name: String,
    text: String,
    /// Where relative paths in the text start; empty for embedded texts.
    folder: PathBuf,
}

/// What is wrong in a text, where, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// `file:line:column`, or the file alone when it could not be read.
    pub place: String,
    /// The value and the accepted form.
    pub message: String,
}

impl fmt::Display for Located {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl std::error::Error for Located {}

/// Largest file that a configuration names: what is larger is something else.
const MAX_FILE: u64 = 16 << 20;

/// The bytes of a file that a configuration names.
///
/// # Errors
/// What the system says; what is neither a regular file nor a pipe (a shell's `<(...)`), and what is over 16 MiB.
pub fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let about = std::fs::metadata(path)?;
    if !about.is_file() && !about.file_type().is_fifo() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE { Err(io::Error::other("it is larger than 16 MiB")) } else { Ok(bytes) }
}

/// The same of a text.
///
/// # Errors
/// As [`bytes()`]; what is not UTF-8.
pub fn text(path: &Path) -> io::Result<String> {
    String::from_utf8(bytes(path)?).map_err(|_| io::ErrorKind::InvalidData.into())
}

impl Source {
    /// A text that is part of the program.
    #[must_use]
    pub fn embedded(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), folder: PathBuf::new() }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When the file cannot be read, or is not UTF-8.
    pub fn read(path: &Path) -> Result<Self, Located> {
        let text = text(path).map_err(|error| Located {
            place: path.display().to_string(),
            message: match error.kind() {
                std::io::ErrorKind::InvalidData => "is not UTF-8 text; save it as UTF-8".to_owned(),
                _ => format!("cannot be read: {error}; check the path and its permissions"),
            },
        })?;
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Ok(Self { name: path.display().to_string(), text, folder })
    }

    /// The name shown in errors.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A path of the text, relative to the folder the text was read from.
    #[must_use]
    pub fn path(&self, written: &str) -> PathBuf {
        self.folder.join(written)
    }

    /// Reads the text as TOML.
    ///
    /// # Errors
    /// On the first thing that is not TOML, not known or of the wrong type, with its place.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Located> {
        toml::from_str(&self.text).map_err(|error| {
            let message = error.message().trim().replace('\n', "; ");
            self.error(error.span().unwrap_or(0..0), message)
        })
    }

    /// An error at a span of the text.
    #[must_use]
    pub fn error(&self, span: Range<usize>, message: impl Into<String>) -> Located {
        Located { place: self.place(span.start), message: message.into() }
    }

    /// `file:line:column` of a byte offset, both counted from 1 and the column in characters.
    #[must_use]
    pub fn place(&self, offset: usize) -> String {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{}:{line}:{column}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "only its type matters")]
        number: u8,
    }

    /// A device never ends.
    #[test]
    fn what_is_no_regular_file_or_too_large_is_not_read() {
        let folder = tempfile::TempDir::new().expect("a temporary folder");
        let large = folder.path().join("large");
        std::fs::File::create(&large).and_then(|file| file.set_len(MAX_FILE + 1)).expect("a sparse file");
        for (path, words) in
            [(Path::new("/dev/zero"), "no regular file"), (folder.path(), "no regular file"), (&large, "larger than 16 MiB")]
        {
            let error = Source::read(path).expect_err("it is not read");
            assert!(error.message.contains(words) && error.place == path.display().to_string(), "{error}");
        }
        std::fs::write(&large, "text").expect("it is written");
        assert_eq!(text(&large).expect("a text"), "text");
    }

    #[test]
    fn errors_name_line_and_column() {
        let source = Source::embedded("sample.toml", "# comment\nnumber = 300\n");
        let error = source.parse::<Sample>().expect_err("300 is no u8");
        assert_eq!(error.place, "sample.toml:2:10");
        let error = Source::embedded("sample.toml", "number = 1\nnumbr = 2\n").parse::<Sample>().expect_err("unknown key");
        assert_eq!(error.place, "sample.toml:2:1");
        assert!(error.message.contains("numbr") && error.message.contains("number"), "{error}");
    }

    #[test]
    fn columns_count_characters() {
        let source = Source::embedded("s", "é = 1");
        assert_eq!(source.place(3), "s:1:3");
    }
}
