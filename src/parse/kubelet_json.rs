//! `kubelet_json`: the JSON of Kubernetes components: a time in milliseconds first, and no level. Lines of information
//! carry their verbosity `v`, errors do not.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::scan::{digits, from};
use super::{Format, Head, Sample, zap};
use crate::event::time::{self, RawTime};
use crate::event::{Event, Service, Severity};

/// The format.
pub struct KubeletJson;

impl Format for KubeletJson {
    fn name(&self) -> &'static str {
        "kubelet_json"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b'{'
    }

    fn goes_on_with(&self, at: usize, byte: u8) -> bool {
        super::scan::one_has(&[b"{\"ts\":"], at, byte)
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        static LEVEL: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"level\":\""));
        static VERBOSITY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(",\"v\":"));
        let number = line.strip_prefix(b"{\"ts\":")?;
        let (time, used) = time::epoch(number).filter(|_| digits(number) > 11)?;
        let rest = from(number, used);
        if LEVEL.find(rest.get(..rest.len().min(24)).unwrap_or_default()).is_some() {
            return None;
        }
        let severity = if VERBOSITY.find(rest).is_some() { Severity::INFO } else { Severity::ERROR };
        Some(Head { time, severity, payload: None })
    }

    fn stands_in(&self, _: super::Holder) -> bool {
        true
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        zap::object(text, event);
        event.service = Some(Service::Kubelet);
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: r#"{"ts":1789459200123.4567,"caller":"kubelet/kubelet_node_status.go:76","msg":"Successfully registered node","v":0,"node":"amber-w1"}"#,
        time: RawTime::Utc(1_789_459_200_123_456),
        severity: Severity::INFO,
        body: "Successfully registered node",
        has: &[("#service", "kubelet"), ("@k8s.node", "amber-w1")],
    },
    Sample {
        text: r#"{"ts":1789459200123.4,"caller":"kubelet/pod_workers.go:1301","msg":"Error syncing pod, skipping","pod":{"name":"web-0","namespace":"shop"},"err":"failed to \"StartContainer\""}"#,
        time: RawTime::Utc(1_789_459_200_123_400),
        severity: Severity::ERROR,
        body: "Error syncing pod, skipping",
        has: &[("err", "failed to \"StartContainer\""), ("pod", r#"{"name":"web-0","namespace":"shop"}"#)],
    },
];
