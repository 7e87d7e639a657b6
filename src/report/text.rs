//! Text for terminals: the first screen is the answer.
//!
//! Nothing is wider than the terminal, nothing depends on colour, and log text is harmless (see [`super::sanitize`]).

use std::collections::BTreeSet;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Paint};
use tabled::builder::Builder;
use tabled::settings::{Padding, Style as TableStyle, Width, object::Columns, peaker::PriorityMax};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::coverage;
use super::model::{ClusterEntry, EvidenceLine, Report, RootCause};
use super::words::{MORE, UNDECIDED, counted, known_errors, named, some};
use super::{PSEUDONYMS, Renderer, Style, Theme, sanitize};

/// Text for terminals.
pub struct Text;

/// Width of the column of labels.
const LABEL: usize = 9;
/// Lines of evidence shown for a root cause.
const PROOF: usize = 3;
/// Lines of a terminal of the usual size: the answer and the next step stand on them.
const SCREEN: usize = 24;
/// Steps shown for a root cause.
const STEPS: usize = 3;
/// Root causes shown in full without `--all`.
const FULL: usize = 3;
/// Narrower terminals are treated as this wide.
const NARROWEST: usize = 40;

impl Renderer for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn render(&self, report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
        let mut page =
            Page { out, width: style.width.max(NARROWEST), color: style.color, theme: style.theme, lines: 0 };
        let (shown, rest) = chosen(report, style.all);
        if shown.is_empty() {
            page.nothing(report)?;
        }
        if shown.first().is_some_and(|c| c.confidence < 0.5) {
            for part in wrap("No root cause is likely. The nearest guess, to be checked and not acted on:", page.width)
            {
                page.line(&part)?;
            }
        }
        let steps = if shown.len() > 1 { 1 } else { STEPS };
        for (index, cause) in shown.iter().enumerate() {
            if index > 0 {
                page.line("")?;
            }
            let steps = if style.all || index == 0 { STEPS.max(if style.all { 9 } else { 0 }) } else { steps };
            page.cause(cause, steps, if style.all { usize::MAX } else { PROOF })?;
        }
        page.others(&shown, &rest)?;
        page.footer(report, style.all)
    }
}

/// The root causes to show in full, and those only named.
fn chosen(report: &Report, all: bool) -> (Vec<&RootCause>, Vec<&RootCause>) {
    let effects: Vec<&String> =
        report.root_causes.iter().filter(|c| c.confidence >= 0.5).flat_map(|c| &c.explains).collect();
    let good = |c: &&RootCause| all || (c.confidence >= 0.5 && !effects.contains(&&c.id));
    let mut shown: Vec<&RootCause> =
        report.root_causes.iter().filter(good).take(if all { usize::MAX } else { FULL }).collect();
    if shown.is_empty() {
        shown = report.root_causes.iter().take(1).collect();
    }
    let rest = report.root_causes.iter().filter(|c| !shown.iter().any(|s| s.id == c.id)).collect();
    (shown, rest)
}

/// The supporting lines, one of each item first; no line twice, and none that repeats another but for its numbers.
fn best(cause: &RootCause) -> Vec<&EvidenceLine> {
    let words = |line: &EvidenceLine| line.excerpt.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    let (mut places, mut texts) = (BTreeSet::new(), BTreeSet::new());
    let supports = cause.evidence.iter().filter(|e| e.role == "supports");
    let lines =
        supports.filter(|e| places.insert((e.source.as_str(), e.line)) && texts.insert((e.id.as_str(), words(e))));
    let mut items = BTreeSet::new();
    let (first, more): (Vec<_>, Vec<_>) = lines.partition(|e| items.insert(e.id.as_str()));
    first.into_iter().chain(more).collect()
}

struct Page<'p> {
    out: &'p mut dyn Write,
    width: usize,
    color: bool,
    theme: Theme,
    /// Lines written.
    lines: usize,
}

