//! `omnilog triage DIR...`: every sub-folder, archive or file is a ticket; one row each, worst first.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::analyze::{OptionArgs, error_message};
use super::terminal::{self, Color, Counters};
use super::{OK, Usage};
use crate::input::{self, Options};
use crate::pipeline;
use crate::rank::POSSIBLE;
use crate::redact::{self, Pseudonyms};
use crate::report::model::{Report, RootCause};
use crate::report::{self, border, sanitize, text};
use crate::scan::Scanner;

/// Arguments of `triage`.
#[derive(Debug, Clone, Args)]
pub struct TriageArgs {
    /// Folders of tickets.
    #[arg(value_name = "DIR", required = true)]
    pub folders: Vec<PathBuf>,
    /// How to read.
    #[command(flatten)]
    pub options: OptionArgs,
    /// Output format.
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json", "ndjson", "markdown", "csv"])]
    pub format: String,
    /// Write to a file instead of standard output; names in it are pseudonyms unless --no-redact is given.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// One ticket.
#[derive(Debug, Clone, Serialize)]
struct Row {
    ticket: String,
    /// As in a report; `over` for what was put right when nothing is likely, `none` and `unread`.
    verdict: String,
    root_cause: Option<String>,
    title: Option<String>,
    level: Option<String>,
    /// Of the verdict: of `over`, that it was there.
    confidence: Option<f64>,
    source: Option<String>,
    line: Option<u64>,
    excerpt: Option<String>,
    /// The piece of the excerpt that decided: what is shown of a long line lies around it.
    #[serde(skip)]
    decisive: Option<String>,
    next_step: Option<String>,
    problems: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// Usage errors, no tickets, write errors.
pub fn run(args: &TriageArgs, now: i64) -> anyhow::Result<ExitCode> {
    let (catalogue, errors) = args.options.catalogue.load()?;
    super::warn(&errors);
    let scanner = args.options.scanner(catalogue, now)?;
    let tickets = tickets(&args.folders)?;
    let redaction = &args.options.redaction;
    let mut pseudonyms = redaction.pseudonyms(args.output.is_some() || report::hides_names(&args.format))?;
    let map = redaction.open_map()?;
    let taken: Arc<AtomicU64> = Arc::default();
    let work = || read(&scanner, args, &tickets, &taken);
    let mut tickets = terminal::with_progress(Counters::new(&scanner, &taken), &args.folders, false, work);
    tickets.sort_by(|a, b| {
        b.urgency().partial_cmp(&a.urgency()).unwrap_or(std::cmp::Ordering::Equal).then(a.name.cmp(&b.name))
    });
    if let Some(pseudonyms) = &mut pseudonyms {
        // In the order of the rows, so that numbers do not depend on threads.
        tickets.iter_mut().for_each(|t| t.redact(pseudonyms));
        map.map_or(Ok(()), |map| map.write(pseudonyms))?;
    }
    let rows: Vec<Row> = tickets.iter().map(Ticket::row).collect();
    let show = |out: &mut dyn Write| write(out, &rows, &args.format, pseudonyms.is_some());
    if args.output.is_none() && args.format == "text" {
        terminal::page(show)?;
    } else {
        terminal::print_to(args.output.as_deref(), show)?;
    }
    Ok(ExitCode::from(OK))
}

/// What was found in a ticket.
struct Ticket {
    name: String,
    /// Without what no row shows; or why it could not be read.
    report: Result<Report, String>,
}

impl Ticket {
    /// Worst first. Below "possible" the level says nothing yet.
    fn urgency(&self) -> (u8, f64) {
        let cause = self.report.as_ref().ok().and_then(|r| r.root_causes.first());
        cause.map_or((0, 0.0), |cause| (level(cause), cause.standing().1))
    }

    fn redact(&mut self, pseudonyms: &mut Pseudonyms) {
        match &mut self.report {
            Ok(report) => border::redact(report, pseudonyms),
            Err(problem) => *problem = pseudonyms.redact(problem),
        }
        self.name = pseudonyms.redact(&self.name);
    }

