//! Markdown for tickets: fits GitHub, GitLab, Zammad and Jira's converters; log text stays text.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::coverage;
use super::model::{EvidenceLine, Report, RootCause};
use super::words::{MORE, UNDECIDED, known_errors};
use super::{PSEUDONYMS, Renderer, Style, sanitize, timeline, words};

/// Markdown for tickets.
pub struct Markdown;

/// Evidence lines shown openly; the rest folds away.
const OPEN: usize = 3;
/// Bytes of an excerpt.
const EXCERPT: usize = 1_200;
/// Bytes of a label or message; more of a path helps nobody.
const LABEL: usize = 300;
/// Root causes in full.
const CAUSES: usize = 5;
/// Bytes of the page; GitHub takes 65,536 characters, other ticket systems about as much.
const LIMIT: usize = 59_500;

impl Renderer for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn render(&self, report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
        let good: Vec<&RootCause> = report.root_causes.iter().filter(|c| style.all || c.confidence >= 0.5).collect();
        let shown = if good.is_empty() { report.unlikely() } else { good };
        // Shorter excerpts first; only then whole parts are left out.
        let details = [EXCERPT, EXCERPT / 4, EXCERPT / 12];
        let fits = |parts: &Vec<Part>| parts.iter().map(|p| p.text.len()).sum::<usize>() <= LIMIT;
        let mut parts = Vec::new();
        for excerpt in details {
            parts = page(report, &shown, excerpt)?;
            if fits(&parts) {
                break;
            }
        }
        let left_out = shorten(&mut parts);
        parts.iter().try_for_each(|part| out.write_all(part.text.as_bytes()))?;
        if left_out > 0 {
            let what = if left_out == 1 { "1 part is".into() } else { format!("{left_out} parts are") };
            writeln!(
                out,
                "\n*{what} left out: a ticket takes no more. The JSON report (--format json) holds everything.*"
            )?;
        }
        Ok(())
    }
}

/// A piece of the page that stands for itself: every block in it is closed.
struct Part {
    text: String,
    /// What goes first when there is no room: the highest.
    rank: usize,
}

/// The page in parts.
fn page(report: &Report, shown: &[&RootCause], excerpt: usize) -> io::Result<Vec<Part>> {
    let mut parts = Vec::new();
    let mut add = |rank: usize, write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>| -> io::Result<()> {
        let mut text = Vec::new();
        write(&mut text)?;
        parts.push(Part { text: String::from_utf8_lossy(&text).into_owned(), rank });
        Ok(())
    };
    if shown.is_empty() {
        add(0, &mut |out| nothing(report, out))?;
    }
    if shown.first().is_some_and(|cause| cause.over.is_some()) {
        add(0, &mut |out| {
            writeln!(out, "No root cause is likely any more. This was put right, as the input shows.\n")
        })?;
    }
    for (index, cause) in shown.iter().take(CAUSES).enumerate() {
        add(10 * index, &mut |out| heading(cause, out))?;
        add(10 * index + 1, &mut |out| evidence("**Evidence**", &of_role(cause, "supports"), excerpt, out))?;
        let against = if cause.over.is_some() { "**What put it right**" } else { "**Against it**" };
        add(10 * index + 3, &mut |out| evidence(against, &of_role(cause, "contradicts"), excerpt, out))?;
        add(10 * index + 2, &mut |out| steps(cause, out))?;
        add(10 * index + 4, &mut |out| open_questions(cause, out))?;
    }
    if shown.len() > CAUSES {
        add(5, &mut |out| writeln!(out, "{} more root causes are in the JSON report.\n", shown.len() - CAUSES))?;
    }
    add(4, &mut |out| happened(report, out))?;
    add(0, &mut |out| footer(report, out))?;
    add(10 * CAUSES, &mut |out| coverage_block(report, out))?;
    Ok(parts)
}

/// Leaves parts out, the least important first, until the rest fits; how many were left out.
fn shorten(parts: &mut Vec<Part>) -> usize {
    let before = parts.len();
    while parts.iter().map(|p| p.text.len()).sum::<usize>() > LIMIT {
        let Some(last) = (0..parts.len()).max_by_key(|index| parts.get(*index).map(|p| p.rank)) else { break };
        parts.remove(last);
    }
    before - parts.len()
}

/// The lines of a role, those of different kinds first: they are what is shown openly.
fn of_role<'c>(cause: &'c RootCause, role: &str) -> Vec<&'c EvidenceLine> {
    let mut kinds = BTreeSet::new();
    let lines = cause.evidence.iter().filter(|e| e.role == role);
    let (first, more): (Vec<_>, Vec<_>) = lines.partition(|e| kinds.insert((&e.id, &e.signature)));
    first.into_iter().chain(more).collect()
}

