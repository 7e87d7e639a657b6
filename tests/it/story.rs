//! One story over all sources: clocks that differ, zones that are not written, what a log covers, and whose names are one.

use serde_json::Value;

use crate::support::{Dir, confidences, omnilog};

/// Seconds since the epoch of 2026-09-15 12:00:00 UTC, the start of the stories here.
const NOON: i64 = 1_789_473_600;

/// A line of the provider.
fn provider(at: i64, rest: &str) -> String {
    format!(
        "{{\"level\":\"info\",\"ts\":{at}.25,\"caller\":\"controllers/provision.go:571\",{rest},\"controller\":\"proxmox.ProvisionController\",\
         \"namespace\":\"infra-provider\",\"type\":\"MachineRequests.omni.sidero.dev\",\"job\":\"reconcile\"}}\n"
    )
}

/// A line of the task index for a task that ended well.
fn task(start: i64, kind: &str, vmid: u32, user: &str) -> String {
    format!("UPID:pve1:0001A2B3:00F1E2D3:{start:08X}:{kind}:{vmid}:{user}: {:08X} OK\n", start + 3)
}

/// The time of day of a moment in a zone, as the journal writes it.
fn journal_stamp(at: i64, east: i64) -> String {
    let of_day = (at + east).rem_euclid(86_400);
    format!("Sep 15 {:02}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

/// The configuration of a VM that the provider made.
fn config(vmid: u32, request: &str, uuid: &str) -> String {
    format!(
        "boot: order=scsi0\ncores: 4\nmemory: 8192\nname: {request}\nscsi0: local-lvm:vm-{vmid}-disk-0,size=20G\n\
         scsihw: virtio-scsi-single\nsmbios1: uuid={uuid}\ntags: machine-request.plum-workers\n"
    )
}

fn input<'r>(report: &'r Value, name: &str) -> &'r Value {
    let inputs = report["inputs"].as_array().expect("inputs");
    let found = inputs.iter().find(|i| i["source"].as_str().is_some_and(|s| s.ends_with(name)));
    found.unwrap_or_else(|| panic!("{name} is not among {inputs:#?}"))
}

fn confidence(report: &Value, id: &str) -> f64 {
    confidences(report).into_iter().find(|(i, _)| i == id).map_or(0.0, |(_, c)| c)
}

#[test]
fn the_zone_of_a_journal_is_told_by_the_tasks_in_it() {
    for (east, written) in [(7200, "+02:00"), (-18_000, "-05:00"), (20_700, "+05:45"), (0, "+00:00")] {
        let starts = |n: i64| {
            let at = NOON + n * 600;
            let upid = format!("UPID:pve1:0001A2B3:00F1E2D3:{at:08X}:qmstart:104:root@pam:");
            format!("{} pve1 pvedaemon[1201]: <root@pam> starting task {upid}", journal_stamp(at, east))
        };
        let lines = [starts(0), starts(1), starts(2)].join("\n");
        let report = omnilog::<&str>([]).input(lines).report();
        let read = &report["inputs"][0];
        assert!(read["timezone"].as_str().expect("a zone").starts_with(written), "{read:#}");
        assert_eq!(read["first"], "2026-09-15T12:00:00Z", "{east}");
    }
}

#[test]
fn a_zone_that_the_user_gives_is_taken() {
    let at = NOON;
    let line = format!(
        "{} pve1 pvedaemon[1201]: <root@pam> starting task UPID:pve1:0001A2B3:00F1E2D3:{at:08X}:qmstart:104:root@pam:\n",
        journal_stamp(at, 7200)
    );
    let report = omnilog(["--timezone", "+01:00"]).input(line).report();
    assert_eq!(report["inputs"][0]["timezone"], "+01:00 as given, year inferred");
    // By that zone it is 13:00, and the start of the task tells that the clock is an hour ahead.
    assert_eq!(report["inputs"][0]["clock"]["ahead_seconds"], 3600.0);
    assert_eq!(report["inputs"][0]["first"], "2026-09-15T12:00:00Z");
}

