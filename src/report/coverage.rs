//! What the input covers and what it lacks: sources, times, services, versions; and what was left out, cut or not understood.
//!
//! [`coverage`] fills the model, [`summary`] puts it into a few lines that renderers share. Invariant: a source that was not
//! read, or not wholly, or in no known format, is named with its reason.

use std::collections::BTreeMap;

use super::build::rfc3339;
use super::model::{Coverage, Gap, Input, ProblemEntry, Report, Span};
use super::sanitize;
use super::words::counted;
use crate::correlate::{World, coverage as covered};
use crate::event::Service;
use crate::scan::SourceOutcome;

/// Kinds of problems of sources that gave nothing.
const SKIPPED: &[&str] = &["duplicate", "empty", "encrypted", "open", "skipped", "unsupported"];
/// Kinds of problems of sources that gave less than they held.
const CUT: &[&str] = &["damaged", "limit", "read", "truncated"];
/// Kinds of problems that cost nothing a log analysis could use.
const HARMLESS: &[&str] = &["duplicate", "empty", "name", "skipped"];
/// The name of what no format takes.
pub const PLAIN: &str = "plain";
/// Names in a line of the summary.
const NAMES: usize = 3;

/// Whether log data may be missing because of a problem.
pub fn is_loss(problem: &ProblemEntry) -> bool {
    !HARMLESS.contains(&problem.kind.as_str())
}

/// What all sources together cover.
pub fn coverage(world: &World<'_>, inputs: &[Input], problems: &[ProblemEntry]) -> Coverage {
    let sources = world.sources;
    let mut services: BTreeMap<Service, Option<(i64, i64)>> = BTreeMap::new();
    let mut all: Option<(i64, i64)> = None;
    for (index, source) in sources.iter().enumerate() {
        for service in &source.services {
            services.entry(*service).or_default();
        }
        let Some(span) = world.span(index) else { continue };
        all = Some(wider(all, span));
        for service in &source.services {
            let entry = services.entry(*service).or_default();
            *entry = Some(wider(*entry, span));
        }
    }
    let Span { first, last } = text(all);
    Coverage {
        sources: sources.len(),
        services: services.into_iter().map(|(s, span)| (s.name().to_owned(), text(span))).collect(),
        first,
        last,
        versions: versions(sources),
        skipped: gaps(problems, SKIPPED),
        cut: gaps(problems, CUT),
        missing: covered::missing_parts(sources).iter().map(|label| sanitize::line(label)).collect(),
        not_understood: inputs.iter().filter(|i| is_plain(i)).map(|i| i.source.clone()).collect(),
    }
}

fn wider(have: Option<(i64, i64)>, new: (i64, i64)) -> (i64, i64) {
    have.map_or(new, |(first, last)| (first.min(new.0), last.max(new.1)))
}

fn text(span: Option<(i64, i64)>) -> Span {
    Span { first: span.and_then(|(first, _)| rfc3339(first)), last: span.and_then(|(_, last)| rfc3339(last)) }
}

/// The versions by which root causes were judged, by application.
fn versions(sources: &[SourceOutcome]) -> BTreeMap<String, Vec<String>> {
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, version) in sources.iter().flat_map(|s| &s.found.versions) {
        let known = versions.entry(name.clone()).or_default();
        let version = sanitize::line(version);
        if !known.contains(&version) {
            known.push(version);
        }
    }
    versions.values_mut().for_each(|known| known.sort());
    versions
}

fn gaps(problems: &[ProblemEntry], kinds: &[&str]) -> Vec<Gap> {
    let fits = problems.iter().filter(|p| kinds.contains(&p.kind.as_str()));
    fits.map(|p| Gap { source: p.source.clone(), why: p.message.clone() }).collect()
}

/// Whether no line of a source stands in a known format.
fn is_plain(input: &Input) -> bool {
    input.lines > 0 && input.formats.iter().all(|format| format == PLAIN)
}

/// By how much the clock of a source is off, where that matters: `9 min 58 s ahead of start times of tasks`.
pub fn clock_off(input: &Input) -> Option<String> {
    let clock = input.clock.as_ref().filter(|c| c.ahead_seconds.abs() >= 5.0)?;
    let side = if clock.ahead_seconds > 0.0 { "ahead of" } else { "behind" };
    Some(format!("{} {side} {}", duration(clock.ahead_seconds.abs()), clock.against))
}

/// Seconds as people say them: `9 min 58 s`.
pub(super) fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

/// A few lines about the input: a label and a text each.
pub fn summary(report: &Report) -> Vec<(&'static str, String)> {
    let coverage = &report.coverage;
    let lines: u64 = report.inputs.iter().map(|i| i.lines).sum();
    let span = match (&coverage.first, &coverage.last) {
        (Some(first), Some(last)) => format!(", {first} to {last}"),
        _ => String::new(),
    };
    let mut summary =
        vec![("read", format!("{}, {}{span}", sources(report.inputs.len()), counted(lines, "line", "lines")))];
    if !coverage.versions.is_empty() {
        let shown: Vec<String> = coverage.versions.iter().map(|(n, v)| format!("{n} {}", v.join(" and "))).collect();
        summary.push(("versions", shown.join(", ")));
    }
    if !coverage.skipped.is_empty() {
        summary.push(("skipped", reasons(&coverage.skipped)));
    }
    if !coverage.cut.is_empty() {
        // A source may be cut for several reasons.
        let mut names: Vec<&str> = coverage.cut.iter().map(|gap| gap.source.as_str()).collect();
        names.dedup();
        let count = sources(names.len());
        summary.push(("cut", format!("{count} not wholly read: {}", some(names))));
    }
    if !coverage.not_understood.is_empty() {
        let names: Vec<&str> = coverage.not_understood.iter().map(String::as_str).collect();
        let count = sources(names.len());
        summary.push(("plain", format!("{count} in no known format, searched as plain text: {}", some(names))));
    }
    summary
}

fn sources(count: usize) -> String {
    counted(count as u64, "source", "sources")
}

/// How many were skipped for which reason, the most frequent reason first.
fn reasons(gaps: &[Gap]) -> String {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for gap in gaps {
        by_reason.entry(gap.why.as_str()).or_default().push(&gap.source);
    }
    let mut reasons: Vec<_> = by_reason.into_iter().collect();
    reasons.sort_by_key(|(why, names)| (std::cmp::Reverse(names.len()), *why));
    let all = reasons.len();
    let mut shown: Vec<String> = reasons
        .into_iter()
        .take(NAMES)
        .map(|(why, names)| match names.as_slice() {
            [name] => format!("{name} ({why})"),
            names => format!("{} sources ({why})", names.len()),
        })
        .collect();
    if all > NAMES {
        shown.push(format!("and {} more reasons", all - NAMES));
    }
    shown.join(", ")
}

/// The first names of a list.
fn some(names: Vec<&str>) -> String {
    let more = names.len().saturating_sub(NAMES);
    let mut text = names.into_iter().take(NAMES).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}
