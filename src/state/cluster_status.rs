//! The tree of `omnictl cluster status`, whole or in single lines, and the texts of Omni's UI about a teardown.

use super::block::{Block, attribute, entity, event};
use super::entity::is_uuid;
use super::{Context, Document, Progress, Sample, StateEvent};
use crate::event::{Event, Service};

/// Starts of tree lines: the words before a quoted name, the kind, and more about it.
const KINDS: &[(&str, &str, &str)] = &[
    ("Cluster \"", "cluster", ""),
    ("Control Plane \"", "machine_set", "control_plane"),
    ("Workers \"", "machine_set", "workers"),
    ("Additional Workers \"", "machine_set", "additional_workers"),
    ("Machine \"", "machine", ""),
];

/// Starts of tree lines about checks.
const CHECKS: &[&str] =
    &["Kubernetes Upgrade", "Talos Upgrade", "Load Balancer", "Status Checks", "Kubernetes Manifests"];

/// Words for stages and phases, as the tree writes them.
const STAGES: &[&str] = &[
    "UNKNOWN",
    "BOOTING",
    "INSTALLING",
    "CONFIGURING",
    "RUNNING",
    "DESTROYING",
    "UPGRADING",
    "REBOOTING",
    "SHUTTING_DOWN",
    "BEFORE_DESTROY",
    "POWERING_ON",
    "POWERED_OFF",
    "SCALING_UP",
    "SCALING_DOWN",
    "Unknown",
    "ScalingUp",
    "ScalingDown",
    "Running",
    "Destroying",
    "Failed",
    "Reconfiguring",
    "Upgrading",
];

/// Words that may follow a stage; the longer ones first.
const FLAGS: &[&str] =
    &["Pending Config Update", "Config Apply Failed", "Config Outdated", "Unreachable", "Not Ready", "Locked", "Ready"];

/// States of a machine request in the UI.
const UI_STATES: &[&str] = &[
    "Deprovisioning",
    "Provisioning",
    "Provisioned",
    "Pending",
    "Failed",
    "Running",
    "Destroying",
    "Scaling Down",
    "Scaling Up",
    "Unknown",
];

/// A tree of states.
pub(super) struct ClusterStatus;

impl Document for ClusterStatus {
    fn name(&self) -> &'static str {
        "cluster_status"
    }

    fn begins_with(&self, byte: u8) -> bool {
        matches!(byte, b'C' | b'W' | b'A' | b'M' | b'D' | b' ' | b'|' | b'`' | 0xE2)
    }

    fn begins(&self, line: &[u8]) -> bool {
        let text = bare(line);
        text.first().is_some_and(u8::is_ascii_uppercase)
            && (KINDS.iter().any(|(start, ..)| text.starts_with(start.as_bytes()))
                || text.starts_with(b"Destroying Cluster ")
                || text.starts_with(b"Destroying: "))
            && std::str::from_utf8(text).is_ok_and(|text| node(text).is_some() || ui_start(text).is_some())
    }

    fn start(&self, line: &[u8]) -> Progress {
        let ui = bare(line).starts_with(b"Destroying");
        Progress { shape: u8::from(ui), ..Progress::first() }
    }

    fn continues(&self, progress: &mut Progress, line: &[u8]) -> bool {
        let ui = progress.shape == 1;
        if let Some(more) = progress.blank(line, 1) {
            return more && ui;
        }
        let text = bare(line);
        let text = std::str::from_utf8(text).unwrap_or_default();
        if ui { is_ui_line(text) } else { node(text).is_some() || check(text).is_some() }
    }

    fn events(&self, block: &str, _context: &Context) -> Vec<StateEvent> {
        let block = Block::new(block);
        if bare(block.line(0).as_bytes()).starts_with(b"Destroying") { ui_events(&block) } else { tree_events(&block) }
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

/// A line without what draws the tree before it.
fn bare(line: &[u8]) -> &[u8] {
    let mut rest = line;
    loop {
        let drawn = match rest {
            [b' ' | b'\t' | b'|' | b'`' | b'-' | b'+' | b'\\', ..] => 1,
            // Box drawing characters, and the no-break blank that trees are indented with.
            [0xE2, 0x94 | 0x95, _, ..] => 3,
            [0xC2, 0xA0, ..] => 2,
            _ => break,
        };
        rest = rest.get(drawn..).unwrap_or_default();
    }
    rest.trim_ascii_end()
}

/// What a tree line says.
struct Line<'t> {
    kind: &'static str,
    role: &'static str,
    /// The quoted name: a machine's UUID.
    quoted: &'t str,
    /// The name in brackets behind it.
    alias: Option<&'t str>,
    stage: &'t str,
    flags: Vec<&'static str>,
    /// `4/5`.
    counts: Option<(&'t str, &'t str)>,
}

