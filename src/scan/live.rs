//! A source that never ends: scanned while it grows, record by record, with bounded memory.
//!
//! Bytes come in any pieces. A record is scanned when another one has begun behind it, or when its writer has been quiet for
//! a while, which only the caller can tell. Of what was found, the newest is kept. Invariant: a line is never scanned before
//! its end is there.

use std::collections::VecDeque;
use std::time::Duration;

use memchr::{memchr, memrchr};

use super::chunk::{self, WINDOW};
use super::usual::Sated;
use super::{Scanner, SourceContext, SourceOutcome, frame};

/// Bytes that may wait for the end of their record. A longer line is cut, and the rest of it passed over.
const WAITING: usize = 4 << 20;
/// Time between two notes of how far a source had come.
const NOTED: Duration = Duration::from_mins(10);

/// How much of what waits is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upto {
    /// Records behind which another one has begun.
    Record,
    /// All lines: their writer is quiet, nothing continues the last one.
    Line,
    /// Everything: the source has ended.
    End,
}

/// A source that grows.
#[derive(Debug, Default)]
pub struct Live {
    /// What was found so far.
    pub outcome: SourceOutcome,
    /// Bytes that wait for the end of their record.
    waiting: Vec<u8>,
    /// Where they begin in the source.
    base: u64,
    /// True when they begin within a line.
    cut_line: bool,
    /// When how many lines had been read: finds what is old.
    notes: VecDeque<(Duration, u64)>,
}

impl Live {
    /// A source of which nothing was read yet.
    pub fn new(context: SourceContext) -> Self {
        Self { outcome: SourceOutcome::new(context), ..Self::default() }
    }

    /// Takes what was read, and scans what is surely whole once there is much of it. True when something was found that may
    /// change a verdict.
    pub fn push(&mut self, scanner: &Scanner<'_>, bytes: &[u8]) -> bool {
        self.outcome.bytes += bytes.len() as u64;
        self.waiting.extend_from_slice(bytes);
        self.waiting.len() >= WINDOW as usize && self.scan(scanner, Upto::Record)
    }

    /// Whether some line waits to be scanned.
    pub fn waits(&self) -> bool {
        memchr(b'\n', &self.waiting).is_some()
    }

    /// Scans what is whole. True when something was found that may change a verdict.
    pub fn scan(&mut self, scanner: &Scanner<'_>, upto: Upto) -> bool {
        let end = self.whole(upto);
        if end == 0 {
            return false;
        }
        let mut tells = false;
        let mut from = 0;
        while from < end {
            let to = piece(self.waiting.get(from..end).unwrap_or_default()).map_or(end, |length| from + length);
            let bytes = self.waiting.get(from..to).unwrap_or_default();
            let base = self.base + from as u64;
            let scan = if self.cut_line { chunk::scan_rest } else { chunk::scan };
            // What is old is forgotten here: nothing is ever sated.
            let found = scan(scanner, &self.outcome.context, bytes, base, &Sated::default());
            self.cut_line = bytes.last() != Some(&b'\n');
            tells |= found.tells();
            self.outcome.absorb([found], bytes, scanner);
            from = to;
        }
        self.waiting.drain(..end);
        self.base += end as u64;
        // What a burst left behind is given back.
        self.waiting.shrink_to(2 * WINDOW as usize);
        tells
    }

    /// How many bytes can be scanned.
    fn whole(&self, upto: Upto) -> usize {
        let bytes = self.waiting.as_slice();
        let lines = memrchr(b'\n', bytes).map_or(0, |at| at + 1);
        let end = match upto {
            Upto::End => bytes.len(),
            Upto::Line => lines,
            Upto::Record => last_record(bytes.get(..lines).unwrap_or_default()),
        };
        if end == 0 && bytes.len() >= WAITING { bytes.len() } else { end }
    }

    /// Forgets what is too much or too old: of each signature the newest `newest` hits stay, and nothing stays for longer
    /// than `horizon`. True when something old was forgotten.
    pub fn retain(&mut self, now: Duration, horizon: Duration, newest: usize) -> bool {
        self.outcome.found.slide(newest);
        self.outcome.around.retain(&self.outcome.found);
        let lines = self.outcome.found.lines;
        if self.notes.back().is_none_or(|(when, _)| now.saturating_sub(*when) >= NOTED) {
            self.notes.push_back((now, lines));
        }
        let mut old = None;
        while let Some((_, lines)) = self.notes.front().filter(|(when, _)| now.saturating_sub(*when) >= horizon) {
            old = Some(*lines);
            self.notes.pop_front();
        }
        old.is_some_and(|line| self.outcome.found.forget_before(line + 1))
    }
}

