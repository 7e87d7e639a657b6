//! The timeline: one lane for each source, cause or thing; a mark for each line of evidence, a bar for what a source covers.
//!
//! Drawn here for the span of the evidence, in percent of the width, so that it fits every screen without the script; the
//! script moves what carries a time (`data-t`, `data-a`, `data-b`) when one zooms.

use std::collections::{BTreeMap, BTreeSet};

use super::page::Page;
use super::tables::cluster_anchor;
use super::time;
use super::view::{View, anchor, line_anchor};

/// Marks drawn.
const MARKS: usize = 200;
/// Lanes drawn; what has no lane of its own shares the last.
const LANES: usize = 14;
/// Bytes of a log line that a mark tells.
const TOLD: usize = 300;
/// Ticks of the axis.
const TICKS: i64 = 6;
/// Percent of the width left free at both ends, as the script has it.
const MARGIN: f64 = 1.5;
/// Percent of the width that a mark takes.
const MARK: f64 = 2.2;
/// Rows of marks in a lane.
const LEVELS: usize = 4;
/// Heights in pixels: the axis, the name of a lane, a row of marks, the gap below.
const AXIS: usize = 26;
const NAME: usize = 22;
const ROW: usize = 22;
const GAP: usize = 10;

/// What a mark stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Supports,
    Contradicts,
    Unexplained,
}

/// Something that happened.
struct Mark<'r> {
    time: i64,
    stamp: &'r str,
    source: &'r str,
    line: u64,
    kind: Kind,
    /// Rank of its root cause; 0 for none.
    rank: usize,
    cause: &'r str,
    thing: &'r str,
    href: String,
    says: &'r str,
    text: &'r str,
}

/// A way to sort marks into lanes: its name, and the lane of a mark.
type Lanes<'v> = (&'static str, &'static str, Box<dyn Fn(&Mark<'v>) -> String + 'v>);

/// From when to when, in milliseconds.
#[derive(Clone, Copy)]
struct Range {
    from: i64,
    to: i64,
}

impl Range {
    /// Where a time stands, in percent of the width.
    fn percent(self, time: i64) -> f64 {
        let share = (time - self.from) as f64 / (self.to - self.from).max(1) as f64;
        MARGIN + (100.0 - 2.0 * MARGIN) * share
    }

    /// The range of some times with room at both ends.
    fn around(times: impl Iterator<Item = i64> + Clone) -> Option<Self> {
        let (from, to) = (times.clone().min()?, times.max()?);
        let room = ((to - from) / 25).max(500);
        Some(Self { from: from - room, to: to + room })
    }
}

/// Whether there is anything to draw.
pub fn has_marks(view: &View<'_>) -> bool {
    !marks(view).is_empty()
}

/// The section; nothing when no time is known.
pub fn section(page: &mut Page, view: &View<'_>) {
    let mut marks = marks(view);
    let left = marks.len().saturating_sub(MARKS);
    marks.truncate(MARKS);
    let Some((range, whole)) = ranges(view, &marks) else { return };
    page.raw("<section id=\"timeline\" aria-labelledby=\"when\"><h2 id=\"when\">Timeline</h2><p class=\"days\">");
    page.text(&format!("{}, UTC", time::days(range.from, range.to))).raw("</p>");
    page.raw("<div id=\"charts\" data-from=\"").text(&range.from.to_string()).raw("\" data-to=\"");
    page.text(&range.to.to_string()).raw("\" data-min=\"").text(&whole.from.to_string()).raw("\" data-max=\"");
    page.text(&whole.to.to_string()).raw("\"><div id=\"tools\" class=\"tools\" hidden></div>");
    for (name, title, lane) in lanes(view) {
        let lanes = sorted(&marks, lane);
        // One lane says no more than the others do.
        if name == "source" || lanes.len() > 1 {
            chart(page, view, (name, title), &lanes, range);
        }
    }
    page.raw("<div id=\"tip\" class=\"tip\" hidden></div></div>");
    legend(page, &marks);
    list(page, view, &marks);
    page.more(left, "moments, not drawn");
    page.raw("</section>\n");
}

/// What is shown at first, and all that is known.
fn ranges(view: &View<'_>, marks: &[Mark<'_>]) -> Option<(Range, Range)> {
    let times = |all: bool| marks.iter().filter(move |m| all || m.kind != Kind::Unexplained).map(|m| m.time);
    let range = Range::around(times(false)).or_else(|| Range::around(times(true)))?;
    let coverage = &view.report.coverage;
    let ends: Vec<i64> =
        [&coverage.first, &coverage.last].into_iter().flatten().filter_map(|t| time::millis(t)).collect();
    let whole = Range::around(times(true).chain(ends.iter().copied()))?;
    Some((range, Range { from: whole.from.min(range.from), to: whole.to.max(range.to) }))
}

