//! What kept a correlation from holding: the nearest miss, with the hits that show it. For `why-not`.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Correlation, CorrelationKind, ServiceSet, SignatureId};

use super::window::{Dated, Group, disturbing, excluded, group_key, groups, value};
use super::{HitRef, World};

/// Why a correlation does not hold. Times are microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Miss {
    /// These of its rules were never seen.
    NeverSeen(Vec<SignatureId>),
    /// Fewer events than it takes, in the densest window.
    Few {
        /// How many it takes.
        wanted: u64,
        /// In which time; `None` for the whole input.
        within: Option<i64>,
        /// The events of the densest window.
        hits: Vec<HitRef>,
    },
    /// Fewer different values than it takes.
    FewValues {
        /// Of what.
        field: String,
        /// How many it takes.
        wanted: u64,
        /// In which time; `None` for the whole input.
        within: Option<i64>,
        /// The values of the richest window.
        values: Vec<String>,
        /// Its events.
        hits: Vec<HitRef>,
    },
    /// All were seen, but too far from each other: the nearest of them.
    Apart {
        /// How far.
        span: i64,
        /// How far they may be.
        limit: i64,
        /// First and last.
        hits: Vec<HitRef>,
    },
    /// All were seen, in another order: the later rule first.
    Order(Vec<HitRef>),
    /// They came in order, but something that must not come between did: first, what came between, last.
    Between(Vec<HitRef>),
    /// All were seen, but never of the same thing.
    OfDifferent {
        /// By which names they are told.
        keys: Vec<String>,
        /// One of each rule.
        hits: Vec<HitRef>,
    },
    /// All were seen, but some have no time that can be compared.
    Undated(Vec<HitRef>),
    /// The time between two events was another one.
    Took {
        /// How long it was.
        micros: i64,
        /// It must be below.
        lt: Option<i64>,
        /// It must be above.
        gt: Option<i64>,
        /// The two events.
        hits: Vec<HitRef>,
    },
    /// What must be absent was there: the anchor, and what was there.
    There {
        /// How long after the anchor; negative when before.
        after: i64,
        /// The two events.
        hits: Vec<HitRef>,
    },
    /// Nothing was seen, but no log covers the time.
    NotCovered {
        /// Logs of which services would.
        services: ServiceSet,
        /// From when.
        from: i64,
        /// To when.
        to: i64,
        /// The anchor.
        hits: Vec<HitRef>,
    },
}

impl Miss {
    /// The hits that show it.
    pub fn hits(&self) -> &[HitRef] {
        match self {
            Self::NeverSeen(_) => &[],
            Self::Order(hits) | Self::Between(hits) | Self::Undated(hits) => hits,
            Self::Few { hits, .. }
            | Self::FewValues { hits, .. }
            | Self::Apart { hits, .. }
            | Self::OfDifferent { hits, .. }
            | Self::Took { hits, .. }
            | Self::There { hits, .. }
            | Self::NotCovered { hits, .. } => hits,
        }
    }
}

/// The nearest miss of a correlation that does not hold.
pub fn nearest(world: &World<'_>, correlation: &Correlation) -> Miss {
    if let CorrelationKind::Absence { anchor, before, after, covered_by } = &correlation.kind {
        return absence(world, correlation, *anchor, (*before, *after), *covered_by);
    }
    let needed = matches!(correlation.kind, CorrelationKind::EventCount(_) | CorrelationKind::ValueCount { .. });
    let unseen: Vec<SignatureId> = correlation.rules.iter().copied().filter(|r| world.hits(*r).is_empty()).collect();
    if !unseen.is_empty() && (!needed || unseen.len() == correlation.rules.len()) {
        return Miss::NeverSeen(unseen);
    }
    let (groups, _) = groups(world, &correlation.rules, &correlation.group_by);
    match &correlation.kind {
        CorrelationKind::EventCount(wanted) => few(world, correlation, *wanted, &groups),
        CorrelationKind::ValueCount { field, gte } => few_values(world, correlation, field, *gte, &groups),
        CorrelationKind::Elapsed { lt, gt } => took(world, correlation, (*lt, *gt), &groups),
        CorrelationKind::Ordered { without } => order(world, correlation, without, &groups),
        _ => apart(world, correlation, &groups),
    }
}

/// The hits of windows that begin with each hit of a group.
fn windows(group: &Group, within: Option<i64>) -> impl Iterator<Item = Vec<HitRef>> {
    (0..group.len()).filter_map(move |from| {
        let rest = group.get(from..)?;
        let first = rest.first()?.0;
        let near = |hit: &((usize, i64), HitRef)| hit.0.0 == first.0 && within.is_none_or(|w| hit.0.1 - first.1 <= w);
        Some(rest.iter().take_while(|hit| near(hit)).map(|(_, at)| *at).collect())
    })
}