/// Where to cut a piece off that is scanned by itself; `None` when all of it is one.
fn piece(bytes: &[u8]) -> Option<usize> {
    let window = WINDOW as usize;
    if bytes.len() <= 2 * window {
        return None;
    }
    Some(super::reader::record_start(bytes, window)).filter(|at| *at < bytes.len())
}

/// Where the last record of whole lines begins: a line may still follow that continues it.
fn last_record(lines: &[u8]) -> usize {
    let mut end = lines.len();
    for _ in 0..frame::MAX_LINES {
        let Some(before) = lines.get(..end.saturating_sub(1)).filter(|b| !b.is_empty()) else { return 0 };
        let start = memrchr(b'\n', before).map_or(0, |at| at + 1);
        if !frame::continues(&frame::clean(lines.get(start..end - 1).unwrap_or_default())) {
            return start;
        }
        end = start;
    }
    lines.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::load;

    const LINE: &str = "TASK ERROR: unable to create VM 104 - Cannot create new thin volume, free space in thin pool \
                        pve/data reached threshold.\n";

    fn tallies(outcome: &SourceOutcome) -> Vec<(usize, u64, Vec<u64>)> {
        let lines = |t: &super::super::Tally| t.hits.iter().map(|h| h.line).collect();
        outcome.found.tallies.iter().map(|(id, t)| (*id, t.count, lines(t))).collect()
    }

    #[test]
    fn any_pieces_give_what_the_whole_gives() {
        let (catalogue, _) = load::builtin();
        let scanner = Scanner::new(&catalogue, 0);
        let text = format!("first\n{LINE}middle\n\tcontinued\n{LINE}last");
        let whole = scanner.text(SourceContext::default(), text.as_bytes());
        for size in [1, 7, 100, 1000] {
            let mut live = Live::new(SourceContext::default());
            for bytes in text.as_bytes().chunks(size) {
                live.push(&scanner, bytes);
                live.scan(&scanner, Upto::Record);
            }
            live.scan(&scanner, Upto::End);
            assert_eq!(tallies(&live.outcome), tallies(&whole), "{size}");
            assert_eq!(live.outcome.found.lines, whole.found.lines, "{size}");
        }
    }

    #[test]
    fn a_record_waits_for_its_last_line_and_a_line_for_its_end() {
        let (catalogue, _) = load::builtin();
        let scanner = Scanner::new(&catalogue, 0);
        let mut live = Live::new(SourceContext::default());
        live.push(&scanner, b"one\ntwo\n\tgoes on\nthr");
        live.scan(&scanner, Upto::Record);
        assert_eq!(live.outcome.found.lines, 1);
        live.scan(&scanner, Upto::Line);
        assert_eq!(live.outcome.found.lines, 3);
        assert!(!live.waits());
        live.push(&scanner, b"ee\n");
        live.scan(&scanner, Upto::Line);
        assert_eq!(live.outcome.found.lines, 4);
    }

    #[test]
    fn a_line_without_end_is_cut_and_its_rest_passed_over() {
        let (catalogue, _) = load::builtin();
        let scanner = Scanner::new(&catalogue, 0);
        let mut live = Live::new(SourceContext::default());
        for _ in 0..100 {
            live.push(&scanner, &[b'x'; 100_000]);
            assert!(live.waiting.len() <= WAITING + 100_000);
        }
        live.push(&scanner, format!("rest {LINE}{LINE}").as_bytes());
        live.scan(&scanner, Upto::End);
        let (_, count, lines) = tallies(&live.outcome).first().cloned().expect("a hit");
        assert_eq!((count, lines.len()), (1, 1));
        assert!(live.outcome.found.truncated > 0);
    }

    #[test]
    fn what_is_old_is_forgotten_and_what_is_new_stays() {
        let (catalogue, _) = load::builtin();
        let scanner = Scanner::new(&catalogue, 0);
        let mut live = Live::new(SourceContext::default());
        let hours = |h: u64| Duration::from_hours(h);
        let mut forgot = false;
        for hour in 0..48 {
            live.push(&scanner, LINE.as_bytes());
            live.scan(&scanner, Upto::End);
            forgot |= live.retain(hours(hour), hours(24), 400);
        }
        assert!(forgot);
        let lines = tallies(&live.outcome).first().cloned().expect("hits").2;
        assert!(lines.first().is_some_and(|l| (24..=26).contains(l)), "{lines:?}");
        assert_eq!(lines.last(), Some(&48));
    }
}
