//! COSI resources of Omni and Talos, as `omnictl get -o yaml|json`, `talosctl get -o yaml|json` and support bundles
//! write them.

use std::borrow::Cow;

use super::block::{attribute, entity, event};
use super::entity::{is_uuid, node, of_id, of_label, singular};
use super::kind::{Kind, Piece};
use super::tree::{self, Node, Value};
use super::{Context, Sample, StateEvent, secret};
use crate::event::{Event, RawTime, Service, time};

/// One resource: `metadata` and `spec`.
pub(super) struct Cosi;

impl Kind for Cosi {
    fn takes(&self, root: &Node) -> bool {
        let Some(metadata) = root.get("metadata") else { return false };
        let has = |key: &str| metadata.get(key).is_some();
        let typed = metadata.text_at(&["type"]).is_some_and(|t| t.contains('.'));
        root.get("apiVersion").is_none() && has("id") && (typed || (has("phase") && has("version")))
    }

    fn events(&self, piece: &Piece, context: &Context) -> Vec<StateEvent> {
        vec![piece.block.event(resource(&piece.root, context), piece.from, piece.to)]
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

/// The event of a resource.
fn resource(root: &Node, context: &Context) -> Event<'static> {
    let metadata = root.get("metadata");
    let meta = |key: &str| metadata.and_then(|m| m.text_at(&[key])).unwrap_or_default();
    let kind = singular(meta("type"));
    let mut event = event("cosi_resource", Service::State, format!("{} {}", meta("type"), meta("id")));
    event.time = match time::timestamp(meta("updated").as_bytes()) {
        Some((time, _)) => time,
        None => RawTime::None,
    };
    for (key, name) in [("type", "resource.type"), ("id", "resource.id"), ("namespace", "resource.namespace")] {
        attribute(&mut event, name, meta(key));
    }
    if let Some(metadata) = metadata {
        add_metadata(&mut event, metadata);
    }
    add_node(&mut event, root, context);
    if meta("type").ends_with("infraprovider.sidero.dev") {
        entity(&mut event, "omni.machine_request", meta("id"));
        add_provider_state(&mut event, root);
    } else if !meta("type").ends_with("talos.dev")
        && let Some(name) = of_id(&kind)
    {
        entity(&mut event, name, meta("id"));
    }
    if let Some(spec) = root.get("spec") {
        add_spec(&mut event, spec, &kind);
    }
    event
}

/// What stands in `metadata` besides type, id and namespace.
fn add_metadata(event: &mut Event<'static>, metadata: &Node) {
    for (key, value) in metadata.entries() {
        match (key.as_str(), &value.value) {
            ("type" | "id" | "namespace", _) => {}
            ("labels" | "annotations", _) => add_labels(event, key, value),
            ("finalizers", _) => {
                for item in value.items() {
                    attribute(event, "metadata.finalizers", item.text().unwrap_or_default());
                }
            }
            (_, Value::Scalar(text)) => attribute(event, format!("metadata.{key}"), text),
            (_, Value::Null) => attribute(event, format!("metadata.{key}"), ""),
            _ => {}
        }
    }
}

/// Labels or annotations; those without a value are empty.
fn add_labels(event: &mut Event<'static>, kind: &str, labels: &Node) {
    for (key, value) in labels.entries() {
        let text = value.text().unwrap_or_default();
        attribute(event, format!("metadata.{kind}.{key}"), text);
        if let Some(name) = of_label(key) {
            entity(event, name, text);
        }
    }
}

/// The node that `talosctl` asked, or the folder of the bundle; what a watch says.
fn add_node(event: &mut Event<'static>, root: &Node, context: &Context) {
    if let Some(change) = root.text_at(&["event"]) {
        attribute(event, "event", change);
    }
    let omni = event.get("resource.type").is_some_and(|t| t.ends_with("omni.sidero.dev"));
    match root.text_at(&["node"]) {
        Some(name) => {
            attribute(event, "node", name);
            node(event, name);
        }
        None if !omni => context.node.into_iter().for_each(|name| node(event, name)),
        None => {}
    }
}

/// The provider's own record of a VM; the case of its keys is not certain.
fn add_provider_state(event: &mut Event<'static>, root: &Node) {
    for (key, value) in root.get("spec").map(Node::entries).unwrap_or_default() {
        let name = match key.to_ascii_lowercase().as_str() {
            "uuid" => "omni.machine",
            "node" => "pve.node",
            "vmid" => "pve.vmid",
            _ => continue,
        };
        entity(event, name, value.text().unwrap_or_default());
    }
}

/// The specification: dotted paths, words for numbers, entities.
fn add_spec(event: &mut Event<'static>, spec: &Node, kind: &str) {
    for (path, value) in spec.flatten("spec") {
        let shown = secret::masked(&path, value);
        if let Some(name) = entity_of(kind, &path.to_ascii_lowercase()) {
            entity(event, name, &normal(name, value));
        }
        let word = word_of(kind, &path, value);
        attribute(event, path.clone(), shown);
        if let Some(word) = word {
            attribute(event, format!("{path}.name"), word);
        }
        if path == "spec.providerdata" {
            add_provider_data(event, value);
        }
    }
    for condition in spec.get("conditions").map(Node::items).unwrap_or_default() {
        add_condition(event, kind, condition);
    }
}

/// The provider's part of a machine request, YAML in a string.
fn add_provider_data(event: &mut Event<'static>, text: &str) {
    let Some(data) = tree::read(text) else { return };
    for (path, value) in data.flatten("spec.providerdata") {
        attribute(event, path.clone(), secret::masked(&path, value));
    }
}

/// A condition of a control plane: `condition.Etcd` = `NotReady`.
fn add_condition(event: &mut Event<'static>, kind: &str, condition: &Node) {
    let word = |key: &str| {
        let value = condition.text_at(&[key])?;
        Some(word_of(kind, &format!("spec.conditions.{key}"), value).unwrap_or(value))
    };
    let Some(name) = word("type") else { return };
    let key = format!("condition.{name}");
    for (part, suffix) in [("status", ""), ("severity", ".severity"), ("reason", ".reason"), ("message", ".message")] {
        if let Some(value) = word(part) {
            attribute(event, format!("{key}{suffix}"), value);
        }
    }
}

/// The entity that a field names.
fn entity_of(kind: &str, path: &str) -> Option<&'static str> {
    Some(match (kind, path) {
        ("machinerequeststatus", "spec.id") | (_, "spec.machineuuid") => "omni.machine",
        ("systeminformation", "spec.uuid") => "omni.machine",
        (_, "spec.providerid" | "spec.provisionstatus.providerid") => "omni.provider",
        (_, "spec.provisionstatus.requestid") => "omni.machine_request",
        ("machinestatus" | "machinestatussnapshot" | "clustermachinestatus", "spec.cluster") => "omni.cluster",
        ("hostnamestatus", "spec.hostname") | ("nodename", "spec.nodename") => "k8s.node",
        (_, "spec.network.hostname") | ("clustermachineidentity", "spec.nodename") => "k8s.node",
        (_, "spec.managementaddress") => "siderolink.address",
        ("link", "spec.nodesubnet") => "siderolink.address",
        ("clustermachineidentity", "spec.etcdmemberid") | ("etcdmember" | "member", "spec.memberid") => "etcd.member",
        ("machinestatus", "spec.network.addresses") | ("clustermachineidentity", "spec.nodeips") => "node.address",
        _ => return None,
    })
}

