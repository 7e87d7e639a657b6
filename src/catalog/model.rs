//! What is known about root causes, ready to be matched and ranked: data without behaviour.
//!
//! Names are resolved, words are numbers, literals have their anchors. `build.rs` serialises a catalogue into the binary, so
//! that everything here can be written and read again.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::anchor::Anchor;
use super::expr::Expr;
use super::{LazyRegex, file, version};
use crate::event::{Service, Severity};

/// Index of a signature in [`Catalogue::signatures`].
pub type SignatureId = usize;

/// A name in a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Term {
    /// A signature.
    Signature(SignatureId),
    /// A correlation, index in [`Catalogue::correlations`].
    Correlation(usize),
}

/// Everything that is known.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Catalogue {
    /// Root causes, sorted by id.
    pub causes: Vec<Cause>,
    /// Scenarios, sorted by id.
    pub scenarios: Vec<Scenario>,
    /// All signatures, benign ones too.
    pub signatures: Vec<Signature>,
    /// All correlations.
    pub correlations: Vec<Correlation>,
    /// Digest of all pattern files, 16 hexadecimal digits.
    pub digest: String,
    /// Pattern texts by id, for pages and samples.
    #[serde(skip)]
    pub texts: BTreeMap<String, PatternText>,
}

/// The text of a pattern file.
#[derive(Debug, Clone)]
pub struct PatternText {
    /// Where it stands, for messages.
    pub path: String,
    /// Its content.
    pub text: std::borrow::Cow<'static, str>,
}

/// A scenario.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Scenario {
    /// Its folder.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// What the operator sees.
    pub description: String,
}

/// A root cause.
#[derive(Debug, Serialize, Deserialize)]
pub struct Cause {
    /// `scenario/cause`.
    pub id: String,
    /// One sentence that names what is wrong.
    pub title: String,
    /// The impact if true.
    pub level: Level,
    /// experimental, test, stable, deprecated.
    pub status: String,
    /// How often a troubled input has it, 0 to 1.
    pub prior: f64,
    /// Root causes that this one can bring about, indices into [`Catalogue::causes`].
    pub explains: Vec<usize>,
    /// Root causes whose traces this one leaves as well, without bringing them about.
    pub mimics: Vec<usize>,
    /// What speaks for and against.
    pub evidence: Vec<Evidence>,
    /// Versions that have this fault.
    pub applications: Vec<version::Affected>,
}

impl Cause {
    /// Whether it leaves the traces of another root cause: brings it about, or looks like it.
    pub fn accounts_for(&self, other: usize) -> bool {
        self.explains.contains(&other) || self.mimics.contains(&other)
    }

    /// The part before the slash.
    pub fn scenario(&self) -> &str {
        self.id.split_once('/').map_or("", |(s, _)| s)
    }

    /// The part after the slash.
    pub fn slug(&self) -> &str {
        self.id.split_once('/').map_or(self.id.as_str(), |(_, c)| c)
    }
}

/// The impact of a root cause, if it is true.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Level {
    /// Good to know.
    Informational,
    /// Little.
    Low,
    /// Some.
    #[default]
    Medium,
    /// Much.
    High,
    /// All.
    Critical,
}

impl Level {
    /// All levels with their names.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("informational", Self::Informational),
        ("low", Self::Low),
        ("medium", Self::Medium),
        ("high", Self::High),
        ("critical", Self::Critical),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, l)| *l == self).map_or("", |(n, _)| n)
    }
}

/// One item of evidence of a root cause.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// Its name inside the file.
    pub id: String,
    /// When it holds.
    pub when: Expr<Term>,
    /// P(seen | cause).
    pub if_cause: f64,
    /// P(seen | not cause).
    pub if_not: f64,
    /// Of items with one group only the strongest counts.
    pub group: Option<String>,
    /// What this tells, in a few words.
    pub says: String,
    /// Services that would have shown it; empty when any input would.
    pub needs: ServiceSet,
}

impl Evidence {
    /// True when seeing the item makes its cause more likely.
    pub fn supports(&self) -> bool {
        self.if_cause > self.if_not
    }

    /// The likelihood ratio of seeing it.
    pub fn ratio(&self) -> f64 {
        self.if_cause / self.if_not
    }
}

/// A set of services.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSet(u32);

impl ServiceSet {
    /// Adds one.
    pub fn insert(&mut self, service: Service) {
        self.0 |= 1 << service as u8;
    }

    /// True when it holds none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether it holds the service.
    pub fn contains(self, service: Service) -> bool {
        self.0 & (1 << service as u8) != 0
    }

