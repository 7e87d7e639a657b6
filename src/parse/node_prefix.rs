//! `node_prefix`: the node that `talosctl` writes in front of every line: `10.5.0.2: `, `cp-1: `, a UUID.

use super::scan::{self, from, text_to};
use super::{Format, Head, Sample};
use crate::event::{Event, RawTime, Severity};

/// The format.
pub struct NodePrefix;

/// The longest node name that is believed.
const LONGEST: usize = 80;

/// Words that programs write before a colon and that are no nodes.
const WORDS: &[&[u8]] = &[
    b"error",
    b"warning",
    b"warn",
    b"info",
    b"debug",
    b"fatal",
    b"panic",
    b"notice",
    b"note",
    b"hint",
    b"caused",
    b"usage",
    b"reason",
    b"message",
    b"msg",
    b"output",
    b"stderr",
    b"stdout",
    b"goroutine",
    b"user",
    b"kern",
    b"daemon",
    b"failed",
    b"audit",
];

/// How long the node's name is, when one stands here before `: `.
fn node(line: &[u8]) -> Option<usize> {
    let end = scan::until(line, LONGEST, |b| !scan::is_name(*b) && *b != b':')?;
    let length = end.checked_sub(1)?;
    if length == 0 || line.get(end) != Some(&b' ') || line.get(length) != Some(&b':') {
        return None;
    }
    let name = line.get(..length)?;
    let clean = name.last() != Some(&b':') || name.len() > 1;
    // Mostly it is an address.
    let is_word = || WORDS.iter().any(|w| name.eq_ignore_ascii_case(w));
    (clean && (name.first().is_some_and(u8::is_ascii_digit) || !is_word())).then_some(length)
}

/// Whether `talosctl` prints such a line behind a node.
fn printed(rest: &[u8]) -> bool {
    let starts = |words: &[&[u8]]| words.iter().any(|w| rest.starts_with(w));
    match rest.first() {
        Some(b'{') => {
            starts(&[b"{\"level\":\"", b"{\"ts\":", b"{\"msg\":\"", b"{\"time\":", b"{\"clock\":", b"{\"error\":"])
        }
        Some(b'[') => {
            starts(&[b"[talos] "]) || scan::kernel_time(rest).is_some() || scan::bracket_level(rest).is_some()
        }
        Some(b'0'..=b'9') => scan::looks_dated(rest),
        Some(b'I' | b'W' | b'E' | b'F') => scan::klog_start(rest),
        Some(b' ') => scan::facility(from(rest, scan::blanks(rest))).is_some(),
        _ => scan::facility(rest).is_some() || starts(OTHERS),
    }
}

/// Further beginnings of such lines.
const OTHERS: &[&[u8]] =
    &[b"type=", b"rpc error: code = ", b"panic: ", b"fatal error: ", b"level=", b"time=", b"goroutine "];

impl Format for NodePrefix {
    fn name(&self) -> &'static str {
        "node_prefix"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric()
    }

    fn is_named(&self) -> bool {
        true
    }

    fn behind_name(&self, at: usize, byte: u8) -> bool {
        at > 0 || byte == b':'
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        if scan::looks_dated(line) {
            return None;
        }
        let payload = node(line)? + 2;
        printed(from(line, payload)).then_some(Head {
            time: RawTime::None,
            severity: Severity::UNKNOWN,
            payload: Some(payload),
        })
    }

    fn stands_in(&self, holder: super::Holder) -> bool {
        holder == super::Holder::Anything
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let name = text_to(text, node(text.as_bytes()).unwrap_or(0));
        event.node = Some(name.into());
        event.entity("talos.node", name);
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: r#"10.5.0.2: {"level":"warn","ts":"2026-09-15T08:00:00Z","caller":"etcdserver/util.go:170","msg":"apply request took too long"}"#,
        time: RawTime::Utc(1_789_459_200_000_000),
        severity: Severity::WARN,
        body: "apply request took too long",
        has: &[("#node", "10.5.0.2"), ("@talos.node", "10.5.0.2"), ("#service", "etcd")],
    },
    Sample {
        text: "fdae:41e4:649b:9303::1: user: warning: [2026-09-15T08:00:00Z]: [talos] machine is running and ready",
        time: RawTime::Utc(1_789_459_200_000_000),
        severity: Severity::UNKNOWN,
        body: "machine is running and ready",
        has: &[("#node", "fdae:41e4:649b:9303::1"), ("#service", "talos")],
    },
    Sample {
        text: "amber-cp-1: 2026-09-15T08:00:00.123456789Z stderr F E0915 08:00:00.123456       1 main.go:75] cannot start",
        time: RawTime::Utc(1_789_459_200_123_456),
        severity: Severity::ERROR,
        body: "cannot start",
        has: &[("#node", "amber-cp-1"), ("stream", "stderr")],
    },
];
