//! `terraform`: progress lines of Terraform and OpenTofu, and their debug log. Its errors are `cli_error`, framed by
//! `terraform_box`.

use super::scan::{self, from, text_from};
use super::{Format, Head, Sample};
use crate::event::{Event, RawTime, Service, Severity};

/// The format.
pub struct Terraform;

/// What follows the address of a resource.
const DOING: &[&[u8]] = &[
    b"Creating...",
    b"Still creating...",
    b"Creation complete",
    b"Refreshing state...",
    b"Reading...",
    b"Still reading...",
    b"Read complete",
    b"Modifying...",
    b"Still modifying...",
    b"Modifications complete",
    b"Destroying...",
    b"Still destroying...",
    b"Destruction complete",
    b"Provisioning with ",
];

/// `2026-09-15T10:00:00.123+0200 [ERROR] `: time, severity and the start of the message.
fn debug(line: &[u8]) -> Option<(RawTime, Severity, usize)> {
    let stamp = scan::stamp(line).filter(|s| s.t && s.fraction == 3)?;
    let rest = from(line, stamp.length).strip_prefix(b" ")?;
    let (severity, length) = scan::bracket_level(rest)?;
    let after = stamp.length + 1 + length;
    Some((stamp.time(line)?, severity, after + scan::blanks(from(line, after))))
}

/// `module.a.proxmox_vm_qemu.b[0]: Creating...`.
fn progress(line: &[u8]) -> bool {
    let near = line.get(..line.len().min(300)).unwrap_or_default();
    let Some(end) = memchr::memchr(b' ', near) else { return false };
    let (address, rest) = (near.get(..end).unwrap_or_default(), from(line, end + 1));
    address.ends_with(b":") && address.contains(&b'.') && DOING.iter().any(|d| rest.starts_with(d))
}

/// Marks a record as Terraform's when its text tells so.
pub fn service(text: &str, event: &mut Event<'_>) {
    const MARKS: &[&str] =
        &[".tf line ", "proxmox_vm_qemu", "proxmox_virtual_environment_", "in resource \"", "in data \"", "terraform"];
    if MARKS.iter().any(|m| text.contains(m)) {
        event.service = Some(Service::Terraform);
    }
}

impl Format for Terraform {
    fn name(&self) -> &'static str {
        "terraform"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte.is_ascii_lowercase() || byte.is_ascii_digit()
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        if line.first().is_some_and(u8::is_ascii_digit) {
            let (time, severity, _) = debug(line)?;
            return Some(Head { time, severity, payload: None });
        }
        progress(line).then_some(Head { time: RawTime::None, severity: Severity::INFO, payload: None })
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let debug = debug(text.as_bytes());
        event.body = text_from(text, debug.map_or(0, |(_, _, at)| at)).into();
        match debug {
            Some(_) => service(text, event),
            None => event.service = Some(Service::Terraform),
        }
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "2026-09-15T11:00:00.123+0300 [ERROR] vertex \"proxmox_vm_qemu.web\" error: error updating VM: 500",
        time: RawTime::Utc(1_789_459_200_123_000),
        severity: Severity::ERROR,
        body: "vertex \"proxmox_vm_qemu.web\" error: error updating VM: 500",
        has: &[("#service", "terraform")],
    },
    Sample {
        text: "module.cp.proxmox_vm_qemu.node[0]: Still creating... [10s elapsed]",
        time: RawTime::None,
        severity: Severity::INFO,
        body: "module.cp.proxmox_vm_qemu.node[0]: Still creating... [10s elapsed]",
        has: &[("#service", "terraform")],
    },
];
