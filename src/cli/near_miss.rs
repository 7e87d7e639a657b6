//! Near misses of `why-not` in words: which condition failed, on which line, by how much.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::why_not::failing;
use crate::catalog::{Catalogue, Cause, Correlation, CorrelationKind, Evidence, Expr, SignatureId, Term, Truth};
use crate::correlate::miss::{self, Miss};
use crate::correlate::{HitRef, World};
use crate::event::Event;
use crate::event::time::SECOND;
use crate::limits::Limits;
use crate::matcher::near::{self, Failed, Near};
use crate::redact::Stream;
use crate::report::build::rfc3339;
use crate::report::sanitize;
use crate::scan::{SourceContext, walk};

/// Names and literals listed in one sentence.
const LISTED: usize = 3;
/// Characters of a regex that are shown.
const PATTERN: usize = 160;

/// How near something came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nearness {
    /// Nothing like it is in the input.
    Nothing,
    /// A part of it was seen, or a line holds a piece of its text.
    Part,
    /// The input cannot tell: a source, a time or a name is missing.
    Blind,
    /// A line fits but for one test.
    Line,
    /// Everything was seen; only time, order or what it was about is another.
    Window,
}

impl Nearness {
    /// How much of an item's strength this is worth when misses are compared.
    pub fn weight(self) -> f64 {
        match self {
            Self::Nothing => 0.0,
            Self::Part | Self::Blind => 0.5,
            Self::Line => 0.9,
            Self::Window => 1.0,
        }
    }
}

/// Why a condition does not hold.
pub struct Reason {
    /// In words.
    pub says: String,
    /// How near it came.
    pub nearness: Nearness,
    /// The hits that show it.
    pub hits: Vec<HitRef>,
    /// The line that almost fits.
    pub line: Option<NearLine>,
}

/// A line that almost fits a signature.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NearLine {
    distance: usize,
    /// Its source.
    pub source: String,
    /// Its number, from 1.
    pub number: u64,
    /// Its text.
    pub text: String,
    why: String,
}

/// The signatures that the evidence of a root cause looks for.
pub fn signatures(catalogue: &Catalogue, cause: &Cause) -> Vec<SignatureId> {
    let mut found = Vec::new();
    for item in &cause.evidence {
        item.when.names(&mut |term, positive| match term {
            Term::Signature(id) if positive => found.push(*id),
            Term::Correlation(index) if positive => {
                let Some(correlation) = catalogue.correlations.get(*index) else { return };
                match &correlation.kind {
                    CorrelationKind::Absence { anchor, .. } => found.push(*anchor),
                    _ => found.extend(&correlation.rules),
                }
            }
            _ => {}
        });
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The lines of the input that come nearest to signatures.
pub struct Lines<'l> {
    near: Near<'l, 'l>,
    limits: Limits,
    best: Mutex<BTreeMap<SignatureId, NearLine>>,
}

impl<'l> Lines<'l> {
    /// Looks for lines that are near some signatures.
    pub fn new(near: Near<'l, 'l>, limits: Limits) -> Self {
        Self { near, limits, best: Mutex::default() }
    }

    /// Looks at the bytes of a source.
    pub fn look(&self, context: &SourceContext, mut bytes: &[u8]) {
        let mut found: BTreeMap<SignatureId, NearLine> = BTreeMap::new();
        let mut secrets = Stream::default();
        // Reading from memory cannot fail.
        let _ = walk::events(context, &self.limits, &mut bytes, &mut |line, event| {
            let near = self.near.look(event);
            if near.is_empty() {
                secrets.skip(&event.body);
                return;
            }
            let text = shown(event, &mut secrets);
            for (id, failed) in near {
                let distance = near::distance(&failed);
                if found.get(&id).is_none_or(|best| distance < best.distance) {
                    let why = failed.iter().map(says).collect::<Vec<_>>().join(", and ");
                    found.insert(
                        id,
                        NearLine { distance, source: context.label.clone(), number: line, text: text.clone(), why },
                    );
                }
            }
        });
        let mut best = self.best.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, line) in found {
            if best.get(&id).is_none_or(|have| line < *have) {
                best.insert(id, line);
            }
        }
    }

    /// The line nearest to a signature.
    fn nearest(&self, id: SignatureId) -> Option<NearLine> {
        self.best.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }
}

