//! Lines around evidence, read again from where they stand.
//!
//! Scanning keeps only what was found; the neighbours of a line are looked up afterwards. In plain files that is random access
//! through a memory map, each file once; everything else (members of archives, compressed files) is decoded once more as a
//! stream, up to a limit, by the caller. What came through a pipe was kept while it passed ([`crate::scan::around`]). Invariant:
//! what is attached was checked against the evidence, so that a file that changed attaches nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use memchr::memchr_iter;
use memmap2::Mmap;
use rayon::prelude::*;

use super::model::{EvidenceLine, NearbyLine, Report};
use super::sanitize;
use crate::scan::SourceOutcome;
use crate::scan::around::{self, BACK, BLOCK, HELD, NumberedLine, Place, Starts};

/// Letters and digits in a row that tell a line from others.
const WORD: usize = 4;

/// Attaches to every line of evidence the `around` lines before and after it. Where they stand, `sources` tell about.
pub fn attach(report: &mut Report, sources: &[SourceOutcome], around: u64) {
    if around == 0 {
        return;
    }
    let starts: BTreeMap<String, &Starts> =
        sources.iter().map(|s| (sanitize::line(&s.context.label), &s.starts)).collect();
    let mut by_source: BTreeMap<String, Vec<&mut EvidenceLine>> = BTreeMap::new();
    for line in report.root_causes.iter_mut().flat_map(|c| &mut c.evidence) {
        by_source.entry(line.source.clone()).or_default().push(line);
    }
    let mut sources: Vec<_> = by_source.into_iter().collect();
    sources.par_iter_mut().for_each(|(source, lines)| {
        lines.sort_by_key(|l| l.line);
        // What cannot be read again has no neighbours to show.
        let starts = starts.get(source).copied();
        let _ = with_bytes(Path::new(source), |bytes| fill(bytes, lines, starts, around));
    });
}

/// Attaches to lines of evidence without neighbours those that were kept while their source passed by.
pub fn attach_kept(report: &mut Report, sources: &[SourceOutcome]) {
    let kept: BTreeMap<String, &SourceOutcome> =
        sources.iter().filter(|s| s.context.around > 0).map(|s| (sanitize::line(&s.context.label), s)).collect();
    for line in report.root_causes.iter_mut().flat_map(|c| &mut c.evidence).filter(|l| l.nearby.is_empty()) {
        let Some(source) = kept.get(&line.source) else { continue };
        let shown: Vec<NearbyLine> = source.around.lines(line.line).iter().map(harmless).collect();
        if agrees(&shown, line) {
            line.nearby = shown;
        }
    }
}

/// Lines of evidence without neighbours, by source.
pub type Missing<'r> = BTreeMap<String, Vec<&'r mut EvidenceLine>>;

/// The lines of evidence that [`attach`] found no neighbours for, by source, and the files that hold these sources.
pub fn missing(report: &mut Report) -> (Missing<'_>, Vec<PathBuf>) {
    let mut found: Missing<'_> = BTreeMap::new();
    for line in report.root_causes.iter_mut().flat_map(|c| &mut c.evidence).filter(|l| l.nearby.is_empty()) {
        found.entry(line.source.clone()).or_default().push(line);
    }
    found.values_mut().for_each(|lines| lines.sort_by_key(|l| l.line));
    let mut files: Vec<PathBuf> = found.keys().map(|s| PathBuf::from(s.split("!/").next().unwrap_or(s))).collect();
    files.dedup();
    files.retain(|path| path.is_file());
    (found, files)
}

/// Gives each line of evidence, sorted by line, its neighbours from the text of its source. Reads as far as the last of them,
/// and not more than `budget` bytes, from which it takes what it read.
pub fn fill_from(stream: &mut dyn Read, lines: &mut [&mut EvidenceLine], around: u64, budget: &mut u64) {
    let mut held = Held { bytes: Vec::new(), line: 1, ended: false };
    for evidence in lines {
        let (first, last) = (evidence.line.saturating_sub(around).max(1), evidence.line.saturating_add(around));
        if !held.read_until(stream, first, last, budget) {
            return;
        }
        let Some(place) = (Place { line: held.line, start: 0 }).seek(&held.bytes, first) else { return };
        let shown = cut(&held.bytes, place, last);
        if agrees(&shown, evidence) {
            evidence.nearby = shown;
        }
    }
}

