//! Correlations in event time: count, set, order, elapsed time, absence.
//!
//! Hits are grouped by the entities that must agree and looked at in order of time. Each kind is one function.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Correlation, CorrelationKind, SOURCE, ServiceSet, SignatureId, Truth};
use crate::scan::Hit;

use super::{Finding, HitRef, World, cure};

/// Hits of one group, by time. The first of the pair tells which times can be compared.
pub(super) type Group = Vec<Dated>;

/// A hit that must not come in between: its moment, and of which group it is, if that is known.
pub(super) type Excluded = ((usize, i64), HitRef, Option<Vec<String>>);

/// A hit with its moment: which times it can be compared with, and microseconds.
pub(super) type Dated = ((usize, i64), HitRef);

/// What a correlation amounts to.
pub fn evaluate(world: &World<'_>, correlation: &Correlation) -> Finding {
    match &correlation.kind {
        CorrelationKind::EventCount(gte) => event_count(world, correlation, *gte),
        CorrelationKind::ValueCount { field, gte } => value_count(world, correlation, field, *gte),
        CorrelationKind::Temporal { last } => temporal(world, correlation, *last),
        CorrelationKind::Ordered { without } => ordered(world, correlation, without),
        CorrelationKind::Elapsed { lt, gt } => elapsed(world, correlation, *lt, *gt),
        CorrelationKind::Passing(within) => passing(world, correlation, *within),
        CorrelationKind::Settled => settled(world, correlation),
        CorrelationKind::Cured(cures) => cure::put_right(world, &correlation.rules, cures),
        CorrelationKind::ClockPair => verdict(None, false),
        CorrelationKind::Absence { anchor, before, after, covered_by } => {
            absence(world, correlation, *anchor, (*before, *after), *covered_by)
        }
    }
}

/// The value of an entity of a hit, through names that belong to the same thing.
pub(super) fn value(world: &World<'_>, at: HitRef, key: &str) -> Option<String> {
    if key == SOURCE {
        return Some(format!("source {}", at.source));
    }
    let hit = world.hit(at)?;
    world.graph.resolve(hit.entities(), key).or_else(|| if key == "pve.node" { logging_host(hit) } else { None })
}

/// The host whose journal a line stands in. Proxmox calls a node by the short name of its host, and the kernel and
/// systemd write about it without being part of Proxmox.
fn logging_host(hit: &Hit) -> Option<String> {
    let host = hit.names.iter().find(|(key, _)| key == "host").map(|(_, host)| host.as_str())?;
    Some(host.split_once('.').map_or(host, |(short, _)| short).to_owned())
}

/// The group of a hit: `None` when it lacks an entity that must agree.
pub(super) fn group_key(world: &World<'_>, at: HitRef, keys: &[String]) -> Option<Vec<String>> {
    keys.iter().map(|key| value(world, at, key)).collect()
}

/// Hits with a time, grouped and sorted; and whether some hit had to be left out.
pub(super) fn groups(
    world: &World<'_>,
    signatures: &[SignatureId],
    keys: &[String],
) -> (BTreeMap<Vec<String>, Group>, bool) {
    let mut groups: BTreeMap<Vec<String>, Group> = BTreeMap::new();
    let mut left_out = false;
    for signature in signatures {
        let of = world.group_keys(*signature, keys);
        for (at, key) in world.hits(*signature).iter().zip(of.iter()) {
            let (Some(moment), Some(key)) = (world.moment(*at), key) else {
                left_out = true;
                continue;
            };
            match groups.get_mut(key) {
                Some(group) => group.push((moment, *at)),
                None => drop(groups.insert(key.clone(), vec![(moment, *at)])),
            }
        }
    }
    groups.values_mut().for_each(|g| g.sort_by_key(|(moment, at)| (*moment, at.source, line(world, *at))));
    (groups, left_out)
}

fn line(world: &World<'_>, at: HitRef) -> u64 {
    world.hit(at).map_or(0, |h| h.line)
}

/// All hits that take part.
fn all_hits(world: &World<'_>, correlation: &Correlation) -> Vec<HitRef> {
    correlation.rules.iter().flat_map(|r| world.hits(*r).iter().copied()).collect()
}

/// Hits of all windows of one group in which a correlation holds, and how many windows that are.
type Windows = Option<(Vec<HitRef>, u64)>;

