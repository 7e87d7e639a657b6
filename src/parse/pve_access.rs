//! `pve_access`: an access log: client, user, time, request, status, bytes. pveproxy writes the month as a number,
//! other servers as a word.

use super::scan::{self, between, from, text_from, text_to};
use super::{Format, Head, Sample};
use crate::event::time::{self, RawTime};
use crate::event::{Event, Service, Severity};

/// The format.
pub struct PveAccess;

struct Split {
    time: RawTime,
    client: usize,
    user: (usize, usize),
    request: (usize, usize),
    status: u16,
    /// The month was a number: only pveproxy does that.
    proxmox: bool,
}

/// `22/11/2026:11:00:00 +0100]` or with `Nov`: the time, the bytes used and whether the month was a number.
fn stamp(line: &[u8]) -> Option<(RawTime, usize, bool)> {
    let number = |at: usize, n: usize| {
        line.get(at..at + n)?.iter().try_fold(0u32, |v, b| b.is_ascii_digit().then(|| v * 10 + u32::from(b - b'0')))
    };
    let day = number(0, 2)?;
    let (month, at, numeric) = match number(3, 2) {
        Some(month) => (month, 5, true),
        None => (time::month(from(line, 3))?, 6, false),
    };
    let year = number(at + 1, 4)?;
    let clock = time::clock(from(line, at + 6))?;
    let valid = (1..=31).contains(&day) && (1..=12).contains(&month) && line.get(2) == Some(&b'/');
    let (offset, used) = time::zone(from(line, at + 15))?;
    let end = at + 15 + used;
    let local = time::days_from_civil(i64::from(year), month, day) * time::DAY + clock;
    (valid && line.get(end) == Some(&b']')).then_some((RawTime::Utc(local - offset), end + 1, numeric))
}

fn split(line: &[u8]) -> Option<Split> {
    let client = scan::until(line, 64, |b| !b.is_ascii_hexdigit() && !matches!(b, b':' | b'.')).filter(|n| *n > 2)?;
    let rest = from(line, client);
    let dash = rest.strip_prefix(b" ")?;
    let ident = scan::token(dash);
    let user = client + 1 + ident + 1;
    let length = scan::token(line.get(user..line.len().min(user + 200))?);
    let bracket = user + length + 1;
    let (time, used, proxmox) = stamp(from(line, bracket).strip_prefix(b"[")?)?;
    let start = bracket + 1 + used + 2;
    if from(line, start - 2).get(..2) != Some(b" \"") {
        return None;
    }
    let quote = start + memchr::memchr(b'"', from(line, start))?;
    let status = line
        .get(quote + 2..quote + 5)?
        .iter()
        .try_fold(0u16, |v, b| b.is_ascii_digit().then(|| v * 10 + u16::from(b - b'0')))?;
    Some(Split { time, client, user: (user, user + length), request: (start, quote), status, proxmox })
}

/// How bad a status of HTTP is.
pub fn severity(status: u16) -> Severity {
    match status {
        500.. => Severity::ERROR,
        400..500 => Severity::WARN,
        _ => Severity::INFO,
    }
}

/// Node and guest in a path of Proxmox's API.
pub fn path_entities<'a>(path: &'a str, event: &mut Event<'a>) {
    let mut parts = path.split(['/', '?', ' ']);
    while let Some(part) = parts.next() {
        match part {
            "nodes" => event.entity("pve.node", parts.next().unwrap_or_default()),
            "qemu" | "lxc" => {
                let id = parts.next().unwrap_or_default();
                if !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) {
                    event.entity("pve.vmid", id);
                }
            }
            "storage" => event.entity("pve.storage", parts.next().unwrap_or_default()),
            _ => {}
        }
    }
}

impl Format for PveAccess {
    fn name(&self) -> &'static str {
        "pve_access"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte.is_ascii_hexdigit() || byte == b':'
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let split = split(line)?;
        Some(Head { time: split.time, severity: severity(split.status), payload: None })
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let (first, _) = scan::first_line(text);
        let Some(split) = split(first.as_bytes()) else { return };
        let request = between(text, split.request.0, split.request.1);
        let (method, path) = request.split_once(' ').unwrap_or((request, ""));
        let path = path.split(' ').next().unwrap_or_default();
        let user = between(text, split.user.0, split.user.1);
        event.attribute("http.client", text_to(text, split.client).trim_start_matches("::ffff:"));
        event.attribute("http.user", user);
        event.attribute("http.method", method);
        event.attribute("http.path", path);
        event.attribute("http.status", split.status.to_string());
        if split.proxmox {
            event.service = Some(Service::PveAccess);
            event.entity("pve.user", if user == "-" { "" } else { user });
            path_entities(path, event);
        }
        event.body = text_from(text, split.request.0 - 1).into();
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "::ffff:10.0.0.20 - omni@pve!provider [15/09/2026:10:00:00 +0200] \"POST /api2/json/nodes/pve1/qemu/104/status/start HTTP/1.1\" 500 83",
        time: RawTime::Utc(1_789_459_200_000_000),
        severity: Severity::ERROR,
        body: "\"POST /api2/json/nodes/pve1/qemu/104/status/start HTTP/1.1\" 500 83",
        has: &[
            ("#service", "pve-access"),
            ("http.client", "10.0.0.20"),
            ("http.user", "omni@pve!provider"),
            ("http.method", "POST"),
            ("http.status", "500"),
            ("@pve.vmid", "104"),
            ("@pve.node", "pve1"),
        ],
    },
    Sample {
        text: "192.0.2.7 - - [15/Sep/2026:08:00:00 +0000] \"GET /healthz HTTP/1.1\" 404 22 \"-\" \"curl\"",
        time: RawTime::Utc(1_789_459_200_000_000),
        severity: Severity::WARN,
        body: "\"GET /healthz HTTP/1.1\" 404 22 \"-\" \"curl\"",
        has: &[("http.path", "/healthz")],
    },
];
