//! Cuts sources into chunks: large files by position, streams in batches.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Scope;

use memchr::{memchr, memrchr};
use rayon::prelude::*;

use super::chunk::WINDOW;
use super::chunk::{self, ChunkOutcome};
use super::usual::{Sated, next_look};
use super::{Scanner, SourceOutcome, around, frame};
use crate::parse::{self, LockOn};
use crate::state;

/// Bytes of a chunk of a large file.
const CHUNK: u64 = 1 << 20;
/// Bytes read beyond a chunk, to find where the record that crosses its end ends.
const OVERLAP: u64 = 160 << 10;
/// Bytes of a batch of a stream.
const BATCH: usize = 2 << 20;
/// Bytes that are read first of a batch.
const FIRST_READ: usize = 64 << 10;

/// Reads a large file in parallel, by position.
pub fn parallel(scanner: &Scanner<'_>, file: &File, length: u64, outcome: &mut SourceOutcome) {
    let chunks = length.div_ceil(CHUNK);
    let mut from = 0;
    while from < chunks {
        // Findings are put together where the source is looked at anew.
        let to = (next_look(from * CHUNK) / CHUNK).min(chunks);
        let sated = Sated::after(&outcome.found, scanner.catalogue);
        let context = &outcome.context;
        let round: Vec<Result<(ChunkOutcome, u64), std::io::Error>> = (from..to)
            .into_par_iter()
            .map(|index| scanner.buffers.lend(|buffer| positioned(scanner, context, (file, index), &sated, buffer)))
            .collect();
        for result in round {
            match result {
                Ok((found, bytes)) => {
                    // Behind what could not be read nobody knows the number of a line.
                    if let (None, Ok(start)) = (&outcome.failure, usize::try_from(outcome.bytes)) {
                        outcome.starts.note(around::Place { line: outcome.found.lines + 1, start });
                    }
                    outcome.bytes += bytes;
                    outcome.found.absorb(found, scanner);
                }
                Err(error) => {
                    outcome.failure.get_or_insert(format!("reading failed: {error}"));
                }
            }
        }
        from = to;
    }
}

/// Lines looked at for the beginning of a document: comments and blank lines may stand before it.
const PREAMBLE: usize = 20;

/// Whether the first thing in a file is a state document.
pub fn begins_with_document(file: &File) -> bool {
    let mut head = vec![0; 4 << 10];
    read_at(file, &mut head, 0).is_ok_and(|length| is_document(head.get(..length).unwrap_or_default()))
}

/// Whether the first thing in a text is a state document.
fn is_document(bytes: &[u8]) -> bool {
    let is_filler = |line: &&[u8]| line.trim_ascii().is_empty() || line.starts_with(b"#");
    let lines = bytes.split(|b| *b == b'\n').take(PREAMBLE);
    let first = lines.skip_while(is_filler).map(frame::clean).next().unwrap_or_default();
    state::begins(&first).is_some() && !parse::classify(&first, &mut LockOn::default()).time.is_some()
}

/// Whether brackets are open at the end of JSON: it was cut off.
fn is_cut_json(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii();
    if !matches!(text.first(), Some(b'{' | b'[')) || matches!(text.last(), Some(b'}' | b']') | None) {
        return false;
    }
    let (mut depth, mut string, mut escaped) = (0i64, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if string => escaped = true,
            b'"' => string = !string,
            b'{' | b'[' if !string => depth += 1,
            b'}' | b']' if !string => depth -= 1,
            _ => {}
        }
    }
    depth > 0
}

/// Scans the records that begin in one chunk of a file.
fn positioned(
    scanner: &Scanner<'_>,
    context: &super::SourceContext,
    (file, index): (&File, u64),
    sated: &Sated,
    buffer: &mut Vec<u8>,
) -> Result<(ChunkOutcome, u64), std::io::Error> {
    buffer.resize((CHUNK + OVERLAP + 1) as usize, 0);
    // One byte before the chunk tells whether a line begins at its start.
    let begin = (index * CHUNK).saturating_sub(1);
    let lead = (index * CHUNK - begin) as usize;
    let limit = lead + CHUNK as usize;
    let mut read = read_at(file, buffer, begin)?;
    let cuts_a_line = |bytes: &[u8]| bytes.get(limit..).is_some_and(|rest| memchr(b'\n', rest).is_none());
    if read == buffer.len() && cuts_a_line(buffer) {
        // The last line goes on beyond the overlap: as much of it as lines may have.
        buffer.resize(buffer.len() + scanner.limits.line, 0);
        read = read_at(file, buffer, begin)?;
    }
    let bytes = buffer.get(..read).unwrap_or_default();
    let start = if index == 0 { 0 } else { record_start(bytes, 0) };
    let end = if read <= limit { read } else { record_start(bytes, limit - 1) };
    let own = bytes.get(start..end.max(start)).unwrap_or_default();
    Ok((chunk::scan(scanner, context, own, begin + start as u64, sated), own.len() as u64))
}

