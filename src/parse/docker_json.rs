//! `docker_json`: docker's json-file log on disk; the record itself stands escaped in `log`.

use super::json::Pairs;
use super::scan::{from, until};
use super::{Format, Head, Sample, nested, zap};
use crate::event::time::{self, RawTime};
use crate::event::{Event, Severity};

/// The format.
pub struct DockerJson;

/// What stands behind `"key":"`, with the blanks that tools put around a colon when they write the record anew.
fn behind<'a>(line: &'a [u8], quoted_key: &[u8], quote: &[u8]) -> Option<&'a [u8]> {
    let colon = line.strip_prefix(quoted_key)?.trim_ascii_start();
    colon.strip_prefix(b":")?.trim_ascii_start().strip_prefix(quote)
}

/// The level of a zap record that stands escaped in `log`.
fn inner_severity(log: &[u8]) -> Severity {
    let Some(word) = log.strip_prefix(b"{").and_then(|record| behind(record, b"\\\"level\\\"", b"\\\"")) else {
        return Severity::UNKNOWN;
    };
    let end = until(word, 12, |b| *b == b'\\').unwrap_or(0);
    Severity::from_word(word.get(..end).unwrap_or_default())
}

/// `"time":"..."`, which stands at the end.
fn tail_time(line: &[u8]) -> RawTime {
    let inside = line.trim_ascii_end();
    let inside = inside.strip_suffix(b"}").map_or(inside, <[u8]>::trim_ascii_end);
    let inside = inside.strip_suffix(b"\"").unwrap_or(inside);
    let start = inside.len().saturating_sub(40);
    let open = memchr::memrchr(b'"', from(inside, start)).map_or(start, |at| start + at + 1);
    let key = inside.get(..open.saturating_sub(1)).unwrap_or_default().trim_ascii_end();
    let named = key.strip_suffix(b":").is_some_and(|key| key.trim_ascii_end().ends_with(b"\"time\""));
    let stamp = if named { time::timestamp(from(inside, open)) } else { None };
    stamp.map_or(RawTime::None, |(time, _)| time)
}

impl Format for DockerJson {
    fn name(&self) -> &'static str {
        "docker_json"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b'{'
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let log = behind(line.strip_prefix(b"{")?.trim_ascii_start(), b"\"log\"", b"\"")?;
        Some(Head { time: tail_time(log), severity: inner_severity(log), payload: None })
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let mut pairs = Pairs::new(text);
        let log = pairs.by_ref().fold(None, |log, pair| if pair.key == "log" { Some(pair.value) } else { log });
        zap::continuation(pairs.rest(), event);
        nested(log.unwrap_or_default().trim_end(), event);
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: r#"{"log":"{\"level\":\"error\",\"ts\":1789459200.1,\"msg\":\"reconcile failed\",\"controller\":\"proxmox.ProvisionController\",\"id\":\"amber-1\",\"error\":\"stopped\"}\n","stream":"stderr","time":"2026-09-15T08:00:00.123456789Z"}"#,
        time: RawTime::Utc(1_789_459_200_123_456),
        severity: Severity::ERROR,
        body: "reconcile failed",
        has: &[("#service", "omni-provider"), ("error", "stopped")],
    },
    Sample {
        text: r#"{"log":"Error: no config file\n","stream":"stderr","time":"2026-09-15T08:00:00Z"}"#,
        time: RawTime::Utc(1_789_459_200_000_000),
        severity: Severity::ERROR,
        body: "Error: no config file",
        has: &[],
    },
    // Written anew by jq or a script.
    Sample {
        text: r#"{"log": "{\"level\": \"error\", \"ts\": 1789459200.1, \"msg\": \"reconcile failed\", \"controller\": \"proxmox.ProvisionController\", \"error\": \"stopped\"}\n", "stream": "stderr", "time": "2026-09-15T08:00:00.123456789Z"}"#,
        time: RawTime::Utc(1_789_459_200_123_456),
        severity: Severity::ERROR,
        body: "reconcile failed",
        has: &[("#service", "omni-provider"), ("error", "stopped")],
    },
    Sample {
        text: r#"{ "log" : "Error: no config file\n", "stream" : "stderr", "time" : "2026-09-15T08:00:00Z" }"#,
        time: RawTime::Utc(1_789_459_200_000_000),
        severity: Severity::ERROR,
        body: "Error: no config file",
        has: &[],
    },
];
