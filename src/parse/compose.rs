//! `compose`: the name of the container in front of every line, as `docker compose logs` (`name-1  | `) and some
//! viewers (`[name] | `, `[name] <time> `) write it.

use super::scan::{self, from, text_to};
use super::{Format, Head, Sample, docker_timestamp};
use crate::event::{Event, RawTime, Severity};

/// The format.
pub struct Compose;

/// The longest container name that is believed.
const LONGEST: usize = 120;

/// The end of the name and the start of the record.
fn split(line: &[u8]) -> Option<(usize, usize)> {
    match line.strip_prefix(b"[") {
        Some(inside) => bracketed(inside).map(|(name, at)| (name + 1, at + 1)),
        None => plain(line),
    }
}

fn name(line: &[u8]) -> Option<usize> {
    let end = scan::until(line, LONGEST, |b| !scan::is_name(*b) && *b != b'@')?;
    (end > 0).then_some(end)
}

/// `name-1  | `: at least two blanks, then the bar.
fn plain(line: &[u8]) -> Option<(usize, usize)> {
    let end = name(line)?;
    let blanks = scan::blanks(from(line, end));
    let bar = end + blanks;
    if blanks < 2 {
        return None;
    }
    let record = behind_bar(line, bar)?;
    (!is_row(from(line, record))).then_some((end, record))
}

/// Whether what follows a bar are further columns of a table.
fn is_row(rest: &[u8]) -> bool {
    let near = rest.get(..rest.len().min(40)).unwrap_or_default();
    memchr::memchr(b'|', near).is_some() && !scan::record_starts(rest)
}

/// `name] | ` or `name] <time> `.
fn bracketed(inside: &[u8]) -> Option<(usize, usize)> {
    let end = name(inside)?;
    let rest = from(inside, end);
    if rest.starts_with(b"] | ") || rest == b"] |" {
        return Some((end, behind_bar(inside, end + 2)?));
    }
    let time = rest.strip_prefix(b"] ")?;
    docker_timestamp::split(time).map(|_| (end, end + 2))
}

/// The offset behind a bar and its blank.
fn behind_bar(line: &[u8], bar: usize) -> Option<usize> {
    match (line.get(bar)?, line.get(bar + 1)) {
        (b'|', Some(b' ')) => Some(bar + 2),
        (b'|', None) => Some(bar + 1),
        _ => None,
    }
}

impl Format for Compose {
    fn name(&self) -> &'static str {
        "compose"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric() || byte == b'['
    }

    fn is_named(&self) -> bool {
        true
    }

    fn behind_name(&self, at: usize, byte: u8) -> bool {
        match at {
            0 => matches!(byte, b' ' | b'@'),
            _ => byte == b' ' || scan::is_name(byte),
        }
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let (_, payload) = split(line)?;
        Some(Head { time: RawTime::None, severity: Severity::UNKNOWN, payload: Some(payload) })
    }

    fn stands_in(&self, holder: super::Holder) -> bool {
        holder == super::Holder::Anything
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let (first, _) = scan::first_line(text);
        if let Some((end, _)) = split(first.as_bytes()) {
            let name = text_to(first, end).trim_start_matches('[');
            event.service = super::container_service(name).or(event.service);
        }
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: r#"omni-infra-provider-proxmox-1  | {"level":"info","ts":1789459200.5,"caller":"qruntime/qruntime.go:314","msg":"reconcile succeeded","id":"amber-1"}"#,
        time: RawTime::Utc(1_789_459_200_500_000),
        severity: Severity::INFO,
        body: "reconcile succeeded",
        has: &[("#service", "omni-provider")],
    },
    Sample {
        text: "[netbox-sync] 2026-09-15T08:00:00.960066434Z Error: rpc error: code = Unavailable desc = closing",
        time: RawTime::Utc(1_789_459_200_960_066),
        severity: Severity::ERROR,
        body: "Error: rpc error: code = Unavailable desc = closing",
        has: &[],
    },
    Sample {
        text: "[omni-infra-provider] | Error: no config file",
        time: RawTime::None,
        severity: Severity::ERROR,
        body: "Error: no config file",
        has: &[("#service", "omni-provider")],
    },
];
