//! Builds the report model from what a run found.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat};

use crate::catalog::file::CauseFile;
use crate::catalog::{Catalogue, Cause, Evidence, PASSING};
use crate::correlate::{HitRef, World, clock as clocks, coverage as covered};
use crate::event::Severity;
use crate::rank::{Candidate, Item};
use crate::scan::{Hit, SourceOutcome, Time, TimeKind, Zone, ZoneKnown};

use super::coverage::{self, coverage};
use super::fill::fill;
use super::model::{
    CatalogueInfo, ClockEntry, CollectNext, EvidenceLine, Input, ProblemEntry, ReferenceEntry, Report, RootCause,
    SCHEMA_VERSION, Span, Symptom, Tool, UnknownItem,
};
use super::{border, sanitize, steps, timeline, unexplained, words};

/// Root causes in a report.
const CAUSES: usize = 20;
/// Evidence lines of one item.
const LINES_PER_ITEM: usize = 3;
/// Evidence lines of one root cause.
const LINES: usize = 12;
/// Commands that would tell most.
const COLLECT_NEXT: usize = 2;
/// From here on nothing more needs to be fetched.
const CERTAIN: f64 = 0.95;

/// Puts the report together.
pub fn build(world: &World<'_>, candidates: &[Candidate], problems: Vec<ProblemEntry>) -> Report {
    let is_shown = |(rank, c): &(usize, &Candidate)| *rank <= CAUSES || c.over.is_some();
    let root_causes: Vec<RootCause> =
        (1..).zip(candidates).filter(is_shown).map(|(rank, c)| root_cause(world, rank, c)).collect();
    let inputs: Vec<Input> = (0..).zip(world.sources).map(|(index, source)| input(world, index, source)).collect();
    let mut report = Report {
        schema_version: SCHEMA_VERSION,
        tool: tool(world.catalogue),
        collect_next: collect_next(world, candidates),
        symptoms: symptoms(world),
        unexplained: unexplained::collect(world),
        timeline: timeline::build(world, candidates),
        coverage: coverage(world, &inputs, &problems),
        inputs,
        root_causes,
        problems,
        redacted: false,
        names: names(world),
    };
    border::mask(&mut report);
    report
}

/// Names that sources and hits tell, with their kind, sorted: what pseudonyms are given to.
pub fn names(world: &World<'_>) -> Vec<(String, String)> {
    let mut names = BTreeSet::new();
    for source in world.sources {
        names.extend(source.context.node.iter().map(|node| ("node".to_owned(), node.clone())));
        names.extend(source.context.entities.iter().cloned());
        names.extend(source.found.links.iter().flatten().cloned());
        let hits = source.found.tallies.values().flat_map(|t| &t.hits);
        hits.for_each(|hit| names.extend(hit.entities().cloned()));
    }
    names.into_iter().collect()
}

fn tool(catalogue: &Catalogue) -> Tool {
    Tool {
        name: env!("CARGO_PKG_NAME").into(),
        version: env!("CARGO_PKG_VERSION").into(),
        catalogue: CatalogueInfo {
            version: env!("CARGO_PKG_VERSION").into(),
            digest: catalogue.digest.clone(),
            root_causes: catalogue.causes.len(),
        },
    }
}

/// Microseconds since the epoch as RFC 3339, with milliseconds when there are any.
pub fn rfc3339(micros: i64) -> Option<String> {
    let time = DateTime::from_timestamp_micros(micros)?;
    let format = if micros % 1_000_000 == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
    Some(time.to_rfc3339_opts(format, true))
}

/// The time of a hit as it was written: absolute; none since boot.
pub(super) fn stamp(time: Option<Time>) -> Option<String> {
    let time = time?;
    match time.kind {
        TimeKind::SinceBoot => None,
        _ => rfc3339(time.micros),
    }
}

fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { round(part as f64 / whole as f64) }
}

