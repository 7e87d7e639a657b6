//! The command line: arguments, and one file per command.

pub mod analyze;
pub mod detect;
pub mod events;
pub mod explain;
pub mod follow;
pub mod patterns;
pub mod redaction;
pub mod shell;
pub mod terminal;
pub mod triage;
pub mod why_not;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::catalog::Catalogue;
use crate::catalog::compile::PatternError;
use crate::catalog::load;
use crate::suggest;

/// Exit status: analysed.
pub const OK: u8 = 0;
/// Exit status: something at or above `--fail-on`.
pub const FOUND: u8 = 1;
/// Exit status: usage, or nothing could be read.
pub const USAGE: u8 = 2;
/// Exit status: internal error.
pub const INTERNAL: u8 = 3;

/// What `--help` ends with.
const EXAMPLES: &str = "\
Examples:
  docker logs omni-infra-provider-proxmox 2>&1 | omnilog
  talosctl -n 10.5.0.2 dmesg | omnilog
  omnilog support.zip /var/log/pve/tasks provider.log
  omnilog --format json ticket/ | jq '.root_causes[0].id'
  omnilog explain proxmox-storage/storage-full

Exit status: 0 analysed, 1 something at or above --fail-on, 2 usage or nothing could be read, 3 internal error.";

/// Names the root cause in logs and bundles of Talos clusters run by Sidero Omni on Proxmox VE.
#[derive(Debug, Parser)]
#[command(name = "omnilog", version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do; without a command: analyse.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Arguments of the analysis.
    #[command(flatten)]
    pub analyze: analyze::AnalyzeArgs,
}

/// Commands beside the analysis.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Judge a folder of tickets: one row for each sub-folder, archive or file, worst first.
    Triage(triage::TriageArgs),
    /// Print the normalised events, merged by time.
    Events(events::EventsArgs),
    /// Show a root cause as a page: cause, impact, evidence, remedies, references.
    Explain(explain::ExplainArgs),
    /// Say why a root cause was not named: what is missing, and where it came nearest.
    WhyNot(why_not::WhyNotArgs),
    /// Say for each source what was understood: format, share, time span, zone, problems.
    Detect(detect::DetectArgs),
    /// List, show, check and test root causes, or begin a new one.
    Patterns(patterns::PatternsArgs),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
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
    ///
    /// # Errors
    /// The folder does not exist.
    pub fn load(&self) -> anyhow::Result<(Catalogue, Vec<PatternError>)> {
        match &self.patterns {
            Some(folder) if !folder.is_dir() => {
                anyhow::bail!(Usage(format!("--patterns {}: there is no such folder", folder.display())))
            }
            Some(folder) => Ok(load::with_folder(folder, false)),
            None => Ok(load::builtin()),
        }
    }
}

/// A mistake of the caller: exit status [`USAGE`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// Runs the command line. `now` is the time of the start, microseconds since the epoch.
///
/// # Errors
/// What stops the whole run; printed by `main`.
pub fn run(cli: &Cli, now: i64) -> anyhow::Result<ExitCode> {
    match &cli.command {
        None => analyze::run(&cli.analyze, now),
        Some(Command::Triage(args)) => triage::run(args, now),
        Some(Command::Events(args)) => events::run(args, now),
        Some(Command::Explain(args)) => explain::run(args),
        Some(Command::WhyNot(args)) => why_not::run(args, now),
        Some(Command::Detect(args)) => detect::run(args, now),
        Some(Command::Patterns(args)) => patterns::run(args, now),
        Some(Command::Completions { shell }) => shell::completions(*shell, &mut Cli::command()),
        Some(Command::Man) => shell::man(&Cli::command()),
    }
}

/// Warns of broken pattern files on standard error.
pub fn warn(errors: &[PatternError]) {
    for error in errors {
        terminal::note(&error.to_string());
    }
}

/// The index of a root cause, or a message that suggests the nearest one.
///
/// # Errors
/// The id is unknown.
pub fn find_cause(catalogue: &Catalogue, id: &str) -> anyhow::Result<usize> {
    catalogue.find(id).ok_or_else(|| {
        let known = catalogue.causes.iter().flat_map(|c| [c.id.as_str(), c.slug()]);
        let help = suggest::did_you_mean(id, known).unwrap_or_else(|| "see `omnilog patterns list`".into());
        anyhow::Error::new(Usage(format!("unknown root cause `{id}`\n  help: {help}")))
    })
}
