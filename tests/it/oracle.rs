//! The first filter and the choice of signatures lose nothing: running every signature on every event finds the same.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::Mutex;

use omnilog::input::{self, Content, Options, Problem, Source, Visitor};
use omnilog::limits::Limits;
use omnilog::parse;
use omnilog::scan::{SourceContext, walk};

use crate::lab;
use crate::support::{none, root};

/// Lines on which each signature holds, by its name.
type Hits = BTreeMap<String, u64>;

fn name(signature: usize) -> String {
    lab::catalogue().signatures[signature].name.clone()
}

fn context(label: &str) -> SourceContext {
    SourceContext { label: label.to_owned(), ..SourceContext::default() }
}

/// What the scanner finds.
fn filtered(label: &str, text: &[u8]) -> Hits {
    let outcome = lab::scanner().text(context(label), text);
    outcome.found.tallies.iter().map(|(signature, tally)| (name(*signature), tally.count)).collect()
}

/// What every signature finds on every event.
fn naive(label: &str, text: &[u8]) -> Hits {
    let shown_input = String::from_utf8_lossy(text);
    let mut hits = Hits::new();
    let mut read = text;
    walk::events(&context(label), &Limits::default(), &mut read, &mut |_, event| {
        let is_log = parse::formats().iter().any(|f| f.name() == event.format()) || event.format() == "plain";
        let shown = event.text();
        for (id, signature) in lab::catalogue().signatures.iter().enumerate() {
            // The text of a document is put together from its attributes; only what stands in the input counts.
            let mut literals = signature.any.iter().chain(&signature.all);
            let stands = is_log || !signature.has_literals() || literals.any(|l| stands_in(&shown_input, l));
            if stands && lab::scanner().matcher.test_one(id, event, &shown).is_some() {
                *hits.entry(name(id)).or_default() += 1;
            }
        }
    })
    .expect("memory");
    hits
}

/// Whether a literal is there, as it is or with the quotes that JSON and YAML put a backslash before.
fn stands_in(input: &str, literal: &str) -> bool {
    input.contains(literal) || input.contains(&literal.replace('"', r#"\""#))
}

/// Hits on ordinary lines that are looked at for certain; of more in one window some are left out.
const USUAL: u64 = 16;

/// Where the two differ. Benign lines are looked at only where they could look like a fault, so fewer of them are fine.
fn differences(label: &str, text: &[u8]) -> Vec<String> {
    let (filtered, naive) = (filtered(label, text), naive(label, text));
    let names: BTreeSet<&String> = filtered.keys().chain(naive.keys()).collect();
    let count = |hits: &Hits, name: &String| hits.get(name).copied().unwrap_or(0);
    let differs = |name: &&String| {
        let (have, want) = (count(&filtered, name), count(&naive, name));
        let fewer_is_fine = name.starts_with("benign/") || (want > USUAL && have >= USUAL);
        have > want || (have < want && !fewer_is_fine)
    };
    let differing = names.into_iter().filter(differs);
    differing.map(|n| format!("{label}: {n}: {} filtered, {} naive", count(&filtered, n), count(&naive, n))).collect()
}

#[test]
fn filtered_hits_are_those_of_the_oracle_on_every_sample_of_the_catalogue() {
    let mut complaints = Vec::new();
    for case in lab::cases() {
        for (file, text) in case.texts() {
            let found = differences(file, text.as_bytes());
            complaints.extend(found.into_iter().map(|d| format!("{}: {d}", case.name())));
        }
    }
    none(&complaints);
}

/// Takes the texts of sources, as the input side decodes them: the first bytes of each, up to a line end.
#[derive(Default)]
struct Texts(Mutex<Vec<(String, Vec<u8>)>>);

/// Bytes of a source that are looked at.
const PART: u64 = 64 << 10;

impl Visitor for Texts {
    fn source(&self, source: &Source, content: Content<'_>) {
        let mut bytes = Vec::new();
        match content {
            Content::File(mut file) => drop(file.by_ref().take(PART).read_to_end(&mut bytes)),
            Content::Stream(stream) => drop(stream.take(PART).read_to_end(&mut bytes)),
        }
        if bytes.len() as u64 == PART {
            let end = bytes.iter().rposition(|b| *b == b'\n').map_or(bytes.len(), |at| at + 1);
            bytes.truncate(end);
        }
        self.0.lock().expect("no panic").push((source.label.clone(), bytes));
    }

    fn problem(&self, _problem: Problem) {}
}

#[test]
fn filtered_hits_are_those_of_the_oracle_on_the_sample_files() {
    let folder = root().join("samples");
    assert!(folder.is_dir(), "samples is missing");
    let texts = Texts::default();
    input::visit(&[folder], &Options::default(), &texts);
    let mut texts = texts.0.into_inner().expect("no panic");
    texts.sort();
    none(&texts.iter().flat_map(|(label, bytes)| differences(label, bytes)).collect::<Vec<_>>());
}
