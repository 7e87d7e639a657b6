//! `omnilog patterns list|show|check|test|new`: the catalogue itself.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use tabled::builder::Builder;

use super::terminal::{self, Color};
use super::{CatalogueArgs, FOUND, OK, Usage};
use crate::catalog::{Catalogue, check};
use crate::input::{self, Options};
use crate::pipeline;
use crate::prove;
use crate::report::text;
use crate::scan::Scanner;

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
    /// Begin a root cause: write a pattern file with every key it needs.
    New {
        /// `scenario/cause`.
        id: String,
        /// What to read for `--from-cluster`.
        #[arg(value_name = "PATH")]
        input: Vec<PathBuf>,
        /// Begin with these unexplained errors of the input: their number in the report.
        #[arg(long, value_name = "N", requires = "input")]
        from_cluster: Option<usize>,
        /// The folder that holds the scenarios.
        #[arg(long, value_name = "DIR", default_value = "patterns")]
        dir: PathBuf,
    },
    /// Run the samples, each against the whole catalogue.
    Test {
        /// Only this root cause or scenario.
        id: Option<String>,
        /// Print how reliable the confidence is: of the answers given with 0.8, eight of ten are to be right.
        #[arg(long)]
        reliability: bool,
        /// Count these tickets too: folders of folders with a `case.toml` or `expected.toml`.
        #[arg(long, value_name = "DIR", requires = "reliability")]
        cases: Vec<std::path::PathBuf>,
    },
}

/// Runs the command.
pub fn run(args: &PatternsArgs, now: i64) -> anyhow::Result<ExitCode> {
    let (catalogue, mut errors) = args.catalogue.load()?;
    match &args.command {
        PatternsCommand::List => {
            super::warn(&errors);
            list(catalogue)?;
            Ok(ExitCode::from(OK))
        }
        PatternsCommand::Show { id } => show(catalogue, id),
        PatternsCommand::New { id, input, from_cluster, dir } => {
            let text = match from_cluster {
                Some(number) => from_cluster_text(catalogue, now, input, *number)?,
                None => SKELETON.to_owned(),
            };
            new(catalogue, id, dir, &text)
        }
        PatternsCommand::Check { only } => {
            errors.extend(check::check(catalogue));
            errors.retain(|e| only.as_ref().is_none_or(|o| e.path.contains(o)));
            let (causes, signatures) = (catalogue.causes.len(), catalogue.signatures.len());
            terminal::print(|out| {
                errors.iter().try_for_each(|e| writeln!(out, "{e}"))?;
                writeln!(out, "{causes} root causes, {signatures} signatures, {} complaints", errors.len())
            })?;
            Ok(ExitCode::from(if errors.is_empty() { OK } else { FOUND }))
        }
        PatternsCommand::Test { id, reliability: true, cases } => {
            super::warn(&errors);
            let mut answers: Vec<prove::Answer> =
                prove::run(catalogue, now, id.as_deref()).iter().filter_map(|o| o.answer).collect();
            answers.extend(tickets(catalogue, now, cases)?);
            reliability(&answers)?;
            Ok(ExitCode::from(OK))
        }
        PatternsCommand::Test { id, .. } => {
            super::warn(&errors);
            test(catalogue, now, id.as_deref())
        }
    }
}

/// What a ticket is known to have, as `case.toml` or `expected.toml` says it.
#[derive(serde::Deserialize)]
struct Known {
    /// The root cause; where `scenario` and `cause` tell that, what the ticket itself is called.
    id: Option<String>,
    scenario: Option<String>,
    cause: Option<String>,
    #[serde(default)]
    also_acceptable: Vec<String>,
}

