//! `ha-manager status`: the quorum, the master, the resource managers of nodes, and the services with their states.

use super::block::{Block, attribute, entity, event, is_vmid};
use super::{Context, Document, Progress, Sample, StateEvent};
use crate::event::{Event, Service};

/// Lines `master NODE (...)`, `lrm NODE (...)`, `service ID (NODE, STATE)` behind one about the quorum.
pub(super) struct HaManager;

impl Document for HaManager {
    fn name(&self) -> &'static str {
        "ha_manager"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b'q'
    }

    fn begins(&self, line: &[u8]) -> bool {
        line.trim_ascii_end() == b"quorum OK" || line.starts_with(b"quorum No quorum")
    }

    fn continues(&self, _progress: &mut Progress, line: &[u8]) -> bool {
        let is_row = [&b"master "[..], b"lrm ", b"service ", b"fencing ", b"crs "].iter().any(|w| line.starts_with(w));
        is_row && line.len() < 300
    }

    fn events(&self, block: &str, context: &Context) -> Vec<StateEvent> {
        let block = Block::new(block);
        block.lines().map(|(index, line)| block.event(row(line, context), index, index + 1)).collect()
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

/// The event of a line.
fn row(line: &str, context: &Context) -> Event<'static> {
    let mut event = event("table", Service::PveConfig, line);
    attribute(&mut event, "table", "ha-manager-status");
    let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (name, brackets) = rest.split_once(" (").unwrap_or((rest, ""));
    let mut inside = brackets.trim_end_matches(')').split(", ");
    attribute(&mut event, "kind", kind);
    attribute(&mut event, "name", name);
    match kind {
        "service" => {
            let node = inside.next().unwrap_or_default();
            attribute(&mut event, "node", node);
            entity(&mut event, "pve.node", node);
            let vmid = name.split_once(':').map_or("", |(_, id)| id);
            entity(&mut event, "pve.vmid", if is_vmid(vmid) { vmid } else { "" });
        }
        "lrm" | "master" => entity(&mut event, "pve.node", name),
        _ => context.pve_node.into_iter().for_each(|node| entity(&mut event, "pve.node", node)),
    }
    if let Some(state) = inside.next() {
        attribute(&mut event, "state", state);
    }
    event
}

const SAMPLES: &[Sample] = &[Sample {
    text: "quorum OK
master pve2 (active, Wed Sep 16 09:55:12 2026)
lrm pve1 (old timestamp - dead?, Wed Sep 16 09:12:04 2026)
service vm:104 (pve1, error)
",
    path: "",
    events: 4,
    has: &[
        (0, "table", "ha-manager-status"),
        (0, "kind", "quorum"),
        (0, "name", "OK"),
        (1, "state", "active"),
        (1, "@pve.node", "pve2"),
        (2, "state", "old timestamp - dead?"),
        (3, "kind", "service"),
        (3, "state", "error"),
        (3, "@pve.vmid", "104"),
        (3, "@pve.node", "pve1"),
    ],
}];
