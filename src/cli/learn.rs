//! `learn`: proposes shapes, as a file that a person reviews.

use super::{BAD_CONFIG, OK, failed, load, print};
use crate::inspect::engine::shape::json_schema::{self, Import};
use crate::inspect::engine::shape::{Meaning, document};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Arguments of `learn`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Next: review what it prints, save it beside the configuration, and name it in inspection.shapes.")]
pub struct Arguments {
    /// A JSON Schema of a message of licensing or telemetry.
    #[arg(long, value_name = "FILE")]
    json_schema: Option<PathBuf>,
}

/// Proposes a shape.
#[must_use]
pub fn main(config: Option<&Path>, arguments: &Arguments) -> u8 {
    let Some(file) = &arguments.json_schema else {
        return failed("this version does not learn from what passed yet; name a schema: ucx-egress learn --json-schema FILE");
    };
    let config = match load(config) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return failed(format_args!("{}: cannot be read: {error}; check the path and its permissions", file.display())),
    };
    let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let import = match json_schema::import(&text, &format!("{name}#")) {
        Ok(import) => import,
        Err(unfit) => return failed(format_args!("{}: {}", file.display(), unfit.0)),
    };
    let tree = config.inspection.inspector.tree();
    match proposal(&name, import, |key| tree.meaning(key)) {
        Ok(text) => {
            print(&text);
            OK
        }
        Err(error) => {
            failed(error);
            BAD_CONFIG
        }
    }
}

/// The shape as a file. Keys that speak of persons are left out: the shape in force refuses them, and should.
fn proposal(name: &str, import: Import, meaning: impl Fn(&str) -> Meaning) -> Result<String, toml::ser::Error> {
    let (personal, fields) = import.fields.into_iter().partition::<Vec<_>, _>(|field| {
        let key = field.keys.first().map(|key| key.rsplit(':').next().unwrap_or(key).trim());
        key.is_some_and(|key| matches!(meaning(key), Meaning::Personal(_)))
    });
    let mut text = format!(
        "# Proposed from {name}: names and types only. Review each field: what is here may leave.\n# {} fields, {} left out.\n",
        fields.len(),
        import.left_out.len() + personal.len()
    );
    for (place, reason) in &import.left_out {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# left out: {place}: {reason}");
    }
    for field in &personal {
        let _ = writeln!(text, "# left out: {}: its name speaks of a person", field.quote);
    }
    let document = document::Document { format: 1, name: name.to_owned(), fields, ..document::Document::default() };
    Ok(text + "\n" + &toml::to_string(&document)?)
}
