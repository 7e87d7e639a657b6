//! Notes about members of one archive that would fill pages if each were told apart.
//!
//! Links, devices and hostile names are told once with a count; empty members one by one up to a limit, then
//! as a count. Used from several threads.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::{ProblemKind, Source, Walk};

/// What is said of a source without a byte.
pub(super) const EMPTY: &str = "empty";

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// A link; its target, if it is in the archive, is read under its own name.
    Link,
    /// A link or device that was read before the archive told that it is one.
    Late,
    /// A device, fifo or socket entry.
    Device,
    /// A name that points outside.
    Hostile,
}

/// Empty members: the first ones by their place in the archive, and how many there are.
#[derive(Default)]
struct Empty {
    first: BTreeMap<Vec<u32>, String>,
    count: usize,
}

/// The counts for one archive.
#[derive(Default)]
pub(super) struct Tally {
    rows: Mutex<Vec<(What, usize, String)>>,
    empty: Mutex<Empty>,
}

impl Tally {
    /// Counts one; the smallest name is kept as the example, so that the order of threads does not show.
    pub fn add(&self, what: What, name: &str) {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        match rows.iter_mut().find(|row| row.0 == what) {
            Some((_, count, example)) => {
                *count += 1;
                if name < example.as_str() {
                    name.clone_into(example);
                }
            }
            None => rows.push((what, 1, name.to_owned())),
        }
    }

    /// Counts an empty member and keeps its label if it is one of the first `notes`.
    pub fn add_empty(&self, source: &Source, notes: usize) {
        let mut empty = self.empty.lock().unwrap_or_else(PoisonError::into_inner);
        empty.count += 1;
        let is_early = empty.first.last_key_value().is_none_or(|(last, _)| source.order < *last);
        if is_early || empty.first.len() < notes {
            empty.first.insert(source.order.clone(), source.label.clone());
        }
        if empty.first.len() > notes {
            empty.first.pop_last();
        }
    }

    /// Tells what was counted.
    pub fn report(self, walk: &Walk<'_>, label: &str) {
        let mut rows = self.rows.into_inner().unwrap_or_else(PoisonError::into_inner);
        rows.sort();
        for (what, count, example) in rows {
            let (kind, text) = describe(what);
            walk.note(label, kind, format!("{count} {text}, for example {example}"));
        }
        report_empty(walk, label, &self.empty.into_inner().unwrap_or_else(PoisonError::into_inner));
    }
}

fn describe(what: What) -> (ProblemKind, &'static str) {
    match what {
        What::Link => (ProblemKind::Skipped, "links were not followed"),
        What::Late => {
            (ProblemKind::Skipped, "links or devices were read as texts, which hold no more than their targets")
        }
        What::Device => (ProblemKind::Skipped, "device, fifo or socket entries were skipped"),
        What::Hostile => (ProblemKind::Name, "members have names that point outside and were read under cleaned names"),
    }
}

fn report_empty(walk: &Walk<'_>, label: &str, empty: &Empty) {
    for source in empty.first.values() {
        walk.empty(source, EMPTY, 1);
    }
    let more = empty.count - empty.first.len();
    if more > 0 {
        walk.empty(label, &format!("{more} more members are empty"), more as u64);
    }
}
