//! `omnilog patterns list|show|check|test`: the catalogue itself.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{CatalogueArgs, FOUND, OK, find_cause, terminal};
use crate::catalog::{Catalogue, check};
use crate::prove;

/// Arguments of `patterns`.
#[derive(Debug, Clone, Args)]
pub struct PatternsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: PatternsCommand,
    /// Which catalogue.
    #[command(flatten)]
    pub catalogue: CatalogueArgs,
}

/// What to do with the catalogue.
#[derive(Debug, Clone, Subcommand)]
pub enum PatternsCommand {
    /// All root causes.
    List,
    /// A pattern file as it stands.
    Show {
        /// `scenario/cause`.
        id: String,
    },
    /// Run the lints.
    Check {
        /// Only files whose path contains this.
        only: Option<String>,
    },
    /// Run the samples, each against the whole catalogue.
    Test {
        /// Only this root cause or scenario.
        id: Option<String>,
    },
}

/// Runs the command.
///
/// # Errors
/// The folder of patterns does not exist, the id is unknown, write errors.
pub fn run(args: &PatternsArgs, now: i64) -> anyhow::Result<ExitCode> {
    let (catalogue, mut errors) = args.catalogue.load()?;
    match &args.command {
        PatternsCommand::List => {
            super::warn(&errors);
            terminal::print(|out| {
                catalogue
                    .causes
                    .iter()
                    .try_for_each(|c| writeln!(out, "{:<44} {:<8} {}", c.id, c.level.name(), c.title))
            })?;
            Ok(ExitCode::from(OK))
        }
        PatternsCommand::Show { id } => {
            super::warn(&errors);
            show(&catalogue, id)
        }
        PatternsCommand::Check { only } => {
            errors.extend(check::check(&catalogue));
            errors.retain(|e| only.as_ref().is_none_or(|o| e.path.contains(o)));
            let (causes, signatures) = (catalogue.causes.len(), catalogue.signatures.len());
            terminal::print(|out| {
                errors.iter().try_for_each(|error| writeln!(out, "{error}"))?;
                writeln!(out, "{causes} root causes, {signatures} signatures, {} complaints", errors.len())
            })?;
            Ok(ExitCode::from(if errors.is_empty() { OK } else { FOUND }))
        }
        PatternsCommand::Test { id } => {
            super::warn(&errors);
            test(&catalogue, now, id.as_deref())
        }
    }
}

/// Prints a pattern file.
fn show(catalogue: &Catalogue, id: &str) -> anyhow::Result<ExitCode> {
    let cause = catalogue.causes.get(find_cause(catalogue, id)?);
    if let Some(text) = cause.and_then(|c| catalogue.texts.get(&c.id)) {
        terminal::print(|out| write!(out, "{}", text.text))?;
    }
    Ok(ExitCode::from(OK))
}

/// Prints what does not hold.
fn test(catalogue: &Catalogue, now: i64, id: Option<&str>) -> anyhow::Result<ExitCode> {
    let outcomes = prove::run(catalogue, now, id);
    let failed = outcomes.iter().filter(|o| !o.failures.is_empty()).count();
    terminal::print(|out| {
        for outcome in &outcomes {
            for failure in &outcome.failures {
                writeln!(out, "{} [{} {}]: {failure}", outcome.id, outcome.kind, outcome.sample)?;
            }
        }
        writeln!(out, "{} samples, {failed} failed", outcomes.len())
    })?;
    Ok(ExitCode::from(if failed == 0 { OK } else { FOUND }))
}
