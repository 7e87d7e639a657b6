//! Reads one source: from bytes to hits, counters and clusters of what nothing explains.
//!
//! Bytes are looked at in chunks that begin and end where a record begins. Over each chunk the first filter runs once;
//! each line is classified cheaply (format, time, severity); only frames with a literal, and state documents, are parsed
//! and tested. Large files are read in parallel by position, streams in batches, one being read while the other is
//! scanned. Memory follows what is found, never the size of the input. Invariant: the outcome does not depend on the
//! number of threads, nor on whether bytes came from a file or a stream.

pub mod around;
pub mod cadence;
pub mod chunk;
mod documents;
pub mod frame;
pub mod hits;
pub mod live;
mod reader;
mod records;
pub mod share;
pub mod unexplained;
mod usual;
mod waiting;
pub mod walk;

use std::fs::File;
use std::io::Read;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

use crate::catalog::Catalogue;
use crate::event::{RawTime, Service};
use crate::limits::Limits;
use crate::matcher::{Found, Matcher};
use crate::parse;
use crate::scan::around::{Around, Starts};
use crate::scan::chunk::ChunkOutcome;
pub use hits::{Hit, Tally, Time, TimeKind};
pub use unexplained::Cluster;

/// What is known of a source before it is read.
#[derive(Debug, Clone, Default)]
pub struct SourceContext {
    /// The path as given, with `!/` between archive and member.
    pub label: String,
    /// The service its path tells.
    pub service: Option<Service>,
    /// The node its path tells.
    pub node: Option<String>,
    /// Entities its path tells: (`pve.upid`, ...).
    pub entities: Vec<(String, String)>,
    /// What kind of document its path tells: `devices` of a support bundle, say.
    pub document: Option<String>,
    /// When it was last written, microseconds since the epoch.
    pub modified: Option<i64>,
    /// When what it records began, for records without a time: a task log has none but its UPID tells the start.
    pub start: Option<i64>,
    /// Lines to keep around each hit, since the source cannot be read again; 0 when it can, or when none are asked for.
    pub around: u64,
    /// Whether its bytes come out of a container or another encoding: then they are not those of the input as it is stored.
    pub unpacked: bool,
}

/// What runs over every source.
pub struct Scanner<'c> {
    /// The catalogue.
    pub catalogue: &'c Catalogue,
    /// Its signatures, ready.
    pub matcher: Matcher<'c>,
    /// The caps on lines and documents.
    pub limits: Limits,
    /// What the clock said at the start, microseconds since the epoch: for years that stamps lack.
    pub now: i64,
    /// Seconds east of UTC for stamps without a zone; `None` when the user does not say.
    pub zone: Option<i64>,
    /// Only events from this time on, microseconds.
    pub since: Option<i64>,
    /// Only events until this time, microseconds.
    pub until: Option<i64>,
    /// Lines wanted around evidence: kept of sources that cannot be read again.
    pub around: u64,
    /// Bytes scanned so far of sources that stand in the input as they are: for progress.
    pub scanned: AtomicU64,
    /// Bytes scanned so far of those that were unpacked.
    pub unpacked: AtomicU64,
    /// Room for the bytes of chunks.
    buffers: Spare<u8>,
    /// Room for the anchors in chunks.
    anchors: Spare<Found>,
}

/// Vectors not in use, kept for their allocation.
#[derive(Debug)]
struct Spare<T>(Mutex<Vec<Vec<T>>>);

impl<T> Spare<T> {
    /// Lends a vector, with whatever it held last.
    fn lend<R>(&self, work: impl FnOnce(&mut Vec<T>) -> R) -> R {
        let spare = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lent = spare().pop().unwrap_or_default();
        let result = work(&mut lent);
        spare().push(lent);
        result
    }
}

