//! Files that grow, are truncated, renamed and replaced, and folders in which files appear.
//!
//! Everything is found by looking again (polling), which works on every file system. A file is known by device and inode,
//! not by its name: a renamed one is read on to its end under its new name, and what stands under its old name is new. A
//! copy that a rotation leaves behind (the same beginning, in the same folder) is not read twice. Invariant: no byte is
//! handed out twice.

use std::collections::{BTreeSet, HashMap};
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::input;

/// Bytes read of one file before the others have their turn.
const TURN: usize = 1 << 20;
/// Bytes read in one look.
const LOOK: usize = 16 << 20;
/// Time between two looks into folders.
const WALK: Duration = Duration::from_secs(1);
/// How long a file that no name leads to any more is waited for.
const LINGER: Duration = Duration::from_secs(10);
/// Files kept open; others are opened for each look.
const OPEN: usize = 256;
/// Bytes by which the beginning of a file is recognised, and how many are enough.
const BEGINNING: usize = 256;
const ENOUGH: usize = 32;
/// Bytes looked at to tell what a file is.
const HEAD: usize = 4096;

/// What was found in a look.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// A file of text; its key is unique among files.
    Begin {
        /// Names it in what follows.
        key: usize,
        /// Where it is.
        path: PathBuf,
        /// When it was last written, seconds since 1970.
        modified: i64,
    },
    /// Its next bytes.
    Bytes(usize, Vec<u8>),
    /// It goes by another name now.
    Renamed(usize, PathBuf),
    /// Nothing more will come of it.
    End(usize),
    /// Something that is read once, as a stream: a container, a named pipe.
    Once(PathBuf),
    /// What was missing is there.
    Appeared(PathBuf),
    /// Something that cannot be followed, and why.
    Problem(PathBuf, String),
}

/// Takes what is found.
type Sink<'s> = &'s mut dyn FnMut(Found);

type Id = (u64, u64);

fn id(metadata: &Metadata) -> Id {
    (metadata.dev(), metadata.ino())
}

/// One file.
#[derive(Debug)]
struct Tail {
    key: usize,
    path: PathBuf,
    id: Id,
    file: Option<File>,
    position: u64,
    /// The first bytes, as far as they were read.
    beginning: Vec<u8>,
    /// What the last look saw: nothing is read when this has not changed.
    seen: (u64, i64, i64),
    /// Since when no name leads to it.
    lost: Option<Duration>,
    /// True for a copy of another file: not read.
    copy: bool,
    /// True when it turned out to be no text.
    ignored: bool,
    /// True once it was told.
    begun: bool,
}

/// All files and folders that are followed.
#[derive(Debug)]
pub struct Tails {
    roots: Vec<Root>,
    all: Vec<Tail>,
    by_id: HashMap<Id, usize>,
    walked: Option<Duration>,
    keys: usize,
    /// Files kept open.
    open: usize,
    /// The file looked at last.
    cursor: usize,
    /// The most files that are followed.
    limit: usize,
    full: bool,
}

/// What was named.
#[derive(Debug)]
struct Root {
    path: PathBuf,
    /// Read as a stream, or told that it is missing.
    done: bool,
    missing: bool,
}

impl Tails {
    /// Follows these files and folders, at most `limit` files.
    pub fn new(paths: &[PathBuf], limit: usize) -> Self {
        let root = |path: &PathBuf| Root { path: path.clone(), done: false, missing: false };
        Self {
            roots: paths.iter().map(root).collect(),
            all: Vec::new(),
            by_id: HashMap::new(),
            walked: None,
            keys: 0,
            open: 0,
            cursor: 0,
            limit,
            full: false,
        }
    }

    /// Whether something may still come: a named pipe that was read to its end brings nothing more.
    pub fn watches(&self) -> bool {
        self.roots.iter().any(|r| !r.done)
    }

    /// Looks once. True when more is there than one look reads.
    pub fn look(&mut self, now: Duration, sink: Sink<'_>) -> bool {
        if self.walked.is_none_or(|walked| now.saturating_sub(walked) >= WALK) {
            self.walk(now, sink);
        }
        let mut more = false;
        let mut read = 0;
        for _ in 0..self.all.len() {
            if read >= LOOK {
                more = true;
                break;
            }
            self.cursor = (self.cursor + 1) % self.all.len();
            let (bytes, rest) = self.one(self.cursor, now, sink);
            read += bytes;
            more |= rest;
        }
        self.drop_ended(sink);
        more
    }

