//! `kubectl_prefix`: pod and container in front of every line: `kubectl logs --prefix` (`[pod/NAME/CONTAINER] `) and
//! stern (`pod container `, in front of JSON only).

use super::scan::{self, from, text_to};
use super::{Format, Head, Sample};
use crate::event::{Event, RawTime, Severity};

/// The format.
pub struct KubectlPrefix;

/// The range of the container's name and the start of the record.
fn split(line: &[u8]) -> Option<(usize, usize, usize)> {
    match line.strip_prefix(b"[pod/") {
        Some(rest) => bracketed(rest).map(|(a, b, c)| (a + 5, b + 5, c + 5)),
        None => stern(line),
    }
}

fn bracketed(rest: &[u8]) -> Option<(usize, usize, usize)> {
    let near = rest.get(..rest.len().min(400))?;
    let slash = memchr::memchr(b'/', near)?;
    let end = slash + memchr::memchr(b']', from(near, slash))?;
    let after = (end + 2).min(rest.len());
    matches!(rest.get(end + 1), Some(b' ') | None).then_some((slash + 1, end, after))
}

fn stern(line: &[u8]) -> Option<(usize, usize, usize)> {
    let lower = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
    let pod = scan::until(line, 260, |b| !lower(b)).filter(|n| *n > 8)?;
    let rest = from(line, pod).strip_prefix(b" ")?;
    let container = scan::until(rest, 80, |b| !lower(b)).filter(|n| *n > 0)?;
    let dashes = line.get(..pod)?.contains(&b'-');
    (dashes && from(rest, container).starts_with(b" {\"")).then_some((
        pod + 1,
        pod + 1 + container,
        pod + container + 2,
    ))
}

impl Format for KubectlPrefix {
    fn name(&self) -> &'static str {
        "kubectl_prefix"
    }

    fn begins_with(&self, byte: u8) -> bool {
        byte == b'[' || byte.is_ascii_lowercase()
    }

    fn is_named(&self) -> bool {
        true
    }

    fn behind_name(&self, at: usize, byte: u8) -> bool {
        at > 0 || byte == b' '
    }

    fn head(&self, line: &[u8]) -> Option<Head> {
        let (_, _, payload) = split(line)?;
        Some(Head { time: RawTime::None, severity: Severity::UNKNOWN, payload: Some(payload) })
    }

    fn stands_in(&self, holder: super::Holder) -> bool {
        holder == super::Holder::Anything
    }

    fn parse<'a>(&self, text: &'a str, _: &Head, event: &mut Event<'a>) {
        let (first, _) = scan::first_line(text);
        if let Some((start, end, _)) = split(first.as_bytes()) {
            let pod = text_to(first, start.saturating_sub(1)).trim_start_matches("[pod/");
            event.attribute("pod", pod);
            event.attribute("container", scan::between(first, start, end));
            event.service = super::container_service(pod).or(event.service);
        }
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample {
        text: r#"[pod/omni-infra-provider-proxmox-6d8f9c7b54-x2x8p/provider] 2026-09-15T08:00:00.123456789Z {"level":"warn","ts":1789459200.1,"caller":"a/b.go:1","msg":"slow answer"}"#,
        time: RawTime::Utc(1_789_459_200_123_456),
        severity: Severity::WARN,
        body: "slow answer",
        has: &[("container", "provider"), ("#service", "omni-provider")],
    },
    Sample {
        text: r#"sidero-controller-manager-7b559896bd-4ntg7 serverlogs {"clock":3935200882,"facility":"user","machine":"amber-cp-1","msg":"[talos] renew failed","talos-level":"warn","talos-time":"2026-09-15T08:00:00Z"}"#,
        time: RawTime::Utc(1_789_459_200_000_000),
        severity: Severity::ERROR,
        body: "renew failed",
        has: &[("pod", "sidero-controller-manager-7b559896bd-4ntg7"), ("#service", "talos")],
    },
];
