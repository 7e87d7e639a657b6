//! Versions of Proxmox packages: `pveversion` and `pveversion -v`.

use super::block::{Block, attribute, entity, event};
use super::{Context, Document, Progress, Sample, StateEvent};
use crate::event::Service;

/// Packages whose line begins a list.
const STARTS: &[&str] = &["proxmox-ve: ", "pve-manager: ", "pve-manager/", "qemu-server: ", "pve-qemu-kvm: "];

/// Lines `package: version`.
pub(super) struct PveVersion;

impl Document for PveVersion {
    fn name(&self) -> &'static str {
        "pveversion"
    }

    fn begins_with(&self, byte: u8) -> bool {
        matches!(byte, b'p' | b'q')
    }

    fn begins(&self, line: &[u8]) -> bool {
        STARTS
            .iter()
            .any(|s| line.strip_prefix(s.as_bytes()).is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit)))
    }

    fn continues(&self, _progress: &mut Progress, line: &[u8]) -> bool {
        line.len() < 200 && std::str::from_utf8(line).is_ok_and(|line| package(line).is_some())
    }

    fn events(&self, block: &str, context: &Context) -> Vec<StateEvent> {
        let block = Block::new(block);
        let mut event = event("pveversion", Service::PveConfig, block.line(0));
        for (_, line) in block.lines() {
            let Some((name, version)) = package(line) else { continue };
            attribute(&mut event, name, version);
            let kernel = line.split_once("(running kernel: ").and_then(|(_, rest)| rest.split(')').next());
            if let Some(kernel) = kernel {
                attribute(&mut event, "running_kernel", kernel);
            }
        }
        if let Some(node) = context.pve_node {
            entity(&mut event, "pve.node", node);
        }
        vec![block.event(event, 0, block.len())]
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

/// A package and its version, in the long or the short form.
fn package(line: &str) -> Option<(&str, &str)> {
    let short = line.strip_prefix("pve-manager/").map(|rest| ("pve-manager", rest));
    let (name, rest) = short.or_else(|| line.split_once(": "))?;
    let word = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-+._".contains(&b));
    let version = match rest.trim() {
        gone @ ("not correctly installed" | "residual config") => gone,
        rest => rest.split([' ', '/']).next().filter(|v| v.starts_with(|c: char| c.is_ascii_digit()))?,
    };
    // What stands behind a version is in brackets.
    let behind = rest.split_once(' ').map_or("", |(_, b)| b);
    let plain = behind.is_empty() || behind.starts_with('(') || version == rest.trim();
    (word && !name.is_empty() && plain && name.as_bytes().first().is_some_and(u8::is_ascii_lowercase))
        .then_some((name, version))
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "proxmox-ve: 9.1.0 (running kernel: 6.17.2-1-pve)
pve-manager: 9.1.1 (running version: 9.1.1/42db4a6cf33dac83)
proxmox-kernel-6.17.2-1-pve-signed: 6.17.2-1
ceph-fuse: 19.2.3-pve2
libproxmox-acme-perl: not correctly installed
qemu-server: 9.0.30
zfsutils-linux: 2.3.4-pve1
",
        path: "",
        events: 1,
        has: &[
            (0, "#format", "pveversion"),
            (0, "pve-manager", "9.1.1"),
            (0, "qemu-server", "9.0.30"),
            (0, "running_kernel", "6.17.2-1-pve"),
            (0, "libproxmox-acme-perl", "not correctly installed"),
        ],
    },
    Sample {
        text: "pve-manager/8.4.14/b502d23c55afcba1 (running kernel: 6.8.12-16-pve)\n",
        path: "",
        events: 1,
        has: &[(0, "pve-manager", "8.4.14"), (0, "running_kernel", "6.8.12-16-pve")],
    },
];
