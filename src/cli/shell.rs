//! `omnilog completions SHELL` and `omnilog man`: made from the argument definitions.

use std::process::ExitCode;

use clap::Command;

use super::terminal;
use super::{OK, Usage};
use crate::suggest;

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

/// Prints the manual page, or that of one command.
///
/// # Errors
/// An unknown command, write errors.
pub fn man(command: &Command, name: Option<&str>) -> anyhow::Result<ExitCode> {
    let mut page = Vec::new();
    clap_mangen::Man::new(described(command, name)?).render(&mut page)?;
    terminal::print(|out| out.write_all(&page))?;
    Ok(ExitCode::from(OK))
}

/// The command that a page describes, under the name that `man` finds it by.
fn described(command: &Command, name: Option<&str>) -> anyhow::Result<Command> {
    let Some(name) = name else { return Ok(command.clone()) };
    if let Some(found) = command.find_subcommand(name) {
        let version = command.get_version().unwrap_or_default().to_owned();
        let (page, typed) = (format!("omnilog-{name}"), format!("omnilog {name}"));
        return Ok(found.clone().name(page).bin_name(typed).version(version));
    }
    let known: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
    let help = suggest::did_you_mean(name, known.iter().copied());
    let help = help.unwrap_or_else(|| format!("one of {}", known.join(", ")));
    anyhow::bail!(Usage(format!("unknown command `{name}`\n  help: {help}")))
}
