//! A root cause: what it is, what proves it and speaks against it, what it brought about, what to do.

use std::collections::BTreeSet;

use crate::report::model::{EvidenceLine, NearbyLine, RemediationStep, RootCause};
use crate::report::words::{counted, of_things, some};

use super::page::Page;
use super::time;
use super::view::{View, anchor, line_anchor};

/// Names shown of one kind of thing.
const NAMES: usize = 4;
/// Lines shown around a line of evidence.
const ROWS: usize = 200;
/// Effects of effects are followed so deep.
const DEPTH: usize = 4;

/// Verdict and probability.
pub fn verdict(page: &mut Page, cause: &RootCause) {
    match cause.verdict.as_str() {
        "confirmed" | "likely" => page.raw("<span class=\"chip sure\">"),
        "possible" => page.raw("<span class=\"chip possible\">"),
        _ => page.raw("<span class=\"chip weak\">"),
    };
    let (word, number) = cause.standing();
    page.text(&format!("{word} {number:.2}")).raw("</span> ");
}

/// Since when, how often, on what.
pub fn facts(page: &mut Page, cause: &RootCause) {
    page.raw("<dl class=\"facts\">");
    match (&cause.first_seen, &cause.last_seen) {
        (Some(first), Some(last)) if first != last => {
            let lasted = time::millis(first).zip(time::millis(last)).map(|(a, b)| time::duration(b - a));
            let until = format!("{} ({})", time::moment(last), lasted.unwrap_or_default());
            fact(page, "since", &time::moment(first));
            fact(page, "until", &until);
        }
        (Some(first), _) => fact(page, "at", &time::moment(first)),
        _ => fact(page, "time", "none in the evidence"),
    }
    fact(page, "seen in", &counted(cause.count, "event", "events"));
    for (word, values) in of_things(&cause.entities) {
        fact(page, word, &some(values, NAMES));
    }
    page.raw("</dl>");
}

fn fact(page: &mut Page, name: &str, value: &str) {
    page.raw("<div><dt>").text(name).raw("</dt><dd>").text(value).raw("</dd></div>");
}

/// A root cause that unfolds.
pub fn details(page: &mut Page, view: &View<'_>, cause: &RootCause, open: bool) {
    page.raw("<details class=\"cause\" id=\"").text(&anchor(cause)).raw(if open { "\" open>" } else { "\">" });
    page.raw("<summary><span class=\"rank\">").text(&cause.rank.to_string()).raw("</span><span class=\"name\">");
    page.prose(&cause.title).raw("</span>");
    verdict(page, cause);
    page.raw("</summary><div class=\"body\"><p><code class=\"id\">").text(&cause.id);
    page.raw("</code> <span class=\"level\">impact ").text(&cause.level).raw("</span></p>");
    facts(page, cause);
    page.element("<p>", &cause.description, "</p>");
    page.element("<h4>Why it happens</h4><p>", &cause.reason, "</p>");
    page.element("<h4>What it means</h4><p>", &cause.impact, "</p>");
    chain(page, view, cause);
    evidence(page, view, cause, "supports", "<h4>Evidence</h4>");
    let against = if cause.over.is_some() { "<h4>What put it right</h4>" } else { "<h4>What speaks against it</h4>" };
    evidence(page, view, cause, "contradicts", against);
    unknown(page, cause);
    steps(page, cause);
    collect(page, cause);
    references(page, cause);
    page.raw("</div></details>");
}

/// What it brought about.
fn chain(page: &mut Page, view: &View<'_>, cause: &RootCause) {
    if cause.explains.is_empty() {
        return;
    }
    page.raw("<h4>What followed from it</h4><div class=\"chain\"><p class=\"link\">").prose(&cause.title).raw("</p>");
    effects(page, view, cause, cause.first_seen.as_deref(), &mut BTreeSet::from([cause.id.clone()]), DEPTH);
    page.raw("</div>");
}

fn effects(
    page: &mut Page,
    view: &View<'_>,
    cause: &RootCause,
    onset: Option<&str>,
    seen: &mut BTreeSet<String>,
    depth: usize,
) {
    let next: Vec<&String> = cause.explains.iter().filter(|id| seen.insert((*id).clone())).collect();
    if next.is_empty() || depth == 0 {
        return;
    }
    page.raw("<ul>");
    for id in next {
        page.raw("<li><p class=\"link\">");
        match view.find(id) {
            Some(effect) if view.shows(effect) => {
                page.raw("<a href=\"#").text(&anchor(effect)).raw("\">").prose(&effect.title).raw("</a> ");
            }
            Some(effect) => {
                page.prose(&effect.title).raw(" ");
            }
            None => {
                page.raw("<code>").text(id).raw("</code> ");
            }
        }
        let effect = view.find(id);
        let began = effect.and_then(|e| e.first_seen.as_deref()).and_then(time::millis);
        if let (Some(began), Some(onset)) = (began, onset.and_then(time::millis)) {
            page.raw("<span class=\"when\">").text(&lag(began - onset)).raw("</span>");
        }
        page.raw("</p>");
        if let Some(effect) = effect {
            effects(page, view, effect, onset, seen, depth - 1);
        }
        page.raw("</li>");
    }
    page.raw("</ul>");
}

