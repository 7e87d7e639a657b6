//! `omnilog explain ID`: a root cause as a page, from its pattern file.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;

use super::terminal::{self, Color};
use super::{CatalogueArgs, OK, find_cause};
use crate::catalog::file::CauseFile;
use crate::catalog::{Catalogue, Cause};
use crate::report::text::wrap;

/// Columns of a factor.
const FACTOR: usize = 7;

/// Arguments of `explain`.
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// `scenario/cause`, or the part after the slash.
    pub id: String,
    /// Which catalogue.
    #[command(flatten)]
    pub catalogue: CatalogueArgs,
}

/// Runs the command.
///
/// # Errors
/// Unknown id, write errors.
pub fn run(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let (catalogue, errors) = args.catalogue.load()?;
    super::warn(&errors);
    let index = find_cause(catalogue, &args.id)?;
    let Some(cause) = catalogue.causes.get(index) else { return Ok(ExitCode::from(OK)) };
    let page = catalogue.page(&cause.id).unwrap_or_default();
    let width = terminal::style(Color::Never, false, false).width.min(100);
    terminal::page(|out| write(out, catalogue, cause, &page, width))?;
    Ok(ExitCode::from(OK))
}

fn write(out: &mut dyn Write, catalogue: &Catalogue, cause: &Cause, page: &CauseFile, width: usize) -> io::Result<()> {
    writeln!(out, "{}\n", cause.id)?;
    paragraph(out, &page.title, width)?;
    let scenario = catalogue.scenario_title(cause.scenario());
    writeln!(out, "scenario: {scenario}   impact: {}   status: {}\n", cause.level.name(), cause.status)?;
    for (heading, text) in [("What happens", &page.description), ("Why", &page.cause), ("Impact", &page.impact)] {
        if !text.trim().is_empty() {
            writeln!(out, "{heading}")?;
            paragraph(out, text, width)?;
        }
    }
    writeln!(out, "Evidence (how it changes the odds: × speaks for it, ÷ against)")?;
    for item in &cause.evidence {
        // Further lines stand below the words, not below the factor.
        let lines = wrap(&format!("{}: {}", item.id, item.says), width.saturating_sub(FACTOR + 2));
        for (index, line) in lines.iter().enumerate() {
            let factor = if index == 0 { super::why_not::factor(item) } else { String::new() };
            writeln!(out, "  {factor:<FACTOR$}{line}")?;
        }
    }
    writeln!(out, "\nWhat to do")?;
    for (number, step) in (1..).zip(&page.remediation) {
        bullet(out, &format!("{number}. {} (risk: {})", step.title, step.risk), width)?;
        for (label, text) in [
            ("", &step.text),
            ("only if: ", &step.precondition),
            ("$ ", &step.run),
            ("verify: ", &step.verify),
            ("undo: ", &step.rollback),
            ("the guide: ", &step.guide),
        ] {
            for line in text.trim().lines().filter(|l| !l.trim().is_empty()) {
                match label {
                    // A command is never wrapped, so that it can be copied.
                    "$ " => writeln!(out, "     {label}{line}")?,
                    _ => bullet(out, &format!("   {label}{line}"), width)?,
                }
            }
        }
    }
    if !page.collect.is_empty() {
        writeln!(out, "\nCollect next")?;
        for collect in &page.collect {
            writeln!(out, "  $ {}", collect.run.trim())?;
            bullet(out, &format!("  {}", collect.why), width)?;
        }
    }
    writeln!(out, "\nReferences")?;
    for reference in &page.references {
        bullet(out, &format!("{}: {}", reference.url, reference.shows), width)?;
    }
    if !page.falsepositives.is_empty() {
        writeln!(out, "\nLook-alikes")?;
        for one in &page.falsepositives {
            bullet(out, &one.text, width)?;
        }
    }
    Ok(())
}

fn paragraph(out: &mut dyn Write, text: &str, width: usize) -> io::Result<()> {
    for line in wrap(text, width.saturating_sub(2)) {
        writeln!(out, "  {line}")?;
    }
    writeln!(out)
}

fn bullet(out: &mut dyn Write, text: &str, width: usize) -> io::Result<()> {
    for line in wrap(text, width.saturating_sub(2)) {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}
