//! `drill`: each thing that the proxy depends on is broken on purpose, on loopback, and mended again. A table shows that whatever was
//! asked meanwhile was refused with the right reason, found again in the answer, the audit and the metrics, and that it passed afterwards.

mod ask;
mod check;
mod cloud;
mod how;
mod look;
mod names;
mod scenario;
mod stage;

use super::{NO, OK, failed, print, run};
use check::Row;
use scenario::{SCENARIOS, Scenario};
use stage::Stage;
use std::fmt::Write as _;
use tokio::signal::unix::{SignalKind, signal};

/// Arguments of `drill`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only this scenario, by its name; may be given several times.
    #[arg(long, value_name = "NAME", value_parser = clap::builder::PossibleValuesParser::new(names_of_scenarios()))]
    only: Vec<String>,
    /// Print one JSON object a scenario.
    #[arg(long)]
    json: bool,
}

fn names_of_scenarios() -> Vec<&'static str> {
    SCENARIOS.iter().map(|scenario| scenario.name).collect()
}

/// Runs the drill. It has a configuration of its own; nothing of this machine's is read or changed.
#[must_use]
pub fn main(arguments: &Arguments) -> u8 {
    // One of the things that is broken is the inspector, by a panic; what panics is said in the table.
    std::panic::set_hook(Box::new(|_| {}));
    let runtime = match run::runtime() {
        Ok(runtime) => runtime,
        Err(error) => return failed(format_args!("the runtime does not start: {error}")),
    };
    let drilled = runtime.block_on(async {
        tokio::select! {
            drilled = drill(arguments) => drilled,
            interrupted = interrupted() => interrupted,
        }
    });
    match drilled {
        Ok(code) => code,
        Err(error) => {
            failed(error);
            NO
        }
    }
}

/// Resolves when it shall be broken off; what it made is taken away then too, keys are among it.
async fn interrupted<T>() -> Result<T, String> {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        // Then they end it at once.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Err("the drill was broken off; what it did not come to is not known".to_owned())
}

async fn drill(arguments: &Arguments) -> Result<u8, String> {
    let stage = Stage::start().await?;
    let is_wanted = |scenario: &&Scenario| arguments.only.is_empty() || arguments.only.iter().any(|name| name == scenario.name);
    if !arguments.json {
        print(&format!("{:22} {:54} {:24} {:13} recovered\n", "name", "broken", "reason seen", "fails closed"));
    }
    let mut rows = Vec::new();
    for scenario in SCENARIOS.iter().filter(is_wanted) {
        let row = scenario.run(&stage).await;
        print(&if arguments.json { format!("{}\n", row.json()) } else { line(&row) });
        rows.push(row);
    }
    stage.stop().await?;
    let held = rows.iter().filter(|row| row.holds()).count();
    if !arguments.json {
        print(&format!("\n{held} of {} failed closed with their reason, and recovered\n", rows.len()));
    }
    Ok(if held == rows.len() { OK } else { NO })
}

fn line(row: &Row) -> String {
    let word = |holds: bool| if holds { "yes" } else { "NO" };
    let mut text =
        format!("{:22} {:54} {:24} {:13} {}\n", row.name, row.broken, row.seen, word(row.fails_closed()), word(row.has_recovered()));
    for wrong in row.wrong() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:22} <- WRONG: {wrong}", "");
    }
    text
}
