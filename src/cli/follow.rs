//! `omnilog --follow [PATH]...`: says what changed while the input grows, and ends with the summary.
//!
//! Changes go to standard output as they come (text, or a JSON object a line); with a format that is one document, or
//! `-o FILE`, only the summary is written in it. The status line stands on standard error and only on a terminal.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::analyze::{self, AnalyzeArgs};
use super::terminal;
use crate::follow::{Change, Follower, Status, Update};
use crate::redact::Pseudonyms;
use crate::report::model::{Report, RootCause};
use crate::report::{self, Renderer, Style, border, context, notice};

/// How long to wait for input before looking at the time again.
const WAIT: Duration = Duration::from_millis(50);
/// Time between two states of the status line.
const REDRAW: Duration = Duration::from_millis(500);

/// One line of `--follow --format ndjson`.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'l> {
    /// A root cause became likely, or its verdict changed.
    Verdict {
        /// `new` or `changed`.
        change: &'static str,
        /// The verdict told before.
        was: Option<&'static str>,
        /// The verdict now.
        verdict: &'static str,
        /// `scenario/cause`.
        id: &'l str,
        /// All of it; nothing when no evidence is left.
        root_cause: Option<&'l RootCause>,
    },
    /// The end: the whole report.
    Summary {
        /// `end of input` or `signal`.
        ended_by: &'static str,
        /// Lines read, those of forgotten sources too.
        lines: u64,
        /// The report.
        report: &'l Report,
    },
}

/// Where changes are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// As text on standard output.
    Text,
    /// As JSON on standard output.
    Json,
    /// As text on standard error, since standard output is for the document.
    Aside,
}

/// Runs the command.
///
/// # Errors
/// Usage errors, write errors, no threads.
pub fn run(args: &AnalyzeArgs, renderer: &dyn Renderer, now: i64) -> anyhow::Result<ExitCode> {
    let (catalogue, errors) = args.input.options.catalogue.load()?;
    super::warn(&errors);
    let mut scanner = args.input.options.scanner(catalogue, now)?;
    let around = args.context.unwrap_or_else(|| renderer.context());
    scanner.around = around;
    let options = args.input.options.input_options()?;
    let redaction = &args.input.options.redaction;
    let mut names = redaction.pseudonyms(report::hides_names(&args.format))?;
    let map = redaction.open_map()?;
    let stop = signals()?;
    terminal::set_paging(false);
    let started = Instant::now();
    let mut follower = Follower::new(scanner, &args.input.paths, options, Box::new(move || started.elapsed()))?;
    let screen = Screen::new(args);
    let mut redrawn = Duration::ZERO;
    let mut open = true;
    while open && !stop.load(Ordering::Relaxed) && !follower.is_over() {
        let update = follower.step(WAIT);
        if !args.quiet {
            for problem in follower.new_problems() {
                let message = format!("{}: {}", problem.source, problem.message);
                screen.note(&names.as_mut().map_or(message.clone(), |names| names.redact(&message)));
            }
        }
        if let Some(mut update) = update {
            hide(&mut update.report, names.as_mut());
            open = screen.show(&update)?;
        }
        if started.elapsed() >= redrawn {
            redrawn = started.elapsed() + REDRAW;
            screen.status(follower.status());
        }
    }
    let ended_by = if follower.is_over() { "end of input" } else { "signal" };
    let lines = follower.status().lines;
    let mut last = follower.finish();
    if last.report.inputs.iter().all(|i| i.bytes == 0) && ended_by != "signal" {
        screen.clear();
        anyhow::bail!(analyze::nothing_read(&last.report.problems));
    }
    context::attach(&mut last.report, &[], around);
    hide(&mut last.report, names.as_mut());
    if let (Some(map), Some(names)) = (map, &names) {
        map.write(names)?;
    }
    screen.show(&last)?;
    screen.clear();
    screen.summary(args, renderer, &last.report, ended_by, lines)?;
    Ok(ExitCode::from(analyze::status(args.fail_on.as_deref(), &last.report)))
}

