//! Turns what the user named into jobs (one per file) and starts each of them.
//!
//! Looks at metadata and first bytes only. Symbolic links in folders are not followed; those given by name
//! are. Invariant: the list of jobs is sorted by label, so neither the order of arguments nor that of a
//! folder shows.

use std::collections::HashSet;
use std::fs::{self, File, FileType, Metadata};
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use super::classify::{Class, HEAD, classify};
use super::label::{self, plain, reason};
use super::nest::{BUFFER, Place};
use super::{Content, Hints, ProblemKind, Walk, zip};
use crate::decode::text::Encoding;
use crate::suggest;

/// The label of standard input.
pub const STDIN: &str = "<stdin>";

/// One file to read.
#[derive(Debug)]
pub(super) struct Job {
    label: String,
    /// None for standard input.
    path: Option<PathBuf>,
}

/// All jobs, sorted, each file once.
pub(super) fn collect(paths: &[PathBuf], walk: &Walk<'_>) -> Vec<Job> {
    let mut collector = Collector { walk, jobs: Vec::new(), full: false };
    if paths.is_empty() {
        collector.jobs.push(stdin());
    }
    for path in paths {
        collector.given(path);
    }
    let mut jobs = collector.jobs;
    jobs.sort_by(|a, b| a.label.cmp(&b.label).then_with(|| a.path.cmp(&b.path)));
    once_each(walk, &mut jobs);
    jobs
}

fn stdin() -> Job {
    Job { label: STDIN.to_owned(), path: None }
}

/// Keeps the first of several names for one file.
fn once_each(walk: &Walk<'_>, jobs: &mut Vec<Job>) {
    let mut seen = HashSet::new();
    let mut repeated: Vec<String> = Vec::new();
    jobs.retain(|job| {
        let identity = job.path.as_deref().map(|path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()));
        let is_new = seen.insert(identity);
        if !is_new {
            repeated.push(job.label.clone());
        }
        is_new
    });
    if let Some(example) = repeated.first() {
        let message = match repeated.len() {
            1 => "given more than once, read once".to_owned(),
            count => format!("{count} files were given more than once and are read once, this one for example"),
        };
        walk.note(example, ProblemKind::Duplicate, message);
    }
}

/// What is said of a folder that was given and has nothing in it.
const HOLLOW: &str = "holds no files; check the path, or whether what belongs there was ever fetched";

struct Collector<'c> {
    walk: &'c Walk<'c>,
    jobs: Vec<Job>,
    /// Whether the limit of files was reached (and told).
    full: bool,
}

impl Collector<'_> {
    fn given(&mut self, path: &Path) {
        if path == Path::new("-") {
            return self.jobs.push(stdin());
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                let before = (self.jobs.len(), self.walk.counts.visited().problems);
                self.folder(path);
                if before == (self.jobs.len(), self.walk.counts.visited().problems) {
                    self.walk.empty(&shown(path), HOLLOW, 1);
                }
            }
            Ok(metadata) if is_stream(metadata.file_type()) => self.file(path.to_owned()),
            Ok(_) => self.skip(path, "a device or socket, not a log; skipped"),
            Err(error) => self.failed(path, &error),
        }
    }

    /// Everything below a folder.
    fn folder(&mut self, root: &Path) {
        let real_root = fs::canonicalize(root);
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            if self.full {
                return;
            }
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) => {
                    self.failed(&folder, &error);
                    continue;
                }
            };
            for entry in entries {
                match entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))) {
                    Ok((path, kind)) if kind.is_dir() => folders.push(path),
                    Ok((path, kind)) if kind.is_file() => self.file(path),
                    Ok((path, kind)) if kind.is_symlink() => self.link(&path, real_root.as_deref().unwrap_or(root)),
                    Ok((path, _)) => self.skip(&path, "a device, fifo or socket, not a log; skipped"),
                    Err(error) => self.failed(&folder, &error),
                }
            }
        }
    }

    fn file(&mut self, path: PathBuf) {
        let limit = self.walk.limits.files;
        if self.jobs.len() < limit {
            let label = label::bounded(self.walk, shown(&path));
            self.jobs.push(Job { label, path: Some(path) });
        } else if !self.full {
            self.full = true;
            let message = format!("more than {limit} files; this and later ones were not read, pass fewer at a time");
            self.walk.lost(&shown(&path), ProblemKind::Limit, message);
        }
    }

    /// A link inside a folder: what it points to is read under its own name, unless it is elsewhere.
    fn link(&self, path: &Path, real_root: &Path) {
        match fs::canonicalize(path) {
            Ok(target) if target.starts_with(real_root) => {}
            Ok(_) => self.skip(path, "a link that points outside the folder; pass its target to have it read"),
            Err(_) => self.skip(path, "a link that points to nothing here; skipped"),
        }
    }

    fn skip(&self, path: &Path, message: &str) {
        self.walk.note(&shown(path), ProblemKind::Skipped, message);
    }

    fn failed(&self, path: &Path, error: &io::Error) {
        let meant = Some(path).filter(|_| error.kind() == io::ErrorKind::NotFound).and_then(neighbour);
        let message = match meant {
            Some(near) => format!("{}; did you mean `{}`?", reason(error), shown(&near)),
            None => could_not(error),
        };
        self.walk.lost(&shown(path), ProblemKind::Open, message);
    }
}

fn shown(path: &Path) -> String {
    plain(&path.to_string_lossy())
}

/// Entries of a folder among which a name like a mistyped one is looked for.
const NEIGHBOURS: usize = 10_000;

