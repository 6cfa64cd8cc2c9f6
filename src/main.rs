//! Arguments to verb to exit code; nothing else.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    ucx_egress::cli::main()
}
