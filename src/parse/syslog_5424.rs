//! `syslog_5424`: `<165>1 2026-09-15T08:00:00Z host app pid id [data] text`.

use super::scan::{self, between, from, text_from};
use super::syslog_3164::{describe, priority};
use super::{Format, Head, Sample};
use crate::event::{Event, RawTime, Severity};

/// The format.
pub struct Syslog5424;

struct Split {
    time: RawTime,
    severity: Severity,
    host: (usize, usize),
    app: (usize, usize),
    payload: usize,
}

/// The end of the structured data that begins at `at`.
fn data_end(line: &[u8], at: usize) -> Option<usize> {
    if line.get(at) == Some(&b'-') {
        return Some(at + 1);
    }
    let (mut here, mut quoted) = (at, false);
    loop {
        match line.get(here)? {
            b'\\' => here += 1,
            b'"' => quoted = !quoted,
            b']' if !quoted && line.get(here + 1) != Some(&b'[') => return Some(here + 1),
            _ => {}
        }
        here += 1;
    }
}

fn split(line: &[u8]) -> Option<Split> {
    let (severity, at) = priority(line)?;
    let rest = from(line, at).strip_prefix(b"1 ")?;
    let mut at = at + 2;
    let stamp = scan::stamp(rest);
    if stamp.is_none() && !rest.starts_with(b"- ") {
        return None;
    }
    at += stamp.map_or(1, |s| s.length);
    let mut ends = [(0, 0); 4];
    for part in &mut ends {
        let start = at + 1;
        at = start + scan::token(line.get(start..line.len().min(start + 260))?);
        *part = (start, at);
    }
    let end = data_end(line, at + 1)?;
    let [host, app, ..] = ends;
    let payload = (end + scan::blanks(from(line, end))).min(line.len());
    let time = stamp.map_or(Some(RawTime::None), |s| s.time(rest))?;
    Some(Split { time, severity, host, app, payload })
}

impl Format for Syslog5424 {
    fn name(&self) -> &'static str {
        "syslog_5424"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b'<'
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let split = split(line)?;
        Some(Head { time: split.time, severity: split.severity, payload: Some(split.payload) })
    }

    fn holds(&self) -> super::Holder {
        super::Holder::Program
    }

    fn stands_in(&self, holder: super::Holder) -> bool {
        holder == super::Holder::Anything
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let (first, _) = scan::first_line(text);
        let Some(split) = split(first.as_bytes()) else { return };
        let part = |(start, end)| Some(between(first, start, end)).filter(|p| *p != "-").unwrap_or_default();
        describe(part(split.host), part(split.app), text_from(text, split.payload), event);
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[Sample {
    text: "<27>1 2026-09-15T08:00:00.123456Z pve1 pvedaemon 1412 - [meta x=\"a]b\"] start failed for VM 104",
    time: RawTime::Utc(1_789_459_200_123_456),
    severity: Severity::ERROR,
    body: "start failed for VM 104",
    has: &[("#service", "pve-journal"), ("#node", "pve1"), ("@pve.vmid", "104")],
}];
