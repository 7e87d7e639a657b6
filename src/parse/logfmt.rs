//! `logfmt`: `time="..." level=... msg="..." key=value`, as containerd outside Talos, Cilium and many others write it.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::scan::from;
use super::{Format, Head, Sample, klog, subject, zap};
use crate::event::time::{self, RawTime};
use crate::event::{Event, Service, Severity};

/// The format.
pub struct Logfmt;

/// The value of `level=` or `lvl=`, near the start.
fn level(line: &[u8]) -> Severity {
    static LEVEL: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("level="));
    static LVL: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("lvl="));
    let start = line.get(..line.len().min(200)).unwrap_or_default();
    let at = LEVEL.find(start).map(|at| at + 6).or_else(|| LVL.find(start).map(|at| at + 4));
    let value = at.map_or(&[][..], |at| from(start, at));
    let value = value.strip_prefix(b"\"").unwrap_or(value);
    let end = value.iter().position(|b| !b.is_ascii_alphabetic()).unwrap_or(value.len());
    Severity::from_word(value.get(..end).unwrap_or_default())
}

/// The time behind `time=`, `ts=` or `t=` at the start.
fn stamp(line: &[u8]) -> RawTime {
    let keys: &[&[u8]] = &[b"time=", b"ts=", b"t="];
    let value = keys.iter().find_map(|k| line.strip_prefix(*k)).unwrap_or_default();
    let value = value.strip_prefix(b"\"").unwrap_or(value);
    time::timestamp(value).or_else(|| time::epoch(value)).map_or(RawTime::None, |(time, _)| time)
}

/// How such lines begin.
const STARTS: &[&[u8]] = &[b"time=", b"ts=", b"t=", b"level=", b"lvl="];

impl Format for Logfmt {
    fn name(&self) -> &'static str {
        "logfmt"
    }

    fn begins_with(&self, byte: u8) -> bool {
        matches!(byte, b't' | b'l')
    }

    fn goes_on_with(&self, at: usize, byte: u8) -> bool {
        super::scan::one_has(STARTS, at, byte)
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        if !STARTS.iter().any(|s| line.starts_with(s)) {
            return None;
        }
        let severity = level(line);
        (severity != Severity::UNKNOWN).then(|| Head { time: stamp(line), severity, payload: None })
    }

    fn stands_in(&self, _: super::Holder) -> bool {
        true
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let mut inner = Event::default();
        let rest = klog::pairs(text, &mut inner);
        let mut message = None;
        for (key, value) in inner.attributes {
            match key.as_ref() {
                "time" | "ts" | "t" | "level" | "lvl" => {}
                "msg" | "message" if message.is_none() => message = Some(value),
                _ => event.attributes.push((key, value)),
            }
        }
        event.body = message.unwrap_or_default();
        zap::continuation(rest, event);
        if text.contains("containerd") && event.service.is_none() {
            event.service = Some(Service::Containerd);
        }
        subject::fill(event);
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "time=\"2026-09-15T08:00:00.123456789Z\" level=warning msg=\"failed to load cni during init\" error=\"no network config found\"",
        time: RawTime::Utc(1_789_459_200_123_456),
        severity: Severity::WARN,
        body: "failed to load cni during init",
        has: &[("error", "no network config found")],
    },
    Sample {
        text: "[   31.402211] time=2026-09-15T08:00:00Z level=info msg=fetch failed error=failed to do request host=registry.example.org",
        time: RawTime::Utc(1_789_459_200_000_000),
        severity: Severity::INFO,
        body: "fetch failed",
        has: &[("error", "failed to do request"), ("host", "registry.example.org")],
    },
    Sample {
        text: "level=error msg=\"cannot reach peer\" subsys=daemon",
        time: RawTime::None,
        severity: Severity::ERROR,
        body: "cannot reach peer",
        has: &[("subsys", "daemon")],
    },
];
