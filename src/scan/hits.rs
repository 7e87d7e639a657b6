//! What signatures found in a source: counted exactly, kept only as far as reports and correlations need.

use std::sync::Arc;

use crate::event::{RawTime, Service, Severity};

use super::Clock;

/// Hits kept from the start of a source, for each signature.
const FIRST: usize = 48;
/// Hits kept from its end.
const LAST: usize = 16;
/// Hits kept from the start for signatures that a correlation looks at.
const FIRST_CORRELATED: usize = 2_000;
/// Kept hits from which on more of them on ordinary lines tell a correlation little.
const SATED: usize = 512;
/// Hits that keep their text.
const WITH_TEXT: usize = 6;
/// Bytes of a hit's text.
pub const EXCERPT: usize = 2_000;

/// A time and how it was obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    /// Microseconds since the epoch, or since boot for [`TimeKind::SinceBoot`].
    pub micros: i64,
    /// How it was obtained.
    pub kind: TimeKind,
}

/// How a time was obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeKind {
    /// The record tells all of it.
    Exact,
    /// The zone is assumed.
    ZoneAssumed,
    /// The year (and the zone) is inferred.
    YearInferred,
    /// Since the boot of a machine: comparable only inside its source.
    SinceBoot,
}

/// One event that a signature holds on.
#[derive(Debug, Clone, Default)]
pub struct Hit {
    /// Line in its source, from 1.
    pub line: u64,
    /// The stamp as read.
    pub raw: RawTime,
    /// True when the stamp is that of an earlier record.
    pub inherited: bool,
    /// The time, once the source is read.
    pub time: Option<Time>,
    /// The event's severity.
    pub severity: Severity,
    /// The event's service.
    pub service: Option<Service>,
    /// Values that the signature captured.
    pub captures: Vec<(String, String)>,
    /// Names of things the event speaks of, shared by all hits on the event.
    pub names: Arc<[(String, String)]>,
    /// The text of the record, for some hits only.
    pub excerpt: String,
    /// The piece of it that decided.
    pub decisive: Option<String>,
    /// A hash of what the event says, without its stamp.
    pub text: u64,
}

impl Hit {
    /// Names of things the event speaks of, what was captured first.
    pub fn entities(&self) -> impl Iterator<Item = &(String, String)> {
        self.captures.iter().chain(self.names.iter())
    }

    /// The value of an entity.
    pub fn entity(&self, key: &str) -> Option<&str> {
        self.entities().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    /// Whether both speak of the same things.
    fn same_things(&self, other: &Self) -> bool {
        self.captures == other.captures && self.names == other.names
    }
}

/// All hits of one signature in one source.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// How many there were.
    pub count: u64,
    /// The first ones, then the last ones, in order of line.
    pub hits: Vec<Hit>,
    first: usize,
    /// Whether hits were given up for those of other sources.
    thinned: bool,
}

impl Tally {
    /// Whether the text of a hit would be kept.
    pub fn keeps_text(&self, hit: &Hit) -> bool {
        let new = self.hits.last().is_none_or(|last| !last.same_things(hit));
        self.hits.len() < WITH_TEXT || (new && self.hits.len() < FIRST)
    }

    /// Whether so many hits are kept that no further one keeps its text, whatever it speaks of.
    pub fn is_told(&self) -> bool {
        self.hits.len() >= FIRST.max(WITH_TEXT)
    }

    /// Whether so many hits are kept that more of them on ordinary lines tell little.
    pub fn is_sated(&self, correlated: bool) -> bool {
        self.hits.len() >= if correlated { SATED } else { FIRST }
    }

    /// The hit behind which some may have been passed over, if there are so many.
    pub fn sated_at(&self) -> Option<&Hit> {
        self.thinned_at().or_else(|| self.hits.get(SATED - 1))
    }

    /// The hit behind which some were given up, if they were.
    pub fn thinned_at(&self) -> Option<&Hit> {
        self.hits.get(self.first.checked_sub(1)?).filter(|_| self.thinned)
    }

    /// How many hits [`Self::thin`] would leave.
    pub fn thinned_to(&self, level: usize) -> usize {
        self.hits.len().min(level + last_at(level))
    }

    /// Gives up hits behind the first `level` but for a few last ones, and hands them out. To thin twice is to thin once to the
    /// lower level, so that it does not matter when it happens.
    pub fn thin(&mut self, level: usize) -> impl Iterator<Item = Hit> + use<> {
        let kept = self.thinned_to(level);
        let surplus = level.min(kept)..self.hits.len() - (kept - level.min(kept));
        let given_up: Vec<Hit> = self.hits.drain(surplus).collect();
        if !given_up.is_empty() {
            self.first = self.first.min(level);
            self.thinned = true;
        }
        self.hits.shrink_to_fit();
        given_up.into_iter()
    }

    /// Counts a hit and keeps it if it is among the first or the last.
    pub fn push(&mut self, mut hit: Hit, correlated: bool) {
        self.count += 1;
        if !self.keeps_text(&hit) {
            hit.excerpt = String::new();
            hit.decisive = None;
        }
        let limit = if correlated { FIRST_CORRELATED } else { FIRST };
        if self.first < limit {
            self.first += 1;
            self.hits.push(hit);
            return;
        }
        if self.hits.len() >= self.first + LAST {
            self.hits.remove(self.first);
        }
        self.hits.push(hit);
    }

