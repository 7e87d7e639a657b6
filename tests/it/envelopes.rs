//! A line keeps its root cause whatever it is wrapped in: as containers, clusters, hosts, tickets and terminals hand it on.

use omnilog::limits::Limits;
use omnilog::parse::{self, LockOn};
use omnilog::scan::SourceContext;
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

/// The signatures that held on a text, by name, with how often.
fn held(text: &str) -> Vec<(String, u64)> {
    let outcome = lab::scanner().text(SourceContext::default(), text.as_bytes());
    let name = |id: usize| lab::catalogue().signatures[id].name.clone();
    outcome.found.tallies.iter().map(|(id, tally)| (name(*id), tally.count)).collect()
}

#[test]
fn json_records_on_one_line_are_read_as_if_each_had_its_own() {
    let mut compared = 0;
    let mut complaints = Vec::new();
    for case in lab::cases() {
        let Some(log) = case.sample.log.as_deref().map(str::trim_end) else { continue };
        let count = log.lines().count();
        if !(2..20).contains(&count) || !log.lines().all(|l| l.starts_with("{\"") && l.ends_with('}')) {
            continue;
        }
        compared += 1;
        let lines = held(log);
        for between in ["", " "] {
            let joined = held(&log.replace('\n', between));
            if joined != lines {
                complaints.push(format!("{}: {joined:?} instead of {lines:?}", case.name()));
            }
        }
    }
    assert!(compared > 5, "only {compared} samples hold JSON records");
    none(&complaints);
}

#[test]
fn a_record_in_parts_of_the_container_runtime_is_one_record() {
    let line = crate::support::FULL.trim_end();
    let stamped =
        |number: u32, tag: &str, text: &str| format!("2026-09-15T08:00:0{number}.123456789Z stdout {tag} {text}\n");
    let parts = |at: usize| {
        let (first, second) = line.split_at(at);
        stamped(0, "P", first) + &stamped(1, "F", second) + &stamped(2, "F", "something else")
    };
    let mut bodies = Vec::new();
    let mut each = |_, event: &omnilog::event::Event<'_>| bodies.push(event.body.to_string());
    let context = SourceContext::default();
    let text = parts(line.find("thin volume").expect("a thin volume"));
    omnilog::scan::walk::events(&context, &Limits::default(), &mut text.as_bytes(), &mut each).expect("memory");
    let whole = line.strip_prefix("TASK ERROR: ").expect("an error");
    assert_eq!(bodies.len(), 2, "{bodies:?}");
    assert!(bodies.iter().any(|body| body.contains(whole)), "{bodies:?}");
    // The text by which the record is found stands in the second part, the beginning of the record in the first.
    let found = |text: &str| {
        let report = crate::support::omnilog::<&str>([]).input(text).report();
        report["root_causes"][0]["evidence"][0]["excerpt"].to_string()
    };
    let text = parts(line.find("Cannot create").expect("an error"));
    let excerpt = found(&text);
    assert!(excerpt.contains("TASK ERROR") && excerpt.contains("reached threshold"), "{excerpt}");
}

#[test]
fn a_table_in_the_journal_or_a_container_log_is_read() {
    let table = "ID             NAME       VERSION    DESCRIPTION                        CONNECTED    ERROR\n\
                 proxmox-lab    Proxmox    v0.1.0     Proxmox infrastructure provider    false\n";
    let plain = held(table);
    assert!(!plain.is_empty());
    for envelope in [
        "2026-09-15T08:00:00.123456789Z stdout F ",
        "2026-09-15T08:00:00.123456789Z ",
        "Sep 15 10:00:00 pve1 report[4711]: ",
    ] {
        let wrapped = format!("{envelope}{}", table.trim_end().replace('\n', &format!("\n{envelope}")));
        assert_eq!(held(&wrapped), plain, "{envelope}");
    }
    assert!(held("Sep 15 10:00:00 pve1 report[4711]: ID  NAME  CONNECTED\n").is_empty());
}
