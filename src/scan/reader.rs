//! Cuts sources into chunks: large files by position, streams in batches.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
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
/// Bytes read before a chunk, which tell whether a record begins at its start: a whole page of the cache, and the longest part of
/// a line that a container's runtime cut.
const LEAD: u64 = 20 << 10;
/// Bytes read beyond a chunk, to find where the record that crosses its end ends: mostly the few are enough.
const OVERLAPS: [usize; 2] = [16 << 10, 160 << 10];
/// Bytes of a page. The kernel copies several times faster to addresses that lie in their page as the source does in its own.
const PAGE: usize = 4 << 10;
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
    let begin = (index * CHUNK).saturating_sub(LEAD);
    let lead = (index * CHUNK - begin) as usize;
    let limit = lead + CHUNK as usize;
    let [few, many] = OVERLAPS;
    // A last line that goes on beyond: as much of it as lines may have.
    let lengths = [limit + few, limit + many, limit + many + scanner.limits.line];
    let mut have = 0;
    let mut end = 0;
    for length in lengths {
        let room = aligned(buffer, length, have);
        have += read_at(file, room.get_mut(have..).unwrap_or_default(), begin + have as u64)?;
        let bytes = room.get(..have).unwrap_or_default();
        let is_sure;
        (end, is_sure) = if have <= limit { (have, true) } else { find_start(bytes, limit - 1) };
        if is_sure || have < length {
            break;
        }
    }
    let bytes = page_aligned(buffer).get(..have).unwrap_or_default();
    let start = if index == 0 { 0 } else { record_start(bytes, lead - 1) };
    let own = bytes.get(start..end.max(start)).unwrap_or_default();
    Ok((chunk::scan(scanner, context, own, begin + start as u64, sated), own.len() as u64))
}

/// The part of a buffer that begins at a page.
fn page_aligned(buffer: &mut [u8]) -> &mut [u8] {
    let skip = buffer.as_ptr().align_offset(PAGE);
    if skip < buffer.len() { buffer.get_mut(skip..).unwrap_or_default() } else { buffer }
}

/// Room for `length` bytes that begins at a page, with the first `kept` bytes that stood there.
fn aligned(buffer: &mut Vec<u8>, length: usize, kept: usize) -> &mut [u8] {
    if buffer.len() < length + PAGE {
        let mut room = vec![0; length + PAGE];
        let old = page_aligned(buffer).get(..kept).unwrap_or_default();
        if let Some(begin) = page_aligned(&mut room).get_mut(..old.len()) {
            begin.copy_from_slice(old);
        }
        *buffer = room;
    }
    page_aligned(buffer).get_mut(..length).unwrap_or_default()
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
    find_start(bytes, from).0
}

/// As [`record_start`], and whether no further bytes could tell another place.
fn find_start(bytes: &[u8], from: usize) -> (usize, bool) {
    let mut first = None;
    let mut at = from;
    let mut ends_within = true;
    for _ in 0..frame::MAX_LINES {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(end) = memchr(b'\n', rest) else {
            ends_within = false;
            break;
        };
        at += end + 1;
        first.get_or_insert(at);
        let line = bytes.get(at..).unwrap_or_default();
        let length = memchr(b'\n', line);
        let line = line.get(..length.unwrap_or(line.len())).unwrap_or_default();
        if at - from > frame::MAX_BYTES {
            break;
        }
        if !frame::continues(&frame::clean(line)) && !frame::follows_partial(bytes.get(..at).unwrap_or_default()) {
            return (at, length.is_some());
        }
    }
    (first.unwrap_or(bytes.len()), ends_within)
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
    let (mut within, mut buffer) = (0..first.len(), first);
    let (mut sated, mut look) = (Sated::default(), next_look(base));
    loop {
        let batch = buffer.get(within.clone()).unwrap_or_default();
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
            within.start += cut;
            continue;
        };
        let mut next = source.take();
        next.join(rest);
        within = next.within;
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
    /// Its bytes stand behind [`ROOM`] at the least.
    bytes: Vec<u8>,
    /// Where they begin and end.
    within: Range<usize>,
    intake: Intake,
    more: bool,
}

impl Filled {
    fn read(read: &mut (dyn Read + Send), mut bytes: Vec<u8>) -> Self {
        let length = PAGE + ROOM + AHEAD;
        if bytes.len() < length {
            bytes = vec![0; length];
        }
        // Pipes hold whole pages.
        let skip = bytes.as_ptr().align_offset(PAGE).min(PAGE);
        let start = skip + ROOM;
        let mut intake = Intake::default();
        let mut end = start;
        let mut more = true;
        while let Some(room) = bytes.get_mut(end..start + AHEAD).filter(|room| more && !room.is_empty()) {
            let got = read_some(read, room, &mut intake);
            more = got.is_some();
            end += got.unwrap_or_default();
        }
        Self { bytes, within: start..end, intake, more }
    }

    /// Puts what is carried over before the bytes.
    fn join(&mut self, carried: &[u8]) {
        let start = self.within.start;
        let from = start.saturating_sub(carried.len());
        if let Some(room) = self.bytes.get_mut(from..start).filter(|room| room.len() == carried.len()) {
            room.copy_from_slice(carried);
            self.within.start = from;
            return;
        }
        self.bytes = [carried, self.bytes.get(self.within.clone()).unwrap_or_default()].concat();
        self.within = 0..self.bytes.len();
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
                Filled { bytes: Vec::new(), within: 0..0, intake: Intake { failure, bytes: 0 }, more: false }
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
        match read_some(read, rest, intake) {
            Some(bytes) => filled += bytes,
            None => {
                more = false;
                break;
            }
        }
    }
    batch.truncate(filled);
    more
}

/// Reads once: how many bytes came; `None` at the end of the stream, or when reading failed.
fn read_some(read: &mut (dyn Read + Send), room: &mut [u8], intake: &mut Intake) -> Option<usize> {
    loop {
        match read.read(room) {
            Ok(0) => return None,
            Ok(bytes) => {
                intake.bytes += bytes as u64;
                return Some(bytes);
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => {
                intake.failure = Some(format!("reading failed: {error}"));
                return None;
            }
        }
    }
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
