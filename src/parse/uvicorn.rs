//! `uvicorn`: lines of Python's uvicorn: level, colon, padding, text; its access lines carry a status.

use super::scan::{self, from, text_from};
use super::{Format, Head, Sample, pve_access};
use crate::event::{Event, RawTime, Severity};

/// The format.
pub struct Uvicorn;

/// Levels, with the colon that follows.
const LEVELS: &[&[u8]] = &[b"INFO:", b"WARNING:", b"ERROR:", b"DEBUG:", b"CRITICAL:", b"WARN:", b"DPANIC:"];

/// The severity of the level and the start of the text; the level is padded to nine characters.
fn split(line: &[u8]) -> Option<(Severity, usize)> {
    let (severity, length) = scan::upper_level(line)?;
    let rest = from(line, length).strip_prefix(b":")?;
    let blanks = scan::blanks(rest);
    (length + 1 + blanks == 10 && blanks > 1).then_some((severity, 10))
}

/// The status of an access line: `1.2.3.4:5 - "GET / HTTP/1.1" 429 Too Many Requests`.
fn status(text: &[u8]) -> Option<u16> {
    memchr::memmem::find(text, b" - \"")?;
    let quote = memchr::memrchr(b'"', text)?;
    let digits = text.get(quote + 2..quote + 5)?;
    digits.iter().try_fold(0u16, |v, b| b.is_ascii_digit().then(|| v * 10 + u16::from(b - b'0')))
}

impl Format for Uvicorn {
    fn name(&self) -> &'static str {
        "uvicorn"
    }

    fn begins_with(&self, byte: u8) -> bool {
        matches!(byte, b'I' | b'W' | b'E' | b'D' | b'C')
    }

    fn goes_on_with(&self, at: usize, byte: u8) -> bool {
        scan::one_has(LEVELS, at, byte)
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let (severity, at) = split(line)?;
        let severity = status(from(line, at)).map_or(severity, |s| severity.max(pve_access::severity(s)));
        Some(Head { time: RawTime::None, severity, payload: None })
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let (first, _) = scan::first_line(text);
        let Some((_, at)) = split(first.as_bytes()) else { return };
        if let Some(status) = status(from(first.as_bytes(), at)) {
            event.attribute("http.status", status.to_string());
        }
        event.body = text_from(text, at).into();
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "INFO:     192.0.2.1:39296 - \"GET /version HTTP/1.1\" 429 Too Many Requests",
        time: RawTime::None,
        severity: Severity::WARN,
        body: "192.0.2.1:39296 - \"GET /version HTTP/1.1\" 429 Too Many Requests",
        has: &[("http.status", "429")],
    },
    Sample {
        text: "WARNING:  StatReload detected changes",
        time: RawTime::None,
        severity: Severity::WARN,
        body: "StatReload detected changes",
        has: &[],
    },
];
