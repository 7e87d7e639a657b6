//! `omnilog completions SHELL` and `omnilog man`: made from the argument definitions.

use std::process::ExitCode;

use clap::Command;

use super::OK;
use super::terminal;

/// Prints a completion script.
///
/// # Errors
/// Write errors.
pub fn completions(shell: clap_complete::Shell, command: &mut Command) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(shell, command, "omnilog", &mut script);
    terminal::print(|out| out.write_all(&script))?;
    Ok(ExitCode::from(OK))
}

/// Prints the manual page.
///
/// # Errors
/// Write errors.
pub fn man(command: &Command) -> anyhow::Result<ExitCode> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    terminal::print(|out| out.write_all(&page))?;
    Ok(ExitCode::from(OK))
}
