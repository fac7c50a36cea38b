//! The `binnacle` program: command line in, exit code out, nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    binnacle::cli::run()
}