fn few(world: &World<'_>, correlation: &Correlation, wanted: u64, groups: &BTreeMap<Vec<String>, Group>) -> Miss {
    let within = correlation.timespan;
    let densest = greatest(groups.values().flat_map(|g| windows(g, within)), Vec::len);
    Miss::Few { wanted, within, hits: densest.unwrap_or_else(|| one_each(world, correlation)) }
}

fn few_values(
    world: &World<'_>,
    correlation: &Correlation,
    field: &str,
    wanted: u64,
    groups: &BTreeMap<Vec<String>, Group>,
) -> Miss {
    let values = |hits: &[HitRef]| hits.iter().filter_map(|at| value(world, *at, field)).collect::<BTreeSet<String>>();
    let within = correlation.timespan;
    let richest = greatest(groups.values().flat_map(|g| windows(g, within)), |hits| values(hits).len());
    let hits = richest.unwrap_or_else(|| one_each(world, correlation));
    let values = values(&hits).into_iter().collect();
    Miss::FewValues { field: field.to_owned(), wanted, within, values, hits }
}

/// One hit of each rule.
fn one_each(world: &World<'_>, correlation: &Correlation) -> Vec<HitRef> {
    correlation.rules.iter().filter_map(|r| world.hits(*r).first().copied()).collect()
}

/// Why rules that were all seen make no pair: no name in common, or no time.
fn unpaired(world: &World<'_>, correlation: &Correlation) -> Miss {
    let hits = one_each(world, correlation);
    let undated = || correlation.rules.iter().any(|r| world.hits(*r).iter().all(|at| world.moment(*at).is_none()));
    if correlation.group_by.is_empty() || undated() {
        return Miss::Undated(hits);
    }
    let keyed = |rule: &SignatureId| {
        let all = world.hits(*rule);
        all.iter().copied().find(|at| group_key(world, *at, &correlation.group_by).is_some()).or(all.first().copied())
    };
    let hits = correlation.rules.iter().filter_map(keyed).collect();
    Miss::OfDifferent { keys: correlation.group_by.clone(), hits }
}

/// The least span that holds a hit of each rule.
fn apart(world: &World<'_>, correlation: &Correlation, groups: &BTreeMap<Vec<String>, Group>) -> Miss {
    let mut best: Option<(i64, Vec<HitRef>)> = None;
    for group in groups.values() {
        for from in 0..group.len() {
            let Some((first, rest)) = group.get(from..).and_then(<[_]>::split_first) else { continue };
            let mut open: BTreeSet<SignatureId> = correlation.rules.iter().copied().collect();
            open.remove(&first.1.signature);
            let last = rest.iter().take_while(|h| h.0.0 == first.0.0).find(|hit| {
                open.remove(&hit.1.signature);
                open.is_empty()
            });
            let Some(last) = last else { continue };
            let span = last.0.1 - first.0.1;
            if best.as_ref().is_none_or(|(least, _)| span < *least) {
                best = Some((span, vec![first.1, last.1]));
            }
        }
    }
    match best {
        Some((span, hits)) => Miss::Apart { span, limit: correlation.timespan.unwrap_or(i64::MAX), hits },
        None => unpaired(world, correlation),
    }
}

/// Neighbours of an ordered sequence: too far apart, disturbed, or the other way round.
fn order(
    world: &World<'_>,
    correlation: &Correlation,
    without: &[SignatureId],
    groups: &BTreeMap<Vec<String>, Group>,
) -> Miss {
    let limit = correlation.timespan.unwrap_or(i64::MAX);
    let mut forth: Option<(i64, Vec<HitRef>)> = None;
    for group in groups.values() {
        for from in 0..group.len() {
            let Some((first, last)) = group.get(from..).and_then(|rest| run(rest, &correlation.rules)) else {
                continue;
            };
            let span = last.0.1 - first.0.1;
            if forth.as_ref().is_none_or(|(least, _)| span < *least) {
                forth = Some((span, vec![first.1, last.1]));
            }
        }
    }
    match forth {
        Some((span, hits)) if span > limit => Miss::Apart { span, limit, hits },
        Some((_, hits)) => between(world, correlation, without, hits),
        None => match apart(world, correlation, groups) {
            Miss::Apart { hits, .. } => Miss::Order(hits),
            other => other,
        },
    }
}

