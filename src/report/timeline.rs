//! What happened when: the onset of everything that the root causes shown rest on, merged over all sources on one clock.

use std::collections::{BTreeMap, BTreeSet};

use crate::correlate::{HitRef, World};
use crate::rank::{Candidate, POSSIBLE};
use crate::scan::Hit;

use super::build::{rfc3339, stamp};
use super::model::{Report, TimelineEntry};
use super::sanitize;

/// Entries of the timeline.
const ENTRIES: usize = 40;
/// Sources in which the same thing is told.
const SOURCES: usize = 3;
/// The likelihood ratio from which evidence of an effect is part of the story.
const TELLS: f64 = 5.0;

/// The onset of each kind of evidence in each source, earliest first, of the root causes that are likely and their
/// effects; of what was put right when none is, or else of the nearest guess.
pub(super) fn build(world: &World<'_>, candidates: &[Candidate]) -> Vec<TimelineEntry> {
    let likely: Vec<&Candidate> = candidates.iter().take_while(|c| c.confidence >= POSSIBLE).collect();
    let over: Vec<&Candidate> = candidates.iter().take_while(|c| c.over.is_some()).collect();
    let causes = match (likely.is_empty(), over.is_empty()) {
        (false, _) => likely,
        (true, false) => over,
        (true, true) => candidates.iter().take(1).collect(),
    };
    let is_effect = |c: &&Candidate| causes.iter().any(|cause| cause.explains.contains(&c.cause));
    let effects = candidates.iter().filter(|c| c.confidence < POSSIBLE).filter(is_effect);
    let mut found: Vec<(i64, TimelineEntry)> = causes.iter().flat_map(|c| onsets(world, c, 1.0)).collect();
    found.extend(effects.flat_map(|c| onsets(world, c, TELLS)));
    // A line that several root causes rest on belongs to the most likely of them.
    let mut seen = BTreeSet::new();
    found.retain(|(_, entry)| seen.insert((entry.source.clone(), entry.line)));
    found.sort_by(|a, b| (a.0, &a.1.source, a.1.line).cmp(&(b.0, &b.1.source, b.1.line)));
    found.into_iter().map(|(_, entry)| entry).take(ENTRIES).collect()
}

/// Where and when each kind of evidence of a root cause began; `least` is the likelihood ratio that it must have.
fn onsets(world: &World<'_>, candidate: &Candidate, least: f64) -> Vec<(i64, TimelineEntry)> {
    let Some(cause) = world.catalogue.causes.get(candidate.cause) else { return Vec::new() };
    let mut found = Vec::new();
    for item in &candidate.items {
        let Some(evidence) = cause.evidence.get(item.evidence).filter(|e| e.supports() && e.ratio() >= least) else {
            continue;
        };
        let mut kinds: BTreeMap<usize, BTreeMap<usize, Vec<(i64, HitRef)>>> = BTreeMap::new();
        for at in &item.hits {
            let time = world.time(*at).filter(|time| belongs(world, candidate, (*at, *time)));
            if let Some(time) = time {
                kinds.entry(at.signature).or_default().entry(at.source).or_default().push((time, *at));
            }
        }
        for sources in kinds.into_values() {
            let mut firsts: Vec<_> = sources.into_values().filter_map(|hits| onset(world, &hits)).collect();
            firsts.sort_by_key(|(time, at, ..)| (*time, *at));
            for (time, at, hit, last) in firsts.into_iter().take(SOURCES) {
                found.push((time, entry(world, (time, at, hit, last), &cause.id, &evidence.says)));
            }
        }
    }
    found
}

/// Whether a moment is part of the story: not what was made or changed before it began.
fn belongs(world: &World<'_>, candidate: &Candidate, (at, time): (HitRef, i64)) -> bool {
    let background = world.catalogue.signatures.get(at.signature).is_some_and(|s| s.background);
    let before = candidate.span.is_some_and(|(first, _)| time < first);
    !(before && (background || world.is_state(at.signature)))
}

/// The earliest hit with text, and when the last one was.
fn onset<'w>(world: &'w World<'_>, hits: &[(i64, HitRef)]) -> Option<(i64, HitRef, &'w Hit, i64)> {
    let told = hits.iter().filter_map(|(time, at)| Some((*time, *at, world.hit(*at)?)));
    let (time, at, hit) = told.filter(|(.., hit)| !hit.excerpt.is_empty()).min_by_key(|(time, at, _)| (*time, *at))?;
    Some((time, at, hit, hits.iter().map(|(time, _)| *time).max().unwrap_or(time)))
}

fn entry(
    world: &World<'_>,
    (time, at, hit, last): (i64, HitRef, &Hit, i64),
    root_cause: &str,
    says: &str,
) -> TimelineEntry {
    let source = world.sources.get(at.source);
    let count = source.and_then(|s| s.found.tallies.get(&at.signature)).map_or(1, |tally| tally.count);
    TimelineEntry {
        timestamp: rfc3339(time).unwrap_or_default(),
        written: stamp(hit.time).filter(|_| world.clocks.ahead(at.source) != 0),
        source: sanitize::line(source.map_or("", |s| s.context.label.as_str())),
        line: hit.line,
        root_cause: root_cause.to_owned(),
        says: says.to_owned(),
        excerpt: sanitize::text(&hit.excerpt).into_owned(),
        count,
        last: rfc3339(last).filter(|_| last > time),
    }
}

/// Entries worth showing to people: none when there is no order to tell of.
pub(super) fn telling(report: &Report) -> &[TimelineEntry] {
    let moments: BTreeSet<&str> = report.timeline.iter().map(|e| e.timestamp.as_str()).collect();
    let sources: BTreeSet<&str> = report.timeline.iter().map(|e| e.source.as_str()).collect();
    if moments.len() >= 3 || (moments.len() == 2 && sources.len() > 1) { &report.timeline } else { &[] }
}

/// The day of a stamp, and the time on it to the second.
pub(super) fn day_and_time(stamp: &str) -> (&str, &str) {
    let (day, time) = stamp.split_once('T').unwrap_or(("", stamp));
    (day, time.get(..8).unwrap_or(time))
}

/// The folder that all sources of a report share, with its `/`; empty when there is none.
pub(super) fn shared_folder(report: &Report) -> &str {
    let mut sources = report.inputs.iter().map(|i| i.source.as_str());
    let (Some(first), true) = (sources.next(), report.inputs.len() > 1) else { return "" };
    let mut shared = first;
    for source in sources {
        let same = shared.char_indices().zip(source.chars()).find(|((_, a), b)| a != b);
        let end = same.map_or(shared.len().min(source.len()), |((at, _), _)| at);
        shared = shared.get(..end).unwrap_or_default();
    }
    shared.rfind('/').and_then(|at| shared.get(..=at)).unwrap_or_default()
}
