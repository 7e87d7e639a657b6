//! `journal_json`: `journalctl -o json`, one record per line; its message may hold any other format.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::json::Pairs;
use super::scan::from;
use super::{Format, Head, Sample, nested, syslog_3164};
use crate::event::time::{self, RawTime};
use crate::event::{Event, Severity};

/// The format.
pub struct JournalJson;

fn severity(line: &[u8]) -> Severity {
    static PRIORITY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"PRIORITY\":\""));
    let digit = PRIORITY.find(line).and_then(|at| line.get(at + 12));
    digit.map_or(Severity::UNKNOWN, |d| Severity::from_syslog(d.wrapping_sub(b'0')))
}

fn stamp(line: &[u8]) -> Option<RawTime> {
    static TIME: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"__REALTIME_TIMESTAMP\":\""));
    time::epoch(from(line, TIME.find(line)? + 24)).map(|(time, _)| time)
}

impl Format for JournalJson {
    fn name(&self) -> &'static str {
        "journal_json"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b'{'
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let first = line.strip_prefix(b"{\"")?.first()?;
        if !first.is_ascii_uppercase() && *first != b'_' {
            return None;
        }
        Some(Head { time: stamp(line)?, severity: severity(line), payload: None })
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let (mut message, mut host, mut tag) = (None, None, None);
        for pair in Pairs::new(text) {
            match pair.key.as_ref() {
                "MESSAGE" => message = Some(pair.value),
                "_HOSTNAME" => host = Some(pair.value),
                "SYSLOG_IDENTIFIER" => tag = Some(pair.value),
                _ => {}
            }
        }
        let (message, host, tag) = (message.unwrap_or_default(), host.unwrap_or_default(), tag.unwrap_or_default());
        let mut inner = Event { time: event.time, severity: event.severity, ..Event::default() };
        syslog_3164::describe(&host, &tag, &message, &mut inner);
        nested(&message, &mut inner);
        let formats = std::mem::take(&mut event.formats);
        *event = inner.into_owned();
        event.formats.splice(0..0, formats);
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[Sample {
    text: r#"{"__REALTIME_TIMESTAMP":"1789459200123456","_HOSTNAME":"pve1","SYSLOG_IDENTIFIER":"pvedaemon","PRIORITY":"3","MESSAGE":"VM 104 qmp command failed - got timeout"}"#,
    time: RawTime::Utc(1_789_459_200_123_456),
    severity: Severity::ERROR,
    body: "VM 104 qmp command failed - got timeout",
    has: &[("#service", "pve-journal"), ("#node", "pve1"), ("@pve.node", "pve1"), ("@pve.vmid", "104")],
}];
