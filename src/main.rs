//! The `omnilog` binary: arguments, the clock and the exit status.

use std::process::ExitCode;

use omnilog::cli::{self, analyze, terminal};

fn main() -> ExitCode {
    let now = chrono::Utc::now().timestamp_micros();
    cli::parse(std::env::args_os().collect()).and_then(|cli| cli::run(&cli, now)).unwrap_or_else(|error| {
        terminal::note(&format!("{error:#}"));
        ExitCode::from(analyze::error_status(&error))
    })
}
