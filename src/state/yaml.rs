//! Blocks of YAML: where they begin and end, and the documents in them.

use std::collections::HashSet;

use super::block::{Block, MAX_EVENTS, is_boundary, pair_bytes};
use super::{Context, Document, Progress, Sample, StateEvent, kind};

/// Nothing is known about the document yet.
const ANY: u8 = 0;
/// A COSI resource: few keys stand at its outer level.
const RESOURCE: u8 = 1;
/// A document with other keys at its outer level.
const OPEN: u8 = 2;
/// A resource whose `node:` or `event:` line was first.
const PREFIXED: u8 = 3;

/// A stream of YAML documents.
pub(super) struct Yaml;

impl Document for Yaml {
    fn name(&self) -> &'static str {
        "yaml"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte.is_ascii_lowercase() || matches!(byte, b'-' | b' ')
    }

    fn begins(&self, line: &[u8]) -> bool {
        let line = line.trim_ascii_end();
        match line.first() {
            Some(b'-') => line == b"---" || line.strip_prefix(b"- ").is_some_and(is_item_start),
            Some(b' ') => indent(line) <= 24 && is_resource_start(line.trim_ascii_start()),
            Some(_) => is_start(line),
            None => false,
        }
    }

    fn start(&self, line: &[u8]) -> Progress {
        let indent = indent(line);
        let mut progress = Progress { indent, ..Progress::first() };
        if let Some((key, value)) = pair_bytes(line.get(indent..).unwrap_or_default()) {
            progress.shape = shape(ANY, key, value);
            progress.depth = i32::from(value.is_empty());
        }
        progress
    }

    fn continues(&self, progress: &mut Progress, line: &[u8]) -> bool {
        if let Some(more) = progress.blank(line, 2) {
            return more;
        }
        if indent(line) < progress.indent || is_boundary(line) {
            return false;
        }
        let line = line.get(progress.indent..).unwrap_or_default().trim_ascii_end();
        match line.first() {
            Some(b' ' | b'\t') => true,
            Some(b'-') if line == b"---" => {
                progress.shape = ANY;
                true
            }
            Some(b'-') => line == b"-" || line.starts_with(b"- "),
            Some(b'.') => line == b"...",
            Some(b'#') => !line.starts_with(b"# cat /"),
            Some(b'}' | b']') => progress.lines > 2,
            Some(_) => continues_with_pair(progress, line),
            None => true,
        }
    }

    fn events(&self, block: &str, context: &Context) -> Vec<StateEvent> {
        let mut events = Vec::new();
        self.each(block, context, &mut |event| events.push(event));
        events
    }

    fn each(&self, block: &str, context: &Context, take: &mut dyn FnMut(StateEvent)) {
        let block = Block::new(block);
        let indent = indent(block.line(0).as_bytes());
        let mut left = MAX_EVENTS;
        for (from, to) in documents(&block, indent) {
            let text = dedented(&block, from, to, indent);
            kind::each(&block, &text, (from, to), context, &mut |event| {
                if left > 0 {
                    left -= 1;
                    take(event);
                }
            });
        }
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

/// Blanks at the start of a line.
fn indent(line: &[u8]) -> usize {
    line.iter().take_while(|b| **b == b' ').count()
}

/// The first line of a list item that is a resource or an object.
fn is_item_start(line: &[u8]) -> bool {
    line == b"metadata:" || line.strip_prefix(b"apiVersion: ").is_some_and(is_version)
}

/// A first line that may be indented.
fn is_resource_start(line: &[u8]) -> bool {
    line == b"metadata:" || line == b"- metadata:" || line.strip_prefix(b"apiVersion: ").is_some_and(is_version)
}

/// A first line at the left margin.
fn is_start(line: &[u8]) -> bool {
    let Some((key, value)) = pair_bytes(line) else { return false };
    if !key.first().is_some_and(u8::is_ascii_lowercase) {
        return false;
    }
    match (key, value) {
        (_, b"") => key.len() <= 40,
        (b"apiVersion", _) => is_version(value),
        (b"kind", _) => value.first().is_some_and(u8::is_ascii_uppercase) && is_word(value),
        (b"version", _) => value == b"v1alpha1" || value.starts_with(b"\"") || value.starts_with(b"'"),
        (b"debug" | b"persist", _) => matches!(value, b"true" | b"false"),
        (b"event", _) => matches!(value, b"created" | b"updated" | b"destroyed" | b"bootstrapped"),
        (b"node", _) => is_word(value),
        (b"metadata", _) => value.starts_with(b"{"),
        _ => false,
    }
}

/// `v1`, `v1alpha1`, `apps/v1`.
fn is_version(value: &[u8]) -> bool {
    is_word(value)
        && memchr::memmem::find(value, b"v")
            .is_some_and(|at| at == 0 || value.get(at - 1) == Some(&b'/') || value.contains(&b'/'))
}

/// One word that can be a name, an address or a version.
fn is_word(value: &[u8]) -> bool {
    value.len() <= 80
        && value.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'/' | b':'))
}