/// The value of an entity as other sources write it: an address without its mask, a member id in hexadecimal.
fn normal<'v>(key: &str, value: &'v str) -> Cow<'v, str> {
    match key {
        "siderolink.address" | "node.address" => Cow::Borrowed(value.split('/').next().unwrap_or(value)),
        "etcd.member" => match value.parse::<u64>() {
            Ok(number) if value.len() > 16 => Cow::Owned(format!("{number:x}")),
            _ => Cow::Borrowed(value),
        },
        _ => Cow::Borrowed(value),
    }
}

/// Types, fields and the words for their numbers, from 0 on.
const WORDS: &[(&str, &str, &[&str])] = &[
    (
        "clustermachinestatus",
        "spec.stage",
        &[
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
        ],
    ),
    ("clustermachinestatus", "spec.configapplystatus", &["UNKNOWN", "PENDING", "APPLIED", "FAILED"]),
    (
        "machinesetstatus",
        "spec.phase",
        &["Unknown", "ScalingUp", "ScalingDown", "Running", "Destroying", "Failed", "Reconfiguring", "Upgrading"],
    ),
    ("clusterstatus", "spec.phase", &["UNKNOWN", "SCALING_UP", "SCALING_DOWN", "RUNNING", "DESTROYING"]),
    ("machinerequeststatus", "spec.stage", &["UNKNOWN", "PROVISIONING", "PROVISIONED", "FAILED"]),
    (
        "clustermachinerequeststatus",
        "spec.stage",
        &["UNKNOWN", "PENDING", "PROVISIONING", "PROVISIONED", "DEPROVISIONING", "FAILED"],
    ),
    ("machinestatus", "spec.role", &["NONE", "CONTROL_PLANE", "WORKER"]),
    ("machinestatus", "spec.powerstate", &["UNKNOWN", "UNSUPPORTED", "ON", "OFF"]),
    ("controlplanestatus", "spec.conditions.type", &["UnknownCondition", "Etcd", "WireguardConnection"]),
    ("controlplanestatus", "spec.conditions.status", &["Unknown", "Ready", "NotReady"]),
    ("controlplanestatus", "spec.conditions.severity", &["Info", "Warning", "Error"]),
    (
        "machinestatussnapshot",
        "spec.machinestatus.stage",
        &[
            "UNKNOWN",
            "BOOTING",
            "INSTALLING",
            "MAINTENANCE",
            "RUNNING",
            "REBOOTING",
            "SHUTTING_DOWN",
            "RESETTING",
            "UPGRADING",
        ],
    ),
];

