//! When a root cause began: what was so long before, or was written down long before, is not the time of its fault.

use std::collections::BTreeMap;

use crate::correlate::{HitRef, World};

use super::Item;

/// First and last time of supporting items on one clock, microseconds since the epoch.
///
/// Lines of logs tell when something happened. A document tells when its thing was last changed: that is an onset only where
/// there are no lines, and of several documents that make one item together the last one completed it.
pub fn span(world: &World<'_>, items: &[&Item]) -> Option<(i64, i64)> {
    let times = |item: &Item| item.hits.iter().filter_map(|at| Some((*at, world.time(*at)?))).collect::<Vec<_>>();
    let dated: Vec<Vec<(HitRef, i64)>> = items.iter().map(|item| times(item)).collect();
    let all = || dated.iter().flatten();
    let lines = all().filter(|(at, _)| tells_onset(world, *at) && !world.is_state(at.signature)).map(|(_, time)| *time);
    let documents = || dated.iter().filter_map(|item| completed(world, item));
    let first = lines.min().or_else(|| documents().min()).or_else(|| all().map(|(_, time)| *time).min())?;
    let last = all().map(|(_, time)| *time).max()?;
    Some((first, last.max(first)))
}

/// When the documents of an item were all as they are: the last of the first ones of each kind.
fn completed(world: &World<'_>, hits: &[(HitRef, i64)]) -> Option<i64> {
    let mut firsts: BTreeMap<usize, i64> = BTreeMap::new();
    for (at, time) in hits.iter().filter(|(at, _)| tells_onset(world, *at)) {
        firsts.entry(at.signature).and_modify(|first| *first = (*first).min(*time)).or_insert(*time);
    }
    firsts.into_values().max()
}

/// Whether a hit may be the beginning of a fault.
fn tells_onset(world: &World<'_>, at: HitRef) -> bool {
    world.catalogue.signatures.get(at.signature).is_some_and(|s| !s.background)
}
