//! Wires the stages: sources → hits → findings → candidates → report. The only module that knows them all; it prints
//! nothing and reads no clock.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::catalog::Catalogue;
use crate::correlate::{World, zone};
use crate::event::time::SECOND;
use crate::event::{Event, Service};
use crate::input::{self, Content, Hints, Options, Problem, Source, Visitor};
use crate::parse;
use crate::rank::{self, Candidate};
use crate::report::model::{ProblemEntry, Report};
use crate::report::{build, context};
use crate::scan::share::Room;
use crate::scan::{Scanner, SourceContext, SourceOutcome};

/// No archive holds a log that was last written before 2005, seconds since the epoch.
const OLDEST_LOG: i64 = 1_104_537_600;

/// What a run read, before it is ranked.
#[derive(Debug, Default)]
pub struct Analysis {
    /// All sources, sorted by label.
    pub sources: Vec<SourceOutcome>,
    /// What went wrong while reading.
    pub problems: Vec<ProblemEntry>,
    /// Kinds and names of things in hits that were given up because there were so many.
    pub names: BTreeSet<(String, String)>,
}

impl Analysis {
    /// The ranked root causes.
    pub fn candidates(&self, catalogue: &Catalogue) -> Vec<Candidate> {
        rank::rank(&World::new(catalogue, &self.sources))
    }

    /// The whole report.
    pub fn report(&self, catalogue: &Catalogue) -> Report {
        let world = World::new(catalogue, &self.sources);
        let candidates = rank::rank(&world);
        let mut report = build::build(&world, &candidates, self.problems.clone());
        report.names.extend(self.names.iter().cloned());
        report.names.sort_unstable();
        report.names.dedup();
        report
    }

    /// Takes out the unexplained errors that another run has as well.
    pub fn forget(&mut self, known: &Self) {
        let templates = known.sources.iter().flat_map(|s| s.found.clusters.templates()).collect();
        for source in &mut self.sources {
            source.found.clusters.forget(&templates);
        }
    }

    /// Finds the zones of stamps that have none, and drops what lies outside of the time that is asked for.
    pub fn set_times(&mut self, catalogue: &Catalogue) {
        zone::infer(catalogue, &mut self.sources);
        self.sources.iter_mut().for_each(SourceOutcome::clip);
    }

    /// Puts sources and problems in their order, and the times of sources right.
    #[must_use]
    pub fn sorted(mut self, catalogue: &Catalogue) -> Self {
        self.sources.sort_by(|a, b| a.context.label.cmp(&b.context.label));
        self.set_times(catalogue);
        self.problems.sort_by(|a, b| (&a.source, &a.message).cmp(&(&b.source, &b.message)));
        self
    }
}

/// Reads texts that are already in memory, by name: as files of these names, of which a path tells what it is.
pub fn read_texts<'t>(scanner: &Scanner<'_>, texts: impl IntoIterator<Item = (&'t str, &'t str)>) -> Analysis {
    let mut analysis = Analysis::default();
    for (name, text) in texts {
        let context = told(name, &Hints::of(name), None);
        analysis.sources.push(scanner.text(context, text.as_bytes()));
    }
    analysis.sorted(scanner.catalogue)
}

/// Looks at the first bytes of a source besides the scan.
pub type Look<'l> = &'l (dyn Fn(&SourceContext, &[u8]) + Sync);

/// Reads files, directories, archives and standard input (`-`, or no path).
pub fn read_paths(scanner: &Scanner<'_>, paths: &[PathBuf], options: &Options) -> Analysis {
    read(&Reader { scanner, found: Mutex::default(), look: None }, paths, options)
}

/// As [`read_paths`], and hands the first `bytes` of each source to `look`.
pub fn read_and_look(
    scanner: &Scanner<'_>,
    paths: &[PathBuf],
    options: &Options,
    bytes: usize,
    look: Look<'_>,
) -> Analysis {
    read(&Reader { scanner, found: Mutex::default(), look: Some((bytes, look)) }, paths, options)
}