/// The word for the number of a field, if it is a known one.
fn word_of(kind: &str, path: &str, value: &str) -> Option<&'static str> {
    let (_, _, words) = WORDS.iter().find(|(k, p, _)| *k == kind && *p == path)?;
    words.get(value.parse::<usize>().ok()?).copied()
}

/// Whether an id can be a machine of Omni: for tables, whose types have no group.
pub(super) fn is_machine_id(id: &str) -> bool {
    is_uuid(id)
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "metadata:
    namespace: default
    type: ClusterMachineStatuses.omni.sidero.dev
    id: 7f1c2d3e-0000-4000-8000-000000000001
    version: 41
    owner: ClusterMachineStatusController
    phase: running
    created: 2026-09-01T06:00:00Z
    updated: 2026-09-15T07:58:12Z
    labels:
        omni.sidero.dev/cluster: demo
        omni.sidero.dev/machine-set: demo-workers
        omni.sidero.dev/node-name: demo-workers-a1b2c3
        omni.sidero.dev/role-worker:
    finalizers:
        - ClusterWorkloadProxyStatusController
        - MachineSetStatusController
spec:
    ready: false
    stage: 5
    lastconfigerror: \"\"
    managementaddress: fdae:41e4:649b:9303::1
    provisionstatus:
        providerid: proxmox
        requestid: demo-workers-a1b2c3
---
metadata:
  namespace: infra-provider
  type: MachineRequests.omni.sidero.dev
  id: demo-workers-a1b2c3
  version: 4
  owner:
  phase: tearingDown
  created: 2026-09-01T05:55:00Z
  updated: 2026-09-15T07:45:10Z
  labels: {omni.sidero.dev/infra-provider-id: proxmox, omni.sidero.dev/machine-request-set: demo-workers}
  finalizers: [proxmox.ProvisionController]
spec:
  talosversion: 1.12.2
  overlay: null
  providerdata: |
    cores: 4
    storage_selector: name == \"local-lvm\"
",
        path: "omni/requests.yaml",
        events: 2,
        has: &[
            (0, "#format", "cosi_resource"),
            (0, "resource.type", "ClusterMachineStatuses.omni.sidero.dev"),
            (0, "resource.id", "7f1c2d3e-0000-4000-8000-000000000001"),
            (0, "resource.namespace", "default"),
            (0, "metadata.phase", "running"),
            (0, "metadata.finalizers", "MachineSetStatusController"),
            (0, "metadata.labels.omni.sidero.dev/cluster", "demo"),
            (0, "metadata.labels.omni.sidero.dev/role-worker", ""),
            (0, "spec.stage", "5"),
            (0, "spec.stage.name", "DESTROYING"),
            (0, "spec.lastconfigerror", ""),
            (0, "@omni.machine", "7f1c2d3e-0000-4000-8000-000000000001"),
            (0, "@omni.cluster", "demo"),
            (0, "@omni.machine_set", "demo-workers"),
            (0, "@k8s.node", "demo-workers-a1b2c3"),
            (0, "@omni.machine_request", "demo-workers-a1b2c3"),
            (0, "@siderolink.address", "fdae:41e4:649b:9303::1"),
            (0, "@omni.provider", "proxmox"),
            (1, "metadata.owner", ""),
            (1, "metadata.finalizers", "proxmox.ProvisionController"),
            (1, "spec.providerdata.storage_selector", "name == \"local-lvm\""),
            (1, "@omni.machine_request", "demo-workers-a1b2c3"),
            (1, "@omni.provider", "proxmox"),
        ],
    },
    Sample {
        text: "node: 192.0.2.11
metadata:
    namespace: runtime
    type: VolumeStatuses.block.talos.dev
    id: STATE
    version: 4
    phase: running
    updated: 2026-03-01T10:00:05Z
spec:
    phase: failed
    errorMessage: 'filesystem type mismatch: vfat != xfs'
---
node: 192.0.2.11
metadata:
    namespace: secrets
    type: OSRootSecrets.secrets.talos.dev
    id: os
    version: 2
    phase: running
spec: <REDACTED>
---
node: 192.0.2.11
metadata:
    namespace: runtime
    type: MachineStatuses.runtime.talos.dev
    id: machine
    version: 9
    phase: running
spec:
    stage: booting
    status:
        ready: false
        unmetConditions:
            - name: services
              reason: \"etcd not runn
",
        path: "",
        events: 3,
        has: &[
            (0, "spec.phase", "failed"),
            (0, "spec.errorMessage", "filesystem type mismatch: vfat != xfs"),
            (0, "node", "192.0.2.11"),
            (0, "#node", "192.0.2.11"),
            (0, "@talos.node", "192.0.2.11"),
            (1, "spec", "<REDACTED>"),
            (2, "spec.stage", "booting"),
            (2, "spec.status.unmetConditions.reason", "etcd not runn"),
        ],
    },
    Sample {
        text: "{
    \"metadata\": {
        \"finalizers\": [
            \"MachineStatusController\"
        ],
        \"id\": \"7f1c2d3e-0000-4000-8000-000000000001\",
        \"namespace\": \"default\",
        \"owner\": null,
        \"phase\": \"tearingDown\",
        \"type\": \"Machines.omni.sidero.dev\",
        \"updated\": \"2026-09-15T07:36:01Z\",
        \"version\": 12
    },
    \"spec\": {
        \"connected\": false
    }
}
{
    \"event\": \"updated\",
    \"metadata\": {
        \"id\": \"demo-workers-a1b2c3\",
        \"namespace\": \"infra-provider:proxmox\",
        \"phase\": \"running\",
        \"type\": \"Machine.proxmox.infraprovider.sidero.dev\",
        \"version\": 3
    },
    \"spec\": {
        \"uuid\": \"7f1c2d3e-0000-4000-8000-000000000001\",
        \"node\": \"pve1\",
        \"vmid\": 104
