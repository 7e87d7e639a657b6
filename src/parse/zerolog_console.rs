//! `zerolog_console`: zerolog's text form: time of day or date, three letters of level, message, `key=value` pairs.

use super::scan::{self, from, text_from};
use super::{Format, Head, Sample, portainer, subject};
use crate::event::{Event, RawTime, Severity};

/// The format.
pub struct ZerologConsole;

/// `11:20PM ` at the start: the bytes used. It has no date, so it is no time to go by.
fn kitchen(line: &[u8]) -> Option<usize> {
    let hours = scan::digits(line);
    let rest = from(line, hours).strip_prefix(b":")?;
    let half = matches!(rest.get(2..5)?, b"AM " | b"PM ");
    ((1..=2).contains(&hours) && scan::digits(rest) == 2 && half).then_some(hours + 6)
}

/// Time, severity and the start of the message.
fn split(line: &[u8]) -> Option<(RawTime, Severity, usize)> {
    let stamp = scan::stamp(line);
    let at = match stamp {
        Some(stamp) if stamp.t && stamp.fraction == 0 && line.get(stamp.length) == Some(&b' ') => stamp.length + 1,
        Some(_) => return None,
        None if line.first()?.is_ascii_digit() => kitchen(line)?,
        None => 0,
    };
    let rest = from(line, at);
    let severity = scan::short_level(rest)?;
    if at == 0 && portainer::split(rest).is_some() {
        return None;
    }
    let time = stamp.map_or(Some(RawTime::None), |s| s.time(line))?;
    Some((time, severity, at + 4))
}

/// Where the `key=value` pairs behind the message begin.
fn pairs_start(text: &str) -> usize {
    let mut found = text.len();
    for at in memchr::memchr_iter(b'=', text.as_bytes()) {
        let before = scan::text_to(text, at);
        let start = before.rfind([' ', '\n']).map_or(0, |i| i + 1);
        let key = text_from(before, start);
        if !key.is_empty() && key.bytes().all(scan::is_name) {
            found = start;
            break;
        }
    }
    found
}

impl Format for ZerologConsole {
    fn name(&self) -> &'static str {
        "zerolog_console"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte.is_ascii_digit() || matches!(byte, b'T' | b'D' | b'I' | b'W' | b'E' | b'F' | b'P')
    }

    fn goes_on_with(&self, at: usize, byte: u8) -> bool {
        byte.is_ascii_digit()
            || matches!(byte, b'-' | b':' | b'A' | b'P')
            || scan::one_has(scan::SHORT_LEVELS, at, byte)
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let (time, severity, _) = split(line)?;
        Some(Head { time, severity, payload: None })
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let (first, _) = scan::first_line(text);
        let Some((_, _, at)) = split(first.as_bytes()) else { return };
        let mut rest = text_from(text, at);
        if let Some((caller, after)) = rest.split_once(" > ").filter(|(c, _)| c.contains(".go:") && !c.contains(' ')) {
            event.attribute("caller", caller);
            rest = after;
        }
        let pairs = pairs_start(rest);
        event.body = scan::text_to(rest, pairs).trim_end().into();
        let left = super::klog::pairs(text_from(rest, pairs), event);
        super::zap::continuation(left, event);
        subject::fill(event);
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "pulse  | 11:20PM WRN authentication error hasToken=true status=403 url=https://192.0.2.6:8006/api2/json/nodes/pve4",
        time: RawTime::None,
        severity: Severity::WARN,
        body: "authentication error",
        has: &[("status", "403"), ("url", "https://192.0.2.6:8006/api2/json/nodes/pve4")],
    },
    Sample {
        text: "2026-09-15T08:00:00Z ERR cannot connect error=\"timed out\"",
        time: RawTime::Utc(1_789_459_200_000_000),
        severity: Severity::ERROR,
        body: "cannot connect",
        has: &[("error", "timed out")],
    },
];