/// The text of an event without secrets.
fn shown(event: &Event<'_>, secrets: &mut Stream) -> String {
    let body = secrets.mask(&event.body);
    if !body.trim().is_empty() {
        return body;
    }
    crate::redact::mask(&event.text()).into_owned()
}

/// Why a test failed, in words.
fn says(failed: &Failed) -> String {
    match failed {
        Failed::Partly(literal, part) => {
            format!("of the text `{}` only `{}` stands there", literal.trim(), part.trim())
        }
        Failed::Missing(literal) => format!("`{}` does not stand in the line", literal.trim()),
        Failed::Forbidden(literal) => format!("`{}` stands there and must not", literal.trim()),
        Failed::Pattern(source) => {
            let shown: String = source.chars().take(PATTERN).collect();
            format!("the text is there, but the line does not fit the pattern {shown}")
        }
        Failed::Field(test, values) if values.is_empty() => format!("{test}: the line tells nothing of it"),
        Failed::Field(test, values) => format!("{test} but `{}`", values.join("`, `")),
        Failed::Service(own, wanted) => format!("the line is of {own}, not of {}", wanted.join(" or ")),
    }
}

/// Why an item does not hold, the nearest first.
pub fn reasons(world: &World<'_>, lines: &Lines<'_>, item: &Evidence) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = failing(world, &item.when)
        .into_iter()
        .map(|(term, positive, truth)| match term {
            _ if !positive => present(world, term, truth),
            Term::Signature(id) => unseen(world, lines, id),
            Term::Correlation(index) => correlated(world, lines, index),
        })
        .collect();
    reasons.sort_by_key(|r| std::cmp::Reverse(r.nearness));
    reasons
}

/// How near an item came: as near as what came nearest.
pub fn nearness(reasons: &[Reason]) -> Nearness {
    reasons.iter().map(|r| r.nearness).max().unwrap_or(Nearness::Nothing)
}

/// What must not hold, and does.
fn present(world: &World<'_>, term: Term, truth: Truth) -> Reason {
    let finding = world.find(&Expr::Name(term));
    let state = if truth == Truth::Unknown { "the input cannot tell whether" } else { "must not hold and does:" };
    Reason { says: format!("{state} {}", name(world, term)), nearness: Nearness::Line, hits: finding.hits, line: None }
}

/// A signature that was not seen.
fn unseen(world: &World<'_>, lines: &Lines<'_>, id: SignatureId) -> Reason {
    let looked_for = looked_for(world, id);
    if let Some(line) = lines.nearest(id) {
        let nearness = if line.distance <= 3 { Nearness::Line } else { Nearness::Part };
        let says = format!("no line fits `{}`; the nearest: {}", name(world, Term::Signature(id)), line.why);
        return Reason { says, nearness, hits: Vec::new(), line: Some(line) };
    }
    let services = world.catalogue.signatures.get(id).map(|s| s.services).filter(|s| !s.is_empty());
    if let Some(services) = services.filter(|s| !world.has_service(*s)) {
        let names: Vec<&str> = services.names().collect();
        let says = format!("the input holds nothing of {}, which would tell {looked_for}", names.join(" or "));
        return Reason { says, nearness: Nearness::Blind, hits: Vec::new(), line: None };
    }
    let says = format!("no line holds {looked_for}");
    Reason { says, nearness: Nearness::Nothing, hits: Vec::new(), line: None }
}

