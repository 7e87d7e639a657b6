//! `pve_task_index`: what Proxmox notes about its tasks: the lines of `index` and `active` (`UPID:...: end status`), and
//! the journal's `<user> starting task UPID:...:` and `<user> end task UPID:...: status`.

use super::scan::{self, from, hex, text_from};
use super::{Format, Head, Sample, upid};
use crate::event::time::{RawTime, SECOND};
use crate::event::{Event, Service, Severity};

/// The format.
pub struct PveTaskIndex;

/// One note about a task.
struct Note<'a> {
    upid: upid::Upid<'a>,
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
    Some(Note { upid, status })
}

/// `<user> end task UPID:...: status` and `<user> starting task UPID:...:` of the journal.
fn journaled(line: &str) -> Option<Note<'_>> {
    let (_, what) = line.strip_prefix('<')?.split_once("> ")?;
    if let Some(rest) = what.strip_prefix("end task ") {
        let upid = upid::decode(rest)?;
        let status = text_from(rest, upid.text.len()).trim();
        return Some(Note { upid, status: Some(status).filter(|s| !s.is_empty()) });
    }
    let upid = upid::decode(what.strip_prefix("starting task ")?)?;
    Some(Note { upid, status: None })
}

fn note(line: &str) -> Option<Note<'_>> {
    if line.starts_with('<') { journaled(line) } else { listed(line) }
}

fn severity(status: Option<&[u8]>) -> Severity {
    match status.map(<[u8]>::trim_ascii) {
        None | Some(b"OK" | b"successful") => Severity::INFO,
        Some(warnings) if warnings.starts_with(b"WARNINGS: ") => Severity::WARN,
        Some(_) => Severity::ERROR,
    }
}

/// The status behind the identifier that begins at `at`: `None` when the task runs, all of it unchecked.
fn rest(line: &[u8], at: usize) -> Option<&[u8]> {
    let upid = from(line, at);
    let end = memchr::memchr(b' ', upid).unwrap_or(upid.len());
    let colons = memchr::memchr_iter(b':', upid.get(..end)?).count();
    (upid.starts_with(b"UPID:") && upid.get(end - 1) == Some(&b':') && matches!(colons, 8 | 9))
        .then(|| from(upid, end + 1))
}

/// The level of the journal's note, whose time stands outside.
fn journal_head(line: &[u8]) -> Option<Severity> {
    let near = line.get(..line.len().min(120))?;
    let what = memchr::memchr(b'>', near)? + 2;
    if let Some(ended) = from(line, what).strip_prefix(b"end task ") {
        return rest(ended, 0).map(|status| severity(Some(status).filter(|s| !s.is_empty())));
    }
    rest(from(line, what).strip_prefix(b"starting task ")?, 0).map(|_| Severity::INFO)
}

/// Time and level of a line of the lists.
fn list_head(line: &[u8]) -> Option<(RawTime, Severity)> {
    let mut rest = rest(line, 0)?;
    if let [b'0' | b'1', after @ ..] = rest
        && matches!(after.first(), None | Some(b' '))
    {
        rest = from(after, 1);
    }
    let end = rest.get(..8).filter(|_| matches!(rest.get(8), None | Some(b' '))).and_then(hex);
    match end {
        Some(end) => {
            let status = from(rest, 9).trim_ascii();
            Some((RawTime::Utc(end * SECOND), severity(Some(status).filter(|s| !s.is_empty()))))
        }
        None => Some((start(line)?, Severity::INFO)),
    }
}

/// The start of a task in its identifier; that of a backup server has one field more before it.
fn start(line: &[u8]) -> Option<RawTime> {
    let mut fields = line.split(|b| *b == b':').skip(4);
    let (fourth, fifth) = (fields.next()?, fields.next()?);
    let second = [fifth, fourth].into_iter().filter(|f| f.len() == 8).find_map(hex)?;
    Some(RawTime::Utc(second * SECOND))
}

impl Format for PveTaskIndex {
    fn name(&self) -> &'static str {
        "pve_task_index"
    }

    fn begins_with(&self, byte: u8) -> bool {
        matches!(byte, b'U' | b'<')
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        // The journal tells its own time; two clocks in one source would tear it apart.
        let (time, severity) = match line.first()? {
            b'<' => (RawTime::None, journal_head(line)?),
            _ => list_head(line)?,
        };
        Some(Head { time, severity, payload: None })
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
