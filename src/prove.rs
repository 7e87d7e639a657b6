//! Runs the samples of the catalogue: what each root cause promises about inputs.

use crate::catalog::file::{Expect, SampleFile};
use crate::catalog::{Catalogue, discern};
use crate::correlate::World;
use crate::pipeline;
use crate::rank::{self, Candidate, POSSIBLE};
use crate::scan::Scanner;

/// The outcome of one sample.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The root cause whose sample it is.
    pub id: String,
    /// The sample's name.
    pub sample: String,
    /// positive, negative, near-miss.
    pub kind: String,
    /// What came out differently from what the sample promises.
    pub failures: Vec<String>,
    /// Root causes at or above possible, with their confidence.
    pub named: Vec<(String, f64)>,
    /// How sure the answer was, and whether it was right: of the first root cause, or of one that must not be named.
    pub answer: Option<Answer>,
}

/// How sure an answer was, and whether it was right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// The confidence, 0 to 1.
    pub confidence: f64,
    /// Whether it was right.
    pub right: bool,
}

/// Answers of about the same confidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// From this confidence on.
    pub from: f64,
    /// Up to this one.
    pub to: f64,
    /// How many answers.
    pub answers: usize,
    /// Their mean confidence.
    pub confidence: f64,
    /// The share of them that was right.
    pub right: f64,
}

/// The reliability of answers: bands of confidence with what came true, and the mean error of all answers.
pub fn reliability(answers: &[Answer]) -> (Vec<Band>, f64) {
    let edges = [0.0, 0.2, 0.5, 0.8, 0.95, 1.01];
    let mean = |values: &mut dyn Iterator<Item = f64>, count: usize| values.sum::<f64>() / count.max(1) as f64;
    let bands = edges.windows(2).filter_map(|edge| {
        let [from, to] = *edge else { return None };
        let inside: Vec<&Answer> = answers.iter().filter(|a| (from..to).contains(&a.confidence)).collect();
        (!inside.is_empty()).then(|| Band {
            from,
            to: to.min(1.0),
            answers: inside.len(),
            confidence: mean(&mut inside.iter().map(|a| a.confidence), inside.len()),
            right: mean(&mut inside.iter().map(|a| f64::from(u8::from(a.right))), inside.len()),
        })
    });
    let error = |a: &Answer| (a.confidence - f64::from(u8::from(a.right))).abs();
    (bands.collect(), mean(&mut answers.iter().map(error), answers.len()))
}

/// Runs all samples, or those of one root cause.
pub fn run(catalogue: &Catalogue, now: i64, only: Option<&str>) -> Vec<Outcome> {
    let scanner = Scanner::new(catalogue, now);
    let mut outcomes = Vec::new();
    for cause in &catalogue.causes {
        if only.is_some_and(|id| id != cause.id && id != cause.scenario() && id != cause.slug()) {
            continue;
        }
        let page = catalogue.page(&cause.id).unwrap_or_default();
        outcomes.extend(page.sample.iter().map(|sample| prove(&scanner, &cause.id, sample)));
    }
    outcomes
}

fn prove(scanner: &Scanner<'_>, id: &str, sample: &SampleFile) -> Outcome {
    let named = sample.files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let texts = sample.log.as_deref().map(|log| ("sample.log", log)).into_iter().chain(named);
    let analysis = pipeline::read_texts(scanner, texts);
    let world = World::new(scanner.catalogue, &analysis.sources);
    let candidates = rank::rank(&world);
    let mut failures = judge(&world, id, &sample.kind, &sample.expect, &candidates);
    failures.sort();
    Outcome {
        answer: answer(&world, id, sample, &candidates),
        id: id.to_owned(),
        sample: sample.name.clone(),
        kind: sample.kind.clone(),
        failures,
        named: candidates
            .iter()
            .filter(|c| c.confidence >= POSSIBLE)
            .map(|c| (name(&world, c).to_owned(), c.confidence))
            .collect(),
    }
}

/// Root causes that look alike and lack a near-miss sample in one direction: a near miss of the one that the other leads.
pub fn undiscerned(catalogue: &Catalogue, outcomes: &[Outcome]) -> Vec<String> {
    let id = |index: usize| catalogue.causes.get(index).map_or("", |c| c.id.as_str());
    let shown = |of: &str, leads: &str| {
        let leads = |o: &Outcome| o.named.first().is_some_and(|(id, _)| id == leads);
        outcomes.iter().any(|o| o.id == of && o.kind == "near-miss" && leads(o))
    };
    let mut missing = Vec::new();
    for (one, other) in discern::look_alikes(catalogue) {
        for (of, leads) in [(id(one), id(other)), (id(other), id(one))] {
            if !shown(of, leads) {
                missing.push(format!("{of}: no near-miss sample is led by {leads}, which looks alike"));
            }
        }
    }
    missing
}

