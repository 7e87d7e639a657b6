//! Wires the stages: sources → hits → findings → candidates → report. The only module that knows them all; it prints
//! nothing and reads no clock.

use std::path::PathBuf;

use crate::catalog::Catalogue;
use crate::correlate::World;
use crate::rank::{self, Candidate};
use crate::report::build;
use crate::report::model::{ProblemEntry, Report};
use crate::scan::{Scanner, SourceContext, SourceOutcome};

/// What a run read, before it is ranked.
#[derive(Debug, Default)]
pub struct Analysis {
    /// All sources, sorted by label.
    pub sources: Vec<SourceOutcome>,
    /// What went wrong while reading.
    pub problems: Vec<ProblemEntry>,
}

impl Analysis {
    /// The ranked root causes.
    pub fn candidates(&self, catalogue: &Catalogue) -> Vec<Candidate> {
        rank::rank(&World::new(catalogue, &self.sources))
    }

    /// The whole report.
    pub fn report(self, catalogue: &Catalogue) -> Report {
        let world = World::new(catalogue, &self.sources);
        let candidates = rank::rank(&world);
        build::build(&world, &candidates, self.problems)
    }

    fn sorted(mut self) -> Self {
        self.sources.sort_by(|a, b| a.context.label.cmp(&b.context.label));
        self.sources.dedup_by(|a, b| a.context.label == b.context.label);
        self.problems.sort_by(|a, b| (&a.source, &a.message).cmp(&(&b.source, &b.message)));
        self
    }
}

/// Reads texts that are already in memory, by name.
pub fn read_texts<'t>(scanner: &Scanner<'_>, texts: impl IntoIterator<Item = (&'t str, &'t str)>) -> Analysis {
    let mut analysis = Analysis::default();
    for (name, text) in texts {
        let context = SourceContext { label: name.to_owned(), ..SourceContext::default() };
        analysis.sources.push(scanner.text(context, text.as_bytes()));
    }
    analysis.sorted()
}

/// Reads files, directories and standard input (`-`, or no path).
pub fn read_paths(scanner: &Scanner<'_>, paths: &[PathBuf]) -> Analysis {
    let mut analysis = Analysis::default();
    let mut open: Vec<PathBuf> = paths.to_vec();
    if open.is_empty() {
        open.push("-".into());
    }
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).into_iter().flatten().flatten().map(|e| e.path()));
            continue;
        }
        let label = path.display().to_string();
        let context = SourceContext { label: label.clone(), ..SourceContext::default() };
        if label == "-" {
            let mut stdin = std::io::stdin();
            analysis.sources.push(scanner.stream(context, &mut stdin));
            continue;
        }
        match std::fs::File::open(&path) {
            Ok(file) => analysis.sources.push(scanner.file(context, &file)),
            Err(error) => analysis.problems.push(ProblemEntry {
                source: label,
                kind: "open".into(),
                message: format!("cannot be opened: {error}"),
            }),
        }
    }
    analysis.sorted()
}
