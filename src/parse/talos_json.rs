//! `talos_json`: service logs as Talos sends them to a destination (`machine.logging`, `json_lines`).

use memchr::memmem;

use super::json::Pairs;
use super::scan::from;
use super::{Format, Head, Sample, nested};
use crate::event::time::{self, RawTime};
use crate::event::{Event, Service, Severity};

/// The format.
pub struct TalosJson;

/// The last part of a line, where the keys that begin with `talos-` stand.
fn tail(line: &[u8]) -> &[u8] {
    from(line, line.len().saturating_sub(220))
}

/// The value behind a key in the last part of a line.
fn tail_value<'a>(line: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let tail = tail(line);
    Some(from(tail, memmem::rfind(tail, key)? + key.len()))
}

/// `talos-time`, which stands near the end, mostly as the last pair.
pub fn tail_time(line: &[u8]) -> RawTime {
    time_at(line, last_pair(line))
}

/// As [`tail_time`], where it is known where the `last` pair begins.
pub fn time_at(line: &[u8], last: Option<usize>) -> RawTime {
    const KEY: &[u8] = b"\"talos-time\":\"";
    let last = last.and_then(|at| from(line, at).strip_prefix(KEY));
    let stamp = last.or_else(|| tail_value(line, KEY)).and_then(time::timestamp);
    stamp.map_or(RawTime::None, |(time, _)| time)
}

/// A quoted level near the end.
pub fn tail_word(line: &[u8], key: &[u8]) -> Severity {
    let word = tail_value(line, key).and_then(|v| v.split(|b| *b == b'"').next());
    word.map_or(Severity::UNKNOWN, Severity::from_word)
}

/// Where the last pair of an object begins, when its value is a short string.
pub fn last_pair(line: &[u8]) -> Option<usize> {
    let inside = line.strip_suffix(b"\"}")?;
    let tail = from(inside, inside.len().saturating_sub(40));
    let open = inside.len() - tail.len() + memchr::memrchr(b'"', tail)?;
    let key = inside.get(..open)?.strip_suffix(b"\":")?;
    let start = key.len().saturating_sub(40);
    Some(start + memchr::memrchr(b'"', from(key, start))?)
}

/// The key of the last pair of an object whose value is a short string.
pub fn last_key(line: &[u8]) -> Option<&[u8]> {
    let key = from(line, last_pair(line)? + 1);
    key.get(..memchr::memchr(b'"', key)?)
}

/// Whether the object is a service's record sent by Talos.
pub fn takes(line: &[u8]) -> bool {
    const OTHERS: &[&[u8]] = &[b"{\"level\":", b"{\"ts\":", b"{\"log\":", b"{\"clock\":", b"{\"event_type\":"];
    if !line.starts_with(b"{\"") || OTHERS.iter().any(|o| line.starts_with(o)) {
        return false;
    }
    match last_key(line) {
        Some(b"talos-time") => true,
        _ => tail_value(line, b"\"talos-time\":\"").is_some() && line.last() == Some(&b'}'),
    }
}

/// The service behind a Talos service id.
fn service(id: &str) -> Service {
    match id {
        "etcd" => Service::Etcd,
        "kubelet" => Service::Kubelet,
        "containerd" | "cri" => Service::Containerd,
        _ => Service::Talos,
    }
}

impl Format for TalosJson {
    fn name(&self) -> &'static str {
        "talos_json"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b'{'
    }

    fn goes_on_with(&self, at: usize, byte: u8) -> bool {
        at > 1 || byte == b'"'
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        if !takes(line) {
            return None;
        }
        Some(Head { time: tail_time(line), severity: tail_word(line, b"\"talos-level\":\""), payload: None })
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let mut message = None;
        for pair in Pairs::new(text) {
            match pair.key.as_ref() {
                "msg" if message.is_none() => message = Some(pair.value),
                "talos-service" => {
                    event.service = Some(service(&pair.value));
                    event.attribute("service_id", pair.value);
                }
                "talos-time" | "talos-level" => {}
                _ => event.attributes.push((pair.key, pair.value)),
            }
        }
        nested(message.unwrap_or_default().trim_end(), event);
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: r#"{"msg":"[talos] phase ephemeral (5/9): 1 tasks(s)","talos-level":"info","talos-service":"machined","talos-time":"2026-09-15T08:00:00.123456789Z"}"#,
        time: RawTime::Utc(1_789_459_200_123_456),
        severity: Severity::INFO,
        body: "phase ephemeral (5/9): 1 tasks(s)",
        has: &[("#service", "talos"), ("service_id", "machined")],
    },
    Sample {
        text: r#"{"caller":"wal/wal.go:846","msg":"slow fdatasync","took":"1.2s","talos-level":"warn","talos-service":"etcd","talos-time":"2026-09-15T08:00:00Z"}"#,
        time: RawTime::Utc(1_789_459_200_000_000),
        severity: Severity::WARN,
        body: "slow fdatasync",
        has: &[("#service", "etcd"), ("took", "1.2s")],
    },
];
