//! From findings to candidates: how likely each root cause is, given everything that was seen.
//!
//! Each root cause has a prior and items of evidence with likelihoods. Items of several root causes that hold on the same
//! lines are one *observation*, for which the root causes compete (noisy-OR with a leak); what a root cause `explains`
//! is an observation of it as well. Posteriors are exact sums over all sets of at most three root causes among at most
//! twelve of one connected component. Pure functions: no IO, no clock. Invariant: what is unknown counts neither way.

mod network;
mod observe;
mod onset;

use std::collections::BTreeMap;

use crate::catalog::version::Version;
use crate::catalog::{CURED, Cause, Truth};
use crate::correlate::{HitRef, World};

/// At and above: shown as the answer.
pub const POSSIBLE: f64 = 0.5;
/// At and above: likely.
pub const LIKELY: f64 = 0.8;
/// At and above, with a decisive item: confirmed.
pub const CONFIRMED: f64 = 0.95;
/// The likelihood ratio of a decisive item.
const DECISIVE: f64 = 100.0;
/// How far the clocks of two sources may differ before an order of events means nothing, in microseconds.
const SKEW: i64 = 10 * 60 * 1_000_000;
/// Root causes for which it is computed what would tell most about them.
const ASKED: usize = 3;
/// By what log odds above even are multiplied, so that confidence says how often answers are right.
///
/// Authors of strengths are cautious: of some 350 tickets and bundles with a known answer, those that the network gave 0.5
/// to 0.8 were right 52 times of 53. One factor for all leaves their order and the side of 0.5 as they are (temperature
/// scaling); 1.5 to 2 fits each of those collections best by likelihood. Below even there is nothing to correct.
const SHARPNESS: f64 = 1.5;
/// No log proves a root cause for certain, so no report says 1.00.
const SUREST: f64 = 0.994;
/// Names of the machine that wrote a line.
const WRITER: &[&str] = &["pve.node", "talos.node", "k8s.node", "node.address", "host"];
/// Values of one entity that a candidate carries.
const ENTITY_VALUES: usize = 8;

/// How sure, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Below 0.5: hidden unless nothing better exists.
    Weak,
    /// 0.5 and above.
    Possible,
    /// 0.8 and above.
    Likely,
    /// 0.95 and above with a decisive item.
    Confirmed,
}

impl Verdict {
    /// All verdicts with their words.
    pub const ALL: &'static [(&'static str, Self)] =
        &[("weak", Self::Weak), ("possible", Self::Possible), ("likely", Self::Likely), ("confirmed", Self::Confirmed)];

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, v)| *v == self).map_or("", |(w, _)| w)
    }

    fn of(confidence: f64, decisive: bool) -> Self {
        match confidence {
            c if c >= CONFIRMED && decisive => Self::Confirmed,
            c if c >= LIKELY => Self::Likely,
            c if c >= POSSIBLE => Self::Possible,
            _ => Self::Weak,
        }
    }
}

/// A root cause with what speaks for and against it.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Index into the catalogue's root causes.
    pub cause: usize,
    /// Posterior probability, 0 to 1, rounded to three digits.
    pub confidence: f64,
    /// In a word.
    pub verdict: Verdict,
    /// How sure it is that it was there, where the input shows that it was put right. Only where that is likely, it is not
    /// likely any more, and it was not the effect of another one that was put right.
    pub over: Option<f64>,
    /// Evidence items that hold, the strongest first.
    pub items: Vec<Item>,
    /// Evidence items that the input cannot tell, by index into the root cause's evidence.
    pub unknown: Vec<usize>,
    /// Root causes seen as effects of this one, by index.
    pub explains: Vec<usize>,
    /// Names of the things concerned.
    pub entities: BTreeMap<String, Vec<String>>,
    /// First and last time of its hits on one clock for all sources, microseconds since the epoch.
    pub span: Option<(i64, i64)>,
    /// How many events support it.
    pub count: u64,
    /// How far its confidence lies above that of the next root cause that is not its effect.
    pub margin: f64,
    /// Items that are not known, with the bits that knowing them is worth, the best first; for the first few only.
    pub wanted: Vec<(usize, f64)>,
    /// The same, as early and as late as they may have been where a zone is a guess.
    pub moments: Option<(i64, i64)>,
}

