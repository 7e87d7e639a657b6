//! The report: what every renderer shows, and the JSON contract (`docs/report.schema.json`).
//!
//! The only serialisable types of the crate. They are filled by [`super::build`] and hold no references into the run.
//! Log text in them is sanitised (see [`super::sanitize`]).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::catalog::CURED;

/// The version of the JSON contract.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything a run found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// What made the report.
    pub tool: Tool,
    /// What was read.
    pub inputs: Vec<Input>,
    /// Root causes, the most likely first; weak ones too.
    pub root_causes: Vec<RootCause>,
    /// What to fetch next: what would tell most between the first root causes.
    pub collect_next: Vec<CollectNext>,
    /// Symptoms that were seen: signatures of scenarios.
    pub symptoms: Vec<Symptom>,
    /// Warnings and errors that nothing explains.
    pub unexplained: Unexplained,
    /// What happened when, as far as it matters.
    pub timeline: Vec<TimelineEntry>,
    /// What the input covers.
    pub coverage: Coverage,
    /// What went wrong while reading.
    pub problems: Vec<ProblemEntry>,
    /// Whether names, addresses and ids are pseudonyms. Secrets are masked in any case.
    pub redacted: bool,
    /// Names of things that the input tells of, with their kind: what pseudonyms are given to. Stays inside.
    #[serde(skip)]
    pub names: Vec<(String, String)>,
}

impl Report {
    /// What is shown where no root cause is likely: those that were put right within the input, or else the nearest guess.
    pub fn unlikely(&self) -> Vec<&RootCause> {
        let over: Vec<&RootCause> = self.root_causes.iter().take_while(|c| c.over.is_some()).collect();
        if over.is_empty() { self.root_causes.iter().take(1).collect() } else { over }
    }

    /// Whether some of what was read could have said how severe it is: lines of no known format do not.
    pub fn tells_severities(&self) -> bool {
        self.inputs.iter().any(|input| !input.formats.is_empty())
    }
}

/// What made the report.
#[derive(Debug, Clone, Serialize)]
pub struct Tool {
    /// `omnilog`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The catalogue it used.
    pub catalogue: CatalogueInfo,
}

/// The catalogue that was used.
#[derive(Debug, Clone, Serialize)]
pub struct CatalogueInfo {
    /// Version of the built-in catalogue.
    pub version: String,
    /// Digest of all pattern files.
    pub digest: String,
    /// How many root causes it knows.
    pub root_causes: usize,
}

/// One source.
#[derive(Debug, Clone, Serialize)]
pub struct Input {
    /// The path as given, with `!/` between archive and member.
    pub source: String,
    /// Formats seen, sorted.
    pub formats: Vec<String>,
    /// Bytes read, after decoding.
    pub bytes: u64,
    /// Lines.
    pub lines: u64,
    /// Records, about.
    pub events: u64,
    /// Share of lines that some format took, 0 to 1.
    pub understood: f64,
    /// Earliest time, RFC 3339, on one clock for all sources: what its own is off (see `clock`) is taken into account.
    pub first: Option<String>,
    /// Latest time, RFC 3339, on the same clock.
    pub last: Option<String>,
    /// How its times were read: `utc`, `assumed UTC`, `year inferred`, ...
    pub timezone: Option<String>,
    /// `complete`, or why it was not read to the end.
    pub status: String,
    /// Pauses in which it should have written: nothing follows from silence in them.
    pub gaps: Vec<Span>,
    /// What else keeps it from telling all: filtered, sampled, out of order, undated.
    pub notes: Vec<String>,
    /// How far its clock is off, when it could be compared with another.
    pub clock: Option<ClockEntry>,
}

/// How far the clock of a source is off.
#[derive(Debug, Clone, Serialize)]
pub struct ClockEntry {
    /// Seconds ahead of the other clock; negative when it is behind. Correlations take it into account.
    pub ahead_seconds: f64,
    /// How much of that is uncertain, seconds.
    pub spread_seconds: f64,
    /// Pairs of lines that were compared.
    pub pairs: usize,
    /// What it was compared with: a source, or `start times of tasks`.
    pub against: String,
}

