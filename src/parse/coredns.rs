//! `coredns`: CoreDNS' log: a level in brackets, then the plugin or a query; never a time.

use super::scan::{self, from, text_from};
use super::{Format, Head, Sample};
use crate::event::{Event, RawTime, Service, Severity};

/// The format.
pub struct Coredns;

/// Whether CoreDNS prints such a message behind its level.
pub fn takes(message: &[u8]) -> bool {
    const STARTS: &[&[u8]] = &[b"plugin/", b"CoreDNS-", b"SIGTERM: ", b"Reloading"];
    STARTS.iter().any(|s| message.starts_with(s)) || query(message)
}

/// `10.244.0.7:51234 - 4711 "A IN ...`.
fn query(message: &[u8]) -> bool {
    let client = scan::token(message.get(..message.len().min(60)).unwrap_or_default());
    let rest = from(message, client);
    let id = rest.strip_prefix(b" - ").unwrap_or_default();
    scan::digits(id) > 0 && from(id, scan::digits(id)).starts_with(b" \"")
}

fn split(line: &[u8]) -> Option<(Severity, usize)> {
    let (severity, length) = scan::bracket_level(line)?;
    let rest = from(line, length).strip_prefix(b" ")?;
    takes(rest).then_some((severity, length + 1))
}

impl Format for Coredns {
    fn name(&self) -> &'static str {
        "coredns"
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
        event.body = text_from(text, at).into();
        event.service = Some(Service::Coredns);
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "[ERROR] plugin/errors: 2 example.org. A: read udp 10.244.0.5:43210->192.0.2.1:53: i/o timeout",
        time: RawTime::None,
        severity: Severity::ERROR,
        body: "plugin/errors: 2 example.org. A: read udp 10.244.0.5:43210->192.0.2.1:53: i/o timeout",
        has: &[("#service", "coredns")],
    },
    Sample {
        text: "2026-09-15T08:00:00.1Z stdout F [INFO] 10.244.0.7:51234 - 4711 \"A IN example.org. udp 40 false 512\" NOERROR",
        time: RawTime::Utc(1_789_459_200_100_000),
        severity: Severity::INFO,
        body: "10.244.0.7:51234 - 4711 \"A IN example.org. udp 40 false 512\" NOERROR",
        has: &[("#service", "coredns")],
    },
];
