//! `pve_task`: lines of the output of a Proxmox task that can be told from ordinary text: how it ended, what QEMU said,
//! what the worker did first. Backup servers put a time in front.

use super::scan::{self, from};
use super::{Format, Head, Sample, upid};
use crate::event::{Event, RawTime, Service, Severity};

/// The format.
pub struct PveTask;

/// Beginnings of lines that only such tasks print, by their first byte.
fn starts(byte: u8) -> &'static [&'static [u8]] {
    match byte {
        b' ' => &[b"  Logical volume \"vm-"],
        b'E' => &[
            b"ERROR: Backup of VM ",
            b"ERROR: Backup job ",
            b"ERROR: migration aborted",
            b"ERROR: Failed to sync data",
            b"ERROR: storage migration for ",
        ],
        b'F' => &[b"Formatting '"],
        b'L' => &[b"Logical volume \"vm-"],
        b'R' => &[b"Requesting HA st", b"Resuming suspended VM", b"Removed volume '", b"Renamed \"vm-"],
        b'S' => &[b"Starting VM "],
        b'V' => &[b"VM still running - terminating now"],
        b'a' => &[b"aborting phase ", b"all 'mirror' jobs are ready"],
        b'c' => &[b"creating a clone of VM ", b"create full clone of drive ", b"create linked clone of drive "],
        b'd' => &[b"downloading http", b"drive mirror is starting", b"download of 'http"],
        b'f' => &[b"finished file import"],
        b'g' => &[b"generating cloud-init ISO"],
        b'k' => &[b"kvm: "],
        b'm' => &[b"mirror-scsi", b"migration finished successfully"],
        b'p' => &[b"purging VM "],
        b's' => &[
            b"starting migration of VM ",
            b"starting file import from",
            b"swtpm_setup: ",
            b"snapshotting 'drive-",
            b"scsi0: successfully created disk",
        ],
        b't' => &[
            b"trying to acquire lock...",
            b"trying to acquire cfs lock",
            b"task started by HA resource agent",
            b"transferred ",
            b"target file: /",
        ],
        b'u' => &[b"update VM ", b"unable to create VM "],
        _ => &[],
    }
}

/// How a line of `vzdump` begins.
const INFO: &[u8] = b"INFO: ";

/// What `vzdump` says about a backup, behind [`INFO`].
const VZDUMP: &[&[u8]] = &[
    b"starting new backup job",
    b"Starting Backup of VM ",
    b"Finished Backup of VM ",
    b"Failed at ",
    b"Backup started at ",
    b"Backup finished at ",
    b"Backup job ",
    b"status = ",
    b"VM Name: ",
    b"CT Name: ",
    b"include disk ",
    b"exclude disk ",
    b"backup mode: ",
    b"ionice priority: ",
    b"creating vzdump archive ",
    b"creating Proxmox Backup ",
    b"transferred ",
    b"archive file size: ",
    b"adding notes to backup",
    b"issuing guest-agent ",
    b"resuming VM again",
    b"started backup task ",
    b"pending configuration ",
    b"HOOK",
    b"create storage snapshot ",
    b"including mount point ",
    b"prune older backups ",
    b" ",
];

/// The severity of a task's line.
pub fn severity(line: &[u8]) -> Severity {
    let (words, severity): (&[&[u8]], _) = match line.first() {
        Some(b'T') => return ending_severity(line),
        Some(b'E' | b'u') => (&[b"ERROR: ", b"unable to create VM "], Severity::ERROR),
        Some(b'W') => (&[b"WARN: "], Severity::WARN),
        Some(b'I') => (&[b"INFO: "], Severity::INFO),
        Some(b'k') if line.starts_with(b"kvm: warning: ") => return Severity::WARN,
        Some(b'k') => (&[b"kvm: "], Severity::ERROR),
        _ => return Severity::UNKNOWN,
    };
    if words.iter().any(|w| line.starts_with(w)) { severity } else { Severity::UNKNOWN }
}

/// The severity of the line by which a task ends.
fn ending_severity(line: &[u8]) -> Severity {
    match line.strip_prefix(b"TASK ") {
        Some(rest) if rest.starts_with(b"ERROR") => Severity::ERROR,
        Some(rest) if rest.starts_with(b"WARNINGS") => Severity::WARN,
        Some(rest) if rest.starts_with(b"OK") => Severity::INFO,
        _ => Severity::UNKNOWN,
    }
}

