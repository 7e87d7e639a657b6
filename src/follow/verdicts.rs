//! Which verdicts are news: a root cause is told when it first becomes likely, and again when its verdict changes.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::catalog::Catalogue;
use crate::rank::{Candidate, POSSIBLE, Verdict};

/// How long a verdict must stay lower before that is told: it may waver while the lines of one incident come in.
const SETTLED: Duration = Duration::from_secs(5);

/// What changed about a root cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `scenario/cause`.
    pub id: String,
    /// The verdict now.
    pub verdict: Verdict,
    /// The verdict told before; `None` when it is likely for the first time, or again after it was not.
    pub was: Option<Verdict>,
}

/// What was told of a root cause.
#[derive(Debug)]
struct Told {
    verdict: Verdict,
    lower_since: Option<Duration>,
}

/// What was told so far.
#[derive(Debug, Default)]
pub struct Verdicts {
    told: BTreeMap<usize, Told>,
}

impl Verdicts {
    /// What is news in these candidates.
    pub fn changes(&mut self, catalogue: &Catalogue, candidates: &[Candidate], now: Duration) -> Vec<Change> {
        let effects: Vec<usize> =
            candidates.iter().filter(|c| c.confidence >= POSSIBLE).flat_map(|c| c.explains.iter().copied()).collect();
        let mut changes = Vec::new();
        for candidate in candidates.iter().filter(|c| !effects.contains(&c.cause)) {
            changes.extend(self.change(catalogue, candidate.cause, candidate.verdict, now));
        }
        let gone = |cause: &usize| !candidates.iter().any(|c| c.cause == *cause);
        let gone: Vec<usize> = self.told.keys().copied().filter(gone).collect();
        for cause in gone {
            changes.extend(self.change(catalogue, cause, Verdict::Weak, now));
        }
        changes
    }

    /// Root causes that were told and still hold.
    pub fn holding(&self) -> usize {
        self.told.len()
    }

    /// Whether a lower verdict waits to be told.
    pub fn wavers(&self) -> bool {
        self.told.values().any(|told| told.lower_since.is_some())
    }

    fn change(&mut self, catalogue: &Catalogue, cause: usize, verdict: Verdict, now: Duration) -> Option<Change> {
        let id = catalogue.causes.get(cause)?.id.clone();
        let Some(told) = self.told.get_mut(&cause) else {
            if verdict < Verdict::Likely {
                return None;
            }
            self.told.insert(cause, Told { verdict, lower_since: None });
            return Some(Change { id, verdict, was: None });
        };
        let was = told.verdict;
        if verdict >= was {
            *told = Told { verdict, lower_since: None };
            return (verdict > was).then_some(Change { id, verdict, was: Some(was) });
        }
        let since = *told.lower_since.get_or_insert(now);
        if now.saturating_sub(since) < SETTLED {
            return None;
        }
        if verdict < Verdict::Possible {
            self.told.remove(&cause);
        } else {
            *told = Told { verdict, lower_since: None };
        }
        Some(Change { id, verdict, was: Some(was) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::load;

    fn candidate(verdict: Verdict, confidence: f64) -> Vec<Candidate> {
        vec![Candidate {
            cause: 0,
            confidence,
            verdict,
            over: None,
            items: Vec::new(),
            unknown: Vec::new(),
            explains: Vec::new(),
            entities: BTreeMap::default(),
            margin: 0.0,
            wanted: Vec::new(),
            moments: None,
            span: None,
            count: 1,
        }]
    }

    /// The verdicts told over time: (second, verdict seen) in, (verdict told, the one before) out.
    fn told(seen: &[(u64, Option<Verdict>)]) -> Vec<(Verdict, Option<Verdict>)> {
        let (catalogue, _) = load::builtin();
        let mut verdicts = Verdicts::default();
        let mut all = Vec::new();
        for (second, verdict) in seen {
            let candidates = verdict.map(|v| candidate(v, 0.9)).unwrap_or_default();
            let changes = verdicts.changes(&catalogue, &candidates, Duration::from_secs(*second));
            all.extend(changes.into_iter().map(|c| (c.verdict, c.was)));
        }
        all
    }

    #[test]
    fn a_cause_is_told_once_and_again_when_its_verdict_changes() {
        use Verdict::{Confirmed, Likely, Possible};
        let seen = [(0, Some(Possible)), (1, Some(Likely)), (2, Some(Likely)), (3, Some(Confirmed))];
        assert_eq!(told(&seen), [(Likely, None), (Confirmed, Some(Likely))]);
    }

    #[test]
    fn a_verdict_that_only_wavers_is_not_told() {
        use Verdict::{Likely, Possible, Weak};
        assert_eq!(told(&[(0, Some(Likely)), (1, Some(Weak)), (2, Some(Likely)), (9, Some(Likely))]), [(Likely, None)]);
        let seen = [(0, Some(Likely)), (1, Some(Possible)), (7, Some(Possible)), (8, Some(Likely))];
        assert_eq!(told(&seen), [(Likely, None), (Possible, Some(Likely)), (Likely, Some(Possible))]);
    }

    #[test]
    fn a_cause_that_was_forgotten_is_told_anew() {
        use Verdict::{Likely, Weak};
        let seen = [(0, Some(Likely)), (1, None), (7, None), (8, None), (9, Some(Likely))];
        assert_eq!(told(&seen), [(Likely, None), (Weak, Some(Likely)), (Likely, None)]);
    }
}