    /// Adds the hits of the following chunk, whose lines begin after `lines`.
    pub fn absorb(&mut self, later: Self, lines: u64, before: RawTime, correlated: bool) {
        let kept = later.hits.len() as u64;
        for mut hit in later.hits {
            hit.line += lines;
            if hit.raw == RawTime::None && before.is_some() {
                hit.raw = before;
                hit.inherited = true;
            }
            self.push(hit, correlated);
        }
        self.count += later.count - kept;
    }

    /// Forgets hits between the first `first` and the last `last`, so that a source that never ends keeps what is new.
    pub fn slide(&mut self, first: usize, last: usize) {
        if self.hits.len() > first + last {
            self.hits.drain(first..self.hits.len() - last);
            self.first = self.hits.len();
        }
    }

    /// Forgets hits on lines before `line`. False when none is left; how many there were stays counted otherwise.
    pub fn forget_before(&mut self, line: u64) -> bool {
        self.hits.retain(|hit| hit.line >= line);
        self.first = self.first.min(self.hits.len());
        !self.hits.is_empty()
    }

    /// Turns stamps into times; records without any take `start`.
    pub fn settle(&mut self, clock: &Clock, start: Option<i64>) {
        for hit in &mut self.hits {
            hit.inherited |= !hit.raw.is_some();
            hit.time = clock.resolve(hit.raw).or(start.map(|micros| Time { micros, kind: TimeKind::Exact }));
        }
    }

    /// Drops hits outside of a span; hits without an absolute time stay. False when none is left.
    pub fn keep(&mut self, since: i64, until: i64) -> bool {
        let before = self.hits.len();
        self.hits.retain(|hit| match hit.time {
            Some(Time { kind: TimeKind::SinceBoot, .. }) | None => true,
            Some(time) => (since..=until).contains(&time.micros),
        });
        self.count -= (before - self.hits.len()) as u64;
        !self.hits.is_empty()
    }
}

/// Hits kept from the end of a source when the first `level` are kept from its start.
fn last_at(level: usize) -> usize {
    (level / 4).clamp(1, LAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn to_thin_twice_is_to_thin_once_to_the_lower_level() {
        for (count, correlated) in [(10, false), (63, false), (1000, false), (1000, true), (5000, true)] {
            let mut tally = Tally::default();
            (1..=count).for_each(|line| tally.push(Hit { line, ..Hit::default() }, correlated));
            let lines = |tally: &Tally| tally.hits.iter().map(|h| h.line).collect::<Vec<_>>();
            for (high, low) in [(2000, 48), (700, 100), (100, 47), (50, 2), (3, 1)] {
                let (mut twice, mut once) = (tally.clone(), tally.clone());
                let mut given_up = twice.thin(high).count();
                given_up += twice.thin(low).count();
                assert_eq!(once.thin(low).count(), given_up);
                assert_eq!(lines(&twice), lines(&once), "{count} hits thinned to {high} and {low}");
                assert_eq!(once.hits.len(), tally.thinned_to(low));
                assert_eq!((once.count, once.hits.last().map(|h| h.line)), (count, Some(count)));
                let complete_to = once.thinned_at().map(|h| h.line);
                assert_eq!(complete_to, (given_up > 0).then_some(low as u64), "{count} hits thinned to {low}");
            }
        }
    }

    #[test]
    fn a_tally_counts_all_and_keeps_first_and_last() {
        let mut tally = Tally::default();
        for line in 1..=1000 {
            tally.push(Hit { line, ..Hit::default() }, false);
        }
        assert_eq!(tally.count, 1000);
        assert_eq!(tally.hits.first().map(|h| h.line), Some(1));
        assert_eq!(tally.hits.last().map(|h| h.line), Some(1000));
        assert_eq!(tally.hits.len(), FIRST + LAST);
    }

    #[test]
    fn a_tally_that_slides_keeps_its_first_and_newest_hits() {
        let mut tally = Tally::default();
        for line in 1..=1000 {
            tally.push(Hit { line, ..Hit::default() }, true);
            tally.slide(2, 10);
        }
        let lines: Vec<u64> = tally.hits.iter().map(|h| h.line).collect();
        assert_eq!(lines, [1, 2, 991, 992, 993, 994, 995, 996, 997, 998, 999, 1000]);
        assert_eq!(tally.count, 1000);
        assert!(tally.forget_before(995));
        assert_eq!(tally.hits.first().map(|h| h.line), Some(995));
        assert!(!tally.forget_before(1001));
    }

    #[test]
    fn tallies_of_chunks_add_up_to_the_tally_of_the_whole() {
        let (mut whole, mut parts) = (Tally::default(), Tally::default());
        for chunk in 0..5u64 {
            let mut tally = Tally::default();
            for line in 1..=100 {
                let hit = Hit { line, ..Hit::default() };
                whole.push(Hit { line: chunk * 100 + line, ..Hit::default() }, false);
                tally.push(hit, false);
            }
            parts.absorb(tally, chunk * 100, RawTime::None, false);
        }
        let lines = |t: &Tally| t.hits.iter().map(|h| h.line).collect::<Vec<_>>();
        assert_eq!((whole.count, lines(&whole)), (parts.count, lines(&parts)));
    }
}