/// A scale-down by the provider, with its clock so many seconds ahead of that of Proxmox.
fn scale_down(ahead: i64) -> Dir {
    let uuids = ["7f1c2d3e-0000-4000-8000-000000000001", "7f1c2d3e-0000-4000-8000-000000000002"];
    let (mut tasks, mut log) = (String::new(), provider(NOON - 7200 + ahead, "\"msg\":\"reconcile succeeded\""));
    let dir = Dir::new();
    for (n, uuid) in (0..).zip(uuids) {
        let (vmid, request, at) = (104 + n, format!("plum-workers-a{n}"), NOON + i64::from(n) * 1500);
        dir.write(&format!("pve1/qemu-server/{vmid}.conf"), config(vmid, &request, uuid).as_bytes());
        tasks += &task(at - 90_000, "qmcreate", vmid, "omni@pve!provider");
        tasks += &task(at, "qmdestroy", vmid, "omni@pve!provider");
        let rest = format!("\"msg\":\"machine deprovisioned\",\"id\":\"{request}\",\"request_id\":\"{request}\"");
        log += &provider(at + 4 + ahead, &rest);
    }
    log += &provider(NOON + 9000 + ahead, "\"msg\":\"reconcile succeeded\"");
    dir.write("pve1/tasks/index", tasks.as_bytes());
    dir.write("provider.log", log.as_bytes());
    dir
}

#[test]
fn clocks_are_compared_by_what_follows_at_once() {
    for ahead in [0, 600, -600, 3000] {
        let dir = scale_down(ahead);
        let report = omnilog([dir.path()]).report();
        let clock = &input(&report, "provider.log")["clock"];
        let measured = clock["ahead_seconds"].as_f64().unwrap_or_else(|| panic!("no clock for {ahead}: {report:#}"));
        assert!((measured - ahead as f64).abs() < 20.0, "{ahead}: {clock}");
        let text = omnilog([dir.path()]).exits(0).stdout;
        assert_eq!(text.contains("provider.log is "), ahead != 0, "{ahead}: {text}");
    }
}

#[test]
fn a_clock_that_is_off_makes_no_deletion_out_of_a_scale_down() {
    for ahead in [0, 600, -600, 3000] {
        let report = omnilog([scale_down(ahead).path()]).report();
        let found = confidence(&report, "state-drift/out-of-band-vm-deletion");
        assert!(found <= 0.2, "{ahead} seconds ahead: {found}");
    }
}

/// A deletion past Omni, with these lines of the provider around it.
fn deletion(log: &[i64], line: impl Fn(i64) -> String) -> f64 {
    let tasks = task(NOON - 90_000, "qmcreate", 104, "root@pam") + &task(NOON, "qmdestroy", 104, "root@pam");
    let log: String = log.iter().map(|at| line(NOON + at)).collect();
    let dir = Dir::with(&[("pve1/tasks/index", &tasks), ("provider.log", &log)]);
    confidence(&omnilog([dir.path()]).report(), "state-drift/out-of-band-vm-deletion")
}

#[test]
fn silence_of_the_provider_counts_only_where_its_log_covers_the_time() {
    let quiet = |at| provider(at, "\"msg\":\"reconcile succeeded\"");
    let covered = deletion(&[-3600, -1200, 1200, 3600], quiet);
    let ends_before = deletion(&[-3600, -1800, -1200, -900], quiet);
    assert!(covered > ends_before + 0.1, "{covered} when covered, {ends_before} when the log ends before");
    let busy_but_for_an_hour: Vec<i64> = (-7200..7200).step_by(20).filter(|at| !(-1800..1800).contains(at)).collect();
    let gap = deletion(&busy_but_for_an_hour, quiet);
    assert!((gap - ends_before).abs() < 0.02, "{gap} with a gap, {ends_before} when the log ends before");
    let errors = |at| quiet(at).replace("\"info\"", "\"error\"").replace("succeeded", "failed");
    let filtered = deletion(&[-3600, -1200, 1200, 3600], errors);
    assert!(
        filtered <= ends_before + 0.02,
        "{filtered} when only errors were kept, {ends_before} when the log ends before"
    );
}