    /// Whether both hold a service.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The names of its members.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Service::all().iter().filter(move |(_, s)| self.contains(*s)).map(|(n, _)| *n)
    }
}

impl FromIterator<Service> for ServiceSet {
    fn from_iter<I: IntoIterator<Item = Service>>(services: I) -> Self {
        let mut set = Self::default();
        for service in services {
            set.insert(service);
        }
        set
    }
}

/// One test on one event.
#[derive(Debug, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each a key of the pattern file or told by it")]
pub struct Signature {
    /// `scenario/cause#name`, `scenario#name` or `benign/area#name`.
    pub name: String,
    /// At least one of these literals.
    pub any: Vec<String>,
    /// Every one of these literals.
    pub all: Vec<String>,
    /// None of these literals.
    pub none: Vec<String>,
    /// Must match.
    pub regex: Option<LazyRegex>,
    /// Only events of these services.
    pub services: ServiceSet,
    /// Only events of these formats.
    pub formats: Vec<String>,
    /// Tests on fields.
    pub fields: Vec<FieldTest>,
    /// True when what it tells may lie long before a fault: such a hit is never the onset.
    pub background: bool,
    /// True when it tells of another machine than the one that wrote it: only what it captures names that one.
    pub of_another: bool,
    /// True for lines that look bad and are not.
    pub benign: bool,
    /// True when a correlation looks at each single hit, so that more of them are kept.
    pub correlated: bool,
    /// Lines that tell a lower severity cannot fit.
    #[serde(with = "number")]
    pub least_severity: Severity,
    /// How many of its hits on ordinary lines are looked at.
    pub attention: Attention,
    /// The other signatures of correlations that judge order or absence.
    pub partners: Vec<SignatureId>,
    /// Attributes that a correlation groups or counts by: kept with each hit.
    pub keep: Vec<String>,
    /// The literals by which it is found in raw bytes.
    pub anchors: Vec<Anchor>,
}

/// A severity is written as its number.
mod number {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Severity;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
    pub fn serialize<S: Serializer>(severity: &Severity, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(severity.0)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Severity, D::Error> {
        u8::deserialize(deserializer).map(Severity)
    }
}

/// How many hits of a signature are looked at where it stands on ordinary lines again and again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Attention {
    /// Some: counts and sets need only enough of them.
    #[default]
    Some,
    /// The last one before another signature's too: order or absence is judged by its hits, whatever they speak of.
    Last,
    /// Every one: order or absence is judged for single things, or many are counted.
    Every,
}

impl Signature {
    /// The literals of which one must stand in every event that fits: all of `any`, or of `all` where there is no `any`.
    pub fn has_literals(&self) -> bool {
        !self.any.is_empty() || !self.all.is_empty()
    }

    /// The literals by which it is found in raw bytes, with their anchors.
    pub fn anchored(&self) -> impl Iterator<Item = (&str, &Anchor)> {
        self.anchors
            .iter()
            .filter_map(|anchor| Some((self.any.iter().chain(&self.all).nth(anchor.literal)?.as_str(), anchor)))
    }

    /// Whether it is found by one of `all`.
    pub fn is_anchored_in_all(&self) -> bool {
        self.anchors.iter().all(|anchor| anchor.literal >= self.any.len())
    }
}

/// A test on one field.
#[derive(Debug, Serialize, Deserialize)]
pub struct FieldTest {
    /// The field's name.
    pub key: String,
    /// How it is compared.
    pub op: FieldOp,
    /// What it is compared with; any of them.
    pub values: Vec<String>,
    /// Compiled values for [`FieldOp::Re`].
    pub regexes: Vec<LazyRegex>,
}

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FieldOp {
    /// Equal.
    Eq,
    /// There and different from all.
    Neq,
    /// Contains.
    Contains,
    /// Begins with.
    StartsWith,
    /// Ends with.
    EndsWith,
    /// Matches a regex.
    Re,
    /// Number above.
    Gt,
    /// Number above or equal.
    Gte,
    /// Number below.
    Lt,
    /// Number below or equal.
    Lte,
    /// There (`true`) or not there (`false`).
    Exists,
}

impl FieldOp {
    /// All modifiers with their names.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("neq", Self::Neq),
        ("contains", Self::Contains),
        ("startswith", Self::StartsWith),
        ("endswith", Self::EndsWith),
        ("re", Self::Re),
        ("gt", Self::Gt),
        ("gte", Self::Gte),
        ("lt", Self::Lt),
        ("lte", Self::Lte),
        ("exists", Self::Exists),
    ];
}

