//! `audit_json`: Omni's audit log (`omnictl audit-log`): who created, changed or removed what.

use super::json::Pairs;
use super::scan::from;
use super::{Format, Head, Sample, subject};
use crate::event::time::{self, RawTime};
use crate::event::{Event, Service, Severity};

/// The format.
pub struct AuditJson;

fn stamp(line: &[u8]) -> RawTime {
    let head = line.get(..line.len().min(400)).unwrap_or_default();
    let found = memchr::memmem::find(head, b"\"event_ts\":").and_then(|at| time::epoch(from(head, at + 11)));
    found.map_or(RawTime::None, |(time, _)| time)
}

/// Puts the pairs of nested objects into attributes with dotted names, a few levels deep.
fn flatten<'a>(prefix: &str, text: &'a str, depth: usize, event: &mut Event<'a>) {
    for pair in Pairs::new(text) {
        let name = format!("{prefix}.{}", pair.key);
        match pair.value {
            std::borrow::Cow::Borrowed(nested) if !pair.quoted && nested.starts_with('{') && depth > 0 => {
                flatten(&name, nested, depth - 1, event);
            }
            value => event.attribute(name, value),
        }
    }
}

/// Names the cluster and the machine set that the data of an event tell.
fn entities(event: &mut Event<'_>) {
    let mut found = Vec::new();
    for (key, value) in &event.attributes {
        match key.rsplit('.').next() {
            Some("cluster_id" | "cluster_name") => found.push(("omni.cluster", value.clone())),
            Some("machine_set_id") => found.push(("omni.machine_set", value.clone())),
            Some("id") if key.contains("machine") && !key.contains("set.") => {
                found.push(("omni.machine", value.clone()))
            }
            _ => {}
        }
    }
    for (key, value) in found {
        event.entity(key, value);
    }
}

impl Format for AuditJson {
    fn name(&self) -> &'static str {
        "audit_json"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b'{'
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        if !line.starts_with(b"{\"event_type\":\"") {
            return None;
        }
        Some(Head { time: stamp(line), severity: Severity::INFO, payload: None })
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let (mut kind, mut resource, mut id) = (None, None, None);
        for pair in Pairs::new(text) {
            match (pair.key.as_ref(), pair.value) {
                ("event_type", value) => kind = Some(value),
                ("resource_type", value) => resource = Some(value),
                ("resource_id", value) => id = Some(value),
                ("event_data", std::borrow::Cow::Borrowed(data)) => flatten("event_data", data, 3, event),
                ("event_ts", _) => {}
                (_, value) => event.attributes.push((pair.key, value)),
            }
        }
        let parts = [&kind, &resource, &id].into_iter().flatten().map(AsRef::as_ref);
        event.body = parts.collect::<Vec<&str>>().join(" ").into();
        if let (Some(resource), Some(id)) = (&resource, &id) {
            subject::name(resource, id.clone(), event);
        }
        for (key, value) in [("event_type", kind), ("resource_type", resource), ("resource_id", id)] {
            event.attribute(key, value.unwrap_or_default());
        }
        entities(event);
        event.service = Some(Service::Omni);
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[Sample {
    text: r#"{"event_type":"teardown","resource_type":"MachineSetNodes.omni.sidero.dev","resource_id":"7f1c2d3e-0000-4000-8000-000000000001","event_ts":1789459200123,"event_data":{"machine_set_node":{"id":"7f1c2d3e-0000-4000-8000-000000000001","cluster_id":"amber"},"session":{"user_agent":"omnictl","role":"Operator","email":"ops@example.org"}}}"#,
    time: RawTime::Utc(1_789_459_200_123_000),
    severity: Severity::INFO,
    body: "teardown MachineSetNodes.omni.sidero.dev 7f1c2d3e-0000-4000-8000-000000000001",
    has: &[
        ("#service", "omni"),
        ("resource_type", "MachineSetNodes.omni.sidero.dev"),
        ("event_data.session.email", "ops@example.org"),
        ("@omni.machine", "7f1c2d3e-0000-4000-8000-000000000001"),
        ("@omni.cluster", "amber"),
    ],
}];
