//! Names of things that records speak of.

/// Keys that name one machine. Two values of one key are two machines.
pub const MACHINE: &[&str] = &["pve.vmid", "omni.machine", "omni.machine_request", "k8s.node", "talos.node"];

/// Whether a record with these keys ties names of one machine together.
pub fn ties<'k>(keys: impl Iterator<Item = &'k str>) -> bool {
    keys.filter(|k| MACHINE.contains(k)).count() > 1
}
