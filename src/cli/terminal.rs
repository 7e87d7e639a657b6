//! What the terminal can show: width, colour; and the one place that writes messages.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{BinaryBytes, ProgressBar, ProgressStyle};

use super::Usage;
use crate::input;
use crate::redact;
use crate::report::{Style, Theme, sanitize};
use crate::scan::Scanner;

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
        theme: background(std::env::var("COLORFGBG").ok().as_deref()),
    }
}

/// Which colours to use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ThemeChoice {
    /// As the terminal tells (`COLORFGBG`); else colours that are readable on both.
    #[default]
    Auto,
    /// For a dark background.
    Dark,
    /// For a light background.
    Light,
}

impl ThemeChoice {
    /// The style with these colours.
    pub fn on(self, style: Style) -> Style {
        match self {
            Self::Auto => style,
            Self::Dark => Style { theme: Theme::Dark, ..style },
            Self::Light => Style { theme: Theme::Light, ..style },
        }
    }
}

/// What some terminals tell of their colours: numbers of the palette, the background last.
fn background(told: Option<&str>) -> Theme {
    let number = told.and_then(|t| t.rsplit(';').next()).and_then(|n| n.parse::<u8>().ok());
    match number {
        Some(7 | 9..=15) => Theme::Light,
        Some(0..=6 | 8) => Theme::Dark,
        _ => Theme::Neutral,
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

/// What counts the bytes that were read.
#[derive(Clone, Copy)]
pub struct Counters<'c> {
    /// Of plain text.
    plain: &'c AtomicU64,
    /// What came out of containers.
    unpacked: &'c AtomicU64,
    /// Of the files that hold them.
    taken: &'c AtomicU64,
}

impl<'c> Counters<'c> {
    /// Those of a scanner and of the input side.
    pub fn new(scanner: &'c Scanner<'_>, taken: &'c AtomicU64) -> Self {
        Self { plain: &scanner.scanned, unpacked: &scanner.unpacked, taken }
    }

    /// How far the input is read as it is stored, so that it can be compared with its size; without one, what was scanned.
    fn position(self, has_size: bool) -> u64 {
        let others = if has_size { self.taken } else { self.unpacked };
        self.plain.load(Ordering::Relaxed) + others.load(Ordering::Relaxed)
    }
}

/// Shows on standard error, when it is a terminal, how many bytes of the input were read, how fast, and how long the rest will
/// take, as long as `work` runs and once it takes longer than a second. `paths` are what it reads.
pub fn with_progress<T>(counters: Counters<'_>, paths: &[PathBuf], quiet: bool, work: impl FnOnce() -> T) -> T {
    if quiet || !io::stderr().is_terminal() {
        return work();
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| watch(counters, paths, &done));
        let result = work();
        done.store(true, Ordering::Release);
        // Nobody waits for the next look at the clock.
        watching.thread().unpark();
        result
    })
}

