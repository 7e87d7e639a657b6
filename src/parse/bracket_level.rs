//! `bracket_level`: a level word in brackets and a message: `[WARN] text`, as `omnictl` prints notices of Omni.

use super::scan::{self, from, text_from};
use super::{Format, Head, Sample, coredns};
use crate::event::{Event, RawTime, Service, Severity};

/// The format.
pub struct BracketLevel;

fn split(line: &[u8]) -> Option<(Severity, usize)> {
    let (severity, length) = scan::bracket_level(line)?;
    let rest = from(line, length).strip_prefix(b" ")?;
    (!coredns::takes(rest)).then_some((severity, length + 1))
}

impl Format for BracketLevel {
    fn name(&self) -> &'static str {
        "bracket_level"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b'['
    }

    fn goes_on_with(&self, at: usize, byte: u8) -> bool {
        at > 1 || byte.is_ascii_uppercase()
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let (severity, _) = split(line)?;
        Some(Head { time: RawTime::None, severity, payload: None })
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let at = split(scan::first_line(text).0.as_bytes()).map_or(0, |(_, at)| at);
        let body = text_from(text, at);
        if body.starts_with("omnictl version") {
            event.service = Some(Service::Omnictl);
        }
        event.body = body.into();
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[Sample {
    text: "[WARN] omnictl version \"v1.2.0\" differs from the backend version \"v1.3.0\".",
    time: RawTime::None,
    severity: Severity::WARN,
    body: "omnictl version \"v1.2.0\" differs from the backend version \"v1.3.0\".",
    has: &[("#service", "omnictl")],
}];