fn input(world: &World<'_>, index: usize, source: &SourceOutcome) -> Input {
    let mut formats: Vec<String> = source.found.formats.names().map(str::to_owned).collect();
    formats.extend(source.found.documents.iter().map(|d| (*d).to_owned()));
    formats.sort();
    formats.dedup();
    if formats.is_empty() && source.found.lines > 0 {
        formats.push(source.context.document.clone().unwrap_or_else(|| coverage::PLAIN.to_owned()));
    }
    let status = match (&source.failure, source.found.truncated) {
        (Some(reason), _) => reason.clone(),
        (None, 0) => "complete".into(),
        (None, lines) => format!("complete, {lines} overlong lines cut"),
    };
    let timezone = source.span.map(|_| zone(source));
    let ahead = world.clocks.ahead(index);
    let Span { first, last } = span(world.span(index));
    Input {
        source: sanitize::line(&source.context.label),
        formats,
        bytes: source.bytes,
        lines: source.found.lines,
        events: source.found.events,
        understood: share(source.found.understood, source.found.lines),
        first,
        last,
        timezone,
        status,
        gaps: covered::gaps(source).into_iter().map(|(from, to)| span(Some((from - ahead, to - ahead)))).collect(),
        notes: notes(source),
        clock: clock(world, index),
    }
}

/// What keeps a source from telling all.
fn notes(source: &SourceOutcome) -> Vec<String> {
    let cadence = &source.found.cadence;
    let undated = source.found.events.saturating_sub(cadence.dated);
    let lines = |number: u64| if number == 1 { "1 line".to_owned() } else { format!("{number} lines") };
    let mut notes = Vec::new();
    if covered::filtered(source) {
        notes.push("only warnings and errors: what is written at info is not in it".to_owned());
    }
    if covered::sampled(source) {
        notes.push(format!("{} in one second: zap may have dropped repeated ones", lines(cadence.busiest)));
    }
    if cadence.backward > 0 {
        notes.push(format!("{} before the line above them in time", lines(cadence.backward)));
    }
    if cadence.dated > 0 && undated * 10 >= source.found.events && undated > 1 {
        notes.push(format!("{} without a time", lines(undated)));
    }
    notes
}

/// How far the clock of a source is off.
fn clock(world: &World<'_>, index: usize) -> Option<ClockEntry> {
    let skew = world.clocks.skews.get(index)?.as_ref().filter(|s| s.pairs > 0)?;
    let seconds = |micros: i64| (micros as f64 / 100_000.0).round() / 10.0;
    let against = skew.against.and_then(|s| world.sources.get(s)).map(|s| sanitize::line(&s.context.label));
    Some(ClockEntry {
        ahead_seconds: seconds(skew.ahead),
        spread_seconds: seconds(skew.spread),
        pairs: skew.pairs,
        against: against.unwrap_or_else(|| "start times of tasks".to_owned()),
    })
}

fn span(span: Option<(i64, i64)>) -> Span {
    Span { first: span.and_then(|(first, _)| rfc3339(first)), last: span.and_then(|(_, last)| rfc3339(last)) }
}

/// How the stamps of a source were read.
fn zone(source: &SourceOutcome) -> String {
    let times = &source.found.times;
    if times.local.or(times.yearless).is_none() {
        return "as written".to_owned();
    }
    let Zone { east, known } = &source.zone;
    let (hours, minutes) = (east.abs() / 3600, east.abs() / 60 % 60);
    let zone = format!("{}{hours:02}:{minutes:02}", if *east < 0 { "-" } else { "+" });
    let known = match known {
        ZoneKnown::Assumed => "zone assumed: UTC".to_owned(),
        ZoneKnown::Given => format!("{zone} as given"),
        ZoneKnown::Measured => format!("{zone} by the start times of tasks"),
        ZoneKnown::Like(label) => format!("{zone} as in {}", sanitize::line(label)),
    };
    if source.year_inferred { format!("{known}, year inferred") } else { known }
}

