//! `omnilog [PATH]...`: the analysis.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{CatalogueArgs, FOUND, OK, USAGE};
use crate::pipeline;
use crate::report::{self, Style};
use crate::scan::Scanner;

/// Arguments of the analysis.
#[derive(Debug, Clone, Args)]
pub struct AnalyzeArgs {
    /// Files, directories, bundles; `-` or none reads standard input.
    pub paths: Vec<PathBuf>,
    /// Output format.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: String,
    /// Which catalogue.
    #[command(flatten)]
    pub catalogue: CatalogueArgs,
    /// Show weak root causes and everything else.
    #[arg(long)]
    pub all: bool,
}

/// Runs the analysis.
pub fn run(args: &AnalyzeArgs, now: i64) -> anyhow::Result<ExitCode> {
    let (catalogue, errors) = args.catalogue.load();
    super::warn(&errors);
    let scanner = Scanner::new(&catalogue, now);
    let analysis = pipeline::read_paths(&scanner, &args.paths);
    if analysis.sources.is_empty() {
        for problem in &analysis.problems {
            eprintln!("omnilog: {}: {}", problem.source, problem.message);
        }
        return Ok(ExitCode::from(USAGE));
    }
    let report = analysis.report(&catalogue);
    let renderer = report::renderer(&args.format).ok_or_else(|| anyhow::anyhow!("unknown format `{}`", args.format))?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    renderer.render(&report, &Style { all: args.all, ..Style::default() }, &mut out)?;
    out.flush()?;
    let _ = FOUND;
    Ok(ExitCode::from(OK))
}