/// Some lines of a stream.
struct Held {
    bytes: Vec<u8>,
    /// The number of the first of them.
    line: u64,
    ended: bool,
}

impl Held {
    /// Reads until the line `last` is held wholly or the stream ends; forgets what stands far before `first`. False when there
    /// is too much to hold or to read.
    fn read_until(&mut self, stream: &mut dyn Read, first: u64, last: u64, budget: &mut u64) -> bool {
        let mut complete = self.line + memchr_iter(b'\n', &self.bytes).count() as u64;
        let mut block = vec![0; BLOCK];
        while complete <= last && !self.ended {
            if complete < first {
                self.forget();
            }
            if *budget == 0 || self.bytes.len() > HELD {
                return false;
            }
            let read = stream.read(&mut block).unwrap_or(0);
            let new = block.get(..read).unwrap_or_default();
            complete += memchr_iter(b'\n', new).count() as u64;
            self.bytes.extend_from_slice(new);
            self.ended = read == 0;
            *budget = budget.saturating_sub(read as u64);
        }
        true
    }

    /// Keeps the last lines only: those in which a key may have begun.
    fn forget(&mut self) {
        let surplus = self.bytes.len().saturating_sub(BACK);
        let Some(end) = memchr::memrchr(b'\n', self.bytes.get(..surplus).unwrap_or_default()) else { return };
        let gone = self.bytes.drain(..=end);
        self.line += gone.filter(|b| *b == b'\n').count() as u64;
    }
}

/// Hands out the bytes of a plain file.
fn with_bytes(path: &Path, use_bytes: impl FnOnce(&[u8])) -> Option<()> {
    let file = File::open(path).ok().filter(|f| f.metadata().is_ok_and(|m| m.is_file() && m.len() > 0))?;
    #[allow(unsafe_code)]
    // SAFETY: the map is read-only, private to this function and copied from at once. Truncating the file in that moment
    // would end the process with SIGBUS; it was read to its end just before, and nothing is written through the map.
    let map = unsafe { Mmap::map(&file) }.ok()?;
    use_bytes(&map);
    Some(())
}

/// Gives each line of evidence, sorted by line, its neighbours, in one pass over what lies between known places.
fn fill(bytes: &[u8], lines: &mut [&mut EvidenceLine], starts: Option<&Starts>, around: u64) {
    let mut at = Place { line: 1, start: 0 };
    for evidence in lines {
        let first = evidence.line.saturating_sub(around).max(1);
        let known = starts.map_or(at, |starts| starts.before(first));
        let from = if known.line > at.line { known } else { at };
        let Some(place) = from.seek(bytes, first) else { return };
        at = place;
        let shown = cut(bytes, place, evidence.line.saturating_add(around));
        if agrees(&shown, evidence) {
            evidence.nearby = shown;
        }
    }
}

/// The lines from a place to `last`, harmless for terminals and without secrets.
fn cut(bytes: &[u8], from: Place, last: u64) -> Vec<NearbyLine> {
    around::cut(bytes, from, last).iter().map(harmless).collect()
}

/// A line as reports show it.
fn harmless((line, text): &NumberedLine) -> NearbyLine {
    NearbyLine { line: *line, text: sanitize::text(text).into_owned() }
}

