//! `qm status N` and `qm status N --verbose`: whether a VM runs, what QEMU says of it, and which QEMU it is.
//!
//! The keys of `--verbose` stand in alphabetical order, what belongs to one of them below it behind a tab.

use super::block::{Block, attribute, cut, entity, event, is_boundary, is_vmid, pair, pair_bytes};
use super::{Context, Document, Progress, Sample, StateEvent};
use crate::event::Service;

/// The states of a VM that Proxmox prints: those of QEMU, and its own for a VM without a process.
const STATES: &[&[u8]] = &[
    b"running",
    b"stopped",
    b"paused",
    b"suspended",
    b"prelaunch",
    b"inmigrate",
    b"postmigrate",
    b"finish-migrate",
    b"io-error",
    b"internal-error",
    b"guest-panicked",
    b"restore-vm",
    b"save-vm",
    b"shutdown",
    b"watchdog",
    b"debug",
    b"colo",
    b"preconfig",
    b"unknown",
];

/// Keys that `--verbose` begins with: the first of them that the VM has.
const FIRST: &[&[u8]] = &[b"balloon", b"ballooninfo", b"blockstat", b"cpus"];

/// The keys that are told.
const KEYS: &[&str] = &[
    "cpus",
    "maxdisk",
    "maxmem",
    "mem",
    "name",
    "pid",
    "qmpstatus",
    "running-machine",
    "running-qemu",
    "status",
    "tags",
    "template",
    "uptime",
    "vmid",
    "lock",
    "freemem",
];

/// Lines `key: value`.
pub(super) struct QmStatus;

impl Document for QmStatus {
    fn name(&self) -> &'static str {
        "qm_status"
    }

    fn begins_with(&self, byte: u8) -> bool {
        matches!(byte, b'b' | b'c' | b's')
    }

    fn begins(&self, line: &[u8]) -> bool {
        match pair_bytes(line) {
            Some((b"status", value)) => STATES.contains(&value),
            // Bytes; the configuration of a VM counts MiB.
            Some((b"balloon", value)) => value.len() >= 8 && value.iter().all(u8::is_ascii_digit),
            Some((b"cpus", value)) => !value.is_empty() && value.len() < 5 && value.iter().all(u8::is_ascii_digit),
            Some((key, value)) => FIRST.contains(&key) && value.is_empty() && line.ends_with(b":"),
            None => false,
        }
    }

    fn continues(&self, progress: &mut Progress, line: &[u8]) -> bool {
        if let Some(more) = progress.blank(line, 0) {
            return more;
        }
        let is_pair = || {
            pair_bytes(line).is_some_and(|(key, value)| {
                key.first().is_some_and(u8::is_ascii_lowercase) && memchr::memmem::find(value, b": ").is_none()
            })
        };
        !is_boundary(line) && (line.first() == Some(&b'\t') || line.starts_with(b"    ") || is_pair())
    }

    fn events(&self, block: &str, context: &Context) -> Vec<StateEvent> {
        let block = Block::new(block);
        let pairs: Vec<(&str, &str)> = block.lines().filter_map(|(_, line)| pair(line)).collect();
        let get = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        let Some(status) = get("status").filter(|s| STATES.contains(&s.as_bytes())) else { return Vec::new() };
        // One line alone, or the keys of `--verbose` around it.
        if pairs.len() > 1 && (get("vmid").is_none() || get("qmpstatus").is_none()) {
            return Vec::new();
        }
        let vmid = get("vmid").filter(|id| is_vmid(id)).or(context.vmid).unwrap_or_default();
        let mut event = event("qm_status", Service::PveConfig, cut(block.slice(0, block.len()), 16 << 10).trim_end());
        for key in KEYS {
            get(key).into_iter().for_each(|value| attribute(&mut event, *key, value));
        }
        if get("qmpstatus").is_none() {
            attribute(&mut event, "qmpstatus", status);
        }
        entity(&mut event, "pve.vmid", vmid);
        entity(&mut event, "pve.vm_name", get("name").unwrap_or_default());
        entity(&mut event, "pve.node", context.pve_node.unwrap_or_default());
        vec![block.event(event, 0, block.len())]
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "balloon: 4294967296
ballooninfo:
\tactual: 4294967296
\tmax_mem: 4294967296
blockstat:
\tscsi0:
\t\taccount_failed: 1
\t\tfailed_wr_operations: 3
cpus: 2
disk: 0
maxdisk: 34359738368
maxmem: 4294967296
mem: 3221225472
name: talos-prod-workers-x7k2p
netin: 1024
nics:
\ttap118i0:
\t\tnetin: 1024
pid: 4711
proxmox-support:
\tbackup-max-workers: 1
qmpstatus: io-error
running-machine: pc-q35-10.0+pve1
running-qemu: 10.0.2
status: running
uptime: 86400
vmid: 118
",
        path: "",
        events: 1,
        has: &[
            (0, "#format", "qm_status"),
            (0, "qmpstatus", "io-error"),
            (0, "status", "running"),
            (0, "running-qemu", "10.0.2"),
            (0, "@pve.vmid", "118"),
            (0, "@pve.vm_name", "talos-prod-workers-x7k2p"),
        ],
    },
    Sample { text: "status: io-error\n", path: "", events: 1, has: &[(0, "qmpstatus", "io-error")] },
];
