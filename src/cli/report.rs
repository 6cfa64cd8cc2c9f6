//! `report`: dated evidence from audit files, for the data-protection officer.

use super::audit::public_key;
use super::{NO, OK, failed, load, print};
use crate::audit::verify::{Options, find, verify};
use crate::moment::read;
use crate::report::csv::csv;
use crate::report::html::html;
use crate::report::{Facts, Figures, Period, Report};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// For which time, from which files, in which form.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// First moment: a date (UTC) or a time of RFC 3339.
    #[arg(long, value_name = "DATE")]
    from: String,
    /// First moment behind the period: `--from 2026-11-01 --to 2026-12-01` is November.
    #[arg(long, value_name = "DATE")]
    to: String,
    /// The form wanted.
    #[arg(long, value_enum, default_value = "html")]
    format: Format,
    /// The public key, PEM (audit.pub.pem), from a place that who could change the files could not; else the files' own counts.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The newest file is a copy of one that is being written: it may end anywhere.
    #[arg(long)]
    open: bool,
    /// Audit files, plain or compressed, in any order; or directories with them.
    #[arg(required = true, value_name = "AUDIT")]
    files: Vec<PathBuf>,
}

/// Forms of a report.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Format {
    /// One page, for people and paper.
    Html,
    /// One object.
    Json,
    /// One figure a row.
    Csv,
}

/// Runs the verb. A broken chain is reported, and the exit code says so.
#[must_use]
pub fn main(config: Option<&Path>, arguments: &Arguments) -> u8 {
    let config = match load(config) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let facts = Facts {
        policy: &config.policy,
        config: &config.name,
        keep: config.audit.as_ref().map(|audit| audit.keep.age),
        interception: config.interception.is_some(),
        now: SystemTime::now(),
    };
    match report(arguments, &facts) {
        Ok(report) => {
            print(&match arguments.format {
                Format::Html => html(&report),
                Format::Json => report.json(),
                Format::Csv => csv(&report),
            });
            if report.integrity.verified.ok { OK } else { NO }
        }
        Err(problem) => failed(problem),
    }
}

fn report(arguments: &Arguments, facts: &Facts<'_>) -> Result<Report, String> {
    let period = Period { from: moment("--from", &arguments.from)?, to: moment("--to", &arguments.to)? };
    if period.from >= period.to {
        return Err(format!(
            "--to {} is not behind --from {}; --to is the first moment that no longer counts",
            arguments.to, arguments.from
        ));
    }
    let options = Options { key: arguments.key.as_deref().map(public_key).transpose()?, is_open: arguments.open };
    let mut figures = Figures::new(period);
    let verified = verify(&find(&arguments.files)?, &options, &mut |seen| figures.add(seen))?;
    figures.end();
    Ok(Report::new(figures, verified, facts))
}

fn moment(option: &str, text: &str) -> Result<SystemTime, String> {
    read(text)
        .ok_or_else(|| format!("{option} {text:?} is no date or time; write 2026-11-01, 2026-11-01T08:00:00Z or 2026-11-01T08:00:00+01:00"))
}
