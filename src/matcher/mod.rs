//! Tests signatures on events: from events to [`Match`]es.
//!
//! [`Matcher`] is built once from a catalogue. Its [`filter::Filter`] says in which frames a literal may stand; only those
//! frames are parsed and tested here. State documents are tested against the signatures of their format. The oracle in
//! the tests runs every signature on every event and must find the same.

pub mod fields;
pub mod filter;
pub mod near;
mod raw;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;
use memchr::memmem::{self, Finder};
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::catalog::anchor::{self, Place};
use crate::catalog::{Catalogue, ServiceSet, Signature, SignatureId};
use crate::event::{Event, Service, Severity};
pub use filter::{Filter, Found};
use raw::RawChecks;

/// Formats whose texts quote other services: errors in resources, messages of Kubernetes events.
const QUOTING: &[&str] = &["cosi_resource", "k8s_object", "table", "yaml_document"];

/// Bytes of what a regex matched that are shown at the most.
const SHOWN: usize = 160;

/// What a signature found in one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match<'t> {
    /// Which signature.
    pub signature: SignatureId,
    /// Values captured by its regex, by name.
    pub captures: Vec<(String, String)>,
    /// The literal that decided it, when there is one.
    pub decisive: Option<&'t str>,
    /// What its regex matched, when that is short enough to be shown.
    pub matched: Option<String>,
}

/// Signatures ready to be tested.
pub struct Matcher<'c> {
    catalogue: &'c Catalogue,
    filter: Filter<'c>,
    /// The literals of the filter.
    literals: Vec<Literal<'c>>,
    /// Signatures without literals, by format.
    by_format: BTreeMap<&'c str, Vec<SignatureId>>,
    /// For each signature, its literals ready to be searched for; made when first needed.
    prepared: Vec<OnceLock<Box<Prepared<'c>>>>,
    /// For each signature, what the raw bytes must hold; made when first needed.
    raw: Vec<OnceLock<Box<RawChecks>>>,
}

/// A literal of the filter.
struct Literal<'c> {
    text: &'c str,
    /// Where its anchor stands.
    place: Option<Place>,
    /// The signatures that wait for it.
    waiting: Vec<Waiting>,
    is_marker: bool,
}

/// A signature that waits for a literal, with what is asked of a record first. Literals of ordinary lines are found a million
/// times: the signature itself is not touched then.
#[derive(Debug, Clone, Copy)]
pub struct Waiting {
    /// Which signature.
    pub id: SignatureId,
    least_severity: Severity,
    benign: bool,
    services: ServiceSet,
}

impl Waiting {
    fn new(id: SignatureId, signature: &Signature) -> Self {
        let Signature { least_severity, benign, mut services, .. } = *signature;
        // An access log names tasks in its addresses, and never how they ended.
        if services.is_empty() && signature.fields.iter().any(|f| f.key == raw::TASK_STATUS) {
            services = Service::all().iter().map(|(_, s)| *s).filter(|s| *s != Service::PveAccess).collect();
        }
        Self { id, least_severity, benign, services }
    }

    /// Whether the signature could hold on a line, judged by what its formats tell: benign ones matter only on faults, some
    /// tests ask for a severity, some for a service.
    pub fn may_hold(&self, severity: Severity, service: Option<Service>) -> bool {
        let severe = severity == Severity::UNKNOWN && !self.benign || severity >= self.least_severity;
        severe && (self.services.is_empty() || service.is_none_or(|s| self.services.contains(s)))
    }
}

/// The literals of the filter while they are put together, each of them once.
struct Literals<'c> {
    list: Vec<Literal<'c>>,
    known: FxHashMap<&'c str, usize>,
}

impl<'c> Literals<'c> {
    fn with_capacity(literals: usize) -> Self {
        let known = FxHashMap::with_capacity_and_hasher(literals, FxBuildHasher);
        Self { list: Vec::with_capacity(literals), known }
    }

