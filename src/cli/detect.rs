//! `omnilog detect [PATH]...`: what was understood of each source.

use std::process::ExitCode;

use clap::Args;
use tabled::builder::Builder;

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
    let mut builder = Builder::default();
    builder.push_record(["source", "lines", "understood", "formats", "from", "to", "times", "status"]);
    for input in &report.inputs {
        builder.push_record([
            input.source.as_str(),
            &input.lines.to_string(),
            &format!("{:.0} %", input.understood * 100.0),
            &input.formats.join(" "),
            input.first.as_deref().unwrap_or("-"),
            input.last.as_deref().unwrap_or("-"),
            input.timezone.as_deref().unwrap_or("-"),
            &input.status,
        ]);
    }
    let table = text::table(builder, terminal::style(Color::Never, false, false).width);
    terminal::print(|out| {
        writeln!(out, "{table}")?;
        report.problems.iter().try_for_each(|p| writeln!(out, "{}: {} ({})", p.source, p.message, p.kind))
    })?;
    Ok(ExitCode::from(OK))
}
