//! Markdown for tickets: fits GitHub, GitLab, Zammad and Jira's converters; log text stays text.

use std::io::{self, Write};

use super::coverage;
use super::model::{EvidenceLine, Report, RootCause};
use super::{PSEUDONYMS, Renderer, Style, sanitize};

/// Markdown for tickets.
pub struct Markdown;

/// Evidence lines shown openly; the rest folds away.
const OPEN: usize = 3;
/// Bytes of an excerpt.
const EXCERPT: usize = 1_200;

impl Renderer for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn render(&self, report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
        let good: Vec<&RootCause> = report.root_causes.iter().filter(|c| style.all || c.confidence >= 0.5).collect();
        let shown = if good.is_empty() { report.root_causes.iter().take(1).collect() } else { good };
        if shown.is_empty() {
            nothing(report, out)?;
        }
        for cause in shown.iter().take(5) {
            root_cause(cause, out)?;
        }
        footer(report, out)
    }
}

fn root_cause(cause: &RootCause, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "### {} ({}, {:.2})\n", escape(&cause.title), cause.verdict, cause.confidence)?;
    writeln!(out, "`{}` · impact: {}\n", cause.id, cause.level)?;
    for text in [&cause.reason, &cause.impact].into_iter().filter(|t| !t.is_empty()) {
        writeln!(out, "{}\n", escape(&sanitize::line(text)))?;
    }
    for (role, heading) in [("supports", "**Evidence**"), ("contradicts", "**Against it**")] {
        let lines: Vec<&EvidenceLine> = cause.evidence.iter().filter(|e| e.role == role).collect();
        evidence(heading, &lines, out)?;
    }
    if !cause.unknown.is_empty() {
        writeln!(out, "**Not known**\n")?;
        for unknown in &cause.unknown {
            writeln!(out, "- {}", escape(&unknown.why))?;
        }
        writeln!(out)?;
    }
    steps(cause, out)?;
    if !cause.collect.is_empty() && cause.confidence < 0.95 {
        writeln!(out, "**Collect next**\n")?;
        for collect in &cause.collect {
            writeln!(out, "- {}", escape(&collect.why))?;
            block(&collect.run, "sh", out)?;
        }
    }
    Ok(())
}

fn evidence(heading: &str, lines: &[&EvidenceLine], out: &mut dyn Write) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "{heading}\n")?;
    for (index, line) in lines.iter().enumerate() {
        if index == OPEN {
            writeln!(out, "<details><summary>{} more</summary>\n", lines.len() - OPEN)?;
        }
        let count = if line.count > 1 { format!(", {} times", line.count) } else { String::new() };
        let says = if line.says.is_empty() { String::new() } else { format!(" — {}", escape(&line.says)) };
        writeln!(out, "{} line {}{count}{says}\n", code(&line.source), line.line)?;
        let end = line.excerpt.floor_char_boundary(EXCERPT.min(line.excerpt.len()));
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
    writeln!(out)?;
    coverage_block(report, out)
}

/// Sources and problems in the coverage block.
const ROWS: usize = 20;

/// What was read and what was not: a few lines, the sources with their time spans, and each problem.
fn coverage_block(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "### Coverage\n")?;
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
        let about = format!("{} lines, {formats}{span}, {}", input.lines, input.status);
        writeln!(out, "- {}: {}", code(&input.source), escape(&about))?;
    }
    if report.inputs.len() > ROWS {
        writeln!(out, "- and {} more sources", report.inputs.len() - ROWS)?;
    }
    writeln!(out)?;
    let (harmful, harmless): (Vec<_>, Vec<_>) = report.problems.iter().partition(|p| coverage::is_loss(p));
    for problem in harmful.into_iter().chain(harmless).take(ROWS) {
        writeln!(out, "- {}: {}", code(&problem.source), escape(&problem.message))?;
    }
    if report.problems.len() > ROWS {
        writeln!(out, "- {} more problems", report.problems.len() - ROWS)?;
    }
    Ok(())
}

/// A fenced block: the fence is longer than any run of backticks inside.
fn block(text: &str, language: &str, out: &mut dyn Write) -> io::Result<()> {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    writeln!(out, "{fence}{language}\n{}\n{fence}\n", text.trim_end())
}

/// Inline code that holds any text.
fn code(text: &str) -> String {
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