/// What a signature looks for, in words.
fn looked_for(world: &World<'_>, id: SignatureId) -> String {
    let Some(signature) = world.catalogue.signatures.get(id) else { return String::new() };
    let texts: Vec<&str> = signature.any.iter().chain(&signature.all).map(|l| l.trim()).collect();
    if texts.is_empty() {
        let fields: Vec<&str> = signature.fields.iter().map(|f| f.key.as_str()).collect();
        return format!("`{}` (by {})", signature.name, fields.join(", "));
    }
    let more = if texts.len() > LISTED { format!(" or {} others", texts.len() - LISTED) } else { String::new() };
    format!("`{}`{more}", texts.iter().take(LISTED).copied().collect::<Vec<_>>().join("` or `"))
}

fn name(world: &World<'_>, term: Term) -> String {
    let name = match term {
        Term::Signature(index) => world.catalogue.signatures.get(index).map(|s| s.name.as_str()),
        Term::Correlation(index) => world.catalogue.correlations.get(index).map(|c| c.name.as_str()),
    };
    name.and_then(|n| n.rsplit('#').next()).unwrap_or_default().to_owned()
}

/// A correlation that does not hold.
fn correlated(world: &World<'_>, lines: &Lines<'_>, index: usize) -> Reason {
    let Some(correlation) = world.catalogue.correlations.get(index) else {
        return Reason { says: String::new(), nearness: Nearness::Nothing, hits: Vec::new(), line: None };
    };
    let miss = miss::nearest(world, correlation);
    let own = name(world, Term::Correlation(index));
    if let Miss::NeverSeen(rules) = &miss {
        return partly(world, lines, correlation, rules, &own);
    }
    let says = format!("`{own}`: {}", told(world, correlation, &miss));
    let nearness = match &miss {
        Miss::Undated(_) | Miss::OfDifferent { .. } | Miss::NotCovered { .. } => Nearness::Blind,
        _ => Nearness::Window,
    };
    Reason { says, nearness, hits: miss.hits().to_vec(), line: None }
}

/// A correlation of which some rules were never seen: those that were, and what comes nearest to the others.
fn partly(world: &World<'_>, lines: &Lines<'_>, correlation: &Correlation, rules: &[SignatureId], own: &str) -> Reason {
    let seen: Vec<HitRef> = correlation.rules.iter().filter_map(|r| world.hits(*r).first().copied()).collect();
    let missing: Vec<Reason> = rules.iter().map(|id| unseen(world, lines, *id)).collect();
    let Some(nearest) = missing.into_iter().reduce(|a, b| if b.nearness > a.nearness { b } else { a }) else {
        return Reason { says: own.to_owned(), nearness: Nearness::Nothing, hits: seen, line: None };
    };
    let begun = if seen.is_empty() { "" } else { " (its other part was seen)" };
    let nearness = if seen.is_empty() { nearest.nearness } else { nearest.nearness.max(Nearness::Part) };
    Reason { says: format!("`{own}`{begun}: {}", nearest.says), nearness, hits: seen, line: nearest.line }
}

