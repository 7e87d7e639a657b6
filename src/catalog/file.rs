//! The shape of pattern files, as serde sees it. `patterns/README.md` explains the keys.
//!
//! Unknown keys are errors. Nothing is interpreted here; [`super::compile`] does that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One root cause: `patterns/<scenario>/<cause>.toml`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CauseFile {
    /// One sentence that names what is wrong.
    pub title: String,
    /// experimental, test, stable, deprecated.
    pub status: String,
    /// The impact if true.
    pub level: String,
    /// From a closed list.
    pub components: Vec<String>,
    /// How often a troubled input has it.
    pub prior: Prior,
    /// What goes wrong, as the operator meets it.
    pub description: String,
    /// Why it goes wrong.
    pub cause: String,
    /// What does not work until it is fixed.
    pub impact: String,
    /// Ids of root causes that this one can bring about.
    pub explains: Vec<String>,
    /// Ids of root causes whose traces this one leaves as well, without bringing them about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mimics: Vec<String>,
    /// Trouble that is shorter and does not come back within as long is ordinary life, not this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passes: Option<String>,
    /// What shows that its trouble was put right: names of `cure` tables of other files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cures: Vec<String>,
    /// Signatures that must be followed by a cure besides those of telling evidence: such as one that names the thing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trouble: Vec<String>,
    /// Former ids.
    pub aliases: Vec<String>,
    /// Versions that have this fault.
    pub applications: Vec<Application>,
    /// Tests on one event.
    pub signature: BTreeMap<String, SignatureFile>,
    /// Tests over several events.
    pub correlation: BTreeMap<String, CorrelationFile>,
    /// What shows that its trouble was put right.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub cure: BTreeMap<String, CureFile>,
    /// What speaks for and against.
    pub evidence: Vec<EvidenceFile>,
    /// What to do, in order.
    pub remediation: Vec<Remediation>,
    /// What to fetch next.
    pub collect: Vec<Collect>,
    /// Where facts come from.
    pub references: Vec<Reference>,
    /// Ids of root causes that are easily taken for this one: each has a near-miss sample that the other leads.
    pub differential: Vec<String>,
    /// Known look-alikes.
    pub falsepositives: Vec<FalsePositive>,
    /// Inputs with known outcome.
    pub sample: Vec<SampleFile>,
}

/// A scenario: `patterns/<scenario>/scenario.toml`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScenarioFile {
    /// Its name for people.
    pub title: String,
    /// What the operator sees.
    pub description: String,
    /// Shared tests on one event.
    pub signature: BTreeMap<String, SignatureFile>,
    /// Shared tests over several events.
    pub correlation: BTreeMap<String, CorrelationFile>,
    /// Shared cures.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub cure: BTreeMap<String, CureFile>,
}

/// Lines that look bad and are not: `patterns/benign/<area>.toml`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BenignFile {
    /// What area it covers.
    pub title: String,
    /// What it is about.
    pub description: String,
    /// The lines.
    pub signature: BTreeMap<String, SignatureFile>,
}

/// One test on one event; all given keys must hold.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignatureFile {
    /// At least one of these literals.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub any: Vec<String>,
    /// Every one of these literals.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub all: Vec<String>,
    /// None of these literals.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub none: Vec<String>,
    /// Must match; named groups become captured values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// Only events of these services.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub service: Vec<String>,
    /// Only events of these formats.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub format: Vec<String>,
    /// Tests on fields.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, FieldValue>,
    /// True when what it tells may lie long before the fault: how something was made, or last changed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub background: bool,
    /// True when it tells of another machine than the one that wrote it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub of_another: bool,
    /// For benign lines: why it is harmless.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// What a field is compared with: one value, or any of a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// true or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A text.
    Text(String),
    /// Any of these.
    List(Vec<FieldValue>),
}

