//! Visits the members of a zip that can be read by seeking: a plain file, or one held in memory.
//!
//! The data is read with the decoders of this crate, so that a member has the same compressions, limits and
//! messages as a stream. A zip without a readable directory goes to [`super::zip_stream`]. Members are read in
//! parallel. Invariant: members are visited by position, so one name may occur many times.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};
use std::sync::atomic::AtomicU64;

use super::job::{Taken, read_at};
use super::label;
use super::meter::{Counted, Meter, Rules, Shared};
use super::nest::{BUFFER, Place};
use super::tally::{Tally, What};
use super::zip_directory::{Directory, Entry, Member, extended_time, u16_at};
use super::{ProblemKind, Walk, zip_stream};
use crate::decode::peek::Peek;
use crate::decode::{self, Input, Mismatch};

/// Members whose directory entries are held at a time.
const BATCH: usize = 256;
/// The length of a local header without its name and attributes.
const LOCAL_HEADER: usize = 30;
/// The kind of a file in its Unix mode, and the one that says symbolic link.
const KIND: u32 = 0o170_000;
const LINK: u32 = 0o120_000;

/// How the bytes of a member are packed.
pub(super) enum Method {
    Stored,
    Deflate,
    Layer(&'static dyn decode::Layer),
}

impl Method {
    /// By the number in the header; none when it is not read.
    pub fn of(number: u16) -> Option<Self> {
        match number {
            0 => Some(Self::Stored),
            8 => Some(Self::Deflate),
            12 => decode::by_name("bzip2").map(Self::Layer),
            20 | 93 => decode::by_name("zstd").map(Self::Layer),
            95 => decode::by_name("xz").map(Self::Layer),
            _ => None,
        }
    }

    /// A reader of the plain bytes.
    pub fn open<'a>(&self, packed: Input<'a>, limits: &crate::limits::Limits) -> Box<dyn Read + Send + 'a> {
        match self {
            Self::Stored => Box::new(packed),
            Self::Deflate => Box::new(flate2::bufread::DeflateDecoder::new(packed)),
            Self::Layer(layer) => layer.open(packed, limits),
        }
    }
}

/// A reader with its own position over a file shared with others.
#[derive(Clone)]
struct FileAt<'a> {
    file: &'a File,
    taken: &'a Taken<'a>,
    position: u64,
    length: u64,
}

impl Read for FileAt<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = read_at(self.file, buf, self.position)?;
        self.position += count as u64;
        self.taken.add(count as u64);
        Ok(count)
    }
}

impl Seek for FileAt<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

/// Visits the members of a zip that is a plain file.
pub(super) fn walk_file(walk: &Walk<'_>, place: &Place<'_>, (file, taken): (&File, &Taken<'_>), length: u64) {
    let reader = FileAt { file, taken, position: 0, length };
    if walk_directory(walk, place, &reader, length).is_none() {
        let input = BufReader::with_capacity(BUFFER, reader);
        zip_stream::walk(walk, place, Peek::new(Box::new(input)), "its directory is missing or damaged");
    }
}

/// Visits the members of a zip that comes as a stream. Up to a limit it is held in memory, since only the
/// directory at its end is reliable; a bigger one is read in one pass.
pub(super) fn walk_stream(walk: &Walk<'_>, place: &Place<'_>, mut input: Peek<'_>) {
    let limit = walk.limits.zip_buffer as u64;
    let mut bytes = Vec::new();
    if let Err(error) = Read::take(&mut input, limit).read_to_end(&mut bytes) {
        walk.lost(&place.source.label, ProblemKind::Open, label::reason(&error));
    }
    let complete = matches!(input.peek(1), Ok([]) | Err(_));
    let length = bytes.len() as u64;
    if complete && walk_directory(walk, place, &Cursor::new(&*bytes), length).is_some() {
        return;
    }
    let why = if complete { "its directory is missing or damaged" } else { "" };
    zip_stream::walk(walk, place, Peek::new(Box::new(Held::new(bytes).chain(input))), why);
}

/// Bytes that were read ahead; their memory is given back when the last one is taken.
struct Held {
    bytes: Vec<u8>,
    taken: usize,
}

impl Held {
    fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, taken: 0 }
    }
}

impl Read for Held {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buf)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Held {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(self.bytes.get(self.taken..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.taken += amount;
        if self.taken >= self.bytes.len() {
            *self = Self::new(Vec::new());
        }
    }
}

/// Visits what the directory names; none when there is no directory to be read.
fn walk_directory<R>(walk: &Walk<'_>, place: &Place<'_>, reader: &R, length: u64) -> Option<()>
where
    R: Read + Seek + Clone + Send + Sync,
{
    let mut directory = Directory::find(reader.clone(), length)?;
    let claimed = directory.left;
    let label = &place.source.label;
    let shared = Shared { archive: length, produced: AtomicU64::new(0) };
    let tally = Tally::default();
    let zip = Zip { walk, place, tally: &tally, shared: &shared, reader };
    let mut seen = 0;
    while let batch @ [_, ..] = &*zip.batch(&mut directory, seen) {
        seen += batch.len();
        walk.workers.each(batch, |_, (index, entry)| zip.entry(*index, entry));
    }
    tally.report(walk, label);
    let limit = walk.limits.members;
    if claimed == 0 {
        walk.empty(label, "an archive without members", 1);
    } else if seen as u64 != claimed {
        let (kind, why) = if seen == limit {
            (ProblemKind::Limit, "the limit of members")
        } else {
            (ProblemKind::Damaged, "damage of its directory")
        };
        let message = format!("{seen} of {claimed} members were read because of {why}; unpack it for the rest");
        walk.lost(label, kind, message);
    }
    Some(())
}

struct Zip<'z, R> {
    walk: &'z Walk<'z>,
    place: &'z Place<'z>,
    tally: &'z Tally,
    shared: &'z Shared,
    reader: &'z R,
}

