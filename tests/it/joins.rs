//! samples/twins: an innocent look-alike for each join of sources, beside the incidents `samples/incidents/join-*`.
//!
//! ```toml
//! of = "join-b-destroyed-by-hand"      # the incident that it resembles
//! fault = "scenario/cause"             # what that incident is, and this is not
//! at_most = 0.2                        # the confidence that the fault may have; 0.2 when it is left out
//! at_least = 0.2                       # hedged: it must have this much (optional)
//! id = "scenario/other"                # what it is instead, at rank 1 (optional)
//! healthy = true                       # nothing may be named with 0.5 or more (optional)
//! collect = "docker logs"              # a command to collect what would decide holds this (optional)
//! ```
//!
//! The incidents themselves are judged by `incidents`; here, that each shows the chain over its sources (`chain`: parts of
//! source names, each must be the source of a piece of evidence of rank 1).

use std::path::{Path, PathBuf};

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

use crate::lab;
use crate::support::{Dir, confidences, entries, files, none, omnilog, read, samples};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Twin {
    of: String,
    fault: String,
    #[serde(default = "little")]
    at_most: f64,
    #[serde(default)]
    at_least: f64,
    id: Option<String>,
    #[serde(default)]
    healthy: bool,
    collect: Option<String>,
}

fn little() -> f64 {
    0.2
}

#[derive(Debug, Deserialize)]
struct Chain {
    #[serde(default)]
    chain: Vec<String>,
}

