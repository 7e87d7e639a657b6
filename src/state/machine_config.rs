//! Machine configurations of Talos and cluster templates of Omni: known documents that are read even when broken.

use super::kind::{Kind, Piece};
use super::tree::Node;
use super::yaml_document::document;
use super::{Context, Sample, StateEvent};

/// Keys that stand below `machine` or `cluster`.
const INNER: &[&str] = &[
    "type",
    "token",
    "ca",
    "install",
    "network",
    "kubelet",
    "features",
    "registries",
    "kernel",
    "sysctls",
    "files",
    "disks",
    "time",
    "nodeLabels",
    "nodeTaints",
    "certSANs",
    "controlPlane",
    "etcd",
    "apiServer",
    "clusterName",
    "discovery",
    "proxy",
    "allowSchedulingOnControlPlanes",
    "systemDiskEncryption",
    "logging",
    "udev",
    "pods",
];

/// Documents of cluster templates.
const TEMPLATES: &[&str] = &["Cluster", "ControlPlane", "Workers", "Machine", "AdditionalWorkers"];

/// A configuration or template.
pub(super) struct MachineConfig;

impl Kind for MachineConfig {
    fn takes(&self, root: &Node) -> bool {
        let inner = |key: &str| {
            let entries = root.get(key).map(Node::entries).unwrap_or_default();
            entries.iter().any(|(k, _)| INNER.contains(&k.as_str()))
        };
        let text = |key: &str| root.text_at(&[key]).unwrap_or_default();
        let template = root.get("apiVersion").is_none() && TEMPLATES.contains(&text("kind"));
        let part = text("apiVersion") == "v1alpha1" && !text("kind").is_empty();
        inner("machine") || inner("cluster") || part || (template && root.entries().len() > 1)
    }

    fn events(&self, piece: &Piece, context: &Context) -> Vec<StateEvent> {
        let kind = piece.root.text_at(&["kind"]);
        let template = kind.filter(|_| piece.root.get("apiVersion").is_none());
        let title = match (template, kind) {
            (Some(kind), _) => format!("cluster template {kind}"),
            (None, Some(kind)) => format!("machine configuration {kind}"),
            (None, None) => "machine configuration".to_owned(),
        };
        vec![document(piece, title, context)]
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "version: v1alpha1
debug: false
machine:
    type: controlplane
    token: abcdef.0123456789abcdef
    ca:
        crt: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==
        key: LS0tLS1CRUdJTiBFRDI1NTE5IFBSSVZBVEUgS0VZLS0tLS0K
    install:
        disk: /dev/sda
        image: ghcr.io/siderolabs/installer:v1.12.8
        wipe: false
cluster:
    controlPlane:
        endpoint: https://192.0.2.50:6443
---
apiVersion: v1alpha1
kind: HostnameConfig
hostname: cp-1
",
        path: "controlplane.yaml",
        events: 2,
        has: &[
            (0, "#format", "yaml_document"),
            (0, "machine.install.disk", "/dev/sda"),
            (0, "machine.token", "***"),
            (0, "machine.ca.key", "***"),
            (0, "cluster.controlPlane.endpoint", "https://192.0.2.50:6443"),
            (1, "kind", "HostnameConfig"),
            (1, "hostname", "cp-1"),
        ],
    },
    Sample {
        text: "kind: Cluster
name: demo
kubernetes:
  version: v1.35.2
talos:
  version: v1.12.8
---
kind: Workers
machineClass:
  name: small
  size: 3
",
        path: "template.yaml",
        events: 2,
        has: &[(0, "talos.version", "v1.12.8"), (1, "machineClass.size", "3")],
    },
    Sample {
        // Not YAML: an unclosed quote.
        text: "machine:
  install:
    disk: \"/dev/vda
    wipe: true
  network:
    hostname: w-1
",
        path: "",
        events: 1,
        has: &[(0, "machine.install.disk", "/dev/vda"), (0, "machine.network.hostname", "w-1")],
    },
];
