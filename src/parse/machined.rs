//! `machined`: Talos' own log file: date and time with microseconds (always UTC), then the text that also reaches the
//! console.

use super::scan::from;
use super::{Format, Head, Sample};
use crate::event::time::{self, RawTime};
use crate::event::{Event, Service, Severity};

/// The format.
pub struct Machined;

impl Format for Machined {
    fn name(&self) -> &'static str {
        "machined"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte.is_ascii_digit()
    }

    fn goes_on_with(&self, at: usize, byte: u8) -> bool {
        super::scan::date_has(at, byte, b'/')
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        if line.get(4) != Some(&b'/') {
            return None;
        }
        let (time, used) = time::timestamp(line)?;
        let time = match time {
            RawTime::Local(t) => RawTime::Utc(t),
            other => other,
        };
        from(line, used).starts_with(b" [talos] ").then_some(Head {
            time,
            severity: Severity::UNKNOWN,
            payload: Some(used + 1),
        })
    }

    fn holds(&self) -> super::Holder {
        super::Holder::Kernel
    }

    fn parse<'a>(&self, _: &'a str, _: &Head, event: &mut Event<'a>) {
        event.service = Some(Service::Talos);
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[Sample {
    text: "10.5.0.2: 2026/09/15 08:00:00.123456 [talos] service[etcd](Running): Health check successful",
    time: RawTime::Utc(1_789_459_200_123_456),
    severity: Severity::UNKNOWN,
    body: "service[etcd](Running): Health check successful",
    has: &[("#node", "10.5.0.2"), ("#service", "talos"), ("service_id", "etcd"), ("state", "Running")],
}];
