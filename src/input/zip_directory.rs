//! The directory at the end of a zip, and the fields of its headers; entry by entry, never all at once.
//!
//! Of the crates at hand the stable interface keeps one member per name, but bundles repeat names, so the
//! directory is read here. Understands zip64 and data before the archive. Reads no member. Invariant: no field
//! is trusted; a wrong one gives a missing directory or an error, and memory does not grow with the claims.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// Begins an entry of the directory.
pub(super) const ENTRY: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const LOCATOR: &[u8] = b"PK\x06\x07";
const BIG_END: &[u8] = b"PK\x06\x06";
/// The length of an entry without its name, attributes and comment.
pub(super) const ENTRY_LENGTH: usize = 46;
const END_LENGTH: usize = 22;
const LOCATOR_LENGTH: u64 = 20;
const BIG_END_LENGTH: usize = 56;
/// The end record and the longest comment behind it.
const TAIL: u64 = END_LENGTH as u64 + 0xffff;
const ENCRYPTED: u16 = 1;
const UNIX: u8 = 3;
const DARWIN: u8 = 19;

/// What a header says about a member.
pub(super) struct Member {
    pub name: Vec<u8>,
    /// Number of the compression.
    pub method: u16,
    pub encrypted: bool,
    /// Packed bytes; `u64::MAX` when they are not known beforehand.
    pub packed: u64,
    /// Plain bytes; `u64::MAX` when they are not known beforehand.
    pub size: u64,
    pub crc: u32,
    /// Seconds since 1970.
    pub modified: Option<i64>,
}

/// A member and where it is.
pub(super) struct Entry {
    pub member: Member,
    /// Position of the header before the data.
    pub header: u64,
    /// Kind and permissions, when written on Unix.
    pub mode: u32,
}

/// The entries that are still to come.
pub(super) struct Directory<R> {
    reader: BufReader<R>,
    /// Bytes before the archive.
    shift: u64,
    /// How many entries are left, as the archive claims.
    pub left: u64,
}

struct Ends {
    /// Where the directory ends.
    at: u64,
    entries: u64,
    size: u64,
    offset: u64,
}

impl<R: Read + Seek> Directory<R> {
    /// Finds the directory; none when there is no readable one.
    pub fn find(mut reader: R, length: u64) -> Option<Self> {
        let tail_start = length.saturating_sub(TAIL);
        let tail = usize::try_from(length - tail_start).ok()?;
        let tail = bytes_at(&mut reader, tail_start, tail).ok()?;
        let (begin, shift, left) = memchr::memmem::rfind_iter(&tail, END).find_map(|at| {
            let record = tail.get(at..at + END_LENGTH)?;
            let comment = usize::from(u16_at(record, 20));
            let is_last = at + END_LENGTH + comment == tail.len();
            let ends = read_ends(&mut reader, tail_start + at as u64, record)?;
            // Of an archive that is cut off within a stored zip, the end of the inner one must not be taken
            // for its own: that one stands neither at the very end nor at the start.
            start(&mut reader, &ends).filter(|(_, shift, _)| is_last || *shift == 0)
        })?;
        let mut reader = BufReader::new(reader);
        reader.seek(SeekFrom::Start(begin)).ok()?;
        Some(Self { reader, shift, left })
    }

    /// The next entry; none at the end.
    ///
    /// # Errors
    /// When the directory is damaged here; there is no going on behind it.
    pub fn next(&mut self) -> io::Result<Option<Entry>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut fields = [0; ENTRY_LENGTH];
        self.reader.read_exact(&mut fields)?;
        if !fields.starts_with(ENTRY) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let name = self.bytes(u16_at(&fields, 28))?;
        let extra = self.bytes(u16_at(&fields, 30))?;
        self.bytes(u16_at(&fields, 32))?;
        Ok(Some(entry(&fields, name, &extra, self.shift)))
    }

    fn bytes(&mut self, count: u16) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; count.into()];
        self.reader.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

fn read_ends<R: Read + Seek>(reader: &mut R, at: u64, record: &[u8]) -> Option<Ends> {
    let small = Ends {
        at,
        entries: u16_at(record, 10).into(),
        size: u32_at(record, 12).into(),
        offset: u32_at(record, 16).into(),
    };
    let is_big = small.entries == 0xffff || small.size == 0xffff_ffff || small.offset == 0xffff_ffff;
    if is_big { read_big_ends(reader, at).or(Some(small)) } else { Some(small) }
}