/// Whether the lines are those of the evidence: one of the first words of its excerpt stands in them.
fn agrees(shown: &[NearbyLine], evidence: &EvidenceLine) -> bool {
    let words = evidence.excerpt.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| w.len() >= WORD);
    words.take(8).any(|word| shown.iter().any(|l| l.line >= evidence.line && l.text.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(bytes: &[u8], line: u64, around: u64) -> Vec<u64> {
        let mut evidence = evidence(line, "line");
        fill(bytes, &mut [&mut evidence], None, around);
        evidence.nearby.iter().map(|l| l.line).collect()
    }

    fn evidence(line: u64, excerpt: &str) -> EvidenceLine {
        EvidenceLine {
            id: String::new(),
            role: "supports".into(),
            says: String::new(),
            signature: String::new(),
            source: String::new(),
            line,
            timestamp: None,
            excerpt: excerpt.into(),
            decisive: None,
            count: 1,
            ratio: 1.0,
            thing: String::new(),
            moment: None,
            last: None,
            nearby: Vec::new(),
        }
    }

    #[test]
    fn neighbours_are_cut_at_the_ends_of_the_file() {
        let text = b"line a\nline b\nline c\nline d\n";
        assert_eq!(numbers(text, 1, 1), [1, 2]);
        assert_eq!(numbers(text, 4, 2), [2, 3, 4]);
        assert!(numbers(text, 9, 1).is_empty());
    }

    #[test]
    fn a_file_of_many_blocks_is_read_in_one_pass() {
        let text = (1..=50_000).map(|n| format!("line number{n}")).collect::<Vec<_>>().join("\n");
        let mut lines: Vec<EvidenceLine> = [2, 3, 9_000, 49_999].map(|n| evidence(n, &format!("number{n}"))).into();
        fill(text.as_bytes(), &mut lines.iter_mut().collect::<Vec<_>>(), None, 1);
        for line in &lines {
            assert_eq!(line.nearby.len(), 3, "{}", line.line);
            assert_eq!(line.nearby[1].text, format!("line number{}", line.line));
        }
    }

    #[test]
    fn lines_are_found_from_whatever_places_are_known() {
        let text = (1..=50_000).map(|n| format!("line number{n}")).collect::<Vec<_>>().join("\n");
        let wanted = || [1, 2, 9_000, 9_010, 49_999].map(|n| evidence(n, &format!("number{n}")));
        let mut plain = wanted();
        fill(text.as_bytes(), &mut plain.iter_mut().collect::<Vec<_>>(), None, 2);
        for every in [1, 7, 4_000] {
            let mut starts = Starts::default();
            for (line, (start, _)) in (1..).zip(std::iter::once((0, "")).chain(text.match_indices('\n'))) {
                if line % every == 0 {
                    starts.note(Place { line, start: if line == 1 { 0 } else { start + 1 } });
                }
            }
            let mut seeked = wanted();
            fill(text.as_bytes(), &mut seeked.iter_mut().collect::<Vec<_>>(), Some(&starts), 2);
            for (a, b) in plain.iter().zip(&seeked) {
                assert!(!a.nearby.is_empty());
                assert_eq!(a.nearby, b.nearby, "{} {every}", a.line);
            }
        }
    }

    #[test]
    fn a_stream_gives_the_same_neighbours_as_a_file() {
        let text = (1..=50_000).map(|n| format!("line number{n}")).collect::<Vec<_>>().join("\n");
        for around in [0, 1, 40] {
            let wanted = || [1, 2, 3, 9_000, 9_010, 49_999, 50_000].map(|n| evidence(n, &format!("number{n}")));
            let (mut mapped, mut streamed) = (wanted(), wanted());
            fill(text.as_bytes(), &mut mapped.iter_mut().collect::<Vec<_>>(), None, around);
            let mut budget = u64::MAX;
            fill_from(&mut text.as_bytes(), &mut streamed.iter_mut().collect::<Vec<_>>(), around, &mut budget);
            for (a, b) in mapped.iter().zip(&streamed) {
                assert!(!a.nearby.is_empty());
                assert_eq!(a.nearby, b.nearby, "{} {around}", a.line);
            }
        }
    }

    #[test]
    fn a_stream_is_read_no_further_than_allowed() {
        let text = "line number\n".repeat(100_000);
        let mut lines = [evidence(3, "number"), evidence(90_000, "number")];
        let mut budget = 200_000;
        fill_from(&mut text.as_bytes(), &mut lines.iter_mut().collect::<Vec<_>>(), 1, &mut budget);
        assert_eq!((lines[0].nearby.len(), lines[1].nearby.len(), budget), (3, 0, 0));
        let mut endless = std::io::repeat(b'x');
        let mut line = evidence(2, "xxxx");
        fill_from(&mut endless, &mut [&mut line], 1, &mut u64::MAX.clone());
        assert!(line.nearby.is_empty());
    }

    #[test]
    fn lines_that_are_not_those_of_the_evidence_are_not_attached() {
        let mut other = evidence(1, "Cannot create new thin volume");
        fill(b"\x1f\x8b\x08 packed\nbytes\n", &mut [&mut other], None, 1);
        assert!(other.nearby.is_empty());
    }
}
