//! Walks a tar as a stream, member by member; goes on behind damage where another header is found.
//!
//! Reads the headers itself (their fields with the `tar` crate), because names and attributes of hostile
//! archives must not grow without bound and one bad block must not cost the rest. Links and devices are
//! counted, never followed. Of sparse members the data is read, not the holes. Invariant: reads to the end of
//! the stream, so that check sums of compressions below are verified.

use std::io::{self, BufRead, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use ::tar::Header;

use super::label;
use super::nest::Place;
use super::tally::{Tally, What};
use super::{ProblemKind, Walk};
use crate::decode::peek::Peek;

const BLOCK: usize = 512;
/// Where a sparse header and its continuations say that another one follows.
const SPARSE_FLAG: usize = 482;
const SPARSE_MORE_FLAG: usize = 504;

type Block = [u8; BLOCK];

/// Whether a block is a header: its check sum decides.
pub(super) fn is_header(block: &Block) -> bool {
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    let field: u32 = block.iter().skip(148).take(8).map(|byte| u32::from(*byte)).sum();
    let expected = sum - field + 8 * u32::from(b' ');
    let stored = Header::from_byte_slice(block).cksum();
    // A block of zeros is the end mark, though its fields would agree with an empty check sum.
    sum > 0 && stored.is_ok_and(|stored| stored == expected)
}

/// Visits all members of the tar that `input` is.
pub(super) fn walk(walk: &Walk<'_>, place: &Place<'_>, input: &mut Peek<'_>) {
    let tally = Tally::default();
    let mut tar = Tar { walk, place, tally: &tally, input, pending: Pending::default(), entries: 0, end: false };
    let stopped = tar.run();
    // When the compression around it broke, that was told.
    if let Err(stop) = stopped
        && !(place.is_broken() && matches!(stop.0, ProblemKind::Truncated))
    {
        walk.lost(&place.source.label, stop.0, stop.1);
    }
    tally.report(walk, &place.source.label);
}

/// Why the walk ends before the end of the archive.
struct Stop(ProblemKind, String);

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Self(ProblemKind::Truncated, "the archive ends too early; later members are missing".into())
        } else {
            Self(ProblemKind::Open, format!("{}; later members are missing", label::reason(&error)))
        }
    }
}

/// What records before a header say about the member it describes.
#[derive(Default)]
struct Pending {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    modified: Option<i64>,
}

struct Tar<'t, 'i> {
    walk: &'t Walk<'t>,
    place: &'t Place<'t>,
    tally: &'t Tally,
    input: &'t mut Peek<'i>,
    pending: Pending,
    entries: usize,
    /// Whether the end mark was seen.
    end: bool,
}

impl Tar<'_, '_> {
    fn run(&mut self) -> Result<(), Stop> {
        while let Some(block) = self.next_header()? {
            self.entries += 1;
            if self.entries > self.walk.limits.members {
                let limit = self.walk.limits.members;
                let message =
                    format!("has more than {limit} members; the first {limit} were read, unpack it for the rest");
                return Err(Stop(ProblemKind::Limit, message));
            }
            self.entry(&block)?;
        }
        if self.entries == 0 {
            self.walk.empty(&self.place.source.label, "an archive without members", 1);
        }
        if self.end {
            return Ok(());
        }
        Err(Stop(ProblemKind::Truncated, "the archive has no end mark; later members may be missing".into()))
    }

    /// The next header, over end marks (archives may be joined) and damaged blocks.
    fn next_header(&mut self) -> Result<Option<Block>, Stop> {
        let mut damaged = 0;
        while let Some(block) = self.next_block()? {
            if is_header(&block) {
                self.report_damage(damaged);
                return Ok(Some(block));
            }
            if block.iter().all(|byte| *byte == 0) {
                self.end = true;
            } else {
                damaged += BLOCK;
            }
        }
        self.report_damage(damaged);
        Ok(None)
    }

    fn report_damage(&self, bytes: usize) {
        if bytes > 0 {
            let message = format!("{bytes} bytes between members are damaged and were skipped; members may be missing");
            self.walk.lost(&self.place.source.label, ProblemKind::Damaged, message);
        }
    }

    fn next_block(&mut self) -> io::Result<Option<Block>> {
        if self.input.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let mut block = [0; BLOCK];
        self.input.read_exact(&mut block)?;
        Ok(Some(block))
    }

    fn entry(&mut self, block: &Block) -> Result<(), Stop> {
        let header = Header::from_byte_slice(block);
        let bad_size = |_| Stop(ProblemKind::Damaged, "a member's size is no number; later members are missing".into());
        let size = header.entry_size().map_err(bad_size)?;
        match header.entry_type().as_byte() {
            b'L' => self.pending.name = Some(self.record(size)?),
            b'x' | b'X' => {
                let record = self.record(size)?;
                read_attributes(&record, &mut self.pending);
            }
            b'g' | b'K' | b'V' => self.skip(size)?,
            kind => self.member(header, kind, size)?,
        }
        Ok(())
    }