/// The zip64 record: where the locator says, or right before it when bytes stand before the archive.
fn read_big_ends<R: Read + Seek>(reader: &mut R, end: u64) -> Option<Ends> {
    let locator_at = end.checked_sub(LOCATOR_LENGTH)?;
    let locator = bytes_at(reader, locator_at, 20).ok()?;
    let told = u64_at(&locator, 8);
    let before = locator_at.checked_sub(BIG_END_LENGTH as u64)?;
    [told, before].into_iter().filter(|_| locator.starts_with(LOCATOR)).find_map(|at| {
        let record = bytes_at(reader, at, BIG_END_LENGTH).ok()?;
        record.starts_with(BIG_END).then(|| Ends {
            at,
            entries: u64_at(&record, 32),
            size: u64_at(&record, 40),
            offset: u64_at(&record, 48),
        })
    })
}

/// Where the directory begins, how many bytes stand before the archive, and the number of entries.
fn start<R: Read + Seek>(reader: &mut R, ends: &Ends) -> Option<(u64, u64, u64)> {
    let by_size = ends.at.checked_sub(ends.size)?;
    let fitting = ends.entries <= ends.size / ENTRY_LENGTH as u64;
    if ends.entries == 0 {
        return (ends.size == 0).then_some((by_size, 0, 0));
    }
    let begin = [by_size, ends.offset]
        .into_iter()
        .filter(|_| fitting)
        .find(|at| bytes_at(reader, *at, ENTRY.len()).is_ok_and(|magic| magic == ENTRY))?;
    Some((begin, begin.saturating_sub(ends.offset), ends.entries))
}

fn entry(fields: &[u8], name: Vec<u8>, extra: &[u8], shift: u64) -> Entry {
    let [mut size, mut packed, mut header] = [24, 20, 42].map(|at| u64::from(u32_at(fields, at)));
    // Numbers that do not fit stand in an attribute, in this order.
    let mut big = attributes(extra).find(|(id, _)| *id == 1).map_or(&[][..], |(_, data)| data);
    for field in [&mut size, &mut packed, &mut header] {
        if *field == u64::from(u32::MAX)
            && let Some((value, rest)) = big.split_first_chunk()
        {
            *field = u64::from_le_bytes(*value);
            big = rest;
        }
    }
    let member = Member {
        name,
        method: u16_at(fields, 10),
        encrypted: u16_at(fields, 8) & ENCRYPTED != 0,
        packed,
        size,
        crc: u32_at(fields, 16),
        modified: extended_time(extra).or_else(|| dos_time(u16_at(fields, 14), u16_at(fields, 12))),
    };
    Entry { member, header: header.saturating_add(shift), mode: mode(fields) }
}

/// Kind and permissions in an entry; 0 when it was not written on Unix.
pub(super) fn mode(fields: &[u8]) -> u32 {
    if matches!(fields.get(5), Some(&(UNIX | DARWIN))) { u32_at(fields, 38) >> 16 } else { 0 }
}

fn bytes_at<R: Read + Seek>(reader: &mut R, at: u64, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    reader.seek(SeekFrom::Start(at))?;
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Attributes of a header: pairs of a number and its data.
pub(super) fn attributes(mut extra: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let [id_low, id_high, length_low, length_high, rest @ ..] = extra else {
            return None;
        };
        let length = u16::from_le_bytes([*length_low, *length_high]);
        let (data, behind) = rest.split_at_checked(length.into())?;
        extra = behind;
        Some((u16::from_le_bytes([*id_low, *id_high]), data))
    })
}

/// The time of change in seconds since 1970, from the attribute that Unix tools write.
pub(super) fn extended_time(extra: &[u8]) -> Option<i64> {
    attributes(extra).find_map(|(id, data)| match (id, data) {
        (0x5455, [flags, a, b, c, d, ..]) if flags & 1 != 0 => Some(i32::from_le_bytes([*a, *b, *c, *d]).into()),
        _ => None,
    })
}

/// The DOS time, which has no zone, taken as UTC. 1980 stands for "not set".
pub(super) fn dos_time(date: u16, time: u16) -> Option<i64> {
    let [date, time] = [date, time].map(u32::from);
    let year = i32::try_from(1980 + (date >> 9)).ok().filter(|year| *year > 1980)?;
    let day = chrono::NaiveDate::from_ymd_opt(year, date >> 5 & 15, date & 31)?;
    let moment = day.and_hms_opt(time >> 11, time >> 5 & 63, (time & 31) * 2)?;
    Some(moment.and_utc().timestamp())
}

/// A number of 16 bits, little endian; 0 where there is none.
pub(super) fn u16_at(fields: &[u8], at: usize) -> u16 {
    fields.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u16::from_le_bytes(*bytes))
}

/// A number of 32 bits, little endian; 0 where there is none.
pub(super) fn u32_at(fields: &[u8], at: usize) -> u32 {
    fields.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// A number of 64 bits, little endian; 0 where there is none.
pub(super) fn u64_at(fields: &[u8], at: usize) -> u64 {
    fields.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
