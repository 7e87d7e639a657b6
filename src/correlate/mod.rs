//! From hits to findings: what each name in the catalogue's conditions amounts to over all sources.
//!
//! [`World`] holds the sources of a run and answers, for a signature or a correlation, whether it holds and on which
//! hits. Pure functions over hits that are already in memory: no IO, no clock. Invariant: what the input does not cover
//! is [`Truth::Unknown`], never false.

pub mod clock;
pub mod coverage;
mod cure;
pub mod entities;
pub mod miss;
mod window;
pub mod zone;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::catalog::{Catalogue, Expr, ServiceSet, SignatureId, Term, Truth};
use crate::event::time::SECOND;
use crate::event::{RawTime, Service};
use crate::scan::{Hit, SourceOutcome, TimeKind, ZoneKnown};
use clock::Clocks;
use coverage::Coverage;
use entities::EntityGraph;

/// How far a zone can lie from UTC.
const WIDEST_ZONE: i64 = 14 * 3600 * SECOND;

/// A hit by source and position among the hits of its signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HitRef {
    /// Index of the source.
    pub source: usize,
    /// Which signature.
    pub signature: SignatureId,
    /// Index among the hits kept.
    pub index: usize,
}

/// A finding: whether a condition holds, and on what.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Whether it holds.
    pub truth: Truth,
    /// The hits it holds on.
    pub hits: Vec<HitRef>,
    /// How often it came about: events where events are counted, else windows in which all of it came together.
    pub times: u64,
}

impl Finding {
    fn unknown() -> Self {
        Self { truth: Truth::Unknown, hits: Vec::new(), times: 0 }
    }

    fn from_hits(hits: Vec<HitRef>) -> Self {
        let truth = if hits.is_empty() { Truth::False } else { Truth::True };
        Self { truth, times: hits.len() as u64, hits }
    }
}

/// The sources of a run, ready to be asked.
pub struct World<'w> {
    /// The catalogue.
    pub catalogue: &'w Catalogue,
    /// All sources, in order of label.
    pub sources: &'w [SourceOutcome],
    /// Names that belong to one thing.
    pub graph: EntityGraph,
    /// How far the clocks of sources are apart.
    pub clocks: Clocks,
    coverage: Coverage,
    by_signature: HashMap<SignatureId, Vec<HitRef>>,
    correlations: RefCell<HashMap<usize, Finding>>,
    group_keys: RefCell<HashMap<(SignatureId, Vec<String>), GroupKeys>>,
}

/// The group of each hit of a signature: `None` where it lacks a name that must agree.
type GroupKeys = Rc<[Option<Vec<String>>]>;

impl<'w> World<'w> {
    /// Puts the sources of a run together.
    pub fn new(catalogue: &'w Catalogue, sources: &'w [SourceOutcome]) -> Self {
        let mut by_signature: HashMap<SignatureId, Vec<HitRef>> = HashMap::new();
        for (source, outcome) in sources.iter().enumerate() {
            for (signature, tally) in &outcome.found.tallies {
                let refs = (0..tally.hits.len()).map(|index| HitRef { source, signature: *signature, index });
                by_signature.entry(*signature).or_default().extend(refs);
            }
        }
        let graph = EntityGraph::new(sources.iter().flat_map(|s| s.found.links.iter()));
        let clocks = Clocks::default();
        let (correlations, group_keys) = (RefCell::default(), RefCell::default());
        let mut world = Self {
            catalogue,
            sources,
            graph,
            clocks,
            coverage: Coverage::default(),
            by_signature,
            correlations,
            group_keys,
        };
        world.clocks = clock::compare(&world);
        world.coverage = Coverage::new(sources, &world.clocks);
        world
    }

    /// The hits kept of a signature, by source and line.
    pub fn hits(&self, signature: SignatureId) -> &[HitRef] {
        self.by_signature.get(&signature).map_or(&[], Vec::as_slice)
    }

    /// The group of each hit of a signature, in the order of [`World::hits`]; looked up once, since many rules group alike.
    fn group_keys(&self, signature: SignatureId, keys: &[String]) -> GroupKeys {
        let place = (signature, keys.to_vec());
        if let Some(known) = self.group_keys.borrow().get(&place) {
            return Rc::clone(known);
        }
        let found: GroupKeys = self.hits(signature).iter().map(|at| window::group_key(self, *at, keys)).collect();
        self.group_keys.borrow_mut().insert(place, Rc::clone(&found));
        found
    }

    /// The hit itself.
    pub fn hit(&self, at: HitRef) -> Option<&Hit> {
        self.sources.get(at.source)?.found.tallies.get(&at.signature)?.hits.get(at.index)
    }

    /// Whether a signature was found so often before this time that later hits may have been passed over.
    fn may_be_passed_over(&self, signature: SignatureId, until: i64) -> bool {
        let tallies = self.sources.iter().filter_map(|s| s.found.tallies.get(&signature));
        let mut times = tallies.filter_map(|t| t.sated_at()?.time);
        times.any(|t| t.kind == TimeKind::SinceBoot || t.micros <= until)
    }

    /// Whether hits of a signature before this moment may have been given up for those of other sources.
    fn may_be_given_up(&self, signature: SignatureId, until: (usize, i64)) -> bool {
        let given_up = |(source, outcome): (usize, &SourceOutcome)| {
            let tally = outcome.found.tallies.get(&signature)?;
            self.dated(source, tally.thinned_at()?)
        };
        let mut moments = self.sources.iter().enumerate().filter_map(given_up);
        moments.any(|from| from.0 != until.0 || from.1 <= until.1)
    }

    /// How often a signature hit, over all sources.
    pub fn count(&self, signature: SignatureId) -> u64 {
        self.sources.iter().filter_map(|s| s.found.tallies.get(&signature)).map(|t| t.count).sum()
    }