/// By how many milliseconds the first trace of an effect may stand before that of its cause.
const EARLIEST: i64 = -120_000;

fn lag(millis: i64) -> String {
    match millis {
        EARLIEST..=0 => "at about the same time".into(),
        1.. => format!("{} later", time::duration(millis)),
        _ => format!("first seen {} earlier", time::duration(-millis)),
    }
}

/// The lines of one role, those of one item together.
fn evidence(page: &mut Page, view: &View<'_>, cause: &RootCause, role: &str, heading: &'static str) {
    let lines: Vec<(usize, &EvidenceLine)> =
        cause.evidence.iter().enumerate().filter(|(_, e)| e.role == role).collect();
    if lines.is_empty() {
        return;
    }
    page.raw(heading);
    let mut left = lines.len();
    for item in lines.chunk_by(|(_, a), (_, b)| a.id == b.id) {
        let Some((_, first)) = item.first() else { continue };
        page.raw("<div class=\"item\"><p class=\"says\">").prose(if first.says.is_empty() {
            &first.id
        } else {
            &first.says
        });
        page.raw(" <span class=\"weight\">").text(strength(first.ratio));
        if first.count > 1 {
            page.text(&format!(", {} times", first.count));
            if let Some(last) = &first.last {
                page.text(&format!(" until {}", time::moment(last)));
            }
        }
        page.raw("</span></p>");
        for (index, line) in item {
            if page.crowded() {
                break;
            }
            page.raw("<div class=\"proof\" id=\"").text(&line_anchor(cause, *index)).raw("\" tabindex=\"-1\">");
            quote_among(page, view, line);
            page.raw("</div>");
            left -= 1;
        }
        page.raw("</div>");
        if page.crowded() {
            break;
        }
    }
    left_out(page, cause, lines.get(lines.len() - left..).unwrap_or_default());
}

/// Lines that found no room: a note, to which the links to them lead.
fn left_out(page: &mut Page, cause: &RootCause, lines: &[(usize, &EvidenceLine)]) {
    page.more(lines.len(), "lines of evidence: the page is full");
    for (index, _) in lines {
        page.raw("<span id=\"").text(&line_anchor(cause, *index)).raw("\"></span>");
    }
}

/// How much an item weighs, in the words of the catalogue.
fn strength(ratio: f64) -> &'static str {
    let weight = if ratio < 1.0 && ratio > 0.0 { 1.0 / ratio } else { ratio };
    match weight {
        900.0.. => "conclusive",
        90.0.. => "decisive",
        15.0.. => "strong",
        4.0.. => "moderate",
        _ => "weak",
    }
}

/// A line of the log: where, when, and its text with the decisive piece marked.
pub fn quote(page: &mut Page, view: &View<'_>, line: &EvidenceLine) {
    place(page, view, line);
    page.raw("<pre class=\"log\">");
    hit(page, line, &line.excerpt);
    page.raw("</pre>");
}

/// A line of the log among its neighbours.
fn quote_among(page: &mut Page, view: &View<'_>, line: &EvidenceLine) {
    place(page, view, line);
    page.raw("<pre class=\"log\">");
    let (before, rest) = line.nearby.split_at(line.nearby.partition_point(|n| n.line < line.line));
    rows(page, before.get(before.len().saturating_sub(ROWS)..).unwrap_or_default());
    let raw = rest.first().filter(|n| line.decisive.as_deref().is_some_and(|d| n.text.contains(d)));
    hit(page, line, raw.map_or(line.excerpt.as_str(), |n| n.text.as_str()));
    // The excerpt of a record holds all its lines.
    let quoted = if raw.is_some() { 1 } else { line.excerpt.lines().count().max(1) };
    let after = rest.get(quoted..).unwrap_or_default();
    rows(page, after.get(..ROWS).unwrap_or(after));
    page.raw("</pre>");
}

