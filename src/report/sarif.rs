//! SARIF 2.1.0 for pipelines: a rule for each root cause, a result for each one that is named, its evidence as locations.
//!
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>. Weak root causes are results only when everything is
//! asked for.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::coverage;
use super::model::{EvidenceLine, ProblemEntry, Report, RootCause};
use super::{PSEUDONYMS, Renderer, Style, sanitize};

/// SARIF 2.1.0.
pub struct Sarif;

/// Where the schema of the format stands.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

impl Renderer for Sarif {
    fn name(&self) -> &'static str {
        "sarif"
    }

    fn render(&self, report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
        let named: Vec<&RootCause> =
            report.root_causes.iter().filter(|c| style.all || c.confidence >= super::NAMED).collect();
        let log = json!({
            "$schema": SCHEMA,
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": driver(report, &named) },
                "invocations": [{
                    "executionSuccessful": true,
                    "toolExecutionNotifications": report.problems.iter().map(notification).collect::<Vec<_>>(),
                }],
                "results": named.iter().enumerate().map(|(index, cause)| result(index, cause)).collect::<Vec<_>>(),
                "columnKind": "unicodeCodePoints",
                "properties": {
                    "unexplained": report.unexplained.events,
                    "redacted": report.redacted,
                    "note": if report.redacted { PSEUDONYMS } else { "" },
                },
            }],
        });
        serde_json::to_writer_pretty(&mut *out, &log)?;
        writeln!(out)
    }
}

fn driver(report: &Report, named: &[&RootCause]) -> Value {
    json!({
        "name": report.tool.name,
        "version": report.tool.version,
        "semanticVersion": report.tool.version,
        "properties": { "catalogue": report.tool.catalogue.digest },
        "rules": named.iter().map(|cause| rule(cause)).collect::<Vec<_>>(),
    })
}

fn rule(cause: &RootCause) -> Value {
    let description = if cause.description.is_empty() { &cause.title } else { &cause.description };
    let mut rule = json!({
        "id": cause.id,
        "name": camel(&cause.cause),
        "shortDescription": { "text": cause.title },
        "fullDescription": { "text": sanitize::line(description) },
        "help": { "text": help(cause) },
        "defaultConfiguration": { "level": level(&cause.verdict) },
        "properties": { "tags": [cause.scenario], "impact": cause.level },
    });
    if let Some(reference) = cause.references.iter().find(|r| r.url.starts_with("https://")) {
        rule["helpUri"] = json!(reference.url);
    }
    rule
}

/// What to do, as text.
fn help(cause: &RootCause) -> String {
    let mut text = sanitize::line(&cause.reason);
    for (number, step) in (1..).zip(&cause.remediation) {
        text.push_str(&format!("\n{number}. {} (risk: {})", step.title, step.risk));
        if !step.precondition.is_empty() {
            text.push_str(&format!("\n   only if: {}", step.precondition));
        }
        step.run.lines().for_each(|run| text.push_str(&format!("\n   {run}")));
    }
    text
}

/// `storage-full` becomes `StorageFull`: names of rules are identifiers.
fn camel(slug: &str) -> String {
    let upper = |word: &str| {
        let mut chars = word.chars();
        chars.next().map(|first| first.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
    };
    slug.split('-').map(upper).collect()
}

fn level(verdict: &str) -> &'static str {
    match verdict {
        "confirmed" | "likely" => "error",
        "possible" => "warning",
        _ => "note",
    }
}

fn result(index: usize, cause: &RootCause) -> Value {
    let (supports, against): (Vec<_>, Vec<_>) = cause.evidence.iter().partition(|e| e.role == "supports");
    let related = supports.iter().skip(1).chain(&against).zip(1..).map(|(line, id)| related(line, id));
    json!({
        "ruleId": cause.id,
        "ruleIndex": index,
        "level": level(&cause.verdict),
        "rank": (cause.confidence * 100.0).clamp(0.0, 100.0),
        "message": { "text": message(cause) },
        "locations": supports.iter().take(1).map(|line| location(line)).collect::<Vec<_>>(),
        "relatedLocations": related.collect::<Vec<_>>(),
        "partialFingerprints": { "rootCause/v1": cause.id },
        "properties": {
            "verdict": cause.verdict,
            "confidence": cause.confidence,
            "firstSeen": cause.first_seen,
            "lastSeen": cause.last_seen,
            "count": cause.count,
            "entities": cause.entities,
            "explains": cause.explains,
        },
    })
}

fn message(cause: &RootCause) -> String {
    let mut text = format!("{} ({}, {:.2}).", cause.title.trim_end_matches('.'), cause.verdict, cause.confidence);
    if let Some(first) = &cause.first_seen {
        text.push_str(&format!(" Since {first}."));
    }
    if let Some(step) = cause.remediation.first() {
        text.push_str(&format!(" First: {}.", step.title.trim_end_matches('.')));
    }
    text
}

fn location(line: &EvidenceLine) -> Value {
    let mut physical = json!({ "artifactLocation": { "uri": uri(&line.source) } });
    if line.line > 0 {
        physical["region"] = json!({ "startLine": line.line, "snippet": { "text": line.excerpt } });
    }
    let says = if line.says.is_empty() { &line.id } else { &line.says };
    json!({ "physicalLocation": physical, "message": { "text": says } })
}

fn related(line: &EvidenceLine, id: u64) -> Value {
    let mut location = location(line);
    location["id"] = json!(id);
    if line.role != "supports" {
        location["message"]["text"] = json!(format!("against it: {}", line.says));
    }
    location
}

fn notification(problem: &ProblemEntry) -> Value {
    json!({
        "level": if coverage::is_loss(problem) { "warning" } else { "note" },
        "descriptor": { "id": problem.kind },
        "message": { "text": problem.message },
        "locations": [{ "physicalLocation": { "artifactLocation": { "uri": uri(&problem.source) } } }],
    })
}

/// The label of a source as a URI reference (RFC 3986): everything but plain path characters is percent-encoded.
fn uri(source: &str) -> String {
    let mut out = String::from(if source.starts_with('/') { "file://" } else { "" });
    // An empty first part would name a host.
    let source = if source.starts_with("//") { source.trim_start_matches('/') } else { source };
    for byte in source.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' | b'!' => {
                out.push(char::from(byte))
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_become_references() {
        assert_eq!(uri("a/b.zip!/c d.log"), "a/b.zip!/c%20d.log");
        assert_eq!(uri("/var/log/x"), "file:///var/log/x");
        assert_eq!(uri("<stdin>"), "%3Cstdin%3E");
        assert_eq!(uri("x:y/ä?#"), "x%3Ay/%C3%A4%3F%23");
        assert_eq!(camel("storage-full"), "StorageFull");
    }
}
