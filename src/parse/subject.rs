//! What a structured record speaks of: service and entities from its attributes, the same for every rendering.

use std::borrow::Cow;

use super::upid;
use crate::event::{Event, Service};

/// Components of the Omni server.
const OMNI_COMPONENTS: &[&str] = &[
    "omni_runtime",
    "siderolink",
    "server",
    "etcd_client",
    "embedded_etcd",
    "etcd_elections",
    "auth_server",
    "management_server",
    "k8s_proxy",
    "kms",
    "talos_runtime",
    "kubernetes_runtime",
    "kubernetes",
    "infraprovider_state",
    "power_stage_watcher",
    "talos_lifecycle",
    "siderolink_log_handler",
    "siderolink_log_ingestion_limiter",
    "workload_proxy_reconciler",
    "workload_proxy_handler",
    "discovery_service",
    "resourcelogger",
    "migration",
    "oidc_storage",
    "metrics",
    "loadbalancer",
    "auditlog",
    "etcdbackup",
];

/// Packages of Talos' own controllers.
const TALOS_PACKAGES: &[&str] = &[
    "block",
    "cluster",
    "config",
    "cri",
    "etcd",
    "files",
    "hardware",
    "k8s",
    "kubeaccess",
    "kubespan",
    "network",
    "perf",
    "runtime",
    "secrets",
    "security",
    "siderolink",
    "time",
    "v1alpha1",
];

/// First folders of callers inside etcd.
const ETCD_CALLERS: &[&str] = &[
    "etcdserver",
    "wal",
    "rafthttp",
    "raft",
    "embed",
    "mvcc",
    "membership",
    "snap",
    "snapshot",
    "etcdmain",
    "v3rpc",
    "lease",
    "fileutil",
    "etcdutl",
    "etcdhttp",
    "v3_server.go",
    "hashkv",
    "schema",
    "transport",
    "flags",
    "lessor.go",
];

/// First folders of callers inside Omni.
const OMNI_CALLERS: &[&str] = &[
    "omni",
    "siderolink",
    "machineset",
    "machineconfig",
    "grpczap",
    "logging",
    "grpcutil",
    "clustermachine",
    "etcdbackup",
    "k8sproxy",
    "infraprovider",
    "secrets",
    "resourcelogger",
    "workloadproxy",
    "migration",
    "device",
];

/// The attributes that tell what wrote a record.
#[derive(Default)]
struct Facts<'e> {
    controller: &'e str,
    component: Option<Service>,
    caller: &'e str,
    kind: &'e str,
    namespace: &'e str,
    raft: bool,
}

/// Collects the facts in one pass.
fn facts<'e>(event: &'e Event<'_>) -> Facts<'e> {
    let mut facts = Facts::default();
    for (key, value) in &event.attributes {
        match key.as_ref() {
            "controller" if facts.controller.is_empty() => facts.controller = value,
            "caller" if facts.caller.is_empty() => facts.caller = value,
            "type" if facts.kind.is_empty() => facts.kind = resource_kind(value),
            "namespace" if facts.namespace.is_empty() => facts.namespace = value,
            "component" => facts.component = facts.component.or_else(|| by_component(value)),
            "controllerGroup" | "controllerKind" => facts.component = Some(Service::Kubernetes),
            "logger" => facts.raft |= value == "raft",
            _ => {}
        }
    }
    facts
}

/// Fills service and entities from the attributes of an event.
pub fn fill(event: &mut Event<'_>) {
    let facts = facts(event);
    let service = service(&facts);
    let kind = entity_of_kind(facts.kind);
    let provider = service == Some(Service::OmniProvider);
    let name = provider_id(facts.controller).map(str::to_owned);
    event.service = service.or(event.service);
    for at in 0..event.attributes.len() {
        let Some((key, value)) = event.attributes.get(at) else { break };
        if let Some(key) = entity(key, value, kind, provider) {
            let value = value.clone();
            add(event, key, value);
        }
    }
    if let Some(name) = name {
        event.entity("omni.provider", name);
    }
}

/// Fills what a record of Kubernetes tells: its names are not Omni's.
pub fn kubernetes(event: &mut Event<'_>) {
    if event.get("controllerGroup").is_some() || event.get("controllerKind").is_some() {
        event.service = Some(Service::Kubernetes);
    }
    let node =
        event.attributes.iter().find(|(k, v)| k == "node" && !v.contains(['{', ' ', '/'])).map(|(_, v)| v.clone());
    event.entity("k8s.node", node.unwrap_or_default());
}

/// Adds one entity; values that name a resource or a task are taken apart.
fn add<'a>(event: &mut Event<'a>, key: &'static str, value: Cow<'a, str>) {
    match key {
        "task" => {
            if let Some(upid) = upid::find(&value) {
                let mut inner = Event::default();
                upid.entities(&mut inner);
                for (key, value) in inner.into_owned().entities {
                    event.entity(key, value);
                }
            }
        }
        "resource" => {
            if let Some((kind, id)) = resource(&value) {
                event.entity(kind, id.to_owned());
            }
        }
        _ => event.entity(key, value),
    }
}

