//! `syslog_3164`: the classic line of syslog and of the journal: time, host, tag with process id, message. Also with a
//! priority in front, with ISO times (`journalctl -o short-iso`, rsyslog) and with a full date (`short-full`).

use super::scan::{self, between, from, text_from};
use super::{Format, Head, Sample, upid};
use crate::event::time::{self, RawTime};
use crate::event::{Event, Service, Severity};

/// The format.
pub struct Syslog3164;

/// Where the parts of a line stand.
#[derive(Debug, Clone, Copy)]
pub struct Parts {
    /// The range of the host.
    pub host: (usize, usize),
    /// The range of the tag, without the process id.
    pub tag: (usize, usize),
    /// The start of the message.
    pub payload: usize,
}

/// `<13>` at the start: the severity and the bytes used.
pub fn priority(line: &[u8]) -> Option<(Severity, usize)> {
    let inside = line.strip_prefix(b"<")?;
    let length = scan::digits(inside);
    if !(1..=3).contains(&length) || inside.get(length) != Some(&b'>') {
        return None;
    }
    let value = inside.get(..length)?.iter().fold(0u16, |v, b| v * 10 + u16::from(b - b'0'));
    Some((Severity::from_syslog((value % 8) as u8), length + 2))
}

/// `Sep 15 08:00:00` with or without a fraction: the time and the bytes used with the blank behind.
fn classic(line: &[u8]) -> Option<(RawTime, usize)> {
    let month = time::month(line)?;
    let day = match line.get(3..7)? {
        [b' ', b' ', ones @ b'1'..=b'9', b' '] => ones - b'0',
        [b' ', tens @ b'0'..=b'3', ones @ b'0'..=b'9', b' '] => (tens - b'0') * 10 + (ones - b'0'),
        _ => return None,
    };
    let clock = time::clock(from(line, 7))?;
    let (fraction, used) = time::fraction(from(line, 15));
    let time = time::yearless(month, u32::from(day), clock + fraction)?;
    (line.get(15 + used) == Some(&b' ')).then_some((time, 16 + used))
}

/// An ISO time before host and tag, the date and zone of `short-full`, or the classic time.
fn stamp(line: &[u8]) -> Option<(RawTime, usize, bool)> {
    if let Some((time, used)) = classic(line) {
        return Some((time, used, true));
    }
    if let Some(stamp) = scan::stamp(line).filter(|s| s.t && matches!(s.fraction, 0 | 6)) {
        // Most lines that begin like this are no syslog: look on before reading the time.
        host_and_tag(from(line, stamp.length).strip_prefix(b" ")?)?;
        return Some((stamp.time(line)?, stamp.length + 1, false));
    }
    full(line).map(|(time, used)| (time, used, false))
}

/// `Tue 2026-09-15 08:00:00 UTC `.
fn full(line: &[u8]) -> Option<(RawTime, usize)> {
    let rest = from(line, 4);
    if !matches!(line.get(..4)?, b"Mon " | b"Tue " | b"Wed " | b"Thu " | b"Fri " | b"Sat " | b"Sun ") {
        return None;
    }
    let stamp = scan::stamp(rest)?;
    let zone = scan::word(from(rest, stamp.length + 1));
    let time = match (stamp.time(rest)?, zone) {
        (RawTime::Local(t), b"UTC") => RawTime::Utc(t),
        (time, _) => time,
    };
    Some((time, 4 + stamp.length + 1 + zone.len() + 1))
}

/// Host, tag and the start of the message.
pub fn host_and_tag(line: &[u8]) -> Option<Parts> {
    let host = scan::until(line, 255, |b| !scan::is_name(*b) && *b != b':').filter(|n| *n > 0)?;
    if line.get(host) != Some(&b' ') || line.get(host - 1) == Some(&b':') {
        return None;
    }
    let start = host + 1;
    let rest = from(line, start);
    let length = scan::until(rest, 64, |b| matches!(b, b'[' | b':' | b' ')).filter(|n| *n > 0)?;
    let colon = match rest.get(length)? {
        b':' => length,
        b'[' => length + closing(from(rest, length))?,
        _ => return None,
    };
    if rest.get(colon) != Some(&b':') || !matches!(rest.get(colon + 1), Some(b' ') | None) {
        return None;
    }
    let message = colon + 1 + scan::blanks(from(rest, colon + 1));
    Some(Parts { host: (0, host), tag: (start, start + length), payload: start + message })
}

/// The length of `[812]`.
fn closing(line: &[u8]) -> Option<usize> {
    let digits = scan::digits(from(line, 1));
    (digits > 0 && line.get(digits + 1) == Some(&b']')).then_some(digits + 2)
}

struct Split {
    time: RawTime,
    severity: Severity,
    parts: Option<Parts>,
    payload: usize,
}

fn split(line: &[u8]) -> Option<Split> {
    let (severity, at) = priority(line).unwrap_or((Severity::UNKNOWN, 0));
    let (time, used, classic) = stamp(from(line, at))?;
    let at = at + used;
    let parts = host_and_tag(from(line, at)).map(|p| Parts {
        host: (p.host.0 + at, p.host.1 + at),
        tag: (p.tag.0 + at, p.tag.1 + at),
        payload: p.payload + at,
    });
    if parts.is_none() && !classic {
        return None;
    }
    Some(Split { time, severity, payload: parts.map_or(at, |p| p.payload), parts })
}

