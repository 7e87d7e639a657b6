//! `dmesg`: `talosctl dmesg`, facility, priority and time in front of each kernel record. Whatever Talos itself writes
//! there is `user: warning:`, so only records of the kernel tell a severity.

use super::scan::{self, from};
use super::{Format, Head, Sample};
use crate::event::time::{self, RawTime};
use crate::event::{Event, Service, Severity};

/// The format.
pub struct Dmesg;

/// The offset of the facility and of the priority behind it.
fn facility(line: &[u8]) -> Option<(usize, usize)> {
    let start = scan::blanks(line.get(..line.len().min(4)).unwrap_or_default());
    let after = start + scan::facility(from(line, start))?;
    Some((start, after + scan::blanks(from(line, after))))
}

impl Format for Dmesg {
    fn name(&self) -> &'static str {
        "dmesg"
    }

    fn begins_with(&self, byte: u8) -> bool {
        matches!(byte, b' ' | b'k' | b'u' | b'm' | b'd' | b'a' | b's' | b'l' | b'n' | b'c')
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let (start, at) = facility(line)?;
        let word = scan::word(from(line, at));
        let stamp = from(line, at + word.len()).strip_prefix(b": [")?;
        let (time, used) = time::timestamp(stamp)?;
        let end = at + word.len() + 3 + used;
        if !from(line, end).starts_with(b"]:") {
            return None;
        }
        let kernel = from(line, start).starts_with(b"kern:");
        let severity = if kernel { Severity::from_word(word) } else { Severity::UNKNOWN };
        let blank = usize::from(line.get(end + 2) == Some(&b' '));
        Some(Head { time, severity, payload: Some(end + 2 + blank) })
    }

    fn holds(&self) -> super::Holder {
        super::Holder::Kernel
    }

    fn stands_in(&self, holder: super::Holder) -> bool {
        holder == super::Holder::Anything
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let kernel = text.trim_start().starts_with("kern:");
        event.service = Some(if kernel { Service::Kernel } else { Service::Talos });
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "10.5.0.2: user: warning: [2026-09-15T08:00:00.123456789Z]: [talos] controller failed {\"component\": \"controller-runtime\", \"controller\": \"k8s.NodeApplyController\", \"error\": \"timeout\"}",
        time: RawTime::Utc(1_789_459_200_123_456),
        severity: Severity::ERROR,
        body: "controller failed",
        has: &[
            ("#node", "10.5.0.2"),
            ("#service", "talos"),
            ("controller", "k8s.NodeApplyController"),
            ("error", "timeout"),
        ],
    },
    Sample {
        text: " kern:     err: [2026-09-15T08:00:00Z]: I/O error, dev sda, sector 2048",
        time: RawTime::Utc(1_789_459_200_000_000),
        severity: Severity::ERROR,
        body: "I/O error, dev sda, sector 2048",
        has: &[("#service", "kernel")],
    },
    Sample {
        text: "user: warning: [2026-09-15T08:00:00Z]: 2026/09/15 07:59:59 running pre-flight checks",
        time: RawTime::Utc(1_789_459_200_000_000),
        severity: Severity::UNKNOWN,
        body: "running pre-flight checks",
        has: &[("#service", "talos")],
    },
];
