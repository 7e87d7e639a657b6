//! Finds the sources in what the user names: files, folders, archives in archives, standard input.
//!
//! Decides by content and never by name, decodes layer by layer, writes nothing to disk and does not look at
//! what the text says. Invariant: everything that was named ends either in a call of [`Visitor::source`] or in
//! a call of [`Visitor::problem`]; nothing is dropped in silence and no input ends the run.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::decode::age::{self, Identities};
use crate::limits::Limits;

pub mod bundle;
mod classify;
mod job;
mod label;
mod mail;
mod meter;
mod nest;
mod problem;
mod tally;
mod tar;
mod workers;
mod zip;
mod zip_descriptor;
mod zip_directory;
mod zip_stream;

pub use bundle::Hints;
pub use job::{STDIN, neighbour};
pub use label::reason;
pub use problem::{Problem, ProblemKind};

/// Something with text in it: a file, standard input, or a member of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The path as given, with `!/` between an archive and its member. Names within archives are cleaned:
    /// no leading `/`, no `..`, no control characters. Not unique: archives may repeat a name.
    pub label: String,
    /// The place of this source in the input: sorts sources the same way at any number of threads and in
    /// any order of arguments, and is unique.
    pub order: Vec<u32>,
    /// What the path tells.
    pub hints: Hints,
    /// When the file or archive entry was last changed, in seconds since 1970 (UTC).
    pub modified: Option<i64>,
    /// The size in bytes where it is known beforehand; a claim of the archive, not a promise.
    pub bytes: Option<u64>,
    /// The containers and encodings around the text, outermost first: `["gzip", "tar", "utf-16le"]`.
    pub layers: Vec<&'static str>,
}

/// The text of a source.
pub enum Content<'a> {
    /// A plain regular file that needs no decoding. Read it with positioned reads (in parallel if it is
    /// large); its own position means nothing.
    File(&'a File),
    /// Everything else, as UTF-8 or an unknown superset of ASCII, NUL bytes and bad bytes included. It
    /// never returns an error: damage becomes a [`Problem`] and the end of the stream.
    Stream(&'a mut (dyn Read + Send)),
}

/// Takes what is found. Called from several threads at once and in any order.
pub trait Visitor: Sync {
    /// A source. Called once for each; the stream need not be read to its end.
    fn source(&self, source: &Source, content: Content<'_>);
    /// Something that could not be read, or not wholly. May come before, during or after the source.
    fn problem(&self, problem: Problem);
}

/// How to read.
#[derive(Debug, Default)]
pub struct Options {
    /// The caps on what is read.
    pub limits: Limits,
    /// Keys for encrypted input.
    pub identities: Identities,
    /// Sources that are open at once at the most; `None` for as many as there are threads.
    pub threads: Option<usize>,
    /// Bytes taken so far from files that hold containers or encoded text, as they are stored: for progress.
    pub taken: Arc<AtomicU64>,
}

impl Options {
    /// Adds the keys of an identity file: age, or an SSH private key.
    ///
    /// # Errors
    /// When the file cannot be read or holds no usable key.
    pub fn add_identity_file(&mut self, path: &Path) -> Result<(), age::Error> {
        let name = path.display().to_string();
        let mut bytes = Vec::new();
        let explain = |error: io::Error| age::Error::Key(format!("{name}: {}", label::reason(&error)));
        let file = File::open(path).map_err(explain)?;
        file.take(IDENTITY_FILE).read_to_end(&mut bytes).map_err(explain)?;
        self.identities.add(&bytes, &name)
    }
}

/// Bytes of an identity file that are read; real ones have a few KiB.
const IDENTITY_FILE: u64 = 1 << 20;

/// What a visit came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visited {
    /// Sources handed to the visitor.
    pub sources: u64,
    /// Sources that were there but held nothing.
    pub empty: u64,
    /// Problems handed to the visitor.
    pub problems: u64,
}

impl Visited {
    /// Whether anything at all could be read; an empty file counts.
    #[must_use]
    pub fn any(&self) -> bool {
        self.sources + self.empty > 0
    }
}

/// Whether a file that begins so can be read while it grows: text in UTF-8 (or nothing yet), no container.
#[must_use]
pub fn is_text(head: &[u8]) -> bool {
    use classify::Class;
    matches!(classify::classify(head), Class::Empty | Class::Text(crate::decode::text::Encoding::Utf8))
}

/// The bytes of these files and folders as they are stored; `None` when that cannot be told beforehand: standard input, a pipe,
/// or so many files that it takes long. What was read of them is [`Options::taken`] and what was read of plain text.
#[must_use]
pub fn size(paths: &[PathBuf]) -> Option<u64> {
    const MANY: usize = 10_000;
    let mut open: Vec<PathBuf> = paths.to_vec();
    let (mut total, mut seen) = (0, 0);
    while let Some(path) = open.pop() {
        seen += 1;
        let metadata = std::fs::metadata(&path).ok().filter(|_| seen <= MANY)?;
        if metadata.is_dir() {
            let entries = std::fs::read_dir(&path).ok()?.flatten();
            open.extend(entries.filter(|e| e.file_type().is_ok_and(|t| !t.is_symlink())).map(|e| e.path()));
            continue;
        }
        if !metadata.is_file() {
            return None;
        }
        total += metadata.len();
    }
    (total > 0).then_some(total)
}

/// The hints of a path and the label it has.
#[must_use]
pub fn named(path: &Path, modified: Option<i64>) -> Source {
    let label = label::plain(&path.to_string_lossy());
    let hints = Hints::of(&label);
    Source { label, order: Vec::new(), hints, modified, bytes: None, layers: Vec::new() }
}

/// Visits every source in `paths`: files, folders (all below them), and `-` or an empty list for standard
/// input. Files are read in parallel, and so are the members of a zip; sort by [`Source::order`].
pub fn visit(paths: &[PathBuf], options: &Options, visitor: &dyn Visitor) -> Visited {
    let walk = Walk::new(options, visitor);
    let jobs = job::collect(paths, &walk);
    walk.workers.each(&jobs, |index, job| job::run(&walk, job, u32::try_from(index).unwrap_or(u32::MAX)));
    walk.counts.visited()
}

/// Calls `work` for each of `items`, on as many threads as there are.
pub fn each<T: Sync>(items: &[T], work: impl Fn(usize, &T) + Sync) {
    workers::Workers::new(None).each(items, work);
}

/// What all parts of one visit share.
struct Walk<'a> {
    limits: &'a Limits,
    identities: &'a Identities,
    visitor: &'a dyn Visitor,
    taken: &'a AtomicU64,
    budget: meter::Budget,
    workers: workers::Workers,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    sources: AtomicU64,
    empty: AtomicU64,
    problems: AtomicU64,
}