/// Reads a tree line about a cluster, a machine set or a machine.
fn node(text: &str) -> Option<Line<'_>> {
    let (start, kind, role) = KINDS.iter().find(|(start, ..)| text.starts_with(start))?;
    let (quoted, rest) = text.get(start.len()..)?.split_once('"')?;
    let (alias, rest) = match rest.strip_prefix('(') {
        Some(inner) => inner.split_once(')').map(|(alias, rest)| (Some(alias), rest))?,
        None => (None, rest),
    };
    let rest = rest.strip_prefix(' ')?;
    let (stage, mut rest) = rest.split_once(' ').unwrap_or((rest, ""));
    if !STAGES.contains(&stage) {
        return None;
    }
    let mut flags = Vec::new();
    while let Some(flag) = FLAGS.iter().find(|f| rest.starts_with(**f)) {
        flags.push(*flag);
        rest = rest.get(flag.len()..).unwrap_or_default().trim_start();
    }
    let counts = rest.strip_prefix('(').and_then(|r| r.split_once(')')).and_then(|(c, _)| c.split_once('/'));
    Some(Line { kind, role, quoted, alias, stage, flags, counts })
}

/// Reads a tree line about a check: its name and its state.
fn check(text: &str) -> Option<(&'static str, &str)> {
    let name = CHECKS.iter().find(|c| text.starts_with(**c))?;
    let state = text.get(name.len()..)?.strip_prefix(' ')?;
    Some((name, state.trim()))
}

/// The events of a tree; lines know the cluster and the machine set above them.
fn tree_events(block: &Block) -> Vec<StateEvent> {
    let (mut cluster, mut set) = (None, None);
    let mut events = Vec::new();
    for (index, line) in block.lines() {
        let text = std::str::from_utf8(bare(line.as_bytes())).unwrap_or_default();
        let mut found = match (node(text), check(text)) {
            (Some(line), _) => node_event(text, &line),
            (None, Some((name, state))) => check_event(text, name, state),
            (None, None) => continue,
        };
        let own = |key: &str| found.get("name").filter(|_| found.get("kind") == Some(key)).map(str::to_owned);
        (cluster, set) = (own("cluster").or(cluster), own("machine_set").or(set));
        for (name, value) in [("cluster", &cluster), ("machine_set", &set)] {
            if let Some(value) = value {
                attribute(&mut found, name, value);
                entity(&mut found, if name == "cluster" { "omni.cluster" } else { "omni.machine_set" }, value);
            }
        }
        events.push(block.event(found, index, index + 1));
    }
    events
}

/// The event of a cluster, machine set or machine.
fn node_event(text: &str, line: &Line) -> Event<'static> {
    let mut event = event("cluster_status", Service::Omnictl, text);
    attribute(&mut event, "kind", line.kind);
    if line.kind == "machine" {
        attribute(&mut event, "machine", line.quoted);
        if is_uuid(line.quoted) {
            entity(&mut event, "omni.machine", line.quoted);
        }
        entity(&mut event, "k8s.node", line.alias.unwrap_or_default());
        line.alias.into_iter().for_each(|name| attribute(&mut event, "name", name));
    } else {
        attribute(&mut event, "name", line.quoted);
    }
    attribute(&mut event, "stage", line.stage);
    if !line.role.is_empty() {
        attribute(&mut event, "role", line.role);
    }
    for flag in &line.flags {
        attribute(&mut event, "flags", flag);
    }
    if let Some((healthy, total)) = line.counts {
        attribute(&mut event, "healthy", healthy);
        attribute(&mut event, "total", total);
    }
    event
}

