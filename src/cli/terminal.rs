//! What the terminal can show: width, colour; and the one place that writes messages.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::Usage;
use crate::redact;
use crate::report::{Style, sanitize};

/// When to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Columns when standard output is no terminal.
const PIPE_WIDTH: usize = 100;

/// How to show things on standard output, or in a file.
pub fn style(color: Color, all: bool, to_file: bool) -> Style {
    let terminal = !to_file && io::stdout().is_terminal();
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|t| t == "dumb");
    Style {
        width: width(terminal),
        color: match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !no_color && !dumb,
        },
        all,
    }
}

/// Columns of the output: the terminal's, `COLUMNS`, or a width that reads well.
fn width(terminal: bool) -> usize {
    let told = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
    let own = terminal.then(terminal_size::terminal_size).flatten().map(|(width, _)| usize::from(width.0));
    own.or(told).unwrap_or(PIPE_WIDTH)
}

/// A message for people, on standard error.
pub fn note(message: &str) {
    // Names of files may hold anything. A closed standard error is no reason to stop.
    let _ = writeln!(io::stderr().lock(), "omnilog: {}", sanitize::text(&redact::mask(message)));
}

/// Shows on standard error, when it is a terminal, how many bytes were scanned, as long as `work` runs and once it takes
/// longer than a second.
pub fn with_progress<T>(scanned: &AtomicU64, work: impl FnOnce() -> T) -> T {
    if !io::stderr().is_terminal() {
        return work();
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| watch(scanned, &done));
        let result = work();
        done.store(true, Ordering::Release);
        result
    })
}

fn watch(scanned: &AtomicU64, done: &AtomicBool) {
    let started = Instant::now();
    let mut bar = None;
    while !done.load(Ordering::Acquire) {
        std::thread::sleep(Duration::from_millis(50));
        if started.elapsed() < Duration::from_secs(1) {
            continue;
        }
        let bar = bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{spinner} {bytes} scanned, {binary_bytes_per_sec}");
            ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
        });
        bar.set_position(scanned.load(Ordering::Relaxed));
        bar.tick();
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}

/// Runs `write` on buffered standard output. A closed pipe is success: the reader has seen enough.
///
/// # Errors
/// Any other write error.
pub fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    print_on(write).map(drop)
}

/// As [`print`]; false when nobody reads standard output any more.
///
/// # Errors
/// Any other write error.
pub fn print_on(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<bool> {
    let mut out = io::BufWriter::with_capacity(64 << 10, io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        other => other.map(|()| true),
    }
}

/// Runs `write` on a file, or on standard output when there is none.
///
/// # Errors
/// The file cannot be written; write errors but for a closed pipe.
pub fn print_to(path: Option<&Path>, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    let Some(path) = path else { return Ok(print(write)?) };
    let cannot = |e: io::Error| Usage(format!("{}: cannot be written: {e}", path.display()));
    let mut out = io::BufWriter::new(std::fs::File::create(path).map_err(cannot)?);
    write(&mut out).and_then(|()| out.flush()).map_err(cannot)?;
    Ok(())
}
