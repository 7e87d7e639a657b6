//! Which names belong to one thing: VMID 104, machine request `demo-workers-abc`, machine UUID, node name.
//!
//! Names are tied only by a document or record that tells them together, never by similarity or time.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::entities::MACHINE;

type Name = (String, String);

/// Names and what they are tied to.
#[derive(Debug, Default)]
pub struct EntityGraph {
    ties: BTreeMap<Name, BTreeSet<Name>>,
}

impl EntityGraph {
    /// Ties the names of each link.
    pub fn new<'l>(links: impl IntoIterator<Item = &'l Vec<Name>>) -> Self {
        let mut graph = Self::default();
        for link in links {
            let machine: Vec<&Name> = link.iter().filter(|(k, _)| MACHINE.contains(&k.as_str())).collect();
            // A record that tells two values of one key speaks of several machines: it ties nothing.
            let keys: BTreeSet<&str> = machine.iter().map(|(k, _)| k.as_str()).collect();
            if keys.len() != machine.len() {
                continue;
            }
            for a in &machine {
                for b in machine.iter().filter(|b| *b != a) {
                    graph.ties.entry((*a).clone()).or_default().insert((*b).clone());
                }
            }
        }
        graph
    }

    /// The value of `key` that names the same thing as one of `names`; `None` when there is none or more than one.
    pub fn resolve<'n>(&self, names: impl Iterator<Item = &'n Name>, key: &str) -> Option<String> {
        let names: Vec<&Name> = names.collect();
        if let Some((_, value)) = names.iter().find(|(k, _)| k == key) {
            return Some(value.clone());
        }
        let mut seen: BTreeSet<Name> =
            names.into_iter().filter(|(k, _)| MACHINE.contains(&k.as_str())).cloned().collect();
        let mut open: Vec<Name> = seen.iter().cloned().collect();
        while let Some(name) = open.pop() {
            for tied in self.ties.get(&name).into_iter().flatten() {
                if seen.insert(tied.clone()) {
                    open.push(tied.clone());
                }
            }
        }
        let mut values = seen.iter().filter(|(k, _)| k == key).map(|(_, v)| v);
        match (values.next(), values.next()) {
            (Some(value), None) => Some(value.clone()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(key: &str, value: &str) -> Name {
        (key.into(), value.into())
    }

    #[test]
    fn names_are_tied_over_several_documents() {
        let links = [
            vec![name("omni.machine_request", "w-1"), name("pve.vmid", "104")],
            vec![name("omni.machine_request", "w-1"), name("omni.machine", "uuid-1")],
        ];
        let graph = EntityGraph::new(&links);
        assert_eq!(graph.resolve([name("omni.machine", "uuid-1")].iter(), "pve.vmid").as_deref(), Some("104"));
        assert_eq!(graph.resolve([name("omni.machine", "other")].iter(), "pve.vmid"), None);
    }

    #[test]
    fn two_vms_with_one_uuid_are_never_merged() {
        let links = [
            vec![name("omni.machine", "uuid-1"), name("pve.vmid", "104")],
            vec![name("omni.machine", "uuid-1"), name("pve.vmid", "205")],
        ];
        let graph = EntityGraph::new(&links);
        assert_eq!(graph.resolve([name("omni.machine", "uuid-1")].iter(), "pve.vmid"), None);
        assert_eq!(graph.resolve([name("pve.vmid", "104")].iter(), "pve.vmid").as_deref(), Some("104"));
    }
}
