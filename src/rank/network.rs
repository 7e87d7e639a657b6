//! Posteriors: exact sums over sets of root causes.
//!
//! An observation that root causes A and B could have brought about has the probability 1 - (1 - leak)(1 - a)(1 - b) when both
//! are there. Each arc is its likelihood ratio times the leak, so that alone every root cause keeps the odds that its
//! author gave, and together they explain each other away.

use std::collections::BTreeMap;

use crate::correlate::World;

use super::observe::{self, Judged, Observation};
use super::version_ratio;

/// Root causes of one component that are weighed together.
const TOGETHER: usize = 12;
/// Root causes that are there at once.
const AT_ONCE: usize = 3;
/// How well a root cause explains what its effect was seen by, compared with the effect itself.
const EFFECT: f64 = 0.6;
/// The largest probability that an arc stands for.
const SURE: f64 = 0.95;

/// One observation: its leak, and its arcs by root cause.
struct Seen {
    leak: f64,
    arcs: BTreeMap<usize, f64>,
}

/// The posterior of each judged root cause.
///
/// First by what each was seen by itself; then what those that are likely by themselves explain counts as theirs too.
pub fn posteriors(world: &World<'_>, judged: &[Judged]) -> Vec<f64> {
    let observations = observe::observations(world, judged);
    let odds: Vec<f64> = judged.iter().map(|j| own_odds(world, j)).collect();
    let own: Vec<Seen> = observations.iter().map(seen).collect();
    let alone = infer(&own, &odds);
    let likely: Vec<bool> = alone.iter().map(|p| *p >= super::POSSIBLE).collect();
    let with_effects = own.into_iter().map(|seen| with_causes(world, judged, &likely, seen)).collect::<Vec<_>>();
    infer(&with_effects, &odds)
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

/// Prior odds with what speaks against and what versions say.
fn own_odds(world: &World<'_>, judged: &Judged) -> f64 {
    let Some(cause) = world.catalogue.causes.get(judged.cause) else { return 0.0 };
    let against: f64 = judged
        .items
        .iter()
        .filter_map(|i| cause.evidence.get(i.evidence))
        .filter(|e| !e.supports())
        .map(|e| e.ratio())
        .product();
    cause.prior / (1.0 - cause.prior) * against * version_ratio(world, judged.cause)
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
        let effects = world.catalogue.causes.get(one.cause).map_or(&[][..], |c| c.explains.as_slice());
        let explained = seen.arcs.iter().filter(|(i, _)| judged.get(**i).is_some_and(|j| effects.contains(&j.cause)));
        let strongest = explained.map(|(_, p)| p * EFFECT).fold(0.0, f64::max);
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

/// Sums over all sets of at most [`AT_ONCE`] of the chosen root causes.
fn weigh(chosen: &[usize], odds: &[f64], seen: &[Seen]) -> Vec<(usize, f64)> {
    let relevant: Vec<&Seen> = seen.iter().filter(|s| chosen.iter().any(|c| s.arcs.contains_key(c))).collect();
    let mut total = 0.0;
    let mut with: BTreeMap<usize, f64> = chosen.iter().map(|c| (*c, 0.0)).collect();
    for set in sets(chosen) {
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

/// All subsets of at most [`AT_ONCE`] members.
fn sets(chosen: &[usize]) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    let mut last = all.clone();
    for _ in 0..AT_ONCE {
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
    fn faults_that_share_nothing_stand_side_by_side() {
        let both = posterior(&[0.05 / 0.95; 2], &[seen(&[(0, 0.9)], 0.0009), seen(&[(1, 0.9)], 0.0009)]);
        assert!(both.iter().all(|p| *p > 0.95), "{both:?}");
    }
}