/// Evidence of the story and what nothing explains, by time.
fn marks<'r>(view: &View<'r>) -> Vec<Mark<'r>> {
    let mut marks = Vec::new();
    for cause in view.story() {
        for (index, line) in cause.evidence.iter().enumerate() {
            let Some(stamp) = line.moment.as_deref().or(line.timestamp.as_deref()) else { continue };
            let Some(time) = time::millis(stamp) else { continue };
            marks.push(Mark {
                time,
                stamp,
                source: &line.source,
                line: line.line,
                kind: if line.role == "supports" { Kind::Supports } else { Kind::Contradicts },
                rank: cause.rank,
                cause: &cause.title,
                thing: &line.thing,
                href: line_anchor(cause, index),
                says: if line.says.is_empty() { &line.id } else { &line.says },
                text: &line.excerpt,
            });
        }
    }
    marks.extend(told(view));
    marks.extend(unexplained(view));
    // A line that proves several things is one mark, that of the most likely one.
    let mut seen = BTreeSet::new();
    marks.retain(|m| seen.insert((m.source, m.line)));
    marks.sort_by(|a, b| (a.time, a.source, a.line).cmp(&(b.time, b.source, b.line)));
    marks
}

/// What the report's own timeline tells beyond the evidence.
fn told<'r>(view: &View<'r>) -> impl Iterator<Item = Mark<'r>> {
    view.report.timeline.iter().filter_map(|entry| {
        let cause = view.find(&entry.root_cause).filter(|c| view.shows(c))?;
        Some(Mark {
            time: time::millis(&entry.timestamp)?,
            stamp: &entry.timestamp,
            source: &entry.source,
            line: entry.line,
            kind: Kind::Supports,
            rank: cause.rank,
            cause: &cause.title,
            thing: "",
            href: anchor(cause),
            says: &entry.says,
            text: &entry.excerpt,
        })
    })
}

fn unexplained<'r>(view: &View<'r>) -> impl Iterator<Item = Mark<'r>> {
    view.report.unexplained.clusters.iter().enumerate().filter_map(|(index, cluster)| {
        let stamp = cluster.first.as_deref()?;
        Some(Mark {
            time: time::millis(stamp)?,
            stamp,
            source: &cluster.source,
            line: cluster.line,
            kind: Kind::Unexplained,
            rank: 0,
            cause: "explained by nothing",
            thing: "",
            href: cluster_anchor(index),
            says: "explained by nothing",
            text: &cluster.sample,
        })
    })
}

/// The ways to sort marks into lanes.
fn lanes<'v>(view: &'v View<'v>) -> Vec<Lanes<'v>> {
    vec![
        ("source", "by source", Box::new(|m| view.short(m.source).to_owned())),
        (
            "thing",
            "by machine",
            Box::new(|m| if m.thing.is_empty() { "no name in the line" } else { m.thing }.to_owned()),
        ),
        ("cause", "by root cause", Box::new(|m| m.cause.to_owned())),
    ]
}

/// Lanes in the order of their first marks; those without a lane of their own share the last.
fn sorted<'m, 'r>(marks: &'m [Mark<'r>], lane: impl Fn(&Mark<'r>) -> String) -> Vec<(String, Vec<&'m Mark<'r>>)> {
    let mut lanes: Vec<(String, Vec<&Mark<'r>>)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for mark in marks {
        let name = lane(mark);
        let place = *places.entry(name.clone()).or_insert_with(|| lanes.len().min(LANES));
        match lanes.get_mut(place) {
            Some((_, have)) => have.push(mark),
            None => lanes.push((name, vec![mark])),
        }
    }
    if places.len() > LANES + 1
        && let Some((name, _)) = lanes.get_mut(LANES)
    {
        *name = format!("{} others", places.len() - LANES);
    }
    lanes
}

