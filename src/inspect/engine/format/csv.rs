//! Comma-separated values (RFC 4180), also with semicolons or tabs: each row is an element and an object, and the cells of the first
//! row are the keys of those below.
//!
//! A text whose first row is no row of names is one string, as any other text. So is one with names and nothing below: there they may
//! as well be values.

use super::{Fault, Limits, Malformed, Visitor, text};
use std::borrow::Cow;

/// What may stand between cells.
const SEPARATORS: &[u8] = b",;\t";
/// Cells of a row.
const MAX_COLUMNS: usize = 256;
/// Longest name of a column in bytes.
const LONGEST_NAME: usize = 64;

/// Reads a table, or a text that is none.
///
/// # Errors
/// When it is no text ([`text::read`]), a quotation mark is not closed or something stands behind it, or a limit is passed.
pub fn read<V: Visitor + ?Sized>(bytes: &[u8], limits: Limits, visitor: &mut V) -> Result<(), Malformed> {
    let text = text::checked(bytes)?;
    let Some(mut rows) = Rows::of_table(text, &|name| visitor.knows(name)) else {
        visitor.string(text);
        return Ok(());
    };
    let names = rows.row()?.unwrap_or_default();
    // Names side by side say more than each of them.
    visitor.reading();
    visitor.string(rows.passed());
    visitor.reading_end();
    visitor.columns(&names);
    let (mut index, mut nodes) = (0, 0);
    while let Some(cells) = rows.row()? {
        visitor.element(index);
        visitor.object();
        for (column, cell) in cells.iter().enumerate() {
            limits.node(&mut nodes, rows.at)?;
            if cell.len() > limits.string {
                return Err(Fault::String.at(rows.at));
            }
            read_cell(names.get(column), cell.trim(), visitor);
        }
        visitor.object_end();
        visitor.element_end();
        index += 1;
    }
    visitor.columns(&[]);
    Ok(())
}

/// A cell beyond the last column has no key, so nothing says what it may hold.
fn read_cell<V: Visitor + ?Sized>(name: Option<&Cow<'_, str>>, cell: &str, visitor: &mut V) {
    let Some(name) = name else { return visitor.string(cell) };
    visitor.key(name.trim());
    visitor.string(cell);
    visitor.key_end();
}

/// Whether a text that nobody calls a table is clearly one: names, and rows that are as long as they.
#[must_use]
pub fn is_table(text: &str) -> bool {
    let Some(mut rows) = Rows::of_table(text, &|_| false) else { return false };
    let mut columns = None;
    loop {
        match rows.row() {
            Ok(Some(cells)) if cells.len() == *columns.get_or_insert(cells.len()) => {}
            Ok(None) => return true,
            Ok(Some(_)) | Err(_) => return false,
        }
    }
}

/// The rows of a text, one after the other.
struct Rows<'a> {
    text: &'a str,
    at: usize,
    separator: u8,
}

impl<'a> Rows<'a> {
    /// In front of the names of a table; `None` if a text is none.
    fn of_table(text: &'a str, is_known: &dyn Fn(&str) -> bool) -> Option<Self> {
        let start = blank_lines(text);
        let first = text.get(start..)?;
        // Excel is told the separator in a line of its own.
        let told = match first.as_bytes() {
            [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', separator, b'\r' | b'\n', ..] => Some(*separator),
            _ => None,
        };
        let at = if told.is_some() { start + 6 + blank_lines(first.get(6..)?) } else { start };
        let separators = told.as_slice().iter().chain(SEPARATORS).copied();
        separators.map(|separator| Self { text, at, separator }).find(|rows| rows.has_names(is_known))
    }

    /// Whether what comes next are the names of at least two columns, or one that is known, and there is a row below.
    fn has_names(&self, is_known: &dyn Fn(&str) -> bool) -> bool {
        let mut rows = Rows { ..*self };
        let Ok(Some(names)) = rows.row() else { return false };
        let is_more = rows.text.get(rows.at..).is_some_and(|rest| !rest.trim_ascii().is_empty());
        let is_alone = matches!(names.as_slice(), [name] if is_known(name.trim()));
        (names.len() >= 2 || is_alone) && names.iter().all(|name| is_name(name.trim())) && is_more
    }

    /// The cells of the next row; empty lines are passed over.
    fn row(&mut self) -> Result<Option<Vec<Cow<'a, str>>>, Malformed> {
        self.at += blank_lines(self.rest());
        if self.rest().is_empty() {
            return Ok(None);
        }
        let mut cells = Vec::new();
        loop {
            if cells.len() >= MAX_COLUMNS {
                return Err(Fault::Nodes.at(self.at));
            }
            cells.push(self.cell()?);
            match self.rest().as_bytes().first() {
                Some(&byte) if byte == self.separator => self.at += 1,
                _ => return Ok(Some(cells)),
            }
        }
    }

