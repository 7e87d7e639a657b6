//! One service in detail: `talosctl service NAME`, and the `.state` files of support bundles. Its event looks like a
//! row of the table of all services.

use super::block::{Block, attribute, event};
use super::entity::node;
use super::{Context, Document, Progress, Sample, StateEvent};
use crate::event::Service;

/// Names of the rows.
const ROWS: &[&str] = &["NODE", "ID", "STATE", "HEALTH", "LAST HEALTH MESSAGE", "EVENTS"];

/// Rows `NAME   value`.
pub(super) struct ServiceState;

impl Document for ServiceState {
    fn name(&self) -> &'static str {
        "service_state"
    }

    fn begins_with(&self, byte: u8) -> bool {
        matches!(byte, b'N' | b'I')
    }

    fn begins(&self, line: &[u8]) -> bool {
        let Some(rest) = line.strip_prefix(b"ID  ").or_else(|| line.strip_prefix(b"NODE  ")) else { return false };
        let value = rest.trim_ascii();
        !value.is_empty()
            && value.len() < 80
            && value.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.:_".contains(b))
    }

    fn continues(&self, progress: &mut Progress, line: &[u8]) -> bool {
        progress.lines = progress.lines.saturating_add(1);
        let inner = line.trim_ascii_start();
        if inner.len() < line.len() {
            return progress.lines > 3 && inner.starts_with(b"[");
        }
        std::str::from_utf8(line).is_ok_and(|line| row(line).is_some_and(|(name, _)| name != "NODE"))
    }

    fn events(&self, block: &str, context: &Context) -> Vec<StateEvent> {
        let block = Block::new(block);
        let rows: Vec<(&str, &str)> = block.lines().filter_map(|(_, line)| row(line)).collect();
        let get = |name: &str| rows.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
        let (Some(id), Some(state)) = (get("ID"), get("STATE")) else { return Vec::new() };
        let health = get("HEALTH").unwrap_or("?");
        let mut event = event("table", Service::Talosctl, format!("service {id} {state} {health}"));
        for (name, value) in [("table", "talosctl-services"), ("service", id), ("state", state), ("health", health)] {
            attribute(&mut event, name, value);
        }
        if let Some(message) = get("LAST HEALTH MESSAGE") {
            attribute(&mut event, "last_health_message", message);
        }
        let indented = block.lines().filter(|(_, l)| l.starts_with(' ')).map(|(_, l)| l.trim());
        for (index, line) in get("EVENTS").into_iter().chain(indented).enumerate() {
            let (text, ago) = line.strip_suffix(')').and_then(|l| l.rsplit_once(" (")).unwrap_or((line, ""));
            let text = text.split_once("]: ").map_or(text, |(_, t)| t);
            if index == 0 {
                attribute(&mut event, "last_change", ago);
                attribute(&mut event, "last_event", text);
            } else {
                attribute(&mut event, "event", text);
            }
        }
        if let Some(name) = get("NODE").or(context.node) {
            node(&mut event, name);
        }
        vec![block.event(event, 0, block.len())]
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

/// A row: its name and value.
fn row(line: &str) -> Option<(&str, &str)> {
    ROWS.iter().find_map(|name| {
        let value = line.strip_prefix(name)?;
        (value.starts_with("  ") || value.trim().is_empty()).then_some((*name, value.trim()))
    })
}

const SAMPLES: &[Sample] = &[Sample {
    text: "ID       etcd
STATE    Running
HEALTH   Fail
LAST HEALTH MESSAGE   context deadline exceeded
EVENTS   [Running]: Health check failed: context deadline exceeded (12s ago)
         [Running]: Started task etcd (PID 1044) for container etcd (162h15m47s ago)
",
    path: "service-logs/etcd.state",
    events: 1,
    has: &[
        (0, "table", "talosctl-services"),
        (0, "service", "etcd"),
        (0, "health", "Fail"),
        (0, "last_event", "Health check failed: context deadline exceeded"),
        (0, "last_change", "12s ago"),
        (0, "event", "Started task etcd (PID 1044) for container etcd"),
    ],
}];
