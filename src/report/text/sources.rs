//! What was understood of each source: a table where it is wide enough for one, else a few lines for each.

use tabled::builder::Builder;
use unicode_width::UnicodeWidthStr;

use super::fit::{table, wrap};
use crate::report::model::Input;

/// Columns in front of what is told of a source below its name.
const INDENT: usize = 4;
/// A width that any table has room in.
const ANY: usize = 10_000;

/// The sources with lines, formats, time span, zone and status, in at most `width` columns.
pub fn list(inputs: &[Input], width: usize) -> String {
    let whole = table(rows(inputs), ANY);
    if whole.lines().all(|line| line.width() <= width) {
        return whole;
    }
    inputs.iter().flat_map(|input| block(input, width)).collect::<Vec<_>>().join("\n")
}

fn rows(inputs: &[Input]) -> Builder {
    let mut builder = Builder::default();
    builder.push_record(["source", "lines", "understood", "formats", "from", "to", "times", "status"]);
    for input in inputs {
        builder.push_record([
            input.source.as_str(),
            &input.lines.to_string(),
            &understood(input),
            &input.formats.join(" "),
            input.first.as_deref().unwrap_or("-"),
            input.last.as_deref().unwrap_or("-"),
            input.timezone.as_deref().unwrap_or("-"),
            &input.status,
        ]);
    }
    builder
}

fn understood(input: &Input) -> String {
    format!("{:.0} %", input.understood * 100.0)
}

/// The name of a source, and below it what is known of it.
fn block(input: &Input, width: usize) -> Vec<String> {
    let noun = if input.lines == 1 { "line" } else { "lines" };
    let mut parts = vec![format!("{} {noun}, {} understood", input.lines, understood(input)), input.formats.join(" ")];
    parts.extend(input.first.as_ref().zip(input.last.as_ref()).map(|(first, last)| format!("{first} to {last}")));
    parts.extend(input.timezone.clone());
    parts.push(input.status.clone());
    parts.retain(|part| !part.is_empty());
    let below = wrap(&parts.join("; "), width.saturating_sub(INDENT));
    let below = below.into_iter().map(|line| format!("{:INDENT$}{line}", ""));
    wrap(&input.source, width).into_iter().chain(below).collect()
}
