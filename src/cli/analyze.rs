//! `omnilog [PATH]...`: the analysis.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Args, CommandFactory};

use super::redaction::{Map, RedactArgs};
use super::terminal::{self, Color, Counters, ThemeChoice};
use super::{CatalogueArgs, FOUND, OK, USAGE, Usage};
use crate::catalog::Catalogue;
use crate::decode::age::{Identities, Prompt};
use crate::event::time;
use crate::input::Options;
use crate::pipeline::{self, Analysis};
use crate::redact::Pseudonyms;
use crate::report::model::{ProblemEntry, Report};
use crate::report::{self, Renderer, border, coverage};
use crate::scan::Scanner;
use crate::suggest;

/// Where to read, and how.
#[derive(Debug, Clone, Args)]
pub struct InputArgs {
    /// Files, directories, bundles; `-` or none reads standard input.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// How to read.
    #[command(flatten)]
    pub options: OptionArgs,
}

/// How to read, and which part.
#[derive(Debug, Clone, Args)]
pub struct OptionArgs {
    /// Only evidence from this time on: `2026-09-15T08:00:00Z`, `2026-09-15`, or an age such as `2h`.
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only evidence until this time.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Zone of time stamps that have none: `+02:00`, `-0500`, `UTC`. Without it, what the input tells, else UTC.
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub timezone: Option<String>,
    /// Keys for age-encrypted bundles: age identity files or SSH private keys.
    #[arg(short, long, value_name = "FILE")]
    pub identity: Vec<PathBuf>,
    /// Which catalogue.
    #[command(flatten)]
    pub catalogue: CatalogueArgs,
    /// What to hide.
    #[command(flatten)]
    pub redaction: RedactArgs,
}

/// Arguments of the analysis.
#[derive(Debug, Clone, Args)]
pub struct AnalyzeArgs {
    /// What to read.
    #[command(flatten)]
    pub input: InputArgs,
    /// Output format.
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = formats())]
    pub format: String,
    /// Read on as the input grows, and say at once which root cause became likely; Ctrl-C ends with the summary.
    #[arg(short, long)]
    pub follow: bool,
    /// A good run: of the unexplained errors only those are shown that it did not have.
    #[arg(long, value_name = "PATH", conflicts_with = "follow")]
    pub baseline: Vec<PathBuf>,
    /// Write to a file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Show weak root causes, all evidence and all sources.
    #[arg(long)]
    pub all: bool,
    /// Show so many lines of the log around each line of evidence (text and html).
    #[arg(short = 'C', long, value_name = "LINES")]
    pub context: Option<u64>,
    /// Exit with 1 when a root cause is at least this sure.
    #[arg(long, value_name = "WORD", value_parser = ["possible", "likely", "confirmed"])]
    pub fail_on: Option<String>,
    /// When to use colour.
    #[arg(long, value_enum, default_value_t)]
    pub color: Color,
    /// Colours for a dark or a light background.
    #[arg(long, value_enum, default_value_t)]
    pub theme: ThemeChoice,
    /// No messages on standard error but errors.
    #[arg(short, long)]
    pub quiet: bool,
}

impl OptionArgs {
    /// Prepares a scanner with these arguments.
    ///
    /// # Errors
    /// A time or zone that cannot be read.
    pub fn scanner<'c>(&self, catalogue: &'c Catalogue, now: i64) -> anyhow::Result<Scanner<'c>> {
        let mut scanner = Scanner::new(catalogue, now);
        scanner.zone = self.timezone.as_deref().map(zone).transpose()?;
        let zone = scanner.zone.unwrap_or(0);
        scanner.since = self.since.as_deref().map(|t| moment(t, now, zone)).transpose()?;
        scanner.until = self.until.as_deref().map(|t| moment(t, now, zone)).transpose()?;
        Ok(scanner)
    }

    /// How to read archives and encrypted files.
    ///
    /// # Errors
    /// An identity file that cannot be used.
    pub fn input_options(&self) -> anyhow::Result<Options> {
        self.with_identities(Identities::new(Prompt::new(terminal::passphrase)))
    }

    /// As `input_options`, but nobody is asked for a passphrase a second time.
    fn without_questions(&self) -> anyhow::Result<Options> {
        self.with_identities(Identities::default())
    }

    fn with_identities(&self, identities: Identities) -> anyhow::Result<Options> {
        let mut options = Options { identities, ..Options::default() };
        for path in &self.identity {
            options.add_identity_file(path).map_err(|e| Usage(format!("--identity {}: {e}", path.display())))?;
        }
        Ok(options)
    }
}

