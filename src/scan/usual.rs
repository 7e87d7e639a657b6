//! Markers of normal work: what stands on every tenth line of some logs is looked at only as often as it tells something.
//!
//! In a window of the source the first hits of a signature on lines below warning are looked at. Of the others counts
//! and sets learn nothing; order and elapsed time ask for the last one before something else happened, so the newest
//! records are remembered and the last one that may hold is tested when that happens, or when the window ends.
//!
//! A long source is looked at anew at some places ([`next_look`]): what was found often enough before is *sated*. From there on
//! only the last hit in each window is looked at, and the next ones where something happened that is judged
//! together with it. The places are fixed, so that the outcome does not depend on who reads what when.

use rustc_hash::FxHashSet;

use crate::catalog::{Attention, Catalogue, SignatureId};

use super::Tally;
use super::chunk::{ChunkOutcome, WINDOW};
use super::records::Record;

/// The first place at which a source is looked at anew.
const FIRST_LOOK: u64 = 1 << 20;
/// The longest way between two such places.
const FARTHEST_LOOK: u64 = 32 << 20;

/// The next place behind `at` at which a source is looked at anew: ever farther apart, all of them multiples of the first.
pub fn next_look(at: u64) -> u64 {
    let mut look = FIRST_LOOK;
    while look <= at {
        look += look.min(FARTHEST_LOOK);
    }
    look
}

/// What was found before some place of a source, as far as more of it tells little.
#[derive(Debug, Default)]
pub struct Sated {
    /// For each signature, whether it was found so often that more hits on ordinary lines tell little.
    signatures: Vec<bool>,
    /// For each signature, whether no more of its hits keep their text.
    told: Vec<bool>,
    /// Templates of lines that nothing explains, whose first line is kept already.
    templates: FxHashSet<u64>,
}

impl Sated {
    /// By what was found before.
    pub fn after(found: &ChunkOutcome, catalogue: &Catalogue) -> Self {
        let is_sated = |id: SignatureId| {
            let correlated = catalogue.signatures.get(id).is_some_and(|s| s.correlated);
            found.tallies.get(&id).is_some_and(|t| t.is_sated(correlated))
        };
        let is_told = |id: SignatureId| found.tallies.get(&id).is_some_and(Tally::is_told);
        Self {
            signatures: (0..catalogue.signatures.len()).map(is_sated).collect(),
            told: (0..catalogue.signatures.len()).map(is_told).collect(),
            templates: found.clusters.templates().collect(),
        }
    }

    /// Templates of lines that nothing explains, whose first line is kept already.
    pub fn templates(&self) -> &FxHashSet<u64> {
        &self.templates
    }

    /// Whether no more hits of a signature keep their text.
    pub fn is_told(&self, id: SignatureId) -> bool {
        self.told.get(id).is_some_and(|told| *told)
    }

    fn holds(&self, id: SignatureId) -> bool {
        self.signatures.get(id).is_some_and(|sated| *sated)
    }
}

/// Hits of one signature on lines below warning that are looked at in a window.
const USUAL: u32 = 16;

/// What is usual in the window at hand.
pub struct Usual<'s> {
    sated: &'s Sated,
    /// Where the chunk begins in its source.
    base: u64,
    window: u64,
    /// By signature.
    counts: Vec<u32>,
    /// Sated signatures that are looked at again in this window.
    awake: Vec<SignatureId>,
    /// A few at a time.
    postponed: Vec<Postponed>,
    version: u32,
}

/// Records kept unlooked at: most are never asked for.
const UNSEEN: usize = 32;

/// Records on which some usual signatures may hold; of each signature the last one that does counts.
struct Postponed {
    /// The name of the group, and the version at which it was put together; `None` when a signature was taken out of it, so that
    /// no more come.
    group: Option<(u32, u32)>,
    /// Each with the last record that was looked at and may hold.
    ids: Vec<(SignatureId, Option<Record>)>,
    /// Later ones, not looked at.
    unseen: Vec<Record>,
}

/// Signatures that are postponed together, and where they were found last.
pub struct Group<'g> {
    /// Stands for them as long as the version is the same.
    pub name: u32,
    /// A place among what is postponed: a guess.
    pub last: &'g mut usize,
}

impl Postponed {
    /// The last record on which a signature `may_hold`.
    fn last(&self, id: SignatureId, may_hold: &mut dyn FnMut(SignatureId, &Record) -> bool) -> Option<Record> {
        let (_, seen) = self.ids.iter().find(|(have, _)| *have == id)?;
        self.unseen.iter().rev().find(|record| may_hold(id, record)).copied().or(*seen)
    }

    /// Looks at what was not looked at.
    fn look(&mut self, may_hold: &mut dyn FnMut(SignatureId, &Record) -> bool) {
        for (id, seen) in &mut self.ids {
            let last = self.unseen.iter().rev().find(|record| may_hold(*id, record)).copied();
            *seen = last.or(*seen);
        }
        self.unseen.clear();
    }
}

impl<'s> Usual<'s> {
    /// Only what is sated is usual at the start of a chunk that begins at `base`.
    pub fn new(base: u64, sated: &'s Sated) -> Self {
        let window = base / WINDOW;
        Self { sated, base, window, counts: Vec::new(), awake: Vec::new(), postponed: Vec::new(), version: 0 }
    }