    fn entry(&mut self, text: &'c str, place: impl FnOnce() -> Option<Place>) -> &mut Literal<'c> {
        let at = *self.known.entry(text).or_insert(self.list.len());
        if at == self.list.len() {
            self.list.push(Literal { text, place: place(), waiting: Vec::new(), is_marker: false });
        }
        &mut self.list[at]
    }
}

impl<'c> Matcher<'c> {
    /// Prepares the signatures of a catalogue. Lines with one of `markers` are found too, whatever signatures say of them.
    pub fn new(catalogue: &'c Catalogue, markers: impl Iterator<Item = &'static str>) -> Self {
        let mut literals = Literals::with_capacity(2 * catalogue.signatures.len());
        let mut by_format: BTreeMap<&str, Vec<SignatureId>> = BTreeMap::new();
        for (id, signature) in catalogue.signatures.iter().enumerate() {
            for (literal, anchor) in signature.anchored() {
                literals.entry(literal, || Some(anchor.place)).waiting.push(Waiting::new(id, signature));
            }
            if !signature.has_literals() {
                for format in &signature.formats {
                    by_format.entry(format).or_default().push(id);
                }
            }
        }
        for marker in markers {
            literals.entry(marker, || anchor::place(marker)).is_marker = true;
        }
        let literals = literals.list;
        let filter = Filter::new(literals.iter().map(|l| (l.text, l.place)));
        let prepared = catalogue.signatures.iter().map(|_| OnceLock::new()).collect();
        let raw = catalogue.signatures.iter().map(|_| OnceLock::new()).collect();
        Self { catalogue, filter, literals, by_format, prepared, raw }
    }

    /// The first filter over raw bytes.
    pub fn filter(&self) -> &Filter<'c> {
        &self.filter
    }

    /// The signatures that wait for a literal.
    pub fn waiting(&self, literal: u32) -> &[Waiting] {
        self.literals.get(literal as usize).map_or(&[], |l| l.waiting.as_slice())
    }

    /// Whether a literal is a marker.
    pub fn is_marker(&self, literal: u32) -> bool {
        self.literals.get(literal as usize).is_some_and(|l| l.is_marker)
    }

    /// As [`Waiting::may_hold`].
    pub fn may_hold(&self, id: SignatureId, severity: Severity, service: Option<Service>) -> bool {
        self.catalogue.signatures.get(id).is_some_and(|s| Waiting::new(id, s).may_hold(severity, service))
    }

    /// Whether a signature could hold on a frame, judged by its raw bytes: cheap, and never wrong about a `false`.
    pub fn may_stand_in(&self, id: SignatureId, raw: &[u8]) -> bool {
        let Some((signature, checks)) = self.catalogue.signatures.get(id).zip(self.raw.get(id)) else { return false };
        checks.get_or_init(|| Box::new(RawChecks::new(signature))).hold(raw)
    }