/// Replaces names by pseudonyms, if there are to be any; the same ones in every report of the run.
fn hide(report: &mut Report, pseudonyms: Option<&mut Pseudonyms>) {
    if let Some(pseudonyms) = pseudonyms {
        border::redact(report, pseudonyms);
    }
}

/// Set by Ctrl-C and SIGTERM; the second one ends at once.
fn signals() -> io::Result<Arc<AtomicBool>> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stop))?;
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}

/// What is shown while it runs.
struct Screen {
    bar: ProgressBar,
    shown: Shown,
    style: Style,
}

impl Screen {
    fn new(args: &AnalyzeArgs) -> Self {
        let quiet = args.quiet || !io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(
            None,
            if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() },
        );
        bar.set_style(ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_bar()));
        let shown = match args.format.as_str() {
            "ndjson" if args.output.is_none() => Shown::Json,
            "text" => Shown::Text,
            _ if args.output.is_some() => Shown::Text,
            _ => Shown::Aside,
        };
        Self { bar, shown, style: args.theme.on(terminal::style(args.color, false, shown == Shown::Aside)) }
    }

    fn note(&self, message: &str) {
        self.bar.suspend(|| terminal::note(message));
    }

    fn status(&self, status: Status) {
        if self.bar.is_hidden() {
            return;
        }
        let plural = |count: u64, word: &str| if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") };
        let silent = match status.silent.as_secs() {
            _ if status.lines == 0 => ", nothing read yet".to_owned(),
            0..10 => String::new(),
            seconds @ 10..120 => format!(", quiet for {seconds} s"),
            seconds => format!(", quiet for {} min", seconds / 60),
        };
        let sources = plural(status.sources as u64, "source");
        let lines = plural(status.lines, "line");
        let causes = plural(status.holding as u64, "root cause");
        self.bar.set_message(format!("following {sources}, {lines}, {causes}{silent}; Ctrl-C for the summary"));
        self.bar.tick();
    }

    fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Shows what changed. False when nobody reads it.
    fn show(&self, update: &Update) -> io::Result<bool> {
        if update.changes.is_empty() {
            return Ok(true);
        }
        let write = |out: &mut dyn Write| update.changes.iter().try_for_each(|c| self.change(c, &update.report, out));
        self.bar.suspend(|| match self.shown {
            Shown::Aside => write(&mut io::stderr().lock()).map(|()| true),
            Shown::Text | Shown::Json => terminal::print_on(write),
        })
    }

    fn change(&self, change: &Change, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let cause = report.root_causes.iter().find(|c| c.id == change.id);
        if self.shown != Shown::Json {
            let was = change.was.map(|v| v.word());
            return notice::write(&change.id, was, change.verdict.word(), cause, &self.style, out);
        }
        let line = Line::Verdict {
            change: if change.was.is_none() { "new" } else { "changed" },
            was: change.was.map(|v| v.word()),
            verdict: change.verdict.word(),
            id: &change.id,
            root_cause: cause,
        };
        serde_json::to_writer(&mut *out, &line)?;
        writeln!(out)
    }

    fn summary(
        &self,
        args: &AnalyzeArgs,
        renderer: &dyn Renderer,
        report: &Report,
        ended_by: &'static str,
        lines: u64,
    ) -> anyhow::Result<()> {
        match self.shown {
            Shown::Json => terminal::print(|out| {
                serde_json::to_writer(&mut *out, &Line::Summary { ended_by, lines, report })?;
                writeln!(out)
            })?,
            Shown::Text if args.output.is_none() => {
                let read = if lines == 1 { "1 line".into() } else { format!("{lines} lines") };
                terminal::print(|out| writeln!(out, "Summary after {read} ({ended_by})\n"))?;
                analyze::write(args, renderer, report)?;
            }
            _ => analyze::write(args, renderer, report)?,
        }
        Ok(())
    }
}