/// What was probably meant by a path that does not exist: of its folders the first that does not, corrected.
pub fn neighbour(path: &Path) -> Option<PathBuf> {
    let missing = path.ancestors().take_while(|p| !p.as_os_str().is_empty() && !p.exists()).last()?;
    let folder = missing.parent()?;
    let looked_into = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let names = fs::read_dir(looked_into).ok()?.take(NEIGHBOURS).flatten();
    let names: Vec<String> = names.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let near = suggest::nearest(missing.file_name()?.to_str()?, names.iter().map(String::as_str))?;
    // Only the components: nothing joined leaves a slash behind the name of a file.
    let meant: PathBuf = folder.join(near).join(path.strip_prefix(missing).ok()?).components().collect();
    meant.exists().then_some(meant)
}

fn could_not(error: &io::Error) -> String {
    let next = match error.kind() {
        io::ErrorKind::NotFound => "; check the path",
        io::ErrorKind::PermissionDenied => "; run it as a user who may read it",
        _ => "",
    };
    format!("{}{next}", reason(error))
}

/// What can be read from front to back when named on purpose: `<(...)` is a fifo, `/dev/stdin` anything.
#[cfg(unix)]
fn is_stream(kind: FileType) -> bool {
    use std::os::unix::fs::FileTypeExt;
    kind.is_file() || kind.is_fifo() || kind.is_char_device()
}

#[cfg(not(unix))]
fn is_stream(kind: FileType) -> bool {
    kind.is_file()
}

/// Reads one job.
pub(super) fn run(walk: &Walk<'_>, job: &Job, index: u32) {
    let place = Place::top(job.label.clone(), index);
    let opened = match &job.path {
        Some(path) => File::open(path).map(|file| (file, 0)),
        None => open_stdin(),
    };
    match opened.and_then(|(file, position)| Ok((file.metadata()?, file, position))) {
        Ok((metadata, file, position)) => open(walk, place, &file, &metadata, position),
        Err(error) => walk.lost(&job.label, ProblemKind::Open, could_not(&error)),
    }
}

/// Standard input as a file of its own, and where it stands: a script may have read some of it.
fn open_stdin() -> io::Result<(File, u64)> {
    let mut file = duplicate_stdin()?;
    let position = file.stream_position().unwrap_or(0);
    Ok((file, position))
}

#[cfg(unix)]
fn duplicate_stdin() -> io::Result<File> {
    use std::os::fd::AsFd;
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

#[cfg(windows)]
fn duplicate_stdin() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    io::stdin().as_handle().try_clone_to_owned().map(File::from)
}

fn open(walk: &Walk<'_>, mut place: Place<'_>, file: &File, metadata: &Metadata, position: u64) {
    let length = if metadata.is_file() && metadata.len() > 0 { metadata.len() } else { u64::MAX };
    let taken = Taken { all: walk.taken, own: AtomicU64::new(0), length };
    let stream = || Box::new(BufReader::with_capacity(BUFFER, Stored { file, taken: &taken }));
    // Files of the kernel claim to be empty and are not: those are streams.
    if !metadata.is_file() || metadata.len() == 0 || position > 0 {
        return walk.stream(place, stream());
    }
    place.source.modified = modified(metadata);
    place.source.bytes = Some(metadata.len());
    let head = match read_head(file) {
        Ok(head) => head,
        Err(error) => return walk.lost(&place.source.label, ProblemKind::Open, could_not(&error)),
    };
    match classify(&head) {
        Class::Text(Encoding::Utf8) => {
            place.source.hints = Hints::of(&place.source.label);
            return walk.source(&place.source, Content::File(file));
        }
        Class::Zip => {
            if let Some(place) = walk.enter(place, "zip") {
                zip::walk_file(walk, &place, (file, &taken), metadata.len());
            }
        }
        _ => walk.stream(place, stream()),
    }
    // What nobody needed to read of it is done, too.
    taken.add(length);
}

/// Counts the bytes taken from one file.
pub(super) struct Taken<'a> {
    /// Those of all files.
    all: &'a AtomicU64,
    own: AtomicU64,
    /// Bytes of it: what is read twice, such as the directory of a zip, counts once.
    length: u64,
}

impl Taken<'_> {
    /// Counts bytes that were read.
    pub(super) fn add(&self, bytes: u64) {
        let before = self.own.fetch_add(bytes, Ordering::Relaxed);
        let new = before.saturating_add(bytes).min(self.length) - before.min(self.length);
        self.all.fetch_add(new, Ordering::Relaxed);
    }
}

/// A file whose bytes are counted as they are read.
struct Stored<'a> {
    file: &'a File,
    taken: &'a Taken<'a>,
}

impl Read for Stored<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.taken.add(count as u64);
        Ok(count)
    }
}

fn modified(metadata: &Metadata) -> Option<i64> {
    let time = metadata.modified().ok()?;
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).ok(),
        Err(before) => i64::try_from(before.duration().as_secs()).ok().map(|seconds| -seconds),
    }
}

fn read_head(file: &File) -> io::Result<Vec<u8>> {
    let mut head = vec![0; HEAD];
    let mut length = 0;
    while let Some(room @ [_, ..]) = head.get_mut(length..) {
        match read_at(file, room, length as u64) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    head.truncate(length);
    Ok(head)
}

/// Reads at a position, whatever other threads read.
#[cfg(unix)]
pub(super) fn read_at(file: &File, buf: &mut [u8], position: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buf, position)
}

/// Reads at a position, whatever other threads read.
#[cfg(windows)]
pub(super) fn read_at(file: &File, buf: &mut [u8], position: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buf, position)
}
