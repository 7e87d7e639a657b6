//! `docker_timestamp`: the RFC 3339 time with a fraction that `docker logs -t`, `docker compose logs -t` and
//! `kubectl logs --timestamps` write in front of every line, whatever follows.

use super::scan::{self, from};
use super::{Format, Head, Sample, cri, syslog_3164};
use crate::event::{Event, RawTime, Severity};

/// The format.
pub struct DockerTimestamp;

/// Whether another format with a time of its own takes the line: zap's console, Terraform, syslog.
fn other(rest: &[u8], fraction: usize) -> bool {
    let level = scan::upper_level(rest).is_some_and(|(_, n)| matches!(rest.get(n), Some(b' ' | b'\t')));
    (fraction == 3 && (level || scan::bracket_level(rest).is_some()))
        || (fraction <= 6 && syslog_3164::host_and_tag(rest).is_some())
}

/// Where the record begins.
pub fn split(line: &[u8]) -> Option<(RawTime, usize)> {
    let stamp = scan::stamp(line).filter(|s| s.t && s.rfc && s.fraction > 0)?;
    let rest = from(line, stamp.length);
    if !rest.is_empty() && (rest.first() != Some(&b' ') || cri::takes(rest) || other(from(rest, 1), stamp.fraction)) {
        return None;
    }
    Some((stamp.time(line)?, (stamp.length + 1).min(line.len())))
}

impl Format for DockerTimestamp {
    fn name(&self) -> &'static str {
        "docker_timestamp"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte.is_ascii_digit()
    }

    fn goes_on_with(&self, at: usize, byte: u8) -> bool {
        scan::date_has(at, byte, b'-')
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let (time, payload) = split(line)?;
        Some(Head { time, severity: Severity::UNKNOWN, payload: Some(payload) })
    }

    fn holds(&self) -> super::Holder {
        super::Holder::Program
    }

    fn parse<'a>(&self, _: &'a str, _: &Head, _: &mut Event<'a>) {}

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: r#"2026-09-15T08:00:00.123456789Z {"level":"info","ts":1789459200.1,"caller":"provider/provider.go:90","msg":"starting provider"}"#,
        time: RawTime::Utc(1_789_459_200_123_456),
        severity: Severity::INFO,
        body: "starting provider",
        has: &[("#service", "omni-provider")],
    },
    Sample {
        text: "2026-09-15T10:00:00.1234+02:00 Fatal glibc error: CPU does not support x86-64-v2",
        time: RawTime::Utc(1_789_459_200_123_400),
        severity: Severity::UNKNOWN,
        body: "Fatal glibc error: CPU does not support x86-64-v2",
        has: &[],
    },
];