/// The entity behind an attribute.
fn entity(key: &str, value: &str, kind: Option<&'static str>, provider: bool) -> Option<&'static str> {
    Some(match key {
        "id" => kind?,
        "request_id" | "machine_request" => "omni.machine_request",
        "machine" | "machine_id" if !value.contains(['{', ' ']) => "omni.machine",
        "cluster" if !value.contains(['{', ' ']) => "omni.cluster",
        "machineset" | "machine_set" => "omni.machine_set",
        "infra_provider" | "provider_id" | "provider" => "omni.provider",
        "node" if provider => "pve.node",
        "node" if !value.contains(['{', ' ']) => "k8s.node",
        "vmid" | "vm_id" => "pve.vmid",
        "storage" if provider => "pve.storage",
        "task" | "upid" => "task",
        "resource" => "resource",
        _ => return None,
    })
}

/// A resource type without the link that some renderings put around it.
fn resource_kind(value: &str) -> &str {
    let value = value.trim_start_matches('[');
    value.split_once('.').map_or(value, |(kind, _)| kind)
}

/// The entity that the id of a resource of this type names.
fn entity_of_kind(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "MachineRequests" | "MachineRequestStatuses" | "ClusterMachineRequestStatuses" => "omni.machine_request",
        "Machines"
        | "MachineStatuses"
        | "MachineStatusSnapshots"
        | "ClusterMachines"
        | "ClusterMachineStatuses"
        | "ClusterMachineConfigs"
        | "ClusterMachineConfigStatuses"
        | "MachineSetNodes"
        | "Links"
        | "InfraMachines"
        | "ClusterMachineIdentities"
        | "MachineStatusLinks" => "omni.machine",
        "Clusters" | "ClusterStatuses" | "KubernetesStatuses" | "LoadBalancerStatuses" => "omni.cluster",
        "MachineSets" | "MachineSetStatuses" | "ControlPlaneStatuses" => "omni.machine_set",
        "InfraProviders" | "InfraProviderStatuses" => "omni.provider",
        _ => return None,
    })
}

/// Takes `Type.omni.sidero.dev(namespace/id@version)` apart.
fn resource(text: &str) -> Option<(&'static str, &str)> {
    let (kind, rest) = text.split_once('(')?;
    let id = rest.split_once('/')?.1;
    let id = id.split(['@', ')']).next()?;
    Some((entity_of_kind(resource_kind(kind))?, id))
}

/// The provider's id in the name of its controller.
fn provider_id(controller: &str) -> Option<&str> {
    controller
        .strip_suffix(".ProvisionController")
        .or_else(|| controller.strip_suffix(".ProviderHealthStatusController"))
}

/// Which software writes records with such attributes.
fn service(facts: &Facts<'_>) -> Option<Service> {
    if facts.raft && facts.component.is_none() {
        return Some(Service::Etcd);
    }
    let request = facts.kind == "MachineRequests" && facts.namespace == "infra-provider";
    facts
        .component
        .or_else(|| by_controller(facts.controller))
        .or_else(|| request.then_some(Service::OmniProvider))
        .or_else(|| by_caller(facts.caller))
}

fn by_component(component: &str) -> Option<Service> {
    match component {
        "controller-runtime" | "dns-resolve-cache" => Some(Service::Talos),
        _ if OMNI_COMPONENTS.contains(&component) || component.starts_with("saml") => Some(Service::Omni),
        _ => None,
    }
}

fn by_controller(controller: &str) -> Option<Service> {
    if provider_id(controller).is_some() {
        return Some(Service::OmniProvider);
    }
    match controller.split_once('.') {
        Some((package, _)) => TALOS_PACKAGES.contains(&package).then_some(Service::Talos),
        None => controller.ends_with("Controller").then_some(Service::Omni),
    }
}

fn by_caller(caller: &str) -> Option<Service> {
    let first = caller.split('/').next().unwrap_or_default();
    if first == "provider"
        || first == "provision"
        || first.starts_with("omni-infra-provider")
        || caller.starts_with("controllers/provision.go")
    {
        return Some(Service::OmniProvider);
    }
    if ETCD_CALLERS.contains(&first) || caller.starts_with("backend/backend.go") || caller.starts_with("adt/") {
        return Some(Service::Etcd);
    }
    OMNI_CALLERS.contains(&first).then_some(Service::Omni)
}

/// Adds the entity that the id of a resource names.
pub fn name<'a>(resource: &str, id: impl Into<Cow<'a, str>>, event: &mut Event<'a>) {
    if let Some(key) = entity_of_kind(resource_kind(resource)) {
        event.entity(key, id);
    }
}