/// Programs of Proxmox VE that write to the journal.
fn is_proxmox(tag: &str) -> bool {
    const TAGS: &[&str] = &[
        "QEMU",
        "pmxcfs",
        "corosync",
        "qm",
        "qmeventd",
        "watchdog-mux",
        "spiceproxy",
        "vzdump",
        "pct",
        "pvesh",
        "pvesm",
        "pveum",
        "pvecm",
        "pveupdate",
        "lxc-monitord",
        "dlm_controld",
        "ha-manager",
        "vma",
        "proxmox-firewall",
        "rrdcached",
    ];
    TAGS.contains(&tag) || tag.starts_with("pve") || tag.starts_with("proxmox-backup")
}

/// The service behind a tag.
fn service(tag: &str) -> Option<Service> {
    match tag {
        "kernel" => Some(Service::Kernel),
        "kubelet" => Some(Service::Kubelet),
        "containerd" => Some(Service::Containerd),
        "etcd" => Some(Service::Etcd),
        "talos" | "machined" | "apid" | "trustd" => Some(Service::Talos),
        _ if is_proxmox(tag) => Some(Service::PveJournal),
        _ => super::container_service(tag),
    }
}

/// Fills what host and tag tell.
pub fn describe<'a>(host: &'a str, tag: &'a str, message: &'a str, event: &mut Event<'a>) {
    if !tag.is_empty() {
        event.attribute("tag", tag);
    }
    if !host.is_empty() {
        event.node = Some(host.into());
        event.entity(if is_proxmox(tag) { "pve.node" } else { "host" }, host);
    }
    event.service = service(tag).or(event.service);
    if is_proxmox(tag) {
        if let Some(upid) = upid::find(message) {
            upid.entities(event);
        }
        upid::guests(message, event);
    } else if tag == "systemd" {
        scope(message, event);
    }
}

/// systemd's `104.scope`, the unit of a guest.
fn scope<'a>(message: &'a str, event: &mut Event<'a>) {
    let Some(at) = message.find(".scope") else { return };
    let before = message.get(..at).unwrap_or_default();
    let start = before.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |i| i + 1);
    if (3..=9).contains(&(at - start)) && message.contains("PVE VM") || start == 0 {
        event.entity("pve.vmid", between(message, start, at));
    }
}

impl Format for Syslog3164 {
    fn name(&self) -> &'static str {
        "syslog_3164"
    }

    fn begins_with(&self, byte: u8) -> bool {
        matches!(byte, b'J' | b'F' | b'M' | b'A' | b'S' | b'O' | b'N' | b'D' | b'T' | b'W' | b'<')
            || byte.is_ascii_digit()
    }

    fn goes_on_with(&self, at: usize, byte: u8) -> bool {
        at != 3 || matches!(byte, b' ' | b'>') || byte.is_ascii_digit() || byte.is_ascii_uppercase()
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let split = split(line)?;
        Some(Head { time: split.time, severity: split.severity, payload: Some(split.payload) })
    }

    fn holds(&self) -> super::Holder {
        super::Holder::Program
    }

    fn stands_in(&self, holder: super::Holder) -> bool {
        holder == super::Holder::Anything
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let (first, _) = scan::first_line(text);
        if let Some(parts) = split(first.as_bytes()).and_then(|s| s.parts) {
            let host = between(first, parts.host.0, parts.host.1);
            let tag = between(first, parts.tag.0, parts.tag.1);
            describe(host, tag, text_from(text, parts.payload), event);
        }
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "Sep 15 08:00:00 pve1 pvestatd[1401]: VM 104 qmp command failed - VM 104 qmp command 'query-proxmox-support' failed - got timeout",
        time: RawTime::Yearless(22_320_000_000_000),
        severity: Severity::UNKNOWN,
        body: "VM 104 qmp command failed - VM 104 qmp command 'query-proxmox-support' failed - got timeout",
        has: &[
            ("#service", "pve-journal"),
            ("#node", "pve1"),
            ("@pve.node", "pve1"),
            ("@pve.vmid", "104"),
            ("tag", "pvestatd"),
        ],
    },
    Sample {
        text: "Sep 15 08:00:00 amber-srv k3s[2189]: E0915 08:00:00.880363    2189 leaderelection.go:325] error retrieving resource lock",
        time: RawTime::Yearless(22_320_000_000_000),
        severity: Severity::ERROR,
        body: "error retrieving resource lock",
        has: &[("#node", "amber-srv"), ("@host", "amber-srv")],
    },
    Sample {
        text: "<12>Sep  5 08:00:00 pve1 kernel: vmbr0: port 3(tap104i0) entered blocking state",
        time: RawTime::Yearless(21_456_000_000_000),
        severity: Severity::WARN,
        body: "vmbr0: port 3(tap104i0) entered blocking state",
        has: &[("#service", "kernel"), ("#node", "pve1")],
    },
    Sample {
        text: "2026-09-15T10:00:00+0200 pve1 systemd[1]: Started 104.scope - Proxmox VE VM 104.",
        time: RawTime::Utc(1_789_459_200_000_000),
        severity: Severity::UNKNOWN,
        body: "Started 104.scope - Proxmox VE VM 104.",
        has: &[("#node", "pve1")],
    },
    Sample {
        text: "Tue 2026-09-15 08:00:00 UTC pve1 corosync[1000]:   [KNET  ] link: host: 2 link: 0 is down",
        time: RawTime::Utc(1_789_459_200_000_000),
        severity: Severity::UNKNOWN,
        body: "[KNET  ] link: host: 2 link: 0 is down",
        has: &[("#service", "pve-journal"), ("@pve.node", "pve1")],
    },
];
