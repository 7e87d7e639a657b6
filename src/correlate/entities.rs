//! Which names belong to one thing: VMID 104, machine request `demo-workers-abc`, machine UUID, addresses, node name.
//!
//! Names are tied only by a document or record that tells them together, never by similarity or time. A name that
//! belongs to two machines (a cloned SMBIOS UUID, an address used twice) joins none: what is known of one machine never
//! becomes known of another.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::event::entities::{MACHINE, SINGLE, link};

type Name = (String, String);

/// Names and what they are tied to.
#[derive(Debug, Default)]
pub struct EntityGraph {
    ties: BTreeMap<Name, BTreeSet<Name>>,
    /// Names by the machine they belong to for certain.
    machine: HashMap<Name, usize>,
    /// All names of each machine.
    names: Vec<BTreeSet<Name>>,
}

impl EntityGraph {
    /// Ties the names of each link.
    pub fn new<'l>(links: impl IntoIterator<Item = &'l Vec<Name>>) -> Self {
        let mut graph = Self::default();
        for told in links {
            let told = link(told);
            let machine: Vec<&Name> = told.iter().filter(|(k, _)| MACHINE.contains(&k.as_str())).collect();
            // A record that tells two values of one key speaks of several machines: it ties nothing.
            let keys: BTreeSet<&str> = machine.iter().map(|(k, _)| k.as_str()).collect();
            if keys.len() != machine.len() || machine.is_empty() {
                continue;
            }
            for a in &told {
                for b in told.iter().filter(|b| *b != a) {
                    graph.ties.entry(a.clone()).or_default().insert(b.clone());
                }
            }
        }
        graph.tie_synonyms();
        graph.settle();
        graph
    }

    /// Ties names that are one by what the software does: a node called by its address, a VM called as its request.
    fn tie_synonyms(&mut self) {
        let same = |key: &str| match key {
            "talos.node" => &["node.address", "siderolink.address", "omni.machine"][..],
            "pve.vm_name" => &["omni.machine_request"],
            _ => &[],
        };
        let mut found = Vec::new();
        for name in self.ties.keys() {
            for key in same(&name.0) {
                let other = ((*key).to_owned(), name.1.clone());
                if self.ties.contains_key(&other) {
                    found.push((name.clone(), other));
                }
            }
        }
        for (a, b) in found {
            self.ties.entry(a.clone()).or_default().insert(b.clone());
            self.ties.entry(b).or_default().insert(a);
        }
    }

    /// Finds the machines: groups of tied names without contradiction.
    fn settle(&mut self) {
        let ambiguous: BTreeSet<Name> = self.ties.keys().filter(|n| self.is_ambiguous(n)).cloned().collect();
        let mut seen: BTreeSet<Name> = ambiguous.clone();
        let mut machines: Vec<BTreeSet<Name>> = Vec::new();
        for name in self.ties.keys() {
            if seen.contains(name) {
                continue;
            }
            let group = self.group(name, &ambiguous);
            seen.extend(group.iter().cloned());
            if !contradicts(&group) {
                machines.push(group);
            }
        }
        for (index, group) in machines.iter().enumerate() {
            self.machine.extend(group.iter().map(|n| (n.clone(), index)));
        }
        self.names = machines;
    }

    /// Whether a name is tied to two machines.
    fn is_ambiguous(&self, name: &Name) -> bool {
        self.ties.get(name).is_some_and(contradicts)
    }

    /// All names reached from one without passing through ambiguous ones.
    fn group(&self, from: &Name, ambiguous: &BTreeSet<Name>) -> BTreeSet<Name> {
        let mut group = BTreeSet::from([from.clone()]);
        let mut open = vec![from.clone()];
        while let Some(name) = open.pop() {
            for tied in self.ties.get(&name).into_iter().flatten().filter(|t| !ambiguous.contains(*t)) {
                if group.insert(tied.clone()) {
                    open.push(tied.clone());
                }
            }
        }
        group
    }

    /// The value of `key` that names the same thing as one of `names`; `None` when there is none or no telling which.
    ///
    /// Of several names of one kind for one machine the first in order stands for all, so that they group together.
    pub fn resolve<'n>(&self, names: impl Iterator<Item = &'n Name>, key: &str) -> Option<String> {
        let names: Vec<&Name> = names.collect();
        if let Some(own) = names.iter().find(|(k, _)| k == key) {
            let machine = self.machine.get(*own).and_then(|m| self.names.get(*m));
            let first = machine.and_then(|names| names.iter().find(|(k, _)| k == key));
            return Some(first.map_or_else(|| own.1.clone(), |(_, value)| value.clone()));
        }
        let machines: BTreeSet<usize> = names.iter().filter_map(|n| self.machine.get(*n).copied()).collect();
        match (machines.len(), machines.first()) {
            (1, Some(machine)) => {
                let known = self.names.get(*machine).and_then(|names| names.iter().find(|(k, _)| k == key));
                known.map(|(_, v)| v.clone()).or_else(|| self.direct(&names, key))
            }
            (0, _) => self.direct(&names, key),
            _ => None,
        }
    }

    /// The one value of `key` that a record tells together with one of `names`; none when it names another machine, too.
    fn direct(&self, names: &[&Name], key: &str) -> Option<String> {
        let tied = names.iter().filter_map(|n| self.ties.get(*n)).flatten();
        let values: BTreeSet<&Name> = tied.filter(|(k, _)| k == key).collect();
        match (values.len(), values.first()) {
            (1, Some(name)) if !self.is_ambiguous(name) => Some(name.1.clone()),
            _ => None,
        }
    }

    /// Names of the same machine as one of these, by key.
    pub fn known<'n>(&self, names: impl Iterator<Item = &'n Name>) -> Vec<Name> {
        let machines: BTreeSet<usize> = names.filter_map(|n| self.machine.get(n).copied()).collect();
        match (machines.len(), machines.first().and_then(|m| self.names.get(*m))) {
            (1, Some(names)) => names.iter().cloned().collect(),
            _ => Vec::new(),
        }
    }
}

