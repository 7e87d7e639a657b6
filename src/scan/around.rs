//! Lines around a place of a source: cut from its bytes, and kept while a source passes by that cannot be read again.
//!
//! Hits remember lines by number. The lines around them are copied from the bytes of a batch once it is scanned, so that no line
//! costs anything by itself, and a batch without a new hit costs the copy of its last few lines. Invariants: what is kept has
//! its secrets masked; its size is bounded.

use std::collections::{BTreeMap, BTreeSet};

use memchr::{memchr, memchr_iter, memrchr};

use super::chunk::ChunkOutcome;
use crate::redact::Stream;

/// Bytes shown of one line.
const LINE: usize = 400;
/// Bytes looked at of one line: secrets are masked before it is cut.
const LONGEST: usize = 64 << 10;
/// Bytes before the first line shown in which a key or certificate may have begun that goes on there.
pub const BACK: usize = 32 << 10;
/// Bytes in which line ends are only counted.
pub const BLOCK: usize = 64 << 10;
/// Bytes of a source that are held at once: the lines around one place, and what a key may have begun in.
pub const HELD: usize = 4 << 20;
/// Places of lines kept for one source, at the most.
const STARTS: usize = 1024;
/// Bytes of lines kept for one source.
const KEPT: usize = 4 << 20;

/// A line of a source without secrets, cut to a length for people, and its number. Its control characters are as they were.
pub type NumberedLine = (u64, String);

/// Where a line begins in a text.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Its number, from 1.
    pub line: u64,
    /// Its first byte.
    pub start: usize,
}

impl Place {
    /// Where a line at or behind this one begins; `None` when the text ends before.
    pub fn seek(self, bytes: &[u8], line: u64) -> Option<Self> {
        let mut at = self;
        while at.line < line {
            let block = bytes.get(at.start..bytes.len().min(at.start + BLOCK)).filter(|b| !b.is_empty())?;
            let ends = memchr_iter(b'\n', block).count() as u64;
            if at.line + ends < line {
                at = Self { line: at.line + ends, start: at.start + block.len() };
                continue;
            }
            let last = memchr_iter(b'\n', block).nth(usize::try_from(line - at.line - 1).ok()?)?;
            at = Self { line, start: at.start + last + 1 };
        }
        (at.start < bytes.len()).then_some(at)
    }
}

/// Where some lines of a file begin that was read by position: others are found from the nearest one before them.
#[derive(Debug)]
pub struct Starts {
    places: Vec<Place>,
    /// Of how many places one is kept.
    every: u64,
    /// Places seen.
    seen: u64,
}

impl Starts {
    /// Takes note of a place behind all others.
    pub fn note(&mut self, place: Place) {
        if self.seen.is_multiple_of(self.every) {
            if self.places.len() == STARTS {
                let mut nth = 0;
                self.places.retain(|_| (nth += 1, nth % 2 == 1).1);
                self.every *= 2;
            }
            self.places.push(place);
        }
        self.seen += 1;
    }

    /// The last known place at or before a line.
    pub fn before(&self, line: u64) -> Place {
        let behind = self.places.partition_point(|place| place.line <= line);
        behind.checked_sub(1).and_then(|at| self.places.get(at)).copied().unwrap_or(Place { line: 1, start: 0 })
    }
}

impl Default for Starts {
    fn default() -> Self {
        Self { places: Vec::new(), every: 1, seen: 0 }
    }
}