/// The answers to tickets whose root cause is known.
fn tickets(catalogue: &Catalogue, now: i64, folders: &[std::path::PathBuf]) -> anyhow::Result<Vec<prove::Answer>> {
    let scanner = Scanner::new(catalogue, now);
    let mut answers = Vec::new();
    for folder in folders {
        let mut tickets: Vec<_> = std::fs::read_dir(folder)?.filter_map(|e| Some(e.ok()?.path())).collect();
        tickets.sort();
        for ticket in tickets {
            let known =
                ["case.toml", "expected.toml"].iter().find_map(|n| std::fs::read_to_string(ticket.join(n)).ok());
            let Some(known) = known.and_then(|text| toml::from_str::<Known>(&text).ok()) else { continue };
            let own = known.scenario.zip(known.cause).map(|(scenario, cause)| format!("{scenario}/{cause}"));
            let own = own.or(known.id);
            let Some(own) = own else { continue };
            let input = ticket.join("input");
            let path = if input.is_dir() { input } else { ticket };
            let analysis = pipeline::read_paths(&scanner, &[path], &Options::default());
            let candidates = analysis.candidates(catalogue);
            let Some((first, id)) = candidates.first().and_then(|c| Some((c, &catalogue.causes.get(c.cause)?.id)))
            else {
                continue;
            };
            let slug = |id: &str| id.rsplit('/').next().unwrap_or(id).to_owned();
            let right = slug(id) == slug(&own) || known.also_acceptable.iter().any(|a| slug(a) == slug(id));
            answers.push(prove::Answer { confidence: first.confidence, right });
        }
    }
    Ok(answers)
}

/// How reliable the confidence of answers is.
fn reliability(answers: &[prove::Answer]) -> io::Result<()> {
    let (bands, error) = prove::reliability(answers);
    let mut builder = Builder::default();
    builder.push_record(["confidence", "answers", "mean", "right"]);
    for band in &bands {
        builder.push_record([
            format!("{:.2} to {:.2}", band.from, band.to),
            band.answers.to_string(),
            format!("{:.3}", band.confidence),
            format!("{:.3}", band.right),
        ]);
    }
    let table = text::table(builder, terminal::style(Color::Never, false, false).width);
    terminal::print(|out| writeln!(out, "{table}\n{} answers, mean error {error:.3}", answers.len()))
}

/// All root causes as a table.
fn list(catalogue: &Catalogue) -> io::Result<()> {
    let mut builder = Builder::default();
    builder.push_record(["id", "impact", "status", "title"]);
    for cause in &catalogue.causes {
        builder.push_record([cause.id.as_str(), cause.level.name(), &cause.status, &cause.title]);
    }
    let table = text::table(builder, terminal::style(Color::Never, false, false).width);
    terminal::page(|out| writeln!(out, "{table}"))
}

fn show(catalogue: &Catalogue, id: &str) -> anyhow::Result<ExitCode> {
    let cause = catalogue.causes.get(super::find_cause(catalogue, id)?);
    if let Some(found) = cause.and_then(|c| catalogue.texts.get(&c.id)) {
        terminal::page(|out| out.write_all(found.text.as_bytes()))?;
    }
    Ok(ExitCode::from(OK))
}

/// Writes the skeleton of a pattern file; never over an existing one.
fn new(catalogue: &Catalogue, id: &str, dir: &Path, text: &str) -> anyhow::Result<ExitCode> {
    let word = |w: &str| !w.is_empty() && w.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let Some((scenario, cause)) = id.split_once('/').filter(|(s, c)| word(s) && word(c)) else {
        anyhow::bail!(Usage(format!("`{id}`: expected scenario/cause in lower case with hyphens")));
    };
    if catalogue.causes.iter().any(|c| c.id == id) {
        anyhow::bail!(Usage(format!("`{id}` is there already; see `omnilog patterns show {id}`")));
    }
    let path = dir.join(scenario).join(format!("{cause}.toml"));
    let cannot = |e: io::Error| Usage(format!("{}: cannot be written: {}", path.display(), input::reason(&e)));
    std::fs::create_dir_all(dir.join(scenario)).map_err(cannot)?;
    let mut file = std::fs::File::create_new(&path).map_err(cannot)?;
    file.write_all(text.as_bytes()).map_err(cannot)?;
    terminal::print(|out| {
        writeln!(out, "wrote {}", path.display())?;
        writeln!(
            out,
            "fill it in, then: omnilog patterns check --patterns {0} && omnilog patterns test --patterns {0} {id}",
            dir.display()
        )
    })?;
    Ok(ExitCode::from(OK))
}

