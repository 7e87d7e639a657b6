//! `omnilog detect [PATH]...`: what was understood of each source.

use std::process::ExitCode;

use clap::Args;

use super::OK;
use super::analyze::{InputArgs, redact};
use super::terminal::{self, Color};
use crate::report::text;

/// Arguments of `detect`.
#[derive(Debug, Clone, Args)]
pub struct DetectArgs {
    /// What to read.
    #[command(flatten)]
    pub input: InputArgs,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
///
/// # Errors
/// Usage errors, nothing to read, write errors.
pub fn run(args: &DetectArgs, now: i64) -> anyhow::Result<ExitCode> {
    let (catalogue, errors) = args.input.options.catalogue.load()?;
    super::warn(&errors);
    let scanner = args.input.options.scanner(catalogue, now)?;
    let redaction = &args.input.options.redaction;
    let (pseudonyms, map) = (redaction.pseudonyms(false)?, redaction.open_map()?);
    let mut report = args.input.read(&scanner)?.report(catalogue);
    redact(&mut report, pseudonyms, map)?;
    if args.json {
        let text = serde_json::to_string_pretty(&report.inputs)?;
        terminal::print(|out| writeln!(out, "{text}"))?;
        return Ok(ExitCode::from(OK));
    }
    let sources = text::sources(&report.inputs, terminal::style(Color::Never, false, false).width);
    terminal::print(|out| {
        writeln!(out, "{sources}")?;
        report.problems.iter().try_for_each(|p| writeln!(out, "{}: {} ({})", p.source, p.message, p.kind))
    })?;
    Ok(ExitCode::from(OK))
}