/// An evidence item that holds.
#[derive(Debug, Clone)]
pub struct Item {
    /// Index into the root cause's evidence.
    pub evidence: usize,
    /// Its hits, in order of source and line.
    pub hits: Vec<HitRef>,
    /// How many events there were in all.
    pub count: u64,
}

/// Ranks all root causes that anything speaks for, the most likely first.
pub fn rank(world: &World<'_>) -> Vec<Candidate> {
    let judged = observe::judge(world);
    let weighed = network::posteriors(world, &judged);
    let mut candidates: Vec<(f64, Candidate)> = judged
        .iter()
        .zip(weighed.posteriors.iter().zip(&weighed.were))
        .map(|(judged, (posterior, was))| (*posterior, candidate(world, judged, *posterior, *was)))
        .collect();
    let key = |(posterior, candidate): &(f64, Candidate)| order(world, *posterior, candidate);
    candidates.sort_by(|a, b| key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal));
    let mut candidates = causes_first(world, candidates.into_iter().map(|(_, candidate)| candidate).collect());
    fold(world, &mut candidates);
    forget_effects(world, &mut candidates);
    over_first(&mut candidates);
    margins(&mut candidates);
    for candidate in candidates.iter_mut().take(ASKED) {
        let Some(index) = judged.iter().position(|j| j.cause == candidate.cause) else { continue };
        candidate.wanted = wanted(world, &weighed, judged.get(index), index);
    }
    candidates
}

/// What would tell most about a root cause: items that are not known, with the bits they are worth, the best first.
fn wanted(
    world: &World<'_>,
    weighed: &network::Weighed,
    judged: Option<&observe::Judged>,
    index: usize,
) -> Vec<(usize, f64)> {
    let Some((judged, cause)) = judged.and_then(|j| Some((j, world.catalogue.causes.get(j.cause)?))) else {
        return Vec::new();
    };
    let open = judged.unknown.iter().chain(&judged.missing);
    let gain = |item: &usize| Some((*item, weighed.gain(index, cause.evidence.get(*item)?)));
    let mut wanted: Vec<(usize, f64)> = open.filter_map(gain).filter(|(_, bits)| *bits > 0.0).collect();
    wanted.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    wanted
}

/// How far each root cause lies before the next that is not its effect.
fn margins(candidates: &mut [Candidate]) {
    let list: Vec<(usize, f64)> = candidates.iter().map(|c| (c.cause, c.confidence)).collect();
    for (index, candidate) in candidates.iter_mut().enumerate() {
        let next = list.iter().skip(index + 1).find(|(cause, _)| !candidate.explains.contains(cause));
        let margin = candidate.confidence - next.map_or(0.0, |(_, c)| *c);
        candidate.margin = (margin * 1000.0).round() / 1000.0;
    }
}

/// Whether one may have brought about the other: it did not begin when that was over.
fn in_time(cause: Option<(i64, i64)>, effect: Option<(i64, i64)>) -> bool {
    match (cause, effect) {
        (Some((begin, _)), Some((_, end))) => begin <= end + SKEW,
        _ => true,
    }
}

/// Puts a root cause before those that it explains when both are likely, however sure the effect is: if the cause is
/// there, the effect is seen because of it. Otherwise the order stays.
fn causes_first(world: &World<'_>, candidates: Vec<Candidate>) -> Vec<Candidate> {
    let likely = candidates.iter().take_while(|c| c.confidence >= POSSIBLE).count();
    let mut open: Vec<Candidate> = candidates;
    let rest = open.split_off(likely);
    let mut sorted = Vec::with_capacity(likely);
    while !open.is_empty() {
        let mut top = 0;
        let mut seen = vec![top];
        while let Some(above) = (0..open.len())
            .find(|i| !seen.contains(i) && open.get(*i).zip(open.get(top)).is_some_and(|(a, b)| brings(world, a, b)))
        {
            top = above;
            seen.push(top);
        }
        sorted.push(open.remove(top));
    }
    sorted.extend(rest);
    sorted
}

