//! Which entity the id or a label of a resource names, the same for dumps and tables.

use super::block::entity;
use crate::event::Event;

/// Resource types of Omni (lower case, singular) whose id is a machine's UUID.
const MACHINES: &[&str] = &[
    "link",
    "machine",
    "machinestatus",
    "machinestatussnapshot",
    "machinestatuslink",
    "machinestatusmetrics",
    "machinelabels",
    "machineconfiggenoptions",
    "machineextensions",
    "machinependingupdates",
    "machineconfigdiff",
    "machinesetnode",
    "clustermachine",
    "clustermachinestatus",
    "clustermachineconfig",
    "clustermachineconfigstatus",
    "clustermachineconfigpatches",
    "clustermachineidentity",
    "clustermachinetalosversion",
    "redactedclustermachineconfig",
    "inframachine",
    "inframachinestatus",
    "nodeforcedestroyrequest",
    "schematicconfiguration",
];

/// Types whose id is a machine request.
const REQUESTS: &[&str] = &["machinerequest", "machinerequeststatus", "clustermachinerequeststatus"];

/// Types whose id is a machine set.
const SETS: &[&str] = &[
    "machineset",
    "machinesetstatus",
    "machinesetdestroystatus",
    "machinerequestset",
    "machinerequestsetstatus",
    "controlplanestatus",
];

/// Types whose id is a cluster.
const CLUSTERS: &[&str] = &[
    "cluster",
    "clusterstatus",
    "clusterdestroystatus",
    "clusterbootstrapstatus",
    "clustertaint",
    "loadbalancerstatus",
    "kubernetesupgradestatus",
    "talosupgradestatus",
];

/// Types whose id is an infrastructure provider.
const PROVIDERS: &[&str] =
    &["infraprovider", "infraproviderstatus", "infraproviderhealthstatus", "infraprovidercombinedstatus"];

/// The name of a type in lower case and singular, without its group: `clustermachinestatus`.
pub(super) fn singular(kind: &str) -> String {
    let name = kind.split('.').next().unwrap_or(kind).to_ascii_lowercase();
    let keep = ["patches", "labels", "extensions", "updates", "options"];
    if keep.iter().any(|k| name.ends_with(k)) {
        return name;
    }
    match name.strip_suffix("statuses") {
        Some(stem) => format!("{stem}status"),
        None if name.ends_with("status") => name,
        None if name.ends_with("ies") => format!("{}y", name.trim_end_matches("ies")),
        None => name.strip_suffix('s').unwrap_or(&name).to_owned(),
    }
}

/// The entity that the id of an Omni resource of this type (see [`singular`]) names.
pub(super) fn of_id(kind: &str) -> Option<&'static str> {
    [
        (MACHINES, "omni.machine"),
        (REQUESTS, "omni.machine_request"),
        (SETS, "omni.machine_set"),
        (CLUSTERS, "omni.cluster"),
        (PROVIDERS, "omni.provider"),
    ]
    .iter()
    .find(|(types, _)| types.contains(&kind))
    .map(|(_, name)| *name)
}

/// The entity that a label of an Omni resource names.
pub(super) fn of_label(label: &str) -> Option<&'static str> {
    Some(match label.strip_prefix("omni.sidero.dev/")? {
        "cluster" => "omni.cluster",
        "machine-set" | "machine-request-set" => "omni.machine_set",
        "machine-request" => "omni.machine_request",
        "infra-provider-id" => "omni.provider",
        "hostname" | "node-name" => "k8s.node",
        "machine" => "omni.machine",
        "address" => "siderolink.address",
        _ => return None,
    })
}

/// Appends the node a thing belongs to; a UUID is also a machine of Omni.
pub(super) fn node(event: &mut Event<'static>, node: &str) {
    entity(event, "talos.node", node);
    if is_uuid(node) {
        entity(event, "omni.machine", node);
    }
    if !node.is_empty() {
        event.node = Some(node.to_owned().into());
    }
}

/// A UUID in its usual form.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_in_every_spelling() {
        for (kind, name) in [
            ("ClusterMachineStatuses.omni.sidero.dev", Some("omni.machine")),
            ("ClusterMachineStatus", Some("omni.machine")),
            ("Machines.omni.sidero.dev", Some("omni.machine")),
            ("MachineRequestStatuses.omni.sidero.dev", Some("omni.machine_request")),
            ("Clusters.omni.sidero.dev", Some("omni.cluster")),
            ("ClusterMachineIdentities.omni.sidero.dev", Some("omni.machine")),
            ("InfraProviderHealthStatuses.omni.sidero.dev", Some("omni.provider")),
            ("VolumeStatuses.block.talos.dev", None),
        ] {
            assert_eq!(of_id(&singular(kind)), name, "{kind}");
        }
    }
}
