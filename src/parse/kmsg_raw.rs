//! `kmsg_raw`: records as `/dev/kmsg` gives them: `12,339,5140900,-;text`, priority with facility, number, microseconds.

use super::scan::{self, from};
use super::{Format, Head, Sample};
use crate::event::time::{self, RawTime};
use crate::event::{Event, Service, Severity};

/// The format.
pub struct KmsgRaw;

struct Split {
    time: RawTime,
    severity: Severity,
    kernel: bool,
    payload: usize,
}

fn split(line: &[u8]) -> Option<Split> {
    let first = scan::digits(line);
    if !(1..=3).contains(&first) || line.get(first) != Some(&b',') {
        return None;
    }
    let priority = line.get(..first)?.iter().fold(0u16, |v, b| v * 10 + u16::from(b - b'0'));
    let second = first + 1 + scan::digits(from(line, first + 1));
    let (micros, used) = time::number(from(line, second).strip_prefix(b",")?, 1)?;
    let flags = from(line, second + 1 + used);
    let end = scan::until(flags, 80, |b| *b == b';')?;
    if !flags.starts_with(b",") || second == first + 1 {
        return None;
    }
    let kernel = priority < 8;
    let severity = if kernel { Severity::from_syslog((priority % 8) as u8) } else { Severity::UNKNOWN };
    Some(Split { time: RawTime::Uptime(micros), severity, kernel, payload: second + 1 + used + end + 1 })
}

impl Format for KmsgRaw {
    fn name(&self) -> &'static str {
        "kmsg_raw"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte.is_ascii_digit()
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let split = split(line)?;
        Some(Head { time: split.time, severity: split.severity, payload: Some(split.payload) })
    }

    fn holds(&self) -> super::Holder {
        super::Holder::Kernel
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let kernel = split(scan::first_line(text).0.as_bytes()).is_some_and(|s| s.kernel);
        event.service = kernel.then_some(Service::Kernel).or(event.service);
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "12,339,5140900,-;[talos] phase systemRequirements (1/9): 1 tasks(s)",
        time: RawTime::Uptime(5_140_900),
        severity: Severity::UNKNOWN,
        body: "phase systemRequirements (1/9): 1 tasks(s)",
        has: &[("#service", "talos")],
    },
    Sample {
        text: "3,340,5140901,-;Buffer I/O error on dev sda",
        time: RawTime::Uptime(5_140_901),
        severity: Severity::ERROR,
        body: "Buffer I/O error on dev sda",
        has: &[("#service", "kernel")],
    },
];