    /// One cell, up to what ends it.
    fn cell(&mut self) -> Result<Cow<'a, str>, Malformed> {
        if self.rest().starts_with('"') {
            return self.quoted();
        }
        let rest = self.rest();
        let length = rest.bytes().position(|byte| self.ends(byte)).unwrap_or(rest.len());
        self.at += length;
        Ok(Cow::Borrowed(rest.get(..length).unwrap_or_default()))
    }

    /// A cell in quotation marks; two of them stand for one.
    fn quoted(&mut self) -> Result<Cow<'a, str>, Malformed> {
        let at = self.at;
        let inside = self.rest().get(1..).unwrap_or_default();
        let mut end = 0;
        let mut has_marks = false;
        loop {
            end += memchr::memchr(b'"', inside.as_bytes().get(end..).unwrap_or_default()).ok_or(Fault::Unfinished.at(at))?;
            if inside.as_bytes().get(end + 1) != Some(&b'"') {
                break;
            }
            has_marks = true;
            end += 2;
        }
        self.at += end + 2;
        if self.rest().bytes().next().is_some_and(|byte| !self.ends(byte)) {
            return Err(Fault::Unexpected.at(self.at));
        }
        let cell = inside.get(..end).unwrap_or_default();
        Ok(if has_marks { Cow::Owned(cell.replace("\"\"", "\"")) } else { Cow::Borrowed(cell) })
    }

    const fn ends(&self, byte: u8) -> bool {
        byte == self.separator || matches!(byte, b'\r' | b'\n')
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// What was read so far.
    fn passed(&self) -> &'a str {
        self.text.get(..self.at).unwrap_or_default()
    }
}

/// Length of the empty lines at the start.
fn blank_lines(text: &str) -> usize {
    text.bytes().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

/// Whether a cell is the name of a column: words, and at most short numbers in them.
fn is_name(cell: &str) -> bool {
    let is_sign = |letter: char| " _-./()[]%#:'".contains(letter);
    let digits = cell.split(|letter: char| !letter.is_numeric()).map(str::len).max().unwrap_or_default();
    cell.len() <= LONGEST_NAME
        && cell.chars().next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && cell.chars().all(|letter| letter.is_alphanumeric() || is_sign(letter))
        && digits <= 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::engine::format::testing::{Nesting, Recorder};
    use proptest::prelude::*;

    fn read_text(text: &str, limits: Limits) -> Result<String, Malformed> {
        let mut recorder = Recorder::default();
        read(text.as_bytes(), limits, &mut recorder).map(|()| recorder.text())
    }

    #[test]
    fn cells_stand_under_the_name_of_their_column() {
        for (text, expected) in [
            ("a,b\n1,2\n", "( s:a,b ) [0 { k:a s:1 . k:b s:2 . } ]"),
            ("a;b\r\n\r\n1;2,3", "( s:a;b ) [0 { k:a s:1 . k:b s:2,3 . } ]"),
            ("a\tb\n\"1\t\"\"\n\"\t 2 ", "( s:a\tb ) [0 { k:a s:1\t\" . k:b s:2 . } ]"),
            ("\"first name\",b\n,\n", "( s:\"first name\",b ) [0 { k:first name s: . k:b s: . } ]"),
            ("sep=;\na;b\n1;2", "( s:sep=;\na;b ) [0 { k:a s:1 . k:b s:2 . } ]"),
            ("a,b\n1,2,3\n4", "( s:a,b ) [0 { k:a s:1 . k:b s:2 . s:3 } ] [1 { k:a s:4 . } ]"),
        ] {
            assert_eq!(read_text(text, Limits::default()).as_deref(), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn what_has_no_names_is_a_text() {
        for text in ["", "hello", "a,b", "a,b\n", "1,2\n3,4", "a@b,c\nx,y", "a;x,b\n1;2,3", "a,12345\n1,2", ",b\n1,2"] {
            assert_eq!(read_text(text, Limits::default()), Ok(format!("s:{text}")), "{text:?}");
            assert!(!is_table(text), "{text:?}");
        }
        assert!(is_table("name,extension\nx,4312\n") && !is_table("Hello, world\nhow are you"));
    }

    #[test]
    fn broken_tables_and_large_ones_are_faults() {
        assert_eq!(read_text("a,b\n\"1,2", Limits::default()), Err(Fault::Unfinished.at(4)));
        assert_eq!(read_text("a,b\n\"1\" x,2", Limits::default()), Err(Fault::Unexpected.at(7)));
        assert_eq!(read_text("a,b\n1,2", Limits { nodes: 1, ..Limits::default() }), Err(Fault::Nodes.at(7)));
        assert_eq!(read_text("a,b\n11,2", Limits { string: 1, ..Limits::default() }), Err(Fault::String.at(8)));
        assert_eq!(read_text(&format!("a,b\n{}", ",".repeat(300)), Limits::default()), Err(Fault::Nodes.at(260)));
        assert_eq!(read(b"a,b\n\xff,1", Limits::default(), &mut Recorder::default()), Err(Fault::Utf8.at(4)));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(rows in prop::collection::vec(prop::collection::vec("[ -~\n]{0,9}", 3), 1..6), separator in prop::sample::select(vec![",", ";", "\t"])) {
            let written = |row: &[String]| row.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect::<Vec<_>>().join(separator);
            let lines: Vec<String> = rows.iter().map(|row| written(row)).collect();
            let text = format!("one{separator}two{separator}three\r\n{}", lines.join("\r\n"));
            let mut recorder = Recorder::default();
            prop_assert_eq!(read(text.as_bytes(), Limits::default(), &mut recorder), Ok(()));
            let found: Vec<&str> = recorder.0.iter().skip(3).filter_map(|event| event.strip_prefix("s:")).collect();
            let cells: Vec<&str> = rows.iter().flatten().map(|cell| cell.trim()).collect();
            prop_assert_eq!(found, cells);
            prop_assert!(is_table(&text));
        }

        #[test]
        fn no_text_panics(text in "[ab,;\t\n\r\" 1]{0,40}") {
            let mut nesting = Nesting::default();
            if read(text.as_bytes(), Limits::default(), &mut nesting).is_ok() {
                nesting.assert_closed();
            }
        }
    }
}
