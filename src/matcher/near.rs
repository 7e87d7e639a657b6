//! What kept a signature from holding on an event that almost fits: for `why-not`, never on the way of a scan.

use aho_corasick::AhoCorasick;

use crate::catalog::{FieldOp, FieldTest, Signature, SignatureId};
use crate::event::{Event, Service};

use super::{Matcher, QUOTING, fields};

/// Bytes of a literal that must stand in a line for it to be near.
const LEAST: usize = 10;
/// Tests that may fail on a line that is near.
const FAILED: usize = 2;

/// A test of a signature that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failed {
    /// A literal stands there in other capitals or in part: the literal, and what of it stands there.
    Partly(String, String),
    /// One of several literals that must all stand is missing.
    Missing(String),
    /// A literal stands there that must not.
    Forbidden(String),
    /// The regex does not fit: its source.
    Pattern(String),
    /// A field has other values: the test in words, and the values.
    Field(String, Vec<String>),
    /// The event is of another service: its name, and those that are asked for.
    Service(&'static str, Vec<&'static str>),
}

impl Failed {
    /// How far off the line is: a literal in part is further than a field that differs.
    fn distance(&self) -> usize {
        match self {
            Self::Field(..) | Self::Pattern(_) | Self::Forbidden(_) => 2,
            Self::Service(..) => 3,
            Self::Missing(_) => 4,
            Self::Partly(..) => 5,
        }
    }
}

/// Tells how near events come to some signatures.
pub struct Near<'m, 'c> {
    matcher: &'m Matcher<'c>,
    signatures: Vec<SignatureId>,
    /// Both ends of all literals, in any capitals; `None` when there are none.
    pieces: Option<AhoCorasick>,
    /// Whether one of the signatures is tested on fields alone.
    fields_alone: bool,
}

impl<'m, 'c> Near<'m, 'c> {
    /// Prepares some signatures of a matcher's catalogue.
    pub fn new(matcher: &'m Matcher<'c>, signatures: Vec<SignatureId>) -> Self {
        let known = || signatures.iter().filter_map(|id| matcher.catalogue.signatures.get(*id));
        let literals: Vec<&str> = known().flat_map(|s| s.any.iter().chain(&s.all)).map(String::as_str).collect();
        let pieces: Vec<&str> = literals.iter().flat_map(|l| [head(l), tail(l)]).collect();
        let automaton = AhoCorasick::builder().ascii_case_insensitive(true).build(&pieces).ok();
        let fields_alone = known().any(|s| !s.has_literals());
        Self { matcher, pieces: automaton.filter(|_| !pieces.is_empty()), fields_alone, signatures }
    }

    /// The signatures that the event almost fits, with the tests that failed.
    pub fn look(&self, event: &Event<'_>) -> Vec<(SignatureId, Vec<Failed>)> {
        let text = event.text();
        let holds = |pieces: &AhoCorasick| pieces.is_match(text.as_bytes());
        if !self.fields_alone && !self.pieces.as_ref().is_some_and(holds) {
            return Vec::new();
        }
        let near = |id: &SignatureId| {
            let signature = self.matcher.catalogue.signatures.get(*id)?;
            let failed = failed(signature, event, &text)?;
            (!failed.is_empty() && failed.len() <= FAILED).then_some((*id, failed))
        };
        self.signatures.iter().filter_map(near).collect()
    }
}

/// How far off a line is, by the tests that failed on it.
pub fn distance(failed: &[Failed]) -> usize {
    failed.iter().map(Failed::distance).sum()
}

/// The tests that failed; `None` when the event has nothing to do with the signature.
fn failed(signature: &Signature, event: &Event<'_>, text: &str) -> Option<Vec<Failed>> {
    if !signature.formats.is_empty() && !signature.formats.iter().any(|f| event.formats.contains(&f.as_str())) {
        return None;
    }
    let mut failed = Vec::new();
    if signature.has_literals() {
        failed.extend(literals(signature, text)?);
    }
    let fields: Vec<&FieldTest> = signature.fields.iter().filter(|f| !fields::holds(f, event)).collect();
    // Tested on fields alone, another test must hold, or the field must be there with another value.
    if !signature.has_literals() && fields.len() == signature.fields.len() && signature.fields.len() > 1 {
        return None;
    }
    for test in fields {
        let values = fields::values(event, &test.key);
        if values.is_empty() && !signature.has_literals() {
            return None;
        }
        failed.push(Failed::Field(words(test), values.into_iter().map(|v| v.into_owned()).collect()));
    }
    if let Some(regex) = signature.regex.as_ref().filter(|r| r.get().is_some_and(|r| !r.is_match(text))) {
        failed.push(Failed::Pattern(regex.source.clone()));
    }
    let elsewhere = |s: &Service| {
        !signature.services.is_empty()
            && *s != Service::State
            && !signature.services.contains(*s)
            && !QUOTING.contains(&event.format())
    };
    if let Some(service) = event.service.filter(elsewhere) {
        failed.push(Failed::Service(service.name(), signature.services.names().collect()));
    }
    Some(failed)
}

