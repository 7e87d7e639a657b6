//! Posteriors: exact sums over sets of root causes.
//!
//! An observation that root causes A and B could have brought about has the probability 1 - (1 - leak)(1 - a)(1 - b) when both
//! are there. Each arc is its likelihood ratio times the leak, so that alone every root cause keeps the odds that its
//! author gave, and together they explain each other away.

use std::collections::BTreeMap;

use crate::catalog::{CURED, Evidence, PASSING};
use crate::correlate::World;

use super::observe::{self, Judged, Observation};
use super::version_ratio;

/// Root causes of one component that are weighed together.
const TOGETHER: usize = 12;
/// Root causes that are there at once, in components with more than [`EXACT`].
const AT_ONCE: usize = 3;
/// Components up to this size are summed over all sets.
const EXACT: usize = 8;
/// What an arc to an effect that was over before its cause began is worth.
const TOO_EARLY: f64 = 0.1;
/// How well a root cause explains what its effect was seen by, compared with the effect itself.
const EFFECT: f64 = 0.6;
/// The largest probability that an arc stands for.
const SURE: f64 = 0.95;

/// One observation: its leak, and its arcs by root cause.
#[derive(Debug, Clone)]
struct Seen {
    leak: f64,
    arcs: BTreeMap<usize, f64>,
}

/// What the posteriors were computed from, and they themselves.
pub struct Weighed {
    seen: Vec<Seen>,
    odds: Vec<f64>,
    /// By judged root cause: how much less likely it is for being over.
    over: Vec<f64>,
    /// By judged root cause, whether it was there at all.
    pub were: Vec<f64>,
    /// By judged root cause, whether it is there now.
    pub posteriors: Vec<f64>,
}

/// The posterior of each judged root cause.
///
/// First by what each was seen by itself; then what those that are likely by themselves explain counts as theirs too. What
/// is over was there: it still explains what it was seen by, which then speaks for nothing else, and is unlikely all the same.
pub fn posteriors(world: &World<'_>, judged: &[Judged]) -> Weighed {
    let observations = observe::observations(world, judged);
    let odds: Vec<f64> = judged.iter().map(|j| own_odds(world, j)).collect();
    let own: Vec<Seen> = observations.iter().map(seen).collect();
    let over: Vec<f64> = judged.iter().map(|j| against(world, j, is_end)).collect();
    // An effect that outlasts what brought it about stands by itself.
    let alone = now(infer(&own, &odds), &over);
    let likely: Vec<bool> = alone.iter().map(|p| *p >= super::POSSIBLE).collect();
    let seen = own.into_iter().map(|seen| with_causes(world, judged, &likely, seen)).collect::<Vec<_>>();
    let were = infer(&seen, &odds);
    let posteriors = now(were.clone(), &over);
    Weighed { seen, odds, over, were, posteriors }
}

/// Whether an item tells that trouble was there and is over, and not that it never was.
fn is_end(item: &Evidence) -> bool {
    item.id == PASSING || item.id == CURED
}

/// From what was there to what is there now.
fn now(mut posteriors: Vec<f64>, over: &[f64]) -> Vec<f64> {
    for (posterior, over) in posteriors.iter_mut().zip(over) {
        *posterior = *posterior * over / (1.0 - *posterior + *posterior * over);
    }
    posteriors
}

impl Weighed {
    /// By how many bits knowing an item of a root cause would make the ranking surer, on average over both outcomes.
    pub fn gain(&self, index: usize, evidence: &Evidence) -> f64 {
        let posterior = self.posteriors.get(index).copied().unwrap_or(0.0);
        let (if_cause, if_not) = (evidence.if_cause, evidence.if_not);
        let probability = posterior * if_cause + (1.0 - posterior) * if_not;
        let scaled = |ratio: f64| {
            let mut odds = self.odds.clone();
            odds.get_mut(index).into_iter().for_each(|o| *o *= ratio);
            entropy(&now(infer(&self.seen, &odds), &self.over))
        };
        let present = if evidence.supports() {
            let ratio = if_cause / if_not;
            let leak = 0.9 / ratio.max(1.0);
            let mut seen: Vec<Seen> = self.seen.clone();
            seen.push(Seen { leak, arcs: BTreeMap::from([(index, (ratio * leak).min(SURE))]) });
            entropy(&now(infer(&seen, &self.odds), &self.over))
        } else {
            scaled(if_cause / if_not)
        };
        let absent = scaled((1.0 - if_cause) / (1.0 - if_not));
        entropy(&self.posteriors) - probability * present - (1.0 - probability) * absent
    }
}

