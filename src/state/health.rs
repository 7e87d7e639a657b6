//! The checks that `talosctl health` prints.

use super::block::{Block, attribute, event};
use super::{Context, Document, Progress, Sample, StateEvent};
use crate::event::{Event, Service};

/// What the checks wait for; texts end with these words.
const CHECKS: &[&str] = &[
    "etcd to be healthy",
    "etcd members to be consistent across nodes",
    "etcd members to be control plane nodes",
    "apid to be ready",
    "all nodes memory sizes",
    "all nodes disk sizes",
    "no diagnostics",
    "kubelet to be healthy",
    "all nodes to finish boot sequence",
    "all k8s nodes to report",
    "all control plane static pods to be running",
    "all control plane components to be ready",
    "all k8s nodes to report ready",
    "kube-proxy to report ready",
    "coredns to report ready",
    "all k8s nodes to report schedulable",
];

/// The error at the end.
const FAILED: &str = "healthcheck error: ";

/// Lines `waiting for X: result`.
pub(super) struct Health;

impl Document for Health {
    fn name(&self) -> &'static str {
        "talosctl_health"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b'w'
    }

    fn begins(&self, line: &[u8]) -> bool {
        line.starts_with(b"waiting for ") && std::str::from_utf8(line).is_ok_and(|line| check(line).is_some())
    }

    fn continues(&self, _progress: &mut Progress, line: &[u8]) -> bool {
        self.begins(line) || line.starts_with(FAILED.as_bytes())
    }

    fn events(&self, block: &str, _context: &Context) -> Vec<StateEvent> {
        let block = Block::new(block);
        let mut last: Vec<(&str, &str, usize)> = Vec::new();
        for (index, line) in block.lines() {
            let Some((name, result)) = check(line).or_else(|| Some(("healthcheck", line.strip_prefix(FAILED)?))) else {
                continue;
            };
            match last.iter_mut().find(|(n, ..)| *n == name) {
                // The start of a round says nothing when an error is known already.
                Some((_, have, at)) if result != "..." || *have == "..." => (*have, *at) = (result, index),
                Some(_) => {}
                None => last.push((name, result, index)),
            }
        }
        last.iter().map(|(name, result, at)| block.event(result_event(name, result), *at, at + 1)).collect()
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

/// A check and its result.
fn check(line: &str) -> Option<(&str, &str)> {
    let (name, result) = line.strip_prefix("waiting for ")?.split_once(": ")?;
    CHECKS.contains(&name).then_some((name, result.trim()))
}

/// The event of a check.
fn result_event(name: &str, result: &str) -> Event<'static> {
    let result = if result == "..." { "pending" } else { result };
    let mut event = event("talosctl_health", Service::Talosctl, format!("{name}: {result}"));
    attribute(&mut event, "check", name);
    attribute(&mut event, "result", result);
    event
}

const SAMPLES: &[Sample] = &[Sample {
    text: "waiting for etcd to be healthy: ...
waiting for etcd to be healthy: OK
waiting for all k8s nodes to report ready: ...
waiting for all k8s nodes to report ready: some nodes are not ready: [worker-1]
waiting for all k8s nodes to report ready: ...
healthcheck error: rpc error: code = DeadlineExceeded desc = context deadline exceeded
",
    path: "",
    events: 3,
    has: &[
        (0, "#format", "talosctl_health"),
        (0, "check", "etcd to be healthy"),
        (0, "result", "OK"),
        (1, "result", "some nodes are not ready: [worker-1]"),
        (2, "check", "healthcheck"),
    ],
}];