    /// Finds files that are new or renamed.
    fn walk(&mut self, now: Duration, sink: Sink<'_>) {
        let first = self.walked.is_none();
        self.walked = Some(now);
        let mut files = BTreeSet::new();
        for root in &mut self.roots {
            if root.done {
                continue;
            }
            let metadata = std::fs::metadata(&root.path);
            if metadata.is_ok() && std::mem::take(&mut root.missing) {
                sink(Found::Appeared(root.path.clone()));
            }
            match metadata {
                Ok(metadata) if metadata.is_dir() => below(&root.path, &mut files),
                Ok(metadata) if metadata.is_file() => drop(files.insert(root.path.clone())),
                Ok(metadata) if metadata.file_type().is_fifo() || metadata.file_type().is_char_device() => {
                    root.done = true;
                    sink(Found::Once(root.path.clone()));
                }
                Ok(_) => {
                    root.done = true;
                    sink(Found::Problem(root.path.clone(), "a device or socket, not a log; skipped".into()));
                }
                Err(error) => {
                    if !std::mem::replace(&mut root.missing, true) {
                        let message = format!("{}; waiting for it to appear", reason(&error));
                        sink(Found::Problem(root.path.clone(), message));
                    }
                }
            }
        }
        for path in files {
            self.meet(path, first, sink);
        }
    }

    /// A file under a name: known, renamed or new.
    fn meet(&mut self, path: PathBuf, first: bool, sink: Sink<'_>) {
        let Ok(metadata) = std::fs::metadata(&path) else { return };
        let id = id(&metadata);
        if let Some(tail) = self.by_id.get(&id).and_then(|i| self.all.get_mut(*i)) {
            let moved = tail.path != path && !leads(&tail.path, id);
            if moved {
                tail.path.clone_from(&path);
                tail.lost = None;
                if tail.begun {
                    sink(Found::Renamed(tail.key, path));
                }
            }
            return;
        }
        if self.all.len() >= self.limit {
            if !std::mem::replace(&mut self.full, true) {
                sink(Found::Problem(path, format!("more than {} files; later ones are not followed", self.limit)));
            }
            return;
        }
        self.add(path, id, first, sink);
    }

    fn add(&mut self, path: PathBuf, id: Id, first: bool, sink: Sink<'_>) {
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) => {
                // Told once: what cannot be opened now is looked at again when its inode changes.
                sink(Found::Problem(path.clone(), reason(&error)));
                let tail = Tail { ignored: true, ..self.tail(path, id, None) };
                return self.keep(tail);
            }
        };
        let head = read_at(&file, 0, HEAD).unwrap_or_default();
        let mut tail = self.tail(path, id, None);
        tail.seen.0 = head.len() as u64;
        if !input::is_text(&head) {
            tail.ignored = true;
            let late = || "appeared while following and is no plain text; not read".into();
            let path = tail.path.clone();
            sink(if first { Found::Once(path) } else { Found::Problem(path, late()) });
        }
        // What was there from the start is read, whatever it looks like.
        tail.copy = !first && self.original(&tail.path, &head).is_some();
        if self.open < OPEN && !tail.copy && !tail.ignored {
            self.open += 1;
            tail.file = Some(file);
        }
        self.keep(tail);
    }

    fn tail(&mut self, path: PathBuf, id: Id, file: Option<File>) -> Tail {
        self.keys += 1;
        Tail {
            key: self.keys,
            path,
            id,
            file,
            position: 0,
            beginning: Vec::new(),
            seen: (0, 0, 0),
            lost: None,
            copy: false,
            ignored: false,
            begun: false,
        }
    }

    fn keep(&mut self, tail: Tail) {
        self.by_id.insert(tail.id, self.all.len());
        self.all.push(tail);
    }

    /// The followed file of which a new one is a copy.
    fn original(&self, path: &Path, head: &[u8]) -> Option<usize> {
        self.all.iter().position(|t| {
            !t.copy && t.path.parent() == path.parent() && t.beginning.len() >= ENOUGH && head.starts_with(&t.beginning)
        })
    }

    /// Looks at one file: the bytes read, and whether more is there.
    fn one(&mut self, index: usize, now: Duration, sink: Sink<'_>) -> (usize, bool) {
        let Some(tail) = self.all.get_mut(index) else { return (0, false) };
        let Some(metadata) = tail.metadata(now) else { return (0, false) };
        if tail.copy || tail.ignored {
            // What was written anew is another file, whatever its inode.
            if metadata.len() < tail.seen.0 {
                tail.lost = Some(Duration::ZERO);
            }
            return (0, false);
        }
        let seen = (metadata.len(), metadata.mtime(), metadata.mtime_nsec());
        if seen == tail.seen && metadata.len() == tail.position {
            return (0, false);
        }
        if metadata.len() < tail.position || !tail.begins_as_before() {
            self.truncated(index, now, sink);
        }
        let Some(tail) = self.all.get_mut(index) else { return (0, false) };
        tail.seen = seen;
        if !tail.begun && metadata.len() > 0 {
            tail.begun = true;
            sink(Found::Begin { key: tail.key, path: tail.path.clone(), modified: metadata.mtime() });
        }
        tail.read(metadata.len(), sink)
    }

    /// A file that begins anew: the rest of what it held may stand in a copy.
    fn truncated(&mut self, index: usize, now: Duration, sink: Sink<'_>) {
        self.walk(now, sink);
        let Some(tail) = self.all.get(index) else { return };
        let copy = self.all.iter().find(|t| {
            t.copy && t.path.parent() == tail.path.parent() && {
                let head = t.open().and_then(|f| read_at(&f, 0, BEGINNING)).unwrap_or_default();
                tail.beginning.len() >= ENOUGH && head.starts_with(&tail.beginning)
            }
        });
        if let Some(rest) = copy.and_then(|c| read_at(&c.open()?, tail.position, TURN)).filter(|r| !r.is_empty()) {
            sink(Found::Bytes(tail.key, rest));
        }
        self.keys += 1;
        let key = self.keys;
        if let Some(tail) = self.all.get_mut(index) {
            if tail.begun {
                sink(Found::End(tail.key));
            }
            (tail.key, tail.position, tail.begun) = (key, 0, false);
            tail.beginning.clear();
        }
    }

    /// Lets go of files that no name leads to and that have not grown for a while.
    fn drop_ended(&mut self, sink: Sink<'_>) {
        let now = self.walked.unwrap_or_default();
        let ended = |t: &Tail| t.lost.is_some_and(|lost| now.saturating_sub(lost) >= LINGER);
        if !self.all.iter().any(ended) {
            return;
        }
        let (gone, kept): (Vec<Tail>, Vec<Tail>) = std::mem::take(&mut self.all).into_iter().partition(ended);
        self.all = kept;
        self.open = self.all.iter().filter(|t| t.file.is_some()).count();
        self.cursor = 0;
        gone.into_iter().filter(|t| t.begun).for_each(|t| sink(Found::End(t.key)));
        self.by_id = self.all.iter().enumerate().map(|(index, t)| (t.id, index)).collect();
    }
}

