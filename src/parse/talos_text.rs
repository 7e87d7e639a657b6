//! `talos_text`: messages of Talos itself, which begin with `[talos] ` wherever they are printed.
//!
//! What a task logs (`task X (i/k): message`) loses that prefix; its start, end and failure keep it, since they speak of
//! the task. The name of the task is an attribute in both cases. Talos prints no level here, so only words tell one.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::scan::from;
use super::{Format, Head, Sample, zap};
use crate::event::{Event, RawTime, Service, Severity};

/// The format.
pub struct TalosText;

/// What stands before the message.
fn stripped(text: &str) -> &str {
    let text = text.strip_prefix("[talos] ").unwrap_or(text);
    text.strip_prefix("[initramfs] ").unwrap_or(text)
}

/// What the words of a message tell of its severity; the message may still be escaped in JSON.
pub fn severity(message: &[u8]) -> Severity {
    static FAILED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("failed"));
    static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"error"));
    if message.starts_with(b"retrying error") || message.starts_with(b"WARNING") {
        return Severity::WARN;
    }
    if message.starts_with(b"error ") || ERROR.find(message).is_some() {
        return Severity::ERROR;
    }
    match FAILED.find(message) {
        Some(at) if message.get(..at).is_some_and(|m| m.ends_with(b"Health check ")) => Severity::WARN,
        Some(_) => Severity::ERROR,
        None => Severity::UNKNOWN,
    }
}

/// Takes `task X (i/k): ` off a message: the task's name and the message.
fn task(message: &str) -> Option<(&str, &str)> {
    let (name, rest) = message.strip_prefix("task ")?.split_once(" (")?;
    let (_, own) = rest.split_once("): ")?;
    let outcome = ["starting", "done", "failed"].iter().any(|w| own.starts_with(w));
    (!name.contains(' ')).then_some((name, if outcome { message } else { own }))
}

/// Service and state of `service[ID](State): message`.
fn state(message: &str) -> Option<(&str, &str)> {
    let (id, rest) = message.strip_prefix("service[")?.split_once("](")?;
    let (state, _) = rest.split_once("): ")?;
    Some((id, state))
}

/// Fills body and attributes from a message of Talos, as all of its logs print it.
pub fn message<'a>(text: &'a str, event: &mut Event<'a>) {
    let mut body = text;
    if let Some((name, rest)) = task(body) {
        event.attribute("task", name);
        body = rest;
    }
    if let Some((id, state)) = state(body) {
        event.attribute("service_id", id);
        event.attribute("state", state);
    }
    let (message, tail) = zap::split_tail(body);
    event.body = message.into();
    if let Some(tail) = tail {
        attributes(tail, event);
    }
    event.service = Some(Service::Talos);
}

/// Reads the JSON behind a message; the kernel log writes a backslash as `\x5c`.
fn attributes<'a>(tail: &'a str, event: &mut Event<'a>) {
    if !tail.contains("\\x5c") {
        return zap::tail(tail, event);
    }
    let mut inner = Event::default();
    let tail = tail.replace("\\x5c", "\\");
    zap::tail(&tail, &mut inner);
    let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    event.attributes.extend(inner.attributes.into_iter().map(|(k, v)| (own(k), own(v))));
}

impl Format for TalosText {
    fn name(&self) -> &'static str {
        "talos_text"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b'['
    }

    fn goes_on_with(&self, at: usize, byte: u8) -> bool {
        super::scan::one_has(&[b"[talos] "], at, byte)
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        if !line.starts_with(b"[talos] ") {
            return None;
        }
        Some(Head { time: RawTime::None, severity: severity(from(line, 8)), payload: None })
    }

    fn stands_in(&self, _: super::Holder) -> bool {
        true
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        message(stripped(text), event);
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "[talos] [initramfs] booting Talos v1.12.4",
        time: RawTime::None,
        severity: Severity::UNKNOWN,
        body: "booting Talos v1.12.4",
        has: &[("#service", "talos")],
    },
    Sample {
        text: "[talos] task memorySizeCheck (1/1): memory size is OK",
        time: RawTime::None,
        severity: Severity::UNKNOWN,
        body: "memory size is OK",
        has: &[("task", "memorySizeCheck")],
    },
    Sample {
        text: "[talos] task cordonAndDrainNode (1/1): failed: timeout",
        time: RawTime::None,
        severity: Severity::ERROR,
        body: "task cordonAndDrainNode (1/1): failed: timeout",
        has: &[("task", "cordonAndDrainNode")],
    },
    Sample {
        text: "[talos] service[etcd](Running): Health check failed: connection refused",
        time: RawTime::None,
        severity: Severity::WARN,
        body: "service[etcd](Running): Health check failed: connection refused",
        has: &[("service_id", "etcd"), ("state", "Running")],
    },
    Sample {
        text: r#"[talos] controller failed {"component": "controller-runtime", "controller": runtime.ModuleController", "error": "error loading module \x5c"zram\x5c": key was rejected"}"#,
        time: RawTime::None,
        severity: Severity::ERROR,
        body: "controller failed",
        has: &[
            ("controller", "runtime.ModuleController"),
            ("error", "error loading module \"zram\": key was rejected"),
        ],
    },
];
