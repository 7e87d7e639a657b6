//! Markers of normal work: what stands on every tenth line of some logs is looked at only as often as it tells something.
//!
//! In a window of the source the first hits of a signature on lines below warning are looked at. Of the others counts
//! and sets learn nothing; order and elapsed time ask for the last one before something else happened, so its record is
//! remembered and tested when that happens, or when the window ends.

use std::collections::BTreeMap;

use crate::catalog::SignatureId;

use super::chunk::WINDOW;
use super::records::Record;

/// Hits of one signature on lines below warning that are looked at in a window.
const USUAL: u32 = 16;

/// What is usual in the window at hand.
pub struct Usual {
    /// Where the chunk begins in its source.
    base: u64,
    window: u64,
    counts: BTreeMap<SignatureId, u32>,
    postponed: BTreeMap<SignatureId, Record>,
}

impl Usual {
    /// Nothing is usual at the start of a chunk that begins at `base`.
    pub fn new(base: u64) -> Self {
        Self { base, window: base / WINDOW, counts: BTreeMap::new(), postponed: BTreeMap::new() }
    }

    /// Moves to the position `at` of the chunk. True when another window begins there: then what was postponed is due.
    pub fn enters(&mut self, at: usize) -> bool {
        let window = (self.base + at as u64) / WINDOW;
        if window == self.window {
            return false;
        }
        self.window = window;
        self.counts.clear();
        true
    }

    /// Counts a hit on an ordinary line.
    pub fn count(&mut self, id: SignatureId) {
        *self.counts.entry(id).or_default() += 1;
    }

    /// Whether a signature has held so often on ordinary lines that one more tells nothing new.
    pub fn is_usual(&self, id: SignatureId) -> bool {
        self.counts.get(&id).is_some_and(|n| *n >= USUAL)
    }

    /// Remembers the last record on which a usual signature may hold.
    pub fn postpone(&mut self, id: SignatureId, record: Record) {
        self.postponed.insert(id, record);
    }

    /// True when nothing is postponed.
    pub fn is_idle(&self) -> bool {
        self.postponed.is_empty()
    }

    /// The postponed record of a signature.
    pub fn take(&mut self, id: SignatureId) -> Option<Record> {
        self.postponed.remove(&id)
    }

    /// All postponed records.
    pub fn take_all(&mut self) -> BTreeMap<SignatureId, Record> {
        std::mem::take(&mut self.postponed)
    }
}