    fn row(&self) -> Row {
        match &self.report {
            Ok(report) => row(&self.name, report),
            Err(problem) => Row { verdict: "unread".into(), problems: vec![problem.clone()], ..empty(&self.name) },
        }
    }
}

/// The entries of the folders, sorted.
fn tickets(folders: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for folder in folders {
        let cannot = |e: io::Error| {
            let help = input::neighbour(folder).map_or_else(
                || "name a folder that holds one folder, archive or file for each ticket".into(),
                |near| format!("did you mean `{}`?", near.display()),
            );
            Usage(format!("{}: cannot be read: {}\n  help: {help}", folder.display(), input::reason(&e)))
        };
        for entry in std::fs::read_dir(folder).map_err(cannot)? {
            all.push(entry.map_err(cannot)?.path());
        }
    }
    if all.is_empty() {
        let names: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        let help = "name a folder that holds one folder, archive or file for each ticket";
        anyhow::bail!(Usage(format!("there are no tickets: {} is empty\n  help: {help}", names.join(", "))));
    }
    all.sort();
    Ok(all)
}

/// Reads all tickets. When they are few, each may use several threads.
fn read(scanner: &Scanner<'_>, args: &TriageArgs, paths: &[PathBuf], taken: &Arc<AtomicU64>) -> Vec<Ticket> {
    let threads = (rayon::current_num_threads() / paths.len().max(1)).max(1);
    let tickets = Mutex::new(Vec::with_capacity(paths.len()));
    input::each(paths, |index, path| {
        let ticket = ticket(scanner, args, path, (threads, taken));
        tickets.lock().unwrap_or_else(PoisonError::into_inner).push((index, ticket));
    });
    let mut tickets = tickets.into_inner().unwrap_or_else(PoisonError::into_inner);
    tickets.sort_by_key(|(index, _)| *index);
    tickets.into_iter().map(|(_, ticket)| ticket).collect()
}

/// Reads a ticket; whatever goes wrong in it stays in its row.
fn ticket(scanner: &Scanner<'_>, args: &TriageArgs, path: &Path, (threads, taken): (usize, &Arc<AtomicU64>)) -> Ticket {
    let name = path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
    let read = || -> anyhow::Result<Report> {
        let options = Options { threads: Some(threads), taken: Arc::clone(taken), ..args.options.input_options()? };
        Ok(pipeline::read_paths(scanner, &[path.to_path_buf()], &options).report(scanner.catalogue))
    };
    let report = match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(report)) => Ok(shortened(report)),
        Ok(Err(error)) => Err(redact::mask(&error_message(&error)).into_owned()),
        Err(_) => Err("reading it failed inside omnilog; please report this".into()),
    };
    Ticket { name: redact::mask(&name).into_owned(), report }
}

/// What a row needs of a report: thousands of tickets are held at once.
fn shortened(mut report: Report) -> Report {
    report.root_causes.truncate(1);
    report.inputs.clear();
    report.symptoms.clear();
    report.timeline.clear();
    report.unexplained.clusters.clear();
    report
}

fn empty(ticket: &str) -> Row {
    Row {
        ticket: sanitize::line(ticket),
        verdict: "none".into(),
        root_cause: None,
        title: None,
        level: None,
        confidence: None,
        source: None,
        line: None,
        excerpt: None,
        decisive: None,
        next_step: None,
        problems: Vec::new(),
    }
}

fn row(ticket: &str, report: &Report) -> Row {
    let problems = report.problems.iter().map(|p| format!("{}: {}", p.source, p.message)).collect();
    let Some(cause) = report.root_causes.first() else {
        // Nothing was found where nothing could be read: somebody has to look.
        let verdict = if report.coverage.sources == 0 { "unread" } else { "none" };
        return Row { verdict: verdict.into(), problems, ..empty(ticket) };
    };
    let proof = cause.evidence.iter().find(|e| e.role == "supports");
    let (verdict, confidence) = cause.standing();
    Row {
        verdict: verdict.to_owned(),
        root_cause: Some(cause.id.clone()),
        title: Some(cause.title.clone()),
        level: Some(cause.level.clone()),
        confidence: Some(confidence),
        source: proof.map(|p| p.source.clone()),
        line: proof.map(|p| p.line),
        excerpt: proof.map(|p| sanitize::line(&p.excerpt)),
        decisive: proof.and_then(|p| p.decisive.clone()),
        next_step: next_step(cause),
        problems,
        ..empty(ticket)
    }
}

/// What stands in front of a command that fetches something.
const COLLECT: &str = "collect: ";

/// Below "possible" the level says nothing yet.
fn level(cause: &RootCause) -> u8 {
    let level = crate::catalog::Level::ALL.iter().find(|(n, _)| *n == cause.level).map_or(0, |(_, l)| *l as u8 + 1);
    if cause.confidence >= POSSIBLE { level } else { 0 }
}

/// What to do when it is likely, what to fetch when it is not; nothing when it was put right.
fn next_step(cause: &RootCause) -> Option<String> {
    if cause.over.is_some() {
        return None;
    }
    if cause.confidence >= POSSIBLE {
        return cause.remediation.first().map(|r| r.title.clone());
    }
    cause.collect.first().map(|c| format!("{COLLECT}{}", c.run))
}