/// How open a ranking is, in bits.
fn entropy(posteriors: &[f64]) -> f64 {
    let bits = |p: f64| if p <= 0.0 { 0.0 } else { -p * p.log2() };
    posteriors.iter().map(|p| bits(*p) + bits(1.0 - p)).sum()
}

/// Posteriors by connected component.
fn infer(seen: &[Seen], odds: &[f64]) -> Vec<f64> {
    let mut posteriors = vec![0.0; odds.len()];
    for component in components(odds.len(), seen) {
        let chosen = strongest(&component, odds, seen);
        for (index, posterior) in weigh(&chosen, odds, seen) {
            if let Some(slot) = posteriors.get_mut(index) {
                *slot = posterior;
            }
        }
    }
    posteriors
}

/// Prior odds with what speaks against it ever having been there, and what versions say.
fn own_odds(world: &World<'_>, judged: &Judged) -> f64 {
    let Some(cause) = world.catalogue.causes.get(judged.cause) else { return 0.0 };
    let against = against(world, judged, |item| !is_end(item));
    cause.prior / (1.0 - cause.prior) * against * version_ratio(world, judged.cause)
}

/// The ratio of all counter-evidence of a kind.
fn against(world: &World<'_>, judged: &Judged, is_meant: impl Fn(&Evidence) -> bool) -> f64 {
    let Some(cause) = world.catalogue.causes.get(judged.cause) else { return 1.0 };
    let items = judged.items.iter().filter_map(|i| cause.evidence.get(i.evidence));
    items.filter(|e| !e.supports() && is_meant(e)).map(Evidence::ratio).product()
}

/// Turns ratios into probabilities: each arc alone keeps its ratio.
fn seen(observation: &Observation) -> Seen {
    let strongest = observation.arcs.values().copied().fold(1.0, f64::max);
    let leak = 0.9 / strongest;
    Seen { leak, arcs: observation.arcs.iter().map(|(i, ratio)| (*i, (ratio * leak).min(SURE))).collect() }
}

/// Adds arcs from likely root causes to what their effects were seen by.
fn with_causes(world: &World<'_>, judged: &[Judged], likely: &[bool], mut seen: Seen) -> Seen {
    let mut more: Vec<(usize, f64)> = Vec::new();
    for (index, one) in judged.iter().enumerate().filter(|(i, _)| likely.get(*i).is_some_and(|l| *l)) {
        let Some(cause) = world.catalogue.causes.get(one.cause) else { continue };
        let explained = seen.arcs.iter().filter_map(|(i, p)| {
            let effect = judged.get(*i).filter(|j| cause.accounts_for(j.cause))?;
            let in_time = super::in_time(one.span, effect.span);
            Some(p * EFFECT * if in_time { 1.0 } else { TOO_EARLY })
        });
        let strongest = explained.fold(0.0, f64::max);
        if strongest > 0.0 {
            more.push((index, strongest));
        }
    }
    for (index, probability) in more {
        let arc = seen.arcs.entry(index).or_insert(probability);
        *arc = arc.max(probability);
    }
    seen
}