/// The skeleton with what the unexplained errors of one template tell.
fn from_cluster_text(catalogue: &Catalogue, now: i64, input: &[PathBuf], number: usize) -> anyhow::Result<String> {
    let scanner = Scanner::new(catalogue, now);
    let report = pipeline::read_paths(&scanner, input, &Options::default()).report(catalogue);
    let clusters = &report.unexplained.clusters;
    let Some(cluster) = number.checked_sub(1).and_then(|n| clusters.get(n)) else {
        let count = clusters.len();
        anyhow::bail!(Usage(format!("--from-cluster {number}: the input has {count} kinds of unexplained errors")));
    };
    let literal = longest_literal(&cluster.template);
    let seen = format!("# Seen {} times, first in {} line {}.\n", cluster.count, cluster.source, cluster.line);
    let log = format!("log = '''\n{}\n'''", cluster.sample.replace("'''", "''"));
    let text = SKELETON.replacen("any = [\"\"]", &format!("any = [{literal:?}]"), 1);
    let text = text.replacen("[signature.says-so]", &format!("{seen}[signature.says-so]"), 1);
    Ok(text.replacen("log = \"\"\"\n\"\"\"", &log, 1))
}

/// The longest piece of a template that holds nothing variable and nothing that JSON writes in another way.
fn longest_literal(template: &str) -> &str {
    let pieces = template.split(['#', '"', '\\', '<', '>', '&', '\t']).map(str::trim);
    pieces.max_by_key(|p| p.len()).unwrap_or_default()
}

/// What `patterns new` writes.
const SKELETON: &str = r#"title = ""
status = "experimental"
level = "medium"
components = []
prior = "uncommon"
description = ""
cause = ""
impact = ""

[signature.says-so]
any = [""]

[[evidence]]
id = "says-so"
when = "says-so"
strength = "decisive"
says = ""

[[remediation]]
title = ""
run = ""
risk = "none"
precondition = ""
verify = ""
rollback = ""

[[collect]]
evidence = "says-so"
run = ""
why = ""

[[references]]
url = ""
shows = ""

[[sample]]
name = "says-so"
type = "positive"
log = """
"""

[[sample]]
name = "works"
type = "negative"
why = ""
log = """
"""

[[sample]]
name = "looks-alike"
type = "near-miss"
why = ""
log = """
"""
"#;

fn test(catalogue: &Catalogue, now: i64, id: Option<&str>) -> anyhow::Result<ExitCode> {
    let outcomes = prove::run(catalogue, now, id);
    let failed = outcomes.iter().filter(|o| !o.failures.is_empty()).count();
    let undiscerned = if id.is_none() { prove::undiscerned(catalogue, &outcomes) } else { Vec::new() };
    terminal::print(|out| {
        for outcome in &outcomes {
            for failure in &outcome.failures {
                writeln!(out, "{} [{} {}]: {failure}", outcome.id, outcome.kind, outcome.sample)?;
            }
        }
        for line in cross_talk(&outcomes) {
            writeln!(out, "{line}")?;
        }
        for line in &undiscerned {
            writeln!(out, "{line}")?;
        }
        writeln!(out, "{} samples, {failed} failed", outcomes.len())
    })?;
    Ok(ExitCode::from(if failed == 0 && undiscerned.is_empty() { OK } else { FOUND }))
}

/// Root causes that reach 0.5 on samples of other root causes, most often first: whose sample, who else, how often.
fn cross_talk(outcomes: &[prove::Outcome]) -> Vec<String> {
    let mut pairs: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for outcome in outcomes {
        for (other, _) in outcome.named.iter().filter(|(other, _)| *other != outcome.id) {
            *pairs.entry((&outcome.id, other)).or_default() += 1;
        }
    }
    let mut list: Vec<_> = pairs.into_iter().collect();
    list.sort_by_key(|((id, other), times)| (std::cmp::Reverse(*times), *id, *other));
    list.into_iter().map(|((id, other), times)| format!("cross-talk: on samples of {id}: {other} ×{times}")).collect()
}
