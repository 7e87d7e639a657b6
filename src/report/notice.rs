//! What `--follow` says in text when the verdict on a root cause changes: few lines, the answer first.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Paint};

use super::Style;
use super::model::{EvidenceLine, RootCause};
use super::text::{clip, wrap};

/// Columns in front of what stands beside a label.
const BODY: usize = 11;
/// Columns of a line of evidence.
const EXCERPT: usize = 240;

/// Writes a notice: all of it for what is new, one line for a verdict that changed, and what put it right.
///
/// # Errors
/// Those of the writer.
pub fn write(
    id: &str,
    was: Option<&str>,
    verdict: &str,
    cause: Option<&RootCause>,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let number = cause.map_or(String::new(), |c| format!(" {:.2}", c.confidence));
    let paint = |text: &str| {
        let color = if matches!(verdict, "confirmed" | "likely") { AnsiColor::Red } else { AnsiColor::Green };
        let paint = Paint::new().bold().fg_color(Some(color.into()));
        if style.color { format!("{paint}{text}{paint:#}") } else { text.to_owned() }
    };
    let Some(was) = was else {
        let since = cause.and_then(|c| c.first_seen.as_deref()).map_or(String::new(), |t| format!("  since {t}"));
        writeln!(out, "{}  {id}{since}", paint(&format!("{}{number}", verdict.to_uppercase())))?;
        if let Some(cause) = cause {
            body(cause, style.width, out)?;
        }
        return writeln!(out);
    };
    let cured = cause.filter(|c| c.over.is_some()).and_then(RootCause::cured);
    let what = match (verdict, cured) {
        ("weak", Some(_)) => "put right".to_owned(),
        ("weak", None) => format!("no longer likely{number}"),
        _ => format!("now {verdict}{number}"),
    };
    writeln!(out, "{}  {id}  (was {was})", paint(&what))?;
    if let Some(line) = cured {
        field(out, "over", &line.says, style.width)?;
        evidence(out, "", line, style.width)?;
    }
    writeln!(out)
}

/// What happened, the line that proves it, what to do.
fn body(cause: &RootCause, width: usize, out: &mut dyn Write) -> io::Result<()> {
    field(out, "", &cause.title, width)?;
    if let Some(proof) = cause.evidence.iter().find(|e| e.role == "supports") {
        evidence(out, "proof", proof, width)?;
    }
    let effects = cause.explains.join(", ");
    if !effects.is_empty() {
        field(out, "effects", &effects, width)?;
    }
    if let Some(step) = cause.remediation.first() {
        field(out, "do", &step.title, width)?;
        // Never wrapped: it is to be copied.
        for line in step.run.lines() {
            writeln!(out, "           $ {line}")?;
        }
    }
    Ok(())
}

/// Where a line of evidence stands, and what of it decided.
fn evidence(out: &mut dyn Write, label: &str, line: &EvidenceLine, width: usize) -> io::Result<()> {
    field(out, label, &format!("{}:{}", line.source, line.line), width)?;
    field(out, "", &decisive(line, EXCERPT.min(width.saturating_sub(BODY) * 2)), width)
}

/// What tells most of the line of a record that decided.
fn decisive(proof: &EvidenceLine, room: usize) -> String {
    let wanted = proof.decisive.as_deref().unwrap_or_default();
    let line = proof.excerpt.lines().find(|l| l.contains(wanted)).or_else(|| proof.excerpt.lines().next());
    clip(line.unwrap_or_default().trim(), proof.decisive.as_deref(), room)
}

fn field(out: &mut dyn Write, label: &str, text: &str, width: usize) -> io::Result<()> {
    for (index, part) in wrap(text, width.saturating_sub(BODY)).into_iter().enumerate() {
        writeln!(out, "  {:<8} {part}", if index == 0 { label } else { "" })?;
    }
    Ok(())
}
