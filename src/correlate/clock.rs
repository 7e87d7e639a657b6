//! How far the clocks of sources are apart, from pairs of lines that different clocks stamped at about the same time.
//!
//! Three kinds of pairs: a line that names a task, and the start of the task in its UPID; the same line in two sources;
//! and what the catalogue says follows at once (`clock_pair`). Clocks that pairs connect are brought to one time; what
//! pairs leave open is a tolerance. Without pairs nothing is known and nothing is changed.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalogue, Correlation, CorrelationKind};
use crate::event::entities::upid_start;
use crate::event::time::SECOND;
use crate::event::{RawTime, Service};
use crate::scan::Hit;

use super::{HitRef, World, window};

/// Differences below this are delay, not skew.
const DELAY: i64 = 5 * SECOND;
/// Clocks that are further apart are not compared: the lines are no pairs.
const APART: i64 = 2 * 3600 * SECOND;
/// Hits of one signature and source that are compared.
const COMPARED: usize = 200;
/// Stamps are cut to seconds here and rounded there.
const ROUNDING: i64 = 2 * SECOND;
/// What an event speaks of when it is one of its kind: copies of a line are told by these.
const TELLING: &[&str] = &["pve.upid", "omni.machine_request", "omni.machine", "pve.vmid"];

/// How far the clock of a source is off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skew {
    /// Microseconds ahead of the others; negative when it is behind.
    pub ahead: i64,
    /// How much of that is uncertain, microseconds.
    pub spread: i64,
    /// Pairs of lines behind it.
    pub pairs: usize,
    /// The source whose clock it was compared with; `None` for the start times in UPIDs.
    pub against: Option<usize>,
}

/// The clocks of all sources.
#[derive(Debug, Default)]
pub struct Clocks {
    /// By source: `None` where nothing was compared.
    pub skews: Vec<Option<Skew>>,
}

impl Clocks {
    /// How far a source's clock is ahead, as far as it is known and matters.
    pub fn ahead(&self, source: usize) -> i64 {
        self.skews.get(source).and_then(Option::as_ref).filter(|s| s.ahead.abs() >= DELAY).map_or(0, |s| s.ahead)
    }

    /// How far apart stamps of one moment may be in any two sources.
    pub fn widest(&self) -> i64 {
        self.skews.iter().flatten().map(|skew| skew.spread).fold(ROUNDING, i64::max)
    }

    /// How far apart stamps of one moment may be in two sources.
    pub fn tolerance(&self, a: usize, b: usize) -> i64 {
        let spread = |s: usize| self.skews.get(s).and_then(Option::as_ref).map_or(0, |s| s.spread);
        if a == b { 0 } else { ROUNDING.max(spread(a)).max(spread(b)) }
    }
}

/// A measured difference: the clock of `b` is ahead of that of `a`.
#[derive(Debug, Clone, Copy)]
struct Edge {
    a: usize,
    b: usize,
    fit: Fit,
}

/// The difference that most pairs agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fit {
    ahead: i64,
    spread: i64,
    pairs: usize,
}

/// Whether a signature of the scenario on clocks only serves to compare them.
pub fn tells_time(catalogue: &Catalogue, signature: usize) -> bool {
    let scenario = |name: &str| name.split('#').next().map(str::to_owned);
    let Some(own) = catalogue.signatures.get(signature) else { return false };
    own.name == crate::catalog::TASK_STARTS
        || catalogue.correlations.iter().any(|c| {
            c.kind == CorrelationKind::ClockPair
                && c.rules.contains(&signature)
                && scenario(&c.name) == scenario(&own.name)
        })
}

/// Compares the clocks of all sources.
pub(super) fn compare(world: &World<'_>) -> Clocks {
    // The start times in UPIDs are a clock of their own, after all sources.
    let tasks = world.sources.len();
    let mut edges = by_tasks(world, tasks);
    edges.extend(by_copies(world));
    for correlation in &world.catalogue.correlations {
        if correlation.kind == CorrelationKind::ClockPair {
            edges.extend(by_rule(world, correlation));
        }
    }
    edges.sort_by_key(|e| (std::cmp::Reverse(e.fit.pairs), e.a, e.b));
    let mut skews = spread_from(tasks, tasks + 1, &edges);
    skews.truncate(tasks);
    for skew in skews.iter_mut().flatten() {
        skew.against = skew.against.filter(|s| *s < tasks);
    }
    Clocks { skews }
}

/// Sets all clocks that edges connect, beginning with the best known one.
fn spread_from(first: usize, count: usize, edges: &[Edge]) -> Vec<Option<Skew>> {
    let mut skews: Vec<Option<Skew>> = vec![None; count];
    let busiest = edges.iter().flat_map(|e| [e.a, e.b]);
    for start in std::iter::once(first).chain(busiest) {
        if skews.get(start).is_none_or(Option::is_some) || !edges.iter().any(|e| e.a == start || e.b == start) {
            continue;
        }
        set(&mut skews, start, Skew { ahead: 0, spread: 0, pairs: 0, against: None });
        while let Some((at, skew)) = edges.iter().find_map(|e| next(&skews, e)) {
            set(&mut skews, at, skew);
        }
    }
    skews
}

