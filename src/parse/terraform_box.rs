//! `terraform_box`: the frame that Terraform draws around its errors: `╷`, `│ text`, `╵`. Tables and trees drawn with
//! the same characters are left alone.

use super::scan::from;
use super::{Format, Head, Sample};
use crate::event::{Event, RawTime, Severity};

/// The format.
pub struct TerraformBox;

const BAR: &[u8] = "│".as_bytes();
const EDGES: &[&str] = &["╷", "╵"];

/// The offset behind `│ `.
fn inside(line: &[u8]) -> Option<usize> {
    let rest = line.strip_prefix(BAR)?;
    let text = rest.trim_ascii_start();
    let drawn = text.first() == Some(&0xe2) || memchr::memmem::find(rest, BAR).is_some();
    match rest.first() {
        None => Some(line.len()),
        Some(b' ') if !drawn => Some(BAR.len() + 1),
        _ => None,
    }
}

impl Format for TerraformBox {
    fn name(&self) -> &'static str {
        "terraform_box"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == 0xe2
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let edge = EDGES.iter().find(|e| line.starts_with(e.as_bytes()));
        let payload = match edge {
            Some(edge) if from(line, edge.len()).trim_ascii().is_empty() => line.len(),
            _ => inside(line)?,
        };
        Some(Head { time: RawTime::None, severity: Severity::UNKNOWN, payload: Some(payload) })
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        super::terraform::service(text, event);
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "│ Error: no guest with name '9100' found",
        time: RawTime::None,
        severity: Severity::ERROR,
        body: "Error: no guest with name '9100' found",
        has: &[],
    },
    Sample {
        text: "╷\n│ Error: no guest with name '9100' found\n│ \n│   with proxmox_vm_qemu.cp[1],\n│   on main.tf line 40, in resource \"proxmox_vm_qemu\" \"cp\":\n╵",
        time: RawTime::None,
        severity: Severity::ERROR,
        body: "Error: no guest with name '9100' found\n\n  with proxmox_vm_qemu.cp[1],\n  on main.tf line 40, in resource \"proxmox_vm_qemu\" \"cp\":\n",
        has: &[("#service", "terraform")],
    },
];