/// Whether the first may account for the second: it brings it about or looks like it, and did not begin after that was over.
fn brings(world: &World<'_>, cause: &Candidate, effect: &Candidate) -> bool {
    let in_time = in_time(cause.moments, effect.moments);
    in_time && reached(world, cause.cause, |c| [c.explains.as_slice(), &c.mimics].concat()).contains(&effect.cause)
}

/// Root causes that one leads to by some edges, directly or through others.
fn reached(world: &World<'_>, cause: usize, edges: impl Fn(&Cause) -> Vec<usize>) -> Vec<usize> {
    let mut all = Vec::new();
    let mut open = vec![cause];
    while let Some(next) = open.pop() {
        for effect in world.catalogue.causes.get(next).into_iter().flat_map(&edges) {
            if effect != cause && !all.contains(&effect) {
                all.push(effect);
                open.push(effect);
            }
        }
    }
    all
}

/// The sort key: likely first, then severe, then early, then by id.
///
/// Confidence has a ceiling, so it is the posterior that tells two sure ones apart.
fn order<'w>(world: &'w World<'_>, posterior: f64, candidate: &Candidate) -> (f64, u8, i64, &'w str) {
    let cause = world.catalogue.causes.get(candidate.cause);
    let level = cause.map_or(0, |c| c.level as u8);
    let onset = candidate.span.map_or(i64::MAX, |(first, _)| first);
    let sure = (posterior * 1000.0).round();
    (-sure, u8::MAX - level, onset, cause.map_or("", |c| c.id.as_str()))
}

/// Adds the other names of the machine, when all names are of one.
fn complete(world: &World<'_>, mut entities: BTreeMap<String, Vec<String>>) -> BTreeMap<String, Vec<String>> {
    let names: Vec<(String, String)> =
        entities.iter().flat_map(|(k, values)| values.iter().map(move |v| (k.clone(), v.clone()))).collect();
    for (key, value) in world.graph.known(names.iter()) {
        if !names.iter().any(|(k, _)| *k == key) {
            entities.entry(key).or_default().push(value);
        }
    }
    entities
}

/// Names of what a hit speaks of: what its signature captures, and of the others those that the captures do not tell better.
fn concerned<'w>(world: &'w World<'_>, at: HitRef) -> impl Iterator<Item = &'w (String, String)> {
    let hit = world.hit(at);
    let captures = hit.map_or(&[][..], |h| h.captures.as_slice());
    let names = hit.map_or(&[][..], |h| &h.names);
    let of_another = world.catalogue.signatures.get(at.signature).is_some_and(|s| s.of_another);
    let writer = move |key: &str| of_another && WRITER.contains(&key);
    let told = move |key: &str| captures.iter().any(|(k, _)| k == key);
    captures.iter().chain(names.iter().filter(move |(key, _)| !told(key) && !writer(key)))
}

/// The confidence that a posterior of the network stands for.
fn calibrated(posterior: f64) -> f64 {
    if posterior <= POSSIBLE {
        return posterior;
    }
    let against = ((1.0 - posterior) / posterior).powf(SHARPNESS);
    1.0 / (1.0 + against)
}

