//! Walks the records of a chunk: which lines belong together, which of them are parsed and tested.
//!
//! Every line is classified once. A record stays pending until a line comes that does not continue it; then its anchors
//! decide whether it is parsed at all.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use memchr::{memchr, memchr3};
use rustc_hash::{FxHashMap, FxHasher};

use crate::catalog::SignatureId;
use crate::event::entities;
use crate::event::{Event, RawTime, Service, Severity};
use crate::matcher::{Found, Match};
use crate::parse::{self, Line, LockOn};
use crate::redact;

use super::chunk::{ChunkOutcome, LINKS};
use super::frame;
use super::hits::EXCERPT;
use super::usual::{Sated, Usual};
use super::waiting::Plan;
use super::{Hit, Scanner, SourceContext};

/// Records of a source that are parsed although nothing hit, to learn which services write into the source.
const PEEK: u64 = 24;
/// Bytes around what decided that are looked through for secrets before a text is cut.
const AROUND: usize = 16 << 10;
/// Bytes of a literal and a regex match that are shown as one piece.
const TOGETHER: usize = 90;

/// Names of things, shared by all hits on one event.
pub type Names = Arc<[(String, String)]>;

/// The names that an event tells.
pub fn names(event: &Event<'_>) -> Names {
    event.entities.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
}

/// A record that may go on.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// Where its first line begins and its last one ends, in the chunk.
    pub from: usize,
    /// See `from`.
    pub to: usize,
    /// The number of its first line in the chunk, from 1.
    pub number: u64,
    /// Lines so far.
    lines: usize,
    /// Whether the next line goes on with its last one.
    is_partial: bool,
    /// Whether it is the first with its formats in the chunk.
    is_new: bool,
    /// The highest severity that one of its lines tells.
    pub severity: Severity,
    /// The stamp that holds where it has none of its own.
    pub before: RawTime,
    /// Whether its first line is an access log's.
    is_access: bool,
}

/// A line at warning or above, kept until it is known whether a signature explains its record.
#[derive(Debug, Clone, Copy)]
struct Fault {
    number: u64,
    /// Where it begins.
    from: usize,
    /// Its text without envelopes.
    text: (usize, usize),
    severity: Severity,
    time: RawTime,
}

/// The walk over one chunk.
pub struct Walk<'w, 'c> {
    pub(super) scanner: &'w Scanner<'c>,
    pub(super) context: &'w SourceContext,
    pub(super) bytes: &'w [u8],
    /// Where they begin in the source.
    base: u64,
    /// Anchors not yet passed.
    pub(super) found: &'w [Found],
    /// Where the next byte stands that has to be cleaned away.
    dirty: usize,
    lock: LockOn,
    pending: Option<Record>,
    faults: Vec<Fault>,
    /// Signatures to test on the record at hand; kept for its allocation.
    candidates: Vec<SignatureId>,
    /// The literals found in the record at hand; kept for its allocation.
    pub(super) seen: Vec<u32>,
    /// Whether a marker stands in the record at hand: one that may tell a version.
    pub(super) marked: bool,
    sated: &'w Sated,
    pub(super) usual: Usual<'w>,
    /// By literal and kind of line.
    pub(super) plans: FxHashMap<u32, Plan>,
    pub(super) out: ChunkOutcome,
}

