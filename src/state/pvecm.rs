//! `pvecm status` (and `corosync-quorumtool`): whether a Proxmox cluster has quorum, and with how many votes.

use super::block::{Block, attribute, entity, event};
use super::{Context, Document, Progress, Sample, StateEvent};
use crate::event::Service;

/// Headings of its parts; older releases begin with the second.
const HEADINGS: &[&[u8]] =
    &[b"Cluster information", b"Quorum information", b"Votequorum information", b"Membership information"];

/// Parts with a heading, of `key:  value` and a list of members.
pub(super) struct PveCm;

impl Document for PveCm {
    fn name(&self) -> &'static str {
        "pvecm"
    }

    fn begins_with(&self, byte: u8) -> bool {
        matches!(byte, b'C' | b'Q')
    }

    fn begins(&self, line: &[u8]) -> bool {
        HEADINGS.get(..2).is_some_and(|first| first.contains(&line.trim_ascii_end()))
    }

    fn continues(&self, progress: &mut Progress, line: &[u8]) -> bool {
        if let Some(more) = progress.blank(line, 1) {
            return more;
        }
        let text = line.trim_ascii();
        if progress.lines == 2 {
            return text.iter().all(|b| *b == b'-');
        }
        let is_member = text.starts_with(b"0x") || text.starts_with(b"Nodeid ");
        let is_flags = text == b"Flags:" || text.iter().all(|b| *b == b'-');
        is_member || is_flags || is_pair(line) || HEADINGS.contains(&text)
    }

    fn events(&self, block: &str, context: &Context) -> Vec<StateEvent> {
        let block = Block::new(block);
        let pairs = block.lines().filter_map(|(_, line)| line.split_once(':'));
        let pairs: Vec<(&str, &str)> = pairs.map(|(key, value)| (key.trim(), value.trim())).collect();
        if !pairs.iter().any(|(key, _)| *key == "Quorate") {
            return Vec::new();
        }
        // The whole text is the body: signatures look for what stands in it.
        let mut event = event("table", Service::PveConfig, block.slice(0, block.len()).trim_end());
        attribute(&mut event, "table", "pvecm-status");
        for (key, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
            attribute(&mut event, key.to_ascii_lowercase().replace(' ', "_"), value);
        }
        let members = block.lines().filter(|(_, line)| line.trim_start().starts_with("0x")).count();
        attribute(&mut event, "members", &members.to_string());
        context.pve_node.into_iter().for_each(|node| entity(&mut event, "pve.node", node));
        vec![block.event(event, 0, block.len())]
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

/// Where values stand.
const COLUMN: usize = 18;

/// Whether a line is a key and a value in its column.
fn is_pair(line: &[u8]) -> bool {
    let Some((key, value)) = line.split_at_checked(COLUMN) else { return false };
    let key = key.trim_ascii_end().strip_suffix(b":");
    value.first().is_some_and(|b| *b != b' ')
        && value.len() < 100
        && key.is_some_and(|key| key.iter().all(|b| b.is_ascii_alphabetic() || *b == b' '))
}

const SAMPLES: &[Sample] = &[Sample {
    text: "Quorum information
------------------
Date:             Wed Sep 16 10:00:00 2026
Quorum provider:  corosync_votequorum
Nodes:            1
Quorate:          No

Votequorum information
----------------------
Expected votes:   3
Total votes:      1
Quorum:           2 Activity blocked
Flags:            

Membership information
----------------------
    Nodeid      Votes Name
0x00000001          1 198.51.100.1 (local)
",
    path: "nodes/pve1/pvecm.txt",
    events: 1,
    has: &[
        (0, "#format", "table"),
        (0, "table", "pvecm-status"),
        (0, "quorate", "No"),
        (0, "expected_votes", "3"),
        (0, "total_votes", "1"),
        (0, "quorum", "2 Activity blocked"),
        (0, "members", "1"),
        (0, "#service", "pve-config"),
    ],
}];