/// The verdict, since when and on what, why, and what does not work.
fn heading(cause: &RootCause, out: &mut dyn Write) -> io::Result<()> {
    let (word, number) = cause.standing();
    writeln!(out, "### {} ({word}, {number:.2})\n", escape(&cause.title))?;
    let since = match (&cause.first_seen, &cause.last_seen) {
        (Some(first), Some(last)) if first != last => format!(" · {first} to {last}"),
        (Some(first), _) => format!(" · {first}"),
        _ => String::new(),
    };
    writeln!(out, "`{}` · impact: {}{since}\n", cause.id, cause.level)?;
    let names = names(cause);
    if !names.is_empty() {
        writeln!(out, "On: {}\n", escape(&sanitize::line(&names)))?;
    }
    if !cause.explains.is_empty() {
        let effects: Vec<String> = cause.explains.iter().map(|id| format!("`{id}`")).collect();
        writeln!(out, "Effects of it: {}\n", effects.join(", "))?;
    }
    for text in [&cause.reason, &cause.impact].into_iter().filter(|t| !t.is_empty()) {
        writeln!(out, "{}\n", escape(&sanitize::line(text)))?;
    }
    Ok(())
}

/// What happened when, over all sources on one clock; the onset first.
fn happened(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let moments = timeline::telling(report);
    if moments.is_empty() {
        return Ok(());
    }
    let corrected = moments.iter().any(|m| m.written.is_some());
    writeln!(out, "<details><summary>Timeline (UTC{})</summary>\n", if corrected { ", clocks put right" } else { "" })?;
    writeln!(out, "| when | where | what |\n| --- | --- | --- |")?;
    let folder = timeline::shared_folder(report);
    for moment in moments {
        let (day, time) = timeline::day_and_time(&moment.timestamp);
        let source = moment.source.strip_prefix(folder).unwrap_or(&moment.source);
        let count = if moment.count > 1 { format!(" ×{}", moment.count) } else { String::new() };
        let told =
            if moment.says.is_empty() { short(&sanitize::line(&moment.excerpt), false) } else { moment.says.clone() };
        let place = escape(&short(&format!("{source}:{}{count}", moment.line), true));
        writeln!(out, "| {day} {time} | {place} | {} |", escape(&told))?;
    }
    writeln!(out, "\n</details>\n")
}

/// What the input does not tell, and what would tell it.
fn open_questions(cause: &RootCause, out: &mut dyn Write) -> io::Result<()> {
    if !cause.unknown.is_empty() {
        writeln!(out, "**Not known**\n")?;
        for unknown in &cause.unknown {
            writeln!(out, "- {}", escape(&unknown.why))?;
        }
        writeln!(out)?;
    }
    if !cause.collect.is_empty() && cause.confidence < 0.95 {
        writeln!(out, "**Collect next**\n")?;
        for collect in &cause.collect {
            writeln!(out, "- {}", escape(&collect.why))?;
            block(&collect.run, "sh", out)?;
        }
    }
    Ok(())
}

fn evidence(heading: &str, lines: &[&EvidenceLine], excerpt: usize, out: &mut dyn Write) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "{heading}\n")?;
    for (index, line) in lines.iter().enumerate() {
        if index == OPEN {
            writeln!(out, "<details><summary>{} more</summary>\n", lines.len() - OPEN)?;
        }
        let until = line.last.as_ref().map_or(String::new(), |last| format!(" until {last}"));
        let count = if line.count > 1 { format!(", {} times{until}", line.count) } else { String::new() };
        let says = if line.says.is_empty() { String::new() } else { format!(" — {}", escape(&line.says)) };
        writeln!(out, "{} line {}{count}{says}\n", code(&line.source), line.line)?;
        let end = line.excerpt.floor_char_boundary(excerpt.min(line.excerpt.len()));
        block(line.excerpt.get(..end).unwrap_or_default(), "text", out)?;
    }
    if lines.len() > OPEN {
        writeln!(out, "</details>\n")?;
    }
    Ok(())
}

fn steps(cause: &RootCause, out: &mut dyn Write) -> io::Result<()> {
    if cause.remediation.is_empty() {
        return Ok(());
    }
    writeln!(out, "**What to do**\n")?;
    for (number, step) in (1..).zip(&cause.remediation) {
        let risk = if step.risk == "none" { String::new() } else { format!(" *({})*", step.risk) };
        writeln!(out, "{number}. {}{risk}", escape(&step.title))?;
        if !step.precondition.is_empty() {
            writeln!(out, "   Only if: {}", escape(&step.precondition))?;
        }
        writeln!(out)?;
        if !step.run.is_empty() {
            block(&step.run, "sh", out)?;
        }
    }
    Ok(())
}

