//! `containerd_json`: logrus' JSON, keys in alphabetical order and the time at the end, as containerd and CRI of Talos
//! write it.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::scan::{from, until};
use super::{Format, Head, Sample, zap};
use crate::event::time::{self, RawTime};
use crate::event::{Event, Service, Severity};

/// The format.
pub struct ContainerdJson;

/// Where `"time":"` stands, behind a level and a message.
fn parts(line: &[u8]) -> Option<(Severity, RawTime)> {
    static LEVEL: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"level\":\""));
    static REST: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(",\"msg\":\""));
    static TIME: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(",\"time\":\""));
    if !line.starts_with(b"{\"") || line.last() != Some(&b'}') {
        return None;
    }
    let level = from(line, LEVEL.find(line)? + 9);
    let end = until(level, 12, |b| *b == b'"')?;
    let severity = Severity::from_word(level.get(..end)?);
    let rest = from(level, end + 1);
    let message = REST.find(rest)?;
    let stamp = from(rest, message + TIME.find(from(rest, message))? + 9);
    let (time, _) = time::timestamp(stamp)?;
    (severity != Severity::UNKNOWN).then_some((severity, time))
}

/// Level and time when the object is logrus' and not another format's.
pub fn takes(line: &[u8]) -> Option<(Severity, RawTime)> {
    let zap = line.starts_with(b"{\"level\":\"") && !message_follows(line);
    let first = line.get(2).copied().unwrap_or_default();
    let others: &[&[u8]] = &[b"{\"log\":\"", b"{\"clock\":", b"{\"event_type\":"];
    if zap || !first.is_ascii_lowercase() || first > b'l' || others.iter().any(|o| line.starts_with(o)) {
        return None;
    }
    parts(line)
}

/// `{"level":"info","msg":`.
fn message_follows(line: &[u8]) -> bool {
    let rest = from(line, 10);
    until(rest, 12, |b| *b == b'"').is_some_and(|end| {
        let next = from(rest, end);
        // Extra fields between `level` and `msg` sort between them.
        next.starts_with(b"\",\"m") || (next.starts_with(b"\",\"l") && !next.starts_with(b"\",\"logger\":"))
    })
}

impl Format for ContainerdJson {
    fn name(&self) -> &'static str {
        "containerd_json"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b'{'
    }

    fn goes_on_with(&self, at: usize, byte: u8) -> bool {
        match at {
            1 => byte == b'"',
            2 => byte.is_ascii_lowercase() && byte <= b'l',
            _ => true,
        }
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let (severity, time) = takes(line)?;
        Some(Head { time, severity, payload: None })
    }

    fn stands_in(&self, _: super::Holder) -> bool {
        true
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        zap::object(text, event);
        event.service = event.service.or(Some(Service::Containerd));
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: r#"{"level":"info","msg":"starting containerd","revision":"abc123","time":"2026-09-15T08:00:00.123456789Z","version":"v2.1.5"}"#,
        time: RawTime::Utc(1_789_459_200_123_456),
        severity: Severity::INFO,
        body: "starting containerd",
        has: &[("#service", "containerd"), ("version", "v2.1.5")],
    },
    Sample {
        text: r#"{"error":"failed to resolve image","level":"error","msg":"PullImage failed","time":"2026-09-15T08:00:00Z"}"#,
        time: RawTime::Utc(1_789_459_200_000_000),
        severity: Severity::ERROR,
        body: "PullImage failed",
        has: &[("#service", "containerd"), ("error", "failed to resolve image")],
    },
];
