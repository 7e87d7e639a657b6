//! One chunk: whole records, scanned from the first to the last line.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use memchr::memchr;

use crate::catalog::SignatureId;
use crate::event::entities;
use crate::event::{Event, RawTime, Service, Severity};
use crate::matcher::{Found, Match};
use crate::parse::{self, Line, LockOn};
use crate::redact;
use crate::state;

use super::cadence::Cadence;
use super::frame;
use super::hits::EXCERPT;
use super::unexplained::Clusters;
use super::{Clock, Hit, Scanner, SourceContext, Tally};

/// Frames of a chunk that are parsed although nothing hit, to learn which services write into the source.
const PEEK: usize = 24;
/// Bytes of a window of the source: chunks are cut where a record begins at a multiple of it.
pub const WINDOW: u64 = 256 << 10;
/// Hits of one signature on lines below warning that are looked at in a window. Markers of normal work (a step ran, a health
/// check passed) stand on every tenth line of some logs; beyond this many in so little text they tell nothing new.
const USUAL: u32 = 16;
/// Sets of names kept for the entity graph.
const LINKS: usize = 2_000;
/// Versions of applications kept: a few in any real input.
const VERSIONS: usize = 256;
/// Hits of a signature that stay from the beginning of a source that never ends: since when it is so.
const OLDEST: usize = 8;
/// Bytes around what decided that are looked through for secrets before a text is cut.
const AROUND: usize = 16 << 10;
/// Bytes of a literal and a regex match that are shown as one piece.
const TOGETHER: usize = 90;

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
    last: RawTime,
}

/// A set of formats.
#[derive(Debug, Clone, Copy, Default)]
pub struct FormatSet(u64);