/// Root causes connected by observations.
fn components(count: usize, seen: &[Seen]) -> Vec<Vec<usize>> {
    let mut label: Vec<usize> = (0..count).collect();
    let mut changed = true;
    while changed {
        changed = false;
        for observation in seen {
            let members = observation.arcs.keys();
            let Some(low) = members.clone().filter_map(|i| label.get(*i).copied()).min() else { continue };
            for member in members {
                if let Some(slot) = label.get_mut(*member).filter(|l| **l != low) {
                    *slot = low;
                    changed = true;
                }
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, label) in label.into_iter().enumerate() {
        groups.entry(label).or_default().push(index);
    }
    groups.into_values().collect()
}

/// The root causes of a component that matter most by themselves.
fn strongest(component: &[usize], odds: &[f64], seen: &[Seen]) -> Vec<usize> {
    let alone = |index: &usize| {
        let ratio: f64 = seen.iter().filter_map(|s| Some(s.arcs.get(index)? / s.leak)).map(|r| r.max(1.0)).product();
        odds.get(*index).copied().unwrap_or(0.0) * ratio
    };
    let mut chosen = component.to_vec();
    chosen.sort_by(|a, b| alone(b).total_cmp(&alone(a)).then(a.cmp(b)));
    chosen.truncate(TOGETHER);
    chosen.sort_unstable();
    chosen
}

/// Sums over all sets of the chosen root causes, or in large components over those of at most [`AT_ONCE`].
fn weigh(chosen: &[usize], odds: &[f64], seen: &[Seen]) -> Vec<(usize, f64)> {
    let relevant: Vec<&Seen> = seen.iter().filter(|s| chosen.iter().any(|c| s.arcs.contains_key(c))).collect();
    let mut total = 0.0;
    let mut with: BTreeMap<usize, f64> = chosen.iter().map(|c| (*c, 0.0)).collect();
    let at_once = if chosen.len() <= EXACT { chosen.len() } else { AT_ONCE };
    for set in sets(chosen, at_once) {
        let prior: f64 = set.iter().map(|c| odds.get(*c).copied().unwrap_or(0.0)).product();
        let likelihood: f64 = relevant
            .iter()
            .map(|s| {
                let missed: f64 = set.iter().filter_map(|c| s.arcs.get(c)).map(|p| 1.0 - p).product();
                1.0 - (1.0 - s.leak) * missed
            })
            .product();
        let weight = prior * likelihood;
        total += weight;
        for cause in &set {
            if let Some(sum) = with.get_mut(cause) {
                *sum += weight;
            }
        }
    }
    with.into_iter().map(|(cause, sum)| (cause, if total > 0.0 { sum / total } else { 0.0 })).collect()
}

/// All subsets of at most so many members.
fn sets(chosen: &[usize], at_once: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    let mut last = all.clone();
    for _ in 0..at_once {
        let mut next = Vec::new();
        for set in &last {
            for member in chosen.iter().filter(|c| set.last().is_none_or(|l| *c > l)) {
                let mut larger: Vec<usize> = set.clone();
                larger.push(*member);
                next.push(larger);
            }
        }
        all.extend(next.iter().cloned());
        last = next;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(arcs: &[(usize, f64)], leak: f64) -> Seen {
        Seen { leak, arcs: arcs.iter().copied().collect() }
    }

    fn posterior(odds: &[f64], seen: &[Seen]) -> Vec<f64> {
        let chosen: Vec<usize> = (0..odds.len()).collect();
        weigh(&chosen, odds, seen).into_iter().map(|(_, p)| (p * 1000.0).round() / 1000.0).collect()
    }

    #[test]
    fn a_root_cause_alone_keeps_the_odds_of_its_author() {
        // Prior 0.05 and a ratio of 100: 0.84.
        assert_eq!(posterior(&[0.05 / 0.95], &[seen(&[(0, 0.9)], 0.009)]), [0.84]);
    }

    #[test]
    fn equal_rivals_for_one_line_share_it() {
        let shared = posterior(&[0.05 / 0.95; 2], &[seen(&[(0, 0.9), (1, 0.9)], 0.0009)]);
        assert!(shared[0] > 0.45 && shared[0] < 0.55, "{shared:?}");
    }

    #[test]
    fn a_specific_text_explains_a_general_one_away() {
        let odds = [0.05 / 0.95; 2];
        let both = posterior(&odds, &[seen(&[(0, 0.9), (1, 0.0045)], 0.0009)]);
        assert!(both[0] > 0.95 && both[1] < 0.1, "{both:?}");
    }

    #[test]
    fn small_components_are_summed_over_all_sets() {
        // Four faults, each seen by a line of its own and all by one more: with at most three at once, one would be lost.
        let odds = [0.05 / 0.95; 4];
        let mut observations: Vec<Seen> = (0..4).map(|i| seen(&[(i, 0.9)], 0.0009)).collect();
        observations.push(seen(&[(0, 0.5), (1, 0.5), (2, 0.5), (3, 0.5)], 0.1));
        let all = posterior(&odds, &observations);
        assert!(all.iter().all(|p| *p > 0.95), "{all:?}");
    }

    #[test]
    fn what_would_decide_gains_more_than_what_would_not() {
        let odds = vec![0.05 / 0.95; 2];
        let observations = vec![seen(&[(0, 0.9), (1, 0.9)], 0.009)];
        let over = vec![1.0; odds.len()];
        let were = infer(&observations, &odds);
        let weighed = Weighed { posteriors: were.clone(), were, seen: observations, odds, over };
        let item = |if_cause, if_not| Evidence {
            id: String::new(),
            when: crate::catalog::Expr::Name(crate::catalog::Term::Signature(0)),
            if_cause,
            if_not,
            group: None,
            says: String::new(),
            needs: crate::catalog::ServiceSet::default(),
        };
        let (decisive, weak, against) = (item(0.9, 0.009), item(0.5, 0.4), item(0.02, 0.7));
        assert!(weighed.gain(0, &decisive) > 5.0 * weighed.gain(0, &weak).max(0.0));
        assert!(weighed.gain(0, &against) > weighed.gain(0, &weak));
    }

    #[test]
    fn faults_that_share_nothing_stand_side_by_side() {
        let both = posterior(&[0.05 / 0.95; 2], &[seen(&[(0, 0.9)], 0.0009), seen(&[(1, 0.9)], 0.0009)]);
        assert!(both.iter().all(|p| *p > 0.95), "{both:?}");
    }
}
