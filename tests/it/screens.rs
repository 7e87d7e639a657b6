//! The text report as people see it: snapshots at several widths, the first screen of incidents, themes.
//!
//! `OMNILOG_WRITE_SNAPSHOTS=1` rewrites `tests/snapshots`; look at the difference before it is kept.

use rayon::prelude::*;
use unicode_width::UnicodeWidthStr;

use crate::support::{FULL, entries, none, omnilog, root, samples};

/// Incidents that are kept as snapshots.
const SNAPSHOTS: &[&str] = &[
    "first-run",
    "node-join--join-token-invalid",
    "etcd-unhealthy--slow-disk",
    // With a chain of effects.
    "join-d-node-down",
    // With what is not known and what to fetch.
    "state-drift--out-of-band-vm-deletion",
];

/// Widths of panes and terminals.
const WIDTHS: &[usize] = &[40, 60, 80, 120, 160];

/// Incidents that answer on the first screen of a narrow pane too.
const NARROW: &[usize] = &[50, 60];

/// Incidents of different kinds that are looked at in narrow panes.
const NARROWED: &[&str] = &[
    "first-run",
    "certificates--certificate-expired",
    "node-join--join-token-invalid",
    "etcd-unhealthy--slow-disk",
    "proxmox-storage--storage-full",
];

fn text(incident: &str, width: usize) -> String {
    let path = format!("samples/incidents/{incident}");
    omnilog([path.as_str()]).env("COLUMNS", &width.to_string()).exits(0).stdout
}

#[test]
fn the_text_report_looks_as_it_did() {
    let folder = root().join("tests/snapshots");
    let rewrite = std::env::var_os("OMNILOG_WRITE_SNAPSHOTS").is_some();
    let mut complaints = Vec::new();
    for incident in SNAPSHOTS {
        for width in WIDTHS {
            let (path, now) = (folder.join(format!("{incident}-{width}.txt")), text(incident, *width));
            if rewrite {
                std::fs::create_dir_all(&folder).expect("a folder");
                std::fs::write(&path, &now).expect("a snapshot");
            } else if std::fs::read_to_string(&path).unwrap_or_default() != now {
                complaints.push(format!("{} differs; OMNILOG_WRITE_SNAPSHOTS=1 rewrites it:\n{now}", path.display()));
            }
        }
    }
    none(&complaints);
}

#[test]
fn every_incident_is_answered_on_the_first_screen() {
    let incidents: Vec<String> = entries(&samples("incidents"))
        .iter()
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .filter(|name| !expected(name).is_empty())
        .collect();
    assert!(incidents.len() > 100, "{}", incidents.len());
    let complaints: Vec<String> = incidents.par_iter().flat_map_iter(|incident| unanswered(incident)).collect();
    none(&complaints);
}

/// The id that an incident is to be named by; empty for one that names none.
fn expected(incident: &str) -> String {
    let table: toml::Table =
        toml::from_str(&crate::support::read(&format!("samples/incidents/{incident}/expected.toml"))).expect("TOML");
    table.get("id").and_then(toml::Value::as_str).unwrap_or_default().to_owned()
}

