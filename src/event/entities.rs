//! Names of things that records speak of.

/// Keys that name one machine. Two values of one key in one record are two machines.
///
/// `talos.node` is what a client or a path calls a node: an address, a host name or a UUID.
pub const MACHINE: &[&str] = &[
    "pve.vmid",
    "omni.machine",
    "omni.machine_request",
    "k8s.node",
    "talos.node",
    "siderolink.address",
    "etcd.member",
    "pve.vm_name",
];

/// Keys of which a machine can have several values, but a value belongs to one machine.
pub const SEVERAL: &[&str] = &["node.address", "pve.upid"];

/// Keys of which a machine has one value over all sources; a second one means a second machine.
pub const SINGLE: &[&str] = &[
    "pve.vmid",
    "pve.vm_name",
    "omni.machine",
    "omni.machine_request",
    "k8s.node",
    "siderolink.address",
    "etcd.member",
];

/// Whether a key takes part in ties between names.
fn names_machine(key: &str) -> bool {
    MACHINE.contains(&key) || SEVERAL.contains(&key)
}

/// Whether a record with these keys ties names of one machine together.
///
/// The number of the guest that stands in a UPID ties nothing that the UPID does not tell by itself.
pub fn ties<'k>(keys: impl Iterator<Item = &'k str>) -> bool {
    let (mut count, mut beyond) = (0, false);
    for key in keys.filter(|k| names_machine(k)) {
        count += 1;
        beyond |= !matches!(key, "pve.upid" | "pve.vmid");
    }
    count > 1 && beyond
}

/// The names of one machine that a record with these entities tells together; fewer than two tie nothing.
///
/// The task that clones a VM carries the number of the template that is copied, so that number is left out.
pub fn link(entities: &[(String, String)]) -> Vec<(String, String)> {
    let cloned = entities.iter().find(|(k, v)| k == "pve.upid" && v.contains(":qmclone:"));
    let source = cloned.and_then(|(_, upid)| upid.split(':').nth(6));
    entities
        .iter()
        .filter(|(k, v)| names_machine(k) && !v.is_empty() && !(k == "pve.vmid" && Some(v.as_str()) == source))
        .cloned()
        .collect()
}

/// When the task of a UPID started, in seconds since the epoch: `UPID:node:pid:pstart:start:type:id:user:`.
pub fn upid_start(upid: &str) -> Option<i64> {
    i64::from_str_radix(upid.split(':').nth(4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_task_does_not_tie_the_template_to_the_new_machine() {
        let pair = |k: &str, v: &str| (k.to_owned(), v.to_owned());
        let told = [
            pair("omni.machine_request", "w-1"),
            pair("pve.upid", "UPID:pve1:0001A2B3:00F1E2D3:6AA91D00:qmclone:9000:root@pam:"),
            pair("pve.vmid", "9000"),
        ];
        assert!(link(&told).iter().all(|(k, _)| k != "pve.vmid"));
    }
}