fn candidate(world: &World<'_>, judged: &observe::Judged, posterior: f64, was: f64) -> Candidate {
    let shown = |posterior: f64| (calibrated(posterior).clamp(0.0, SUREST) * 1000.0).round() / 1000.0;
    let confidence = shown(posterior);
    let evidence = |i: &Item| world.catalogue.causes.get(judged.cause).and_then(|c| c.evidence.get(i.evidence));
    let mut items = judged.items.clone();
    items.sort_by(|a, b| {
        let weight = |i: &Item| evidence(i).map_or(0.0, |e| e.ratio().ln().abs());
        weight(b).total_cmp(&weight(a)).then(a.evidence.cmp(&b.evidence))
    });
    let supporting: Vec<&Item> = items.iter().filter(|i| evidence(i).is_some_and(|e| e.supports())).collect();
    let decisive = supporting.iter().any(|i| evidence(i).is_some_and(|e| e.ratio() >= DECISIVE * 0.99));
    let is_cured = items.iter().any(|i| evidence(i).is_some_and(|e| e.id == CURED));
    let over = Some(shown(was)).filter(|was| is_cured && confidence < POSSIBLE && *was >= POSSIBLE);
    let mut entities: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for at in supporting.iter().flat_map(|i| &i.hits) {
        for (key, value) in concerned(world, *at) {
            let values = entities.entry(key.clone()).or_default();
            if values.len() < ENTITY_VALUES && !values.contains(value) {
                values.push(value.clone());
            }
        }
    }
    Candidate {
        cause: judged.cause,
        confidence,
        verdict: Verdict::of(confidence, decisive),
        over,
        count: supporting.iter().map(|i| i.count).max().unwrap_or(0),
        span: onset::span(world, &supporting),
        items,
        unknown: judged.unknown.clone(),
        explains: Vec::new(),
        entities: complete(world, entities),
        margin: 0.0,
        wanted: Vec::new(),
        moments: judged.span,
    }
}

/// Names under each likely root cause those after it that it brings about; not those that it only looks like.
fn fold(world: &World<'_>, candidates: &mut [Candidate]) {
    for at in 0..candidates.len() {
        let (before, after) = candidates.split_at_mut(at + 1);
        let Some(candidate) = before.last_mut().filter(|c| c.confidence >= POSSIBLE) else { return };
        let effects = reached(world, candidate.cause, |c| c.explains.clone());
        let is_effect = |c: &&Candidate| effects.contains(&c.cause) && in_time(candidate.moments, c.moments);
        let mut explained: Vec<usize> = after.iter().filter(is_effect).map(|effect| effect.cause).collect();
        explained.sort_unstable();
        candidate.explains = explained;
    }
}

/// Of what was put right, leaves what only followed from something else that was.
fn forget_effects(world: &World<'_>, candidates: &mut [Candidate]) {
    let is_over = |c: &&Candidate| c.over.is_some();
    let effect = |c: &Candidate| candidates.iter().filter(is_over).any(|cause| brings(world, cause, c));
    let effects: Vec<usize> = candidates.iter().filter(|c| effect(c)).map(|c| c.cause).collect();
    for candidate in candidates.iter_mut().filter(|c| effects.contains(&c.cause)) {
        candidate.over = None;
    }
}

/// Where nothing is likely, puts what was put right before mere guesses, the surest first.
fn over_first(candidates: &mut [Candidate]) {
    if candidates.iter().all(|c| c.confidence < POSSIBLE) {
        candidates.sort_by(|a, b| b.over.unwrap_or_default().total_cmp(&a.over.unwrap_or_default()));
    }
}

/// How the versions seen in the input speak for or against a root cause: a likelihood ratio.
fn version_ratio(world: &World<'_>, cause: usize) -> f64 {
    let Some(cause) = world.catalogue.causes.get(cause) else { return 1.0 };
    let mut ratio = 1.0;
    for affected in &cause.applications {
        let seen: Vec<bool> = world
            .sources
            .iter()
            .flat_map(|s| &s.found.versions)
            .filter(|(name, _)| *name == affected.name)
            .filter_map(|(_, version)| Some(affected.covers(&Version::parse(version)?)))
            .collect();
        if seen.contains(&true) {
            ratio *= 1.5;
        } else if !seen.is_empty() {
            ratio /= 50.0;
        }
    }
    ratio
}

/// True when an item counts: it holds.
fn holds(truth: Truth) -> bool {
    truth == Truth::True
}