/// Where, when, about what.
fn place(page: &mut Page, view: &View<'_>, line: &EvidenceLine) {
    page.raw("<p class=\"at\"><span title=\"").text(&line.source).raw("\">");
    page.text(&format!("{}:{}", view.short(&line.source), line.line)).raw("</span>");
    if let Some(stamp) = &line.timestamp {
        page.raw(" <time datetime=\"").text(stamp).raw("\">").text(&time::moment(stamp)).raw("</time>");
    }
    if let Some(moment) = line.moment.as_ref().filter(|_| line.moment != line.timestamp) {
        page.raw(" <span>(").text(&time::moment(moment)).raw(" by the clock of the others)</span>");
    }
    if !line.thing.is_empty() {
        page.raw(" <span>").text(&line.thing).raw("</span>");
    }
    page.raw("</p>");
}

fn rows(page: &mut Page, lines: &[NearbyLine]) {
    for near in lines {
        if page.crowded() {
            return;
        }
        page.raw("<span class=\"row\" data-n=\"")
            .text(&near.line.to_string())
            .raw("\">")
            .text(&near.text)
            .raw("\n</span>");
    }
}

fn hit(page: &mut Page, line: &EvidenceLine, text: &str) {
    page.raw("<b class=\"row hit\" data-n=\"").text(&line.line.to_string()).raw("\">");
    marked(page, text.trim_end(), line.decisive.as_deref().map(str::trim).filter(|d| !d.is_empty()));
    page.raw("\n</b>");
}

/// A text with its decisive piece marked.
fn marked(page: &mut Page, text: &str, decisive: Option<&str>) {
    match decisive.and_then(|d| Some((text.split_once(d)?, d))) {
        Some(((before, after), piece)) => {
            page.text(before).raw("<mark>").text(piece).raw("</mark>").text(after);
        }
        None => {
            page.text(text);
        }
    }
}

fn unknown(page: &mut Page, cause: &RootCause) {
    if cause.unknown.is_empty() {
        return;
    }
    page.raw("<h4>What the input cannot tell</h4><ul>");
    for item in &cause.unknown {
        page.element("<li>", &item.why, "</li>");
    }
    page.raw("</ul>");
}

fn steps(page: &mut Page, cause: &RootCause) {
    if cause.remediation.is_empty() {
        return;
    }
    page.raw("<h4 id=\"").text(&anchor(cause)).raw("-steps\" tabindex=\"-1\">What to do</h4><ol class=\"steps\">");
    for one in &cause.remediation {
        page.raw("<li>");
        step(page, one);
        page.raw("</li>");
    }
    page.raw("</ol>");
}

/// A step: what, under which condition, the command, how to see that it worked, how to undo it.
pub fn step(page: &mut Page, step: &RemediationStep) {
    page.raw("<p class=\"step\">").prose(&step.title);
    match step.risk.as_str() {
        "destructive" => page.raw(" <span class=\"risk destructive\">destructive</span>"),
        "disruptive" => page.raw(" <span class=\"risk\">disruptive</span>"),
        _ => page,
    };
    page.raw("</p>");
    page.element("<p>", &step.text, "</p>");
    page.element("<p class=\"only\"><strong>Only if:</strong> ", &step.precondition, "</p>");
    command(page, &step.run);
    page.element("<p class=\"note\"><strong>It worked when:</strong> ", &step.verify, "</p>");
    page.element("<p class=\"note\"><strong>To undo:</strong> ", &step.rollback, "</p>");
    page.element("<p class=\"note\"><strong>Other than the guide:</strong> ", &step.guide, "</p>");
}

/// A command that can be copied.
pub fn command(page: &mut Page, run: &str) {
    if run.trim().is_empty() {
        return;
    }
    page.raw("<div class=\"command\"><pre><code>").text(run.trim_end()).raw("</code></pre>");
    page.raw("<button type=\"button\" class=\"copy\" hidden>Copy</button></div>");
}

fn collect(page: &mut Page, cause: &RootCause) {
    if cause.collect.is_empty() {
        return;
    }
    page.raw("<h4>What would tell more</h4><ul class=\"steps\">");
    for one in &cause.collect {
        page.raw("<li><p>").prose(&one.why).raw("</p>");
        command(page, &one.run);
        page.raw("</li>");
    }
    page.raw("</ul>");
}

fn references(page: &mut Page, cause: &RootCause) {
    if cause.references.is_empty() {
        return;
    }
    page.raw("<details class=\"small\"><summary>Where these facts come from</summary><ul>");
    for one in &cause.references {
        page.raw("<li>");
        // Nothing but a web address becomes a link.
        if one.url.starts_with("https://") {
            page.raw("<a rel=\"noreferrer\" href=\"").text(&one.url).raw("\">").text(&one.url).raw("</a>");
        } else {
            page.raw("<code>").text(&one.url).raw("</code>");
        }
        page.element(": ", &one.shows, "").raw("</li>");
    }
    page.raw("</ul></details>");
}
