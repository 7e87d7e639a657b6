//! `kubectl describe` of nodes, pods and other objects. The event of the object has the attributes that it has in
//! `kubectl get -o yaml`; each row below `Events:` is a row of the table that `kubectl get events` prints.

use super::block::{Block, attribute, cut, entity, event, fields, is_boundary};
use super::entity::is_uuid;
use super::{Context, Document, Progress, Sample, StateEvent};
use crate::event::{Event, RawTime, Service, Severity, time};

/// Bytes of the description that literals are looked for in.
const BODY: usize = 16 << 10;

/// What tells which kind of object it is: keys that all stand there.
const KINDS: &[(&str, &[&str])] = &[
    ("Node", &["Roles", "Conditions"]),
    ("Pod", &["Namespace", "Node", "Containers"]),
    ("PersistentVolumeClaim", &["Namespace", "StorageClass", "Status"]),
];

/// Keys of a description and the paths of their values, for any place in it.
const PATHS: &[(&str, &str)] = &[
    ("Namespace", "metadata.namespace"),
    ("Unschedulable", "spec.unschedulable"),
    ("System UUID", "status.nodeInfo.systemUUID"),
    ("OS Image", "status.nodeInfo.osImage"),
    ("Kernel Version", "status.nodeInfo.kernelVersion"),
    ("Kubelet Version", "status.nodeInfo.kubeletVersion"),
    ("Container Runtime Version", "status.nodeInfo.containerRuntimeVersion"),
    ("Status", "status.phase"),
    ("Image", "spec.containers.image"),
    ("Restart Count", "status.containerStatuses.restartCount"),
    ("StorageClass", "spec.storageClassName"),
    ("Volume", "spec.volumeName"),
];

/// `Name:   value` and what follows.
pub(super) struct Describe;

impl Document for Describe {
    fn name(&self) -> &'static str {
        "kubectl_describe"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b'N'
    }

    fn begins(&self, line: &[u8]) -> bool {
        let Some(value) = line.strip_prefix(b"Name:  ") else { return false };
        let name = value.trim_ascii();
        !name.is_empty() && name.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.:".contains(b))
    }

    fn continues(&self, progress: &mut Progress, line: &[u8]) -> bool {
        if let Some(more) = progress.blank(line, 0) {
            return more;
        }
        if is_boundary(line) || self.begins(line) {
            return false;
        }
        let indented = line.first().is_some_and(|b| matches!(b, b' ' | b'\t'));
        indented || std::str::from_utf8(line).is_ok_and(|line| pair(line).is_some())
    }

    fn events(&self, block: &str, context: &Context) -> Vec<StateEvent> {
        let block = Block::new(block);
        let all: Vec<(usize, &str)> = block.lines().collect();
        let behind = all.iter().position(|(_, line)| line.starts_with("Events:")).unwrap_or(all.len());
        let (lines, rows) = all.split_at(behind);
        let keys: Vec<&str> = lines.iter().filter_map(|(_, line)| Some(pair(line)?.0)).collect();
        let name = lines.first().and_then(|(_, line)| Some(pair(line)?.1)).unwrap_or_default();
        let Some((kind, _)) = KINDS.iter().find(|(_, needed)| needed.iter().all(|key| keys.contains(key))) else {
            return Vec::new();
        };
        let body = cut(block.slice(0, behind), BODY);
        let mut object = event("k8s_object", Service::State, format!("{kind} {name}\n{body}"));
        attribute(&mut object, "kind", kind);
        attribute(&mut object, "metadata.name", name);
        add_lines(&mut object, lines);
        add_entities(&mut object, kind, name);
        let mut events = vec![block.event(object, 0, behind)];
        for (index, row) in rows.iter().skip(1) {
            if let Some(told) = row_event(row, kind, name, context) {
                events.push(block.event(told, *index, index + 1));
            }
        }
        events
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

/// A line at the margin: its key in words with capitals, and the value in a column behind it.
fn pair(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(':')?;
    let is_key = key.len() <= 40
        && key.starts_with(|c: char| c.is_ascii_uppercase())
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b" -/()".contains(&b));
    (is_key && (value.is_empty() || value.starts_with("  "))).then(|| (key, value.trim()))
}