impl Page<'_> {
    fn line(&mut self, text: &str) -> io::Result<()> {
        self.lines += text.matches('\n').count() + 1;
        writeln!(self.out, "{}", text.trim_end())
    }

    fn paint(&self, text: &str, paint: Paint) -> String {
        if self.color { format!("{paint}{text}{paint:#}") } else { text.to_owned() }
    }

    /// A label and a text that wraps beside it.
    fn field(&mut self, label: &str, text: &str) -> io::Result<()> {
        let room = self.width.saturating_sub(LABEL + 2);
        let label = format!("  {label:<width$}", width = LABEL - 1);
        for (index, part) in wrap(text, room).into_iter().enumerate() {
            let head = if index == 0 { self.paint(&label, dim()) } else { " ".repeat(LABEL + 1) };
            self.line(&format!("{head} {part}"))?;
        }
        Ok(())
    }

    fn cause(&mut self, cause: &RootCause, steps: usize, proof: usize) -> io::Result<()> {
        let verdict = format!("{} {:.2}", cause.verdict.to_uppercase(), cause.confidence);
        // A narrow terminal gets the id on a line of its own.
        let fits = verdict.width() + cause.level.width() + cause.id.width() + 4 <= self.width;
        let gap = if fits { "  " } else { "\n" };
        let verdict = self.paint(&verdict, verdict_paint(&cause.verdict, self.theme));
        self.line(&format!("{verdict}  {}{gap}{}", cause.level, self.paint(&cause.id, dim())))?;
        for part in wrap(&cause.title, self.width) {
            let part = self.paint(&part, Paint::new().bold());
            self.line(&part)?;
        }
        self.facts(cause)?;
        self.proofs(cause, proof)?;
        self.steps(cause, steps)?;
        self.field("why", &cause.reason)?;
        for line in cause.evidence.iter().filter(|e| e.role == "contradicts").take(proof.min(2)) {
            self.evidence("against", line, true)?;
        }
        for unknown in cause.unknown.iter().take(2) {
            self.field("unknown", &unknown.why)?;
        }
        for collect in cause.collect.iter().take(if cause.confidence < 0.95 { 2 } else { 0 }) {
            self.command("collect", &collect.run)?;
            self.field("", &collect.why)?;
        }
        Ok(())
    }

    /// The best lines of evidence: of different items first, as many as leave room for the next step on the first screen.
    fn proofs(&mut self, cause: &RootCause, most: usize) -> io::Result<()> {
        let mut told = BTreeSet::new();
        let step = cause
            .remediation
            .first()
            .map_or(0, |s| 2 + s.run.lines().count() + usize::from(!s.precondition.is_empty()));
        let supports = || cause.evidence.iter().filter(|e| e.role == "supports");
        let lines: Vec<&EvidenceLine> = if most == PROOF { best(cause) } else { supports().collect() };
        for (index, line) in lines.iter().take(most).enumerate() {
            let begun = self.lines;
            let new = told.insert(line.says.as_str());
            // A line with its place and its mark takes four or five.
            if most == PROOF && index > 0 && begun + 5 + step > SCREEN {
                return Ok(());
            }
            self.evidence(if index == 0 { "proof" } else { "and" }, line, new)?;
        }
        Ok(())
    }

    /// Since when, how often, on what.
    fn facts(&mut self, cause: &RootCause) -> io::Result<()> {
        let events = if cause.count == 1 { "1 event".into() } else { format!("{} events", cause.count) };
        let since = match (&cause.first_seen, &cause.last_seen) {
            (Some(first), Some(last)) if first != last => format!("{first} to {last}, {events}"),
            (Some(first), _) => format!("{first}, {events}"),
            _ => format!("{events}, no time in the input"),
        };
        self.field("since", &since)?;
        let names: Vec<String> = cause
            .entities
            .iter()
            .filter(|(key, _)| named(key).is_some())
            .map(|(key, values)| format!("{} {}", named(key).unwrap_or_default(), some(values, 3)))
            .collect();
        if !names.is_empty() {
            self.field("on", &names.join(" · "))?;
        }
        if !cause.explains.is_empty() {
            self.field("effects", &cause.explains.join(", "))?;
        }
        Ok(())
    }

    /// A line of evidence: where, what it tells, the text with the decisive part marked.
    fn evidence(&mut self, label: &str, line: &EvidenceLine, say: bool) -> io::Result<()> {
        let count = if line.count > 1 && say { format!(" ×{}", line.count) } else { String::new() };
        let says = if line.says.is_empty() || !say { String::new() } else { format!("  {}", line.says) };
        self.field(label, &format!("{}:{}{count}{says}", line.source, line.line))?;
        let room = self.width.saturating_sub(LABEL + 4);
        let indent = " ".repeat(LABEL + 4);
        if !line.nearby.is_empty() {
            for near in &line.nearby {
                let lead = if near.line == line.line { ">" } else { " " };
                let (text, _) = window(&format!("{lead}{:>6} {}", near.line, sanitize::line(&near.text)), None, room);
                self.line(&format!("{indent}{text}"))?;
            }
            return Ok(());
        }
        let (text, mark) = window(&sanitize::line(&line.excerpt), line.decisive.as_deref(), room);
        match mark {
            Some((from, length)) => {
                self.line(&format!("{indent}{text}"))?;
                let caret = self.paint(&"^".repeat(length), caret_paint(self.theme));
                self.line(&format!("{indent}{}{caret}", " ".repeat(from)))
            }
            None => self.line(&format!("{indent}{text}")),
        }
    }

    fn steps(&mut self, cause: &RootCause, steps: usize) -> io::Result<()> {
        for (number, step) in (1..).zip(cause.remediation.iter().take(steps)) {
            let risk = if step.risk == "none" { String::new() } else { format!("  [{}]", step.risk) };
            let label = if number == 1 { "do now" } else { "" };
            self.field(label, &format!("{number}. {}{risk}", step.title))?;
            if !step.precondition.is_empty() {
                self.field("", &format!("   only if: {}", step.precondition))?;
            }
            if !step.run.is_empty() {
                self.command("", &step.run)?;
            }
        }
        if cause.remediation.len() > steps {
            let more = cause.remediation.len() - steps;
            self.field("", &format!("{more} more: omnilog explain {}", cause.id))?;
        }
        Ok(())
    }

    /// A command: never wrapped, so that it can be copied.
    fn command(&mut self, label: &str, run: &str) -> io::Result<()> {
        let mut label = format!("  {label:<width$}", width = LABEL - 1);
        for command in run.lines().filter(|l| !l.trim().is_empty()) {
            let command = self.paint(command.trim_end(), command_paint(self.theme));
            let head = self.paint(&label, dim());
            self.line(&format!("{head}    {command}"))?;
            label = " ".repeat(LABEL + 1);
        }
        Ok(())
    }

    fn nothing(&mut self, report: &Report) -> io::Result<()> {
        let faults = report.unexplained.events;
        let lines: u64 = report.inputs.iter().map(|i| i.lines).sum();
        let (lines, sources) =
            (counted(lines, "line", "lines"), counted(report.inputs.len() as u64, "source", "sources"));
        self.line(&format!("No known root cause in {lines} of {sources}."))?;
        self.undecided(report)?;
        if faults == 0 {
            return Ok(());
        }
        let share = report.unexplained.share * 100.0;
        let head =
            format!("{faults} warnings and errors ({share:.0} %) are explained by nothing. The most telling ones:");
        self.line(&head)?;
        for (number, cluster) in (1..).zip(report.unexplained.clusters.iter().take(5)) {
            let (at, span) = (format!("{}:{}", cluster.source, cluster.line), span(cluster));
            self.field(&cluster.severity, &format!("#{number}  {at} ×{}{span}{}", cluster.count, things(cluster)))?;
            let room = self.width.saturating_sub(LABEL + 4);
            let (text, _) = window(&sanitize::line(&cluster.sample), None, room);
            self.line(&format!("{}{text}", " ".repeat(LABEL + 4)))?;
        }
        Ok(())
    }

    /// Errors that are known but name no root cause, and what would.
    fn undecided(&mut self, report: &Report) -> io::Result<()> {
        let known = known_errors(&report.symptoms);
        if known.is_empty() {
            return match report.unexplained.events {
                0 => self.line("No warning or error is left unexplained either."),
                _ => Ok(()),
            };
        }
        self.line(UNDECIDED)?;
        for symptom in known.iter().take(5) {
            self.field("known", &format!("{}:{} ×{}", symptom.source, symptom.line, symptom.count))?;
            let room = self.width.saturating_sub(LABEL + 4);
            let text = clip(&sanitize::line(&symptom.excerpt), symptom.decisive.as_deref(), room);
            self.line(&format!("{}{text}", " ".repeat(LABEL + 4)))?;
        }
        self.field("next", MORE)
    }

    /// Root causes that are only named.
    fn others(&mut self, shown: &[&RootCause], rest: &[&RootCause]) -> io::Result<()> {
        let effects: Vec<&String> = shown.iter().flat_map(|c| &c.explains).collect();
        let also: Vec<&&RootCause> =
            rest.iter().filter(|c| c.confidence >= 0.1 && !effects.contains(&&c.id)).take(4).collect();
        if also.is_empty() {
            return Ok(());
        }
        self.line("")?;
        for (index, cause) in also.iter().enumerate() {
            let label = if index == 0 { "less" } else { "" };
            self.field(label, &format!("{} {:.2}  {}", cause.verdict, cause.confidence, cause.id))?;
        }
        Ok(())
    }

    fn footer(&mut self, report: &Report, all: bool) -> io::Result<()> {
        self.line("")?;
        for (label, text) in coverage::summary(report) {
            self.field(label, &text)?;
        }
        if report.unexplained.events > 0 && !report.root_causes.is_empty() {
            let share = report.unexplained.share * 100.0;
            let count = counted(report.unexplained.events, "warning or error", "warnings and errors");
            let text = format!("{count} ({share:.0} %) explained by nothing");
            self.field("left", &text)?;
        }
        if report.redacted {
            self.field("names", PSEUDONYMS)?;
        }
        self.clocks(report)?;
        let problems: Vec<_> = report.problems.iter().filter(|p| all || coverage::is_loss(p)).collect();
        for problem in problems.iter().take(if all { usize::MAX } else { 3 }) {
            self.field("problem", &format!("{}: {}", problem.source, problem.message))?;
        }
        if problems.len() > 3 && !all {
            self.field("", &format!("{} more problems, see --all", problems.len() - 3))?;
        }
        if all { self.inputs(report) } else { Ok(()) }
    }

    /// Clocks that are off, zones that were found, and what keeps silence from telling anything.
    fn clocks(&mut self, report: &Report) -> io::Result<()> {
        for input in &report.inputs {
            if let Some(clock) = input.clock.as_ref().filter(|c| c.ahead_seconds.abs() >= 5.0) {
                let side = if clock.ahead_seconds > 0.0 { "ahead of" } else { "behind" };
                let by = duration(clock.ahead_seconds.abs());
                self.field("clock", &format!("{} is {by} {side} {}; corrected", input.source, clock.against))?;
            }
            if let Some(zone) = input.timezone.as_ref().filter(|z| z.contains(" by ") || z.contains(" as in ")) {
                self.field("zone", &format!("{}: {zone}", input.source))?;
            }
        }
        Ok(())
    }

    fn inputs(&mut self, report: &Report) -> io::Result<()> {
        let mut builder = Builder::default();
        builder.push_record(["source", "lines", "understood", "formats", "from", "to", "status"]);
        for input in &report.inputs {
            let understood = format!("{:.0} %", input.understood * 100.0);
            builder.push_record([
                input.source.as_str(),
                &input.lines.to_string(),
                &understood,
                &input.formats.join(" "),
                input.first.as_deref().unwrap_or("-"),
                input.last.as_deref().unwrap_or("-"),
                &input.status,
            ]);
        }
        self.line("")?;
        let text = table(builder, self.width);
        self.line(&text)
    }
}

