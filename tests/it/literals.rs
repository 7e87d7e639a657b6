//! Every text that the software is known to print when something fails: which rule knows it, or why none does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use omnilog::catalog::Term;
use omnilog::event::Service;
use omnilog::limits::Limits;
use omnilog::scan::{SourceContext, walk};
use serde::Deserialize;

use crate::docs::{plain, settle};
use crate::lab;
use crate::support::{none, read};

/// One text of `tests/data/literals.toml`; the keys are described there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Literal {
    id: String,
    text: String,
    #[serde(default)]
    line: String,
    #[serde(default)]
    service: String,
    source: String,
    #[serde(default)]
    unused: String,
}

/// What stands for a gap when no whole line is given.
const GAP: &str = "…";

impl Literal {
    /// A record that holds the text.
    fn record(&self) -> String {
        if self.line.is_empty() { self.text.replace(GAP, "x1") } else { self.line.clone() }
    }

    /// Whether the parts of the text stand in the record in their order.
    fn stands_in_its_record(&self) -> bool {
        let record = self.record();
        let mut rest = record.as_str();
        self.text.split(GAP).map(str::trim).all(|part| match rest.find(part) {
            Some(at) => {
                rest = &rest[at + part.len()..];
                true
            }
            None => false,
        })
    }
}

/// All texts by area, in the order of the file.
fn literals() -> Vec<(String, Vec<Literal>)> {
    let areas: BTreeMap<String, Vec<Literal>> =
        toml::from_str(&read("tests/data/literals.toml")).expect("tests/data/literals.toml");
    areas.into_iter().collect()
}

/// Names of the signatures that hold on a record.
fn signatures(literal: &Literal) -> Vec<usize> {
    let context = SourceContext {
        label: "record.log".into(),
        service: Service::from_name(&literal.service),
        ..SourceContext::default()
    };
    let mut found = BTreeSet::new();
    walk::events(&context, &Limits::default(), &mut literal.record().as_bytes(), &mut |_, event| {
        let text = event.text();
        let all = 0..lab::catalogue().signatures.len();
        found.extend(all.filter(|id| lab::scanner().matcher.test_one(*id, event, &text).is_some()));
    })
    .expect("memory");
    found.into_iter().collect()
}

/// What the catalogue makes of a text.
enum Known {
    /// Evidence of these root causes: for, against.
    Evidence(BTreeSet<&'static str>, BTreeSet<&'static str>),
    /// A benign entry, with its reason.
    Benign(String),
    /// Nothing, for this reason.
    Unused(String),
    /// Nothing, without a reason.
    Not,
}

/// Root causes whose evidence looks at any of these signatures: for, against.
fn users(signatures: &[usize]) -> (BTreeSet<&'static str>, BTreeSet<&'static str>) {
    let looks_at = |term: &Term| match term {
        Term::Signature(id) => signatures.contains(id),
        Term::Correlation(id) => lab::catalogue().correlations[*id].rules.iter().any(|r| signatures.contains(r)),
    };
    let (mut supports, mut contradicts) = (BTreeSet::new(), BTreeSet::new());
    for cause in &lab::catalogue().causes {
        for item in &cause.evidence {
            item.when.names(&mut |term, positive| {
                if looks_at(term) {
                    let side = if item.supports() == positive { &mut supports } else { &mut contradicts };
                    side.insert(cause.id.as_str());
                }
            });
        }
    }
    (supports, contradicts)
}

fn known(literal: &Literal) -> Known {
    let found = signatures(literal);
    let (supports, contradicts) = users(&found);
    let benign = found.iter().map(|id| &lab::catalogue().signatures[*id]).find(|s| s.benign);
    if !supports.is_empty() || !contradicts.is_empty() {
        Known::Evidence(supports, contradicts)
    } else if let Some(signature) = benign {
        Known::Benign(signature.name.clone())
    } else if literal.unused.is_empty() {
        Known::Not
    } else {
        Known::Unused(literal.unused.clone())
    }
}

#[test]
fn every_known_text_is_evidence_or_benign_or_left_out_for_a_reason() {
    let mut complaints = Vec::new();
    let mut ids = BTreeSet::new();
    for (area, texts) in &literals() {
        for literal in texts {
            let name = format!("{area} {}", literal.id);
            if !literal.stands_in_its_record() {
                complaints.push(format!("{name}: `{}` does not stand in its `line`", literal.text));
            }
            match known(literal) {
                Known::Not => {
                    complaints.push(format!("{name}: nothing knows `{}`, and no `unused` says why", literal.record()))
                }
                Known::Evidence(..) | Known::Benign(_) if !literal.unused.is_empty() => {
                    complaints.push(format!("{name}: something knows it; take out `unused`"));
                }
                _ => {}
            }
            if !ids.insert(name.clone()) {
                complaints.push(format!("{name}: stands there twice"));
            }
        }
    }
    none(&complaints);
}

/// The page of all texts.
fn page() -> String {
    let mut out = String::from(
        "<!-- Generated from tests/data/literals.toml and patterns/. -->\n\n# Known texts\n\nWhat Omni, its Proxmox provider, \
         Proxmox VE and Talos are known to print when something fails, and what omnilog makes of it: the root causes for \
         which it is evidence (*against* where it speaks against one), *benign* where it looks bad and is not, or why it \
         is not used.\n\n",
    );
    let areas = literals();
    let _ = writeln!(out, "| area | texts | evidence | benign | not used |\n| --- | ---: | ---: | ---: | ---: |");
    for (area, texts) in &areas {
        let all: Vec<Known> = texts.iter().map(known).collect();
        let count = |of: fn(&Known) -> bool| all.iter().filter(|k| of(k)).count();
        let evidence = count(|k| matches!(k, Known::Evidence(..)));
        let benign = count(|k| matches!(k, Known::Benign(_)));
        let _ = writeln!(out, "| {area} | {} | {evidence} | {benign} | {} |", all.len(), all.len() - evidence - benign);
    }
    for (area, texts) in &areas {
        let _ = writeln!(out, "\n## {area}\n\n| id | text | what it tells | read in |\n| --- | --- | --- | --- |");
        for literal in texts {
            let text = code(&literal.text);
            let _ =
                writeln!(out, "| {} | {text} | {} | {} |", literal.id, tells(&known(literal)), plain(&literal.source));
        }
    }
    out
}

/// What a text tells, in a table cell.
fn tells(known: &Known) -> String {
    let links =
        |ids: &BTreeSet<&str>| ids.iter().map(|id| format!("[{id}](causes/{id}.md)")).collect::<Vec<_>>().join(", ");
    match known {
        Known::Evidence(supports, contradicts) => {
            let against: BTreeSet<&str> = contradicts.difference(supports).copied().collect();
            let against = if against.is_empty() { String::new() } else { format!("against: {}", links(&against)) };
            [links(supports), against].into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join("; ")
        }
        Known::Benign(name) => {
            format!("benign: {}", plain(name.split_once('#').map_or(name.as_str(), |(_, name)| name)))
        }
        Known::Unused(why) => format!("not used: {}", plain(why)),
        Known::Not => "nothing".into(),
    }
}

/// Text as code in a table cell. Brackets that look like a link would be taken for one.
fn code(text: &str) -> String {
    if text.contains("](") {
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('|', "&#124;").replace("](", "]&#40;");
        return format!("<code>{text}</code>");
    }
    let text = text.replace('|', "\\|");
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

#[test]
fn the_docs_of_known_texts_are_up_to_date() {
    none(&settle("docs/signatures.md", &page()).into_iter().collect::<Vec<_>>());
}
