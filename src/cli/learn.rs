//! `learn`: proposes shapes, as a file that a person reviews.

mod samples;

use super::{OK, failed, load, print};
use crate::inspect::engine::context::TextKind;
use crate::inspect::engine::detect::person_name;
use crate::inspect::engine::shape::json_schema::{self, Import};
use crate::inspect::engine::shape::{Meaning, document, words};
use crate::inspect::engine::tree::Tree;
use crate::inspect::engine::walk::{Settings, Unknown, Walk};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Shortest run of digits that may be an extension.
const SHORTEST_NUMBER: usize = 3;
/// Shortest name of a person: shorter ones are words of every language.
const SHORTEST_NAME: usize = 4;

/// Arguments of `learn`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Next: review what it prints, save it beside the configuration, and name it in inspection.shapes.")]
pub struct Arguments {
    /// Captured messages of licensing or telemetry: JSON documents, or one a line.
    #[arg(value_name = "CAPTURE", required_unless_present = "json_schema", conflicts_with = "json_schema")]
    captures: Vec<PathBuf>,
    /// A JSON Schema of such a message.
    #[arg(long, value_name = "FILE")]
    json_schema: Option<PathBuf>,
}

/// Proposes a shape.
#[must_use]
pub fn main(config: Option<&Path>, arguments: &Arguments) -> u8 {
    let config = match load(config) {
        Ok(config) => config,
        Err(code) => return code,
    };
    match proposed(config.inspection.inspector.tree(), arguments) {
        Ok(text) => {
            print(&text);
            OK
        }
        Err(message) => failed(message),
    }
}

/// The proposal, or what is wrong with a file.
fn proposed(tree: &Tree, arguments: &Arguments) -> Result<String, String> {
    let (name, schema) = match &arguments.json_schema {
        Some(file) => (named(file), read(file)?),
        None => sampled(tree, &arguments.captures)?,
    };
    let import = json_schema::import(&schema, &format!("{name}#"), &|name| is_telling(tree, name));
    let import = import.map_err(|unfit| format!("{name}: {}", unfit.0))?;
    proposal(&name, import, |key| tree.meaning(key)).map_err(|error| error.to_string())
}

/// The names of captures, and a schema of what is in them.
fn sampled(tree: &Tree, files: &[PathBuf]) -> Result<(String, String), String> {
    let mut messages = Vec::new();
    for file in files {
        messages.extend(samples::messages(&read(file)?).map_err(|message| format!("{}: {message}", file.display()))?);
    }
    let names = files.iter().map(|file| named(file)).collect::<Vec<_>>().join(", ");
    let schema = samples::schema(tree, &messages).to_string();
    if schema == "{}" {
        return Err(format!("{names}: nothing to propose: every field in it is documented, or it has none"));
    }
    Ok((names, schema))
}

fn named(file: &Path) -> String {
    file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn read(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file)
        .map_err(|error| format!("{}: cannot be read: {error}; check the path and its permissions", file.display()))
}

/// Whether the name of a property may itself be somebody's data: a detector finds something in it, it has a number, or a word of it is
/// the name of a person.
fn is_telling(tree: &Tree, name: &str) -> bool {
    if tree.knows(name) {
        return false;
    }
    holds_data(tree, name) || has_number(name) || words::split(name).iter().any(|word| !tree.knows(word) && is_like_a_person(word))
}

/// Whether a detector finds something in a text, or it cannot be looked at to its end.
fn holds_data(tree: &Tree, text: &str) -> bool {
    let settings = Settings { unknown: Unknown::Observe, ..Settings::default() };
    let mut walk = Walk::new(tree, &settings, text.len());
    walk.examine(text, TextKind::Free);
    let report = walk.finish();
    !report.findings.is_empty() || report.unreadable.is_some()
}

/// Whether there is a run of digits that may be an extension.
fn has_number(name: &str) -> bool {
    name.split(|letter: char| !letter.is_ascii_digit()).any(|run| run.len() >= SHORTEST_NUMBER)
}

/// `mario`, `mrossi`, `mariorossi`.
fn is_like_a_person(word: &str) -> bool {
    let is_listed = |part: &str| part.len() >= SHORTEST_NAME && person_name::is_listed(part.as_bytes());
    let is_split = |at: usize| word.split_at_checked(at).is_some_and(|(given, family)| is_listed(family) && (at == 1 || is_listed(given)));
    is_listed(word) || (1..word.len()).any(is_split)
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
        import.left_out.len() + import.telling.len() + personal.len()
    );
    // Writing to a string cannot fail.
    if !import.telling.is_empty() {
        let _ = writeln!(text, "# {} of them with names that may be personal data: {}", import.telling.len(), import.telling.join(", "));
    }
    for (place, reason) in &import.left_out {
        let _ = writeln!(text, "# left out: {place}: {reason}");
    }
    for field in &personal {
        let _ = writeln!(text, "# left out: {}: its name speaks of a person", field.quote);
    }
    let document = document::Document { format: 1, name: name.to_owned(), fields, ..document::Document::default() };
    Ok(text + "\n" + &toml::to_string(&document)?)
}
