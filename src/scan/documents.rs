//! State documents within a chunk: read wholly, and tested by what they tell.

use memchr::memchr;

use crate::catalog::SignatureId;
use crate::matcher::Match;
use crate::parse::{self, LockOn};
use crate::state;

use super::frame;
use super::records::{Walk, names};

impl<'w, 'c> Walk<'w, 'c> {
    /// When a document begins at this line, reads it wholly and gives the bytes used.
    pub(super) fn document(&mut self, start: usize, line: &[u8]) -> Option<usize> {
        let document = state::begins(line)?;
        if self.quoted_by_message(start) {
            return None;
        }
        let (end, is_whole) = self.block(document, start);
        let raw = self.bytes.get(start..end)?;
        // Of a single line that is too long, its beginning is read.
        let block = frame::lines(raw.get(..self.scanner.limits.document).unwrap_or(raw));
        let told = self.told(document, &block, (start, end))?;
        self.out.oversized += u64::from(!is_whole);
        Some(told)
    }

    /// Tests and counts what the document between two places tells; the bytes used, when it tells something.
    fn told(&mut self, document: &dyn state::Document, block: &str, (start, end): (usize, usize)) -> Option<usize> {
        let raw = self.bytes.get(start..end)?;
        let context = self.state_context();
        let mut begun: Option<(Vec<SignatureId>, u64)> = None;
        document.each(block, &context, &mut |event| {
            let (candidates, first) = begun.get_or_insert_with(|| {
                self.finish();
                (self.candidates_until(start, end), self.out.lines)
            });
            self.state_event(event, block, *first, candidates);
        });
        begun?;
        let unended = u64::from(raw.last() != Some(&b'\n'));
        let lines = memchr::memchr_iter(b'\n', raw).count() as u64 + unended;
        self.out.lines += lines - 1;
        self.out.understood += lines;
        if !self.out.documents.contains(&document.name()) {
            self.out.documents.push(document.name());
        }
        Some(end - start)
    }

    /// The signatures whose literals stand between two places, which are passed with that.
    fn candidates_until(&mut self, start: usize, end: usize) -> Vec<SignatureId> {
        let mut candidates = Vec::new();
        let inside = self.found.iter().skip_while(|f| f.at < start).take_while(|f| f.at < end);
        for found in inside {
            candidates.extend(self.scanner.matcher.waiting(found.literal).iter().map(|w| w.id));
        }
        self.found = self.found.get(self.found.partition_point(|f| f.at < end)..).unwrap_or_default();
        candidates
    }

    /// When a document begins in the envelope of this line (a script's output in the journal or in a container's log, a
    /// quote in a ticket), reads it up to the last line with more of it in such an envelope, and gives the bytes used.
    pub(super) fn wrapped(&mut self, start: usize, line: &[u8], inner: &[u8]) -> Option<usize> {
        let document = frame::wrapped_document(line, inner)?;
        let mut progress = document.start(inner);
        let mut block = frame::lines(inner).into_owned() + "\n";
        let mut end = self.line_end(start);
        let mut rows = 0;
        while let Some(rest) = self.bytes.get(end..).filter(|r| !r.is_empty()) {
            let line = frame::clean(rest.get(..memchr(b'\n', rest).unwrap_or(rest.len())).unwrap_or_default());
            let payload = parse::classify(&line, &mut LockOn::default()).payload;
            let Some(inner) = frame::unwrapped(&line, payload) else { break };
            if !document.continues(&mut progress, inner) || block.len() > self.scanner.limits.document {
                break;
            }
            block.push_str(&String::from_utf8_lossy(inner));
            block.push('\n');
            end = self.line_end(end);
            rows += 1;
        }
        if rows == 0 {
            return None;
        }
        self.told(document, &block, (start, end))
    }

    /// Behind the end of the line that begins at `start`.
    fn line_end(&self, start: usize) -> usize {
        let rest = self.bytes.get(start..).unwrap_or_default();
        start + memchr(b'\n', rest).map_or(rest.len(), |at| at + 1)
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

    fn state_context(&self) -> state::Context<'w> {
        let source = self.context;
        let entity = |key: &str| source.entities.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
        state::Context {
            path: &source.label,
            vmid: entity("pve.vmid"),
            pve_node: entity("pve.node"),
            node: source.node.as_deref(),
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
            let before = self.out.last;
            self.hit(matched, &event, &names, first + u64::from(line) + offset, before, excerpt.as_bytes());
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
