//! Log lines as text. Those of exchanges, thousands a second, are written straight; they look like all others.

use super::RECORDS;
use std::fmt::{self, Debug};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{DefaultFields, Format, Full, Writer, format};
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent};
use tracing_subscriber::registry::LookupSpan;

/// Writes events as lines of text.
#[derive(Debug)]
pub(super) struct Lines {
    usual: Format<Full>,
}

impl Default for Lines {
    fn default() -> Self {
        Self { usual: format() }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> FormatEvent<S, DefaultFields> for Lines {
    fn format_event(&self, context: &FmtContext<'_, S, DefaultFields>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let metadata = event.metadata();
        // In colour somebody is reading, and no faster than we write.
        if metadata.target() != RECORDS || writer.has_ansi_escapes() {
            return self.usual.format_event(context, writer, event);
        }
        SystemTime.format_time(&mut writer)?;
        write!(writer, " {:>5} {RECORDS}:", metadata.level())?;
        let mut fields = Fields { writer, written: Ok(()) };
        event.record(&mut fields);
        fields.written?;
        fields.writer.write_char('\n')
    }
}

/// Writes the fields of an event behind one another.
struct Fields<'a> {
    writer: Writer<'a>,
    written: fmt::Result,
}

impl Fields<'_> {
    fn named(&mut self, name: &str) -> fmt::Result {
        self.writer.write_char(' ')?;
        if name == "message" {
            return Ok(());
        }
        self.writer.write_str(name)?;
        self.writer.write_char('=')
    }

    fn quoted(&mut self, value: &str) -> fmt::Result {
        let is_plain = value.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\');
        if !is_plain {
            return write!(self.writer, "{value:?}");
        }
        self.writer.write_char('"')?;
        self.writer.write_str(value)?;
        self.writer.write_char('"')
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.written = self.written.and_then(|()| self.named(field.name())).and_then(|()| self.quoted(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.written = self.written.and_then(|()| self.named(field.name())).and_then(|()| write!(self.writer, "{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("nobody panics").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged of one record, without its time.
    fn logged(log: impl FnOnce(Kept) -> tracing::subscriber::DefaultGuard) -> String {
        let kept = Kept::default();
        let guard = log(kept.clone());
        let odd = "a \"quote\" \\ \u{1b}[31m\nä";
        tracing::info!(target: RECORDS, id = %"7-a", plain = "two words", empty = "", odd, bytes = 7_u64, less = -1_i64, yes = true, "exchange");
        tracing::warn!(target: RECORDS, other = ?Some("x"), "another");
        tracing::info!(target: "elsewhere", plain = "word", "said");
        drop(guard);
        let text = String::from_utf8(kept.0.lock().expect("nobody panics").clone()).expect("it is text");
        text.lines().map(|line| line.split_once('Z').expect("a time stands first").1.to_owned() + "\n").collect()
    }

    #[test]
    fn records_look_like_every_other_line() {
        let ours = logged(|kept| {
            let lines = tracing_subscriber::fmt().with_ansi(false).event_format(Lines::default()).with_writer(move || kept.clone());
            tracing::subscriber::set_default(lines.finish())
        });
        let usual = logged(|kept| {
            let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(move || kept.clone());
            tracing::subscriber::set_default(lines.finish())
        });
        assert_eq!(ours, usual);
        assert!(ours.starts_with("  INFO ucx_egress::exchange: exchange id=7-a plain=\"two words\" empty=\"\" odd="), "{ours}");
    }
}
