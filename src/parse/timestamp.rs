//! `timestamp`: a date and time in front of a message, and nothing else to go by; a level word behind it is read.
//! Proxmox writes migrations and backups so.

use super::scan::{self, from};
use super::{
    Format, Head, Sample, cri, docker_timestamp, pve_task, python_log, syslog_3164, terraform, zap_console,
    zerolog_console,
};
use crate::event::{Event, RawTime, Severity};

/// The format.
pub struct Timestamp;

/// Whether a more special format reads the line.
fn other(line: &[u8]) -> bool {
    let others: &[&dyn Format] = &[
        &cri::Cri,
        &docker_timestamp::DockerTimestamp,
        &pve_task::PveTask,
        &python_log::PythonLog,
        &syslog_3164::Syslog3164,
        &terraform::Terraform,
        &zap_console::ZapConsole,
        &zerolog_console::ZerologConsole,
    ];
    others.iter().any(|f| f.head(line).is_some())
}

/// A level word with or without brackets or a colon.
fn level(rest: &[u8]) -> Severity {
    let bare = scan::upper_level(rest).filter(|(_, n)| matches!(rest.get(*n), Some(b' ' | b':' | b'\t')));
    bare.or_else(|| scan::bracket_level(rest)).map_or(Severity::UNKNOWN, |(severity, _)| severity)
}

impl Format for Timestamp {
    fn name(&self) -> &'static str {
        "timestamp"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte.is_ascii_digit()
    }

    fn goes_on_with(&self, at: usize, byte: u8) -> bool {
        scan::date_has(at, byte, b'-')
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let stamp = scan::stamp(line)?;
        let rest = from(line, stamp.length);
        if rest.first() != Some(&b' ') || (stamp.t && stamp.rfc && stamp.fraction > 6) || other(line) {
            return None;
        }
        Some(Head { time: stamp.time(line)?, severity: level(from(rest, 1)), payload: Some(stamp.length + 1) })
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
        text: "2026-09-15 08:00:00 starting migration of VM 104 to node 'pve2' (10.0.0.2)",
        time: RawTime::Local(1_789_459_200_000_000),
        severity: Severity::UNKNOWN,
        body: "starting migration of VM 104 to node 'pve2' (10.0.0.2)",
        has: &[("#service", "pve-task"), ("@pve.vmid", "104")],
    },
    Sample {
        text: "2026-09-15 08:00:00 ERROR: storage migration for 'tank:vm-104-disk-0' failed",
        time: RawTime::Local(1_789_459_200_000_000),
        severity: Severity::ERROR,
        body: "ERROR: storage migration for 'tank:vm-104-disk-0' failed",
        has: &[],
    },
    Sample {
        text: "2026-09-15T08:00:00Z WARN something is odd",
        time: RawTime::Utc(1_789_459_200_000_000),
        severity: Severity::WARN,
        body: "WARN something is odd",
        has: &[],
    },
];
