//! `kernel_json`: a kernel record as Talos sends it and Omni stores it per machine. Talos writes its own messages into
//! the kernel log too, as facility `user`; their level tells nothing.

use std::sync::LazyLock;

use memchr::memmem::{self, Finder};

use super::json::Pairs;
use super::scan::{self, from};
use super::{Format, Head, Sample, nested, talos_json, talos_text};
use crate::event::time::RawTime;
use crate::event::{Event, Service, Severity};

/// The format.
pub struct KernelJson;

/// How every record begins.
const CLOCK: &[u8] = b"{\"clock\":";
/// Bytes at the start of a record in which its facility and the start of its message stand.
const START: usize = 160;

/// The level of a kernel's own message, or what the words of a message of Talos tell.
fn severity(line: &[u8], last: Option<usize>) -> Severity {
    static KERN: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"facility\":\"kern\""));
    static TALOS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"msg\":\"[talos] "));
    // The keys are sorted: mostly the facility and the message follow at once.
    let clock = from(line, CLOCK.len());
    let rest = from(clock, scan::digits(clock));
    if let Some(message) = rest.strip_prefix(b",\"facility\":\"user\",\"msg\":\"[talos] ") {
        return message_severity(message, last.and_then(|at| (at + message.len()).checked_sub(line.len())));
    }
    let start = line.get(..line.len().min(START)).unwrap_or_default();
    if KERN.find(start).is_some() {
        return talos_json::tail_word(line, b"\"priority\":\"");
    }
    let Some(at) = TALOS.find(start) else { return Severity::UNKNOWN };
    let message = from(line, at + TALOS.needle().len());
    message_severity(message, last.and_then(|at| (at + message.len()).checked_sub(line.len())))
}

/// What the words of the message tell that begins here and ends before the `last` pair; behind it only short words stand: level, priority and time.
fn message_severity(message: &[u8], last: Option<usize>) -> Severity {
    let end = last.or_else(|| memmem::rfind(message, b"\",\"")).unwrap_or(message.len());
    talos_text::severity(message.get(..end).unwrap_or_default())
}

impl Format for KernelJson {
    fn name(&self) -> &'static str {
        "kernel_json"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b'{'
    }

    fn goes_on_with(&self, at: usize, byte: u8) -> bool {
        scan::one_has(&[CLOCK], at, byte)
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        if !line.starts_with(CLOCK) {
            return None;
        }
        let last = talos_json::last_pair(line);
        Some(Head { time: talos_json::time_at(line, last), severity: severity(line, last), payload: None })
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let mut message = None;
        for pair in Pairs::new(text) {
            match pair.key.as_ref() {
                "msg" => message = Some(pair.value),
                "facility" => {
                    event.service = Some(if pair.value == "kern" { Service::Kernel } else { Service::Talos });
                }
                "cluster" => event.entity("omni.cluster", pair.value),
                "machine" => event.entity("omni.machine", pair.value),
                _ => {}
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
        text: r#"{"clock":81234567,"facility":"user","msg":"[talos] service[kubelet](Running): Health check failed: Get \"http://127.0.0.1:10248/healthz\": connection refused\n","priority":"warning","seq":1501,"talos-level":"warn","talos-time":"2026-09-15T08:00:00.123456Z"}"#,
        time: RawTime::Utc(1_789_459_200_123_456),
        severity: Severity::WARN,
        body: "service[kubelet](Running): Health check failed: Get \"http://127.0.0.1:10248/healthz\": connection refused",
        has: &[("#service", "talos"), ("service_id", "kubelet"), ("state", "Running")],
    },
    Sample {
        text: r#"{"clock":5140900,"facility":"kern","msg":"I/O error, dev sda, sector 2048\n","priority":"err","seq":339,"talos-level":"error","talos-time":"2026-09-15T08:00:00Z"}"#,
        time: RawTime::Utc(1_789_459_200_000_000),
        severity: Severity::ERROR,
        body: "I/O error, dev sda, sector 2048",
        has: &[("#service", "kernel")],
    },
];
