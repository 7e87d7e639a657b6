//! `packer`: the output of Packer when it builds a template on Proxmox: `==> proxmox-iso.name: text`.

use super::scan::{self, from};
use super::{Format, Head, Sample};
use crate::event::{Event, RawTime, Service, Severity};

/// The format.
pub struct Packer;

/// The start of the message behind builder and colon.
fn split(line: &[u8]) -> Option<usize> {
    let at = match line.strip_prefix(b"==> ") {
        Some(_) => 4,
        None if line.starts_with(b"    proxmox-") => 4,
        None if line.starts_with(b"Build 'proxmox-") => return Some(0),
        None => return None,
    };
    let name = scan::token(line.get(at..line.len().min(at + 120))?);
    (from(line, at).starts_with(b"proxmox-") && line.get(at + name - 1) == Some(&b':')).then_some(at + name + 1)
}

impl Format for Packer {
    fn name(&self) -> &'static str {
        "packer"
    }

    fn begins_with(&self, byte: u8) -> bool {
        matches!(byte, b'=' | b' ' | b'B')
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let message = from(line, split(line)?.min(line.len()));
        let failed = message.starts_with(b"Error ")
            || memchr::memmem::find(message.get(..message.len().min(120))?, b"' errored after").is_some();
        let severity = if failed { Severity::ERROR } else { Severity::INFO };
        Some(Head { time: RawTime::None, severity, payload: None })
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        event.body = scan::text_from(text, split(scan::first_line(text).0.as_bytes()).unwrap_or(0)).into();
        event.service = Some(Service::Terraform);
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "==> proxmox-iso.talos: Error creating VM: 403 Permission check failed",
        time: RawTime::None,
        severity: Severity::ERROR,
        body: "Error creating VM: 403 Permission check failed",
        has: &[("#service", "terraform")],
    },
    Sample {
        text: "    proxmox-iso.talos: Uploaded ISO to local:iso/talos.iso",
        time: RawTime::None,
        severity: Severity::INFO,
        body: "Uploaded ISO to local:iso/talos.iso",
        has: &[("#service", "terraform")],
    },
];
