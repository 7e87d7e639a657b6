//! What of the report the page shows, and the names of its places.

use std::collections::BTreeSet;

use crate::report::model::{Report, RootCause};
use crate::report::timeline::shared_folder;

/// Root causes at or above this are likely enough to act on.
const LIKELY: f64 = 0.5;
/// Root causes below this are hidden unless everything is asked for.
const WORTH_NAMING: f64 = 0.1;

/// The report, sorted for the page.
pub struct View<'r> {
    /// The report.
    pub report: &'r Report,
    /// Root causes to act on, best first.
    pub likely: Vec<&'r RootCause>,
    /// Root causes seen as effects of these.
    pub effects: Vec<&'r RootCause>,
    /// What else was considered.
    pub others: Vec<&'r RootCause>,
    /// How many are not shown.
    pub hidden: usize,
    /// The folder that all sources share, with its `/`; empty when there is none.
    pub folder: String,
}

impl<'r> View<'r> {
    /// Sorts a report; `all` shows the least likely ones too.
    pub fn new(report: &'r Report, all: bool) -> Self {
        let causes = || report.root_causes.iter();
        let effects: BTreeSet<&String> =
            causes().filter(|c| c.confidence >= LIKELY).flat_map(|c| &c.explains).collect();
        let is_effect = |c: &&RootCause| effects.contains(&c.id);
        let likely: Vec<_> = causes().filter(|c| c.confidence >= LIKELY && !is_effect(c)).collect();
        let rest = || causes().filter(|c| !likely.iter().any(|l| l.id == c.id));
        let is_over = |c: &RootCause| c.over.is_some();
        let named =
            |c: &&RootCause| all || is_over(c) || c.confidence >= WORTH_NAMING || (likely.is_empty() && c.rank == 1);
        let mut others: Vec<_> = rest().filter(|c| !is_effect(c)).filter(named).collect();
        others.sort_by_key(|c| !is_over(c));
        let effects: Vec<_> = rest().filter(is_effect).collect();
        let hidden = report.root_causes.len() - likely.len() - others.len() - effects.len();
        Self { folder: shared_folder(report).to_owned(), report, effects, others, hidden, likely }
    }

    /// Whether there is something to act on.
    pub fn is_likely(&self) -> bool {
        !self.likely.is_empty()
    }

    /// The answer, or the nearest guess.
    pub fn best(&self) -> Option<&'r RootCause> {
        self.likely.first().or(self.others.first()).copied()
    }

    /// The root causes whose evidence makes the story: the likely ones and their effects, or the nearest guess.
    pub fn story(&self) -> Vec<&'r RootCause> {
        if self.is_likely() { [&self.likely[..], &self.effects].concat() } else { self.best().into_iter().collect() }
    }

    /// A source without the folder that all share.
    pub fn short<'s>(&self, source: &'s str) -> &'s str {
        source.strip_prefix(&self.folder).filter(|s| !s.is_empty()).unwrap_or(source)
    }

    /// The root cause of that id.
    pub fn find(&self, id: &str) -> Option<&'r RootCause> {
        self.report.root_causes.iter().find(|c| c.id == id)
    }

    /// Whether a root cause has its own place on the page.
    pub fn shows(&self, cause: &RootCause) -> bool {
        [&self.likely, &self.effects, &self.others].iter().any(|list| list.iter().any(|c| c.id == cause.id))
    }
}

/// The place of a root cause.
pub fn anchor(cause: &RootCause) -> String {
    format!("c{}", cause.rank)
}

/// The place of one of its lines of evidence, by index.
pub fn line_anchor(cause: &RootCause, index: usize) -> String {
    format!("c{}-{}", cause.rank, index + 1)
}
