//! One chunk: whole records, scanned from the first to the last line.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use memchr::memchr;

use crate::catalog::SignatureId;
use crate::event::{RawTime, Service};
use crate::parse::{self, Line};

use super::cadence::Cadence;
use super::records::Walk;
use super::unexplained::Clusters;
use super::usual::Sated;
use super::{Clock, Scanner, SourceContext, Tally};

/// Bytes of a window of the source: chunks are cut where a record begins at a multiple of it.
pub const WINDOW: u64 = 256 << 10;
/// Sets of names kept for the entity graph.
pub const LINKS: usize = 2_000;
/// Versions of applications kept: a few in any real input.
const VERSIONS: usize = 256;
/// Hits of a signature that stay from the beginning of a source that never ends: since when it is so.
const OLDEST: usize = 8;

/// What was found in a chunk, or in several that follow each other.
#[derive(Debug, Default)]
pub struct ChunkOutcome {
    /// Lines.
    pub lines: u64,
    /// Lines that some format took.
    pub understood: u64,
    /// Records with a time or a format of their own, about: lines that continue no other.
    pub events: u64,
    /// Lines cut at the limit.
    pub truncated: u64,
    /// Documents cut at the limit.
    pub oversized: u64,
    /// Documents that end before they are closed.
    pub unended: u64,
    /// Lines at warning and above.
    pub faults: u64,
    /// Dated lines below warning, or of unknown severity.
    pub ordinary: u64,
    /// How stamps follow each other.
    pub cadence: Cadence,
    /// Formats seen, by index into [`parse::formats`].
    pub formats: FormatSet,
    /// Names of document formats seen.
    pub documents: Vec<&'static str>,
    /// Hits by signature.
    pub tallies: BTreeMap<SignatureId, Tally>,
    /// What nothing explains.
    pub clusters: Clusters,
    /// First and last stamps.
    pub times: Times,
    /// Services that events told.
    pub services: Vec<Service>,
    /// Names that one document or event tied together.
    pub links: Vec<Vec<(String, String)>>,
    /// Versions of applications seen.
    pub versions: Vec<(String, String)>,
    pub(super) last: RawTime,
}

/// A set of formats.
#[derive(Debug, Clone, Copy, Default)]
pub struct FormatSet(u64);

impl FormatSet {
    /// Adds the formats of a line; true when one of them is new.
    pub(super) fn add(&mut self, line: &Line) -> bool {
        let before = self.0;
        self.0 |= line.formats;
        self.0 != before
    }

    /// Their names.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        parse::formats().iter().enumerate().filter(move |(i, _)| self.0 & (1 << (i & 63)) != 0).map(|(_, f)| f.name())
    }
}

/// Earliest and latest stamp of each kind.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    /// With a zone.
    pub utc: Option<(i64, i64)>,
    /// Without a zone.
    pub local: Option<(i64, i64)>,
    /// Without a year: earliest and latest as read from first to last line, not by size, since a year may turn.
    pub yearless: Option<(i64, i64)>,
}

impl Times {
    pub(super) fn add(&mut self, time: RawTime) {
        let widen = |span: &mut Option<(i64, i64)>, t: i64| match span {
            Some((first, last)) => {
                *first = (*first).min(t);
                *last = (*last).max(t);
            }
            None => *span = Some((t, t)),
        };
        match time {
            RawTime::Utc(t) => widen(&mut self.utc, t),
            RawTime::Local(t) => widen(&mut self.local, t),
            RawTime::Yearless(t) => match &mut self.yearless {
                Some((_, last)) => *last = t,
                None => self.yearless = Some((t, t)),
            },
            RawTime::Uptime(_) | RawTime::None => {}
        }
    }

    fn absorb(&mut self, later: &Self) {
        let both = |a: Option<(i64, i64)>, b: Option<(i64, i64)>| match (a, b) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (a, b) => a.or(b),
        };
        self.utc = both(self.utc, later.utc);
        self.local = both(self.local, later.local);
        self.yearless = match (self.yearless, later.yearless) {
            (Some((first, _)), Some((_, last))) => Some((first, last)),
            (a, b) => a.or(b),
        };
    }

    /// The latest time that is known with its year.
    pub fn latest_known(&self) -> Option<i64> {
        self.utc.map(|(_, last)| last).or(self.local.map(|(_, last)| last))
    }

    /// The span of the source.
    pub fn span(&self, clock: &Clock) -> Option<(i64, i64)> {
        let resolve = |t: RawTime| clock.resolve(t).map(|t| t.micros);
        let local = self.local.and_then(|(a, b)| Some((resolve(RawTime::Local(a))?, resolve(RawTime::Local(b))?)));
        let yearless =
            self.yearless.and_then(|(a, b)| Some((resolve(RawTime::Yearless(a))?, resolve(RawTime::Yearless(b))?)));
        // Different kinds of stamps in one source: the exact ones speak for all.
        self.utc.or(local).or(yearless)
    }
}

