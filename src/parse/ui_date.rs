//! `ui_date`: the line `15/09/2026 08:00:00` that Omni's log viewer puts above a message when one copies it.

use super::scan::from;
use super::{Format, Head, Sample};
use crate::event::time::{self, RawTime};
use crate::event::{Event, Severity};

/// The format.
pub struct UiDate;

fn stamp(line: &[u8]) -> Option<RawTime> {
    let line = line.trim_ascii_end();
    if line.len() != 19 || line.get(2) != Some(&b'/') || line.get(5) != Some(&b'/') || line.get(10) != Some(&b' ') {
        return None;
    }
    let number = |at: usize, n: usize| {
        line.get(at..at + n)?.iter().try_fold(0u32, |v, b| b.is_ascii_digit().then(|| v * 10 + u32::from(b - b'0')))
    };
    let (day, month, year) = (number(0, 2)?, number(3, 2)?, number(6, 4)?);
    let clock = time::clock(from(line, 11))?;
    let valid = (1..=31).contains(&day) && (1..=12).contains(&month) && (1970..=2200).contains(&year);
    valid.then(|| RawTime::Local(time::days_from_civil(i64::from(year), month, day) * time::DAY + clock))
}

impl Format for UiDate {
    fn name(&self) -> &'static str {
        "ui_date"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte.is_ascii_digit()
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        Some(Head { time: stamp(line)?, severity: Severity::UNKNOWN, payload: Some(line.len()) })
    }

    fn continued<'a>(&self, line: &'a str) -> &'a str {
        line
    }

    fn stands_in(&self, holder: super::Holder) -> bool {
        holder == super::Holder::Anything
    }

    fn parse<'a>(&self, _: &'a str, _: &Head, _: &mut Event<'a>) {}

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[Sample {
    text: "15/09/2026 08:00:00\n[talos] retrying error: failed to pull image",
    time: RawTime::Local(1_789_459_200_000_000),
    severity: Severity::WARN,
    body: "retrying error: failed to pull image",
    has: &[("#service", "talos")],
}];
