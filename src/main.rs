//! The `omnilog` binary: arguments, the clock and the exit status.

use std::process::ExitCode;

use clap::Parser;
use omnilog::cli::{self, Cli};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let now = chrono::Utc::now().timestamp_micros();
    cli::run(&cli, now).unwrap_or_else(|error| {
        eprintln!("omnilog: {error:#}");
        ExitCode::from(cli::INTERNAL)
    })
}