impl ChunkOutcome {
    /// Adds what was found in the chunk that follows.
    pub fn absorb(&mut self, later: Self, scanner: &Scanner<'_>) {
        for (signature, tally) in later.tallies {
            let correlated = scanner.catalogue.signatures.get(signature).is_some_and(|s| s.correlated);
            self.tallies.entry(signature).or_default().absorb(tally, self.lines, self.last, correlated);
        }
        self.clusters.absorb(later.clusters, self.lines);
        self.lines += later.lines;
        self.understood += later.understood;
        self.events += later.events;
        self.truncated += later.truncated;
        self.oversized += later.oversized;
        self.unended += later.unended;
        self.faults += later.faults;
        self.ordinary += later.ordinary;
        self.cadence.absorb(later.cadence);
        self.formats.0 |= later.formats.0;
        self.times.absorb(&later.times);
        self.services.extend(later.services);
        self.services.sort_unstable();
        self.services.dedup();
        self.documents.extend(later.documents);
        self.documents.sort_unstable();
        self.documents.dedup();
        for link in later.links {
            if self.links.len() < LINKS && !self.links.contains(&link) {
                self.links.push(link);
            }
        }
        for version in later.versions {
            if self.versions.len() < VERSIONS && !self.versions.contains(&version) {
                self.versions.push(version);
            }
        }
        if later.last.is_some() {
            self.last = later.last;
        }
    }
}

impl ChunkOutcome {
    /// Whether something was found that may change a verdict.
    pub fn tells(&self) -> bool {
        !(self.tallies.is_empty() && self.links.is_empty() && self.versions.is_empty())
    }

    /// Makes room for what comes, in a source that never ends: of each signature the first few and the newest `newest` hits
    /// stay, and the older half of the ties between names goes when they are many.
    pub fn slide(&mut self, newest: usize) {
        for tally in self.tallies.values_mut() {
            // Not at each hit: what is dropped is moved.
            if tally.hits.len() > OLDEST + newest + newest / 2 {
                tally.slide(OLDEST, newest);
            }
        }
        if self.links.len() > LINKS / 2 {
            self.links.drain(..LINKS / 4);
        }
    }

    /// Forgets what was found before `line`. False when that was nothing.
    pub fn forget_before(&mut self, line: u64) -> bool {
        let kept = |found: &Self| found.tallies.values().map(|t| t.hits.len()).sum::<usize>();
        let before = kept(self);
        self.tallies.retain(|_, tally| tally.forget_before(line));
        self.clusters.forget_before(line);
        kept(self) < before
    }
}

/// Scans a chunk that begins and ends where a record does.
///
/// `base` is where the chunk begins in its source, in bytes; what is `sated` follows from what was found before.
pub fn scan(scanner: &Scanner<'_>, context: &SourceContext, bytes: &[u8], base: u64, sated: &Sated) -> ChunkOutcome {
    scan_from(scanner, context, (bytes, base), 0, sated)
}

/// Scans a chunk that begins within a line too long to be read at once: what is left of that line is passed over.
pub fn scan_rest(
    scanner: &Scanner<'_>,
    context: &SourceContext,
    bytes: &[u8],
    base: u64,
    sated: &Sated,
) -> ChunkOutcome {
    let start = memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
    let mut out = scan_from(scanner, context, (bytes, base), start, sated);
    out.truncated += u64::from(start < bytes.len());
    out
}

/// Scans the lines of a chunk that begin at `start` or later.
fn scan_from(
    scanner: &Scanner<'_>,
    context: &SourceContext,
    (bytes, base): (&[u8], u64),
    start: usize,
    sated: &Sated,
) -> ChunkOutcome {
    let outcome = scanner.anchors.lend(|found| {
        found.clear();
        scanner.matcher.filter().find(bytes, found);
        Walk::new(scanner, context, (bytes, base), sated, found).lines(start)
    });
    let counter = if context.unpacked { &scanner.unpacked } else { &scanner.scanned };
    counter.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    outcome
}
