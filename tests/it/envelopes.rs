//! A line keeps its root cause whatever it is wrapped in: as containers, clusters, hosts, tickets and terminals hand it on.

use omnilog::parse::{self, LockOn};
use omnilog::state;

use crate::lab::{self, best, ranking};
use crate::support::none;

/// A wrapping: its name, and what it makes of a line.
type Envelope = (&'static str, fn(&str) -> String);

/// A text as a JSON string.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string")
}

const ENVELOPES: &[Envelope] = &[
    ("docker json-file", |line| {
        format!(
            "{{\"log\":{},\"stream\":\"stderr\",\"time\":\"2026-09-15T08:00:00.123456789Z\"}}",
            quoted(&format!("{line}\n"))
        )
    }),
    ("docker compose", |line| format!("app-1  | {line}")),
    ("docker logs --timestamps", |line| format!("2026-09-15T08:00:00.123456789Z {line}")),
    ("CRI", |line| format!("2026-09-15T08:00:00.123456789Z stderr F {line}")),
    ("kubectl logs --prefix", |line| format!("[pod/app-7d4b9c/app] {line}")),
    ("the journal, short", |line| format!("Sep 15 08:00:00 host app[4711]: {line}")),
    ("the journal, JSON", |line| {
        format!(
            "{{\"__REALTIME_TIMESTAMP\":\"1789459200000000\",\"_HOSTNAME\":\"host\",\"PRIORITY\":\"6\",\
             \"SYSLOG_IDENTIFIER\":\"app\",\"MESSAGE\":{}}}",
            quoted(line)
        )
    }),
    ("talosctl's node prefix", |line| format!("10.5.0.2: {line}")),
    ("a Markdown quote", |line| format!("> {line}")),
    ("a Markdown fence", |line| format!("```\n{line}\n```")),
    ("an indented block", |line| format!("    {line}")),
    ("colours", |line| format!("\u{1b}[31m{line}\u{1b}[0m")),
    ("CR LF", |line| format!("{line}\r")),
];

/// Whether a line stands in an envelope already.
fn wrapped(line: &str) -> bool {
    let classified = parse::classify(line.as_bytes(), &mut LockOn::default());
    classified.layers.iter().filter(|l| **l != u8::MAX).count() > 1
}

/// Positive samples of one log line that nothing wraps yet, each with its line.
fn lines() -> Vec<(&'static lab::Case, &'static str)> {
    let document = |line: &str| state::begins(line.as_bytes()).is_some();
    let cases = lab::cases().iter().filter(|c| c.leads());
    cases.filter_map(|c| Some((c, c.line()?))).filter(|(_, line)| !document(line) && !wrapped(line)).collect()
}

#[test]
fn every_positive_line_keeps_its_root_cause_in_every_envelope() {
    let lines = lines();
    assert!(lines.len() > 20, "only {} samples of one line", lines.len());
    let mut complaints = Vec::new();
    for (case, line) in lines {
        let plain = ranking(&[("sample.log", line)]);
        if plain.first().is_none_or(|(id, _)| id != case.id) {
            continue; // The catalogue's own tests name it.
        }
        for (envelope, wrap) in ENVELOPES {
            // talosctl prefixes what nodes print, not what web pages show.
            let format = omnilog::parse::parse(line).format();
            if envelope.starts_with("talosctl") && ["plain", "portainer"].contains(&format) {
                continue;
            }
            let wrapped = ranking(&[("sample.log", &wrap(line))]);
            if wrapped.first().is_none_or(|(id, _)| id != case.id) {
                complaints.push(format!(
                    "{} in {envelope}: {} instead of {}",
                    case.name(),
                    best(&wrapped),
                    best(&plain)
                ));
            }
        }
    }
    none(&complaints);
}

#[test]
fn envelopes_within_envelopes_keep_the_root_cause() {
    let nested: &[(&str, &str)] =
        &[("a Markdown quote", "docker compose"), ("colours", "CRI"), ("CRI", "colours"), ("a Markdown quote", "CRI")];
    let wrap = |name: &str| ENVELOPES.iter().find(|(n, _)| *n == name).expect("an envelope").1;
    let mut complaints = Vec::new();
    for (case, line) in lines() {
        let plain = ranking(&[("sample.log", line)]);
        if plain.first().is_none_or(|(id, _)| id != case.id) {
            continue;
        }
        for (outer, inner) in nested {
            let wrapped = ranking(&[("sample.log", &wrap(outer)(&wrap(inner)(line)))]);
            if wrapped.first().is_none_or(|(id, _)| id != case.id) {
                complaints.push(format!("{} in {inner} in {outer}: {}", case.name(), best(&wrapped)));
            }
        }
    }
    none(&complaints);
}
