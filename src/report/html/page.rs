//! The parts that pages are made of; whatever comes in is escaped here.

use crate::markup::escape;
use crate::units::plural;
use std::fmt::Write as _;

const STYLE: &str = include_str!("../style.css");
/// Nothing is fetched, run or sent, whatever should ever get into the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// A page in the making.
pub(super) struct Page(String);

/// A cell of a table.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    text: String,
    class: &'static str,
}

impl Cell {
    /// A name that stays in one line.
    pub(super) fn name(text: &str) -> Self {
        Self { text: text.to_owned(), class: "name" }
    }

    /// A hash, a name of a file.
    pub(super) fn mono(text: &str) -> Self {
        Self { text: text.to_owned(), class: "mono" }
    }
}

/// Words.
pub(super) fn text(text: &str) -> Cell {
    Cell { text: text.to_owned(), class: "" }
}

/// What is aligned as numbers are.
pub(super) fn num(text: String) -> Cell {
    Cell { text, class: "n" }
}

/// A number with its thousands apart.
pub(super) fn count(number: u64) -> Cell {
    num(grouped(number))
}

/// A number of bytes for people.
pub(super) fn bytes(number: u64) -> Cell {
    num(sized(number))
}

/// `1,234,567`
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 file`, `1,234 files`
pub(super) fn many(number: u64, thing: &str) -> String {
    format!("{} {}", grouped(number), plural(number, thing))
}

/// `12.3 MiB`
#[expect(clippy::cast_precision_loss, reason = "a size for people")]
pub(super) fn sized(number: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (number as f64, "B");
    for larger in UNITS {
        if value < 1024.0 {
            break;
        }
        (value, unit) = (value / 1024.0, larger);
    }
    if unit == "B" { format!("{number} B") } else { format!("{value:.1} {unit}") }
}

impl Page {
    pub(super) fn new(title: &str) -> Self {
        Self(format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n",
            escape(title)
        ))
    }

    pub(super) fn end(mut self) -> String {
        self.raw("</body>\n</html>\n");
        self.0
    }

    /// Markup of this program's own.
    pub(super) fn raw(&mut self, markup: &str) {
        self.0.push_str(markup);
        self.0.push('\n');
    }

    pub(super) fn heading(&mut self, words: &str) {
        let _ = writeln!(self.0, "<h2>{}</h2>", escape(words)); // to a string
    }

    pub(super) fn paragraph(&mut self, words: &str) {
        let _ = writeln!(self.0, "<p class=\"soft\">{}</p>", escape(words));
    }

    /// A big number.
    pub(super) fn tile(&mut self, number: &str, words: &str) {
        let _ = writeln!(self.0, "<div class=\"tile\"><b>{}</b>{}</div>", escape(number), escape(words));
    }

    /// Nothing for no words.
    pub(super) fn list<'a>(&mut self, lines: impl Iterator<Item = &'a str>) {
        let items: Vec<String> = lines.map(|line| format!("<li>{}</li>", escape(line))).collect();
        if !items.is_empty() {
            let _ = writeln!(self.0, "<ul class=\"notes\">{}</ul>", items.concat());
        }
    }

    /// A table; its first column names the row.
    pub(super) fn table(&mut self, caption: &str, head: &[&str], rows: impl Iterator<Item = Vec<Cell>>) {
        let mut body = String::new();
        let mut numbers = vec![false; head.len()];
        for row in rows {
            body.push_str("<tr>");
            for (index, cell) in row.iter().enumerate() {
                let class = if cell.class.is_empty() { String::new() } else { format!(" class=\"{}\"", cell.class) };
                let _ = match index {
                    0 => write!(body, "<th scope=\"row\"{class}>{}</th>", escape(&cell.text)),
                    _ => write!(body, "<td{class}>{}</td>", escape(&cell.text)),
                };
                if let Some(number) = numbers.get_mut(index) {
                    *number = cell.class == "n";
                }
            }
            body.push_str("</tr>\n");
        }
        if body.is_empty() {
            let _ = writeln!(body, "<tr><td colspan=\"{}\">none in this period</td></tr>", head.len());
        }
        let cells = head.iter().zip(numbers).map(|(words, is_number)| {
            let class = if is_number { " class=\"n\"" } else { "" };
            format!("<th scope=\"col\"{class}>{}</th>", escape(words))
        });
        let head = cells.collect::<Vec<_>>().concat();
        let _ = writeln!(
            self.0,
            "<div class=\"scroll\"><table><caption>{}</caption><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table></div>",
            escape(caption)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_for_people() {
        for (number, expected) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), expected);
        }
        for (number, expected) in [(0, "0 B"), (1_023, "1023 B"), (1_024, "1.0 KiB"), (5 << 20, "5.0 MiB"), (u64::MAX, "16777216.0 TiB")] {
            assert_eq!(sized(number), expected);
        }
    }

    #[test]
    fn what_comes_in_is_escaped() {
        let mut page = Page::new("<t>");
        page.heading("<h>");
        page.paragraph("<p>");
        page.tile("<n>", "<w>");
        page.list(["<l>"].into_iter());
        page.table("<c>", &["<d>"], std::iter::once(vec![text("<e>")]));
        let html = page.end();
        for hostile in ["<t>", "<h>", "<n>", "<w>", "<l>", "<c>", "<d>", "<e>"] {
            assert!(!html.contains(hostile), "{hostile}");
        }
        assert!(html.contains("&lt;e&gt;"));
    }
}