/// Whether names can not all be of one machine.
fn contradicts(names: &BTreeSet<Name>) -> bool {
    SINGLE.iter().any(|key| names.iter().filter(|(k, _)| k == key).count() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(key: &str, value: &str) -> Name {
        (key.into(), value.into())
    }

    fn resolve(graph: &EntityGraph, from: Name, key: &str) -> Option<String> {
        graph.resolve([from].iter(), key)
    }

    #[test]
    fn names_are_tied_over_several_documents() {
        let links = [
            vec![name("omni.machine_request", "w-1"), name("pve.vmid", "104")],
            vec![name("omni.machine_request", "w-1"), name("omni.machine", "uuid-1")],
        ];
        let graph = EntityGraph::new(&links);
        assert_eq!(resolve(&graph, name("omni.machine", "uuid-1"), "pve.vmid").as_deref(), Some("104"));
        assert_eq!(resolve(&graph, name("omni.machine", "other"), "pve.vmid"), None);
    }

    #[test]
    fn two_vms_with_one_uuid_are_never_merged() {
        let links = [
            vec![name("omni.machine", "uuid-1"), name("pve.vmid", "104"), name("omni.machine_request", "w-1")],
            vec![name("omni.machine", "uuid-1"), name("pve.vmid", "205")],
            vec![name("pve.vmid", "205"), name("k8s.node", "other-node")],
        ];
        let graph = EntityGraph::new(&links);
        assert_eq!(resolve(&graph, name("omni.machine", "uuid-1"), "pve.vmid"), None);
        assert_eq!(resolve(&graph, name("omni.machine", "uuid-1"), "k8s.node"), None);
        assert_eq!(resolve(&graph, name("pve.vmid", "104"), "k8s.node"), None, "that is the node of VM 205");
        assert_eq!(resolve(&graph, name("omni.machine_request", "w-1"), "k8s.node"), None);
        assert_eq!(resolve(&graph, name("pve.vmid", "104"), "omni.machine"), None, "it stands for VM 205 as well");
        assert_eq!(resolve(&graph, name("pve.vmid", "104"), "omni.machine_request").as_deref(), Some("w-1"));
    }

    #[test]
    fn a_contradiction_over_several_steps_joins_nothing_far() {
        let links = [
            vec![name("pve.vmid", "104"), name("omni.machine", "uuid-1")],
            vec![name("omni.machine", "uuid-1"), name("omni.machine_request", "w-1")],
            vec![name("omni.machine_request", "w-1"), name("talos.node", "n")],
            vec![name("talos.node", "n"), name("pve.vmid", "205")],
        ];
        let graph = EntityGraph::new(&links);
        assert_eq!(resolve(&graph, name("pve.vmid", "104"), "talos.node"), None);
        assert_eq!(resolve(&graph, name("pve.vmid", "104"), "omni.machine").as_deref(), Some("uuid-1"));
    }

    #[test]
    fn a_node_is_the_same_by_address_and_by_host_name() {
        let links = [
            vec![name("omni.machine", "uuid-1"), name("k8s.node", "cp-1"), name("node.address", "192.0.2.11")],
            vec![name("talos.node", "192.0.2.11"), name("etcd.member", "8e9e05c52164694d")],
            vec![name("talos.node", "cp-1.example.org"), name("omni.machine", "uuid-1")],
        ];
        let graph = EntityGraph::new(&links);
        assert_eq!(resolve(&graph, name("etcd.member", "8e9e05c52164694d"), "k8s.node").as_deref(), Some("cp-1"));
        let by_address = resolve(&graph, name("talos.node", "192.0.2.11"), "talos.node");
        assert_eq!(by_address, resolve(&graph, name("talos.node", "cp-1.example.org"), "talos.node"));
    }

    #[test]
    fn an_address_that_two_machines_use_joins_neither() {
        let links = [
            vec![name("k8s.node", "a-1"), name("node.address", "192.0.2.11")],
            vec![name("k8s.node", "b-1"), name("node.address", "192.0.2.11")],
        ];
        let graph = EntityGraph::new(&links);
        assert_eq!(resolve(&graph, name("node.address", "192.0.2.11"), "k8s.node"), None);
    }

    #[test]
    fn a_vm_name_is_its_machine_request_where_both_are_known() {
        let links = [
            vec![name("pve.vmid", "104"), name("pve.vm_name", "demo-workers-abc")],
            vec![name("omni.machine_request", "demo-workers-abc"), name("omni.machine", "uuid-1")],
        ];
        let graph = EntityGraph::new(&links);
        assert_eq!(resolve(&graph, name("omni.machine", "uuid-1"), "pve.vmid").as_deref(), Some("104"));
    }

    #[test]
    fn a_task_leads_to_its_machine() {
        let upid = "UPID:pve1:0001A2B3:00F1E2D3:6AA91D00:imgcopy::root@pam:";
        let links = [vec![name("pve.upid", upid), name("omni.machine_request", "w-1")]];
        let graph = EntityGraph::new(&links);
        assert_eq!(resolve(&graph, name("pve.upid", upid), "omni.machine_request").as_deref(), Some("w-1"));
    }

    /// Whether some name of one list leads to a name of the other.
    fn meet(graph: &EntityGraph, one: &[Name], other: &[Name]) -> bool {
        let lead = |from: &[Name], to: &[Name]| {
            from.iter().any(|name| {
                to.iter().any(|(key, value)| graph.resolve([name].into_iter(), key).as_ref() == Some(value))
            })
        };
        lead(one, other) || lead(other, one)
    }

    #[test]
    fn vms_of_one_name_on_two_nodes_stay_two() {
        let one = vec![name("pve.vm_name", "web"), name("pve.vmid", "104"), name("omni.machine", "uuid-1")];
        let other = vec![name("pve.vm_name", "web"), name("pve.vmid", "205"), name("omni.machine", "uuid-2")];
        let graph = EntityGraph::new([&one, &other]);
        assert!(!meet(&graph, &one[1..], &other[1..]));
        assert_eq!(resolve(&graph, name("pve.vm_name", "web"), "pve.vmid"), None);
        assert_eq!(resolve(&graph, name("pve.vmid", "104"), "omni.machine").as_deref(), Some("uuid-1"));
    }

    #[test]
    fn a_number_given_to_a_second_vm_leads_to_neither() {
        for key in ["omni.machine", "omni.machine_request", "pve.vm_name"] {
            let former = vec![name("pve.vmid", "104"), name(key, "former"), name("talos.node", "192.0.2.11")];
            let later = vec![name("pve.vmid", "104"), name(key, "later"), name("talos.node", "192.0.2.12")];
            let graph = EntityGraph::new([&former, &later]);
            assert!(!meet(&graph, &former[1..], &later[1..]), "{key}");
            assert_eq!(resolve(&graph, name("pve.vmid", "104"), key), None, "{key}");
            assert_eq!(resolve(&graph, name("pve.vmid", "104"), "talos.node"), None, "{key}");
        }
    }

    #[test]
    fn an_address_leased_to_another_machine_joins_neither_whatever_it_is_called() {
        for key in ["node.address", "talos.node"] {
            let former = vec![name(key, "192.0.2.11"), name("omni.machine", "uuid-1"), name("k8s.node", "a")];
            let later = vec![name(key, "192.0.2.11"), name("omni.machine", "uuid-2"), name("k8s.node", "b")];
            let graph = EntityGraph::new([&former, &later]);
            assert!(!meet(&graph, &former[1..], &later[1..]), "{key}");
            assert_eq!(resolve(&graph, name(key, "192.0.2.11"), "k8s.node"), None, "{key}");
        }
    }

    #[test]
    fn a_node_made_anew_under_its_name_is_another_machine() {
        let former = vec![name("k8s.node", "w-1"), name("omni.machine", "uuid-1"), name("pve.vmid", "104")];
        let later = vec![name("k8s.node", "w-1"), name("omni.machine", "uuid-2"), name("pve.vmid", "131")];
        let graph = EntityGraph::new([&former, &later]);
        assert!(!meet(&graph, &former[1..], &later[1..]));
        assert_eq!(resolve(&graph, name("k8s.node", "w-1"), "pve.vmid"), None);
    }

    #[test]
    fn tasks_with_the_same_process_number_stay_two() {
        let upid = |node: &str, start: &str, vmid: &str| {
            name("pve.upid", &format!("UPID:{node}:0001A2B3:00F1E2D3:{start}:qmcreate:{vmid}:root@pam:"))
        };
        let one = vec![upid("pve1", "6AA91D00", "104"), name("omni.machine_request", "w-1")];
        let other = vec![upid("pve1", "6AA95D00", "131"), name("omni.machine_request", "w-2")];
        let third = vec![upid("pve2", "6AA91D00", "104"), name("omni.machine_request", "w-3")];
        let graph = EntityGraph::new([&one, &other, &third]);
        for (a, b) in [(&one, &other), (&one, &third), (&other, &third)] {
            assert!(!meet(&graph, a, b));
        }
    }
}
