//! `omnilog patterns list|show|check|test`: the catalogue itself.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{CatalogueArgs, FOUND, OK, USAGE};
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
pub fn run(args: &PatternsArgs, now: i64) -> anyhow::Result<ExitCode> {
    let (catalogue, mut errors) = args.catalogue.load()?;
    match &args.command {
        PatternsCommand::List => {
            super::warn(&errors);
            for cause in &catalogue.causes {
                println!("{:<44} {:<8} {}", cause.id, cause.level.name(), cause.title);
            }
            Ok(ExitCode::from(OK))
        }
        PatternsCommand::Show { id } => Ok(show(&catalogue, id)),
        PatternsCommand::Check { only } => {
            errors.extend(check::check(&catalogue));
            errors.retain(|e| only.as_ref().is_none_or(|o| e.path.contains(o)));
            for error in &errors {
                println!("{error}");
            }
            println!("{} root causes, {} signatures, {} complaints", catalogue.causes.len(), catalogue.signatures.len(), errors.len());
            Ok(ExitCode::from(if errors.is_empty() { OK } else { FOUND }))
        }
        PatternsCommand::Test { id } => {
            super::warn(&errors);
            Ok(test(&catalogue, now, id.as_deref()))
        }
    }
}

fn show(catalogue: &Catalogue, id: &str) -> ExitCode {
    let found = catalogue.find(id).and_then(|i| catalogue.causes.get(i)).and_then(|c| catalogue.texts.get(&c.id));
    match found {
        Some(text) => {
            print!("{}", text.text);
            ExitCode::from(OK)
        }
        None => {
            let known = catalogue.causes.iter().map(|c| c.id.as_str());
            let help = crate::suggest::did_you_mean(id, known).unwrap_or_default();
            eprintln!("omnilog: unknown root cause `{id}`; {help}");
            ExitCode::from(USAGE)
        }
    }
}

fn test(catalogue: &Catalogue, now: i64, id: Option<&str>) -> ExitCode {
    let outcomes = prove::run(catalogue, now, id);
    let mut failed = 0;
    for outcome in &outcomes {
        for failure in &outcome.failures {
            println!("{} [{} {}]: {failure}", outcome.id, outcome.kind, outcome.sample);
        }
        failed += usize::from(!outcome.failures.is_empty());
    }
    println!("{} samples, {failed} failed", outcomes.len());
    ExitCode::from(if failed == 0 { OK } else { FOUND })
}