/// What the lines tell: values by their keys, tables of conditions, lists of taints, states of containers.
fn add_lines(event: &mut Event<'static>, lines: &[(usize, &str)]) {
    let (mut section, mut state) = ("", String::new());
    for (_, line) in lines {
        let text = line.trim();
        if let Some((key, _)) = pair(line) {
            section = key;
        }
        let (key, value) = text.split_once(':').map_or((text, ""), |(key, value)| (key, value.trim()));
        match (section, key) {
            ("Conditions", _) if line.starts_with(' ') => add_condition(event, text),
            ("Taints", _) => {
                let taint = if key == "Taints" { value } else { text };
                attribute(event, "spec.taints", if taint == "<none>" { "" } else { taint });
            }
            ("Addresses", "InternalIP") => entity(event, "node.address", value),
            ("Node", "Node") if value != "<none>" => {
                let (node, address) = value.split_once('/').unwrap_or((value, ""));
                attribute(event, "spec.nodeName", node);
                entity(event, "k8s.node", node);
                entity(event, "node.address", address);
            }
            (_, "State") => state = format!("state.{}", value.to_ascii_lowercase()),
            (_, "Last State") => state = format!("lastState.{}", value.to_ascii_lowercase()),
            (_, "Reason" | "Message" | "Exit Code") if !state.is_empty() => {
                let name = match key {
                    "Reason" => "reason",
                    "Message" => "message",
                    _ => "exitCode",
                };
                attribute(event, format!("status.containerStatuses.{state}.{name}"), value);
            }
            _ => {}
        }
        if let Some((_, path)) = PATHS.iter().find(|(have, _)| *have == key).filter(|_| !value.is_empty()) {
            attribute(event, *path, value);
        }
    }
}

/// A row of the conditions: of a node with times, reason and message; of a pod without.
fn add_condition(event: &mut Event<'static>, row: &str) {
    let cells: Vec<&str> = fields(row).into_iter().map(|(_, cell)| cell).collect();
    let [name, status, rest @ ..] = cells.as_slice() else { return };
    if *name == "Type" || name.starts_with('-') {
        return;
    }
    attribute(event, format!("condition.{name}"), status);
    let [_, changed, reason, message] = rest else { return };
    attribute(event, format!("condition.{name}.reason"), reason);
    attribute(event, format!("condition.{name}.message"), message);
    attribute(event, format!("condition.{name}.lastTransitionTime"), changed);
    if let RawTime::Utc(at) = moment(changed) {
        let last = if let RawTime::Utc(have) = event.time { have.max(at) } else { at };
        event.time = RawTime::Utc(last);
    }
}

/// `Mon, 15 Sep 2026 08:00:00 +0000`.
fn moment(text: &str) -> RawTime {
    let Ok(stamp) = chrono::DateTime::parse_from_rfc2822(text) else { return RawTime::None };
    RawTime::Utc(stamp.timestamp().saturating_mul(time::SECOND))
}

fn add_entities(event: &mut Event<'static>, kind: &str, name: &str) {
    if kind == "Node" {
        entity(event, "k8s.node", name);
        let uuid = event.get("status.nodeInfo.systemUUID").filter(|uuid| is_uuid(uuid)).map(str::to_ascii_lowercase);
        uuid.into_iter().for_each(|uuid| entity(event, "omni.machine", &uuid));
    }
}

/// A row below `Events:`, as `kubectl get events` would print it.
fn row_event(row: &str, kind: &str, name: &str, context: &Context) -> Option<Event<'static>> {
    let cells = fields(row);
    let [(_, severity), (_, reason), (_, age), rest @ ..] = cells.as_slice() else { return None };
    if !matches!(*severity, "Normal" | "Warning") {
        return None;
    }
    // Of an event without a source the message comes at once.
    let (from, (column, _)) = match rest {
        [(_, from), message, ..] => (*from, *message),
        [message] => ("", *message),
        [] => return None,
    };
    let message: String = row.chars().skip(column).collect();
    let object = format!("{}/{name}", kind.to_ascii_lowercase());
    let mut event = event("table", Service::Kubernetes, row.trim());
    let told = [
        ("table", "kubectl-events"),
        ("last_seen", age),
        ("type", severity),
        ("reason", reason),
        ("object", &object),
        ("from", from),
        ("message", message.trim()),
    ];
    told.iter().for_each(|(key, value)| attribute(&mut event, *key, value));
    event.severity = Severity::from_word(severity.as_bytes());
    if kind == "Node" {
        entity(&mut event, "k8s.node", name);
    }
    event.node = context.node.map(|node| node.to_owned().into());
    Some(event)
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "Name:               worker-1
Roles:              <none>
Labels:             kubernetes.io/hostname=worker-1
                    omni.sidero.dev/machine=7f1c2d3e-0000-4000-8000-000000000001
