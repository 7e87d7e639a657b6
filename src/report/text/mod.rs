//! Text for terminals: the first screen is the answer.
//!
//! Nothing is wider than the terminal, nothing depends on colour, and log text is harmless (see [`super::sanitize`]).

mod chain;
mod fit;
mod places;

use std::collections::BTreeSet;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Paint};
use tabled::builder::Builder;
use unicode_width::UnicodeWidthStr;

use super::coverage;
use super::model::{ClusterEntry, EvidenceLine, RemediationStep, Report, RootCause};
use super::words::{MORE, UNDECIDED, counted, known_errors, of_things, some};
use super::{PSEUDONYMS, Renderer, Style, Theme, sanitize, timeline};
use places::Places;

pub use fit::{clip, table, wrap};

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
/// Rows of the chain of effects.
const CHAIN: usize = 6;
/// Moments of the timeline shown without `--all`.
const MOMENTS: usize = 8;
/// Kinds of things told without `--all`.
const KINDS: usize = 4;
/// Rows of a line of evidence.
const ROWS: usize = 2;
/// Panes narrower than this have no column of labels.
const NARROW: usize = 60;

impl Renderer for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn render(&self, report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
        let width = style.width.max(fit::NARROWEST);
        let is_narrow = width < NARROW;
        let body = if is_narrow { 2 } else { LABEL + 2 };
        let places = Places::new(report, width - body);
        let mut page = Page { report, out, width, body, is_narrow, style, places, lines: 0 };
        let (shown, rest) = chosen(report, style.all);
        if shown.is_empty() {
            page.nothing()?;
        }
        page.several(&likely(report))?;
        for (index, cause) in shown.iter().enumerate() {
            if index > 0 {
                page.line("")?;
            }
            page.cause(cause, index == 0)?;
        }
        page.others(&shown, &rest)?;
        page.timeline(if style.all { usize::MAX } else { MOMENTS })?;
        page.footer()
    }
}

/// The root causes that are likely and no effects of others.
fn likely(report: &Report) -> Vec<&RootCause> {
    let good = || report.root_causes.iter().filter(|c| c.confidence >= super::NAMED);
    let effects: BTreeSet<&String> = good().flat_map(|c| &c.explains).collect();
    good().filter(|c| !effects.contains(&c.id)).collect()
}

/// The root causes to show in full, and those only named.
fn chosen(report: &Report, all: bool) -> (Vec<&RootCause>, Vec<&RootCause>) {
    let mut shown = if all { report.root_causes.iter().collect() } else { likely(report) };
    shown.truncate(if all { usize::MAX } else { FULL });
    if shown.is_empty() {
        shown = report.root_causes.iter().take(1).collect();
    }
    let rest = report.root_causes.iter().filter(|c| !shown.iter().any(|s| s.id == c.id)).collect();
    (shown, rest)
}

/// A line of evidence and further ones that say the same.
struct Proof<'r> {
    line: &'r EvidenceLine,
    /// Whether what it tells was not told by one before.
    is_new: bool,
    /// The same text in other sources.
    also: Vec<&'r EvidenceLine>,
}

/// The supporting lines of different kinds: each line once, and those that say the same only as a further place.
fn proofs(cause: &RootCause) -> Vec<Proof<'_>> {
    let mut proofs: Vec<Proof<'_>> = Vec::new();
    for line in cause.evidence.iter().filter(|e| e.role == "supports") {
        match proofs.iter_mut().find(|p| is_same(p.line, line)) {
            Some(proof) => {
                let known = proof.also.iter().chain([&proof.line]).any(|l| l.source == line.source);
                proof.also.extend((!known).then_some(line));
            }
            None => proofs.push(Proof { line, is_new: true, also: Vec::new() }),
        }
    }
    // Of different items first.
    let mut told = BTreeSet::new();
    proofs.iter_mut().for_each(|p| p.is_new = told.insert(p.line.says.as_str()));
    proofs.sort_by_key(|p| !p.is_new);
    proofs
}

/// Whether two lines show the same: one line, lines that one signature of an item found, or one text but for its numbers.
fn is_same(a: &EvidenceLine, b: &EvidenceLine) -> bool {
    let words = |line: &EvidenceLine| {
        let text = line.decisive.as_deref().filter(|d| d.len() > 8).unwrap_or(&line.excerpt);
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.chars().any(|c| c.is_ascii_digit()));
        words.filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
    };
    let same_kind = a.signature == b.signature && (a.id == b.id || words(a) == words(b));
    (&a.source, a.line) == (&b.source, b.line) || same_kind
}