impl InputArgs {
    /// Reads the input; says what was wrong when nothing at all could be read.
    ///
    /// # Errors
    /// Nothing could be read.
    pub fn read(&self, scanner: &Scanner<'_>) -> anyhow::Result<Analysis> {
        let options = self.options.input_options()?;
        let read = || pipeline::read_paths(scanner, &self.paths, &options);
        let analysis = terminal::with_progress(Counters::new(scanner, &options.taken), &self.paths, false, read);
        if analysis.sources.iter().all(|s| s.bytes == 0) {
            anyhow::bail!(nothing_read(&analysis.problems));
        }
        Ok(analysis)
    }
}

/// Says what was wrong when nothing at all could be read.
pub(super) fn nothing_read(problems: &[ProblemEntry]) -> Usage {
    let mut message = String::from("nothing could be read");
    for problem in problems.iter().take(10) {
        message.push_str(&format!("\n  {}: {}", problem.source, problem.message));
    }
    // A file that is there was not meant as a command.
    let absent = |p: &&ProblemEntry| !std::path::Path::new(&p.source).exists();
    if let Some(command) = problems.first().filter(absent).and_then(|p| mistyped_command(&p.source)) {
        message.push_str(&format!("\n  help: {command}"));
    }
    if problems.iter().all(|p| p.kind == "empty") {
        message.push_str("\n  help: name files, folders or bundles, or pipe a log into omnilog");
    }
    Usage(message)
}

/// The command that was meant by a word that names no file.
fn mistyped_command(word: &str) -> Option<String> {
    let cli = super::Cli::command();
    let near = suggest::did_you_mean(word, cli.get_subcommands().map(clap::Command::get_name))?;
    Some(format!("there is no such file; as a command, {near}"))
}

/// Refuses a command that stands behind a flag, where only paths can: what was meant is not an analysis.
fn refuse_late_command(paths: &[PathBuf]) -> Result<(), Usage> {
    let Some(word) = paths.first().filter(|path| !path.exists()).and_then(|path| path.to_str()) else { return Ok(()) };
    if super::Cli::command().find_subcommand(word).is_none() {
        return Ok(());
    }
    Err(Usage(format!(
        "`{word}` stands behind a flag, where it is taken for a path\n  help: put the command first: omnilog {word} ..."
    )))
}

/// Runs the analysis.
///
/// # Errors
/// Usage errors, nothing to read, write errors.
pub fn run(args: &AnalyzeArgs, now: i64) -> anyhow::Result<ExitCode> {
    refuse_late_command(&args.input.paths)?;
    let renderer = renderer(&args.format)?;
    if args.follow {
        return super::follow::run(args, renderer, now);
    }
    let (catalogue, errors) = args.input.options.catalogue.load()?;
    super::warn(&errors);
    let mut scanner = args.input.options.scanner(catalogue, now)?;
    scanner.around = args.context.unwrap_or_else(|| renderer.context());
    let redaction = &args.input.options.redaction;
    let pseudonyms = redaction.pseudonyms(report::hides_names(&args.format))?;
    let map = redaction.open_map()?;
    let mut analysis = args.input.read(&scanner)?;
    if !args.baseline.is_empty() {
        analysis.forget(&baseline(args, &scanner)?);
    }
    let mut report = analysis.report(catalogue);
    pipeline::attach_context(&mut report, &analysis, scanner.around, &args.input.options.without_questions()?);
    redact(&mut report, pseudonyms, map)?;
    if !args.quiet && args.format != "text" {
        // What costs nothing stands in the report alone.
        for problem in report.problems.iter().filter(|p| coverage::is_loss(p)) {
            terminal::note(&format!("{}: {}", problem.source, problem.message));
        }
    }
    write(args, renderer, &report)?;
    Ok(ExitCode::from(status(args.fail_on.as_deref(), &report)))
}

/// Replaces names by pseudonyms, if there are to be any, and writes the map.
///
/// # Errors
/// The map cannot be written.
pub fn redact(report: &mut Report, pseudonyms: Option<Pseudonyms>, map: Option<Map>) -> anyhow::Result<()> {
    let Some(mut pseudonyms) = pseudonyms else { return Ok(()) };
    border::redact(report, &mut pseudonyms);
    map.map_or(Ok(()), |map| map.write(&pseudonyms))
}

