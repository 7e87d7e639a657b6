//! Tests that hold for every document: samples, ordinary log lines, hostile text.

use proptest::prelude::*;

use super::block::Block;
use super::*;
use crate::event::Event;

/// Walks a text as a scanner does and gives the events of all blocks, with the number of the block's first line.
pub(super) fn scan(text: &str, context: &Context) -> Vec<(usize, StateEvent)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let Some(document) = begins(line.as_bytes()) else {
            at += 1;
            continue;
        };
        let mut progress = document.start(line.as_bytes());
        let more = lines.get(at + 1..).unwrap_or_default();
        let taken = 1 + more.iter().take_while(|l| document.continues(&mut progress, l.as_bytes())).count();
        let block = format!("{}\n", lines.get(at..at + taken).unwrap_or_default().join("\n"));
        let events = document.events(&block, context);
        at += if events.is_empty() { 1 } else { taken };
        let first = at - if events.is_empty() { 1 } else { taken };
        for event in events {
            assert!(block.get(event.text.clone()).is_some(), "text range in {block:?}");
            assert!(block.get(event.extent.clone()).is_some(), "extent in {block:?}");
            assert!((event.line as usize) < Block::new(&block).len(), "line in {block:?}");
            out.push((first, event));
        }
    }
    out
}

/// Only the events of [`scan`].
pub(super) fn events(text: &str) -> Vec<Event<'static>> {
    scan(text, &Context::default()).into_iter().map(|(_, e)| e.event).collect()
}

/// A value of an event by the names of [`Sample::has`].
fn has(event: &Event, key: &str, value: &str) -> bool {
    match key {
        "#format" => event.format() == value,
        "#body" => event.body == value,
        "#node" => event.node.as_deref() == Some(value),
        "#service" => event.service.is_some_and(|s| s.name() == value),
        _ => match key.strip_prefix('@') {
            Some(name) => event.entities.iter().any(|(k, v)| k == name && v == value),
            None => event.all(key).any(|v| v == value),
        },
    }
}

fn check(name: &str, sample: &Sample) {
    let context = Context { path: sample.path, ..Context::default() };
    // Whatever stands around a document in a ticket must not matter.
    for (before, after) in [("", ""), ("Hello,\n```\n", "```\nBye.\n"), ("$ command\n", "$ next\n")] {
        let text = format!("{before}{}{after}", sample.text);
        let found = scan(&text, &context);
        assert_eq!(found.len(), sample.events, "events of {name} in {text}\n{found:#?}");
        for (index, key, value) in sample.has {
            let event = found.get(*index).map(|(_, e)| &e.event).expect("an event");
            assert!(has(event, key, value), "{name}: no {key} = {value:?} in {event:#?}");
        }
    }
}

#[test]
fn every_document_has_samples_that_hold() {
    for document in documents() {
        assert!(!document.samples().is_empty(), "{} has no samples", document.name());
        for sample in document.samples() {
            check(document.name(), sample);
        }
    }
    for kind in kind::kinds() {
        assert!(!kind.samples().is_empty());
        kind.samples().iter().for_each(|s| check("kind", s));
    }
}

#[test]
fn documents_are_sorted_and_named_once() {
    let names: Vec<&str> = documents().iter().map(|d| d.name()).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
}

