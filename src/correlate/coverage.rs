//! What the sources cover: absence counts only where something would have been seen.
//!
//! A source covers a time when its stamps reach over it, without a pause that its usual pace does not explain, and when
//! it was not filtered to warnings and errors. Parts of a rotated log are one.

use std::collections::BTreeMap;

use crate::catalog::ServiceSet;
use crate::event::Service;
use crate::scan::SourceOutcome;

use super::clock::Clocks;

/// A pause is a gap when the source wrote at least so many lines in such a time elsewhere.
const MISSED_LINES: i128 = 60;
/// zap keeps the first 100 of the same lines in a second, then every hundredth.
const SAMPLED_FROM: u64 = 100;

/// What one log covers, its rotated parts put together.
#[derive(Debug, Clone)]
pub struct Covered {
    services: ServiceSet,
    /// Spans without gaps, in order.
    pub spans: Vec<(i64, i64)>,
    /// Whether lines below warning were filtered out.
    pub filtered: bool,
}

/// What all sources cover.
#[derive(Debug, Default)]
pub struct Coverage {
    logs: Vec<Covered>,
}

impl Coverage {
    /// Looks at all sources.
    pub(super) fn new(sources: &[SourceOutcome], clocks: &Clocks) -> Self {
        let mut families: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, source) in sources.iter().enumerate() {
            families.entry(stem(&source.context.label)).or_default().push(index);
        }
        let parts = |members: Vec<usize>| {
            let mut log = Covered { services: ServiceSet::default(), spans: Vec::new(), filtered: true };
            for (index, source) in members.iter().filter_map(|i| Some((*i, sources.get(*i)?))) {
                source.services.iter().for_each(|s| log.services.insert(*s));
                log.filtered &= filtered(source);
                let ahead = clocks.ahead(index);
                log.spans.extend(spans(source).into_iter().map(|(a, b)| (a - ahead, b - ahead)));
            }
            log.spans = if follows(sources, &members) { joined(log.spans) } else { log.spans };
            log
        };
        Self { logs: families.into_values().map(parts).collect() }
    }

    /// The longest span of a log of one of these services, microseconds.
    pub fn reach(&self, services: ServiceSet) -> i64 {
        let logs = self.logs.iter().filter(|log| !log.filtered && log.services.meets(services));
        logs.flat_map(|log| &log.spans).map(|(first, last)| last - first).max().unwrap_or(0)
    }

    /// Whether some log of one of these services covers a time.
    pub fn covers(&self, services: ServiceSet, (from, to): (i64, i64)) -> bool {
        self.logs.iter().any(|log| {
            !log.filtered
                && log.services.meets(services)
                && log.spans.iter().any(|(first, last)| *first <= from && to <= *last)
        })
    }
}

/// The name of a log without the marks of rotation and compression: `provider.log` for `provider.log.2.gz`.
fn stem(label: &str) -> &str {
    let mut stem = label;
    for ending in [".gz", ".xz", ".zst", ".bz2"] {
        stem = stem.strip_suffix(ending).unwrap_or(stem);
    }
    number(stem).map_or(stem, |(stem, _)| stem)
}

/// A name with the number of a rotated part behind it.
fn number(label: &str) -> Option<(&str, u32)> {
    let (stem, number) = label.rsplit_once('.')?;
    let small = (1..=3).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    Some((stem, number.parse().ok().filter(|_| small)?))
}

/// Numbers of rotated parts that are missing between those that are there.
pub fn missing_parts(sources: &[SourceOutcome]) -> Vec<String> {
    let mut families: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for source in sources {
        families.entry(stem(&source.context.label)).or_default().push(part(&source.context.label));
    }
    let mut missing = Vec::new();
    for (stem, numbers) in families.into_iter().filter(|(_, n)| n.len() > 1) {
        let last = numbers.iter().max().copied().unwrap_or(0);
        missing.extend((0..last).filter(|n| !numbers.contains(n) && *n > 0).map(|n| format!("{stem}.{n}")));
    }
    missing
}

/// The number of a rotated part; 0 for the current one.
fn part(label: &str) -> u32 {
    let mut stem = label;
    for ending in [".gz", ".xz", ".zst", ".bz2"] {
        stem = stem.strip_suffix(ending).unwrap_or(stem);
    }
    number(stem).map_or(0, |(_, n)| n)
}

/// Whether these are all parts of one rotated log, none missing in between.
fn follows(sources: &[SourceOutcome], members: &[usize]) -> bool {
    let mut numbers: Vec<u32> =
        members.iter().filter_map(|i| sources.get(*i)).map(|s| part(&s.context.label)).collect();
    numbers.sort_unstable();
    numbers.len() > 1 && numbers.windows(2).all(|w| matches!(w, [a, b] if *b == a + 1))
}

/// The spans of parts that follow each other as one.
fn joined(mut spans: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    spans.sort_unstable();
    match (spans.first(), spans.iter().map(|(_, last)| *last).max()) {
        (Some((first, _)), Some(last)) => vec![(*first, last)],
        _ => spans,
    }
}

/// True when a log holds warnings and errors only: what is written at info is not in it.
pub fn filtered(source: &SourceOutcome) -> bool {
    source.found.faults > 0 && source.found.ordinary == 0
}

/// True when so much was written in one second that zap's sampler may have dropped repeated lines.
pub fn sampled(source: &SourceOutcome) -> bool {
    let zap = source.services.iter().any(|s| matches!(s, Service::Omni | Service::OmniProvider));
    zap && source.found.cadence.busiest >= SAMPLED_FROM
}

/// Pauses that the pace of the source does not explain.
pub fn gaps(source: &SourceOutcome) -> Vec<(i64, i64)> {
    // Out of order, a step forward is no pause.
    let Some((first, last)) = source.span.filter(|_| source.found.cadence.backward == 0) else { return Vec::new() };
    let lines = i128::from(source.found.cadence.dated);
    let mut pauses = source.pauses.clone();
    pauses.sort_by_key(|(from, to)| (from - to, *from));
    let mut active = last - first;
    // The pace is that outside of gaps: what a sparse log leaves out between two lines is part of its pace.
    let missed = |(from, to): &(i64, i64)| {
        active -= to - from;
        lines > 20 && lines * i128::from(to - from) >= MISSED_LINES * i128::from(active.max(1))
    };
    let mut gaps: Vec<(i64, i64)> = pauses.into_iter().take_while(missed).collect();
    gaps.sort_unstable();
    gaps
}

/// The span of a source, cut at its gaps.
fn spans(source: &SourceOutcome) -> Vec<(i64, i64)> {
    let Some((first, last)) = source.span else { return Vec::new() };
    let mut spans = Vec::new();
    let mut from = first;
    for (gap, next) in gaps(source) {
        spans.push((from, gap));
        from = next;
    }
    spans.push((from, last));
    spans
}
