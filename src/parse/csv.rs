//! `csv`: a row of comma-separated values with a time in its first cell, or in one soon behind it, as log stores and
//! spreadsheets export records.

use super::scan::{self, from};
use super::{Format, Head, Sample};
use crate::event::{Event, RawTime, Severity};

/// The format.
pub struct Csv;

/// Cells that are looked at for the time and the level.
const CELLS: usize = 8;
/// Bytes of a cell that is looked into; longer ones are only passed over.
const LONGEST: usize = 40;

/// The cell at the start of a text, without its quotes, and where the next one begins; `None` for a row that ends with it.
fn cell(text: &[u8]) -> Option<(&[u8], Option<usize>)> {
    let quoted = text.first() == Some(&b'"');
    let mut end = usize::from(quoted);
    let stop = if quoted { b'"' } else { b',' };
    loop {
        match memchr::memchr(stop, from(text, end)) {
            Some(at) => end += at,
            None if quoted => return None,
            None => return Some((text, None)),
        }
        // Two quotes within quotes stand for one.
        if !(quoted && text.get(end + 1) == Some(&b'"')) {
            break;
        }
        end += 2;
    }
    let inside = text.get(usize::from(quoted)..end)?;
    let behind = end + usize::from(quoted);
    match text.get(behind) {
        None => Some((inside, None)),
        Some(b',') => Some((inside, Some(behind + 1))),
        Some(_) => None,
    }
}

/// The time that a cell consists of.
fn time(cell: &[u8]) -> Option<RawTime> {
    scan::stamp(cell).filter(|stamp| stamp.length == cell.len())?.time(cell)
}

/// The time of a row, the level that a cell behind it names, and where that row goes on when the time came first.
fn row(line: &[u8]) -> Option<(RawTime, Severity, Option<usize>)> {
    let quoted = line.first() == Some(&b'"');
    let first = if quoted { cell(line)? } else { bare_time(line)? };
    let mut next = first.1?;
    let mut found = time(first.0);
    let payload = found.is_some().then_some(next);
    let mut severity = Severity::UNKNOWN;
    for _ in 1..CELLS {
        let Some((inside, behind)) = cell(from(line, next)) else { break };
        if inside.len() <= LONGEST && found.is_none() {
            found = time(inside);
        } else if inside.len() <= LONGEST && severity == Severity::UNKNOWN && inside.iter().all(u8::is_ascii_alphabetic)
        {
            severity = Severity::from_word(inside);
        }
        let Some(behind) = behind else { break };
        next += behind;
    }
    Some((found?, severity, payload))
}

/// The time with which a row begins, and where the next cell does. In `08:00:00,123 - name` the comma separates no cells.
fn bare_time(line: &[u8]) -> Option<(&[u8], Option<usize>)> {
    const SECONDS: usize = 19;
    let stamp = scan::stamp(line)?;
    let decimal = scan::digits(from(line, SECONDS + 1)) == 3 && line.get(SECONDS + 4) != Some(&b',');
    let length = if line.get(SECONDS) == Some(&b',') && !decimal { SECONDS } else { stamp.length };
    (line.get(length) == Some(&b',')).then_some((line.get(..length)?, Some(length + 1)))
}

impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b'"' || byte.is_ascii_digit()
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let (time, severity, next) = row(line)?;
        // A record in quotes that is all of the rest can be read further.
        let payload = next.map(|at| {
            let last = cell(from(line, at)).is_some_and(|(_, next)| next.is_none());
            at + usize::from(last && line.get(at) == Some(&b'"'))
        });
        Some(Head { time, severity, payload })
    }

    fn stands_in(&self, holder: super::Holder) -> bool {
        holder == super::Holder::Anything
    }

    fn parse<'a>(&self, text: &'a str, head: &Head, event: &mut Event<'a>) {
        if head.payload.is_none() {
            event.body = text.into();
        }
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: r#""2026-09-15T08:00:00.000Z","pve1","qmstart","ERROR","volume 'tank:vm-104-disk-0' does not exist""#,
        time: RawTime::Utc(1_789_459_200_000_000),
        severity: Severity::ERROR,
        body: r#""pve1","qmstart","ERROR","volume 'tank:vm-104-disk-0' does not exist""#,
        has: &[],
    },
    Sample {
        text: "2026-09-15 08:00:00,104,qmstart,no space left on device",
        time: RawTime::Local(1_789_459_200_000_000),
        severity: Severity::UNKNOWN,
        body: "104,qmstart,no space left on device",
        has: &[],
    },
    Sample {
        text: "2026-09-15T08:00:00Z,\"E0915 08:00:00.000000       1 leaderelection.go:330] lost lease\"",
        time: RawTime::Utc(1_789_459_200_000_000),
        severity: Severity::ERROR,
        body: "lost lease\"",
        has: &[],
    },
    Sample {
        text: r#""{app=""omni""}","2026-09-15T08:00:00Z","warning","link ""x"" lost""#,
        time: RawTime::Utc(1_789_459_200_000_000),
        severity: Severity::WARN,
        body: r#""{app=""omni""}","2026-09-15T08:00:00Z","warning","link ""x"" lost""#,
        has: &[],
    },
];