fn read(reader: &Reader<'_, '_>, paths: &[PathBuf], options: &Options) -> Analysis {
    let scanner = reader.scanner;
    input::visit(paths, options, reader);
    let found = std::mem::take(&mut *reader.found.lock().unwrap_or_else(PoisonError::into_inner));
    let Found { mut sources, problems, mut room } = found;
    room.share(sources.iter_mut().map(|(_, s)| s));
    sources.sort_by(|a, b| a.0.cmp(&b.0));
    let sources = sources.into_iter().map(|(_, s)| s).collect();
    let mut analysis = Analysis { sources, problems, names: room.names };
    for source in &analysis.sources {
        analysis.problems.extend(problems_of(scanner, source));
    }
    analysis.sorted(scanner.catalogue)
}

/// Bytes that are decoded once more to show the lines around evidence: what takes about half a second.
const AGAIN: u64 = 128 << 20;

/// Attaches to every line of evidence the `around` lines before and after it: from plain files, and from archives and
/// compressed files as far as a limit on what is decoded twice reaches; from pipes what the scanner was asked to keep.
pub fn attach_context(report: &mut Report, analysis: &Analysis, around: u64, options: &Options) {
    context::attach(report, &analysis.sources, around);
    if around == 0 {
        return;
    }
    context::attach_kept(report, &analysis.sources);
    let (missing, files) = context::missing(report);
    if files.is_empty() {
        return;
    }
    let again = Again { around, left: Mutex::new((missing, AGAIN)) };
    // On one thread: the order of members decides who gets what is left of the budget.
    if let Ok(one) = rayon::ThreadPoolBuilder::new().num_threads(1).build() {
        one.install(|| input::visit(&files, options, &again));
    }
}

/// Reads sources once more, for the lines around evidence.
struct Again<'r> {
    around: u64,
    left: Mutex<(context::Missing<'r>, u64)>,
}

impl Visitor for Again<'_> {
    fn source(&self, source: &Source, content: Content<'_>) {
        let Content::Stream(stream) = content else { return };
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let (missing, budget) = &mut *left;
        let Some(mut lines) = missing.remove(&source.label) else { return };
        context::fill_from(stream, &mut lines, self.around, budget);
    }

    fn problem(&self, _: Problem) {}
}

/// What went wrong while a source was scanned.
pub fn problems_of(scanner: &Scanner<'_>, source: &SourceOutcome) -> Vec<ProblemEntry> {
    let problem =
        |kind: &str, message| ProblemEntry { source: source.context.label.clone(), kind: kind.to_owned(), message };
    let failed = source.failure.iter().map(|reason| problem("read", reason.clone()));
    let cut = cut(scanner, source).into_iter().map(|message| problem("limit", message));
    let unended = (source.found.unended > 0).then(|| problem("truncated", UNENDED.to_owned()));
    failed.chain(cut).chain(unended).collect()
}

/// What is said of JSON whose brackets are not closed.
const UNENDED: &str = "its JSON ends in the middle; fetch it again for the rest";

/// What of a source was cut at a limit, in words.
fn cut(scanner: &Scanner<'_>, source: &SourceOutcome) -> Vec<String> {
    let (line, document) = (scanner.limits.line, scanner.limits.document);
    let found = &source.found;
    let mut messages = Vec::new();
    if found.truncated > 0 {
        let count = found.truncated;
        messages.push(format!("{count} lines have more than {line} bytes; the rest of them was not looked at"));
    }
    if found.oversized > 0 {
        let count = found.oversized;
        messages.push(format!("{count} documents have more than {document} bytes and were read in part; split them"));
    }
    messages
}

/// Scans each source that the input side finds.
struct Reader<'r, 'c> {
    scanner: &'r Scanner<'c>,
    found: Mutex<Found>,
    look: Option<(usize, Look<'r>)>,
}

/// Passes bytes on and keeps the first of them.
struct Tee<'t> {
    from: &'t mut (dyn Read + Send),
    kept: Vec<u8>,
    room: usize,
}