fn read_at(file: &File, buffer: &mut [u8], mut position: u64) -> Result<usize, std::io::Error> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|r| !r.is_empty()) {
        match file.read_at(rest, position) {
            Ok(0) => break,
            Ok(read) => {
                filled += read;
                position += read as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The first position after `from` at which a record begins: after a line end, with a line that continues nothing.
/// When none is found within the frame limits, the first line start; without any, the end.
pub fn record_start(bytes: &[u8], from: usize) -> usize {
    let mut first = None;
    let mut at = from;
    for _ in 0..frame::MAX_LINES {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(end) = memchr(b'\n', rest) else { break };
        at += end + 1;
        first.get_or_insert(at);
        let line = bytes.get(at..).unwrap_or_default();
        let line = line.get(..memchr(b'\n', line).unwrap_or(line.len())).unwrap_or_default();
        if at - from > frame::MAX_BYTES {
            break;
        }
        if !frame::continues(&frame::clean(line)) && !frame::follows_partial(bytes.get(..at).unwrap_or_default()) {
            return at;
        }
    }
    first.unwrap_or(bytes.len())
}

/// Reads a stream. A long one is read, and decoded, on a thread of its own, some batches ahead of the scan.
pub fn sequential(scanner: &Scanner<'_>, read: &mut (dyn Read + Send), outcome: &mut SourceOutcome) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut at = At::default();
    let mut intake = Intake::default();
    let mut more = fill(read, &mut batch, BATCH, &mut intake);
    while more && !at.cut_line && is_document(&batch) {
        (more, at.cut_line) = documents(scanner, read, (&mut batch, &mut at.base), &mut intake, outcome);
    }
    outcome.take_in(intake);
    // What one batch holds needs no threads; starting them takes longer than to scan a small file.
    if more && rayon::current_num_threads() > 1 {
        std::thread::scope(move |scope| batches(scanner, batch, at, Some(Feed::ahead(scope, read)), outcome));
    } else {
        batches(scanner, batch, at, more.then_some(Feed::Here { read, spare: Vec::new() }), outcome);
    }
}

/// Where a batch begins.
#[derive(Default)]
struct At {
    base: u64,
    /// Whether that is within a line.
    cut_line: bool,
}

/// Scans batch after batch, as long as there is a `feed` and in what it gave.
fn batches(
    scanner: &Scanner<'_>,
    first: Vec<u8>,
    At { mut base, mut cut_line }: At,
    mut feed: Option<Feed<'_>>,
    outcome: &mut SourceOutcome,
) {
    let (mut buffer, mut from) = (first, 0);
    let (mut sated, mut look) = (Sated::default(), next_look(base));
    loop {
        let batch = buffer.get(from..).unwrap_or_default();
        if batch.is_empty() && feed.is_none() {
            return;
        }
        if base >= look {
            sated = Sated::after(&outcome.found, scanner.catalogue);
            look = next_look(base);
        }
        let whole = feed.is_none() && (base == 0 || is_document(batch));
        let mut cut = if whole { batch.len() } else { last_window(batch, base, look, feed.is_some()) };
        // A line that is not too long is read to its end.
        if feed.is_some() && cut == batch.len() && cut < scanner.limits.line + BEHIND_LINE {
            cut = 0;
        }
        let (own, rest) = batch.split_at_checked(cut).unwrap_or((batch, &[]));
        let place = Place { base, cut_line, whole, sated: &sated };
        let pieces = scan_batch(scanner, &outcome.context, own, &place);
        outcome.absorb(pieces, own, scanner);
        outcome.found.unended += u64::from(whole && is_document(own) && is_cut_json(own));
        base += cut as u64;
        cut_line = own.last().map_or(cut_line, |last| *last != b'\n');
        let Some(source) = &mut feed else {
            from += cut;
            continue;
        };
        let mut next = source.take();
        from = next.join(rest);
        let used = std::mem::replace(&mut buffer, next.bytes);
        outcome.take_in(next.intake);
        if next.more { source.give_back(used) } else { feed = None }
    }
}

/// Bytes behind a line of the greatest length that show where the next record begins.
const BEHIND_LINE: usize = WINDOW as usize + 4 * frame::MAX_BYTES;
/// Room before the bytes of a batch for what is carried over from the one before; mostly less is.
const ROOM: usize = 384 << 10;
/// Bytes that are read ahead at a time.
const AHEAD: usize = 1 << 20;
/// Batches in turn: one is scanned, one is ready, one is being read.
const TURNS: usize = 3;

/// What was read of a stream.
struct Filled {
    /// The bytes stand behind [`ROOM`].
    bytes: Vec<u8>,
    intake: Intake,
    more: bool,
}

impl Filled {
    fn read(read: &mut (dyn Read + Send), mut bytes: Vec<u8>) -> Self {
        let mut intake = Intake::default();
        bytes.resize(ROOM, 0);
        let more = fill(read, &mut bytes, ROOM + AHEAD, &mut intake);
        Self { bytes, intake, more }
    }

    /// Puts what is carried over before the bytes; gives where it begins.
    fn join(&mut self, carried: &[u8]) -> usize {
        if let Some(from) = ROOM.checked_sub(carried.len())
            && let Some(room) = self.bytes.get_mut(from..ROOM)
        {
            room.copy_from_slice(carried);
            return from;
        }
        drop(self.bytes.splice(..ROOM, carried.iter().copied()));
        0
    }
}

/// What a stream gives, read here and now or ahead on a thread.
enum Feed<'r> {
    Here { read: &'r mut (dyn Read + Send), spare: Vec<u8> },
    Ahead { filled: Receiver<Filled>, empty: Sender<Vec<u8>> },
}

impl<'r> Feed<'r> {
    /// Reads ahead until the stream or the scan ends.
    fn ahead<'s, 'e>(scope: &'s Scope<'s, 'e>, read: &'r mut (dyn Read + Send)) -> Self
    where
        'r: 's,
    {
        let (empty, free) = channel();
        let (full, filled) = channel();
        // The batch that is scanned first is not of these.
        (1..TURNS).for_each(|_| drop(empty.send(Vec::new())));
        scope.spawn(move || {
            for bytes in free {
                let next = Filled::read(read, bytes);
                let more = next.more;
                if full.send(next).is_err() || !more {
                    return;
                }
            }
        });
        Self::Ahead { filled, empty }
    }

    fn take(&mut self) -> Filled {
        match self {
            Self::Here { read, spare } => Filled::read(&mut **read, std::mem::take(spare)),
            Self::Ahead { filled, .. } => filled.recv().unwrap_or_else(|_| {
                let failure = Some("reading failed: the decoder ended".to_owned());
                Filled { bytes: vec![0; ROOM], intake: Intake { failure, bytes: 0 }, more: false }
            }),
        }
    }

    /// Takes a buffer back that was scanned.
    fn give_back(&mut self, buffer: Vec<u8>) {
        match self {
            Self::Here { spare, .. } => *spare = buffer,
            // Nobody waits for it when the stream has ended meanwhile.
            Self::Ahead { empty, .. } => drop(empty.send(buffer)),
        }
    }
}

/// Scans the documents at the beginning of a batch. They are cut between each other only, since half a document tells
/// little; for one that ends nowhere in the batch more is read, up to the limit. A list beyond the limit is cut between its
/// items. What stands behind stays in the batch.
/// Gives whether there is more to read, and whether the batch begins within a line.
fn documents(
    scanner: &Scanner<'_>,
    read: &mut (dyn Read + Send),
    (batch, base): (&mut Vec<u8>, &mut u64),
    intake: &mut Intake,
    outcome: &mut SourceOutcome,
) -> (bool, bool) {
    let mut more = true;
    let mut cut = last_document(batch);
    while more && cut.is_none() && batch.len() <= scanner.limits.document {
        let searched = batch.len();
        more = fill(read, batch, searched + BATCH, intake);
        cut = last_document(batch);
    }
    let item = if cut.is_none() { batch.get(..scanner.limits.document).and_then(last_item) } else { None };
    let last_line = || memrchr(b'\n', batch).map(|at| at + 1);
    let line = if more { cut.or_else(last_line) } else { None };
    let cut = item.map(|(at, _)| at).or(line).unwrap_or(batch.len());
    let own = batch.get(..cut).unwrap_or_default();
    let found = chunk::scan(scanner, &outcome.context, own, *base, &Sated::default());
    outcome.absorb([found], own, scanner);
    outcome.found.unended += u64::from(!more && own.len() == batch.len() && is_cut_json(own));
    let cut_line = own.last() != Some(&b'\n');
    *base += cut as u64;
    let head = item.map_or(&[][..], |(_, head)| head);
    drop(batch.splice(..cut, head.iter().copied()));
    if more && batch.is_empty() {
        more = fill(read, batch, BATCH, intake);
    }
    (more, cut_line)
}

/// Where the last document of a batch begins, behind the end of another: a YAML separator, or the bracket of a JSON object.
fn last_document(batch: &[u8]) -> Option<usize> {
    let separates = |at: &usize| matches!(batch.get(at + 4), Some(b'\n' | b'\r' | b' '));
    let yaml = memchr::memmem::rfind_iter(batch, b"\n---").find(separates).map(|at| at + 1);
    let json = memchr::memmem::rfind(batch, b"\n}\n{").map(|at| at + 3);
    yaml.max(json)
}

/// What a list of resources in JSON begins with: put before the items that stand behind a cut, on their first line.
const LIST: &[u8] = b"{\"apiVersion\":\"v1\",\"items\":[";

/// Where the last item begins of a list that is too long to be read at once, and what must stand before it there.
fn last_item(batch: &[u8]) -> Option<(usize, &'static [u8])> {
    if batch.first() != Some(&b'{') {
        return Some((memchr::memmem::rfind(batch, b"\n- apiVersion: ")? + 1, &[]));
    }
    let key = b"\"items\":";
    let behind = batch.get(memchr::memmem::find(batch, key)? + key.len()..)?.trim_ascii_start();
    let inside = behind.strip_prefix(b"[")?;
    let inside = inside.strip_prefix(b"\n").unwrap_or(inside);
    let indent = inside.get(..inside.iter().take_while(|b| **b == b' ').count()).filter(|i| !i.is_empty())?;
    let between = [&b"\n"[..], indent, b"},\n", indent, b"{"].concat();
    let at = memchr::memmem::rfind(batch, &between)? + between.len() - 1 - indent.len();
    Some((at, LIST))
}

/// What came from a stream.
#[derive(Default)]
struct Intake {
    bytes: u64,
    failure: Option<String>,
}

impl SourceOutcome {
    /// Counts what came.
    fn take_in(&mut self, intake: Intake) {
        self.bytes += intake.bytes;
        self.failure = self.failure.take().or(intake.failure);
    }
}

/// Fills a batch up to `target` bytes, or a little more; false at the end of the stream.
fn fill(read: &mut (dyn Read + Send), batch: &mut Vec<u8>, target: usize, intake: &mut Intake) -> bool {
    let mut filled = batch.len();
    let target = target.max(filled + WINDOW as usize);
    let mut more = true;
    while filled < target {
        if filled == batch.len() {
            // Memory is taken as the stream goes on: most are short.
            batch.resize((2 * filled).max(FIRST_READ).min(target), 0);
        }
        let rest = batch.get_mut(filled..).unwrap_or_default();
        match read.read(rest) {
            Ok(0) => {
                more = false;
                break;
            }
            Ok(bytes) => {
                filled += bytes;
                intake.bytes += bytes as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => {
                intake.failure = Some(format!("reading failed: {error}"));
                more = false;
                break;
            }
        }
    }
    batch.truncate(filled);
    more
}

/// Where the record begins that follows the last multiple of the window, at most the one at `look`: what stands behind is
/// carried over, so that streams are cut where files are. The end when a record is longer than the batch, or when there is
/// no `more` to come before `look`.
fn last_window(batch: &[u8], base: u64, look: u64, more: bool) -> usize {
    let end = base + batch.len() as u64;
    if !more {
        let at = usize::try_from(look - base).unwrap_or(usize::MAX);
        return if at < batch.len() { record_start(batch, at - 1) } else { batch.len() };
    }
    let mut multiple = (end / WINDOW * WINDOW).min(look);
    while multiple > base {
        let at = (multiple - base) as usize;
        let cut = if at == batch.len() { at } else { record_start(batch, at - 1) };
        // Room behind the cut shows that the record really begins there.
        if cut < batch.len() && batch.len() - cut > frame::MAX_BYTES.min(batch.len() / 4) {
            return cut;
        }
        multiple -= WINDOW;
    }
    batch.len()
}

/// Where a batch stands.
struct Place<'s> {
    /// Where it begins in its source.
    base: u64,
    /// Whether it begins within a line.
    cut_line: bool,
    /// Whether it is all there is: then tables and documents stay whole.
    whole: bool,
    /// What is sated there.
    sated: &'s Sated,
}

/// Scans a batch, in parallel pieces unless it is whole.
fn scan_batch(
    scanner: &Scanner<'_>,
    context: &super::SourceContext,
    batch: &[u8],
    &Place { base, cut_line, whole, sated }: &Place<'_>,
) -> Vec<ChunkOutcome> {
    if whole {
        return vec![chunk::scan(scanner, context, batch, base, sated)];
    }
    let mut pieces = Vec::new();
    let mut from = 0;
    while from < batch.len() {
        let next = ((base + from as u64) / WINDOW + 1) * WINDOW;
        let at = usize::try_from(next - base).unwrap_or(usize::MAX);
        let to = if at >= batch.len() { batch.len() } else { record_start(batch, at - 1).max(from + 1) };
        pieces.push((from, batch.get(from..to).unwrap_or_default()));
        from = to;
    }
    let scan = |(from, piece): &(usize, &[u8])| {
        let base = base + *from as u64;
        if *from == 0 && cut_line {
            chunk::scan_rest(scanner, context, piece, base, sated)
        } else {
            chunk::scan(scanner, context, piece, base, sated)
        }
    };
    pieces.par_iter().map(scan).collect()
}
