//! The command line: arguments, and one file per command.

pub mod analyze;
pub mod patterns;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::catalog::Catalogue;
use crate::catalog::compile::PatternError;
use crate::catalog::load;

/// Exit status: analysed.
pub const OK: u8 = 0;
/// Exit status: something at or above `--fail-on`.
pub const FOUND: u8 = 1;
/// Exit status: usage, or nothing could be read.
pub const USAGE: u8 = 2;
/// Exit status: internal error.
pub const INTERNAL: u8 = 3;

/// Names the root cause in logs and bundles of Talos clusters run by Sidero Omni on Proxmox VE.
#[derive(Debug, Parser)]
#[command(name = "omnilog", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Arguments of the analysis.
    #[command(flatten)]
    pub analyze: analyze::AnalyzeArgs,
}

/// Commands beside the analysis.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List, show, check and test root causes.
    Patterns(patterns::PatternsArgs),
}

/// Which catalogue to use.
#[derive(Debug, Clone, Args)]
pub struct CatalogueArgs {
    /// Pattern files that add to the built-in catalogue or replace parts of it.
    #[arg(long, value_name = "DIR", global = true)]
    pub patterns: Option<PathBuf>,
}

impl CatalogueArgs {
    /// Loads the catalogue; broken files are reported by the caller.
    pub fn load(&self) -> (Catalogue, Vec<PatternError>) {
        match &self.patterns {
            Some(folder) => load::with_folder(folder, false),
            None => load::builtin(),
        }
    }
}

/// Runs the command line. `now` is the time of the start, microseconds since the epoch.
///
/// # Errors
/// What stops the whole run; printed by `main`.
pub fn run(cli: &Cli, now: i64) -> anyhow::Result<ExitCode> {
    match &cli.command {
        None => analyze::run(&cli.analyze, now),
        Some(Command::Patterns(args)) => patterns::run(args, now),
    }
}

/// Warns of broken pattern files on standard error.
pub fn warn(errors: &[PatternError]) {
    for error in errors {
        eprintln!("omnilog: {error}");
    }
}