impl Tail {
    /// What is known of the file now, by its name or, when that leads elsewhere, by what is open.
    fn metadata(&mut self, now: Duration) -> Option<Metadata> {
        if let Some(metadata) = std::fs::metadata(&self.path).ok().filter(|m| id(m) == self.id) {
            self.lost = None;
            return Some(metadata);
        }
        let metadata = self.file.as_ref().and_then(|f| f.metadata().ok());
        // A writer that still has it open goes on writing for a while.
        let grown = metadata.as_ref().is_some_and(|m| m.len() > self.position);
        if grown || self.lost.is_none() {
            self.lost = Some(now);
        }
        metadata
    }

    fn open(&self) -> Option<File> {
        match &self.file {
            Some(file) => file.try_clone().ok(),
            None => File::open(&self.path).ok().filter(|f| f.metadata().is_ok_and(|m| id(&m) == self.id)),
        }
    }

    /// Whether the first bytes are those that were read: a file may be truncated and grow beyond its old size between looks.
    fn begins_as_before(&self) -> bool {
        self.beginning.is_empty()
            || self.open().and_then(|f| read_at(&f, 0, self.beginning.len())).is_none_or(|head| head == self.beginning)
    }

    /// Reads on: the bytes read, and whether more is there.
    fn read(&mut self, length: u64, sink: Sink<'_>) -> (usize, bool) {
        if length <= self.position {
            return (0, false);
        }
        let bytes = self.open().and_then(|f| read_at(&f, self.position, TURN)).unwrap_or_default();
        if bytes.is_empty() {
            return (0, false);
        }
        if self.position == self.beginning.len() as u64 && self.beginning.len() < BEGINNING {
            self.beginning.extend(bytes.iter().take(BEGINNING - self.beginning.len()));
        }
        let count = bytes.len();
        self.position += count as u64;
        sink(Found::Bytes(self.key, bytes));
        (count, self.position < length)
    }
}

/// Whether a name leads to a file.
fn leads(path: &Path, to: Id) -> bool {
    std::fs::metadata(path).is_ok_and(|m| id(&m) == to)
}

/// All regular files below a folder; links are not followed.
fn below(root: &Path, files: &mut BTreeSet<PathBuf>) {
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => drop(files.insert(entry.path())),
                _ => {}
            }
        }
    }
}

/// At most `count` bytes from a position.
fn read_at(file: &File, position: u64, count: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; count];
    let mut filled = 0;
    while let Some(room) = bytes.get_mut(filled..).filter(|r| !r.is_empty()) {
        match file.read_at(room, position + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    bytes.truncate(filled);
    Some(bytes)
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".into(),
        io::ErrorKind::PermissionDenied => "may not be read by this user".into(),
        _ => format!("cannot be read: {error}"),
    }
}

#[cfg(test)]
#[path = "tail_tests.rs"]
mod tests;
