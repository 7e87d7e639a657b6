//! The JSON report declared a second time, by what readers may rely on. Unknown and missing keys are errors: whoever
//! changes the output changes this, `docs/report.schema.json` and the changelog, and raises `schema_version` when a
//! reader could break.

#![allow(dead_code, reason = "only the shape matters")]

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    pub schema_version: u32,
    pub tool: Tool,
    pub inputs: Vec<Input>,
    pub root_causes: Vec<RootCause>,
    pub collect_next: Vec<CollectNext>,
    pub symptoms: Vec<Symptom>,
    pub unexplained: Unexplained,
    pub timeline: Vec<TimelineEntry>,
    pub coverage: Coverage,
    pub problems: Vec<Problem>,
    pub redacted: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    pub name: String,
    pub version: String,
    pub catalogue: CatalogueInfo,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueInfo {
    pub version: String,
    pub digest: String,
    pub root_causes: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub source: String,
    pub formats: Vec<String>,
    pub bytes: u64,
    pub lines: u64,
    pub events: u64,
    pub understood: f64,
    pub first: Option<String>,
    pub last: Option<String>,
    pub timezone: Option<String>,
    pub status: String,
    pub gaps: Vec<Span>,
    pub notes: Vec<String>,
    pub clock: Option<Clock>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    pub ahead_seconds: f64,
    pub spread_seconds: f64,
    pub pairs: u64,
    pub against: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootCause {
    pub rank: u64,
    pub id: String,
    pub scenario: String,
    pub cause: String,
    pub title: String,
    pub level: Level,
    pub confidence: f64,
    pub verdict: Verdict,
    pub over: Option<f64>,
    pub margin: f64,
    pub first_seen: Option<String>,
    pub last_seen: Option<String>,
    pub count: u64,
    pub entities: BTreeMap<String, Vec<String>>,
    pub evidence: Vec<Evidence>,
    pub unknown: Vec<Unknown>,
    pub explains: Vec<String>,
    pub description: String,
    pub reason: String,
    pub impact: String,
    pub remediation: Vec<Remediation>,
    pub collect: Vec<Collect>,
    pub references: Vec<Reference>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollectNext {
    pub root_cause: String,
    pub evidence: String,
    pub run: String,
    pub why: String,
    pub bits: f64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Confirmed,
    Likely,
    Possible,
    Weak,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    pub id: String,
    pub role: Role,
    pub says: String,
    pub signature: String,
    pub source: String,
    pub line: u64,
    pub timestamp: Option<String>,
    pub moment: Option<String>,
    pub excerpt: String,
    pub decisive: Option<String>,
    pub count: u64,
    pub last: Option<String>,
    pub ratio: f64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Supports,
    Contradicts,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unknown {
    pub id: String,
    pub why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remediation {
    pub title: String,
    pub text: String,
    pub run: String,
    pub risk: Risk,
    pub precondition: String,
    pub verify: String,
    pub rollback: String,
    pub guide: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    None,
    Disruptive,
    Destructive,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collect {
    pub run: String,
    pub why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    pub url: String,
    pub shows: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Symptom {
    pub id: String,
    pub scenario: String,
    pub title: String,
    pub count: u64,
    pub source: String,
    pub line: u64,
    pub excerpt: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unexplained {
    pub events: u64,
    pub share: f64,
    pub clusters: Vec<Cluster>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    pub template: String,
    pub sample: String,
    pub count: u64,
    pub severity: String,
    pub source: String,
    pub line: u64,
    pub first: Option<String>,
    pub last: Option<String>,
    pub entities: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimelineEntry {
    pub timestamp: String,
    pub written: Option<String>,
    pub source: String,
    pub line: u64,
    pub root_cause: String,
    pub says: String,
    pub excerpt: String,
    pub count: u64,
    pub last: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    pub sources: u64,
    pub services: BTreeMap<String, Span>,
    pub first: Option<String>,
    pub last: Option<String>,
    pub missing: Vec<String>,
    pub versions: BTreeMap<String, Vec<String>>,
    pub skipped: Vec<Gap>,
    pub cut: Vec<Gap>,
    pub not_understood: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    pub source: String,
    pub why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    pub first: Option<String>,
    pub last: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    pub source: String,
    pub kind: String,
    pub message: String,
}
