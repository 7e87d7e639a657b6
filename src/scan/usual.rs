//! Markers of normal work: what stands on every tenth line of some logs is looked at only as often as it tells something.
//!
//! In a window of the source the first hits of a signature on lines below warning are looked at. Of the others counts
//! and sets learn nothing; order and elapsed time ask for the last one before something else happened, so its record is
//! remembered and tested when that happens, or when the window ends.
//!
//! A long source is looked at anew at some places ([`next_look`]): what was found often enough before is *sated*. From there on
//! only the last hit in each window is looked at, and the next ones where something happened that is judged
//! together with it. The places are fixed, so that the outcome does not depend on who reads what when.

use std::collections::BTreeMap;

use crate::catalog::{Attention, Catalogue, SignatureId};

use super::Tally;
use super::chunk::WINDOW;
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

/// Signatures that were found so often before some place of a source that more hits on ordinary lines tell little.
#[derive(Debug, Default)]
pub struct Sated(Vec<bool>);

impl Sated {
    /// By what was found before.
    pub fn after(tallies: &BTreeMap<SignatureId, Tally>, catalogue: &Catalogue) -> Self {
        let is_sated = |id: SignatureId| {
            let correlated = catalogue.signatures.get(id).is_some_and(|s| s.correlated);
            tallies.get(&id).is_some_and(|t| t.is_sated(correlated))
        };
        Self((0..catalogue.signatures.len()).map(is_sated).collect())
    }

    fn holds(&self, id: SignatureId) -> bool {
        self.0.get(id).is_some_and(|sated| *sated)
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
    postponed: Vec<(SignatureId, Record)>,
}

impl<'s> Usual<'s> {
    /// Only what is sated is usual at the start of a chunk that begins at `base`.
    pub fn new(base: u64, sated: &'s Sated) -> Self {
        let window = base / WINDOW;
        Self { sated, base, window, counts: Vec::new(), awake: Vec::new(), postponed: Vec::new() }
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
        true
    }

    /// Counts a hit on an ordinary line.
    pub fn count(&mut self, id: SignatureId) {
        if self.counts.len() <= id {
            self.counts.resize(id + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(id) {
            *count += 1;
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
        }
    }

    /// Remembers the last record on which a usual signature may hold.
    pub fn postpone(&mut self, id: SignatureId, record: Record) {
        match self.postponed.iter_mut().find(|(have, _)| *have == id) {
            Some((_, last)) => *last = record,
            None => self.postponed.push((id, record)),
        }
    }

    /// True when nothing is postponed.
    pub fn is_idle(&self) -> bool {
        self.postponed.is_empty()
    }

    /// The postponed record of a signature.
    pub fn take(&mut self, id: SignatureId) -> Option<Record> {
        let at = self.postponed.iter().position(|(have, _)| *have == id)?;
        Some(self.postponed.swap_remove(at).1)
    }

    /// All postponed records, by place and signature.
    pub fn take_all(&mut self) -> Vec<(SignatureId, Record)> {
        self.postponed.sort_unstable_by_key(|(id, record)| (record.from, *id));
        std::mem::take(&mut self.postponed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sated_is_usual_until_it_is_woken_and_again_in_the_next_window() {
        let sated = Sated(vec![true, false]);
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