/// A test over several events.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CorrelationFile {
    /// event_count, value_count, temporal, temporal_ordered, elapsed, settled, absence.
    #[serde(rename = "type")]
    pub kind: String,
    /// Signatures.
    pub rules: Vec<String>,
    /// Signatures that must not hit in between.
    pub without: Vec<String>,
    /// Entities that must agree.
    pub group_by: Vec<String>,
    /// An entity or attribute whose different values count.
    pub field: Option<String>,
    /// Threshold of counts.
    pub gte: Option<u64>,
    /// Window.
    pub timespan: Option<String>,
    /// Elapsed: below.
    pub lt: Option<String>,
    /// Elapsed: above.
    pub gt: Option<String>,
    /// Temporal: whether a hit of the last rule must be the last one of a group, where times tell.
    pub last: bool,
    /// Absence: the signature around which is looked.
    pub anchor: Option<String>,
    /// Absence: how long before.
    pub before: Option<String>,
    /// Absence: how long after.
    pub after: Option<String>,
    /// Absence: services that must cover the time.
    pub covered_by: Vec<String>,
}

/// What shows that trouble was put right.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CureFile {
    /// Signatures of the state that the trouble excludes: any of them.
    pub healthy: Vec<String>,
    /// Names that trouble and cure must agree on; `source` is the source itself. Empty: it speaks for everything.
    pub of: Vec<String>,
    /// How soon after trouble it must come; an hour when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// What it tells, in a few words.
    pub says: String,
}

/// One item of evidence.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvidenceFile {
    /// Its name inside the file.
    pub id: String,
    /// A signature, a correlation or an expression of them.
    pub when: String,
    /// supports or contradicts.
    pub role: Option<String>,
    /// A named likelihood ratio.
    pub strength: Option<String>,
    /// Likelihoods in numbers.
    pub likelihood: Option<Likelihood>,
    /// Of items with one group only the strongest counts.
    pub group: Option<String>,
    /// What this tells, in a few words.
    pub says: String,
    /// Services that would have shown it.
    pub needs: Vec<String>,
}

/// How likely an item is with and without its cause.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Likelihood {
    /// P(seen | cause).
    pub if_cause: f64,
    /// P(seen | not cause).
    pub if_not: f64,
}

/// A prior probability, named or in numbers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Prior {
    /// rare, uncommon, common.
    Word(String),
    /// A probability.
    Number(f64),
}

impl Default for Prior {
    fn default() -> Self {
        Self::Word("uncommon".into())
    }
}

/// Versions of an application that have a fault.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Application {
    /// Its name.
    pub name: String,
    /// Comparisons joined by commas.
    pub affected: String,
}

/// One step of what to do.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Remediation {
    /// The evidence items that it fits: it comes first when one of them was seen and last when none was.
    pub evidence: Vec<String>,
    /// The step in a sentence.
    pub title: String,
    /// More about it.
    pub text: String,
    /// A command.
    pub run: String,
    /// none, disruptive, destructive.
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
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Collect {
    /// The evidence item it would decide.
    pub evidence: String,
    /// A command.
    pub run: String,
    /// What it would tell.
    pub why: String,
}

/// Where a fact comes from.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reference {
    /// An address or repo@commit:path.
    pub url: String,
    /// What one can read there.
    pub shows: String,
}

/// A known look-alike.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FalsePositive {
    /// In words.
    pub text: String,
    /// The sample that covers it.
    pub sample: String,
}

/// An input with known outcome.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SampleFile {
    /// Its name inside the file.
    pub name: String,
    /// positive, negative, near-miss.
    #[serde(rename = "type")]
    pub kind: String,
    /// Why the outcome is right.
    pub why: String,
    /// One source.
    pub log: Option<String>,
    /// Several sources by name.
    pub files: BTreeMap<String, String>,
    /// What must come out.
    pub expect: Expect,
}

/// What must come out of a sample.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// Whether the root cause is named at all.
    #[serde(rename = "match")]
    pub matches: Option<bool>,
    /// A comparison: ">=0.8", "<0.5", "0.3..0.7".
    pub confidence: Option<String>,
    /// Its rank.
    pub rank: Option<usize>,
    /// Captured values.
    pub entities: BTreeMap<String, String>,
    /// Ids of evidence items that must be unknown.
    pub unknown: Vec<String>,
    /// Ids of evidence items that must be true.
    pub evidence: Vec<String>,
    /// The root cause that must stand at rank 1 instead.
    pub best: Option<String>,
}