/// What a sample says of the confidence.
fn answer(world: &World<'_>, id: &str, sample: &SampleFile, candidates: &[Candidate]) -> Option<Answer> {
    let best = sample.expect.best.as_deref().or((sample.kind == "positive").then_some(id));
    match best {
        Some(best) => {
            let first = candidates.first()?;
            Some(Answer { confidence: first.confidence, right: name(world, first) == best })
        }
        None => {
            let own = candidates.iter().find(|c| name(world, c) == id)?;
            Some(Answer { confidence: own.confidence, right: false })
        }
    }
}

fn name<'w>(world: &World<'w>, candidate: &Candidate) -> &'w str {
    world.catalogue.causes.get(candidate.cause).map_or("", |c| c.id.as_str())
}

fn judge(world: &World<'_>, id: &str, kind: &str, expect: &Expect, candidates: &[Candidate]) -> Vec<String> {
    let mut failures = Vec::new();
    let position = candidates.iter().position(|c| name(world, c) == id);
    let own = position.and_then(|p| candidates.get(p));
    let confidence = own.map_or(0.0, |c| c.confidence);
    let default = match kind {
        "positive" => ">=0.5",
        "negative" => "<0.2",
        _ => "<0.5",
    };
    let wanted = expect.confidence.as_deref().unwrap_or(default);
    if !confidence_fits(wanted, confidence) {
        let rivals: Vec<String> =
            candidates.iter().take(3).map(|c| format!("{} {:.3}", name(world, c), c.confidence)).collect();
        failures.push(format!("confidence {confidence:.3} is not {wanted} (ranked: {})", rivals.join(", ")));
    }
    if expect.matches.is_some_and(|m| m != own.is_some()) {
        failures.push(format!("match is {}", own.is_some()));
    }
    let rank = expect.rank.or((kind == "positive" && confidence >= POSSIBLE).then_some(1));
    if rank.is_some() && rank != position.map(|p| p + 1) {
        let first = candidates.first().map_or("nothing", |c| name(world, c));
        failures.push(format!("rank is {:?}, first is {first}", position.map(|p| p + 1)));
    }
    if let Some(best) = &expect.best {
        let first = candidates.first().map_or("nothing", |c| name(world, c));
        if first != best {
            failures.push(format!("{first} is first, not {best}"));
        }
    }
    failures.extend(own_failures(world, expect, own));
    failures
}

/// Entities, unknown and true items of the root cause itself.
fn own_failures(world: &World<'_>, expect: &Expect, own: Option<&Candidate>) -> Vec<String> {
    let mut failures = Vec::new();
    for (key, value) in &expect.entities {
        let values = own.and_then(|c| c.entities.get(key)).cloned().unwrap_or_default();
        if !values.contains(value) {
            failures.push(format!("{key} is {values:?}, not {value}"));
        }
    }
    let cause = own.and_then(|c| world.catalogue.causes.get(c.cause));
    let id = |index: usize| cause.and_then(|c| c.evidence.get(index)).map_or("", |e| e.id.as_str());
    let unknown: Vec<&str> = own.into_iter().flat_map(|c| &c.unknown).map(|i| id(*i)).collect();
    for item in expect.unknown.iter().filter(|i| !unknown.contains(&i.as_str())) {
        failures.push(format!("evidence {item} is not unknown"));
    }
    let seen: Vec<&str> = own.into_iter().flat_map(|c| &c.items).map(|i| id(i.evidence)).collect();
    for item in expect.evidence.iter().filter(|i| !seen.contains(&i.as_str())) {
        failures.push(format!("evidence {item} does not hold"));
    }
    failures
}

/// `>=0.8`, `<0.5`, `0.3..0.7`.
fn confidence_fits(wanted: &str, confidence: f64) -> bool {
    let number = |text: &str| text.trim().parse::<f64>().unwrap_or(f64::NAN);
    if let Some((low, high)) = wanted.split_once("..") {
        return (number(low)..=number(high)).contains(&confidence);
    }
    for (operator, test) in [
        (">=", (|a, b| a >= b) as fn(f64, f64) -> bool),
        ("<=", |a, b| a <= b),
        (">", |a, b| a > b),
        ("<", |a, b| a < b),
    ] {
        if let Some(rest) = wanted.trim().strip_prefix(operator) {
            return test(confidence, number(rest));
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reliability_compares_confidence_with_what_came_true() {
        let answer = |confidence, right| Answer { confidence, right };
        let (bands, error) =
            reliability(&[answer(0.9, true), answer(0.9, false), answer(0.1, false), answer(1.0, true)]);
        let shape: Vec<(f64, usize, f64)> = bands.iter().map(|b| (b.from, b.answers, b.right)).collect();
        assert_eq!(shape, [(0.0, 1, 0.0), (0.8, 2, 0.5), (0.95, 1, 1.0)]);
        assert!((error - 0.275).abs() < 1e-9, "{error}");
    }
}