/// True on these hits; else unknown when something was left out, else false.
fn verdict(found: Windows, left_out: bool) -> Finding {
    match found {
        Some((hits, times)) => Finding { truth: Truth::True, hits, times },
        None if left_out => Finding::unknown(),
        None => Finding { truth: Truth::False, hits: Vec::new(), times: 0 },
    }
}

/// True on hits that are counted one by one.
fn counted(hits: Vec<HitRef>) -> (Vec<HitRef>, u64) {
    let times = hits.len() as u64;
    (hits, times)
}

fn event_count(world: &World<'_>, correlation: &Correlation, gte: u64) -> Finding {
    let hits = all_hits(world, correlation);
    let Some(timespan) = correlation.timespan else {
        if correlation.group_by.is_empty() {
            let count: u64 = correlation.rules.iter().map(|r| world.count(*r)).sum();
            return verdict((count >= gte).then_some((hits, count)), false);
        }
        let mut groups: BTreeMap<Vec<String>, Vec<HitRef>> = BTreeMap::new();
        for at in hits {
            if let Some(key) = group_key(world, at, &correlation.group_by) {
                groups.entry(key).or_default().push(at);
            }
        }
        return verdict(groups.into_values().find(|g| g.len() as u64 >= gte).map(counted), false);
    };
    let (groups, left_out) = groups(world, &correlation.rules, &correlation.group_by);
    let gte = usize::try_from(gte).unwrap_or(usize::MAX).max(1);
    let dense = groups.values().find_map(|group| {
        covered(group, |from| {
            let window = group.get(from..from.checked_add(gte)?)?;
            within(window, timespan).then_some(from + gte)
        })
    });
    verdict(dense.map(counted), left_out)
}

/// The hits of a group that lie in any window: `end` says where the window that begins with a hit ends, if it holds.
fn covered(group: &Group, end: impl Fn(usize) -> Option<usize>) -> Option<Vec<HitRef>> {
    let mut until = 0;
    let mut hits = Vec::new();
    for from in 0..group.len() {
        if let Some(end) = end(from).filter(|end| *end > until) {
            hits.extend(group.get(from.max(until)..end)?.iter().map(|(_, at)| *at));
            until = end;
        }
    }
    (!hits.is_empty()).then_some(hits)
}

/// Whether the first and last of a sorted window can be compared and lie within a span.
fn within(window: &[((usize, i64), HitRef)], timespan: i64) -> bool {
    match (window.first(), window.last()) {
        (Some(((a, first), _)), Some(((b, last), _))) => a == b && last - first <= timespan,
        _ => false,
    }
}

fn value_count(world: &World<'_>, correlation: &Correlation, field: &str, gte: u64) -> Finding {
    let several = |hits: &[HitRef]| {
        let values: BTreeSet<String> = hits.iter().filter_map(|at| value(world, *at, field)).collect();
        values.len() as u64 >= gte
    };
    let Some(timespan) = correlation.timespan else {
        let mut groups: BTreeMap<Vec<String>, Vec<HitRef>> = BTreeMap::new();
        for at in all_hits(world, correlation) {
            if let Some(key) = group_key(world, at, &correlation.group_by) {
                groups.entry(key).or_default().push(at);
            }
        }
        return verdict(groups.into_values().find(|g| several(g)).map(counted), false);
    };
    let (groups, left_out) = groups(world, &correlation.rules, &correlation.group_by);
    let dense = groups.values().find_map(|group| {
        covered(group, |from| {
            let first = *group.get(from)?;
            let near: Vec<HitRef> =
                group.get(from..)?.iter().take_while(|h| within(&[first, **h], timespan)).map(|(_, at)| *at).collect();
            several(&near).then_some(from + near.len())
        })
    });
    verdict(dense.map(counted), left_out)
}