impl FormatSet {
    fn add(&mut self, line: &Line) {
        for layer in line.layers.iter().take_while(|l| **l != u8::MAX) {
            self.0 |= 1 << (layer & 63);
        }
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
    fn add(&mut self, time: RawTime) {
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
/// `base` is where the chunk begins in its source, in bytes.
pub fn scan(scanner: &Scanner<'_>, context: &SourceContext, bytes: &[u8], base: u64) -> ChunkOutcome {
    scan_from(scanner, context, bytes, base, 0)
}

/// Scans a chunk that begins within a line too long to be read at once: what is left of that line is passed over.
pub fn scan_rest(scanner: &Scanner<'_>, context: &SourceContext, bytes: &[u8], base: u64) -> ChunkOutcome {
    let start = memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
    let mut out = scan_from(scanner, context, bytes, base, start);
    out.truncated += u64::from(start < bytes.len());
    out
}

/// Scans the lines of a chunk that begin at `start` or later.
fn scan_from(scanner: &Scanner<'_>, context: &SourceContext, bytes: &[u8], base: u64, start: usize) -> ChunkOutcome {
    let mut found = Vec::new();
    scanner.matcher.filter().find(bytes, &mut found);
    let plain = memchr::memchr3(0x1b, 0, b'\r', bytes).is_none();
    let mut walk = Walk {
        scanner,
        context,
        bytes,
        base,
        found: &found,
        plain,
        lock: LockOn::default(),
        explained: 0,
        candidates: Vec::new(),
        marked: false,
        window: u64::MAX,
        ordinary: BTreeMap::new(),
        out: ChunkOutcome::default(),
    };
    walk.lines(start);
    scanner.scanned.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    walk.out
}

struct Walk<'w, 'c> {
    scanner: &'w Scanner<'c>,
    context: &'w SourceContext,
    bytes: &'w [u8],
    /// Where the chunk begins in its source.
    base: u64,
    /// Anchors not yet passed.
    found: &'w [Found],
    /// True when no line needs cleaning.
    plain: bool,
    lock: LockOn,
    /// Bytes up to which lines belong to a frame that was tested and that some signature held on.
    explained: usize,
    /// Signatures to test on the frame at hand; kept for its allocation.
    candidates: Vec<SignatureId>,
    /// Whether a marker stands in the frame at hand: a line that may tell a version.
    marked: bool,
    /// The window of the source at hand, and how often each signature held on ordinary lines in it.
    window: u64,
    ordinary: BTreeMap<SignatureId, u32>,
    out: ChunkOutcome,
}

impl<'c> Walk<'_, 'c> {
    fn lines(&mut self, mut start: usize) {
        while start < self.bytes.len() {
            let rest = self.bytes.get(start..).unwrap_or_default();
            let length = memchr(b'\n', rest).unwrap_or(rest.len());
            self.out.lines += 1;
            let limit = self.scanner.limits.line;
            let line = rest.get(..length.min(limit)).unwrap_or_default();
            let document = self.record(start, line);
            // A document on one line has the limit of documents.
            self.out.truncated += u64::from(document.is_none() && length > limit);
            start += document.unwrap_or(length + 1);
        }
    }

    /// Looks at one line. Gives the bytes used when a document begins at it.
    fn record(&mut self, start: usize, line: &[u8]) -> Option<usize> {
        let classified = if self.plain {
            parse::classify(line, &mut self.lock)
        } else {
            parse::classify(&frame::clean(line), &mut self.lock)
        };
        // A line with a time is a log line.
        if !classified.time.is_some()
            && let Some(used) = self.document(start, line)
        {
            return Some(used);
        }
        self.line(start, line, &classified);
        None
    }

    /// Counts one line; parses its frame when an anchor stands in it.
    fn line(&mut self, start: usize, line: &[u8], classified: &Line) {
        self.count(classified);
        let end = start + line.len();
        let fault = classified.severity >= Severity::WARN;
        let hit = |to: usize| self.found.first().is_some_and(|f| f.at < to);
        // The decisive word of a fault may stand on a later line of its record.
        if hit(end) || (fault && hit(self.last_line(end))) {
            self.frame(start, end, classified);
        } else if self.out.events <= PEEK as u64 && !line.is_empty() {
            let text = frame::text(line);
            self.learn(&parse::parse(&text));
        }
        if classified.severity >= Severity::WARN && start >= self.explained {
            let line_number = self.out.lines;
            let payload = line.get(classified.payload..).unwrap_or_default();
            let new = self.out.clusters.add(line_number, payload, classified.severity, classified.time);
            if let Some(template) = new {
                let text = frame::text(line);
                let mut event = parse::parse(&text);
                self.complete(&mut event);
                self.out.clusters.name(template, &names(&event));
            }
        }
    }

    fn count(&mut self, line: &Line) {
        self.out.understood += u64::from(line.understood());
        self.out.events += u64::from(line.understood() || line.payload == 0);
        self.out.formats.add(line);
        self.out.faults += u64::from(line.severity >= Severity::WARN);
        if line.time.is_some() {
            self.out.times.add(line.time);
            self.out.cadence.add(line.time);
            self.out.ordinary += u64::from(line.severity < Severity::WARN);
            self.out.last = line.time;
        }
    }

    /// Parses and tests the frame around the line at `start`, with all anchors in it.
    fn frame(&mut self, start: usize, end: usize, line: &Line) {
        let severity = line.severity;
        // Only where the format alone is sure of it.
        let service = parse::service_hint(line).filter(|s| *s == Service::PveAccess);
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.clear();
        self.marked = false;
        self.waiting(end, start, (severity, service), &mut candidates);
        if candidates.is_empty() && !self.marked && !self.goes_on(end) {
            self.candidates = candidates;
            return;
        }
        let (from, lines_before) = self.first_line(start);
        let to = self.last_line(end);
        self.waiting(to, start, (severity, service), &mut candidates);
        if candidates.is_empty() && !self.marked {
            self.candidates = candidates;
            return;
        }
        let raw = self.bytes.get(from..to).unwrap_or_default();
        candidates.retain(|id| self.scanner.matcher.may_stand_in(*id, raw));
        if candidates.is_empty() && !self.marked {
            self.candidates = candidates;
            return;
        }
        let text = frame::text(raw);
        let mut event = parse::parse(&text);
        self.complete(&mut event);
        if self.marked {
            parse::versions::version(&event).into_iter().for_each(|(name, version)| self.version(name, version));
        }
        let matches = self.scanner.matcher.test(&event, &mut candidates);
        self.candidates = candidates;
        if !matches.is_empty() {
            self.explained = to;
        }
        let line = self.out.lines - lines_before;
        let names = names(&event);
        for found in matches {
            if severity < Severity::WARN {
                *self.ordinary.entry(found.signature).or_default() += 1;
            }
            self.hit(found, &event, &names, line, raw);
        }
        self.learn(&event);
    }

    /// Takes the anchors up to `to` and adds the signatures that wait for them and may hold on the line.
    fn waiting(
        &mut self,
        to: usize,
        start: usize,
        (severity, service): (Severity, Option<Service>),
        candidates: &mut Vec<SignatureId>,
    ) {
        let window = (self.base + start as u64) / WINDOW;
        if window != self.window {
            self.window = window;
            self.ordinary.clear();
        }
        while let Some(found) = self.found.first().filter(|f| f.at < to) {
            self.found = self.found.get(1..).unwrap_or_default();
            self.marked |= self.scanner.matcher.is_marker(found.literal);
            for id in self.scanner.matcher.waiting(found.literal) {
                if self.scanner.matcher.may_hold(*id, severity, service) && !self.is_usual(*id, severity) {
                    candidates.push(*id);
                }
            }
        }
    }

    /// Whether a signature has held so often on ordinary lines of this window that one more tells nothing new.
    fn is_usual(&self, id: SignatureId, severity: Severity) -> bool {
        severity < Severity::WARN
            && self.ordinary.get(&id).is_some_and(|n| *n >= USUAL)
            && self.scanner.catalogue.signatures.get(id).is_some_and(|s| !s.every_hit)
    }

    /// Whether the line after `end` belongs to the same frame.
    fn goes_on(&self, end: usize) -> bool {
        self.last_line(end) > end
    }

    /// Goes back to the first line of the frame: its start, and how many lines back it is.
    fn first_line(&self, start: usize) -> (usize, u64) {
        let (mut from, mut lines) = (start, 0);
        while from > 0 && lines < frame::MAX_LINES as u64 && start - from < frame::MAX_BYTES {
            let line = self.bytes.get(from..).unwrap_or_default();
            let line = line.get(..memchr(b'\n', line).unwrap_or(line.len())).unwrap_or_default();
            if !frame::continues(&frame::clean(line)) {
                break;
            }
            let before = self.bytes.get(..from - 1).unwrap_or_default();
            from = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
            lines += 1;
        }
        (from, lines)
    }

    /// Goes on to the end of the last line of the frame.
    fn last_line(&self, end: usize) -> usize {
        let mut to = end.min(self.bytes.len());
        for _ in 0..frame::MAX_LINES {
            let Some(rest) = self.bytes.get(to + 1..).filter(|r| !r.is_empty()) else { break };
            let line = rest.get(..memchr(b'\n', rest).unwrap_or(rest.len())).unwrap_or_default();
            if to - end > frame::MAX_BYTES || line.len() > frame::MAX_BYTES || !frame::continues(&frame::clean(line)) {
                break;
            }
            to += 1 + line.len();
        }
        to
    }

    /// Adds what the source knows and the record does not tell.
    fn complete(&self, event: &mut Event<'_>) {
        event.service = event.service.or(self.context.service);
        if event.node.is_none() {
            event.node = self.context.node.clone().map(Into::into);
        }
        for (key, value) in &self.context.entities {
            event.entity(key.clone(), value.clone());
        }
    }

    fn hit(&mut self, found: Match<'c>, event: &Event<'_>, names: &Names, line: u64, raw: &[u8]) {
        let Match { signature: id, mut captures, decisive, matched } = found;
        let signature = self.scanner.catalogue.signatures.get(id);
        for key in signature.map_or(&[][..], |s| s.keep.as_slice()) {
            if let Some(value) = event.get(key).filter(|_| !captures.iter().any(|(k, _)| k == key)) {
                captures.push((key.clone(), value.to_owned()));
            }
        }
        let inherited = !event.time.is_some();
        let mut hit = Hit {
            line,
            raw: if inherited { self.out.last } else { event.time },
            inherited,
            time: None,
            severity: event.severity,
            service: event.service,
            captures,
            names: Arc::clone(names),
            excerpt: String::new(),
            decisive: None,
            text: hash(event),
        };
        let tally = self.out.tallies.entry(id).or_default();
        if tally.keeps_text(&hit) {
            hit.excerpt = excerpt(raw, decisive);
            hit.decisive = piece(&hit.excerpt, decisive, matched.as_deref());
        }
        tally.push(hit, signature.is_some_and(|s| s.correlated));
    }

    /// Remembers a version that an event tells.
    fn version(&mut self, name: &str, version: String) {
        let version = (name.to_owned(), version);
        if !self.out.versions.contains(&version) {
            self.out.versions.push(version);
        }
    }

    /// Remembers services and names that an event tells.
    fn learn(&mut self, event: &Event<'_>) {
        if let Some(service) = event.service.filter(|s| !self.out.services.contains(s)) {
            self.out.services.push(service);
        }
        if entities::ties(event.entities.iter().map(|(k, _)| k.as_ref())) && self.out.links.len() < LINKS {
            let told: Vec<(String, String)> =
                event.entities.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
            let link = entities::link(&told);
            if link.len() > 1 && !self.out.links.contains(&link) {
                self.out.links.push(link);
            }
        }
    }

    /// When a document begins at this line, reads it wholly and gives the bytes used.
    fn document(&mut self, start: usize, line: &[u8]) -> Option<usize> {
        let document = if self.plain { state::begins(line) } else { state::begins(&frame::clean(line)) }?;
        if self.quoted_by_message(start) {
            return None;
        }
        let (end, is_whole) = self.block(document, start);
        let raw = self.bytes.get(start..end)?;
        // Of a single line that is too long, its beginning is read.
        let block = frame::lines(raw.get(..self.scanner.limits.document).unwrap_or(raw));
        let events = document.events(&block, &self.state_context());
        if events.is_empty() {
            return None;
        }
        let mut candidates = Vec::new();
        let inside = self.found.iter().skip_while(|f| f.at < start).take_while(|f| f.at < end);
        for found in inside {
            candidates.extend_from_slice(self.scanner.matcher.waiting(found.literal));
        }
        self.found = self.found.get(self.found.partition_point(|f| f.at < end)..).unwrap_or_default();
        let first = self.out.lines;
        for event in events {
            self.state_event(event, &block, first, &candidates);
        }
        let unended = u64::from(raw.last() != Some(&b'\n'));
        let lines = memchr::memchr_iter(b'\n', raw).count() as u64 + unended;
        self.out.lines += lines - 1;
        self.out.understood += lines;
        self.out.oversized += u64::from(!is_whole);
        if !self.out.documents.contains(&document.name()) {
            self.out.documents.push(document.name());
        }
        Some(end - start)
    }

    /// Whether the line before announces a listing.
    fn quoted_by_message(&self, start: usize) -> bool {
        let before = self.bytes.get(..start).unwrap_or_default().trim_ascii_end();
        before.ends_with(frame::ANNOUNCES_LISTING)
    }

    /// Where the block that begins at `start` ends, its last line end included, and whether that is its own end.
    fn block(&self, document: &dyn state::Document, start: usize) -> (usize, bool) {
        let mut progress = None;
        let mut at = start;
        let limit = self.scanner.limits.document;
        while let Some(rest) = self.bytes.get(at..).filter(|r| !r.is_empty()) {
            let length = memchr(b'\n', rest).unwrap_or(rest.len());
            let line = frame::clean(rest.get(..length).unwrap_or_default());
            let goes_on = match &mut progress {
                None => {
                    progress = Some(document.start(&line));
                    true
                }
                Some(progress) => document.continues(progress, &line),
            };
            if !goes_on {
                break;
            }
            let next = (at + length + 1).min(self.bytes.len());
            if next - start > limit {
                return (if at == start { next } else { at }, false);
            }
            at = next;
        }
        (at, true)
    }

    fn state_context(&self) -> state::Context<'_> {
        let entity = |key: &str| self.context.entities.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
        state::Context {
            path: &self.context.label,
            vmid: entity("pve.vmid"),
            pve_node: entity("pve.node"),
            node: self.context.node.as_deref(),
        }
    }

    /// Tests one thing that a document tells of.
    fn state_event(&mut self, found: state::StateEvent, block: &str, first: u64, candidates: &[SignatureId]) {
        let state::StateEvent { event, line, text, extent } = found;
        self.out.events += 1;
        self.out.times.add(event.time);
        for (name, version) in state::versions(&event) {
            self.version(name, version);
        }
        let mut candidates = candidates.to_vec();
        candidates.extend_from_slice(self.scanner.matcher.for_format(event.format()));
        let names = names(&event);
        for matched in self.scanner.matcher.test(&event, &mut candidates) {
            let shown = self.telling(&matched, block.get(extent.clone()).unwrap_or_default());
            let (offset, mut excerpt) = shown.unwrap_or((0, block.get(text.clone()).unwrap_or_default().to_owned()));
            // A row says little without the heading of its columns.
            if event.format() == "table" && line > 0 {
                excerpt = format!("{}\n{excerpt}", block.lines().next().unwrap_or_default());
            }
            self.hit(matched, &event, &names, first + u64::from(line) + offset, excerpt.as_bytes());
        }
        self.learn(&event);
    }

    /// The lines of a document that a signature's field tests speak of, and the offset of the first.
    fn telling(&self, matched: &Match<'c>, extent: &str) -> Option<(u64, String)> {
        let signature = self.scanner.catalogue.signatures.get(matched.signature)?;
        if let Some(decisive) = matched.decisive {
            let (offset, line) = (0u64..).zip(extent.lines()).find(|(_, l)| l.contains(decisive))?;
            return Some((offset, line.to_owned()));
        }
        let mut lines: Vec<(u32, &str)> = Vec::new();
        for test in &signature.fields {
            for value in test.values.iter().map(String::as_str).chain([""]) {
                if let Some(found) = state::locate(extent, &test.key, value) {
                    lines.push(found);
                    break;
                }
            }
        }
        lines.sort_unstable();
        lines.dedup();
        let offset = u64::from(lines.first()?.0);
        Some((offset, lines.iter().map(|(_, l)| *l).collect::<Vec<_>>().join("\n")))
    }
}

/// Names of things, shared by all hits on one event.
type Names = Arc<[(String, String)]>;

/// A hash of what an event says, its own stamp left out: equal for copies of one line.
fn hash(event: &Event<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    event.body.hash(&mut hasher);
    for (key, value) in event.attributes.iter().filter(|(k, _)| !matches!(k.as_ref(), "ts" | "time" | "timestamp")) {
        key.hash(&mut hasher);
        value.hash(&mut hasher);
    }
    hasher.finish()
}

fn names(event: &Event<'_>) -> Names {
    event.entities.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
}

/// The piece of a text to point at: what the regex matched together with the literal when they stand close to each other,
/// else the more telling one that stands in the text.
fn piece(text: &str, literal: Option<&str>, matched: Option<&str>) -> Option<String> {
    let range = |piece: &str| text.find(piece).map(|at| at..at + piece.len());
    let own = |range: std::ops::Range<usize>| text.get(range).map(str::to_owned);
    match (literal.and_then(range), matched.and_then(range)) {
        (Some(literal), Some(matched)) => {
            let both = literal.start.min(matched.start)..literal.end.max(matched.end);
            let broken = text.get(both.clone()).is_none_or(|t| t.contains('\n'));
            own(if both.len() <= TOGETHER && !broken { both } else { matched })
        }
        (None, Some(matched)) => own(matched),
        // Not in the text as it stands (it may be quoted there): the literal is what it says.
        (_, None) => literal.map(str::to_owned),
    }
}

/// The text of a frame for people: cleaned, at most [`EXCERPT`] bytes around what decided.
fn excerpt(raw: &[u8], decisive: Option<&str>) -> String {
    let cleaned = frame::clean(raw);
    let text = String::from_utf8_lossy(&cleaned);
    if text.len() <= EXCERPT {
        return text.into_owned();
    }
    let at = decisive.and_then(|d| text.find(d)).unwrap_or(0);
    // Secrets go before the text is cut: half of one is not recognised any more.
    let near =
        text.floor_char_boundary(at.saturating_sub(AROUND))..text.floor_char_boundary((at + AROUND).min(text.len()));
    let mut mark = Some(at - near.start..(at + decisive.map_or(1, str::len)).min(near.end) - near.start);
    let text = redact::mask_with(text.get(near).unwrap_or_default(), &mut mark);
    let at = mark.map_or(0, |m| m.start);
    let from = text.floor_char_boundary(at.saturating_sub(EXCERPT / 3));
    let to = text.floor_char_boundary((from + EXCERPT).min(text.len()));
    text.get(from..to).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::piece;

    #[test]
    fn the_piece_to_point_at_is_what_the_regex_matched() {
        let text = "worker 3 failed: context deadline exceeded after 30s on pve1";
        let shown = |literal, matched| piece(text, literal, matched);
        assert_eq!(shown(Some("deadline"), Some("exceeded after 30s")).as_deref(), Some("deadline exceeded after 30s"));
        assert_eq!(shown(None, Some("after 30s")).as_deref(), Some("after 30s"));
        assert_eq!(shown(Some("deadline"), Some("not there")).as_deref(), Some("deadline"));
        assert_eq!(shown(Some("deadline"), None).as_deref(), Some("deadline"));
        let far = format!("first part {} second part", "x ".repeat(100));
        assert_eq!(piece(&far, Some("first part"), Some("second part")).as_deref(), Some("second part"));
    }
}