    /// Moves to the position `at` of the chunk. True when another window begins there: then what was postponed is due.
    pub fn enters(&mut self, at: usize) -> bool {
        let window = (self.base + at as u64) / WINDOW;
        if window == self.window {
            return false;
        }
        self.window = window;
        self.counts.clear();
        self.awake.clear();
        self.version += 1;
        true
    }

    /// Changes whenever another signature becomes usual or ceases to be.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Counts a hit on an ordinary line.
    pub fn count(&mut self, id: SignatureId) {
        if self.counts.len() <= id {
            self.counts.resize(id + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(id) {
            *count += 1;
            self.version += u32::from(*count == USUAL);
        }
    }

    /// Whether a hit on an ordinary line counts towards what is usual.
    pub fn counts(&self, id: SignatureId, attention: Attention) -> bool {
        attention < Attention::Every || self.is_sated(id)
    }

    /// Whether a signature has held so often on ordinary lines that one more tells nothing new.
    pub fn is_usual(&self, id: SignatureId) -> bool {
        self.is_sated(id) && !self.awake.contains(&id) || self.counts.get(id).is_some_and(|n| *n >= USUAL)
    }

    /// Whether a signature was found often enough before this chunk.
    pub fn is_sated(&self, id: SignatureId) -> bool {
        self.sated.holds(id)
    }

    /// Looks at a signature again in this window, if it is sated.
    pub fn wake(&mut self, id: SignatureId) {
        if self.is_sated(id) && !self.awake.contains(&id) {
            self.awake.push(id);
            self.version += 1;
        }
    }

    /// Remembers a record on which usual signatures may hold. Whether they do is asked later, for few of them.
    pub fn postpone(
        &mut self,
        group: Group<'_>,
        ids: &[SignatureId],
        record: &Record,
        may_hold: &mut dyn FnMut(SignatureId, &Record) -> bool,
    ) {
        let Group { name, last } = group;
        let name = Some((name, self.version));
        if self.postponed.get(*last).is_none_or(|have| have.group != name) {
            let at = self.postponed.iter().position(|have| have.group == name);
            *last = at.unwrap_or(self.postponed.len());
        }
        let Some(have) = self.postponed.get_mut(*last) else {
            let ids = ids.iter().map(|id| (*id, None)).collect();
            self.postponed.push(Postponed { group: name, ids, unseen: vec![*record] });
            return;
        };
        if have.unseen.last().is_some_and(|last| last.from == record.from) {
            return;
        }
        if have.unseen.len() >= UNSEEN {
            have.look(may_hold);
        }
        have.unseen.push(*record);
    }

    /// True when nothing is postponed.
    pub fn is_idle(&self) -> bool {
        self.postponed.is_empty()
    }

    /// The last postponed record of a signature that `may_hold`; it waits for no more.
    pub fn take(&mut self, id: SignatureId, may_hold: &mut dyn FnMut(SignatureId, &Record) -> bool) -> Option<Record> {
        let last = self.newest(id, may_hold);
        for have in &mut self.postponed {
            let before = have.ids.len();
            have.ids.retain(|(other, _)| *other != id);
            have.group = have.group.filter(|_| have.ids.len() == before);
        }
        self.postponed.retain(|have| !have.ids.is_empty());
        last
    }

    /// The last postponed record of a signature that `may_hold`.
    fn newest(&self, id: SignatureId, may_hold: &mut dyn FnMut(SignatureId, &Record) -> bool) -> Option<Record> {
        self.postponed.iter().filter_map(|have| have.last(id, may_hold)).max_by_key(|record| record.from)
    }

    /// For each signature the last postponed record that `may_hold`, by place and signature.
    pub fn take_all(&mut self, may_hold: &mut dyn FnMut(SignatureId, &Record) -> bool) -> Vec<(SignatureId, Record)> {
        let mut ids: Vec<_> = self.postponed.iter().flat_map(|have| have.ids.iter().map(|(id, _)| *id)).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut last: Vec<_> = ids.into_iter().filter_map(|id| Some((id, self.newest(id, may_hold)?))).collect();
        self.postponed.clear();
        last.sort_unstable_by_key(|(id, record)| (record.from, *id));
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sated_is_usual_until_it_is_woken_and_again_in_the_next_window() {
        let sated = Sated { signatures: vec![true, false], ..Sated::default() };
        let mut usual = Usual::new(0, &sated);
        assert!(usual.is_usual(0) && !usual.is_usual(1));
        usual.wake(0);
        assert!(!usual.is_usual(0));
        (0..USUAL).for_each(|_| usual.count(0));
        assert!(usual.is_usual(0));
        assert!(usual.enters(WINDOW as usize));
        assert!(usual.is_usual(0) && !usual.is_usual(1));
    }

    #[test]
    fn a_source_is_looked_at_anew_ever_more_rarely() {
        let mib = |n: u64| n << 20;
        for (at, next) in [(0, 1), (1, 2), (3, 4), (31, 32), (32, 64), (64, 96), (100, 128)] {
            assert_eq!(next_look(mib(at)), mib(next), "{at}");
        }
        assert_eq!(next_look(mib(32) - 1), mib(32));
    }
}