impl<'w, 'c> Walk<'w, 'c> {
    /// A walk over the lines of `bytes`, which begin at `base` in their source, where signatures are `sated`.
    pub fn new(
        scanner: &'w Scanner<'c>,
        context: &'w SourceContext,
        (bytes, base): (&'w [u8], u64),
        sated: &'w Sated,
        found: &'w [Found],
    ) -> Self {
        Self {
            scanner,
            context,
            bytes,
            base,
            found,
            dirty: next_dirty(bytes, 0),
            lock: LockOn::default(),
            pending: None,
            faults: Vec::new(),
            candidates: Vec::new(),
            seen: Vec::new(),
            marked: false,
            sated,
            usual: Usual::new(base, sated),
            plans: FxHashMap::default(),
            out: ChunkOutcome::default(),
        }
    }

    /// Looks at every line that begins at `start` or later.
    pub fn lines(mut self, mut start: usize) -> ChunkOutcome {
        while start < self.bytes.len() {
            let rest = self.bytes.get(start..).unwrap_or_default();
            let length = memchr(b'\n', rest).unwrap_or(rest.len());
            self.out.lines += 1;
            let limit = self.scanner.limits.line;
            let line = rest.get(..length.min(limit)).unwrap_or_default();
            let document = self.line(start, line);
            // A document on one line has the limit of documents.
            self.out.truncated += u64::from(document.is_none() && length > limit);
            start += document.unwrap_or(length + 1);
        }
        self.finish();
        self.flush_all();
        self.out
    }

    /// Looks at one line. Gives the bytes used when a document begins at it.
    fn line(&mut self, start: usize, line: &[u8]) -> Option<usize> {
        if self.dirty < start {
            self.dirty = next_dirty(self.bytes, start);
        }
        if self.dirty < start + line.len() {
            let cleaned = frame::clean(line);
            return self.clean_line(start, line.len(), &cleaned);
        }
        self.clean_line(start, line.len(), line)
    }

    /// Looks at a line of `length` bytes that reads `line` without colours.
    fn clean_line(&mut self, start: usize, length: usize, line: &[u8]) -> Option<usize> {
        let classified = parse::classify(line, &mut self.lock);
        // A line with a time is a log line.
        if !classified.time.is_some()
            && let Some(used) = self.document(start, line)
        {
            return Some(used);
        }
        if let Some(inner) = frame::unwrapped(line, classified.payload)
            && let Some(used) = self.wrapped(start, line, inner)
        {
            return Some(used);
        }
        let end = start + length;
        let is_partial = classified.is_cri() && parse::cri::is_partial(line);
        let is_new = self.count(&classified);
        match &mut self.pending {
            Some(record) if record.takes(end) && (record.is_partial || frame::goes_on(line, &classified)) => {
                record.to = end;
                record.is_partial = is_partial;
                record.lines += 1;
                record.severity = record.severity.max(classified.severity);
            }
            _ => {
                self.finish();
                self.pending = Some(Record {
                    from: start,
                    to: end,
                    number: self.out.lines,
                    lines: 1,
                    is_partial,
                    is_new,
                    severity: classified.severity,
                    before: self.out.last,
                    is_access: classified.is_access(),
                });
            }
        }
        if classified.severity >= Severity::WARN {
            // Colours are few; where they were removed, the text begins a little too early.
            let text = (start + classified.payload.min(length), end);
            let (severity, time) = (classified.severity, classified.time);
            self.faults.push(Fault { number: self.out.lines, from: start, text, severity, time });
        }
        None
    }

    /// Counts a line; true when it is the first with its formats.
    fn count(&mut self, line: &Line) -> bool {
        self.out.understood += u64::from(line.understood());
        self.out.events += u64::from(line.understood() || line.payload == 0);
        let is_new = self.out.formats.add(line);
        self.out.faults += u64::from(line.severity >= Severity::WARN);
        if line.time.is_some() {
            self.out.times.add(line.time);
            self.out.cadence.add(line.time);
            self.out.ordinary += u64::from(line.severity < Severity::WARN);
            self.out.last = line.time;
        }
        is_new
    }

    /// Ends the pending record: tests it where an anchor stands in it, and hands over what nothing explains.
    pub(super) fn finish(&mut self) {
        let Some(Record { from, to, is_new, .. }) = self.pending else { return };
        if self.usual.enters(from) {
            self.flush_all();
        }
        let is_anchored = self.found.first().is_some_and(|f| f.at < to);
        // Most records end here.
        if is_anchored || is_new || self.opens() || !self.faults.is_empty() {
            self.judge(is_anchored);
        }
        self.pending = None;
    }

    /// Tests the pending record where an anchor stands in it, and hands over what nothing explains.
    fn judge(&mut self, is_anchored: bool) {
        let Some(record) = self.pending.take() else { return };
        let explained = is_anchored && self.test(&record);
        if !explained {
            self.peek(&record);
            let faults = std::mem::take(&mut self.faults);
            faults.iter().for_each(|fault| self.unexplained(fault));
            self.faults = faults;
        }
        self.faults.clear();
    }

    /// Whether what is read are the first records of the source.
    fn opens(&self) -> bool {
        self.base == 0 && self.out.events <= PEEK
    }

    /// Hands over a line that nothing explains, with the names in it when it is the first of its kind.
    fn unexplained(&mut self, fault: &Fault) {
        let text = self.bytes.get(fault.text.0..fault.text.1).unwrap_or_default();
        let Fault { number, severity, time, .. } = *fault;
        if let Some(template) = self.out.clusters.add(number, text, severity, time, self.sated.templates()) {
            let line = frame::text(self.bytes.get(fault.from..fault.text.1).unwrap_or_default());
            let mut event = parse::parse(&line);
            self.complete(&mut event);
            self.out.clusters.name(template, &names(&event));
        }
    }

    /// Parses one of the first records, of the source and of each format in the chunk, to learn which services write into the source.
    fn peek(&mut self, record: &Record) {
        if (record.is_new || self.opens()) && record.to > record.from {
            let text = frame::text(self.bytes.get(record.from..record.to).unwrap_or_default());
            self.learn(&parse::parse(&text));
        }
    }

    /// Tests the signatures that wait for the anchors of a record. True when one holds.
    fn test(&mut self, record: &Record) -> bool {
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.clear();
        let raw = self.bytes.get(record.from..record.to).unwrap_or_default();
        let parts = if frame::may_be_several(raw) { frame::records(raw) } else { Vec::new() };
        let explained = if parts.len() > 1 {
            self.test_parts(record, &parts, &mut candidates)
        } else {
            self.waiting(record, &mut candidates);
            (self.marked || !candidates.is_empty()) && self.parse_and_test(record, raw, &mut candidates)
        };
        self.candidates = candidates;
        explained
    }

    /// Tests records that follow each other on one line.
    fn test_parts(&mut self, record: &Record, parts: &[&[u8]], candidates: &mut Vec<SignatureId>) -> bool {
        let severity = |part: &[u8]| parse::classify(part, &mut LockOn::default()).severity;
        let highest = parts.iter().map(|part| severity(part)).max().unwrap_or_default();
        self.waiting(&Record { severity: highest, ..*record }, candidates);
        let mut explained = false;
        for part in parts {
            let own = Record { severity: severity(part), ..*record };
            let service = own.service();
            let may_hold = |id: &&SignatureId| self.scanner.matcher.may_hold(**id, own.severity, service);
            let mut candidates: Vec<SignatureId> = candidates.iter().filter(may_hold).copied().collect();
            explained |= self.parse_and_test(&own, part, &mut candidates);
        }
        explained
    }

    /// Parses `raw`, the bytes of a record or of a part of it, and tests signatures on it.
    fn parse_and_test(&mut self, record: &Record, raw: &[u8], candidates: &mut [SignatureId]) -> bool {
        let text = frame::text(raw);
        let mut event = parse::parse(&text);
        self.complete(&mut event);
        if self.marked {
            parse::versions::version(&event).into_iter().for_each(|(name, version)| self.version(name, version));
        }
        let matches = self.scanner.matcher.test_seen(&event, candidates, &self.seen);
        let explained = !matches.is_empty();
        if explained {
            let names = names(&event);
            for found in matches {
                let id = found.signature;
                self.flush_partners(id);
                let signature = self.scanner.catalogue.signatures.get(id);
                if record.severity < Severity::WARN && signature.is_some_and(|s| self.usual.counts(id, s.attention)) {
                    self.usual.count(id);
                }
                self.hit(found, &event, &names, record.number, record.before, raw);
            }
        }
        self.learn(&event);
        explained
    }

    /// Adds what the source knows and the record does not tell.
    pub(super) fn complete(&self, event: &mut Event<'_>) {
        event.service = event.service.or(self.context.service);
        if event.node.is_none() {
            event.node = self.context.node.clone().map(Into::into);
        }
        for (key, value) in &self.context.entities {
            // A line that names its node knows better than the path.
            if key != "talos.node" || !event.entities.iter().any(|(k, _)| k == key) {
                event.entity(key.clone(), value.clone());
            }
        }
    }

    /// Records a hit; `before` is the stamp that holds where the event has none.
    pub(super) fn hit(
        &mut self,
        found: Match<'c>,
        event: &Event<'_>,
        names: &Names,
        line: u64,
        before: RawTime,
        raw: &[u8],
    ) {
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
            raw: if inherited { before } else { event.time },
            inherited,
            time: None,
            severity: event.severity,
            service: event.service,
            captures,
            text: hash(event),
            names: Arc::clone(names),
            excerpt: String::new(),
            decisive: None,
        };
        let tally = self.out.tallies.entry(id).or_default();
        if !self.sated.is_told(id) && tally.keeps_text(&hit) {
            hit.excerpt = excerpt(raw, decisive);
            hit.decisive = piece(&hit.excerpt, decisive, matched.as_deref());
        }
        tally.push(hit, signature.is_some_and(|s| s.correlated));
    }