fn nothing(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "### No known root cause\n")?;
    let known = known_errors(&report.symptoms);
    if !known.is_empty() {
        writeln!(out, "{UNDECIDED}\n")?;
        for symptom in known.iter().take(5) {
            writeln!(out, "{} line {}, {} times\n", code(&symptom.source), symptom.line, symptom.count)?;
            block(&symptom.excerpt, "text", out)?;
        }
        writeln!(out, "Next, {MORE}.\n")?;
    }
    if report.unexplained.events > 0 {
        let share = report.unexplained.share * 100.0;
        writeln!(out, "{} warnings and errors ({share:.0} %) are explained by nothing.\n", report.unexplained.events)?;
    }
    for cluster in report.unexplained.clusters.iter().take(5) {
        writeln!(
            out,
            "{} line {}, {} times ({})\n",
            code(&cluster.source),
            cluster.line,
            cluster.count,
            cluster.severity
        )?;
        block(&cluster.sample, "text", out)?;
    }
    Ok(())
}

fn footer(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let lines: u64 = report.inputs.iter().map(|i| i.lines).sum();
    let (tool, catalogue) = (&report.tool, &report.tool.catalogue);
    writeln!(out, "---\n")?;
    writeln!(
        out,
        "{} {} · catalogue {} · {} sources, {lines} lines · {} warnings and errors unexplained",
        tool.name,
        tool.version,
        catalogue.digest,
        report.inputs.len(),
        report.unexplained.events
    )?;
    if report.redacted {
        writeln!(out, "\n{PSEUDONYMS}")?;
    }
    writeln!(out)
}

/// Sources and problems in the coverage block.
const ROWS: usize = 20;

/// What was read and what was not: a few lines, the sources with their time spans, and each problem.
fn coverage_block(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<details><summary>Coverage</summary>\n")?;
    for (label, text) in coverage::summary(report) {
        writeln!(out, "- {label}: {}", escape(&text))?;
    }
    writeln!(out)?;
    for input in report.inputs.iter().take(ROWS) {
        let span = match (&input.first, &input.last) {
            (Some(first), Some(last)) => format!(", {first} to {last}"),
            _ => String::new(),
        };
        let formats = input.formats.join(" ");
        let clock = coverage::clock_off(input).map_or(String::new(), |off| format!(", clock {off} (corrected)"));
        let about = format!("{} lines, {formats}{span}{clock}, {}", input.lines, input.status);
        writeln!(out, "- {}: {}", code(&input.source), escape(&about))?;
    }
    if report.inputs.len() > ROWS {
        writeln!(out, "- and {} more sources", report.inputs.len() - ROWS)?;
    }
    writeln!(out)?;
    let (harmful, harmless): (Vec<_>, Vec<_>) = report.problems.iter().partition(|p| coverage::is_loss(p));
    for problem in harmful.into_iter().chain(harmless).take(ROWS) {
        writeln!(out, "- {}: {}", code(&problem.source), escape(&short(&problem.message, false)))?;
    }
    if report.problems.len() > ROWS {
        writeln!(out, "- {} more problems", report.problems.len() - ROWS)?;
    }
    writeln!(out, "\n</details>")
}

/// A fenced block: the fence is longer than any run of backticks inside.
fn block(text: &str, language: &str, out: &mut dyn Write) -> io::Result<()> {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    writeln!(out, "{fence}{language}\n{}\n{fence}\n", text.trim_end())
}

/// Names of the things concerned.
fn names(cause: &RootCause) -> String {
    let shown = |(word, values): (&str, &Vec<String>)| format!("{word} {}", words::some(values, 3));
    words::of_things(&cause.entities).into_iter().map(shown).collect::<Vec<_>>().join(" · ")
}

/// The end of a long label, where the name of the file stands; the beginning of a long message.
fn short(text: &str, end: bool) -> String {
    if text.len() <= LABEL {
        return text.to_owned();
    }
    if end {
        let from = text.ceil_char_boundary(text.len() - LABEL);
        return format!("…{}", text.get(from..).unwrap_or_default());
    }
    format!("{}…", text.get(..text.floor_char_boundary(LABEL)).unwrap_or_default())
}

/// Inline code that holds any text.
fn code(text: &str) -> String {
    let text = &short(text, true);
    let fence = "`".repeat(longest_run(text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Plain text that Markdown must not read as markup.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_text_cannot_leave_its_block() {
        let mut out = Vec::new();
        block("a\n```\n<script>alert(1)</script>", "text", &mut out).expect("memory");
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(text.starts_with("````text\n") && text.trim_end().ends_with("````"), "{text}");
    }

    #[test]
    fn markup_in_plain_text_is_escaped() {
        assert_eq!(escape("<b> *x* | `y`"), "\\<b\\> \\*x\\* \\| \\`y\\`");
        assert_eq!(code("a`b"), "``a`b``");
    }
}
