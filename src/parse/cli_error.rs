//! `cli_error`: what command-line tools print when they fail: `Error: text`, or bare `rpc error: code = ...`. When
//! Terraform's place of the resource follows, the record is Terraform's.

use super::{Format, Head, Sample, terraform};
use crate::event::{Event, RawTime, Severity};

/// The format.
pub struct CliError;

/// How such lines begin.
const STARTS: &[&[u8]] = &[b"Error: ", b"error: ", b"  Error: ", b"rpc error: code = "];

impl Format for CliError {
    fn name(&self) -> &'static str {
        "cli_error"
    }

    fn begins_with(&self, byte: u8) -> bool {
        matches!(byte, b'E' | b'e' | b'r' | b' ')
    }

    fn goes_on_with(&self, at: usize, byte: u8) -> bool {
        super::scan::one_has(STARTS, at, byte)
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        STARTS.iter().any(|s| line.starts_with(s)).then_some(Head {
            time: RawTime::None,
            severity: Severity::ERROR,
            payload: None,
        })
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        event.body = text.trim_start().into();
        terraform::service(text, event);
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "Error: rpc error: code = PermissionDenied desc = invalid signature",
        time: RawTime::None,
        severity: Severity::ERROR,
        body: "Error: rpc error: code = PermissionDenied desc = invalid signature",
        has: &[],
    },
    Sample {
        text: "Error: 500 storage 'fast' is not available on node 'pve1'\n\nwith proxmox_vm_qemu.web,\non main.tf line 12, in resource \"proxmox_vm_qemu\" \"web\":",
        time: RawTime::None,
        severity: Severity::ERROR,
        body: "Error: 500 storage 'fast' is not available on node 'pve1'\n\nwith proxmox_vm_qemu.web,\non main.tf line 12, in resource \"proxmox_vm_qemu\" \"web\":",
        has: &[("#service", "terraform")],
    },
];