    /// Whether some source holds events of one of these services.
    pub fn has_service(&self, services: ServiceSet) -> bool {
        self.sources.iter().any(|s| s.services.iter().any(|service| services.contains(*service)))
    }

    /// Whether some log of one of these services covers a span of time.
    fn covers(&self, services: ServiceSet, span: (i64, i64)) -> bool {
        self.coverage.covers(services, span)
    }

    /// Services whose logs show what a source shows: a task's own log ends with the task, lists of tasks go on.
    fn writers(&self, source: usize) -> ServiceSet {
        let of_tasks = [Service::PveTask, Service::PveTaskIndex, Service::PveJournal];
        let own = self.sources.get(source).map_or(&[][..], |s| s.services.as_slice());
        let tasks = own.contains(&Service::PveTask) || own.contains(&Service::PveTaskIndex);
        // CoreDNS writes little; where it was collected, the logs of other pods were too.
        let pods = own.contains(&Service::Coredns).then_some(Service::Kubernetes);
        own.iter().copied().chain(of_tasks.into_iter().filter(|_| tasks)).chain(pods).collect()
    }

    /// Whether a source, or a log that shows the same, goes on over a time; and how long the longest of them is.
    fn goes_on(&self, source: usize, span: (i64, i64)) -> (bool, i64) {
        let services = self.writers(source);
        // A later line of any kind shows that the log was written meanwhile, however seldom it is.
        let own = self.span(source);
        let later = own.is_some_and(|(_, last)| last >= span.1);
        let reach = own.map_or(0, |(first, last)| last - first).max(self.coverage.reach(services));
        (later || self.coverage.covers(services, span), reach)
    }

    /// Whether a signature tests documents that show a state as it is now: their time tells when it last changed.
    pub fn is_state(&self, signature: SignatureId) -> bool {
        self.catalogue.signatures.get(signature).is_some_and(|s| !s.formats.is_empty())
    }

    /// Whether a signature was found so often in some source that hits of it may be missing.
    fn is_frequent(&self, signature: SignatureId, many: usize) -> bool {
        let mut tallies = self.sources.iter().filter_map(|s| s.found.tallies.get(&signature));
        tallies.any(|t| t.hits.len() >= many || t.count != t.hits.len() as u64)
    }

    /// Whether all hits of a signature in a source were kept.
    fn keeps_all(&self, source: usize, signature: SignatureId) -> bool {
        let tally = self.sources.get(source).and_then(|s| s.found.tallies.get(&signature));
        tally.is_none_or(|t| t.count == t.hits.len() as u64)
    }

    /// What a condition amounts to. Its hits are those of the names that hold and prove it: un-negated, not behind `given`.
    pub fn find(&self, condition: &Expr<Term>) -> Finding {
        let truth = condition.evaluate(&mut |term| self.term(*term).truth);
        let (mut hits, mut events, mut windows) = (Vec::new(), 0, 0);
        if truth == Truth::True {
            condition.cited(&mut |term| {
                let finding = self.term(*term);
                if finding.truth == Truth::True {
                    hits.extend(finding.hits);
                    match term {
                        Term::Signature(_) => events += finding.times,
                        Term::Correlation(_) => windows = finding.times.max(windows),
                    }
                }
            });
        }
        hits.sort_unstable();
        hits.dedup();
        Finding { truth, hits, times: windows.max(events) }
    }

    fn term(&self, term: Term) -> Finding {
        match term {
            Term::Signature(signature) => {
                let found = Finding::from_hits(self.hits(signature).to_vec());
                Finding { times: self.count(signature), ..found }
            }
            Term::Correlation(index) => {
                if let Some(known) = self.correlations.borrow().get(&index) {
                    return known.clone();
                }
                let finding =
                    self.catalogue.correlations.get(index).map_or_else(Finding::unknown, |c| window::evaluate(self, c));
                self.correlations.borrow_mut().insert(index, finding.clone());
                finding
            }
        }
    }

    /// First and last time of a source, on one clock for all sources, microseconds since the epoch.
    pub fn span(&self, source: usize) -> Option<(i64, i64)> {
        let ahead = self.clocks.ahead(source);
        self.sources.get(source)?.span.map(|(first, last)| (first - ahead, last - ahead))
    }

    /// When a hit was written, on one clock for all sources, microseconds since the epoch; `None` since boot.
    pub fn time(&self, at: HitRef) -> Option<i64> {
        self.moment(at).filter(|(domain, _)| *domain == 0).map(|(_, micros)| micros)
    }

    /// By how much the time of a hit may be wrong because its zone is a guess, microseconds.
    pub fn doubt(&self, at: HitRef) -> i64 {
        let local = |hit: &Hit| matches!(hit.raw, RawTime::Local(_) | RawTime::Yearless(_));
        let assumed = self.sources.get(at.source).is_some_and(|s| s.zone.known == ZoneKnown::Assumed);
        let compared = self.clocks.skews.get(at.source).is_some_and(Option::is_some);
        if assumed && !compared && self.hit(at).is_some_and(local) { WIDEST_ZONE } else { 0 }
    }

    /// The time of a hit that can be compared with those of other hits: absolute, or since boot in its own source.
    fn moment(&self, at: HitRef) -> Option<(usize, i64)> {
        self.dated(at.source, self.hit(at)?)
    }

    fn dated(&self, source: usize, hit: &Hit) -> Option<(usize, i64)> {
        let time = hit.time?;
        Some(match time.kind {
            TimeKind::SinceBoot => (source + 1, time.micros),
            _ => (0, time.micros - self.clocks.ahead(source)),
        })
    }
}
