//! `learn`: proposes shapes, and a policy, as files that a person reviews.

mod evidence;
mod policy;
mod samples;
mod shape;

use super::{OK, failed, load, print};
use crate::config::Config;
use crate::inspect::engine::shape::json_schema;
use crate::inspect::engine::tree::Tree;
use crate::observed::telling::is_telling;
use crate::observed::{Document, file};
use shape::Part;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Arguments of `learn`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Next: review what it proposes, save it beside the configuration, name the policy in policy.file and the shape in inspection.shapes, and run `ucx-egress check`."
)]
pub struct Arguments {
    /// Captured messages of licensing or telemetry: JSON documents, or one a line.
    #[arg(value_name = "CAPTURE", required_unless_present_any = ["json_schema", "observed"], conflicts_with_all = ["json_schema", "observed"])]
    captures: Vec<PathBuf>,
    /// A JSON Schema of such a message.
    #[arg(long, value_name = "FILE", conflicts_with = "observed")]
    json_schema: Option<PathBuf>,
    /// What the mode `observe` saw: the file of policy.observed, or what the admin listener shows at /api/observed; - is standard input.
    #[arg(long, value_name = "FILE")]
    observed: Option<PathBuf>,
    /// Write the proposed policy there instead; the file must not be there yet.
    #[arg(long, value_name = "FILE", requires = "observed")]
    policy_out: Option<PathBuf>,
    /// Write the proposed shape there instead; the file must not be there yet.
    #[arg(long, value_name = "FILE", requires = "observed")]
    shape_out: Option<PathBuf>,
}

/// Proposes.
#[must_use]
pub fn main(config: Option<&Path>, arguments: &Arguments) -> u8 {
    let config = match load(config) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let proposed = match &arguments.observed {
        Some(observed) => observed_proposals(&config, observed, arguments),
        None => proposed(config.inspection.inspector.tree(), arguments),
    };
    match proposed {
        Ok(text) => {
            print(&text);
            OK
        }
        Err(message) => failed(message),
    }
}

/// The proposal, or what is wrong with a file.
fn proposed(tree: &Tree, arguments: &Arguments) -> Result<String, String> {
    let (name, schema, seen) = match &arguments.json_schema {
        Some(file) => (named(file), read(file)?, None),
        None => sampled(tree, &arguments.captures)?,
    };
    let import = json_schema::import(&schema, &format!("{name}#"), &|name| is_telling(tree, name));
    let import = import.map_err(|unfit| format!("{name}: {}", unfit.0))?;
    let part = Part { source: format!("{name}#"), import, seen: seen.as_ref().map(|(seen, count)| (seen, *count)) };
    shape::proposal(&name, vec![part], 0, |key| tree.meaning(key)).map_err(|error| error.to_string())
}

/// The names of captures, a schema of what is in them, and what that is made of.
fn sampled(tree: &Tree, files: &[PathBuf]) -> Result<(String, String, samples::Sampled), String> {
    let mut messages = Vec::new();
    for file in files {
        messages.extend(samples::messages(&read(file)?).map_err(|message| format!("{}: {message}", file.display()))?);
    }
    let names = files.iter().map(|file| named(file)).collect::<Vec<_>>().join(", ");
    let seen = samples::seen(tree, &messages);
    let schema = seen.schema().to_string();
    if schema == "{}" {
        return Err(format!("{names}: nothing to propose: every field in it is documented, or it has none"));
    }
    Ok((names, schema, Some((seen, messages.len() as u64))))
}

/// Both proposals: printed, or written where the arguments say.
fn observed_proposals(config: &Config, from: &Path, arguments: &Arguments) -> Result<String, String> {
    let document = observed(from)?;
    let tree = config.inspection.inspector.tree();
    let policy = policy::proposal(config, &document)?;
    let shape = shape::observed(tree, &document)?;
    let mut printed = String::new();
    let parts = [("policy", "policy.file", &policy, &arguments.policy_out), ("shape", "inspection.shapes", &shape, &arguments.shape_out)];
    for (what, setting, text, out) in parts {
        match out {
            Some(path) => write(path, text)?,
            None => {
                // Writing to a string cannot fail.
                let _ =
                    writeln!(printed, "# ======== {what}: save this part as a file of its own and name it in {setting} ========\n\n{text}");
            }
        }
    }
    Ok(printed)
}

fn observed(from: &Path) -> Result<Document, String> {
    let (name, text) = if from == Path::new("-") {
        ("standard input".to_owned(), file::text(std::io::stdin()))
    } else {
        (from.display().to_string(), File::open(from).and_then(file::text))
    };
    let text = text.map_err(|error| format!("{name}: cannot be read: {error}; check the path and its permissions"))?;
    Document::read(&text).map_err(|error| format!("{name}: {error}; give the file of policy.observed, or what /api/observed shows"))
}

/// Never over a file that somebody may have reviewed.
fn write(path: &Path, text: &str) -> Result<(), String> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| format!("{}: cannot be written: {error}; name a file that is not there yet", path.display()))
}

fn named(file: &Path) -> String {
    file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn read(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file)
        .map_err(|error| format!("{}: cannot be read: {error}; check the path and its permissions", file.display()))
}