/// The lines from a place to `last`, without secrets.
pub fn cut(bytes: &[u8], from: Place, last: u64) -> Vec<NumberedLine> {
    let mut shown = Vec::new();
    let mut secrets = before(bytes, from.start);
    let mut rest = bytes.get(from.start..).unwrap_or_default();
    for line in from.line..=last {
        if rest.is_empty() {
            break;
        }
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        let text = String::from_utf8_lossy(rest.get(..end.min(LONGEST)).unwrap_or_default());
        let mut text = secrets.mask(text.trim_end_matches('\r'));
        let end_shown = text.floor_char_boundary(LINE.min(text.len()));
        if end_shown < text.len() {
            text.truncate(end_shown);
            text.push('…');
        }
        text.shrink_to_fit();
        shown.push((line, text));
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    shown
}

/// What began in the lines before a place: a key or certificate may go on behind it.
fn before(bytes: &[u8], start: usize) -> Stream {
    Stream::behind(bytes.get(start.saturating_sub(BACK)..start).unwrap_or_default())
}

/// The lines around what was found in a source that passes by.
#[derive(Debug, Default)]
pub struct Around {
    /// Lines before and after each place; 0 when none are wanted.
    reach: u64,
    /// The last bytes that passed, from the beginning of a line.
    held: Vec<u8>,
    /// Lines of hits that wait for the lines behind them.
    open: BTreeSet<u64>,
    /// What is kept, by the line of the hit.
    kept: BTreeMap<u64, Vec<NumberedLine>>,
    /// Bytes of it.
    size: usize,
}

impl Around {
    /// Keeps `reach` lines before and after each hit with a text.
    pub fn new(reach: u64) -> Self {
        Self { reach, ..Self::default() }
    }

    /// The lines around the hit on a line.
    pub fn lines(&self, line: u64) -> &[NumberedLine] {
        self.kept.get(&line).map_or(&[], Vec::as_slice)
    }

    /// Takes the next bytes of the source; `found` is what it holds up to their end, `lines` how many lines stood before them.
    pub fn pass(&mut self, bytes: &[u8], found: &ChunkOutcome, lines: u64) {
        if self.reach == 0 {
            return;
        }
        for tally in found.tallies.values() {
            let new = tally.hits.iter().rev().take_while(|hit| hit.line > lines);
            self.open.extend(new.filter(|hit| !hit.excerpt.is_empty()).map(|hit| hit.line));
        }
        self.held.extend_from_slice(bytes);
        self.close(found.lines, false);
        self.let_go(found.lines);
    }

    /// Keeps what still waits: the source has ended, or is looked at as if it had. `lines` are all of its lines.
    pub fn close_all(&mut self, lines: u64) {
        self.close(lines, true);
    }

    /// Forgets the lines around hits that are forgotten themselves, when there is much of them.
    pub fn retain(&mut self, found: &ChunkOutcome) {
        if self.size < KEPT / 2 {
            return;
        }
        let hits = found.tallies.values().flat_map(|tally| &tally.hits);
        let with_text: BTreeSet<u64> = hits.filter(|hit| !hit.excerpt.is_empty()).map(|hit| hit.line).collect();
        self.kept.retain(|line, _| with_text.contains(line));
        self.size = self.kept.values().map(|lines| size(lines)).sum();
    }

    /// Where what is held begins, when the source has `lines` lines so far.
    fn start(&self, lines: u64) -> Place {
        let ends = memchr_iter(b'\n', &self.held).count() as u64;
        let next = lines + u64::from(self.held.last().is_none_or(|b| *b == b'\n'));
        Place { line: next.saturating_sub(ends).max(1), start: 0 }
    }

    /// Keeps the lines around each hit whose last one is there.
    fn close(&mut self, lines: u64, all: bool) {
        if self.open.is_empty() {
            return;
        }
        let all = all || self.held.len() > HELD;
        let whole = lines - u64::from(self.held.last().is_some_and(|b| *b != b'\n'));
        let mut at = self.start(lines);
        while let Some(line) = self.open.first().copied().filter(|line| all || line.saturating_add(self.reach) <= whole)
        {
            self.open.pop_first();
            let first = line.saturating_sub(self.reach).max(at.line);
            let Some(place) = at.seek(&self.held, first) else { continue };
            at = place;
            let shown = cut(&self.held, place, line.saturating_add(self.reach));
            if shown.iter().any(|(number, _)| *number == line) && self.size + size(&shown) <= KEPT {
                self.size += size(&shown);
                self.kept.insert(line, shown);
            }
        }
    }

    /// Lets go of the bytes that no line around a hit can stand in any more, nor a key that goes on there.
    fn let_go(&mut self, lines: u64) {
        let from = match self.open.first() {
            Some(line) => {
                let at = self.start(lines);
                at.seek(&self.held, line.saturating_sub(self.reach).max(at.line)).map_or(0, |place| place.start)
            }
            None => last_lines(&self.held, self.reach),
        };
        let surplus = from.saturating_sub(BACK);
        if let Some(end) = memrchr(b'\n', self.held.get(..surplus).unwrap_or_default()) {
            self.held.drain(..=end);
            self.held.shrink_to(2 * BACK);
        }
    }
}

/// Where the last `count` lines of a text begin, and not more than some bytes.
fn last_lines(bytes: &[u8], count: u64) -> usize {
    let mut start = bytes.len();
    for _ in 0..=count {
        let Some(end) = memrchr(b'\n', bytes.get(..start.saturating_sub(1)).unwrap_or_default()) else { return 0 };
        if bytes.len() - end > HELD / 4 {
            break;
        }
        start = end + 1;
    }
    start
}

/// Bytes that lines take.
fn size(lines: &[NumberedLine]) -> usize {
    lines.iter().map(|(_, text)| text.len() + size_of::<NumberedLine>()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::{Hit, Tally};

    /// What is kept when a text passes in pieces that end at line ends, with a hit on each of `hits`.
    fn kept(text: &str, hits: &[u64], reach: u64, piece: usize) -> Around {
        let (mut around, mut found, mut from) = (Around::new(reach), ChunkOutcome::default(), 0);
        let tally: &mut Tally = found.tallies.entry(0).or_default();
        tally.hits.clear();
        while from < text.len() {
            let rest = text.get(from..).expect("a boundary");
            let end = rest.get(piece.min(rest.len()) - 1..).and_then(|r| r.find('\n'));
            let own = end.map_or(rest, |end| rest.get(..piece.min(rest.len()) + end).expect("a boundary"));
            let before = found.lines;
            found.lines += own.lines().count() as u64;
            let tally = found.tallies.entry(0).or_default();
            for line in hits.iter().filter(|line| (before + 1..=found.lines).contains(line)) {
                tally.hits.push(Hit { line: *line, excerpt: "text".into(), ..Hit::default() });
            }
            around.pass(own.as_bytes(), &found, before);
            from += own.len();
        }
        around.close_all(found.lines);
        around
    }

    #[test]
    fn any_pieces_keep_the_lines_that_the_whole_text_has() {
        let text = (1..=600).map(|n| format!("line number {n}")).collect::<Vec<_>>().join("\n");
        let hits = [1, 2, 7, 300, 301, 599, 600];
        for reach in [1, 3, 200] {
            for piece in [1, 50, 1_000, text.len()] {
                let around = kept(&text, &hits, reach, piece);
                for hit in hits {
                    let wanted: Vec<NumberedLine> = (hit.saturating_sub(reach).max(1)..=(hit + reach).min(600))
                        .map(|n| (n, format!("line number {n}")))
                        .collect();
                    assert_eq!(around.lines(hit), wanted, "{hit} ±{reach} in pieces of {piece}");
                }
            }
        }
    }

    #[test]
    fn what_passes_without_a_hit_is_not_held() {
        let text = "an ordinary line\n".repeat(100_000);
        let around = kept(&text, &[5], 3, 100_000);
        assert!(around.held.len() <= 200_000, "{}", around.held.len());
        assert_eq!(around.lines(5).len(), 7);
        assert!(around.lines(6).is_empty());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let text = format!("{}\n", "x".repeat(380)).repeat(3_000);
        let hits: Vec<u64> = (1..=3_000).collect();
        let around = kept(&text, &hits, 3, 1 << 20);
        assert!(around.size <= KEPT && around.size > KEPT / 2);
        assert_eq!(around.lines(1).len(), 4);
        assert!(around.lines(2_900).is_empty());
    }

    #[test]
    fn a_key_that_began_before_the_lines_kept_is_masked() {
        let text = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQ\nEEIBx9\n-----END EC PRIVATE KEY-----\ndone token=abc1\n";
        for piece in [1, text.len()] {
            let around = kept(text, &[4], 1, piece);
            let shown: Vec<&str> = around.lines(4).iter().map(|(_, text)| text.as_str()).collect();
            assert_eq!(shown, ["***", "-----END EC PRIVATE KEY-----", "done token=***"], "{piece}");
        }
    }
}
