//! The room for hits over all sources: few sources have it to themselves, many must share.
//!
//! Every tally may keep as many hits from its start as leaves room for those of all others; rare signatures lose nothing,
//! frequent ones their middle. Invariant: what is kept at last depends neither on the order in which sources come nor on
//! how often they are made to share; names of hits that are given up stay known, up to a limit.

use std::collections::BTreeSet;

use super::SourceOutcome;
use super::hits::Tally;

/// Hits kept over all sources, some 10 MiB; tickets and bundles have a tenth of that.
const HITS: usize = 20 << 10;
/// Hits from its start that a tally keeps however many sources there are.
const LEAST: usize = 2;
/// Hits from its start that no tally has more than.
const MOST: usize = 1 << 16;
/// Names of hits given up that stay known.
const NAMES: usize = 20_000;

/// The room, and what is known of hits that had to leave it.
#[derive(Debug)]
pub struct Room {
    hits: usize,
    /// Hits in the room.
    kept: usize,
    /// So many and it is made tidy.
    untidy: usize,
    /// Kinds and names of things that hits given up spoke of.
    pub names: BTreeSet<(String, String)>,
}

impl Default for Room {
    fn default() -> Self {
        Self::of(HITS)
    }
}

impl Room {
    /// Room for so many hits.
    fn of(hits: usize) -> Self {
        Self { hits, kept: 0, untidy: hits + hits / 4, names: BTreeSet::new() }
    }

    /// Counts the hits of one more source. True when it is time to [`share`](Self::share).
    #[must_use]
    pub fn add(&mut self, source: &SourceOutcome) -> bool {
        self.kept += source.found.tallies.values().map(|tally| tally.hits.len()).sum::<usize>();
        self.kept > self.untidy
    }

    /// Makes all sources share the room.
    pub fn share<'s>(&mut self, sources: impl Iterator<Item = &'s mut SourceOutcome>) {
        let mut tallies: Vec<&mut Tally> = sources.flat_map(|s| s.found.tallies.values_mut()).collect();
        let level = level(&tallies, self.hits);
        for tally in &mut tallies {
            for hit in tally.thin(level) {
                self.names.extend(hit.entities().cloned());
            }
            while self.names.len() > NAMES {
                self.names.pop_last();
            }
        }
        self.kept = tallies.iter().map(|tally| tally.hits.len()).sum();
        // At the lowest level nothing can be gained before there are many more.
        self.untidy = self.untidy.max(self.kept + self.kept / 4);
    }
}

/// The highest level at which all hits fit.
fn level(tallies: &[&mut Tally], hits: usize) -> usize {
    let fits = |level: usize| tallies.iter().map(|tally| tally.thinned_to(level)).sum::<usize>() <= hits;
    let (mut low, mut high) = (LEAST, MOST);
    while low < high {
        let middle = (low + high).div_ceil(2);
        if fits(middle) { low = middle } else { high = middle - 1 }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::Hit;

    /// A source with so many hits of each signature, each on a thing of its own.
    fn source(name: usize, counts: &[u64]) -> SourceOutcome {
        let mut outcome = SourceOutcome::default();
        for (signature, count) in counts.iter().enumerate() {
            let tally = outcome.found.tallies.entry(signature).or_default();
            for line in 1..=*count {
                let captures = vec![("talos.node".to_owned(), format!("node-{name}-{signature}-{line}"))];
                tally.push(Hit { line, captures, ..Hit::default() }, true);
            }
        }
        outcome
    }

    type Lines = Vec<Vec<(u64, Vec<u64>)>>;

    fn lines(sources: &[SourceOutcome]) -> Lines {
        let tally = |t: &Tally| (t.count, t.hits.iter().map(|h| h.line).collect());
        sources.iter().map(|s| s.found.tallies.values().map(tally).collect()).collect()
    }

    /// What is left of sources that come one after the other, in this order, and the names that are not kept with them.
    fn shared(room: usize, order: &[usize], all: &[SourceOutcome]) -> (Lines, BTreeSet<(String, String)>) {
        let mut room = Room::of(room);
        let mut come: Vec<(usize, SourceOutcome)> = Vec::new();
        for index in order {
            let copy = source(*index, &counts(&all[*index]));
            let full = room.add(&copy);
            come.push((*index, copy));
            if full {
                room.share(come.iter_mut().map(|(_, s)| s));
            }
        }
        room.share(come.iter_mut().map(|(_, s)| s));
        come.sort_by_key(|(index, _)| *index);
        (lines(&come.into_iter().map(|(_, s)| s).collect::<Vec<_>>()), room.names)
    }

    fn counts(source: &SourceOutcome) -> Vec<u64> {
        source.found.tallies.values().map(|t| t.count).collect()
    }

    #[test]
    fn hits_that_fit_are_all_kept() {
        let sources: Vec<SourceOutcome> = (0..20).map(|n| source(n, &[n as u64, 300, 2])).collect();
        let (kept, names) = shared(100_000, &(0..20).collect::<Vec<_>>(), &sources);
        assert_eq!(kept, lines(&sources));
        assert!(names.is_empty());
    }

    #[test]
    fn the_frequent_give_way_and_the_order_in_which_sources_come_does_not_matter() {
        let sources: Vec<SourceOutcome> = (0..40).map(|n| source(n, &[1500, 5, (n * 37 % 400) as u64])).collect();
        let forward: Vec<usize> = (0..40).collect();
        let mixed: Vec<usize> = (0..40).map(|n| n * 17 % 40).collect();
        let (kept, names) = shared(4_000, &forward, &sources);
        assert_eq!((kept.clone(), names.clone()), shared(4_000, &mixed, &sources));
        let all = || kept.iter().flatten();
        let count: usize = all().map(|(_, lines)| lines.len()).sum();
        assert!((3_800..=4_000).contains(&count), "{count} hits are kept");
        assert!(all().all(|(count, lines)| *count != 5 || lines.len() == 5), "a rare signature lost hits");
        assert!(all().all(|(count, lines)| *count == 0 || lines.last() == Some(count)), "the end of a source is lost");
        let known = names.len() + count;
        assert_eq!(known as u64, sources.iter().flat_map(counts).sum::<u64>().min((NAMES + count) as u64));
    }

    #[test]
    fn every_signature_of_every_source_keeps_something() {
        let sources: Vec<SourceOutcome> = (0..50).map(|n| source(n, &[100, 100])).collect();
        let (kept, _) = shared(10, &(0..50).collect::<Vec<_>>(), &sources);
        assert!(kept.iter().flatten().all(|(count, lines)| (*count, lines.as_slice()) == (100, &[1, 2, 100])));
    }
}