    /// Remembers a version that an event tells.
    pub(super) fn version(&mut self, name: &str, version: String) {
        let version = (name.to_owned(), version);
        if !self.out.versions.contains(&version) {
            self.out.versions.push(version);
        }
    }

    /// Remembers services and names that an event tells.
    pub(super) fn learn(&mut self, event: &Event<'_>) {
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
}

impl Record {
    /// The service that the format of its first line alone is sure of.
    pub(super) fn service(&self) -> Option<Service> {
        self.is_access.then_some(Service::PveAccess)
    }

    /// Whether a line that ends at `end` would still fit.
    fn takes(&self, end: usize) -> bool {
        self.lines < frame::MAX_LINES && end - self.from <= frame::MAX_BYTES
    }
}

/// Where the next byte at `from` or later stands that lines are cleaned of.
fn next_dirty(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    memchr3(0x1b, 0, b'\r', rest).map_or(usize::MAX, |at| from + at)
}

/// A hash of what an event says, its own stamp left out: equal for copies of one line.
fn hash(event: &Event<'_>) -> u64 {
    let mut hasher = FxHasher::default();
    event.body.hash(&mut hasher);
    for (key, value) in event.attributes.iter().filter(|(k, _)| !matches!(k.as_ref(), "ts" | "time" | "timestamp")) {
        key.hash(&mut hasher);
        value.hash(&mut hasher);
    }
    hasher.finish()
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

/// The text of a record for people: cleaned, at most [`EXCERPT`] bytes around what decided.
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
