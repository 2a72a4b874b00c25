//! The `bellwether` binary: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    bellwether_server::cli::run()
}
