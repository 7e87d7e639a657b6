//! `pvesh_task_log`: the lines of a Proxmox task as the API gives them: `{"n":1,"t":"line"}`, alone or in a list.

use super::json::Pairs;
use super::scan::{digits, from};
use super::{Format, Head, Sample, pve_task, upid};
use crate::event::time::RawTime;
use crate::event::{Event, Service, Severity};

/// The format.
pub struct PveshTaskLog;

/// The object behind the list or answer that may stand around it.
fn object(line: &[u8]) -> &[u8] {
    let line = line.strip_prefix(b"{\"data\":").unwrap_or(line);
    line.strip_prefix(b"[").unwrap_or(line)
}

/// Whether `{"n":1,"t":` or `{"t":"...` with a number behind it begins here.
fn numbered(line: &[u8]) -> bool {
    match line.strip_prefix(b"{\"n\":") {
        Some(rest) => digits(rest) > 0 && from(rest, digits(rest)).starts_with(b",\"t\":\""),
        None => line.starts_with(b"{\"t\":\"") && memchr::memmem::find(line, b"\",\"n\":").is_some(),
    }
}

/// The lines of all objects in the text.
fn lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text.strip_prefix("{\"data\":").unwrap_or(text);
    while !rest.is_empty() {
        let mut pairs = Pairs::new(rest);
        lines.extend(pairs.by_ref().filter(|p| p.key == "t").map(|p| p.value.into_owned()));
        rest = pairs.rest();
    }
    lines
}

impl Format for PveshTaskLog {
    fn name(&self) -> &'static str {
        "pvesh_task_log"
    }

    fn begins_with(&self, byte: u8) -> bool {
        matches!(byte, b'{' | b'[')
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        if !numbered(object(line)) {
            return None;
        }
        let failed = memchr::memmem::find(line, b"\"t\":\"TASK ERROR: ").is_some();
        let severity = if failed { Severity::ERROR } else { Severity::UNKNOWN };
        Some(Head { time: RawTime::None, severity, payload: None })
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let lines = lines(text);
        let body = lines.join("\n");
        let mut inner = Event::default();
        upid::guests(&body, &mut inner);
        for (key, value) in inner.into_owned().entities {
            event.entity(key, value);
        }
        if event.severity == Severity::UNKNOWN {
            event.severity = lines.last().map_or(Severity::UNKNOWN, |l| pve_task::severity(l.as_bytes()));
        }
        event.body = body.into();
        event.service = Some(Service::PveTask);
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: r#"[{"n":1,"t":"update VM 104: -boot order=scsi0"},{"n":2,"t":"TASK ERROR: VM is locked (create)"}]"#,
        time: RawTime::None,
        severity: Severity::ERROR,
        body: "update VM 104: -boot order=scsi0\nTASK ERROR: VM is locked (create)",
        has: &[("#service", "pve-task"), ("@pve.vmid", "104")],
    },
    Sample {
        text: r#"{"n":7,"t":"TASK OK"}"#,
        time: RawTime::None,
        severity: Severity::INFO,
        body: "TASK OK",
        has: &[("#service", "pve-task")],
    },
];