fn chart(
    page: &mut Page,
    view: &View<'_>,
    (name, title): (&'static str, &'static str),
    lanes: &[(String, Vec<&Mark<'_>>)],
    range: Range,
) {
    let levels: Vec<Vec<usize>> = lanes.iter().map(|(_, marks)| stacked(marks, range)).collect();
    let height = |levels: &[usize]| NAME + ROW * (levels.iter().max().unwrap_or(&0) + 1) + GAP;
    let quiet = if name == "source" { quiet(view, lanes) } else { Vec::new() };
    let total = AXIS + levels.iter().map(|l| height(l)).sum::<usize>() + quiet.len() * (NAME + GAP);
    page.raw("<svg class=\"chart\" id=\"by-").raw(name).raw("\" data-title=\"").raw(title);
    page.raw("\" role=\"group\" aria-label=\"Timeline ").raw(title).raw("\" width=\"100%\" height=\"");
    page.text(&total.to_string()).raw(if name == "source" { "\">" } else { "\" hidden>" });
    axis(page, range, total);
    let mut top = AXIS;
    for ((name, marks), levels) in lanes.iter().zip(&levels) {
        lane(page, view, name, top, height(levels), range);
        for (mark, level) in marks.iter().zip(levels) {
            draw(page, view, mark, top + NAME + ROW * level + ROW / 2, range);
        }
        top += height(levels);
    }
    for name in quiet {
        lane(page, view, name, top, NAME + GAP, range);
        top += NAME + GAP;
    }
    page.raw("</svg>");
}

/// Sources that cover some time but hold no mark, as far as there is room.
fn quiet<'v>(view: &'v View<'_>, lanes: &[(String, Vec<&Mark<'_>>)]) -> Vec<&'v str> {
    let sources = view.report.inputs.iter().filter(|i| i.first.is_some()).map(|i| view.short(&i.source));
    sources.filter(|s| !lanes.iter().any(|(n, _)| n == s)).take(LANES.saturating_sub(lanes.len()).min(6)).collect()
}

/// The row of each mark, so that neighbours do not hide each other.
fn stacked(marks: &[&Mark<'_>], range: Range) -> Vec<usize> {
    let mut ends = [f64::MIN; LEVELS];
    let mut levels = Vec::with_capacity(marks.len());
    for mark in marks {
        let at = range.percent(mark.time);
        let level = ends.iter().position(|end| at - end >= MARK).unwrap_or(0);
        if let Some(end) = ends.get_mut(level) {
            *end = at;
        }
        levels.push(level);
    }
    levels
}

fn axis(page: &mut Page, range: Range, height: usize) {
    page.raw("<g class=\"ticks\" aria-hidden=\"true\">");
    for (time, label) in time::ticks(range.from, range.to, TICKS) {
        let x = percent(range.percent(time));
        page.raw("<g><line x1=\"").text(&x).raw("\" x2=\"").text(&x).raw("\" y1=\"20\" y2=\"");
        page.text(&height.to_string()).raw("\"/><text y=\"14\"").raw(edge(range.percent(time)));
        page.raw(" x=\"").text(&x).raw("\">").text(&label).raw("</text></g>");
    }
    page.raw("</g>");
}

/// A label at an edge stands inside of it.
fn edge(percent: f64) -> &'static str {
    match percent {
        ..6.0 => " class=\"first\"",
        94.0.. => " class=\"last\"",
        _ => "",
    }
}

/// The name of a lane, and the time its source covers.
fn lane(page: &mut Page, view: &View<'_>, name: &str, top: usize, height: usize, range: Range) {
    let bottom = (top + height - GAP / 2).to_string();
    page.raw("<line class=\"base\" x1=\"0\" x2=\"100%\" y1=\"").text(&bottom).raw("\" y2=\"").text(&bottom).raw("\"/>");
    let source = view.report.inputs.iter().find(|i| view.short(&i.source) == name);
    let span = source.and_then(|i| Some((time::millis(i.first.as_deref()?)?, time::millis(i.last.as_deref()?)?)));
    if let Some((first, last)) = span {
        let (from, to) = (range.percent(first).clamp(0.0, 100.0), range.percent(last).clamp(0.0, 100.0));
        page.raw("<rect class=\"cover\" height=\"3\" rx=\"1\" y=\"").text(&(top + height - GAP / 2 - 1).to_string());
        page.raw("\" x=\"").text(&percent(from)).raw("\" width=\"").text(&percent(to - from)).raw("\" data-a=\"");
        page.text(&first.to_string()).raw("\" data-b=\"").text(&last.to_string()).raw("\"/>");
    }
    page.raw("<text class=\"lane\" x=\"0\" y=\"").text(&(top + 15).to_string()).raw("\">").text(name).raw("</text>");
}

