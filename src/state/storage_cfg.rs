//! Storage definitions of Proxmox (`/etc/pve/storage.cfg`).

use super::block::{Block, attribute, entity, event, is_boundary};
use super::{Context, Document, Progress, Sample, StateEvent};
use crate::event::{Event, Service};

/// Types of storages.
const TYPES: &[&str] = &[
    "btrfs",
    "cephfs",
    "cifs",
    "dir",
    "drbd",
    "esxi",
    "glusterfs",
    "iscsi",
    "iscsidirect",
    "lvm",
    "lvmthin",
    "nfs",
    "pbs",
    "rbd",
    "zfs",
    "zfspool",
];

/// Sections `type: id` with indented properties.
pub(super) struct StorageCfg;

impl Document for StorageCfg {
    fn name(&self) -> &'static str {
        "storage_cfg"
    }

    fn begins_with(&self, byte: u8) -> bool {
        TYPES.iter().any(|t| t.as_bytes().first() == Some(&byte))
    }

    fn begins(&self, line: &[u8]) -> bool {
        // Hardly any line passes this.
        let kind = line.iter().position(|b| !b.is_ascii_lowercase());
        let line = line.get(..line.len().min(120)).unwrap_or_default();
        kind.is_some_and(|at| line.get(at..).is_some_and(|rest| rest.starts_with(b": ")))
            && std::str::from_utf8(line).is_ok_and(|l| section(l).is_some())
    }

    fn continues(&self, progress: &mut Progress, line: &[u8]) -> bool {
        if let Some(more) = progress.blank(line, 2) {
            return more;
        }
        let indented = matches!(line.first(), Some(b' ' | b'\t'));
        !is_boundary(line) && (indented || (progress.lines > 2 && self.begins(line)))
    }

    fn events(&self, block: &str, _context: &Context) -> Vec<StateEvent> {
        let block = Block::new(block);
        let starts: Vec<usize> = block.lines().filter(|(_, l)| section(l).is_some()).map(|(i, _)| i).collect();
        let mut events = Vec::new();
        for (index, from) in starts.iter().enumerate() {
            let to = starts.get(index + 1).copied().unwrap_or(block.len());
            events.extend(storage(&block, *from, to).map(|event| block.event(event, *from, to)));
        }
        events
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

/// The head of a section: type and id.
fn section(line: &str) -> Option<(&str, &str)> {
    let (kind, id) = line.trim_end().split_once(": ")?;
    let word = id.starts_with(|c: char| c.is_ascii_alphabetic())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    (TYPES.binary_search(&kind).is_ok() && word).then_some((kind, id))
}

/// The event of a section, if it has properties.
fn storage(block: &Block, from: usize, to: usize) -> Option<Event<'static>> {
    let (kind, id) = section(block.line(from))?;
    let mut event = event("pve_storage_cfg", Service::PveConfig, format!("storage {id}"));
    attribute(&mut event, "storage", id);
    attribute(&mut event, "type", kind);
    entity(&mut event, "pve.storage", id);
    let properties: Vec<(&str, &str)> = (from + 1..to).filter_map(|i| property(block.line(i))).collect();
    let disabled = properties.iter().any(|(key, value)| *key == "disable" && *value != "0");
    attribute(&mut event, "disabled", if disabled { "1" } else { "0" });
    for (key, value) in properties.iter().filter(|(key, _)| *key != "disable") {
        attribute(&mut event, *key, value);
    }
    (!properties.is_empty()).then_some(event)
}

/// An indented `key value`; some keys have no value.
fn property(line: &str) -> Option<(&str, &str)> {
    let text = line.trim();
    (line.starts_with([' ', '\t']) && !text.is_empty()).then(|| text.split_once([' ', '\t']).unwrap_or((text, "")))
}

const SAMPLES: &[Sample] = &[Sample {
    text: "dir: local
\tpath /var/lib/vz
\tcontent iso,vztmpl,snippets

lvmthin: local-lvm
\tthinpool data
\tvgname pve
\tcontent images,rootdir
\tnodes pve1,pve2

nfs: old-nas
\tdisable
\texport /volume1
\tserver 192.0.2.40
\tcontent backup
",
    path: "etc/pve/storage.cfg",
    events: 3,
    has: &[
        (0, "#format", "pve_storage_cfg"),
        (0, "storage", "local"),
        (0, "type", "dir"),
        (0, "disabled", "0"),
        (1, "content", "images,rootdir"),
        (1, "nodes", "pve1,pve2"),
        (1, "@pve.storage", "local-lvm"),
        (2, "disabled", "1"),
    ],
}];