fn temporal(world: &World<'_>, correlation: &Correlation, last: bool) -> Finding {
    if correlation.rules.iter().any(|r| world.hits(*r).is_empty()) {
        return verdict(None, false);
    }
    if correlation.timespan.is_none() && correlation.group_by.is_empty() && !last {
        return verdict(Some((all_hits(world, correlation), 1)), false);
    }
    if correlation.timespan.is_none() {
        return together(world, correlation, last);
    }
    let (groups, left_out) = groups(world, &correlation.rules, &correlation.group_by);
    let timespan = correlation.timespan.unwrap_or(i64::MAX);
    let found = groups.values().find_map(|group| {
        disjoint(group, |from| {
            let rest = group.get(from..)?;
            let first = rest.first()?;
            let near = ahead(world, rest, first, timespan).iter().filter(|hit| in_reach(world, first, hit, timespan));
            let near: Vec<Dated> = near.copied().collect();
            let all = correlation.rules.iter().all(|r| near.iter().any(|(_, at)| at.signature == *r));
            all.then_some(near)
        })
    });
    verdict(found, left_out)
}

/// The beginning of sorted hits that may lie within a span after a first one, give or take what any clocks differ.
fn ahead<'g>(world: &World<'_>, rest: &'g [Dated], first: &Dated, timespan: i64) -> &'g [Dated] {
    let until = first.0.1.saturating_add(timespan).saturating_add(world.clocks.widest());
    rest.get(..rest.partition_point(|hit| hit.0 <= (first.0.0, until))).unwrap_or(rest)
}

/// All windows of a group that do not overlap, the earliest first: `window` is what holds from a hit on.
fn disjoint(group: &Group, window: impl Fn(usize) -> Option<Vec<Dated>>) -> Windows {
    let (mut hits, mut times) = (Vec::new(), 0);
    let mut after: Option<(usize, i64)> = None;
    for (from, (moment, _)) in group.iter().enumerate() {
        if after.is_some_and(|after| *moment <= after) {
            continue;
        }
        if let Some(found) = window(from) {
            after = found.iter().map(|(moment, _)| *moment).max();
            hits.extend(found.iter().map(|(_, at)| *at));
            times += 1;
        }
    }
    (times > 0).then_some((hits, times))
}

/// Each rule on the same thing, whenever: documents that tell no time take part.
fn together(world: &World<'_>, correlation: &Correlation, last: bool) -> Finding {
    let mut groups: BTreeMap<Vec<String>, Vec<HitRef>> = BTreeMap::new();
    let mut left_out = false;
    for at in all_hits(world, correlation) {
        match group_key(world, at, &correlation.group_by) {
            Some(key) => groups.entry(key).or_default().push(at),
            None => left_out = true,
        }
    }
    let complete = |group: &Vec<HitRef>| correlation.rules.iter().all(|r| group.iter().any(|at| at.signature == *r));
    let fits = |group: &Vec<HitRef>| complete(group) && (!last || is_last(world, group, &correlation.rules));
    verdict(groups.into_values().find(fits).map(|hits| (hits, 1)), left_out)
}

/// Whether no hit of the other rules comes behind all hits of the last rule. What tells no time is no objection.
fn is_last(world: &World<'_>, group: &[HitRef], rules: &[SignatureId]) -> bool {
    let (ends, others): (Vec<HitRef>, Vec<HitRef>) = group.iter().partition(|at| rules.last() == Some(&at.signature));
    let ends: Vec<_> = ends.iter().filter_map(|at| world.moment(*at)).collect();
    others.iter().filter_map(|at| world.moment(*at)).all(|(clock, moment)| {
        let mut comparable = ends.iter().filter(|end| end.0 == clock).peekable();
        comparable.peek().is_none() || comparable.any(|end| end.1 >= moment)
    })
}

fn ordered(world: &World<'_>, correlation: &Correlation, without: &[SignatureId]) -> Finding {
    if correlation.rules.iter().any(|r| world.hits(*r).is_empty()) {
        return verdict(None, false);
    }
    let (groups, left_out) = groups(world, &correlation.rules, &correlation.group_by);
    let excluded = excluded(world, without, &correlation.group_by);
    let timespan = correlation.timespan.unwrap_or(i64::MAX);
    let doubtful = Cell::new(left_out);
    // Between these hits there may have been some that are not kept.
    let is_sure = |chain: &Vec<Dated>| {
        let end = chain.last().map(|(moment, _)| *moment);
        let is_sure = end.is_none_or(|end| !without.iter().any(|s| world.may_be_given_up(*s, end)));
        doubtful.set(doubtful.get() || !is_sure);
        is_sure
    };
    let found = groups.iter().find_map(|(key, group)| {
        let between = disturbing(&excluded, key);
        let chain = |from| sequence(world, (group.get(from)?, group), &correlation.rules, timespan, &between);
        // What has no time may have come between, too.
        let found = disjoint(group, |from| chain(from).filter(is_sure))?;
        let undated = may_disturb(world, without, (&correlation.group_by, key));
        doubtful.set(doubtful.get() || undated);
        (!undated).then_some(found)
    });
    verdict(found, doubtful.get())
}

