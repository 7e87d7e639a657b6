//! `cri`: the log files of containers: time, stream, `F` (full) or `P` (partial), record.

use super::scan::{Stamp, from, stamp, text_from};
use super::{Format, Head, Sample};
use crate::event::{Event, RawTime, Severity};

/// The format.
pub struct Cri;

/// The time and where the stream's name stands.
fn split(line: &[u8]) -> Option<(Stamp, usize)> {
    let stamp = stamp(line).filter(|s| s.t && s.rfc)?;
    let rest = from(line, stamp.length);
    takes(rest).then_some((stamp, stamp.length + 1))
}

/// Whether stream and tag follow a time.
pub fn takes(rest: &[u8]) -> bool {
    (rest.starts_with(b" stdout ") || rest.starts_with(b" stderr "))
        && matches!(rest.get(8), Some(b'F' | b'P'))
        && matches!(rest.get(9), Some(b' ') | None)
}

/// Whether a line is only a part of a record: the container wrote a longer one than the runtime puts on a line (16 KiB), and
/// the next line goes on with it.
pub fn is_partial(line: &[u8]) -> bool {
    let is_dated = line.first().is_some_and(u8::is_ascii_digit) && line.get(4) == Some(&b'-');
    is_dated && split(line).is_some_and(|(_, stream)| line.get(stream + 7) == Some(&b'P'))
}

impl Format for Cri {
    fn name(&self) -> &'static str {
        "cri"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte.is_ascii_digit()
    }

    fn goes_on_with(&self, at: usize, byte: u8) -> bool {
        super::scan::date_has(at, byte, b'-')
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let (stamp, stream) = split(line)?;
        let payload = (stream + 9).min(line.len());
        Some(Head { time: stamp.time(line)?, severity: Severity::UNKNOWN, payload: Some(payload) })
    }

    fn holds(&self) -> super::Holder {
        super::Holder::Program
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        if let Some((_, at)) = split(text.as_bytes()) {
            event.attribute("stream", text_from(text, at).get(..6).unwrap_or_default());
        }
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "2026-09-15T08:00:00.123456789Z stderr F W0915 08:00:00.123456       1 reflector.go:561] failed to list *v1.Node",
        time: RawTime::Utc(1_789_459_200_123_456),
        severity: Severity::WARN,
        body: "failed to list *v1.Node",
        has: &[("stream", "stderr")],
    },
    Sample {
        text: "2026-09-15T10:00:00.123456789+02:00 stdout P some words",
        time: RawTime::Utc(1_789_459_200_123_456),
        severity: Severity::UNKNOWN,
        body: "some words",
        has: &[("stream", "stdout")],
    },
];