fn watch(counters: Counters<'_>, paths: &[PathBuf], done: &AtomicBool) {
    let started = Instant::now();
    let mut bar = None;
    while !done.load(Ordering::Acquire) {
        std::thread::park_timeout(Duration::from_millis(50));
        if started.elapsed() < Duration::from_secs(1) {
            continue;
        }
        let size = bar.as_ref().map_or_else(|| input::size(paths), ProgressBar::length);
        let columns = terminal_size::terminal_size_of(io::stderr()).map_or(80, |(width, _)| usize::from(width.0));
        let bar = bar.get_or_insert_with(|| progress(size, columns));
        let position = counters.position(size.is_some());
        bar.set_position(position);
        bar.set_message(advance(position, size, started.elapsed(), columns.saturating_sub(BEFORE)));
        if let Ok(_quiet) = QUESTION.try_lock() {
            bar.tick();
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}

/// Columns of the bar at the most, and of what stands behind it.
const BAR: usize = 24;
const BEHIND_BAR: usize = 56;

/// Columns of the sign that stands before the text where there is no bar, and one at the end that some terminals wrap at.
const BEFORE: usize = 3;

/// A bar when the size is known and the terminal is wide enough, else a sign that something happens.
fn progress(size: Option<u64>, columns: usize) -> ProgressBar {
    let bar = columns.saturating_sub(BEHIND_BAR).min(BAR);
    // What a terminal that was made narrower has no room for is cut, and not wrapped.
    let (progress, template) = match size {
        Some(size) if bar >= 4 => (ProgressBar::new(size), format!("{{bar:{bar}}} {{wide_msg}}")),
        Some(size) => (ProgressBar::new(size), "{spinner} {wide_msg}".to_owned()),
        None => (ProgressBar::new_spinner(), "{spinner} {wide_msg}".to_owned()),
    };
    progress.with_style(ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// How far it is, how fast, and how long the rest will take: over the whole run, which is steadier than the last moments.
/// As much of that as has room.
fn advance(position: u64, size: Option<u64>, elapsed: Duration, columns: usize) -> String {
    let rate = position as f64 / elapsed.as_secs_f64().max(0.001);
    let (done, speed) = (BinaryBytes(position), BinaryBytes(rate as u64));
    let Some(size) = size else {
        let seconds = elapsed.as_secs();
        let long = format!("{done} read, {speed}/s, {seconds} s");
        return if long.len() <= columns { long } else { format!("{done}, {seconds} s") };
    };
    let left = size.saturating_sub(position) as f64 / rate.max(1.0);
    let left = match left.ceil() as u64 {
        seconds @ 0..=119 => format!("{seconds} s left"),
        seconds @ 120..=7199 => format!("{} min left", seconds / 60),
        seconds => format!("{} h left", seconds / 3600),
    };
    let of = format!("{done} of {}", BinaryBytes(size));
    let percent = position.min(size) * 100 / size.max(1);
    let words = [format!("{of}, {speed}/s, {left}"), format!("{of}, {left}")];
    words.into_iter().find(|text| text.len() <= columns).unwrap_or_else(|| format!("{percent} %, {left}"))
}

/// Whether text that is longer than the screen is shown in a pager.
static PAGING: AtomicBool = AtomicBool::new(false);

/// Allows a pager for what [`page`] writes.
pub fn set_paging(allowed: bool) {
    PAGING.store(allowed, Ordering::Relaxed);
}

/// Shows text for people: in a pager when it is longer than the screen, else as `print` does.
///
/// # Errors
/// Write errors.
pub fn page(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let size = terminal_size::terminal_size_of(io::stdout()).filter(|_| io::stdout().is_terminal());
    let (Some((width, height)), true) = (size, PAGING.load(Ordering::Relaxed)) else { return print(write) };
    let mut text = Vec::new();
    write(&mut text)?;
    let is_long = rows(&text, usize::from(width.0)) >= usize::from(height.0);
    if is_long && pager().is_some_and(|pager| show_in(pager, &text)) {
        return Ok(());
    }
    print(|out| out.write_all(&text))
}

/// Rows that a text takes on a terminal of `width` columns.
fn rows(text: &[u8], width: usize) -> usize {
    let text = String::from_utf8_lossy(text);
    let shown = |line: &str| {
        let mut columns = 0;
        for (index, part) in line.split('\x1b').enumerate() {
            let plain = if index == 0 { part } else { part.split_once('m').map_or("", |(_, rest)| rest) };
            columns += unicode_width::UnicodeWidthStr::width(plain);
        }
        columns.div_ceil(width.max(1)).max(1)
    };
    text.lines().map(shown).sum()
}

/// The pager and its arguments; none when the user wants none.
fn pager() -> Option<Vec<String>> {
    let told = std::env::var("OMNILOG_PAGER").or_else(|_| std::env::var("PAGER"));
    let words: Vec<String> = match told {
        Ok(told) => told.split_whitespace().map(str::to_owned).collect(),
        // Quit when it fits after all, pass colours, leave the text on the screen.
        Err(_) => vec!["less".into(), "-FRX".into()],
    };
    (!words.is_empty() && words != ["cat"]).then_some(words)
}

/// Shows a text in a pager; false when that cannot be started.
fn show_in(pager: Vec<String>, text: &[u8]) -> bool {
    let mut words = pager.into_iter();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).stdin(Stdio::piped());
    for (key, value) in [("LESS", "FRX"), ("LESSCHARSET", "utf-8")] {
        if std::env::var_os(key).is_none() {
            command.env(key, value);
        }
    }
    // Ctrl-C belongs to the pager while it runs.
    let ignored = signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::default());
    let started = command.spawn();
    let shown = match started {
        Ok(mut child) => {
            if let Some(mut stdin) = child.stdin.take() {
                // The reader may have seen enough before the end.
                let _ = stdin.write_all(text);
            }
            child.wait().is_ok()
        }
        Err(_) => false,
    };
    if let Ok(ignored) = ignored {
        signal_hook::low_level::unregister(ignored);
    }
    shown
}

/// Held while a question stands on the terminal: nothing else is drawn then.
static QUESTION: Mutex<()> = Mutex::new(());

/// Asks for a passphrase on the terminal, without echo, wherever standard input and output lead. `None` when there is no
/// terminal, and when the answer is empty.
pub fn passphrase(what: &str) -> Option<String> {
    let _asking = QUESTION.lock().unwrap_or_else(PoisonError::into_inner);
    // The line may hold the progress.
    let question = format!("\r\x1b[2Komnilog: {} (empty to skip it): ", sanitize::line(what));
    rpassword::prompt_password(question).ok().filter(|answer| !answer.is_empty())
}

/// Runs `write` on buffered standard output. A closed pipe is success: the reader has seen enough.
///
/// # Errors
/// Any other write error.
pub fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    print_on(write).map(drop)
}

/// As `print`; false when nobody reads standard output any more.
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
    let cannot = |e: io::Error| Usage(format!("{}: cannot be written: {}", path.display(), input::reason(&e)));
    let mut out = io::BufWriter::new(std::fs::File::create(path).map_err(cannot)?);
    write(&mut out).and_then(|()| out.flush()).map_err(cannot)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_tells_bytes_rate_and_time_left_over_the_whole_run() {
        let mib = 1 << 20;
        let two = Duration::from_secs(2);
        assert_eq!(advance(72 * mib, Some(360 * mib), two, 80), "72.00 MiB of 360.00 MiB, 36.00 MiB/s, 8 s left");
        assert_eq!(advance(mib, Some(600 * mib), two, 80), "1.00 MiB of 600.00 MiB, 512.00 KiB/s, 19 min left");
        assert_eq!(advance(72 * mib, None, two, 80), "72.00 MiB read, 36.00 MiB/s, 2 s");
        assert!(advance(0, Some(mib), two, 80).ends_with(" h left"));
        assert!(advance(1023 << 20, Some(1023 << 20), two, 80).len() <= BEHIND_BAR);
    }

    #[test]
    fn progress_fits_narrow_terminals() {
        let mib = 1 << 20;
        let two = Duration::from_secs(2);
        assert_eq!(advance(72 * mib, Some(360 * mib), two, 37), "72.00 MiB of 360.00 MiB, 8 s left");
        assert_eq!(advance(72 * mib, Some(360 * mib), two, 17), "20 %, 8 s left");
        assert_eq!(advance(72 * mib, None, two, 27), "72.00 MiB, 2 s");
    }

    #[test]
    fn terminals_tell_their_background() {
        assert_eq!(background(Some("15;0")), Theme::Dark);
        assert_eq!(background(Some("0;default;15")), Theme::Light);
        assert_eq!(background(Some("x")), Theme::Neutral);
        assert_eq!(background(None), Theme::Neutral);
    }
}