fn root_cause(world: &World<'_>, rank: usize, candidate: &Candidate) -> RootCause {
    let cause = world.catalogue.causes.get(candidate.cause);
    let (id, title, level) = cause.map_or(("", "", ""), |c| (c.id.as_str(), c.title.as_str(), c.level.name()));
    let page = world.catalogue.page(id).unwrap_or_default();
    let name = |index: &usize| world.catalogue.causes.get(*index).map(|c| c.id.clone());
    RootCause {
        rank,
        id: id.to_owned(),
        scenario: cause.map_or("", Cause::scenario).to_owned(),
        cause: cause.map_or("", Cause::slug).to_owned(),
        title: title.to_owned(),
        level: level.to_owned(),
        confidence: candidate.confidence,
        verdict: candidate.verdict.word().to_owned(),
        over: candidate.over,
        margin: candidate.margin,
        first_seen: candidate.span.and_then(|(first, _)| rfc3339(first)),
        last_seen: candidate.span.and_then(|(_, last)| rfc3339(last)),
        count: candidate.count,
        entities: sanitized(&candidate.entities),
        evidence: cause.map(|c| evidence(world, c, candidate)).unwrap_or_default(),
        unknown: cause.map(|c| unknown(c, candidate, &page)).unwrap_or_default(),
        explains: candidate.explains.iter().filter_map(name).collect(),
        description: page.description.trim().to_owned(),
        reason: page.cause.trim().to_owned(),
        impact: page.impact.trim().to_owned(),
        remediation: steps::remediation(world, cause, candidate, &page),
        collect: steps::collect(cause, candidate, &page),
        references: page
            .references
            .iter()
            .map(|r| ReferenceEntry { url: r.url.clone(), shows: r.shows.clone() })
            .collect(),
    }
}