/// What must not come in between: the moment of each hit, and of which group it is; `None` when that is not known.
pub(super) fn excluded(world: &World<'_>, without: &[SignatureId], keys: &[String]) -> Vec<Excluded> {
    let keyed = |s: &SignatureId| {
        let of = world.group_keys(*s, keys);
        let dated = world.hits(*s).iter().zip(of.iter());
        dated.filter_map(|(at, key)| Some((world.moment(*at)?, *at, key.clone()))).collect::<Vec<_>>()
    };
    without.iter().flat_map(keyed).collect()
}

/// Whether something that must not come in between has no time, and may be of a group.
fn may_disturb(world: &World<'_>, without: &[SignatureId], (keys, key): (&[String], &[String])) -> bool {
    let mut undated = without.iter().flat_map(|s| world.hits(*s)).filter(|at| world.moment(**at).is_none());
    undated.any(|at| group_key(world, *at, keys).is_none_or(|of| of == key))
}

/// The excluded hits that may be of a group.
pub(super) fn disturbing(excluded: &[Excluded], key: &[String]) -> Group {
    let may = |of: &Option<Vec<String>>| of.as_ref().is_none_or(|of| of == key);
    excluded.iter().filter(|(.., of)| may(of)).map(|(moment, at, _)| (*moment, *at)).collect()
}

/// Whether a later hit lies within a span after a first one, give or take what their clocks differ.
fn in_reach(world: &World<'_>, first: &Dated, hit: &Dated, timespan: i64) -> bool {
    let slack = world.clocks.tolerance(first.1.source, hit.1.source);
    first.0.0 == hit.0.0 && hit.0.1 - first.0.1 <= timespan.saturating_add(slack)
}

/// Whether a hit came after another: in one source as it stands there, else give or take what their clocks differ.
fn comes_after(world: &World<'_>, hit: &Dated, before: &Dated) -> bool {
    if hit.1.source == before.1.source {
        return (hit.0, line(world, hit.1)) > (before.0, line(world, before.1));
    }
    hit.0.1 >= before.0.1 - world.clocks.tolerance(hit.1.source, before.1.source)
}

/// The rules in their order, beginning with one hit of a sorted group; the one that ends earliest.
///
/// For each rule the earliest hit of each source that can be reached is kept: what comes after any of its hits comes after
/// that one.
fn sequence(
    world: &World<'_>,
    (first, group): (&Dated, &Group),
    rules: &[SignatureId],
    timespan: i64,
    excluded: &Group,
) -> Option<Vec<Dated>> {
    let (rule, rest) = rules.split_first()?;
    if first.1.signature != *rule {
        return None;
    }
    let widest = world.clocks.widest();
    let back = i64::try_from(rest.len()).unwrap_or(i64::MAX).saturating_mul(widest);
    let from = group.partition_point(|hit| hit.0 < (first.0.0, first.0.1.saturating_sub(back)));
    let group = ahead(world, group.get(from..)?, first, timespan);
    // Each hit with the place of the one before it among those of the rule before.
    let mut steps: Vec<Vec<(Dated, usize)>> = vec![vec![(*first, 0)]];
    for rule in rest {
        let before = steps.last()?;
        let mut next: Vec<(Dated, usize)> = Vec::new();
        for hit in group.iter().filter(|hit| hit.1.signature == *rule && in_reach(world, first, hit, timespan)) {
            // What is later than the earliest by more than clocks differ leads nowhere else.
            if next.first().is_some_and(|(earliest, _)| hit.0.1 > earliest.0.1.saturating_add(widest)) {
                break;
            }
            if next.iter().any(|(earlier, _)| earlier.1.source == hit.1.source) {
                continue;
            }
            if let Some(place) = before.iter().position(|(last, _)| hit.1 != last.1 && comes_after(world, hit, last)) {
                next.push((*hit, place));
            }
        }
        steps.push(next);
    }
    let mut place = 0;
    let mut chain = Vec::with_capacity(rules.len());
    for step in steps.iter().rev() {
        let (hit, before) = step.get(place)?;
        chain.push(*hit);
        place = *before;
    }
    chain.reverse();
    let last = chain.last()?.0;
    let disturbed = excluded.iter().any(|(moment, _)| *moment > first.0 && *moment < last);
    (!disturbed).then_some(chain)
}

