//! `broken_json`: a record in JSON that somebody spread over several lines, often with broken bits, as it is found in
//! tickets. Its time and level stand on further lines, so only reading it wholly finds them.

use super::{Format, Head, Sample, zap, zap_json};
use crate::event::time::RawTime;
use crate::event::{Event, Severity};

/// The format.
pub struct BrokenJson;

/// Whether a line opens an object that it does not close.
fn opens(line: &[u8]) -> bool {
    let trimmed = line.trim_ascii_end();
    if trimmed == b"{" {
        return true;
    }
    let inside = trimmed.get(1..).unwrap_or_default().trim_ascii_start();
    trimmed.starts_with(b"{") && inside.starts_with(b"\"") && matches!(trimmed.last(), Some(b',' | b'{' | b'['))
}

impl Format for BrokenJson {
    fn name(&self) -> &'static str {
        "broken_json"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b'{'
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        if !opens(line) || zap_json::ordered(line).is_some() {
            return None;
        }
        let severity = zap_json::search_level(line);
        Some(Head { time: RawTime::None, severity, payload: None })
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        zap::object(text, event);
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "{\"level\":\"error\",\n\"ts\":1789459200.123456,\n\"caller\":\"controllers/provision.go:335\",\n\"msg\":\"machine provision failed\",\n\"controller\":\"proxmox.ProvisionController\",\n\"type\":\"[MachineRequests.omni.sidero.dev](http://machinerequests.omni.sidero.dev/)\",\n\"id\":\"amber-workers-k2m4x7\",\n\"error\":\"not authorized to access endpoint\",\n\"step\":\"pickNode\",\n\"stacktrace\": xxxx\n}",
        time: RawTime::Utc(1_789_459_200_123_456),
        severity: Severity::ERROR,
        body: "machine provision failed",
        has: &[
            ("#service", "omni-provider"),
            ("@omni.machine_request", "amber-workers-k2m4x7"),
            ("error", "not authorized to access endpoint"),
        ],
    },
    Sample {
        text: "{\n  \"level\": \"warn\",\n  \"ts\": \"2026-09-15T08:00:00Z\",\n  \"msg\": \"slow fdatasync\",\n  \"caller\": \"wal/wal.go:846\"\n}",
        time: RawTime::Utc(1_789_459_200_000_000),
        severity: Severity::WARN,
        body: "slow fdatasync",
        has: &[("#service", "etcd")],
    },
];
