//! `zap_json`: one JSON object per record with level, time and message. The Omni server, the infrastructure provider
//! and etcd write it, and so do many others.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::scan::{from, until};
use super::{Format, Head, Sample, containerd_json, zap};
use crate::event::time::{self, RawTime};
use crate::event::{Event, Severity};

/// The format.
pub struct ZapJson;

/// The quoted word at the start of `line`, and what stands behind its quote.
fn quoted(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = until(line, 12, |b| *b == b'"')?;
    Some((line.get(..end)?, from(line, end + 1)))
}

/// `{"level":"error","ts":...`, as zap writes it.
pub(super) fn ordered(line: &[u8]) -> Option<Head> {
    let (word, rest) = quoted(line.strip_prefix(b"{\"level\":\"")?)?;
    let severity = Severity::from_word(word);
    let rest = rest.strip_prefix(b",\"")?;
    let time = if let Some(value) = rest.strip_prefix(b"ts\":") {
        value_time(value)
    } else if rest.starts_with(b"caller\":") || rest.starts_with(b"logger\":") {
        search_time(rest)
    } else {
        return None;
    };
    (severity != Severity::UNKNOWN).then_some(Head { time, severity, payload: None })
}

/// The time at the start of a JSON value, a number or a string.
fn value_time(value: &[u8]) -> RawTime {
    let value = value.strip_prefix(b" ").unwrap_or(value);
    match value.strip_prefix(b"\"") {
        Some(text) => time::timestamp(text).or_else(|| time::epoch(text)).map_or(RawTime::None, |(t, _)| t),
        None => time::epoch(value).map_or(RawTime::None, |(t, _)| t),
    }
}

