//! `zap_console`: zap's text form: time, level, perhaps logger and caller, message, JSON behind it; parts separated by
//! tabs (Omni) or blanks (Talos' controller-runtime log).

use super::scan::{self, from, text_from};
use super::{Format, Head, Sample, subject, talos_text, zap};
use crate::event::{Event, RawTime, Severity};

/// The format.
pub struct ZapConsole;

/// Time, severity, the separator and the offset behind the level.
fn split(line: &[u8]) -> Option<(RawTime, Severity, u8, usize)> {
    let stamp = scan::stamp(line).filter(|s| s.t && s.fraction == 3)?;
    let separator = *line.get(stamp.length).filter(|b| matches!(b, b' ' | b'\t'))?;
    let (severity, length) = scan::upper_level(from(line, stamp.length + 1))?;
    let end = stamp.length + 1 + length;
    if line.get(end) != Some(&separator) {
        return None;
    }
    Some((stamp.time(line)?, severity, separator, end + 1))
}

/// A place in Go source: `dir/file.go:12`.
fn is_caller(part: &str) -> bool {
    let number = part.rsplit(':').next().unwrap_or_default();
    part.contains(".go:") && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
}

/// Takes logger and caller off the parts that tabs separate; gives the rest.
fn leading<'a>(text: &'a str, event: &mut Event<'a>) -> &'a str {
    let mut rest = text;
    for _ in 0..2 {
        let Some((part, after)) = rest.split_once('\t') else { break };
        if is_caller(part) {
            event.attribute("caller", part);
            return after;
        }
        if part.contains(' ') || after.starts_with('{') {
            break;
        }
        event.attribute("logger", part);
        rest = after;
    }
    rest
}

impl Format for ZapConsole {
    fn name(&self) -> &'static str {
        "zap_console"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte.is_ascii_digit()
    }

    fn goes_on_with(&self, at: usize, byte: u8) -> bool {
        scan::date_has(at, byte, b'-')
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let (time, severity, ..) = split(line)?;
        Some(Head { time, severity, payload: None })
    }

    fn stands_in(&self, _: super::Holder) -> bool {
        true
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let (first, _) = scan::first_line(text);
        let Some((_, _, separator, at)) = split(first.as_bytes()) else { return };
        let mut rest = text_from(text, at);
        if separator == b'\t' {
            rest = leading(rest, event);
        }
        let service = event.service;
        talos_text::message(rest, event);
        event.service = service;
        if event.attributes.is_empty() && rest.contains('\n') {
            let (message, more) = scan::first_line(rest);
            event.body = message.into();
            zap::continuation(more, event);
        }
        subject::fill(event);
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "10.5.0.2: 2026-09-15T08:00:00.123Z INFO created route {\"component\": \"controller-runtime\", \"controller\": \"network.RouteSpecController\", \"destination\": \"default\"}",
        time: RawTime::Utc(1_789_459_200_123_000),
        severity: Severity::INFO,
        body: "created route",
        has: &[("#service", "talos"), ("#node", "10.5.0.2"), ("destination", "default")],
    },
    Sample {
        text: "2026-09-15T10:00:00.123+0200\tWARN\tmachineset/operations.go:68\tteardown cluster machine\t{\"component\": \"omni_runtime\", \"machine\": \"7f1c2d3e-0000-4000-8000-000000000001\"}",
        time: RawTime::Utc(1_789_459_200_123_000),
        severity: Severity::WARN,
        body: "teardown cluster machine",
        has: &[
            ("#service", "omni"),
            ("caller", "machineset/operations.go:68"),
            ("@omni.machine", "7f1c2d3e-0000-4000-8000-000000000001"),
        ],
    },
];