fn folders(kind: &str) -> Vec<PathBuf> {
    let join = |p: &PathBuf| p.is_dir() && name(p).starts_with("join-");
    entries(&samples(kind)).into_iter().filter(join).collect()
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn expected<T: for<'d> Deserialize<'d>>(folder: &Path) -> T {
    let path = folder.join("expected.toml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn innocent_twins_are_not_blamed() {
    let mut complaints = Vec::new();
    for folder in folders("twins") {
        let twin: Twin = expected(&folder);
        let report = omnilog([folder.join("input")]).report();
        complaints.extend(judge(&twin, &report).into_iter().map(|c| format!("{}: {c}", name(&folder))));
    }
    none(&complaints);
}

fn judge(twin: &Twin, report: &Value) -> Vec<String> {
    let ranking = confidences(report);
    let of = |id: &str| ranking.iter().find(|(i, _)| i == id).map_or(0.0, |(_, c)| *c);
    let mut complaints = Vec::new();
    if of(&twin.fault) > twin.at_most || of(&twin.fault) < twin.at_least {
        complaints.push(format!("{} has {:.2}", twin.fault, of(&twin.fault)));
    }
    if twin.healthy && ranking.first().is_some_and(|(_, c)| *c >= 0.5) {
        complaints.push(format!("names {}", lab::best(&ranking)));
    }
    if twin.id.as_ref().is_some_and(|id| ranking.first().is_none_or(|(i, c)| i != id || *c < 0.5)) {
        complaints.push(format!("{} instead of {:?}", lab::best(&ranking), twin.id));
    }
    let causes = report["root_causes"].as_array().cloned().unwrap_or_default();
    let fault = causes.iter().find(|c| c["id"] == twin.fault.as_str());
    let collects = |text: &String| fault.is_some_and(|f| f["collect"].to_string().contains(text.as_str()));
    complaints.extend(twin.collect.iter().filter(|t| !collects(t)).map(|t| format!("does not collect {t:?}")));
    complaints
}

#[test]
fn the_evidence_shows_the_chain_over_the_sources() {
    let mut complaints = Vec::new();
    for folder in folders("incidents") {
        let expected: Chain = expected(&folder);
        let report = omnilog([folder.join("input")]).report();
        let evidence = report["root_causes"][0]["evidence"].as_array().cloned().unwrap_or_default();
        let shown = |part: &String| evidence.iter().any(|e| e["source"].as_str().is_some_and(|s| s.contains(part)));
        let missing = expected.chain.iter().filter(|part| !shown(part));
        complaints.extend(missing.map(|part| format!("{}: no evidence from {part}", name(&folder))));
    }
    none(&complaints);
}

#[test]
fn every_join_has_an_incident_and_a_twin() {
    let incidents: Vec<String> = folders("incidents").iter().map(|f| name(f)).collect();
    let twins: Vec<Twin> = folders("twins").iter().map(|f| expected(f)).collect();
    let strays = twins.iter().filter(|t| !incidents.contains(&t.of)).map(|t| format!("no incident {}", t.of));
    let begins = |name: &str, letter: char| name.starts_with(&format!("join-{letter}-"));
    let lonely =
        ('a'..='j').filter(|l| !twins.iter().any(|t| begins(&t.of, *l)) || !incidents.iter().any(|i| begins(i, *l)));
    none(&strays.chain(lonely.map(|l| format!("join {l} lacks an incident or a twin"))).collect::<Vec<_>>());
    assert!(read("samples/README.md").contains("`twins/"), "samples/README.md does not list samples/twins");
}

#[test]
fn the_first_page_shows_the_reason_and_the_bare_word_behind_which_it_hid() {
    let done = omnilog([samples("incidents").join("join-a-stopped-storage-full/input")]).done();
    done.says("free space in thin pool").says("provider.log:");
}

/// The report of a bundle without one of its files.
fn without(folder: &Path, left_out: &str) -> Value {
    let dir = Dir::new();
    for path in files(folder).iter().filter(|p| !p.ends_with(left_out)) {
        let name = path.strip_prefix(folder).expect("inside").to_str().expect("UTF-8");
        dir.write(name, &std::fs::read(path).expect("readable"));
    }
    omnilog([dir.path()]).report()
}

#[test]
fn without_the_provider_log_a_deletion_is_hedged_and_the_command_that_decides_is_named() {
    const DELETION: &str = "state-drift/out-of-band-vm-deletion";
    for folder in folders("incidents").iter().filter(|f| name(f).starts_with("join-b-")) {
        let report = without(&folder.join("input"), "provider.log");
        let (best, sure) = confidences(&report)[0].clone();
        let name = name(folder);
        assert!(best == DELETION && (0.5..0.8).contains(&sure), "{name}: {best} {sure}");
        let next = report["collect_next"][0]["run"].as_str().expect("a command");
        assert_eq!(next, "docker logs --timestamps --since 2026-09-22T06:50:00Z omni-infra-provider-proxmox", "{name}");
    }
    for folder in folders("twins").iter().filter(|f| name(f).starts_with("join-b-")) {
        let ranking = confidences(&without(&folder.join("input"), "provider.log"));
        assert!(ranking.first().is_none_or(|(_, sure)| *sure < 0.5), "{}: {}", name(folder), lab::best(&ranking));
    }
}

#[test]
fn a_deletion_began_when_the_vm_was_destroyed_and_not_when_its_record_was_made() {
    for incident in ["join-b-destroyed-by-hand", "join-b-destroyed-by-cli"] {
        let input = samples("incidents").join(incident).join("input");
        let report = omnilog([&input]).report();
        let since = report["root_causes"][0]["first_seen"].as_str().expect("a time");
        assert_eq!(since.get(..16), Some("2026-09-22T07:00"), "{incident}");
        let timeline = report["timeline"].to_string();
        assert!(!timeline.contains("2026-09-21T"), "{incident}: {timeline}");
        omnilog([&input]).done().says("since    2026-09-22T07:00");
    }
}

#[test]
fn a_chain_holds_effects_and_no_look_alikes_and_none_of_them_before_its_cause() {
    let lag = Regex::new(r"(?m)^ *(?:chain)? +-\d+ (?:s|min|h|d) ").expect("a regex");
    let mut drawn = 0;
    for folder in folders("incidents") {
        let text = omnilog([folder.join("input")]).done().stdout;
        drawn += usize::from(text.contains("  chain "));
        assert!(!lag.is_match(&text), "{}:\n{text}", name(&folder));
    }
    assert!(drawn >= 5, "only {drawn} chains");
    let host = omnilog([samples("incidents").join("join-d-node-down/input")]);
    let text = host.done().stdout;
    assert!(text.contains("etcd has no leader or no quorum"), "{text}");
    assert!(!text.contains("A firewall keeps the etcd members"), "{text}");
}

#[test]
fn the_host_that_only_tells_of_another_one_is_not_the_one_concerned() {
    let journal = samples("incidents").join("join-d-node-down/input/pve/pve1/journal.log");
    let report = omnilog([&journal]).report();
    let first = &report["root_causes"][0];
    assert_eq!(first["id"], "proxmox-cluster/node-offline", "{report:#}");
    assert!(first["entities"]["pve.node"].is_null(), "{}", first["entities"]);
    assert!(!first["remediation"].to_string().contains("delnode pve1"), "the host that lives is to be removed");
    let whole = omnilog([samples("incidents").join("join-d-node-down/input")]).report();
    assert_eq!(whole["root_causes"][0]["entities"]["pve.node"], serde_json::json!(["pve2"]));
}
