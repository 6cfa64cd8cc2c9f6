//! `audit verify`: whether audit files are whole, and what is the first thing that is wrong with them.

use super::{NO, OK, failed, print};
use crate::audit::key::PublicKey;
use crate::audit::verify::{Options, Verified, find, verify};
use crate::units::counted;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What to do with audit files.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Check every hash, number and signature, and that the files follow each other; names the first line that is wrong.
    Verify(Arguments),
}

/// Which files, and whose signatures.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Audit files, plain or compressed, in any order; or directories with them.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The public key, PEM (audit.pub.pem), from a place that who could change the files could not; else the files' own counts.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The newest file is a copy of one that is being written: it may end anywhere.
    #[arg(long)]
    open: bool,
    /// Fail also where no checkpoint vouches for some of the lines: behind a process that was killed, or in a file that is not closed.
    #[arg(long)]
    strict: bool,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
#[must_use]
pub fn main(verb: &Verb) -> u8 {
    let Verb::Verify(arguments) = verb;
    let verified = match run(arguments) {
        Ok(verified) => verified,
        Err(problem) => return failed(problem),
    };
    if arguments.json {
        print(&format!("{:#}\n", serde_json::json!(verified)));
    } else {
        print(&shown(&verified, arguments.key.is_some()));
    }
    let is_enough = verified.ok && (verified.unvouched.is_empty() || !arguments.strict);
    if is_enough { OK } else { NO }
}

fn run(arguments: &Arguments) -> Result<Verified, String> {
    let options = Options { key: arguments.key.as_deref().map(public_key).transpose()?, is_open: arguments.open };
    verify(&find(&arguments.files)?, &options, &mut |_| {})
}

/// Reads a public key.
pub(super) fn public_key(path: &Path) -> Result<PublicKey, String> {
    let pem = std::fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    PublicKey::from_pem(&pem).map_err(|problem| format!("{} {problem}", path.display()))
}

fn shown(verified: &Verified, is_key_given: bool) -> String {
    let mut text = String::new();
    for file in &verified.files {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{}: {}, seq {} to {}, {} to {}, {} verified",
            file.file,
            counted(file.lines, "line"),
            file.first,
            file.last,
            file.from,
            file.to,
            counted(file.checkpoints, "checkpoint")
        );
    }
    for note in &verified.notes {
        let _ = writeln!(text, "note: {note}");
    }
    for unvouched in &verified.unvouched {
        let _ = writeln!(text, "{unvouched}");
    }
    if let Some(key) = &verified.key {
        let whose = if is_key_given { "the key given" } else { "the files' own key, compare it with what the proxy logs at its start" };
        let _ = writeln!(text, "key: {key} ({whose})");
    }
    match (&verified.fault, &verified.last) {
        (Some(fault), _) => {
            let _ = writeln!(text, "{}:{}: {}\nbroken at line {} of {}", fault.file, fault.line, fault.message, fault.line, fault.file);
        }
        (None, Some(last)) => {
            let vouched = match verified.lines_unvouched() {
                0 => "signed checkpoints vouch for every line".to_owned(),
                lines => format!("no checkpoint vouches for {}, see above", counted(lines, "line")),
            };
            let _ = writeln!(text, "whole: seq {} to {}, last hash {}; {vouched}", verified.first, last.seq, last.hash);
        }
        (None, None) => {}
    }
    text
}