Annotations:        <none>
CreationTimestamp:  Tue, 01 Sep 2026 06:00:00 +0000
Taints:             node.kubernetes.io/unreachable:NoExecute
                    node.kubernetes.io/unreachable:NoSchedule
Unschedulable:      false
Lease:
  HolderIdentity:  worker-1
Conditions:
  Type             Status    LastHeartbeatTime                 LastTransitionTime                Reason                       Message
  ----             ------    -----------------                 ------------------                ------                       -------
  MemoryPressure   True      Tue, 15 Sep 2026 07:59:50 +0000   Tue, 15 Sep 2026 07:40:00 +0000   KubeletHasInsufficientMemory   kubelet has insufficient memory available
  Ready            Unknown   Tue, 15 Sep 2026 07:59:50 +0000   Tue, 15 Sep 2026 08:00:40 +0000   NodeStatusUnknown            Kubelet stopped posting node status.
Addresses:
  InternalIP:  192.0.2.21
  Hostname:    worker-1
System Info:
  System UUID:                7F1C2D3E-0000-4000-8000-000000000001
  OS Image:                   Talos (v1.12.4)
  Kubelet Version:            v1.34.1
Events:
  Type     Reason        Age                From             Message
  ----     ------        ----               ----             -------
  Warning  SystemOOM     20m (x3 over 1h)   kubelet          System OOM encountered, victim process: java, pid: 4411
  Normal   NodeNotReady  2m40s              node-controller  Node worker-1 status is now: NodeNotReady
",
        path: "",
        events: 3,
        has: &[
            (0, "#format", "k8s_object"),
            (0, "kind", "Node"),
            (0, "metadata.name", "worker-1"),
            (0, "spec.taints", "node.kubernetes.io/unreachable:NoSchedule"),
            (0, "spec.unschedulable", "false"),
            (0, "condition.MemoryPressure", "True"),
            (0, "condition.Ready", "Unknown"),
            (0, "condition.Ready.reason", "NodeStatusUnknown"),
            (0, "condition.Ready.message", "Kubelet stopped posting node status."),
            (0, "status.nodeInfo.osImage", "Talos (v1.12.4)"),
            (0, "@k8s.node", "worker-1"),
            (0, "@node.address", "192.0.2.21"),
            (0, "@omni.machine", "7f1c2d3e-0000-4000-8000-000000000001"),
            (1, "table", "kubectl-events"),
            (1, "reason", "SystemOOM"),
            (1, "last_seen", "20m (x3 over 1h)"),
            (1, "message", "System OOM encountered, victim process: java, pid: 4411"),
            (1, "object", "node/worker-1"),
            (2, "from", "node-controller"),
        ],
    },
    Sample {
        text: "Name:             web-0
Namespace:        shop
Priority:         0
Node:             worker-1/192.0.2.21
Start Time:       Tue, 15 Sep 2026 07:50:00 +0000
Labels:           app=web
Status:           Pending
IP:
Containers:
  web:
    Container ID:
    Image:          registry.example.com/shop/web:v2.0.1
    State:          Waiting
      Reason:       ImagePullBackOff
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
    Ready:          False
    Restart Count:  3
Conditions:
  Type              Status
  Initialized       True
  Ready             False
Volumes:            <none>
QoS Class:          BestEffort
Events:
  Type     Reason   Age  From     Message
  ----     ------   ---  ----     -------
  Warning  Failed   11s  kubelet  Failed to pull image \"registry.example.com/shop/web:v2.0.1\": not found
",
        path: "",
        events: 2,
        has: &[
            (0, "kind", "Pod"),
            (0, "metadata.namespace", "shop"),
            (0, "spec.nodeName", "worker-1"),
            (0, "status.phase", "Pending"),
            (0, "condition.Ready", "False"),
            (0, "spec.containers.image", "registry.example.com/shop/web:v2.0.1"),
            (0, "status.containerStatuses.state.waiting.reason", "ImagePullBackOff"),
            (0, "status.containerStatuses.lastState.terminated.reason", "OOMKilled"),
            (0, "status.containerStatuses.lastState.terminated.exitCode", "137"),
            (0, "status.containerStatuses.restartCount", "3"),
            (0, "@k8s.node", "worker-1"),
            (1, "object", "pod/web-0"),
            (1, "message", "Failed to pull image \"registry.example.com/shop/web:v2.0.1\": not found"),
        ],
    },
];