/// A test over several events. Times are microseconds.
#[derive(Debug, Serialize, Deserialize)]
pub struct Correlation {
    /// `scenario/cause#name` or `scenario#name`.
    pub name: String,
    /// What is tested.
    pub kind: CorrelationKind,
    /// Signatures.
    pub rules: Vec<SignatureId>,
    /// Entities that must agree.
    pub group_by: Vec<String>,
    /// Window; `None` is the whole input.
    pub timespan: Option<i64>,
}

/// What shows that trouble was put right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cure {
    /// Signatures of the state that the trouble excludes.
    pub healthy: Vec<SignatureId>,
    /// Names that trouble and cure must agree on; [`SOURCE`] is the source itself. None: it speaks for everything.
    pub of: Vec<String>,
    /// How soon after trouble it must come, microseconds: what lasted longer was an outage, and is told.
    pub within: i64,
    /// What it tells, in a few words.
    pub says: String,
}

/// The word for the source itself among the names that trouble and cure must agree on.
pub const SOURCE: &str = "source";
/// The id of the item that speaks against trouble which was put right.
pub const CURED: &str = "cured-later";
/// What its words begin with.
pub const PUT_RIGHT: &str = "it was put right: ";
/// The id of the item that speaks against trouble which passed by itself.
pub const PASSING: &str = "passing";
/// The signature of lines that are written in the second in which a task starts: they tell the zone of what they stand in.
pub const TASK_STARTS: &str = "time-sync#task-starts";

/// The kinds of correlation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CorrelationKind {
    /// At least so many hits.
    EventCount(u64),
    /// At least so many different values of a field.
    ValueCount {
        /// Entity or attribute.
        field: String,
        /// Threshold.
        gte: u64,
    },
    /// Each rule hits.
    Temporal {
        /// Whether a hit of the last rule must be the last one of a group, where times tell.
        last: bool,
    },
    /// The rules hit in order, with none of these in between.
    Ordered {
        /// Signatures that must not hit in between.
        without: Vec<SignatureId>,
    },
    /// The time between two rules.
    Elapsed {
        /// Below.
        lt: Option<i64>,
        /// Above.
        gt: Option<i64>,
    },
    /// The second rule is written right after the first, by another clock: compares clocks, holds never.
    ClockPair,
    /// Where the first rules hit, the last one hits further down in the same source: the order of lines counts, not times.
    Settled,
    /// Every hit is followed, for the same thing, by what shows that it is well again.
    Cured(Vec<Cure>),
    /// Every episode of hits is short, and the log goes on without them: pauses longer than this end an episode.
    Passing(i64),
    /// No rule hits around an anchor.
    Absence {
        /// The signature around which is looked.
        anchor: SignatureId,
        /// How long before.
        before: i64,
        /// How long after.
        after: i64,
        /// Services that must cover the time.
        covered_by: ServiceSet,
    },
}

impl Catalogue {
    /// The index of a root cause by id, by the part after the slash when that is unambiguous, or by a former id.
    pub fn find(&self, id: &str) -> Option<usize> {
        if let Ok(index) = self.causes.binary_search_by(|c| c.id.as_str().cmp(id)) {
            return Some(index);
        }
        let mut matching = self.causes.iter().enumerate().filter(|(_, c)| c.slug() == id);
        match (matching.next(), matching.next()) {
            (Some((index, _)), None) => Some(index),
            _ => None,
        }
    }

    /// The whole pattern file of a root cause: prose, remedies, references, samples.
    pub fn page(&self, id: &str) -> Option<file::CauseFile> {
        toml::from_str(&self.texts.get(id)?.text).ok()
    }

    /// What an item says of one hit of its own: of all that may show that something was put right, what this one shows.
    pub fn says<'c>(&'c self, item: &'c Evidence, signature: SignatureId) -> Cow<'c, str> {
        let correlation = match &item.when {
            Expr::Name(Term::Correlation(index)) => self.correlations.get(*index).map(|c| &c.kind),
            _ => None,
        };
        let Some(CorrelationKind::Cured(cures)) = correlation else { return Cow::Borrowed(&item.says) };
        let shown = cures.iter().find(|cure| cure.healthy.contains(&signature));
        shown.map_or(Cow::Borrowed(&item.says), |cure| Cow::Owned(format!("{PUT_RIGHT}{}", cure.says)))
    }

    /// The title of a scenario.
    pub fn scenario_title(&self, id: &str) -> &str {
        self.scenarios.iter().find(|s| s.id == id).map_or("", |s| s.title.as_str())
    }
}