fn set(skews: &mut [Option<Skew>], at: usize, skew: Skew) {
    if let Some(slot) = skews.get_mut(at) {
        *slot = Some(skew);
    }
}

/// The clock at the other end of an edge of which one end is known.
fn next(skews: &[Option<Skew>], edge: &Edge) -> Option<(usize, Skew)> {
    let known = |at: usize| skews.get(at).and_then(Option::as_ref);
    let (from, to, sign) = match (known(edge.a), known(edge.b)) {
        (Some(_), None) => (edge.a, edge.b, 1),
        (None, Some(_)) => (edge.b, edge.a, -1),
        _ => return None,
    };
    let base = known(from)?;
    Some((
        to,
        Skew {
            ahead: base.ahead + sign * edge.fit.ahead,
            spread: base.spread + edge.fit.spread,
            pairs: edge.fit.pairs,
            against: Some(from),
        },
    ))
}

/// Sources that say when a task starts, against the start in its UPID; others only when they speak of it too early.
fn by_tasks(world: &World<'_>, tasks: usize) -> Vec<Edge> {
    let mut edges = Vec::new();
    let starts = world.catalogue.signatures.iter().position(|s| s.name == crate::catalog::TASK_STARTS);
    for (index, source) in world.sources.iter().enumerate() {
        let at_start = starts.and_then(|s| source.found.tallies.get(&s)).into_iter().flat_map(|t| &t.hits);
        let deltas: Vec<i64> = at_start.filter_map(since_start).collect();
        if let Some(fit) = middle(deltas) {
            edges.push(Edge { a: tasks, b: index, fit });
            continue;
        }
        // Lists of tasks have no clock but the UPIDs.
        let list = |s: &Service| matches!(s, Service::PveTask | Service::PveTaskIndex);
        if !source.services.is_empty() && source.services.iter().all(list) {
            edges.push(Edge { a: tasks, b: index, fit: Fit { ahead: 0, spread: 0, pairs: 0 } });
            continue;
        }
        let all = source.found.tallies.values().flat_map(|t| &t.hits).filter_map(since_start);
        if let Some(earliest) = all.min().filter(|d| *d < -DELAY && *d > -APART) {
            edges.push(Edge { a: tasks, b: index, fit: Fit { ahead: earliest, spread: 0, pairs: 1 } });
        }
    }
    edges
}

/// How long after the start of its task a line was written, by its own stamp.
fn since_start(hit: &Hit) -> Option<i64> {
    if hit.inherited || matches!(hit.raw, RawTime::Uptime(_) | RawTime::None) {
        return None;
    }
    Some(hit.time?.micros - upid_start(hit.entity("pve.upid")?)? * SECOND)
}

/// The middle of differences, and how far most of them lie from it.
fn middle(mut deltas: Vec<i64>) -> Option<Fit> {
    deltas.sort_unstable();
    let ahead = *deltas.get(deltas.len() / 2)?;
    let (low, high) = (deltas.get(deltas.len() / 4)?, deltas.get(deltas.len() * 3 / 4)?);
    (ahead.abs() <= APART).then_some(Fit { ahead, spread: high - low, pairs: deltas.len() })
}

/// Sources that hold the same lines.
fn by_copies(world: &World<'_>) -> Vec<Edge> {
    let mut places: BTreeMap<(usize, u64), Vec<(usize, i64)>> = BTreeMap::new();
    for (index, source) in world.sources.iter().enumerate() {
        for (signature, tally) in &source.found.tallies {
            for hit in tally.hits.iter().take(COMPARED).filter(|h| !h.inherited && tells(h)) {
                if let Some(time) = absolute(hit) {
                    places.entry((*signature, hit.text)).or_default().push((index, time));
                }
            }
        }
    }
    let mut pairs: BTreeMap<(usize, usize), Vec<i64>> = BTreeMap::new();
    for place in places.values() {
        if let [(a, first), (b, second)] = place.as_slice()
            && a != b
        {
            pairs.entry((*a, *b)).or_default().push(second - first);
        }
    }
    let fitting = pairs.into_iter().filter_map(|((a, b), deltas)| {
        let fit = middle(deltas).filter(|f| f.pairs >= 3 && f.spread <= ROUNDING)?;
        Some(Edge { a, b, fit })
    });
    fitting.collect()
}

fn tells(hit: &Hit) -> bool {
    TELLING.iter().any(|key| hit.entity(key).is_some())
}

fn absolute(hit: &Hit) -> Option<i64> {
    hit.time.filter(|t| t.kind != crate::scan::TimeKind::SinceBoot).map(|t| t.micros)
}