/// Everything found in one source.
#[derive(Debug, Default)]
pub struct SourceOutcome {
    /// What was known before.
    pub context: SourceContext,
    /// Bytes read (after decoding).
    pub bytes: u64,
    /// Counters and hits.
    pub found: ChunkOutcome,
    /// Services seen in it.
    pub services: Vec<Service>,
    /// Earliest and latest time.
    pub span: Option<(i64, i64)>,
    /// True when its times have no zone of their own.
    pub zone_assumed: bool,
    /// The zone of stamps that have none, and how it is known.
    pub zone: Zone,
    /// True when its times have no year of their own.
    pub year_inferred: bool,
    /// Why reading stopped early, if it did.
    pub failure: Option<String>,
    /// Pauses of its stamps, from and to, the longest ones.
    pub pauses: Vec<(i64, i64)>,
    /// Lines around what was found, for a source that cannot be read again.
    pub around: Around,
    /// Where some lines begin, of a file that was read by position.
    pub starts: Starts,
    /// Only hits from here to there are asked for.
    window: (i64, i64),
    reference: i64,
}

/// The zone of stamps that have none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Zone {
    /// Seconds east of UTC.
    pub east: i64,
    /// How it is known.
    pub known: ZoneKnown,
}

/// How a zone is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ZoneKnown {
    /// Nothing tells it: UTC is assumed.
    #[default]
    Assumed,
    /// The user said it.
    Given,
    /// Stamps of the source stand beside times that are exact.
    Measured,
    /// As in another source of the same kind, by its label.
    Like(String),
}

impl SourceOutcome {
    /// Nothing found yet in a source.
    pub fn new(context: SourceContext) -> Self {
        Self { around: Around::new(context.around), context, ..Self::default() }
    }

    /// Adds what was found in the next bytes of the source.
    fn absorb(&mut self, pieces: impl IntoIterator<Item = ChunkOutcome>, bytes: &[u8], scanner: &Scanner<'_>) {
        let before = self.found.lines;
        pieces.into_iter().for_each(|piece| self.found.absorb(piece, scanner));
        self.around.pass(bytes, &self.found, before);
    }

    /// Takes this zone for stamps that have none, and turns all stamps into times.
    pub fn settle(&mut self, zone: Zone) {
        let clock = Clock { reference: self.reference, zone: zone.east * crate::event::time::SECOND };
        self.zone = zone;
        self.span = self.found.times.span(&clock);
        for tally in self.found.tallies.values_mut() {
            tally.settle(&clock, self.context.start);
        }
        self.found.clusters.settle(&clock);
        let time = |raw| clock.resolve(raw).map(|t| t.micros);
        self.pauses = self.found.cadence.pauses.iter().filter_map(|(a, b)| Some((time(*a)?, time(*b)?))).collect();
        self.pauses.sort_unstable();
    }

    /// Drops hits outside of the time that is asked for.
    pub fn clip(&mut self) {
        let (since, until) = self.window;
        if (since, until) != (i64::MIN, i64::MAX) {
            self.found.tallies.retain(|_, tally| tally.keep(since, until));
        }
    }
}

/// Files up to this size are read as a stream.
const PARALLEL_FROM: u64 = 8 << 20;

impl<'c> Scanner<'c> {
    /// Prepares a catalogue for scanning.
    pub fn new(catalogue: &'c Catalogue, now: i64) -> Self {
        Self {
            catalogue,
            matcher: Matcher::new(catalogue, parse::versions::markers()),
            limits: Limits::default(),
            now,
            zone: None,
            since: None,
            until: None,
            around: 0,
            scanned: AtomicU64::new(0),
            unpacked: AtomicU64::new(0),
            buffers: Spare(Mutex::default()),
            anchors: Spare(Mutex::default()),
        }
    }

    /// Reads a regular file; large ones in parallel.
    pub fn file(&self, context: SourceContext, file: &File) -> SourceOutcome {
        let length = file.metadata().map_or(0, |m| m.len());
        // Documents are not cut into chunks.
        if length < PARALLEL_FROM || reader::begins_with_document(file) {
            let mut file = file;
            return self.stream(context, &mut file);
        }
        let mut outcome = SourceOutcome::new(context);
        reader::parallel(self, file, length, &mut outcome);
        self.finish(outcome)
    }

    /// Reads a stream to its end.
    pub fn stream(&self, context: SourceContext, read: &mut (dyn Read + Send)) -> SourceOutcome {
        let mut outcome = SourceOutcome::new(context);
        reader::sequential(self, read, &mut outcome);
        outcome.around.close_all(outcome.found.lines);
        self.finish(outcome)
    }

