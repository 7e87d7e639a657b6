//! The border that every report passes: secrets are masked always, names and addresses become pseudonyms on request.
//!
//! The model is taken apart field by field, without `..`: whoever adds a field must decide here what it may show. Text of
//! the catalogue is left alone, but for the values that were filled into its commands.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashSet};

use memchr::memmem::Finder;

use super::model::{
    ClockEntry, ClusterEntry, CollectNext, CollectStep, Coverage, EvidenceLine, Gap, Input, NearbyLine, ProblemEntry,
    RemediationStep, Report, RootCause, Symptom, TimelineEntry, Unexplained, UnknownItem,
};
use crate::redact::identity::Looks;
use crate::redact::{self, Pseudonyms};

/// Masks the secrets of a report.
pub fn mask(report: &mut Report) {
    let mut filled = Filled::default();
    for cause in &mut report.root_causes {
        for (key, values) in &mut cause.entities {
            for value in values {
                let shown = redact::mask_attribute(key, value).into_owned();
                filled.note(value, &shown);
                *value = shown;
            }
        }
    }
    each(report, &mut |text, mark| *text = redact::mask_with(text, mark), &filled);
}

/// Replaces names, addresses and ids of a report by pseudonyms; masks its secrets too.
pub fn redact(report: &mut Report, pseudonyms: &mut Pseudonyms) {
    told(report).into_iter().for_each(|(key, value)| pseudonyms.learn_named(key, value));
    let looks = Looks::at(texts(report));
    pseudonyms.learn_looks(&looks);
    let mut filled = Filled::default();
    for cause in &mut report.root_causes {
        for value in cause.entities.values_mut().flatten() {
            let shown = pseudonyms.redact(value);
            filled.note(value, &shown);
            *value = shown;
        }
    }
    each(report, &mut |text, mark| *text = pseudonyms.redact_seen(text, &looks, mark), &filled);
    report.redacted = true;
    report.names.clear();
}

/// Every value whose key may tell that it is a name, once.
fn told(report: &Report) -> BTreeSet<(&str, &str)> {
    let names = report.names.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let causes = report.root_causes.iter().flat_map(|c| &c.entities);
    let clusters = report.unexplained.clusters.iter().flat_map(|c| &c.entities);
    let entities = causes.chain(clusters);
    names.chain(entities.flat_map(|(key, values)| values.iter().map(|v| (key.as_str(), v.as_str())))).collect()
}

/// Every text that comes from the input, once: lines of evidence stand in the timeline and around other evidence too.
fn texts(report: &mut Report) -> HashSet<String> {
    let mut texts = HashSet::new();
    let mut note = |text: &mut String, _: &mut Option<std::ops::Range<usize>>| {
        if !texts.contains(text) {
            texts.insert(text.clone());
        }
    };
    each(report, &mut note, &Filled::default());
    texts
}

/// Values that may stand in commands, and what is to stand there instead.
#[derive(Default)]
struct Filled {
    /// The longest first: a name may be the beginning of another.
    values: Vec<(Finder<'static>, String)>,
}

impl Filled {
    fn note(&mut self, value: &str, shown: &str) {
        let order = |other: &[u8]| (Reverse(other.len()), other).cmp(&(Reverse(value.len()), value.as_bytes()));
        let place = self.values.binary_search_by(|(known, _)| order(known.needle()));
        if let (Err(place), true) = (place, value != shown && !value.is_empty()) {
            self.values.insert(place, (Finder::new(value).into_owned(), shown.to_owned()));
        }
    }