",
        path: "",
        events: 2,
        has: &[
            (0, "metadata.phase", "tearingDown"),
            (0, "metadata.finalizers", "MachineStatusController"),
            (0, "spec.connected", "false"),
            (0, "@omni.machine", "7f1c2d3e-0000-4000-8000-000000000001"),
            (1, "event", "updated"),
            (1, "@omni.machine_request", "demo-workers-a1b2c3"),
            (1, "@omni.machine", "7f1c2d3e-0000-4000-8000-000000000001"),
            (1, "@pve.node", "pve1"),
            (1, "@pve.vmid", "104"),
        ],
    },
    Sample {
        text: "metadata:
    namespace: default
    type: ClusterMachineIdentities.omni.sidero.dev
    id: 7f1c2d3e-0000-4000-8000-000000000001
    version: 3
    phase: running
spec:
    nodeidentity: a1b2c3d4e5f60718293a4b5c6d7e8f90123456789abcdef0123456789abcdef0
    etcdmemberid: 10276657743932975437
    nodename: demo-cp-1
    nodeips:
        - 192.0.2.11
",
        path: "",
        events: 1,
        has: &[
            (0, "@omni.machine", "7f1c2d3e-0000-4000-8000-000000000001"),
            (0, "@k8s.node", "demo-cp-1"),
            (0, "@node.address", "192.0.2.11"),
            (0, "@etcd.member", "8e9e05c52164694d"),
        ],
    },
    Sample {
        text: "metadata:
    namespace: default
    type: ControlPlaneStatuses.omni.sidero.dev
    id: demo-control-planes
    version: 7
    phase: running
spec:
    conditions:
        - type: 1
          reason: Etcd is not healthy
          status: 2
          severity: 2
",
        path: "",
        events: 1,
        has: &[
            (0, "condition.Etcd", "NotReady"),
            (0, "condition.Etcd.severity", "Error"),
            (0, "condition.Etcd.reason", "Etcd is not healthy"),
            (0, "spec.conditions.status.name", "NotReady"),
            (0, "@omni.machine_set", "demo-control-planes"),
        ],
    },
];
