//! `portainer`: how Portainer's viewer shows a JSON record: `ERR file.go:1 > ts=... msg=... error=...`, values without
//! quotes or escapes. A value ends where the next key that such records are known to have begins.

use super::scan::{self, between, from, text_from, text_to};
use super::{Format, Head, Sample, subject, zap};
use crate::event::{Event, RawTime, Severity};

/// The format.
pub struct Portainer;

/// Keys at which a value is cut.
const KEYS: &[&str] = &[
    "ts",
    "msg",
    "logger",
    "component",
    "controller",
    "namespace",
    "type",
    "id",
    "job",
    "error",
    "step",
    "interval",
    "busy",
    "requeued",
    "node",
    "volumeID",
    "task",
    "request_id",
    "machine",
    "schematic",
    "reason",
    "cluster",
    "machineset",
    "machine_set",
    "resource",
    "count",
    "address",
    "hook",
    "handler",
    "request_url",
    "method",
    "remote_addr",
    "duration",
    "status",
    "response_length",
    "grpc.code",
    "grpc.method",
    "grpc.service",
    "stacktrace",
];

/// Levels that have no short form, with the blank that follows.
const LONG_LEVELS: &[&[u8]] = &[b"fatal ", b"panic ", b"dpanic ", b"FATAL ", b"PANIC "];

/// The severity and the offset of the caller.
fn level(line: &[u8]) -> Option<(Severity, usize)> {
    if let Some(severity) = scan::short_level(line) {
        return Some((severity, 4));
    }
    let word = scan::word(line);
    let known = matches!(word, b"fatal" | b"panic" | b"dpanic" | b"FATAL" | b"PANIC");
    (known && line.get(word.len()) == Some(&b' ')).then(|| (Severity::from_word(word), word.len() + 1))
}

/// Severity, the range of the caller and the start of the pairs.
pub fn split(line: &[u8]) -> Option<(Severity, usize, usize, usize)> {
    let (severity, start) = level(line)?;
    let length = scan::token(line.get(start..(start + 200).min(line.len()))?);
    let caller = line.get(start..start + length)?;
    let number = from(caller, memchr::memrchr(b':', caller)? + 1);
    let placed = !number.is_empty() && scan::digits(number) == number.len();
    let end = start + length;
    (placed && from(line, end).starts_with(b" > ")).then_some((severity, start, end, end + 3))
}

/// The end of the value that begins at the start of `text`: where ` key=` of a known key follows.
fn value_end(text: &str) -> usize {
    memchr::memchr_iter(b'=', text.as_bytes())
        .find_map(|at| {
            let before = text_to(text, at);
            let start = before.rfind([' ', '\n'])?;
            KEYS.contains(&text_from(before, start + 1)).then_some(start)
        })
        .unwrap_or(text.len())
}

/// Reads the pairs of `text`; gives what stands before the first.
fn pairs<'a>(text: &'a str, event: &mut Event<'a>) -> &'a str {
    let start =
        if KEYS.iter().any(|k| text.strip_prefix(k).is_some_and(|r| r.starts_with('='))) { 0 } else { value_end(text) };
    let lead = text_to(text, start);
    let mut rest = text_from(text, start).trim_start();
    while let Some((key, value)) = rest.split_once('=') {
        let end = if key == "stacktrace" { value.len() } else { value_end(value) };
        event.attribute(key, text_to(value, end).trim_end());
        rest = text_from(value, end).trim_start();
    }
    lead
}

/// Makes `msg` the body and `ts` the time.
fn lift(lead: &str, event: &mut Event<'_>) {
    let lead = lead.trim_end().trim_end_matches('|').trim_end();
    let mut take = |key: &str| {
        let at = event.attributes.iter().position(|(k, _)| k == key)?;
        Some(event.attributes.remove(at).1)
    };
    take("ts");
    let message = take("msg");
    event.body = message.unwrap_or_else(|| lead.to_owned().into());
}

impl Format for Portainer {
    fn name(&self) -> &'static str {
        "portainer"
    }

    fn begins_with(&self, byte: u8) -> bool {
        matches!(byte, b'E' | b'I' | b'W' | b'D' | b'F' | b'T' | b'P' | b'f' | b'p' | b'd')
    }

    fn goes_on_with(&self, at: usize, byte: u8) -> bool {
        scan::one_has(scan::SHORT_LEVELS, at, byte) || scan::one_has(LONG_LEVELS, at, byte)
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let (severity, _, _, start) = split(line)?;
        let time = from(line, start).strip_prefix(b"ts=").map_or(RawTime::None, zap::any_time);
        Some(Head { time, severity, payload: None })
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let (first, _) = scan::first_line(text);
        let Some((_, caller, end, start)) = split(first.as_bytes()) else { return };
        event.attribute("caller", between(text, caller, end));
        let lead = pairs(text_from(text, start), event);
        lift(lead, event);
        subject::fill(event);
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "ERR controllers/provision.go:349 > ts=1789459200.123456 msg=machine provision failed controller=proxmox.ProvisionController namespace=infra-provider type=MachineRequests.omni.sidero.dev id=amber-w-1 job=reconcile error=no storage: a=b, \"x\" step=syncVM stacktrace=github.com/siderolabs/omni/client.run\n\t/go/pkg/mod/provision.go:349",
        time: RawTime::Utc(1_789_459_200_123_456),
        severity: Severity::ERROR,
        body: "machine provision failed",
        has: &[
            ("#service", "omni-provider"),
            ("error", "no storage: a=b, \"x\""),
            ("step", "syncVM"),
            ("@omni.machine_request", "amber-w-1"),
            ("stacktrace", "github.com/siderolabs/omni/client.run\n\t/go/pkg/mod/provision.go:349"),
        ],
    },
    Sample {
        text: "2026-09-15T08:00:00.123456789Z INF qruntime/qruntime.go:314 > ts=1789459200.1 msg=reconcile succeeded controller=MachineSetStatusController id=amber job=reconcile busy=0.01",
        time: RawTime::Utc(1_789_459_200_123_456),
        severity: Severity::INFO,
        body: "reconcile succeeded",
        has: &[("#service", "omni"), ("busy", "0.01")],
    },
];
