//! Reads a zip from front to back by the headers before its members: for a zip that is too big to hold, cut
//! off, or without a readable directory.
//!
//! Deleted members cannot be told from others here, and links only when the directory has come. A member that does
//! not tell its length ends where a descriptor stands that fits what was read. Invariant: after each member the next
//! header is searched for, so a damaged one costs only itself.

use std::io::{self, BufRead, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use super::label;
use super::nest::Place;
use super::tally::{Tally, What};
use super::tar::Exact;
use super::zip::{special, visit_member};
use super::zip_descriptor::Described;
use super::zip_directory::{ENTRY, ENTRY_LENGTH, Member, attributes, dos_time, extended_time, mode, u16_at, u32_at};
use super::{ProblemKind, Walk};
use crate::decode::peek::Peek;

const LOCAL: &[u8] = b"PK\x03\x04";
/// Where the directory or the end begins, nothing but directory follows.
const DIRECTORY: [&[u8]; 3] = [b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06"];
const HEADER: usize = 30;
const ENCRYPTED: u16 = 1;
/// Sizes and check sum stand behind the data.
const DESCRIPTOR: u16 = 8;
const DEFLATE: u16 = 8;

/// Visits the members in `input`; `why` says why the directory is not used, empty when nothing is wrong.
pub(super) fn walk(walk: &Walk<'_>, place: &Place<'_>, mut input: Peek<'_>, why: &str) {
    let tally = Tally::default();
    let label = &place.source.label;
    let mut members = 0;
    let end = loop {
        match next_member(&mut input) {
            Ok(Next::Member(member)) if members < walk.limits.members => {
                members += 1;
                visit(walk, place, &tally, members, &member, &mut input);
            }
            Ok(Next::Member(_)) => break End::Limit,
            Ok(Next::Directory) => {
                if let Err(error) = directory(&mut input, &tally) {
                    walk.lost(label, ProblemKind::Open, label::reason(&error));
                }
                break End::Complete;
            }
            Ok(Next::Nothing) => break End::Cut,
            Err(error) => {
                walk.lost(label, ProblemKind::Open, label::reason(&error));
                break End::Complete;
            }
        }
    };
    tally.report(walk, label);
    report(walk, label, &end, members, why);
}

enum Next {
    Member(Member),
    Directory,
    Nothing,
}

enum End {
    Complete,
    Cut,
    Limit,
}

fn report(walk: &Walk<'_>, label: &str, end: &End, members: usize, why: &str) {
    let (kind, message) = match end {
        End::Complete if why.is_empty() => return,
        End::Complete => (
            ProblemKind::Damaged,
            format!("{why}; {members} members were read one after the other, fetch it again to be sure"),
        ),
        End::Cut => (
            ProblemKind::Truncated,
            format!("the archive ends too early; {members} members could be read, fetch it again for the rest"),
        ),
        End::Limit => (
            ProblemKind::Limit,
            format!("has more than {members} members; the first {members} were read, unpack it for the rest"),
        ),
    };
    walk.lost(label, kind, message);
}

/// Searches for the next header and takes it.
fn next_member(input: &mut Peek<'_>) -> io::Result<Next> {
    loop {
        let head = input.peek(HEADER)?;
        if head.len() < 4 {
            return Ok(Next::Nothing);
        }
        if DIRECTORY.iter().any(|magic| head.starts_with(magic)) {
            return Ok(Next::Directory);
        }
        if let Some(fields) = head.first_chunk().filter(|fields| is_local(fields)).copied() {
            return take_header(input, &fields).map(Next::Member);
        }
        let skip = memchr::memmem::find(head.get(1..).unwrap_or_default(), b"PK");
        let skip = skip.map_or_else(|| head.len().saturating_sub(1).max(1), |at| at + 1);
        input.consume(skip);
    }
}

fn is_local(fields: &[u8; HEADER]) -> bool {
    // Version, method and length of the name guard against the magic occurring within data.
    fields.starts_with(LOCAL) && u16_at(fields, 4) < 100 && u16_at(fields, 8) < 100 && u16_at(fields, 26) > 0
}

fn take_header(input: &mut Peek<'_>, fields: &[u8; HEADER]) -> io::Result<Member> {
    io::copy(&mut Read::take(&mut *input, HEADER as u64), &mut io::sink())?;
    let mut name = Vec::new();
    Read::take(&mut *input, u16_at(fields, 26).into()).read_to_end(&mut name)?;
    let mut extra = Vec::new();
    Read::take(&mut *input, u16_at(fields, 28).into()).read_to_end(&mut extra)?;
    let flags = u16_at(fields, 6);
    let (packed, size) = sizes(fields, &extra);
    let unknown = flags & DESCRIPTOR != 0 && packed == 0;
    Ok(Member {
        name,
        method: u16_at(fields, 8),
        encrypted: flags & ENCRYPTED != 0,
        packed: if unknown { u64::MAX } else { packed },
        size: if unknown { u64::MAX } else { size },
        crc: u32_at(fields, 14),
        modified: extended_time(&extra).or_else(|| dos_time(u16_at(fields, 12), u16_at(fields, 10))),
    })
}

/// Packed and plain size; big ones stand in an attribute (zip64: plain size first).
fn sizes(fields: &[u8; HEADER], extra: &[u8]) -> (u64, u64) {
    let (packed, size) = (u32_at(fields, 18), u32_at(fields, 22));
    if packed != u32::MAX && size != u32::MAX {
        return (packed.into(), size.into());
    }
    let big = attributes(extra).find_map(|(id, data)| data.first_chunk::<16>().filter(|_| id == 1));
    if let Some([a, b, c, d, e, f, g, h, packed @ ..]) = big.copied() {
        return (u64::from_le_bytes(packed), u64::from_le_bytes([a, b, c, d, e, f, g, h]));
    }
    (packed.into(), size.into())
}

/// Visits one member and takes what is left of its data.
fn visit(walk: &Walk<'_>, place: &Place<'_>, tally: &Tally, index: usize, member: &Member, input: &mut Peek<'_>) {
    let (name, hostile) = label::clean(&member.name);
    if hostile {
        tally.add(What::Hostile, &name);
    }
    let unknown = member.packed == u64::MAX;
    if !(member.name.ends_with(b"/") && (unknown || member.packed == 0)) {
        let label = label::member(walk, &place.source.label, &name);
        let place = place.member(label, index, tally);
        if unknown {
            if member.method == DEFLATE && !member.encrypted {
                // The decoder stops where its data ends; what is left of a broken one is searched over.
                visit_member(walk, place, member, None, Box::new(input));
            } else {
                let mut packed = Described::new(input, member);
                visit_member(walk, place, member, None, Box::new(&mut packed));
                let _ = io::copy(&mut packed, &mut io::sink());
            }
        } else {
            let left = AtomicU64::new(member.packed);
            visit_member(walk, place, member, None, Box::new(Exact { inner: &mut *input, left: &left }));
            let _ = io::copy(&mut Read::take(input, left.load(Ordering::Relaxed)), &mut io::sink());
        }
    }
}

/// Reads the directory to its end, for what only it tells: which members were no files.
fn directory(input: &mut Peek<'_>, tally: &Tally) -> io::Result<()> {
    while let Some(fields) = input.peek(ENTRY_LENGTH)?.first_chunk::<ENTRY_LENGTH>().copied() {
        if !fields.starts_with(ENTRY) {
            break;
        }
        input.consume(ENTRY_LENGTH);
        let mut name = Vec::new();
        Read::take(&mut *input, u16_at(&fields, 28).into()).read_to_end(&mut name)?;
        if special(mode(&fields)).is_some() {
            tally.add(What::Late, &label::clean(&name).0);
        }
        let rest = u64::from(u16_at(&fields, 30)) + u64::from(u16_at(&fields, 32));
        io::copy(&mut Read::take(&mut *input, rest), &mut io::sink())?;
    }
    io::copy(input, &mut io::sink()).map(drop)
}
