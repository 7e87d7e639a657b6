//! Kubernetes objects and lists of them, as `kubectl get -o yaml|json` and support bundles write them.

use super::block::{attribute, entity, event};
use super::entity::is_uuid;
use super::kind::{Kind, Piece, shifted};
use super::tree::Node;
use super::{Context, Sample, StateEvent, secret};
use crate::event::{Event, RawTime, Service, Severity, time};

/// Parts of objects that are long and tell nothing.
const NOISE: &[&str] = &[
    "metadata.managedFields",
    "metadata.annotations.kubectl.kubernetes.io/last-applied-configuration",
    "status.images",
    "status.conditions",
];

/// An object, or a list.
pub(super) struct Kubernetes;

impl Kind for Kubernetes {
    fn takes(&self, root: &Node) -> bool {
        let version = root.text_at(&["apiVersion"]).unwrap_or_default();
        let named = root.text_at(&["kind"]).is_some() && version != "v1alpha1";
        named && !version.is_empty() && (root.get("metadata").is_some() || root.get("items").is_some())
    }

    fn events(&self, piece: &Piece, _context: &Context) -> Vec<StateEvent> {
        let kind = piece.root.text_at(&["kind"]).unwrap_or_default();
        let Some(items) = piece.root.get("items") else {
            return vec![piece.block.event(object(&piece.root, kind), piece.from, piece.to)];
        };
        if items.items().is_empty() {
            return vec![piece.block.event(object(&piece.root, kind), piece.from, piece.to)];
        }
        list(piece, items.items(), kind.strip_suffix("List").unwrap_or_default())
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

/// The event of one item of a list of the kind `list`, such as `NodeList`.
pub(super) fn item(piece: &Piece, list: &str) -> StateEvent {
    let kind = piece.root.text_at(&["kind"]).unwrap_or(list.strip_suffix("List").unwrap_or_default());
    piece.block.event(object(&piece.root, kind), piece.from, piece.to)
}

/// The events of a list whose items are of this kind unless they say otherwise.
fn list(piece: &Piece, items: &[Node], kind: &str) -> Vec<StateEvent> {
    let mut events = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let to = items.get(index + 1).map_or(piece.to, |next| piece.from + next.line);
        let own = item.text_at(&["kind"]).unwrap_or(kind);
        let root = shifted(item.clone(), item.line);
        events.push(piece.block.event(object(&root, own), piece.from + item.line, to));
    }
    events
}

/// The event of one object.
fn object(root: &Node, kind: &str) -> Event<'static> {
    let name = root.text_at(&["metadata", "name"]).unwrap_or_default();
    let is_event = kind == "Event";
    let message = ["message", "note"].iter().find_map(|k| root.text_at(&[k])).filter(|_| is_event);
    let service = if is_event { Service::Kubernetes } else { Service::State };
    let mut event = event("k8s_object", service, message.map_or_else(|| format!("{kind} {name}"), str::to_owned));
    event.time = when(root);
    if is_event {
        event.severity = Severity::from_word(root.text_at(&["type"]).unwrap_or_default().as_bytes());
    }
    attribute(&mut event, "kind", kind);
    for (path, value) in root.flatten("") {
        let noise = NOISE.iter().any(|n| path.strip_prefix(n).is_some_and(|r| r.is_empty() || r.starts_with('.')));
        if !noise && path != "kind" {
            attribute(&mut event, path.clone(), secret::masked(&path, value));
        }
    }
    for condition in root.path(&["status", "conditions"]).map(Node::items).unwrap_or_default() {
        add_condition(&mut event, condition);
    }
    add_entities(&mut event, root, kind);
    event
}

/// `condition.Ready` = `False`, with its reason and message.
fn add_condition(event: &mut Event<'static>, condition: &Node) {
    let Some(name) = condition.text_at(&["type"]) else { return };
    for (part, suffix) in
        [("status", ""), ("reason", ".reason"), ("message", ".message"), ("lastTransitionTime", ".lastTransitionTime")]
    {
        if let Some(value) = condition.text_at(&[part]) {
            attribute(event, format!("condition.{name}{suffix}"), value);
        }
    }
}

/// When an event happened last, or when a condition changed last.
fn when(root: &Node) -> RawTime {
    let fields: &[&[&str]] =
        &[&["lastTimestamp"], &["series", "lastObservedTime"], &["eventTime"], &["firstTimestamp"]];
    let own = fields.iter().find_map(|f| root.text_at(f)).filter(|t| !t.is_empty());
    let conditions = root.path(&["status", "conditions"]).map(Node::items).unwrap_or_default();
    let changed = conditions.iter().filter_map(|c| c.text_at(&["lastTransitionTime"])).max();
    let stamp = own.or(changed).and_then(|text| time::timestamp(text.as_bytes()));
    stamp.map_or(RawTime::None, |(time, _)| time)
}