impl Counts {
    fn visited(&self) -> Visited {
        Visited {
            sources: self.sources.load(Ordering::Relaxed),
            empty: self.empty.load(Ordering::Relaxed),
            problems: self.problems.load(Ordering::Relaxed),
        }
    }
}

impl<'a> Walk<'a> {
    fn new(options: &'a Options, visitor: &'a dyn Visitor) -> Self {
        Self {
            limits: &options.limits,
            identities: &options.identities,
            visitor,
            taken: &options.taken,
            budget: meter::Budget::new(options.limits.total),
            workers: workers::Workers::new(options.threads),
            counts: Counts::default(),
        }
    }

    fn source(&self, source: &Source, content: Content<'_>) {
        self.counts.sources.fetch_add(1, Ordering::Relaxed);
        self.visitor.source(source, content);
    }

    /// A problem that costs data.
    fn lost(&self, source: &str, kind: ProblemKind, message: impl Into<String>) {
        self.problem(source, kind, message.into(), true);
    }

    /// A problem that costs nothing a log analysis could use.
    fn note(&self, source: &str, kind: ProblemKind, message: impl Into<String>) {
        self.problem(source, kind, message.into(), false);
    }

    /// Sources that hold nothing.
    fn empty(&self, source: &str, message: &str, count: u64) {
        self.counts.empty.fetch_add(count, Ordering::Relaxed);
        self.note(source, ProblemKind::Empty, message);
    }

    fn problem(&self, source: &str, kind: ProblemKind, message: String, lost: bool) {
        self.counts.problems.fetch_add(1, Ordering::Relaxed);
        self.visitor.problem(Problem { source: source.to_owned(), kind, message, lost });
    }
}

#[cfg(test)]
mod quine_tests;

#[cfg(test)]
mod testing;

#[cfg(test)]
mod tests;