fn elapsed(world: &World<'_>, correlation: &Correlation, lt: Option<i64>, gt: Option<i64>) -> Finding {
    let [from, to] = correlation.rules.as_slice() else { return Finding::unknown() };
    let (groups, left_out) = groups(world, &correlation.rules, &correlation.group_by);
    let mut measured = false;
    let found = groups.values().find_map(|group| {
        let mut started: Option<((usize, i64), HitRef)> = None;
        let mut pairs = Vec::new();
        for hit in group {
            if hit.1.signature == *from {
                started = Some(*hit);
            } else if hit.1.signature == *to
                && let Some(start) = started.take().filter(|s| s.0.0 == hit.0.0)
            {
                pairs.push((start, *hit));
            }
        }
        measured |= !pairs.is_empty();
        let holds = |(start, end): &(Dated, Dated)| {
            let time = end.0.1 - start.0.1;
            lt.is_none_or(|lt| time < lt) && gt.is_none_or(|gt| time > gt)
        };
        let holding: Vec<(Dated, Dated)> = pairs.into_iter().filter(holds).collect();
        let hits = holding.iter().flat_map(|(start, end)| [start.1, end.1]).collect();
        (!holding.is_empty()).then_some((hits, holding.len() as u64))
    });
    verdict(found, left_out || !measured)
}

/// Whether in every source that tells of the trouble its end stands further down, of the same group where that is known.
///
/// What people paste of a terminal tells no times, and a log of one machine no names: there the order of lines is what
/// is left. The last hits of a source are always kept.
fn settled(world: &World<'_>, correlation: &Correlation) -> Finding {
    let Some((end, trouble)) = correlation.rules.split_last() else { return Finding::unknown() };
    let place = |at: HitRef| (at.source, group_key(world, at, &correlation.group_by));
    let lowest = |rules: &[SignatureId]| {
        let mut lowest = BTreeMap::new();
        for at in rules.iter().flat_map(|rule| world.hits(*rule)) {
            let kept = lowest.entry(place(*at)).or_insert(*at);
            if line(world, *at) > line(world, *kept) {
                *kept = *at;
            }
        }
        lowest
    };
    let (last, ends) = (lowest(trouble), lowest(std::slice::from_ref(end)));
    let over = |(place, at): (&_, &HitRef)| {
        ends.get(place).filter(|end| line(world, **end) > line(world, *at)).map(|end| [*at, *end])
    };
    let pairs: Option<Vec<[HitRef; 2]>> = last.iter().map(over).collect();
    verdict(pairs.filter(|pairs| !pairs.is_empty()).map(|pairs| (pairs.concat(), pairs.len() as u64)), false)
}

/// How many times an episode and the pause after it must fit into what is covered, for each episode.
const RARE: i64 = 2;
/// Episodes that are so many times further apart than they may be long are no retries of one fault.
const SELDOM: i64 = 12;
/// So few hits do not make a source doubtful that ends with them, when others show that it is over.
const SLIGHT: usize = 2;

/// What the hits in one source say: it passed, it lasted, or its end is not seen.
enum Course {
    Passed,
    Lasted,
    Open,
}

/// Whether hits came in short episodes only, few of them, and their logs go on without them.
///
/// Each source is looked at by itself: what happens on one node after the other is short on each. State as it is now
/// leaves it open; lines without a time, or since boot, tell nothing about it.
fn passing(world: &World<'_>, correlation: &Correlation, within: i64) -> Finding {
    let mut sources: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
    for at in all_hits(world, correlation) {
        // A document that stands behind a log in one file has the time of its last line, and still shows what is.
        match world.time(at) {
            _ if world.is_state(at.signature) => return Finding::unknown(),
            Some(time) => sources.entry(at.source).or_default().push(time),
            None => {}
        }
    }
    let mut passed = false;
    for (source, mut times) in sources {
        // Hits that were not kept lie between those that were.
        if correlation.rules.iter().any(|rule| !world.keeps_all(source, *rule)) {
            return verdict(None, false);
        }
        times.sort_unstable();
        match course(world, source, &times, within) {
            Course::Passed => passed = true,
            Course::Lasted => return verdict(None, false),
            Course::Open if times.len() <= SLIGHT => {}
            Course::Open => return Finding::unknown(),
        }
    }
    if passed { Finding::from_hits(all_hits(world, correlation)) } else { Finding::unknown() }
}

