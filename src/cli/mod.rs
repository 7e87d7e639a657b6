//! The command line: arguments, and one file per command.

pub mod analyze;
mod config;
pub mod detect;
pub mod events;
pub mod explain;
pub mod follow;
mod near_miss;
pub mod patterns;
pub mod redaction;
pub mod shell;
pub mod terminal;
pub mod triage;
pub mod why_not;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

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
  talosctl -n 10.5.0.2 dmesg -f | omnilog --follow
  omnilog explain proxmox-storage/storage-full

Defaults for flags stand in $XDG_CONFIG_HOME/omnilog/config.toml: a line such as `timezone = \"+02:00\"` for each; a table \
such as `[triage]` holds those of one command.

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
    /// Print at once instead of showing text that is longer than the screen in `OMNILOG_PAGER`, `PAGER` or `less`.
    #[arg(long, global = true)]
    pub no_pager: bool,
    /// Pass over the configuration file.
    #[arg(long, global = true)]
    pub no_config: bool,
}

/// Commands beside the analysis.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Judge a folder of tickets: one row for each sub-folder, archive, e-mail or file, worst first.
    #[command(after_help = "\
Examples:
  omnilog triage tickets/
  omnilog triage tickets/ --format csv > tickets.csv
  omnilog triage inbox/ --format ndjson | jq -r 'select(.verdict == \"confirmed\") | .ticket'")]
    Triage(triage::TriageArgs),
    /// Print the normalised events, merged by time.
    #[command(after_help = "\
Examples:
  omnilog events support.zip --min-level error
  omnilog events support.zip provider.log --contains vm-104 --since 2h
  omnilog events support.zip --service kubelet --format ndjson | jq .body")]
    Events(events::EventsArgs),
    /// Show a root cause as a page: cause, impact, evidence, remedies, references.
    #[command(after_help = "\
Examples:
  omnilog explain proxmox-storage/storage-full
  omnilog explain storage-full")]
    Explain(explain::ExplainArgs),
    /// Say why a root cause was not named: what is missing, and where it came nearest.
    #[command(after_help = "\
Examples:
  omnilog why-not proxmox-storage/storage-full support.zip
  docker logs omni-infra-provider-proxmox 2>&1 | omnilog why-not storage-full")]
    WhyNot(why_not::WhyNotArgs),
    /// Say for each source what was understood: format, share, time span, zone, problems.
    #[command(after_help = "\
Examples:
  omnilog detect support.zip
  omnilog detect --json /var/log/pve/tasks | jq '.[] | select(.understood < 0.5).source'")]
    Detect(detect::DetectArgs),
    /// List, show, check and test root causes, or begin a new one.
    #[command(after_help = "\
Examples:
  omnilog patterns list
  omnilog patterns show storage-full
  omnilog patterns new my-site/backup-window
  omnilog patterns test --patterns patterns/")]
    Patterns(patterns::PatternsArgs),
    /// Print a completion script for a shell.
    #[command(after_help = "\
Examples:
  omnilog completions bash > ~/.local/share/bash-completion/completions/omnilog
  omnilog completions zsh > ~/.zfunc/_omnilog
  omnilog completions fish > ~/.config/fish/completions/omnilog.fish
  omnilog completions powershell >> $PROFILE")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    #[command(after_help = "\
Examples:
  omnilog man > ~/.local/share/man/man1/omnilog.1
  omnilog man triage > ~/.local/share/man/man1/omnilog-triage.1
  omnilog man | man -l -")]
    Man {
        /// The page of one command.
        command: Option<String>,
    },
}

/// Which catalogue to use.
#[derive(Debug, Clone, Args)]
pub struct CatalogueArgs {
    /// Pattern files that add to the built-in catalogue or replace parts of it.
    #[arg(long, value_name = "DIR", global = true)]
    pub patterns: Option<PathBuf>,
}

impl CatalogueArgs {
    /// Loads the catalogue; broken files are reported by the caller. It stays until the process ends: to take it apart would
    /// take as long as to load it.
    ///
    /// # Errors
    /// The folder does not exist.
    pub fn load(&self) -> anyhow::Result<(&'static Catalogue, Vec<PatternError>)> {
        let (catalogue, errors) = match &self.patterns {
            Some(folder) if !folder.is_dir() => {
                anyhow::bail!(Usage(format!("--patterns {}: there is no such folder", folder.display())))
            }
            Some(folder) => load::with_folder(folder, false),
            None => load::builtin(),
        };
        Ok((Box::leak(Box::new(catalogue)), errors))
    }
}

/// A mistake of the caller: exit status [`USAGE`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// The name under which `kubectl` finds the program as its plugin.
const PLUGIN: &str = "kubectl-omnilog";

/// Reads the command line, the first argument being the name of the program, with the defaults of the configuration file.
/// Prints help and ends the process when that is what is asked for, and when the arguments are wrong.
///
/// # Errors
/// A configuration file with something wrong in it.
pub fn parse(args: Vec<OsString>) -> anyhow::Result<Cli> {
    let mut command = Cli::command();
    if args.first().is_some_and(|name| Path::new(name).file_stem().is_some_and(|stem| stem == PLUGIN)) {
        command = as_plugin(command);
    }
    let matches = config::apply(command, &args)?.get_matches_from(args);
    Ok(Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()))
}

/// Shows the command in its help as it is typed when `kubectl` runs it.
fn as_plugin(command: clap::Command) -> clap::Command {
    let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    let renamed = |command: clap::Command| match command.get_after_help().map(ToString::to_string) {
        Some(help) => {
            let help = help.replace("\n  omnilog", "\n  kubectl omnilog").replace("| omnilog", "| kubectl omnilog");
            command.after_help(help)
        }
        None => command,
    };
    let command = renamed(command).bin_name("kubectl omnilog");
    names.iter().fold(command, |command, name| {
        command.mut_subcommand(name, |sub| renamed(sub).bin_name(format!("kubectl omnilog {name}")))
    })
}

/// Runs the command line. `now` is the time of the start, microseconds since the epoch.
///
/// # Errors
/// What stops the whole run; printed by `main`.
pub fn run(cli: &Cli, now: i64) -> anyhow::Result<ExitCode> {
    terminal::set_paging(!cli.no_pager);
    match &cli.command {
        None => analyze::run(&cli.analyze, now),
        Some(Command::Triage(args)) => triage::run(args, now),
        Some(Command::Events(args)) => events::run(args, now),
        Some(Command::Explain(args)) => explain::run(args),
        Some(Command::WhyNot(args)) => why_not::run(args, now),
        Some(Command::Detect(args)) => detect::run(args, now),
        Some(Command::Patterns(args)) => patterns::run(args, now),
        Some(Command::Completions { shell }) => shell::completions(*shell, &mut Cli::command()),
        Some(Command::Man { command }) => shell::man(&Cli::command(), command.as_deref()),
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