/// The value behind the first of `keys` that occurs.
fn search<'a>(line: &'a [u8], keys: &[LazyLock<Finder<'static>>]) -> Option<&'a [u8]> {
    let value = keys.iter().find_map(|key| Some(from(line, key.find(line)? + key.needle().len())))?;
    Some(value.strip_prefix(b" ").unwrap_or(value))
}

fn search_time(line: &[u8]) -> RawTime {
    static KEYS: [LazyLock<Finder<'static>>; 3] = [
        LazyLock::new(|| Finder::new("\"ts\":")),
        LazyLock::new(|| Finder::new("\"time\":")),
        LazyLock::new(|| Finder::new("\"timestamp\":")),
    ];
    search(line, &KEYS).map_or(RawTime::None, value_time)
}

pub(super) fn search_level(line: &[u8]) -> Severity {
    static KEYS: [LazyLock<Finder<'static>>; 2] =
        [LazyLock::new(|| Finder::new("\"level\":")), LazyLock::new(|| Finder::new("\"severity\":"))];
    let word = search(line, &KEYS).and_then(|v| quoted(v.strip_prefix(b"\"")?));
    word.map_or(Severity::UNKNOWN, |(word, _)| Severity::from_word(word))
}

fn has_message(line: &[u8]) -> bool {
    static KEYS: [LazyLock<Finder<'static>>; 2] =
        [LazyLock::new(|| Finder::new("\"msg\":")), LazyLock::new(|| Finder::new("\"message\":"))];
    search(line, &KEYS).is_some()
}

/// Any other object with a level and a message, in any order.
fn other(line: &[u8]) -> Option<Head> {
    let severity = search_level(line);
    if severity == Severity::UNKNOWN || !has_message(line) || !own(line) {
        return None;
    }
    Some(Head { time: search_time(line), severity, payload: None })
}

/// Whether no more special format takes the object.
fn own(line: &[u8]) -> bool {
    const OTHERS: &[&[u8]] =
        &[b"{\"log\":\"", b"{\"clock\":", b"{\"event_type\":", b"{\"n\":", b"{\"t\":", b"{\"__", b"{\"_"];
    let journal = line.get(2).is_some_and(u8::is_ascii_uppercase);
    let open = line.last() == Some(&b',');
    !journal
        && !open
        && !OTHERS.iter().any(|o| line.starts_with(o))
        && containerd_json::takes(line).is_none()
        && !super::talos_json::takes(line)
}

impl Format for ZapJson {
    fn name(&self) -> &'static str {
        "zap_json"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b'{'
    }

    fn goes_on_with(&self, at: usize, byte: u8) -> bool {
        at > 1 || byte == b'"'
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        if !line.starts_with(b"{\"") {
            return None;
        }
        ordered(line).or_else(|| other(line))
    }

    fn stands_in(&self, _: super::Holder) -> bool {
        true
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        zap::object(text, event);
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: r#"{"level":"error","ts":1789459200.123456,"caller":"controllers/provision.go:349","msg":"machine provision failed","controller":"proxmox.ProvisionController","namespace":"infra-provider","type":"MachineRequests.omni.sidero.dev","id":"amber-workers-k2m4x7","job":"reconcile","error":"failed to pick the disk: no matches for the condition \"name == \\\"fast\\\"\"","step":"syncVM","stacktrace":"github.com/siderolabs/omni/client/pkg/infra/controllers.run\n\t/src/provision.go:349"}"#,
        time: RawTime::Utc(1_789_459_200_123_456),
        severity: Severity::ERROR,
        body: "machine provision failed",
        has: &[
            ("#service", "omni-provider"),
            ("@omni.machine_request", "amber-workers-k2m4x7"),
            ("@omni.provider", "proxmox"),
            ("step", "syncVM"),
            ("error", r#"failed to pick the disk: no matches for the condition "name == \"fast\"""#),
        ],
    },
    Sample {
        text: r#"{"level":"info","ts":1789459201.2,"caller":"machineset/operations.go:68","msg":"teardown cluster machine","component":"omni_runtime","controller":"MachineSetStatusController","namespace":"default","type":"MachineSets.omni.sidero.dev","id":"amber-workers","job":"reconcile","machineset":"amber-workers","machine":"7f1c2d3e-0000-4000-8000-000000000001"}"#,
        time: RawTime::Utc(1_789_459_201_200_000),
        severity: Severity::INFO,
        body: "teardown cluster machine",
        has: &[
            ("#service", "omni"),
            ("@omni.machine_set", "amber-workers"),
            ("@omni.machine", "7f1c2d3e-0000-4000-8000-000000000001"),
        ],
    },
    Sample {
        text: r#"{"level":"warn","ts":"2026-09-15T08:00:00.123456Z","caller":"wal/wal.go:846","msg":"slow fdatasync","took":"1.5s","expected-duration":"1s"}"#,
        time: RawTime::Utc(1_789_459_200_123_456),
        severity: Severity::WARN,
        body: "slow fdatasync",
        has: &[("#service", "etcd"), ("took", "1.5s")],
    },
    Sample {
        text: r#"{"level":"info","ts":1789459200.5,"logger":"raft","caller":"etcdserver/zap_raft.go:77","msg":"1a2b became leader at term 4","component":"server","component":"embedded_etcd"}"#,
        time: RawTime::Utc(1_789_459_200_500_000),
        severity: Severity::INFO,
        body: "1a2b became leader at term 4",
        has: &[("#service", "omni"), ("component", "embedded_etcd")],
    },
    Sample {
        text: r#"{"time":"2026-09-15T08:00:00.25Z","level":"ERROR","msg":"cannot reach the API","attempt":3}"#,
        time: RawTime::Utc(1_789_459_200_250_000),
        severity: Severity::ERROR,
        body: "cannot reach the API",
        has: &[("attempt", "3")],
    },
    Sample {
        text: "{\"level\":\"error\",\"caller\":\"machineconfig/status.go:701\",\"msg\":\"install failed\",\n \"controller\":\"ClusterMachineConfigStatusController\",\n \"error\":\"rpc error: code = Internal\"}",
        time: RawTime::None,
        severity: Severity::ERROR,
        body: "install failed",
        has: &[("#service", "omni"), ("error", "rpc error: code = Internal")],
    },
];