/// A root cause with its evidence.
#[derive(Debug, Clone, Serialize)]
pub struct RootCause {
    /// From 1.
    pub rank: usize,
    /// `scenario/cause`.
    pub id: String,
    /// The part before the slash.
    pub scenario: String,
    /// The part after the slash.
    pub cause: String,
    /// One sentence that names what is wrong.
    pub title: String,
    /// The impact if true.
    pub level: String,
    /// Probability, 0 to 1.
    pub confidence: f64,
    /// `confirmed`, `likely`, `possible`, `weak`.
    pub verdict: String,
    /// How sure it is that it was there, 0 to 1, where the input shows that it was put right and it is not likely any more.
    pub over: Option<f64>,
    /// How far its confidence lies above that of the next root cause that is not its effect.
    pub margin: f64,
    /// Earliest time of its evidence, RFC 3339, on one clock for all sources.
    pub first_seen: Option<String>,
    /// Latest time of its evidence, RFC 3339, on the same clock.
    pub last_seen: Option<String>,
    /// How many events support it.
    pub count: u64,
    /// Things concerned, by kind.
    pub entities: BTreeMap<String, Vec<String>>,
    /// The lines that prove it, or speak against it.
    pub evidence: Vec<EvidenceLine>,
    /// What the input cannot tell.
    pub unknown: Vec<UnknownItem>,
    /// Root causes seen as its effects.
    pub explains: Vec<String>,
    /// What happens, in a sentence or two.
    pub description: String,
    /// Why it happens.
    pub reason: String,
    /// What does not work until it is fixed.
    pub impact: String,
    /// What to do, in order.
    pub remediation: Vec<RemediationStep>,
    /// What to fetch next.
    pub collect: Vec<CollectStep>,
    /// Where facts come from.
    pub references: Vec<ReferenceEntry>,
}

impl RootCause {
    /// What it is called and how sure that is: its verdict, or `over` where it was put right.
    pub fn standing(&self) -> (&str, f64) {
        self.over.map_or((self.verdict.as_str(), self.confidence), |was| ("over", was))
    }

    /// The line that shows that it was put right.
    pub fn cured(&self) -> Option<&EvidenceLine> {
        self.evidence.iter().find(|line| line.id == CURED)
    }
}

/// A line of evidence.
#[derive(Debug, Clone, Serialize)]
pub struct EvidenceLine {
    /// The evidence item's id.
    pub id: String,
    /// `supports` or `contradicts`.
    pub role: String,
    /// What it tells.
    pub says: String,
    /// The signature that held.
    pub signature: String,
    /// The source.
    pub source: String,
    /// The line, from 1.
    pub line: u64,
    /// The time that stands in the source, RFC 3339.
    pub timestamp: Option<String>,
    /// When on one clock for all sources, RFC 3339: the same as `timestamp` unless the clock of the source is off.
    pub moment: Option<String>,
    /// The log text.
    pub excerpt: String,
    /// The part of the excerpt that decided.
    pub decisive: Option<String>,
    /// How often it came about: events, or for what several events make up, how often they came together.
    pub count: u64,
    /// When it came about last, RFC 3339, on one clock for all sources; none when that was once or has no time.
    pub last: Option<String>,
    /// Likelihood ratio of the item.
    pub ratio: f64,
    /// The thing it speaks of, such as `VM 104`; empty when it names none. For people only, as `nearby`.
    #[serde(skip)]
    pub thing: String,
    /// Lines of the log around it, itself among them, where they were asked for and can be had (see [`super::context`]).
    /// For people only: no part of the JSON contract.
    #[serde(skip)]
    pub nearby: Vec<NearbyLine>,
}

/// A line of the log near a line of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearbyLine {
    /// Its number, from 1.
    pub line: u64,
    /// Its text, perhaps cut at the end.
    pub text: String,
}

/// What the input cannot tell.
#[derive(Debug, Clone, Serialize)]
pub struct UnknownItem {
    /// The evidence item's id.
    pub id: String,
    /// Why it is unknown.
    pub why: String,
}

/// One step of what to do.
#[derive(Debug, Clone, Serialize)]
pub struct RemediationStep {
    /// The step in a sentence.
    pub title: String,
    /// More about it.
    pub text: String,
    /// A command with values filled in.
    pub run: String,
    /// `none`, `disruptive`, `destructive`.
    pub risk: String,
    /// What must hold before.
    pub precondition: String,
    /// How to see that it worked.
    pub verify: String,
    /// How to undo it.
    pub rollback: String,
    /// What the well-known guide says and why this differs.
    pub guide: String,
}

/// What to fetch next.
#[derive(Debug, Clone, Serialize)]
pub struct CollectStep {
    /// A command with values filled in.
    pub run: String,
    /// What it would tell.
    pub why: String,
}

