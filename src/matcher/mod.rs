//! Tests signatures on events: from frames to [`Hit`]s.
//!
//! [`Matcher`] is built once from a catalogue. Its [`filter::Filter`] says in which frames a literal may stand; only those
//! frames are parsed and tested here. State documents are tested against the signatures of their format. The oracle in
//! the tests runs every signature on every event and must find the same.

pub mod fields;
pub mod filter;

use std::collections::BTreeMap;

use crate::catalog::{Catalogue, Signature, SignatureId};
use crate::event::{Event, Service};
pub use filter::{Filter, Found};

/// Formats whose texts quote other services: errors in resources, messages of Kubernetes events.
const QUOTING: &[&str] = &["cosi_resource", "k8s_object", "table", "yaml_document"];

/// What a signature found in one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Which signature.
    pub signature: SignatureId,
    /// Values captured by its regex, by name.
    pub captures: Vec<(String, String)>,
    /// The piece of text that decided it, when it was a text: shown by reports.
    pub decisive: Option<String>,
}

/// Signatures ready to be tested.
pub struct Matcher<'c> {
    catalogue: &'c Catalogue,
    filter: Filter,
    /// For each literal of the filter, the signatures that wait for it.
    waiting: Vec<Vec<SignatureId>>,
    /// Signatures without literals, by format.
    by_format: BTreeMap<&'c str, Vec<SignatureId>>,
}

impl<'c> Matcher<'c> {
    /// Prepares the signatures of a catalogue.
    pub fn new(catalogue: &'c Catalogue) -> Self {
        let mut literals: BTreeMap<&str, Vec<SignatureId>> = BTreeMap::new();
        let mut by_format: BTreeMap<&str, Vec<SignatureId>> = BTreeMap::new();
        for (id, signature) in catalogue.signatures.iter().enumerate() {
            for literal in anchors(signature) {
                literals.entry(literal).or_default().push(id);
            }
            if !signature.has_literals() {
                for format in &signature.formats {
                    by_format.entry(format).or_default().push(id);
                }
            }
        }
        let filter = Filter::new(literals.keys().copied());
        Self { catalogue, filter, waiting: literals.into_values().collect(), by_format }
    }

    /// The first filter over raw bytes.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The signatures that wait for a literal.
    pub fn waiting(&self, literal: u32) -> &[SignatureId] {
        self.waiting.get(literal as usize).map_or(&[], Vec::as_slice)
    }

    /// Tests some signatures (sorted or not, with repetitions) on an event.
    pub fn test(&self, event: &Event<'_>, candidates: &mut Vec<SignatureId>) -> Vec<Match> {
        candidates.sort_unstable();
        candidates.dedup();
        if candidates.is_empty() {
            return Vec::new();
        }
        let text = event.text();
        let tested = candidates.iter().filter_map(|id| self.test_one(*id, event, &text));
        tested.collect()
    }

    /// The signatures without literals that wait for events of a format.
    pub fn for_format(&self, format: &str) -> &[SignatureId] {
        self.by_format.get(format).map_or(&[], Vec::as_slice)
    }

    /// Tests one signature on one event, whose text is `text`.
    pub fn test_one(&self, id: SignatureId, event: &Event<'_>, text: &str) -> Option<Match> {
        let signature = self.catalogue.signatures.get(id)?;
        // A state document may quote what any service said.
        let quotes = QUOTING.contains(&event.format());
        let elsewhere = |s| !quotes && s != Service::State && !signature.services.contains(s);
        if !signature.services.is_empty() && event.service.is_some_and(elsewhere) {
            return None;
        }
        if !signature.formats.is_empty() && !signature.formats.iter().any(|f| event.formats.contains(&f.as_str())) {
            return None;
        }
        let decisive = literals_hold(signature, text)?;
        if !signature.fields.iter().all(|f| fields::holds(f, event)) {
            return None;
        }
        let mut captures = Vec::new();
        let mut shown = decisive.map(str::to_owned);
        if let Some(regex) = &signature.regex {
            let found = regex.get()?.captures(text)?;
            for name in regex.get()?.capture_names().flatten() {
                if let Some(value) = found.name(name).filter(|v| !v.is_empty()) {
                    captures.push((name.to_owned(), value.as_str().to_owned()));
                }
            }
            shown = shown.or_else(|| found.get(0).map(|m| m.as_str().to_owned()));
        }
        Some(Match { signature: id, captures, decisive: shown })
    }
}

/// The literals by which a signature is found: all of `any`; without `any` the one of `all` with the best anchor.
pub fn anchors(signature: &Signature) -> Vec<&str> {
    let usable = |l: &&String| filter::anchor(l).is_some();
    if !signature.all.is_empty() {
        let best = signature.all.iter().filter(usable).max_by_key(|l| l.len());
        if let Some(best) = best {
            return vec![best.as_str()];
        }
    }
    signature.any.iter().filter(usable).map(String::as_str).collect()
}

/// Tests the literals; gives the longest one that decided, or nothing when the signature has none.
fn literals_hold<'s>(signature: &'s Signature, text: &str) -> Option<Option<&'s str>> {
    let contains = |literal: &&String| memchr::memmem::find(text.as_bytes(), literal.as_bytes()).is_some();
    if signature.none.iter().any(|l| contains(&l)) || !signature.all.iter().all(|l| contains(&l)) {
        return None;
    }
    let any = signature.any.iter().filter(contains).max_by_key(|l| l.len());
    if !signature.any.is_empty() && any.is_none() {
        return None;
    }
    let all = signature.all.iter().max_by_key(|l| l.len());
    Some(any.or(all).map(String::as_str))
}
