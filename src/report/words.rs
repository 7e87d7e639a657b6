//! Words for people that several renderers use.

use std::collections::BTreeMap;

use super::model::{Report, Symptom};

/// Said of errors that several root causes bring about.
pub const UNDECIDED: &str = "Known errors are there, but several root causes bring them about:";
/// What would tell them apart.
pub const MORE: &str = "give it what else was written at that time: the task logs and journal of Proxmox \
    (/var/log/pve/tasks), the logs of Omni, of the provider and of Talos, together in one folder";

/// What is said where nothing known was found and no warning or error is left over.
pub fn nothing_left(report: &Report) -> &'static str {
    if report.tells_severities() {
        "No warning or error is left unexplained either."
    } else {
        "Its lines do not tell how severe they are, so nothing can be said about other errors in it."
    }
}

/// Symptoms that are warnings or errors, each line once and the most frequent one of it.
pub fn known_errors(symptoms: &[Symptom]) -> Vec<&Symptom> {
    let mut known: Vec<&Symptom> = symptoms.iter().filter(|s| s.fault).collect();
    known.sort_by(|a, b| (&a.source, a.line, b.count).cmp(&(&b.source, b.line, a.count)));
    known.dedup_by(|a, b| a.source == b.source && a.line == b.line);
    known
}

/// The word for people of an entity that is worth showing.
pub fn named(key: &str) -> Option<&'static str> {
    Some(match key {
        "pve.vmid" => "VM",
        "pve.node" => "Proxmox node",
        "pve.storage" => "storage",
        "omni.machine_request" => "machine request",
        "omni.machine" => "machine",
        "omni.cluster" => "cluster",
        "omni.machine_set" => "machine set",
        "talos.node" => "Talos node",
        "k8s.node" => "Kubernetes node",
        "url" => "address",
        _ => return None,
    })
}

/// Things worth showing, with their word for people, the most telling kind first.
pub fn of_things(entities: &BTreeMap<String, Vec<String>>) -> Vec<(&'static str, &Vec<String>)> {
    let rank = |key: &str| THINGS.iter().position(|k| *k == key).unwrap_or(THINGS.len());
    let mut keys: Vec<&String> = entities.keys().collect();
    keys.sort_by_key(|key| rank(key));
    keys.into_iter().filter_map(|key| Some((named(key)?, entities.get(key)?))).collect()
}

/// A number with its noun.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Some values, and how many more there are.
pub fn some(values: &[String], limit: usize) -> String {
    let shown = values.iter().take(limit).map(String::as_str).collect::<Vec<_>>().join(", ");
    if values.len() > limit { format!("{shown} and {} more", values.len() - limit) } else { shown }
}

/// Entities by which a line of evidence is told from others, the most telling first.
const THINGS: &[&str] = &[
    "pve.vmid",
    "talos.node",
    "k8s.node",
    "omni.machine_request",
    "omni.machine",
    "pve.storage",
    "pve.node",
    "omni.machine_set",
    "omni.cluster",
];

/// What an event is about, for people: `VM 104`. Empty when it names nothing.
pub fn thing<'e>(entity: impl Fn(&str) -> Option<&'e str>) -> String {
    let found = THINGS.iter().find_map(|key| Some((named(key)?, entity(key)?)));
    found.map(|(word, value)| format!("{word} {value}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_telling_thing_is_named() {
        let entities = [("pve.node", "pve1"), ("pve.vmid", "104")];
        let entity = |key: &str| entities.iter().find(|(k, _)| *k == key).map(|(_, v)| *v);
        assert_eq!(thing(entity), "VM 104");
        assert_eq!(thing(|_| None), "");
    }
}