    fn member(&mut self, header: &Header, kind: u8, size: u64) -> Result<(), Stop> {
        let pending = std::mem::take(&mut self.pending);
        let raw = pending.name.unwrap_or_else(|| header.path_bytes().into_owned());
        let (name, hostile) = label::clean(&raw);
        let size = pending.size.unwrap_or(size);
        match kind {
            b'1' | b'2' => self.tally.add(What::Link, &name),
            b'3' | b'4' | b'6' => self.tally.add(What::Device, &name),
            b'5' => {}
            // Before there was a type for folders, their names ended in a slash.
            b'\0' | b'0' if raw.ends_with(b"/") => self.skip(size)?,
            b'D' => self.skip(size)?,
            _ => {
                if kind == b'S' {
                    self.skip_sparse_map(header)?;
                }
                if hostile {
                    self.tally.add(What::Hostile, &name);
                }
                let modified = pending.modified.or_else(|| i64::try_from(header.mtime().ok()?).ok());
                self.content(&name, modified, size)?;
            }
        }
        Ok(())
    }

    fn content(&mut self, name: &str, modified: Option<i64>, size: u64) -> Result<(), Stop> {
        let label = label::member(self.walk, &self.place.source.label, name);
        let mut place = self.place.member(label, self.entries, self.tally);
        place.source.modified = modified;
        place.source.bytes = Some(size);
        let left = AtomicU64::new(size);
        self.walk.stream(place, Box::new(Exact { inner: &mut *self.input, left: &left }));
        self.skip_bytes(left.load(Ordering::Relaxed) + padding(size))?;
        Ok(())
    }

    /// A record that belongs to the next member: what fits the limit of it.
    fn record(&mut self, size: u64) -> io::Result<Vec<u8>> {
        let keep = size.min(self.walk.limits.tar_record as u64);
        let mut record = Vec::new();
        Read::take(&mut *self.input, keep).read_to_end(&mut record)?;
        self.skip_bytes(size - keep + padding(size))?;
        while record.last() == Some(&0) {
            record.pop();
        }
        Ok(record)
    }

    fn skip_sparse_map(&mut self, header: &Header) -> io::Result<()> {
        let mut more = header.as_bytes().get(SPARSE_FLAG) == Some(&1);
        while more {
            let block = self.next_block()?.ok_or(io::ErrorKind::UnexpectedEof)?;
            more = block.get(SPARSE_MORE_FLAG) == Some(&1);
        }
        Ok(())
    }

    /// Skips the data of an entry.
    fn skip(&mut self, size: u64) -> io::Result<()> {
        self.skip_bytes(size.saturating_add(padding(size)))
    }

    fn skip_bytes(&mut self, count: u64) -> io::Result<()> {
        let skipped = io::copy(&mut Read::take(&mut *self.input, count), &mut io::sink())?;
        if skipped < count { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

/// The bytes that fill the last block.
fn padding(size: u64) -> u64 {
    size.next_multiple_of(BLOCK as u64).wrapping_sub(size)
}

/// Reads records of the form `LENGTH KEY=VALUE\n`.
fn read_attributes(mut record: &[u8], pending: &mut Pending) {
    while let Some((key, value, rest)) = split_attribute(record) {
        let text = std::str::from_utf8(value).unwrap_or_default();
        match key {
            b"path" if pending.name.is_none() => pending.name = Some(value.to_vec()),
            b"GNU.sparse.name" => pending.name = Some(value.to_vec()),
            b"size" => pending.size = text.parse().ok(),
            b"mtime" => pending.modified = text.split('.').next().and_then(|whole| whole.parse().ok()),
            _ => {}
        }
        record = rest;
    }
}

fn split_attribute(record: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = memchr::memchr(b' ', record)?;
    let length: usize = std::str::from_utf8(record.get(..space)?).ok()?.parse().ok()?;
    let pair = record.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = memchr::memchr(b'=', pair)?;
    Some((pair.get(..equals)?, pair.get(equals + 1..)?, record.get(length..)?))
}

/// Exactly so many bytes: fewer are an error, not an end.
pub(super) struct Exact<'a, R> {
    pub inner: &'a mut R,
    pub left: &'a AtomicU64,
}

impl<R: BufRead> Read for Exact<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left.load(Ordering::Relaxed)).unwrap_or(usize::MAX).min(buf.len());
        if room == 0 {
            return Ok(0);
        }
        match self.inner.read(buf.get_mut(..room).unwrap_or_default())? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.left.fetch_sub(count as u64, Ordering::Relaxed);
                Ok(count)
            }
        }
    }
}

impl<R: BufRead> BufRead for Exact<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let left = usize::try_from(self.left.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(&[]);
        }
        let ahead = self.inner.fill_buf()?;
        if ahead.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(ahead.get(..left).unwrap_or(ahead))
    }

    fn consume(&mut self, amount: usize) {
        self.left.store(self.left.load(Ordering::Relaxed).saturating_sub(amount as u64), Ordering::Relaxed);
        self.inner.consume(amount);
    }
}
