//! samples/state: a file of each kind of state document. `expected.toml` says what its events must carry, and which root
//! cause (or version) comes of it.
//!
//! ```toml
//! ["qm-list.txt"]
//! format = "table"                          # of one event, which has all of `has`
//! has = { table = "qm-list", vmid = "101" }
//! events = 2                                # in the whole file
//! cause = "scenario/cause"                  # optional: has evidence in this file
//! version = { talos = "1.12.4" }            # optional: stands under `coverage.versions`
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::support::{Dir, files, none, omnilog, samples};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    format: String,
    events: usize,
    has: BTreeMap<String, String>,
    cause: Option<String>,
    #[serde(default)]
    version: BTreeMap<String, String>,
}

fn expected() -> BTreeMap<String, Expected> {
    let path = samples("state").join("expected.toml");
    toml::from_str(&std::fs::read_to_string(path).expect("a file")).expect("TOML")
}

fn name(path: &Path) -> String {
    path.strip_prefix(samples("state")).expect("below it").to_string_lossy().into_owned()
}

/// The events that `omnilog events` gives for a file.
fn events(path: &Path) -> Vec<Value> {
    let done = omnilog(["events", "--format", "ndjson"]).args([path]).exits(0);
    done.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn carries(event: &Value, key: &str, value: &str) -> bool {
    let pairs = event["attributes"].as_array().cloned().unwrap_or_default();
    pairs.iter().any(|pair| pair[0] == key && pair[1] == value)
}

#[test]
fn every_kind_of_document_gives_events_with_attributes() {
    let expected = expected();
    let found: Vec<PathBuf> = files(&samples("state")).into_iter().filter(|p| !p.ends_with("expected.toml")).collect();
    let names: Vec<String> = found.iter().map(|path| name(path)).collect();
    assert_eq!(names, expected.keys().cloned().collect::<Vec<_>>(), "expected.toml names every file");
    let mut complaints = Vec::new();
    for path in &found {
        let (name, events) = (name(path), events(path));
        let wanted = &expected[&name];
        if events.len() != wanted.events {
            complaints.push(format!("{name}: {} events instead of {}", events.len(), wanted.events));
        }
        let fits =
            |e: &&Value| e["format"] == wanted.format.as_str() && wanted.has.iter().all(|(k, v)| carries(e, k, v));
        if !events.iter().any(|e| fits(&e)) {
            complaints.push(format!("{name}: no {} with {:?} in {events:#?}", wanted.format, wanted.has));
        }
    }
    none(&complaints);
}

#[test]
fn what_documents_tell_is_used() {
    let mut complaints = Vec::new();
    for (name, wanted) in expected() {
        let report = omnilog(["--all"]).args([samples("state").join(&name)]).report();
        for (application, version) in &wanted.version {
            let seen = &report["coverage"]["versions"][application];
            if !seen.as_array().is_some_and(|list| list.iter().any(|v| v == version)) {
                complaints.push(format!("{name}: {application} is not {version}: {}", report["coverage"]["versions"]));
            }
        }
        let causes = report["root_causes"].as_array().cloned().unwrap_or_default();
        if let Some(id) = wanted.cause.filter(|id| !causes.iter().any(|c| c["id"] == id.as_str())) {
            complaints.push(format!("{name}: {id} is not among {:?}", crate::support::confidences(&report)));
        }
    }
    none(&complaints);
}

/// A document that is evidence as it stands, and no longer when one value is another.
struct Use {
    what: &'static str,
    /// The folder or file of the case, below `samples/`.
    case: &'static str,
    document: &'static str,
    cause: &'static str,
    evidence: &'static str,
    from: &'static str,
    to: &'static str,
}

const USES: &[Use] = &[
    Use {
        what: "SCSI controller",
        case: "incidents/vm-reboot-loop--scsi-controller",
        document: "158.conf",
        cause: "vm-reboot-loop/scsi-controller",
        evidence: "single-and-no-disk",
        from: "scsihw: virtio-scsi-single",
        to: "scsihw: virtio-scsi-pci",
    },
    Use {
        what: "BIOS",
        case: "incidents/vm-reboot-loop--bios-firmware-mismatch",
        document: "123.conf",
        cause: "vm-reboot-loop/bios-firmware-mismatch",
        evidence: "keys-and-denied",
        from: "pre-enrolled-keys=1",
        to: "pre-enrolled-keys=0",
    },
    Use {
        what: "CPU type",
        case: "incidents/vm-reboot-loop--cpu-type-unsupported",
        document: "130.conf",
        cause: "vm-reboot-loop/cpu-type-unsupported",
        evidence: "vm-has-old-cpu",
        from: "cpu: kvm64",
        to: "cpu: x86-64-v2-AES",
    },
    Use {
        what: "META and STATE",
        case: "state/talosctl-get-volumestatus.txt",
        document: "talosctl-get-volumestatus.txt",
        cause: "vm-reboot-loop/stale-disk-state",
        evidence: "meta-and-state-missing",
        from: "missing",
        to: "ready  ",
    },
    Use {
        what: "machines disconnected",
        case: "incidents/stuck-destroying--unreachable-node/omnictl/machines.yaml",
        document: "machines.yaml",
        cause: "stuck-destroying/unreachable-node",
        evidence: "torn-down-and-gone",
        from: "connected: false",
        to: "connected: true",
    },
];

impl Use {
    /// Whether the evidence stands on the document, once `from` was replaced by `to`.
    fn is_cited(&self, to: &str) -> bool {
        let dir = Dir::new();
        let case = samples("").join(self.case);
        let base = if case.is_dir() { case.clone() } else { case.parent().expect("a folder").to_owned() };
        let list = if case.is_dir() { files(&case) } else { vec![case] };
        for path in list.iter().filter(|path| !path.ends_with("expected.toml")) {
            let mut bytes = std::fs::read(path).expect("a file");
            if path.ends_with(self.document) {
                let text = String::from_utf8(bytes).expect("UTF-8");
                assert!(text.contains(self.from), "{}: no {:?}", self.document, self.from);
                bytes = text.replace(self.from, to).into_bytes();
            }
            dir.write(&format!("in/{}", path.strip_prefix(&base).expect("below it").display()), &bytes);
        }
        let report = omnilog(["in", "--all"]).within(dir.path()).report();
        let causes = report["root_causes"].as_array().cloned().unwrap_or_default();
        let evidence = causes
            .iter()
            .filter(|c| c["id"] == self.cause)
            .flat_map(|c| c["evidence"].as_array().into_iter().flatten());
        evidence.into_iter().any(|e| {
            e["id"] == self.evidence && e["source"].as_str().is_some_and(|source| source.ends_with(self.document))
        })
    }
}

#[test]
fn a_value_in_a_document_decides_whether_it_is_evidence() {
    let mut complaints = Vec::new();
    for case in USES {
        let (as_is, changed) = (case.is_cited(case.from), case.is_cited(case.to));
        if !as_is || changed {
            complaints.push(format!("{}: evidence {as_is}, and {changed} with {:?}", case.what, case.to));
        }
    }
    none(&complaints);
}

#[test]
fn a_request_that_is_torn_down_for_hours_is_evidence_and_one_for_minutes_or_in_use_is_none() {
    let confidence = |phase: &str, beat: &str| {
        let request = "metadata:\n    namespace: infra-provider\n    type: MachineRequests.omni.sidero.dev\n    id: demo-workers-a1b2c3\n    \
             version: 4\n    phase: tearingDown\n    created: 2026-09-14T05:55:00Z\n    updated: 2026-09-15T08:00:00Z\n    finalizers:\n        \
             - proxmox.ProvisionController\nspec:\n    talosversion: 1.12.4\n---\n";
        let health = format!(
            "metadata:\n    namespace: infra-provider\n    type: InfraProviderHealthStatuses.omni.sidero.dev\n    id: proxmox\n    version: 9\n    \
             phase: running\n    created: 2026-09-01T05:55:00Z\n    updated: {beat}\nspec:\n    lastheartbeattimestamp: {beat}\n"
        );
        let request = request.replace("phase: tearingDown", &format!("phase: {phase}"));
        let dir = Dir::with(&[("in/get.yaml", &(request + &health))]);
        let report = omnilog(["in", "--all"]).within(dir.path()).report();
        let causes = report["root_causes"].as_array().cloned().unwrap_or_default();
        let cause = causes.iter().find(|c| c["id"] == "stuck-destroying/finalizer-deadlock");
        cause.and_then(|c| c["confidence"].as_f64()).unwrap_or(0.0)
    };
    let (minutes, hours) =
        (confidence("tearingDown", "2026-09-15T08:05:00Z"), confidence("tearingDown", "2026-09-15T11:00:00Z"));
    assert!(hours > minutes && hours >= 0.8, "{minutes} after minutes, {hours} after hours");
    let in_use = confidence("running", "2026-09-15T11:00:00Z");
    assert!(in_use < 0.2, "{in_use} for a request that nobody tears down");
}

/// A line in an envelope, as a script's output has it in logs and a quote has it in tickets.
type Envelope = (&'static str, fn(&str) -> String);

const ENVELOPES: &[Envelope] = &[
    ("nothing", str::to_owned),
    ("docker logs --timestamps", |line| format!("2026-09-15T08:00:00.123456789Z {line}")),
    ("CRI", |line| format!("2026-09-15T08:00:00.123456789Z stdout F {line}")),
    ("kubectl logs --prefix", |line| format!("[pod/check-7d4b9c/check] {line}")),
    ("the journal", |line| format!("Sep 15 08:00:00 pve1 check.sh[4711]: {line}")),
    ("a Markdown quote", |line| format!("> {line}")),
];

#[test]
fn tables_are_read_in_every_envelope_and_at_any_indentation() {
    let tables = [
        ("talosctl-get-volumestatus.txt", 3),
        ("qm-list.txt", 2),
        ("etcdctl-member-list.txt", 2),
        ("kubectl-get-pods.txt", 2),
        ("lvs.txt", 4),
    ];
    let mut complaints = Vec::new();
    for (file, rows) in tables {
        let text = std::fs::read_to_string(samples("state").join(file)).expect("a file");
        for indent in ["", "    "] {
            let plain: Vec<String> = text.lines().map(|line| format!("{indent}{line}")).collect();
            let mut alone = None;
            for (name, wrap) in ENVELOPES {
                let wrapped: String = plain.iter().map(|line| wrap(line) + "\n").collect();
                let dir = Dir::with(&[("table.log", &wrapped)]);
                let path = dir.join("table.log");
                let found = events(&path).iter().filter(|e| e["format"] == "table").count();
                if found != rows {
                    complaints.push(format!("{file} in {name}, {indent:?}: {found} rows in `events`"));
                }
                let causes = crate::support::confidences(&omnilog(["--all"]).args([&path]).report());
                let alone = alone.get_or_insert_with(|| causes.clone());
                if causes != *alone {
                    complaints.push(format!("{file} in {name}, {indent:?}: {causes:?} instead of {alone:?}"));
                }
            }
        }
    }
    none(&complaints);
}

#[test]
fn documents_of_any_kind_are_read_in_a_quote() {
    let mut complaints = Vec::new();
    for file in ["omnictl-get.yaml", "kubectl-get.json", "kubectl-describe-node.txt", "qm-config.conf"] {
        let text = std::fs::read_to_string(samples("state").join(file)).expect("a file");
        let quoted = text.lines().map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n");
        let dir = Dir::with(&[("ticket.md", &quoted)]);
        let formats = |path: &Path| events(path).iter().map(|e| e["format"].to_string()).collect::<Vec<_>>();
        let (plain, quoted) = (formats(&samples("state").join(file)), formats(&dir.join("ticket.md")));
        let documents = |list: &[String]| list.iter().filter(|f| **f != "\"plain\"").count();
        if documents(&plain) != documents(&quoted) {
            complaints.push(format!("{file}: {quoted:?} instead of {plain:?}"));
        }
    }
    none(&complaints);
}

#[test]
fn what_is_no_table_stays_a_log() {
    // Words in capitals within a line, and headings with no rows below.
    let log = "2026-09-15T08:00:01.1Z scan of ID  NAME  STATE ended\n> and so on\n2026-09-15T08:00:00.1Z NAME   READY   STATUS\n> NAME   READY   STATUS\n";
    let dir = Dir::with(&[("a.log", log)]);
    let bodies: Vec<String> = events(&dir.join("a.log")).iter().map(|e| e["format"].to_string()).collect();
    assert_eq!(bodies.len(), 4, "{bodies:?}");
    assert!(!bodies.iter().any(|format| format == "\"table\""), "{bodies:?}");
}
