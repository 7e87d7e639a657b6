//! Text for terminals: the first screen is the answer.
//!
//! Nothing is wider than the terminal, nothing depends on colour, and log text is harmless (see [`super::sanitize`]).
//! `cause` tells a root cause, `nothing` that there is none, `moments` the timeline, `footer` what was read.

mod cause;
mod chain;
mod columns;
mod fit;
mod footer;
mod moments;
mod nothing;
mod paint;
mod places;
mod sources;
mod time;

use std::collections::BTreeSet;
use std::io::{self, Write};

use anstyle::Style as Paint;
use unicode_width::UnicodeWidthStr;

use super::model::{Report, RootCause};
use super::{Renderer, Style};
use paint::dim;
use places::Places;

pub use fit::{clip, table, wrap};
pub use sources::list as sources;

/// Text for terminals.
pub struct Text;

/// Width of the column of labels.
const LABEL: usize = 9;
/// Root causes shown in full without `--all`.
const FULL: usize = 3;
/// Moments of the timeline shown without `--all`.
const MOMENTS: usize = 8;
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
        shown = report.unlikely();
        shown.truncate(FULL);
    }
    let rest = report.root_causes.iter().filter(|c| !shown.iter().any(|s| s.id == c.id)).collect();
    (shown, rest)
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

    /// Root causes that are only named.
    fn others(&mut self, shown: &[&RootCause], rest: &[&RootCause]) -> io::Result<()> {
        let effects: Vec<&String> = shown.iter().flat_map(|c| &c.explains).collect();
        let is_worth_naming = |c: &&&RootCause| (c.confidence >= 0.1 || c.over.is_some()) && !effects.contains(&&c.id);
        let mut also: Vec<&&RootCause> = rest.iter().filter(is_worth_naming).collect();
        also.sort_by_key(|c| c.over.is_none());
        also.truncate(4);
        if also.is_empty() {
            return Ok(());
        }
        self.line("")?;
        for (index, cause) in also.iter().enumerate() {
            let label = if index == 0 { "others" } else { "" };
            let (word, number) = cause.standing();
            self.field(label, &format!("{word} {number:.2}  {}", cause.id))?;
        }
        Ok(())
    }
}