/// The event of a check: `Status Checks Failing: [Etcd]`.
fn check_event(text: &str, name: &str, state: &str) -> Event<'static> {
    let mut event = event("cluster_status", Service::Omnictl, text);
    let (stage, causes) = state.split_once(": ").unwrap_or((state, ""));
    attribute(&mut event, "kind", "check");
    attribute(&mut event, "name", name);
    attribute(&mut event, "stage", stage);
    for cause in causes.trim_matches(['[', ']']).split([',', ' ']).filter(|c| !c.is_empty()) {
        attribute(&mut event, "flags", cause);
    }
    event
}

/// What the first line of a teardown in the UI says: the name of a cluster, or how much is left of it.
enum Teardown<'t> {
    Cluster(&'t str),
    Left { sets: &'t str, machines: &'t str },
}

/// `Destroying Cluster demo`, `Destroying: 1 machine set, 0 machines`.
fn ui_start(text: &str) -> Option<Teardown<'_>> {
    if let Some(name) = text.strip_prefix("Destroying Cluster ") {
        let one = !name.is_empty() && !name.contains(char::is_whitespace);
        return one.then_some(Teardown::Cluster(name));
    }
    let (sets, machines) = text.strip_prefix("Destroying: ")?.split_once(", ")?;
    let sets = sets.strip_suffix(" machine sets").or_else(|| sets.strip_suffix(" machine set"))?;
    let machines = machines.strip_suffix(" machines").or_else(|| machines.strip_suffix(" machine"))?;
    let numbers = [sets, machines].iter().all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    numbers.then_some(Teardown::Left { sets, machines })
}

/// A line that can stand in the UI's list of machines.
fn is_ui_line(text: &str) -> bool {
    UI_STATES.contains(&text)
        || text.starts_with("Machine Class: ")
        || text.starts_with("Waiting for the ")
        || ui_start(text).is_some()
        || is_id(text)
}

/// One word that can be the id of a machine or a request.
fn is_id(text: &str) -> bool {
    (3..=100).contains(&text.len())
        && text.contains('-')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
}

/// The events of the UI's texts.
fn ui_events(block: &Block) -> Vec<StateEvent> {
    let mut events = Vec::new();
    let (mut cluster, mut subject) = (None, None);
    let mut lines = block.lines().map(|(i, l)| (i, l.trim())).peekable();
    while let Some((index, text)) = lines.next() {
        if is_id(text) {
            subject = Some((index, text));
            continue;
        }
        let found = match ui_start(text) {
            Some(start) => {
                if let Teardown::Cluster(name) = start {
                    cluster = Some(name.to_owned());
                }
                teardown_event(text, &start)
            }
            None if UI_STATES.contains(&text) => {
                let status = lines.next_if(|(_, next)| next.starts_with("Waiting for the ")).map(|(_, next)| next);
                request_event(text, status, subject.map(|(_, id)| id))
            }
            None => continue,
        };
        let from = subject.take().map_or(index, |(at, _)| at);
        let mut found = found;
        cluster.iter().for_each(|name| entity(&mut found, "omni.cluster", name));
        let to = lines.peek().map_or(block.len(), |(next, _)| *next);
        events.push(block.event(found, from, to));
    }
    events
}

/// The event of a teardown.
fn teardown_event(text: &str, start: &Teardown) -> Event<'static> {
    let mut event = event("cluster_status", Service::Omni, text);
    attribute(&mut event, "kind", "cluster");
    attribute(&mut event, "stage", "DESTROYING");
    match start {
        Teardown::Cluster(name) => attribute(&mut event, "name", name),
        Teardown::Left { sets, machines } => {
            attribute(&mut event, "machine_sets", sets);
            attribute(&mut event, "machines", machines);
        }
    }
    event
}

