//! What a row says: the name of its table, who printed it, its attributes and the things it names.

use super::super::block::{attribute, entity, event, is_vmid};
use super::super::cosi::is_machine_id;
use super::super::entity::{node, of_id, singular};
use super::cells::Column;
use crate::event::{Event, RawTime, Service, Severity};
use crate::state::Context;

/// The event of a row.
pub(super) fn row_event(columns: &[Column], cells: &[String], row: &str, context: &Context) -> Event<'static> {
    let (table, service) = table_of(columns, cells);
    let mut event = event("table", service, row);
    attribute(&mut event, "table", &table);
    for (index, column) in columns.iter().enumerate() {
        let cell = cells.get(index).map(String::as_str).unwrap_or_default();
        attribute(&mut event, column.name.clone(), cell);
        // `mem(mb)`, `total_(kib)`: also without the unit.
        if let Some((name, _)) = column.name.split_once('(') {
            attribute(&mut event, name.trim_end_matches('_'), cell);
        }
        if matches!(column.name.as_str(), "%" | "percent_used") {
            attribute(&mut event, "used_percent", cell.trim_end_matches('%'));
        }
    }
    add_meaning(&mut event, &table, context);
    event
}

/// The name of a table by its columns, and who printed it.
fn table_of(columns: &[Column], cells: &[String]) -> (String, Service) {
    let has = |name: &str| columns.iter().any(|c| c.name == name);
    let first = columns.first().map_or("", |c| c.name.as_str());
    let resource = ["namespace", "type", "id", "version"].iter().all(|c| has(c));
    let by_columns: &[(bool, &str, Service)] = &[
        (has("service") && has("state"), "talosctl-services", Service::Talosctl),
        (has("peer_urls") || has("peer_addrs"), "etcd-members", Service::Talosctl),
        (has("raft_term") || has("db_size"), "etcd-status", Service::Talosctl),
        (has("member") && has("alarm"), "etcd-alarms", Service::Talosctl),
        (has("reason") && has("object"), "kubectl-events", Service::Kubernetes),
        (has("ready") && has("restarts"), "kubectl-pods", Service::Kubernetes),
        (has("roles") && has("version"), "kubectl-nodes", Service::Kubernetes),
        (has("signername"), "kubectl-csr", Service::Kubernetes),
        (first == "vmid", "qm-list", Service::PveConfig),
        (first == "name" && has("total") || has("total_(kib)"), "pvesm-status", Service::PveConfig),
        (first == "id" && has("connected"), "infraprovider-list", Service::Omnictl),
        (first == "upid", "pvenode-tasks", Service::PveTaskIndex),
        (has("mounted_on"), "talosctl-mounts", Service::Talosctl),
        (has("virtmem"), "talosctl-processes", Service::Talosctl),
        (has("io_time"), "talosctl-io", Service::Talosctl),
        (first == "container_id" && has("image"), "docker-ps", Service::State),
    ];
    if resource {
        let at = columns.iter().position(|c| c.name == "type").unwrap_or_default();
        let service = if has("node") { Service::Talosctl } else { Service::Omnictl };
        return (cells.get(at).cloned().unwrap_or_default(), service);
    }
    let found = by_columns.iter().find(|(fits, ..)| *fits);
    found.map_or(("other".to_owned(), Service::State), |(_, name, service)| ((*name).to_owned(), *service))
}

