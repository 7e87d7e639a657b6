//! One root cause: its verdict, since when and on what, the lines that prove it, what is doubtful, and what to do.

use std::collections::BTreeSet;
use std::io;

use anstyle::Style as Paint;
use unicode_width::UnicodeWidthStr;

use super::fit;
use super::paint::{caret_paint, command_paint, dim, verdict_paint};
use super::time::{seconds, until};
use super::{LABEL, Page, chain, columns, wrap};
use crate::report::model::{EvidenceLine, RemediationStep, RootCause};
use crate::report::words::{counted, of_things, some};
use crate::report::{NAMED, sanitize};

/// Lines of evidence shown for a root cause.
const PROOF: usize = 3;
/// Lines of a terminal of the usual size: the answer and the next step stand on them.
const SCREEN: usize = 24;
/// Steps shown for a root cause.
const STEPS: usize = 3;
/// Rows of the chain of effects.
const CHAIN: usize = 6;
/// Kinds of things told without `--all`.
const KINDS: usize = 4;
/// Rows of a line of evidence.
const ROWS: usize = 2;
/// From this confidence on nothing more needs to be fetched.
const CERTAIN: f64 = 0.95;

/// A line of evidence and further ones that say the same.
struct Proof<'r> {
    line: &'r EvidenceLine,
    /// Whether what it tells was not told by one before.
    is_new: bool,
    /// The same text in other sources.
    also: Vec<&'r EvidenceLine>,
}

impl<'r> Proof<'r> {
    fn of(line: &'r EvidenceLine) -> Self {
        Self { line, is_new: true, also: Vec::new() }
    }
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
            None => proofs.push(Proof::of(line)),
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

/// A step of what to do.
struct Step {
    lines: Vec<String>,
    has_command: bool,
}

impl Page<'_> {
    /// A root cause. What stands in front of the further steps fits the first screen, if there is any way to.
    pub(super) fn cause(&mut self, cause: &RootCause, is_first: bool) -> io::Result<()> {
        let all = self.style.all;
        let is_guess = cause.confidence < NAMED;
        let mut head = self.heading(cause, is_guess, is_first);
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
            let (more, run) = (steps.len() - shown, format!("omnilog explain {}", cause.id));
            let text = format!("{more} more: {run}");
            if text.width() <= self.room() {
                self.field("", &text)?;
            } else {
                self.field("", &format!("{more} more:"))?;
                let run = self.command("", &run);
                self.write(&run)?;
            }
        }
        self.field("why", &cause.reason)?;
        if all { self.further_doubts(cause) } else { Ok(()) }
    }

    /// Verdict, id and the sentence.
    fn heading(&self, cause: &RootCause, is_guess: bool, is_first: bool) -> Vec<String> {
        let mut lines = match (is_guess, cause.over) {
            (true, None) => {
                wrap("No root cause is likely. The nearest guess, to be checked and not acted on:", self.width)
            }
            (true, Some(_)) if is_first => {
                wrap("No root cause is likely any more. This was put right, as the input shows:", self.width)
            }
            _ => Vec::new(),
        };
        let (word, number) = cause.standing();
        let verdict = format!("{} {number:.2}", word.to_uppercase());
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
        if cause.over.is_some() {
            // Nothing has to be found out about it any more.
            return cause.cured().map(|line| self.evidence("over", &Proof::of(line))).unwrap_or_default();
        }
        if let Some(line) = cause.evidence.iter().find(|e| e.role == "contradicts") {
            lines.extend(self.evidence("against", &Proof::of(line)));
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
            let lines = self.evidence("against", &Proof::of(line));
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
                if let Some(rows) = columns::fit(first, last, self.width.saturating_sub(indent.width())) {
                    return rows.map(|row| format!("{indent}{}", sanitize::text(&row))).to_vec();
                }
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
        let label = match (is_guess, cause.over) {
            (true, Some(_)) => "if again",
            (true, None) => "if so",
            (false, _) => "do now",
        };
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
}
