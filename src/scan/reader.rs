//! Cuts sources into chunks: large files by position, streams in batches.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;

use memchr::{memchr, memrchr};
use rayon::prelude::*;

use super::chunk::WINDOW;
use super::chunk::{self, ChunkOutcome};
use super::usual::{Sated, next_look};
use super::{Scanner, SourceOutcome, frame};
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

/// Reads a stream: one batch is read while the one before is scanned.
pub fn sequential(scanner: &Scanner<'_>, read: &mut (dyn Read + Send), outcome: &mut SourceOutcome) {
    let mut current = Vec::with_capacity(BATCH);
    let mut base = 0;
    let mut cut_line = false;
    let mut first = Intake::default();
    let mut more = fill(read, &mut current, BATCH, &mut first);
    while more && !cut_line && is_document(&current) {
        (more, cut_line) = documents(scanner, read, (&mut current, &mut base), &mut first, outcome);
    }
    outcome.bytes += first.bytes;
    outcome.failure = first.failure;
    let mut next = Vec::new();
    let (mut sated, mut look) = (Sated::default(), next_look(base));
    while !current.is_empty() {
        if base >= look {
            sated = Sated::after(&outcome.found, scanner.catalogue);
            look = next_look(base);
        }
        let whole = !more && (base == 0 || is_document(&current));
        let cut = if whole { current.len() } else { last_window(&current, base, look, more) };
        next.clear();
        next.extend_from_slice(current.get(cut..).unwrap_or_default());
        let own = current.get(..cut).unwrap_or_default();
        let place = Place { base, cut_line, whole, sated: &sated };
        let context = &outcome.context;
        let mut intake = Intake::default();
        let scan = || scan_batch(scanner, context, own, &place);
        // What one batch holds needs no threads; starting them takes longer than to scan a small file.
        let (pieces, again) =
            if more { rayon::join(scan, || fill(read, &mut next, BATCH, &mut intake)) } else { (scan(), false) };
        outcome.bytes += intake.bytes;
        outcome.failure = outcome.failure.take().or(intake.failure);
        outcome.absorb(pieces, own, scanner);
        outcome.found.unended += u64::from(whole && is_document(own) && is_cut_json(own));
        more = again;
        base += cut as u64;
        cut_line = own.last() != Some(&b'\n');
        std::mem::swap(&mut current, &mut next);
    }
}

/// Scans the documents at the beginning of a batch. They are cut between each other only, since half a document tells
/// little; for one that ends nowhere in the batch more is read, up to the limit. What stands behind them stays in the batch.
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
    let last_line = || memrchr(b'\n', batch).map(|at| at + 1);
    let cut = if more { cut.or_else(last_line) } else { None }.unwrap_or(batch.len());
    let own = batch.get(..cut).unwrap_or_default();
    let found = chunk::scan(scanner, &outcome.context, own, *base, &Sated::default());
    outcome.absorb([found], own, scanner);
    outcome.found.unended += u64::from(!more && is_cut_json(own));
    let cut_line = own.last() != Some(&b'\n');
    *base += cut as u64;
    batch.drain(..cut);
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

/// What came from a stream.
#[derive(Default)]
struct Intake {
    bytes: u64,
    failure: Option<String>,
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
