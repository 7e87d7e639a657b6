//! `pmxcfs`: messages of Proxmox's cluster file system, always inside its journal: `[status] notice: text`.

use super::scan::{self, from};
use super::{Format, Head, Sample};
use crate::event::{Event, RawTime, Service, Severity};

/// The format.
pub struct Pmxcfs;

const DOMAINS: &[&[u8]] = &[b"main", b"status", b"dcdb", b"confdb", b"quorum", b"database", b"ipcs", b"loop", b"libqb"];

fn severity(line: &[u8]) -> Option<Severity> {
    let inside = line.strip_prefix(b"[")?;
    let domain = scan::word(inside);
    let rest = from(inside, domain.len()).strip_prefix(b"] ").filter(|_| DOMAINS.contains(&domain))?;
    let word = scan::word(rest);
    let severity = Severity::from_word(word);
    (severity != Severity::UNKNOWN && from(rest, word.len()).starts_with(b": ")).then_some(severity)
}

impl Format for Pmxcfs {
    fn name(&self) -> &'static str {
        "pmxcfs"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b'['
    }

    fn goes_on_with(&self, at: usize, byte: u8) -> bool {
        at > 1 || DOMAINS.iter().any(|domain| domain.first() == Some(&byte))
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        Some(Head { time: RawTime::None, severity: severity(line)?, payload: None })
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        event.body = text.into();
        event.service = event.service.or(Some(Service::PveJournal));
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[Sample {
    text: "Sep 15 08:00:00 pve1 pmxcfs[901]: [quorum] crit: quorum_dispatch failed: CS_ERR_LIBRARY",
    time: RawTime::Yearless(22_320_000_000_000),
    severity: Severity::CRITICAL,
    body: "[quorum] crit: quorum_dispatch failed: CS_ERR_LIBRARY",
    has: &[("#service", "pve-journal"), ("@pve.node", "pve1")],
}];