fn write(out: &mut dyn Write, rows: &[Row], format: &str, redacted: bool) -> io::Result<()> {
    match format {
        "json" => {
            serde_json::to_writer_pretty(&mut *out, rows)?;
            writeln!(out)
        }
        "ndjson" => rows.iter().try_for_each(|row| {
            serde_json::to_writer(&mut *out, row)?;
            writeln!(out)
        }),
        "csv" => csv(out, rows),
        "markdown" => {
            markdown(out, rows)?;
            if redacted { writeln!(out, "\n{}", report::PSEUDONYMS) } else { Ok(()) }
        }
        _ => {
            list(out, rows, terminal::style(Color::Never, false, false).width)?;
            if redacted { writeln!(out, "\n{}", report::PSEUDONYMS) } else { Ok(()) }
        }
    }
}

const HEADINGS: [&str; 6] = ["ticket", "verdict", "confidence", "root cause", "decisive line", "next step"];
/// Columns of a decisive line where nothing else bounds it.
const LINE: usize = 120;

fn cells(row: &Row) -> [String; 6] {
    [
        row.ticket.clone(),
        row.verdict.clone(),
        confidence(row),
        shown(row.root_cause.as_deref()),
        shown(decisive_line(row, LINE).as_deref()),
        shown(what_next(row)),
    ]
}

fn shown(text: Option<&str>) -> String {
    text.unwrap_or("-").to_owned()
}

fn confidence(row: &Row) -> String {
    row.confidence.map_or_else(|| "-".into(), |c| format!("{c:.2}"))
}

/// The decisive line in `room` columns, around what decided.
fn decisive_line(row: &Row, room: usize) -> Option<String> {
    row.excerpt.as_deref().map(|excerpt| text::clip(excerpt, row.decisive.as_deref(), room))
}

/// The next step, or what went wrong where there is none.
fn what_next(row: &Row) -> Option<&str> {
    row.next_step.as_deref().or_else(|| row.problems.first().map(String::as_str))
}

/// Narrower terminals get the root cause on a line of its own.
const NARROW: usize = 72;

/// A block for each ticket: what it is, the line that shows it, what to do. Six columns fit no terminal.
fn list(out: &mut dyn Write, rows: &[Row], width: usize) -> io::Result<()> {
    let name = rows.iter().map(|row| row.ticket.width()).max().unwrap_or(0).min(width / 3);
    for row in rows {
        let ticket = text::clip(&row.ticket, None, name);
        let pad = " ".repeat(name - ticket.width().min(name));
        let (verdict, confidence, cause) = (&row.verdict, confidence(row), shown(row.root_cause.as_deref()));
        let gap = if width < NARROW { "\n    " } else { "  " };
        let gap = if row.root_cause.is_none() { "  " } else { gap };
        writeln!(out, "{ticket}{pad}  {verdict:<9}  {confidence:<4}{gap}{cause}")?;
        if let Some(line) = decisive_line(row, width.saturating_sub(4)) {
            writeln!(out, "    {line}")?;
        }
        if let Some(next) = what_next(row) {
            next_lines(next, width).iter().try_for_each(|line| writeln!(out, "{line}"))?;
        }
    }
    Ok(())
}

/// The next step in lines that fit; a command is never cut.
fn next_lines(next: &str, width: usize) -> Vec<String> {
    if next.starts_with(COLLECT) {
        return vec![format!("  > {next}")];
    }
    let parts = text::wrap(next, width.saturating_sub(4)).into_iter().enumerate();
    parts.map(|(n, part)| format!("{}{part}", if n == 0 { "  > " } else { "    " })).collect()
}

/// Comma-separated values after RFC 4180; a leading sign that a spreadsheet would run as a formula is defused.
fn csv(out: &mut dyn Write, rows: &[Row]) -> io::Result<()> {
    let cell = |text: &str| {
        let text = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() };
        format!("\"{}\"", text.replace('"', "\"\""))
    };
    let mut line =
        |cells: &[String]| writeln!(out, "{}\r", cells.iter().map(|c| cell(c)).collect::<Vec<_>>().join(","));
    line(&HEADINGS.map(str::to_owned))?;
    rows.iter().try_for_each(|row| line(&cells(row)))
}

fn markdown(out: &mut dyn Write, rows: &[Row]) -> io::Result<()> {
    let line = |out: &mut dyn Write, cells: [String; 6]| {
        let cells = cells.map(|c| crate::report::markdown::escape(&c));
        writeln!(out, "| {} |", cells.join(" | "))
    };
    line(out, HEADINGS.map(str::to_owned))?;
    writeln!(out, "|{}", " --- |".repeat(HEADINGS.len()))?;
    rows.iter().try_for_each(|row| line(out, cells(row)))
}