/// What a key of the outer level tells about its document.
fn shape(have: u8, key: &[u8], value: &[u8]) -> u8 {
    match (have, key) {
        (ANY, b"node" | b"event") if !value.is_empty() => PREFIXED,
        (ANY | PREFIXED, b"metadata" | b"spec" | b"node" | b"event") => RESOURCE,
        (ANY, _) => OPEN,
        (have, _) => have,
    }
}

/// Whether a line at the margin, `key: value`, belongs to the block.
fn continues_with_pair(progress: &mut Progress, line: &[u8]) -> bool {
    let Some((key, value)) = pair_bytes(line) else {
        return matches!(line.first(), Some(b'"' | b'\'')) && progress.shape == OPEN;
    };
    // A lone `word:` and no deeper line below it is a heading in prose.
    let heading = progress.lines == 2 && progress.depth == 1 && progress.shape == OPEN;
    let word = key.first().is_some_and(u8::is_ascii_lowercase) || (progress.shape == OPEN && progress.lines > 4);
    if heading || !word || !is_value(value) {
        return false;
    }
    let known = matches!(key, b"metadata" | b"spec" | b"node" | b"event");
    progress.shape = match (progress.shape, known) {
        (RESOURCE | PREFIXED, false) => return false,
        (have, _) => shape(have, key, value),
    };
    true
}

/// Whether a value can be YAML: a plain one has no `: ` in it.
fn is_value(value: &[u8]) -> bool {
    matches!(value.first(), None | Some(b'"' | b'\'' | b'{' | b'[' | b'|' | b'>' | b'&' | b'!'))
        || memchr::memmem::find(value, b": ").is_none()
}

/// The documents of a block as ranges of lines: parted by `---`, or by a key of the outer level that comes again.
fn documents(block: &Block, indent: usize) -> Vec<(usize, usize)> {
    let mut ranges = Vec::new();
    let (mut from, mut seen) = (0, HashSet::new());
    for (index, line) in block.lines() {
        let line = line.get(indent..).unwrap_or_default();
        let separator = line.trim_end() == "---";
        let key = line.split_once(':').map_or("", |(key, _)| key);
        let again = !key.is_empty() && !key.starts_with([' ', '-', '#', '\t']) && seen.contains(key);
        if separator || again {
            ranges.push((from, index));
            from = index + usize::from(separator);
            seen.clear();
        }
        if !separator && !key.is_empty() && !key.starts_with([' ', '-', '#']) {
            seen.insert(key);
        }
    }
    ranges.push((from, block.len()));
    ranges.truncate(MAX_EVENTS);
    ranges.retain(|(from, to)| (*from..*to).any(|i| !block.line(i).trim().is_empty()));
    ranges
}

/// The text of some lines without the indentation of the whole block.
fn dedented<'t>(block: &Block<'t>, from: usize, to: usize, indent: usize) -> std::borrow::Cow<'t, str> {
    let whole = block.slice(from, to);
    if indent == 0 && memchr::memmem::find(whole.as_bytes(), b"\n\t").is_none() {
        return whole.into();
    }
    let lines: Vec<_> = (from..to).map(|i| spaced(block.line(i).get(indent..).unwrap_or_default())).collect();
    lines.join("\n").into()
}

/// A line that is indented with tabs, as no YAML may be, indented with blanks: editors and chats put them there.
fn spaced(line: &str) -> std::borrow::Cow<'_, str> {
    let text = line.trim_start_matches('\t');
    if text.len() == line.len() { line.into() } else { ("  ".repeat(line.len() - text.len()) + text).into() }
}

const SAMPLES: &[Sample] = &[
    // Indented with tabs.
    Sample {
        text: "services:
\tprovider:
\t\timage: registry.example.com/omni-infra-provider-proxmox:v0.1.0
\t\trestart: unless-stopped
",
        path: "compose.yaml",
        events: 1,
        has: &[
            (0, "#format", "yaml_document"),
            (0, "services.provider.image", "registry.example.com/omni-infra-provider-proxmox:v0.1.0"),
        ],
    },
    Sample {
        text: "services:
  provider:
    image: registry.example.com/omni-infra-provider-proxmox:v0.1.0
    command:
      - --id=proxmox
    environment:
      OMNI_SERVICE_ACCOUNT_KEY: eyJhbGciOi
    restart: unless-stopped
",
        path: "compose.yaml",
        events: 1,
        has: &[
            (0, "#format", "yaml_document"),
            (0, "services.provider.command", "--id=proxmox"),
            (0, "services.provider.environment.OMNI_SERVICE_ACCOUNT_KEY", "***"),
        ],
    },
    Sample {
        // Indented as a whole; separators lost.
        text: "    metadata:
        namespace: default
        type: Machines.omni.sidero.dev
        id: m-1
        phase: running
    spec:
        connected: true
    metadata:
        namespace: default
        type: Machines.omni.sidero.dev
        id: m-2
        phase: running
    spec:
        connected: false
",
        path: "",
        events: 2,
        has: &[(0, "resource.id", "m-1"), (1, "spec.connected", "false")],
    },
];
