//! `talos_events`: `talosctl events`, two lines per event: `NODE ID EVENT`, then `ACTOR SOURCE MESSAGE` below. The id
//! holds the time.

use super::scan::{self, between, from, text_to};
use super::{Format, Head, Sample};
use crate::event::time::SECOND;
use crate::event::{Event, RawTime, Service, Severity};

/// The format.
pub struct TalosEvents;

/// Ranges of node, id and event.
struct Split {
    node: usize,
    id: (usize, usize),
    event: usize,
}

fn split(line: &[u8]) -> Option<Split> {
    let near = line.get(..line.len().min(80))?;
    let node = memchr::memchr(b' ', near)?;
    let gap = scan::blanks(from(line, node));
    if gap < 2 {
        return None;
    }
    let start = node + gap;
    let id = start + scan::token(line.get(start..line.len().min(start + 40))?);
    let event = id + scan::blanks(from(line, id));
    let fits = node > 0 && id - start == 20 && from(line, event).starts_with(b"talos/runtime/");
    fits.then_some(Split { node, id: (start, id), event })
}

/// The seconds in the first bytes of an xid (base 32 with `0-9a-v`).
fn seconds(id: &[u8]) -> Option<i64> {
    let bits = id.get(..7)?.iter().try_fold(0i64, |v, b| Some(v * 32 + i64::from(char::from(*b).to_digit(32)?)))?;
    Some(bits >> 3)
}

/// Severity of an event by its type and message.
fn severity(kind: &str, message: &str) -> Severity {
    let failed = kind.ends_with("ErrorEvent") || message.starts_with("error:") || message.starts_with("FAILED");
    if failed { Severity::ERROR } else { Severity::INFO }
}

impl Format for TalosEvents {
    fn name(&self) -> &'static str {
        "talos_events"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric()
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let split = split(line)?;
        let seconds = seconds(line.get(split.id.0..split.id.1)?)?;
        Some(Head { time: RawTime::Utc(seconds * SECOND), severity: Severity::UNKNOWN, payload: None })
    }

    fn stands_in(&self, holder: super::Holder) -> bool {
        holder == super::Holder::Anything
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let (first, second) = scan::first_line(text);
        let Some(split) = split(first.as_bytes()) else { return };
        let node = text_to(first, split.node);
        event.node = Some(node.into());
        event.entity("talos.node", node);
        let kind = between(first, split.event, first.len()).trim();
        // The cells of both lines are padded alike.
        let message = scan::text_from(second, split.event).trim();
        event.attribute("event", kind);
        event.attribute("source", between(second, split.id.0, split.event.min(second.len())).trim());
        event.attribute("actor", text_to(second, split.id.0.min(second.len())).trim());
        event.severity = severity(kind, message);
        event.body = message.into();
        event.service = Some(Service::Talos);
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: "10.5.0.2   dakfm001081g81860s40   talos/runtime/machine.ServiceStateEvent\n           kubelet                RUNNING: Health check successful",
        time: RawTime::Utc(1_789_459_200_000_000),
        severity: Severity::INFO,
        body: "RUNNING: Health check successful",
        has: &[
            ("#node", "10.5.0.2"),
            ("#service", "talos"),
            ("source", "kubelet"),
            ("event", "talos/runtime/machine.ServiceStateEvent"),
        ],
    },
    Sample {
        text: "amber-cp-1   dakfm001081g81860s40   talos/runtime/machine.ConfigLoadErrorEvent\n             error                  unknown keys found",
        time: RawTime::Utc(1_789_459_200_000_000),
        severity: Severity::ERROR,
        body: "unknown keys found",
        has: &[("source", "error")],
    },
];