/// What would tell most.
#[derive(Debug, Clone, Serialize)]
pub struct CollectNext {
    /// The root cause that it would decide.
    pub root_cause: String,
    /// The evidence item that is not known.
    pub evidence: String,
    /// A command with values filled in.
    pub run: String,
    /// What it would tell.
    pub why: String,
    /// By how many bits it would make the ranking surer, on average.
    pub bits: f64,
}

/// Where a fact comes from.
#[derive(Debug, Clone, Serialize)]
pub struct ReferenceEntry {
    /// An address or repo@commit:path.
    pub url: String,
    /// What one can read there.
    pub shows: String,
}

/// A symptom that was seen.
#[derive(Debug, Clone, Serialize)]
pub struct Symptom {
    /// `scenario#signature`.
    pub id: String,
    /// The scenario.
    pub scenario: String,
    /// The scenario's name for people.
    pub title: String,
    /// How many events.
    pub count: u64,
    /// The source of the first.
    pub source: String,
    /// Its line, from 1.
    pub line: u64,
    /// Its text.
    pub excerpt: String,
    /// Whether it is a warning or an error. For people only, as `EvidenceLine::nearby`.
    #[serde(skip)]
    pub fault: bool,
    /// The part of the text that decided. For people only.
    #[serde(skip)]
    pub decisive: Option<String>,
}

/// Warnings and errors that nothing explains.
#[derive(Debug, Clone, Serialize)]
pub struct Unexplained {
    /// How many lines.
    pub events: u64,
    /// Their share of all warnings and errors, 0 to 1.
    pub share: f64,
    /// Clusters of them, severe and rare ones first.
    pub clusters: Vec<ClusterEntry>,
}

/// Lines of one template.
#[derive(Debug, Clone, Serialize)]
pub struct ClusterEntry {
    /// The template: `#` stands for words with digits.
    pub template: String,
    /// The first line.
    pub sample: String,
    /// How many lines.
    pub count: u64,
    /// The highest severity, in a word.
    pub severity: String,
    /// The source of the first line.
    pub source: String,
    /// Its line, from 1.
    pub line: u64,
    /// Earliest time, RFC 3339.
    pub first: Option<String>,
    /// Latest time, RFC 3339.
    pub last: Option<String>,
    /// Names of things in the first lines.
    pub entities: BTreeMap<String, Vec<String>>,
}

/// Something that happened.
#[derive(Debug, Clone, Serialize)]
pub struct TimelineEntry {
    /// When, RFC 3339, on one clock for all sources: zones and differences between clocks are taken into account.
    pub timestamp: String,
    /// The time that stands in the source, where its clock was put right.
    pub written: Option<String>,
    /// The source.
    pub source: String,
    /// The line, from 1.
    pub line: u64,
    /// The root cause it belongs to.
    pub root_cause: String,
    /// What it tells.
    pub says: String,
    /// The log text.
    pub excerpt: String,
    /// How often it was told in this source.
    pub count: u64,
    /// When it was told last, RFC 3339, on the same clock.
    pub last: Option<String>,
}

/// What the input covers.
#[derive(Debug, Clone, Serialize)]
pub struct Coverage {
    /// Sources read.
    pub sources: usize,
    /// Services whose events are in the input, with their time span.
    pub services: BTreeMap<String, Span>,
    /// Earliest time of all, RFC 3339.
    pub first: Option<String>,
    /// Latest time of all, RFC 3339.
    pub last: Option<String>,
    /// Parts of rotated logs that are not in the input.
    pub missing: Vec<String>,
    /// Versions seen, by application: they decide whether a root cause applies.
    pub versions: BTreeMap<String, Vec<String>>,
    /// What was not read, and why.
    pub skipped: Vec<Gap>,
    /// What was not read to its end, and why.
    pub cut: Vec<Gap>,
    /// Sources in no known format; their lines were searched as plain text.
    pub not_understood: Vec<String>,
}

/// A source that was not read, or not wholly.
#[derive(Debug, Clone, Serialize)]
pub struct Gap {
    /// The source.
    pub source: String,
    /// Why.
    pub why: String,
}

/// From when to when.
#[derive(Debug, Clone, Serialize)]
pub struct Span {
    /// Earliest, RFC 3339.
    pub first: Option<String>,
    /// Latest, RFC 3339.
    pub last: Option<String>,
}

/// Something that went wrong while reading.
#[derive(Debug, Clone, Serialize)]
pub struct ProblemEntry {
    /// The source.
    pub source: String,
    /// A word for the kind.
    pub kind: String,
    /// What happened and what to do.
    pub message: String,
}
