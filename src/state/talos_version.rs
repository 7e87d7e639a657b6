//! Versions of Talos: `talosctl version`, the `summary` of support bundles, and `Talos version: 1.2.3` in notes.

use super::block::{Block, attribute, event};
use super::entity::node;
use super::{Context, Document, Progress, Sample, StateEvent};
use crate::event::Service;

/// Lines of notes, and the attribute for each.
const NOTES: &[(&str, &str)] = &[
    ("Talos version: ", "server"),
    ("Kubernetes version: ", "kubernetes"),
    ("Omni version: ", "omni"),
    ("Proxmox version: ", "pve"),
    ("Proxmox VE version: ", "pve"),
    ("PVE version: ", "pve"),
    ("Provider version: ", "provider"),
];

/// `Client:` and `Server:` blocks, or notes.
pub(super) struct TalosVersion;

impl Document for TalosVersion {
    fn name(&self) -> &'static str {
        "talos_version"
    }

    fn begins_with(&self, byte: u8) -> bool {
        matches!(byte, b'C' | b'S' | b'T' | b'K' | b'O' | b'P' | b'-' | b'*')
    }

    fn begins(&self, line: &[u8]) -> bool {
        matches!(line.trim_ascii_end(), b"Client:" | b"Server:") || is_note(line)
    }

    fn start(&self, line: &[u8]) -> Progress {
        Progress { shape: u8::from(is_note(line)), ..Progress::first() }
    }

    fn continues(&self, progress: &mut Progress, line: &[u8]) -> bool {
        if progress.shape == 1 {
            return is_note(line);
        }
        let inner = line.trim_ascii();
        match line.first() {
            Some(b' ' | b'\t') => inner.contains(&b':') && inner.len() < 200 || inner.starts_with(b"Talos v"),
            _ => inner == b"Server:",
        }
    }

    fn events(&self, block: &str, context: &Context) -> Vec<StateEvent> {
        let block = Block::new(block);
        if is_note(block.line(0).as_bytes()) { notes(&block) } else { versions(&block, context) }
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

/// A line of notes with a version.
fn is_note(line: &[u8]) -> bool {
    let line = line.strip_prefix(b"- ").or_else(|| line.strip_prefix(b"* ")).unwrap_or(line);
    line.len() < 80 && NOTES.iter().any(|(start, _)| line.strip_prefix(start.as_bytes()).is_some_and(is_version))
}

/// `1.2.3` or `v1.2.3`, alone.
fn is_version(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let digits = text.strip_prefix(b"v").unwrap_or(text);
    digits.first().is_some_and(u8::is_ascii_digit) && !digits.contains(&b' ') && digits.contains(&b'.')
}

/// One event for all notes.
fn notes(block: &Block) -> Vec<StateEvent> {
    let mut event = event("talos_version", Service::State, block.slice(0, block.len()).trim_end());
    for (_, line) in block.lines() {
        for (start, name) in NOTES {
            if let Some(version) = line.trim_start_matches(['-', '*', ' ']).strip_prefix(start) {
                attribute(&mut event, *name, version.trim());
            }
        }
    }
    vec![block.event(event, 0, block.len())]
}

/// A version and where it stands.
struct Found<'t> {
    server: bool,
    node: Option<&'t str>,
    tag: &'t str,
    line: usize,
}

/// The versions in `Client:` and `Server:` blocks.
fn read<'t>(block: &Block<'t>) -> Vec<Found<'t>> {
    let (mut server, mut node) = (false, None);
    let mut found = Vec::new();
    for (line, text) in block.lines() {
        let text = text.trim();
        let (key, value) = text.split_once(':').map_or((text, ""), |(k, v)| (k, v.trim()));
        let tag = match key {
            "Client" => None,
            "Server" => {
                server = true;
                None
            }
            "NODE" => {
                node = Some(value);
                None
            }
            "Tag" => Some(value),
            _ => text.strip_prefix("Talos "),
        };
        if let Some(tag) = tag.filter(|t| !t.is_empty()) {
            found.push(Found { server, node: node.filter(|_| server), tag, line });
        }
    }
    found
}

/// An event for each server, or one for the client alone.
fn versions(block: &Block, context: &Context) -> Vec<StateEvent> {
    let found = read(block);
    let client = found.iter().find(|f| !f.server);
    let servers: Vec<&Found> = found.iter().filter(|f| f.server).collect();
    let told = if servers.is_empty() { client.into_iter().collect() } else { servers };
    told.into_iter()
        .map(|version| block.event(version_event(version, client, context), version.line, version.line + 1))
        .collect()
}

/// The event of a version, with the client's.
fn version_event(version: &Found, client: Option<&Found>, context: &Context) -> crate::event::Event<'static> {
    let side = if version.server { "server" } else { "client" };
    let mut event = event("talos_version", Service::Talosctl, format!("Talos {side} {}", version.tag));
    if let Some(client) = client {
        attribute(&mut event, "client", client.tag);
    }
    if version.server {
        attribute(&mut event, "server", version.tag);
        if let Some(name) = version.node.or(context.node) {
            attribute(&mut event, "node", name);
            node(&mut event, name);
        }
    }
    event
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "Client:
\tTag:         v1.10.3
\tSHA:         ebb98fd6
\tBuilt:
\tGo version:  go1.25.6
\tOS/Arch:     linux/amd64
Server:
\tNODE:        192.0.2.11
\tTag:         v1.12.8
\tSHA:         503d0608
\tEnabled:     RBAC
\tNODE:        192.0.2.12
\tTag:         v1.11.5
",
        path: "",
        events: 2,
        has: &[
            (0, "#format", "talos_version"),
            (0, "client", "v1.10.3"),
            (0, "server", "v1.12.8"),
            (0, "@talos.node", "192.0.2.11"),
            (1, "server", "v1.11.5"),
            (1, "node", "192.0.2.12"),
        ],
    },
    Sample {
        text: "Talos version: 1.4.0\nKubernetes version: 1.26.1\n",
        path: "",
        events: 1,
        has: &[(0, "server", "1.4.0"), (0, "kubernetes", "1.26.1")],
    },
];