/// A borderless table that fits the width.
pub fn table(builder: Builder, width: usize) -> String {
    let mut table = builder.build();
    table.with(TableStyle::empty()).with(Padding::new(0, 2, 0, 0));
    table.modify(Columns::last(), Padding::zero());
    table.with(Width::wrap(width.max(NARROWEST)).priority(PriorityMax::right()).keep_words(true));
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn dim() -> Paint {
    Paint::new().dimmed()
}

fn verdict_paint(verdict: &str, theme: Theme) -> Paint {
    match (verdict, theme) {
        ("confirmed" | "likely", _) => AnsiColor::Red.on_default().bold(),
        ("possible", Theme::Dark) => AnsiColor::Yellow.on_default().bold(),
        ("possible", _) => AnsiColor::Magenta.on_default().bold(),
        _ => Paint::new().bold(),
    }
}

/// The mark under the decisive piece. Yellow cannot be seen on white, dark blue hardly on black.
fn caret_paint(theme: Theme) -> Paint {
    match theme {
        Theme::Dark => AnsiColor::Yellow.on_default(),
        Theme::Light => AnsiColor::Red.on_default(),
        Theme::Neutral => AnsiColor::Magenta.on_default().bold(),
    }
}

fn command_paint(theme: Theme) -> Paint {
    match theme {
        Theme::Dark => AnsiColor::Cyan.on_default(),
        Theme::Light => AnsiColor::Blue.on_default(),
        Theme::Neutral => Paint::new().bold(),
    }
}

/// Seconds as people say them: `9 min 58 s`.
fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

/// A text as lines of at most `width` columns, broken between words where possible.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(10);
    let mut lines = Vec::new();
    let mut line = String::new();
    let lead: String = text.chars().take_while(|c| *c == ' ').collect();
    for word in text.split_whitespace() {
        let mut word = word;
        if !line.trim().is_empty() && line.width() + 1 + word.width() > width {
            lines.push(std::mem::replace(&mut line, lead.clone()));
        }
        if line.trim().is_empty() {
            line.clone_from(&lead);
        } else {
            line.push(' ');
        }
        while line.width() + word.width() > width {
            let (head, tail) = split_at_width(word, width.saturating_sub(line.width()).max(1));
            line.push_str(head);
            lines.push(std::mem::take(&mut line));
            word = tail;
        }
        line.push_str(word);
    }
    if !line.trim().is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Splits a word at a column; at least one character goes into the first part.
fn split_at_width(word: &str, width: usize) -> (&str, &str) {
    let mut used = 0;
    for (index, c) in word.char_indices() {
        used += c.width().unwrap_or(0);
        if used > width && index > 0 {
            return word.split_at_checked(index).unwrap_or((word, ""));
        }
    }
    (word, "")
}

/// At most `room` columns of a one-line text, so that its decisive piece is among them.
pub fn clip(text: &str, decisive: Option<&str>, room: usize) -> String {
    window(text, decisive, room).0
}

/// The part of a one-line text that shows its decisive piece in `room` columns; where the piece stands, and its length.
fn window(text: &str, decisive: Option<&str>, room: usize) -> (String, Option<(usize, usize)>) {
    let piece = decisive.map(sanitize::line).filter(|d| !d.is_empty());
    let at = piece.as_deref().and_then(|d| text.find(d));
    let before = at.and_then(|at| text.get(..at)).unwrap_or("");
    let marked = piece.as_deref().filter(|_| at.is_some()).unwrap_or("");
    let skip = (before.width() + marked.width().min(room)).saturating_sub(room.saturating_sub(2)).min(before.width());
    let (cut, rest) = if skip > 0 { split_at_width(text, skip + 1) } else { ("", text) };
    let lead = if cut.is_empty() { "" } else { "…" };
    let mut shown = String::from(lead);
    let fits = lead.width() + rest.width() <= room;
    for c in rest.chars() {
        if !fits && shown.width() + c.width().unwrap_or(0) > room.saturating_sub(1) {
            shown.push('…');
            break;
        }
        shown.push(c);
    }
    let mark = at.map(|_| {
        let from = (before.width() + lead.width()).saturating_sub(cut.width());
        (from, marked.width().min(shown.width().saturating_sub(from)).max(1))
    });
    (shown, mark)
}

/// From when to when the lines of a cluster stand.
fn span(cluster: &ClusterEntry) -> String {
    match (&cluster.first, &cluster.last) {
        (Some(first), Some(last)) if first != last => format!(", {first} to {last}"),
        (Some(first), _) => format!(", {first}"),
        _ => String::new(),
    }
}

/// The names of things in a cluster.
fn things(cluster: &ClusterEntry) -> String {
    let one = |(key, values): (&String, &Vec<String>)| format!("{key} {}", values.join(", "));
    let all: Vec<String> = cluster.entities.iter().take(3).map(one).collect();
    if all.is_empty() { String::new() } else { format!(" · {}", all.join(" · ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_wraps_between_words_and_cuts_long_ones() {
        assert_eq!(wrap("one two three four", 10), ["one two", "three four"]);
        assert_eq!(wrap("abcdefghijklmnop", 10), ["abcdefghij", "klmnop"]);
        assert_eq!(wrap("", 10), [""]);
    }

    #[test]
    fn the_window_shows_the_decisive_piece_and_marks_it() {
        let text = format!("{} unexpected EOF at the end {}", "x".repeat(100), "y".repeat(100));
        let (shown, mark) = window(&text, Some("unexpected EOF"), 60);
        let (from, length) = mark.expect("a mark");
        assert!(shown.width() <= 60, "{}", shown.width());
        let marked: String = shown.chars().skip(from).take(length).collect();
        assert_eq!(marked, "unexpected EOF");
    }
}