/// `TASK OK`, `TASK ERROR: ...`, `TASK WARNINGS: n`.
fn ending(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"TASK ") else { return false };
    rest.trim_ascii_end() == b"OK" || rest.starts_with(b"ERROR: ") || rest.starts_with(b"WARNINGS: ")
}

/// The time a backup server puts in front, and where the line begins.
fn dated(line: &[u8]) -> Option<(RawTime, usize)> {
    let stamp = scan::stamp(line).filter(|s| s.t && s.rfc && s.fraction == 0)?;
    if !from(line, stamp.length).starts_with(b": ") {
        return None;
    }
    Some((stamp.time(line)?, stamp.length + 2))
}

fn takes(line: &[u8]) -> bool {
    let Some(first) = line.first() else { return false };
    if let Some(rest) = line.strip_prefix(INFO) {
        let says = |start: &&[u8]| start.first() == rest.first() && rest.starts_with(start);
        return VZDUMP.iter().any(says) && !padded(line);
    }
    // The second byte refuses most of them.
    let begins = |start: &&[u8]| start.get(1) == line.get(1) && line.starts_with(start);
    starts(*first).iter().any(begins) || ending(line)
}

/// uvicorn's `INFO:     text`, which is no progress of a backup (`INFO:  12% (...`).
fn padded(line: &[u8]) -> bool {
    line.starts_with(b"INFO:  ") && memchr::memchr(b'%', from(line, 6).get(..6).unwrap_or_default()).is_none()
}

impl Format for PveTask {
    fn name(&self) -> &'static str {
        "pve_task"
    }

    fn begins_with(&self, byte: u8) -> bool {
        matches!(byte, b'T' | b'I') || byte.is_ascii_digit() || !starts(byte).is_empty()
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        if line.first().is_some_and(u8::is_ascii_digit) {
            let (time, at) = dated(line)?;
            return Some(Head { time, severity: severity(from(line, at)), payload: None });
        }
        takes(line).then(|| Head { time: RawTime::None, severity: severity(line), payload: None })
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let at = dated(text.as_bytes()).map_or(0, |(_, at)| at);
        let body = scan::text_from(text, at);
        event.service = event.service.or(Some(Service::PveTask));
        if let Some(upid) = upid::find(body) {
            upid.entities(event);
        }
        upid::guests(body, event);
        event.body = body.into();
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "TASK ERROR: unable to create VM 104 - VM 104 already exists on node 'pve2'",
        time: RawTime::None,
        severity: Severity::ERROR,
        body: "TASK ERROR: unable to create VM 104 - VM 104 already exists on node 'pve2'",
        has: &[("#service", "pve-task"), ("@pve.vmid", "104")],
    },
    Sample {
        text: "TASK OK",
        time: RawTime::None,
        severity: Severity::INFO,
        body: "TASK OK",
        has: &[("#service", "pve-task")],
    },
    Sample {
        text: "TASK WARNINGS: 2",
        time: RawTime::None,
        severity: Severity::WARN,
        body: "TASK WARNINGS: 2",
        has: &[("#service", "pve-task")],
    },
    Sample {
        text: "kvm: -device ide-cd,bus=ide.1,unit=0,drive=drive-ide2,id=ide2: Bus 'ide.1' not found",
        time: RawTime::None,
        severity: Severity::ERROR,
        body: "kvm: -device ide-cd,bus=ide.1,unit=0,drive=drive-ide2,id=ide2: Bus 'ide.1' not found",
        has: &[("#service", "pve-task")],
    },
    Sample {
        text: "trying to acquire lock...",
        time: RawTime::None,
        severity: Severity::UNKNOWN,
        body: "trying to acquire lock...",
        has: &[("#service", "pve-task")],
    },
    Sample {
        text: "2026-09-15T10:00:00+02:00: TASK ERROR: connection error: timed out",
        time: RawTime::Utc(1_789_459_200_000_000),
        severity: Severity::ERROR,
        body: "TASK ERROR: connection error: timed out",
        has: &[("#service", "pve-task")],
    },
    Sample {
        text: "INFO: Starting Backup of VM 104 (qemu)",
        time: RawTime::None,
        severity: Severity::INFO,
        body: "INFO: Starting Backup of VM 104 (qemu)",
        has: &[("@pve.vmid", "104")],
    },
];