    /// Replaces whole words, so that a command stays a command.
    fn replace(&self, text: &mut String) {
        for (value, shown) in &self.values {
            if value.find(text.as_bytes()).is_some() {
                *text = replace_word(text, std::str::from_utf8(value.needle()).unwrap_or_default(), shown);
            }
        }
    }
}

fn replace_word(text: &str, word: &str, with: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let edge = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
    while let Some((before, after)) = rest.split_once(word) {
        out.push_str(before);
        let free = edge(out.chars().next_back()) && edge(after.chars().next());
        out.push_str(if free { with } else { word });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// What is done to a text of the log; the range, if any, is the decisive piece of it.
type Change<'c> = &'c mut dyn FnMut(&mut String, &mut Option<std::ops::Range<usize>>);

/// Hands every text that comes from the input to `change`, and replaces what was filled into texts of the catalogue.
fn each(report: &mut Report, change: Change<'_>, filled: &Filled) {
    let Report {
        schema_version: _,
        tool: _,
        inputs,
        root_causes,
        collect_next,
        symptoms,
        unexplained: Unexplained { events: _, share: _, clusters },
        timeline,
        coverage:
            Coverage { sources: _, services: _, first: _, last: _, versions: _, skipped, cut, not_understood, missing },
        problems,
        redacted: _,
        names: _,
    } = report;
    for cause in root_causes {
        root_cause(cause, change, filled);
    }
    for CollectNext { root_cause: _, evidence: _, run, why, bits: _ } in collect_next {
        filled.replace(run);
        filled.replace(why);
    }
    for Symptom { id: _, scenario: _, title: _, count: _, source, line: _, excerpt, fault: _, decisive } in symptoms {
        change(source, &mut None);
        marked(excerpt, decisive, change);
    }
    for entry in clusters {
        let ClusterEntry { template, sample, count: _, severity: _, source, line: _, first: _, last: _, entities } =
            entry;
        change(source, &mut None);
        change(sample, &mut None);
        change(template, &mut None);
        entities.values_mut().flatten().for_each(|value| change(value, &mut None));
    }
    for TimelineEntry {
        timestamp: _,
        written: _,
        source,
        line: _,
        root_cause: _,
        says: _,
        excerpt,
        count: _,
        last: _,
    } in timeline
    {
        change(source, &mut None);
        change(excerpt, &mut None);
    }
    for input in inputs {
        let Input {
            source,
            formats: _,
            bytes: _,
            lines: _,
            events: _,
            understood: _,
            first: _,
            last: _,
            timezone,
            status,
            gaps: _,
            notes: _,
            clock,
        } = input;
        change(source, &mut None);
        timezone.iter_mut().for_each(|zone| change(zone, &mut None));
        if let Some(ClockEntry { ahead_seconds: _, spread_seconds: _, pairs: _, against }) = clock {
            change(against, &mut None);
        }
        change(status, &mut None);
    }
    for Gap { source, why } in skipped.iter_mut().chain(cut) {
        change(source, &mut None);
        change(why, &mut None);
    }
    missing.iter_mut().for_each(|source| change(source, &mut None));
    not_understood.iter_mut().for_each(|source| change(source, &mut None));
    for ProblemEntry { source, kind: _, message } in problems {
        change(source, &mut None);
        change(message, &mut None);
    }
}

fn root_cause(cause: &mut RootCause, change: Change<'_>, filled: &Filled) {
    let RootCause {
        rank: _,
        id: _,
        scenario: _,
        cause: _,
        title: _,
        level: _,
        confidence: _,
        verdict: _,
        over: _,
        margin: _,
        first_seen: _,
        last_seen: _,
        count: _,
        // The callers see to them: their keys tell what the values are.
        entities: _,
        evidence,
        unknown,
        explains: _,
        description: _,
        reason: _,
        impact: _,
        remediation,
        collect,
        references: _,
    } = cause;
    evidence.iter_mut().for_each(|line| evidence_line(line, change));
    for UnknownItem { id: _, why } in unknown {
        filled.replace(why);
    }
    for step in remediation {
        let RemediationStep { title, text, run, risk: _, precondition, verify, rollback, guide: _ } = step;
        [title, text, run, precondition, verify, rollback].into_iter().for_each(|text| filled.replace(text));
    }
    for CollectStep { run, why } in collect {
        filled.replace(run);
        filled.replace(why);
    }
}

fn evidence_line(line: &mut EvidenceLine, change: Change<'_>) {
    let EvidenceLine {
        id: _,
        role: _,
        says: _,
        signature: _,
        source,
        line: _,
        timestamp: _,
        excerpt,
        decisive,
        count: _,
        last: _,
        ratio: _,
        thing,
        moment: _,
        nearby,
    } = line;
    change(thing, &mut None);
    change(source, &mut None);
    marked(excerpt, decisive, change);
    nearby.iter_mut().for_each(|NearbyLine { line: _, text }| change(text, &mut None));
}

/// Changes a text and the piece of it that decided.
fn marked(excerpt: &mut String, decisive: &mut Option<String>, change: Change<'_>) {
    let at = decisive.as_deref().and_then(|d| excerpt.find(d).map(|at| at..at + d.len()));
    let mut mark = at.clone();
    change(excerpt, &mut mark);
    match (decisive, at) {
        // Carried over with its line; gone when the line has nothing left to mark.
        (piece @ Some(_), Some(_)) => *piece = mark.and_then(|m| excerpt.get(m)).map(str::to_owned),
        (Some(piece), None) => change(piece, &mut None),
        (None, _) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_words_of_a_command_are_replaced() {
        let mut filled = Filled::default();
        filled.note("pve1", "host-1");
        filled.note("pve12", "host-2");
        let mut text = "pvesh get /nodes/pve1/qemu; ssh pve12 pvesm status; cat pve1x".to_owned();
        filled.replace(&mut text);
        assert_eq!(text, "pvesh get /nodes/host-1/qemu; ssh host-2 pvesm status; cat pve1x");
    }
}