#[test]
fn gaps_filters_and_missing_parts_are_said() {
    let busy: String = (0..4000)
        .filter(|n| !(1000..3000).contains(n))
        .map(|n| provider(NOON + n * 5, "\"msg\":\"reconcile succeeded\""))
        .collect();
    let errors = provider(NOON, "\"msg\":\"reconcile failed\"").replace("\"info\"", "\"error\"");
    let dir = Dir::with(&[
        ("busy.log", &busy),
        ("errors.log", &errors),
        ("old.log", &busy),
        ("old.log.1", &busy),
        ("old.log.3", &busy),
    ]);
    let report = omnilog([dir.path()]).report();
    let gap = &input(&report, "busy.log")["gaps"][0];
    assert_eq!(gap["first"], "2026-09-15T13:23:15.250Z", "{report:#}");
    assert!(input(&report, "errors.log")["notes"].to_string().contains("only warnings and errors"));
    let missing = report["coverage"]["missing"].as_array().expect("a list");
    assert!(missing.len() == 1 && missing[0].as_str().is_some_and(|m| m.ends_with("old.log.2")), "{missing:?}");
}

#[test]
fn lines_out_of_order_and_without_a_time_are_said() {
    let log =
        provider(NOON, "\"msg\":\"a\"") + &provider(NOON - 300, "\"msg\":\"b\"") + &provider(NOON + 5, "\"msg\":\"c\"");
    let report = omnilog::<&str>([]).input(log).report();
    assert!(report["inputs"][0]["notes"].to_string().contains("1 line before the line above"), "{report:#}");
}

#[test]
fn two_vms_with_one_uuid_are_named_and_not_merged() {
    let uuid = "7f1c2d3e-0000-4000-8000-0000000000c1";
    let copy = config(205, "plum-workers-copy", uuid).replace("tags: machine-request.plum-workers\n", "");
    // VM 205 is destroyed; VM 104, of which the machine is known, lives.
    let tasks = task(NOON - 90_000, "qmcreate", 205, "omni@pve!provider") + &task(NOON, "qmdestroy", 205, "root@pam");
    let status = format!(
        "metadata:\n    namespace: default\n    type: MachineStatuses.omni.sidero.dev\n    id: {uuid}\n    version: 41\n    phase: running\n    \
         updated: 2026-09-15T12:06:00Z\nspec:\n    connected: false\n"
    );
    let dir = Dir::with(&[
        ("pve1/qemu-server/104.conf", &config(104, "plum-workers-a1", uuid)),
        ("pve2/qemu-server/205.conf", &copy),
        ("pve1/tasks/index", &tasks),
        ("machinestatus.yaml", &status),
    ]);
    let report = omnilog([dir.path()]).report();
    let (best, sure) = &confidences(&report)[0];
    assert!(best == "node-join/duplicate-machine-uuid" && *sure >= 0.9, "{best} {sure}");
    let deletion =
        report["root_causes"].as_array().expect("a list").iter().find(|c| c["cause"] == "out-of-band-vm-deletion");
    let effect =
        |c: &Value| c["evidence"].to_string().contains("lost its connection to Omni when its VM was destroyed");
    assert!(deletion.is_none_or(|c| !effect(c)), "the machine of VM 104 was taken for that of VM 205: {report:#}");
}

