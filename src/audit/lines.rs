//! Lines of an audit file, plain or compressed, each of bounded length.

use flate2::bufread::GzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

/// Longest line that is read, in bytes; the writer's own are far shorter.
pub const MAX_LINE: usize = 256 * 1024;
/// How a compressed file starts (RFC 1952 section 2.3.1).
const GZIP: [u8; 3] = [0x1f, 0x8b, 0x08];

/// What is left of a file.
pub struct Lines {
    from: Box<dyn BufRead>,
    line: Vec<u8>,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A whole one, without its line feed.
    Whole(&'a [u8]),
    /// The file ends within it.
    Half(&'a [u8]),
    /// It is longer than [`MAX_LINE`].
    TooLong,
    /// The file ends here.
    End,
}

impl Lines {
    /// Opens a file; what starts as gzip does is read as gzip, whatever its name.
    ///
    /// # Errors
    /// When it cannot be opened or read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = BufReader::with_capacity(64 * 1024, File::open(path)?);
        let is_gzip = file.fill_buf()?.starts_with(&GZIP);
        let from: Box<dyn BufRead> =
            if is_gzip { Box::new(BufReader::with_capacity(64 * 1024, Whole { gzip: GzDecoder::new(file) })) } else { Box::new(file) };
        Ok(Self { from, line: Vec::new() })
    }

    /// The next line.
    ///
    /// # Errors
    /// When the file cannot be read further, or its compression is broken.
    pub fn next_line(&mut self) -> io::Result<Line<'_>> {
        self.line.clear();
        let mut bounded = (&mut self.from).take(MAX_LINE as u64 + 1);
        bounded.read_until(b'\n', &mut self.line)?;
        Ok(match self.line.split_last() {
            None => Line::End,
            Some((b'\n', line)) => Line::Whole(line),
            Some(_) if self.line.len() > MAX_LINE => Line::TooLong,
            Some(_) => Line::Half(&self.line),
        })
    }

    /// How many bytes are left, all of them read.
    ///
    /// # Errors
    /// As [`Lines::next_line`].
    pub fn count_rest(&mut self) -> io::Result<u64> {
        io::copy(&mut self.from, &mut io::sink())
    }
}

/// One gzip member and nothing behind it: bytes there would be read by nobody.
struct Whole<R: BufRead> {
    gzip: GzDecoder<R>,
}

impl<R: BufRead> io::Read for Whole<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.gzip.read(into)?;
        if read == 0 && !into.is_empty() && !self.gzip.get_mut().fill_buf()?.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "there are bytes behind the end of the compressed data"));
        }
        Ok(read)
    }
}

crate::hidden::hidden!(Lines);

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write as _;

    fn lines(bytes: &[u8]) -> Vec<String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        std::fs::write(&path, bytes).expect("written");
        let mut lines = Lines::open(&path).expect("opened");
        let mut seen = Vec::new();
        loop {
            let (text, is_over) = match lines.next_line() {
                Ok(Line::Whole(line)) => (String::from_utf8_lossy(line).into_owned(), false),
                Ok(Line::Half(line)) => (format!("half {}", String::from_utf8_lossy(line)), true),
                Ok(Line::TooLong) => ("too long".to_owned(), true),
                Ok(Line::End) => ("end".to_owned(), true),
                Err(error) => (format!("error {error}"), true),
            };
            seen.push(text);
            if is_over {
                return seen;
            }
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("in memory");
        encoder.finish().expect("in memory")
    }

    #[test]
    fn plain_and_compressed_files_are_the_same() {
        assert_eq!(lines(b"a\nb\n"), ["a", "b", "end"]);
        assert_eq!(lines(&gzip(b"a\nb\n")), ["a", "b", "end"]);
        assert_eq!(lines(b"a\nb"), ["a", "half b"]);
        assert_eq!(lines(b""), ["end"]);
    }

    #[test]
    fn hostile_files_end_with_a_word() {
        assert_eq!(lines(&vec![b'x'; MAX_LINE * 3]), ["too long"]);
        assert!(lines(&[gzip(b"a\n"), b"x".to_vec()].concat()).last().is_some_and(|last| last.contains("behind the end")));
        let whole = gzip(&b"line\n".repeat(1_000));
        for end in 5..whole.len() {
            assert!(lines(&whole[..end]).last().is_some_and(|last| last.starts_with("error")), "{end}");
        }
    }
}
