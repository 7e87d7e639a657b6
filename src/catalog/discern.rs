//! Which root causes look alike: by evidence that they share, or because their files say so; and which cannot be told
//! apart at all.

use std::collections::BTreeSet;

use crate::catalog::{Catalogue, Cause, CorrelationKind, Expr, Signature, SignatureId, Term};

/// The likelihood ratio from which evidence that two root causes share makes them look alike.
const STRONG: f64 = 20.0;

/// What a signature tests, whatever it is called.
fn signature(signature: &Signature) -> String {
    let fields: Vec<_> = signature.fields.iter().map(|f| (&f.key, f.op, &f.values)).collect();
    let regex = signature.regex.as_ref().map(|r| r.source.as_str());
    let services: Vec<_> = signature.services.names().collect();
    format!("{:?}", (&signature.any, &signature.all, &signature.none, regex, services, &signature.formats, fields))
}

/// What a name in a condition stands for, whatever it is called.
fn meaning(catalogue: &Catalogue, term: Term) -> String {
    let by_id = |id: &SignatureId| catalogue.signatures.get(*id).map(signature).unwrap_or_default();
    match term {
        Term::Signature(id) => by_id(&id),
        Term::Correlation(id) => {
            let Some(correlation) = catalogue.correlations.get(id) else { return String::new() };
            let rules: Vec<String> = correlation.rules.iter().map(by_id).collect();
            let more: Vec<String> = match &correlation.kind {
                CorrelationKind::Ordered { without } => without.iter().map(by_id).collect(),
                CorrelationKind::Absence { anchor, .. } => vec![by_id(anchor)],
                _ => Vec::new(),
            };
            format!("{:?}", (&correlation.kind, rules, more, &correlation.group_by, correlation.timespan))
        }
    }
}

/// A condition with meanings in place of names.
fn condition(catalogue: &Catalogue, expr: &Expr<Term>) -> String {
    match expr {
        Expr::Name(term) => meaning(catalogue, *term),
        Expr::And(a, b) => format!("({} and {})", condition(catalogue, a), condition(catalogue, b)),
        Expr::Or(a, b) => format!("({} or {})", condition(catalogue, a), condition(catalogue, b)),
        Expr::Not(a) => format!("(not {})", condition(catalogue, a)),
        Expr::Given(a, b) => format!("({} given {})", condition(catalogue, a), condition(catalogue, b)),
    }
}

/// Conditions of a root cause with their likelihood ratios: those for it, those against it.
struct Shape {
    supports: Vec<(String, f64)>,
    contradicts: Vec<(String, f64)>,
}

fn shape(catalogue: &Catalogue, cause: &Cause) -> Shape {
    let items = cause.evidence.iter().map(|e| (e.supports(), (condition(catalogue, &e.when), e.ratio())));
    let (supports, contradicts): (Vec<_>, Vec<_>) = items.partition(|(supports, _)| *supports);
    let bare = |list: Vec<(bool, (String, f64))>| list.into_iter().map(|(_, item)| item).collect();
    Shape { supports: bare(supports), contradicts: bare(contradicts) }
}

/// Whether the first can never stand above the second: all that supports it supports the second as strongly, and all that
/// speaks against the second speaks against it as strongly.
fn is_within(one: &Shape, other: &Shape) -> bool {
    let supported =
        |(what, ratio): &(String, f64)| other.supports.iter().any(|(w, r)| w == what && *r >= *ratio * 0.999);
    let spared = |(what, ratio): &(String, f64)| one.contradicts.iter().any(|(w, r)| w == what && *r <= *ratio * 1.001);
    !one.supports.is_empty() && one.supports.iter().all(supported) && other.contradicts.iter().all(spared)
}

/// Pairs of root causes of which the first can never be named before the second, whatever the input holds.
pub fn indistinct(catalogue: &Catalogue) -> Vec<(usize, usize)> {
    let shapes: Vec<Shape> = catalogue.causes.iter().map(|c| shape(catalogue, c)).collect();
    let prior = |index: usize| catalogue.causes.get(index).map_or(0.0, |c| c.prior);
    let mut found = Vec::new();
    for (one, a) in shapes.iter().enumerate() {
        for (other, b) in shapes.iter().enumerate() {
            if one != other && prior(other) >= prior(one) && is_within(a, b) {
                found.push((one, other));
            }
        }
    }
    found
}

/// What strongly supports a root cause, name by name.
fn strong_names(catalogue: &Catalogue, cause: &Cause) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for item in cause.evidence.iter().filter(|e| e.supports() && e.ratio() >= STRONG) {
        item.when.names(&mut |term, positive| {
            if positive {
                names.insert(meaning(catalogue, *term));
            }
        });
    }
    names
}

/// Pairs of root causes that look alike: they share strong evidence and neither brings the other about, or one of their
/// files names the other as `differential`.
pub fn look_alikes(catalogue: &Catalogue) -> BTreeSet<(usize, usize)> {
    let names: Vec<BTreeSet<String>> = catalogue.causes.iter().map(|c| strong_names(catalogue, c)).collect();
    let mut pairs = BTreeSet::new();
    for (one, cause) in catalogue.causes.iter().enumerate() {
        for (other, rival) in catalogue.causes.iter().enumerate().skip(one + 1) {
            let effect = cause.accounts_for(other) || rival.accounts_for(one);
            let shared = names.get(one).zip(names.get(other)).is_some_and(|(a, b)| !a.is_disjoint(b));
            if shared && !effect {
                pairs.insert((one, other));
            }
        }
        let declared = catalogue.page(&cause.id).unwrap_or_default().differential;
        for other in declared.iter().filter_map(|id| catalogue.find(id)).filter(|other| *other != one) {
            pairs.insert((one.min(other), one.max(other)));
        }
    }
    pairs
}
