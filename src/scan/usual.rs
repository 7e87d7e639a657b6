//! Markers of normal work: what stands on every tenth line of some logs is looked at only as often as it tells something.
//!
//! In a window of the source the first hits of a signature on lines below warning are looked at. Of the others counts
//! and sets learn nothing; order and elapsed time ask for the last one before something else happened, so its record is
//! remembered and tested when that happens, or when the window ends.

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
    /// By signature.
    counts: Vec<u32>,
    /// A few at a time.
    postponed: Vec<(SignatureId, Record)>,
}

impl Usual {
    /// Nothing is usual at the start of a chunk that begins at `base`.
    pub fn new(base: u64) -> Self {
        Self { base, window: base / WINDOW, counts: Vec::new(), postponed: Vec::new() }
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
        if self.counts.len() <= id {
            self.counts.resize(id + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(id) {
            *count += 1;
        }
    }

    /// Whether a signature has held so often on ordinary lines that one more tells nothing new.
    pub fn is_usual(&self, id: SignatureId) -> bool {
        self.counts.get(id).is_some_and(|n| *n >= USUAL)
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

    /// All postponed records, by signature.
    pub fn take_all(&mut self) -> Vec<(SignatureId, Record)> {
        self.postponed.sort_unstable_by_key(|(id, _)| *id);
        std::mem::take(&mut self.postponed)
    }
}
