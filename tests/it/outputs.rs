//! Every way to print something of an input: read off the command line itself, so that a new command or format cannot be
//! forgotten by the tests of hostile text and of secrets.

use clap::CommandFactory;
use omnilog::cli::Cli;

use crate::support::none;

/// Commands that read no log.
const SILENT: &[&str] = &["explain", "completions", "man", "help"];
/// A root cause that the samples hold.
const ID: &str = "proxmox-storage/storage-full";

/// One way to print something.
#[derive(Debug, Clone)]
pub struct Output {
    /// Arguments in front of the paths.
    pub args: Vec<String>,
    /// What it prints at least of a ticket with that root cause.
    pub holds: &'static str,
    /// Whether the input comes on standard input only.
    pub piped: bool,
    /// Whether the path must be a folder of tickets.
    pub tickets: bool,
}

impl Output {
    fn new(args: &[&str], holds: &'static str) -> Self {
        let args = args.iter().map(|a| (*a).to_owned()).collect();
        Self { args, holds, piped: false, tickets: false }
    }
}

/// The values that a flag takes.
fn values(command: &clap::Command, flag: &str) -> Vec<String> {
    let arg = command.get_arguments().find(|a| a.get_long() == Some(flag));
    let values = arg.map(clap::Arg::get_possible_values).unwrap_or_default();
    values.iter().map(|v| v.get_name().to_owned()).collect()
}

/// The outputs of the analysis itself.
fn analysis(cli: &clap::Command) -> Vec<Output> {
    let mut found = vec![
        Output::new(&["--all", "--color", "always"], "storage-full"),
        Output::new(&["--all", "-C", "3"], "storage-full"),
    ];
    for format in values(cli, "format") {
        found.push(Output::new(&["--all", "--format", &format], "storage-full"));
        found.push(Output::new(&["--format", &format], "storage-full"));
        if omnilog::report::hides_names(&format) {
            found.push(Output::new(&["--all", "--no-redact", "--format", &format], "storage-full"));
        }
        found.push(Output { piped: true, ..Output::new(&["--follow", "--format", &format], "storage-full") });
    }
    found
}

/// The outputs of a command; a complaint for one that nobody thought of.
fn outputs_of(command: &clap::Command, complaints: &mut Vec<String>) -> Vec<Output> {
    let name = command.get_name();
    let formats = values(command, "format");
    let each = |args: &[&str], holds: &'static str| -> Vec<Output> {
        formats.iter().map(|f| Output::new(&[args, &["--format", f.as_str()]].concat(), holds)).collect()
    };
    match name {
        _ if SILENT.contains(&name) => Vec::new(),
        "triage" => each(&["triage"], "storage-full").into_iter().map(|o| Output { tickets: true, ..o }).collect(),
        "events" => each(&["events"], "***"),
        "detect" => vec![Output::new(&["detect"], "understood"), Output::new(&["detect", "--json"], "provider.log")],
        "why-not" => vec![Output::new(&["why-not", ID], ".log:")],
        // The skeleton that it writes is looked at by tests of its own.
        "patterns" => Vec::new(),
        _ => {
            complaints.push(format!("`{name}`: say in tests/it/outputs.rs what of an input it prints"));
            Vec::new()
        }
    }
}

/// Flags that choose a format by their own name.
fn switches(command: &clap::Command) -> Vec<String> {
    let formats = ["json", "ndjson", "csv", "markdown", "html", "sarif", "junit", "yaml", "xml", "text", "table"];
    let long = command.get_arguments().filter_map(clap::Arg::get_long);
    long.filter(|l| formats.contains(l)).map(|l| format!("{} --{l}", command.get_name())).collect()
}

/// All of them.
pub fn all() -> Vec<Output> {
    let cli = Cli::command();
    let mut complaints = Vec::new();
    let mut found = analysis(&cli);
    for command in cli.get_subcommands() {
        found.extend(outputs_of(command, &mut complaints));
    }
    none(&complaints);
    found
}

#[test]
fn every_command_and_format_is_looked_at() {
    let cli = Cli::command();
    let found = all();
    let has = |args: &[&str]| found.iter().any(|o| args.iter().all(|a| o.args.iter().any(|have| have == a)));
    let mut complaints = Vec::new();
    for renderer in omnilog::report::RENDERERS {
        for args in [&["--format", renderer.name()][..], &["--follow", "--format", renderer.name()]] {
            complaints.extend((!has(args)).then(|| format!("{args:?} is not looked at")));
        }
    }
    for command in cli.get_subcommands() {
        for format in values(command, "format") {
            let args = [command.get_name(), "--format", format.as_str()];
            complaints.extend((!has(&args)).then(|| format!("{args:?} is not looked at")));
        }
    }
    let switches: Vec<String> = cli.get_subcommands().chain([&cli]).flat_map(switches).collect();
    assert_eq!(switches, ["detect --json"], "a flag that chooses a format");
    none(&complaints);
}