impl<R: Read + Seek + Clone + Send> Zip<'_, R> {
    /// The next entries with their positions; none at the end, at the limit, or where the directory breaks.
    fn batch(&self, directory: &mut Directory<R>, seen: usize) -> Vec<(usize, Entry)> {
        let room = self.walk.limits.members.saturating_sub(seen).min(BATCH);
        let entries = std::iter::from_fn(|| directory.next().ok().flatten());
        (seen..).zip(entries.take(room)).collect()
    }

    fn entry(&self, index: usize, entry: &Entry) {
        let member = &entry.member;
        if member.name.ends_with(b"/") && member.size == 0 {
            return;
        }
        let (name, hostile) = label::clean(&member.name);
        if let Some(what) = special(entry.mode) {
            return self.tally.add(what, &name);
        }
        if hostile {
            self.tally.add(What::Hostile, &name);
        }
        let label = label::member(self.walk, &self.place.source.label, &name);
        let place = self.place.member(label, index, self.tally);
        match at_data(self.reader.clone(), entry.header) {
            Ok((mut reader, modified)) => {
                let mut place = place;
                place.source.modified = modified.or(member.modified);
                let packed = Read::take(&mut reader, member.packed);
                let input = Box::new(BufReader::with_capacity(BUFFER, packed));
                visit_member(self.walk, place, member, Some(self.shared), input);
            }
            Err(_) => {
                let message = "its place in the archive is damaged; fetch the archive again";
                self.walk.lost(&place.source.label, ProblemKind::Damaged, message);
            }
        }
    }
}

/// What an entry is that holds no file.
pub(super) fn special(mode: u32) -> Option<What> {
    match mode & KIND {
        LINK => Some(What::Link),
        0o020_000 | 0o060_000 | 0o010_000 | 0o140_000 => Some(What::Device),
        _ => None,
    }
}

/// Reads one member, wherever its packed bytes come from.
pub(super) fn visit_member(
    walk: &Walk<'_>,
    mut place: Place<'_>,
    member: &Member,
    shared: Option<&Shared>,
    packed: Input<'_>,
) {
    let label = place.source.label.clone();
    if member.encrypted {
        let message = "encrypted with a zip password; unpack it and pass the result";
        return walk.lost(&label, ProblemKind::Encrypted, message);
    }
    let Some(method) = Method::of(member.method) else {
        let message = format!("packed with zip method {}, which is not read; unpack it first", member.method);
        return walk.lost(&label, ProblemKind::Unsupported, message);
    };
    place.source.modified = place.source.modified.or(member.modified);
    place.source.bytes = member.expected().map(|(size, _)| size);
    let (packed, intake) = Counted::new(packed);
    let plain = Checked::new(method.open(Box::new(packed), walk.limits), member);
    let rules = Rules { decoder: Some(intake), shared, broken: place.break_mark(), ..Rules::default() };
    let plain = Meter::new(walk, &label, rules, plain);
    walk.stream(place, Box::new(BufReader::with_capacity(BUFFER, plain)));
}

/// The reader at the start of a member's data, and the time from the header before it.
fn at_data<R: Read + Seek>(mut reader: R, header: u64) -> io::Result<(R, Option<i64>)> {
    let mut local = [0; LOCAL_HEADER];
    reader.seek(SeekFrom::Start(header))?;
    reader.read_exact(&mut local)?;
    if !local.starts_with(b"PK\x03\x04") {
        return Err(io::ErrorKind::InvalidData.into());
    }
    reader.seek(SeekFrom::Current(u16_at(&local, 26).into()))?;
    let mut extra = vec![0; u16_at(&local, 28).into()];
    reader.read_exact(&mut extra)?;
    Ok((reader, extended_time(&extra)))
}

/// Compares length and check sum at the end of a member.
struct Checked<R> {
    inner: R,
    crc: flate2::Crc,
    read: u64,
    expected: Option<(u64, u32)>,
}

impl<R> Checked<R> {
    fn new(inner: R, member: &Member) -> Self {
        Self { inner, crc: flate2::Crc::new(), read: 0, expected: member.expected() }
    }
}

impl Member {
    /// The length and check sum, unless they follow the data (and are not known yet).
    fn expected(&self) -> Option<(u64, u32)> {
        (self.size != u64::MAX).then_some((self.size, self.crc))
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buf)?;
        self.crc.update(buf.get(..count).unwrap_or_default());
        self.read += count as u64;
        match self.expected {
            Some((size, _)) if count == 0 && !buf.is_empty() && self.read < size => {
                Err(io::ErrorKind::UnexpectedEof.into())
            }
            Some((size, crc)) if count == 0 && !buf.is_empty() && (self.read, self.crc.sum()) != (size, crc) => {
                Err(io::Error::new(io::ErrorKind::InvalidData, Mismatch))
            }
            _ => Ok(count),
        }
    }
}