/// The event of a machine request in the UI.
fn request_event(state: &str, status: Option<&str>, id: Option<&str>) -> Event<'static> {
    let body = [id, Some(state), status].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let mut event = event("cluster_status", Service::Omni, body);
    attribute(&mut event, "kind", "machine");
    attribute(&mut event, "stage", state);
    status.into_iter().for_each(|s| attribute(&mut event, "status", s));
    if let Some(id) = id {
        let (key, name) = if is_uuid(id) { ("machine", "omni.machine") } else { ("name", "omni.machine_request") };
        attribute(&mut event, key, id);
        entity(&mut event, name, id);
    }
    event
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "Cluster \"demo\" SCALING_DOWN Not Ready (4/5) (healthy/total)
├── Kubernetes Upgrade Done
├── Control Plane \"demo-control-planes\" Running Ready (3/3)
│   ├── Load Balancer Ready
│   ├── Status Checks Failing: [Etcd]
│   └── Machine \"7f1c2d3e-0000-4000-8000-000000000003\"(demo-cp-x) RUNNING Ready
└── Workers \"demo-workers\" ScalingDown Not Ready (1/2)
    ├── Machine \"7f1c2d3e-0000-4000-8000-000000000001\"(demo-workers-a1b2c3) DESTROYING Unreachable
    └── Machine \"7f1c2d3e-0000-4000-8000-000000000002\"(demo-workers-b2c3d4) RUNNING Ready Locked Config Outdated Pending Config Update
",
        path: "",
        events: 9,
        has: &[
            (0, "#format", "cluster_status"),
            (0, "kind", "cluster"),
            (0, "name", "demo"),
            (0, "stage", "SCALING_DOWN"),
            (0, "flags", "Not Ready"),
            (0, "healthy", "4"),
            (0, "@omni.cluster", "demo"),
            (4, "kind", "check"),
            (4, "flags", "Etcd"),
            (6, "kind", "machine_set"),
            (6, "role", "workers"),
            (6, "stage", "ScalingDown"),
            (7, "machine", "7f1c2d3e-0000-4000-8000-000000000001"),
            (7, "name", "demo-workers-a1b2c3"),
            (7, "flags", "Unreachable"),
            (7, "@omni.machine_set", "demo-workers"),
            (7, "@omni.cluster", "demo"),
            (8, "flags", "Ready"),
            (8, "flags", "Locked"),
            (8, "flags", "Pending Config Update"),
        ],
    },
    Sample {
        text: "    └── Machine \"7f1c2d3e-0000-4000-8000-000000000001\" UNKNOWN Unreachable Config Outdated\n",
        path: "",
        events: 1,
        has: &[
            (0, "stage", "UNKNOWN"),
            (0, "flags", "Config Outdated"),
            (0, "@omni.machine", "7f1c2d3e-0000-4000-8000-000000000001"),
        ],
    },
    Sample {
        text: "Destroying Cluster demo
Destroying: 1 machine set, 0 machines

Machine Class: small (0 Machines)
demo-control-planes-qpq69k
Deprovisioning
Waiting for the infra provider to finish teardown
demo-workers-x1y2z3
Failed
",
        path: "",
        events: 4,
        has: &[
            (0, "name", "demo"),
            (1, "machine_sets", "1"),
            (1, "machines", "0"),
            (1, "stage", "DESTROYING"),
            (2, "name", "demo-control-planes-qpq69k"),
            (2, "stage", "Deprovisioning"),
            (2, "status", "Waiting for the infra provider to finish teardown"),
            (2, "@omni.machine_request", "demo-control-planes-qpq69k"),
            (2, "@omni.cluster", "demo"),
            (3, "stage", "Failed"),
        ],
    },
];