#[test]
fn what_happened_to_the_former_vm_of_a_number_is_not_told_of_the_next_one() {
    // A person destroys VM 104; its number goes to a new machine, which loses its link an hour later.
    let (uuid, at) = ("7f1c2d3e-0000-4000-8000-0000000000d2", NOON);
    let tasks = task(at - 90_000, "qmcreate", 104, "root@pam")
        + &task(at, "qmdestroy", 104, "root@pam")
        + &task(at + 120, "qmcreate", 104, "omni@pve!provider");
    let down = format!(
        "{{\"level\":\"info\",\"ts\":{}.5,\"caller\":\"siderolink/manager.go:612\",\"msg\":\"link status changed\",\"component\":\"siderolink\",\
         \"link\":\"{uuid}\",\"connected\":false}}\n",
        at + 3000
    );
    let status = format!(
        "metadata:\n    namespace: default\n    type: MachineStatuses.omni.sidero.dev\n    id: {uuid}\n    version: 41\n    phase: running\n    \
         updated: 2026-09-15T12:50:00Z\n    labels:\n        omni.sidero.dev/disconnected: \"\"\nspec:\n    connected: false\n"
    );
    let dir = Dir::with(&[
        ("pve1/qemu-server/104.conf", &config(104, "plum-workers-b7", uuid)),
        ("pve1/tasks/index", &tasks),
        ("omni.log", &down),
        ("machinestatus.yaml", &status),
    ]);
    let report = omnilog([dir.path()]).report();
    let told = report["root_causes"].to_string();
    assert!(!told.contains("lost its connection to Omni when its VM was destroyed"), "{report:#}");
}

#[test]
fn the_timeline_stands_on_one_clock_and_begins_with_the_onset() {
    let dir = scale_down(600);
    // Later the new VM cannot be made, for lack of room: the provider, ten minutes ahead, says so in its own time.
    let start = NOON + 4000;
    let upid = format!("UPID:pve1:0001A2B3:00F1E2D3:{start:08X}:qmcreate:131:omni@pve!provider:");
    let full = "TASK ERROR: unable to create VM 131 - lvcreate 'pve/vm-131-disk-0' error: Cannot create new thin volume, free space in thin pool pve/data reached threshold.\n";
    dir.write(&format!("pve1/tasks/{}/{upid}", &format!("{start:08X}")[7..]), full.as_bytes());
    let log = std::fs::read_to_string(dir.join("provider.log")).expect("a log");
    let failed = provider(
        start + 605,
        "\"msg\":\"machine provision failed\",\"error\":\"stopped\",\"step\":\"syncVM\",\"id\":\"plum-workers-c3\"",
    )
    .replace("\"info\"", "\"error\"");
    dir.write("provider.log", (log + &failed).as_bytes());
    let report = omnilog([dir.path()]).report();
    let timeline = report["timeline"].as_array().expect("a list");
    let times: Vec<&str> = timeline.iter().map(|e| e["timestamp"].as_str().expect("a time")).collect();
    assert!(times.is_sorted(), "{times:?}");
    let stopped = timeline.iter().find(|e| e["source"].as_str().is_some_and(|s| s.ends_with("provider.log")));
    let stopped = stopped.unwrap_or_else(|| panic!("no provider in {timeline:#?}"));
    assert_eq!(stopped["timestamp"].as_str().expect("a time").get(..16), Some("2026-09-15T13:06"), "{stopped}");
    assert_eq!(stopped["written"].as_str().expect("a time").get(..16), Some("2026-09-15T13:16"), "{stopped}");
    omnilog([dir.path()]).exits(0).says("clocks put right");
    omnilog([dir.path().to_str().expect("UTF-8"), "--format", "markdown"])
        .exits(0)
        .says("Timeline (UTC, clocks put right)");
}

#[test]
fn events_of_a_journal_are_read_in_the_zone_that_its_tasks_tell() {
    let upid = format!("UPID:pve1:0001A2B3:00F1E2D3:{NOON:08X}:qmstart:104:root@pam:");
    let line = format!("{} pve1 pvedaemon[1201]: <root@pam> starting task {upid}\n", journal_stamp(NOON, 7200));
    let done = omnilog(["events"]).input(line).done();
    done.says("2026-09-15T12:00:00Z").warns("read as +02:00, by the start times of tasks");
}