/// What a rule of the catalogue says follows at once.
fn by_rule(world: &World<'_>, correlation: &Correlation) -> Vec<Edge> {
    let [first, second] = correlation.rules.as_slice() else { return Vec::new() };
    let lag = correlation.timespan.unwrap_or(ROUNDING);
    let mut edges = Vec::new();
    let by_source = |signature: usize| {
        let mut hits: BTreeMap<usize, Vec<HitRef>> = BTreeMap::new();
        world.hits(signature).iter().for_each(|at| hits.entry(at.source).or_default().push(*at));
        hits
    };
    let seconds = by_source(*second);
    for (a, firsts) in by_source(*first) {
        for (b, seconds) in seconds.iter().filter(|(b, _)| **b != a) {
            let grouped = !correlation.group_by.is_empty();
            let deltas = deltas(world, &firsts, seconds, &correlation.group_by);
            if let Some(fit) = fit(&deltas, lag, if grouped { 1 } else { 3 }) {
                edges.push(Edge { a, b: *b, fit });
            }
        }
    }
    edges
}

/// For each second line, how long after each first line of its group it was written.
fn deltas(world: &World<'_>, firsts: &[HitRef], seconds: &[HitRef], keys: &[String]) -> Vec<(usize, i64)> {
    let place = |at: &HitRef| {
        let hit = world.hit(*at).filter(|h| !h.inherited || h.raw == RawTime::None)?;
        Some((window::group_key(world, *at, keys)?, absolute(hit)?))
    };
    let firsts: Vec<(Vec<String>, i64)> = firsts.iter().take(COMPARED).filter_map(place).collect();
    let mut found = Vec::new();
    for (number, (group, time)) in seconds.iter().take(COMPARED).filter_map(place).enumerate() {
        let near = firsts.iter().filter(|(g, t)| *g == group && (time - t).abs() <= APART);
        found.extend(near.map(|(_, t)| (number, time - t)));
    }
    found
}

/// The difference by which most second lines follow a first one within `lag`; none unless it explains most of them.
fn fit(deltas: &[(usize, i64)], lag: i64, least: usize) -> Option<Fit> {
    let explained = |shift: i64| {
        let fitting = deltas.iter().filter(|(_, d)| (shift - ROUNDING..=shift + lag).contains(d));
        fitting.map(|(number, _)| *number).collect::<BTreeSet<usize>>().len()
    };
    let all = deltas.iter().map(|(number, _)| *number).collect::<BTreeSet<usize>>().len();
    if all < least {
        return None;
    }
    let now = explained(0);
    if 2 * now >= all {
        return Some(Fit { ahead: 0, spread: lag, pairs: now });
    }
    let mut shifts: Vec<i64> = deltas.iter().map(|(_, d)| *d).collect();
    shifts.sort_unstable_by_key(|d| (d.abs(), *d));
    shifts.dedup();
    shifts.truncate(4 * COMPARED);
    let (best, shift) = shifts.into_iter().map(|s| (explained(s), s)).max_by_key(|(n, s)| (*n, -s.abs()))?;
    let sound = best >= least && 3 * best >= 2 * all && best > 2 * now;
    sound.then_some(Fit { ahead: shift, spread: lag, pairs: best })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(list: &[(usize, i64)]) -> Vec<(usize, i64)> {
        list.iter().map(|(n, d)| (*n, d * SECOND)).collect()
    }

    #[test]
    fn most_pairs_decide_and_an_odd_one_does_not() {
        let found = fit(&seconds(&[(0, 601), (1, 603), (2, 600), (3, 40)]), 10 * SECOND, 3).expect("a fit");
        assert_eq!((found.ahead, found.pairs), (600 * SECOND, 3));
    }

    #[test]
    fn lines_that_follow_at_once_tell_that_clocks_agree() {
        let found = fit(&seconds(&[(0, 1), (1, 3), (1, 600), (2, 2)]), 10 * SECOND, 3).expect("a fit");
        assert_eq!(found.ahead, 0);
    }

    #[test]
    fn without_agreement_nothing_is_known() {
        assert_eq!(fit(&seconds(&[(0, 100), (1, 900), (2, 2000), (3, 5000)]), 10 * SECOND, 3), None);
        assert_eq!(fit(&seconds(&[(0, 600), (1, 600)]), 10 * SECOND, 3), None);
    }

    #[test]
    fn clocks_are_compared_over_a_third_one() {
        let edge = |a, b, ahead| Edge { a, b, fit: Fit { ahead, spread: 1, pairs: 3 } };
        let skews = spread_from(3, 4, &[edge(3, 0, 0), edge(0, 1, 600), edge(2, 1, 100)]);
        let ahead: Vec<i64> = skews.iter().flatten().map(|s| s.ahead).collect();
        assert_eq!(ahead, [0, 600, 500, 0]);
    }
}