struct Page<'p> {
    report: &'p Report,
    out: &'p mut dyn Write,
    width: usize,
    /// Columns in front of what stands beside or below a label.
    body: usize,
    is_narrow: bool,
    style: &'p Style,
    places: Places,
    /// Lines written.
    lines: usize,
}

impl Page<'_> {
    fn line(&mut self, text: &str) -> io::Result<()> {
        self.lines += text.matches('\n').count() + 1;
        writeln!(self.out, "{}", text.trim_end())
    }

    fn write(&mut self, lines: &[String]) -> io::Result<()> {
        lines.iter().try_for_each(|line| self.line(line))
    }

    fn field(&mut self, label: &str, text: &str) -> io::Result<()> {
        let lines = self.labelled(label, text);
        self.write(&lines)
    }

    fn paint(&self, text: &str, paint: Paint) -> String {
        if self.style.color { format!("{paint}{text}{paint:#}") } else { text.to_owned() }
    }

    /// Columns for text beside labels.
    fn room(&self) -> usize {
        self.width - self.body
    }

    /// A label and a text that wraps beside it; in a narrow pane the text begins behind the label and wraps below it.
    fn labelled(&self, label: &str, text: &str) -> Vec<String> {
        let indent = " ".repeat(self.body);
        if self.is_narrow {
            let lead = if label.is_empty() { indent.clone() } else { format!("{label}: ") };
            // The label takes part in the wrapping, then its columns are painted.
            let filler = "_".repeat(lead.width().saturating_sub(2));
            let lines = wrap(&format!("{filler}{text}"), self.room()).into_iter().enumerate();
            return lines
                .map(|(n, part)| match part.strip_prefix(filler.as_str()).filter(|_| n == 0) {
                    Some(rest) => format!("{}{rest}", self.paint(&lead, dim())),
                    None => format!("{indent}{part}"),
                })
                .collect();
        }
        let head = self.paint(&format!("  {label:<width$}", width = LABEL - 1), dim());
        let lines = wrap(text, self.room()).into_iter().enumerate();
        lines.map(|(n, part)| if n == 0 { format!("{head} {part}") } else { format!("{indent}{part}") }).collect()
    }

    /// Says at the top that there are several: the second one stands below the first screen.
    fn several(&mut self, likely: &[&RootCause]) -> io::Result<()> {
        if likely.len() < 2 {
            return Ok(());
        }
        let names: Vec<String> = likely.iter().map(|c| format!("{} {:.2}", c.id, c.confidence)).collect();
        let text = format!("{} root causes: {}", likely.len(), names.join(", "));
        self.write(&wrap(&text, self.width))?;
        self.line("")
    }

    /// A root cause. What stands in front of the further steps fits the first screen, if there is any way to.
    fn cause(&mut self, cause: &RootCause, is_first: bool) -> io::Result<()> {
        let all = self.style.all;
        let is_guess = cause.confidence < super::NAMED;
        let mut head = self.heading(cause, is_guess);
        head.extend(self.facts(cause));
        self.write(&head)?;
        let doubts = self.doubts(cause);
        let steps = self.steps(cause, is_guess);
        let first_step = steps.iter().position(|s| s.has_command).unwrap_or(0);
        let next = steps.get(..=first_step).unwrap_or_default().iter().map(|s| s.lines.len()).sum::<usize>();
        let room = SCREEN.saturating_sub(if is_first { self.lines } else { 0 } + doubts.len() + next);
        self.proofs(cause, room, is_first)?;
        self.write(&doubts)?;
        // Of a guess nothing is told that might be done in haste.
        let shown = match (all, is_first && !is_guess) {
            (true, _) => usize::MAX,
            (false, true) => STEPS,
            (false, false) => first_step + 1,
        };
        for step in steps.iter().take(shown) {
            self.write(&step.lines)?;
        }
        if steps.len() > shown {
            let more = format!("{} more: omnilog explain {}", steps.len() - shown, cause.id);
            self.field("", &more)?;
        }
        self.field("why", &cause.reason)?;
        if all { self.further_doubts(cause) } else { Ok(()) }
    }

    /// Verdict, id and the sentence.
    fn heading(&self, cause: &RootCause, is_guess: bool) -> Vec<String> {
        let mut lines = Vec::new();
        if is_guess {
            lines = wrap("No root cause is likely. The nearest guess, to be checked and not acted on:", self.width);
        }
        let verdict = format!("{} {:.2}", cause.verdict.to_uppercase(), cause.confidence);
        let impact = format!("  impact {}", cause.level);
        let fits = verdict.width() + impact.width() + cause.id.width() + 2 <= self.width;
        let verdict = self.paint(&verdict, verdict_paint(&cause.verdict, self.style.theme));
        let id = self.paint(&cause.id, dim());
        // A narrow terminal gets the id on a line of its own.
        if fits {
            lines.push(format!("{verdict}{impact}  {id}"));
        } else {
            lines.extend([format!("{verdict}{impact}"), id]);
        }
        lines.extend(wrap(&cause.title, self.width).iter().map(|part| self.paint(part, Paint::new().bold())));
        lines
    }

    /// Since when, how often, on what, and what followed from it.
    fn facts(&self, cause: &RootCause) -> Vec<String> {
        let events = counted(cause.count, "event", "events");
        let since = match (&cause.first_seen, &cause.last_seen) {
            (Some(first), Some(last)) if first != last => format!("{}, {events}", until(first, last)),
            (Some(first), _) => format!("{}, {events}", seconds(first)),
            _ => format!("{events}, no time in the input"),
        };
        let mut lines = self.labelled("since", &since);
        let names = self.things(cause);
        if !names.is_empty() {
            lines.extend(self.labelled("on", &names.join(" · ")));
        }
        let most = if self.style.all { usize::MAX } else { CHAIN };
        for (index, row) in chain::draw(self.report, cause, self.room(), most).iter().enumerate() {
            let label = if index == 0 && !self.is_narrow { "chain" } else { "" };
            let head = self.paint(&format!("  {label:<width$}", width = LABEL - 1), dim());
            if self.is_narrow && index == 0 {
                lines.push(self.paint("chain:", dim()));
            }
            lines.push(if self.is_narrow { format!("  {row}") } else { format!("{head} {row}") });
        }
        lines
    }

    /// The things concerned: a few of each kind, and of a thing that has several kinds the first.
    fn things(&self, cause: &RootCause) -> Vec<String> {
        let most = if self.style.all { usize::MAX } else { KINDS };
        let mut told: BTreeSet<&String> = BTreeSet::new();
        let mut names = Vec::new();
        for (word, values) in of_things(&cause.entities) {
            if !values.iter().all(|value| told.contains(value)) {
                names.push(format!("{word} {}", some(values, if names.is_empty() { 3 } else { 2 })));
            }
            told.extend(values);
        }
        names.truncate(most);
        names
    }

    /// The best lines of evidence, of different kinds, as many as fit into `room` lines; one at least.
    fn proofs(&mut self, cause: &RootCause, room: usize, is_first: bool) -> io::Result<()> {
        if self.style.all {
            let mut told = BTreeSet::new();
            for (index, line) in cause.evidence.iter().filter(|e| e.role == "supports").enumerate() {
                let label = if index == 0 { "proof" } else { "and" };
                let is_new = told.insert(line.says.as_str());
                let lines = self.evidence(label, &Proof { line, is_new, also: Vec::new() });
                self.write(&lines)?;
            }
            return Ok(());
        }
        let mut used = 0;
        for (index, proof) in proofs(cause).iter().take(if is_first { PROOF } else { 1 }).enumerate() {
            let lines = self.evidence(if index == 0 { "proof" } else { "and" }, proof);
            used += lines.len();
            // Lines of context were asked for, and so was their length.
            if index > 0 && used > room && proof.line.nearby.is_empty() {
                break;
            }
            self.write(&lines)?;
        }
        Ok(())
    }

    /// What speaks against it and what the input cannot tell, in a few lines.
    fn doubts(&self, cause: &RootCause) -> Vec<String> {
        let mut lines = Vec::new();
        let against: Vec<&EvidenceLine> = cause.evidence.iter().filter(|e| e.role == "contradicts").collect();
        if let Some(line) = against.first() {
            lines.extend(self.evidence("against", &Proof { line, is_new: true, also: Vec::new() }));
        }
        if let Some(unknown) = cause.unknown.first() {
            let more = match cause.unknown.len() - 1 {
                0 => String::new(),
                more => format!("; {more} more with --all"),
            };
            lines.extend(self.labelled("unknown", &format!("{}{more}", unknown.why)));
        }
        if cause.confidence < CERTAIN {
            for collect in cause.collect.iter().take(1) {
                lines.extend(self.command("collect", &collect.run));
                lines.extend(self.labelled("", &collect.why));
            }
        }
        lines
    }

    /// The rest of them.
    fn further_doubts(&mut self, cause: &RootCause) -> io::Result<()> {
        for line in cause.evidence.iter().filter(|e| e.role == "contradicts").skip(1) {
            let lines = self.evidence("against", &Proof { line, is_new: true, also: Vec::new() });
            self.write(&lines)?;
        }
        for unknown in cause.unknown.iter().skip(1) {
            self.field("unknown", &unknown.why)?;
        }
        for collect in cause.collect.iter().skip(usize::from(cause.confidence < CERTAIN)) {
            let lines = self.command("collect", &collect.run);
            self.write(&lines)?;
            self.field("", &collect.why)?;
        }
        Ok(())
    }

    /// A line of evidence: where, how often, what it tells, and the text with the decisive part marked.
    fn evidence(&self, label: &str, proof: &Proof<'_>) -> Vec<String> {
        let line = proof.line;
        let mut place = self.places.at(&line.source, line.line);
        if line.count > 1 && proof.is_new {
            place.push_str(&format!(" ×{}", line.count));
            if let Some(last) = line.last.as_ref().filter(|_| self.style.all) {
                place.push_str(&format!(" until {}", seconds(last)));
            }
        }
        if let Some(other) = proof.also.first() {
            place.push_str(&format!(", also {}", self.places.at(&other.source, other.line)));
            if proof.also.len() > 1 {
                place.push_str(&format!(" and {} more", proof.also.len() - 1));
            }
        }
        let says = if proof.is_new { line.says.as_str() } else { "" };
        let together = format!("{place}  {says}");
        let mut lines = if together.width() <= self.room() || says.is_empty() {
            // Two blanks between them would not survive the wrapping of a field.
            let parts = self.labelled(label, &place);
            let fits = parts.len() == 1 && !says.is_empty();
            parts.into_iter().map(|p| if fits { format!("{p}  {says}") } else { p }).collect()
        } else {
            [self.labelled(label, &place), self.labelled("", says)].concat()
        };
        lines.extend(self.quote(line));
        lines
    }

    /// The text of a line, with its neighbours where they were asked for.
    fn quote(&self, line: &EvidenceLine) -> Vec<String> {
        let indent = " ".repeat(self.body + if self.is_narrow { 0 } else { 2 });
        if line.nearby.is_empty() {
            if let Some((first, last)) = self.ends(line) {
                let shown = [first, last].map(|text| self.marked(&indent, "", text, None, 1));
                return shown.concat();
            }
            return self.marked(&indent, "", &line.excerpt, line.decisive.as_deref(), ROWS);
        }
        let mut lines = Vec::new();
        for near in &line.nearby {
            let lead = format!("{}{:>6} ", if near.line == line.line { ">" } else { " " }, near.line);
            let decisive = line.decisive.as_deref().filter(|_| near.line == line.line);
            lines.extend(self.marked(&indent, &lead, &near.text, decisive, 1));
        }
        lines
    }

    /// The first and the last line of a long excerpt in which nothing is marked: the head of a table and a row of it.
    fn ends<'l>(&self, line: &'l EvidenceLine) -> Option<(&'l str, &'l str)> {
        let is_long = line.excerpt.width() > self.room().saturating_sub(2);
        let (first, rest) = line.excerpt.split_once('\n').filter(|_| is_long && line.decisive.is_none())?;
        Some((first, rest.trim_end().rsplit('\n').next().unwrap_or(rest)))
    }

    /// What tells most of a line, behind `lead`, and marks below what decided.
    fn marked(&self, indent: &str, lead: &str, text: &str, decisive: Option<&str>, rows: usize) -> Vec<String> {
        let room = self.width.saturating_sub(indent.width() + lead.width());
        let mut lines = Vec::new();
        for row in fit::telling(&sanitize::line(text), decisive, room, rows) {
            lines.push(format!("{indent}{lead}{}", row.text));
            if let Some((from, length)) = row.mark {
                let caret = self.paint(&"^".repeat(length), caret_paint(self.style.theme));
                lines.push(format!("{indent}{}{caret}", " ".repeat(lead.width() + from)));
            }
        }
        lines
    }

    /// What to do, step by step.
    fn steps(&self, cause: &RootCause, is_guess: bool) -> Vec<Step> {
        let label = if is_guess { "if so" } else { "do now" };
        (1..)
            .zip(&cause.remediation)
            .map(|(number, step)| self.step(if number == 1 { label } else { "" }, number, step))
            .collect()
    }

    fn step(&self, label: &str, number: usize, step: &RemediationStep) -> Step {
        let risk = if step.risk == "none" { String::new() } else { format!("  [{}]", step.risk) };
        let mut lines = self.labelled(label, &format!("{number}. {}{risk}", step.title));
        if !step.precondition.is_empty() {
            lines.extend(self.labelled("", &format!("   only if: {}", step.precondition)));
        }
        lines.extend(self.command("", &step.run));
        Step { lines, has_command: !step.run.trim().is_empty() }
    }

    /// A command: never wrapped, so that it can be copied.
    fn command(&self, label: &str, run: &str) -> Vec<String> {
        let mut lines = Vec::new();
        let mut head = match (self.is_narrow, label) {
            (true, "") => "    ".to_owned(),
            (true, label) => format!("{label}:\n    "),
            (false, "") => " ".repeat(LABEL + 5),
            (false, label) => format!("  {label:<width$} ", width = LABEL - 1),
        };
        for command in run.lines().filter(|l| !l.trim().is_empty()) {
            let command = self.paint(command.trim_end(), command_paint(self.style.theme));
            lines.push(format!("{}{command}", self.paint(&head, dim())));
            head = " ".repeat(if self.is_narrow { 4 } else { LABEL + 5 });
        }
        lines
    }

    fn nothing(&mut self) -> io::Result<()> {
        let report = self.report;
        let faults = report.unexplained.events;
        let lines: u64 = report.inputs.iter().map(|i| i.lines).sum();
        let (lines, sources) =
            (counted(lines, "line", "lines"), counted(report.inputs.len() as u64, "source", "sources"));
        self.line(&format!("No known root cause in {lines} of {sources}."))?;
        self.undecided()?;
        if faults == 0 {
            return Ok(());
        }
        let share = report.unexplained.share * 100.0;
        let head =
            format!("{faults} warnings and errors ({share:.0} %) are explained by nothing. The most telling ones:");
        self.line(&head)?;
        for (number, cluster) in (1..).zip(report.unexplained.clusters.iter().take(5)) {
            let (at, span) = (self.places.at(&cluster.source, cluster.line), span(cluster));
            self.field(&cluster.severity, &format!("#{number}  {at} ×{}{span}{}", cluster.count, things(cluster)))?;
            self.excerpt(&cluster.sample, None)?;
        }
        Ok(())
    }

    /// Errors that are known but name no root cause, and what would.
    fn undecided(&mut self) -> io::Result<()> {
        let report = self.report;
        let known = known_errors(&report.symptoms);
        if known.is_empty() {
            return match report.unexplained.events {
                0 => self.line("No warning or error is left unexplained either."),
                _ => Ok(()),
            };
        }
        self.write(&wrap(UNDECIDED, self.width))?;
        for symptom in known.iter().take(5) {
            let place = self.places.at(&symptom.source, symptom.line);
            self.field("known", &format!("{place} ×{}", symptom.count))?;
            self.excerpt(&symptom.excerpt, symptom.decisive.as_deref())?;
        }
        self.field("next", MORE)
    }

    /// What tells most of a line, on one.
    fn excerpt(&mut self, text: &str, decisive: Option<&str>) -> io::Result<()> {
        let indent = " ".repeat(self.body + if self.is_narrow { 0 } else { 2 });
        let shown = clip(&sanitize::line(text), decisive, self.width - indent.len());
        self.line(&format!("{indent}{shown}"))
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
            let label = if index == 0 { "others" } else { "" };
            self.field(label, &format!("{} {:.2}  {}", cause.verdict, cause.confidence, cause.id))?;
        }
        Ok(())
    }

    /// What happened when, over all sources on one clock; the onset first, a moment a line.
    fn timeline(&mut self, most: usize) -> io::Result<()> {
        let moments = timeline::telling(self.report);
        let Some(first) = moments.first() else { return Ok(()) };
        self.line("")?;
        let (mut day, _) = timeline::day_and_time(&first.timestamp);
        let corrected = moments.iter().any(|m| m.written.is_some());
        let clocks = if corrected { ", UTC, clocks put right" } else { ", UTC" };
        self.field("timeline", &format!("{day}{clocks}"))?;
        let folder = timeline::shared_folder(self.report);
        for moment in moments.iter().take(most) {
            let (own, time) = timeline::day_and_time(&moment.timestamp);
            if own != day {
                day = own;
                self.field("", day)?;
            }
            let source = moment.source.strip_prefix(folder).unwrap_or(&moment.source);
            let count = if moment.count > 1 { format!(" ×{}", moment.count) } else { String::new() };
            let told = if moment.says.is_empty() { sanitize::line(&moment.excerpt) } else { moment.says.clone() };
            let text = fit::head(&format!("{time} {source}:{}{count} {told}", moment.line), self.room());
            self.field("", &text)?;
        }
        if moments.len() > most {
            self.field("", &format!("{} later moments, see --all", moments.len() - most))?;
        }
        Ok(())
    }

    fn footer(&mut self) -> io::Result<()> {
        let (report, all) = (self.report, self.style.all);
        self.line("")?;
        if !self.places.common.is_empty() {
            let text = format!("…/ is {}", self.places.common);
            self.field("places", &text)?;
        }
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
        self.clocks()?;
        let problems: Vec<_> = report.problems.iter().filter(|p| all || coverage::is_loss(p)).collect();
        for problem in problems.iter().take(if all { usize::MAX } else { 3 }) {
            self.field("problem", &format!("{}: {}", problem.source, problem.message))?;
        }
        if problems.len() > 3 && !all {
            self.field("", &format!("{} more problems, see --all", problems.len() - 3))?;
        }
        if all { self.inputs() } else { Ok(()) }
    }

    /// Clocks that are off, zones that were found, and what keeps silence from telling anything.
    fn clocks(&mut self) -> io::Result<()> {
        let report = self.report;
        for input in &report.inputs {
            if let Some(off) = coverage::clock_off(input) {
                self.field("clock", &format!("{} is {off}; corrected", input.source))?;
            }
            if let Some(zone) = input.timezone.as_ref().filter(|z| z.contains(" by ") || z.contains(" as in ")) {
                self.field("zone", &format!("{}: {zone}", input.source))?;
            }
        }
        Ok(())
    }

    fn inputs(&mut self) -> io::Result<()> {
        let report = self.report;
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

/// A step of what to do.
struct Step {
    lines: Vec<String>,
    has_command: bool,
}

/// From this confidence on nothing more needs to be fetched.
const CERTAIN: f64 = 0.95;

/// A stamp without fractions of a second: they are in the lines themselves.
fn seconds(stamp: &str) -> String {
    match stamp.split_once('.') {
        Some((whole, rest)) => format!("{whole}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit())),
        None => stamp.to_owned(),
    }
}

/// From when to when, and how long that is: the day is told once.
fn until(first: &str, last: &str) -> String {
    let lasted = chain::span(first, last).map_or(0, i64::unsigned_abs);
    let (first, last) = (seconds(first), seconds(last));
    let end = match (first.split_once('T'), last.split_once('T')) {
        (Some((day, _)), Some((same, time))) if day == same => time,
        _ => last.as_str(),
    };
    if lasted == 0 {
        format!("{first} to {end}")
    } else {
        format!("{first} to {end} ({})", coverage::duration(lasted as f64))
    }
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
    fn the_day_is_told_once() {
        assert_eq!(
            until("2026-09-15T08:00:07Z", "2026-09-15T08:01:01.200Z"),
            "2026-09-15T08:00:07Z to 08:01:01Z (54 s)"
        );
        let days = until("2026-09-15T23:00:00Z", "2026-09-16T01:00:00Z");
        assert_eq!(days, "2026-09-15T23:00:00Z to 2026-09-16T01:00:00Z (2 h 0 min)");
    }
}