fn course(world: &World<'_>, source: usize, times: &[i64], within: i64) -> Course {
    let (Some(first), Some(last)) = (times.first(), times.last()) else { return Course::Open };
    let mut episodes: i64 = 0;
    for episode in times.chunk_by(|a, b| b - a <= within) {
        episodes += 1;
        if episode.last().zip(episode.first()).is_some_and(|(end, begin)| end - begin > within) {
            return Course::Lasted;
        }
    }
    let (goes_on, reach) = world.goes_on(source, (*last, last + within));
    let over = goes_on && reach >= RARE * within * episodes;
    // It has come and gone before, seldom: the time between shows what the time after cannot.
    let seldom = episodes > 2 && last - first >= SELDOM * within * (episodes - 1);
    if over || seldom { Course::Passed } else { Course::Open }
}

/// A hit that an absence asks for: when, and of which group.
struct Seen {
    moment: Option<(usize, i64)>,
    at: HitRef,
    key: Option<Vec<String>>,
}

/// What an absence asks for: hits with a time in its order, and those without one.
fn seen(world: &World<'_>, correlation: &Correlation) -> (Vec<Seen>, Vec<Seen>) {
    let all = correlation.rules.iter().flat_map(|rule| {
        let of = world.group_keys(*rule, &correlation.group_by);
        let hits = world.hits(*rule).iter().zip(of.iter());
        hits.map(|(at, key)| Seen { moment: world.moment(*at), at: *at, key: key.clone() }).collect::<Vec<_>>()
    });
    let (mut dated, undated): (Vec<Seen>, Vec<Seen>) = all.partition(|s| s.moment.is_some());
    dated.sort_by_key(|s| (s.moment, s.at));
    (dated, undated)
}

fn absence(
    world: &World<'_>,
    correlation: &Correlation,
    anchor: SignatureId,
    (before, after): (i64, i64),
    covered_by: ServiceSet,
) -> Finding {
    let anchors = world.hits(anchor);
    if anchors.is_empty() {
        return verdict(None, false);
    }
    let (seen, undated) = seen(world, correlation);
    let keys = world.group_keys(anchor, &correlation.group_by);
    let widest = world.clocks.widest();
    let mut unknown = false;
    let mut alone = Vec::new();
    for (at, key) in anchors.iter().zip(keys.iter()) {
        let Some((domain, moment)) = world.moment(*at) else {
            unknown = true;
            continue;
        };
        let from = (domain, moment.saturating_sub(before).saturating_sub(widest));
        let until = (domain, moment.saturating_add(after).saturating_add(widest));
        let from = seen.partition_point(|s| s.moment < Some(from));
        let around = seen.iter().skip(from).take_while(|s| s.moment <= Some(until)).chain(&undated);
        // What was seen near: `Some(true)` for certain, `Some(false)` perhaps, without a time or a name.
        let near = around.filter_map(|rule| {
            let slack = world.clocks.tolerance(at.source, rule.at.source);
            let window = moment - before - slack..=moment + after + slack;
            let time = rule.moment.map(|(d, t)| d == domain && window.contains(&t));
            let same = rule.key.as_ref().zip(key.as_ref()).map(|(own, key)| own == key);
            match (time, same) {
                (Some(false), _) | (_, Some(false)) => None,
                (time, same) => Some(time.is_some() && same.is_some()),
            }
        });
        match near.max() {
            Some(true) => continue,
            Some(false) => {
                unknown = true;
                continue;
            }
            None => {}
        }
        // Nothing was seen: that counts where something would have been.
        let covered = covered_by.is_empty() || world.covers(covered_by, (moment - before, moment + after));
        let passed_over = correlation.rules.iter().any(|r| world.may_be_passed_over(*r, moment + after));
        if key.is_some() && covered && !passed_over {
            alone.push(*at);
        } else {
            unknown = true;
        }
    }
    verdict((!alone.is_empty()).then_some(alone).map(counted), unknown)
}