impl Read for Tee<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        let keep = count.min(self.room.saturating_sub(self.kept.len()));
        self.kept.extend_from_slice(buffer.get(..keep).unwrap_or_default());
        Ok(count)
    }
}

#[derive(Default)]
struct Found {
    sources: Vec<(Vec<u32>, SourceOutcome)>,
    problems: Vec<ProblemEntry>,
    room: Room,
}

impl Found {
    fn add(&mut self, order: Vec<u32>, outcome: SourceOutcome) {
        let full = self.room.add(&outcome);
        self.sources.push((order, outcome));
        if full {
            self.room.share(self.sources.iter_mut().map(|(_, s)| s));
        }
    }
}

impl Reader<'_, '_> {
    fn tee(
        &self,
        context: SourceContext,
        from: &mut (dyn Read + Send),
        (room, look): (usize, Look<'_>),
    ) -> SourceOutcome {
        let mut tee = Tee { from, kept: Vec::new(), room };
        let outcome = self.scanner.stream(context, &mut tee);
        look(&outcome.context, &tee.kept);
        outcome
    }
}

impl Visitor for Reader<'_, '_> {
    fn source(&self, source: &Source, content: Content<'_>) {
        let mut context = context(source);
        context.unpacked = matches!(content, Content::Stream(_));
        if passes(&context.label) {
            context.around = self.scanner.around;
        }
        let outcome = match (content, self.look) {
            // Standard input that is a file: nobody knows its name afterwards.
            (Content::File(mut file), None) if context.around > 0 => self.scanner.stream(context, &mut file),
            (Content::File(file), None) => self.scanner.file(context, file),
            (Content::Stream(stream), None) => self.scanner.stream(context, stream),
            (Content::File(mut file), Some(look)) => self.tee(context, &mut file, look),
            (Content::Stream(stream), Some(look)) => self.tee(context, stream, look),
        };
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.add(source.order.clone(), outcome);
    }

    fn problem(&self, problem: Problem) {
        let entry = entry(problem);
        self.found.lock().unwrap_or_else(PoisonError::into_inner).problems.push(entry);
    }
}

/// Whether a source cannot be read again by its label: standard input, a pipe, and what is in them.
fn passes(label: &str) -> bool {
    !Path::new(label.split("!/").next().unwrap_or(label)).is_file()
}

/// A problem as reports show it.
pub fn entry(problem: Problem) -> ProblemEntry {
    ProblemEntry { source: problem.source, kind: problem.kind.word().into(), message: problem.message }
}

/// What the path of a source tells.
pub fn context(source: &Source) -> SourceContext {
    told(&source.label, &source.hints, source.modified)
}

fn told(label: &str, hints: &Hints, modified: Option<i64>) -> SourceContext {
    let mut entities = Vec::new();
    for (key, value) in [("pve.upid", &hints.upid), ("pve.node", &hints.pve_node), ("pve.vmid", &hints.vmid)] {
        entities.extend(value.clone().map(|v| (key.to_owned(), v)));
    }
    // Folders of nodes are called after the address that `talosctl` was given.
    let is_address = |name: &&String| name.parse::<std::net::IpAddr>().is_ok();
    entities.extend(hints.node.as_ref().filter(is_address).map(|name| ("talos.node".to_owned(), name.clone())));
    let upid = hints.upid.as_deref().and_then(parse::upid::decode);
    if let Some(upid) = &upid {
        let mut event = Event::default();
        upid.entities(&mut event);
        for (key, value) in event.entities {
            if !entities.iter().any(|(k, _)| *k == key) {
                entities.push((key.into_owned(), value.into_owned()));
            }
        }
    }
    SourceContext {
        label: label.to_owned(),
        service: hints.service.as_deref().and_then(Service::from_name),
        node: hints.node.clone(),
        entities,
        document: hints.document.clone(),
        // Archives made to be reproducible carry 1970 or 1980: that tells nothing.
        modified: modified.filter(|s| *s >= OLDEST_LOG).map(|s| s.saturating_mul(SECOND)),
        start: upid.map(|u| u.start.saturating_mul(SECOND)),
        around: 0,
        unpacked: false,
    }
}
