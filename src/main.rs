//! The program `dak`.

use std::process::ExitCode;

fn main() -> ExitCode {
    dak::cli::main(&dak::desk::Homes)
}