/// Entities, time and severity of a row.
fn add_meaning(event: &mut Event<'static>, table: &str, context: &Context) {
    let cell = |event: &Event, name: &str| event.get(name).unwrap_or_default().to_owned();
    let name = cell(event, "name");
    match table {
        "qm-list" => {
            let vmid = cell(event, "vmid");
            entity(event, "pve.vmid", &vmid);
            entity(event, "pve.vm_name", &name);
            context.pve_node.into_iter().for_each(|n| entity(event, "pve.node", n));
        }
        "pvesm-status" => entity(event, "pve.storage", &name),
        "infraprovider-list" => {
            let id = cell(event, "id");
            entity(event, "omni.provider", &id);
        }
        "kubectl-nodes" => {
            let address = cell(event, "internal-ip");
            entity(event, "k8s.node", &name);
            entity(event, "node.address", if address == "<none>" { "" } else { &address });
        }
        "kubectl-pods" | "kubectl-csr" => add_kubernetes_node(event),
        "kubectl-events" => {
            event.severity = Severity::from_word(cell(event, "type").as_bytes());
            add_kubernetes_node(event);
        }
        "pvenode-tasks" => add_task(event),
        "etcd-members" => {
            // `etcdctl` has other titles than `talosctl`.
            let host = event.get("hostname").or(event.get("name")).unwrap_or_default().to_owned();
            let member = cell(event, "id");
            if let Some(learner) = event.get("is_learner").map(str::to_owned) {
                attribute(event, "learner", &learner);
            }
            entity(event, "k8s.node", &host);
            entity(event, "etcd.member", &member);
            // The column NODE tells who answered, not whose row it is.
            event.node = event.get("node").or(context.node).map(|n| n.to_owned().into());
        }
        "etcd-status" => {
            let member = cell(event, "member");
            entity(event, "etcd.member", &member);
            add_node(event, context);
        }
        "docker-ps" | "other" => {}
        _ => add_resource(event, table, context),
    }
}

/// The node of a row of `talosctl`.
fn add_node(event: &mut Event<'static>, context: &Context) {
    let name = event.get("node").filter(|n| !n.is_empty()).or(context.node).unwrap_or_default().to_owned();
    node(event, &name);
}

/// A row of a resource table.
fn add_resource(event: &mut Event<'static>, table: &str, context: &Context) {
    let omni = event.service == Some(Service::Omnictl);
    let id = event.get("id").unwrap_or_default().to_owned();
    if !omni {
        return add_node(event, context);
    }
    match of_id(&singular(table)) {
        Some("omni.machine") if !is_machine_id(&id) => {}
        Some("omni.machine") => {
            let address = event.get("address").unwrap_or_default().to_owned();
            entity(event, "omni.machine", &id);
            entity(event, "siderolink.address", &address);
        }
        Some(name) => entity(event, name, &id),
        None => {}
    }
}

/// The Kubernetes node that a row names: the column `node`, or `node/NAME`, or `system:node:NAME`.
fn add_kubernetes_node(event: &mut Event<'static>) {
    let column = |name: &str| event.get(name).unwrap_or_default();
    let named = [
        Some(column("node")).filter(|n| *n != "<none>"),
        column("object").strip_prefix("node/"),
        column("requestor").strip_prefix("system:node:"),
    ];
    for name in named.into_iter().flatten().map(str::to_owned).collect::<Vec<_>>() {
        entity(event, "k8s.node", &name);
    }
}

/// What the UPID of a task says, under the names that other lists of tasks use.
fn add_task(event: &mut Event<'static>) {
    let upid = event.get("upid").unwrap_or_default().to_owned();
    let status = event.get("status").unwrap_or_default().to_owned();
    let parts: Vec<&str> = upid.split(':').collect();
    let [_, node, _, _, start, kind, id, user, ..] = parts.as_slice() else { return };
    if let Ok(seconds) = i64::from_str_radix(start, 16) {
        event.time = RawTime::Utc(seconds.saturating_mul(1_000_000));
    }
    let named = [
        ("pve.upid", upid.as_str()),
        ("pve.node", node),
        ("pve.task.type", kind),
        ("pve.vmid", if is_vmid(id) { id } else { "" }),
        ("pve.user", user),
    ];
    for (name, value) in named.iter().filter(|(_, v)| !v.is_empty()) {
        attribute(event, *name, value);
        entity(event, name, value);
    }
    attribute(event, "pve.task.status", &status);
}