/// The tests on literals that failed; `None` when hardly anything of them stands there.
fn literals(signature: &Signature, text: &str) -> Option<Vec<Failed>> {
    let mut failed: Vec<Failed> =
        signature.none.iter().filter(|l| text.contains(l.as_str())).map(|l| Failed::Forbidden(l.clone())).collect();
    let whole = |l: &&String| text.contains(l.as_str());
    let some = signature.any.iter().any(|l| whole(&l));
    if !signature.any.is_empty() && !some {
        let parts = signature.any.iter().filter_map(|l| Some((l, part(l, text)?)));
        let (literal, part) = parts.max_by_key(|(_, part)| part.len())?;
        failed.push(Failed::Partly(literal.clone(), part.to_owned()));
    }
    let missing: Vec<&String> = signature.all.iter().filter(|l| !whole(l)).collect();
    if missing.len() == signature.all.len() && !some && !missing.is_empty() {
        return None;
    }
    failed.extend(missing.into_iter().map(|l| match part(l, text) {
        Some(part) => Failed::Partly(l.clone(), part.to_owned()),
        None => Failed::Missing(l.clone()),
    }));
    Some(failed)
}

/// What of a literal stands in a text: all of it in other capitals, or most of it from its beginning or to its end.
fn part<'t>(literal: &str, text: &'t str) -> Option<&'t str> {
    let (lower, wanted) = (text.to_ascii_lowercase(), literal.to_ascii_lowercase());
    let shown = |at: usize, length: usize| text.get(at..at + length);
    if let Some(at) = lower.find(&wanted) {
        return shown(at, wanted.len());
    }
    let (head, tail) = (head(&wanted), tail(&wanted));
    if let Some(at) = lower.find(head) {
        let same = lower.bytes().skip(at).zip(wanted.bytes()).take_while(|(a, b)| a == b).count();
        return shown(at, same);
    }
    let end = lower.find(tail)? + tail.len();
    let same = lower.bytes().take(end).rev().zip(wanted.bytes().rev()).take_while(|(a, b)| a == b).count();
    shown(end - same, same)
}

/// The beginning of a literal without which nothing of it counts.
fn head(literal: &str) -> &str {
    literal.get(..literal.ceil_char_boundary(enough(literal))).unwrap_or(literal)
}

/// The end of a literal without which nothing of it counts.
fn tail(literal: &str) -> &str {
    literal.get(literal.floor_char_boundary(literal.len() - enough(literal))..).unwrap_or(literal)
}

/// Bytes of a literal that are enough: two thirds.
fn enough(literal: &str) -> usize {
    (literal.len() * 2 / 3).max(LEAST).min(literal.len())
}

/// A test on a field, in words.
fn words(test: &FieldTest) -> String {
    let key = &test.key;
    let wanted = test.values.join("` or `");
    match test.op {
        FieldOp::Eq => format!("{key} is not `{wanted}`"),
        FieldOp::Neq => format!("{key} must not be `{wanted}`"),
        FieldOp::Contains => format!("{key} does not contain `{wanted}`"),
        FieldOp::StartsWith => format!("{key} does not begin with `{wanted}`"),
        FieldOp::EndsWith => format!("{key} does not end with `{wanted}`"),
        FieldOp::Re => format!("{key} does not match `{wanted}`"),
        FieldOp::Gt => format!("{key} is not above {wanted}"),
        FieldOp::Gte => format!("{key} is not {wanted} or more"),
        FieldOp::Lt => format!("{key} is not below {wanted}"),
        FieldOp::Lte => format!("{key} is not {wanted} or less"),
        FieldOp::Exists if wanted == "true" => format!("{key} is not there"),
        FieldOp::Exists => format!("{key} must not be there"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_found_in_part_and_in_other_capitals() {
        let literal = "unable to find configuration file";
        assert_eq!(part(literal, "x: Unable to find Configuration file y"), Some("Unable to find Configuration file"));
        assert_eq!(part(literal, "unable to find configuration of VM"), Some("unable to find configuration "));
        assert_eq!(part(literal, "no way to find configuration file"), Some(" to find configuration file"));
        assert_eq!(part(literal, "unable to find the moon"), None);
        assert_eq!(part("gänsefüßchen stehen", "hier: gänsefüßchen stehn"), Some("gänsefüßchen steh"));
    }
}
