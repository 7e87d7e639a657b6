//! The `omnilog` binary: arguments, the clock and the exit status.

use std::process::ExitCode;

use clap::Parser;
use omnilog::cli::{self, Cli, analyze, terminal};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let now = chrono::Utc::now().timestamp_micros();
    cli::run(&cli, now).unwrap_or_else(|error| {
        terminal::note(&format!("{error:#}"));
        ExitCode::from(analyze::error_status(&error))
    })
}