/// What the first 24 lines of 80 columns do not tell of an incident.
fn unanswered(incident: &str) -> Vec<String> {
    let report = omnilog([format!("samples/incidents/{incident}").as_str()]).report();
    let first = &report["root_causes"][0];
    let shown = text(incident, 80);
    let screen: Vec<&str> = shown.lines().take(24).collect();
    let holds = |part: &str| screen.iter().any(|l| l.contains(part));
    // Places may be cut into lines at any byte.
    let joined: String = screen.iter().map(|l| l.trim()).collect();
    let verdict = first["verdict"].as_str().expect("a verdict").to_uppercase();
    let title = first["title"].as_str().expect("a title");
    let evidence = first["evidence"].as_array().expect("evidence");
    let place = evidence.iter().any(|e| {
        let source = e["source"].as_str().expect("a source");
        joined.contains(&format!("{}:{}", source.rsplit('/').next().unwrap_or(source), e["line"]))
    });
    let is_thing = |key: &String| ["pve.vmid", "pve.node", "k8s.node", "omni.machine_request"].contains(&key.as_str());
    let named = first["entities"].as_object().is_some_and(|e| e.keys().any(is_thing));
    // A row of a table is shown without a mark.
    let marked = evidence[0]["decisive"].is_string();
    let steps = first["remediation"].as_array().expect("steps");
    let run = steps.iter().filter_map(|s| s["run"].as_str()?.lines().next()).any(|run| !run.is_empty() && holds(run));
    let told = [
        ("verdict", holds(&verdict)),
        ("id", holds(&expected(incident))),
        ("sentence", holds(title.split(' ').take(4).collect::<Vec<_>>().join(" ").as_str())),
        ("time", holds("  since    ")),
        ("thing", !named || holds("  on       ")),
        ("place", place),
        ("mark", !marked || holds("^^^")),
        ("step", holds("do now")),
        ("command", run),
    ];
    let missing = told.iter().filter(|(_, there)| !there);
    missing.map(|(what, _)| format!("{incident}: no {what}:\n{}", screen.join("\n"))).collect()
}

#[test]
fn themes_change_colours_and_nothing_else() {
    let plain = omnilog::<&str>([]).input(FULL).exits(0).stdout;
    let mut colours = Vec::new();
    for theme in ["auto", "dark", "light"] {
        let done = omnilog(["--color", "always", "--theme", theme]).input(FULL).exits(0);
        assert_eq!(without_colour(&done.stdout), plain, "{theme}");
        // Yellow and cyan cannot be read on white, white not either.
        let unreadable = ["\u{1b}[33m", "\u{1b}[36m", "\u{1b}[37m", "\u{1b}[93m", "\u{1b}[96m", "\u{1b}[97m"];
        assert!(theme == "dark" || !unreadable.iter().any(|c| done.stdout.contains(c)), "{theme}: {:?}", done.stdout);
        colours.push(done.stdout);
    }
    colours.dedup();
    assert_eq!(colours.len(), 3, "three themes look alike");
}

#[test]
fn narrow_panes_show_the_proof_and_the_first_step_on_the_first_screen() {
    let mut complaints = Vec::new();
    for incident in NARROWED {
        for width in NARROW {
            let shown = text(incident, *width);
            let screen: Vec<&str> = shown.lines().take(24).collect();
            for part in ["CONFIRMED", "since", "proof", "^^^", "do now"] {
                if !screen.iter().any(|l| l.contains(part)) {
                    complaints.push(format!("{incident} at {width}: no {part}:\n{}", screen.join("\n")));
                }
            }
        }
    }
    none(&complaints);
}

#[test]
fn effects_are_drawn_below_their_cause_with_the_time_that_passed() {
    let shown = text("join-d-node-down", 80);
    let rows: Vec<&str> = shown.lines().skip_while(|l| !l.starts_with("  chain")).take(4).collect();
    assert!(rows[0].contains("02:30:06  node-offline"), "{shown}");
    assert!(rows[1..3].iter().all(|r| r.contains("├─▶ ")) && rows[3].contains("└─▶ "), "{shown}");
    assert!(rows[2].contains("+5 min  ├─▶ The machine"), "the earliest effect stands first: {shown}");
    assert!(rows[3].contains("+14 min  └─▶ The provider"), "{shown}");
    assert!(text("join-d-node-down", 160).contains("scaling-stalled/etcd-quorum-lost"), "ids where there is room");
}