fn sanitized(entities: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, Vec<String>> {
    entities.iter().map(|(k, v)| (k.clone(), v.iter().map(|v| sanitize::line(v)).collect())).collect()
}

/// The commands that would tell most between the first root causes.
fn collect_next(world: &World<'_>, candidates: &[Candidate]) -> Vec<CollectNext> {
    let mut found: Vec<CollectNext> = Vec::new();
    for candidate in candidates.iter().filter(|c| c.confidence < CERTAIN).take(2) {
        let Some(cause) = world.catalogue.causes.get(candidate.cause) else { continue };
        let page = world.catalogue.page(&cause.id).unwrap_or_default();
        let values = steps::told(candidate);
        for (item, bits) in &candidate.wanted {
            let Some(evidence) = cause.evidence.get(*item) else { continue };
            let Some(step) = page.collect.iter().find(|c| c.evidence == evidence.id) else { continue };
            found.push(CollectNext {
                root_cause: cause.id.clone(),
                evidence: evidence.id.clone(),
                run: fill(step.run.trim(), &values),
                why: step.why.clone(),
                bits: round(*bits),
            });
        }
    }
    found.sort_by(|a, b| b.bits.total_cmp(&a.bits).then_with(|| a.run.cmp(&b.run)));
    let mut seen = BTreeSet::new();
    found.retain(|step| step.bits > 0.0 && seen.insert(step.run.clone()));
    found.truncate(COLLECT_NEXT);
    found
}

/// Why items are unknown: what would show them.
fn unknown(cause: &Cause, candidate: &Candidate, page: &CauseFile) -> Vec<UnknownItem> {
    let items = candidate.unknown.iter().filter_map(|index| cause.evidence.get(*index));
    items
        .map(|item| {
            let collect = page.collect.iter().find(|c| c.evidence == item.id);
            UnknownItem { id: item.id.clone(), why: why_unknown(item, collect.map(|c| c.why.as_str())) }
        })
        .collect()
}

fn why_unknown(item: &Evidence, collect: Option<&str>) -> String {
    let needs: Vec<&str> = item.needs.names().collect();
    let what = if item.says.is_empty() { item.id.as_str() } else { item.says.as_str() };
    match (needs.is_empty(), collect) {
        (false, _) => format!("not in the input: {} ({what})", needs.join(" or ")),
        (true, Some(why)) => format!("{what}? {why}"),
        (true, None) if item.id == PASSING => {
            "whether it is over: the log does not go on for long enough behind the last trace".to_owned()
        }
        (true, None) => format!("{what}? The input lacks times or names to tell"),
    }
}

fn evidence(world: &World<'_>, cause: &Cause, candidate: &Candidate) -> Vec<EvidenceLine> {
    let judged = candidate.items.iter().filter_map(|item| Some((cause.evidence.get(item.evidence)?, item)));
    let mut items: Vec<_> = judged.map(|(evidence, item)| item_lines(world, evidence, item).into_iter()).collect();
    // The first line of each item before the second of any: a reader who stops early has seen every kind of proof.
    let rounds = (0..LINES_PER_ITEM).flat_map(|_| items.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>());
    rounds.take(LINES).collect()
}

/// A few lines of an item, those with text: of each signature the first, so that every link of a chain is seen, then more.
fn item_lines(world: &World<'_>, evidence: &Evidence, item: &Item) -> Vec<EvidenceLine> {
    let mut seen = BTreeSet::new();
    let mut chosen: Vec<(HitRef, &Hit)> = Vec::new();
    let mut signatures = BTreeSet::new();
    let (firsts, more): (Vec<&HitRef>, Vec<&HitRef>) = item.hits.iter().partition(|at| signatures.insert(at.signature));
    for at in firsts.into_iter().chain(more) {
        let Some(hit) = world.hit(*at).filter(|h| !h.excerpt.is_empty()) else { continue };
        if chosen.len() < LINES_PER_ITEM && seen.insert((at.source, hit.line)) {
            chosen.push((*at, hit));
        }
    }
    let times = item.hits.iter().filter_map(|at| world.time(*at));
    let last = times.max().and_then(rfc3339).filter(|_| item.count > 1);
    let line = |(at, hit)| EvidenceLine { last: last.clone(), ..line(world, evidence, item, at, hit) };
    chosen.into_iter().map(line).collect()
}

fn line(world: &World<'_>, evidence: &Evidence, item: &Item, at: HitRef, hit: &Hit) -> EvidenceLine {
    let source = world.sources.get(at.source).map_or("", |s| s.context.label.as_str());
    let signature = world.catalogue.signatures.get(at.signature).map_or("", |s| s.name.as_str());
    EvidenceLine {
        id: evidence.id.clone(),
        role: if evidence.supports() { "supports" } else { "contradicts" }.into(),
        says: world.catalogue.says(evidence, at.signature).into_owned(),
        signature: signature.to_owned(),
        source: sanitize::line(source),
        line: hit.line,
        timestamp: stamp(hit.time),
        moment: world.time(at).and_then(rfc3339),
        excerpt: sanitize::text(&hit.excerpt).into_owned(),
        decisive: hit.decisive.as_deref().map(|d| sanitize::text(d).into_owned()),
        count: item.count,
        last: None,
        ratio: round(evidence.ratio()),
        thing: sanitize::line(&words::thing(|key| hit.entity(key))),
        nearby: Vec::new(),
    }
}

/// Signatures of scenarios that hit.
fn symptoms(world: &World<'_>) -> Vec<Symptom> {
    let mut list = Vec::new();
    for (index, signature) in world.catalogue.signatures.iter().enumerate() {
        let Some((scenario, _)) = signature.name.split_once('#').filter(|(s, _)| !s.contains('/')) else { continue };
        if clocks::tells_time(world.catalogue, index) {
            continue;
        }
        let hits = || world.hits(index).iter().filter_map(|at| Some((*at, world.hit(*at)?)));
        let fault = |hit: &Hit| hit.severity >= Severity::WARN;
        let Some((at, hit)) = hits().find(|(_, hit)| fault(hit)).or_else(|| hits().next()) else { continue };
        let source = world.sources.get(at.source).map_or("", |s| s.context.label.as_str());
        list.push(Symptom {
            id: signature.name.clone(),
            scenario: scenario.to_owned(),
            title: world.catalogue.scenario_title(scenario).to_owned(),
            count: world.count(index),
            source: sanitize::line(source),
            line: hit.line,
            excerpt: sanitize::text(&hit.excerpt).into_owned(),
            fault: fault(hit),
            decisive: hit.decisive.clone(),
        });
    }
    list
}