/// The node an object is, runs on, or speaks of; the machine behind a node.
fn add_entities(event: &mut Event<'static>, root: &Node, kind: &str) {
    let text = |path: &[&str]| root.text_at(path).unwrap_or_default();
    match kind {
        "Node" => {
            entity(event, "k8s.node", text(&["metadata", "name"]));
            for address in root.path(&["status", "addresses"]).map(Node::items).unwrap_or_default() {
                if address.text_at(&["type"]) == Some("InternalIP") {
                    entity(event, "node.address", address.text_at(&["address"]).unwrap_or_default());
                }
            }
            let uuid = text(&["status", "nodeInfo", "systemUUID"]);
            if is_uuid(uuid) {
                entity(event, "omni.machine", &uuid.to_ascii_lowercase());
            }
        }
        "Event" => {
            let object = if root.get("involvedObject").is_some() { "involvedObject" } else { "regarding" };
            if text(&[object, "kind"]) == "Node" {
                entity(event, "k8s.node", text(&[object, "name"]));
            }
            entity(event, "k8s.node", text(&["source", "host"]));
        }
        "CertificateSigningRequest" => {
            let node = text(&["spec", "username"]).strip_prefix("system:node:").unwrap_or_default();
            entity(event, "k8s.node", node);
        }
        _ => entity(event, "k8s.node", text(&["spec", "nodeName"])),
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "apiVersion: v1
kind: NodeList
items:
  - metadata:
      name: demo-cp-1
    status:
      conditions:
        - lastTransitionTime: \"2026-09-06T12:30:00Z\"
          message: kubelet has no disk pressure
          reason: KubeletHasNoDiskPressure
          status: \"False\"
          type: DiskPressure
        - lastTransitionTime: \"2026-09-06T12:31:00Z\"
          message: Kubelet stopped posting node status.
          reason: NodeStatusUnknown
          status: Unknown
          type: Ready
      nodeInfo:
        systemUUID: 7f1c2d3e-0000-4000-8000-000000000001
        kubeletVersion: v1.35.2
  - metadata:
      name: demo-cp-2
    spec:
      unschedulable: true
",
        path: "kubernetesResources/nodes.yaml",
        events: 2,
        has: &[
            (0, "#format", "k8s_object"),
            (0, "kind", "Node"),
            (0, "metadata.name", "demo-cp-1"),
            (0, "condition.Ready", "Unknown"),
            (0, "condition.Ready.reason", "NodeStatusUnknown"),
            (0, "condition.DiskPressure", "False"),
            (0, "status.nodeInfo.kubeletVersion", "v1.35.2"),
            (0, "@k8s.node", "demo-cp-1"),
            (0, "@omni.machine", "7f1c2d3e-0000-4000-8000-000000000001"),
            (1, "spec.unschedulable", "true"),
        ],
    },
    Sample {
        text: "{
    \"apiVersion\": \"v1\",
    \"items\": [
        {
            \"apiVersion\": \"v1\",
            \"involvedObject\": {
                \"kind\": \"Pod\",
                \"name\": \"web-1\",
                \"namespace\": \"default\"
            },
            \"kind\": \"Event\",
            \"lastTimestamp\": \"2026-09-15T08:00:00Z\",
            \"message\": \"MountVolume.SetUp failed for volume \\\"data\\\"\",
            \"metadata\": {
                \"name\": \"web-1.17\",
                \"namespace\": \"default\"
            },
            \"reason\": \"FailedMount\",
            \"source\": {
                \"component\": \"kubelet\",
                \"host\": \"worker-1\"
            },
            \"type\": \"Warning\"
        }
    ],
    \"kind\": \"List\"
}
",
        path: "",
        events: 1,
        has: &[
            (0, "kind", "Event"),
            (0, "reason", "FailedMount"),
            (0, "type", "Warning"),
            (0, "#body", "MountVolume.SetUp failed for volume \"data\""),
            (0, "#service", "kubernetes"),
            (0, "@k8s.node", "worker-1"),
        ],
    },
    Sample {
        text: "apiVersion: v1
kind: Pod
metadata:
  name: web-1
  namespace: default
spec:
  nodeName: worker-1
status:
  phase: Pending
  containerStatuses:
  - name: web
    ready: false
    state:
      waiting:
        reason: ImagePullBackOff
",
        path: "",
        events: 1,
        has: &[
            (0, "status.phase", "Pending"),
            (0, "status.containerStatuses.state.waiting.reason", "ImagePullBackOff"),
            (0, "@k8s.node", "worker-1"),
        ],
    },
];
