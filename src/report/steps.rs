//! What to do and what to fetch for a root cause: in which order, with the captured values filled in. It leaves the words to
//! the catalogue and the layout to the renderers.

use std::collections::BTreeMap;

use crate::catalog::file::{CauseFile, Collect, Remediation};
use crate::catalog::{Cause, Evidence, Truth};
use crate::correlate::World;
use crate::rank::Candidate;

use super::build::rfc3339;
use super::fill::{fill, unambiguous};
use super::model::{CollectStep, RemediationStep};

/// A minute, in microseconds.
const MINUTE: i64 = 60_000_000;
/// Logs are worth fetching from so long before the first trace.
const LEAD: i64 = 10 * MINUTE;
/// From when logs are worth fetching where no time is known, as `docker logs` takes it.
const A_DAY: &str = "24h";

/// When a step's turn comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    /// Its evidence was seen, and it does no harm.
    FitsHarmless,
    /// It opens the author's list: a look at the matter before anything is changed.
    Opening,
    /// Its evidence was seen.
    Fits,
    /// It names no evidence: it fits whatever was seen.
    General,
    /// It names evidence, and none of it was seen.
    Elsewhere,
}

/// The remedies, those first whose evidence was seen; otherwise in the author's order. Where some fit what was seen, those that
/// name other evidence are left to `explain`.
pub(super) fn remediation(
    world: &World<'_>,
    cause: Option<&Cause>,
    candidate: &Candidate,
    page: &CauseFile,
) -> Vec<RemediationStep> {
    // The candidate keeps the strongest item of a group only; here all of them count.
    let holds = |evidence: &Evidence| world.find(&evidence.when).truth == Truth::True;
    let seen = |id: &String| cause.is_some_and(|c| c.evidence.iter().any(|e| e.id == *id && holds(e)));
    let opening = page.remediation.iter().take_while(|r| r.evidence.is_empty()).count();
    let turn = |(place, step): &(usize, &Remediation)| match step.evidence.iter().any(seen) {
        true if step.risk == "none" => Turn::FitsHarmless,
        true => Turn::Fits,
        false if !step.evidence.is_empty() => Turn::Elsewhere,
        false if *place < opening && step.risk == "none" => Turn::Opening,
        false => Turn::General,
    };
    let mut steps: Vec<(usize, &Remediation)> = page.remediation.iter().enumerate().collect();
    if steps.iter().any(|s| matches!(turn(s), Turn::FitsHarmless | Turn::Fits)) {
        steps.retain(|s| turn(s) != Turn::Elsewhere);
    }
    // Where no step names evidence the author's order holds.
    if steps.iter().any(|(_, step)| !step.evidence.is_empty()) {
        steps.sort_by_key(turn);
    }
    steps.into_iter().map(|(_, r)| step(r, &candidate.entities)).collect()
}

/// A step with the captured values in it. What cannot be undone names a machine only where the evidence names no other.
fn step(step: &Remediation, values: &BTreeMap<String, Vec<String>>) -> RemediationStep {
    let single = (step.risk == "destructive").then(|| unambiguous(values));
    let values = single.as_ref().unwrap_or(values);
    RemediationStep {
        title: fill(&step.title, values),
        text: fill(step.text.trim(), values),
        run: fill(step.run.trim(), values),
        risk: if step.risk.is_empty() { "none".into() } else { step.risk.clone() },
        precondition: fill(step.precondition.trim(), values),
        verify: fill(step.verify.trim(), values),
        rollback: fill(step.rollback.trim(), values),
        guide: step.guide.trim().to_owned(),
    }
}

/// What to fetch for a root cause, what tells most first.
pub(super) fn collect(cause: Option<&Cause>, candidate: &Candidate, page: &CauseFile) -> Vec<CollectStep> {
    let rank = |evidence: &str| {
        let item = cause?.evidence.iter().position(|e| e.id == evidence)?;
        candidate.wanted.iter().position(|(wanted, _)| *wanted == item)
    };
    let mut steps: Vec<&Collect> = page.collect.iter().collect();
    steps.sort_by_key(|c| rank(&c.evidence).unwrap_or(usize::MAX));
    let values = told(candidate);
    let step = |c: &Collect| CollectStep { run: fill(c.run.trim(), &values), why: c.why.clone() };
    steps.into_iter().map(step).collect()
}

/// What is known of a root cause, for commands: names, and `since` when logs are worth fetching.
pub(super) fn told(candidate: &Candidate) -> BTreeMap<String, Vec<String>> {
    let begin = candidate.span.and_then(|(first, _)| rfc3339((first - LEAD).div_euclid(MINUTE) * MINUTE));
    let since = ("since".to_owned(), vec![begin.unwrap_or_else(|| A_DAY.to_owned())]);
    candidate.entities.clone().into_iter().chain([since]).collect()
}
