//! The command line: one file a verb.

pub mod audit;
pub mod ca;
pub mod check;
pub mod demo;
pub mod doctor;
pub mod drill;
pub mod explain;
pub mod learn;
mod lines;
pub mod policy;
pub mod report;
pub mod run;
pub mod scan;
pub mod shell;
mod stand_in;
pub mod version;

use crate::config::{Config, LogFormat};
use clap::{CommandFactory as _, Parser, Subcommand};
use lines::Lines;
use std::io::{BufWriter, IsTerminal as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// Log lines that may wait for their reader.
const LOG_QUEUE: usize = 8_192;
/// Bytes of log lines that are written in one call: as many as a pipe takes without mixing them with those of others (`PIPE_BUF`).
const LOG_BATCH: usize = 4 * 1024;
/// Under this name the records of exchanges are logged.
const RECORDS: &str = "ucx_egress::exchange";
/// Everything was as it should be.
pub const OK: u8 = 0;
/// The answer is no: denied, a wrong verdict.
pub const NO: u8 = 1;
/// The configuration or the arguments are wrong.
pub const BAD_CONFIG: u8 = 2;

/// Egress proxy between Imagicle UCX Suite servers and the Imagicle Cloud: documented hosts only, every refusal explained.
#[derive(Debug, Parser)]
#[command(
    disable_version_flag = true,
    after_help = "Next: `ucx-egress demo` shows it all on this machine; `ucx-egress check` says what is in force."
)]
struct Arguments {
    /// Configuration file; without it the built-in default runs (config/ucx-egress.toml shows it).
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print version, commit and the policy's hash; with --config FILE of the policy of that file.
    #[arg(long, short = 'V')]
    version: bool,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the proxy and its admin listener until SIGTERM or SIGINT (the default).
    Run,
    /// Load configuration and policy, print what is in force, warn of what can never act.
    Check,
    /// Say what the proxy would decide about a destination, by which rule, documented where.
    Explain(explain::Arguments),
    /// Inspect captured payloads offline, with the engine that stands in the request path.
    Scan(scan::Arguments),
    /// Propose a policy and a shape from what was observed, or a shape from captures or a JSON Schema, for a person to review.
    Learn(learn::Arguments),
    /// Look at everything on the way to the cloud, one line a check: policy, files, DNS, TCP, TLS, HTTP, parents, clock.
    Doctor(doctor::Arguments),
    /// The interception CA: make it, or show it and how clients come to trust it.
    #[command(subcommand)]
    Ca(ca::Verb),
    /// The allow list as data.
    #[command(subcommand)]
    Policy(policy::Verb),
    /// What a shell completes verbs and options by.
    Completion(shell::Completion),
    /// The manual page; with --directory one for each verb.
    Man(shell::Manual),
    /// Audit files: whether they are whole.
    #[command(subcommand)]
    Audit(audit::Verb),
    /// Dated evidence from audit files: what went where, documented how, inspected how far, refused why.
    Report(report::Arguments),
    /// The whole product on loopback: a stand-in cloud, real requests, a table of verdicts.
    Demo(demo::Arguments),
    /// Break each dependency on purpose on loopback, and show that each fails closed with its reason and recovers.
    Drill(drill::Arguments),
}

/// Reads the arguments, runs the verb, gives its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let Arguments { config, version, verb } = Arguments::parse();
    let config = config.as_deref();
    if version {
        return ExitCode::from(version::main(config));
    }
    ExitCode::from(match verb.unwrap_or(Verb::Run) {
        Verb::Run => run::main(config),
        Verb::Check => check::main(config),
        Verb::Explain(arguments) => explain::main(config, &arguments),
        Verb::Scan(arguments) => scan::main(config, &arguments),
        Verb::Learn(arguments) => learn::main(config, &arguments),
        Verb::Doctor(arguments) => doctor::main(config, &arguments),
        Verb::Ca(verb) => ca::main(config, &verb),
        Verb::Policy(verb) => policy::main(config, &verb),
        Verb::Completion(arguments) => shell::completion(Arguments::command(), &arguments),
        Verb::Man(arguments) => shell::manual(Arguments::command(), &arguments),
        Verb::Audit(verb) => audit::main(&verb),
        Verb::Report(arguments) => report::main(config, &arguments),
        Verb::Demo(arguments) => demo::main(config, &arguments),
        Verb::Drill(arguments) => drill::main(&arguments),
    })
}

/// Loads the configuration, or says what is wrong with it.
fn load(path: Option<&std::path::Path>) -> Result<Config, u8> {
    Config::load(path).map_err(failed)
}

/// Says on standard error what went wrong and gives the exit code for it.
fn failed(message: impl std::fmt::Display) -> u8 {
    // Whoever closed standard error does not want to read it.
    let _ = writeln!(std::io::stderr(), "ucx-egress: {message}");
    BAD_CONFIG
}

/// Prints on standard output; a reader that went away (`| head`) is no error.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Keeps the log's writer alive, and knows what it had to drop.
#[derive(Debug)]
struct Log {
    _writer: WorkerGuard,
    dropped: ErrorCounter,
}

/// Starts the log on standard error. `RUST_LOG` changes what is in it; the records of exchanges stay.
///
/// Lines go through a bounded queue to one thread: a collector that reads slowly, or is gone, costs lines (counted in
/// `ucx_egress_log_lines_dropped_total`) and never stops the proxy.
fn start_log(format: LogFormat, default: &str) -> Log {
    let (writer, guard) = NonBlockingBuilder::default().buffered_lines_limit(LOG_QUEUE).lossy(true).finish(Batched::default());
    let log = Log { dropped: writer.error_counter(), _writer: guard };
    let lines = tracing_subscriber::fmt().with_env_filter(filter(default)).with_writer(writer).log_internal_errors(false);
    let started = match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).event_format(Lines::default()).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    if let Err(error) = started {
        failed(format_args!("the log does not start: {error}"));
    }
    log
}

/// Standard error, whose reader may be gone. What waits in the queue is written together: the queue's thread flushes whenever it has
/// emptied it.
struct Batched(BufWriter<std::io::Stderr>);

impl Default for Batched {
    fn default() -> Self {
        Self(BufWriter::with_capacity(LOG_BATCH, std::io::stderr()))
    }
}

impl Write for Batched {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        // The queue's thread would not answer the end of the process after an error here, and the end would wait for it.
        let _ = self.0.flush();
        Ok(())
    }
}

fn filter(default: &str) -> EnvFilter {
    let wanted = std::env::var(EnvFilter::DEFAULT_ENV).ok().filter(|wanted| !wanted.trim().is_empty());
    let Some(wanted) = wanted else { return EnvFilter::new(default) };
    let records = if wanted.contains(RECORDS) { String::new() } else { format!(",{RECORDS}=info") };
    EnvFilter::new(wanted + &records)
}
