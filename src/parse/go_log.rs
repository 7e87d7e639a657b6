//! `go_log`: the standard logger of Go: date, time, optionally the place in the source. `apid` and `trustd` of Talos
//! write one line per call in it; many programs end with `failed to run: ...` in it.

use super::scan::{self, between, from, text_from};
use super::{Format, Head, Sample};
use crate::event::time::{self, RawTime};
use crate::event::{Event, Service, Severity};

/// The format.
pub struct GoLog;

/// `log.go:44: ` at the start: its length without the colon and the blank.
fn place(line: &[u8]) -> Option<usize> {
    let end = scan::token(line.get(..line.len().min(60)).unwrap_or_default());
    let place = line.get(..end)?.strip_suffix(b":")?;
    let dot = memchr::memmem::rfind(place, b".go:")?;
    let number = from(place, dot + 4);
    (!number.is_empty() && scan::digits(number) == number.len()).then_some(place.len())
}

/// A gRPC code word that begins an access line: `OK [/machine.MachineService/Version] ...`.
fn call(message: &[u8]) -> Option<(usize, Severity)> {
    let code = scan::word(message);
    if !from(message, code.len()).starts_with(b" [/") {
        return None;
    }
    let severity = match code {
        b"OK" | b"Canceled" | b"NotFound" | b"AlreadyExists" | b"InvalidArgument" | b"Unauthenticated" => {
            Severity::INFO
        }
        b"Unknown" | b"Internal" | b"DataLoss" | b"Unimplemented" => Severity::ERROR,
        _ => Severity::WARN,
    };
    Some((code.len(), severity))
}

/// What the first words of a message tell.
fn severity(message: &[u8]) -> Severity {
    const FAILURES: &[&[u8]] = &[b"failed to ", b"error", b"Error", b"fatal", b"ERROR"];
    if FAILURES.iter().any(|f| message.starts_with(f)) {
        return Severity::ERROR;
    }
    match scan::bracket_level(message) {
        Some((severity, _)) => severity,
        None if message.starts_with(b"panic: ") || message.starts_with(b"http: panic") => Severity::ALERT,
        None => Severity::UNKNOWN,
    }
}

impl Format for GoLog {
    fn name(&self) -> &'static str {
        "go_log"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte.is_ascii_digit()
    }

    fn goes_on_with(&self, at: usize, byte: u8) -> bool {
        scan::date_has(at, byte, b'/')
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        if line.get(4) != Some(&b'/') {
            return None;
        }
        let (time, used) = time::timestamp(line)?;
        let rest = from(line, used).strip_prefix(b" ")?;
        if rest.starts_with(b"[talos] ") {
            return None;
        }
        let message = place(rest).map_or(rest, |n| from(rest, n + 2));
        match (call(message), time) {
            (Some((_, severity)), RawTime::Local(t)) => Some(Head { time: RawTime::Utc(t), severity, payload: None }),
            _ => Some(Head { time, severity: severity(message), payload: None }),
        }
    }

    fn stands_in(&self, _: super::Holder) -> bool {
        true
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let used = time::timestamp(text.as_bytes()).map_or(0, |(_, used)| used);
        let mut rest = text_from(text, used + 1);
        if let Some(length) = place(rest.as_bytes()) {
            event.attribute("caller", scan::text_to(rest, length));
            rest = text_from(rest, length + 2);
        }
        if let Some((length, _)) = call(rest.as_bytes()) {
            let method = rest.find(']').unwrap_or(rest.len());
            event.attribute("grpc.code", scan::text_to(rest, length));
            event.attribute("grpc.method", between(rest, length + 2, method));
            event.service = Some(Service::Talos);
        }
        event.body = rest.into();
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "2026/09/15 08:00:00 failed to run: failed to run provider: rpc error: code = Internal desc = closing",
        time: RawTime::Local(1_789_459_200_000_000),
        severity: Severity::ERROR,
        body: "failed to run: failed to run provider: rpc error: code = Internal desc = closing",
        has: &[],
    },
    Sample {
        text: "10.5.0.2: 2026/09/15 08:00:00.123456 log.go:44: OK [/machine.MachineService/Version] 1.2ms unary Success (:authority=10.5.0.2:50000)",
        time: RawTime::Utc(1_789_459_200_123_456),
        severity: Severity::INFO,
        body: "OK [/machine.MachineService/Version] 1.2ms unary Success (:authority=10.5.0.2:50000)",
        has: &[("grpc.code", "OK"), ("grpc.method", "/machine.MachineService/Version"), ("#service", "talos")],
    },
    Sample {
        text: "[  143.197475] 2026/09/15 08:00:00 running Talos installer v1.12.0",
        time: RawTime::Local(1_789_459_200_000_000),
        severity: Severity::UNKNOWN,
        body: "running Talos installer v1.12.0",
        has: &[],
    },
];
