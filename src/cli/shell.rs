//! `completion` and `man`: what packages install beside the program, made by the program from its own arguments.

use super::{OK, failed, print};
use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;
use std::io;
use std::path::{Path, PathBuf};

const NAME: &str = "ucx-egress";
/// The same as a word of a shell's own.
const PLAIN_NAME: &str = "ucx_egress";

/// What the first page says beside the arguments.
const MORE: &str = r".SH SIGNALS
.TP
.B SIGTERM, SIGINT
No new connections; open exchanges have limits.drain to finish. A second one ends the process at once.
.SH EXIT STATUS
.TP
.B 0
As it should be; of \fBexplain\fR: allowed; of \fBscan\fR: nothing found.
.TP
.B 1
The answer is no: denied, found, wrong, failing.
.TP
.B 2
The configuration or the arguments are wrong; the message names file, line and column.
.SH ENVIRONMENT
.TP
.B RUST_LOG
What is logged beside the records of exchanges, such as \fBdebug\fR.
.SH FILES
.TP
.I /etc/ucx\-egress/ucx\-egress.toml
The configuration of the packaged service.
";

/// Arguments of `completion`.
#[derive(Debug, clap::Args)]
pub struct Completion {
    /// The shell that reads it.
    #[arg(value_enum)]
    shell: Shell,
}

/// Arguments of `man`.
#[derive(Debug, clap::Args)]
pub struct Manual {
    /// Write a page for each verb into this folder, instead of the first one to standard output.
    #[arg(long, value_name = "FOLDER")]
    directory: Option<PathBuf>,
}

/// Prints what a shell completes by.
#[must_use]
pub fn completion(mut command: Command, arguments: &Completion) -> u8 {
    let mut script = Vec::new();
    // For bash the library takes the hyphen of the program's name for the one before a verb, and completes no verb's options.
    let name = if arguments.shell == Shell::Bash { PLAIN_NAME } else { NAME };
    clap_complete::generate(arguments.shell, &mut command, name, &mut script);
    let script = String::from_utf8_lossy(&script);
    print(&script.replace(&format!(" {PLAIN_NAME}\n"), &format!(" {NAME}\n")));
    OK
}

/// Prints or writes manual pages.
#[must_use]
pub fn manual(command: Command, arguments: &Manual) -> u8 {
    let done = match &arguments.directory {
        None => page(command).map(|page| print(&page)),
        Some(folder) => write_all(command, folder),
    };
    match done {
        Ok(()) => OK,
        Err(error) => failed(format_args!("the manual cannot be written: {error}")),
    }
}

/// The first page: what clap knows, and what it does not.
fn page(command: Command) -> io::Result<String> {
    let mut page = Vec::new();
    let manual = Man::new(command).manual("System administration");
    manual.render_title(&mut page)?;
    manual.render_name_section(&mut page)?;
    manual.render_synopsis_section(&mut page)?;
    manual.render_description_section(&mut page)?;
    manual.render_options_section(&mut page)?;
    manual.render_subcommands_section(&mut page)?;
    page.extend_from_slice(MORE.as_bytes());
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// `ucx-egress.1`, `ucx-egress-check.1` and so on.
fn write_all(command: Command, folder: &Path) -> io::Result<()> {
    let in_folder = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(in_folder)?;
    // The pages of `help` say what `--help` says.
    clap_mangen::generate_to(command.clone().disable_help_subcommand(true), folder).map_err(in_folder)?;
    std::fs::write(folder.join(format!("{NAME}.1")), page(command)?).map_err(in_folder)
}
