//! `pve_task_index`: what Proxmox notes about its tasks: the lines of `index` and `active` (`UPID:...: end status`), and
//! the journal's `<user> starting task UPID:...:` and `<user> end task UPID:...: status`.

use super::scan::{self, hex, text_from};
use super::{Format, Head, Sample, upid};
use crate::event::time::{RawTime, SECOND};
use crate::event::{Event, Service, Severity};

/// The format.
pub struct PveTaskIndex;

/// One note about a task.
struct Note<'a> {
    upid: upid::Upid<'a>,
    /// Seconds since the epoch at which it ended.
    end: Option<i64>,
    /// Its status; `None` when it runs.
    status: Option<&'a str>,
}

/// `UPID:...: [saved] end status` of the lists.
fn listed(line: &str) -> Option<Note<'_>> {
    let upid = upid::decode(line)?;
    let mut rest = text_from(line, upid.text.len()).trim_start();
    if let Some(after) = rest.strip_prefix(['0', '1']).filter(|r| r.is_empty() || r.starts_with(' ')) {
        rest = after.trim_start();
    }
    let stamp = rest.split(' ').next().unwrap_or_default();
    let end = (stamp.len() == 8).then(|| hex(stamp.as_bytes())).flatten();
    let status = end.map(|_| text_from(rest, 8).trim()).filter(|s| !s.is_empty());
    Some(Note { upid, end, status })
}

/// `<user> end task UPID:...: status` and `<user> starting task UPID:...:` of the journal.
fn journaled(line: &str) -> Option<Note<'_>> {
    let (_, what) = line.strip_prefix('<')?.split_once("> ")?;
    if let Some(rest) = what.strip_prefix("end task ") {
        let upid = upid::decode(rest)?;
        let status = text_from(rest, upid.text.len()).trim();
        return Some(Note { upid, end: None, status: Some(status).filter(|s| !s.is_empty()) });
    }
    let upid = upid::decode(what.strip_prefix("starting task ")?)?;
    Some(Note { upid, end: None, status: None })
}

fn note(line: &str) -> Option<Note<'_>> {
    if line.starts_with('<') { journaled(line) } else { listed(line) }
}

fn severity(status: Option<&str>) -> Severity {
    match status {
        None => Severity::INFO,
        Some("OK" | "successful") => Severity::INFO,
        Some(warnings) if warnings.starts_with("WARNINGS: ") => Severity::WARN,
        Some(_) => Severity::ERROR,
    }
}

/// The first line as text; a line with bad bytes is read as far as it is text.
fn text(line: &[u8]) -> &str {
    match std::str::from_utf8(line) {
        Ok(text) => text,
        Err(bad) => line.get(..bad.valid_up_to()).and_then(|good| std::str::from_utf8(good).ok()).unwrap_or_default(),
    }
}

impl Format for PveTaskIndex {
    fn name(&self) -> &'static str {
        "pve_task_index"
    }

    fn begins_with(&self, byte: u8) -> bool {
        matches!(byte, b'U' | b'<')
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        if !line.starts_with(b"UPID:") && scan::digits(line.get(1..)?) > 0 {
            return None;
        }
        let note = note(text(line))?;
        // The journal tells its own time; two clocks in one source would tear it apart.
        let listed = line.starts_with(b"U");
        let time = if listed {
            RawTime::Utc(note.end.unwrap_or(note.upid.start).saturating_mul(SECOND))
        } else {
            RawTime::None
        };
        Some(Head { time, severity: severity(note.status), payload: None })
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let (first, _) = scan::first_line(text);
        if let Some(note) = note(first) {
            note.upid.attributes(event);
            note.upid.entities(event);
            if let Some(status) = note.status {
                event.attribute("pve.task.status", status);
            }
        }
        upid::guests(text, event);
        event.body = text.into();
        event.service = Some(Service::PveTaskIndex);
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "UPID:pve1:0012D6F0:0A3F2A11:6AA81F80:qmcreate:104:root@pam!omni: 6AA81F82 unable to create VM 104 - no space",
        time: RawTime::Utc(0x6AA8_1F82 * 1_000_000),
        severity: Severity::ERROR,
        body: "UPID:pve1:0012D6F0:0A3F2A11:6AA81F80:qmcreate:104:root@pam!omni: 6AA81F82 unable to create VM 104 - no space",
        has: &[
            ("#service", "pve-task-index"),
            ("@pve.vmid", "104"),
            ("@pve.node", "pve1"),
            ("@pve.task.type", "qmcreate"),
            ("@pve.user", "root@pam!omni"),
            ("pve.task.status", "unable to create VM 104 - no space"),
            ("pve.upid", "UPID:pve1:0012D6F0:0A3F2A11:6AA81F80:qmcreate:104:root@pam!omni:"),
        ],
    },
    Sample {
        text: "UPID:pve1:0012D6F0:0A3F2A11:6AA81F80:qmstart:104:root@pam: 1 6AA81F82 WARNINGS: 1",
        time: RawTime::Utc(0x6AA8_1F82 * 1_000_000),
        severity: Severity::WARN,
        body: "UPID:pve1:0012D6F0:0A3F2A11:6AA81F80:qmstart:104:root@pam: 1 6AA81F82 WARNINGS: 1",
        has: &[("pve.task.status", "WARNINGS: 1")],
    },
    Sample {
        text: "UPID:pve1:0012D6F0:0A3F2A11:6AA81F80:vzdump::root@pam: 0",
        time: RawTime::Utc(0x6AA8_1F80 * 1_000_000),
        severity: Severity::INFO,
        body: "UPID:pve1:0012D6F0:0A3F2A11:6AA81F80:vzdump::root@pam: 0",
        has: &[("pve.task.type", "vzdump")],
    },
    Sample {
        text: "Sep 15 08:00:00 pve1 pvedaemon[1412]: <omni@pve!provider> end task UPID:pve1:178E6201:F15B8FF1:6AA81F80:qmclone:9000:omni@pve!provider: clone failed: got timeout",
        time: RawTime::Yearless(22_320_000_000_000),
        severity: Severity::ERROR,
        body: "<omni@pve!provider> end task UPID:pve1:178E6201:F15B8FF1:6AA81F80:qmclone:9000:omni@pve!provider: clone failed: got timeout",
        has: &[
            ("#service", "pve-task-index"),
            ("#node", "pve1"),
            ("@pve.vmid", "9000"),
            ("pve.task.status", "clone failed: got timeout"),
        ],
    },
    Sample {
        text: "<root@pam> starting task UPID:pve1:0012D6F0:0A3F2A11:6AA81F80:qmdestroy:104:root@pam:",
        time: RawTime::None,
        severity: Severity::INFO,
        body: "<root@pam> starting task UPID:pve1:0012D6F0:0A3F2A11:6AA81F80:qmdestroy:104:root@pam:",
        has: &[("pve.task.type", "qmdestroy"), ("@pve.vmid", "104")],
    },
];