fn draw(page: &mut Page, view: &View<'_>, mark: &Mark<'_>, y: usize, range: Range) {
    let at = range.percent(mark.time);
    let place = format!("{}:{}", view.short(mark.source), mark.line);
    page.raw("<a class=\"mark k").text(&mark.rank.min(7).to_string()).raw("\" href=\"#").text(&mark.href);
    page.raw("\" data-t=\"").text(&mark.time.to_string()).raw("\" data-when=\"").text(&time::moment(mark.stamp));
    page.raw("\" data-where=\"").text(&place).raw("\" data-says=\"").text(mark.says).raw("\" data-text=\"");
    page.text(beginning(mark.text));
    page.raw(if (0.0..=100.0).contains(&at) { "\">" } else { "\" display=\"none\">" });
    page.raw("<title>").text(&format!("{} {place}: {}", time::moment(mark.stamp), mark.says)).raw("</title>");
    page.raw("<svg overflow=\"visible\" x=\"").text(&percent(at)).raw("\" y=\"").text(&y.to_string()).raw("\">");
    match mark.kind {
        Kind::Supports => page.raw("<circle r=\"9\"/>"),
        Kind::Contradicts => page.raw("<path d=\"M0-10L10 0L0 10L-10 0Z\"/>"),
        Kind::Unexplained => page.raw("<rect x=\"-6\" y=\"-6\" width=\"12\" height=\"12\"/>"),
    };
    if mark.kind != Kind::Unexplained {
        page.raw("<text y=\"4\">").text(&mark.rank.to_string()).raw("</text>");
    }
    page.raw("</svg></a>");
}

/// The beginning of a log line.
fn beginning(text: &str) -> &str {
    text.get(..text.floor_char_boundary(TOLD)).unwrap_or_default().trim_end()
}

fn percent(value: f64) -> String {
    format!("{value:.3}%")
}

fn legend(page: &mut Page, marks: &[Mark<'_>]) {
    page.raw("<ul class=\"legend\">");
    let mut seen = BTreeMap::new();
    for mark in marks.iter().filter(|m| m.kind == Kind::Supports) {
        seen.entry(mark.rank).or_insert(mark.cause);
    }
    for (rank, cause) in seen {
        page.raw("<li><svg class=\"mark k").text(&rank.min(7).to_string()).raw("\" width=\"20\" height=\"20\" ");
        page.raw("viewBox=\"-10 -10 20 20\" aria-hidden=\"true\"><circle r=\"9\"/><text y=\"4\">")
            .text(&rank.to_string());
        page.raw("</text></svg> ").text(cause).raw("</li>");
    }
    if marks.iter().any(|m| m.kind == Kind::Contradicts) {
        page.raw(
            "<li><svg class=\"mark k0\" width=\"20\" height=\"20\" viewBox=\"-10 -10 20 20\" aria-hidden=\"true\">",
        );
        page.raw("<path d=\"M0-9L9 0L0 9L-9 0Z\"/></svg> speaks against it</li>");
    }
    if marks.iter().any(|m| m.kind == Kind::Unexplained) {
        page.raw(
            "<li><svg class=\"mark k0\" width=\"20\" height=\"20\" viewBox=\"-10 -10 20 20\" aria-hidden=\"true\">",
        );
        page.raw("<rect x=\"-6\" y=\"-6\" width=\"12\" height=\"12\"/></svg> explained by nothing</li>");
    }
    page.raw("<li><svg width=\"20\" height=\"20\" viewBox=\"0 0 20 20\" aria-hidden=\"true\">");
    page.raw("<rect class=\"cover\" y=\"9\" width=\"20\" height=\"3\"/></svg> the source covers this time</li></ul>");
}

/// The same as a table, for readers, printers and those without a script.
fn list(page: &mut Page, view: &View<'_>, marks: &[Mark<'_>]) {
    let Some(onset) = marks.iter().find(|m| m.kind != Kind::Unexplained).or(marks.first()).map(|m| m.time) else {
        return;
    };
    page.raw("<details class=\"small\" id=\"moments\"><summary>As a list</summary>");
    page.raw(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Timeline as a list\"><table><thead><tr>",
    );
    page.raw("<th scope=\"col\">time</th><th scope=\"col\">after the first</th><th scope=\"col\">what</th>");
    page.raw("<th scope=\"col\">cause</th><th scope=\"col\">where</th></tr></thead><tbody>");
    for mark in marks {
        page.raw("<tr><td class=\"time\">").text(&time::moment(mark.stamp)).raw("</td><td class=\"time\">");
        page.text(&time::duration(mark.time - onset)).raw("</td><td><a href=\"#").text(&mark.href).raw("\">");
        page.prose(mark.says).raw("</a></td><td>");
        page.text(if mark.rank == 0 { "" } else { mark.cause }).raw("</td><td class=\"path\">");
        page.text(&format!("{}:{}", view.short(mark.source), mark.line)).raw("</td></tr>");
    }
    page.raw("</tbody></table></div></details>");
}
