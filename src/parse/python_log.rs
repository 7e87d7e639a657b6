//! `python_log`: Python's logging in its usual forms: `time,123 - name - LEVEL - text` and `name [time] [LEVEL] text`.

use super::scan::{self, between, from, text_from};
use super::{Format, Head, Sample};
use crate::event::{Event, RawTime, Severity};

/// The format.
pub struct PythonLog;

struct Split {
    time: RawTime,
    severity: Severity,
    logger: (usize, usize),
    message: usize,
}

/// The offset behind ` - ` that follows the next part.
fn dash(line: &[u8], at: usize) -> Option<usize> {
    let limit = line.get(at..line.len().min(at + 100))?;
    Some(at + memchr::memmem::find(limit, b" - ")?)
}

/// `2026-09-15 08:00:00,123 - name - LEVEL - text`; name and level may be swapped.
fn dashed(line: &[u8]) -> Option<Split> {
    let stamp = scan::stamp(line).filter(|s| !s.t)?;
    if !from(line, stamp.length).starts_with(b" - ") {
        return None;
    }
    let first = stamp.length + 3;
    let second = dash(line, first)?;
    let third = dash(line, second + 3)?;
    let level = |a: usize, b: usize| scan::upper_level(line.get(a..b)?).map(|(s, _)| s);
    let (severity, logger) = match level(second + 3, third) {
        Some(severity) => (severity, (first, second)),
        None => (level(first, second)?, (second + 3, third)),
    };
    Some(Split { time: stamp.time(line)?, severity, logger, message: third + 3 })
}

/// `name [2026-09-15 08:00:00,123] [LEVEL] text`.
fn bracketed(line: &[u8]) -> Option<Split> {
    let end = scan::until(line, 60, |b| !scan::is_name(*b)).filter(|n| *n > 0)?;
    let inside = from(line, end).strip_prefix(b" [")?;
    let stamp = scan::stamp(inside)?;
    let at = end + 2 + stamp.length;
    let rest = from(line, at).strip_prefix(b"] ")?;
    let (severity, length) = scan::bracket_level(rest)?;
    let message = at + 2 + length;
    Some(Split {
        time: stamp.time(inside)?,
        severity,
        logger: (0, end),
        message: message + scan::blanks(from(line, message)),
    })
}

fn split(line: &[u8]) -> Option<Split> {
    if line.first().is_some_and(u8::is_ascii_digit) { dashed(line) } else { bracketed(line) }
}

impl Format for PythonLog {
    fn name(&self) -> &'static str {
        "python_log"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric()
    }

    fn is_named(&self) -> bool {
        true
    }

    fn behind_name(&self, at: usize, byte: u8) -> bool {
        match at {
            0 => byte == b' ',
            _ => byte == b'[' || byte.is_ascii_digit(),
        }
    }

    fn goes_on_with(&self, at: usize, byte: u8) -> bool {
        at != 4 || scan::is_name(byte) || matches!(byte, b' ' | b'[')
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let split = split(line)?;
        Some(Head { time: split.time, severity: split.severity, payload: None })
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let (first, _) = scan::first_line(text);
        let Some(split) = split(first.as_bytes()) else { return };
        event.attribute("logger", between(text, split.logger.0, split.logger.1));
        event.body = text_from(text, split.message).into();
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "2026-09-15 08:00:00,123 - sync.client - ERROR - 500 Internal Server Error",
        time: RawTime::Local(1_789_459_200_123_000),
        severity: Severity::ERROR,
        body: "500 Internal Server Error",
        has: &[("logger", "sync.client")],
    },
    Sample {
        text: "netsync [2026-09-15 08:00:00,123] [INFO] core: using token to authenticate",
        time: RawTime::Local(1_789_459_200_123_000),
        severity: Severity::INFO,
        body: "core: using token to authenticate",
        has: &[("logger", "netsync")],
    },
];