/// Reads the good run to compare with.
fn baseline(args: &AnalyzeArgs, scanner: &Scanner<'_>) -> anyhow::Result<Analysis> {
    let good = pipeline::read_paths(scanner, &args.baseline, &args.input.options.input_options()?);
    if good.sources.iter().all(|s| s.bytes == 0) {
        let Usage(message) = nothing_read(&good.problems);
        anyhow::bail!(Usage(format!("--baseline: {message}")));
    }
    Ok(good)
}

/// The names of all renderers, so that shells complete them and mistypes are corrected.
fn formats() -> PossibleValuesParser {
    PossibleValuesParser::new(report::RENDERERS.iter().map(|r| r.name()))
}

fn renderer(format: &str) -> anyhow::Result<&'static dyn Renderer> {
    report::renderer(format).ok_or_else(|| anyhow::Error::new(Usage(format!("unknown format `{format}`"))))
}

pub(super) fn write(args: &AnalyzeArgs, renderer: &dyn Renderer, report: &Report) -> anyhow::Result<()> {
    let style = args.theme.on(terminal::style(args.color, args.all, args.output.is_some()));
    let show = |out: &mut dyn Write| renderer.render(report, &style, out);
    if args.output.is_none() && renderer.name() == "text" {
        return Ok(terminal::page(show)?);
    }
    terminal::print_to(args.output.as_deref(), show)
}

/// The exit status by `--fail-on`.
pub(super) fn status(fail_on: Option<&str>, report: &Report) -> u8 {
    use crate::rank::Verdict;
    let rank = |word: &str| Verdict::ALL.iter().find(|(w, _)| *w == word).map(|(_, v)| *v);
    let Some(threshold) = fail_on.and_then(rank) else { return OK };
    let reached = report.root_causes.iter().filter_map(|c| rank(&c.verdict)).any(|v| v >= threshold);
    if reached { FOUND } else { OK }
}

/// Seconds east of UTC.
fn zone(text: &str) -> anyhow::Result<i64> {
    if matches!(text, "UTC" | "utc" | "Z") {
        return Ok(0);
    }
    let probe = format!("1970-01-02T00:00:00{text}");
    match time::timestamp(probe.as_bytes()) {
        Some((crate::event::RawTime::Utc(utc), used)) if used == probe.len() => Ok((time::DAY - utc) / time::SECOND),
        _ => anyhow::bail!(Usage(format!("--timezone {text}: expected for example `+02:00`, `-0500` or `UTC`"))),
    }
}

/// A time stamp, a date, or an age, in microseconds since the epoch.
fn moment(text: &str, now: i64, zone: i64) -> anyhow::Result<i64> {
    use crate::event::RawTime;
    if let Ok(age) = crate::catalog::compile::duration(text) {
        return Ok(now - age);
    }
    match time::timestamp(text.as_bytes()) {
        Some((RawTime::Utc(t), _)) => return Ok(t),
        Some((RawTime::Local(t), _)) => return Ok(t - zone * time::SECOND),
        _ => {}
    }
    match time::date(text.as_bytes()).filter(|_| text.len() == 10) {
        Some(days) => Ok(days * time::DAY - zone * time::SECOND),
        None => anyhow::bail!(Usage(format!(
            "`{text}` is no time: expected `2026-09-15T08:00:00Z`, `2026-09-15`, or an age such as `2h`"
        ))),
    }
}

/// An error as one text.
pub fn error_message(error: &anyhow::Error) -> String {
    format!("{error:#}")
}

/// The exit status for an error.
pub fn error_status(error: &anyhow::Error) -> u8 {
    if error.downcast_ref::<Usage>().is_some() { USAGE } else { super::INTERNAL }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_and_moments_are_read() {
        assert_eq!(zone("+02:00").expect("a zone"), 7200);
        assert_eq!(zone("-0500").expect("a zone"), -18_000);
        assert!(zone("CEST").is_err());
        let now = 10 * time::DAY;
        assert_eq!(moment("2h", now, 0).expect("an age"), now - 7200 * time::SECOND);
        assert_eq!(moment("1970-01-02", now, 3600).expect("a date"), time::DAY - 3600 * time::SECOND);
        assert!(moment("yesterday", now, 0).is_err());
    }
}
