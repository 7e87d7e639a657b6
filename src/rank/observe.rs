//! What is seen of each root cause: evidence items judged, and items that hold on the same lines put together.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Cause, Expr, Term, Truth};
use crate::correlate::World;

use super::{Item, holds};

/// A root cause with its judged evidence.
#[derive(Debug, Clone)]
pub struct Judged {
    /// Index into the catalogue.
    pub cause: usize,
    /// Items that hold, one per group.
    pub items: Vec<Item>,
    /// Items that the input cannot tell.
    pub unknown: Vec<usize>,
    /// Items that only services that are not in the input could have shown.
    pub missing: Vec<usize>,
    /// First and last time of what supports it, microseconds on one clock.
    pub span: Option<(i64, i64)>,
}

/// First and last time of the supporting items, on one clock, as early and as late as they may have been.
fn span(world: &World<'_>, cause: &Cause, items: &[Item]) -> Option<(i64, i64)> {
    let supporting = items.iter().filter(|i| cause.evidence.get(i.evidence).is_some_and(|e| e.supports()));
    let times = supporting.flat_map(|i| &i.hits).filter_map(|at| {
        let (time, doubt) = (world.time(*at)?, world.doubt(*at));
        Some((time - doubt, time + doubt))
    });
    times.reduce(|(a, b), (first, last)| (a.min(first), b.max(last)))
}

/// Whether only services that are not in the input write what an item asks for.
fn is_missing(world: &World<'_>, when: &Expr<Term>) -> bool {
    let (mut any, mut all) = (false, true);
    when.names(&mut |term, positive| {
        let services = match term {
            Term::Signature(id) if positive => world.catalogue.signatures.get(*id).map(|s| s.services),
            _ => None,
        };
        any |= services.is_some();
        all &= services.is_none_or(|s| !s.is_empty() && !world.has_service(s));
    });
    any && all
}

/// Judges all root causes; keeps those that something supports.
pub fn judge(world: &World<'_>) -> Vec<Judged> {
    let causes = world.catalogue.causes.iter().enumerate();
    causes
        .filter(|(_, c)| c.status != "deprecated")
        .filter_map(|(index, cause)| judge_one(world, index, cause))
        .collect()
}

fn judge_one(world: &World<'_>, index: usize, cause: &Cause) -> Option<Judged> {
    let mut items = Vec::new();
    let mut unknown = Vec::new();
    let mut missing = Vec::new();
    for (evidence, item) in cause.evidence.iter().enumerate() {
        let finding = world.find(&item.when);
        if holds(finding.truth) {
            let count = finding.times.max(1);
            items.push(Item { evidence, hits: finding.hits, count });
        } else if finding.truth == Truth::Unknown || (!item.needs.is_empty() && !world.has_service(item.needs)) {
            unknown.push(evidence);
        } else if is_missing(world, &item.when) {
            missing.push(evidence);
        }
    }
    // Something must have been seen: a mere absence (`not x`) names no root cause.
    let supported =
        items.iter().any(|i| cause.evidence.get(i.evidence).is_some_and(|e| e.supports()) && !i.hits.is_empty());
    if !supported {
        return None;
    }
    // What needs a source that is not there and holds only because nothing was seen is unknown.
    items.retain(|i| {
        let Some(evidence) = cause.evidence.get(i.evidence) else { return false };
        let blind = i.hits.is_empty() && !evidence.needs.is_empty() && !world.has_service(evidence.needs);
        if blind {
            unknown.push(i.evidence);
        }
        !blind
    });
    strongest_per_group(cause, &mut items);
    let span = span(world, cause, &items);
    Some(Judged { cause: index, items, unknown, missing, span })
}

fn strongest_per_group(cause: &Cause, items: &mut Vec<Item>) {
    let weight = |i: &Item| cause.evidence.get(i.evidence).map_or(0.0, |e| e.ratio().ln().abs());
    let group = |i: &Item| cause.evidence.get(i.evidence).and_then(|e| Some((e.group.as_deref()?, e.supports())));
    let mut best: BTreeMap<(&str, bool), (f64, usize)> = BTreeMap::new();
    for item in items.iter() {
        if let Some(key) = group(item) {
            let entry = best.entry(key).or_insert((weight(item), item.evidence));
            if weight(item) > entry.0 {
                *entry = (weight(item), item.evidence);
            }
        }
    }
    items.retain(|i| group(i).is_none_or(|key| best.get(&key).is_some_and(|(_, e)| *e == i.evidence)));
}

/// Lines that were seen, and which root causes' items hold on them.
#[derive(Debug, Default)]
pub struct Observation {
    /// Index of the judged root cause and the likelihood ratio of its strongest item.
    pub arcs: BTreeMap<usize, f64>,
}

/// Puts supporting items that hold on mostly the same lines together.
pub fn observations(world: &World<'_>, judged: &[Judged]) -> Vec<Observation> {
    let mut lines: Vec<(usize, f64, BTreeSet<(usize, u64)>)> = Vec::new();
    for (index, one) in judged.iter().enumerate() {
        let Some(cause) = world.catalogue.causes.get(one.cause) else { continue };
        for item in &one.items {
            let Some(evidence) = cause.evidence.get(item.evidence).filter(|e| e.supports()) else { continue };
            let seen = item.hits.iter().filter_map(|at| Some((at.source, world.hit(*at)?.line))).collect();
            lines.push((index, evidence.ratio(), seen));
        }
    }
    let parent = joined(&lines);
    let mut observations: BTreeMap<usize, Observation> = BTreeMap::new();
    for (position, (index, ratio, _)) in lines.iter().enumerate() {
        let root = parent.get(position).copied().unwrap_or(position);
        let arc = observations.entry(root).or_default().arcs.entry(*index).or_insert(*ratio);
        *arc = arc.max(*ratio);
    }
    observations.into_values().collect()
}

/// For each item, the first item of its observation: items join when they share half of all their lines.
fn joined(lines: &[(usize, f64, BTreeSet<(usize, u64)>)]) -> Vec<usize> {
    let mut parent: Vec<usize> = (0..lines.len()).collect();
    for (a, (_, _, left)) in lines.iter().enumerate() {
        for (b, (_, _, right)) in lines.iter().enumerate().skip(a + 1) {
            let common = left.intersection(right).count();
            if common > 0 && 2 * common >= left.union(right).count() {
                let (from, to) = (root(&parent, b), root(&parent, a));
                if let Some(slot) = parent.get_mut(from.max(to)) {
                    *slot = from.min(to);
                }
            }
        }
    }
    (0..parent.len()).map(|i| root(&parent, i)).collect()
}

fn root(parent: &[usize], mut at: usize) -> usize {
    while let Some(up) = parent.get(at).copied().filter(|up| *up != at) {
        at = up;
    }
    at
}
