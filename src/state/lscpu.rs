//! `lscpu`: which processor a machine sees. Its event is that of `/proc/cpuinfo`.

use super::block::{Block, attribute, event, is_boundary};
use super::{Context, Document, Progress, Sample, StateEvent, cpuinfo};
use crate::event::Service;

/// Keys that are told, and their names in `/proc/cpuinfo`.
const KEYS: &[(&str, &str)] = &[
    ("Vendor ID", "vendor_id"),
    ("Model name", "model_name"),
    ("BIOS Model name", "bios_model_name"),
    ("CPU family", "cpu_family"),
    ("Model", "model"),
    ("CPU(s)", "cpus"),
    ("Hypervisor vendor", "hypervisor_vendor"),
    ("Virtualization", "virtualization"),
    ("Flags", "flags"),
];

/// Lines `key:   value`, newer releases with an indentation.
pub(super) struct LsCpu;

impl Document for LsCpu {
    fn name(&self) -> &'static str {
        "lscpu"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b'A'
    }

    fn begins(&self, line: &[u8]) -> bool {
        line.strip_prefix(b"Architecture:").is_some_and(|rest| rest.starts_with(b"  ") && !rest.trim_ascii().is_empty())
    }

    fn continues(&self, progress: &mut Progress, line: &[u8]) -> bool {
        if let Some(more) = progress.blank(line, 0) {
            return more;
        }
        let Some(colon) = memchr::memchr(b':', line) else { return false };
        let (key, value) = line.split_at_checked(colon).unwrap_or_default();
        let is_key = key.len() < 40 && key.iter().all(|b| b.is_ascii_alphanumeric() || b" ()-_.".contains(b));
        // Values stand in a column.
        !is_boundary(line) && is_key && value.starts_with(b":  ")
    }

    fn events(&self, block: &str, context: &Context) -> Vec<StateEvent> {
        let block = Block::new(block);
        let values: Vec<(&str, &str)> = block.lines().filter_map(|(_, line)| line.trim().split_once(':')).collect();
        let get = |name: &str| values.iter().find(|(key, _)| *key == name).map(|(_, value)| value.trim());
        let Some(vendor) = get("Vendor ID") else { return Vec::new() };
        let mut event = event("cpuinfo", Service::State, get("Model name").unwrap_or(vendor));
        for (key, name) in KEYS {
            get(key).into_iter().for_each(|value| attribute(&mut event, *name, value));
        }
        if let Some(flags) = get("Flags") {
            attribute(&mut event, "x86_64_level", &cpuinfo::level(flags).to_string());
        }
        if let Some(node) = context.node {
            super::entity::node(&mut event, node);
        }
        vec![block.event(event, 0, block.len())]
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[Sample {
    text: "Architecture:             x86_64
  CPU op-mode(s):         32-bit, 64-bit
CPU(s):                   2
  On-line CPU(s) list:    0,1
Vendor ID:                GenuineIntel
  Model name:             Common KVM processor
    CPU family:           15
    Flags:                fpu vme de pse tsc msr pni cx16 x2apic hypervisor lahf_lm
Virtualization features:  
  Hypervisor vendor:      KVM
",
    path: "",
    events: 1,
    has: &[
        (0, "#format", "cpuinfo"),
        (0, "model_name", "Common KVM processor"),
        (0, "cpus", "2"),
        (0, "hypervisor_vendor", "KVM"),
        (0, "x86_64_level", "1"),
    ],
}];