/// A miss in words.
fn told(world: &World<'_>, correlation: &Correlation, miss: &Miss) -> String {
    let of = |at: &HitRef| name(world, Term::Signature(at.signature));
    let when = |at: &HitRef| world.time(*at).and_then(rfc3339).map_or_else(String::new, |t| format!(" at {t}"));
    let within = |span: &Option<i64>| span.map_or_else(String::new, |s| format!(" within {}", duration(s)));
    let between = |hits: &[HitRef]| match (hits.first(), hits.last()) {
        (Some(first), Some(last)) if hits.len() > 1 => {
            let ends: Vec<String> = [first, last].iter().filter_map(|at| rfc3339(world.time(**at)?)).collect();
            if ends.len() == 2 { format!(" between {}", ends.join(" and ")) } else { String::new() }
        }
        (Some(only), _) => when(only),
        _ => String::new(),
    };
    match miss {
        Miss::NeverSeen(_) => String::new(),
        Miss::Few { wanted, within: span, hits } => {
            format!("needs {wanted}{}, saw {}{}", within(span), hits.len(), between(hits))
        }
        Miss::FewValues { field, wanted, within: span, values, hits } => {
            let values = values.iter().take(LISTED).map(|v| sanitize::line(v)).collect::<Vec<_>>().join(", ");
            format!("needs {wanted} different values of {field}{}, saw {values}{}", within(span), between(hits))
        }
        Miss::Apart { span, limit, .. } => {
            format!("both were seen, {} apart; they must lie within {}", duration(*span), duration(*limit))
        }
        Miss::Order(hits) => match hits.as_slice() {
            [first, .., last] => {
                let wanted: Vec<String> = correlation.rules.iter().map(|r| name(world, Term::Signature(*r))).collect();
                format!(
                    "the order was {}{} before {}{}; it needs {}",
                    of(first),
                    when(first),
                    of(last),
                    when(last),
                    wanted.join(" before ")
                )
            }
            _ => "the order was another one".to_owned(),
        },
        Miss::Between(hits) => match hits.as_slice() {
            [_, disturbing, _] => format!("{} came in between{}", of(disturbing), when(disturbing)),
            _ => "something came in between".to_owned(),
        },
        Miss::OfDifferent { keys, hits } => different(world, keys, hits),
        Miss::Undated(_) => "the lines are there, but some have no time that can be compared".to_owned(),
        Miss::Took { micros, lt, gt, .. } => {
            let below = lt.map(|lt| format!("less than {}", duration(lt)));
            let above = gt.map(|gt| format!("more than {}", duration(gt)));
            let wanted = below.into_iter().chain(above).collect::<Vec<_>>().join(" and ");
            format!("it took {}; it needs {wanted}", duration(*micros))
        }
        Miss::There { after, hits } => {
            let side = if *after < 0 { "before" } else { "after" };
            let what = hits.last().map(of).unwrap_or_default();
            format!("{what} must be absent and was there, {} {side}", duration(after.abs()))
        }
        Miss::NotCovered { services, from, to, .. } => {
            let names: Vec<&str> = services.names().collect();
            let span = [from, to].into_iter().filter_map(|t| rfc3339(*t)).collect::<Vec<_>>().join(" to ");
            let names = if names.is_empty() {
                "that tells whom it is about".to_owned()
            } else {
                format!("of {}", names.join(" or "))
            };
            format!("nothing was seen, but that counts only with a log {names} that covers {span}")
        }
    }
}

/// Lines that were all seen, but of different things.
fn different(world: &World<'_>, keys: &[String], hits: &[HitRef]) -> String {
    let value = |at: &HitRef, key: &String| {
        world.hit(*at).and_then(|hit| world.graph.resolve(hit.entities(), key)).map(|v| sanitize::line(&v))
    };
    let parts: Vec<String> = hits
        .iter()
        .map(|at| {
            let of: Vec<String> =
                keys.iter().map(|k| value(at, k).unwrap_or_else(|| format!("no {k} that is known"))).collect();
            format!("{} of {}", name(world, Term::Signature(at.signature)), of.join(", "))
        })
        .collect();
    format!("seen, but never of the same {}: {}", keys.join(" and "), parts.join(", "))
}

/// A span in its two largest units: `1 h 3 min`.
fn duration(micros: i64) -> String {
    let seconds = micros / SECOND;
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let parts = units.iter().scan(seconds, |rest, (size, unit)| {
        let count = *rest / size;
        *rest %= size;
        Some((count, *unit))
    });
    let parts: Vec<String> =
        parts.skip_while(|(n, _)| *n == 0).take(2).filter(|(n, _)| *n > 0).map(|(n, u)| format!("{n} {u}")).collect();
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_their_largest_units() {
        for (seconds, told) in [(0, "0 s"), (59, "59 s"), (600, "10 min"), (3_780, "1 h 3 min"), (90_000, "1 d 1 h")] {
            assert_eq!(duration(seconds * SECOND), told);
        }
    }
}