/// Ordinary lines of every log format; no document begins at them.
const LOG_LINES: &[&str] = &[
    r#"{"level":"info","ts":1788870300.0007074,"caller":"main.go:112","msg":"starting infra provider"}"#,
    r#"{"level":"warn","ts":"2026-09-15T08:00:00.1Z","logger":"raft","msg":"x"}"#,
    r#"{"clock":81234567,"facility":"user","msg":"[talos] service[kubelet](Running)","priority":"warning"}"#,
    r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"x"}"#,
    r#"{"log":"I0915 1 x.go:1] hi\n","stream":"stderr","time":"2026-09-15T08:00:00Z"}"#,
    r#"{"ts":1726387200000.1,"caller":"kubelet/x.go:1","msg":"Starting","v":0}"#,
    r#"[{"n":1,"t":"no content"}]"#,
    "[INFO] plugin/reload: Running configuration SHA512 = ab",
    "[   12.345678] scsi host0: Virtio SCSI HBA",
    "[talos] 2026/09/15 08:00:00 service[etcd](Waiting): Waiting for x",
    "user: warning: [2026-09-15T08:00:00.1Z]: [talos] controller failed {\"component\": \"x\"}",
    "kern:    info: [2026-09-15T08:00:00Z]: Linux version 6.18.5-talos",
    "192.0.2.11: user: warning: [2026-09-15T08:00:00.1Z]: [talos] task x (1/1): done",
    "I0915 08:00:00.000000       1 leaderelection.go:257] attempting to acquire leader lease",
    "E0915 08:00:00.000000       1 reflector.go:200] \"Failed to watch\" err=\"x\"",
    "2026-09-15T08:00:00.000000000Z stderr F I0915 08:00:00.0 1 x.go:1] x",
    "2026-09-15T08:00:00+02:00 pve1 pvedaemon[1234]: <root@pam> starting task UPID:pve1:0004",
    "Sep 15 08:00:00 pve1 pvestatd[1000]: storage 'nas' is not online",
    "Sep 15 08:00:00 pve1 qm[1]: VM 100 qmp command failed",
    "time=\"2026-09-15T08:00:00Z\" level=info msg=\"starting containerd\" revision=1",
    "level=info ts=2026-09-15T08:00:00Z msg=x",
    "UPID:pve1:0004D2A0:0321F2CA:6718A3D0:qmcreate:100:root@pam: 6718A3D5 OK",
    "::ffff:192.0.2.9 - omni@pve!provider [15/09/2026:08:00:00 +0200] \"GET /api2/json/nodes HTTP/1.1\" 200 512",
    "TASK ERROR: unable to create VM 100 - VM 100 already exists on node 'pve1'",
    "TASK OK",
    "starting worker UPID:pve1:00",
    "transferred 1.0 GiB of 4.0 GiB (25.00%)",
    "  Logical volume \"vm-100-disk-0\" created.",
    "info\tstarting infra provider\t{\"component\": \"x\"}",
    "2026-09-15T08:00:00.000Z\tINFO\tqruntime/qruntime.go:324\treconcile succeeded",
    "panic: runtime error: invalid memory address or nil pointer dereference",
    "goroutine 1 [running]:",
    "main.main()",
    "\t/src/main.go:42 +0x1d",
    "    at java.lang.Thread.run(Thread.java:750)",
    "error: context deadline exceeded",
    "rpc error: code = Unavailable desc = connection refused",
    "node not found: x",
    "name resolution failed: x: y",
    "discovered controlplane nodes [\"192.0.2.1\"]",
    "waiting for lock on 100",
    "Machine \"x\" is not reachable",
    "Cluster is not healthy",
    "Workers are busy",
    "NODE is down",
    "NAME=\"Talos\"",
    "ID=talos",
    "acl lookup failed",
    "processor speed is 2 GHz",
    "dir: no such file or directory",
    "memory: usage 4096kB, limit 8192kB, failcnt 3",
    "# a comment",
    "-----BEGIN CERTIFICATE-----",
    "--- a/file",
    "- a bullet point",
    "> quoted",
    "│ Error: error creating VM",
    "╷",
    "|--- waiting",
    "+ echo done",
    "",
    " ",
];

#[test]
fn no_document_begins_at_a_log_line() {
    for line in LOG_LINES {
        assert!(
            begins(line.as_bytes()).is_none(),
            "{} begins at {line}",
            begins(line.as_bytes()).map_or("", |d| d.name())
        );
    }
}

#[test]
fn log_lines_end_every_document() {
    let logs = [0, 1, 2, 6, 8, 10, 13, 15, 16, 17, 19, 21, 22].map(|i| LOG_LINES.get(i).copied().unwrap_or_default());
    let kinds = kind::kinds().iter().flat_map(|k| k.samples());
    for sample in documents().iter().flat_map(|d| d.samples()).chain(kinds) {
        for log in logs {
            let found = scan(&format!("{}{log}\n", sample.text), &Context { path: sample.path, ..Context::default() });
            let end = sample.text.len();
            assert_eq!(found.len(), sample.events, "with {log:?} after {}", sample.text);
            let inside = found.iter().all(|(first, e)| *first > 0 || e.extent.end <= end);
            assert!(inside, "{log:?} was taken into {}", sample.text);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn arbitrary_text_is_harmless(text in "\\PC{0,200}") {
        for document in documents() {
            document.events(&text, &Context::default());
        }
    }

    #[test]
    fn mangled_samples_are_harmless(pick in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), junk in "\\PC{0,3}|\n|\t| {1,5}|---\n|[{]|\"") {
        let kinds = kind::kinds().iter().flat_map(|k| k.samples());
        let samples: Vec<&Sample> = documents().iter().flat_map(|d| d.samples()).chain(kinds).collect();
        let mut text = pick.get(&samples).text.to_owned();
        let places: Vec<usize> = text.char_indices().map(|(i, _)| i).collect();
        text.insert_str(*at.get(&places), &junk);
        scan(&text, &Context::default());
        text.truncate(*at.get(&places));
        for document in documents() {
            document.events(&text, &Context { path: "nodes/pve1/qemu-server/100.conf", ..Context::default() });
        }
    }
}