    /// Tests some signatures (in any order, with repetitions) on an event.
    pub fn test(&self, event: &Event<'_>, candidates: &mut Vec<SignatureId>) -> Vec<Match<'c>> {
        candidates.sort_unstable();
        candidates.dedup();
        if candidates.is_empty() {
            return Vec::new();
        }
        let text = event.text();
        candidates.iter().filter_map(|id| self.test_one(*id, event, &text)).collect()
    }

    /// As [`Matcher::test`], on an event in whose raw bytes the filter found just the literals `seen`.
    pub fn test_seen(&self, event: &Event<'_>, candidates: &mut [SignatureId], seen: &[u32]) -> Vec<Match<'c>> {
        candidates.sort_unstable();
        let text = event.text();
        candidates.iter().filter_map(|id| self.decide(*id, event, &text, Some(seen))).collect()
    }

    /// The signatures without literals that wait for events of a format.
    pub fn for_format(&self, format: &str) -> &[SignatureId] {
        self.by_format.get(format).map_or(&[], Vec::as_slice)
    }

    /// Tests one signature on one event, whose text is `text`.
    pub fn test_one(&self, id: SignatureId, event: &Event<'_>, text: &str) -> Option<Match<'c>> {
        self.decide(id, event, text, None)
    }

    fn decide(&self, id: SignatureId, event: &Event<'_>, text: &str, seen: Option<&[u32]>) -> Option<Match<'c>> {
        let signature = self.catalogue.signatures.get(id)?;
        // A state document may quote what any service said.
        let elsewhere =
            |s| s != Service::State && !signature.services.contains(s) && !QUOTING.contains(&event.format());
        if !signature.services.is_empty() && event.service.is_some_and(elsewhere) {
            return None;
        }
        if !signature.formats.is_empty() && !signature.formats.iter().any(|f| event.formats.contains(&f.as_str())) {
            return None;
        }
        if !signature.fields.iter().all(|f| fields::holds(f, event)) {
            return None;
        }
        let prepared = self.prepared.get(id)?.get_or_init(|| Box::new(Prepared::new(signature)));
        let decisive = prepared.decide(text, |any| self.longest_seen(any, text, seen))?;
        let mut captures = Vec::new();
        let mut matched = None;
        if let Some(regex) = &signature.regex {
            let regex = regex.get()?;
            let found = regex.captures(text)?;
            matched = found.get(0).map(|m| m.as_str()).filter(|m| (1..=SHOWN).contains(&m.len())).map(str::to_owned);
            for name in regex.capture_names().flatten() {
                if let Some(value) = found.name(name).filter(|v| !v.is_empty()) {
                    captures.push((name.to_owned(), value.as_str().to_owned()));
                }
            }
        }
        Some(Match { signature: id, captures, decisive, matched })
    }
}

impl<'c> Matcher<'c> {
    /// The longest of many alternatives that stands in the text, looked for among those that the filter found in the raw
    /// bytes. `None` when none of these does: the signature may wait for something else.
    fn longest_seen(&self, any: &'c [String], text: &str, seen: Option<&[u32]>) -> Option<&'c str> {
        let seen = seen?.iter().filter_map(|literal| self.literals.get(*literal as usize)).map(|l| l.text);
        let mut seen: Vec<&str> = seen.filter(|literal| any.iter().any(|a| a == literal)).collect();
        seen.sort_by_key(|literal| std::cmp::Reverse(literal.len()));
        seen.into_iter().find(|literal| memmem::find(text.as_bytes(), literal.as_bytes()).is_some())
    }
}

/// Alternatives from this number on are searched for together.
const TOGETHER: usize = 4;

/// Alternatives, ready to be searched for.
enum Alternatives<'c> {
    /// A few: one after the other, the longest first.
    Few(Vec<(&'c str, Finder<'c>)>),
    /// Many: in one pass.
    Many(OnceLock<Option<AhoCorasick>>, &'c [String]),
}

impl<'c> Alternatives<'c> {
    fn new(literals: &'c [String]) -> Self {
        if literals.len() >= TOGETHER {
            return Self::Many(OnceLock::new(), literals);
        }
        Self::Few(longest_first(literals))
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Few(list) if list.is_empty())
    }

    /// The longest alternative that stands in the text.
    fn longest_in(&self, text: &str) -> Option<&'c str> {
        match self {
            Self::Few(list) => {
                list.iter().find(|(_, f)| f.find(text.as_bytes()).is_some()).map(|(literal, _)| *literal)
            }
            Self::Many(automaton, literals) => automaton
                .get_or_init(|| AhoCorasick::new(*literals).ok())
                .as_ref()?
                .find_overlapping_iter(text)
                .filter_map(|found| literals.get(found.pattern().as_usize()))
                .max_by_key(|literal| literal.len())
                .map(String::as_str),
        }
    }
}

/// The longest literal is the one to show, so it is tried first.
fn longest_first(literals: &[String]) -> Vec<(&str, Finder<'_>)> {
    let mut list: Vec<(&str, Finder<'_>)> = literals.iter().map(|l| (l.as_str(), Finder::new(l.as_bytes()))).collect();
    list.sort_by_key(|(literal, _)| std::cmp::Reverse(literal.len()));
    list
}

/// The literals of a signature, ready to be searched for.
struct Prepared<'c> {
    any: Alternatives<'c>,
    all: Vec<(&'c str, Finder<'c>)>,
    none: Vec<Finder<'c>>,
}

impl<'c> Prepared<'c> {
    fn new(signature: &'c Signature) -> Self {
        Self {
            any: Alternatives::new(&signature.any),
            all: longest_first(&signature.all),
            none: signature.none.iter().map(|l| Finder::new(l.as_bytes())).collect(),
        }
    }

    /// `None` when the literals do not hold; else the longest one that decided, if the signature has any.
    /// `seen` may know the longest of many alternatives.
    fn decide(&self, text: &str, seen: impl FnOnce(&'c [String]) -> Option<&'c str>) -> Option<Option<&'c str>> {
        let holds = |finder: &Finder<'_>| finder.find(text.as_bytes()).is_some();
        if !self.all.iter().all(|(_, f)| holds(f)) {
            return None;
        }
        let known = match &self.any {
            Alternatives::Many(_, literals) => seen(literals),
            Alternatives::Few(_) => None,
        };
        let any = known.or_else(|| self.any.longest_in(text));
        if (!self.any.is_empty() && any.is_none()) || self.none.iter().any(holds) {
            return None;
        }
        Some(any.or(self.all.first().map(|(literal, _)| *literal)))
    }
}