/// The first and last hit of the rules in their order, beginning with the first hit.
fn run(group: &[Dated], rules: &[SignatureId]) -> Option<(Dated, Dated)> {
    let first = *group.first()?;
    let mut wanted = rules.iter().peekable();
    if Some(&first.1.signature) != wanted.next() {
        return None;
    }
    for hit in group.iter().skip(1).take_while(|h| h.0.0 == first.0.0) {
        if wanted.next_if(|w| **w == hit.1.signature).is_some() && wanted.peek().is_none() {
            return Some((first, *hit));
        }
    }
    None
}

fn between(world: &World<'_>, correlation: &Correlation, without: &[SignatureId], hits: Vec<HitRef>) -> Miss {
    let times: Vec<(usize, i64)> = hits.iter().filter_map(|at| world.moment(*at)).collect();
    let key = hits.first().and_then(|at| group_key(world, *at, &correlation.group_by)).unwrap_or_default();
    let excluded = excluded(world, without, &correlation.group_by);
    let inside = |(moment, _): &((usize, i64), HitRef)| times.first() < Some(moment) && Some(moment) < times.last();
    match (hits.as_slice(), disturbing(&excluded, &key).into_iter().find(inside)) {
        ([first, last], Some((_, at))) => Miss::Between(vec![*first, at, *last]),
        _ => Miss::Between(hits),
    }
}

fn took(
    world: &World<'_>,
    correlation: &Correlation,
    (lt, gt): (Option<i64>, Option<i64>),
    groups: &BTreeMap<Vec<String>, Group>,
) -> Miss {
    let [from, to] = correlation.rules.as_slice() else { return Miss::NeverSeen(Vec::new()) };
    let mut best: Option<(i64, i64, Vec<HitRef>)> = None;
    for group in groups.values() {
        let mut started: Option<((usize, i64), HitRef)> = None;
        for hit in group {
            if hit.1.signature == *from {
                started = Some(*hit);
            } else if hit.1.signature == *to
                && let Some(start) = started.take().filter(|s| s.0.0 == hit.0.0)
            {
                let micros = hit.0.1 - start.0.1;
                let off = lt.map_or(0, |lt| (micros - lt).max(0)).max(gt.map_or(0, |gt| (gt - micros).max(0)));
                if best.as_ref().is_none_or(|(least, ..)| off < *least) {
                    best = Some((off, micros, vec![start.1, hit.1]));
                }
            }
        }
    }
    match best {
        Some((_, micros, hits)) => Miss::Took { micros, lt, gt, hits },
        None => match apart(world, correlation, groups) {
            Miss::Apart { hits, .. } => Miss::Order(hits),
            other => other,
        },
    }
}

fn absence(
    world: &World<'_>,
    correlation: &Correlation,
    anchor: SignatureId,
    (before, after): (i64, i64),
    services: ServiceSet,
) -> Miss {
    let anchors = world.hits(anchor);
    if anchors.is_empty() {
        return Miss::NeverSeen(vec![anchor]);
    }
    let mut best: Option<(i64, Vec<HitRef>)> = None;
    let mut open = None;
    for at in anchors {
        let Some((domain, moment)) = world.moment(*at) else { continue };
        let near = correlation.rules.iter().flat_map(|r| world.hits(*r)).filter_map(|rule| {
            let (other, time) = world.moment(*rule).filter(|(d, _)| *d == domain)?;
            let slack = world.clocks.tolerance(at.source, rule.source);
            let inside = (moment - before - slack..=moment + after + slack).contains(&time);
            (inside && other == domain).then_some((time - moment, *rule))
        });
        match near.min_by_key(|(after, rule)| (after.abs(), *rule)) {
            Some((after, rule)) if best.as_ref().is_none_or(|(b, _)| after.abs() < b.abs()) => {
                best = Some((after, vec![*at, rule]));
            }
            Some(_) => {}
            None if domain == 0 => open = open.or(Some((moment, *at))),
            None => {}
        }
    }
    match (open, best) {
        (Some((moment, at)), _) => {
            Miss::NotCovered { services, from: moment - before, to: moment + after, hits: vec![at] }
        }
        (None, Some((after, hits))) => Miss::There { after, hits },
        (None, None) => Miss::Undated(anchors.iter().take(1).copied().collect()),
    }
}

/// The first of the greatest, so that the answer is the earliest.
fn greatest<T, K: Ord>(all: impl Iterator<Item = T>, key: impl Fn(&T) -> K) -> Option<T> {
    all.reduce(|best, next| if key(&next) > key(&best) { next } else { best })
}