#[test]
fn doubts_stand_above_the_steps_and_evidence_is_of_different_kinds() {
    let shown = text("state-drift--out-of-band-vm-deletion", 80);
    let line =
        |part: &str| shown.lines().position(|l| l.starts_with(part)).unwrap_or_else(|| panic!("{part}: {shown}"));
    assert!(line("  proof") < line("  unknown") && line("  unknown") < line("  do now"), "{shown}");
    assert!(line("  do now") < 24, "{shown}");
    // Three lines of the list of tasks say the same: one is shown, and how often.
    let shown = text("first-run", 80);
    let above = shown.split("  timeline").next().unwrap_or_default();
    assert_eq!(above.matches("tasks/index:").count(), 1, "{shown}");
    assert!(shown.contains("tasks/index:1 ×3") && shown.contains("provider.log:5 ×6"), "{shown}");
    let all = omnilog(["--all", "samples/incidents/first-run"]).exits(0).stdout;
    assert!(all.matches("tasks/index:").count() > 1, "{all}");
}

#[test]
fn several_root_causes_are_told_on_the_first_line() {
    let inputs = ["samples/incidents/first-run/input", "samples/incidents/etcd-unhealthy--slow-disk"];
    let shown = omnilog(inputs).env("COLUMNS", "120").exits(0).stdout;
    let first = shown.lines().next().unwrap_or_default();
    assert!(first.starts_with("2 root causes: "), "{shown}");
    assert!(first.contains("proxmox-storage/storage-full") && first.contains("etcd-unhealthy/slow-disk"), "{shown}");
}

#[test]
fn of_a_table_the_head_and_the_row_are_shown_and_a_thing_is_told_once() {
    let shown = text("join-h-storage-full-io-error", 160);
    let at = shown.lines().position(|l| l.contains("pvesm-status.txt:3")).unwrap_or_else(|| panic!("{shown}"));
    let rows: Vec<&str> = shown.lines().skip(at + 1).take(2).collect();
    assert!(rows[0].trim_start().starts_with("Name ") && rows[1].trim_start().starts_with("local-lvm "), "{shown}");
    // The machine request and the Kubernetes node of a machine have one name.
    let shown = text("state-drift--out-of-band-vm-deletion", 80);
    let on: Vec<&str> =
        shown.lines().skip_while(|l| !l.starts_with("  on ")).take_while(|l| !l.contains("proof")).collect();
    assert_eq!(on.join(" ").matches("demo-workers-8294w8").count(), 1, "{shown}");
}

#[test]
fn the_error_of_a_json_record_is_shown_and_not_only_its_head() {
    let error = "failed to clone the template: the disk image is locked by another task on host pve7";
    let log = format!(
        "{{\"level\":\"error\",\"ts\":1789459209.3,\"caller\":\"qruntime/qruntime.go:342\",\"msg\":\"reconcile failed\",\
         \"controller\":\"proxmox.ProvisionController\",\"namespace\":\"infra-provider\",\"error\":\"{error}\",\"n\":1}}\n"
    );
    let dir = crate::support::Dir::with(&[("tickets/one/provider.log", &log)]);
    let tail = "locked by another task on host pve7";
    let run = |args: &[&str]| omnilog(args).env("COLUMNS", "80").within(dir.path()).exits(0).stdout;
    for args in [&["--no-config", "tickets"][..], &["--no-config", "--all", "tickets"]] {
        assert!(run(args).contains(tail), "{}", run(args));
    }
}

/// The text without its escape sequences.
pub fn without_colour(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + part.split_once('m').map_or("", |(_, rest)| rest))
}

#[test]
fn the_mark_stands_under_what_the_regex_matched() {
    let log = "TASK ERROR: unable to create VM 104 - lvcreate 'pve/vm-104-disk-0' error: Cannot create new thin volume, \
               free space in thin pool pve/data reached threshold.\n";
    let done = omnilog(["--color", "never"]).env("COLUMNS", "160").input(log).exits(0);
    let lines: Vec<&str> = done.stdout.lines().collect();
    let mark = lines.iter().position(|l| l.contains("^^^")).unwrap_or_else(|| panic!("no mark: {done}"));
    let from = lines[mark].find('^').expect("a mark");
    let length = lines[mark].matches('^').count();
    let under: String = lines[mark - 1].chars().skip(from).take(length).collect();
    assert!(under.contains("Cannot create new thin volume"), "`{under}` in {done}");
    assert!(lines[mark].width() <= 160, "{done}");
}