    /// Reads a text that is already in memory.
    pub fn text(&self, context: SourceContext, text: &[u8]) -> SourceOutcome {
        let mut text = text;
        self.stream(context, &mut text)
    }

    /// Fills in what stamps lack, now that the whole source is known.
    fn finish(&self, mut outcome: SourceOutcome) -> SourceOutcome {
        self.settle(&mut outcome);
        outcome
    }

    /// Fills in what stamps lack, by what is known of the source so far. May be repeated when more of it was read.
    pub fn settle(&self, outcome: &mut SourceOutcome) {
        let times = &outcome.found.times;
        outcome.reference = times.latest_known().or(outcome.context.modified).unwrap_or(self.now);
        outcome.zone_assumed = times.utc.is_none() && times.local.or(times.yearless).is_some();
        outcome.year_inferred = times.utc.is_none() && times.local.is_none() && times.yearless.is_some();
        outcome.window = (self.since.unwrap_or(i64::MIN), self.until.unwrap_or(i64::MAX));
        let known = if self.zone.is_some() { ZoneKnown::Given } else { ZoneKnown::Assumed };
        outcome.settle(Zone { east: self.zone.unwrap_or(0), known });
        outcome.services.clone_from(&outcome.found.services);
        outcome.services.extend(outcome.context.service);
        outcome.services.sort_unstable();
        outcome.services.dedup();
    }
}

/// Turns raw stamps of one source into times.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// A time near which stamps without a year lie, not after it.
    pub reference: i64,
    /// Microseconds east of UTC for stamps without a zone.
    pub zone: i64,
}

impl Clock {
    /// The time of a stamp.
    pub fn resolve(&self, raw: RawTime) -> Option<Time> {
        use crate::event::time::{DAY, days_from_civil};
        match raw {
            RawTime::None => None,
            RawTime::Utc(micros) => Some(Time { micros, kind: TimeKind::Exact }),
            RawTime::Local(micros) => Some(Time { micros: micros - self.zone, kind: TimeKind::ZoneAssumed }),
            RawTime::Uptime(micros) => Some(Time { micros, kind: TimeKind::SinceBoot }),
            RawTime::Yearless(within) => {
                let year = year_of(self.reference);
                let at = |year: i64| {
                    let leap = days_from_civil(year, 3, 1) - days_from_civil(year, 2, 28) == 2;
                    let shift = if !leap && within >= 60 * DAY { DAY } else { 0 };
                    days_from_civil(year, 1, 1) * DAY + within - shift - self.zone
                };
                // A stamp lies at most a day (zones, a slow clock) after the reference.
                let micros = if at(year) > self.reference + DAY { at(year - 1) } else { at(year) };
                Some(Time { micros, kind: TimeKind::YearInferred })
            }
        }
    }
}

/// The civil year of a time.
fn year_of(micros: i64) -> i64 {
    use crate::event::time::{DAY, days_from_civil};
    let days = micros.div_euclid(DAY);
    let mut year = 1970 + days / 366;
    while days_from_civil(year + 1, 1, 1) <= days {
        year += 1;
    }
    year
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::time::{DAY, days_from_civil, yearless};

    #[test]
    fn a_stamp_without_year_takes_the_year_before_new_year() {
        let reference = days_from_civil(2026, 1, 2) * DAY;
        let clock = Clock { reference, zone: 0 };
        let new_years_eve = clock.resolve(yearless(12, 31, 0).expect("a date")).expect("a time");
        let new_year = clock.resolve(yearless(1, 1, 0).expect("a date")).expect("a time");
        assert_eq!(new_years_eve.micros, days_from_civil(2025, 12, 31) * DAY);
        assert_eq!(new_year.micros, days_from_civil(2026, 1, 1) * DAY);
    }

    #[test]
    fn leap_days_are_kept_and_other_years_have_none() {
        let leap = Clock { reference: days_from_civil(2024, 12, 1) * DAY, zone: 0 };
        let common = Clock { reference: days_from_civil(2025, 12, 1) * DAY, zone: 0 };
        for (clock, year) in [(leap, 2024), (common, 2025)] {
            let march = clock.resolve(yearless(3, 1, 0).expect("a date")).expect("a time");
            assert_eq!(march.micros, days_from_civil(year, 3, 1) * DAY, "{year}");
        }
    }
}
